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
;; text, input and history, and goes on when there is a server again.

;;; Code:

(require 'easymenu)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-history)
(require 'midflight-transcript)

(defvar-local midflight-shell--state 'off
  "What this shell does: `off', `opening', `ready' or `busy'.")
(defvar-local midflight-shell--session nil "The server's number of this shell.")
(defvar-local midflight-shell--number 1 "The number of the prompt.")
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
    (define-key map (kbd "C-c C-c") #'midflight-interrupt)
    (define-key map (kbd "C-c C-b") #'midflight-interrupt)
    (define-key map (kbd "C-c C-z") #'midflight-shell-back)
    (define-key map [remap comint-delete-output] #'midflight-transcript-delete-output)
    ;; comint sends signals and the end of the input to its program with
    ;; these; there is none.
    (define-key map (kbd "C-d") #'delete-char)
    (define-key map (kbd "C-c C-d") #'ignore)
    (define-key map (kbd "C-c C-\\") #'ignore)
    (define-key map [menu-bar signals] #'undefined)
    map)
  "Keymap of `midflight-shell-mode'.")

(easy-menu-define midflight-shell-menu midflight-shell-mode-map
  "Menu of `midflight-shell-mode'."
  '("Midflight"
    ["Back to the source" midflight-shell-back]
    ["Interrupt the evaluation" midflight-interrupt]
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

(defun midflight-shell--open (shell)
  "Open a session for SHELL, if it has none."
  (with-current-buffer shell
    (when (eq midflight-shell--state 'off)
      (midflight-shell--set-state 'opening)
      (midflight-connection-call
       'shell/open nil
       (lambda (session)
         (setq midflight-shell--session (plist-get session :session))
         (midflight-transcript-output (plist-get session :banner)
                                      'midflight-notice t)
         (midflight-shell--ready (plist-get session :number)))
       (lambda (text)
         (midflight-shell--set-state 'off)
         (midflight-transcript-output (format "No shell: %s" text)
                                      'midflight-error t))))))

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
        (setq midflight-shell--session nil
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
  "Put the value or the error of ANSWER into the transcript."
  (let ((value (plist-get answer :value))
        (error (plist-get answer :error)))
    (cond (error (midflight-transcript-output error 'midflight-error t))
          (value (midflight-transcript-output value nil t))
          ((equal (plist-get answer :status) "interrupted")
           (midflight-transcript-output "Interrupted" 'midflight-notice t)))))

(defun midflight-shell-evaluate-later (text callback)
  "Evaluate TEXT in this shell as soon as it has a prompt.
CALLBACK gets the answer of the server, a plist."
  (if (eq midflight-shell--state 'ready)
      (midflight-shell--evaluate text callback)
    (setq midflight-shell--queue
          (append midflight-shell--queue (list (cons text callback))))))

;;;; Type

(defun midflight-shell-return ()
  "Evaluate the input; on an old input, copy it to the prompt instead.
An input that is incomplete stays, with a new line to continue it."
  (interactive)
  (cond
   ((< (point) (midflight-transcript-input-mark))
    (comint-copy-old-input))
   (t
    (pcase midflight-shell--state
      ('off
       (midflight-server-ensure #'ignore)
       (midflight-shell-ensure))
      ('opening (message "Midflight: the shell is opening; the input stays"))
      ('busy
       (midflight-user-error
        "An evaluation runs; the input stays; %s interrupts it"
        (substitute-command-keys "\\[midflight-interrupt]")))
      ('ready
       (let ((text (midflight-transcript-take-input)))
         (setq comint-input-ring-index nil)
         (if (string-blank-p text)
             (midflight-shell--evaluate-nothing text)
           (midflight-shell--evaluate
            text (lambda (answer) (midflight-shell--continue text answer))))))))))

(defun midflight-shell--evaluate-nothing (text)
  "Leave TEXT, a blank input, in the transcript and show the same prompt."
  (midflight-transcript-commit text)
  (midflight-shell--ready midflight-shell--number))

(defun midflight-shell--continue (text answer)
  "Put TEXT back, with a new line, if it is incomplete by ANSWER."
  (when (equal (plist-get answer :status) "incomplete")
    (let ((rest (midflight-transcript-take-input)))
      (goto-char (point-max))
      (insert text "\n" (midflight-shell--indentation text) rest))))

(defun midflight-shell--indentation (text)
  "Return the indentation, spaces, of a line that follows TEXT."
  (let* ((line (car (last (split-string text "\n"))))
         (width (- (length line) (length (string-trim-left line)))))
    (make-string (cond ((string-match-p "[:([{]\\s-*\\(?:#.*\\)?\\'" line) (+ width 4))
                       ((string-match-p "\\`\\s-*\\(?:return\\|pass\\|raise\\|break\\|continue\\)\\_>"
                                        line)
                        (max 0 (- width 4)))
                       (t width))
                 ?\s)))

(defun midflight-shell-newline ()
  "Insert a new line into the input, indented."
  (interactive)
  (insert "\n" (midflight-shell--indentation
                (buffer-substring-no-properties
                 (max (midflight-transcript-input-mark)
                      (save-excursion (forward-line 0) (point)))
                 (point)))))

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

(defun midflight-shell--output (connection session text)
  "Show TEXT, printed for SESSION of the server of CONNECTION."
  (let ((shell (midflight-shell-of (midflight-connection-root connection) session)))
    (when shell
      (with-current-buffer shell
        (midflight-transcript-output text)))))

(setf (alist-get 'shell/output midflight-connection-handlers) #'midflight-shell--output)

;;;; Commands

;;;###autoload
(defun midflight-shell ()
  "Show the shell of this buffer's project; start or attach a server if need be.
There, \\<midflight-shell-mode-map>\\[midflight-shell-back] goes back."
  (interactive)
  (let ((source (current-buffer)))
    (midflight-server-ensure #'midflight-shell-ensure)
    (let ((shell (midflight-shell-ensure)))
      (unless (eq shell source)
        (with-current-buffer shell
          (setq midflight-shell--source source)))
      (pop-to-buffer shell))))

(defun midflight-shell-back ()
  "Go back to the buffer from which this shell was shown."
  (interactive)
  (if (buffer-live-p midflight-shell--source)
      (pop-to-buffer midflight-shell--source)
    (midflight-user-error "The buffer this shell was shown from is gone")))

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
