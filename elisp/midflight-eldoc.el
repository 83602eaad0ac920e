;;; midflight-eldoc.el --- How the call at point is made  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, help
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Support for ElDoc: the echo area shows the signature of the call at point,
;; from the live object, with the argument at point highlighted.  On output in a
;; shell, it names the runtime process that printed it.
;;
;; Emacs never waits: it sends one request at a time when it is idle, and shows
;; the answer if point is still there.  Without a connection it sends nothing.

;;; Code:

(require 'eldoc)
(require 'midflight-look)

(defconst midflight-eldoc--seconds 5
  "The most seconds that an answer may take; a later one is dropped.")

(defvar midflight-eldoc--in-flight nil
  "The time of the request that has no answer yet, as a number, or nil.")

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
  "Return TIP, the plist of a call, as one line."
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
  "Return non-nil if a request has no answer yet.
A request of a killed buffer never gets one, so it counts only for a while."
  (and midflight-eldoc--in-flight
       (< (- (float-time) midflight-eldoc--in-flight) midflight-eldoc--seconds)))

(defun midflight-eldoc--ask (before callback)
  "Ask for the open call at the end of BEFORE; give it to CALLBACK.
Do not call CALLBACK if point or the text have changed by then."
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
  "Return the text known for point at once; show the server's answer later.
For `eldoc-documentation-function' of Emacs 27, which erases the message
if this returns nil."
  (let ((at-once t)
        (known nil))
    (midflight-eldoc-function
     (lambda (text)
       (if at-once
           (setq known text)
         ;; Newer versions of Emacs do not need these two, and call them obsolete.
         (with-no-warnings
           (when (eldoc-display-message-p)
             (eldoc-message text))))))
    (setq at-once nil)
    known))

(provide 'midflight-eldoc)
;;; midflight-eldoc.el ends here
