;;; midflight-shell-question.el --- The lines that processes ask for  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A runtime process that calls `input' asks the shell that started it.  The
;; life of a question:
;;
;; 1. The server pushes it.  The input that is being typed is put aside, and the
;;    prompt of the question takes the place of the prompt, below the output.
;; 2. RET answers it with what was typed, C-d at the end of the buffer ends the
;;    input of the process, C-c C-c breaks off its wait.  A password is read in
;;    the minibuffer.
;; 3. What was put aside comes back, behind the next prompt if there is one.
;;
;; All runtime processes of the server stand meanwhile.

;;; Code:

(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-shell-transcript)
(require 'midflight-shell-session)

(defvar-local midflight-shell-question--draft nil
  "The input that was being typed when a question came.")
(defvar-local midflight-shell-question--waiting nil
  "The questions behind the one that is shown, oldest first.")

(defvar midflight-shell-question-functions nil
  "Functions to call in a shell with a question that is shown.
They are called with nil when it is answered or over.")

;;;; Pushes

(defun midflight-shell-question--read (connection session question)
  "Ask QUESTION, a plist, in the shell of SESSION of the server of CONNECTION."
  (let ((shell (midflight-shell-of (midflight-connection-root connection) session)))
    (unless shell
      (error "Emacs has no shell %s" session))
    (with-current-buffer shell
      (if midflight-shell-session-question
          (setq midflight-shell-question--waiting
                (append midflight-shell-question--waiting (list question)))
        (midflight-shell-question--show question)))))

(defun midflight-shell-question--unread (connection session number)
  "Ask question NUMBER of SESSION of the server of CONNECTION no longer."
  (let ((shell (midflight-shell-of (midflight-connection-root connection) session)))
    (when shell
      (with-current-buffer shell
        (setq midflight-shell-question--waiting
              (cl-remove number midflight-shell-question--waiting
                         :key (lambda (each) (plist-get each :id))))
        (when (eql number (plist-get midflight-shell-session-question :id))
          (midflight-shell-question--end))))))

(setf (alist-get 'shell/read midflight-connection-handlers) #'midflight-shell-question--read)
(setf (alist-get 'shell/unread midflight-connection-handlers) #'midflight-shell-question--unread)

;;;; Show and end

(defun midflight-shell-question--show (question)
  "Ask QUESTION at the end of this shell."
  (setq midflight-shell-session-question question
        midflight-shell-question--draft (midflight-shell-transcript-put-aside))
  (midflight-shell-transcript-remove-prompt)
  (midflight-shell-transcript-prompt (or (plist-get question :prompt) "") t)
  (goto-char (point-max))
  (dolist (window (get-buffer-window-list nil nil t))
    (set-window-point window (point-max)))
  (unless (get-buffer-window nil t)
    (display-buffer (current-buffer)))
  (if (plist-get question :secret)
      ;; Not from within the push, which would wait for the user.
      (run-at-time 0 nil (midflight-connection-in-buffer
                          (current-buffer)
                          (lambda () (midflight-shell-question--read-secret question))))
    (message "Midflight: %s waits for a line in the shell; all runtime processes stand meanwhile"
             (or (plist-get question :pid) "Code")))
  (run-hook-with-args 'midflight-shell-question-functions question))

(defun midflight-shell-question--read-secret (question)
  "Read the answer of QUESTION, a password, in the minibuffer."
  (when (eq question midflight-shell-session-question)
    (let ((text (condition-case nil
                    (read-passwd (plist-get question :prompt))
                  (quit nil))))
      (cond ((not (eq question midflight-shell-session-question)))
            (text (midflight-shell-question--send text ""))
            (t (midflight-shell-question-interrupt))))))

(defun midflight-shell-question--end ()
  "Ask no longer; show what comes next."
  (setq midflight-shell-session-question nil)
  (run-hook-with-args 'midflight-shell-question-functions nil)
  (midflight-shell-transcript-remove-prompt)
  (midflight-shell-transcript-take-input)
  (midflight-shell-question--go-on))

(defun midflight-shell-question--go-on ()
  "Bring back what was being typed, and show the next question or prompt."
  (let ((draft midflight-shell-question--draft)
        (next (pop midflight-shell-question--waiting)))
    (setq midflight-shell-question--draft nil)
    (save-excursion
      (goto-char (point-max))
      (insert draft))
    (goto-char (point-max))
    (cond (next (midflight-shell-question--show next))
          ((eq midflight-shell-session-state 'ready)
           (midflight-shell-session-ready midflight-shell-session-prompt)))))

(defun midflight-shell-question-lost ()
  "Forget the questions of this shell: its connection has ended."
  (setq midflight-shell-question--waiting nil)
  (when midflight-shell-session-question
    (midflight-shell-question--end)))

;;;; Answer

(defun midflight-shell-question--send (line shown)
  "Answer the question with LINE, nil for the end of the input; show SHOWN."
  (let ((number (plist-get midflight-shell-session-question :id)))
    (setq midflight-shell-session-question nil)
    (run-hook-with-args 'midflight-shell-question-functions nil)
    (midflight-shell-transcript-commit shown)
    (midflight-connection-call
     'shell/answer (list midflight-shell-session-number number line) #'ignore)
    (midflight-shell-question--go-on)))

(defun midflight-shell-question-answer ()
  "Answer the question with the text that was typed."
  (let ((text (midflight-shell-transcript-take-input)))
    (midflight-shell-question--send text text)))

(defun midflight-shell-question-give (text)
  "Answer the question with TEXT, as if it was typed."
  (midflight-shell-transcript-take-input)
  (midflight-shell-question--send text text))

(defun midflight-shell-question-interrupt ()
  "Break off the wait of the process that asks: KeyboardInterrupt in it."
  (midflight-connection-call 'interrupt (list midflight-shell-session-number) #'ignore))

(defun midflight-shell-delete-or-end ()
  "Delete the next character; at a question without a text, end the input.
The process that asks gets EOFError, as at the end of a file."
  (interactive)
  (if (and midflight-shell-session-question
           (eobp)
           (equal (midflight-shell-transcript-input) ""))
      (midflight-shell-question--send nil "")
    (call-interactively #'delete-char)))

(provide 'midflight-shell-question)
;;; midflight-shell-question.el ends here
