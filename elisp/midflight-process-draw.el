;;; midflight-process-draw.el --- A long list drawn in slices  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; All lines of a list of runtime processes in another order, or other lines:
;; with ten thousand of them that is some tenths of a second, in which Emacs
;; must answer keys.  So it is done in slices, and the list stays as it is until
;; the new one is ready.  The life of a draw:
;;
;; 1. The rows that are to be shown are chosen, a hundred at a time.
;; 2. They are sorted: by numbers, which takes no call of Lisp.
;; 3. Their lines are written into a buffer of their own, a hundred at a time.
;; 4. Its text takes the place of the list's, at once.
;;
;; A list short enough is ready after the first slice, before the call returns.
;; A draw that begins while another one is under way takes its place.

;;; Code:

(require 'cl-lib)
(require 'midflight-process-rows)
(require 'midflight-process-table)
(require 'midflight-process-filter)

(defconst midflight-process-draw--seconds 0.01
  "How long a slice may take: what somebody who types does not notice.")

(defconst midflight-process-draw--rows 100
  "How many rows are handled between two looks at the clock.")

(defvar-local midflight-process-draw--job nil
  "The draw that is under way in this buffer, or nil.")

(cl-defstruct (midflight-process-draw--job (:constructor midflight-process-draw--make)
                                           (:copier nil))
  "A draw: STEP is a function of the job, REST the rows that it is to handle.
RESULT are those that it has handled; KEY is what they are sorted by."
  step rest result key
  lines                                 ; the buffer that is written, or nil
  done)                                 ; a function to call at the end

(defun midflight-process-draw-pending-p ()
  "Return non-nil if a draw is under way in this buffer."
  (and midflight-process-draw--job t))

(defun midflight-process-draw (done)
  "Draw the list of this buffer anew, in slices, and then call DONE in it."
  (let ((rows nil))
    (maphash (lambda (_ row) (push row rows)) midflight-process-table-rows)
    (setq midflight-process-draw--job
          (midflight-process-draw--make
           :step #'midflight-process-draw--choose :rest rows :done done
           :key (midflight-row-key (midflight-process-table-sorted-by))))
    (midflight-process-draw--slice (current-buffer) midflight-process-draw--job)))

(defun midflight-process-draw--slice (buffer job)
  "Do some of JOB, if it is still the one of BUFFER; have the rest done soon."
  (if (not (and (buffer-live-p buffer)
                (eq job (buffer-local-value 'midflight-process-draw--job buffer))))
      (midflight-process-draw--clean job)
    (with-current-buffer buffer
      (let ((end (+ (float-time) midflight-process-draw--seconds)))
        (condition-case problem
            (while (progn
                     (funcall (midflight-process-draw--job-step job) job)
                     (and (eq job midflight-process-draw--job)
                          (< (float-time) end)
                          (not (midflight-process-draw--long-p job))
                          (not (input-pending-p)))))
          ;; Somebody who quits a command wants Emacs back, not half a list.
          (quit nil)
          (error (setq midflight-process-draw--job nil)
                 (midflight-process-draw--clean job)
                 (signal (car problem) (cdr problem))))
        (when (eq job midflight-process-draw--job)
          (run-at-time 0 nil #'midflight-process-draw--slice buffer job))))))

(defun midflight-process-draw--long-p (job)
  "Return non-nil if the next step of JOB is a slice by itself.
To sort all rows, and to put all lines into the list, are steps that cannot be
divided: with 10,000 of them each takes about as long as a slice may."
  (and (> (hash-table-count midflight-process-table-rows) 1000)
       (memq (midflight-process-draw--job-step job)
             '(midflight-process-draw--sort midflight-process-draw--finish))))

(defun midflight-process-draw--clean (job)
  "Remove the buffer that JOB has written, if there is one."
  (when (buffer-live-p (midflight-process-draw--job-lines job))
    (kill-buffer (midflight-process-draw--job-lines job))))

(defun midflight-process-draw--next (job function)
  "Call FUNCTION with some rows of JOB; return non-nil if they were the last."
  (let ((count 0))
    (while (and (< count midflight-process-draw--rows)
                (midflight-process-draw--job-rest job))
      (funcall function (pop (midflight-process-draw--job-rest job)))
      (setq count (1+ count))))
  (null (midflight-process-draw--job-rest job)))

(defun midflight-process-draw--then (job step)
  "Let JOB go on with STEP, which handles what has become of it so far."
  (setf (midflight-process-draw--job-rest job) (midflight-process-draw--job-result job)
        (midflight-process-draw--job-result job) nil
        (midflight-process-draw--job-step job) step))

;;;; The steps

(defun midflight-process-draw--choose (job)
  "Choose some rows of JOB: conses of what they are sorted by and the row."
  (let ((key (midflight-process-draw--job-key job)))
    (when (midflight-process-draw--next
           job
           (lambda (row)
             (when (midflight-process-filter-shown-p row)
               (let ((value (funcall key row)))
                 (push (cons (if (stringp value) value (midflight-process-draw--rank value row))
                             row)
                       (midflight-process-draw--job-result job))))))
      (midflight-process-draw--then job #'midflight-process-draw--sort))))

(defun midflight-process-draw--rank (number row)
  "Return a number to sort ROW by: by NUMBER, then by pid."
  (+ (ash number 36) (midflight-row-number row)))

(defun midflight-process-draw--sort (job)
  "Sort the rows of JOB, as `midflight-process-table-less' has them."
  (let ((pairs (midflight-process-draw--job-rest job)))
    (when (stringp (caar pairs))
      (midflight-process-draw--number pairs))
    (setq pairs (sort pairs #'car-less-than-car))
    (when (cdr tabulated-list-sort-key)
      (setq pairs (nreverse pairs)))
    (let ((rows (mapcar #'cdr pairs))
          (is-old (lambda (row)
                    (eq (midflight-row-age row midflight-process-table-current) 'old))))
      (setf (midflight-process-draw--job-result job)
            (if midflight-process-table-old-first
                (nconc (cl-remove-if-not is-old rows) (cl-remove-if is-old rows))
              rows))))
  (midflight-process-draw--then job #'midflight-process-draw--write))

(defun midflight-process-draw--number (pairs)
  "Put a number into the place of the text that each of PAIRS is sorted by."
  (let ((ranks (make-hash-table :test #'equal))
        (rank 0))
    (dolist (pair pairs)
      (puthash (car pair) t ranks))
    (dolist (text (sort (hash-table-keys ranks) #'string<))
      (puthash text (setq rank (1+ rank)) ranks))
    (dolist (pair pairs)
      (setcar pair (midflight-process-draw--rank (gethash (car pair) ranks) (cdr pair))))))

(defun midflight-process-draw--write (job)
  "Write the lines of some rows of JOB."
  (let ((marked midflight-process-table-marked)
        (current midflight-process-table-current)
        (inhibit-modification-hooks t))
    (with-current-buffer (or (midflight-process-draw--job-lines job)
                             (setf (midflight-process-draw--job-lines job)
                                   (generate-new-buffer " *midflight-lines*")))
      (when (midflight-process-draw--next
             job (lambda (row) (midflight-process-table-insert-line row marked current)))
        (setf (midflight-process-draw--job-step job) #'midflight-process-draw--finish)))))

(defun midflight-process-draw--finish (job)
  "Show what JOB has written."
  (midflight-process-table-put (midflight-process-draw--job-lines job))
  (setq midflight-process-draw--job nil)
  (midflight-process-draw--clean job)
  (funcall (midflight-process-draw--job-done job)))

(provide 'midflight-process-draw)
;;; midflight-process-draw.el ends here
