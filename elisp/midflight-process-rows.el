;;; midflight-process-rows.el --- A runtime process as a row  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The rows of a process list.  The server sends a row, a list, for each runtime
;; process in process/changes and process/tree; see the accessors.
;;
;; 1. Pure functions compute the columns of a row, its sort keys, and whether it
;;    runs old code.
;; 2. A process list keeps all rows that it knows, shown or not.
;; 3. `tabulated-list-print' draws it, with a printer that makes a line by one
;;    call of `format'; point and the windows stay on their processes.

;;; Code:

(require 'cl-lib)
(require 'subr-x)
(require 'tabulated-list)

(defface midflight-old-code '((t :inherit warning))
  "Face for a runtime process that runs an old version."
  :group 'midflight)

(defface midflight-next-message '((t :inherit font-lock-comment-face))
  "Face for a server that takes the current version at its next message."
  :group 'midflight)

(cl-defstruct (midflight-row (:type list) (:constructor nil) (:copier nil))
  "A runtime process: the values that the server sends, in its order.
LINK is the first of LINKS links; BEHAVIOUR \"server\", \"supervisor\" or nil;
OTHERS (MODULE VERSION) each, of frames in further versions.  KEPT is the
number in the pid, see `midflight-row-keep'."
  pid name module version function line status messages links link behaviour others kept)

(defun midflight-row-keep (row)
  "Store in ROW, from the server, the values that are used often; return it."
  (unless (midflight-row-kept row)
    (nconc row (list (midflight-row-number row))))
  row)

(defun midflight-row-number (row)
  "Return the number in the pid of ROW."
  (or (midflight-row-kept row)
      (string-to-number (substring (midflight-row-pid row) 3 -3))))

(defun midflight-row-age (row current)
  "Return `old' if ROW is in an old version, `next' if it will take a new one.
CURRENT is a hash table of modules and the numbers of current versions."
  (if (midflight-row-behaviour row)
      (and (midflight-process-rows--version-old-p (midflight-row-module row) (midflight-row-version row) current)
           'next)
    (and (or (midflight-process-rows--version-old-p (midflight-row-module row) (midflight-row-version row) current)
             (cl-some (lambda (other)
                        (midflight-process-rows--version-old-p (car other) (cadr other) current))
                      (midflight-row-others row)))
         'old)))

(defun midflight-process-rows--version-old-p (module version current)
  "Return non-nil if VERSION of MODULE is not the one in CURRENT."
  (and version (not (eql version (gethash module current version)))))

(defun midflight-row-place (row)
  "Return the place of ROW, as function:line."
  (let ((line (midflight-row-line row)))
    (if (or (null line) (eql line 0) (midflight-row-behaviour row))
        (midflight-row-function row)
      (format "%s:%d" (midflight-row-function row) line))))

(defun midflight-row-tie (row)
  "Return the links of ROW in short: the first, and the number of others."
  (let ((count (midflight-row-links row)))
    (cond ((eql count 0) "")
          ((eql count 1) (midflight-row-link row))
          (t (format "%s +%d" (midflight-row-link row) (1- count))))))

;;;; Columns

(defun midflight-process-rows--name-key (row)
  "Return the sort key of ROW by name; rows without a name come last."
  (or (midflight-row-name row) "\U0010FFFF"))

(defun midflight-process-rows--version-key (row)
  "Return the sort key of ROW by version."
  (or (midflight-row-version row) 0))

(defconst midflight-process-rows--orders
  '(("Pid" "pid" midflight-row-number)
    ("Name" "name" midflight-process-rows--name-key)
    ("Module" "module" midflight-row-module)
    ("Ver" "version" midflight-process-rows--version-key)
    ("At" "place" midflight-row-place)
    ("Mbox" "messages" midflight-row-messages)
    ("Status" "status" midflight-row-status)
    ("Links" "links" midflight-row-links))
  "A column, its name on the server, and its function for sort keys.")

(defun midflight-row-column-name (column)
  "Return the name of COLUMN on the server."
  (nth 1 (assoc column midflight-process-rows--orders)))

(defun midflight-row-key (column)
  "Return a function from a row to its sort key by COLUMN, a number or string.
Rows with equal keys are in the order of their pids."
  (nth 2 (or (assoc column midflight-process-rows--orders) (car midflight-process-rows--orders))))

(defun midflight-row-order (column)
  "Return a predicate: does one entry, (PID ROW), come before another by COLUMN?"
  (let ((key (midflight-row-key column)))
    (lambda (a b)
      (let* ((a (cadr a)) (b (cadr b)) (x (funcall key a)) (y (funcall key b)))
        (cond ((if (stringp x) (string< x y) (< x y)) t)
              ((equal x y) (< (midflight-row-number a) (midflight-row-number b))))))))

(defconst midflight-row-columns
  (vconcat (mapcar (pcase-lambda (`(,name ,width . ,properties))
                     (append (list name width (midflight-row-order name)) properties))
                   '(("Pid" 12) ("Name" 13) ("Module" 12) ("Ver" 4 :right-align t) ("At" 18)
                     ("Mbox" 5 :right-align t) ("Status" 8) ("Links" 0))))
  "The columns of a row, in the form of `tabulated-list-format'.")

(defun midflight-process-rows--fit (text width)
  "Return TEXT on one line, cut to WIDTH columns."
  (if (and (<= (length text) width)
           (not (string-match-p "[^ -~]" text)))
      text
    (truncate-string-to-width (replace-regexp-in-string "[\n\t\r]" " " text)
                              width nil nil "…")))

(defun midflight-row-line-text (row)
  "Return the columns of ROW as text, without its newline."
  ;; One call for the line: this is most of the time for a long list.
  (format "%-12s %-13s %-12s %4s %-18s %5d %-8s %s"
          (midflight-row-pid row)
          (midflight-process-rows--fit (or (midflight-row-name row) "") 13)
          (midflight-process-rows--fit (midflight-row-module row) 12)
          (or (midflight-row-version row) "")
          (midflight-process-rows--fit (midflight-row-place row) 18)
          (midflight-row-messages row)
          (midflight-process-rows--fit (midflight-row-status row) 8)
          (midflight-row-tie row)))

(defun midflight-row-matches-p (row filters)
  "Return non-nil if ROW passes all of FILTERS, (KIND . TEXT) each.
KIND is `module', whose text is the whole name, `name' or `text'."
  (cl-every (pcase-lambda (`(,kind . ,text))
              (pcase kind
                ('module (or (equal text (midflight-row-module row))
                             (assoc text (midflight-row-others row))))
                ('name (midflight-process-rows--has (midflight-row-name row) text))
                (_ (midflight-process-rows--has
                    (concat (midflight-row-pid row) " " (midflight-row-name row) " "
                            (midflight-row-module row) " " (midflight-row-place row) " "
                            (midflight-row-status row))
                    text))))
            filters))

(defun midflight-process-rows--has (string text)
  "Return non-nil if STRING, which may be nil, has TEXT in it, in any case."
  (and string (let ((case-fold-search t))
                (string-match-p (regexp-quote text) string))))

;;;; The rows of a list

(defvar-local midflight-process-rows (make-hash-table :test #'equal)
  "All rows of this list by pid, shown or not.")

(defvar-local midflight-process-rows-current (make-hash-table :test #'equal)
  "The current version of each module that the server has reported.")

(defvar-local midflight-process-rows-marked (make-hash-table :test #'equal)
  "The pids that are marked, as keys.")

(defvar-local midflight-process-rows-old-first nil
  "Non-nil if the processes that run old code come before all others.")

(defun midflight-process-rows-old-p (row)
  "Return non-nil if ROW is in an old version."
  (eq (midflight-row-age row midflight-process-rows-current) 'old))

(defun midflight-process-rows-sorted-by ()
  "Return the column that the list is sorted by."
  (or (car tabulated-list-sort-key) "Pid"))

(defun midflight-process-rows-sort (entries)
  "Return ENTRIES, (PID ROW) each, in the order of this list.
The header shows that order; if the user asked for it, rows in old code
come first."
  (let ((sorted (sort entries (midflight-row-order (midflight-process-rows-sorted-by)))))
    (when (cdr tabulated-list-sort-key)
      (setq sorted (nreverse sorted)))
    (if midflight-process-rows-old-first
        (let ((is-old (lambda (entry) (midflight-process-rows-old-p (cadr entry)))))
          (nconc (cl-remove-if-not is-old sorted) (cl-remove-if is-old sorted)))
      sorted)))

(defun midflight-process-rows-print-line (pid row)
  "Insert the line of ROW with the pid PID: a `tabulated-list-printer'."
  (let* ((is-marked (gethash pid midflight-process-rows-marked))
         (face (pcase (midflight-row-age row midflight-process-rows-current)
                 ('old 'midflight-old-code)
                 ('next 'midflight-next-message)))
         (start (point)))
    (insert (if is-marked "* " "  ") (midflight-row-line-text row) "\n")
    (add-text-properties start (point)
                         (list 'tabulated-list-id pid 'tabulated-list-entry row
                               'midflight-pid pid))
    (when (or face is-marked)
      (put-text-property start (point) 'face (if is-marked (list 'bold face) face)))))

(defun midflight-process-rows-draw ()
  "Draw the list of this buffer; point and its windows stay on their processes."
  (let ((point (midflight-process-rows--place (point)))
        (windows (mapcar (lambda (window)
                           (list window
                                 (midflight-process-rows--place (window-point window))
                                 (count-lines (window-start window) (window-point window))))
                         (get-buffer-window-list nil nil t)))
        (tabulated-list-entries (funcall tabulated-list-entries)))
    (let ((inhibit-modification-hooks t)
          (tabulated-list-sort-key nil)) ; they are in their order
      (tabulated-list-print))
    (midflight-process-rows--go point)
    (pcase-dolist (`(,window ,place ,height) windows)
      (save-excursion
        (midflight-process-rows--go place)
        (set-window-point window (point))
        (forward-line (- (max 0 height)))
        (set-window-start window (line-beginning-position) t)))))

(defun midflight-process-rows-update-line ()
  "Draw the line at point again; stay at its beginning."
  (let ((row (get-text-property (line-beginning-position) 'tabulated-list-entry))
        (inhibit-read-only t))
    (when row
      (delete-region (line-beginning-position) (line-beginning-position 2))
      (save-excursion
        (midflight-process-rows-print-line (midflight-row-pid row) row))
      (set-buffer-modified-p nil))))

(defun midflight-process-rows--place (position)
  "Return a list of the pid and the column at POSITION, and the line's number."
  (save-excursion
    (goto-char position)
    (list (get-text-property (line-beginning-position) 'tabulated-list-id)
          (- (point) (line-beginning-position))
          (count-lines (point-min) (line-beginning-position)))))

(defun midflight-process-rows--go (place)
  "Go to PLACE, from `midflight-process-rows--place', or near it if it is gone."
  (pcase-let ((`(,pid ,column ,line) place))
    (unless (and pid (midflight-process-rows-goto pid))
      (goto-char (point-min))
      (forward-line line)
      (when (and (eobp) (not (bobp)))
        (forward-line -1)))
    (goto-char (min (+ (point) column) (line-end-position)))))

(defun midflight-process-rows-goto (pid)
  "Go to the line of PID; return non-nil if there is one."
  (let ((found (save-excursion
                 (goto-char (point-min))
                 (while (not (or (eobp) (equal pid (get-text-property (point) 'tabulated-list-id))))
                   (forward-line 1))
                 (and (not (eobp)) (point)))))
    (when found
      (goto-char found))))

(provide 'midflight-process-rows)
;;; midflight-process-rows.el ends here
