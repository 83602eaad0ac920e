;;; midflight-application.el --- The applications of the program  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The applications of the program, as OTP has them: supervision trees with a
;; name, which start after those that they need.
;;
;; 1. `midflight-applications' lists them, first those that run, in the order of
;;    their start.
;; 2. RET shows the supervisor of one, T the whole tree at its line.
;; 3. s starts one, with all that it needs; k stops one.

;;; Code:

(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-process)

(declare-function midflight-processes "midflight-process-list" (&optional module))
(declare-function midflight-process-view "midflight-process-view" (pid &optional section))
(declare-function midflight-tree "midflight-tree" (&optional pid))

(midflight-define-keys midflight-applications-mode "Applications"
  ("RET" midflight-application-show "Show its supervisor")
  ("T" midflight-application-tree "Its supervision tree")
  ("P" midflight-processes "Runtime processes")
  "---"
  ("s" midflight-application-start "Start...")
  ("k" midflight-application-stop "Stop..."))

(define-derived-mode midflight-applications-mode tabulated-list-mode "Midflight-Applications"
  "Major mode for the list of applications.
Those that run come first, in the order of their start.  An application is
described by a table of pyproject.toml, or loaded by the program.

\\{midflight-applications-mode-map}"
  (setq tabulated-list-format [("Application" 16 t) ("Status" 9 t) ("Restart" 10 t) ("Supervisor" 11 t)
                               ("Vsn" 8 t) ("Needs" 20 t) ("Description" 0 t)]
        tabulated-list-padding 1
        tabulated-list-sort-key nil
        midflight-process-changed-function #'midflight-application--refresh)
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-application--refresh))

;;;###autoload
(defun midflight-applications ()
  "List the applications of this buffer's project, running or not."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (let ((buffer (midflight-process-buffer "applications" 'midflight-applications-mode)))
       (with-current-buffer buffer
         (midflight-application--refresh))
       (pop-to-buffer buffer)))))

(defun midflight-application--refresh (&rest _)
  "Ask for the applications again."
  (midflight-connection-call
   'application/list nil
   (lambda (applications)
     (setq tabulated-list-entries (mapcar #'midflight-application--entry applications))
     (tabulated-list-print t)
     (unless applications
       (message (concat "Midflight: no application is loaded; "
                        "[tool.midflight.applications.NAME] of pyproject.toml describes one"))))))

(defun midflight-application--entry (application)
  "Return the entry of APPLICATION, a plist."
  (list (plist-get application :name)
        (vector (plist-get application :name)
                (plist-get application :status)
                (plist-get application :restart)
                (or (plist-get application :supervisor) "")
                (plist-get application :vsn)
                (mapconcat #'identity (plist-get application :applications) ", ")
                (plist-get application :description))))

(defun midflight-application--here ()
  "Return the name of the application of this line."
  (or (tabulated-list-get-id)
      (midflight-user-error "This line has no application; nothing was done")))

(defun midflight-application--supervisor ()
  "Return the pid of the supervisor of the application of this line."
  (let* ((name (midflight-application--here))
         (pid (aref (tabulated-list-get-entry) 3)))
    (if (equal pid "")
        (midflight-user-error "%s has no supervisor: it is %s" name (aref (tabulated-list-get-entry) 1))
      pid)))

(defun midflight-application-show ()
  "Show the process of the supervisor of the application of this line."
  (interactive)
  (midflight-process-view (midflight-application--supervisor)))

(defun midflight-application-tree ()
  "Show the supervision tree, at the supervisor of the application of this line."
  (interactive)
  (midflight-tree (midflight-application--supervisor)))

(defun midflight-application-start ()
  "Start the application of this line, and before it all that it needs."
  (interactive)
  (midflight-connection-call
   'application/start (list (midflight-application--here))
   (lambda (names)
     (message "Midflight: started %s" (mapconcat #'identity names ", "))
     (midflight-application--refresh))))

(defun midflight-application-stop ()
  "Stop the application of this line, after a question.
What needs it runs on."
  (interactive)
  (let ((name (midflight-application--here)))
    (if (not (yes-or-no-p (format "Stop the application %s? " name)))
        (message "Midflight: nothing was stopped")
      (midflight-connection-call
       'application/stop (list name)
       (lambda (_)
         (message "Midflight: stopped %s" name)
         (midflight-application--refresh))))))

(provide 'midflight-application)
;;; midflight-application.el ends here
