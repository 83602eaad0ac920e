;;; midflight-process-filter.el --- The part of the processes that a list shows  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The filters and the order of a process list.  Filters select the processes of
;; a module, those with a text in their name or line, and those that run old
;; code; a process must pass all filters.  The list can be sorted by any column,
;; with the processes in old code before all others.  If there are more
;; processes than rows, Emacs sends the filters and the order to the server,
;; which selects the rows.
;;
;; The line above the header shows the result: the number of runtime processes,
;; the part of them in the list, the number in each old version, and the last
;; error.

;;; Code:

(require 'cl-lib)
(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-process-rows)

(defvar-local midflight-process-filter-redraw #'ignore
  "A function to call after the filters or the order have changed.")
(defvar-local midflight-process-filter--filters nil "The filters: (KIND . TEXT) each.")
(defvar-local midflight-process-filter-only-old nil
  "Non-nil to show only the processes in old code.")

(defvar midflight-processes-filter-map
  (let ((map (make-sparse-keymap)))
    (define-key map "/" #'midflight-processes-filter-text)
    (define-key map "m" #'midflight-processes-filter-module)
    (define-key map "n" #'midflight-processes-filter-name)
    (define-key map "c" #'midflight-processes-filter-clear)
    map)
  "Keys after / in a list of runtime processes.")

(defun midflight-process-filter-shown-p (row)
  "Return non-nil if ROW passes the filters; ROW may be nil."
  (and row
       (or (not midflight-process-filter-only-old)
           (midflight-process-rows-old-p row))
       (midflight-row-matches-p row midflight-process-filter--filters)))

(defun midflight-process-filter-wanted ()
  "Return the filters and the order of this list in the server's form."
  (append
   (when midflight-process-filter--filters
     (list :filters (mapcar (pcase-lambda (`(,kind . ,text)) (list (symbol-name kind) text))
                            midflight-process-filter--filters)))
   (cond (midflight-process-filter-only-old (list :old "only"))
         (midflight-process-rows-old-first (list :old "first")))
   (unless (equal tabulated-list-sort-key '("Pid"))
     (list :sort (list (midflight-row-column-name (midflight-process-rows-sorted-by))
                       (cdr tabulated-list-sort-key))))))

(defun midflight-process-filter-active-p ()
  "Return non-nil if not all rows are wanted."
  (or midflight-process-filter-only-old midflight-process-filter--filters))

(defun midflight-process-filter-text ()
  "Return the text of the headline for the filters."
  (concat (if midflight-process-filter-only-old "; only old code (c: all)" "")
          (if midflight-process-filter--filters
              (concat "; only "
                      (mapconcat (pcase-lambda (`(,kind . ,text)) (format "%s %s" kind text))
                                 midflight-process-filter--filters ", ")
                      " (/ c: all)")
            "")))

(defun midflight-processes-toggle-only-old ()
  "Toggle showing only the processes that run old code."
  (interactive)
  (setq midflight-process-filter-only-old (not midflight-process-filter-only-old))
  (funcall midflight-process-filter-redraw))

(defun midflight-processes-toggle-old-first ()
  "Toggle putting the processes that run old code first."
  (interactive)
  (setq midflight-process-rows-old-first (not midflight-process-rows-old-first))
  (funcall midflight-process-filter-redraw))

(defun midflight-process-filter--set (kind text)
  "Show only the processes whose KIND has TEXT in it; if that is empty, all."
  (setf (alist-get kind midflight-process-filter--filters nil t)
        (and (not (equal text "")) text))
  (funcall midflight-process-filter-redraw))

(defun midflight-processes-filter-text (text)
  "Show only the processes with TEXT in their line."
  (interactive (list (read-string "Show processes with the text: ")))
  (midflight-process-filter--set 'text text))

(defun midflight-processes-filter-module (module)
  "Show only the processes that run MODULE."
  (interactive
   (list (let (modules)
           (maphash (lambda (_ row) (cl-pushnew (midflight-row-module row) modules :test #'equal))
                    midflight-process-rows)
           (completing-read "Show processes of the module: " (sort modules #'string<)))))
  (midflight-process-filter--set 'module module))

(defun midflight-processes-filter-name (name)
  "Show only the processes with NAME in their name."
  (interactive (list (read-string "Show processes with a name that has: ")))
  (midflight-process-filter--set 'name name))

(defun midflight-processes-filter-clear ()
  "Show all processes again."
  (interactive)
  (setq midflight-process-filter--filters nil
        midflight-process-filter-only-old nil)
  (funcall midflight-process-filter-redraw))

;;;; The order

(defun midflight-processes-sort (&optional number)
  "Sort the list by the column at point; if it is already, reverse the order.
With prefix argument NUMBER, sort by that column, counting from 1."
  (interactive "P")
  (let* ((columns (append tabulated-list-format nil))
         (column (if number
                     (nth (1- (prefix-numeric-value number)) columns)
                   (midflight-process-filter--column-at (current-column)))))
    (unless column
      (midflight-user-error "There is no column %s; columns are 1 to %d; the order is unchanged"
                            number (length columns)))
    (midflight-process-filter--sort-by (car column))))

(defun midflight-processes-sort-click (event)
  "Sort the list by the column of EVENT, a click on its name in the header."
  (interactive "e")
  (let* ((place (event-start event))
         (object (posn-object place)))
    (with-current-buffer (window-buffer (posn-window place))
      (midflight-process-filter--sort-by
       (get-text-property (if object (cdr object) (posn-point place))
                          'tabulated-list-column-name (car object))))))

(defun midflight-process-filter--column-at (position)
  "Return the column of the list at POSITION of its lines."
  (let ((end tabulated-list-padding))
    (or (cl-find-if (lambda (column)
                      (setq end (+ end (nth 1 column) 1))
                      (< position end))
                    tabulated-list-format)
        (aref tabulated-list-format (1- (length tabulated-list-format))))))

(defun midflight-process-filter--sort-by (name)
  "Sort by the column NAME; if the list is already, reverse the order."
  (when name
    (setq tabulated-list-sort-key
          (cons name (and (equal name (midflight-process-rows-sorted-by))
                          (not (cdr tabulated-list-sort-key)))))
    (tabulated-list-init-header)
    (funcall midflight-process-filter-redraw)))

;;;; The line above the header

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
(defvar-local midflight-process-filter--summary nil "The text of the line above the header.")
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
    (midflight-process-filter--add (midflight-row-module row) (midflight-row-version row)
                                   change)
    (pcase-dolist (`(,module ,version) (midflight-row-others row))
      (midflight-process-filter--add module version change))))

(defun midflight-process-filter--add (module version change)
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
    (let ((text (concat (midflight-process-filter--total-text)
                        (if parts
                            (concat "; old code: "
                                    (mapconcat #'identity (sort parts #'string<) ", "))
                          (if (midflight-process-headline-cut-p)
                              "; none of these in old code"
                            "; none in old code")))))
      (unless (equal text midflight-process-filter--summary)
        (setq midflight-process-filter--summary text)
        (force-mode-line-update)))))

(defun midflight-process-filter--total-text ()
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
                (midflight-process-filter--summary)
                (t "Asking the server..."))
          (midflight-process-filter-text)))

(provide 'midflight-process-filter)
;;; midflight-process-filter.el ends here
