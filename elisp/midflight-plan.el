;;; midflight-plan.el --- The plan of an upgrade of all that was saved  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The plan of an upgrade, as `midflight upgrade --plan' makes it:
;;
;; 1. `midflight-plan' has the server rehearse an upgrade of all modules whose
;;    files were saved, and shows the steps in their order: the modules as they
;;    are made, and what becomes of each server.  Nothing is changed.
;; 2. u does it; g makes the plan again.

;;; Code:

(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-details)
(require 'midflight-process)

(declare-function midflight-applications "midflight-application" ())
(declare-function midflight-load-modified "midflight-code" ())

(midflight-define-keys midflight-plan-mode "Plan"
  ("u" midflight-load-modified "Do it")
  ("A" midflight-applications "Applications"))

(define-derived-mode midflight-plan-mode special-mode "Midflight-Plan"
  "Major mode for the plan of an upgrade.

\\{midflight-plan-mode-map}"
  (setq-local revert-buffer-function #'midflight-plan--refresh))

;;;###autoload
(defun midflight-plan ()
  "Show what an upgrade of all modules that were saved would do, step by step.
The upgrade is rehearsed; nothing is changed.  \\<midflight-plan-mode-map>\
In the plan \\[midflight-load-modified] does it."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (let ((buffer (midflight-process-buffer "plan" 'midflight-plan-mode)))
       (with-current-buffer buffer
         (midflight-plan--refresh))
       (pop-to-buffer buffer)))))

(defun midflight-plan--refresh (&rest _)
  "Have the plan made again."
  (midflight-connection-call
   'code/plan (list nil)
   #'midflight-plan--draw
   (lambda (text)
     (let ((inhibit-read-only t))
       (erase-buffer))
     (midflight-connection-show-error text))))

(defun midflight-plan--draw (plan)
  "Write PLAN, a plist, into this buffer."
  (let ((inhibit-read-only t)
        (is-refused (equal (plist-get plan :status) "failed")))
    (erase-buffer)
    (midflight-details-heading (if is-refused "The upgrade would be refused" "Steps of the upgrade"))
    (unless is-refused
      (dolist (step (plist-get plan :does))
        (insert "  " step "\n")))
    (midflight-details-heading "Its rehearsal")
    (insert (plist-get plan :text) "\n")
    (set-buffer-modified-p nil)
    (goto-char (point-min))))

(provide 'midflight-plan)
;;; midflight-plan.el ends here
