;;; midflight-flymake.el --- Diagnostics of the last load  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The server's diagnostics of a buffer's last load, for Flymake:
;;
;; 1. `midflight-flymake-set' turns the diagnostics of a load into positions in
;;    the buffer, which move with the text from then on.
;; 2. It turns on Flymake if there is something to show and runs a check; the
;;    backend reports these positions, at every check, until the next load.
;; 3. M-n and M-p move through them in the source, C-c M-c forgets them.
;; 4. `midflight-flymake-disable' forgets all of them, and turns Flymake off if
;;    this file turned it on.

;;; Code:

(require 'cl-lib)
(require 'flymake)
(require 'midflight-util)

(defvar-local midflight-flymake--notes nil
  "The notes to report for this buffer: (BEGIN END TYPE TEXT SOURCE) each.
BEGIN and END are markers.  SOURCE is `load' or `test'.")

(defvar-local midflight-flymake--turned-on nil
  "Non-nil if Flymake is on in this buffer because of us.")

(defun midflight-flymake-position (line column)
  "Return the position of LINE, from 1, and COLUMN, from 0, or the nearest.
If COLUMN is nil, return the position after the indentation."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char (point-min))
      (forward-line (1- (or line 1)))
      (if column
          (min (line-end-position) (+ (point) column))
        (back-to-indentation)
        (point)))))

(defun midflight-flymake--region (diagnostic)
  "Return the region of DIAGNOSTIC, a plist, in this buffer, as (BEGIN . END).
A diagnostic without an end, or with an empty range, reaches to the end of
its line.  At the end of a line it covers the character before, and on an
empty line the newline."
  (let* ((line (plist-get diagnostic :line))
         (begin (midflight-flymake-position line (plist-get diagnostic :column)))
         (end (if (plist-get diagnostic :end-line)
                  (midflight-flymake-position (plist-get diagnostic :end-line)
                                              (or (plist-get diagnostic :end-column) 0))
                begin)))
    (midflight-flymake--extended begin end)))

(defun midflight-flymake--extended (begin end)
  "Return (BEGIN . END), at least one character if that is possible."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char begin)
      (when (<= end begin)
        (setq end (line-end-position)))
      (when (<= end begin)
        (if (and (bolp) (not (eobp)))
            (setq end (1+ begin))
          (setq end begin
                begin (max (point-min) (1- begin)))))
      (cons begin end))))

(defun midflight-flymake--type (severity)
  "Return Flymake's type for SEVERITY, a string."
  (pcase severity ("error" :error) ("warning" :warning) (_ :note)))

(defun midflight-flymake--clear-notes (source)
  "Forget the notes of this buffer that are of SOURCE, or all if it is nil."
  (let ((gone (cl-remove-if-not (lambda (note) (memq source (list nil (nth 4 note))))
                                midflight-flymake--notes)))
    (dolist (note gone)
      (set-marker (nth 0 note) nil)
      (set-marker (nth 1 note) nil))
    (setq midflight-flymake--notes
          (cl-set-difference midflight-flymake--notes gone :test #'eq))))

(defun midflight-flymake-set (diagnostics &optional source)
  "Show DIAGNOSTICS, plists as the server sends them, for the current buffer.
They replace those of the same SOURCE: `load', if it is nil, or `test'.  If
both are nil, clear all."
  (midflight-flymake--clear-notes (and (or diagnostics source) (or source 'load)))
  (setq midflight-flymake--notes
        (append
         midflight-flymake--notes
         (mapcar (lambda (diagnostic)
                   (pcase-let ((`(,begin . ,end) (midflight-flymake--region diagnostic)))
                     (list (copy-marker begin) (copy-marker end)
                           (midflight-flymake--type (plist-get diagnostic :severity))
                           (plist-get diagnostic :message)
                           (or source 'load))))
                 diagnostics)))
  (when (and diagnostics (not (bound-and-true-p flymake-mode)))
    (setq midflight-flymake--turned-on t)
    (flymake-mode 1))
  (when (bound-and-true-p flymake-mode)
    (flymake-start)))

(defun midflight-flymake--backend (report &rest _)
  "Give the notes of this buffer to REPORT, a function of Flymake."
  (funcall report
           (cl-loop for (begin end type text _source) in midflight-flymake--notes
                    ;; Deleted text no longer has an error.
                    when (< begin end)
                    collect (flymake-make-diagnostic (current-buffer)
                                                     (marker-position begin)
                                                     (marker-position end)
                                                     type text))))

;;;; Move through the notes

(defun midflight-next-note (count)
  "Go to the next note of the last load in this buffer, COUNT notes on.
Show the note in the echo area.  A negative COUNT goes backwards."
  (interactive "p")
  (let* ((notes (cl-loop for (begin end _type text _source) in midflight-flymake--notes
                         when (< begin end)
                         collect (cons (marker-position begin) text)))
         (places (sort (delete-dups (mapcar #'car notes)) #'<))
         (ahead (if (< count 0)
                    (nreverse (cl-remove-if-not (lambda (place) (< place (point))) places))
                  (cl-remove-if-not (lambda (place) (> place (point))) places)))
         (place (nth (1- (abs count)) ahead)))
    (cond ((null notes)
           (midflight-user-error "The last load left no notes in this buffer"))
          ((null place)
           (midflight-user-error "No %s note" (if (< count 0) "earlier" "later"))))
    (push-mark nil t)
    (midflight-goto place)
    (message "%s" (mapconcat #'cdr
                             (cl-remove-if-not (lambda (note) (= (car note) place)) notes)
                             "\n"))))

(defun midflight-previous-note (count)
  "Go to the note of the last load before point, COUNT notes back."
  (interactive "p")
  (midflight-next-note (- count)))

(defun midflight-clear-notes ()
  "Forget the notes of the last load in this buffer."
  (interactive)
  (midflight-flymake-set nil))

(defun midflight-flymake-enable ()
  "Let Flymake ask us for the diagnostics of this buffer."
  (add-hook 'flymake-diagnostic-functions #'midflight-flymake--backend nil t))

(defun midflight-flymake-disable ()
  "Undo `midflight-flymake-enable' and its effects in this buffer."
  (midflight-flymake-set nil)
  (remove-hook 'flymake-diagnostic-functions #'midflight-flymake--backend t)
  (when midflight-flymake--turned-on
    (setq midflight-flymake--turned-on nil)
    (when (bound-and-true-p flymake-mode)
      (flymake-mode -1)))
  (kill-local-variable 'midflight-flymake--notes)
  (kill-local-variable 'midflight-flymake--turned-on))

(provide 'midflight-flymake)
;;; midflight-flymake.el ends here
