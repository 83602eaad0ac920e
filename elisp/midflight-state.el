;;; midflight-state.el --- Edit the state of a server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Editing the state of a live GenServer:
;;
;; 1. `midflight-edit-state' asks the server for the state of a GenServer as
;;    Python: a line "NAME = EXPRESSION" for each attribute.  An object that no
;;    expression can make, for instance a lock, has a placeholder.
;; 2. The user edits the text.  C-c C-c sends it with the original text: the
;;    server changes the attributes that differ, between two messages of the
;;    GenServer, all of them or none.  C-c C-k drops the edit.
;; 3. If the server refuses the edit, nothing has changed, the echo area says
;;    why, and point is on the line with the error.
;;
;; If an upgrade fails because of the state of a server, its report has a button
;; for this; then g in the report tries the upgrade again.

;;; Code:

(require 'cl-lib)
(require 'python)
(require 'midflight-connection)
(require 'midflight-process)
(require 'midflight-server)

(defvar-local midflight-state--pid nil "The pid of the server edited here.")
(defvar-local midflight-state--who nil "The name of that server, to display.")
(defvar-local midflight-state--base nil "The original text of the state that is edited here.")

(defconst midflight-state--seconds 20
  "The most seconds that an answer may take; the server gives up before that.")

(defconst midflight-state--head
  "# A value is an expression, which knows all attributes by their names.  What you
# leave as it is stays as the server has it by then; del NAME removes one.

"
  "The comment above the attributes.")

(defvar midflight-state-edit-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-c") #'midflight-state-put)
    (define-key map (kbd "C-c C-k") #'midflight-state-drop)
    (define-key map (kbd "C-c C-r") #'midflight-state-refresh)
    map)
  "Keymap for the text of a state.")

(easy-menu-define midflight-state-menu midflight-state-edit-mode-map
  "Menu of `midflight-state-edit-mode'."
  '("State"
    ["Put it into the server" midflight-state-put]
    ["Put it in, though it has changed there" (midflight-state-put t) :keys "C-u C-c C-c"]
    ["Show the state as it is now" midflight-state-refresh]
    ["Drop it" midflight-state-drop]))

(define-minor-mode midflight-state-edit-mode
  "Minor mode for the state of a live server, as Python to edit.
\\<midflight-state-edit-mode-map>\\[midflight-state-put] puts it into the server, between two messages, and
\\[midflight-state-drop] drops it.

\\{midflight-state-edit-mode-map}"
  :lighter " State"
  :keymap midflight-state-edit-mode-map)

;;;; Show

;;;###autoload
(defun midflight-edit-state (pid)
  "Edit the state of the server PID, a live GenServer, in a buffer.
PID is a pid as it is shown, or a registered name."
  (interactive (list (midflight-process-read "Edit the state of")))
  (midflight-server-ensure
   (lambda ()
     (midflight-connection-call
      'process/state (list pid) #'midflight-state--show nil midflight-state--seconds))))

(defun midflight-state--buffer (root pid)
  "Return the buffer with the state of PID of the project at ROOT, or nil."
  (cl-find-if (lambda (buffer)
                (and (equal (buffer-local-value 'midflight-state--pid buffer) pid)
                     (equal (buffer-local-value 'midflight-connection-buffer-root buffer) root)))
              (buffer-list)))

(defun midflight-state--show (state)
  "Show STATE, a plist of the server, to be edited.
Do not overwrite an edit that the user has begun."
  (let* ((connection (midflight-connection-of-buffer))
         (root (midflight-connection-root connection))
         (old (midflight-state--buffer root (plist-get state :pid))))
    (pop-to-buffer (or old
                       (generate-new-buffer
                        (format "*midflight-state %s for %s*" (plist-get state :pid)
                                (midflight-connection-project connection)))))
    (if (and old (buffer-modified-p old))
        (message "Midflight: this buffer already edits its state; %s"
                 (substitute-command-keys
                  "\\<midflight-state-edit-mode-map>\\[midflight-state-refresh] shows it as it is now"))
      (midflight-state--fill state root))))

(defun midflight-state--fill (state root)
  "Fill this buffer with STATE, a plist, of a server of the project at ROOT."
  (unless midflight-state-edit-mode
    ;; `python-mode' would guess the indentation, and its hooks start programs
    ;; that are meant for files.
    (let ((python-indent-guess-indent-offset nil))
      (delay-mode-hooks (python-mode)))
    (font-lock-mode 1)
    (midflight-state-edit-mode 1))
  (erase-buffer)
  (insert midflight-state--head (plist-get state :text))
  (goto-char (+ (point-min) (length midflight-state--head)))
  (setq midflight-connection-buffer-root root
        default-directory (file-name-as-directory root)
        midflight-state--pid (plist-get state :pid)
        midflight-state--who (concat (plist-get state :pid)
                                     (if (plist-get state :name)
                                         (format " (%s)" (plist-get state :name)) ""))
        midflight-state--base (buffer-string)
        header-line-format
        (substitute-command-keys
         (format " State of %s, an object of %s.%s: \\<midflight-state-edit-mode-map>\\[midflight-state-put] puts it in, \\[midflight-state-drop] drops it"
                 midflight-state--who (plist-get state :module) (plist-get state :class))))
  (setq-local revert-buffer-function #'midflight-state-refresh)
  (setq buffer-undo-list nil)
  (set-buffer-modified-p nil))

(defun midflight-state-refresh (&rest _)
  "Show the current state, and drop the edit in this buffer."
  (interactive)
  (when (or (not (buffer-modified-p))
            (yes-or-no-p "Drop the edits of this buffer? "))
    (midflight-connection-call
     'process/state (list midflight-state--pid)
     (lambda (state)
       (midflight-state--fill state midflight-connection-buffer-root)
       (message "Midflight: this is now the state of %s" midflight-state--who))
     nil midflight-state--seconds)))

;;;; Put

(defun midflight-state-put (&optional force)
  "Put the edited attributes into the server, between two messages.
All of them are put in, or none.  The other attributes stay as the server
has them.  If the server has changed an edited attribute meanwhile,
overwrite it only with prefix argument FORCE."
  (interactive "P")
  (midflight-connection-call
   'process/replace-state
   (list midflight-state--pid
         (buffer-substring-no-properties (point-min) (point-max))
         (append (list :base (substring-no-properties midflight-state--base))
                 (and force '(:force t))))
   #'midflight-state--was-put
   #'midflight-state--was-refused
   midflight-state--seconds))

(defun midflight-state--was-put (answer)
  "Show the names of the attributes in ANSWER, and leave this buffer."
  (let ((changed (plist-get answer :changed))
        (removed (plist-get answer :removed))
        (pid midflight-state--pid)
        (who midflight-state--who)
        (root midflight-connection-buffer-root))
    (midflight-state--leave)
    (if (not (or changed removed))
        (message "Midflight: nothing was edited; %s is unchanged" who)
      (message "Midflight: the state of %s was changed: %s" who
               (mapconcat #'identity
                          (append changed (mapcar (lambda (name) (concat "no " name)) removed))
                          ", "))
      (midflight-state--refresh-views root pid))))

(defun midflight-state--refresh-views (root pid)
  "Show the new state in the view of the process PID of the project at ROOT."
  (let ((view (midflight-process-buffer-of root 'midflight-process-view-mode pid)))
    (when view
      (with-current-buffer view
        (revert-buffer)))))

(defun midflight-state--was-refused (text)
  "Show TEXT, the reason of a refusal, and go to the line that it names."
  (when (string-match "\\bline \\([0-9]+\\)" text)
    (let ((line (string-to-number (match-string 1 text))))
      (goto-char (point-min))
      (forward-line (1- line))
      (dolist (window (get-buffer-window-list nil nil t))
        (set-window-point window (point)))))
  (midflight-connection-show-error
   (if (string-suffix-p "or force it." text)
       (concat text (substitute-command-keys
                     "  (\\<midflight-state-edit-mode-map>\\[midflight-state-refresh], or C-u \\[midflight-state-put])"))
     text)))

(defun midflight-state-drop ()
  "Drop the edit in this buffer, and change nothing in the server."
  (interactive)
  (let ((who midflight-state--who))
    (midflight-state--leave)
    (message "Midflight: dropped the edits; %s is unchanged" who)))

(defun midflight-state--leave ()
  "Kill this buffer and quit its window."
  (let ((buffer (current-buffer))
        (window (get-buffer-window nil t)))
    (set-buffer-modified-p nil)
    (if window
        (quit-window t window)
      (kill-buffer buffer))))

(provide 'midflight-state)
;;; midflight-state.el ends here
