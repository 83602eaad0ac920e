;;; midflight-breakpoint-list.el --- The list of breakpoints  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The breakpoints at the server of a project, those of other editors too, with
;; the number of stops at each.  The server knows them; this is its answer.

;;; Code:

(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-process)
(require 'midflight-breakpoint)

(midflight-define-keys midflight-breakpoints-mode "Breakpoints"
  ("RET" midflight-breakpoints-visit "Go to the line")
  ("d" midflight-breakpoints-remove "Remove")
  ("D" midflight-breakpoints-remove-all "Remove all of this Emacs"))

(define-derived-mode midflight-breakpoints-mode tabulated-list-mode "Midflight-Breakpoints"
  "Major mode for the list of breakpoints of a project.

\\{midflight-breakpoints-mode-map}"
  (setq tabulated-list-format [("File" 22 t) ("Line" 5 t :right-align t) ("Function" 24 t)
                               ("Stops" 5 t :right-align t) ("Set by" 10 t) ("Text, condition" 0 t)]
        tabulated-list-padding 1
        tabulated-list-sort-key nil)
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-breakpoint-list--refresh))

;;;###autoload
(defun midflight-breakpoints ()
  "List the breakpoints at the server of this buffer's project."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (let ((buffer (midflight-process-buffer "breakpoints" 'midflight-breakpoints-mode)))
       (with-current-buffer buffer
         (midflight-breakpoint-list--refresh))
       (pop-to-buffer buffer)))))

(defun midflight-breakpoint-list--refresh (&rest _)
  "Ask for the breakpoints again."
  (midflight-connection-call
   'breakpoint/list nil
   (lambda (points)
     (setq tabulated-list-entries (mapcar #'midflight-breakpoint-list--entry points))
     (tabulated-list-print t)
     (unless points
       (message "Midflight: no breakpoint is set; C-c C-x b in a buffer sets one")))))

(defun midflight-breakpoint-list--entry (point)
  "Return the entry of POINT, the plist of a breakpoint."
  (list point
        (vector (file-name-nondirectory (plist-get point :file))
                (number-to-string (plist-get point :line))
                (plist-get point :function)
                (number-to-string (plist-get point :hits))
                (if (plist-get point :own) "this Emacs" "another")
                (concat (plist-get point :text)
                        (and (plist-get point :condition)
                             (concat "   if " (plist-get point :condition)))))))

(defun midflight-breakpoint-list--here ()
  "Return the breakpoint of this line, a plist."
  (or (tabulated-list-get-id)
      (midflight-user-error "This line has no breakpoint; nothing was done")))

(defun midflight-breakpoints-visit ()
  "Go to the line of this breakpoint, in another window."
  (interactive)
  (let ((point (midflight-breakpoint-list--here)))
    (pop-to-buffer (find-file-noselect (plist-get point :file)))
    (save-restriction
      (widen)
      (goto-char (point-min))
      (forward-line (1- (plist-get point :line)))
      (setq point (point)))
    (midflight-goto point)))

(defun midflight-breakpoints-remove ()
  "Remove the breakpoint of this line."
  (interactive)
  (let ((point (midflight-breakpoint-list--here)))
    (unless (plist-get point :own)
      (midflight-user-error "Another editor has set this breakpoint; it was not removed; it ends with that editor"))
    (midflight-breakpoint-remove-in (plist-get point :file) (plist-get point :line))
    (midflight-breakpoint-list--refresh)))

(defun midflight-breakpoints-remove-all ()
  "Remove all breakpoints that this Emacs has set in this project."
  (interactive)
  (midflight-clear-breakpoints)
  (midflight-breakpoint-list--refresh))

(provide 'midflight-breakpoint-list)
;;; midflight-breakpoint-list.el ends here
