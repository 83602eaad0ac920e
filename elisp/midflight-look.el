;;; midflight-look.el --- The text at point, and brief questions about it  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, tools
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The common part of completion, ElDoc, Xref, documentation and the inspector:
;; the description of point for the server, and questions about it.
;;
;; Completion and Xref must return their answer at once.  `midflight-look-ask' is
;; the helper for that: it sends the question without waiting, like all requests,
;; then waits for the answer, at most the given time, and only until a key is
;; pressed.  A later answer is kept, so the next try has it at once.

;;; Code:

(require 'python)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-choose)

(defvar midflight-shell-session-number)       ; of a shell buffer
(declare-function midflight-shell-transcript-input-mark "midflight-shell-transcript" ())

(defconst midflight-look--before-limit 2000
  "The most characters before point that are sent.
The server puts off a request of more than 4 KB.")

(defconst midflight-look--fresh-seconds 3
  "The seconds that an answer is used, because the system goes on running.")

(defconst midflight-look--pending-limit 4
  "The most questions of a buffer that may be without an answer.")

(defvar-local midflight-look--answers nil
  "Hash table of questions and answers: (TIME VALUE), or `pending'.")

;;;; The position of point

(defun midflight-look-shell-p ()
  "Return non-nil if this is a shell buffer."
  (derived-mode-p 'midflight-shell-mode))

(defun midflight-look-where ()
  "Return the scope in which names of this buffer are looked up.
It is the number of a shell, the path of a file, or nil for neither."
  (if (midflight-look-shell-p)
      midflight-shell-session-number
    (and (midflight-connection-file) (midflight-connection-path (midflight-connection-file)))))

(defun midflight-look-inside ()
  "Return the dotted name of the definition around point, or nil."
  (and (derived-mode-p 'python-mode 'python-base-mode)
       (save-match-data (ignore-errors (python-info-current-defun)))))

(defun midflight-look-possible-p ()
  "Return non-nil if the server can be asked about the text at point."
  (and (midflight-connection-open-p)
       (not (midflight-connection-remote-p))
       (or (not (midflight-look-shell-p))
           (and midflight-shell-session-number
                (>= (point) (midflight-shell-transcript-input-mark))))))

(defun midflight-look-before ()
  "Return the text of the statement before point; only its end if it is long."
  (let ((start (max (if (midflight-look-shell-p)
                        (marker-position (midflight-shell-transcript-input-mark))
                      (save-excursion
                        (ignore-errors (python-nav-beginning-of-statement))
                        (min (point) (line-beginning-position))))
                    (- (point) midflight-look--before-limit))))
    (buffer-substring-no-properties (min start (point)) (point))))

(defun midflight-look-expression ()
  "Return the dotted name that point is in or behind, or nil.
In the middle of a dotted name, return the name up to that part: on the
first part of counter.loop return counter."
  (save-excursion
    (let ((end (progn (skip-chars-forward "[:alnum:]_") (point)))
          (limit (if (midflight-look-shell-p)
                     (field-beginning (point))
                   (line-beginning-position))))
      (while (and (> (skip-chars-backward "[:alnum:]_" limit) -1000)
                  (eq (char-before) ?.)
                  (> (1- (point)) limit)
                  (string-match-p "[[:alnum:]_]" (string (char-before (1- (point)))))
                  (progn (backward-char) t)))
      (let ((text (buffer-substring-no-properties (point) end)))
        (and (string-match-p "\\`[[:alpha:]_]" text) text)))))

(defun midflight-look-read (prompt)
  "Read an expression with PROMPT and return it; the default is at point."
  (let* ((default (or (and (use-region-p)
                           (buffer-substring-no-properties (region-beginning) (region-end)))
                      (midflight-look-expression)))
         (text (read-string (if default (format "%s (default %s): " prompt default)
                              (concat prompt ": "))
                            nil 'midflight-look-history default)))
    (when (string-blank-p text)
      (midflight-user-error "No expression; nothing was done"))
    text))

(defvar midflight-look-history nil
  "Expressions that were read.")

;;;; Read a module

(defconst midflight-look--modules-seconds 1
  "The most seconds that a command waits for the names of the modules.")

(defun midflight-look-read-module (prompt)
  "Read the name of a module of the running system with PROMPT and return it.
If the server does not answer in time, any name can be given."
  ;; The server is asked when a name is completed, not before: it may be held.
  (let ((names (lambda (_)
                 (car (midflight-look-ask 'look/modules nil midflight-look--modules-seconds)))))
    (completing-read prompt (midflight-choose-table 'midflight-module (completion-table-with-cache names))
                     nil nil nil 'midflight-look-module-history)))

(defvar midflight-look-module-history nil
  "Names of modules that were read.")

;;;; Read a process

(defconst midflight-look--processes-limit 500
  "The most runtime processes that are offered; any pid can be typed.")

(defvar midflight-look-process-history nil
  "Pids and names of runtime processes that were read.")

(defun midflight-look-read-process (prompt default)
  "Read a pid or a registered name with PROMPT, DEFAULT if nothing is typed.
The server is asked for the processes when a name is completed; if it does
not answer in time, any name or pid can be given."
  (let* ((buffer (current-buffer))
         (rows (make-hash-table :test #'equal))
         (names (lambda (_)
                  (with-current-buffer buffer
                    (mapcar (lambda (row)
                              (let ((key (or (nth 1 row) (nth 0 row))))
                                (puthash key row rows)
                                key))
                            (plist-get (car (midflight-look-ask
                                             'process/changes
                                             (list (list :limit midflight-look--processes-limit))
                                             midflight-look--modules-seconds))
                                       :rows))))))
    (completing-read
     prompt
     (midflight-choose-table 'midflight-process (completion-table-with-cache names)
                             (lambda (key) (midflight-look--process-text (gethash key rows))))
     nil nil nil 'midflight-look-process-history default)))

(defun midflight-look--process-text (row)
  "Return the text behind the process of ROW, a list from the server, or nil."
  (pcase row
    (`(,pid ,name ,module ,version ,function ,line . ,_)
     (format "%s%s%s, %s:%s" (if name (concat pid "  ") "") module
             (if version (format " v%d" version) "") function line))))

;;;; Questions

(defun midflight-look-forget ()
  "Forget the answers of this buffer: something has changed."
  (when midflight-look--answers
    (maphash (lambda (key answer)
               (unless (eq answer 'pending)
                 (remhash key midflight-look--answers)))
             midflight-look--answers)))

(defun midflight-look--answer (question)
  "Return the answer to QUESTION as (TIME VALUE), `pending', or nil."
  (let ((answer (gethash question midflight-look--answers)))
    (if (and (consp answer)
             (> (- (float-time) (car answer)) midflight-look--fresh-seconds))
        (progn (remhash question midflight-look--answers) nil)
      answer)))

(defun midflight-look--pending-count ()
  "Return the number of questions of this buffer without an answer."
  (let ((count 0))
    (maphash (lambda (_ answer) (when (eq answer 'pending) (setq count (1+ count))))
             midflight-look--answers)
    count))

(defun midflight-look--send (question)
  "Send QUESTION, (METHOD ARG...), unless too many have no answer."
  (when (< (midflight-look--pending-count) midflight-look--pending-limit)
    (puthash question 'pending midflight-look--answers)
    (let ((answers midflight-look--answers))
      (midflight-connection-call
       (car question) (cdr question)
       (lambda (value) (puthash question (list (float-time) value) answers))
       (lambda (_text) (remhash question answers))
       10))))

(defun midflight-look-ask (method args seconds)
  "Return the answer to METHOD with ARGS, as a list of it, or nil for none yet.
Wait at most SECONDS, and only until a key is pressed.  A later answer is
kept for the next call, if that is soon.  Point and text of the buffer may
have changed after a wait."
  (when (midflight-connection-open-p)
    (unless midflight-look--answers
      (setq midflight-look--answers (make-hash-table :test #'equal)))
    (let ((question (cons method args))
          (wire (midflight-connection-wire (midflight-connection-of-buffer)))
          (deadline (+ (float-time) seconds))
          (buffer (current-buffer))
          answer)
      (unless (midflight-look--answer question)
        (midflight-look--send question))
      (while (and (eq (setq answer (midflight-look--answer question)) 'pending)
                  (< (float-time) deadline)
                  (not (input-pending-p)))
        (midflight-epc-take wire 0.01)
        (set-buffer buffer))
      (and (consp answer) (cdr answer)))))

(provide 'midflight-look)
;;; midflight-look.el ends here
