;;; midflight-value.el --- A value in a buffer of its own  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The value of an expression, for more than its line in the echo area:
;;
;; 1. `midflight-value-of-last-expression' evaluates the expression before point
;;    as `midflight-eval-last-expression' does, but shows the value in a buffer,
;;    broken into lines by the server.
;; 2. In that buffer `g' evaluates it again, and `w' copies the value.

;;; Code:

(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-eval)
(require 'midflight-shell-transcript)

(defvar-local midflight-value--text nil "The value that this buffer shows.")
(defvar-local midflight-value--again nil "A function that evaluates it again.")

(defvar midflight-value-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "w") #'midflight-value-copy)
    map)
  "Keymap of `midflight-value-mode'.")

(define-derived-mode midflight-value-mode special-mode "Midflight-Value"
  "Major mode for the value of an expression, broken into lines.

\\{midflight-value-mode-map}"
  (setq-local revert-buffer-function
              (lambda (&rest _) (funcall midflight-value--again))))

(defun midflight-value-of-last-expression (&optional other)
  "Evaluate the expression before point and show its value in a buffer.
If the region is active, evaluate that.  With prefix argument OTHER,
evaluate in the shell, as `midflight-eval-expression' does."
  (interactive "P")
  (if (use-region-p)
      (midflight-value--evaluate
       (string-trim-right (midflight-eval-region-text (region-beginning) (region-end))) other)
    (midflight-eval-with-last-expression
     (lambda (text) (midflight-value--evaluate text other)))))

(defun midflight-value--evaluate (text other)
  "Evaluate TEXT for this buffer and show its value; OTHER is a prefix argument."
  (let ((source (current-buffer)))
    (midflight-eval-text
     text other
     (lambda (answer)
       (if (equal (plist-get answer :status) "incomplete")
           (midflight-eval-echo answer)
         (midflight-value-show
          source text
          (or (plist-get answer :error) (plist-get answer :value) "None")
          (lambda () (with-current-buffer source (midflight-value--evaluate text other))))))
     (list :columns (max 20 (1- (window-width)))))))

(defun midflight-value-show (source text value again)
  "Show VALUE, text, of the expression TEXT of the buffer SOURCE.
AGAIN is a function that evaluates it again."
  (let ((root (with-current-buffer source (midflight-connection-root-of-buffer)))
        (buffer (get-buffer-create
                 (format "*midflight-value %s*"
                         (midflight-connection-project
                          (with-current-buffer source (midflight-connection-of-buffer)))))))
    (with-current-buffer buffer
      (midflight-value-mode)
      (setq midflight-connection-buffer-root root
            default-directory (file-name-as-directory root)
            midflight-value--text value
            midflight-value--again again
            header-line-format (concat " " (car (split-string text "\n"))))
      (let ((inhibit-read-only t))
        (erase-buffer)
        (insert (midflight-shell-transcript-fontified value) "\n")
        (goto-char (point-min))))
    (display-buffer buffer)))

(defun midflight-value-copy ()
  "Put the value of this buffer into the kill ring."
  (interactive)
  (kill-new midflight-value--text)
  (message "Midflight: the value is in the kill ring"))

(provide 'midflight-value)
;;; midflight-value.el ends here
