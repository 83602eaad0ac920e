;;; midflight-input.el --- Typing in a shell  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; What the keys of a shell do with the input: RET evaluates it if it is
;; complete, as the server says, C-j gives it a new line, C-RET ends it
;; whatever it is; TAB completes or indents; a comma where there is no input
;; asks for a command.  Python is shown with its faces while it is typed.

;;; Code:

(require 'midflight-shell)
(require 'midflight-fold)
(require 'midflight-fontify)

(declare-function midflight-inspect "midflight-inspector" (expression))
(declare-function midflight-quit "midflight-server" (&optional stop))

(defvar-local midflight-input--tick nil
  "When the faces of the input were put on, in changes of the buffer.")

(defun midflight-input-setup ()
  "Prepare the current buffer, a shell, for input."
  (set-syntax-table python-mode-syntax-table)
  (setq-local parse-sexp-lookup-properties t)
  (setq-local syntax-propertize-function #'midflight-input--propertize)
  (add-hook 'post-command-hook #'midflight-input--fontify nil t))

(defun midflight-input--propertize (start end)
  "Let quotes and brackets in the output from START to END be punctuation.
Else one there would open a string or a list that goes on in the input."
  (save-excursion
    (goto-char start)
    (let ((limit (min end (midflight-transcript-input-mark))))
      (while (re-search-forward "[]\"'(){}[#\\]" limit t)
        (put-text-property (match-beginning 0) (match-end 0) 'syntax-table '(1))))))

(defun midflight-input--fontify ()
  "Show the input with the faces of Python, if it has changed."
  (let ((tick (buffer-chars-modified-tick)))
    (unless (eql tick midflight-input--tick)
      (midflight-fontify-region (midflight-transcript-input-mark) (point-max))
      (setq midflight-input--tick tick))))

;;;; Evaluate

(defun midflight-shell-return ()
  "Evaluate the input, if it is complete; else give it a new line.
Above the input it does what the place is for: look into a result, show
the rest of a long line, copy an old input to the prompt."
  (interactive)
  (cond ((>= (point) (midflight-transcript-input-mark)) (midflight-input--send nil))
        ((get-text-property (point) 'midflight-folded) (midflight-fold-show))
        ((get-text-property (point) 'midflight-job)
         (call-interactively #'midflight-inspect))
        (t (comint-copy-old-input))))

(defun midflight-shell-send ()
  "Evaluate the input as it is: a compound statement ends here."
  (interactive)
  (goto-char (point-max))
  (midflight-input--send t))

(defun midflight-input--send (is-whole)
  "Evaluate the input; nothing follows it if IS-WHOLE is non-nil."
  (pcase midflight-shell-session-state
    ('off
     (midflight-server-ensure #'ignore)
     (midflight-shell-ensure))
    ('opening (message "Midflight: the shell is opening; the input stays"))
    ('busy
     (midflight-user-error
      "An evaluation runs; the input stays; %s interrupts it"
      (substitute-command-keys "\\[midflight-interrupt]")))
    ('ready
     (let ((text (midflight-transcript-take-input)))
       (setq comint-input-ring-index nil)
       (if (string-blank-p text)
           (midflight-input--evaluate-nothing text)
         (midflight-shell-session-evaluate
          (if (and is-whole (not (string-suffix-p "\n" text))) (concat text "\n") text)
          (lambda (answer) (midflight-input--continue text answer is-whole))))))))

(defun midflight-input--evaluate-nothing (text)
  "Leave TEXT, a blank input, in the transcript and show the same prompt."
  (midflight-transcript-commit text)
  (midflight-shell-session-ready midflight-shell-session-prompt))

(defun midflight-input--continue (text answer is-whole)
  "Put TEXT back, with a new line, if it is incomplete by ANSWER.
If it was to be taken as it IS-WHOLE, say so instead of the new line."
  (when (equal (plist-get answer :status) "incomplete")
    (let ((rest (midflight-transcript-take-input)))
      (goto-char (point-max))
      (insert text)
      (if is-whole
          (message "Midflight: the input is incomplete whatever follows: a bracket or a string is open; nothing was evaluated")
        (insert "\n" (midflight-input--indentation text)))
      (insert rest))))

;;;; Lines

(defun midflight-input--indentation (text)
  "Return the indentation, spaces, of a line that follows TEXT."
  (let* ((line (car (last (split-string text "\n"))))
         (width (- (length line) (length (string-trim-left line)))))
    (make-string (cond ((string-match-p "[:([{]\\s-*\\(?:#.*\\)?\\'" line) (+ width 4))
                       ((string-match-p "\\`\\s-*\\(?:return\\|pass\\|raise\\|break\\|continue\\)\\_>"
                                        line)
                        (max 0 (- width 4)))
                       (t width))
                 ?\s)))

(defun midflight-input--line-start ()
  "Return where the line of the input begins that point is in."
  (let ((inhibit-field-text-motion t))
    (max (marker-position (midflight-transcript-input-mark))
         (line-beginning-position))))

(defun midflight-shell-newline ()
  "Insert a new line into the input, indented."
  (interactive)
  (if (< (point) (midflight-transcript-input-mark))
      (midflight-user-error "This is no input; nothing was inserted; the input is at the end")
    (insert "\n" (midflight-input--indentation
                  (buffer-substring-no-properties (midflight-input--line-start) (point))))))

(defun midflight-shell-tab ()
  "Complete the name before point, or indent at the beginning of a line.
Above the input, go to the next button."
  (interactive)
  (let ((start (midflight-input--line-start)))
    (cond ((< (point) (midflight-transcript-input-mark))
           (goto-char (or (next-single-property-change (point) 'midflight-folded
                                                       nil (midflight-transcript-input-mark))
                          (midflight-transcript-input-mark))))
          ((and (> start (midflight-transcript-input-mark))
                (string-blank-p (buffer-substring-no-properties start (point))))
           (insert (make-string (- 4 (% (- (point) start) 4)) ?\s)))
          (t (completion-at-point)))))

;;;; Commands by name

(defconst midflight-input--commands
  '(("restart" midflight-restart "stop the server and start another")
    ("quit" midflight-quit "leave the server; it goes on")
    ("disconnect" midflight-quit "leave the server; it goes on")
    ("stop" midflight-input--stop "stop the server and its runtime processes")
    ("connect" midflight-connect "use another project's server")
    ("connections" midflight-connections "list the connections")
    ("processes" midflight-processes "list the runtime processes")
    ("versions" midflight-versions "the versions of a module")
    ("load-modified" midflight-load-modified "load what was modified")
    ("inspect" midflight-inspect "look into a value")
    ("describe" midflight-doc "the documentation of a name")
    ("interrupt" midflight-interrupt "interrupt the evaluation")
    ("trace" midflight-trace "trace runtime processes")
    ("doctor" midflight-doctor "check the installation")
    ("clear" midflight-transcript-clear "delete the transcript")
    ("source" midflight-shell-back "back to the source buffer"))
  "Names, commands and what they do, for `midflight-shell-comma'.")

(defun midflight-input--stop ()
  "Stop the server, after a question."
  (interactive)
  (let ((current-prefix-arg t))
    (call-interactively #'midflight-quit)))

(defun midflight-shell-comma ()
  "Ask for a command where there is no input; else insert a comma."
  (interactive)
  (if (and (>= (point) (midflight-transcript-input-mark))
           (string-blank-p (midflight-transcript-input)))
      (let* ((commands (cl-remove-if-not #'commandp midflight-input--commands :key #'cadr))
             (completion-extra-properties
              (list :annotation-function
                    (lambda (name) (concat "  " (nth 2 (assoc name commands))))))
             (name (completing-read "Command: " (mapcar #'car commands) nil t)))
        (unless (equal name "")
          (call-interactively (nth 1 (assoc name commands)))))
    (call-interactively #'self-insert-command)))

(provide 'midflight-input)
;;; midflight-input.el ends here
