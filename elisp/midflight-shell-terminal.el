;;; midflight-shell-terminal.el --- Output with control characters  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, terminals
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The output of programs that expect a terminal: progress bars, colored logs.
;; The way of a text:
;;
;; 1. A control sequence that is cut off at the end of a text waits for the next.
;; 2. Colors become faces.
;; 3. Carriage returns, backspaces and the sequences of ECMA-48 that move the
;;    cursor or erase text act on the output after the last input.  What is
;;    printed then overwrites, as in a terminal.  All other sequences are dropped.
;;
;; The cursor is kept as its distance from the end of the output, because text
;; is deleted at the beginning of the buffer.  A text without control characters
;; does not come here.

;;; Code:

(require 'ansi-color)

(defvar-local midflight-shell-terminal--cut-off ""
  "The beginning of a control sequence whose end has not arrived.")
(defvar-local midflight-shell-terminal--back 0
  "The number of characters between the cursor and the end of the output.")

(defconst midflight-shell-terminal--control
  (concat "[\r\b\a]"
          "\\|\e\\[\\([0-?]*\\)[ -/]*\\([@-ln-~]\\)" ; all but colors, which end in m
          "\\|\e\\][^\a\e]*\\(?:\a\\|\e\\\\\\)"      ; a title or a link
          "\\|\e[()][0-9A-Z]\\|\e[@-Z^_=>78]")
  "Matches a control character or sequence; its parameters and its final byte.")

(defconst midflight-shell-terminal--cut-off-regexp
  "\e\\(?:\\[[0-?]*[ -/]*\\|\\][^\a\e]*\e?\\|[()]\\)?\\'"
  "Matches a control sequence that is not complete.")

(defun midflight-shell-terminal-needed-p (text)
  "Return non-nil if TEXT must be written by `midflight-shell-terminal-write'."
  (or (> midflight-shell-terminal--back 0)
      (not (string-empty-p midflight-shell-terminal--cut-off))
      ansi-color-context
      (string-match-p "[\r\b\a\e]" text)))

(defun midflight-shell-terminal-reset ()
  "Put the cursor at the end of the output, which gets other text than output."
  (setq midflight-shell-terminal--back 0
        midflight-shell-terminal--cut-off ""))

(defun midflight-shell-terminal-write (text first decorate append)
  "Write TEXT to the output that begins at FIRST and ends at point.
DECORATE returns a text as it is to be in the buffer; APPEND inserts a text
at the end of the output."
  (let ((end (point-marker))
        (inhibit-field-text-motion t)
        (case-fold-search nil)
        (start 0))
    (setq text (concat midflight-shell-terminal--cut-off text)
          midflight-shell-terminal--cut-off "")
    (let ((cut (string-match midflight-shell-terminal--cut-off-regexp text)))
      (when cut
        (setq midflight-shell-terminal--cut-off (substring text cut)
              text (substring text 0 cut))))
    (goto-char (max first (- end midflight-shell-terminal--back)))
    (while (string-match midflight-shell-terminal--control text start)
      (let ((control (aref text (match-beginning 0)))
            (parameters (match-string 1 text))
            (final (match-string 2 text))
            (next (match-end 0)))
        (midflight-shell-terminal--print (substring text start (match-beginning 0))
                                         end decorate append)
        (if final
            (midflight-shell-terminal--act (aref final 0) (string-to-number parameters) first end)
          (pcase control
            (?\r (goto-char (max first (line-beginning-position))))
            (?\b (goto-char (max first (line-beginning-position) (1- (point)))))))
        (setq start next)))
    (midflight-shell-terminal--print (substring text start) end decorate append)
    (setq midflight-shell-terminal--back (- end (point)))
    (set-marker end nil)))

(defun midflight-shell-terminal--print (text end decorate append)
  "Print TEXT, which may have colors, over the text at point.
The output ends at END.  DECORATE and APPEND are as in
`midflight-shell-terminal-write'."
  (let ((text (ansi-color-apply text))
        (start 0))
    (while (< start (length text))
      (if (= (point) end)
          (progn (funcall append (substring text start))
                 (goto-char end)
                 (setq start (length text)))
        (let* ((newline (string-match "\n" text start))
               (piece (substring text start newline))
               (line-end (min end (line-end-position))))
          (delete-region (point) (min line-end (+ (point) (length piece))))
          (if (= (point) end)
              (funcall append piece)
            (insert (funcall decorate piece)))
          (setq start (+ start (length piece)))
          (when newline
            (if (< (line-end-position) end)
                (forward-line 1)
              (goto-char end)
              (funcall append "\n")
              (goto-char end))
            (setq start (1+ start))))))))

(defun midflight-shell-terminal--act (final number first end)
  "Move or erase by the sequence with the byte FINAL and the parameter NUMBER.
NUMBER is 0 if there is none.  The output is from FIRST to END."
  (let ((bol (max first (line-beginning-position)))
        (eol (min end (line-end-position)))
        (column (- (point) (max first (line-beginning-position))))
        (count (max 1 number)))
    (pcase final
      (?K (pcase number
            (0 (delete-region (point) eol))
            (2 (delete-region (point) eol)
               ;; The cursor stays in its column.  What is inserted at the end of
               ;; the output would be after it, so insert before deleting.
               (let ((here (point)))
                 (goto-char bol)
                 (insert (make-string column ?\s))
                 (delete-region (point) (+ here column))
                 (goto-char (+ bol column))))))
      (?J (when (= number 0)
            (delete-region (point) end)))
      ((or ?A ?B)
       (forward-line (if (eq final ?A) (- count) count))
       (goto-char (min end (max first (point))))
       (goto-char (min end (line-end-position) (+ (point) column))))
      (?C (goto-char (min eol (+ (point) count))))
      (?D (goto-char (max bol (- (point) count))))
      (?G (goto-char (min eol (+ bol (1- count))))))))

(provide 'midflight-shell-terminal)
;;; midflight-shell-terminal.el ends here
