;;; midflight-reports-tests.el --- The reports of supervisors  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server, in which a child of a supervisor has ended once.

;;; Code:

(require 'midflight-helpers)

(ert-deftest midflight-reports-shows-what-a-supervisor-did ()
  "The list, one report with its fields, and forgetting all."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (save-window-excursion
      (switch-to-buffer (midflight-test-visit project "shop.py" "async def child(price):\n    await receive('never')\n\n\nfrom midflight import receive\n"))
      (midflight-test-load (current-buffer))
      (let ((shell (midflight-test-shell project)))
        (dolist (text '("tree = await Supervisor.start_link([ChildSpec('till', shop.child, (3,))], name='tree')"
                        "(pid,) = [each.pid for each in await Supervisor.which_children(tree)]"
                        "_ = monitor(pid), exit(pid, 'boom'), await receive(Down)"
                        "_ = await Supervisor.which_children(tree)"))
          (midflight-test-type shell text)))
      (setq midflight-test-messages nil)
      (midflight-test-press "C-c C-x r")
      (let ((name "*midflight-reports for counter-project*"))
        (midflight-test-wait "the list"
                             (lambda ()
                               (let ((buffer (get-buffer name)))
                                 (and buffer (buffer-local-value 'tabulated-list-entries buffer)))))
        (switch-to-buffer name))
      (goto-char (point-min))
      (should (re-search-forward "<0\\.[0-9]+\\.0> (tree) +'till' +<0\\.[0-9]+\\.0> +child terminated +it is to be" nil t))
      (should (= (line-number-at-pos) 2)) ; below the newest: that it was started again
      (midflight-test-press "RET")
      (set-buffer (window-buffer (selected-window)))
      (dolist (line '("^child terminated, [0-9]" "^Supervisor +<0\\.[0-9]+\\.0> (tree)$" "^Reason +'boom'$"
                      "^Then +it is to be started again$" "^Start +shop\\.child$" "^Arguments +(3,)$"
                      "^Restart +permanent$" "^Shutdown +5\\.0$" "^Significant +no$"))
        (should (string-match-p line (buffer-string))))
      (midflight-test-press "l")
      (switch-to-buffer "*midflight-reports for counter-project*")
      (cl-letf (((symbol-function 'y-or-n-p) (lambda (_) t)))
        (midflight-test-press "X"))
      (midflight-test-wait-message "3 reports forgotten")
      (midflight-test-wait-message "remembers no report")
      (should (equal (buffer-string) "")))))

(provide 'midflight-reports-tests)
;;; midflight-reports-tests.el ends here
