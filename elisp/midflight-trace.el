;;; midflight-trace.el --- The live trace of runtime processes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The trace of a project, in a buffer that grows at its end.  For each event:
;;
;; 1. The server records the event of a chosen process as text, at most about
;;    two thousand each second.  It counts the events beyond that.
;; 2. It pushes the events of 50 ms together; if Emacs is slow to read them, the
;;    server waits, and counts the events that it must drop.
;; 3. Emacs inserts a line for each event at the end of the buffer, and deletes
;;    lines at its beginning if it has more than `midflight-trace-lines'.
;;
;; While no trace runs, tracing costs nothing.

;;; Code:

(require 'cl-lib)
(require 'easymenu)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-details)
(require 'midflight-look)
(require 'midflight-process)
(require 'midflight-server)
(require 'midflight-trace-line)

(defcustom midflight-trace-lines 10000
  "The most lines that a trace buffer keeps; the oldest are deleted."
  :type 'integer
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defcustom midflight-trace-calls 1000
  "The number of calls after which the trace of a function ends by itself."
  :type 'integer
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defconst midflight-trace-kinds
  '(("in" . "messages that come") ("out" . "messages that are sent")
    ("call" . "what it goes on as") ("spawn" . "processes that are spawned")
    ("link" . "links") ("exit" . "ends"))
  "The kinds of events, and their descriptions.")

(defvar-local midflight-trace--number nil "The server's number of this trace, or nil.")
(defvar-local midflight-trace--function nil "The function whose calls are traced, or nil.")
(defvar-local midflight-trace--followed nil "The processes that are followed, from the server.")
(defvar-local midflight-trace--what nil "Other targets that are followed, to display; a list.")
(defvar-local midflight-trace--kinds nil "The kinds of events that are shown, nil for all.")
(defvar-local midflight-trace--paused nil "Non-nil if the trace is paused.")
(defvar-local midflight-trace--dropped 0 "The number of events dropped so far.")
(defvar-local midflight-trace--shown nil "A regexp; the lines that do not match it are hidden.")

(defvar midflight-trace-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'midflight-trace-visit)
    (define-key map "f" #'midflight-trace-choose-kinds)
    (define-key map "/" #'midflight-trace-filter)
    (define-key map (kbd "SPC") #'midflight-trace-pause)
    (define-key map "s" #'midflight-trace-stop)
    (define-key map "a" #'midflight-trace-add)
    (define-key map "d" #'midflight-trace-remove)
    (define-key map "c" #'midflight-trace-clear)
    (define-key map "?" #'describe-mode)
    map)
  "Keymap of `midflight-trace-mode'.")

(easy-menu-define midflight-trace-menu midflight-trace-mode-map
  "Menu of `midflight-trace-mode'."
  '("Trace"
    ["Show the process or the call" midflight-trace-visit]
    ["Choose the kinds of events..." midflight-trace-choose-kinds]
    ["Show lines that match..." midflight-trace-filter]
    ["Pause" midflight-trace-pause :style toggle :selected midflight-trace--paused]
    ["Follow another process..." midflight-trace-add]
    ["Follow one no longer..." midflight-trace-remove]
    ["Clear" midflight-trace-clear]
    ["Stop" midflight-trace-stop]))

(define-derived-mode midflight-trace-mode special-mode "Midflight-Trace"
  "Major mode for the trace of runtime processes.

\\{midflight-trace-mode-map}"
  (setq truncate-lines t
        header-line-format '(:eval (midflight-trace--header)))
  (setq-local revert-buffer-function (lambda (&rest _) (midflight-trace-clear)))
  (buffer-disable-undo)
  (add-hook 'midflight-connection-closed-functions #'midflight-trace--closed)
  (add-hook 'kill-buffer-hook #'midflight-trace--killed nil t))

(defun midflight-trace--header ()
  "Return the header line: the followed processes, and the dropped events."
  (concat
   (cond ((not midflight-trace--number) " Stopped")
         (midflight-trace--paused " Paused")
         (t " Tracing"))
   " " (mapconcat #'identity
                  (append midflight-trace--what (seq-take midflight-trace--followed 5)) ", ")
   (if (nthcdr 5 midflight-trace--followed)
       (format " and %d more" (- (length midflight-trace--followed) 5)) "")
   (if midflight-trace--kinds
       (concat "; only " (mapconcat #'identity midflight-trace--kinds " ")) "")
   (if midflight-trace--shown (format "; lines with %s" midflight-trace--shown) "")
   (if (zerop midflight-trace--dropped) ""
     (propertize (format "; %d dropped" midflight-trace--dropped) 'face 'warning))))

;;;; Find the buffer

(defun midflight-trace--buffer ()
  "Return the trace buffer of this buffer's project; make it if there is none."
  (midflight-process-buffer "trace" 'midflight-trace-mode))

(defun midflight-trace--of (connection)
  "Return the trace buffer of CONNECTION, or nil."
  (midflight-process-buffer-of (midflight-connection-root connection) 'midflight-trace-mode))

;;;; Start, add, stop

;;;###autoload
(defun midflight-trace (what)
  "Trace runtime processes, live; stop a trace that is under way.
WHAT is a pid or a registered name; or module:NAME, for the processes that
run a module, now or later; or new, for those spawned from now on, or all;
or function:NAME, for the calls of a function, by whomever, with their values.
Interactively, the default is the module of this buffer.  With a prefix
argument, continue the trace that runs, and follow WHAT too."
  (interactive
   (list (and (or current-prefix-arg (not (midflight-trace--running-p)))
              (midflight-trace--read))))
  (if (not what)
      (with-current-buffer (midflight-trace--buffer)
        (midflight-trace-stop))
    (midflight-server-ensure (lambda () (midflight-trace--follow what)))))

(defun midflight-trace--running-p ()
  "Return non-nil during a trace of this buffer's project."
  (let ((buffer (midflight-trace--of (midflight-connection-of-buffer))))
    (and buffer (buffer-local-value 'midflight-trace--number buffer))))

(defun midflight-trace--read ()
  "Read the target of a trace in the minibuffer."
  (let* ((module (and buffer-file-name
                      (concat "module:" (file-name-base buffer-file-name))))
         (default (or (midflight-process-at-point) module "new"))
         (function (midflight-trace--function-at-point))
         (choices (delete-dups (delq nil (list default module function "new" "all")))))
    (completing-read
     (format "Trace (pid, name, module:NAME, function:NAME, new, all; default %s): " default)
     choices nil nil nil nil default)))

(defun midflight-trace--function-at-point ()
  "Return function:NAME for the definition at point, or nil if point is in none."
  (let ((name (and buffer-file-name (midflight-look-inside))))
    (and name (format "function:%s.%s" (file-name-base buffer-file-name) name))))

(defun midflight-trace--follow (what)
  "Follow WHAT, as in `midflight-trace', in the trace of this buffer's project."
  (let ((buffer (midflight-trace--buffer))
        (module (and (string-prefix-p "module:" what) (substring what 7)))
        (function (and (string-prefix-p "function:" what) (substring what 9))))
    (with-current-buffer buffer
      (cond
       ((and midflight-trace--number (or function midflight-trace--function))
        (midflight-user-error "A function is traced alone; stop the running trace, then trace %s" what))
       (function (midflight-trace--start-function function))
       ((and midflight-trace--number (member what '("new" "all")))
        (midflight-user-error "The running trace follows chosen processes; stop it first, then trace %s" what))
       (midflight-trace--number
        (midflight-trace--change (if module (list :modules (list module))
                                   (list :add (list what)))))
       (t
        (midflight-trace--start
         (cond (module (list :modules (list module)))
               ((equal what "new") (list :new t))
               ((equal what "all") (list :all t))
               (t (list :pids (list what)))))))
      (when (or module function (member what '("new" "all")))
        (cl-pushnew what midflight-trace--what :test #'equal)))
    (display-buffer buffer)))

(defun midflight-trace--start (options)
  "Begin a trace with OPTIONS, in this buffer."
  (midflight-trace--ask nil)
  (midflight-connection-call
   'trace/start (list (append options (list :kinds midflight-trace--kinds)))
   (lambda (answer)
     (setq midflight-trace--number (plist-get answer :trace)
           midflight-trace--followed (plist-get answer :followed))
     (force-mode-line-update))
   #'midflight-trace--refused))

(defun midflight-trace--start-function (name)
  "Begin a trace of the function NAME in this buffer."
  (midflight-trace--ask name)
  (midflight-connection-call
   'trace/calls (list name (list :returns t :most midflight-trace-calls))
   (lambda (answer)
     (setq midflight-trace--number answer)
     (force-mode-line-update))
   #'midflight-trace--refused))

(defun midflight-trace--ask (function)
  "Note that a trace was asked for in this buffer, one of FUNCTION unless nil."
  (setq midflight-trace--dropped 0
        midflight-trace--paused nil
        midflight-trace--function function
        midflight-trace--number 'asked))

(defun midflight-trace--refused (text)
  "Forget the trace of this buffer, which was refused; TEXT is the reason."
  (midflight-trace--forget)
  (midflight-connection-show-error text))

(defun midflight-trace--forget ()
  "Forget the trace of this buffer, which has ended."
  (setq midflight-trace--number nil
        midflight-trace--function nil
        midflight-trace--followed nil
        midflight-trace--what nil)
  (force-mode-line-update))

(defun midflight-trace--require ()
  "Return the number of the trace of this buffer; signal if there is none."
  (if (integerp midflight-trace--number)
      midflight-trace--number
    (midflight-user-error "No trace runs; nothing was done; M-x midflight-trace begins one")))

(defun midflight-trace--change (options)
  "Change the trace of this buffer by OPTIONS."
  (when midflight-trace--function
    (midflight-user-error "The trace of a function can only be stopped; nothing was changed"))
  (midflight-connection-call
   'trace/change (list (midflight-trace--require) options)
   (lambda (answer)
     (setq midflight-trace--followed (plist-get answer :followed)
           midflight-trace--paused (plist-get answer :paused))
     (force-mode-line-update))))

(defun midflight-trace-process (pids)
  "Trace the runtime processes PIDS; stop tracing those that are traced.
If no process is left, end the trace."
  (with-current-buffer (midflight-trace--buffer)
    (let* ((followed midflight-trace--followed)
           (gone (and midflight-trace--number
                      (cl-remove-if-not (lambda (pid) (member pid followed)) pids)))
           (new (cl-remove-if (lambda (pid) (member pid gone)) pids)))
      (cond ((and gone (not new) (not midflight-trace--what)
                  (= (length gone) (length followed)))
             (midflight-trace-stop))
            ((integerp midflight-trace--number)
             (midflight-trace--change (list :add new :remove gone))
             (message "Midflight: %s" (if new (format "tracing %s too" (car new))
                                        (format "%s is no longer traced" (car gone)))))
            (t (midflight-trace--start (list :pids pids))))
      (when new
        (display-buffer (current-buffer))))))

(defun midflight-trace-add (what)
  "Follow WHAT too: a pid, a name or module:NAME."
  (interactive (list (read-string "Also follow (pid, name or module:NAME): ")))
  (midflight-trace--follow what))

(defun midflight-trace-remove (pid)
  "Stop following PID, a process of the trace."
  (interactive (list (completing-read "No longer follow: " midflight-trace--followed nil t)))
  (midflight-trace--change (list :remove (list pid))))

(defun midflight-trace-stop ()
  "End the trace of this buffer; its lines stay."
  (interactive)
  (let ((number (midflight-trace--require))
        (method (if midflight-trace--function 'trace/stop-calls 'trace/stop)))
    (midflight-trace--forget)
    (midflight-connection-call method (list number)
                               (lambda (_) (message "Midflight: the trace has stopped")))))

(defun midflight-trace-pause ()
  "Pause the trace of this buffer, or continue it.
Events during a pause are not reported, and cost the server nothing."
  (interactive)
  (midflight-trace--change (list :paused (not midflight-trace--paused))))

(defun midflight-trace-choose-kinds (kinds)
  "Show only events of KINDS, a list, from now on; if it is empty, all events."
  (interactive
   (list (completing-read-multiple
          (format "Kinds, with commas between (%s; none: all): "
                  (mapconcat #'car midflight-trace-kinds " "))
          (mapcar #'car midflight-trace-kinds) nil t)))
  (setq midflight-trace--kinds (delete "" kinds))
  (when (integerp midflight-trace--number)
    (midflight-trace--change
     (list :kinds (or midflight-trace--kinds (mapcar #'car midflight-trace-kinds)))))
  (force-mode-line-update))

(defun midflight-trace--closed (connection reason)
  "Note in the trace of CONNECTION that it has ended for REASON."
  (let ((buffer (midflight-trace--of connection)))
    (when (and buffer (buffer-local-value 'midflight-trace--number buffer))
      (with-current-buffer buffer
        (midflight-trace--forget)
        (midflight-trace--insert (propertize (format "-- not connected: %s\n" reason)
                                             'face 'warning))))))

(defun midflight-trace--killed ()
  "End the trace of the buffer that is about to be killed."
  (when (and (integerp midflight-trace--number) (midflight-connection-open-p))
    (midflight-connection-call (if midflight-trace--function 'trace/stop-calls 'trace/stop)
                               (list midflight-trace--number) #'ignore #'ignore)))

;;;; Events

(defun midflight-trace--events (connection number events dropped)
  "Show EVENTS of trace NUMBER of CONNECTION; DROPPED more were too many."
  (let ((buffer (midflight-trace--of connection)))
    (when buffer
      (with-current-buffer buffer
        ;; The first may come before the answer that has its number.
        (when (memq midflight-trace--number (list number 'asked))
          (setq midflight-trace--dropped (+ midflight-trace--dropped (or dropped 0)))
          (midflight-trace--insert
           (concat (mapconcat (lambda (event)
                                (midflight-trace-line event midflight-trace--shown))
                              events "")
                   (if (member dropped '(nil 0)) ""
                     (propertize (format "-- %d events dropped\n" dropped) 'face 'warning))))
          (when (equal (plist-get (car (last events)) :kind) "ended")
            (midflight-trace--forget)))))))

(defun midflight-trace--insert (text)
  "Insert TEXT at the end; delete the beginning if there are too many lines.
Windows whose point is at the end stay there."
  (let* ((inhibit-read-only t)
         (inhibit-modification-hooks t)
         (at-end (= (point) (point-max)))
         (windows (cl-remove-if-not (lambda (window) (= (window-point window) (point-max)))
                                    (get-buffer-window-list nil nil t))))
    (save-excursion
      (goto-char (point-max))
      (insert text)
      ;; Not at each insertion: delete a tenth at a time.
      (let ((surplus (- (line-number-at-pos (point-max)) midflight-trace-lines)))
        (when (> surplus (/ midflight-trace-lines 10))
          (goto-char (point-min))
          (delete-region (point) (line-beginning-position (1+ surplus))))))
    (set-buffer-modified-p nil)
    (when at-end
      (goto-char (point-max)))
    (dolist (window windows)
      (set-window-point window (point-max)))
    (force-mode-line-update)))

(setf (alist-get 'trace/events midflight-connection-handlers) #'midflight-trace--events)

;;;; In the buffer

(defun midflight-trace-clear ()
  "Delete all lines of this buffer, and continue tracing."
  (interactive)
  (let ((inhibit-read-only t))
    (erase-buffer)
    (setq midflight-trace--dropped 0)))

(defun midflight-trace-filter (regexp)
  "Show only the lines that match REGEXP; if that is empty, all lines."
  (interactive (list (read-regexp "Show lines that match (empty: all)")))
  (setq midflight-trace--shown (and (not (member regexp '(nil ""))) regexp))
  (add-to-invisibility-spec 'midflight-trace)
  (let ((inhibit-read-only t))
    (save-excursion
      (remove-list-of-text-properties (point-min) (point-max) '(invisible))
      (when midflight-trace--shown
        (goto-char (point-min))
        (while (not (eobp))
          (unless (save-excursion
                    (re-search-forward midflight-trace--shown (line-end-position) t))
            (put-text-property (line-beginning-position) (line-beginning-position 2)
                               'invisible 'midflight-trace))
          (forward-line 1)))))
  (set-buffer-modified-p nil)
  (force-mode-line-update))

(defun midflight-trace-visit ()
  "Go to the source of the call on this line, or show its process."
  (interactive)
  (let ((event (get-text-property (line-beginning-position) 'midflight-event)))
    (cond ((equal (plist-get event :kind) "call") (midflight-details-show-place event))
          ((plist-get event :pid) (midflight-process-show))
          (t (midflight-user-error "No process on this line")))))

(provide 'midflight-trace)
;;; midflight-trace.el ends here
