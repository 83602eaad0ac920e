;;; ob-midflight-tests.el --- Org source blocks  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server and the Org that comes with Emacs.

;;; Code:

(require 'midflight-helpers)
(require 'org)
(require 'ob-midflight)

(defun ob-midflight-tests-execute (text)
  "Execute the first source block of TEXT, in an Org buffer; return the result."
  (with-temp-buffer
    (insert text)
    (org-mode)
    (goto-char (point-min))
    (let ((org-confirm-babel-evaluate nil))
      (org-babel-execute-src-block))))

(ert-deftest midflight-org-source-block-is-evaluated ()
  "With the names of a module or of the shell; an error is signalled."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (midflight-test-load (midflight-test-visit project "shop.py" "RATE = 2\n\ndef price(n):\n    return n * RATE\n"))
    (midflight-test-shell project)
    (let ((default-directory (file-name-as-directory project))
          (midflight-org-seconds 60))
      (should (equal (ob-midflight-tests-execute
                      "#+begin_src midflight :module shop\nx = price(4)\nx + RATE\n#+end_src\n")
                     "10"))
      (should (equal (ob-midflight-tests-execute "#+begin_src midflight\nshop.price(1), 'a'\n#+end_src\n")
                     "(2, 'a')"))
      (dolist (block '("#+begin_src midflight\n1 / 0\n#+end_src\n"
                       "#+begin_src midflight :module nowhere\n1\n#+end_src\n"))
        (should-error (ob-midflight-tests-execute block) :type 'user-error)))))

(provide 'ob-midflight-tests)
;;; ob-midflight-tests.el ends here
