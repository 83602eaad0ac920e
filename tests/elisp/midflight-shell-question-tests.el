;;; midflight-shell-question-tests.el --- Lines that processes ask for  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; What a person types for a process that waits, and what becomes of the input
;; that was being typed.

;;; Code:

(require 'midflight-helpers)

(defun midflight-shell-question-tests-shell (project)
  "Start a server for PROJECT; return its shell."
  (with-current-buffer (midflight-test-visit project "tally.py" "total = 0\n")
    (midflight-shell))
  (midflight-test-shell project))

(defun midflight-shell-question-tests-begin (shell text)
  "Evaluate TEXT in SHELL; wait until it asks for a line."
  (with-current-buffer shell
    (goto-char (point-max))
    (insert text)
    (midflight-test-press "RET")
    (midflight-test-wait "the question" (lambda () midflight-shell-session-question))
    (goto-char (point-max))))

(defun midflight-shell-question-tests-end (shell)
  "Wait for the prompt of SHELL; return its text from the last input on."
  (with-current-buffer shell
    (midflight-test-wait "the prompt" (lambda () (and (eq midflight-shell-session-state 'ready)
                                                      (not midflight-shell-session-question))))
    (buffer-substring-no-properties comint-last-input-start (point-max))))

(ert-deftest midflight-shell-question-is-answered-by-return ()
  "The line stands behind the prompt of the process, and behind its output."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-question-tests-shell project)))
      (midflight-shell-question-tests-begin shell "print('Your', end=' '); input('name? ')")
      (with-current-buffer shell
        (should (string-suffix-p "\nYour name? " (buffer-string)))
        (insert "Joe")
        (midflight-test-press "RET"))
      (should (equal (midflight-shell-question-tests-end shell) "Joe\n'Joe'\n2> "))
      (with-current-buffer shell
        (should-not (ring-member comint-input-ring "Joe"))))))

(ert-deftest midflight-shell-question-ends-by-its-keys ()
  "C-d ends the input, C-c C-c breaks off the wait."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-question-tests-shell project)))
      (midflight-shell-question-tests-begin shell "input('name? ')")
      (with-current-buffer shell
        (midflight-test-press "C-d"))
      (should (string-match-p "EOFError.*\n2> \\'" (midflight-shell-question-tests-end shell)))
      (midflight-shell-question-tests-begin shell "input('name? ')")
      (with-current-buffer shell
        (insert "half a line")
        (midflight-test-press "C-c C-c"))
      (should (string-match-p "KeyboardInterrupt\n3> \\'" (midflight-shell-question-tests-end shell))))))

(ert-deftest midflight-shell-question-keeps-what-is-typed ()
  "A process asks while an input is typed: that comes back behind the next prompt."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-question-tests-shell project)))
      (midflight-test-type shell "async def ask():\n    await receive()\n    print(input('name? '))\n")
      (midflight-test-type shell "pid = spawn(ask, name='asker')")
      (with-current-buffer shell
        (goto-char (point-max))
        (insert "half a li")
        (midflight-connection-call 'process/send '("asker" "1") #'ignore)
        (midflight-test-wait "the question" (lambda () midflight-shell-session-question))
        (should (equal (midflight-shell-transcript-input) ""))
        (goto-char (point-max))
        (insert "Joe")
        (midflight-test-press "RET")
        (midflight-test-wait "the output" (lambda () (string-match-p "^Joe\n3> half a li\\'" (buffer-string))))))))

(ert-deftest midflight-shell-question-of-a-password-is-hidden ()
  "It is read in the minibuffer, and the transcript has only its prompt."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-question-tests-shell project)))
      (cl-letf (((symbol-function 'read-passwd) (lambda (prompt) (concat prompt "x"))))
        (midflight-shell-question-tests-begin shell "len(__import__('getpass').getpass('secret: '))")
        (should (equal (midflight-shell-question-tests-end shell) "\n9\n2> "))))))

(ert-deftest midflight-shell-question-goes-with-its-process ()
  "One that is killed waits for nothing; the prompt comes back."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-question-tests-shell project)))
      (midflight-shell-question-tests-begin shell "pid = spawn(lambda: input('name? '))")
      (with-current-buffer shell
        (insert "half a line")
        (midflight-connection-call
         'process/exit (list (plist-get midflight-shell-session-question :pid) "kill") #'ignore))
      (should (string-suffix-p "\n2> " (midflight-shell-question-tests-end shell))))))

(ert-deftest midflight-shell-says-what-ended-with-its-process ()
  "A supervisor that is linked to the shell dies of a typo: one line says so."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit
                   project "linked.py"
                   "from midflight import receive\n\n\nasync def loop():\n    await receive()\n")))
      (midflight-test-load source)
      (let ((shell (midflight-test-shell project)))
        (midflight-test-type shell "pid = spawn_link(linked.loop, name='keeper')")
        (let ((text (midflight-test-type shell "nonesuch")))
          (should (string-match-p "NameError" text))
          (should (string-match-p
                   "^Ended with the shell's process, to which they were linked: <0\\.[0-9]+\\.0> (keeper)\\." text)))))))

(provide 'midflight-shell-question-tests)
;;; midflight-shell-question-tests.el ends here
