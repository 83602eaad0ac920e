;;; midflight-waiting-act.el --- Commands for the processes at a line  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The commands of the process list, for the processes that
;; `midflight-show-waiting' shows behind the line of point.  The steps of such a
;; command:
;;
;; 1. If one process is there, the command is for that process.
;; 2. If there are several, Emacs asks the server for details, and meanwhile asks
;;    the user for one of them.  The minibuffer offers their pids at once, and
;;    the name, version and mailbox of each as soon as the answer arrives.
;; 3. The command of the list runs, with those processes as its targets.

;;; Code:

(require 'cl-lib)
(require 'easymenu)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-code)
(require 'midflight-process)
(require 'midflight-process-rows)
(require 'midflight-waiting)

(defconst midflight-waiting-act--all "all of them"
  "The candidate that stands for all processes of a line.")

(defvar-local midflight-waiting-act--rows nil
  "The server's last rows of the processes at a line: by pid, in their order.")

;;;; The processes of the line

(defun midflight-waiting-act--spot ()
  "Return the spot shown for the line at point; signal `user-error' if none is."
  (unless midflight-waiting-on
    (midflight-user-error
     "This buffer does not show the processes at its lines; nothing was done; %s shows them"
     (substitute-command-keys "\\[midflight-show-waiting]")))
  (midflight-connection-require (midflight-connection-of-buffer))
  (let ((spots (midflight-waiting-spots)))
    (or (cdr (assq (line-number-at-pos nil t) spots))
        (midflight-user-error "No process waits at line %d; nothing was done; %s"
                              (line-number-at-pos nil t)
                              (midflight-waiting-act--nearest spots)))))

(defun midflight-waiting-act--nearest (spots)
  "Return text about the places of the nearest of SPOTS."
  (let* ((line (line-number-at-pos nil t))
         (above (car (last (cl-remove-if (lambda (spot) (> (car spot) line)) spots))))
         (below (cl-find-if (lambda (spot) (> (car spot) line)) spots))
         (near (delq nil (list above below))))
    (if (not near)
        "no process waits in this buffer"
      (concat "the nearest wait at "
              (mapconcat (pcase-lambda (`(,line . ,spot))
                           (format "line %d (%d)" line (plist-get spot :count)))
                         near " and ")))))

;;;; Choose among them

(defun midflight-waiting-act--ask ()
  "Ask the server for details of the processes at the line of point."
  (setq midflight-waiting-act--rows nil)
  (midflight-connection-call
   'process/at (list (midflight-code-path) (midflight-code-text) (line-number-at-pos nil t))
   (lambda (answer)
     (setq midflight-waiting-act--rows
           (mapcar (lambda (row) (cons (midflight-row-pid row) row)) (plist-get answer :rows))))))

(defun midflight-waiting-act--pids (spot buffer)
  "Return the pids at SPOT of BUFFER that are known by now."
  (let ((rows (buffer-local-value 'midflight-waiting-act--rows buffer)))
    (if rows (mapcar #'car rows) (plist-get spot :pids))))

(defun midflight-waiting-act--annotation (pid buffer)
  "Return the details of PID known in BUFFER: its name, version and mailbox."
  (let ((row (cdr (assoc pid (buffer-local-value 'midflight-waiting-act--rows buffer)))))
    (if (not row)
        ""
      (format "  %-16s %-5s %s"
              (or (midflight-row-name row) "")
              (if (midflight-row-version row) (format "v%d" (midflight-row-version row)) "")
              (pcase (midflight-row-messages row)
                (0 "no messages")
                (1 "1 message")
                (count (format "%d messages" count)))))))

(defun midflight-waiting-act--table (spot buffer many)
  "Return the completion table of the pids at SPOT of BUFFER.
If MANY is non-nil, it also offers all of them at once."
  (lambda (string predicate action)
    (if (eq action 'metadata)
        `(metadata (category . midflight-process)
                   (annotation-function
                    . ,(lambda (pid) (midflight-waiting-act--annotation pid buffer)))
                   (display-sort-function . identity)
                   (cycle-sort-function . identity))
      (let ((pids (midflight-waiting-act--pids spot buffer)))
        (complete-with-action action
                              (if many (cons midflight-waiting-act--all pids) pids)
                              string predicate)))))

(defun midflight-waiting-act--choose (prompt many)
  "Return a list of pids that wait at the line of point, chosen with PROMPT.
If MANY is non-nil, the user can choose all of them."
  (let* ((spot (midflight-waiting-act--spot))
         (count (plist-get spot :count))
         (buffer (current-buffer)))
    (if (= count 1)
        (plist-get spot :pids)
      (midflight-waiting-act--ask)
      (let* ((first (car (plist-get spot :pids)))
             (answer (completing-read
                      (format "%s which of the %d here (default %s): " prompt count first)
                      (midflight-waiting-act--table spot buffer many) nil t nil nil first)))
        (if (equal answer midflight-waiting-act--all)
            (midflight-waiting-act--all-pids spot)
          (list answer))))))

(defun midflight-waiting-act--all-pids (spot)
  "Return all pids at SPOT; signal `user-error' if not all of them are known."
  (let ((pids (midflight-waiting-act--pids spot (current-buffer)))
        (count (plist-get spot :count)))
    (when (< (length pids) count)
      (midflight-user-error
       "Emacs knows only %d of the %d processes at this line; nothing was done; mark them in the list of processes"
       (length pids) count))
    pids))

;;;; Commands

(defun midflight-waiting-act--call (command pids)
  "Call COMMAND, a command of the process list, for PIDS."
  (let ((midflight-process-targets-function (lambda () pids))
        (midflight-process-buffer-pid (car pids)))
    (call-interactively command)))

(defmacro midflight-waiting-act--define (name command prompt many doc)
  "Define NAME: COMMAND for a process at the line of point, read with PROMPT.
If MANY is non-nil, it can be for all of them.  DOC is its docstring."
  (declare (indent 1) (doc-string 5))
  `(defun ,name ()
     ,doc
     (interactive)
     (midflight-waiting-act--call #',command (midflight-waiting-act--choose ,prompt ,many))))

(midflight-waiting-act--define midflight-at-point-show
  midflight-process-show "Show" nil
  "Show all that can be seen of a process that waits at this line.")

(midflight-waiting-act--define midflight-at-point-mailbox
  midflight-process-mailbox "Mailbox of" nil
  "Show the messages that wait for a process at this line.")

(midflight-waiting-act--define midflight-at-point-backtrace
  midflight-process-backtrace "Backtrace of" nil
  "Show the stack of a process at this line, frame by frame.")

(midflight-waiting-act--define midflight-at-point-send
  midflight-process-send "Send to" t
  "Send a message to the processes that wait at this line, or to one of them.")

(midflight-waiting-act--define midflight-at-point-kill
  midflight-process-kill "Kill" t
  "Kill the processes that wait at this line, or one of them, after a question.")

(midflight-waiting-act--define midflight-at-point-move
  midflight-process-move "Move" t
  "Move the processes at this line, or one of them, to the current version.")

(midflight-waiting-act--define midflight-at-point-trace
  midflight-process-trace "Trace" t
  "Trace the processes that wait at this line, or one of them.")

(defvar midflight-at-point-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'midflight-at-point-show)
    (define-key map "m" #'midflight-at-point-mailbox)
    (define-key map "b" #'midflight-at-point-backtrace)
    (define-key map "s" #'midflight-at-point-send)
    (define-key map "k" #'midflight-at-point-kill)
    (define-key map "u" #'midflight-at-point-move)
    (define-key map "t" #'midflight-at-point-trace)
    map)
  "Keys for the processes that wait at the line of point.
They are the same as for a line of the process list.")

;;;###autoload
(defun midflight-at-point ()
  "Read a key and act by it on the processes that wait at this line."
  (interactive)
  (midflight-waiting-act--spot)
  (message "Midflight: processes at this line: RET shows, m mailbox, b backtrace, s sends, k kills, u moves, t traces")
  (set-transient-map midflight-at-point-map))

;;;; By the mouse

(easy-menu-define midflight-at-point-menu nil
  "Menu of the processes that wait at a line."
  '("Processes at this line"
    ["Show it..." midflight-at-point-show]
    ["Mailbox..." midflight-at-point-mailbox]
    ["Backtrace..." midflight-at-point-backtrace]
    "---"
    ["Send a message..." midflight-at-point-send]
    ["Move to the current version..." midflight-at-point-move]
    ["Trace, or no longer..." midflight-at-point-trace]
    ["Kill..." midflight-at-point-kill]
    "---"
    ["List of all processes" midflight-waiting-processes]))

(defun midflight-at-point-click (event)
  "Pop up a menu for the processes at the line of EVENT, a click on their count."
  (interactive "e")
  (posn-set-point (event-end event))
  (popup-menu midflight-at-point-menu event))

(provide 'midflight-waiting-act)
;;; midflight-waiting-act.el ends here
