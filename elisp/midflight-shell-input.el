;;; midflight-shell-input.el --- The input of a shell, and its keys  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The keys of a shell for its input: RET evaluates the input if the server
;; says that it is complete, C-j adds a new line, C-RET evaluates the input as
;; it is; without a prompt they end the input, which is evaluated when its turn
;; comes; TAB completes or indents; a comma reads the name of a command if the
;; input is empty.  Python gets its faces while it is typed.

;;; Code:

(require 'midflight-util)
(require 'midflight-shell)
(require 'midflight-shell-output)
(require 'midflight-shell-question)
(require 'midflight-shell-transcript)

(declare-function midflight-inspect "midflight-inspector" (expression))

(defvar-local midflight-shell-input--tick nil
  "The modification tick of the buffer when the input last got its faces.")

(defun midflight-shell-input-setup ()
  "Prepare the current buffer, a shell, for input."
  (set-syntax-table python-mode-syntax-table)
  (setq-local parse-sexp-lookup-properties t)
  (setq-local syntax-propertize-function #'midflight-shell-input--propertize)
  (add-hook 'post-command-hook #'midflight-shell-input--fontify nil t)
  (add-hook 'midflight-shell-session-lost-hook #'midflight-shell-question-lost nil t)
  (add-hook 'midflight-shell-session-ready-hook #'midflight-shell-input--send-next nil t))

(defun midflight-shell-input--propertize (start end)
  "Let quotes and brackets in the output from START to END be punctuation.
Otherwise one of them could open a string or a list that goes on in the
input."
  (save-excursion
    (goto-char start)
    (let ((limit (min end (midflight-shell-transcript-input-mark))))
      (while (re-search-forward "[]\"'(){}[#\\]" limit t)
        (put-text-property (match-beginning 0) (match-end 0) 'syntax-table '(1))))))

(defun midflight-shell-input--fontify ()
  "Put the faces of Python on the input, if it has changed."
  (let ((tick (buffer-chars-modified-tick)))
    (unless (eql tick midflight-shell-input--tick)
      (midflight-shell-transcript-fontify (midflight-shell-transcript-input-mark) (point-max))
      (setq midflight-shell-input--tick tick))))

;;;; Evaluate

(defun midflight-shell-return ()
  "Evaluate the input if it is complete; otherwise add a new line to it.
If a process asks for a line, answer it.
Above the input, act on the text at point: inspect a result, show the rest
of a long line, or copy an old input to the prompt."
  (interactive)
  (cond ((>= (point) (midflight-shell-transcript-input-mark)) (midflight-shell-input--send nil))
        ((get-text-property (point) 'midflight-folded) (midflight-shell-show-line))
        ((get-text-property (point) 'midflight-job)
         (call-interactively #'midflight-inspect))
        (t (comint-copy-old-input))))

(defun midflight-shell-send ()
  "Evaluate the input as it is, without further lines of a compound statement."
  (interactive)
  (goto-char (point-max))
  (midflight-shell-input--send t))

(defun midflight-shell-input--send (is-whole)
  "Evaluate the input; if IS-WHOLE is non-nil, no line follows it.
Without a prompt, only end the input with a newline: the next input must
not continue its last line.  If the prompt is to come, the input is
evaluated then."
  (pcase (if midflight-shell-session-question 'asked midflight-shell-session-state)
    ('asked (midflight-shell-question-answer))
    ((and 'off (guard (eq (midflight-connection-state (midflight-connection-of-buffer)) 'closed)))
     (midflight-server-ensure #'ignore)
     (midflight-shell-ensure)
     (unless (string-blank-p (midflight-shell-transcript-input))
       (goto-char (point-max))
       (insert "\n")))
    ('ready (midflight-shell-input--evaluate (midflight-shell-transcript-take-input) is-whole))
    (_
     (goto-char (point-max))
     (midflight-shell-transcript-end-input (if is-whole 'whole 'line))
     (message "Midflight: this input is evaluated %s (%s interrupts)"
              (if (eq midflight-shell-session-state 'busy)
                  "after the evaluation that runs"
                "when the shell is open")
              (substitute-command-keys "\\[midflight-interrupt]")))))

(defun midflight-shell-input--send-next ()
  "Evaluate the first input that was typed ahead, if one was."
  (let ((next (midflight-shell-transcript-take-ended-input)))
    (when next
      (midflight-shell-input--evaluate (car next) (eq (cdr next) 'whole)))))

(defun midflight-shell-input--evaluate (text is-whole)
  "Evaluate TEXT, an input; if IS-WHOLE is non-nil, no line follows it.
Leave a blank TEXT in the transcript and show the same prompt."
  (setq comint-input-ring-index nil)
  (if (string-blank-p text)
      (progn (midflight-shell-transcript-commit text)
             (midflight-shell-session-ready midflight-shell-session-prompt))
    (midflight-shell-session-evaluate
     (if (and is-whole (not (string-suffix-p "\n" text))) (concat text "\n") text)
     (lambda (answer) (midflight-shell-input--continue text answer is-whole)))))

(defun midflight-shell-input--continue (text answer is-whole)
  "Put TEXT back, with a new line, if it is incomplete according to ANSWER.
If IS-WHOLE is non-nil, display a message instead of adding the new line.
The new line is indented, unless the next line was typed ahead."
  (when (equal (plist-get answer :status) "incomplete")
    (save-excursion
      (goto-char (midflight-shell-transcript-input-mark))
      (insert text)
      (if is-whole
          (message "Midflight: the input is incomplete: a bracket or a string is open; nothing was evaluated")
        (insert "\n")
        (unless (midflight-shell-transcript-ended-input-p)
          (insert (midflight-shell-input--indentation text)))))
    (if is-whole
        (midflight-shell-transcript-hold-input)
      (goto-char (point-max)))))

;;;; Lines

(defun midflight-shell-input--indentation (text)
  "Return the indentation, spaces, of a line that follows TEXT."
  (let* ((line (car (last (split-string text "\n"))))
         (width (- (length line) (length (string-trim-left line)))))
    (make-string (cond ((string-match-p "[:([{]\\s-*\\(?:#.*\\)?\\'" line) (+ width 4))
                       ((string-match-p "\\`\\s-*\\(?:return\\|pass\\|raise\\|break\\|continue\\)\\_>"
                                        line)
                        (max 0 (- width 4)))
                       (t width))
                 ?\s)))

(defun midflight-shell-input--line-start ()
  "Return the beginning of the input line at point."
  (let ((inhibit-field-text-motion t))
    (max (marker-position (midflight-shell-transcript-input-mark))
         (line-beginning-position))))

(defun midflight-shell-newline ()
  "Insert a new line into the input, indented."
  (interactive)
  (if (< (point) (midflight-shell-transcript-input-mark))
      (midflight-user-error "Point is not in the input; nothing was inserted; the input is at the end")
    (insert "\n" (midflight-shell-input--indentation
                  (buffer-substring-no-properties (midflight-shell-input--line-start) (point))))))

(defun midflight-shell-tab ()
  "Complete the name before point, or indent at the beginning of a line.
Above the input, go to the next button."
  (interactive)
  (let ((start (midflight-shell-input--line-start)))
    (cond ((< (point) (midflight-shell-transcript-input-mark))
           (goto-char (or (next-single-property-change (point) 'midflight-folded
                                                       nil (midflight-shell-transcript-input-mark))
                          (midflight-shell-transcript-input-mark))))
          ((and (> start (midflight-shell-transcript-input-mark))
                (string-blank-p (buffer-substring-no-properties start (point))))
           (insert (make-string (- 4 (% (- (point) start) 4)) ?\s)))
          (t (completion-at-point)))))

;;;; Commands by name

(defconst midflight-shell-input--commands
  '(("restart" midflight-restart "stop the server and start another")
    ("quit" midflight-quit "leave the server; it goes on")
    ("disconnect" midflight-quit "leave the server; it goes on")
    ("stop" midflight-shell-input--stop "stop the server and its runtime processes")
    ("connect" midflight-connect "use another project's server")
    ("connections" midflight-connections "list the connections")
    ("processes" midflight-processes "list the runtime processes")
    ("versions" midflight-versions "the versions of a module")
    ("load-modified" midflight-load-modified "load the modified modules")
    ("in" midflight-shell-in "evaluate inputs in a module, or in the shell again")
    ("inspect" midflight-inspect "look into a value")
    ("describe" midflight-doc "the documentation of a name")
    ("interrupt" midflight-interrupt "interrupt the evaluation")
    ("trace" midflight-trace "trace runtime processes")
    ("doctor" midflight-doctor "check the installation")
    ("end" midflight-shell-end "end this session and kill its buffer")
    ("clear" midflight-shell-clear "delete the transcript")
    ("source" midflight-shell-back "back to the source buffer"))
  "Names, commands and their descriptions, for `midflight-shell-comma'.")

(defun midflight-shell-in (module)
  "Evaluate the inputs of this shell in the current version of MODULE, a name.
They see the names of the module, and then those of the shell; what they
assign is bound in the module.  The prompt shows its name.  An empty name
goes back to the shell's own names."
  (interactive
   (list (midflight-look-read-module
          (if midflight-shell-session-module
              (format "In module (empty: leave %s): " midflight-shell-session-module)
            "In module: "))))
  (midflight-shell-session-go-into (unless (string-blank-p module) module)))

(defun midflight-shell-input--stop ()
  "Stop the server, after a question."
  (interactive)
  (let ((current-prefix-arg t))
    (call-interactively #'midflight-quit)))

(defun midflight-shell-comma ()
  "Ask for a command if the input is empty; otherwise insert a comma."
  (interactive)
  (if (and (>= (point) (midflight-shell-transcript-input-mark))
           (string-blank-p (midflight-shell-transcript-input)))
      (let* ((commands (cl-remove-if-not #'commandp midflight-shell-input--commands :key #'cadr))
             (completion-extra-properties
              (list :annotation-function
                    (lambda (name) (concat "  " (nth 2 (assoc name commands))))))
             (name (completing-read "Command: " (mapcar #'car commands) nil t)))
        (unless (equal name "")
          (call-interactively (nth 1 (assoc name commands)))))
    (call-interactively #'self-insert-command)))

(provide 'midflight-shell-input)
;;; midflight-shell-input.el ends here
