;;; midflight-eval-history.el --- The last evaluations and their values  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The evaluations from source buffers, newest first, each with its value:
;;
;; 1. `midflight-eval-again' chooses one, and evaluates it again.
;; 2. `midflight-eval-copy-value' puts the last value into the kill ring.
;; 3. `midflight-eval-to-comment' evaluates the expression before point, and
;;    puts its value behind it as a comment.

;;; Code:

(require 'midflight-util)
(require 'midflight-choose)

(declare-function midflight-eval-expression "midflight-eval" (text &optional other))
(declare-function midflight-eval-text "midflight-eval" (text other callback &optional options))
(declare-function midflight-eval-with-last-expression "midflight-eval" (callback))

(defconst midflight-eval-history--most 100
  "The most evaluations that are remembered.")

(defvar midflight-eval-history--all nil
  "The evaluations, newest first: (TEXT . VALUE) each, VALUE a text or nil.
An expression is there once.")

(defun midflight-eval-history-note (text answer)
  "Remember the evaluation of TEXT with ANSWER, the server's plist."
  (let ((value (and (equal (plist-get answer :status) "ok")
                    (or (plist-get answer :value) "None"))))
    (setq midflight-eval-history--all
          (seq-take (cons (cons text value) (assoc-delete-all text midflight-eval-history--all))
                    midflight-eval-history--most))))

;;;###autoload
(defun midflight-eval-again (text &optional other)
  "Evaluate TEXT again, with the names of this buffer's module.
Interactively, choose among the last evaluations, which are shown with
their values.  With prefix argument OTHER, evaluate in the shell, as
`midflight-eval-expression' does."
  (interactive
   (list (completing-read
          "Evaluate again: "
          (midflight-choose-table
           'midflight-evaluation
           (or (mapcar #'car midflight-eval-history--all)
               (midflight-user-error "Nothing was evaluated from a source buffer yet"))
           (lambda (text) (cdr (assoc text midflight-eval-history--all))))
          nil nil nil nil (caar midflight-eval-history--all))
         current-prefix-arg))
  (midflight-eval-expression text other))

;;;###autoload
(defun midflight-eval-copy-value ()
  "Put the value of the last evaluation from a source buffer into the kill ring."
  (interactive)
  (let ((value (cdar midflight-eval-history--all)))
    (unless value
      (midflight-user-error (if midflight-eval-history--all "The last evaluation failed; it has no value"
                              "Nothing was evaluated from a source buffer yet")))
    (kill-new value)
    (message "Midflight: %s" value)))

;;;###autoload
(defun midflight-eval-to-comment (&optional other)
  "Evaluate the expression before point; put its value there as a comment.
The comment is on the lines below.  With prefix argument OTHER, evaluate in
the shell, as `midflight-eval-expression' does."
  (interactive "P")
  (let ((place (copy-marker (line-end-position))))
    (midflight-eval-with-last-expression
     (lambda (text)
       (midflight-eval-text
        text other
        (lambda (answer)
          (midflight-eval-history-note text answer)
          (midflight-eval-history--insert (cdar midflight-eval-history--all) answer place)))))))

(defun midflight-eval-history--insert (value answer place)
  "Insert VALUE as a comment below the line of PLACE, a marker.
If VALUE is nil, show the error in ANSWER."
  (cond ((null value)
         (message "Midflight: %s" (car (last (split-string (string-trim (or (plist-get answer :error) "it is incomplete"))
                                                           "\n")))))
        ((not (buffer-live-p (marker-buffer place))))
        (t
         (with-current-buffer (marker-buffer place)
           (barf-if-buffer-read-only)
           (save-excursion
             (goto-char place)
             (let ((indent (make-string (current-indentation) ?\s)))
               (insert "\n" indent "# => "
                       (replace-regexp-in-string "\n" (concat "\n" indent "#    ") value t t)))))))
  (set-marker place nil))

(provide 'midflight-eval-history)
;;; midflight-eval-history.el ends here
