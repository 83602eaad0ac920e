;;; midflight-shell.el --- The shell buffer  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A shell on the running system, one for each project.  The steps of an input:
;;
;; 1. RET moves it into the transcript and asks the server to evaluate it.
;; 2. The output of runtime processes, now or at any other time, arrives as
;;    pushes, and goes above the prompt.
;; 3. The answer has the value or the error, and the number of the next
;;    prompt: the server counts.  An incomplete input comes back to be
;;    continued on a new line.
;;
;; A shell outlives its connection: it says that the server is gone, keeps its
;; text, input and history, and continues when there is a server again.  In the
;; server it also outlives its Emacs; see midflight-shell-session.

;;; Code:

(require 'easymenu)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-shell-history)
(require 'midflight-shell-output)
(require 'midflight-shell-transcript)
(require 'midflight-shell-session)
(require 'midflight-look)
(require 'midflight-complete)
(require 'midflight-doc)
(require 'midflight-xref)

(declare-function midflight-shell-input-setup "midflight-shell-input" ())
(declare-function midflight-shell-return "midflight-shell-input" ())
(declare-function midflight-shell-newline "midflight-shell-input" ())
(declare-function midflight-shell-send "midflight-shell-input" ())
(declare-function midflight-shell-tab "midflight-shell-input" ())
(declare-function midflight-shell-comma "midflight-shell-input" ())
(declare-function midflight-shell-in "midflight-shell-input" (module))
(declare-function midflight-inspect "midflight-inspector" (expression))
(declare-function midflight-shell-question-interrupt "midflight-shell-question" ())
(declare-function midflight-shell-delete-or-end "midflight-shell-question" ())

(defvar-local midflight-shell--source nil
  "The buffer from which this shell was last shown.")

(defvar midflight-shell-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'midflight-shell-return)
    (define-key map (kbd "C-j") #'midflight-shell-newline)
    (define-key map (kbd "C-<return>") #'midflight-shell-send)
    (define-key map (kbd "C-c RET") #'midflight-shell-send)
    (define-key map (kbd "TAB") #'midflight-shell-tab)
    (define-key map "," #'midflight-shell-comma)
    (define-key map (kbd "C-c C-o") #'midflight-shell-delete-output)
    (define-key map (kbd "C-c M-o") #'midflight-shell-clear)
    (define-key map (kbd "C-c M-i") #'midflight-inspect)
    (define-key map (kbd "C-c C-x i") #'midflight-inspect)
    (define-key map (kbd "C-c C-c") #'midflight-interrupt)
    (define-key map (kbd "C-c C-b") #'midflight-interrupt)
    (define-key map (kbd "C-c C-z") #'midflight-shell-back)
    (define-key map [remap comint-delete-output] #'midflight-shell-delete-output)
    ;; The comint commands on these keys send signals and the end of the input
    ;; to a program; a shell has no program.
    (define-key map (kbd "C-d") #'midflight-shell-delete-or-end)
    (define-key map (kbd "C-c C-d") nil)
    (define-key map (kbd "C-c C-d d") #'midflight-doc)
    (define-key map (kbd "C-c C-\\") #'ignore)
    (define-key map [menu-bar signals] #'undefined)
    map)
  "Keymap of `midflight-shell-mode'.")

(easy-menu-define midflight-shell-menu midflight-shell-mode-map
  "Menu of `midflight-shell-mode'."
  '("Midflight"
    ["Back to the source" midflight-shell-back]
    ["Interrupt the evaluation" midflight-interrupt]
    ["Evaluate in a module..." midflight-shell-in]
    ["Inspect..." midflight-inspect]
    ["Describe..." midflight-doc]
    ["Clear the transcript" midflight-shell-clear]
    ["End this session" midflight-shell-end]
    "---"
    ["Attach or start a server" midflight]
    ["Restart the server" midflight-restart]
    ["Leave the server" midflight-quit]))

(define-derived-mode midflight-shell-mode comint-mode "Midflight-Shell"
  "Major mode for a shell on a running Midflight server.
Type Python, also with a top-level await; the names of loaded modules and
of Midflight itself are there.

\\{midflight-shell-mode-map}"
  (setq-local comint-input-ring (midflight-shell-history-ring))
  (setq-local comint-input-ring-size midflight-shell-history-size)
  (setq-local comint-input-ring-file-name nil)
  (setq-local comint-prompt-regexp "^\\(?:[[:alnum:]_.]+ \\)?[0-9]+> ")
  (setq-local comint-output-filter-functions nil)
  (setq-local comint-dynamic-complete-functions nil)
  (setq-local comment-start "# ")
  (setq-local indent-tabs-mode nil)
  (setq-local tab-width 4)
  ;; Scroll with the output line by line, not by half a window.
  (setq-local scroll-conservatively 101)
  (setq mode-line-process '(:eval (midflight-shell--lighter)))
  (midflight-shell-transcript-setup)
  (midflight-shell-input-setup)
  (midflight-complete-enable)
  (midflight-eldoc-enable)
  (midflight-xref-enable)
  (add-hook 'midflight-connection-opened-functions #'midflight-shell-session-reopen)
  (add-hook 'midflight-connection-closed-functions #'midflight-shell-session-closed)
  (add-hook 'kill-emacs-hook #'midflight-shell-session-save-all)
  (add-hook 'kill-buffer-hook #'midflight-shell-session-leave nil t))

(defun midflight-shell--lighter ()
  "Return the mode-line text for the state of this shell."
  (pcase midflight-shell-session-state
    ('off ":no server")
    ('ready "")
    (state (format ":%s" state))))

;;;; Find and open

(defun midflight-shell-ensure ()
  "Return the shell buffer of this buffer's project; make it if there is none.
Open its session if the server is attached and it has none."
  (let* ((connection (midflight-connection-of-buffer))
         (root (midflight-connection-root connection))
         (shell (or (midflight-shell-of root)
                    (midflight-shell-make connection))))
    (when (midflight-connection-open-p connection)
      (midflight-shell-session-open shell))
    shell))

(defun midflight-shell-make (connection)
  "Return a new shell buffer for CONNECTION."
  (let ((root (midflight-connection-root connection)))
    (with-current-buffer (generate-new-buffer
                          (format "*midflight-shell %s*"
                                  (midflight-connection-project connection)))
      (setq default-directory (file-name-as-directory root))
      (midflight-shell-mode)
      (setq midflight-connection-buffer-root root)
      (current-buffer))))

;;;; Pushes

(defun midflight-shell--output (connection session text &optional writers)
  "Show TEXT, printed for SESSION of the server of CONNECTION.
WRITERS names the process of each part: (LENGTH PID), PID nil for the shell."
  (let ((shell (midflight-shell-of (midflight-connection-root connection) session)))
    (when shell
      (with-current-buffer shell
        (midflight-shell-transcript-print (midflight-shell-output-tagged text writers))))))

(setf (alist-get 'shell/output midflight-connection-handlers) #'midflight-shell--output)

;;;; Commands

;;;###autoload
(defun midflight-shell (&optional choose)
  "Show the shell of this buffer's project; start or attach a server if needed.
If this Emacs has no shell yet, take up one whose editor is gone, if any
waits on the server.  With prefix argument CHOOSE, ask for a new shell or a
waiting one.  In the shell, \\<midflight-shell-mode-map>\\[midflight-shell-back] goes back."
  (interactive "P")
  (let ((source (current-buffer)))
    (if choose
        (midflight-server-ensure
         (lambda ()
           (midflight-shell-session-choose
            (lambda (shell) (midflight-shell--show shell source)))))
      (midflight-server-ensure #'midflight-shell-ensure)
      (midflight-shell--show (midflight-shell-ensure) source))))

(defun midflight-shell--show (shell source)
  "Show SHELL; SOURCE is the buffer to go back to from there."
  (unless (eq shell source)
    (with-current-buffer shell
      (setq midflight-shell--source source)))
  (pop-to-buffer shell))

(defun midflight-shell-back (&optional choose)
  "Go back to the buffer from which this shell was shown.
With prefix argument CHOOSE ask for another shell, as `midflight-shell' does."
  (interactive "P")
  (cond (choose (midflight-shell t))
        ((buffer-live-p midflight-shell--source) (pop-to-buffer midflight-shell--source))
        (t (midflight-user-error "The buffer from which this shell was shown is gone"))))

(defun midflight-interrupt ()
  "Break off all loading by this Emacs, or the evaluation in the shell.
Act on the server of this buffer's project.  If a load of this Emacs is
under way, break off its loads; otherwise interrupt the evaluation.  A load
that is broken off changes nothing.  The server and its runtime processes
go on.  Inputs that were typed ahead stay in the shell, to be edited.
If a process waits for a line, break off its wait."
  (interactive)
  (let ((shell (midflight-shell-of (midflight-connection-root-of-buffer))))
    (if (and shell (buffer-local-value 'midflight-shell-session-question shell))
        (with-current-buffer shell
          (midflight-shell-question-interrupt))
      (midflight-connection-call
       'code/interrupt '(t)
       (lambda (loads)
         (unless loads
           (midflight-shell--interrupt)))))))

(defun midflight-shell--interrupt ()
  "Interrupt the evaluation in the shell of this buffer's project."
  (let ((shell (midflight-shell-of (midflight-connection-root-of-buffer))))
    (with-current-buffer (or shell (current-buffer))
      (if (and shell (eq midflight-shell-session-state 'busy))
          (progn
            (midflight-shell-transcript-hold-input)
            (midflight-connection-call 'interrupt (list midflight-shell-session-number)
                                       #'ignore))
        (message "Midflight: no load of this Emacs and no evaluation runs; nothing was broken off")))))

;; The command has two keys in a shell; show the one that other shells have.
(put 'midflight-interrupt :advertised-binding (kbd "C-c C-c"))

(provide 'midflight-shell)
;;; midflight-shell.el ends here
