;;; midflight-integration-tests.el --- With a real server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Each test has its own project, runtime folder and server.  Commands are
;; called by the keys that are bound to them.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-integration-tests-loop
  "from midflight import receive

async def loop(total):
    match await receive():
        case (\"add\", n):
            return loop(total + n)
        case (\"print\",):
            print(f\"total {total}\")
            return loop(total)
        case \"boom\":
            return loop(total / 0)
        case _:
            return loop(total)
"
  "A module with a process.")

(ert-deftest midflight-load-starts-server-and-shell ()
  "The first load starts both without Emacs waiting; the next is version 2."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" midflight-integration-tests-loop)))
      (with-current-buffer source
        (let ((start (float-time)))
          (midflight-test-press "C-c C-k")
          (should (< (- (float-time) start) 2)))
        (should (equal (midflight-connection-lighter) " Midflight[counter-project:starting]")))
      (midflight-test-wait-message "\\`tally v1 loaded (")
      (with-current-buffer source
        (should (equal (midflight-connection-lighter) " Midflight[counter-project]")))
      (should (string-match-p "\\`Midflight [0-9.]+, Python 3[0-9.]+, .*counter-project\n1> \\'"
                              (midflight-test-transcript (midflight-test-shell project))))
      (should (string-match-p "\\`tally v2 loaded" (midflight-test-load source))))))

(ert-deftest midflight-load-sends-the-text-of-the-buffer ()
  "What is not saved is loaded, and the file stays as it is."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "x = 1\n")))
      (with-current-buffer source
        (erase-buffer)
        (insert "def answer():\n    return 'λ'\n"))
      (midflight-test-load source)
      (should (equal (midflight-test-type (midflight-test-shell project) "tally.answer()")
                     "tally.answer()\n'λ'\n2> "))
      (should (buffer-modified-p source)))))

(ert-deftest midflight-syntax-error-is-shown-where-it-is ()
  "The version before stays current; the error is in Flymake, in the report and
for `next-error', until the next good load."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" midflight-integration-tests-loop))
          next-error-last-buffer)
      (midflight-test-load source)
      (with-current-buffer source
        (goto-char (point-min))
        (search-forward "async def loop(total):")
        (delete-char -1)
        (let ((summary (midflight-test-load source)))
          (should (string-match-p "\\`tally not loaded: line 3, expected ':'.*Version 1 stays current"
                                  summary))
          (should (equal (mapcar (lambda (diagnostic)
                                   (list (line-number-at-pos (flymake-diagnostic-beg diagnostic))
                                         (flymake-diagnostic-type diagnostic)))
                                 (flymake-diagnostics))
                         '((3 :error))))
          (goto-char (point-max))
          (save-current-buffer (next-error))
          (should (= (line-number-at-pos) 3))
          (with-current-buffer midflight-report-buffer
            (should (string-prefix-p summary (buffer-string)))))
        (end-of-line)
        (insert ":")
        (should (string-match-p "\\`tally v2 loaded" (midflight-test-load source)))
        (should-not (flymake-diagnostics))))))

(ert-deftest midflight-shell-is-a-session ()
  "Values, output, errors, incomplete input and numbers are the server's."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" midflight-integration-tests-loop)
      (midflight-test-load (current-buffer)))
    (let ((shell (midflight-test-shell project)))
      (should (string-match-p "\\`pid = spawn(tally.loop, 1)\n<0\\.[0-9]+\\.0>\n2> \\'"
                              (midflight-test-type shell "pid = spawn(tally.loop, 1)")))
      (should (equal (midflight-test-type shell "pid << (\"print\",)")
                     "pid << (\"print\",)\ntotal 1\n('print',)\n3> "))
      (should (equal (midflight-test-type shell "print('a', end='')") "print('a', end='')\na\n4> "))
      (should (string-match-p "\\`nope\nTraceback .*\n\\(.*\n\\)*NameError: .*\n5> \\'"
                              (midflight-test-type shell "nope")))
      (should (equal (midflight-test-type shell "  ") "  \n5> "))
      ;; A block: the shell gives it back with a new line until it is complete.
      (should (equal (midflight-test-type shell "def f():") "def f():\n    "))
      (midflight-test-type shell "return 42")
      (should (string-suffix-p "\n5> def f():\n    return 42\n" (midflight-test-transcript shell)))
      (should (equal (midflight-test-type shell "") "\n6> "))
      (should (equal (midflight-test-type shell "f()") "f()\n42\n7> "))
      (with-current-buffer shell
        (goto-char (point-max))
        (midflight-test-press "M-p")
        (midflight-test-press "M-p")
        (should (equal (midflight-shell-transcript-input) "def f():\n    return 42"))
        (midflight-shell-transcript-take-input))
      ;; A process that ends by an exception is told of above the prompt.
      (should (string-match-p "\\`pid << \"boom\"\n" (midflight-test-type shell "pid << \"boom\"")))
      (midflight-test-wait "the crash report in the shell"
                           (lambda ()
                             (string-match-p "ZeroDivisionError: .*\n\\(.*\n\\)*8> \\'"
                                             (midflight-test-transcript shell)))))))

(ert-deftest midflight-interrupt-ends-the-evaluation-only ()
  "An endless evaluation is interrupted by its key; the server goes on."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (midflight-test-load (current-buffer)))
    (let ((shell (midflight-test-shell project))
          (pid (midflight-test-server-pid project)))
      (dolist (endless '("await receive()" "while True: x = 1\n"))
        (with-current-buffer shell
          (goto-char (point-max))
          (insert "print('on it')\n" endless)
          (midflight-test-press "RET")
          (midflight-test-wait "the output of the evaluation"
                               (lambda () (string-match-p "^on it$" (buffer-string))))
          (should (eq midflight-shell-session-state 'busy))
          (insert "typed ahead")
          (midflight-test-press "C-c C-c")
          (midflight-test-wait "the prompt after the interrupt"
                               (lambda () (eq midflight-shell-session-state 'ready)))
          (should (equal (midflight-shell-transcript-take-input) "typed ahead"))
          (comint-clear-buffer)))
      (should (equal (midflight-test-server-pid project) pid))
      (should (string-prefix-p "1 + 1\n2\n" (midflight-test-type shell "1 + 1"))))))

(ert-deftest midflight-load-waits-for-the-evaluation ()
  "Requests are done in order, so a load waits for the shell's evaluation; it
says so, and which key ends that."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (midflight-test-load (current-buffer))
      (with-current-buffer (midflight-test-shell project)
        (goto-char (point-max))
        (insert "await receive()")
        (midflight-test-press "RET"))
      (setq midflight-test-messages nil)
      (midflight-test-press "C-c C-k")
      (midflight-test-wait-message "tally.py is loaded after the evaluation .* (C-c C-b interrupts it)")
      (should (equal (midflight-connection-lighter) " Midflight[counter-project:busy]"))
      (midflight-test-press "C-c C-b")
      (midflight-test-wait-message "\\`tally v2 loaded"))))

(ert-deftest midflight-killed-shell-waits-and-holds-up-nothing ()
  "Killed in the middle of an evaluation, a shell is set aside, and taken up again."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (midflight-test-load (current-buffer))
      (let ((shell (midflight-test-shell project)))
        (midflight-test-type shell "y = 41; register('me', self())")
        (with-current-buffer shell
          (goto-char (point-max))
          (insert "await receive()")
          (midflight-test-press "RET")
          (kill-buffer)))
      (should (midflight-test-message-p "shell 1 waits in the server"))
      (should (string-match-p "\\`tally v2 loaded" (midflight-test-load (current-buffer))))
      (should-not (midflight-test-message-p "error"))
      (let ((shell (midflight-shell-of project)))
        (midflight-test-wait "the shell to be taken up"
                             (lambda ()
                               (eq (buffer-local-value 'midflight-shell-session-state shell) 'busy)))
        (midflight-connection-call 'process/send (list "me" "'its answer'") #'ignore)
        (midflight-test-shell project)
        (should (string-match-p "^'its answer'\n3> \\'" (midflight-test-transcript shell)))
        (should (string-prefix-p "y + 1\n42\n" (midflight-test-type shell "y + 1"))))
      (with-temp-buffer
        (insert-file-contents midflight-shell-history-file)
        (should (string-match-p "^\"await receive()\"$" (buffer-string)))))))

(ert-deftest midflight-shell-end-ends-the-session ()
  "With its bindings, also in the middle of an evaluation; the next shell is a new one."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (midflight-test-load (current-buffer))
      (let ((shell (midflight-test-shell project)))
        (midflight-test-type shell "y = 41")
        (with-current-buffer shell
          (goto-char (point-max))
          (insert "await receive()")
          (midflight-test-press "RET")
          (call-interactively #'midflight-shell-end))
        (should-not (buffer-live-p shell)))
      (midflight-test-press "C-c C-z")
      (let ((shell (midflight-test-shell project)))
        (should (string-match-p "NameError" (midflight-test-type shell "y")))))))

(ert-deftest midflight-load-by-somebody-else-is-told ()
  "What another client of the server loads shows in the echo area."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (midflight-test-load (current-buffer))
      (make-process :name "other client" :noquery t
                    :command (list (midflight-test-command) "load" buffer-file-name))
      (midflight-test-wait-message "\\`tally v2 loaded.* (by midflight load, connection [0-9]+)"))))

(ert-deftest midflight-evaluation-from-the-source-is-in-the-shell ()
  "If so wished, an expression and a region are evaluated in the shell; the value is echoed."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py"
                                               "if 1:\n    def f():\n        return 7\n")
      (midflight-test-load (current-buffer))
      (let ((shell (midflight-test-shell project))
            (midflight-eval-namespace 'shell))
        (with-current-buffer shell
          (goto-char (point-max))
          (insert "typed"))
        (midflight-eval-region (save-excursion (goto-char (point-min)) (search-forward "def")
                                               (match-beginning 0))
                               (point-max))
        (midflight-eval-expression "f()")
        (midflight-test-wait-message "\\`7\\'")
        (should (string-suffix-p "1> def f():\n    return 7\n\n2> f()\n7\n3> typed"
                                 (midflight-test-transcript shell)))
        (midflight-eval-expression "if f():")
        (midflight-test-wait-message "incomplete; nothing was evaluated")
        (should (string-suffix-p "\n3> typed" (midflight-test-transcript shell)))))))

(ert-deftest midflight-death-of-the-server-is-survived ()
  "Killed in the middle of a call, the server takes nothing of Emacs with it.
The pending call fails at once, the shell says so and keeps its text, and the
next load starts another."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" midflight-integration-tests-loop))
          shell failure)
      (midflight-test-load source)
      (setq shell (midflight-test-shell project))
      (midflight-test-type shell "1 + 1")
      (with-current-buffer shell
        (goto-char (point-max))
        (insert "await receive()")
        (midflight-test-press "RET")
        (insert "half an inp")
        (midflight-connection-call 'server/info nil #'ignore
                                   (lambda (text) (setq failure text))))
      (signal-process (midflight-test-server-pid project) 'SIGKILL)
      (midflight-test-wait "the failure of the pending call" (lambda () failure) 5)
      (with-current-buffer shell
        (midflight-test-wait "the end of the session"
                             (lambda () (eq midflight-shell-session-state 'off)))
        (should (string-match-p "2> await receive()\nNot connected: .*\nhalf an inp\\'"
                                (midflight-test-transcript shell)))
        (should (equal mode-line-process '(:eval (midflight-shell--lighter))))
        (should (equal (midflight-shell--lighter) ":no server")))
      (with-current-buffer source
        (should (equal (midflight-connection-lighter) " Midflight[counter-project:off]")))
      (should (string-match-p "\\`tally v1 loaded" (midflight-test-load source)))
      (should (eq (midflight-test-shell project) shell))
      (should (string-match-p "\n1> half an inp\\'" (midflight-test-transcript shell)))
      (with-current-buffer shell
        (goto-char (point-max))
        (midflight-test-press "M-p")
        (should (equal (midflight-shell-transcript-input) "await receive()"))
        (midflight-test-press "M-p")
        (should (equal (midflight-shell-transcript-input) "1 + 1"))))))

(ert-deftest midflight-files-of-a-dead-server-are-no-obstacle ()
  "If its process id is another's now, nobody answers, and another is started."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "x = 1\n"))
          (listener (make-network-process :name "nobody" :server t :host "127.0.0.1"
                                          :service t :family 'ipv4 :noquery t)))
      (midflight-test-load source)
      (with-current-buffer source
        (midflight-quit t))
      (midflight-test-wait-message "the server of counter-project has stopped")
      (midflight-test-publish project :port (process-contact listener :service))
      (delete-process listener)
      (with-current-buffer source
        (let ((midflight-auto-start 'ask))
          (midflight-load-buffer)
          (midflight-test-wait-message "no server answers.*M-x midflight starts one")))
      (should (string-match-p "\\`tally v1 loaded" (midflight-test-load source))))))

(ert-deftest midflight-return-connects-again ()
  "RET in the shell of a server that was left attaches to it; the input stays."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (midflight-test-load (current-buffer)))
    (let ((shell (midflight-test-shell project))
          (pid (midflight-test-server-pid project)))
      (with-current-buffer shell
        (goto-char (point-max))
        (insert "tally.x")
        (midflight-quit)
        (midflight-test-wait "the end of the session"
                             (lambda () (eq midflight-shell-session-state 'off)))
        (midflight-test-press "RET"))
      (midflight-test-shell project)
      (should (equal (midflight-test-server-pid project) pid))
      (should (equal (midflight-test-type shell "") "\n1\n2> ")))))

(ert-deftest midflight-quit-and-restart-stop-the-server ()
  "A restart is another server; with a prefix argument quit ends it."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (midflight-test-load (current-buffer))
      (let ((pid (midflight-test-server-pid project))
            (shell (midflight-test-shell project)))
        (setq midflight-test-messages nil)
        (midflight-restart)
        (midflight-test-wait-message "attached to the server of")
        (should-not (equal (midflight-test-server-pid project) pid))
        (should (equal (midflight-test-shell project) shell))
        (should (string-match-p "Not connected: the server was stopped"
                                (midflight-test-transcript shell)))
        (midflight-quit t)
        (midflight-test-wait-message "the server of counter-project has stopped")
        (should-not (midflight-rendezvous-server project))))))

(ert-deftest midflight-wrong-cookie-is-refused ()
  "Without the cookie nothing is attached or sent, and the person is told."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (midflight-test-load (current-buffer))
      (midflight-test-shell project)
      (midflight-quit)
      (let ((file (expand-file-name (concat (midflight-rendezvous-key project) "/main.json")
                                    (midflight-rendezvous-folder)))
            (midflight-auto-start 'never))
        (with-temp-buffer
          (insert-file-contents file)
          (goto-char (point-min))
          (re-search-forward "\"cookie\": \"\\([0-9a-f]+\\)\"")
          (replace-match (make-string 64 ?0) t t nil 1)
          (write-region nil nil file nil 'silent))
        (midflight-test-wait "the end of the connection"
                             (lambda () (eq (midflight-connection-state
                                             (midflight-connection-of-buffer))
                                            'closed)))
        (midflight-load-buffer)
        (midflight-test-wait-message
         "not connected to the server of .*has not shown that it is the server; nothing was sent")))))

(ert-deftest midflight-two-projects-have-two-servers ()
  "Each buffer uses its own project's connection, unless another was chosen."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let* ((other (concat project "-2"))
           (one (midflight-test-visit project "tally.py" "x = 1\n"))
           two)
      (make-directory other)
      (setq two (midflight-test-visit other "tally.py" "x = 2\n"))
      (midflight-test-load one)
      (with-current-buffer two
        (should (equal (midflight-connection-lighter) " Midflight[counter-project-2:off]"))
        (let ((midflight-auto-start 'never))
          (should-error (midflight-load-buffer) :type 'user-error)))
      (midflight-test-load two)
      (should (equal (midflight-rendezvous-roots) (list project other)))
      (should (equal (midflight-test-type (midflight-test-shell project) "tally.x")
                     "tally.x\n1\n2> "))
      (should (equal (midflight-test-type (midflight-test-shell other) "tally.x")
                     "tally.x\n2\n2> "))
      (with-current-buffer two
        (midflight-connect project)
        (should (equal (midflight-connection-lighter) " Midflight[counter-project]"))))))

(ert-deftest midflight-flood-of-output-leaves-emacs-alive ()
  "A process that prints without end does not keep a load from being answered."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py"
                                        "from midflight import sleep

async def flood():
    while True:
        print('x' * 100)
        await sleep(0)
"))
          (midflight-shell-maximum-size 100000))
      (midflight-test-load source)
      (let ((shell (midflight-test-shell project)))
        (midflight-test-type shell "pid = spawn(tally.flood)")
        (midflight-test-wait "the flood"
                             (lambda () (> (buffer-size shell) 50000)))
        (midflight-test-load source)
        (with-current-buffer shell
          (goto-char (point-max))
          (should (string-suffix-p "\n2> " (midflight-test-transcript shell))))
        (midflight-test-type shell "exit(pid, 'kill')")))))

(ert-deftest midflight-process-that-never-yields-can-be-ended ()
  "It is told of in the shell, and ended from Emacs while the shell cannot answer."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "spinner.py"
                                        "async def spin():
    while True:
        pass
")))
      (midflight-test-load source)
      (let ((shell (midflight-test-shell project)))
        (with-current-buffer shell
          (goto-char (point-max))
          (insert "pid = spawn(spinner.spin)")
          (call-interactively (key-binding (kbd "RET"))))
        (midflight-test-wait "the report"
                             (lambda () (string-match-p "has not yielded" (midflight-test-transcript shell))))
        (with-current-buffer source
          (midflight-exit-process midflight-process--stuck-pid "kill"))
        (midflight-test-wait "the prompt"
                             (lambda () (string-suffix-p "\n2> " (midflight-test-transcript shell))))
        (should (string-suffix-p "is_alive(pid)\nFalse\n3> "
                                 (midflight-test-type shell "is_alive(pid)")))))))

(provide 'midflight-integration-tests)
;;; midflight-integration-tests.el ends here
