;;; midflight-parked-tests.el --- Shells whose Emacs is gone  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A second Emacs, a process of its own, attaches to a real server, works in its
;; shell, and is killed by SIGKILL.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-parked-tests-source
  "from midflight import receive

async def say():
    while True:
        print('said', await receive())
"
  "A module with a process that prints what it is sent.")

(defvar midflight-parked-tests-said nil "What the second Emacs has printed.")

(defun midflight-parked-tests-start (project &rest inputs)
  "Start a second Emacs in PROJECT that evaluates INPUTS in its shell.
Return its process once it has.  An input that begins with `!' is sent and not
waited for."
  (let ((script (expand-file-name "second.el" project))
        (process-connection-type nil))
    (midflight-test-visit project "app.py" midflight-parked-tests-source)
    (write-region
     (prin1-to-string
      `(let ((midflight-command ,midflight-command)
             (midflight-auto-start 'always)
             (midflight-save-before-load nil)
             (midflight-shell-history-file nil)
             (source (find-file-noselect ,(expand-file-name "app.py" project))))
         (with-current-buffer source (midflight-mode 1) (midflight-load-buffer))
         (let ((shell (midflight-test-shell ,project)))
           (dolist (input ',inputs)
             (if (not (string-prefix-p "!" input))
                 (midflight-test-type shell input)
               (with-current-buffer shell
                 (goto-char (point-max))
                 (insert (substring input 1))
                 (midflight-test-press "RET")
                 (midflight-test-wait "its output"
                                      (lambda () (string-match-p "^on it" (buffer-string))))))))
         (message "ready")
         (while t (accept-process-output nil 1))))
     nil script nil 'silent)
    (setq midflight-parked-tests-said "")
    (let ((process (make-process
                    :name "second-emacs" :noquery t
                    :command (list (expand-file-name invocation-name invocation-directory)
                                   "-Q" "--batch"
                                   "-L" (expand-file-name "elisp" midflight-test-root)
                                   "-L" (expand-file-name "tests/elisp" midflight-test-root)
                                   "-l" "midflight-helpers" "-l" script)
                    :filter (lambda (_process text)
                              (setq midflight-parked-tests-said
                                    (concat midflight-parked-tests-said text))))))
      (midflight-test-wait "the second Emacs to be ready"
                           (lambda ()
                             (unless (process-live-p process)
                               (ert-fail (concat "the second Emacs ended: " midflight-parked-tests-said)))
                             (string-match-p "^ready" midflight-parked-tests-said))
                           40)
      process)))

(defmacro midflight-parked-tests-with (project inputs process &rest body)
  "Run BODY in a buffer of PROJECT, with INPUTS evaluated in a second Emacs.
PROCESS is bound to that Emacs, which is killed in the end."
  (declare (indent 3) (debug (symbolp sexp symbolp body)))
  `(midflight-test-in-project ,project
     (let ((,process (midflight-parked-tests-start ,project ,@inputs)))
       (unwind-protect
           (save-window-excursion
             (with-current-buffer (find-file-noselect (expand-file-name "app.py" ,project))
               ,@body))
         (when (process-live-p ,process)
           (midflight-parked-tests-kill ,process))))))

(defun midflight-parked-tests-kill (process)
  "Kill PROCESS as the system does when it is out of memory."
  (signal-process process 'SIGKILL)
  (midflight-test-wait "the death of the second Emacs"
                       (lambda () (not (process-live-p process)))))

(defun midflight-parked-tests-ask (method &rest args)
  "Call METHOD of the server with ARGS and return the answer."
  (let ((answer 'none))
    (midflight-server-ensure
     (lambda ()
       (midflight-connection-call method args (lambda (value) (setq answer value)))))
    (midflight-test-wait (format "the answer to %s" method) (lambda () (not (eq answer 'none))))
    answer))

(defun midflight-parked-tests-wait-parked ()
  "Wait until the server knows that a shell has lost its Emacs; return the rows."
  (midflight-test-wait "a shell that waits"
                       (lambda () (midflight-parked-tests-ask 'shell/parked))))

(ert-deftest midflight-shell-of-a-killed-emacs-is-taken-up ()
  "With bindings, results, number and history; the output since then follows
the line that tells whose it was."
  (skip-unless (midflight-test-command))
  (midflight-parked-tests-with project ("x = 41" "spawn(app.say, name='say')") second
    (midflight-parked-tests-kill second)
    (midflight-parked-tests-wait-parked)
    (midflight-parked-tests-ask 'process/send "say" "'hello'")
    (midflight-test-press "C-c C-z")
    (let ((shell (midflight-test-shell project)))
      (midflight-test-wait "what was printed"
                           (lambda () (string-match-p "said hello" (midflight-test-transcript shell))))
      (should (string-match-p
               (concat "\\`Shell 1 of Emacs [0-9.]+, connection [0-9]+, taken up again after it was left at [0-9]+:[0-9]+\\.  "
                       "It has 2 inputs, and its bindings; the output since then follows\\.\n"
                       "said hello\n3> \\'")
               (midflight-test-transcript shell)))
      (should (string-match-p "^42$" (midflight-test-type shell "x + 1")))
      (should (string-match-p "^<0\\.[0-9]+\\.0>$" (midflight-test-type shell "v(2)")))
      (with-current-buffer shell
        (should (equal (ring-ref comint-input-ring 2) "spawn(app.say, name='say')"))
        (should (equal (ring-ref comint-input-ring 3) "x = 41"))
        (should (= midflight-shell-session-prompt 5))))))

(ert-deftest midflight-shell-of-a-killed-emacs-goes-on-evaluating ()
  "Whoever takes it up gets the answer."
  (skip-unless (midflight-test-command))
  (midflight-parked-tests-with project
      ("register('me', self())" "!print('on it'); await receive()") second
    (midflight-parked-tests-kill second)
    (midflight-parked-tests-wait-parked)
    (midflight-test-press "C-c C-z")
    (let ((shell (midflight-shell-of project)))
      (midflight-test-wait "the shell to be taken up"
                           (lambda () (eq (buffer-local-value 'midflight-shell-session-state shell) 'busy)))
      (should (string-match-p "The evaluation goes on" (midflight-test-transcript shell)))
      (midflight-parked-tests-ask 'process/send "me" "'its answer'")
      (midflight-test-shell project)
      (should (string-match-p "^'its answer'\n3> \\'" (midflight-test-transcript shell))))))

(ert-deftest midflight-shell-of-a-live-emacs-is-left-alone ()
  "Also one that does nothing: this Emacs gets a shell of its own."
  (skip-unless (midflight-test-command))
  (midflight-parked-tests-with project ("x = 41") second
    (midflight-test-press "C-c C-z")
    (let ((shell (midflight-test-shell project)))
      (should (string-match-p "\\`Midflight [0-9.]+, Python" (midflight-test-transcript shell)))
      (should (string-match-p "NameError" (midflight-test-type shell "x")))
      (should-not (midflight-parked-tests-ask 'shell/parked))
      (should (process-live-p second)))))

(ert-deftest midflight-shell-asks-which-one ()
  "With C-u: the one that waits, or a new one; the one that was shown waits then."
  (skip-unless (midflight-test-command))
  (midflight-parked-tests-with project ("x = 41") second
    (midflight-test-press "C-c C-z")
    (let ((shell (midflight-test-shell project))
          (asked nil)
          (wanted "shell 1"))
      (midflight-test-type shell "y = 2")
      (midflight-parked-tests-kill second)
      (midflight-parked-tests-wait-parked)
      (cl-letf (((symbol-function 'completing-read)
                 (lambda (_prompt choices &rest _)
                   (setq asked (all-completions "" choices))
                   (cl-find-if (lambda (choice) (string-prefix-p wanted choice)) asked))))
        (cl-flet ((choose (text)
                    (setq asked nil wanted text)
                    (let ((current-prefix-arg '(4)))
                      (midflight-test-press "C-c C-z"))
                    (midflight-test-wait "the question" (lambda () asked))
                    (midflight-test-wait "another shell"
                                         (lambda ()
                                           (with-current-buffer shell
                                             (and (eq midflight-shell-session-state 'ready)
                                                  (save-excursion
                                                    (goto-char (point-max))
                                                    (forward-line 0)
                                                    (forward-line -1)
                                                    (looking-at-p "Shell 1 of\\|Shell 2 of\\|Midflight"))))))))
          (choose "shell 1")
          (should (= (length asked) 2))
          (should (string-match-p
                   "\\`shell 1, Emacs [0-9.]+, connection [0-9]+, gone since [0-9:]+: 1 input, last: x = 41\\'"
                   (car asked)))
          (should (string-match-p "Shell 2 is set aside and waits\\.\nShell 1 of Emacs"
                                  (midflight-test-transcript shell)))
          (should (string-match-p "^41$" (midflight-test-type shell "x")))
          (should (string-match-p "NameError" (midflight-test-type shell "y")))
          (choose "shell 2")
          (should (string-match-p "set aside at" (car asked)))
          (should (string-match-p "^2$" (midflight-test-type shell "y")))
          (choose "a new shell")
          (should (string-match-p "2 other shells wait to be taken up: C-u C-c C-z\\."
                                  (midflight-test-transcript shell)))
          (should (string-match-p "NameError" (midflight-test-type shell "y"))))))))

(ert-deftest midflight-shell-that-evaluates-is-not-set-aside ()
  "C-u C-c C-z says so, and changes nothing."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let* ((source (midflight-test-visit project "app.py" midflight-parked-tests-source))
           (shell (progn (midflight-test-load source) (midflight-test-shell project))))
      (with-current-buffer shell
        (goto-char (point-max))
        (insert "await receive()")
        (midflight-test-press "RET")
        (cl-letf (((symbol-function 'completing-read) (lambda (&rest _) "a new shell")))
          (should-error (midflight-shell-session--ask nil #'ignore) :type 'user-error))
        (should (eq midflight-shell-session-state 'busy))
        (midflight-test-press "C-c C-c"))
      (midflight-test-shell project))))

(provide 'midflight-parked-tests)
;;; midflight-parked-tests.el ends here
