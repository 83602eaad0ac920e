;;; midflight-plan-tests.el --- The plan of an upgrade  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server, in which a server process of a module runs.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-plan-tests-text "from midflight import GenServer


class Till(GenServer):
    def init(self):
        self.total = 5
"
  "The text of a module.")

(defun midflight-plan-tests-shows (text)
  "Wait until the plan shows TEXT, and go to it."
  (midflight-test-wait
   (format "a plan with %S" text)
   (lambda ()
     (let ((buffer (get-buffer "*midflight-plan for counter-project*")))
       (and buffer (with-current-buffer buffer (string-match-p text (buffer-string)))))))
  (switch-to-buffer "*midflight-plan for counter-project*"))

(ert-deftest midflight-plan-shows-the-steps-and-does-them ()
  "Of what was saved; one that is refused says why."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (save-window-excursion
      (let ((till (midflight-test-visit project "till.py" midflight-plan-tests-text)))
        (switch-to-buffer till)
        (midflight-test-load till)
        (midflight-test-type (midflight-test-shell project) "_ = await till.Till.start(name='till')")
        (switch-to-buffer till)
        (goto-char (point-max))
        (insert "\n    def code_change(self, old_vsn, extra):\n        self.total = [self.total]\n")
        (save-buffer)
        (midflight-test-press "C-c C-x U")
        (midflight-plan-tests-shows "^  make all of it current in one step$")
        (should (string-match-p "^  load till as version 2$" (buffer-string)))
        (should (string-match-p "^  <0\\.[0-9]+\\.0> (till): total=5 -> total=\\[5\\]$" (buffer-string)))
        (should (string-match-p "^till v2 would load" (buffer-string)))

        (setq midflight-test-messages nil)
        (midflight-test-press "u")
        (midflight-test-wait-message "till v2 loaded")
        (switch-to-buffer till)
        (goto-char (point-max))
        (insert "        1 / 0\n\n\nTill.init(\n")
        (save-buffer)
        (switch-to-buffer "*midflight-plan for counter-project*")
        (midflight-test-press "g")
        (midflight-test-wait-message "No plan was made\\|was never closed")))))

(provide 'midflight-plan-tests)
;;; midflight-plan-tests.el ends here
