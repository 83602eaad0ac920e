;;; midflight-shell-session.el --- The session behind a shell buffer  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The session behind a shell buffer.  A session lives in the server; a shell
;; buffer shows it.  The life of a session:
;;
;; 1. A buffer without a session opens one: the session that it has lost, else
;;    the session whose editor was the last to disconnect, else a new one.  A
;;    session is never taken from an editor that is connected.
;; 2. Inputs are evaluated one after the other; an input that comes meanwhile
;;    waits for the next prompt.
;; 3. When its editor is gone, perhaps killed, the session waits in the server
;;    with its bindings, its number, its evaluation, and the output of its
;;    processes.  The next editor that takes it up shows who had it and until
;;    when; then follows the output from meanwhile, within limits, and the last
;;    inputs are in the history.
;; 4. C-u C-c C-z asks instead: for a new session, or a waiting one.  The current
;;    session is set aside, and waits in its turn.
;; 5. If the buffer is killed, the session waits as in 3; `midflight-shell-end'
;;    ends it.

;;; Code:

(require 'cl-lib)
(require 'comint)
(require 'ring)
(require 'subr-x)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-choose)
(require 'midflight-shell-history)
(require 'midflight-shell-text)
(require 'midflight-look)
(require 'midflight-shell-transcript)

(declare-function midflight-shell-make "midflight-shell" (connection))

(defvar-local midflight-shell-session-state 'off
  "The state of this shell: `off', `opening', `ready' or `busy'.")
(defvar-local midflight-shell-session-number nil "The server's number of this shell.")
(defvar-local midflight-shell-session-prompt 1 "The number of the prompt.")
(defvar-local midflight-shell-session-question nil
  "The question of a process that stands in place of the prompt, a plist, or nil.")
(defvar-local midflight-shell-session-module nil
  "The module in which inputs are evaluated, or nil for the names of the shell.")
(defvar-local midflight-shell-session--lost nil
  "The session that was lost with its connection: (SERVER-PID . SESSION).")
(defvar-local midflight-shell-session--queue nil
  "Evaluations that wait for a prompt, oldest first.
Each is a list of arguments of `midflight-shell-session-evaluate'.")
(defvar-local midflight-shell-session--running nil "The text that is being evaluated.")
(defvar-local midflight-shell-session--inputs nil
  "Inputs that are not in the history file yet, newest first.")

(defvar midflight-shell-session-lost-hook nil
  "Hook run in a shell whose connection has ended, before it is told of.")

(defvar midflight-shell-session-ready-hook nil
  "Hook run in a shell that has a prompt and no evaluation that waits for it.")

;;;; Find

(defun midflight-shell-of (root &optional session)
  "Return the shell buffer of the project at ROOT, or nil.
With SESSION, only if it is the server's session of that number."
  (cl-find-if (lambda (buffer)
                (with-current-buffer buffer
                  (and (derived-mode-p 'midflight-shell-mode)
                       (equal midflight-connection-buffer-root root)
                       (or (null session) (eql session midflight-shell-session-number)))))
              (buffer-list)))

(defun midflight-shell-busy-p ()
  "Return non-nil during an evaluation in the shell of this buffer's project."
  (let ((shell (midflight-shell-of (midflight-connection-root-of-buffer))))
    (and shell (eq (buffer-local-value 'midflight-shell-session-state shell) 'busy))))

(defun midflight-shell-session--set-state (state)
  "Give this shell the state STATE and show it."
  (setq midflight-shell-session-state state)
  (force-mode-line-update))

(defun midflight-shell-session--server-pid ()
  "Return the process id of the server of this buffer, or nil."
  (plist-get (midflight-connection-info (midflight-connection-of-buffer)) :pid))

;;;; Open, lose, end

(defun midflight-shell-session-open (shell &optional wanted)
  "Open a session for SHELL, if it has none: the lost session, if it waits.
WANTED is as in `midflight-shell-session--wanted'."
  (with-current-buffer shell
    (when (eq midflight-shell-session-state 'off)
      (midflight-shell-session--set-state 'opening)
      (let ((lost (and (not wanted)
                       (eql (car midflight-shell-session--lost) (midflight-shell-session--server-pid))
                       (cdr midflight-shell-session--lost))))
        (midflight-connection-call
         'shell/open (list (append '(:writers t :keep t) (midflight-shell-session--wanted lost wanted)))
         (lambda (session) (midflight-shell-session--opened session lost))
         (lambda (text)
           (midflight-shell-session--set-state 'off)
           (midflight-shell-transcript-output (format "No shell: %s" text)
                                              'midflight-error t)))))))

(defun midflight-shell-session--wanted (lost wanted)
  "Return the arguments of `shell/open' for WANTED.
WANTED is the number of a waiting session, `new' for a new one, or nil for
LOST, the session that this buffer has had, or one whose editor is gone."
  (cond ((integerp wanted) (list :take wanted))
        (wanted nil)
        (lost (list :resume lost))
        (t (list :take t))))

(defun midflight-shell-session--opened (session lost)
  "Go on with SESSION, the server's answer; LOST was wanted if it is non-nil."
  (setq midflight-shell-session-number (plist-get session :session)
        midflight-shell-session-module (plist-get session :module)
        midflight-shell-session--lost nil)
  (midflight-shell-transcript-output (midflight-shell-text-opening session lost) 'midflight-notice t)
  (unless (eql midflight-shell-session-number lost)
    (midflight-shell-session--remember-inputs (plist-get session :inputs)))
  (mapc #'midflight-shell-session--show-answer (plist-get session :answers))
  (if (not (plist-get session :busy))
      (midflight-shell-session-ready (plist-get session :number))
    (midflight-shell-session--set-state 'busy)
    (midflight-connection-call
     'shell/wait (list midflight-shell-session-number)
     (lambda (answers)
       (mapc #'midflight-shell-session--show-answer answers)
       (midflight-shell-session-ready (if answers (plist-get (car (last answers)) :number)
                                        (plist-get session :number))))
     #'ignore)))

(defun midflight-shell-session-reopen (connection)
  "Open a session for the shell of CONNECTION, if it has a shell."
  (let ((shell (midflight-shell-of (midflight-connection-root connection))))
    (when shell
      (midflight-shell-session-open shell))))

(defun midflight-shell-session-closed (connection reason)
  "Write in the shell of CONNECTION that the connection ended for REASON."
  (let ((shell (midflight-shell-of (midflight-connection-root connection))))
    (when shell
      (with-current-buffer shell
        (midflight-shell-session--set-state 'off)
        (run-hooks 'midflight-shell-session-lost-hook)
        (midflight-shell-transcript-remove-prompt)
        (midflight-shell-transcript-output
         (format "Not connected: %s.  Text and history stay; RET connects again."
                 reason)
         'midflight-notice t)
        (setq midflight-shell-session--lost (and midflight-shell-session-number
                                                 (cons (midflight-shell-session--server-pid)
                                                       midflight-shell-session-number))
              midflight-shell-session-number nil
              midflight-shell-session--queue nil)
        (midflight-shell-session--set-state 'off)))))

(defun midflight-shell-session-leave ()
  "Save the history of this shell, and let its session wait in the server.
This is as if Emacs was killed: the next shell of this project takes the
session up, and an evaluation goes on."
  (midflight-shell-session--remember)
  (midflight-shell-session--save)
  (when (and midflight-shell-session-number (midflight-connection-open-p))
    (midflight-connection-call 'shell/park (list midflight-shell-session-number t)
                               #'ignore #'ignore)
    (message "Midflight: shell %d waits in the server; M-x midflight-shell takes it up, M-x midflight-shell-end in it ends it"
             midflight-shell-session-number)))

(defun midflight-shell-end ()
  "End the session of this shell, with its bindings, and kill the buffer.
An evaluation is interrupted first.  Runtime processes go on."
  (interactive)
  (when (and midflight-shell-session-number (midflight-connection-open-p))
    ;; The server closes the session after the evaluation.
    (when (eq midflight-shell-session-state 'busy)
      (midflight-connection-call 'interrupt (list midflight-shell-session-number)
                                 #'ignore #'ignore))
    (midflight-connection-call 'shell/close (list midflight-shell-session-number)
                               #'ignore #'ignore))
  (setq midflight-shell-session-number nil)
  (kill-buffer))

(defun midflight-shell-session--remember-inputs (inputs)
  "Put INPUTS, of a session that another editor has had, into the history."
  (dolist (input inputs)
    (let ((input (string-trim-right input)))
      (unless (ring-member comint-input-ring input)
        (comint-add-to-input-history input)
        (push input midflight-shell-session--inputs)))))

;;;; Choose a session

(defun midflight-shell-session-choose (callback)
  "Ask for the shell of the project; call CALLBACK with its buffer.
The choice is a new shell, or one that waits on the server."
  (midflight-connection-call
   'shell/parked nil
   (lambda (rows)
     ;; Not from within the answer, which would wait for the user.
     (run-at-time 0 nil
                  (midflight-connection-in-buffer
                   (current-buffer)
                   (lambda () (midflight-shell-session--ask rows callback)))))))

(defun midflight-shell-session--ask (rows callback)
  "Ask for one of ROWS, plists of the server, or a new shell; call CALLBACK."
  (let* ((connection (midflight-connection-of-buffer))
         (shell (midflight-shell-of (midflight-connection-root connection)))
         (choices (append (mapcar (lambda (row)
                                    (cons (midflight-shell-text-row row) (plist-get row :session)))
                                  (reverse rows))
                          '(("a new shell" . new))))
         (completion-ignore-case t)
         (wanted (cdr (assoc (completing-read (format "Shell (default %s): " (caar choices))
                                              (midflight-choose-table 'midflight-shell choices)
                                              nil t nil nil (caar choices))
                             choices)))
         (shell (or shell (midflight-shell-make connection))))
    (with-current-buffer shell
      (pcase midflight-shell-session-state
        ('off (midflight-shell-session-open shell wanted))
        ('ready (midflight-shell-session--set-aside wanted))
        (_ (midflight-user-error
            "An evaluation runs in the shell; nothing was done; %s interrupts it"
            (substitute-command-keys "\\<midflight-shell-mode-map>\\[midflight-interrupt]")))))
    (funcall callback shell)))

(defun midflight-shell-session--set-aside (wanted)
  "Set the session of this shell aside, and open WANTED in its place."
  (let ((session midflight-shell-session-number))
    (midflight-shell-session--set-state 'opening)
    (midflight-connection-call
     'shell/park (list session)
     (lambda (_)
       (midflight-shell-transcript-remove-prompt)
       (midflight-shell-transcript-output (format "Shell %d is set aside and waits." session)
                                          'midflight-notice t)
       (setq midflight-shell-session--lost (cons (midflight-shell-session--server-pid) session)
             midflight-shell-session-number nil)
       (midflight-shell-session--set-state 'off)
       (midflight-shell-session-open (current-buffer) wanted))
     (lambda (text)
       (midflight-shell-session--set-state 'ready)
       (midflight-connection-show-error text)))))

;;;; Evaluate

(defun midflight-shell-session-ready (number)
  "Show the prompt of NUMBER; evaluate the next waiting input, or run the hook.
If a process asks for a line, do that after the answer."
  (setq midflight-shell-session-prompt number)
  (midflight-look-forget)
  (midflight-shell-session--set-state 'ready)
  (unless midflight-shell-session-question
    (midflight-shell-session--show-prompt midflight-shell-session-module)
    (let ((next (pop midflight-shell-session--queue)))
      (if next
          (apply #'midflight-shell-session-evaluate next)
        (run-hooks 'midflight-shell-session-ready-hook)))))

(defun midflight-shell-session--show-prompt (module)
  "Show the prompt of an input that is evaluated in MODULE, a name or nil."
  (midflight-shell-transcript-prompt
   (format "%s%d> " (if module (concat module " ") "") midflight-shell-session-prompt)))

(defun midflight-shell-session-go-into (module)
  "Evaluate the inputs of this shell in MODULE, a name; nil means its own names."
  (unless midflight-shell-session-number
    (midflight-user-error "This shell has no server; nothing was done; RET connects"))
  (midflight-connection-call
   'shell/in (list midflight-shell-session-number module)
   (lambda (module)
     (setq midflight-shell-session-module module)
     (midflight-look-forget)
     (when (and (eq midflight-shell-session-state 'ready) (not midflight-shell-session-question))
       (midflight-shell-session--show-prompt module)))))

(defun midflight-shell-session-evaluate (text callback &optional options place)
  "Put TEXT after the prompt, evaluate it, and give the answer to CALLBACK.
Keep the input that is being typed.  Remove the text of an incomplete input
again: CALLBACK decides what to do with it.  OPTIONS is a plist for the
server; then PLACE is the name to show for the module in which the text is
evaluated, nil for the shell's own names.  If the server refuses such a
text, take it back, and give CALLBACK the reason as an error."
  (when options
    (midflight-shell-session--show-prompt place))
  (let ((committed (midflight-shell-transcript-commit text)))
    (setq midflight-shell-session--running text)
    (midflight-shell-session--set-state 'busy)
    (midflight-connection-call
     'shell/eval (list midflight-shell-session-number
                       ;; The indentation after the last newline comes from the editor.
                       (replace-regexp-in-string "\n[ \t]+\\'" "\n" text)
                       options)
     (lambda (answer)
       (if (equal (plist-get answer :status) "incomplete")
           (progn (setq midflight-shell-session--running nil)
                  (midflight-shell-transcript-take-back committed))
         (midflight-shell-session--remember)
         (midflight-shell-session--show-answer answer))
       ;; The callback puts an incomplete input back, before the next is taken.
       (unwind-protect (funcall callback answer)
         (midflight-shell-session-ready (plist-get answer :number))))
     (lambda (error)
       (midflight-shell-session--remember)
       ;; If the connection ended, the closed function tells this shell.
       (when (midflight-connection-open-p)
         (if (not options)
             (midflight-shell-transcript-output error 'midflight-error t)
           (midflight-shell-transcript-take-back committed)
           (funcall callback
                    (list :status "error" :number midflight-shell-session-prompt
                          :error (concat error (substitute-command-keys
                                                "  \\<midflight-mode-map>\\[midflight-load-buffer] loads it; \\[universal-argument] before the key evaluates in the shell")))))
         (midflight-shell-session-ready midflight-shell-session-prompt))))))

(defun midflight-shell-session--show-answer (answer)
  "Put the value or the error of ANSWER into the transcript.
The text of a value carries its number, by which it is inspected."
  (let ((value (plist-get answer :value))
        (error (plist-get answer :error))
        (job (list 'midflight-job (cons midflight-shell-session-number
                                        (1- (plist-get answer :number))))))
    (cond (error (midflight-shell-transcript-output error 'midflight-error t job))
          (value (midflight-shell-transcript-output
                  value nil t
                  (append job (list 'help-echo (substitute-command-keys
                                                "RET, \\[midflight-inspect]: look into this value")))))
          ((equal (plist-get answer :status) "interrupted")
           (midflight-shell-transcript-output "Interrupted" 'midflight-notice t)))))

(defun midflight-shell-evaluate-later (text callback &optional options place)
  "Evaluate TEXT in this shell as soon as it has a prompt.
CALLBACK gets the answer of the server, a plist.  OPTIONS and PLACE are as
for `midflight-shell-session-evaluate'."
  (let ((evaluation (list text callback options place)))
    (if (and (eq midflight-shell-session-state 'ready) (not midflight-shell-session-question))
        (apply #'midflight-shell-session-evaluate evaluation)
      (setq midflight-shell-session--queue
            (append midflight-shell-session--queue (list evaluation))))))

;;;; History

(defun midflight-shell-session--remember ()
  "Add the evaluated text to the history."
  (when midflight-shell-session--running
    (let ((input (string-trim-right midflight-shell-session--running)))
      (setq midflight-shell-session--running nil)
      (comint-add-to-input-history input)
      (push input midflight-shell-session--inputs))))

(defun midflight-shell-session--save ()
  "Add the inputs of this shell to the history file; show an error."
  (condition-case problem
      (midflight-shell-history-write (reverse midflight-shell-session--inputs))
    (error (message "Midflight: the history was not saved: %s"
                    (error-message-string problem))))
  (setq midflight-shell-session--inputs nil))

(defun midflight-shell-session-save-all ()
  "Save the history of every shell."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (derived-mode-p 'midflight-shell-mode)
        (midflight-shell-session--save)))))

(provide 'midflight-shell-session)
;;; midflight-shell-session.el ends here
