;;; midflight-trace-tests.el --- Traces  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server, by the keys of the trace buffer.

;;; Code:

(require 'midflight-helpers)

(declare-function midflight-test-press "midflight-integration-tests" (keys))
(declare-function midflight-test-shell "midflight-integration-tests" (project))
(declare-function midflight-test-type "midflight-integration-tests" (shell text))
(declare-function midflight-test-load "midflight-integration-tests" (source))

(defconst midflight-trace-tests-source
  "from midflight import receive
import ticker

async def loop(total):
    match await receive():
        case 'switch':
            return ticker.loop(total)
        case ('add', n):
            return loop(total + n)
        case 'stop':
            return None
"
  "A module with a process.")

(defmacro midflight-trace-tests-with (source shell &rest body)
  "Run BODY with SOURCE, a buffer whose module is loaded, and its SHELL."
  (declare (indent 2) (debug (symbolp symbolp body)))
  `(midflight-test-in-project project
     (let* ((,source (midflight-test-visit project "ticker.py" midflight-trace-tests-source))
            (midflight-processes-interval nil)
            (,shell (progn (midflight-test-load ,source) (midflight-test-shell project))))
       (ignore ,shell)
       (save-window-excursion
         ,@body))))

(defun midflight-trace-tests-buffer ()
  "Return the trace buffer, once its trace runs."
  (midflight-test-wait
   "a trace that runs"
   (lambda ()
     (cl-find-if (lambda (buffer)
                   (and (eq (buffer-local-value 'major-mode buffer) 'midflight-trace-mode)
                        (integerp (buffer-local-value 'midflight-trace--number buffer))))
                 (buffer-list)))))

(defun midflight-trace-tests-wait (buffer regexp)
  "Wait for text in BUFFER that matches REGEXP; return all its text."
  (with-current-buffer buffer
    (midflight-test-wait (format "%S in the trace, which has:\n%s" regexp (buffer-string))
                         (lambda () (string-match-p regexp (buffer-string))))
    (buffer-substring-no-properties (point-min) (point-max))))

(defun midflight-trace-tests-text (buffer)
  "Return the text of BUFFER."
  (with-current-buffer buffer
    (buffer-substring-no-properties (point-min) (point-max))))

(ert-deftest midflight-trace-tells-what-a-process-does ()
  "Messages, what it goes on as and from which version, and its end; t in the
list begins it, and once more ends it."
  (skip-unless (midflight-test-command))
  (midflight-trace-tests-with source shell
    (midflight-test-type shell "pid = spawn(ticker.loop, 1, name='tick')")
    (midflight-test-load source)
    (with-current-buffer source
      (midflight-processes))
    (let ((list (midflight-test-wait
                 "the list" (lambda () (cl-find-if (lambda (buffer)
                                                     (and (eq (buffer-local-value 'major-mode buffer)
                                                              'midflight-processes-mode)
                                                          (> (buffer-size buffer) 0)))
                                                   (buffer-list))))))
      (with-current-buffer list
        (goto-char (point-min))
        (search-forward "tick")
        (midflight-test-press "t"))
      (let ((trace (midflight-trace-tests-buffer)))
        (midflight-test-type shell "pid << ('add', 1)")
        (midflight-test-type shell "pid << 'switch'")
        (let ((text (midflight-trace-tests-wait trace "from ticker v1")))
          (should (string-match-p "tick *<- <0\\.[0-9]+\\.0>  ('add', 1)\n" text))
          (should (string-match-p "tick *=> ticker v1\\.loop(total=2)\n" text))
          (should (string-match-p "<- <0\\.[0-9]+\\.0>  'switch'\n" text))
          (should (string-match-p "=> ticker v2\\.loop(total=2)  (from ticker v1)\n" text)))
        (with-current-buffer trace
          (goto-char (point-min))
          (search-forward "=> ticker v2")
          (midflight-test-press "RET")
          (midflight-test-wait "the line of the call"
                               (lambda () (with-current-buffer source
                                            (looking-at-p "async def loop(total):")))))
        (with-current-buffer list
          (goto-char (point-min))
          (search-forward "tick")
          (midflight-test-press "t"))
        (midflight-test-wait-message "the trace has stopped")
        (let ((before (midflight-trace-tests-text trace)))
          (midflight-test-type shell "pid << 'stop'")
          (midflight-test-type shell "1")
          (should (equal before (midflight-trace-tests-text trace))))))))

(ert-deftest midflight-trace-of-a-module-toggles ()
  "C-c C-x t in its source offers the module; new processes of it are told too;
the key ends it."
  (skip-unless (midflight-test-command))
  (midflight-trace-tests-with source shell
    (with-current-buffer source
      (cl-letf (((symbol-function 'completing-read) (lambda (&rest args) (nth 6 args))))
        (midflight-test-press "C-c C-x t")))
    (let ((trace (midflight-trace-tests-buffer)))
      (with-current-buffer trace
        (should (string-match-p "Tracing module:ticker" (midflight-trace--header))))
      (midflight-test-type shell "pid = spawn(ticker.loop, 5)")
      (midflight-test-type shell "pid << 'stop'")
      (let ((text (midflight-trace-tests-wait trace "exit 'normal'")))
        (should (string-match-p "spawn <0\\.[0-9]+\\.0>  ticker\\.loop(5)\n" text))
        (should (string-match-p "<- .*'stop'" text)))
      (with-current-buffer source
        (midflight-test-press "C-c C-x t"))
      (midflight-test-wait-message "the trace has stopped")
      (with-current-buffer trace
        (should (string-match-p "Stopped" (midflight-trace--header)))
        (should-error (midflight-test-press "s") :type 'user-error)))))

(ert-deftest midflight-trace-can-be-changed-while-it-runs ()
  "Kinds, a pause, further processes, and lines that are not shown."
  (skip-unless (midflight-test-command))
  (midflight-trace-tests-with source shell
    (midflight-test-type shell "one, two = spawn(ticker.loop, 1, name='one'), spawn(ticker.loop, 2, name='two')")
    (with-current-buffer source
      (midflight-trace "one"))
    (let* ((trace (midflight-trace-tests-buffer))
           (settle (lambda ()
                     (midflight-test-wait "the answer of a change"
                                          (lambda ()
                                            (zerop (midflight-connection-pending
                                                    (with-current-buffer trace
                                                      (midflight-connection-of-buffer)))))))))
      (with-current-buffer trace
        (midflight-trace-choose-kinds '("in"))
        (midflight-trace-add "two")
        (funcall settle)
        (midflight-test-type shell "two << ('add', 10)")
        (should-not (string-match-p "=>" (midflight-trace-tests-wait trace "two *<- .*('add', 10)")))
        (midflight-test-press "SPC")
        (funcall settle)
        (should (string-match-p "Paused" (midflight-trace--header)))
        (midflight-test-type shell "two << ('add', 11)")
        (midflight-test-press "SPC")
        (funcall settle)
        (midflight-trace-remove "one")
        (funcall settle)
        (midflight-test-type shell "[p << ('add', 12) for p in (one, two)] and None")
        (let ((text (midflight-trace-tests-wait trace "two *<- .*('add', 12)")))
          (should-not (string-match-p "('add', 11)" text))
          (should-not (string-match-p "one *<- .*('add', 12)" text)))
        (midflight-trace-filter "'add', 12")
        (goto-char (point-min))
        (should (search-forward "('add', 10)"))
        (should (invisible-p (match-beginning 0)))
        (should (search-forward "('add', 12)"))
        (should-not (invisible-p (match-beginning 0)))
        (midflight-trace-filter "")
        (should-not (text-property-not-all (point-min) (point-max) 'invisible nil))
        (midflight-test-press "c")
        (should (zerop (buffer-size)))))))

(ert-deftest midflight-trace-of-a-flood-is-bounded ()
  "What is dropped is counted in the header; the buffer keeps so many lines."
  (skip-unless (midflight-test-command))
  (midflight-trace-tests-with source shell
    (midflight-test-type shell "async def sink():\n    for n in range(20_000): await receive()\n")
    (midflight-test-type shell "pid = spawn(sink)")
    (with-current-buffer source
      (midflight-trace "all"))
    (let ((trace (midflight-trace-tests-buffer))
          (midflight-trace-lines 100))
      (midflight-test-type shell "for n in range(20_000): pid << n\n")
      (midflight-test-wait "the count of what was dropped"
                           (lambda () (> (buffer-local-value 'midflight-trace--dropped trace) 15000)))
      (with-current-buffer trace
        (should (string-match-p "; [0-9]+ dropped" (midflight-trace--header)))
        (should (<= (count-lines (point-min) (point-max)) 110))))))

(ert-deftest midflight-trace-says-why-it-cannot-begin ()
  "And that the server has gone."
  (skip-unless (midflight-test-command))
  (midflight-trace-tests-with source shell
    (with-current-buffer source
      (midflight-trace "<0.99999.0>")
      (midflight-test-wait-message "is not alive; it is not traced"))
    (with-current-buffer source
      (midflight-trace "new"))
    (let ((trace (midflight-trace-tests-buffer)))
      (signal-process (plist-get (midflight-rendezvous-server
                                  (buffer-local-value 'midflight-connection-buffer-root shell))
                                 :pid)
                      'SIGKILL)
      (midflight-trace-tests-wait trace "-- not connected: ")
      (should-not (buffer-local-value 'midflight-trace--number trace)))))

(ert-deftest midflight-trace-tells-of-the-calls-of-a-function ()
  "With arguments and values, whoever calls; the definition at point is offered."
  (skip-unless (midflight-test-command))
  (midflight-trace-tests-with source shell
    (with-current-buffer source
      (goto-char (point-max))
      (insert "\ndef double(n):\n    return 2 * n\n")
      (midflight-test-load source)
      (goto-char (point-max))
      (forward-line -1)
      (should (equal (midflight-trace--function-at-point) "function:ticker.double"))
      (midflight-trace "function:ticker.double"))
    (let ((trace (midflight-trace-tests-buffer)))
      (midflight-test-type shell "ticker.double(21)")
      (let ((text (midflight-trace-tests-wait trace "42")))
        (should (string-match-p "ticker v2 double(n=21)" text)))
      (with-current-buffer trace
        (should (string-match-p "Tracing function:ticker.double" (midflight-trace--header)))
        (should-error (midflight-trace-pause) :type 'user-error)
        (should-error (midflight-trace--follow "new") :type 'user-error)
        (midflight-test-press "s")
        (should-not midflight-trace--number)))))

(ert-deftest midflight-trace-of-a-function-ends-by-itself ()
  "After as many calls as the user option has; its last line is that."
  (skip-unless (midflight-test-command))
  (midflight-trace-tests-with source shell
    (with-current-buffer source
      (goto-char (point-max))
      (insert "\ndef double(n):\n    return 2 * n\n")
      (midflight-test-load source)
      (let ((midflight-trace-calls 2))
        (midflight-trace "function:ticker.double")))
    (let ((trace (midflight-trace-tests-buffer)))
      (midflight-test-type shell "[ticker.double(n) for n in range(9)]")
      (midflight-trace-tests-wait trace "the trace has ended")
      (should-not (buffer-local-value 'midflight-trace--number trace)))))

(ert-deftest midflight-trace-of-a-function-that-is-not-there-is-refused ()
  "The error names it, and another trace can begin."
  (skip-unless (midflight-test-command))
  (midflight-trace-tests-with source shell
    (with-current-buffer source
      (midflight-trace "function:ticker.nobody")
      (midflight-test-wait-message "ticker has no nobody; nothing is traced")
      (with-current-buffer (midflight-trace--buffer)
        (should-not midflight-trace--number)))))

(provide 'midflight-trace-tests)
;;; midflight-trace-tests.el ends here
