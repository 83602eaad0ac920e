;;; midflight-process.el --- Commands on one runtime process  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The commands on one runtime process: end it, send it a message, move it to
;; the current version, trace it, show it, edit its state.  Each takes a pid as
;; it is shown, or a registered name.  In a list, a tree or a view, a key applies
;; the command to the process of the line (or to the marked processes); elsewhere
;; the command asks, and offers the pid at point.
;;
;; The server also reports each process that does not yield.  The report is shown
;; above the prompt of the project's shell, and in short in the echo area.

;;; Code:

(require 'cl-lib)
(require 'seq)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-shell)
(require 'midflight-shell-transcript)
(require 'midflight-details)
(require 'midflight-look)

(declare-function midflight-process-view "midflight-process-view" (pid &optional section))
(declare-function midflight-edit-state "midflight-state" (pid))
(declare-function midflight-inspect-state "midflight-inspector" (pid))
(declare-function midflight-trace-process "midflight-trace" (pids))

(defvar midflight-process--stuck-pid nil
  "The runtime process last reported as not yielding, as text.")

(defvar-local midflight-process-targets-function nil
  "A function that returns the pids that commands of this buffer are for.
If nil, they are for the process of the line at point.")

(defvar-local midflight-process-buffer-pid nil
  "The pid of the process that this buffer shows, if it shows one only.")

(defvar-local midflight-process-changed-function nil
  "A function to call after a command in this buffer has changed a process.")

(defun midflight-process--stuck (connection report)
  "Show REPORT, a plist for a runtime process that does not yield.
It runs on CONNECTION's server."
  (let ((shell (midflight-shell-of (midflight-connection-root connection))))
    (when shell
      (with-current-buffer shell
        (midflight-shell-transcript-output (plist-get report :text) 'midflight-error t)))
    (setq midflight-process--stuck-pid (plist-get report :pid))
    (message (concat "Midflight: runtime process %s has not yielded for %.0f s, so all others wait; "
                     "M-x midflight-exit-process ends it")
             (or (plist-get report :name) (plist-get report :pid))
             (plist-get report :seconds))))

(setf (alist-get 'process/stuck midflight-connection-handlers) #'midflight-process--stuck)

(defun midflight-process--store-trouble (connection report)
  "Show REPORT, the trouble of the store of CONNECTION's server, or its end."
  (let ((shell (midflight-shell-of (midflight-connection-root connection))))
    (when shell
      (with-current-buffer shell
        (midflight-shell-transcript-output (concat (plist-get report :text) "\n")
                                           'midflight-error t)))
    (message "Midflight: %s" (plist-get report :text))))

(setf (alist-get 'store/trouble midflight-connection-handlers)
      #'midflight-process--store-trouble)

;;;; Find the process

(defconst midflight-process--pid-regexp "<0\\.[0-9]+\\.0>"
  "Matches a pid as it is shown.")

(defun midflight-process-at-point ()
  "Return the pid of the line at point, or the pid written at point."
  (or (get-text-property (point) 'midflight-pid)
      (get-text-property (line-beginning-position) 'midflight-pid)
      (save-excursion
        (skip-chars-backward "<0-9.")
        (and (looking-at midflight-process--pid-regexp)
             (match-string-no-properties 0)))))

(defun midflight-process-here ()
  "Return the pid of this buffer or line; signal `user-error' if there is none."
  (or midflight-process-buffer-pid
      (midflight-process-at-point)
      (midflight-user-error "No runtime process on this line; nothing was done")))

(defun midflight-process-targets ()
  "Return the pids for a command: the marked ones, or the one here."
  (or (and midflight-process-targets-function
           (funcall midflight-process-targets-function))
      (list (midflight-process-here))))

(defun midflight-process-read (text &optional default)
  "Read a pid or a registered name in the minibuffer, prompting with TEXT.
DEFAULT is offered, or the pid at point."
  (let* ((default (or default (midflight-process-at-point)))
         (answer (midflight-look-read-process (if default (format "%s (default %s): " text default)
                                                (concat text ": "))
                                              default)))
    (when (member answer '(nil ""))
      (midflight-user-error "No process named; nothing was done; give a pid like <0.37.0>"))
    answer))

(defun midflight-process--many (pids)
  "Return PIDS as text to display."
  (if (cdr pids) (format "%d runtime processes" (length pids)) (car pids)))

(defun midflight-process--changed ()
  "Refresh the buffer of the command, after a process has changed."
  (when midflight-process-changed-function
    (funcall midflight-process-changed-function)))

;;;; Buffers

(defun midflight-process-buffer (name mode &optional pid)
  "Return the buffer of MODE for the project of this buffer; make it if needed.
Its name has NAME and the project; two projects of one name have two
buffers.  With PID it is the buffer for that process."
  (let* ((connection (midflight-connection-of-buffer))
         (root (midflight-connection-root connection)))
    (or (midflight-process-buffer-of root mode pid)
        (with-current-buffer
            (generate-new-buffer (format "*midflight-%s for %s*" name
                                         (midflight-connection-project connection)))
          (funcall mode)
          (setq midflight-connection-buffer-root root
                midflight-process-buffer-pid pid
                default-directory (file-name-as-directory root))
          (current-buffer)))))

(defun midflight-process-buffer-of (root mode &optional pid)
  "Return the buffer of MODE of the project at ROOT, about PID if given, or nil."
  (cl-find-if (lambda (buffer)
                (and (eq (buffer-local-value 'major-mode buffer) mode)
                     (equal (buffer-local-value 'midflight-connection-buffer-root buffer) root)
                     (equal (buffer-local-value 'midflight-process-buffer-pid buffer) pid)))
              (buffer-list)))

;;;; End

;;;###autoload
(defun midflight-exit-process (pid reason)
  "Send the runtime process PID an exit signal with REASON.
PID is a pid as it is shown, or a registered name.  An empty REASON means
`kill', which ends any runtime process, even one that never yields.
If the process has not ended within two seconds, a message says what keeps
it."
  (interactive
   (list (midflight-process-read "End runtime process"
                                 (or (midflight-process-at-point) midflight-process--stuck-pid))
         (read-string "Exit reason (default kill): " nil nil "kill")))
  (when (equal pid "")
    (midflight-user-error "No process named; nothing was done; give a pid like <0.37.0>"))
  (midflight-connection-call
   'process/exit (list pid (if (equal reason "") "kill" reason))
   (lambda (answer)
     (cond ((stringp answer)            ; what keeps it from ending
            (message "Midflight: %s" answer))
           (answer (message "Midflight: exit signal sent to %s" pid))
           (t (message "Midflight: %s was already dead" pid)))
     (midflight-process--changed))
   (lambda (text) (midflight-connection-show-error text))))

(defun midflight-process-kill ()
  "Kill the runtime process here, or the marked ones, after a question."
  (interactive)
  (let ((pids (midflight-process-targets)))
    (if (not (yes-or-no-p (format "Kill %s? " (midflight-process--many pids))))
        (message "Midflight: nothing was killed")
      (dolist (pid pids)
        (midflight-exit-process pid "kill")))))

;;;; Send

(defvar midflight-process--messages nil "History of the messages that were sent, for the minibuffer.")

;;;###autoload
(defun midflight-send (pid expression)
  "Send the runtime process PID the value of EXPRESSION, evaluated as in a shell.
PID is a pid as it is shown, or a registered name."
  (interactive
   (let ((pid (midflight-process-read "Send to")))
     (list pid (read-string (format "Message to %s, in Python: " pid)
                            nil 'midflight-process--messages))))
  (midflight-connection-call
   'process/send (list pid expression)
   (lambda (was-alive)
     (if was-alive
         (message "Midflight: sent %s to %s" expression pid)
       (message "Midflight: %s is dead; nothing was sent" pid))
     (midflight-process--changed))))

(defun midflight-process-send (expression)
  "Send the process here, or the marked ones, the value of EXPRESSION."
  (interactive
   (list (read-string (format "Message to %s, in Python: "
                              (midflight-process--many (midflight-process-targets)))
                      nil 'midflight-process--messages)))
  (dolist (pid (midflight-process-targets))
    (midflight-send pid expression)))

;;;; Move

(defun midflight-process-move ()
  "Move the process here, or the marked ones, to their module's current version.
Only an idle process can be moved without its help; the echo area says why
each of the others stays.  A server takes its new class at its next message."
  (interactive)
  (let* ((pids (midflight-process-targets))
         (count (length pids))
         (moved 0)
         (reasons nil))
    (dolist (pid pids)
      (midflight-connection-call
       'process/move (list pid)
       (lambda (answer)
         (if (plist-get answer :moved)
             (setq moved (1+ moved))
           (push (format "%s: %s" pid (plist-get answer :reason)) reasons))
         (when (= (+ moved (length reasons)) count)
           (midflight-process--say-moved pids moved (nreverse reasons)
                                         (plist-get answer :version))
           (midflight-process--changed)))))))

(defun midflight-process--say-moved (pids moved reasons version)
  "Show the result of moving PIDS: MOVED of them were, REASONS say why not.
The last of them runs VERSION."
  (message "Midflight: %s%s"
           (cond ((zerop moved) "not moved")
                 ((cdr pids) (format "%d moved to the current version" moved))
                 (t (format "%s moved to version %s" (car pids) version)))
           (if reasons
               (concat (if (zerop moved) ", " "; not moved, ")
                       (mapconcat #'identity (seq-take reasons 5) "; ")
                       (if (nthcdr 5 reasons) (format "; and %d more" (- (length reasons) 5)) ""))
             "")))

;;;; Show

(defun midflight-process-show ()
  "Show all that can be seen of the process here."
  (interactive)
  (midflight-process-view (midflight-process-here)))

(defun midflight-process-mailbox ()
  "Show the messages that wait for the process here."
  (interactive)
  (midflight-process-view (midflight-process-here) 'mailbox))

(defun midflight-process-backtrace ()
  "Show the stack of the process here, frame by frame."
  (interactive)
  (midflight-process-view (midflight-process-here) 'backtrace))

(defun midflight-process-trace ()
  "Trace the process here, or the marked ones; repeat to stop that."
  (interactive)
  (midflight-trace-process (midflight-process-targets)))

(defun midflight-process-source ()
  "Go to the line of the process here, in the source of its own version."
  (interactive)
  (let ((pid (midflight-process-here)))
    (midflight-connection-call
     'process/view (list pid)
     (lambda (view)
       (let ((frame (car (last (or (seq-remove (lambda (frame) (plist-get frame :ours))
                                               (plist-get view :frames))
                                   (plist-get view :frames)))))
             (state (plist-get view :state)))
         (cond ((not view) (message "Midflight: %s is dead" pid))
               ;; An idle server does not run code of its module: go to its class.
               ((and state (or (not frame) (plist-get frame :ours)))
                (midflight-details-show-place (list :module (plist-get view :module)
                                                    :version (plist-get view :version)
                                                    :line (plist-get view :line))))
               (frame (midflight-details-show-place frame))
               (t (message "Midflight: %s has not begun" pid))))))))

(defun midflight-process-inspect ()
  "Inspect the state of the server here, a GenServer."
  (interactive)
  (midflight-inspect-state (midflight-process-here)))

(defun midflight-process-edit ()
  "Edit the state of the server here, a GenServer."
  (interactive)
  (midflight-edit-state (midflight-process-here)))

;;;; Keys

(defvar midflight-process-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'midflight-process-show)
    (define-key map "k" #'midflight-process-kill)
    (define-key map "m" #'midflight-process-mailbox)
    (define-key map "b" #'midflight-process-backtrace)
    (define-key map "t" #'midflight-process-trace)
    (define-key map "s" #'midflight-process-send)
    (define-key map "u" #'midflight-process-move)
    (define-key map "i" #'midflight-process-inspect)
    (define-key map "e" #'midflight-process-edit)
    (define-key map "L" #'midflight-process-source)
    (define-key map "." #'midflight-process-source)
    map)
  "Keys for the runtime process of a line, in lists, trees and views.")

(defconst midflight-process-menu
  '(["Show it" midflight-process-show]
    ["Mailbox" midflight-process-mailbox]
    ["Backtrace" midflight-process-backtrace]
    ["Source of its version" midflight-process-source]
    ["Inspect the state of a server" midflight-process-inspect]
    ["Edit the state of a server" midflight-process-edit]
    ["Trace, or no longer" midflight-process-trace]
    "---"
    ["Send a message..." midflight-process-send]
    ["Move to the current version" midflight-process-move]
    ["Kill..." midflight-process-kill])
  "The items of `midflight-process-map' in a menu.")

(provide 'midflight-process)
;;; midflight-process.el ends here
