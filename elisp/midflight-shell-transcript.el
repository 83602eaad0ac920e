;;; midflight-shell-transcript.el --- The text of a shell buffer  -*- lexical-binding: t; -*-

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
;; The text that was typed has the faces of Python.  Output is not Python, and an
;; apostrophe in it must not begin a string that reaches into the input.  So a
;; hidden buffer in `python-mode' computes the faces, and this file puts them on
;; the input.
;;
;; The mode derives from comint for its history, fields and movement.  It has a
;; process without a program, because comint keeps the process mark there.

;;; Code:

(require 'cl-lib)
(require 'comint)
(require 'python)
(require 'midflight-shell-output)
(require 'midflight-shell-terminal)

(defface midflight-error '((t :inherit error :weight normal))
  "Face for errors and crashes in a shell buffer."
  :group 'midflight)

(defcustom midflight-shell-maximum-size 2000000
  "The number of characters that a shell buffer keeps; nil means all.
When it has twice as many, the oldest are deleted."
  :type '(choice (const :tag "No limit" nil) natnum)
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defvar-local midflight-shell-transcript--output nil "Marker: where output goes.")
(defvar-local midflight-shell-transcript--prompt nil "Marker: where the prompt starts.")
(defvar-local midflight-shell-transcript--overlay nil
  "Overlay on the input: its later lines are shown below its first.")

(defun midflight-shell-transcript-input-mark ()
  "Return the marker of the start of the input."
  (process-mark (get-buffer-process (current-buffer))))

(defun midflight-shell-transcript-setup ()
  "Prepare the current buffer, in a mode that derives from comint's."
  (let ((process (make-pipe-process :name "midflight-shell" :noquery t
                                    :buffer (current-buffer)
                                    :filter #'ignore :sentinel #'ignore)))
    (goto-char (point-max))
    (set-marker (process-mark process) (point))
    (setq midflight-shell-transcript--output (copy-marker (point))
          midflight-shell-transcript--prompt (copy-marker (point))
          midflight-shell-transcript--overlay
          (make-overlay (point) (point) nil nil t))
    (setq-local comint-last-input-start (copy-marker (point))
                comint-last-input-end (copy-marker (point)))))

(defun midflight-shell-transcript--prompt-p ()
  "Return non-nil if there is a prompt."
  (< midflight-shell-transcript--prompt (midflight-shell-transcript-input-mark)))

(defmacro midflight-shell-transcript--edit (&rest body)
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

(defun midflight-shell-transcript--output-text (text &rest properties)
  "Return TEXT with PROPERTIES and those of all output."
  (apply #'propertize text 'field 'output 'rear-nonsticky t
         'inhibit-line-move-field-capture t properties))

(defun midflight-shell-transcript--insert (text &rest properties)
  "Insert TEXT, with PROPERTIES, at the end of the output, before all markers."
  (let* ((input-end (marker-position comint-last-input-end))
         (start (marker-position midflight-shell-transcript--output))
         (windows (cl-remove-if-not (lambda (window) (= (window-start window) start))
                                    (get-buffer-window-list nil nil t))))
    (goto-char start)
    (insert-before-markers (apply #'midflight-shell-transcript--output-text text properties))
    ;; These markers must not move with it: output begins at the first, and a
    ;; window that starts at the second would hide the new text.
    (set-marker comint-last-input-end input-end)
    (dolist (window windows)
      (set-window-start window start t))))

;;;; Output

(defmacro midflight-shell-transcript--above-prompt (&rest body)
  "Run BODY at the end of the output, to insert text there."
  (declare (indent 0) (debug t))
  `(midflight-shell-transcript--edit
     (delete-region midflight-shell-transcript--output midflight-shell-transcript--prompt)
     (goto-char midflight-shell-transcript--output)
     ,@body
     (goto-char midflight-shell-transcript--output)
     (unless (or (bolp) (not (midflight-shell-transcript--prompt-p)))
       (midflight-shell-transcript--insert "\n")
       (set-marker midflight-shell-transcript--output (1- (point))))
     (midflight-shell-transcript--trim)))

(defun midflight-shell-transcript-output (text &optional face fresh properties)
  "Insert TEXT above the prompt, with FACE and the plist PROPERTIES.
If FRESH is non-nil, it begins and ends a line.  Long lines are folded."
  (midflight-shell-terminal-reset)
  (midflight-shell-transcript--above-prompt
    (let ((lead (if (and fresh (not (bolp))) "\n" ""))
          (trail (if (and fresh (not (string-suffix-p "\n" text))) "\n" "")))
      (apply #'midflight-shell-transcript--insert
             (midflight-shell-output-folded (concat lead text trail) (midflight-shell-output-column))
             (append (and face (list 'font-lock-face face)) properties)))))

(defun midflight-shell-transcript-print (text)
  "Insert TEXT, the output of processes, above the prompt.
Carriage returns and control sequences act as in a terminal."
  (if (not (midflight-shell-terminal-needed-p text))
      (midflight-shell-transcript-output text)
    (midflight-shell-transcript--above-prompt
      (midflight-shell-terminal-write
       text
       (if (<= comint-last-input-end (point)) (marker-position comint-last-input-end) (point-min))
       #'midflight-shell-transcript--output-text
       (lambda (piece)
         (midflight-shell-transcript--insert
          (midflight-shell-output-folded piece (midflight-shell-output-column))))))))

(defun midflight-shell-delete-output ()
  "Delete the output since the last input.
The command of comint would insert the prompt again, at a position that
this file does not track."
  (interactive)
  (midflight-shell-transcript--edit
    (delete-region comint-last-input-end midflight-shell-transcript--prompt)))

(defun midflight-shell-clear ()
  "Delete the transcript; keep the prompt and the input being typed."
  (interactive)
  (midflight-shell-transcript--edit
    (delete-region (point-min) midflight-shell-transcript--prompt))
  (dolist (window (get-buffer-window-list nil nil t))
    (set-window-start window (point-min))))

(defun midflight-shell-transcript--trim ()
  "Delete the oldest lines if the buffer is far larger than its limit."
  (when (and midflight-shell-maximum-size
             (> (buffer-size) (* 2 midflight-shell-maximum-size)))
    (goto-char (- (point-max) midflight-shell-maximum-size))
    (forward-line 1)
    (delete-region (point-min) (min (point) midflight-shell-transcript--output))))

;;;; Prompt and input

(defun midflight-shell-transcript-prompt (text &optional inline)
  "End the output and insert TEXT as the prompt, before the input being typed.
If INLINE is non-nil, it stands behind a last line of output without a newline."
  (midflight-shell-transcript--edit
    (delete-region midflight-shell-transcript--output (midflight-shell-transcript-input-mark))
    (goto-char midflight-shell-transcript--output)
    (unless (or inline (bolp))
      (midflight-shell-transcript--insert "\n"))
    (let ((start (point)))
      (midflight-shell-transcript--insert text 'font-lock-face 'comint-highlight-prompt
                                          'read-only t 'front-sticky '(read-only))
      (set-marker midflight-shell-transcript--output start)
      (set-marker midflight-shell-transcript--prompt start)
      (midflight-shell-transcript--cover-input text))))

(defun midflight-shell-transcript--cover-input (prompt)
  "Show later lines of the input below its first line, after PROMPT."
  (move-overlay midflight-shell-transcript--overlay
                (midflight-shell-transcript-input-mark) (point-max))
  (overlay-put midflight-shell-transcript--overlay 'line-prefix
               (make-string (string-width prompt) ?\s)))

(defun midflight-shell-transcript-remove-prompt ()
  "Remove the prompt, if there is one; keep the input being typed."
  (midflight-shell-transcript--edit
    (delete-region midflight-shell-transcript--prompt (midflight-shell-transcript-input-mark))
    (set-marker midflight-shell-transcript--output midflight-shell-transcript--prompt)
    (delete-overlay midflight-shell-transcript--overlay)))

(defun midflight-shell-transcript-input ()
  "Return the input that is being typed."
  (buffer-substring-no-properties (midflight-shell-transcript-input-mark) (point-max)))

(defun midflight-shell-transcript-take-input ()
  "Remove the input being typed, and return it."
  (prog1 (midflight-shell-transcript-input)
    (delete-region (midflight-shell-transcript-input-mark) (point-max))))

(defun midflight-shell-transcript-put-aside ()
  "Remove the input being typed, with inputs typed ahead; return it as it was."
  (prog1 (buffer-substring (midflight-shell-transcript-input-mark) (point-max))
    (delete-region (midflight-shell-transcript-input-mark) (point-max))))

(defun midflight-shell-transcript-end-input (how)
  "Insert the newline that ends an input typed ahead; HOW is `line' or `whole'."
  (insert (propertize "\n" 'midflight-end how 'rear-nonsticky '(midflight-end))))

(defun midflight-shell-transcript-ended-input-p ()
  "Return the end of the first input that was typed ahead, or nil for none."
  (text-property-not-all (midflight-shell-transcript-input-mark) (point-max)
                         'midflight-end nil))

(defun midflight-shell-transcript-take-ended-input ()
  "Remove the first input that was typed ahead, and its newline, if there is one.
Return a cons of its text and of how it was ended, or nil for none."
  (let ((start (marker-position (midflight-shell-transcript-input-mark)))
        (end (midflight-shell-transcript-ended-input-p)))
    (when end
      (prog1 (cons (buffer-substring-no-properties start end)
                   (get-text-property end 'midflight-end))
        (delete-region start (1+ end))))))

(defun midflight-shell-transcript-hold-input ()
  "Let the inputs that were typed ahead be text that is being typed."
  (with-silent-modifications
    (remove-text-properties (midflight-shell-transcript-input-mark) (point-max)
                            '(midflight-end nil))))

(defun midflight-shell-transcript-commit (text)
  "Put TEXT after the prompt, and make both part of the transcript.
The buffer then has no prompt; the input being typed stays after TEXT.
Return the argument for `midflight-shell-transcript-take-back'."
  (midflight-shell-terminal-reset)
  (let* ((start (marker-position (midflight-shell-transcript-input-mark)))
         (prompt (copy-marker midflight-shell-transcript--prompt))
         (prefix (make-string (- start prompt) ?\s)))
    (midflight-shell-transcript--edit
      (goto-char start)
      (insert-before-markers (propertize (midflight-shell-transcript-fontified text 'comint-highlight-input)
                                         'front-sticky t 'line-prefix prefix)
                             (propertize "\n" 'field 'boundary 'rear-nonsticky t
                                         'inhibit-line-move-field-capture t))
      (set-marker comint-last-input-start start)
      (set-marker comint-last-input-end (point))
      (set-marker midflight-shell-transcript--output (point))
      (set-marker midflight-shell-transcript--prompt (point))
      (delete-overlay midflight-shell-transcript--overlay)
      (cons prompt (- (point) prompt)))))

(defun midflight-shell-transcript-take-back (committed)
  "Remove an input and its prompt; COMMITTED is the value of the commit.
Keep the output since then."
  (midflight-shell-transcript--edit
    (let ((start (marker-position (car committed))))
      (delete-region start (+ start (cdr committed))))))

;;;; The faces of Python

(defconst midflight-shell-transcript--fontify-limit 20000
  "The most characters of an input that gets faces.")

(defun midflight-shell-transcript--fontify-buffer ()
  "Return the hidden buffer that computes the faces of Python."
  (or (get-buffer " *midflight-fontify*")
      (with-current-buffer (get-buffer-create " *midflight-fontify*")
        ;; Do not run its hooks: they start servers and checkers.
        (let ((python-indent-guess-indent-offset nil))
          (delay-mode-hooks (python-mode)))
        (buffer-disable-undo)
        (font-lock-set-defaults)
        (current-buffer))))

(defun midflight-shell-transcript-fontified (text &optional under)
  "Return TEXT, Python, with its faces as `font-lock-face'.
The face UNDER is below all of them, and on the text without faces."
  (let ((result (substring-no-properties text)))
    (when under
      (put-text-property 0 (length result) 'font-lock-face under result))
    (when (< 0 (length result) midflight-shell-transcript--fontify-limit)
      (with-current-buffer (midflight-shell-transcript--fontify-buffer)
        (erase-buffer)
        (insert result)
        (set-text-properties (point-min) (point-max) nil)
        (font-lock-fontify-region (point-min) (point-max))
        (let ((start (point-min)))
          (while (< start (point-max))
            (let ((face (get-text-property start 'face))
                  (end (next-single-property-change start 'face nil (point-max))))
              (when face
                (put-text-property (1- start) (1- end) 'font-lock-face
                                   (if under (append (if (listp face) face (list face)) (list under)) face)
                                   result))
              (setq start end))))))
    result))

(defun midflight-shell-transcript-fontify (start end)
  "Put the faces of Python on the text from START to END."
  (let ((text (midflight-shell-transcript-fontified (buffer-substring-no-properties start end)))
        (position 0))
    (with-silent-modifications
      (remove-text-properties start end '(font-lock-face nil))
      (while (< position (length text))
        (let ((next (next-single-property-change position 'font-lock-face text (length text)))
              (face (get-text-property position 'font-lock-face text)))
          (when face
            (put-text-property (+ start position) (+ start next) 'font-lock-face face))
          (setq position next))))))

(provide 'midflight-shell-transcript)
;;; midflight-shell-transcript.el ends here
