;;; midflight-process.el --- What is told of runtime processes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The server tells every editor of a runtime process that crashed, and of one
;; that does not yield.  Both are shown above the prompt of the project's
;; shell; the echo area has the short of it.  `midflight-exit-process' ends a
;; runtime process, also one that keeps the shell itself from answering.

;;; Code:

(require 'midflight-connection)
(require 'midflight-shell)
(require 'midflight-transcript)

(defvar midflight-process--stuck-pid nil
  "The runtime process that was last told of as not yielding, as text.")

(defun midflight-process--crashed (connection crash)
  "Show CRASH, a plist, the end of a runtime process of CONNECTION's server."
  (let ((shell (midflight-shell-of (midflight-connection-root connection))))
    (if shell
        (with-current-buffer shell
          (midflight-transcript-output (plist-get crash :text) 'midflight-error t))
      (message "Midflight: runtime process %s crashed: %s"
               (or (plist-get crash :name) (plist-get crash :pid))
               (plist-get crash :reason)))))

(defun midflight-process--stuck (connection report)
  "Show REPORT, a plist, of a runtime process for which all others wait.
It runs on CONNECTION's server."
  (let ((shell (midflight-shell-of (midflight-connection-root connection))))
    (when shell
      (with-current-buffer shell
        (midflight-transcript-output (plist-get report :text) 'midflight-error t)))
    (setq midflight-process--stuck-pid (plist-get report :pid))
    (message (concat "Midflight: runtime process %s has not yielded for %.0f s, all others wait; "
                     "M-x midflight-exit-process ends it")
             (or (plist-get report :name) (plist-get report :pid))
             (plist-get report :seconds))))

(defun midflight-process--prompt (text default)
  "Return a minibuffer prompt of TEXT and DEFAULT, which may be nil."
  (if default (format "%s (default %s): " text default) (concat text ": ")))

;;;###autoload
(defun midflight-exit-process (pid reason)
  "Send the runtime process PID an exit signal with REASON.
PID is a pid as it is shown, or a registered name.  REASON is `kill' if
left empty: that ends any runtime process, also one that never yields."
  (interactive
   (list (read-string (midflight-process--prompt "End runtime process" midflight-process--stuck-pid)
                      nil nil midflight-process--stuck-pid)
         (read-string (midflight-process--prompt "Exit reason" "kill") nil nil "kill")))
  (when (equal pid "")
    (midflight-user-error "No process named; nothing was done; give a pid like <0.37.0>"))
  (midflight-connection-call
   'process/exit (list pid (if (equal reason "") "kill" reason))
   (lambda (was-alive)
     (message (if was-alive "Midflight: exit signal sent to %s" "Midflight: %s was dead already") pid))
   (lambda (text) (midflight-connection-show-error text))))

(setf (alist-get 'process/crashed midflight-connection-handlers) #'midflight-process--crashed
      (alist-get 'process/stuck midflight-connection-handlers) #'midflight-process--stuck)

(provide 'midflight-process)

;;; midflight-process.el ends here
