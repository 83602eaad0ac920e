;;; midflight-crash-tests.el --- Crash, fix, restart  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Each with a real server, by the keys of the crash buffer.

;;; Code:

(require 'midflight-helpers)

(declare-function midflight-test-press "midflight-integration-tests" (keys))
(declare-function midflight-test-shell "midflight-integration-tests" (project))
(declare-function midflight-test-type "midflight-integration-tests" (shell text))
(declare-function midflight-test-load "midflight-integration-tests" (source))
(declare-function midflight-test-transcript "midflight-integration-tests" (shell))

(defconst midflight-crash-tests-source
  "from midflight import receive

async def loop(total):
    match await receive():
        case ('divide', n):
            share = total / n
            return loop(share)
        case ('get', pid):
            pid << total
            return loop(total)
"
  "A module whose process crashes when it is told to divide by 0.")

(defmacro midflight-crash-tests-with (source shell &rest body)
  "Run BODY with SOURCE, a buffer whose module is loaded, and its SHELL."
  (declare (indent 2) (debug (symbolp symbolp body)))
  `(midflight-test-in-project project
     (let* ((,source (midflight-test-visit project "ledger.py" midflight-crash-tests-source))
            (next-error-last-buffer nil)
            (,shell (progn (midflight-test-load ,source) (midflight-test-shell project))))
       (ignore ,shell)
       (save-window-excursion
         ,@body))))

(defun midflight-crash-tests-crash (shell total)
  "Let a process of SHELL's project with TOTAL crash; return when that is told."
  (setq midflight-test-messages nil)
  (midflight-test-type shell (format "spawn(ledger.loop, %s, name='n%s') << ('divide', 0)"
                                     total total))
  (midflight-test-wait-message (format "process n%s crashed: ZeroDivisionError" total)))

(defun midflight-crash-tests-buffer (regexp)
  "Wait for the crash buffer to have text that matches REGEXP; return it."
  (midflight-test-wait
   (format "a crash buffer with %S" regexp)
   (lambda ()
     (cl-find-if (lambda (buffer)
                   (with-current-buffer buffer
                     (and (derived-mode-p 'midflight-crash-mode)
                          (string-match-p regexp (buffer-string)))))
                 (buffer-list)))))

(defun midflight-crash-tests-mend (source)
  "Mend the module in SOURCE and load it."
  (with-current-buffer source
    (goto-char (point-min))
    (search-forward "total / n")
    (replace-match "total / n if n else -total"))
  (should (string-match-p "v2 loaded" (midflight-test-load source))))

(ert-deftest midflight-crash-fix-restart-keeps-the-state ()
  "The buffer comes by itself, unselected, with state and frames; after the mend
r starts the process with its state under its name, R sends the message again."
  (skip-unless (midflight-test-command))
  (midflight-crash-tests-with source shell
    (switch-to-buffer source)
    (midflight-crash-tests-crash shell 42)
    (let ((crash (midflight-crash-tests-buffer "State: the arguments of ledger.loop\n  total = 42")))
      (should (midflight-test-wait "its window" (lambda () (get-buffer-window crash))))
      (should (eq (window-buffer (selected-window)) source))
      (should (string-match-p "n42.*crashed in ledger v1, loop:6"
                              (replace-regexp-in-string "\n" " " (midflight-test-transcript shell))))
      (midflight-crash-tests-mend source)
      (with-current-buffer crash
        (should (string-match-p "('divide', 0)" (buffer-string)))
        (midflight-test-press "r")
        (midflight-test-wait-message "started again as <.*> (n42) in version 2$"))
      (should (string-match-p "\n42\n"
                              (midflight-test-type
                               shell "(whereis('n42') << ('get', self())) and await receive()")))
      (midflight-test-type shell "exit(whereis('n42'), 'kill')")
      (with-current-buffer crash
        (midflight-test-press "R")
        (midflight-test-wait-message "in version 2; its last message was sent to it"))
      (should (string-match-p "\n-42\n"
                              (midflight-test-type
                               shell "(whereis('n42') << ('get', self())) and await receive()"))))))

(ert-deftest midflight-crash-state-can-be-edited ()
  "i offers the state as an expression; a wrong one is refused with the reason."
  (skip-unless (midflight-test-command))
  (midflight-crash-tests-with source shell
    (midflight-crash-tests-crash shell 7)
    (with-current-buffer (midflight-crash-tests-buffer "total = 7")
      (cl-letf (((symbol-function 'read-string)
                 (lambda (_prompt initial &rest _)
                   (should (equal initial "dict(total=7)"))
                   "dict(total=total * 100)")))
        (midflight-test-press "i"))
      (midflight-test-wait-message "started again as <.*> (n7) in version 1")
      (cl-letf (((symbol-function 'read-string) (lambda (&rest _) "dict(other=1)")))
        (midflight-test-press "i"))
      (midflight-test-wait-message "not started again: loop(total) of the current version does not take other"))
    (should (string-match-p "\n700\n"
                            (midflight-test-type
                             shell "(whereis('n7') << ('get', self())) and await receive()")))))

(ert-deftest midflight-crash-next-error-goes-through-the-frames ()
  "The innermost first, in the version that crashed."
  (skip-unless (midflight-test-command))
  (midflight-crash-tests-with source shell
    (midflight-crash-tests-crash shell 42)
    (let ((crash (midflight-crash-tests-buffer "total = 42")))
      (with-current-buffer crash
        (let ((next-error-last-buffer crash))
          (next-error 1 t))
        (midflight-test-wait "the line in the file"
                             (lambda () (with-current-buffer source
                                          (looking-at-p "            share = total / n"))))
        (let ((next-error-last-buffer crash))
          (should-error (next-error) :type 'user-error)))
      (midflight-crash-tests-mend source)
      (with-current-buffer crash
        (midflight-test-press ".")
        (midflight-test-wait "the line of the version that crashed"
                             (lambda ()
                               (with-current-buffer (window-buffer)
                                 (and (equal (buffer-name) "ledger@1.py")
                                      (looking-at-p "            share = total / n$")))))))))

(ert-deftest midflight-crash-history-and-list ()
  "n and p go from one to the next; the list has them all; x forgets."
  (skip-unless (midflight-test-command))
  (midflight-crash-tests-with source shell
    (midflight-crash-tests-crash shell 1)
    (let ((crash (midflight-crash-tests-buffer "total = 1")))
      (midflight-crash-tests-crash shell 2)
      (midflight-crash-tests-buffer "total = 2")
      (select-window (get-buffer-window crash))
      (midflight-crash-tests-crash shell 3)
      (with-current-buffer crash
        ;; Somebody is at work there: it is not taken away.
        (should (string-match-p "total = 2" (buffer-string)))
        (should-error (midflight-crash-next 2) :type 'user-error)
        (midflight-test-press "n")
        (midflight-crash-tests-buffer "total = 3")
        (should (string-match-p "Crash 3 of 3" header-line-format))
        (midflight-test-press "p")
        (midflight-crash-tests-buffer "total = 2")
        (midflight-test-press "x")
        (midflight-crash-tests-buffer "total = 1"))
      (with-current-buffer source
        (midflight-test-press "C-c C-x e"))
      (let ((list (midflight-test-wait
                   "the list of crashes"
                   (lambda ()
                     (cl-find-if (lambda (buffer)
                                   (and (eq (buffer-local-value 'major-mode buffer)
                                            'midflight-crashes-mode)
                                        (> (buffer-size buffer) 0)))
                                 (buffer-list))))))
        (with-current-buffer list
          (should (= (count-lines (point-min) (point-max)) 2))
          (goto-char (point-min))
          (should (looking-at-p ".* n3 +ledger v1, loop:6 +ZeroDivisionError: division by zero"))
          (midflight-test-press "r")
          (midflight-test-wait-message "started again as <.*> (n3) in version 1")
          (midflight-test-press "RET")
          (midflight-crash-tests-buffer "total = 3")
          (midflight-test-press "x")
          (midflight-test-wait "one crash in the list"
                               (lambda () (= (count-lines (point-min) (point-max)) 1)))
          (cl-letf (((symbol-function 'y-or-n-p) (lambda (&rest _) t)))
            (midflight-test-press "X"))
          (midflight-test-wait-message "1 crash forgotten"))))))

(ert-deftest midflight-crash-is-only-noted-if-so-customized ()
  "The echo area and the shell say so; the command shows it."
  (skip-unless (midflight-test-command))
  (midflight-crash-tests-with source shell
    (let ((midflight-display-crash 'note))
      (midflight-crash-tests-crash shell 5)
      (should (midflight-test-message-p "midflight-show-crash shows it"))
      (should-not (cl-find-if (lambda (buffer)
                                (eq (buffer-local-value 'major-mode buffer) 'midflight-crash-mode))
                              (buffer-list)))
      (with-current-buffer source
        (midflight-show-crash))
      (with-current-buffer (midflight-crash-tests-buffer "total = 5")
        (should (string-match-p "Crash 1 of 1" header-line-format))
        (search-forward "1 local" nil t)
        (goto-char (point-min))
        (search-forward "2 locals")
        (push-button (match-beginning 0))
        (should (string-match-p "    locals\n      total = 5\n      n = 0\n" (buffer-string)))))))

(ert-deftest midflight-crash-that-cannot-be-restarted-says-why ()
  "A function that was local cannot be looked up."
  (skip-unless (midflight-test-command))
  (midflight-crash-tests-with source shell
    (midflight-test-type shell "def make():\n    async def inner(x): return x / 0\n    return inner\n")
    (midflight-test-type shell "spawn(make(), 1) and None")
    (with-current-buffer (midflight-crash-tests-buffer "make\\.<locals>\\.inner")
      (midflight-test-press "r")
      (midflight-test-wait-message "not started again: .*local to a function"))))

(ert-deftest midflight-crash-evaluates-in-a-frame ()
  "`e' has the local names and those of the version that ran; `d' shows it in a buffer."
  (skip-unless (midflight-test-command))
  (midflight-crash-tests-with source shell
    (midflight-crash-tests-crash shell 7)
    (with-current-buffer (midflight-crash-tests-buffer "ZeroDivisionError")
      (should (eq (key-binding "e") #'midflight-crash-eval))
      (goto-char (point-min))
      (midflight-crash-eval "total * 6, n, loop.__name__" (midflight-details-frame-here))
      (midflight-test-wait-message "\\`(42, 0, 'loop')\\'")
      (midflight-crash-eval "total / n" (midflight-details-frame-here))
      (midflight-test-wait-message "ZeroDivisionError: division by zero")
      (should-error (midflight-crash-eval " " (midflight-details-frame-here)) :type 'user-error)
      (midflight-crash-show-value "list(range(total))" (midflight-details-frame-here)))
    (midflight-test-wait "the value"
                         (lambda ()
                           (let ((buffer (get-buffer "*midflight-value counter-project*")))
                             (and buffer
                                  (with-current-buffer buffer
                                    (string-match-p "\\[0, 1, 2, 3, 4, 5, 6\\]" (buffer-string)))))))))

(provide 'midflight-crash-tests)
;;; midflight-crash-tests.el ends here
