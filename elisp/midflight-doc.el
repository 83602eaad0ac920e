;;; midflight-doc.el --- Documentation and signatures of live objects  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, help
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The documentation of a name in the running system, shown by C-c C-d d: the
;; kind of object, its signature, its version, its docstring, and a button that
;; goes to its definition.
;;
;; Support for ElDoc: the echo area shows the signature of the call at point,
;; from the live object, with the argument at point highlighted.  On output in a
;; shell, it names the runtime process that printed it.  Emacs never waits for
;; ElDoc: it sends one request at a time when it is idle, and shows the answer if
;; point is still there.  Without a connection it sends nothing.

;;; Code:

(require 'eldoc)
(require 'help-mode)
(require 'midflight-look)
(require 'midflight-xref)

(define-button-type 'midflight-doc-definition
  :supertype 'help-xref
  'help-function (lambda (definition) (midflight-xref-visit definition))
  'help-echo "mouse-2, RET: go to the definition")

;;;###autoload
(defun midflight-doc (expression)
  "Show the documentation of the object that EXPRESSION names.
Look EXPRESSION up in the running system, without evaluating it."
  (interactive (list (midflight-look-read "Describe")))
  (midflight-connection-call
   'look/doc (list (midflight-look-where) (substring-no-properties expression)
                   (midflight-look-inside))
   (lambda (doc)
     (if doc
         (midflight-doc--show doc)
       (message "Midflight: %s cannot be looked up without evaluating it; %s evaluates and inspects it"
                expression
                (substitute-command-keys "\\[midflight-inspect]"))))
   nil 10))

(defun midflight-doc--show (doc)
  "Show DOC, a plist of the server, in a help buffer."
  (let ((root (midflight-connection-root-of-buffer))
        (definition (plist-get doc :definition)))
    (help-setup-xref (list #'midflight-doc--show doc) nil)
    (with-help-window (help-buffer)
      (with-current-buffer standard-output
        (setq midflight-connection-buffer-root root)
        (insert (propertize (plist-get doc :name) 'face 'bold)
                (plist-get doc :signature) "\n\n"
                (capitalize (substring (plist-get doc :kind) 0 1))
                (substring (plist-get doc :kind) 1)
                (if (plist-get doc :module) (format " of module %s" (plist-get doc :module)) "")
                (if (plist-get doc :version) (format ", version %d" (plist-get doc :version)) "")
                (if (plist-get doc :value) (format ": %s" (plist-get doc :value)) "")
                ".\n")
        (when definition
          (insert "Defined in ")
          (insert-text-button
           (format "%s:%d" (abbreviate-file-name (plist-get definition :path))
                   (plist-get definition :line))
           'type 'midflight-doc-definition
           'help-args (list definition))
          (insert ".\n"))
        (insert "\n" (if (equal (plist-get doc :text) "") "It has no docstring."
                       (plist-get doc :text))
                "\n")))))

;;;; ElDoc

(defconst midflight-doc--seconds 5
  "The most seconds that an answer may take; a later one is dropped.")

(defvar midflight-doc--in-flight nil
  "The time of the request that has no answer yet, as a number, or nil.")

(defun midflight-eldoc-enable ()
  "Let ElDoc ask the server in this buffer."
  (if (boundp 'eldoc-documentation-functions)
      (add-hook 'eldoc-documentation-functions #'midflight-eldoc-function nil t)
    (add-function :before-until (local 'eldoc-documentation-function)
                  #'midflight-doc--old-function)))

(defun midflight-eldoc-disable ()
  "Undo `midflight-eldoc-enable'."
  (if (boundp 'eldoc-documentation-functions)
      (remove-hook 'eldoc-documentation-functions #'midflight-eldoc-function t)
    (remove-function (local 'eldoc-documentation-function)
                     #'midflight-doc--old-function)))

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
  (let ((writer (midflight-doc--writer)))
    (cond
     (writer (funcall callback (format "printed by runtime process %s" writer)))
     ((and (midflight-look-possible-p)
           (not (midflight-doc--busy-p)))
      (let ((before (midflight-look-before)))
        (when (string-match-p "(" before)
          (midflight-doc--ask before callback)
          t))))))

(defun midflight-doc--busy-p ()
  "Return non-nil if a request has no answer yet.
A request of a killed buffer never gets one, so it counts only for a while."
  (and midflight-doc--in-flight
       (< (- (float-time) midflight-doc--in-flight) midflight-doc--seconds)))

(defun midflight-doc--ask (before callback)
  "Ask for the open call at the end of BEFORE; give it to CALLBACK.
Do not call CALLBACK if point or the text have changed by then."
  (let ((point (point))
        (tick (buffer-chars-modified-tick)))
    (midflight-connection-call
     'look/signature
     (list (midflight-look-where) before (midflight-look-inside))
     (lambda (tip)
       (setq midflight-doc--in-flight nil)
       (when (and tip (= point (point)) (= tick (buffer-chars-modified-tick)))
         (funcall callback (midflight-eldoc-text tip))))
     (lambda (_text) (setq midflight-doc--in-flight nil))
     midflight-doc--seconds)
    (setq midflight-doc--in-flight (float-time))))

(defun midflight-doc--writer ()
  "Return the runtime process that printed the text at point, or nil."
  (and (midflight-look-shell-p)
       (get-text-property (point) 'midflight-writer)))

(defun midflight-doc--old-function ()
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

(provide 'midflight-doc)
;;; midflight-doc.el ends here
