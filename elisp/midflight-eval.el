;;; midflight-eval.el --- Evaluate from a source buffer  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; An expression or a region is evaluated in the shell of its project, as if it
;; had been typed there: with the shell's names and its number, in its
;; transcript and history.  The value is shown in the echo area as well.

;;; Code:

(require 'subr-x)
(require 'midflight-server)
(require 'midflight-shell)

(defun midflight-eval--echo (answer)
  "Show ANSWER, the plist of an evaluation, in the echo area."
  (pcase (plist-get answer :status)
    ("ok" (message "%s" (or (plist-get answer :value) "None")))
    ("incomplete" (message "Midflight: the text is incomplete; nothing was evaluated"))
    (_ (message "%s" (car (last (split-string (or (plist-get answer :error)
                                                  "Interrupted")
                                              "\n" t)))))))

(defun midflight-eval--evaluate-from-source (text)
  "Evaluate TEXT in the shell of this buffer's project; show the value here."
  (when (string-blank-p text)
    (midflight-user-error "There is nothing to evaluate"))
  (midflight-server-ensure
   (lambda ()
     (with-current-buffer (midflight-shell-ensure)
       (midflight-shell-evaluate-later text #'midflight-eval--echo)))))

(defvar midflight-eval-expression-history nil
  "What `midflight-eval-expression' was given.")

(defun midflight-eval-expression (text)
  "Evaluate TEXT, Python, in the shell of this buffer's project.
The value appears in the echo area, too."
  (interactive
   (let ((symbol (thing-at-point 'symbol t)))
     (list (read-string (if symbol
                            (format "Evaluate in the shell (default %s): " symbol)
                          "Evaluate in the shell: ")
                        nil 'midflight-eval-expression-history symbol))))
  (midflight-eval--evaluate-from-source text))

(defun midflight-eval-region (begin end)
  "Evaluate the text from BEGIN to END in the shell of this buffer's project.
Indentation that all its lines share is taken away."
  (interactive "r")
  (let ((text (buffer-substring-no-properties begin end))
        (column (save-excursion (goto-char begin) (current-column))))
    (with-temp-buffer
      ;; The first line may begin in the middle of its indentation.
      (insert (make-string column ?\s) text)
      (setq indent-tabs-mode nil)
      (indent-rigidly (point-min) (point-max)
                      (- (midflight-eval--common-indentation)))
      (setq text (concat (string-trim-right (buffer-string)) "\n")))
    (midflight-eval--evaluate-from-source text)))

(defun midflight-eval--common-indentation ()
  "Return the columns of indentation that all lines of this buffer share."
  (let ((least nil))
    (goto-char (point-min))
    (while (not (eobp))
      (unless (looking-at-p "[ \t]*$")
        (setq least (min (or least most-positive-fixnum) (current-indentation))))
      (forward-line 1))
    (or least 0)))

(provide 'midflight-eval)
;;; midflight-eval.el ends here
