;;; demo.el --- The tutorial, played in a real Emacs  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; scripts/emacs-batch -l scripts/demo.el
;;
;; A counter is upgraded in flight: every key below is pressed in the buffer
;; where a person would press it, and goes through the keymaps that are in
;; force there.  What that person would see is printed.  Exits with 1, saying
;; why, as soon as a line is not as the tutorial has it.
;;
;; The project, the runtime folder and the server are the demo's own and are
;; gone when it ends.  MIDFLIGHT_TEST_COMMAND names the midflight program; it
;; is looked for in the .venv of the repository and on the PATH.

;;; Code:

(defvar demo-root (expand-file-name ".." (file-name-directory load-file-name)))
(push (expand-file-name "elisp" demo-root) load-path)
(setq load-prefer-newer t)
(require 'cl-lib)
(require 'midflight)

(defvar demo-folder (file-truename (make-temp-file "midflight-demo" t)))
(defvar demo-project (expand-file-name "tutorial" demo-folder))
(defvar demo-file (expand-file-name "counter.py" demo-project))
(defvar demo-echoes nil "What the echo area showed since the last key, newest first.")
(defvar demo-seconds 30 "How long any step may take.")

;;;; Start and end

(defun demo-set-up ()
  "Make the project and point Midflight at a runtime folder of its own."
  (make-directory demo-project)
  (copy-file (expand-file-name "examples/counter.py" demo-root) demo-file)
  (write-region "[project]\nname = \"tutorial\"\n" nil
                (expand-file-name "pyproject.toml" demo-project) nil 'silent)
  (setenv "MIDFLIGHT_RUNTIME_DIR" (expand-file-name "run" demo-folder))
  (setenv "TMPDIR" demo-folder)
  (let ((own (expand-file-name ".venv/bin/midflight" demo-root)))
    (setq midflight-command (or (getenv "MIDFLIGHT_TEST_COMMAND")
                                (and (file-executable-p own) own))))
  ;; The two questions that a person would answer with y.
  (setq midflight-auto-start 'always
        midflight-save-before-load t
        midflight-shell-history-file nil
        python-indent-guess-indent-offset nil
        inhibit-message t)
  (advice-add 'message :before
              (lambda (format &rest args)
                (when format
                  (push (apply #'format-message format args) demo-echoes)))))

(defun demo-tear-down ()
  "Stop the server of the demo, whatever has happened, and delete its files."
  (let ((pid (plist-get (ignore-errors (midflight-rendezvous-server demo-project)) :pid))
        (deadline (+ (float-time) demo-seconds)))
    (when pid
      (signal-process pid 'SIGTERM)
      (while (and (midflight-rendezvous-alive-p pid) (< (float-time) deadline))
        (accept-process-output nil 0.02))
      (when (midflight-rendezvous-alive-p pid)
        (signal-process pid 'SIGKILL))))
  (delete-directory demo-folder t))

(defun demo-say (format &rest args)
  "Print FORMAT with ARGS on a line."
  (princ (concat (apply #'format format args) "\n")))

(defun demo-fail (format &rest args)
  "Print why the demo ends, described by FORMAT and ARGS, and end it."
  (demo-say "\nNot as in the tutorial: %s" (apply #'format format args))
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (derived-mode-p 'midflight-shell-mode 'midflight-report-mode)
        (demo-say "\n---- %s\n%s" (buffer-name) (buffer-string)))))
  (demo-say "\n---- echo area since the last key\n%s"
            (mapconcat #'identity (reverse demo-echoes) "\n"))
  (kill-emacs 1))

;;;; What a person does and sees

(defun demo-await (what predicate)
  "Let Emacs run until PREDICATE returns non-nil; return that.  WHAT is its name."
  (let ((deadline (+ (float-time) demo-seconds))
        value)
    (while (not (or (setq value (funcall predicate))
                    (> (float-time) deadline)))
      (accept-process-output nil 0.02))
    (or value (demo-fail "%s did not come within %d s" what demo-seconds))))

(defun demo-press (keys)
  "Press KEYS, a vector or string, in the current buffer."
  (setq demo-echoes nil)
  (switch-to-buffer (current-buffer))
  (execute-kbd-macro keys))

(defun demo-load (expected)
  "Press the key that loads the buffer; the message must match EXPECTED, a regexp."
  (demo-say "    C-c C-k")
  (with-current-buffer (find-buffer-visiting demo-file)
    (demo-press (kbd "C-c C-k")))
  (let ((summary (demo-await "the report of the load"
                             (lambda ()
                               (cl-find-if (lambda (text)
                                             (string-match-p "\\`counter .*loaded\\|\\`Midflight: not" text))
                                           demo-echoes)))))
    (demo-say "    echo area: %s" summary)
    (unless (string-match-p expected summary)
      (demo-fail "the echo area says %S, expected %S" summary expected))))

(defun demo-shell ()
  "Return the shell buffer, once it shows a prompt."
  (demo-await "a prompt in the shell"
              (lambda ()
                (let ((shell (midflight-shell-of demo-project)))
                  (and shell
                       (with-current-buffer shell
                         (and (eq midflight-shell-session-state 'ready) shell)))))))

(defun demo-type (input &rest expected)
  "Type INPUT and RET into the shell; it must then show lines matching EXPECTED."
  (with-current-buffer (demo-shell)
    (goto-char (point-max))
    (let ((start (let ((inhibit-field-text-motion t))
                   (line-beginning-position))))
      (demo-press (vconcat input (kbd "RET")))
      (demo-shell)
      (let* ((text (buffer-substring-no-properties start (point-max)))
             (lines (split-string text "\n"))
             (regexps (append (list (concat "[0-9]+> " (regexp-quote input)))
                              expected (list "[0-9]+> "))))
        (demo-say "    | %s" (mapconcat #'identity (butlast lines) "\n    | "))
        (unless (and (= (length lines) (length regexps))
                     (cl-every (lambda (regexp line)
                                 (string-match-p (concat "\\`" regexp "\\'") line))
                               regexps lines))
          (demo-fail "the shell shows\n%s\nexpected lines like\n%s"
                     text (mapconcat #'identity regexps "\n")))))))

;;;; The tutorial

(defun demo-play ()
  "Play the tutorial."
  (demo-say "Open counter.py and load it; no server runs yet.")
  (with-current-buffer (find-file demo-file)
    (midflight-mode 1)
    (unless (derived-mode-p 'python-mode)
      (demo-fail "counter.py is in %s" major-mode)))
  (demo-load "\\`counter v1 loaded ([0-9.]+ ms)\\'")
  (with-current-buffer (demo-shell)
    (unless (string-match-p "\\`Midflight [0-9.]+, Python 3[0-9.]+, .*\n1> \\'" (buffer-string))
      (demo-fail "the shell begins with %S" (buffer-string)))
    (demo-say "    | %s" (string-trim-right (buffer-string) "\n1> ")))

  (demo-say "\nIn the shell, start a counter and talk to it.")
  (demo-type "pid = spawn(counter.start)" "<0\\.[0-9]+\\.0>")
  (demo-type "pid << (\"increment\", 3)" (regexp-quote "('increment', 3)"))
  (demo-type "pid << (\"print\",)" "Sum is 3" (regexp-quote "('print',)"))

  (demo-say "\nTeach it to reset, and load again.")
  (with-current-buffer (find-buffer-visiting demo-file)
    (goto-char (point-min))
    (search-forward "        case message:")
    (beginning-of-line)
    (let ((line "        case (\"reset\",): return loop(0)"))
      (insert line "\n")
      (demo-say "    + %s" line)))
  (demo-load "\\`counter v2 loaded: loop changed; 1 process still runs v1: <0\\.[0-9]+\\.0> at loop:[0-9]+ ([0-9.]+ ms)\\'")

  (demo-say "\nThe process still runs version 1, which knows no reset.")
  (demo-type "pid << (\"reset\",)"
             (regexp-quote "Unhandled message ('reset',)") (regexp-quote "('reset',)"))

  (demo-say "\nTell it to switch.  It keeps its state, and can be reset now.")
  (demo-type "pid << \"code_switch\"" "'code_switch'")
  (demo-type "pid << (\"print\",)" "Sum is 3" (regexp-quote "('print',)"))
  (demo-type "pid << (\"reset\",)" (regexp-quote "('reset',)"))
  (demo-type "pid << (\"print\",)" "Sum is 0" (regexp-quote "('print',)"))
  (demo-say "\nThe counter was upgraded in flight."))

(add-hook 'kill-emacs-hook #'demo-tear-down)
(demo-set-up)
(condition-case problem
    (demo-play)
  (error (demo-fail "%s" (error-message-string problem))))
(kill-emacs 0)

;;; demo.el ends here
