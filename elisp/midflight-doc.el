;;; midflight-doc.el --- Documentation of live objects  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, help
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The documentation of a name in the running system, shown by C-c C-d d: the
;; kind of object, its signature, its version, its docstring, and a button that
;; goes to its definition.

;;; Code:

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
       (message "Midflight: nothing is known of %s without evaluating it; %s evaluates and inspects it"
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

(provide 'midflight-doc)
;;; midflight-doc.el ends here
