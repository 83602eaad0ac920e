;;; midflight-shell-tests.el --- The keys of a shell  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Keys, faces, long lines, who printed what, and a shell that was lost.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-shell-tests-module
  "from midflight import receive

async def say():
    while True:
        print(await receive())
"
  "A module with a process that prints.")

(defmacro midflight-shell-tests-in-buffer (&rest body)
  "Run BODY in a new shell buffer that has no session but a prompt."
  (declare (indent 0) (debug t))
  `(let ((midflight-shell-history-file nil))
     (with-temp-buffer
       (midflight-shell-mode)
       (midflight-shell-transcript-prompt "1> ")
       ,@body)))

(defun midflight-shell-tests-shell (project)
  "Return the shell of PROJECT, which has loaded a module."
  (midflight-test-load (midflight-test-visit project "tally.py" midflight-shell-tests-module))
  (midflight-test-shell project))

(ert-deftest midflight-shell-has-the-keys-of-others ()
  "Those of SLY and CIDER."
  (midflight-shell-tests-in-buffer
    (pcase-dolist (`(,key . ,command)
                   '(("RET" . midflight-shell-return) ("C-j" . midflight-shell-newline)
                     ("C-<return>" . midflight-shell-send) ("TAB" . midflight-shell-tab)
                     ("M-p" . comint-previous-input) ("M-n" . comint-next-input)
                     ("M-r" . comint-history-isearch-backward-regexp)
                     ("C-c C-o" . midflight-shell-delete-output)
                     ("C-c M-o" . midflight-shell-clear)
                     ("C-c C-u" . comint-kill-input)
                     ("C-c C-p" . comint-previous-prompt) ("C-c C-n" . comint-next-prompt)
                     ("C-c C-c" . midflight-interrupt) ("," . midflight-shell-comma)
                     ("C-c C-z" . midflight-shell-back) ("C-c M-i" . midflight-inspect)
                     ("C-c C-d d" . midflight-doc)))
      (should (equal (cons key command) (cons key (key-binding (kbd key))))))))

(ert-deftest midflight-shell-newline-and-tab-indent ()
  "C-j goes on as Python would; TAB indents where there is nothing to complete."
  (midflight-shell-tests-in-buffer
    (insert "def f():")
    (midflight-test-press "C-j")
    (insert "if x:")
    (midflight-test-press "C-j")
    (insert "return 1")
    (midflight-test-press "C-j")
    (midflight-test-press "TAB")
    (should (equal (midflight-shell-transcript-input)
                   "def f():\n    if x:\n        return 1\n        "))
    (midflight-test-press "C-c C-u")
    (should (equal (midflight-shell-transcript-input) ""))
    (goto-char (point-min))
    (should-error (midflight-test-press "C-j") :type 'user-error)))

(ert-deftest midflight-shell-clear-keeps-the-input ()
  "The transcript goes; the prompt and what is being typed stay."
  (midflight-shell-tests-in-buffer
    (midflight-shell-transcript-output "a\nb\n")
    (insert "typed")
    (midflight-test-press "C-c M-o")
    (should (equal (buffer-string) "1> typed"))
    (midflight-shell-transcript-output "after\n")
    (should (equal (buffer-string) "after\n1> typed"))))

(ert-deftest midflight-shell-prompts-are-passed-through ()
  "C-c C-p and C-c C-n go from input to input."
  (midflight-shell-tests-in-buffer
    (insert "one")
    (midflight-shell-transcript-commit (midflight-shell-transcript-take-input))
    (midflight-shell-transcript-output "out\nput\n")
    (midflight-shell-transcript-prompt "2> ")
    (insert "two")
    (midflight-test-press "C-c C-p")
    (should (looking-at "two"))
    (midflight-test-press "C-c C-p")
    (should (looking-at "one"))
    (midflight-test-press "C-c C-n")
    (should (looking-at "two"))))

(ert-deftest midflight-shell-force-send-ends-a-block ()
  "C-RET evaluates a compound statement without an empty line; an open bracket
stays, and is told of."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-shell-tests-shell project)
      (goto-char (point-max))
      (insert "def f():\n    return 42")
      (midflight-test-press "C-<return>")
      (midflight-test-wait "the next prompt" (lambda () (and (eq midflight-shell-session-state 'ready)
                                                             (= midflight-shell-session-prompt 2))))
      (should (string-prefix-p "f()\n42\n" (midflight-test-type (current-buffer) "f()")))
      (insert "[1, 2")
      (midflight-test-press "C-<return>")
      (midflight-test-wait-message "the input is incomplete")
      (should (equal (midflight-shell-transcript-input) "[1, 2")))))

(ert-deftest midflight-shell-comma-asks-for-a-command ()
  "Where there is no input; else it is a comma."
  (midflight-shell-tests-in-buffer
    (let ((last-command-event ?,)
          offered called)
      (cl-letf (((symbol-function 'completing-read)
                 (lambda (_prompt names &rest _) (setq offered names) "clear"))
                ((symbol-function 'midflight-shell-clear)
                 (lambda () (interactive) (setq called t))))
        (midflight-test-press ","))
      (should called)
      (dolist (name '("restart" "quit" "clear" "versions" "disconnect" "inspect"))
        (should (member name offered)))
      (insert "f(1")
      (midflight-test-press ",")
      (should (equal (midflight-shell-transcript-input) "f(1,")))))

(ert-deftest midflight-shell-input-has-the-faces-of-python ()
  "While it is typed and in the transcript; output has none of them."
  (midflight-shell-tests-in-buffer
    (midflight-shell-transcript-output "def it's\n")
    (insert "def f(): return 'x'")
    (run-hooks 'post-command-hook)
    (let ((start (marker-position (midflight-shell-transcript-input-mark))))
      (should (eq (get-text-property start 'font-lock-face) 'font-lock-keyword-face))
      (should (eq (get-text-property (- (point-max) 2) 'font-lock-face) 'font-lock-string-face))
      (midflight-shell-transcript-commit (midflight-shell-transcript-take-input))
      (should (equal (get-text-property start 'font-lock-face)
                     '(font-lock-keyword-face comint-highlight-input)))
      (should-not (get-text-property (point-min) 'font-lock-face)))))

(ert-deftest midflight-shell-output-opens-no-string-in-the-input ()
  "A quote and a bracket in the output are punctuation."
  (midflight-shell-tests-in-buffer
    (midflight-shell-transcript-output "it's (\n")
    (insert "f(x)")
    (syntax-propertize (point-max))
    (should-not (nth 3 (syntax-ppss (point-max))))
    (should (= 0 (car (syntax-ppss (point-max)))))
    (backward-sexp)
    (should (looking-at "(x)"))))

(ert-deftest midflight-shell-long-lines-are-folded ()
  "Their beginning is shown, RET shows the rest, and nothing is lost."
  (midflight-shell-tests-in-buffer
    (let ((midflight-shell-maximum-line 100)
          (rest (make-string 200 ?b)))
      (midflight-shell-transcript-output (concat (make-string 100 ?a) rest "\nshort\n"))
      (should (equal (substring-no-properties (buffer-string))
                     (concat (make-string 100 ?a) "[200 more characters]\nshort\n1> ")))
      (insert "typed")
      (goto-char (point-min))
      (search-forward "more")
      (midflight-test-press "RET")
      (should (equal (substring-no-properties (buffer-string))
                     (concat (make-string 100 ?a) rest "\nshort\n1> typed")))
      (midflight-shell-transcript-output "last\n")
      (should (string-suffix-p "\nshort\nlast\n1> typed" (buffer-string))))))

(ert-deftest midflight-shell-long-lines-in-pieces-are-folded ()
  "As they come over the wire; the rest at the very end is shown in its place."
  (midflight-shell-tests-in-buffer
    (let ((midflight-shell-maximum-line 10))
      (midflight-shell-transcript-output "aaaaaaaa")
      (midflight-shell-transcript-output "bbbbbbbb")
      (midflight-shell-transcript-output "cccc\nd\n")
      (should (equal (substring-no-properties (buffer-string))
                     "aaaaaaaabb[6 more characters][4 more characters]\nd\n1> "))
      (midflight-shell-transcript-output "eeeeeeeeeeeeee")
      (goto-char (point-min))
      (search-forward "eeee[")
      (midflight-test-press "RET")
      (midflight-shell-transcript-output "f\n")
      (should (string-suffix-p "\nd\neeeeeeeeeeeeee[1 more characters]\n1> " (buffer-string))))))

(ert-deftest midflight-shell-a-huge-line-is-shown-aside ()
  "Cut into lines, in a buffer of its own."
  (save-window-excursion
    (midflight-shell-tests-in-buffer
      (midflight-shell-transcript-output (concat (make-string 100000 ?a) "\n"))
      (should (< (buffer-size) 3000))
      (goto-char (point-min))
      (search-forward "more")
      (midflight-test-press "RET")
      (should (get-buffer "*midflight-long-line*"))
      (with-current-buffer "*midflight-long-line*"
        (should (> (count-lines (point-min) (point-max)) 90))
        (kill-buffer)))))

(ert-deftest midflight-shell-output-knows-its-process ()
  "By a face, the mouse and ElDoc; with the option, before each line."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-tests-shell project))
          (midflight-shell-tag-output t))
      (midflight-test-type shell "pid = spawn(tally.say)")
      (midflight-test-type shell "print('mine'); pid << 'its'")
      (with-current-buffer shell
        (goto-char (point-min))
        (re-search-forward "^mine$")
        (should-not (get-text-property (match-beginning 0) 'midflight-writer))
        (re-search-forward "^its$")
        (goto-char (match-beginning 0))
        (let ((pid (get-text-property (point) 'midflight-writer))
              shown)
          (should (string-match-p "\\`<0\\.[0-9]+\\.0>\\'" pid))
          (should (eq (get-text-property (point) 'font-lock-face) 'midflight-process-output))
          (should (equal (get-text-property (point) 'help-echo)
                         (concat "printed by runtime process " pid)))
          (should (equal (substring-no-properties (get-text-property (point) 'line-prefix))
                         (concat pid " ")))
          (midflight-eldoc-function (lambda (text) (setq shown text)))
          (should (equal shown (concat "printed by runtime process " pid))))))))

(ert-deftest midflight-shell-is-resumed-with-its-bindings ()
  "After the connection was lost; what was printed meanwhile is shown, once, and
what is being typed stays."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-tests-shell project)))
      (midflight-test-type shell "x = 41; pid = spawn(tally.say, name='say')")
      (with-current-buffer shell
        (goto-char (point-max))
        (insert "typed")
        (midflight-quit)
        (midflight-test-wait "the end of the session" (lambda () (eq midflight-shell-session-state 'off)))
        (should (equal 0 (call-process (midflight-test-command) nil nil nil
                                       "send" "--root" project "say" "'missed'")))
        (midflight-test-press "RET")
        (midflight-test-wait "what was missed"
                             (lambda () (string-match-p "^missed$" (buffer-string))))
        (midflight-test-wait "a prompt" (lambda () (eq midflight-shell-session-state 'ready)))
        (should (string-match-p "Connected again, with the bindings; .*\n\\(.*\n\\)*missed\n"
                                (buffer-string)))
        (should (equal (midflight-shell-transcript-take-input) "typed\n")))
      (should (string-prefix-p "x + 1\n42\n" (midflight-test-type shell "x + 1"))))))

(ert-deftest midflight-shell-is-resumed-in-the-midst-of-an-evaluation ()
  "It goes on without us, and its value comes when it is over."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-tests-shell project)))
      (midflight-test-type shell "register('me', self())")
      (with-current-buffer shell
        (goto-char (point-max))
        (insert "print('on it'); await receive()")
        (midflight-test-press "RET")
        (midflight-test-wait "its output" (lambda () (string-match-p "^on it$" (buffer-string))))
        (midflight-quit)
        (midflight-test-wait "the end of the session" (lambda () (eq midflight-shell-session-state 'off)))
        (midflight-test-press "RET")
        (midflight-test-wait "the session" (lambda () (eq midflight-shell-session-state 'busy)))
        (midflight-connection-call 'process/send (list "me" "'at last'") #'ignore)
        (midflight-test-wait "the prompt" (lambda () (eq midflight-shell-session-state 'ready)))
        (should (string-match-p "'at last'\n3> \\'" (buffer-string)))))))

(ert-deftest midflight-shell-shows-progress-and-colors ()
  "A bar is one line, and a colored word has a face, as in a terminal."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-tests-shell project)))
      (should (string-suffix-p
               "\n[##] 100%\nred\n2> "
               (midflight-test-type
                shell "for p in (0, 50, 100): print(f'\\r[##] {p}%', end='')\n\nprint('\\n\\x1b[31mred\\x1b[0m')\n")))
      (with-current-buffer shell
        (search-backward "red\n")
        (should (get-text-property (point) 'font-lock-face))))))

;;;; Type-ahead

(defun midflight-shell-tests-hold (shell)
  "Let SHELL evaluate something that waits; return a function that ends it."
  (let ((pid (progn (midflight-test-type shell "self()")
                    (with-current-buffer shell
                      (save-excursion
                        (goto-char (point-max))
                        (re-search-backward "^<0\\.[0-9]+\\.0>$")
                        (match-string 0))))))
    (with-current-buffer shell
      (goto-char (point-max))
      (insert "held = await receive()")
      (midflight-test-press "RET")
      (midflight-test-wait "the evaluation" (lambda () (eq midflight-shell-session-state 'busy))))
    (lambda ()
      (with-current-buffer shell
        (midflight-connection-call 'process/send (list pid "'go on'") #'ignore)))))

(defun midflight-shell-tests-type-ahead (shell &rest keys)
  "Type KEYS into SHELL: strings to insert, and `ret' for RET."
  (with-current-buffer shell
    (goto-char (point-max))
    (dolist (key keys)
      (if (eq key 'ret) (midflight-test-press "RET") (insert key)))))

(defun midflight-shell-tests-wait-prompt (shell number)
  "Wait until SHELL shows the prompt of NUMBER and has nothing left to do."
  (midflight-test-wait (format "prompt %d" number)
                       (lambda ()
                         (with-current-buffer shell
                           (and (eq midflight-shell-session-state 'ready)
                                (eql midflight-shell-session-prompt number))))))

(ert-deftest midflight-shell-evaluates-what-was-typed-ahead ()
  "Each RET ends an input of its own; the last, without RET, stays to be typed on."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let* ((shell (midflight-shell-tests-shell project))
           (go-on (midflight-shell-tests-hold shell)))
      (midflight-shell-tests-type-ahead shell "x = 1" 'ret "x + 41" 'ret "not yet")
      (funcall go-on)
      (midflight-shell-tests-wait-prompt shell 5)
      (should (string-suffix-p "3> x = 1\n1\n4> x + 41\n42\n5> not yet"
                               (midflight-test-transcript shell)))
      (with-current-buffer shell
        (should (equal (midflight-shell-transcript-input) "not yet"))
        (should (= (point) (point-max)))))))

(ert-deftest midflight-shell-evaluates-a-block-typed-ahead ()
  "As a terminal does: the lines are put together until they are complete."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let* ((shell (midflight-shell-tests-shell project))
           (go-on (midflight-shell-tests-hold shell)))
      (midflight-shell-tests-type-ahead shell "def f():" 'ret "    return 42" 'ret 'ret "f()" 'ret)
      (funcall go-on)
      (midflight-shell-tests-wait-prompt shell 5)
      (should (string-suffix-p "4> f()\n42\n5> " (midflight-test-transcript shell))))))

(ert-deftest midflight-shell-interrupt-keeps-what-was-typed-ahead ()
  "It is not evaluated: whoever interrupts wants to look first."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-tests-shell project)))
      (midflight-shell-tests-hold shell)
      (midflight-shell-tests-type-ahead shell "x = 1" 'ret "x + 1" 'ret)
      (with-current-buffer shell
        (midflight-test-press "C-c C-c"))
      (midflight-shell-tests-wait-prompt shell 3)
      (with-current-buffer shell
        (should (equal (midflight-shell-transcript-input) "x = 1\nx + 1\n"))))))

(ert-deftest midflight-shell-keeps-inputs-apart-while-it-opens ()
  "RET connects again and ends the line; what is typed until there is a prompt is
another line."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-tests-shell project)))
      (midflight-test-type shell "x = 0")
      (with-current-buffer shell
        (midflight-quit)
        (midflight-test-wait "the end of the connection"
                             (lambda () (eq midflight-shell-session-state 'off))))
      (midflight-shell-tests-type-ahead shell "x = 1" 'ret "x + 41" 'ret)
      (midflight-shell-tests-wait-prompt shell 3)
      (should (string-suffix-p "2> x = 1\nx + 41\n42\n3> "
                               (midflight-test-transcript shell))))))

(ert-deftest midflight-shell-shows-output-past-python ()
  "That of threads, of programs that Python runs, and of C; with other output a line says where."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((shell (midflight-shell-tests-shell project)))
      (midflight-test-type shell "import os, sys, threading")
      (should (string-match-p "\nfrom a thread\n"
                              (midflight-test-type
                               shell "t = threading.Thread(target=print, args=('from a thread',)); t.start(); t.join()")))
      (should (string-match-p "\nfrom a program\n0\n"
                              (midflight-test-type shell "os.system('echo from a program')")))
      (should (string-match-p "\nfrom C\n7\n" (midflight-test-type shell "os.write(1, b'from C\\n')")))
      (should (string-match-p "\n\\[5 bytes went to standard output past Python: they are in the server's log\\]\n"
                              (midflight-test-type
                               shell "sys.stdout.real.write('a\\n') and os.write(1, b'more\\n')"))))))

(provide 'midflight-shell-tests)
;;; midflight-shell-tests.el ends here
