;;; lint.el --- Byte-compile, checkdoc and package-lint, or fail  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; scripts/emacs-batch -l scripts/lint.el
;;
;; Every file of elisp/ is compiled with warnings as errors, to a temporary
;; folder, and read by checkdoc; the package is read by package-lint, which is
;; looked for where Debian puts it and may also be on the `load-path' (-L).
;; Tests and scripts are compiled, too.  Exits with 1 if anything was found.

;;; Code:

(require 'bytecomp)
(require 'checkdoc)
(require 'cl-lib)

(defvar lint-root (expand-file-name ".." (file-name-directory load-file-name)))
(defvar lint-findings 0)

(defun lint-files (folder)
  "Return the Lisp files in FOLDER of the repository."
  (let ((path (expand-file-name folder lint-root)))
    (and (file-directory-p path)
         (directory-files path t "\\`[^.].*\\.el\\'"))))

(defun lint-report (format &rest args)
  "Print a finding, described by FORMAT and ARGS."
  (setq lint-findings (1+ lint-findings))
  (princ (concat (apply #'format format args) "\n")))

(defun lint-compile (file folder)
  "Compile FILE into FOLDER, with warnings as errors."
  (let ((byte-compile-error-on-warn t)
        (byte-compile-dest-file-function
         (lambda (source)
           (expand-file-name (concat (file-name-nondirectory source) "c") folder))))
    (unless (eq t (byte-compile-file file))
      (lint-report "%s: does not compile without warnings" file))))

(defun lint-checkdoc (file)
  "Let checkdoc read FILE.  It always succeeds, and warns in a buffer."
  (let ((warnings (get-buffer-create "*Warnings*")))
    (with-current-buffer warnings
      (let ((inhibit-read-only t)) (erase-buffer)))
    (let ((inhibit-message t))
      (checkdoc-file file))
    (with-current-buffer warnings
      (unless (= (buffer-size) 0)
        (lint-report "%s" (buffer-string))))))

(defun lint-package (files)
  "Let package-lint read FILES."
  (unless (locate-library "package-lint")
    (dolist (name '("let-alist" "package-lint"))
      (dolist (folder (file-expand-wildcards
                       (format "/usr/share/emacs/site-lisp/elpa/%s-[0-9]*" name)))
        (push folder load-path))))
  (require 'package-lint)
  (let ((main (expand-file-name "elisp/midflight.el" lint-root)))
    (defvar package-lint-main-file)
    (setq package-lint-main-file main)
    (dolist (file files)
      (with-temp-buffer
        (insert-file-contents file t)
        (emacs-lisp-mode)
        (pcase-dolist (`(,line ,column ,type ,message)
                       (funcall (intern "package-lint-buffer")))
          ;; The project has no page on the web yet, and so no URL to give.
          (unless (string-match-p "should have a Homepage or URL header" message)
            (lint-report "%s:%d:%d: %s: %s" file line column type message)))))))

(let* ((sources (lint-files "elisp"))
       (folder (make-temp-file "midflight-lint" t))
       (load-path (append (list (expand-file-name "elisp" lint-root)
                                (expand-file-name "tests/elisp" lint-root))
                          load-path))
       (load-prefer-newer t))
  (unwind-protect
      (progn
        (dolist (file (append sources (lint-files "tests/elisp") (lint-files "scripts")))
          (lint-compile file folder))
        (mapc #'lint-checkdoc sources)
        (lint-package sources))
    (delete-directory folder t))
  (princ (format "%d findings in %d files\n" lint-findings (length sources)))
  (kill-emacs (if (zerop lint-findings) 0 1)))

;;; lint.el ends here
