;;; midflight-crash-list.el --- The list of crashes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The crashes that the server remembers, newest first, with the keys of
;; `midflight-crash-mode'.

;;; Code:

(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-crash)
(require 'midflight-server)

(midflight-define-keys midflight-crashes-mode "Crashes"
  ("RET" midflight-crashes-show "Show it")
  ("r" midflight-crash-restart "Restart with the same state")
  ("R" midflight-crash-restart-and-resend "Restart, and send the last message again")
  ("i" midflight-crash-edit-and-restart "Edit the state and restart...")
  ("x" midflight-crash-dismiss "Dismiss")
  ("s" midflight-supervisor-reports "Reports of supervisors")
  ("X" midflight-crashes-dismiss-all "Dismiss all..."))

(declare-function midflight-supervisor-reports "midflight-reports" ())

(define-derived-mode midflight-crashes-mode tabulated-list-mode "Midflight-Crashes"
  "Major mode for the list of crashes of runtime processes.

\\{midflight-crashes-mode-map}"
  (setq tabulated-list-format [("At" 8 t) ("Pid" 10 t) ("Name" 14 t) ("In" 30 t) ("Reason" 0 t)]
        tabulated-list-padding 1
        tabulated-list-sort-key nil)
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-crash-list--refresh))

;;;###autoload
(defun midflight-crashes ()
  "List the crashes of this buffer's project that the server remembers."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (let ((buffer (midflight-process-buffer "crashes" 'midflight-crashes-mode)))
       (with-current-buffer buffer
         (midflight-crash-list--refresh))
       (pop-to-buffer buffer)))))

(defun midflight-crash-list--refresh (&rest _)
  "Ask for the crashes again."
  (midflight-connection-call
   'crash/list nil
   (lambda (crashes)
     (setq tabulated-list-entries (mapcar #'midflight-crash-list--entry (reverse crashes)))
     (tabulated-list-print t)
     (unless crashes
       (message "Midflight: the server remembers no crash")))))

(defun midflight-crash-list--entry (crash)
  "Return the entry of CRASH, a plist."
  (list (plist-get crash :crash)
        (vector (format-time-string "%T" (plist-get crash :at))
                (plist-get crash :pid)
                (or (plist-get crash :name) "")
                (format "%s%s, %s:%d" (plist-get crash :module)
                        (if (plist-get crash :version)
                            (format " v%d" (plist-get crash :version)) "")
                        (plist-get crash :function) (plist-get crash :line))
                (plist-get crash :reason))))

(defun midflight-crashes-show ()
  "Show the crash of this line."
  (interactive)
  (midflight-show-crash (midflight-crash-here)))

(defun midflight-crashes-dismiss-all ()
  "Forget all crashes, here and on the server, after a question."
  (interactive)
  (when (y-or-n-p "Forget all crashes? ")
    (midflight-connection-call
     'crash/dismiss '(nil)
     (lambda (count)
       (message "Midflight: %d crash%s forgotten" count (if (eql count 1) "" "es"))
       (midflight-crash-list--refresh)))))

(provide 'midflight-crash-list)
;;; midflight-crash-list.el ends here
