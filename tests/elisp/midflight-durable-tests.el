;;; midflight-durable-tests.el --- The list of durable servers  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server, its store, and a durable server in it.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-durable-tests-source
  "from midflight import GenServer


class Till(GenServer):
    durable = 'sync'

    def init(self):
        self.total = 0

    def handle_call(self, amount, client):
        self.total += amount
        return self.total
"
  "A module with a durable server.")

(defmacro midflight-durable-tests-with (shell &rest body)
  "Run BODY with SHELL, in the buffer of a module; its `till' has 5."
  (declare (indent 1) (debug (symbolp body)))
  `(midflight-test-in-project project
     (write-region "[tool.midflight]\nstore = \"state.sqlite\"\n" nil
                   (expand-file-name "pyproject.toml" project) nil 'silent)
     (save-window-excursion
       (switch-to-buffer (midflight-test-visit project "till.py" midflight-durable-tests-source))
       (midflight-test-load (current-buffer))
       (let ((,shell (midflight-test-shell project)))
         (midflight-test-type ,shell "pid = await till.Till.start(name='till')")
         (midflight-test-type ,shell "await call('till', 5)")
         ,@body))))

(defun midflight-durable-tests-list (name line)
  "Switch to the buffer NAME, once it has a LINE, and go to that."
  (midflight-test-wait (format "a line like %S in %s" line name)
                       (lambda ()
                         (let ((buffer (get-buffer name)))
                           (and buffer
                                (with-current-buffer buffer
                                  (goto-char (point-min))
                                  (re-search-forward line nil t))))))
  (switch-to-buffer name)
  (goto-char (point-min))
  (re-search-forward line)
  (beginning-of-line))

(defconst midflight-durable-tests-name "*midflight-durable servers for counter-project*"
  "The name of the list.")

(ert-deftest midflight-durable-lists-looks-and-edits ()
  "A live server: its line, its state in the inspector, an edit, and no deletion."
  (skip-unless (midflight-test-command))
  (midflight-durable-tests-with shell
    (setq midflight-test-messages nil)
    (midflight-test-press "C-c C-x s")
    (midflight-durable-tests-list midflight-durable-tests-name
                                  "^ till +till\\.Till +[0-9a-f]\\{8\\} +[0-9]+ +[0-9]+ s +<0\\.[0-9]+\\.0> +3\\.")
    (midflight-test-wait-message "1 state; a kill would lose the changes of the last 0\\.00 s")
    (midflight-test-press "RET")
    (midflight-test-wait "the state in the inspector"
                         (lambda () (with-current-buffer (window-buffer (selected-window))
                                      (and (derived-mode-p 'midflight-inspector-mode)
                                           (string-match-p "total.*5" (buffer-string))))))
    (midflight-durable-tests-list midflight-durable-tests-name "^ till ")
    (midflight-test-press "e")
    (midflight-test-wait "the state to edit"
                         (lambda () (buffer-local-value 'midflight-state-edit-mode (window-buffer (selected-window)))))
    (set-buffer (window-buffer (selected-window)))
    (re-search-forward "total = 5")
    (replace-match "total = 6")
    (midflight-test-press "C-c C-c")
    (midflight-test-wait-message "was changed: total")
    (should (string-match-p "\n7\n" (midflight-test-type shell "await call('till', 1)")))
    (midflight-durable-tests-list midflight-durable-tests-name "^ till ")
    (cl-letf (((symbol-function 'yes-or-no-p) #'ignore))
      (midflight-test-press "d"))
    (cl-letf (((symbol-function 'yes-or-no-p) (lambda (_) t)))
      (midflight-test-press "d"))
    (midflight-test-wait-message "till' lives, as <0\\.[0-9]+\\.0>, .*nothing was deleted")))

(ert-deftest midflight-durable-goes-back ()
  "A state is deleted, looked at, given back for the next start, and to a live server."
  (skip-unless (midflight-test-command))
  (midflight-durable-tests-with shell
    (midflight-test-type shell "await stop('till')")
    (midflight-test-press "C-c C-x s")
    (midflight-durable-tests-list midflight-durable-tests-name "^ till +till\\.Till +[0-9a-f]\\{8\\} +[0-9]+ +[0-9]+ s +3\\.")
    (should-error (midflight-test-press "e") :type 'user-error)
    (setq midflight-test-messages nil)
    (cl-letf (((symbol-function 'yes-or-no-p) (lambda (_) t)))
      (midflight-test-press "d"))
    (midflight-test-wait-message "deleted the state of till; it is number 1 of its history")
    (midflight-test-wait "the empty list" (lambda () (equal (buffer-string) "")))
    (cl-letf (((symbol-function 'read-string) (lambda (&rest _) "nobody")))
      (midflight-test-press "h"))
    (midflight-test-wait-message "nobody has no state in")
    (should-not (get-buffer "*midflight-earlier states for counter-project*"))
    (cl-letf (((symbol-function 'read-string) (lambda (&rest _) "till")))
      (midflight-test-press "h"))
    (midflight-durable-tests-list "*midflight-earlier states for counter-project*" "^ +1 +[-0-9]+ [:0-9]+ +[0-9]+ +till\\.Till +deleted")
    (midflight-test-press "RET")
    (midflight-test-wait "the state in the inspector"
                         (lambda () (with-current-buffer (window-buffer (selected-window))
                                      (and (derived-mode-p 'midflight-inspector-mode)
                                           (string-match-p "'total'.*5" (buffer-string))))))
    (midflight-durable-tests-list "*midflight-earlier states for counter-project*" "^ +1 ")
    (cl-letf (((symbol-function 'yes-or-no-p) (lambda (_) t)))
      (midflight-test-press "r")
      (midflight-test-wait-message "till starts with state 1\\'")
      (midflight-test-type shell "pid = await till.Till.start(name='till')")
      (should (string-match-p "\n7\n" (midflight-test-type shell "await call('till', 2)")))
      (midflight-durable-tests-list "*midflight-earlier states for counter-project*" "^ +1 ")
      (midflight-test-press "r"))
    (midflight-test-wait-message "till has state 1; the one before is number [0-9]+")
    (should (string-match-p "\n6\n" (midflight-test-type shell "await call('till', 1)")))))

(provide 'midflight-durable-tests)
;;; midflight-durable-tests.el ends here
