;;; midflight-process-table.el --- A long list that changes a little  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The text of a list of runtime processes, ten thousand of them perhaps.
;; `tabulated-list-print' would write all lines anew for each row that has
;; changed.  Here lines are replaced, taken out and put in where they belong,
;; each found by halving; point and the windows stay on their processes.  When
;; all lines must be written, midflight-process-draw.el does it.
;;
;; A line has its pid in the text property `tabulated-list-id', so what works
;; on such lists works on this one.

;;; Code:

(require 'cl-lib)
(require 'tabulated-list)
(require 'midflight-process-rows)

(defvar-local midflight-process-table-rows (make-hash-table :test #'equal)
  "All rows of this list by pid, shown or not.")

(defvar-local midflight-process-table-current (make-hash-table :test #'equal)
  "The current version of each module, as far as the server has told.")

(defvar-local midflight-process-table-marked (make-hash-table :test #'equal)
  "The pids that are marked, as keys.")

(defvar-local midflight-process-table-old-first nil
  "Non-nil if those that run old code come before all others.")

(defun midflight-process-table-print (_id row)
  "Insert the line of ROW at point; a `tabulated-list-printer'."
  (midflight-process-table-insert-line row midflight-process-table-marked
                                       midflight-process-table-current))

(defun midflight-process-table-insert-line (row marked current)
  "Insert the line of ROW at point, as a list with MARKED and CURRENT has it."
  (let* ((pid (midflight-row-pid row))
         (is-marked (gethash pid marked))
         (face (pcase (midflight-row-age row current)
                 ('old 'midflight-old-code)
                 ('next 'midflight-next-message)))
         (start (point)))
    (insert (if is-marked "* " "  ") (midflight-row-line-text row) "\n")
    (add-text-properties start (point)
                         (list 'tabulated-list-id pid 'tabulated-list-entry row
                               'midflight-pid pid))
    (when (or face is-marked)
      (put-text-property start (point) 'face (if is-marked (list 'bold face) face)))))

(defun midflight-process-table-sorted-by ()
  "Return the column that the list is sorted by."
  (or (car tabulated-list-sort-key) "Pid"))

(defun midflight-process-table-less ()
  "Return the order of the list: a predicate of two entries, (PID ROW) each.
It is what the header shows, those with old code first if that is
asked for."
  (let* ((by-column (midflight-row-order (midflight-process-table-sorted-by)))
         (less (if (cdr tabulated-list-sort-key)
                   (lambda (a b) (funcall by-column b a))
                 by-column))
         (current midflight-process-table-current))
    (if (not midflight-process-table-old-first)
        less
      (lambda (a b)
        (let ((a-old (eq (midflight-row-age (cadr a) current) 'old))
              (b-old (eq (midflight-row-age (cadr b) current) 'old)))
          (if (eq a-old b-old) (funcall less a b) a-old))))))

(defun midflight-process-table-put (lines)
  "Let the text of the buffer LINES be the whole list; keep point and the windows."
  (let ((point (midflight-process-table--place (point)))
        (windows (mapcar (lambda (window)
                           (list window
                                 (midflight-process-table--place (window-point window))
                                 (count-lines (window-start window) (window-point window))))
                         (get-buffer-window-list nil nil t)))
        (inhibit-read-only t)
        (inhibit-modification-hooks t))
    (erase-buffer)
    (insert-buffer-substring lines)
    (set-buffer-modified-p nil)
    (midflight-process-table--go point)
    (pcase-dolist (`(,window ,place ,height) windows)
      (save-excursion
        (midflight-process-table--go place)
        (set-window-point window (point))
        (forward-line (- (max 0 height)))
        (set-window-start window (line-beginning-position) t)))))

(defun midflight-process-table--place (position)
  "Return a list of the pid and the column at POSITION, and the line's number."
  (save-excursion
    (goto-char position)
    (list (get-text-property (line-beginning-position) 'tabulated-list-id)
          (- (point) (line-beginning-position))
          (count-lines (point-min) (line-beginning-position)))))

(defun midflight-process-table--go (place)
  "Go to PLACE, from `midflight-process-table--place', or near it if it is gone."
  (pcase-let ((`(,pid ,column ,line) place))
    (unless (and pid (midflight-process-table-goto pid))
      (goto-char (point-min))
      (forward-line line)
      (when (and (eobp) (not (bobp)))
        (forward-line -1)))
    (goto-char (min (+ (point) column) (line-end-position)))))

(defun midflight-process-table-goto (pid)
  "Go to the line of PID; return non-nil if there is one."
  (let* ((row (gethash pid midflight-process-table-rows))
         (found (or (and row
                         (save-excursion
                           (and (midflight-process-table--find
                                 (list pid row) (midflight-process-table-less))
                                (point))))
                    ;; Its line may be that of another row, or in another order.
                    (save-excursion
                      (goto-char (point-min))
                      (while (not (or (eobp)
                                      (equal pid (get-text-property (point) 'tabulated-list-id))))
                        (forward-line 1))
                      (and (not (eobp)) (point))))))
    (when found
      (goto-char found))))

(defun midflight-process-table-update (pid)
  "Write the line of PID anew where it is, if it is shown."
  (let ((places (midflight-process-table--watched (list pid)))
        (inhibit-read-only t)
        (inhibit-modification-hooks t))
    (save-excursion
      (when (midflight-process-table-goto pid)
        (midflight-process-table--replace (get-text-property (point) 'tabulated-list-entry))))
    (set-buffer-modified-p nil)
    (midflight-process-table--restore places)))

(defun midflight-process-table-merge (replaced deleted inserted)
  "Change the lines of some processes, leave all others as they are.
DELETED and INSERTED are lists of entries, (PID ROW) each; REPLACED is one of
conses of an entry and the one that takes its place, neither before the other
in the order of the list.  The lines are in that order, so each is found by
halving; if one is not where it should be, return nil, and draw the list."
  (let* ((less (midflight-process-table-less))
         (inserted (midflight-process-table--sorted inserted less))
         (inhibit-read-only t)
         (inhibit-modification-hooks t)
         (places (midflight-process-table--watched
                  (append (mapcar #'caar replaced) (mapcar #'car deleted))))
         (is-right t))
    (save-excursion
      (dolist (entry deleted)
        (if (midflight-process-table--find entry less)
            (delete-region (point) (line-beginning-position 2))
          (setq is-right nil)))
      (pcase-dolist (`(,before . ,after) replaced)
        (if (midflight-process-table--find before less)
            (midflight-process-table--replace (cadr after))
          (setq is-right nil)))
      (when is-right
        (midflight-process-table--insert inserted less)))
    (set-buffer-modified-p nil)
    (midflight-process-table--restore places)
    is-right))

(defun midflight-process-table--sorted (entries less)
  "Return ENTRIES in the order of LESS; most often they are."
  (if (cl-loop for (a b) on entries
               always (or (null b) (funcall less a b)))
      entries
    (sort entries less)))

(defun midflight-process-table--insert (entries less)
  "Insert the lines of ENTRIES, which are in the order of LESS."
  (when entries
    (midflight-process-table--seek (car entries) less)
    (dolist (entry entries)
      ;; The next one often belongs to the same place.
      (unless (or (eobp)
                  (not (funcall less (midflight-process-table--entry) entry)))
        (midflight-process-table--seek entry less))
      (midflight-process-table-print nil (cadr entry)))))

(defun midflight-process-table--seek (entry less)
  "Go to the first line that is not before ENTRY in the order of LESS."
  (let ((low (point-min))
        (high (point-max)))
    (while (< low high)
      (goto-char (/ (+ low high) 2))
      (forward-line 0)
      (if (funcall less (midflight-process-table--entry) entry)
          (setq low (line-beginning-position 2))
        (setq high (point))))
    (goto-char low)))

(defun midflight-process-table--find (entry less)
  "Go to the line of ENTRY; return non-nil if it is where LESS has it."
  (midflight-process-table--seek entry less)
  (equal (car entry) (get-text-property (point) 'tabulated-list-id)))

(defun midflight-process-table--entry ()
  "Return the entry of the line at point."
  (list (get-text-property (point) 'tabulated-list-id)
        (get-text-property (point) 'tabulated-list-entry)))

(defun midflight-process-table--replace (row)
  "Put the line of ROW in the place of the one at point; stay at its beginning."
  (let ((begin (point)))
    (delete-region begin (line-beginning-position 2))
    (midflight-process-table-print nil row)
    (goto-char begin)))

(defun midflight-process-table--watched (pids)
  "Return who stands on a line of one of PIDS: (WHERE PID COLUMN) each.
WHERE is a window, or nil for point."
  (let (found)
    (dolist (where (cons nil (get-buffer-window-list nil nil t)) found)
      (pcase-let ((`(,pid ,column ,_)
                   (midflight-process-table--place
                    (if where (window-point where) (point)))))
        (when (and pid (member pid pids))
          (push (list where pid column) found))))))

(defun midflight-process-table--restore (places)
  "Bring everybody in PLACES back to the process where they stood."
  (pcase-dolist (`(,where ,pid ,column) places)
    (let ((position (save-excursion
                      (and (midflight-process-table-goto pid)
                           (min (+ (point) column) (line-end-position))))))
      (when position
        (if where (set-window-point where position) (goto-char position))))))

(provide 'midflight-process-table)
;;; midflight-process-table.el ends here
