;;; run.el --- Run the tests of the Emacs side  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; scripts/emacs-batch -l tests/elisp/run.el
;;
;; MIDFLIGHT_TEST_SELECTOR chooses tests, by a regexp on their names.
;; MIDFLIGHT_TEST_COMMAND names the midflight program; it is looked for in the
;; .venv of the repository and on the PATH.  Without one the run fails, unless
;; MIDFLIGHT_TEST_WITHOUT_SERVER says that only the rest is wanted.

;;; Code:

(require 'ert)
(declare-function midflight-test-command "midflight-helpers" ())

(let* ((here (file-name-directory load-file-name))
       (root (expand-file-name "../.." here)))
  (setq load-prefer-newer t
        ;; As with a screen.  In batch it is 1.0 from Emacs 29 on: the heap doubles, and then one
        ;; collection takes seconds, which a test that measures a stall sees.
        gc-cons-percentage 0.1)
  (push (expand-file-name "elisp" root) load-path)
  (push here load-path)
  (require 'midflight-helpers)
  (dolist (file (directory-files here t "-tests\\.el\\'"))
    (load file nil t))
  (unless (or (midflight-test-command) (getenv "MIDFLIGHT_TEST_WITHOUT_SERVER"))
    (message "No midflight program was found to test with; see run.el")
    (kill-emacs 1))
  (ert-run-tests-batch-and-exit (getenv "MIDFLIGHT_TEST_SELECTOR")))

;;; run.el ends here
