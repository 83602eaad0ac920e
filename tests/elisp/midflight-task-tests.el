;;; midflight-task-tests.el --- asyncio tasks next to processes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server, whose event loop runs two tasks: one waits for the other.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-task-tests-text
  "import asyncio

TASKS = []


async def sell(queue):
    goods = 'pears'
    await queue.get()


async def wait(seller):
    await seller


async def start():
    seller = asyncio.create_task(sell(asyncio.Queue()), name='seller')
    TASKS.extend([seller, asyncio.create_task(wait(seller), name='waiter')])
    await asyncio.sleep(0)
"
  "A module that starts two tasks.")

(defmacro midflight-task-tests-with (&rest body)
  "Run BODY in the list of tasks of a program that has two."
  (declare (indent 0) (debug t))
  `(progn
     (skip-unless (midflight-test-command))
     (midflight-test-in-project project
       (save-window-excursion
         (switch-to-buffer (midflight-test-visit project "shop.py" midflight-task-tests-text))
         (midflight-test-load (current-buffer))
         (midflight-test-type (midflight-test-shell project) "await shop.start()")
         (midflight-test-press "C-c C-x k")
         (midflight-task-tests-row "waiter")
         (setq midflight-test-messages nil)
         ,@body))))

(defun midflight-task-tests-wait (regexp)
  "Wait until the selected window shows text like REGEXP; go to its buffer."
  (midflight-test-wait regexp (lambda ()
                                (set-buffer (window-buffer (selected-window)))
                                (string-match-p regexp (buffer-string)))))

(defun midflight-task-tests-row (name)
  "Wait for the row of the task NAME, go there, and return its columns."
  (pop-to-buffer (midflight-test-wait "list" (lambda () (get-buffer "*midflight-tasks for counter-project*"))))
  (midflight-test-wait name (lambda ()
                              (goto-char (point-min))
                              (re-search-forward (format "^ *t[0-9]+ +%s " name) nil t)))
  (beginning-of-line)
  (append (tabulated-list-get-entry) nil))

(ert-deftest midflight-tasks-lists-where-each-is ()
  "With the version of its code, its line, what it waits for; and the loop's lag."
  (midflight-task-tests-with
    (let ((seller (midflight-task-tests-row "seller"))
          (waiter (midflight-task-tests-row "waiter")))
      (should (equal (seq-subseq seller 1 4) '("seller" "shop v1" "sell:8")))
      (should (equal (nth 5 seller) "asyncio.queues.Queue.get"))
      (should (equal (nth 5 waiter) "task seller"))
      (should (string-match-p "\\`loop lag [0-9.]+ ms\\'" (string-trim mode-line-process))))))

(ert-deftest midflight-task-view-shows-frames-and-ties ()
  "RET shows locals and the task that waits; its link shows that one, . the line."
  (midflight-task-tests-with
    (midflight-task-tests-row "seller")
    (midflight-test-press "RET")
    (midflight-task-tests-wait "^Task t[0-9]+, seller")
    (should (string-match-p "^Awaited by +t[0-9]+ (waiter)" (buffer-string)))
    (should (string-match-p "^  sell:8  shop v1" (buffer-string)))
    (search-forward "locals")
    (push-button (1- (point)))
    (should (string-match-p "goods = 'pears'" (buffer-string)))
    (goto-char (point-min))
    (search-forward "Awaited by")
    (midflight-test-press "RET")
    (midflight-task-tests-wait "^Task t[0-9]+, waiter")
    (should (string-match-p "^Awaits +t[0-9]+ (seller)" (buffer-string)))
    (midflight-test-press ".")
    (midflight-task-tests-wait "^import asyncio")
    (should (looking-at-p " +await seller"))))

(ert-deftest midflight-task-cancel-ends-it ()
  "After a question; both tasks are gone from the list then."
  (midflight-task-tests-with
    (midflight-task-tests-row "seller")
    (cl-letf (((symbol-function 'yes-or-no-p) #'ignore))
      (midflight-test-press "k"))
    (should (midflight-test-message-p "nothing was cancelled"))
    (cl-letf (((symbol-function 'yes-or-no-p) (lambda (_) t)))
      (midflight-test-press "k"))
    (midflight-test-wait-message "task seller was told to end")
    (midflight-test-wait "end" (lambda ()
                                 (revert-buffer)
                                 (accept-process-output nil 0.05)
                                 (not (string-match-p "seller" (buffer-string)))))
    (should-not (string-match-p "waiter" (buffer-string)))))

(provide 'midflight-task-tests)
;;; midflight-task-tests.el ends here
