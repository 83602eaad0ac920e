;;; midflight-application-tests.el --- The list of applications  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server, in which two applications are loaded: one needs the other.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-application-tests-buffer "*midflight-applications for counter-project*"
  "The name of the buffer with the list.")

(defun midflight-application-tests-wait (row)
  "Wait until a line of the list matches ROW, and go there."
  (midflight-test-wait
   (format "the line %S" row)
   (lambda ()
     (let ((buffer (get-buffer midflight-application-tests-buffer)))
       (and buffer
            (with-current-buffer buffer
              (goto-char (point-min))
              (re-search-forward row nil t))))))
  (switch-to-buffer midflight-application-tests-buffer)
  (goto-char (point-min))
  (re-search-forward row)
  (beginning-of-line))

(ert-deftest midflight-applications-are-listed-started-and-stopped ()
  "From the list: one with all that it needs; its supervisor, its tree, its end."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (save-window-excursion
      (switch-to-buffer
       (midflight-test-visit project "desk.py" "from midflight import Supervisor


def start(kind, args):
    return Supervisor.start_link([], name='desk_tree')
"))
      (midflight-test-load (current-buffer))
      (let ((shell (midflight-test-shell project)))
        (dolist (text '("from midflight.otp import application"
                        "application.load(application.ApplicationSpec('store', vsn='7'))"
                        "application.load(application.ApplicationSpec('desk', 'desk', applications=['store'], description='Sells.'))"))
          (midflight-test-type shell text)))
      (midflight-test-press "C-c C-x A")
      (midflight-application-tests-wait "^ *store +loaded +temporary +7 ")
      (midflight-application-tests-wait "^ *desk +loaded +temporary +store +Sells\\.")
      (should-error (midflight-test-press "RET") :type 'user-error)
      (should-error (midflight-test-press "T") :type 'user-error)

      (midflight-test-press "s")
      (midflight-test-wait-message "started store, desk")
      (midflight-application-tests-wait "^ *desk +running +temporary +<0\\.[0-9]+\\.0> +store +Sells\\.")
      (let ((pid (aref (tabulated-list-get-entry) 3)))
        (midflight-test-press "RET")
        (midflight-test-wait "the view of the supervisor"
                             (lambda () (get-buffer (format "*midflight-process %s for counter-project*" pid))))
        (switch-to-buffer midflight-application-tests-buffer)
        (midflight-test-press "T")
        (midflight-test-wait "its line in the tree"
                             (lambda ()
                               (with-current-buffer "*midflight-tree for counter-project*"
                                 (equal (get-text-property (line-beginning-position) 'midflight-key) pid)))))

      (switch-to-buffer midflight-application-tests-buffer)
      (midflight-test-press "s")
      (midflight-test-wait-message "desk runs already")
      (cl-letf (((symbol-function 'yes-or-no-p) (lambda (_) t)))
        (midflight-test-press "k"))
      (midflight-test-wait-message "stopped desk")
      (midflight-application-tests-wait "^ *desk +loaded "))))

(provide 'midflight-application-tests)
;;; midflight-application-tests.el ends here
