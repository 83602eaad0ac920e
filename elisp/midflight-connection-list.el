;;; midflight-connection-list.el --- The list of connections  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The list of projects, one row for each: those whose servers this Emacs is or
;; was attached to, and those whose servers run, found by their files.  A buffer
;; uses the server of its own project, unless the user chose another with d in
;; this list or with `midflight-connect'; the mode line of the buffer names it.
;;
;; This file also has the text of the mode line, and its menu.

;;; Code:

(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)

(defvar midflight-shell-mode)

(defvar-local midflight-connection-list--source nil
  "The buffer from which the list was shown; d chooses its connection.")

(midflight-define-keys midflight-connections-mode "Connections"
  ("d" midflight-connections-use "Use it for the buffer I came from")
  ("a" midflight-connections-attach "Attach to it")
  ("RET" midflight-connections-shell "Its shell")
  ("o" midflight-connections-log "The log of its server")
  "---"
  ("l" midflight-connections-leave "Leave it, it keeps running")
  ("R" midflight-connections-restart "Restart its server...")
  ("C-k" midflight-connections-stop "Stop its server..."))

(define-derived-mode midflight-connections-mode tabulated-list-mode "Midflight-Connections"
  "Major mode for the list of connections.
A * marks the row that the buffer you came from uses.  The state is `open',
`off' (a server runs or ran, but this Emacs is not attached to it),
`starting', `attaching' or `closing'.

\\{midflight-connections-mode-map}"
  (setq tabulated-list-format [("Project" 20 t) ("State" 10 t) ("Pid" 8 nil) ("Port" 6 nil)
                               ("Midflight" 9 nil) ("Python" 8 nil) ("Procs" 6 nil)
                               ("Pending" 8 nil) ("Attached" 26 nil) ("Root" 0 t)]
        tabulated-list-padding 2
        tabulated-list-sort-key nil)
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-connection-list--revert)
  (add-hook 'midflight-connection-opened-functions #'midflight-connection-list--changed)
  (add-hook 'midflight-connection-closed-functions #'midflight-connection-list--changed))

;;;###autoload
(defun midflight-connections ()
  "Show the servers that run and the connections of this Emacs to them."
  (interactive)
  (let ((source (current-buffer)))
    (with-current-buffer (get-buffer-create "*midflight-connections*")
      (unless (derived-mode-p 'midflight-connections-mode)
        (midflight-connections-mode))
      (unless (eq source (current-buffer))
        (setq midflight-connection-list--source source))
      (midflight-connection-list--revert)
      (pop-to-buffer (current-buffer)))))

;;;; Fill

(defun midflight-connection-list--roots ()
  "Return the roots to show: of connections, and of servers that run, sorted."
  (sort (delete-dups (append (mapcar #'car midflight-connection-all)
                             (midflight-rendezvous-roots)))
        #'string<))

(defun midflight-connection-list--entry (root)
  "Return the row of ROOT."
  (let* ((connection (midflight-connection-get root))
         (info (and (midflight-connection-open-p connection)
                    (midflight-connection-info connection)))
         (server (ignore-errors (midflight-rendezvous-server root)))
         (text (lambda (value) (if value (format "%s" value) "-"))))
    (list root
          (vconcat
           (mapcar text
                   (list (midflight-connection-project connection)
                         (midflight-connection-list--state connection server)
                         (or (plist-get info :pid) (plist-get server :pid))
                         (plist-get server :port)
                         (or (plist-get info :version) (plist-get server :version))
                         (plist-get info :python)
                         (midflight-connection-count connection)
                         (and info (midflight-connection-pending connection))
                         (midflight-connection-list--attached info)
                         (abbreviate-file-name root)))))))

(defun midflight-connection-list--state (connection server)
  "Return the word for the state of CONNECTION, whose running SERVER may be nil."
  (pcase (midflight-connection-state connection)
    ('closed (if server "off" "no server"))
    (state (symbol-name state))))

(defun midflight-connection-list--attached (info)
  "Return the names of the clients of the server of INFO, as text, or nil."
  (let ((titles (plist-get info :attached)))
    (and titles (string-join titles "; "))))

(defun midflight-connection-list--redraw ()
  "Show the known rows without asking the servers."
  (setq tabulated-list-entries (mapcar #'midflight-connection-list--entry
                                       (midflight-connection-list--roots)))
  (tabulated-list-print t)
  (midflight-connection-list--show-used))

(defun midflight-connection-list--revert (&rest _)
  "Make the list again, and ask the servers for their state."
  (midflight-connection-list--redraw)
  (pcase-dolist (`(,root . ,connection) midflight-connection-all)
    (when (midflight-connection-open-p connection)
      (let ((midflight-connection-buffer-root root))
        (midflight-connection-call
         'server/info nil
         (lambda (info)
           (setf (midflight-connection-count connection) (plist-get info :processes)
                 (midflight-connection-info connection)
                 (plist-put (copy-sequence (midflight-connection-info connection))
                            :attached (plist-get info :connections)))
           (midflight-connection-list--redraw))
         #'ignore)))))

(defun midflight-connection-list--show-used ()
  "Put a star before the row of the source buffer."
  (let ((source midflight-connection-list--source))
    (midflight-star-rows (lambda (root)
                           (and (buffer-live-p source)
                                (with-current-buffer source
                                  (midflight-connection-uses-p root)))))))

(defun midflight-connection-list--changed (&rest _)
  "Show a connection that opened or closed."
  (let ((list (get-buffer "*midflight-connections*")))
    (when list
      (with-current-buffer list
        (midflight-connection-list--redraw)))))

;;;; The row at point

(defun midflight-connection-list--at-point ()
  "Return the root of the row at point, or signal an error."
  (or (tabulated-list-get-id)
      (midflight-user-error "There is no connection on this line; nothing was done")))

(defun midflight-connection-list--buffer (root)
  "Return a hidden buffer with the connection of ROOT, to run commands in."
  (with-current-buffer (get-buffer-create (format " *midflight %s*" root))
    (setq midflight-connection-buffer-root root
          default-directory (file-name-as-directory root))
    (current-buffer)))

(defun midflight-connection-list--call (command)
  "Call COMMAND interactively for the row at point, as in a buffer of that project."
  (with-current-buffer (midflight-connection-list--buffer (midflight-connection-list--at-point))
    (call-interactively command)))

(defun midflight-connections-use ()
  "Let the buffer that this list was shown from use the connection at point.
On the row of the buffer's own project, undo such a choice.  Attach if
necessary."
  (interactive)
  (let ((root (midflight-connection-list--at-point)))
    (unless (buffer-live-p midflight-connection-list--source)
      (midflight-user-error "The buffer from which this list was shown is gone; nothing was changed"))
    (with-current-buffer midflight-connection-list--source
      (if (or (midflight-connection-open-p (midflight-connection-get root))
              (equal root (midflight-connection-root-of-file (or buffer-file-name default-directory))))
          (setq midflight-connection-buffer-root root)
        (midflight-connect root))
      (force-mode-line-update)
      (message "Midflight: %s uses the server of %s" (buffer-name) (abbreviate-file-name root)))
    (midflight-connection-list--redraw)))

(defun midflight-connections-attach ()
  "Attach to the server of the row at point, or start one."
  (interactive)
  (with-current-buffer (midflight-connection-list--buffer (midflight-connection-list--at-point))
    (midflight-server-attach-or-start)))

(defun midflight-connections-shell ()
  "Show the shell of the row at point."
  (interactive)
  (midflight-connection-list--call 'midflight-shell))

(defun midflight-connections-leave ()
  "Leave the server of the row at point, without stopping it."
  (interactive)
  (midflight-connection-list--call #'midflight-quit))

(defun midflight-connections-restart ()
  "Restart the server of the row at point, after a question."
  (interactive)
  (midflight-connection-list--call #'midflight-restart))

(defun midflight-connections-stop ()
  "Stop the server of the row at point, after a question.
That ends its runtime processes."
  (interactive)
  (let ((current-prefix-arg '(4)))
    (midflight-connection-list--call #'midflight-quit)))

(defun midflight-connections-log ()
  "Show the log of the server of the row at point."
  (interactive)
  (midflight-server-show-log (midflight-connection-list--at-point)))

;;;; The mode line

(defvar midflight-connection-lighter-map
  (let ((map (make-sparse-keymap)))
    (define-key map [mode-line mouse-1] 'midflight-connection-menu)
    (define-key map [mode-line mouse-3] 'midflight-connections)
    map)
  "Keymap of the connection's mode-line text.")

(defun midflight-connection-lighter ()
  "Return the mode-line text for the connection of the current buffer.
It has the project, then the state of the connection if it is not open, or
the number of runtime processes; `mouse-1' pops up a menu."
  (let* ((place (or buffer-file-name default-directory))
         (connection (ignore-errors (midflight-connection-of-buffer))))
    (propertize
     (if (not connection)
         (if (and place (file-remote-p place)) " Midflight[remote]" " Midflight[no project]")
       (format " Midflight[%s%s]"
               (midflight-connection-project connection)
               (midflight-connection-status connection)))
     'local-map midflight-connection-lighter-map
     'mouse-face 'mode-line-highlight
     'help-echo (concat (and connection
                             (format "%s, server %s\n" (midflight-connection-root connection)
                                     (midflight-connection-state connection)))
                        "mouse-1: menu, mouse-3: list of connections"))))

(defun midflight-connection-status (connection)
  "Return the text for the state of CONNECTION in the mode line."
  (pcase (midflight-connection-state connection)
    ('closed ":off")
    ('open (let ((count (midflight-connection-count connection)))
             (cond ((not (zerop (midflight-connection-pending connection))) ":busy")
                   (count (format " %d" count))
                   (t ""))))
    (state (format ":%s" state))))

;;;###autoload
(defun midflight-connection-menu (event)
  "Pop up the menu of the connection at EVENT, a click on the mode line."
  (interactive "e")
  (with-selected-window (posn-window (event-start event))
    (let ((command (x-popup-menu event (midflight-connection-list--menu))))
      (when command
        (call-interactively (car (last command)))))))

(defun midflight-connection-list--menu ()
  "Return the menu of the current buffer's connection."
  (let ((map (make-sparse-keymap
              (let ((connection (ignore-errors (midflight-connection-of-buffer))))
                (if connection
                    (format "%s: %s" (midflight-connection-project connection)
                            (midflight-connection-state connection))
                  "Midflight")))))
    (pcase-dolist (`(,command . ,text)
                   (reverse '((midflight-shell . "Shell")
                              (midflight . "Attach or start a server")
                              (midflight-connect . "Attach to another server...")
                              (midflight-connections . "All connections")
                              (midflight-restart . "Restart the server...")
                              (midflight-quit . "Leave the server")
                              (midflight-doctor . "Doctor")
                              (midflight-toggle-log . "Log of the protocol"))))
      (define-key map (vector command) (list 'menu-item text command)))
    map))

(provide 'midflight-connection-list)
;;; midflight-connection-list.el ends here
