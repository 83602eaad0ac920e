;;; midflight-process-rows.el --- A runtime process as a row  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Pure functions from a row, as the server sends it in process/changes and
;; process/tree, to what is shown of it, how it sorts, and whether it runs old
;; code.  A row is a list; see the accessors.

;;; Code:

(require 'cl-lib)
(require 'subr-x)

(defface midflight-old-code '((t :inherit warning))
  "Face for a runtime process that runs an old version."
  :group 'midflight)

(defface midflight-next-message '((t :inherit font-lock-comment-face))
  "Face for a server that takes the current version at its next message."
  :group 'midflight)

(cl-defstruct (midflight-row (:type list) (:constructor nil) (:copier nil))
  "A runtime process: what the server sends, in its order.
LINK is the first of LINKS links; BEHAVIOUR \"server\", \"supervisor\" or nil;
OTHERS (MODULE VERSION) each, of frames in further versions."
  pid name module version function line status messages links link behaviour others)

(defun midflight-row-number (row)
  "Return the number in the pid of ROW."
  (string-to-number (substring (midflight-row-pid row) 3)))

(defun midflight-row-age (row current)
  "Return `old' if ROW is in an old version, `next' if it has one to take.
CURRENT is a hash table of modules and the numbers of current versions."
  (if (midflight-row-behaviour row)
      (and (midflight-row--old-p (midflight-row-module row) (midflight-row-version row) current)
           'next)
    (and (or (midflight-row--old-p (midflight-row-module row) (midflight-row-version row) current)
             (cl-some (lambda (other)
                        (midflight-row--old-p (car other) (cadr other) current))
                      (midflight-row-others row)))
         'old)))

(defun midflight-row--old-p (module version current)
  "Return non-nil if VERSION of MODULE is not the one in CURRENT."
  (and version (not (eql version (gethash module current version)))))

(defun midflight-row-place (row)
  "Return where ROW is, as function:line."
  (let ((line (midflight-row-line row)))
    (if (or (null line) (eql line 0) (midflight-row-behaviour row))
        (midflight-row-function row)
      (format "%s:%d" (midflight-row-function row) line))))

(defun midflight-row-tie (row)
  "Return the links of ROW in short: the first, and how many more."
  (let ((count (midflight-row-links row)))
    (cond ((eql count 0) "")
          ((eql count 1) (midflight-row-link row))
          (t (format "%s +%d" (midflight-row-link row) (1- count))))))

;;;; Columns

(defun midflight-row--before-p (key less a b)
  "Return non-nil if entry A comes before B: by KEY and LESS, then by pid."
  (let* ((a (cadr a)) (b (cadr b)) (x (funcall key a)) (y (funcall key b)))
    (cond ((funcall less x y) t)
          ((funcall less y x) nil)
          (t (< (midflight-row-number a) (midflight-row-number b))))))

(defun midflight-row-by-pid (a b)
  "Return non-nil if the entry A is of an older process than B."
  (< (midflight-row-number (cadr a)) (midflight-row-number (cadr b))))

(defun midflight-row-by-name (a b)
  "Return non-nil if A comes before B by name; those without one come last."
  (midflight-row--before-p (lambda (row) (or (midflight-row-name row) "\U0010FFFF"))
                           #'string< a b))

(defun midflight-row-by-module (a b)
  "Return non-nil if A comes before B by module."
  (midflight-row--before-p #'midflight-row-module #'string< a b))

(defun midflight-row-by-version (a b)
  "Return non-nil if the version of A has a smaller number than that of B."
  (midflight-row--before-p (lambda (row) (or (midflight-row-version row) 0)) #'< a b))

(defun midflight-row-by-place (a b)
  "Return non-nil if A comes before B by function and line."
  (midflight-row--before-p #'midflight-row-place #'string< a b))

(defun midflight-row-by-messages (a b)
  "Return non-nil if fewer messages wait for A than for B."
  (midflight-row--before-p #'midflight-row-messages #'< a b))

(defun midflight-row-by-status (a b)
  "Return non-nil if A comes before B by status."
  (midflight-row--before-p #'midflight-row-status #'string< a b))

(defun midflight-row-by-links (a b)
  "Return non-nil if A has fewer links than B."
  (midflight-row--before-p #'midflight-row-links #'< a b))

(defconst midflight-row-columns
  [("Pid" 9 midflight-row-by-pid)
   ("Name" 13 midflight-row-by-name)
   ("Module" 13 midflight-row-by-module)
   ("Ver" 4 midflight-row-by-version :right-align t)
   ("At" 20 midflight-row-by-place)
   ("Mbox" 5 midflight-row-by-messages :right-align t)
   ("Status" 8 midflight-row-by-status)
   ("Links" 0 midflight-row-by-links)]
  "The columns of a row, as `tabulated-list-format' has them.")

(defun midflight-row--fit (text width)
  "Return TEXT on one line, cut to WIDTH columns and padded to that."
  (cond ((string-match-p "[^ -~]" text)
         (truncate-string-to-width (replace-regexp-in-string "[\n\t\r]" " " text)
                                   width nil ?\s "…"))
        ((> (length text) width) (concat (substring text 0 (1- width)) "…"))
        ((= (length text) width) text)
        (t (concat text (make-string (- width (length text)) ?\s)))))

(defun midflight-row-line-text (row)
  "Return the columns of ROW as text, without its newline."
  (concat (midflight-row--fit (midflight-row-pid row) 9) " "
          (midflight-row--fit (or (midflight-row-name row) "") 13) " "
          (midflight-row--fit (midflight-row-module row) 13) " "
          (format "%4s" (or (midflight-row-version row) "")) " "
          (midflight-row--fit (midflight-row-place row) 20) " "
          (format "%5d" (midflight-row-messages row)) " "
          (midflight-row--fit (midflight-row-status row) 8) " "
          (midflight-row-tie row)))

(defun midflight-row-matches-p (row filters)
  "Return non-nil if ROW passes all of FILTERS, (KIND . TEXT) each.
KIND is `module', whose text is the whole name, `name' or `text'."
  (cl-every (pcase-lambda (`(,kind . ,text))
              (pcase kind
                ('module (or (equal text (midflight-row-module row))
                             (assoc text (midflight-row-others row))))
                ('name (midflight-row--has (midflight-row-name row) text))
                (_ (midflight-row--has
                    (concat (midflight-row-pid row) " " (midflight-row-name row) " "
                            (midflight-row-module row) " " (midflight-row-place row) " "
                            (midflight-row-status row))
                    text))))
            filters))

(defun midflight-row--has (string text)
  "Return non-nil if STRING, which may be nil, has TEXT in it, in any case."
  (and string (let ((case-fold-search t))
                (string-match-p (regexp-quote text) string))))

(provide 'midflight-process-rows)
;;; midflight-process-rows.el ends here
