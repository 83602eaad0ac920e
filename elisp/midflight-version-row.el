;;; midflight-version-row.el --- A version as a row of a list  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The row of a version in the list of versions: its texts, its face, and the
;; order of the rows.

;;; Code:

(require 'cl-lib)
(require 'subr-x)
(require 'midflight-util)

(defface midflight-current-version '((t :inherit bold))
  "Face of the version that is current."
  :group 'midflight)

(defface midflight-old-version '((t :inherit warning))
  "Face of an old version that runtime processes run."
  :group 'midflight)

(defface midflight-gone-version '((t :inherit shadow))
  "Face of a version that nothing can run any more."
  :group 'midflight)

(defun midflight-version-row-entry (row)
  "Return ROW, the plist of a version, as an entry of the list."
  (let* ((state (midflight-version-row--state row))
         (face (pcase state
                 ("current" 'midflight-current-version)
                 ((or "earlier" "gone") 'midflight-gone-version)
                 (_ 'midflight-old-version))))
    (list (plist-get row :version)
          (vconcat
           (mapcar (lambda (text) (propertize text 'face face))
                   (list (number-to-string (plist-get row :version))
                         state
                         (number-to-string (plist-get row :processes))
                         (midflight-time-text (plist-get row :loaded-at))
                         (midflight-version-row--loader row)
                         (truncate-string-to-width (or (plist-get row :vsn) "") 10)
                         (midflight-version-row--changes row)))))))

(defun midflight-version-row--state (row)
  "Return the word for the state of ROW, the plist of a version."
  (cond ((plist-get row :current) "current")
        ((> (plist-get row :processes) 0) "run")
        ((plist-get row :alive) "in memory")
        ((plist-get row :earlier) "earlier")
        (t "gone")))

(defun midflight-version-row--loader (row)
  "Return the name of the client that loaded ROW, the plist of a version."
  (let ((by (plist-get row :by)))
    (cond ((plist-get row :imported) "import")
          ((member by '(nil "")) "the program")
          (t by))))

(defun midflight-version-row--changes (row)
  "Return the definitions that ROW, the plist of a version, changed, as text."
  (let ((parts (cl-loop for (key . word) in '((:changed . "changed") (:added . "added")
                                              (:removed . "removed"))
                        when (plist-get row key)
                        collect (format "%s %s" word
                                        (string-join (plist-get row key) ", ")))))
    (string-join parts "; ")))

(defun midflight-version-row-by-number (a b)
  "Return non-nil if entry A has a smaller number than B."
  (< (car a) (car b)))

(defun midflight-version-row-by-processes (a b)
  "Return non-nil if entry A has fewer processes than B."
  (let ((count (lambda (entry) (string-to-number (aref (cadr entry) 2)))))
    (< (funcall count a) (funcall count b))))

(provide 'midflight-version-row)
;;; midflight-version-row.el ends here
