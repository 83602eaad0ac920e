;;; midflight-output.el --- Who printed what in a shell  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, faces
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A shell shows what all the runtime processes print that were started from
;; it.  The server tells who printed which part; here the parts get a face and
;; the pid, which ElDoc, the mouse and `midflight-shell-tag-output' show.

;;; Code:

(defface midflight-notice '((t :inherit shadow))
  "Face for what Midflight itself says in a shell buffer."
  :group 'midflight)

(defface midflight-process-output '((t :inherit font-lock-doc-face))
  "Face for what runtime processes other than the shell's own print."
  :group 'midflight)

(defcustom midflight-shell-tag-output nil
  "Whether lines that runtime processes print are shown with their pid.
Without it the pid is shown by ElDoc and when the mouse is over them.
What the shell's own evaluation prints is never tagged."
  :type '(choice (const :tag "With the pid before each line" t)
                 (const :tag "Only by their face" nil))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defun midflight-output-tagged (text writers)
  "Return TEXT with properties that tell who of WRITERS printed which part."
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
