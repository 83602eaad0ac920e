;;; editor.el --- What bench/editor.py has an Emacs write down  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Into the file that the variable MIDFLIGHT_BENCH_LOG of the environment
;; names goes a line for each event, with the time of the system's clock:
;;
;;     1764000000.123456 message "counter v2 loaded ..."   shown by then
;;     1764000000.123456 key                               F5 was answered
;;     1764000000.123456 stall 0.0041 0.0040               by F6: see there
;;     1764000000.123456 buffer 120034 "last lines"        by F7, of the shell
;;     1764000000.123456 reverted                          by F8, the buffer
;;     1764000000.123456 drained                           a flood's last line
;;     1764000000.123456 list 10003 1 "  <0.1.0> ..."      lines, 1 if that is
;;                                                         all, and the first
;; F9 sorts the process list by name.

;;; Code:

(require 'midflight)

(defconst editor-bench-probe-seconds 0.02 "How often the probe is due.")
(defvar editor-bench-log (getenv "MIDFLIGHT_BENCH_LOG") "The file that is written.")
(defvar editor-bench--due nil "When the probe is due next.")
(defvar editor-bench--stall 0.0 "The longest time by which the probe came late.")
(defvar editor-bench--cpu 0.0 "The CPU time of Emacs when the probe came last.")
(defvar editor-bench--busy 0.0 "The most CPU time between two probes.")

(defun editor-bench-note (kind &rest values)
  "Write down that KIND happened now, with VALUES."
  (let ((line (format "%.6f %s%s\n" (float-time) kind
                      (mapconcat (lambda (value) (format " %S" value)) values "")))
        (print-escape-newlines t)
        (inhibit-message t))
    (write-region line nil editor-bench-log t 'silent)))

(defun editor-bench--note-message (format &rest args)
  "Write down the message of FORMAT and ARGS, which the echo area shows by now."
  (when format
    (let ((print-escape-newlines t))
      (editor-bench-note 'message (substring-no-properties
                                   (apply #'format-message format args))))))

(defun editor-bench--probe ()
  "Remember how late this comes, if it is the latest yet."
  (let ((now (float-time))
        (cpu (float-time (get-internal-run-time))))
    (setq editor-bench--busy (max editor-bench--busy (- cpu editor-bench--cpu))
          editor-bench--cpu cpu
          editor-bench--stall (max editor-bench--stall (- now editor-bench--due))
          editor-bench--due (+ now editor-bench-probe-seconds))
    ;; Not a repeating timer: that would leave out what it has missed.
    (run-at-time editor-bench-probe-seconds nil #'editor-bench--probe)))

(defun editor-bench-answer ()
  "Write down that a key was answered, and show something for it."
  (interactive)
  (force-mode-line-update)
  (redisplay)
  (editor-bench-note 'key))

(defun editor-bench-report-stall ()
  "Write down the longest stall since this was last done, and the CPU time of one.
That is what it would be on a machine that has nothing else to do."
  (interactive)
  (editor-bench-note 'stall editor-bench--stall editor-bench--busy)
  (setq editor-bench--stall 0.0
        editor-bench--busy 0.0))

(defun editor-bench-report-buffer ()
  "Write down the size and the last lines of the shell."
  (interactive)
  (with-current-buffer (midflight-shell-of (midflight-connection-root-of-buffer))
    (let ((print-escape-newlines t))
      (editor-bench-note 'buffer (buffer-size)
                         (buffer-substring-no-properties (max (point-min) (- (point-max) 200))
                                                         (point-max))))))

(defun editor-bench-revert ()
  "Take the text of the file that this buffer visits."
  (interactive)
  (revert-buffer t t t)
  (editor-bench-note 'reverted))

(defun editor-bench--note-output (text &rest _)
  "Write down that TEXT, which the shell shows now, is the end of a flood."
  (when (string-match-p "^the flood is over$" text)
    (editor-bench-note 'drained)))

(defvar midflight-process-list--due)

(defun editor-bench-sort ()
  "Sort the process list by name."
  (interactive)
  (midflight-processes-sort 2))

(defun editor-bench--note-list (&rest _)
  "Write down how much of the process list is shown by now."
  (redisplay)
  (editor-bench-note
   'list (count-lines (point-min) (point-max))
   (if midflight-process-list--due 0 1)
   (save-excursion (goto-char (point-min))
                   (buffer-substring-no-properties (point) (line-end-position)))))

(global-set-key (kbd "<f9>") #'editor-bench-sort)
(global-set-key (kbd "<f5>") #'editor-bench-answer)
(global-set-key (kbd "<f6>") #'editor-bench-report-stall)
(global-set-key (kbd "<f7>") #'editor-bench-report-buffer)
(global-set-key (kbd "<f8>") #'editor-bench-revert)
(setq midflight-auto-start 'always
      midflight-save-before-load nil
      midflight-shell-history-file nil)
(advice-add 'message :after #'editor-bench--note-message)
(setq midflight-processes-interval nil)
(advice-add 'midflight-process-list--take :after #'editor-bench--note-list)
(advice-add 'midflight-process-list--draw :after #'editor-bench--note-list)
(advice-add 'midflight-shell-transcript-output :after #'editor-bench--note-output)
(setq editor-bench--due (+ (float-time) editor-bench-probe-seconds))
(editor-bench--probe)

(provide 'editor)
;;; editor.el ends here
