;;; midflight-debug-tests.el --- The debugger  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Where the arrow is while a runtime process has stopped, and the keys.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-debug-tests-module
  "def add(a):
    breakpoint()
    b = a + 1
    return b
"
  "A module with a breakpoint.")

(defun midflight-debug-tests-arrow (shell line)
  "Wait for the arrow at LINE while SHELL asks; return the name of its buffer."
  (with-current-buffer shell
    (midflight-test-wait (format "the arrow at line %d" line)
                         (lambda ()
                           (and midflight-debug-arrow
                                (with-current-buffer (marker-buffer midflight-debug-arrow)
                                  (eql line (line-number-at-pos midflight-debug-arrow t)))))))
  (buffer-name (marker-buffer midflight-debug-arrow)))

(defun midflight-debug-tests-call (shell text)
  "Evaluate TEXT in SHELL; wait until it stops behind its breakpoint.
From Python 3.13 on it stops at the breakpoint first."
  (with-current-buffer shell
    (goto-char (point-max))
    (insert text)
    (midflight-test-press "RET")
    (midflight-test-wait "the arrow" (lambda () midflight-debug-arrow))
    (when (with-current-buffer (marker-buffer midflight-debug-arrow)
            (eql 2 (line-number-at-pos midflight-debug-arrow t)))
      (midflight-debug-next))))

(ert-deftest midflight-debug-steps-by-the-keys-of-gud ()
  "The arrow follows, in the buffer of the file; with the end it goes."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "adding.py" midflight-debug-tests-module)))
      (midflight-test-load source)
      (let ((shell (midflight-test-shell project)))
        (midflight-debug-tests-call shell "adding.add(41)")
        (should (equal (midflight-debug-tests-arrow shell 3) "adding.py"))
        (with-current-buffer source
          (should midflight-debug-mode)
          (midflight-test-press "C-x C-a C-n"))
        (midflight-debug-tests-arrow shell 4)
        (with-current-buffer shell
          (midflight-debug-print "b * 100")
          (midflight-test-wait "the value" (lambda () (string-match-p "^4200$" (buffer-string)))))
        (midflight-debug-tests-arrow shell 4)
        (with-current-buffer source
          (midflight-test-press "C-x C-a <"))
        (midflight-test-wait "a frame without a file" (lambda () (and (not midflight-debug-arrow)
                                                                      (buffer-local-value 'midflight-debug-mode shell))))
        (with-current-buffer shell
          (midflight-test-press "C-x C-a C-r")
          (midflight-test-wait "the value" (lambda () (eq midflight-shell-session-state 'ready)))
          (should (string-match-p "\n42\n[0-9]> \\'" (buffer-string)))
          (should-not midflight-debug-mode))
        (with-current-buffer source
          (should-not midflight-debug-mode)
          (should-error (midflight-debug-next) :type 'user-error))))))

(ert-deftest midflight-debug-shows-the-version-that-runs ()
  "A buffer that differs from it is left alone."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "adding.py" midflight-debug-tests-module)))
      (midflight-test-load source)
      (with-current-buffer source
        (goto-char (point-min))
        (insert "# a comment\n\n"))
      (let ((shell (midflight-test-shell project)))
        (midflight-debug-tests-call shell "adding.add(41)")
        (should (equal (midflight-debug-tests-arrow shell 3) "*midflight adding@1*"))
        (with-current-buffer "*midflight adding@1*"
          (should (equal (buffer-string) midflight-debug-tests-module))
          (midflight-test-press "C-x C-a C-r"))
        (with-current-buffer shell
          (midflight-test-wait "the value" (lambda () (eq midflight-shell-session-state 'ready))))))))

(ert-deftest midflight-debug-continues-and-kills-what-another-front-end-has ()
  "`C-c C-x h' in any buffer of the project, by the server's word."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "adding.py" midflight-debug-tests-module))
          (asked nil))
      (midflight-test-load source)
      (let ((shell (midflight-test-shell project)))
        (with-current-buffer source
          (midflight-test-press "C-c C-x h")
          (midflight-test-wait-message "no runtime process holds up the others"))
        (pcase-dolist (`(,key ,message) '((?c "it goes on") (?k "was killed")))
          (with-current-buffer shell
            (goto-char (point-max))
            (insert "adding.add(41)")
            (midflight-test-press "RET")
            (midflight-test-wait "the arrow" (lambda () midflight-debug-arrow)))
          (cl-letf (((symbol-function 'read-char-choice)
                     (lambda (prompt _) (setq asked prompt) key)))
            (with-current-buffer source
              (midflight-test-press "C-c C-x h"))
            (midflight-test-wait-message message))
          (should (string-match-p "adding.*c: let it go on, k: kill it, q: nothing" (string-replace "\n" " " asked)))
          (with-current-buffer shell
            (midflight-test-wait "the prompt" (lambda () (eq midflight-shell-session-state 'ready)))))))))

(provide 'midflight-debug-tests)
;;; midflight-debug-tests.el ends here
