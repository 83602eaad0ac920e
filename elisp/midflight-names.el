;;; midflight-names.el --- Lists of names in the running system  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, tools
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Two lists of names, with their kind, value and version as they are now:
;;
;; 1. `midflight-browse-module': the names of one module.
;; 2. `midflight-apropos': the names of all modules that match some words.
;;
;; In both, RET goes to the definition, `i' inspects the value, `d' shows the
;; documentation, `w' copies the dotted name, and `g' asks the server again.

;;; Code:

(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-look)
(require 'midflight-doc)
(require 'midflight-xref)
(require 'midflight-inspector)

(defvar-local midflight-names--request nil
  "The request for this list: (METHOD . ARGS).")

(midflight-define-keys midflight-names-mode "Names"
  ("RET" midflight-names-visit "Go to the definition")
  ("." midflight-names-visit nil)
  ("i" midflight-names-inspect "Inspect the value")
  ("d" midflight-names-doc "Describe")
  ("w" midflight-names-copy "Copy the dotted name"))

(define-derived-mode midflight-names-mode tabulated-list-mode "Midflight-Names"
  "Major mode for a list of names in the running system.

\\{midflight-names-mode-map}"
  (setq tabulated-list-format [("Module" 18 t) ("Name" 28 t) ("Kind" 15 t) ("Version" 7 t)
                               ("Value" 0 t)]
        tabulated-list-padding 1
        tabulated-list-sort-key nil)
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-names--refresh))

;;;###autoload
(defun midflight-browse-module (module)
  "List the names that MODULE has of its own, as they are in its current version.
MODULE is a dotted name or a file.  Interactively, it is the module of this
buffer; if this buffer does not visit a Python file, or with a prefix
argument, ask for one."
  (interactive
   (list (if (and (not current-prefix-arg)
                  (midflight-connection-file)
                  (derived-mode-p 'python-mode 'python-base-mode))
             (midflight-connection-path (midflight-connection-file))
           (midflight-look-read-module "Names of module: "))))
  (midflight-names--list "names" 'look/names module))

;;;###autoload
(defun midflight-apropos (words)
  "List the names of all modules in which each of WORDS, one text, occurs.
Upper and lower case are the same, and the name of the module counts too."
  (interactive (list (read-string "Apropos (words): ")))
  (when (string-blank-p words)
    (midflight-user-error "No word was given; nothing was done"))
  (midflight-names--list "apropos" 'look/apropos words))

(defun midflight-names--list (name method argument)
  "Show the list of METHOD with ARGUMENT in the buffer NAME of this project."
  (midflight-server-ensure
   (lambda ()
     (let* ((connection (midflight-connection-of-buffer))
            (root (midflight-connection-root connection))
            (buffer (get-buffer-create (format "*midflight-%s for %s*" name
                                               (midflight-connection-project connection)))))
       (with-current-buffer buffer
         (midflight-names-mode)
         (setq midflight-connection-buffer-root root
               default-directory (file-name-as-directory root)
               midflight-names--request (list method argument))
         (midflight-names--refresh))
       (pop-to-buffer buffer)))))

(defun midflight-names--refresh (&rest _)
  "Ask the server for this list again."
  (midflight-connection-call
   (car midflight-names--request) (cdr midflight-names--request)
   (lambda (names)
     (setq tabulated-list-entries (mapcar #'midflight-names--entry names))
     (tabulated-list-print t)
     (unless names
       (message "Midflight: no name was found")))))

(defun midflight-names--entry (named)
  "Return the entry of NAMED, a plist."
  (let ((version (plist-get named :version)))
    (list named
          (vector (plist-get named :module)
                  (propertize (plist-get named :name) 'face 'font-lock-function-name-face)
                  (plist-get named :kind)
                  (if version (format "v%d" version) "")
                  (plist-get named :value)))))

(defun midflight-names--here ()
  "Return the plist of the name on this line."
  (or (tabulated-list-get-id)
      (midflight-user-error "This line has no name; nothing was done")))

(defun midflight-names--dotted ()
  "Return the name on this line with that of its module."
  (let ((named (midflight-names--here)))
    (concat (plist-get named :module) "." (plist-get named :name))))

(defun midflight-names-visit ()
  "Go to the definition of the name on this line."
  (interactive)
  (let ((definition (plist-get (midflight-names--here) :definition)))
    (if definition
        (midflight-xref-visit definition)
      (midflight-user-error "The place of %s is not known; it was set while the program ran"
                            (midflight-names--dotted)))))

(defun midflight-names-inspect ()
  "Inspect the value of the name on this line."
  (interactive)
  (midflight-inspect (midflight-names--dotted)))

(defun midflight-names-doc ()
  "Show the documentation of the name on this line."
  (interactive)
  (midflight-doc (midflight-names--dotted)))

(defun midflight-names-copy ()
  "Put the dotted name on this line into the kill ring."
  (interactive)
  (kill-new (midflight-names--dotted))
  (message "%s" (midflight-names--dotted)))

(provide 'midflight-names)
;;; midflight-names.el ends here
