;;; midflight-output.el --- Who printed what in a shell  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, faces
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The output of the runtime processes that were started from a shell.  The
;; server names the process that printed each part.  This file gives each part a
;; face and its pid, which ElDoc, the mouse and `midflight-shell-tag-output'
;; show.

;;; Code:

(defface midflight-notice '((t :inherit shadow))
  "Face for Midflight's own messages in a shell buffer."
  :group 'midflight)

(defface midflight-process-output '((t :inherit font-lock-doc-face))
  "Face for the output of runtime processes other than the shell's own."
  :group 'midflight)

(defcustom midflight-shell-tag-output nil
  "Whether lines that runtime processes print are shown with their pid.
If nil, ElDoc and the tooltip of such a line show the pid.  The output of
the shell's own evaluation is never tagged."
  :type '(choice (const :tag "With the pid before each line" t)
                 (const :tag "Only by their face" nil))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defun midflight-output-tagged (text writers)
  "Return TEXT with properties that name the one of WRITERS for each part."
  (let ((start 0))
    (pcase-dolist (`(,length ,pid) writers)
      (when pid
        (add-text-properties
         start (min (length text) (+ start length))
         (append (list 'midflight-writer pid
                       'font-lock-face 'midflight-process-output
                       'help-echo (concat "printed by runtime process " pid))
                 (and midflight-shell-tag-output
                      (let ((tag (propertize (concat pid " ") 'face 'midflight-notice)))
                        (list 'line-prefix tag 'wrap-prefix tag))))
         text))
      (setq start (+ start length)))
    text))

(provide 'midflight-output)
;;; midflight-output.el ends here
