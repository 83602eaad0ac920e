;;; midflight-shell.el --- The shell buffer  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A shell on the running system, one a project.  The life of an input:
;;
;; 1. RET moves it into the transcript and asks the server to evaluate it.
;; 2. What runtime processes print meanwhile, or at any other time, comes as
;;    pushes, and goes above the prompt.
;; 3. The answer has the value or the error, and the number of the next
;;    prompt: the server counts.  An incomplete input comes back to be
;;    continued on a new line.
;;
;; A shell outlives its connection: it says that the server is gone, keeps
;; text, input and history, and goes on when there is a server again.  It
;; outlives its Emacs too, in the server; see midflight-parked.

;;; Code:

(require 'easymenu)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-history)
(require 'midflight-output)
(require 'midflight-transcript)
(require 'midflight-parked)
(require 'midflight-look)
(require 'midflight-complete)
(require 'midflight-eldoc)
(require 'midflight-xref)

(declare-function midflight-input-setup "midflight-input" ())
(declare-function midflight-shell-return "midflight-input" ())
(declare-function midflight-shell-newline "midflight-input" ())
(declare-function midflight-shell-send "midflight-input" ())
(declare-function midflight-shell-tab "midflight-input" ())
(declare-function midflight-shell-comma "midflight-input" ())
(declare-function midflight-inspect "midflight-inspector" (expression))
(declare-function midflight-doc "midflight-doc" (expression))

(defvar-local midflight-shell--state 'off
  "What this shell does: `off', `opening', `ready' or `busy'.")
(defvar-local midflight-shell--session nil "The server's number of this shell.")
(defvar-local midflight-shell--number 1 "The number of the prompt.")
(defvar-local midflight-shell--lost nil
  "The session that was lost with its connection: (SERVER-PID . SESSION).")
(defvar-local midflight-shell--queue nil
  "Evaluations that wait for a prompt: (TEXT . CALLBACK) each, oldest first.")
(defvar-local midflight-shell--running nil "The text that is being evaluated.")
(defvar-local midflight-shell--inputs nil
  "Inputs that are not in the history file yet, newest first.")
(defvar-local midflight-shell--source nil
  "The buffer from which this shell was last shown.")

(defvar midflight-shell-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'midflight-shell-return)
    (define-key map (kbd "C-j") #'midflight-shell-newline)
    (define-key map (kbd "C-<return>") #'midflight-shell-send)
    (define-key map (kbd "C-c RET") #'midflight-shell-send)
    (define-key map (kbd "TAB") #'midflight-shell-tab)
    (define-key map "," #'midflight-shell-comma)
    (define-key map (kbd "C-c C-o") #'midflight-transcript-delete-output)
    (define-key map (kbd "C-c M-o") #'midflight-transcript-clear)
    (define-key map (kbd "C-c M-i") #'midflight-inspect)
    (define-key map (kbd "C-c C-x i") #'midflight-inspect)
    (define-key map (kbd "C-c C-c") #'midflight-interrupt)
    (define-key map (kbd "C-c C-b") #'midflight-interrupt)
    (define-key map (kbd "C-c C-z") #'midflight-shell-back)
    (define-key map [remap comint-delete-output] #'midflight-transcript-delete-output)
    ;; comint sends signals and the end of the input to its program with
    ;; these; there is none.
    (define-key map (kbd "C-d") #'delete-char)
    (define-key map (kbd "C-c C-d") nil)
    (define-key map (kbd "C-c C-d d") #'midflight-doc)
    (define-key map (kbd "C-c C-\\") #'ignore)
    (define-key map [menu-bar signals] #'undefined)
    map)
  "Keymap of `midflight-shell-mode'.")

(easy-menu-define midflight-shell-menu midflight-shell-mode-map
  "Menu of `midflight-shell-mode'."
  '("Midflight"
    ["Back to the source" midflight-shell-back]
    ["Interrupt the evaluation" midflight-interrupt]
    ["Inspect..." midflight-inspect]
    ["Describe..." midflight-doc]
    ["Clear the transcript" midflight-transcript-clear]
    "---"
    ["Attach or start a server" midflight]
    ["Restart the server" midflight-restart]
    ["Leave the server" midflight-quit]))

(define-derived-mode midflight-shell-mode comint-mode "Midflight-Shell"
  "Major mode for a shell on a running Midflight server.
Type Python, also with a top-level await; the names of loaded modules and
of Midflight itself are there.

\\{midflight-shell-mode-map}"
  (setq-local comint-input-ring (midflight-history-ring))
  (setq-local comint-input-ring-size midflight-shell-history-size)
  (setq-local comint-input-ring-file-name nil)
  (setq-local comint-prompt-regexp "^[0-9]+> ")
  (setq-local comint-output-filter-functions nil)
  (setq-local comint-dynamic-complete-functions nil)
  (setq-local comment-start "# ")
  (setq-local indent-tabs-mode nil)
  (setq-local tab-width 4)
  ;; Follow the output by lines, not by jumps of half a window.
  (setq-local scroll-conservatively 101)
  (setq mode-line-process '(:eval (midflight-shell--lighter)))
  (midflight-transcript-setup)
  (midflight-input-setup)
  (midflight-complete-enable)
  (midflight-eldoc-enable)
  (midflight-xref-enable)
  (add-hook 'midflight-connection-opened-functions #'midflight-shell--reopen)
  (add-hook 'midflight-connection-closed-functions #'midflight-shell--closed)
  (add-hook 'kill-emacs-hook #'midflight-shell--save-all)
  (add-hook 'kill-buffer-hook #'midflight-shell--killed nil t))

(defun midflight-shell--lighter ()
  "Return the mode line's word on the state of this shell."
  (pcase midflight-shell--state
    ('off ":no server")
    ('ready "")
    (state (format ":%s" state))))

;;;; Find and open

(defun midflight-shell-of (root &optional session)
  "Return the shell buffer of the project at ROOT, or nil.
With SESSION, only if it is the server's session of that number."
  (cl-find-if (lambda (buffer)
                (with-current-buffer buffer
                  (and (derived-mode-p 'midflight-shell-mode)
                       (equal midflight-connection-buffer-root root)
                       (or (null session) (eql session midflight-shell--session)))))
              (buffer-list)))

(defun midflight-shell-busy-p ()
  "Return non-nil during an evaluation in the shell of this buffer's project."
  (let ((shell (midflight-shell-of (midflight-connection-root-of-buffer))))
    (and shell (eq (buffer-local-value 'midflight-shell--state shell) 'busy))))

(defun midflight-shell-ensure ()
  "Return the shell buffer of this buffer's project; make it if there is none.
Its session is opened if the server is attached and it has none."
  (let* ((connection (midflight-connection-of-buffer))
         (root (midflight-connection-root connection))
         (shell (or (midflight-shell-of root)
                    (midflight-shell--make connection))))
    (when (midflight-connection-open-p connection)
      (midflight-shell--open shell))
    shell))

(defun midflight-shell--make (connection)
  "Return a new shell buffer for CONNECTION."
  (let ((root (midflight-connection-root connection)))
    (with-current-buffer (generate-new-buffer
                          (format "*midflight-shell %s*"
                                  (midflight-connection-project connection)))
      (setq default-directory (file-name-as-directory root))
      (midflight-shell-mode)
      (setq midflight-connection-buffer-root root)
      (current-buffer))))

(defun midflight-shell--set-state (state)
  "Give this shell the state STATE and show it."
  (setq midflight-shell--state state)
  (force-mode-line-update))

(defun midflight-shell--open (shell &optional wanted)
  "Open a session for SHELL, if it has none: the one that was lost, if it waits.
WANTED is what `midflight-parked-options' takes."
  (with-current-buffer shell
    (when (eq midflight-shell--state 'off)
      (midflight-shell--set-state 'opening)
      (let ((lost (and (not wanted)
                       (eql (car midflight-shell--lost) (midflight-shell--server-pid))
                       (cdr midflight-shell--lost))))
        (midflight-connection-call
         'shell/open (list (append '(:writers t :keep t) (midflight-parked-options lost wanted)))
         (lambda (session) (midflight-shell--opened session lost))
         (lambda (text)
           (midflight-shell--set-state 'off)
           (midflight-transcript-output (format "No shell: %s" text)
                                        'midflight-error t)))))))

(defun midflight-shell--server-pid ()
  "Return the process id of the server of this buffer, or nil."
  (plist-get (midflight-connection-info (midflight-connection-of-buffer)) :pid))

(defun midflight-shell--opened (session lost)
  "Go on with SESSION, as the server told; LOST was wanted if it is non-nil."
  (setq midflight-shell--session (plist-get session :session)
        midflight-shell--lost nil)
  (midflight-transcript-output (midflight-parked-text session lost) 'midflight-notice t)
  (unless (eql midflight-shell--session lost)
    (midflight-parked-remember (plist-get session :inputs)))
  (mapc #'midflight-shell--show-answer (plist-get session :answers))
  (if (not (plist-get session :busy))
      (midflight-shell--ready (plist-get session :number))
    (midflight-shell--set-state 'busy)
    (midflight-connection-call
     'shell/wait (list midflight-shell--session)
     (lambda (answers)
       (mapc #'midflight-shell--show-answer answers)
       (midflight-shell--ready (if answers (plist-get (car (last answers)) :number)
                                 (plist-get session :number))))
     #'ignore)))

(defun midflight-shell--reopen (connection)
  "Open a session for the shell of CONNECTION, if it has a shell."
  (let ((shell (midflight-shell-of (midflight-connection-root connection))))
    (when shell
      (midflight-shell--open shell))))

(defun midflight-shell--closed (connection reason)
  "Say in the shell of CONNECTION that it ended for REASON."
  (let ((shell (midflight-shell-of (midflight-connection-root connection))))
    (when shell
      (with-current-buffer shell
        (midflight-transcript-remove-prompt)
        (midflight-transcript-output
         (format "Not connected: %s.  Text and history stay; RET connects again."
                 reason)
         'midflight-notice t)
        (setq midflight-shell--lost (and midflight-shell--session
                                         (cons (midflight-shell--server-pid)
                                               midflight-shell--session))
              midflight-shell--session nil
              midflight-shell--queue nil)
        (midflight-shell--set-state 'off)))))

(defun midflight-shell--killed ()
  "Save the history of this shell and end its session."
  (midflight-shell--remember)
  (midflight-shell--save)
  (when (and midflight-shell--session (midflight-connection-open-p))
    ;; The close waits for its turn, behind the evaluation.
    (when (eq midflight-shell--state 'busy)
      (midflight-connection-call 'interrupt (list midflight-shell--session)
                                 #'ignore #'ignore))
    (midflight-connection-call 'shell/close (list midflight-shell--session)
                               #'ignore #'ignore)))

;;;; Evaluate

(defun midflight-shell--ready (number)
  "Show the prompt of NUMBER; evaluate what waits for it."
  (setq midflight-shell--number number)
  (midflight-look-forget)
  (midflight-transcript-prompt (format "%d> " number))
  (midflight-shell--set-state 'ready)
  (pcase (pop midflight-shell--queue)
    (`(,text . ,callback) (midflight-shell--evaluate text callback))))

(defun midflight-shell--evaluate (text callback)
  "Put TEXT after the prompt, evaluate it, and give the answer to CALLBACK.
What is being typed stays.  The text of an incomplete input is taken away
again: what becomes of it is for CALLBACK to say."
  (let ((committed (midflight-transcript-commit text)))
    (setq midflight-shell--running text)
    (midflight-shell--set-state 'busy)
    (midflight-connection-call
     'shell/eval (list midflight-shell--session
                       ;; Indentation after the last newline is the editor's.
                       (replace-regexp-in-string "\n[ \t]+\\'" "\n" text))
     (lambda (answer)
       (if (equal (plist-get answer :status) "incomplete")
           (progn (setq midflight-shell--running nil)
                  (midflight-transcript-take-back committed))
         (midflight-shell--remember)
         (midflight-shell--show-answer answer))
       (midflight-shell--ready (plist-get answer :number))
       (funcall callback answer))
     (lambda (error)
       (midflight-shell--remember)
       ;; If the connection ended, this shell is told by itself.
       (when (midflight-connection-open-p)
         (midflight-transcript-output error 'midflight-error t)
         (midflight-shell--ready midflight-shell--number))))))

(defun midflight-shell--show-answer (answer)
  "Put the value or the error of ANSWER into the transcript.
It knows its number, by which it is inspected."
  (let ((value (plist-get answer :value))
        (error (plist-get answer :error))
        (job (list 'midflight-job (cons midflight-shell--session
                                        (1- (plist-get answer :number))))))
    (cond (error (midflight-transcript-output error 'midflight-error t job))
          (value (midflight-transcript-output
                  value nil t
                  (append job (list 'help-echo (substitute-command-keys
                                                "RET, \\[midflight-inspect]: look into this value")))))
          ((equal (plist-get answer :status) "interrupted")
           (midflight-transcript-output "Interrupted" 'midflight-notice t)))))

(defun midflight-shell-evaluate-later (text callback)
  "Evaluate TEXT in this shell as soon as it has a prompt.
CALLBACK gets the answer of the server, a plist."
  (if (eq midflight-shell--state 'ready)
      (midflight-shell--evaluate text callback)
    (setq midflight-shell--queue
          (append midflight-shell--queue (list (cons text callback))))))

;;;; History

(defun midflight-shell--remember ()
  "Add what was being evaluated to the history."
  (when midflight-shell--running
    (let ((input (string-trim-right midflight-shell--running)))
      (setq midflight-shell--running nil)
      (comint-add-to-input-history input)
      (push input midflight-shell--inputs))))

(defun midflight-shell--save ()
  "Add the inputs of this shell to the history file; show what prevents it."
  (condition-case problem
      (midflight-history-write (reverse midflight-shell--inputs))
    (error (message "Midflight: the history was not saved: %s"
                    (error-message-string problem))))
  (setq midflight-shell--inputs nil))

(defun midflight-shell--save-all ()
  "Save the history of every shell."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (derived-mode-p 'midflight-shell-mode)
        (midflight-shell--save)))))

;;;; Pushes

(defun midflight-shell--output (connection session text &optional writers)
  "Show TEXT, printed for SESSION of the server of CONNECTION.
WRITERS tells who printed what: (LENGTH PID) each, PID nil for the shell."
  (let ((shell (midflight-shell-of (midflight-connection-root connection) session)))
    (when shell
      (with-current-buffer shell
        (midflight-transcript-output (midflight-output-tagged text writers))))))

(setf (alist-get 'shell/output midflight-connection-handlers) #'midflight-shell--output)

;;;; Commands

;;;###autoload
(defun midflight-shell (&optional choose)
  "Show the shell of this buffer's project; start or attach a server if need be.
If this Emacs has none yet, take up one whose editor is gone, if any waits
on the server.  With prefix argument CHOOSE ask: a new one, or which.
There, \\<midflight-shell-mode-map>\\[midflight-shell-back] goes back."
  (interactive "P")
  (let ((source (current-buffer)))
    (if choose
        (midflight-server-ensure
         (lambda ()
           (midflight-parked-choose
            (lambda (shell) (midflight-shell--show shell source)))))
      (midflight-server-ensure #'midflight-shell-ensure)
      (midflight-shell--show (midflight-shell-ensure) source))))

(defun midflight-shell--show (shell source)
  "Show SHELL; SOURCE is the buffer to go back to from there."
  (unless (eq shell source)
    (with-current-buffer shell
      (setq midflight-shell--source source)))
  (pop-to-buffer shell))

(defun midflight-shell-back (&optional choose)
  "Go back to the buffer from which this shell was shown.
With prefix argument CHOOSE ask for another shell, as `midflight-shell' does."
  (interactive "P")
  (cond (choose (midflight-shell t))
        ((buffer-live-p midflight-shell--source) (pop-to-buffer midflight-shell--source))
        (t (midflight-user-error "The buffer this shell was shown from is gone"))))

(defun midflight-interrupt ()
  "Interrupt the evaluation in the shell of this buffer's project.
The server and its runtime processes go on."
  (interactive)
  (let ((shell (midflight-shell-of (midflight-connection-root-of-buffer))))
    (with-current-buffer (or shell (current-buffer))
      (if (and shell (eq midflight-shell--state 'busy))
          (midflight-connection-call 'interrupt (list midflight-shell--session)
                                     #'ignore)
        (midflight-user-error "No evaluation runs in the shell of this project")))))

;; Of its two keys in a shell, show the one that is like other shells'.
(put 'midflight-interrupt :advertised-binding (kbd "C-c C-c"))

(provide 'midflight-shell)
;;; midflight-shell.el ends here
