;;; midflight-process-headline.el --- What stands above a list of processes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The line above the header of a process list: the number of runtime processes,
;; the part of them that the list shows, the number in each old version, and the
;; last error.

;;; Code:

(require 'cl-lib)
(require 'midflight-process-filter)
(require 'midflight-process-rows)

(defcustom midflight-processes-maximum 2000
  "The most runtime processes that a list has rows for.
If there are more, the list has the first in its order of those that pass
its filters."
  :type 'integer
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defvar-local midflight-process-headline-counts (make-hash-table :test #'equal)
  "Hash table of modules and alists: versions, and the processes in each.")
(defvar-local midflight-process-headline-problem nil "The reason why the last request failed, or nil.")
(defvar-local midflight-process-headline--summary nil "The text of the line above the header.")
(defvar-local midflight-process-headline-total nil "The number of processes on the server, by its last answer.")
(defvar-local midflight-process-headline-matching nil
  "The number of processes that pass the filters, if the server has sent it.")

(defun midflight-process-headline-cut-p ()
  "Return non-nil if there are more processes than the list has rows for."
  (and midflight-process-headline-total
       (> midflight-process-headline-total midflight-processes-maximum)))

(defun midflight-process-headline-count (row change)
  "Add CHANGE to the counts of the versions in ROW, which may be nil.
Do not count a server without a frame in its module: it takes the next
version at its next message."
  (when (and row (not (midflight-row-behaviour row)))
    (midflight-process-headline--add (midflight-row-module row) (midflight-row-version row)
                                     change)
    (pcase-dolist (`(,module ,version) (midflight-row-others row))
      (midflight-process-headline--add module version change))))

(defun midflight-process-headline--add (module version change)
  "Add CHANGE to the count of VERSION, which may be nil for none, of MODULE."
  (when version
    (let* ((versions (gethash module midflight-process-headline-counts))
           (entry (assq version versions)))
      (if entry
          (setcdr entry (+ (cdr entry) change))
        (puthash module (cons (cons version change) versions)
                 midflight-process-headline-counts)))))

(defun midflight-process-headline-summarize ()
  "Update the text with the number of processes and their old versions."
  (let ((parts nil))
    (maphash (lambda (module versions)
               (pcase-dolist (`(,version . ,count) versions)
                 (unless (or (zerop count)
                             (eql version
                                  (gethash module midflight-process-rows-current version)))
                   (push (format "%s v%d ×%d" module version count) parts))))
             midflight-process-headline-counts)
    (let ((text (concat (midflight-process-headline--total-text)
                        (if parts
                            (concat "; old code: "
                                    (mapconcat #'identity (sort parts #'string<) ", "))
                          (if (midflight-process-headline-cut-p)
                              "; none of these in old code"
                            "; none in old code")))))
      (unless (equal text midflight-process-headline--summary)
        (setq midflight-process-headline--summary text)
        (force-mode-line-update)))))

(defun midflight-process-headline--total-text ()
  "Return the text for the number of processes and the part in the list."
  (let* ((here (hash-table-count midflight-process-rows))
         (matching midflight-process-headline-matching)
         (by (concat " by " (midflight-process-rows-sorted-by))))
    (cond ((not (midflight-process-headline-cut-p))
           (format "%d process%s" here (if (= here 1) "" "es")))
          ((not (midflight-process-filter-active-p))
           (format "the first %d of %d processes%s" here midflight-process-headline-total by))
          ((not matching)
           (format "looking at %d processes..." midflight-process-headline-total))
          ((> matching here)
           (format "the first %d%s of %d processes that match, of %d" here by matching
                   midflight-process-headline-total))
          (t (format "%d of %d processes match" matching midflight-process-headline-total)))))

(defun midflight-process-headline ()
  "Return the text of the line above the header."
  (concat " "
          (cond (midflight-process-headline-problem
                 (propertize midflight-process-headline-problem 'face 'error))
                (midflight-process-headline--summary)
                (t "Asking the server..."))
          (midflight-process-filter-said)))

(provide 'midflight-process-headline)
;;; midflight-process-headline.el ends here
