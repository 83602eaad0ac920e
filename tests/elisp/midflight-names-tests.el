;;; midflight-names-tests.el --- Lists of names, scratch buffers  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-names-tests-text
  "import os

RATE = 2


class Till:
    def pay(self, amount):
        return amount * RATE
"
  "A module with names of its own and an import.")

(defmacro midflight-names-tests-with (&rest body)
  "Run BODY in a buffer of a loaded module."
  (declare (indent 0) (debug t))
  `(progn
     (skip-unless (midflight-test-command))
     (midflight-test-in-project project
       (save-window-excursion
         (switch-to-buffer (midflight-test-visit project "till.py" midflight-names-tests-text))
         (midflight-test-load (current-buffer))
         (midflight-test-shell project)
         (setq midflight-test-messages nil)
         ,@body))))

(defun midflight-names-tests-list (name)
  "Return the list in the buffer NAME, once it is filled, as strings."
  (with-current-buffer (midflight-test-wait name (lambda ()
                                                   (let ((buffer (get-buffer name)))
                                                     (and buffer
                                                          (buffer-local-value 'tabulated-list-entries buffer)
                                                          buffer))))
    (mapcar (lambda (entry) (mapconcat #'substring-no-properties (cadr entry) " | "))
            tabulated-list-entries)))

(ert-deftest midflight-browse-module-lists-its-names ()
  "With kind, version and value; RET goes to a definition, w copies the name."
  (midflight-names-tests-with
    (midflight-test-press "C-c C-x n")
    (should (equal (midflight-names-tests-list "*midflight-names for counter-project*")
                   '("till | RATE | int |  | 2" "till | Till | class | v1 | ()"
                     "till | Till.pay | function | v1 | (self, amount)")))
    (pop-to-buffer "*midflight-names for counter-project*")
    (goto-char (point-min))
    (search-forward "Till.pay")
    (let ((kill-ring nil))
      (midflight-test-press "w")
      (should (equal (current-kill 0) "till.Till.pay")))
    (midflight-test-press "RET")
    (should (looking-at "pay(self, amount)"))))

(ert-deftest midflight-apropos-finds-words ()
  "In any order and case, as a list and for Xref."
  (midflight-names-tests-with
    (midflight-apropos "PAY till")
    (should (equal (midflight-names-tests-list "*midflight-apropos for counter-project*")
                   '("till | Till.pay | function | v1 | (self, amount)")))
    (let ((found (xref-backend-apropos 'midflight "rate")))
      (should (equal (mapcar #'xref-item-summary found) '("int till.RATE"))))))

(ert-deftest midflight-scratch-has-the-names-of-the-shell ()
  "It is one buffer for each project, and visits no file."
  (midflight-names-tests-with
    (midflight-test-press "C-c C-x S")
    (let ((scratch (current-buffer)))
      (goto-char (point-max))
      (insert "till.RATE * 21")
      (midflight-test-press "C-x C-e")
      (midflight-test-wait-message "\\`42\\'")
      (switch-to-buffer "till.py")
      (midflight-scratch)
      (should (eq (current-buffer) scratch)))))

(ert-deftest midflight-template-brings-its-imports ()
  "Once, behind the docstring of the module; the text loads."
  (midflight-names-tests-with
    (erase-buffer)
    (insert "\"\"\"A module.\"\"\"\n\n\n")
    (midflight-insert-template "server" "Counter")
    (insert "\n\n")
    (midflight-insert-template "server" "Other")
    (insert "\n\n")
    (midflight-insert-template "loop" "run")
    (should (string-prefix-p "\"\"\"A module.\"\"\"\nfrom midflight import receive\nfrom midflight.code import current\nfrom midflight import GenServer\n\n"
                             (buffer-string)))
    (should (string-prefix-p "till v2 loaded" (midflight-test-load (current-buffer))))
    (midflight-eval-expression "run.__name__, Counter.__name__, Other.__name__")
    (midflight-test-wait-message "\\`('run', 'Counter', 'Other')\\'")))

(provide 'midflight-names-tests)
;;; midflight-names-tests.el ends here
