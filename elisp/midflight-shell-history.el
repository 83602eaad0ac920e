;;; midflight-shell-history.el --- The inputs of shells, in a file  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The history file of shells.  It has one input on each line, oldest first,
;; each as a Lisp string with its newlines escaped.  Before Emacs writes the
;; file, it merges the inputs that are already there, so that two Emacs sessions
;; keep each other's inputs.  A line that cannot be read is skipped; a missing
;; or damaged file is not an error.

;;; Code:

(require 'ring)

(defcustom midflight-shell-history-file
  (locate-user-emacs-file "midflight-shell-history")
  "The file that keeps the inputs of shells, or nil for none."
  :type '(choice file (const :tag "None" nil))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defcustom midflight-shell-history-size 1000
  "The most inputs that the history file keeps."
  :type 'natnum
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defun midflight-shell-history-read ()
  "Return the inputs in the history file, oldest first."
  (let (inputs)
    (when (and midflight-shell-history-file
               (file-readable-p midflight-shell-history-file))
      (with-temp-buffer
        (let ((coding-system-for-read 'utf-8-unix))
          (ignore-errors (insert-file-contents midflight-shell-history-file)))
        (dolist (line (split-string (buffer-string) "\n" t))
          (let ((input (ignore-errors (car (read-from-string line)))))
            (when (stringp input)
              (push input inputs))))))
    (nreverse inputs)))

(defun midflight-shell-history-merge (old new)
  "Return the inputs OLD and then NEW, keeping only the last of equal ones.
Both are oldest first.  Return at most the newest
`midflight-shell-history-size' inputs."
  (last (nreverse (delete-dups (reverse (append old new))))
        midflight-shell-history-size))

(defun midflight-shell-history-write (new)
  "Add the inputs NEW, oldest first, to the history file.
Write the whole file, readable only by its owner: inputs may hold secrets."
  (when (and midflight-shell-history-file new)
    (let* ((inputs (midflight-shell-history-merge (midflight-shell-history-read) new))
           (file (file-truename midflight-shell-history-file))
           (coding-system-for-write 'utf-8-unix)
           (print-escape-newlines t)
           (print-length nil)
           (print-level nil)
           temporary)
      (make-directory (file-name-directory file) t)
      ;; `make-temp-file' creates files with mode 0600.
      (setq temporary (make-temp-file (concat file ".")))
      (with-temp-file temporary
        (dolist (input inputs)
          (insert (prin1-to-string (substring-no-properties input)) "\n")))
      (rename-file temporary file t))))

(defun midflight-shell-history-ring ()
  "Return a ring of the inputs in the history file, for comint."
  (let ((ring (make-ring (max 1 midflight-shell-history-size))))
    (dolist (input (midflight-shell-history-merge (midflight-shell-history-read) nil))
      (ring-insert ring input))
    ring))

(provide 'midflight-shell-history)
;;; midflight-shell-history.el ends here
