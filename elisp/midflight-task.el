;;; midflight-task.el --- The asyncio tasks of the program  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The asyncio tasks of all event loops, next to the runtime processes:
;;
;; 1. `midflight-tasks' lists them, with the version of the code that each runs,
;;    its line, and what it waits for.  The mode line shows how late the event
;;    loops are.
;; 2. RET shows one: its frames with their locals, and the tasks that it waits
;;    for or that wait for it.
;; 3. k cancels one.

;;; Code:

(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-details)
(require 'midflight-process)

(midflight-define-keys midflight-tasks-mode "Tasks"
  ("RET" midflight-task-show "Show it")
  ("." midflight-task-source "Its line, in the version that it runs")
  ("P" midflight-processes "Runtime processes")
  "---"
  ("k" midflight-task-cancel "Cancel..."))

(declare-function midflight-processes "midflight-process-list" (&optional module))

(define-derived-mode midflight-tasks-mode tabulated-list-mode "Midflight-Tasks"
  "Major mode for the list of asyncio tasks.
asyncio does not keep when a task began: the column Seen has the time since
the server first listed it.

\\{midflight-tasks-mode-map}"
  (setq tabulated-list-format [("Task" 6 midflight-task--older-p) ("Name" 16 t) ("Runs" 16 t) ("At" 24 t)
                               ("Seen" 7 midflight-task--older-p :right-align t)
                               ("Waits for" 30 t) ("Thread" 0 t)]
        tabulated-list-padding 1
        tabulated-list-sort-key nil
        midflight-process-changed-function #'midflight-task--refresh)
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-task--refresh))

;;;###autoload
(defun midflight-tasks ()
  "List the asyncio tasks of this buffer's project, next to its processes."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (let ((buffer (midflight-process-buffer "tasks" 'midflight-tasks-mode)))
       (with-current-buffer buffer
         (midflight-task--refresh))
       (pop-to-buffer buffer)))))

(defun midflight-task--refresh (&rest _)
  "Ask for the tasks again."
  (midflight-connection-call
   'task/list nil
   (lambda (answer)
     (setq tabulated-list-entries (mapcar #'midflight-task--entry (plist-get answer :tasks))
           mode-line-process (concat " " (midflight-task--lag (plist-get answer :loops))))
     (tabulated-list-print t)
     (force-mode-line-update)
     (cond ((< 0 (plist-get answer :left))
            (message "Midflight: and %d more tasks, which are not listed" (plist-get answer :left)))
           ((null tabulated-list-entries)
            (message "Midflight: no asyncio task runs"))))))

(defun midflight-task--entry (task)
  "Return the entry of TASK, a plist."
  (list task
        (vector (plist-get task :id)
                (plist-get task :name)
                (midflight-task--module task)
                (format "%s:%d" (plist-get task :function) (plist-get task :line))
                (midflight-task--age (plist-get task :seen-seconds))
                (plist-get task :waiting)
                (plist-get task :thread))))

(defun midflight-task--module (task)
  "Return the module of TASK, a plist, with its version."
  (concat (plist-get task :module)
          (if (plist-get task :version) (format " v%d" (plist-get task :version)) "")))

(defun midflight-task--age (seconds)
  "Return SECONDS as a short text."
  (cond ((< seconds 100) (format "%.0f s" seconds))
        ((< seconds 6000) (format "%.0f min" (/ seconds 60)))
        (t (format "%.0f h" (/ seconds 3600)))))

(defun midflight-task--lag (loops)
  "Return the text for the lag of the latest of LOOPS, plists."
  (let ((lags (mapcar (lambda (each) (plist-get each :lag-ms)) loops)))
    (cond ((null lags) "no event loop")
          ((memq nil lags) "loop lag over 500 ms")
          (t (format "loop lag %.1f ms" (apply #'max lags))))))

(defun midflight-task--older-p (a b)
  "Return non-nil if the entry A was listed before the entry B."
  (< (midflight-task--number (car a)) (midflight-task--number (car b))))

(defun midflight-task--number (task)
  "Return the number of TASK, a plist."
  (string-to-number (substring (plist-get task :id) 1)))

;;;; One task

(defvar-local midflight-task--shown nil "The task that this buffer shows, a plist.")

(midflight-define-keys midflight-task-mode "Task"
  ("RET" midflight-details-push "Follow the link")
  ("TAB" forward-button nil)
  ("<backtab>" backward-button nil)
  ("n" next-error-no-select "Next frame")
  ("p" previous-error-no-select "Previous frame")
  ("." midflight-task-source "Its line, in the version that it runs")
  "---"
  ("k" midflight-task-cancel "Cancel..."))

(define-derived-mode midflight-task-mode special-mode "Midflight-Task"
  "Major mode for the view of one asyncio task.

\\{midflight-task-mode-map}"
  (setq midflight-process-changed-function #'midflight-task--look-again)
  (setq-local next-error-function #'midflight-details-next-error)
  (setq-local revert-buffer-function #'midflight-task--look-again))

(define-button-type 'midflight-task
  'action (lambda (button) (midflight-task-view (button-get button 'midflight-task)))
  'help-echo "RET: show this task")

(defun midflight-task-show ()
  "Show the task of this line: its frames, and the tasks that it waits for."
  (interactive)
  (midflight-task-view (plist-get (midflight-task--here) :id)))

(defun midflight-task-view (id)
  "Show the asyncio task ID, for instance \"t7\"."
  (interactive (list (read-string "Show task (t7): ")))
  (midflight-connection-call
   'task/view (list id)
   (lambda (task)
     (let ((buffer (midflight-process-buffer (concat "task " id) 'midflight-task-mode id)))
       (with-current-buffer buffer
         (midflight-task--draw task))
       (pop-to-buffer buffer)
       (goto-char (point-min))))))

(defun midflight-task--look-again (&rest _)
  "Ask for the task of this buffer again."
  (midflight-connection-call
   'task/view (list (plist-get midflight-task--shown :id))
   #'midflight-task--draw
   (lambda (text)
     (let ((inhibit-read-only t))
       (goto-char (point-min))
       (unless (looking-at-p "Ended")
         (insert (propertize "Ended; what follows is the last that was seen of it.\n\n" 'face 'error)))
       (midflight-connection-show-error text)))))

(defun midflight-task--draw (task)
  "Write TASK, a plist, into this buffer."
  (let ((inhibit-read-only t))
    (erase-buffer)
    (remove-overlays)
    (midflight-details-forget-frame)
    (setq next-error-last-buffer (current-buffer)
          midflight-task--shown task)
    (midflight-details-heading (format "Task %s, %s" (plist-get task :id) (plist-get task :name)))
    (midflight-details-field "Waits for" (plist-get task :waiting))
    (midflight-details-field "Runs" (format "%s, %s:%d" (midflight-task--module task)
                                            (plist-get task :function) (plist-get task :line)))
    (midflight-details-field "Seen for" (midflight-task--age (plist-get task :seen-seconds)))
    (midflight-details-field "Thread" (plist-get task :thread))
    (when (plist-get task :awaits)
      (midflight-details-field "Awaits" (lambda () (midflight-task--link (plist-get task :awaits)))))
    (when (plist-get task :awaited-by)
      (midflight-details-field
       "Awaited by"
       (lambda ()
         (dolist (other (plist-get task :awaited-by))
           (midflight-task--link other)
           (insert "  ")))))
    (midflight-details-heading "Stack, the innermost frame last")
    (midflight-details-frames (plist-get task :frames))
    (set-buffer-modified-p nil)
    (goto-char (point-min))))

(defun midflight-task--link (task)
  "Insert a button for TASK, a plist."
  (insert-text-button (plist-get task :id) 'type 'midflight-task 'midflight-task (plist-get task :id))
  (insert (format " (%s)" (plist-get task :name))))

;;;; Commands on a task

(defun midflight-task--here ()
  "Return the plist of the task of this buffer or line."
  (or midflight-task--shown
      (tabulated-list-get-id)
      (midflight-user-error "This line has no task; nothing was done")))

(defun midflight-task-source ()
  "Go to the line of the task here, in the version of its code."
  (interactive)
  (midflight-connection-call
   'task/view (list (plist-get (midflight-task--here) :id))
   (lambda (task)
     (let ((frame (car (last (seq-filter
                              (lambda (frame) (and (equal (plist-get frame :module) (plist-get task :module))
                                                   (equal (plist-get frame :line) (plist-get task :line))))
                              (plist-get task :frames))))))
       (if frame
           (midflight-details-show-place frame)
         (message "Midflight: no line is known of %s" (plist-get task :name)))))))

(defun midflight-task-cancel ()
  "Cancel the asyncio task here, after a question."
  (interactive)
  (let ((task (midflight-task--here)))
    (if (not (yes-or-no-p (format "Cancel task %s, %s? " (plist-get task :id) (plist-get task :name))))
        (message "Midflight: nothing was cancelled")
      (midflight-connection-call
       'task/cancel (list (plist-get task :id))
       (lambda (_)
         (message "Midflight: task %s was told to end" (plist-get task :name))
         (funcall midflight-process-changed-function))))))

(provide 'midflight-task)
;;; midflight-task.el ends here
