;;; midflight-upgrade-tests.el --- Loads that upgrade live servers  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Several modules with live servers, loaded together with a real server, by
;; the key that is bound to it.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-upgrade-tests-till
  "from midflight import GenServer


class Till(GenServer):
    def init(self, total):
        self.total = total

    def handle_call(self, request, client):
        return self.total
"
  "A module with a server.")

(defconst midflight-upgrade-tests-change
  "
    def code_change(self, old_vsn, extra):
        self.total = [self.total]
"
  "What its next version brings.")

(defun midflight-upgrade-tests-append (buffer text)
  "Put TEXT at the end of BUFFER and save it."
  (with-current-buffer buffer
    (goto-char (point-max))
    (insert text)
    (save-buffer)))

(defun midflight-upgrade-tests-load-modified (buffer regexp)
  "Press the key that loads what was modified in BUFFER; wait for REGEXP."
  (setq midflight-test-messages nil)
  (with-current-buffer buffer
    (midflight-test-press "C-c C-x l"))
  (midflight-test-wait-message regexp))

(defun midflight-upgrade-tests-lines (buffer)
  "Return the lines of the notes in BUFFER."
  (with-current-buffer buffer
    (mapcar (lambda (note) (line-number-at-pos (flymake-diagnostic-beg note)))
            (flymake-diagnostics))))

(ert-deftest midflight-modified-modules-upgrade-their-servers ()
  "All or none: a `code_change' that fails keeps the servers of both modules.
The report names the servers, and the line is marked in its file."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((first (midflight-test-visit project "first.py" midflight-upgrade-tests-till))
          (second (midflight-test-visit project "second.py" midflight-upgrade-tests-till)))
      (midflight-test-load first)
      (midflight-test-load second)
      (let ((shell (midflight-test-shell project)))
        (midflight-test-type shell "a = await first.Till.start(1, name='a')")
        (midflight-test-type shell "b = await second.Till.start(2, name='b')")
        (midflight-upgrade-tests-append first midflight-upgrade-tests-change)
        (midflight-upgrade-tests-append
         second (concat midflight-upgrade-tests-change "        raise ValueError(self.total)\n"))
        (midflight-upgrade-tests-load-modified
         first "\\`second not upgraded: line 13, .*With it none of the modules was loaded\\.  Or e in the report: edit that state\\'")
        (should (string-match-p "(1, 2)" (midflight-test-type shell "await call(a, 0), await call(b, 0)")))
        (should (equal (midflight-upgrade-tests-lines second) '(13)))
        (should-not (midflight-upgrade-tests-lines first))
        (with-current-buffer midflight-report-buffer
          (should (string-match-p "^  <0\\.[0-9]+\\.0> (b)  Till of version 1, code_change" (buffer-string)))
          (should (string-match-p "ValueError: \\[2\\]" (buffer-string))))
        (with-current-buffer second
          (goto-char (point-max))
          (forward-line -1)
          (delete-region (point) (point-max))
          (save-buffer))
        (midflight-upgrade-tests-load-modified
         second "\\`2 modules loaded: first v2, second v2; 2 servers upgraded by code_change\\'")
        (should (string-match-p "(\\[1\\], \\[2\\])"
                                (midflight-test-type shell "await call(a, 0), await call(b, 0)")))
        (should-not (midflight-upgrade-tests-lines second))
        (with-current-buffer midflight-report-buffer
          (dolist (server '("(a)  Till of version 1, code_change(" "    -> total=[1]"
                            "(b)  Till of version 1, code_change(" "    -> total=[2]"))
            (goto-char (point-min))
            (should (search-forward server nil t))))))))

(ert-deftest midflight-inherited-code-change-that-fails-is-marked-where-it-is ()
  "In the file of the base, though the report is of the module of the server."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((base (midflight-test-visit project "base.py" midflight-upgrade-tests-till))
          (leaf (midflight-test-visit project "leaf.py"
                                      "import base\n\n\nclass Leaf(base.Till):\n    pass\n")))
      (midflight-test-load base)
      (midflight-test-load leaf)
      (midflight-test-type (midflight-test-shell project) "await leaf.Leaf.start(1)")
      (midflight-upgrade-tests-append leaf "    # changed\n")
      (midflight-upgrade-tests-append
       base (concat midflight-upgrade-tests-change "        raise ValueError\n"))
      (midflight-upgrade-tests-load-modified base "\\`leaf not upgraded: base\\.py line 13, ")
      (should (equal (midflight-upgrade-tests-lines base) '(13)))
      (should-not (midflight-upgrade-tests-lines leaf)))))

(provide 'midflight-upgrade-tests)
;;; midflight-upgrade-tests.el ends here
