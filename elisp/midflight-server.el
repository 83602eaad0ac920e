;;; midflight-server.el --- Start, find and stop servers  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The way from a buffer to its server, without waiting for it:
;;
;; 1. `midflight-server-ensure' attaches to the server of the project.
;; 2. If none runs, it starts one, after a question if `midflight-auto-start'
;;    says so: "midflight serve --detach", which ends when the server answers.
;;    The server is not a child of Emacs, and outlives it.
;; 3. Each caller continues in its callback.
;;
;; This file also has the commands on servers: attach to another, leave, stop,
;; restart.

;;; Code:

(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-choose)
(require 'midflight-environment)
(require 'midflight-remote)

(defcustom midflight-auto-start 'ask
  "Whether a command that needs a server starts one if none runs."
  :type '(choice (const :tag "Ask first" ask)
                 (const :tag "Start it" always)
                 (const :tag "Do not start it" never))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defconst midflight-server--start-seconds 30
  "The most seconds that a server may take to start; its imports may be large.")

(defconst midflight-server--stop-seconds 15
  "The most seconds that a server may take to end.
It gives its processes 5 s to unwind.")

;;;; Attach or start

(defun midflight-server-ensure (callback &optional error-callback start)
  "Call CALLBACK when the server of the current buffer's project is attached.
If it is already attached, call CALLBACK at once.  Otherwise attach to the
server that runs, or start one: if START is non-nil without question, else
by `midflight-auto-start'.  Ask the question before returning, and do the
rest later.  ERROR-CALLBACK gets a string if that fails; if it is nil, show
the string.  Both run in the current buffer, unless it has been killed.
Signal `user-error' if no server runs and none may be started."
  ;; A pyproject.toml may have been added since the last look.
  (midflight-connection-forget-root)
  (let ((connection (midflight-connection-of-buffer))
        (waiter (cons (midflight-connection-in-buffer (current-buffer) callback)
                      (midflight-connection-in-buffer
                       (current-buffer)
                       (or error-callback #'midflight-connection-show-error)))))
    (pcase (midflight-connection-state connection)
      ('open (funcall (car waiter)))
      ((and 'closed (guard (file-remote-p (midflight-connection-root connection))))
       (midflight-server--reach connection waiter))
      ('closed
       (let ((server (midflight-rendezvous-server
                      (midflight-connection-root connection))))
         (unless server
           (midflight-server--confirm-start connection start))
         (setf (midflight-connection-waiting connection) (list waiter)
               (midflight-connection-fallback connection)
               (and server
                    (or start (eq midflight-auto-start 'always))
                    (midflight-connection-in-buffer
                     (current-buffer)
                     (lambda () (midflight-server--start connection)))))
         (if server
             (midflight-connection-attach connection server)
           (midflight-server--start connection))))
      (_ (setf (midflight-connection-waiting connection)
               (append (midflight-connection-waiting connection) (list waiter)))))))

(defun midflight-server--reach (connection waiter)
  "Attach CONNECTION, of a project on another machine, for WAITER."
  (let ((root (midflight-connection-root connection)))
    (message "Midflight: looking for the server of %s..." root)
    (midflight-remote-reach
     root
     (lambda (server) (midflight-connection-attach connection server))
     (lambda (why) (midflight-connection-closed connection why)))
    (setf (midflight-connection-waiting connection) (list waiter))
    (when (eq (midflight-connection-state connection) 'closed)
      (midflight-connection-set-state connection 'starting))))

(add-hook 'midflight-connection-closed-functions
          (lambda (connection _reason)
            (midflight-remote-release (midflight-connection-root connection))))

(defun midflight-server--confirm-start (connection start)
  "Signal `user-error' unless a server may be started for CONNECTION.
If START is non-nil, the user has already agreed."
  (let ((root (abbreviate-file-name (midflight-connection-root connection))))
    ;; Do not ask if there is no program to start.
    (midflight-environment-command (midflight-connection-root connection))
    (unless (or start
                (eq midflight-auto-start 'always)
                (and (eq midflight-auto-start 'ask)
                     (y-or-n-p (format "No Midflight server runs for %s; start one? "
                                       root))))
      (midflight-user-error
       "No server runs for %s; none was started; M-x midflight starts one" root))))

(defun midflight-server--start (connection)
  "Start a detached server for CONNECTION and attach to it."
  (let* ((root (midflight-connection-root connection))
         (command (midflight-environment-command root))
         (default-directory (file-name-as-directory root))
         (output (generate-new-buffer " *midflight-serve*"))
         ;; Separate, so that a warning at start is never taken for an answer.
         (errors (generate-new-buffer " *midflight-serve stderr*"))
         timer)
    (message "Midflight: starting the server of %s..." (abbreviate-file-name root))
    (midflight-connection-set-state connection 'starting)
    (condition-case problem
        (let ((process
               (make-process
                :name "midflight-serve" :noquery t :connection-type 'pipe
                :buffer output :stderr errors
                :command (append command (list "serve" "--detach" "--root" root))
                :sentinel
                (lambda (process _event)
                  (unless (process-live-p process)
                    (cancel-timer timer)
                    (midflight-server--started connection process errors))))))
          (let ((pipe (get-buffer-process errors)))
            (set-process-sentinel pipe #'ignore)
            (set-process-query-on-exit-flag pipe nil))
          (setq timer (run-at-time midflight-server--start-seconds nil
                                   #'delete-process process)))
      (error
       ;; If a program cannot be run, some versions of Emacs signal this error,
       ;; and in others the new process fails; show the same text for both.
       (mapc #'kill-buffer (list output errors))
       (midflight-connection-closed
        connection
        (format-message "it did not start: %s; see `midflight-command'"
                        (midflight-environment-why-not-run command problem)))))))

(defun midflight-server--started (connection process errors)
  "Attach CONNECTION now that PROCESS, the start of its server, has ended.
ERRORS is the buffer of its standard error; both its buffers are killed."
  (let* ((root (midflight-connection-root connection))
         (pipe (get-buffer-process errors))
         (output (process-buffer process))
         (text (progn
                 ;; Its last output may still be in the pipe.
                 (while (and pipe (accept-process-output pipe 0)))
                 (string-trim (concat (with-current-buffer errors (buffer-string)) "\n"
                                      (with-current-buffer output (buffer-string))))))
         (server (and (eql 0 (process-exit-status process))
                      (condition-case problem
                          (midflight-rendezvous-server root)
                        (error (setq text (error-message-string problem)) nil)))))
    (mapc #'kill-buffer (list output errors))
    (if server
        (midflight-connection-attach connection server)
      (midflight-server--show-start-failure root text)
      (midflight-connection-closed
       connection
       (concat "it did not start: "
               (cond ((not (string-empty-p text))
                      (car (last (split-string text "\n" t))))
                     ((eq (process-status process) 'signal)
                      (format "no answer within %d s" midflight-server--start-seconds))
                     (t (format "%s ended with status %d and no output"
                                (car (process-command process))
                                (process-exit-status process)))))))))

(defun midflight-server--show-start-failure (root text)
  "Show TEXT, the output of the server of ROOT, which failed to start."
  (with-current-buffer (get-buffer-create "*midflight-start*")
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert (format "The server of %s did not start.\n\n%s\n\nIts log, if it got far enough to write one: %s\n"
                      root text (midflight-rendezvous-log root))))
    (special-mode)
    (display-buffer (current-buffer))))

(defun midflight-server-show-log (root)
  "Show the end of the log of the server of ROOT."
  (let ((file (midflight-rendezvous-log root)))
    (unless (file-readable-p file)
      (midflight-user-error
       "There is no log %s; only a detached server writes one" file))
    (with-current-buffer (get-buffer-create
                          (format "*midflight-server-log for %s*"
                                  (file-name-nondirectory root)))
      (special-mode)
      (let ((inhibit-read-only t))
        (erase-buffer)
        (insert (midflight-server-log-tail root 65536)))
      (setq-local revert-buffer-function
                  (lambda (&rest _) (midflight-server-show-log root)))
      (goto-char (point-max))
      (pop-to-buffer (current-buffer)))))

(defun midflight-server-log-tail (root size)
  "Return the last SIZE bytes of the log of the server of ROOT, whole lines."
  (let* ((file (midflight-rendezvous-log root))
         (length (or (file-attribute-size (file-attributes file)) 0)))
    (with-temp-buffer
      (when (file-readable-p file)
        (insert-file-contents file nil (max 0 (- length size)) length)
        (when (> length size)
          (goto-char (point-min))
          (delete-region (point) (line-beginning-position 2))))
      (buffer-string))))

(defun midflight-server-attach-or-start (&optional start)
  "Attach to the server of this buffer's project and display a message.
START is as in `midflight-server-ensure'."
  (if (midflight-connection-open-p)
      (midflight-connection-announce (midflight-connection-of-buffer))
    (midflight-server-ensure #'ignore nil start)))

;;;; Commands

;;;###autoload
(defun midflight-connect (root)
  "Attach this buffer to the running server of the project at ROOT.
Interactively, choose among the running servers.  A buffer outside that
project uses its connection from then on, and the mode line shows that.

In a buffer of another machine, ROOT is by default its project there; from
then on all buffers of that project are attached.  The server must run there,
and ssh must get in without a question."
  (interactive
   (if (and default-directory (file-remote-p default-directory))
       (list (midflight-remote-find-root (or (midflight-connection-file) default-directory)))
     (let ((roots (midflight-rendezvous-roots))
           (own (midflight-connection-root-of-buffer)))
       (unless roots
         (midflight-user-error "No server runs; nothing was done; M-x midflight starts one"))
       (list (completing-read "Attach to the server of: "
                              (midflight-choose-table 'midflight-project roots) nil t nil nil
                              (and (member own roots) own))))))
  (if (file-remote-p root)
      (midflight-server--connect-far (directory-file-name root))
    (midflight-server--connect-near root)))

(defun midflight-server--connect-far (root)
  "Attach to the running server of the project at ROOT, on another machine."
  (let ((is-known (assoc root midflight-connection-all)))
    (condition-case problem
        (let ((midflight-connection-buffer-root root))
          (midflight-server-attach-or-start))
      (error
       ;; The buffers there have no project, as before.
       (unless is-known
         (setq midflight-connection-all (assoc-delete-all root midflight-connection-all)))
       (signal (car problem) (cdr problem))))
    (unless (midflight-remote-names-root (or (midflight-connection-file) default-directory)
                                         (list root))
      (setq midflight-connection-buffer-root root))))

(defun midflight-server--connect-near (root)
  "Attach this buffer to the running server of the project at ROOT, here."
  (setq midflight-connection-buffer-root (midflight-rendezvous-root root))
  (unless (midflight-rendezvous-server midflight-connection-buffer-root)
    (setq midflight-connection-buffer-root nil)
    (midflight-user-error "No server runs for %s; nothing was done; M-x midflight starts one"
                          root))
  (midflight-server-attach-or-start))

(defun midflight-server--confirm-stop (connection verb)
  "Ask whether to VERB the server of CONNECTION, which ends its processes."
  (let ((count (midflight-connection-count connection)))
    (yes-or-no-p
     (format "%s and their state will be lost.  %s the server of %s? "
             (if count
                 (format "%d runtime process%s" count (if (eql count 1) "" "es"))
               "Runtime processes")
             verb (midflight-connection-project connection)))))

(defun midflight-quit (&optional stop)
  "Leave the server of this buffer's project, without stopping it.
With prefix argument STOP, stop it, which ends its runtime processes."
  (interactive "P")
  (let ((connection (midflight-connection-of-buffer)))
    (midflight-connection-require connection)
    (cond
     ((not stop)
      (midflight-connection-leave connection "you left the server; it keeps running")
      (message "Midflight: left the server of %s; it keeps running (C-u M-x midflight-quit stops one)"
               (midflight-connection-project connection)))
     ((or (not (called-interactively-p 'any))
          (midflight-server--confirm-stop connection "Stop"))
      (midflight-server--stop
       connection
       (lambda ()
         (message "Midflight: the server of %s has stopped"
                  (midflight-connection-project connection))))))))

(defun midflight-server--stop (connection callback)
  "Stop the server of CONNECTION; call CALLBACK when it has ended."
  (message "Midflight: stopping the server of %s..."
           (midflight-connection-project connection))
  (midflight-connection-call
   'server/stop nil
   (lambda (_)
     (when (midflight-connection-open-p connection)
       (midflight-connection-leave connection "the server was stopped"))
     (midflight-server--await-end connection callback
                                  (+ (float-time) midflight-server--stop-seconds)))
   nil midflight-server--stop-seconds))

(defun midflight-server--await-end (connection callback deadline)
  "Call CALLBACK when the server of CONNECTION has ended.
If it has not ended by the time DEADLINE, display a message.  The server
removes its files first, then closes its sockets; its process ends when the
runtime processes have unwound."
  (let ((pid (plist-get (midflight-connection-info connection) :pid)))
    (cond ((and (eq (midflight-connection-state connection) 'closed)
                (not (midflight-rendezvous-alive-p pid)))
           (funcall callback))
          ((< (float-time) deadline)
           (run-at-time 0.05 nil #'midflight-server--await-end
                        connection callback deadline))
          (t (midflight-connection-show-error
              (format "the server of %s (process %d) does not end; see %s"
                      (midflight-connection-root connection) pid
                      (midflight-rendezvous-log
                       (midflight-connection-root connection))))))))

(defun midflight-restart ()
  "Stop the server of this buffer's project and start a new one.
All runtime processes end; shell buffers stay and continue."
  (interactive)
  (let ((connection (midflight-connection-of-buffer)))
    (if (not (midflight-connection-open-p connection))
        (midflight-server-attach-or-start t)
      (when (or (not (called-interactively-p 'any))
                (midflight-server--confirm-stop connection "Restart"))
        (midflight-server--stop
         connection
         ;; Another buffer may be current then; continue in this project.
         (midflight-connection-in-buffer
          (current-buffer)
          (lambda () (midflight-server-attach-or-start t))))))))

(provide 'midflight-server)
;;; midflight-server.el ends here
