;;; midflight-transcript.el --- The text of a shell buffer  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The text of a shell buffer: a transcript, then perhaps a prompt, then the
;; input being typed.  This file tracks where each begins; it does not use the
;; server.
;;
;;     Sum is 3                  transcript
;;     4> pid << ("pri           prompt, and input being typed
;;
;; Three markers hold these positions, in this order: the end of the output, the
;; start of the prompt (with an extra newline between them if the output did not
;; end in one), and the process mark, where the input begins.  While an
;; evaluation runs, the buffer has no prompt and all three are at one position.
;;
;; Laws: no function reads a prompt back from the buffer; no insertion moves or
;; changes the input being typed; each text is inserted in one step.
;;
;; The mode derives from comint for its history, fields and movement.  It has a
;; process without a program, because comint keeps the process mark there.

;;; Code:

(require 'cl-lib)
(require 'comint)
(require 'midflight-fold)
(require 'midflight-fontify)
(require 'midflight-output)

(defface midflight-error '((t :inherit error :weight normal))
  "Face for errors and crashes in a shell buffer."
  :group 'midflight)

(defcustom midflight-shell-maximum-size 2000000
  "The number of characters that a shell buffer keeps; nil means all.
When it has twice as many, the oldest are deleted."
  :type '(choice (const :tag "No limit" nil) natnum)
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defvar-local midflight-transcript--output nil "Marker: where output goes.")
(defvar-local midflight-transcript--prompt nil "Marker: where the prompt starts.")
(defvar-local midflight-transcript--overlay nil
  "Overlay on the input: its later lines are shown below its first.")

(defun midflight-transcript-input-mark ()
  "Return the marker of the start of the input."
  (process-mark (get-buffer-process (current-buffer))))

(defun midflight-transcript-setup ()
  "Prepare the current buffer, in a mode that derives from comint's."
  (let ((process (make-pipe-process :name "midflight-shell" :noquery t
                                    :buffer (current-buffer)
                                    :filter #'ignore :sentinel #'ignore)))
    (goto-char (point-max))
    (set-marker (process-mark process) (point))
    (setq midflight-transcript--output (copy-marker (point))
          midflight-transcript--prompt (copy-marker (point))
          midflight-transcript--overlay
          (make-overlay (point) (point) nil nil t))
    (setq-local comint-last-input-start (copy-marker (point))
                comint-last-input-end (copy-marker (point)))))

(defun midflight-transcript--prompt-p ()
  "Return non-nil if there is a prompt."
  (< midflight-transcript--prompt (midflight-transcript-input-mark)))

(defmacro midflight-transcript--edit (&rest body)
  "Run BODY to change the transcript; keep point with its text.
Return the value of BODY.
Undo does not record the change.  The positions of earlier changes to the
input are now wrong, so the undo list is cleared."
  (declare (indent 0) (debug t))
  `(prog1
       (let ((inhibit-read-only t)
             (buffer-undo-list t))
         (save-excursion
           (save-restriction
             (widen)
             ,@body)))
     (setq buffer-undo-list nil)))

(defun midflight-transcript--insert (text &rest properties)
  "Insert TEXT, with PROPERTIES, at the end of the output, before all markers."
  (let* ((input-end (marker-position comint-last-input-end))
         (start (marker-position midflight-transcript--output))
         (windows (cl-remove-if-not (lambda (window) (= (window-start window) start))
                                    (get-buffer-window-list nil nil t))))
    (goto-char start)
    (insert-before-markers
     (apply #'propertize text 'field 'output 'rear-nonsticky t
            'inhibit-line-move-field-capture t properties))
    ;; These markers must not move with it: output begins at the first, and a
    ;; window that starts at the second would hide the new text.
    (set-marker comint-last-input-end input-end)
    (dolist (window windows)
      (set-window-start window start t))))

;;;; Output

(defun midflight-transcript-output (text &optional face fresh properties)
  "Insert TEXT above the prompt, with FACE and the plist PROPERTIES.
If FRESH is non-nil, it begins and ends a line.  Long lines are folded."
  (midflight-transcript--edit
    (delete-region midflight-transcript--output midflight-transcript--prompt)
    (goto-char midflight-transcript--output)
    (let ((lead (if (and fresh (not (bolp))) "\n" ""))
          (trail (if (and fresh (not (string-suffix-p "\n" text))) "\n" "")))
      (apply #'midflight-transcript--insert
             (midflight-fold-lines (concat lead text trail) (midflight-fold-column))
             (append (and face (list 'font-lock-face face)) properties)))
    (unless (or (bolp) (not (midflight-transcript--prompt-p)))
      (midflight-transcript--insert "\n")
      (set-marker midflight-transcript--output (1- (point))))
    (midflight-transcript--trim)))

(defun midflight-transcript-delete-output ()
  "Delete the output since the last input.
The command of comint would insert the prompt again, at a position that
this file does not track."
  (interactive)
  (midflight-transcript--edit
    (delete-region comint-last-input-end midflight-transcript--prompt)))

(defun midflight-transcript-clear ()
  "Delete the transcript; keep the prompt and the input being typed."
  (interactive)
  (midflight-transcript--edit
    (delete-region (point-min) midflight-transcript--prompt))
  (dolist (window (get-buffer-window-list nil nil t))
    (set-window-start window (point-min))))

(defun midflight-transcript--trim ()
  "Delete the oldest lines if the buffer is far larger than its limit."
  (when (and midflight-shell-maximum-size
             (> (buffer-size) (* 2 midflight-shell-maximum-size)))
    (goto-char (- (point-max) midflight-shell-maximum-size))
    (forward-line 1)
    (delete-region (point-min) (min (point) midflight-transcript--output))))

;;;; Prompt and input

(defun midflight-transcript-prompt (text)
  "End the output and insert TEXT as the prompt, before the input being typed."
  (midflight-transcript--edit
    (delete-region midflight-transcript--output (midflight-transcript-input-mark))
    (goto-char midflight-transcript--output)
    (unless (bolp)
      (midflight-transcript--insert "\n"))
    (let ((start (point)))
      (midflight-transcript--insert text 'font-lock-face 'comint-highlight-prompt
                                    'read-only t 'front-sticky '(read-only))
      (set-marker midflight-transcript--output start)
      (set-marker midflight-transcript--prompt start)
      (midflight-transcript--cover-input text))))

(defun midflight-transcript--cover-input (prompt)
  "Show later lines of the input below its first line, after PROMPT."
  (move-overlay midflight-transcript--overlay
                (midflight-transcript-input-mark) (point-max))
  (overlay-put midflight-transcript--overlay 'line-prefix
               (make-string (string-width prompt) ?\s)))

(defun midflight-transcript-remove-prompt ()
  "Remove the prompt, if there is one; keep the input being typed."
  (midflight-transcript--edit
    (delete-region midflight-transcript--prompt (midflight-transcript-input-mark))
    (set-marker midflight-transcript--output midflight-transcript--prompt)
    (delete-overlay midflight-transcript--overlay)))

(defun midflight-transcript-input ()
  "Return what is being typed."
  (buffer-substring-no-properties (midflight-transcript-input-mark) (point-max)))

(defun midflight-transcript-take-input ()
  "Remove the input being typed, and return it."
  (prog1 (midflight-transcript-input)
    (delete-region (midflight-transcript-input-mark) (point-max))))

(defun midflight-transcript-commit (text)
  "Put TEXT after the prompt, and make both part of the transcript.
The buffer then has no prompt; the input being typed stays after TEXT.
Return the argument for `midflight-transcript-take-back'."
  (let* ((start (marker-position (midflight-transcript-input-mark)))
         (prompt (copy-marker midflight-transcript--prompt))
         (prefix (make-string (- start prompt) ?\s)))
    (midflight-transcript--edit
      (goto-char start)
      (insert-before-markers (propertize (midflight-fontify-string text 'comint-highlight-input)
                                         'front-sticky t 'line-prefix prefix)
                             (propertize "\n" 'field 'boundary 'rear-nonsticky t
                                         'inhibit-line-move-field-capture t))
      (set-marker comint-last-input-start start)
      (set-marker comint-last-input-end (point))
      (set-marker midflight-transcript--output (point))
      (set-marker midflight-transcript--prompt (point))
      (delete-overlay midflight-transcript--overlay)
      (cons prompt (- (point) prompt)))))

(defun midflight-transcript-take-back (committed)
  "Remove an input and its prompt; COMMITTED is the value of the commit.
Keep the output since then."
  (midflight-transcript--edit
    (let ((start (marker-position (car committed))))
      (delete-region start (+ start (cdr committed))))))

(provide 'midflight-transcript)
;;; midflight-transcript.el ends here
