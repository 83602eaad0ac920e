;;; midflight-waiting-act-tests.el --- Acting on who waits at a line  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Each command from a source buffer, with a real server: for one process at
;; the line, for one of several, for all of them, and where nobody waits.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-waiting-act-tests-source
  "from midflight import receive

async def deaf(label):
    await receive('never')

async def idle(label):
    match await receive():
        case message:
            return idle(message)
"
  "A module with two lines to wait at: 4 and 7.")

(defmacro midflight-waiting-act-tests-with (shell &rest body)
  "Run BODY in a buffer that shows who waits where; its module is loaded.
SHELL is the project's shell."
  (declare (indent 1) (debug (symbolp body)))
  `(midflight-test-in-project project
     (let* ((source (midflight-test-visit project "post.py" midflight-waiting-act-tests-source))
            (midflight-waiting-seconds 0.1)
            (,shell (progn (midflight-test-load source) (midflight-test-shell project))))
       (save-window-excursion
         (switch-to-buffer source)
         (midflight-test-press "C-c C-x w")
         ,@body))))

(defun midflight-waiting-act-tests-line (line text)
  "Go to LINE, once TEXT is shown behind it."
  (midflight-test-wait
   (format "%S behind line %d" text line)
   (lambda ()
     (goto-char (point-min))
     (forward-line (1- line))
     (cl-find-if (lambda (overlay)
                   (and (overlay-get overlay 'midflight-waiting)
                        (string-suffix-p text (overlay-get overlay 'after-string))))
                 (overlays-in (point) (line-end-position))))))

(defun midflight-waiting-act-tests-spawn (shell text)
  "Evaluate TEXT in SHELL and return the pids that it shows."
  (let ((said (midflight-test-type shell text))
        (start 0)
        pids)
    (while (string-match "<0\\.[0-9]+\\.0>" said start)
      (push (match-string 0 said) pids)
      (setq start (match-end 0)))
    (nreverse pids)))

(defmacro midflight-waiting-act-tests-choosing (choice seen &rest body)
  "Run BODY with a person who chooses CHOICE among pids.
He waits for what is told of them; SEEN is set to a list of the prompt and
each candidate with its annotation."
  (declare (indent 2) (debug (form symbolp body)))
  `(let ((buffer (current-buffer)))
     (cl-letf (((symbol-function 'completing-read)
                (lambda (prompt table &rest _)
                  (midflight-test-wait
                   "the rows of those at the line"
                   (lambda () (buffer-local-value 'midflight-waiting-act--rows buffer)))
                  (let ((annotate (cdr (assq 'annotation-function
                                             (cdr (funcall table "" nil 'metadata))))))
                    (setq ,seen (cons prompt
                                      (mapcar (lambda (each)
                                                (concat each (funcall annotate each)))
                                              (all-completions "" table)))))
                  ,choice)))
       ,@body)))

(defun midflight-waiting-act-tests-view (pid regexp)
  "Wait for the view of PID with a text that matches REGEXP."
  (midflight-test-wait
   (format "the view of %s" pid)
   (lambda ()
     (cl-find-if (lambda (buffer)
                   (with-current-buffer buffer
                     (and (derived-mode-p 'midflight-process-view-mode)
                          (equal midflight-process-buffer-pid pid)
                          (save-excursion (goto-char (point-min))
                                          (re-search-forward regexp nil t)))))
                 (buffer-list)))))

(ert-deftest midflight-at-point-one-process-needs-no-question ()
  "Its view, mailbox and backtrace by the keys of the list; a message, the end."
  (skip-unless (midflight-test-command))
  (midflight-waiting-act-tests-with shell
    (let ((pid (car (midflight-waiting-act-tests-spawn shell "spawn(post.deaf, 1, name='one')")))
          (source (current-buffer)))
      (cl-letf (((symbol-function 'completing-read) (lambda (&rest _) (ert-fail "asked")))
                ((symbol-function 'yes-or-no-p) (lambda (_) t))
                ((symbol-function 'read-string)
                 (lambda (prompt &rest _)
                   (should (equal prompt (format "Message to %s, in Python: " pid)))
                   "('hello', 1)")))
        (midflight-waiting-act-tests-line 4 "1 process")
        (midflight-test-press "C-c C-x a s")
        (midflight-test-wait-message (concat "sent ('hello', 1) to " pid))
        (midflight-test-press "C-c C-x a m")
        ;; So that the view which comes next is that of the next key, and not this one.
        (kill-buffer
         (midflight-waiting-act-tests-view pid "Mailbox: 1 message.*\n +0  ('hello', 1)"))
        (switch-to-buffer source)
        (midflight-test-press "C-c C-x a RET")
        (midflight-waiting-act-tests-view pid "Process .*, one")
        (switch-to-buffer source)
        (midflight-test-press "C-c C-x a b")
        (midflight-test-wait "the backtrace"
                             (lambda () (with-current-buffer (window-buffer)
                                          (looking-at-p "Backtrace"))))
        (switch-to-buffer source)
        (midflight-waiting-act-tests-line 4 "1 process")
        (midflight-test-press "C-c C-x a k")
        (midflight-test-wait-message (concat "exit signal sent to " pid))
        (midflight-test-wait "the end of what is shown"
                             (lambda () (null midflight-waiting--overlays)))))))

(ert-deftest midflight-at-point-several-are-chosen-from ()
  "By pid; name, version and mailbox are told of each; not all can be viewed."
  (skip-unless (midflight-test-command))
  (midflight-waiting-act-tests-with shell
    (let ((pids (midflight-waiting-act-tests-spawn
                 shell "[spawn(post.deaf, 1, name='one'), spawn(post.deaf, 2)]"))
          (source (current-buffer))
          seen)
      (midflight-test-type shell "_ = [send('one', n) for n in range(3)]")
      (midflight-waiting-act-tests-line 4 "2 processes")
      (midflight-waiting-act-tests-choosing (cadr pids) seen
        (midflight-test-press "C-c C-x a m"))
      (should (equal (car seen) (format "Mailbox of which of the 2 here (default %s): " (car pids))))
      (should (= (length seen) 3))
      (should (string-match-p (concat (regexp-quote (car pids)) "  one +v1 +3 messages\\'")
                              (nth 1 seen)))
      (should (string-match-p (concat (regexp-quote (cadr pids)) " +v1 +no messages\\'")
                              (nth 2 seen)))
      (midflight-waiting-act-tests-view (cadr pids) "Mailbox: 0 messages")
      (switch-to-buffer source)
      (midflight-waiting-act-tests-line 4 "2 processes")
      (cl-letf (((symbol-function 'read-string) (lambda (&rest _) "4")))
        (midflight-waiting-act-tests-choosing "all of them" seen
          (midflight-test-press "C-c C-x a s")))
      (should (equal (nth 1 seen) "all of them"))
      (dolist (pid pids)
        (midflight-test-wait-message (concat "sent 4 to " pid))))))

(ert-deftest midflight-at-point-all-of-them-are-moved-and-killed ()
  "Those in the old version, at the line where the new text has them."
  (skip-unless (midflight-test-command))
  (midflight-waiting-act-tests-with shell
    (midflight-waiting-act-tests-spawn shell "_ = [spawn(post.idle, n) for n in range(25)]")
    (goto-char (point-min))
    (insert "# moved\n")
    (midflight-test-load (current-buffer))
    (midflight-waiting-act-tests-line 8 "25 processes (25 in v1)")
    (let (seen)
      (midflight-waiting-act-tests-choosing "all of them" seen
        (midflight-test-press "C-c C-x a u"))
      ;; More than the text behind the line names.
      (should (= (length seen) 27))
      (midflight-test-wait-message "25 moved to the current version")
      (midflight-waiting-act-tests-line 8 "25 processes")
      (cl-letf (((symbol-function 'yes-or-no-p)
                 (lambda (text) (should (equal text "Kill 25 runtime processes? ")) t)))
        (midflight-waiting-act-tests-choosing "all of them" seen
          (midflight-test-press "C-c C-x a k")))
      (midflight-test-wait "the end of all"
                           (lambda () (null midflight-waiting--overlays))))))

(defun midflight-waiting-act-tests-error (keys)
  "Press KEYS and return the text of the error that this gives."
  (error-message-string (should-error (midflight-test-press keys) :type 'user-error)))

(ert-deftest midflight-at-point-nobody-here-says-where-the-nearest-are ()
  "Or that nobody waits at all, or that it is not shown."
  (skip-unless (midflight-test-command))
  (midflight-waiting-act-tests-with shell
    (goto-char (point-min))
    (should (equal (midflight-waiting-act-tests-error "C-c C-x a m")
                   "Midflight: No process waits at line 1; nothing was done; no process waits in this buffer"))
    (midflight-waiting-act-tests-spawn shell "_ = [spawn(post.deaf, 1), spawn(post.idle, 1)]")
    (midflight-waiting-act-tests-line 4 "1 process")
    (midflight-waiting-act-tests-line 7 "1 process")
    (forward-line -1)
    (should (equal (midflight-waiting-act-tests-error "C-c C-x a k")
                   "Midflight: No process waits at line 6; nothing was done; the nearest wait at line 4 (1) and line 7 (1)"))
    (should-error (midflight-at-point) :type 'user-error)
    (goto-char (point-max))
    (should (string-suffix-p "the nearest wait at line 7 (1)"
                             (midflight-waiting-act-tests-error "C-c C-x a RET")))
    (midflight-test-press "C-c C-x w")
    (should (equal (midflight-waiting-act-tests-error "C-c C-x a s")
                   "Midflight: This buffer does not show the processes at its lines; nothing was done; C-c C-x w shows them"))))

(ert-deftest midflight-at-point-keys-are-those-of-the-list ()
  "So that nobody learns them twice; M-x midflight-at-point takes the next key."
  (skip-unless (midflight-test-command))
  (dolist (key '("RET" "m" "b" "s" "k" "u" "t"))
    (let ((here (lookup-key midflight-at-point-map (kbd key)))
          (list (lookup-key midflight-process-map (kbd key))))
      (should (equal (symbol-name list)
                     (replace-regexp-in-string "at-point" "process" (symbol-name here))))))
  (midflight-waiting-act-tests-with shell
    (let ((pid (car (midflight-waiting-act-tests-spawn shell "spawn(post.deaf, 1)")))
          next)
      (midflight-waiting-act-tests-line 4 "1 process")
      ;; A batch Emacs reads no next key, and would keep the map.
      (cl-letf (((symbol-function 'set-transient-map) (lambda (map) (setq next map))))
        (midflight-at-point))
      (should (midflight-test-message-p "processes at this line: RET shows, m mailbox"))
      (call-interactively (lookup-key next "m"))
      (midflight-waiting-act-tests-view pid "Mailbox: 0 messages"))))

(ert-deftest midflight-at-point-a-click-pops-up-the-menu ()
  "Of the line that was clicked on, not of the one that point is at."
  (skip-unless (midflight-test-command))
  (midflight-waiting-act-tests-with shell
    (let ((pid (car (midflight-waiting-act-tests-spawn shell "spawn(post.deaf, 1)")))
          popped)
      (midflight-waiting-act-tests-line 4 "1 process")
      (let* ((overlay (car midflight-waiting--overlays))
             (text (overlay-get overlay 'after-string))
             (place (list (selected-window) (overlay-end overlay) '(0 . 0) 0))
             (command (lookup-key (get-text-property 3 'keymap text) [mouse-3])))
        (goto-char (point-min))
        (should (string-match-p "mouse-3: act on these" (get-text-property 3 'help-echo text)))
        (cl-letf (((symbol-function 'popup-menu)
                   (lambda (menu &rest _) (setq popped menu))))
          (funcall command (list 'mouse-3 place place)))
        (should (eq popped midflight-at-point-menu))
        (should (= (line-number-at-pos) 4))
        (call-interactively (lookup-key popped [Mailbox\.\.\.]))
        (midflight-waiting-act-tests-view pid "Mailbox: 0 messages")))))

(provide 'midflight-waiting-act-tests)
;;; midflight-waiting-act-tests.el ends here
