;;; midflight-debug.el --- The debugger of runtime processes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, tools
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A runtime process that calls `breakpoint' asks its shell for commands.  The
;; life of a stop:
;;
;; 1. The question for a command says where the process is.  That line is
;;    displayed, with an arrow, in the text of the version that runs: in the
;;    buffer of the file if that has the same text, else in a read-only buffer.
;; 2. The keys of GUD, there and in the shell, answer the question with a
;;    command.  Commands can also be typed at the prompt in the shell.
;; 3. With the answer the arrow goes, until the process stops again.

;;; Code:

(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-shell-session)
(require 'midflight-shell-question)

(defvar midflight-debug-arrow nil
  "Marker of the line at which a runtime process has stopped, or nil.
It is shown as `overlay-arrow-position' is.")

(defvar midflight-debug-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-x C-a C-n") #'midflight-debug-next)
    (define-key map (kbd "C-x C-a C-s") #'midflight-debug-step)
    (define-key map (kbd "C-x C-a C-r") #'midflight-debug-continue)
    (define-key map (kbd "C-x C-a C-f") #'midflight-debug-finish)
    (define-key map (kbd "C-x C-a <") #'midflight-debug-up)
    (define-key map (kbd "C-x C-a >") #'midflight-debug-down)
    (define-key map (kbd "C-x C-a C-p") #'midflight-debug-print)
    (define-key map (kbd "C-x C-a C-v") #'midflight-debug-locals)
    (define-key map (kbd "C-x C-a C-q") #'midflight-debug-quit)
    map)
  "Keymap of `midflight-debug-mode', with the keys of GUD.")

(define-minor-mode midflight-debug-mode
  "Minor mode of buffers that display where a runtime process has stopped.
Turned on and off by the debugger, also in the shell.

\\{midflight-debug-mode-map}"
  :lighter " Stopped"
  :keymap midflight-debug-mode-map)

(defvar midflight-debug--buffers nil
  "The buffers in which `midflight-debug-mode' is on.")

;;;; Show the place

(defun midflight-debug--asked (question)
  "Show the place of QUESTION, if it is one of a debugger; nil means it is over.
This is called in the shell that is asked."
  (midflight-debug--clear)
  (let ((place (plist-get question :about)))
    (when (plist-get place :debugger)
      (let ((shell (current-buffer))
            (source (midflight-debug--source place)))
        (midflight-debug--turn-on shell)
        (when source
          (with-current-buffer source
            (setq midflight-connection-buffer-root
                  (buffer-local-value 'midflight-connection-buffer-root shell))
            (midflight-debug--turn-on source)
            (save-restriction
              (widen)
              (goto-char (point-min))
              (forward-line (1- (plist-get place :line)))
              (setq midflight-debug-arrow (copy-marker (line-beginning-position)))))
          (add-to-list 'overlay-arrow-variable-list 'midflight-debug-arrow)
          (midflight-debug--display source))))))

(defun midflight-debug--display (source)
  "Display SOURCE with the line of the arrow, in another window."
  (let ((window (display-buffer source '(nil (inhibit-same-window . t)))))
    (when window
      (with-current-buffer source
        (unless (<= (point-min) midflight-debug-arrow (point-max))
          (widen)))
      (set-window-point window midflight-debug-arrow)
      (with-selected-window window
        (unless (pos-visible-in-window-p)
          (recenter))))))

(defun midflight-debug--source (place)
  "Return a buffer with the text of the version at PLACE, or nil."
  (let ((file (plist-get place :file))
        (text-file (plist-get place :text-file)))
    (when (and text-file (file-readable-p text-file))
      (let ((text (with-temp-buffer
                    (insert-file-contents text-file)
                    (buffer-string)))
            (buffer (and file (file-readable-p file) (find-file-noselect file t))))
        (if (and buffer (with-current-buffer buffer
                          (save-restriction
                            (widen)
                            (equal text (buffer-substring-no-properties (point-min) (point-max))))))
            buffer
          (midflight-debug--version-buffer place text))))))

(defun midflight-debug--version-buffer (place text)
  "Return a read-only buffer with TEXT, of the version at PLACE."
  (with-current-buffer (get-buffer-create
                        (format "*midflight %s@%s*" (plist-get place :module) (plist-get place :version)))
    (unless (equal text (buffer-string))
      (let ((inhibit-read-only t))
        (erase-buffer)
        (insert text)))
    (unless (derived-mode-p 'python-mode)
      (let ((python-indent-guess-indent-offset nil))
        (delay-mode-hooks (python-mode))))
    (set-buffer-modified-p nil)
    (setq buffer-read-only t)
    (current-buffer)))

(defun midflight-debug--turn-on (buffer)
  "Turn on the keys of the debugger in BUFFER."
  (with-current-buffer buffer
    (midflight-debug-mode 1))
  (push buffer midflight-debug--buffers))

(defun midflight-debug--clear ()
  "Remove the arrow and the keys."
  (when midflight-debug-arrow
    (set-marker midflight-debug-arrow nil)
    (setq midflight-debug-arrow nil))
  (dolist (buffer midflight-debug--buffers)
    (when (buffer-live-p buffer)
      (with-current-buffer buffer
        (midflight-debug-mode -1))))
  (setq midflight-debug--buffers nil))

(add-hook 'midflight-shell-question-functions #'midflight-debug--asked)

;;;; Commands

(defun midflight-debug--command (text)
  "Give the debugger of this buffer's project the command TEXT."
  (let ((shell (midflight-shell-of (midflight-connection-root-of-buffer))))
    (unless (and shell
                 (plist-get (plist-get (buffer-local-value 'midflight-shell-session-question shell) :about)
                            :debugger))
      (midflight-user-error "No runtime process has stopped; nothing was done; a process stops at breakpoint()"))
    (with-current-buffer shell
      (midflight-shell-question-give text))))

(defun midflight-debug-next ()
  "Run until the next line of this function, without a step into others."
  (interactive)
  (midflight-debug--command "next"))

(defun midflight-debug-step ()
  "Run until the next line, also of another function."
  (interactive)
  (midflight-debug--command "step"))

(defun midflight-debug-continue ()
  "Let the runtime process go on."
  (interactive)
  (midflight-debug--command "continue"))

(defun midflight-debug-finish ()
  "Run until the end of this function."
  (interactive)
  (midflight-debug--command "return"))

(defun midflight-debug-up ()
  "Go to the frame of the caller."
  (interactive)
  (midflight-debug--command "up"))

(defun midflight-debug-down ()
  "Go to the frame of the function that is called."
  (interactive)
  (midflight-debug--command "down"))

(defun midflight-debug-quit ()
  "End the runtime process that has stopped."
  (interactive)
  (midflight-debug--command "quit"))

(defun midflight-debug-print (expression)
  "Show the value of EXPRESSION in the frame, in the shell.
Interactively, that is the region, or the name at point, to be edited."
  (interactive
   (list (read-string "Expression: "
                      (if (use-region-p)
                          (buffer-substring-no-properties (region-beginning) (region-end))
                        (thing-at-point 'symbol t)))))
  (midflight-debug--command (concat "p " expression)))

(defun midflight-debug-locals ()
  "Show the local variables of the frame in the shell."
  (interactive)
  (midflight-debug--command "pp locals()"))

;;;; A process that has stopped, in any front end

;;;###autoload
(defun midflight-stopped ()
  "Show which runtime process all others wait for, and offer to let it go on.
It is at a breakpoint or waits for a line, in this Emacs or in any other front
end of the server.  The choices are to let it go on and to kill it."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (midflight-connection-call
      'process/holder nil
      (lambda (holder)
        (if (not holder)
            (message "Midflight: no runtime process holds up the others")
          ;; Not from within the answer, which would wait for the user.
          (run-at-time 0 nil (midflight-connection-in-buffer
                              (current-buffer)
                              (lambda () (midflight-debug--offer holder))))))))))

(defun midflight-debug--offer (holder)
  "Ask what to do about HOLDER, the plist of a process that the others wait for."
  (let ((pid (plist-get holder :pid)))
    (pcase (read-char-choice
            (format "%s\nc: let it go on%s, q: nothing " (plist-get holder :text)
                    (if pid ", k: kill it" ""))
            (if pid '(?c ?k ?q) '(?c ?q)))
      (?c (midflight-connection-call
           'process/continue (list pid)
           (lambda (went-on)
             (message (if went-on "Midflight: it goes on" "Midflight: it had gone on already")))))
      (?k (midflight-connection-call
           'process/exit (list pid "kill")
           (lambda (_) (message "Midflight: %s was killed" pid)))))))

(provide 'midflight-debug)
;;; midflight-debug.el ends here
