;;; midflight-process-filter.el --- Which runtime processes a list shows  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A list of runtime processes can be cut to those of a module, those whose
;; name or line has a text, and those that run old code; the filters add up.
;; And those in old code can be put before all others.

;;; Code:

(require 'cl-lib)
(require 'midflight-process-rows)
(require 'midflight-process-table)

(defvar-local midflight-process-filter-redraw #'ignore
  "A function that draws the list of this buffer anew.")
(defvar-local midflight-process-filter-rows nil
  "The hash table of all rows of this buffer, by pid.")
(defvar-local midflight-process-filter--filters nil "The filters: (KIND . TEXT) each.")
(defvar-local midflight-process-filter--only-old nil
  "Non-nil to show those in old code only.")

(defvar midflight-processes-filter-map
  (let ((map (make-sparse-keymap)))
    (define-key map "/" #'midflight-processes-filter-text)
    (define-key map "m" #'midflight-processes-filter-module)
    (define-key map "n" #'midflight-processes-filter-name)
    (define-key map "c" #'midflight-processes-filter-clear)
    map)
  "Keys after / in a list of runtime processes.")

(defun midflight-process-filter-shown-p (row)
  "Return non-nil if ROW is one to show; nil for no row."
  (and row
       (or (not midflight-process-filter--only-old)
           (eq (midflight-row-age row midflight-process-table-current) 'old))
       (midflight-row-matches-p row midflight-process-filter--filters)))

(defun midflight-process-filter-said ()
  "Return the words of the headline on the filters."
  (concat (if midflight-process-filter--only-old "; only old code (c: all)" "")
          (if midflight-process-filter--filters
              (concat "; only "
                      (mapconcat (pcase-lambda (`(,kind . ,text)) (format "%s %s" kind text))
                                 midflight-process-filter--filters ", ")
                      " (/ c: all)")
            "")))

(defun midflight-processes-toggle-only-old ()
  "Show only the processes that run old code, or all again."
  (interactive)
  (setq midflight-process-filter--only-old (not midflight-process-filter--only-old))
  (funcall midflight-process-filter-redraw))

(defun midflight-processes-toggle-old-first ()
  "Put the processes that run old code first, or not any more."
  (interactive)
  (setq midflight-process-table-old-first (not midflight-process-table-old-first))
  (funcall midflight-process-filter-redraw))

(defun midflight-process-filter--set (kind text)
  "Show only those whose KIND has TEXT in it; all of them if that is empty."
  (setf (alist-get kind midflight-process-filter--filters nil t)
        (and (not (equal text "")) text))
  (funcall midflight-process-filter-redraw))

(defun midflight-processes-filter-text (text)
  "Show only the processes with TEXT in their line."
  (interactive (list (read-string "Show those with: ")))
  (midflight-process-filter--set 'text text))

(defun midflight-processes-filter-module (module)
  "Show only the processes that run MODULE."
  (interactive
   (list (let (modules)
           (maphash (lambda (_ row) (cl-pushnew (midflight-row-module row) modules :test #'equal))
                    midflight-process-filter-rows)
           (completing-read "Show those of module: " (sort modules #'string<)))))
  (midflight-process-filter--set 'module module))

(defun midflight-processes-filter-name (name)
  "Show only the processes with NAME in their name."
  (interactive (list (read-string "Show those whose name has: ")))
  (midflight-process-filter--set 'name name))

(defun midflight-processes-filter-clear ()
  "Show all processes again."
  (interactive)
  (setq midflight-process-filter--filters nil
        midflight-process-filter--only-old nil)
  (funcall midflight-process-filter-redraw))

(provide 'midflight-process-filter)
;;; midflight-process-filter.el ends here
