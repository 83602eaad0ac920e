;;; midflight-crash.el --- Crashes, and starting again  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The crash buffer.  The steps from a crash to a restart:
;;
;; 1. The server reports that a runtime process has ended by an exception.  The
;;    shell shows the text of the crash, above its prompt.
;; 2. The crash buffer of the project shows the newest crash, as
;;    `midflight-display-crash' says: frames in the version that ran, state,
;;    last message.  n and p go to the crashes after and before it.
;; 3. The user fixes the code and loads it.  r starts the process again in the
;;    current version with the state it had, R also sends it its last message
;;    again, i edits that state first.
;;
;; The server remembers the last fifty crashes, each for an hour; Emacs asks for
;; the details of a crash when it shows it.

;;; Code:

(require 'cl-lib)
(require 'easymenu)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-details)
(require 'midflight-process)
(require 'midflight-server)
(require 'midflight-shell)
(require 'midflight-shell-transcript)

(declare-function midflight-crashes "midflight-crash-list" ())

(defcustom midflight-display-crash t
  "The reaction of Emacs to the crash of a runtime process.
In each case the shell shows its text, and \\[midflight-crashes] lists it."
  :type '(choice (const :tag "The crash buffer is displayed" t)
                 (const :tag "The echo area and the shell say so" note)
                 (const :tag "Only the shell says so" nil))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defconst midflight-crash--kept 50
  "The most crashes that are remembered here, as on the server.")

(defvar midflight-crash--numbers nil
  "Alist of roots and the numbers of their crashes, newest first.")

(defvar-local midflight-crash--due nil "Non-nil while a crash is about to be shown.")
(defvar-local midflight-crash--number nil "The number of the crash shown here.")
(defvar-local midflight-crash--info nil "The server's details of the crash, a plist.")

(declare-function midflight-crash-eval "midflight-crash-eval" (text frame))
(declare-function midflight-crash-show-value "midflight-crash-eval" (text frame))

(defvar midflight-crash-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'midflight-details-push)
    (define-key map (kbd "TAB") #'forward-button)
    (define-key map (kbd "<backtab>") #'backward-button)
    (define-key map "r" #'midflight-crash-restart)
    (define-key map "R" #'midflight-crash-restart-and-resend)
    (define-key map "i" #'midflight-crash-edit-and-restart)
    (define-key map "e" #'midflight-crash-eval)
    (define-key map "d" #'midflight-crash-show-value)
    (define-key map "x" #'midflight-crash-dismiss)
    (define-key map "n" #'midflight-crash-next)
    (define-key map "p" #'midflight-crash-previous)
    (define-key map "l" #'midflight-crashes)
    (define-key map "." #'midflight-crash-source)
    (define-key map "?" #'describe-mode)
    map)
  "Keymap of `midflight-crash-mode'.")

(easy-menu-define midflight-crash-menu midflight-crash-mode-map
  "Menu of `midflight-crash-mode'."
  '("Crash"
    ["Restart with the same state" midflight-crash-restart]
    ["Restart, and send the last message again" midflight-crash-restart-and-resend]
    ["Edit the state and restart..." midflight-crash-edit-and-restart]
    ["Dismiss" midflight-crash-dismiss]
    "---"
    ["Evaluate in the frame..." midflight-crash-eval]
    ["Show a value of the frame in a buffer..." midflight-crash-show-value]
    ["Go to the innermost frame" midflight-crash-source]
    ["Crash before this" midflight-crash-previous]
    ["Crash after this" midflight-crash-next]
    ["All crashes" midflight-crashes]
    "---"
    ["Refresh" revert-buffer]))

(define-derived-mode midflight-crash-mode special-mode "Midflight-Crash"
  "Major mode for the crash of a runtime process.
`next-error' goes through its frames, from the innermost outwards.

\\{midflight-crash-mode-map}"
  (setq-local next-error-function #'midflight-details-next-error)
  (setq-local revert-buffer-function
              (lambda (&rest _) (midflight-crash--show midflight-crash--number)))
  (setq-local word-wrap t))

;;;; Crashes that the server reports

(defun midflight-crash--told (connection crash)
  "Handle CRASH, a plist for the end of a runtime process on CONNECTION's server."
  (let* ((root (midflight-connection-root connection))
         (number (plist-get crash :crash))
         (shell (midflight-shell-of root)))
    (when number
      (setf (alist-get root midflight-crash--numbers nil nil #'equal)
            (seq-take (cons number (midflight-crash--numbers-of root))
                      midflight-crash--kept)))
    (when shell
      (with-current-buffer shell
        (midflight-shell-transcript-output (plist-get crash :text) 'midflight-error t)))
    (when (or midflight-display-crash (not shell))
      (message "Midflight: runtime process %s crashed: %s%s"
               (or (plist-get crash :name) (plist-get crash :pid))
               (plist-get crash :reason)
               (if (eq midflight-display-crash t) ""
                 "; M-x midflight-show-crash shows it")))
    (when (and number (eq midflight-display-crash t))
      (midflight-crash--pop-up connection number))))

(defun midflight-crash--numbers-of (root)
  "Return the numbers of the crashes of the project at ROOT, newest first."
  (cdr (assoc root midflight-crash--numbers)))

(defun midflight-crash--pop-up (connection number)
  "Show crash NUMBER of CONNECTION, without selecting its window.
Do not change a crash buffer that is the current buffer, because the user
is working in it; there \\`n' goes to the newer crash."
  (let ((buffer (with-temp-buffer
                  (setq midflight-connection-buffer-root (midflight-connection-root connection))
                  (midflight-process-buffer "crash" 'midflight-crash-mode))))
    (with-current-buffer buffer
      ;; Many may crash at once; show the first if no other is about to be shown.
      (unless (or midflight-crash--due (eq buffer (window-buffer (selected-window))))
        (setq midflight-crash--due t)
        (midflight-crash--show number
                               (lambda ()
                                 (setq midflight-crash--due nil)
                                 (display-buffer buffer))
                               (lambda (_) (setq midflight-crash--due nil)))))))

(defun midflight-crash--forget (connection _reason)
  "Forget the numbers of the crashes of CONNECTION; a new server has its own."
  (setf (alist-get (midflight-connection-root connection) midflight-crash--numbers
                   nil t #'equal)
        nil))

(setf (alist-get 'process/crashed midflight-connection-handlers) #'midflight-crash--told)
(add-hook 'midflight-connection-closed-functions #'midflight-crash--forget)

;;;; Show

;;;###autoload
(defun midflight-show-crash (&optional number)
  "Show the newest crash of this buffer's project, or the crash NUMBER."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (let ((buffer (midflight-process-buffer "crash" 'midflight-crash-mode)))
       (with-current-buffer buffer
         (midflight-crash--update-numbers
          (lambda (numbers)
            (if (or number numbers)
                (midflight-crash--show (or number (car numbers))
                                       (lambda () (pop-to-buffer buffer)))
              (message "Midflight: the server remembers no crash")))))))))

(defun midflight-crash--update-numbers (callback)
  "Call CALLBACK with the numbers of all crashes, newest first, from the server."
  (midflight-connection-call
   'crash/list nil
   (lambda (crashes)
     (let ((numbers (nreverse (mapcar (lambda (crash) (plist-get crash :crash)) crashes))))
       (setf (alist-get (midflight-connection-root-of-buffer) midflight-crash--numbers
                        nil nil #'equal)
             numbers)
       (funcall callback numbers)))))

(defun midflight-crash--show (number &optional then otherwise)
  "Show crash NUMBER in this buffer, and call THEN.
OTHERWISE gets the text of an error; if it is nil, show that text."
  (midflight-connection-call
   'crash/info (list number)
   (lambda (info)
     (setq midflight-crash--number number
           midflight-crash--info info)
     (midflight-crash--draw)
     (when then
       (funcall then)))
   otherwise))

(defun midflight-crash--draw ()
  "Write the crash into this buffer."
  (let ((info midflight-crash--info)
        (inhibit-read-only t))
    (erase-buffer)
    (remove-overlays)
    (midflight-details-forget-frame)
    (setq next-error-last-buffer (current-buffer)
          header-line-format (midflight-crash--header))
    (insert (propertize (plist-get info :reason) 'face 'error) "\n")
    (midflight-crash--head info)
    (midflight-details-heading "Frames, the innermost last" 'backtrace)
    (midflight-details-frames (plist-get info :frames))
    (midflight-details-heading
     (if (plist-get info :server)
         (format "State: the attributes of %s" (plist-get info :server))
       (format "State: the arguments of %s" (plist-get info :entry))))
    (if (plist-get info :state)
        (midflight-details-items (plist-get info :state) 2)
      (insert "  none\n"))
    (midflight-crash--messages info)
    (midflight-crash--what-to-do info)
    (goto-char (point-min))
    (dolist (window (get-buffer-window-list nil nil t))
      (set-window-point window (point-min)))
    (set-buffer-modified-p nil)))

(defun midflight-crash--header ()
  "Return the header line: the index of this crash and the number of all."
  (let* ((numbers (reverse (midflight-crash--numbers-of midflight-connection-buffer-root)))
         (position (cl-position midflight-crash--number numbers)))
    (if position
        (format " Crash %d of %d; n, p: others; e: evaluate; r, R, i: restart" (1+ position) (length numbers))
      " A crash; e: evaluate; r, R, i: restart")))

(defun midflight-crash--head (info)
  "Insert the head of INFO: the process that crashed, the place and the time."
  (midflight-details-field "Process" (plist-get info :pid)
                           (if (plist-get info :name) (format " (%s)" (plist-get info :name)) ""))
  (midflight-details-field "In" (format "%s%s, %s:%d" (plist-get info :module)
                                        (if (plist-get info :version)
                                            (format " v%d" (plist-get info :version)) "")
                                        (plist-get info :function) (plist-get info :line)))
  (midflight-details-field "Initial call" (plist-get info :initial-call))
  (midflight-details-field "At" (format-time-string "%F %T" (plist-get info :at)))
  (when (plist-get info :links)
    (midflight-details-field "Was linked to"
                             (lambda () (midflight-details-pids (plist-get info :links) 0))))
  (when (plist-get info :supervisor)
    (midflight-details-field "Supervisor"
                             (lambda () (midflight-details-pid (plist-get info :supervisor)))
                             ", which restarts it or not, by its own rule")))

(defun midflight-crash--messages (info)
  "Insert the last message of INFO and the waiting messages."
  (midflight-details-heading "Last message")
  (insert "  ")
  (midflight-details-value (or (plist-get info :last-message) "none"))
  (insert "\n")
  (let ((messages (plist-get info :messages))
        (count (plist-get info :message-count)))
    (when messages
      (midflight-details-heading (format "Messages that waited: %d" count))
      (dolist (message messages)
        (insert "  ")
        (midflight-details-value message)
        (insert "\n"))
      (when (> count (length messages))
        (insert (format "  and %d more\n" (- count (length messages))))))))

(defun midflight-crash--what-to-do (info)
  "Insert the ways to restart the process of INFO, or the reason against it."
  (midflight-details-heading "Start it again")
  (if (plist-get info :refusal)
      (insert "  It cannot be started from here: " (plist-get info :refusal) "\n")
    (insert
     (substitute-command-keys
      "\\<midflight-crash-mode-map>  \\[midflight-crash-restart]  in the current version, with this state and under its name
  \\[midflight-crash-restart-and-resend]  the same, and send it the last message again
  \\[midflight-crash-edit-and-restart]  edit the state first
  Links, monitors and waiting messages do not come back.\n"))))

(defun midflight-crash-source ()
  "Go to the innermost frame of the program, in the version that crashed."
  (interactive)
  (midflight-details-next-error 1 t))

(defun midflight-crash-next (&optional count)
  "Show the crash after this one, or the COUNTth."
  (interactive "p")
  (let* ((numbers (reverse (midflight-crash--numbers-of midflight-connection-buffer-root)))
         (position (cl-position midflight-crash--number numbers))
         (wanted (and position (+ position (or count 1)))))
    (cond ((not position)
           (midflight-user-error "The server no longer remembers this crash; l lists the crashes that it remembers"))
          ((< -1 wanted (length numbers)) (midflight-crash--show (nth wanted numbers)))
          (t (midflight-user-error "No crash %s this one" (if (> (or count 1) 0) "after" "before"))))))

(defun midflight-crash-previous (&optional count)
  "Show the crash before this one, or the COUNTth."
  (interactive "p")
  (midflight-crash-next (- (or count 1))))

;;;; Start again

(defun midflight-crash--restart (number options)
  "Start the process of crash NUMBER again, with OPTIONS, and show the result."
  (midflight-connection-call
   'crash/restart (list number options)
   (lambda (answer)
     (let ((name (plist-get answer :name)))
       (message "Midflight: started again as %s%s%s%s"
                (plist-get answer :pid)
                (if name (format " (%s)" name) "")
                (if (plist-get answer :version)
                    (format " in version %d" (plist-get answer :version)) "")
                (cond ((plist-get answer :resent) "; its last message was sent to it")
                      ((and (plist-get options :resend) (not (plist-get answer :resent)))
                       "; it had no last message")
                      (t "")))))))

(defun midflight-crash-shown ()
  "Return the details of the crash in this buffer, a plist, or nil."
  midflight-crash--info)

(defun midflight-crash-here ()
  "Return the number of the crash of this line or buffer."
  (or (get-text-property (point) 'tabulated-list-id)
      midflight-crash--number
      (midflight-user-error "There is no crash on this line; nothing was done")))

(defun midflight-crash-restart ()
  "Start this process again in the current version, with the state that it had."
  (interactive)
  (midflight-crash--restart (midflight-crash-here) nil))

(defun midflight-crash-restart-and-resend ()
  "Start this process again with its state, and send it its last message again."
  (interactive)
  (midflight-crash--restart (midflight-crash-here) '(:resend t)))

(defun midflight-crash-edit-and-restart ()
  "Edit the state of this process, an expression, and start it again with that.
The expression can use the names of the values that it had."
  (interactive)
  (let ((number (midflight-crash-here)))
    (if (eql number (plist-get midflight-crash--info :crash))
        (midflight-crash--edit number midflight-crash--info)
      (midflight-connection-call
       'crash/info (list number)
       (lambda (info)
         ;; Not from within the answer, which would wait for the user.
         (run-at-time 0 nil #'midflight-crash--edit number info))))))

(defun midflight-crash--edit (number info)
  "Read an expression for the state of crash NUMBER, from INFO, and restart."
  (when (plist-get info :refusal)
    (midflight-user-error "It cannot be started from here: %s" (plist-get info :refusal)))
  (midflight-crash--restart
   number
   (list :arguments (read-string "Start it with: " (plist-get info :edit)))))

(defun midflight-crash-dismiss ()
  "Forget this crash, here and on the server."
  (interactive)
  (let ((number (midflight-crash-here))
        (root midflight-connection-buffer-root))
    (midflight-connection-call
     'crash/dismiss (list number)
     (lambda (_)
       (let* ((numbers (midflight-crash--numbers-of root))
              (left (remove number numbers))
              (next (or (cl-find-if (lambda (each) (< each number)) left) (car (last left)))))
         (setf (alist-get root midflight-crash--numbers nil nil #'equal) left)
         (message "Midflight: the crash is forgotten")
         (cond ((not (eq major-mode 'midflight-crash-mode)) (revert-buffer))
               (next (midflight-crash--show next))
               (t (quit-window t))))))))

(provide 'midflight-crash)
;;; midflight-crash.el ends here
