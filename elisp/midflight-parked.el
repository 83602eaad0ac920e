;;; midflight-parked.el --- Shells that wait on the server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A shell lives in the server.  When its editor is gone, killed perhaps, it
;; waits there: its bindings, its number, what it evaluates, and what its
;; processes print.  Its life from then on:
;;
;; 1. Another editor attaches and wants a shell.  It gets the one whose editor
;;    was the last to go, or a new one if none waits.  A shell is never taken
;;    from an editor that is connected.
;; 2. The transcript says whose shell it was and since when; what was printed
;;    meanwhile follows, within bounds, and its last inputs are in the history.
;; 3. C-u C-c C-z asks instead: for a new one, or one of those that wait.  The
;;    shell that was there is set aside, and waits in its turn.

;;; Code:

(require 'ring)
(require 'midflight-connection)
(require 'midflight-transcript)

(declare-function midflight-shell-of "midflight-shell" (root &optional session))
(declare-function midflight-shell--make "midflight-shell" (connection))
(declare-function midflight-shell--open "midflight-shell" (shell &optional wanted))
(declare-function midflight-shell--set-state "midflight-shell" (state))
(declare-function midflight-shell--server-pid "midflight-shell" ())
(declare-function comint-add-to-input-history "comint" (cmd))

(defvar midflight-shell--inputs)
(defvar midflight-shell--lost)
(defvar midflight-shell--session)
(defvar midflight-shell--state)

;;;; What is asked for, and what is said

(defun midflight-parked-options (lost wanted)
  "Return what to ask `shell/open' for, in a list.
WANTED is the number of a session that waits, `new' for a new one, or nil
for LOST, the session that this buffer has had, or one whose editor is gone."
  (cond ((integerp wanted) (list :take wanted))
        (wanted nil)
        (lost (list :resume lost))
        (t (list :take t))))

(defun midflight-parked-text (session lost)
  "Return the first text of a shell with SESSION, a plist of the server.
LOST is the session that was to go on, or nil."
  (concat
   (cond ((not (plist-get session :resumed))
          (concat (plist-get session :banner)
                  (cond ((plist-get session :taken-by)
                         (format "\nThe session before was taken up by %s: this is a new one."
                                 (plist-get session :taken-by)))
                        (lost "\nThe session before is gone, and its bindings: this is a new one.")
                        (t ""))))
         ((eql lost (plist-get session :session))
          "Connected again, with the bindings; what was printed meanwhile follows.")
         (t (midflight-parked--taken-text session)))
   (if (plist-get session :busy) "  The evaluation goes on." "")
   (let ((others (or (plist-get session :parked) 0)))
     (if (zerop others) ""
       (format "  %s: C-u C-c C-z."
               (if (eql others 1) "One other shell waits to be taken up"
                 (format "%d other shells wait to be taken up" others)))))))

(defun midflight-parked--taken-text (session)
  "Return what is said of SESSION, a plist, which another editor has had."
  (format "Shell %d of %s, taken up again: nobody had it since %s.  %s, and its bindings; %s."
          (plist-get session :session)
          (plist-get session :client)
          (midflight-parked--time (plist-get session :since))
          (midflight-parked--inputs session)
          (if (> (plist-get session :waiting) 0)
              "what was printed meanwhile follows"
            "nothing was printed meanwhile")))

(defun midflight-parked--inputs (session)
  "Return how many inputs SESSION, a plist, has had."
  (let ((inputs (1- (plist-get session :number))))
    (if (eql inputs 1) "1 input" (format "%d inputs" inputs))))

(defun midflight-parked--time (seconds)
  "Return the time SECONDS, since the epoch, for people; its day if not today."
  (let ((day (format-time-string "%F" seconds)))
    (if (equal day (format-time-string "%F"))
        (format-time-string "%H:%M" seconds)
      (format-time-string "%F %H:%M" seconds))))

(defun midflight-parked-remember (inputs)
  "Put INPUTS, of a session that another editor has had, into the history."
  (dolist (input inputs)
    (let ((input (string-trim-right input)))
      (unless (ring-member comint-input-ring input)
        (comint-add-to-input-history input)
        (push input midflight-shell--inputs)))))

;;;; Choose

(defun midflight-parked-choose (callback)
  "Ask which shell the project is to have; call CALLBACK with its buffer.
A new one, or one of those that wait on the server."
  (midflight-connection-call
   'shell/parked nil
   (lambda (rows)
     ;; Not from within the answer: it would wait there for the person.
     (run-at-time 0 nil
                  (midflight-connection-in-buffer
                   (current-buffer)
                   (lambda () (midflight-parked--ask rows callback)))))))

(defun midflight-parked--ask (rows callback)
  "Ask for one of ROWS, plists of the server, or a new shell; then see CALLBACK."
  (let* ((connection (midflight-connection-of-buffer))
         (shell (midflight-shell-of (midflight-connection-root connection)))
         (choices (append (mapcar (lambda (row)
                                    (cons (midflight-parked--line row) (plist-get row :session)))
                                  (reverse rows))
                          '(("a new shell" . new))))
         (completion-ignore-case t)
         (wanted (cdr (assoc (completing-read (format "Shell (default %s): " (caar choices))
                                             choices nil t nil nil (caar choices))
                             choices)))
         (shell (or shell (midflight-shell--make connection))))
    (with-current-buffer shell
      (pcase midflight-shell--state
        ('off (midflight-shell--open shell wanted))
        ('ready (midflight-parked--set-aside wanted))
        (_ (midflight-user-error
            "The shell evaluates something; nothing was done; %s interrupts it"
            (substitute-command-keys "\\<midflight-shell-mode-map>\\[midflight-interrupt]")))))
    (funcall callback shell)))

(defun midflight-parked--line (row)
  "Return ROW, a plist of a shell that waits, as one line."
  (format "shell %d, %s, %s %s: %s%s%s%s"
          (plist-get row :session)
          (plist-get row :client)
          (if (plist-get row :gone) "gone since" "set aside at")
          (midflight-parked--time (plist-get row :since))
          (midflight-parked--inputs row)
          (if (plist-get row :busy) ", evaluates" "")
          (if (> (plist-get row :waiting) 0) ", has printed" "")
          (if (plist-get row :last) (format ", last: %s" (plist-get row :last)) "")))

(defun midflight-parked--set-aside (wanted)
  "Set the session of this shell aside, and open WANTED in its place."
  (let ((session midflight-shell--session))
    (midflight-shell--set-state 'opening)
    (midflight-connection-call
     'shell/park (list session)
     (lambda (_)
       (midflight-transcript-remove-prompt)
       (midflight-transcript-output (format "Shell %d is set aside and waits." session)
                                    'midflight-notice t)
       (setq midflight-shell--lost (cons (midflight-shell--server-pid) session)
             midflight-shell--session nil)
       (midflight-shell--set-state 'off)
       (midflight-shell--open (current-buffer) wanted))
     (lambda (text)
       (midflight-shell--set-state 'ready)
       (midflight-connection-show-error text)))))

(provide 'midflight-parked)
;;; midflight-parked.el ends here
