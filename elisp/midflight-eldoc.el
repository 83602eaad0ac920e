;;; midflight-eldoc.el --- How the call at point is made  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, help
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The echo area shows the signature of the call that is being written, from
;; the live object, with the argument at point set off.  In a shell, on output,
;; it says which runtime process printed it.
;;
;; Nothing waits: a question is sent when Emacs is idle, one at a time, and
;; its answer is shown if point is still there.  Without a connection there is
;; no question.

;;; Code:

(require 'eldoc)
(require 'midflight-look)

(defconst midflight-eldoc--seconds 5
  "How long an answer may take; after that nobody wants it any more.")

(defvar midflight-eldoc--in-flight nil
  "When a question was sent that has no answer, as a number, or nil.")

(defun midflight-eldoc-enable ()
  "Let ElDoc ask the server in this buffer."
  (if (boundp 'eldoc-documentation-functions)
      (add-hook 'eldoc-documentation-functions #'midflight-eldoc-function nil t)
    (add-function :before-until (local 'eldoc-documentation-function)
                  #'midflight-eldoc--old-function)))

(defun midflight-eldoc-disable ()
  "Undo `midflight-eldoc-enable'."
  (if (boundp 'eldoc-documentation-functions)
      (remove-hook 'eldoc-documentation-functions #'midflight-eldoc-function t)
    (remove-function (local 'eldoc-documentation-function)
                     #'midflight-eldoc--old-function)))

(defun midflight-eldoc-text (tip)
  "Return TIP, the plist of a call that is being written, as one line."
  (let ((active (plist-get tip :active))
        (index -1))
    (concat
     (propertize (plist-get tip :name) 'face 'font-lock-function-name-face)
     "("
     (mapconcat (lambda (parameter)
                  (setq index (1+ index))
                  (if (eql index active)
                      (propertize parameter 'face 'eldoc-highlight-function-argument)
                    parameter))
                (plist-get tip :parameters) ", ")
     ")"
     (if (equal (plist-get tip :returns) "") ""
       (concat " -> " (plist-get tip :returns)))
     (if (plist-get tip :version) (format "  v%d" (plist-get tip :version)) ""))))

(defun midflight-eldoc-function (callback &rest _)
  "Give CALLBACK the signature of the call at point, later.
For `eldoc-documentation-functions'."
  (let ((writer (midflight-eldoc--writer)))
    (cond
     (writer (funcall callback (format "printed by runtime process %s" writer)))
     ((and (midflight-look-possible-p)
           (not (midflight-eldoc--busy-p)))
      (let ((before (midflight-look-before)))
        (when (string-match-p "(" before)
          (midflight-eldoc--ask before callback)
          t))))))

(defun midflight-eldoc--busy-p ()
  "Return non-nil if a question has no answer yet.
One of a buffer that was killed gets none, so it does not count for long."
  (and midflight-eldoc--in-flight
       (< (- (float-time) midflight-eldoc--in-flight) midflight-eldoc--seconds)))

(defun midflight-eldoc--ask (before callback)
  "Ask which call stands open at the end of BEFORE; give it to CALLBACK.
It is not called if point or text have changed by then."
  (let ((point (point))
        (tick (buffer-chars-modified-tick)))
    (midflight-connection-call
     'look/signature
     (list (midflight-look-where) before (midflight-look-inside))
     (lambda (tip)
       (setq midflight-eldoc--in-flight nil)
       (when (and tip (= point (point)) (= tick (buffer-chars-modified-tick)))
         (funcall callback (midflight-eldoc-text tip))))
     (lambda (_text) (setq midflight-eldoc--in-flight nil))
     midflight-eldoc--seconds)
    (setq midflight-eldoc--in-flight (float-time))))

(defun midflight-eldoc--writer ()
  "Return the runtime process that printed the text at point, or nil."
  (and (midflight-look-shell-p)
       (get-text-property (point) 'midflight-writer)))

(defun midflight-eldoc--old-function ()
  "Return what is known of point at once; show the server's answer later.
For `eldoc-documentation-function' of Emacs 27, which erases the message
if nothing is returned."
  (let ((at-once t)
        (known nil))
    (midflight-eldoc-function
     (lambda (text)
       (if at-once
           (setq known text)
         ;; Later Emacsen have no need of these two, and say that they are obsolete.
         (with-no-warnings
           (when (eldoc-display-message-p)
             (eldoc-message text))))))
    (setq at-once nil)
    known))

(provide 'midflight-eldoc)
;;; midflight-eldoc.el ends here
