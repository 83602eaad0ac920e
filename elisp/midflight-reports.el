;;; midflight-reports.el --- The reports of supervisors  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The reports of supervisors that the server remembers, newest first: which
;; child ended or did not start, why, and what the supervisor does about it.
;; RET shows one with the fields that OTP's reports have.

;;; Code:

(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-details)
(require 'midflight-process)

(declare-function midflight-crashes "midflight-crash-list" ())
(declare-function midflight-tree "midflight-tree" ())

(midflight-define-keys midflight-reports-mode "Reports"
  ("RET" midflight-report-of-supervisor "Show it")
  ("l" midflight-crashes "Crashes")
  ("T" midflight-tree "Supervision tree")
  "---"
  ("X" midflight-reports-clear "Forget all..."))

(define-derived-mode midflight-reports-mode tabulated-list-mode "Midflight-Reports"
  "Major mode for the list of the reports of supervisors.

\\{midflight-reports-mode-map}"
  (setq tabulated-list-format [("At" 8 t) ("Supervisor" 20 t) ("Child" 16 t) ("Pid" 10 t)
                               ("What" 16 t) ("Then" 26 t) ("Reason" 0 t)]
        tabulated-list-padding 1
        tabulated-list-sort-key nil)
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-reports--refresh))

;;;###autoload
(defun midflight-supervisor-reports ()
  "List what the supervisors of this buffer's project did about their children."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (let ((buffer (midflight-process-buffer "reports" 'midflight-reports-mode)))
       (with-current-buffer buffer
         (midflight-reports--refresh))
       (pop-to-buffer buffer)))))

(defun midflight-reports--refresh (&rest _)
  "Ask for the reports again."
  (midflight-connection-call
   'report/list nil
   (lambda (reports)
     (setq tabulated-list-entries (mapcar #'midflight-reports--entry (reverse reports)))
     (tabulated-list-print t)
     (unless reports
       (message "Midflight: the server remembers no report of a supervisor")))))

(defun midflight-reports--entry (report)
  "Return the entry of REPORT, a plist."
  (list report
        (vector (format-time-string "%T" (plist-get report :at))
                (midflight-reports--supervisor report)
                (plist-get report :child)
                (plist-get report :child-pid)
                (midflight-reports--what report)
                (plist-get report :then)
                (plist-get report :reason))))

(defun midflight-reports--supervisor (report)
  "Return the pid of the supervisor of REPORT, with its name."
  (concat (plist-get report :supervisor)
          (if (plist-get report :name) (format " (%s)" (plist-get report :name)) "")))

(defun midflight-reports--what (report)
  "Return what REPORT is about, in words."
  (replace-regexp-in-string "_" " " (plist-get report :context)))

;;;; One report

(midflight-define-keys midflight-report-of-supervisor-mode "Report"
  ("RET" midflight-details-push "Follow the link")
  ("TAB" forward-button nil)
  ("<backtab>" backward-button nil)
  ("l" midflight-supervisor-reports "All reports"))

(define-derived-mode midflight-report-of-supervisor-mode special-mode "Midflight-Report-Of-Supervisor"
  "Major mode for one report of a supervisor.

\\{midflight-report-of-supervisor-mode-map}"
  (setq-local revert-buffer-function #'ignore))

(defun midflight-report-of-supervisor ()
  "Show the report of this line, with all its fields."
  (interactive)
  (let ((report (or (tabulated-list-get-id)
                    (midflight-user-error "This line has no report; nothing was done")))
        (buffer (midflight-process-buffer "report of a supervisor" 'midflight-report-of-supervisor-mode)))
    (with-current-buffer buffer
      (midflight-reports--draw report))
    (pop-to-buffer buffer)
    (goto-char (point-min))))

(defun midflight-reports--draw (report)
  "Write REPORT, a plist, into this buffer."
  (let ((inhibit-read-only t))
    (erase-buffer)
    (remove-overlays)
    (midflight-details-heading (format "%s, %s" (midflight-reports--what report)
                                       (midflight-time-text (plist-get report :at))))
    (midflight-details-field "Supervisor" (lambda ()
                                            (midflight-details-pid (list (plist-get report :supervisor)
                                                                         (plist-get report :name)))))
    (unless (equal (plist-get report :reason) "")
      (midflight-details-field "Reason" (lambda () (midflight-details-value (plist-get report :reason)))))
    (midflight-details-field "Then" (plist-get report :then))
    (midflight-details-heading "Child")
    (midflight-details-field "Id" (plist-get report :child))
    (unless (equal (plist-get report :child-pid) "")
      (midflight-details-field "Pid" (lambda () (midflight-details-pid (list (plist-get report :child-pid) nil)))))
    (midflight-details-field "Start" (plist-get report :start))
    (midflight-details-field "Arguments" (lambda () (midflight-details-value (plist-get report :arguments))))
    (midflight-details-field "Restart" (plist-get report :restart))
    (midflight-details-field "Shutdown" (plist-get report :shutdown))
    (midflight-details-field "Type" (plist-get report :type))
    (midflight-details-field "Significant" (if (plist-get report :significant) "yes" "no"))
    (set-buffer-modified-p nil)))

(defun midflight-reports-clear ()
  "Forget all reports, on the server, after a question."
  (interactive)
  (when (y-or-n-p "Forget all reports of supervisors? ")
    (midflight-connection-call
     'report/clear nil
     (lambda (count)
       (message "Midflight: %d report%s forgotten" count (if (eql count 1) "" "s"))
       (midflight-reports--refresh)))))

(provide 'midflight-reports)
;;; midflight-reports.el ends here
