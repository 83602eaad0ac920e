;;; midflight-death-tests.el --- A server that is killed  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server that gets SIGKILL in the midst of something: Emacs says
;; so within a second, whoever waited hears of it, and the next load works.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-death-tests-loud
  "from midflight import receive, sleep

async def flood():
    while True:
        print('x' * 100)
        await sleep(0)
"
  "A module with a process that prints without end.")

(defun midflight-death-tests-kill (project)
  "Kill the server of PROJECT; fail if Emacs does not say so within a second."
  (let ((pid (midflight-test-server-pid project)))
    (setq midflight-test-messages nil)
    (signal-process pid 'SIGKILL)
    (midflight-test-wait
     "the word that the server was killed"
     (lambda ()
       (midflight-test-message-p
        (format "the server of counter-project: its process %d was killed or crashed.*midflight-restart starts another, and so does the next load"
                pid)))
     1)))

(defun midflight-death-tests-alive-again (project source)
  "Check that a load of SOURCE starts another server of PROJECT, in the same shell."
  (let ((shell (midflight-shell-of project)))
    (should (string-match-p "\\` Midflight\\[counter-project:off\\]\\'"
                            (with-current-buffer source (midflight-connection-lighter))))
    (with-current-buffer shell
      (should (string-match-p "Not connected: \\(its process [0-9]+ was killed\\|the server ended\\|the server cannot be written to\\)" (buffer-string))))
    (should (string-match-p "\\`tally v1 loaded" (midflight-test-load source)))
    (should (eq (midflight-test-shell project) shell))
    (should (string-match-p "\\`6 \\* 7\n42\n2> \\'" (midflight-test-type shell "6 * 7")))))

(ert-deftest midflight-death-in-the-midst-of-a-call ()
  "Each call that waits fails at once, once, with the reason."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "x = 1\n"))
          (failures nil))
      (midflight-test-load source)
      (with-current-buffer (midflight-test-shell project)
        (goto-char (point-max))
        (insert "import time; time.sleep(60)")
        (midflight-test-press "RET")
        (dotimes (_ 3)
          (midflight-connection-call 'server/info nil #'ignore
                                     (lambda (text) (push text failures)))))
      (midflight-death-tests-kill project)
      (should (equal (length failures) 3))
      (should (string-match-p "server ended, or closed the connection" (car failures)))
      (midflight-death-tests-alive-again project source))))

(ert-deftest midflight-death-before-emacs-hears-of-it ()
  "What is sent to a server that is already dead fails as any call does."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "x = 1\n"))
          (calls 0)
          (failures nil))
      (midflight-test-load source)
      (with-current-buffer (midflight-test-shell project)
        (setq midflight-test-messages nil)
        (signal-process (midflight-test-server-pid project) 'SIGKILL)
        ;; Emacs reads nothing meanwhile, so it is a write that fails.
        (with-timeout (20 (ert-fail "a dead server can be written to"))
          (while (midflight-connection-open-p)
            (cl-incf calls)
            (midflight-connection-call 'server/info nil #'ignore
                                       (lambda (text) (push text failures))))))
      (midflight-test-wait-message "the server of counter-project: its process [0-9]+ was killed or crashed")
      (should (equal (length failures) calls))
      (should (string-match-p "cannot be written to" (car failures)))
      (midflight-death-tests-alive-again project source))))

(ert-deftest midflight-death-in-the-midst-of-output ()
  "What had come is there, whole."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" midflight-death-tests-loud)))
      (midflight-test-load source)
      (let ((shell (midflight-test-shell project)))
        (midflight-test-type shell "pid = spawn(tally.flood)")
        (midflight-test-wait "the flood" (lambda () (> (buffer-size shell) 50000)))
        (midflight-death-tests-kill project)
        (midflight-death-tests-alive-again project source)))))

(ert-deftest midflight-death-in-the-midst-of-a-load ()
  "The load is said to have failed; the same load works on the new server."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let* ((begun (expand-file-name "begun" project))
           (source (midflight-test-visit project "tally.py" "x = 1\n")))
      (midflight-test-load source)
      (midflight-test-shell project)
      (with-current-buffer source
        (erase-buffer)
        (insert (format "import os, time\nif not os.path.exists(%S):\n    open(%S, 'w').close()\n    time.sleep(60)\n"
                        begun begun))
        (midflight-test-press "C-c C-k"))
      (midflight-test-wait "the body of the module" (lambda () (file-exists-p begun)))
      (midflight-death-tests-kill project)
      (should (midflight-test-message-p "tally.py was not loaded: the server ended"))
      (midflight-death-tests-alive-again project source))))

(ert-deftest midflight-death-by-another-editor-is-no-crash ()
  "A server that somebody stops in order is said to have been stopped."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "x = 1\n")))
      (midflight-test-load source)
      (make-process :name "other client" :noquery t
                    :command (list (midflight-test-command) "stop" "--root" project))
      (midflight-test-wait-message "counter-project: it was stopped, and its runtime processes with it")
      (should-not (midflight-test-message-p "killed or crashed")))))

(ert-deftest midflight-death-is-mended-by-a-restart ()
  "`midflight-restart' starts a server where one was killed, without a question."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (midflight-test-load (current-buffer))
      (midflight-death-tests-kill project)
      (call-interactively #'midflight-restart)
      (midflight-test-wait-message "attached to the server of")
      (should (midflight-connection-open-p)))))

(provide 'midflight-death-tests)
;;; midflight-death-tests.el ends here
