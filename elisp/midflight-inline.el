;;; midflight-inline.el --- Values behind their line  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The value of an expression behind its line, as an overlay that does not
;; change the text of the buffer.  One value is shown at a time.  The next
;; command that edits or moves removes it, or only the next edit, as
;; `midflight-inline-result-until' says.  A value that is long, or has several
;; lines, is cut short; the full text is its tooltip, and is in the shell.

;;; Code:

(require 'subr-x)

(defcustom midflight-inline-result-until 'command
  "The command that removes a value shown behind its line."
  :type '(choice (const :tag "The next command that moves or edits" command)
                 (const :tag "The next edit of the buffer" edit))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defcustom midflight-inline-result-width 120
  "The most characters of a value that are shown behind its line."
  :type 'natnum
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defface midflight-inline-result '((t :inherit font-lock-comment-face))
  "Face for a value behind its line."
  :group 'midflight)

(defface midflight-inline-error '((t :inherit error :weight normal))
  "Face for an error behind its line."
  :group 'midflight)

(defvar-local midflight-inline--overlay nil "The overlay with the value, if one is shown.")
(defvar-local midflight-inline--seen nil
  "Point and the tick of the text when the value was shown.")

(defun midflight-inline--cut (text)
  "Return TEXT shortened to fit behind a line: its first line, cut if long."
  (let* ((lines (split-string (string-trim-right text) "\n"))
         (first (car lines))
         (more (1- (length lines)))
         (long (> (length first) midflight-inline-result-width)))
    (concat (if long (substring first 0 midflight-inline-result-width) first)
            (if (or long (> more 0)) "..." "")
            (if (> more 0) (format " (%d more line%s)" more (if (= more 1) "" "s")) ""))))

(defun midflight-inline-result (place text &optional failed whole)
  "Show TEXT behind the line of PLACE, a marker, until the next command.
If FAILED is non-nil, it is an error.  WHOLE is its tooltip; if nil, that is
all of TEXT."
  (with-current-buffer (marker-buffer place)
    (midflight-inline-remove)
    (save-excursion
      (save-restriction
        (widen)
        (goto-char place)
        (let ((overlay (make-overlay (line-beginning-position) (line-end-position)))
              (shown (concat "  => " (midflight-inline--cut text))))
          (setq shown (propertize shown 'face (if failed 'midflight-inline-error
                                                'midflight-inline-result)
                                  'help-echo (string-trim-right (or whole text))))
          ;; Otherwise the cursor at the end of the line is shown behind the value.
          (put-text-property 0 1 'cursor t shown)
          (overlay-put overlay 'after-string shown)
          (overlay-put overlay 'midflight-inline t)
          (setq midflight-inline--overlay overlay))))
    (setq midflight-inline--seen (cons (point) (buffer-chars-modified-tick)))
    (add-hook 'post-command-hook #'midflight-inline--after-command nil t)))

(defun midflight-inline--after-command ()
  "Remove the value if the last command edited or moved."
  (unless (and midflight-inline--seen
               (= (cdr midflight-inline--seen) (buffer-chars-modified-tick))
               (or (eq midflight-inline-result-until 'edit)
                   (= (car midflight-inline--seen) (point))))
    (midflight-inline-remove)))

(defun midflight-inline-remove ()
  "Remove the value that is shown in this buffer, if one is."
  (when midflight-inline--overlay
    (delete-overlay midflight-inline--overlay)
    (setq midflight-inline--overlay nil
          midflight-inline--seen nil))
  (remove-hook 'post-command-hook #'midflight-inline--after-command t))

(provide 'midflight-inline)
;;; midflight-inline.el ends here
