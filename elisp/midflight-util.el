;;; midflight-util.el --- Small helpers of all files  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The helpers that files of all layers use.  This file requires no other file of
;; the package.

;;; Code:

(require 'easymenu)
(require 'tabulated-list)

(defun midflight-user-error (format &rest args)
  "Signal a `user-error' with the text of FORMAT and ARGS, prefixed by our name."
  (user-error "Midflight: %s" (apply #'format-message format args)))

(defmacro midflight-collecting-later (&rest body)
  "Evaluate BODY, and put off garbage collection until it is done.
A collection stops Emacs for 25 to 60 ms.  If BODY shows something, the
user sees it that much sooner.  If BODY sends a request, Emacs collects
while the server works."
  (declare (debug t) (indent 0))
  ;; A limit, in case BODY runs long and makes much garbage.
  `(let ((gc-cons-threshold (max gc-cons-threshold (* 32 1024 1024))))
     ,@body))

(defun midflight-time-text (seconds)
  "Return SECONDS since the epoch as a time to display, with its day if not today."
  (format-time-string (if (equal (format-time-string "%F" seconds) (format-time-string "%F"))
                          "%R"
                        "%F %R")
                      seconds))

(defun midflight-goto (position)
  "Go to POSITION, a number or a marker, in this buffer; widen if it is hidden."
  (unless (<= (point-min) position (point-max))
    (widen)
    (message "Midflight: the place is outside of the narrowed part, so all is shown again"))
  (goto-char position))

(defmacro midflight-define-keys (mode title &rest rows)
  "Define the keymap of MODE, and its menu, which is called TITLE.
Each of ROWS is (KEY COMMAND LABEL): KEY as `kbd' takes it, LABEL the text in
the menu, nil for a second key of a command.  A string in ROWS is a separator.
The key \\`?' and an item to refresh are added."
  (declare (indent 2))
  (let ((map (intern (format "%s-map" mode)))
        (keys nil)
        (items nil))
    (dolist (row rows)
      (if (stringp row)
          (push row items)
        (pcase-let ((`(,key ,command ,label) row))
          (push `(define-key map (kbd ,key) #',command) keys)
          (when label
            (push (vector label command) items)))))
    `(progn
       (defvar ,map
         (let ((map (make-sparse-keymap)))
           ,@(nreverse keys)
           (define-key map "?" #'describe-mode)
           map)
         ,(format "Keymap of `%s'." mode))
       (easy-menu-define ,(intern (replace-regexp-in-string "-mode\\'" "-menu" (symbol-name mode))) ,map
         ,(format "Menu of `%s'." mode)
         '(,title ,@(nreverse items) "---" ["Refresh" revert-buffer])))))

(defun midflight-star-rows (star-p)
  "Put a star before the rows of this list for whose ids STAR-P is true."
  (save-excursion
    (goto-char (point-min))
    (while (not (eobp))
      (let ((id (tabulated-list-get-id)))
        (when id
          (tabulated-list-put-tag (if (funcall star-p id) "*" " "))))
      (forward-line 1))))

(provide 'midflight-util)
;;; midflight-util.el ends here
