;;; midflight-process-list.el --- The list of runtime processes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The list of all runtime processes of a project, with the version that each
;; runs.  The steps of a refresh:
;;
;; 1. A timer, or g, asks the server for the changes since its last answer.  The
;;    timer does not ask if no window shows the list, or an answer is due.
;; 2. The server sends the changed rows and the ended processes, if any, a few
;;    hundred at a time; between two answers Emacs handles keys.
;; 3. After the last of these answers Emacs draws the list.  Point stays on its
;;    process.
;;
;; If there are more processes than `midflight-processes-maximum', the list has
;; the first in its order.  Emacs then sends the filters and the order, and the
;; server selects among all processes.
;;
;; Emacs computes which versions are old: the server sends the current version of
;; a module when it changes, and does not have to send the rows again.

;;; Code:

(require 'cl-lib)
(require 'easymenu)
(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-process)
(require 'midflight-process-filter)
(require 'midflight-process-rows)

(declare-function midflight-tasks "midflight-task" ())
(declare-function midflight-tree "midflight-tree" ())

(defcustom midflight-processes-interval 2
  "The seconds between two refreshes of a list of runtime processes.
Only a list that is in a window is refreshed.  If nil, only \\`g' does it."
  :type '(choice (number :tag "Seconds")
                 (const :tag "Never automatically" nil))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defconst midflight-process-list--rows-an-answer 400
  "The most rows in one answer of the server: a few hundredths of a second.")

(defvar-local midflight-process-list--known nil
  "The known state for the next request: a plist of the last answer, or nil.")
(defvar-local midflight-process-list--due nil "Non-nil while an answer is due.")
(defvar-local midflight-process-list--again nil "Non-nil to ask again after the answer that is due.")

(defvar midflight-processes-mode-map
  (let ((map (make-sparse-keymap)))
    (set-keymap-parent map (make-composed-keymap midflight-process-map
                                                 tabulated-list-mode-map))
    (define-key map (kbd "SPC") #'midflight-processes-mark)
    (define-key map "U" #'midflight-processes-unmark-all)
    (define-key map "c" #'midflight-processes-toggle-only-old)
    (define-key map "O" #'midflight-processes-toggle-old-first)
    (define-key map "/" midflight-processes-filter-map)
    (define-key map "S" #'midflight-processes-sort)
    (define-key map [remap tabulated-list-sort] #'midflight-processes-sort)
    (define-key map [remap tabulated-list-col-sort] #'midflight-processes-sort-click)
    ;; A line is made by one `format', which knows the widths of the columns.
    (define-key map [remap tabulated-list-widen-current-column] #'undefined)
    (define-key map [remap tabulated-list-narrow-current-column] #'undefined)
    (define-key map "T" #'midflight-tree)
    (define-key map "a" #'midflight-tasks)
    (define-key map "?" #'describe-mode)
    map)
  "Keymap of `midflight-processes-mode'.")

(easy-menu-define midflight-processes-menu midflight-processes-mode-map
  "Menu of `midflight-processes-mode'."
  `("Processes"
    ,@midflight-process-menu
    "---"
    ["Mark or unmark" midflight-processes-mark]
    ["Unmark all" midflight-processes-unmark-all]
    ["Only old code" midflight-processes-toggle-only-old
     :style toggle :selected midflight-process-filter-only-old]
    ["Old code first" midflight-processes-toggle-old-first
     :style toggle :selected midflight-process-rows-old-first]
    ["Show those with a text..." midflight-processes-filter-text]
    ["Show those of a module..." midflight-processes-filter-module]
    ["Show those with a name..." midflight-processes-filter-name]
    ["Show all again" midflight-processes-filter-clear]
    ["Sort by the column at point" midflight-processes-sort]
    "---"
    ["Supervision tree" midflight-tree]
    ["asyncio tasks" midflight-tasks]
    ["Refresh" revert-buffer]))

(define-derived-mode midflight-processes-mode tabulated-list-mode "Midflight-Processes"
  "Major mode for the list of runtime processes.
A process that runs an old version has the face `midflight-old-code'; the
line above the header counts these by module.  A server whose class has a
newer version takes it at its next message: face `midflight-next-message'.
\\<midflight-processes-mode-map>\\[midflight-processes-mark] marks processes, for commands on several of them.

\\{midflight-processes-mode-map}"
  (setq tabulated-list-format midflight-row-columns
        tabulated-list-padding 2
        tabulated-list-sort-key '("Pid")
        tabulated-list-entries #'midflight-process-list--entries
        tabulated-list-printer #'midflight-process-rows-print-line
        midflight-process-rows (make-hash-table :test #'equal)
        midflight-process-headline-counts (make-hash-table :test #'equal)
        midflight-process-rows-current (make-hash-table :test #'equal)
        midflight-process-rows-marked (make-hash-table :test #'equal)
        midflight-process-filter-redraw #'midflight-process-list--choose
        midflight-process-targets-function #'midflight-process-list--marked
        midflight-process-changed-function #'midflight-process-list--refresh)
  (tabulated-list-init-header)
  (buffer-disable-undo)
  (setq-local tab-line-format '(:eval (midflight-process-headline)))
  (setq-local revert-buffer-function #'midflight-process-list--revert)
  (add-hook 'midflight-connection-opened-functions #'midflight-process-list--opened)
  (add-hook 'midflight-connection-closed-functions #'midflight-process-list--closed)
  (midflight-process-list--start-timer))

;;;; Show

;;;###autoload
(defun midflight-processes (&optional module)
  "Show the runtime processes of this buffer's project.
With MODULE, a dotted name, show only the processes that run that module."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (let ((buffer (midflight-process-list--buffer)))
       (with-current-buffer buffer
         (when module
           (midflight-processes-filter-module module))
         (midflight-process-list--refresh))
       (pop-to-buffer buffer)))))

(defun midflight-process-list--buffer ()
  "Return the list of this buffer's project; make it if there is none."
  (midflight-process-buffer "processes" 'midflight-processes-mode))

(defun midflight-process-list--entries ()
  "Return the entries to show, (PID ROW) each, in their order."
  (let (entries)
    (maphash (lambda (pid row)
               (when (midflight-process-filter-shown-p row)
                 (push (list pid row) entries)))
             midflight-process-rows)
    (midflight-process-rows-sort entries)))

(defun midflight-process-list--draw ()
  "Draw the list from the known rows, and the headline above it."
  (midflight-collecting-later
    (midflight-process-rows-draw))
  (midflight-process-headline-summarize))

(defun midflight-process-list--choose ()
  "Apply the filters and the order to the known rows, and ask for the others."
  (midflight-process-list--draw)
  (force-mode-line-update)
  (when (midflight-process-headline-cut-p)
    (if midflight-process-list--due
        (setq midflight-process-list--again t)
      (midflight-process-list--refresh))))

;;;; Refresh

(defvar midflight-process-list--timer nil "The timer that refreshes lists.")

(defun midflight-process-list--start-timer ()
  "Refresh lists from time to time, by `midflight-processes-interval'."
  (when midflight-process-list--timer
    (cancel-timer midflight-process-list--timer))
  (setq midflight-process-list--timer
        (and midflight-processes-interval
             (run-at-time midflight-processes-interval midflight-processes-interval
                          #'midflight-process-list--tick))))

(defun midflight-process-list--tick ()
  "Refresh each list that is in a window; stop if no lists are left."
  (let ((lists (cl-remove-if-not
                (lambda (buffer)
                  (eq (buffer-local-value 'major-mode buffer) 'midflight-processes-mode))
                (buffer-list))))
    (if (and lists midflight-processes-interval)
        (dolist (buffer lists)
          (when (get-buffer-window buffer 'visible)
            (with-current-buffer buffer
              (midflight-process-list--refresh))))
      (cancel-timer midflight-process-list--timer)
      (setq midflight-process-list--timer nil))))

(defun midflight-process-list--revert (&rest _)
  "Refresh the list now; attach to the server first if necessary."
  (midflight-process-list--start-timer)
  (if (midflight-connection-open-p)
      (midflight-process-list--refresh)
    (midflight-server-ensure #'midflight-process-list--refresh)))

(defun midflight-process-list--refresh ()
  "Send a request for news, unless an answer is due or no server is attached."
  (when (and (not midflight-process-list--due) (midflight-connection-open-p))
    (setq midflight-process-list--due t)
    (midflight-connection-call
     'process/changes (list (append midflight-process-list--known
                                    (list :most midflight-process-list--rows-an-answer
                                          :limit midflight-processes-maximum)
                                    (and (midflight-process-headline-cut-p)
                                         (midflight-process-filter-wanted))))
     (lambda (answer)
       (setq midflight-process-list--due nil)
       (midflight-process-list--take answer))
     (lambda (text)
       (setq midflight-process-list--due nil
             midflight-process-list--known nil
             midflight-process-headline-problem text)
       (force-mode-line-update)))))

(defun midflight-process-list--take (answer)
  "Store the rows and versions of ANSWER, a plist, and show them."
  (when midflight-process-headline-problem
    (setq midflight-process-headline-problem nil)
    (force-mode-line-update))
  (setq midflight-process-list--known (list :watch (plist-get answer :watch)
                                            :stamp (plist-get answer :stamp)))
  (when (plist-member answer :total)
    (setq midflight-process-headline-total (plist-get answer :total)
          midflight-process-headline-matching (plist-get answer :matching)))
  (let ((is-part (plist-get answer :more)))
    (when (or is-part midflight-process-list--again)
      ;; Ask now: the server works while Emacs stores these rows.
      (setq midflight-process-list--again nil)
      (midflight-process-list--refresh))
    (unless (plist-get answer :unchanged)
      (midflight-process-list--take-rows answer)
      (unless is-part
        (midflight-process-list--forget-marks)
        (midflight-process-list--draw)))))

(defun midflight-process-list--take-rows (answer)
  "Store the rows of ANSWER and the current versions; remove ended processes."
  (when (plist-get answer :all)
    (clrhash midflight-process-rows)
    (clrhash midflight-process-rows-current)
    (clrhash midflight-process-headline-counts))
  (pcase-dolist (`(,module ,version) (plist-get answer :current))
    (puthash module version midflight-process-rows-current))
  (dolist (pid (plist-get answer :gone))
    (midflight-process-headline-count (gethash pid midflight-process-rows) -1)
    (remhash pid midflight-process-rows)
    (remhash pid midflight-process-rows-marked))
  (dolist (row (plist-get answer :rows))
    (midflight-row-keep row)
    (let ((pid (midflight-row-pid row)))
      (midflight-process-headline-count (gethash pid midflight-process-rows) -1)
      (midflight-process-headline-count row 1)
      (puthash pid row midflight-process-rows))))

(defun midflight-process-list--opened (connection)
  "Fill the list of CONNECTION from the start: its server may be a new one."
  (midflight-process-list--tell connection nil))

(defun midflight-process-list--closed (connection reason)
  "Show in the list of CONNECTION that it ended for REASON; keep the rows."
  (midflight-process-list--tell connection (format "Not connected: %s; g connects again" reason)))

(defun midflight-process-list--tell (connection problem)
  "Show PROBLEM, a string or nil, in the list of CONNECTION; refresh if nil."
  (let ((buffer (midflight-process-buffer-of (midflight-connection-root connection)
                                             'midflight-processes-mode)))
    (when buffer
      (with-current-buffer buffer
        (setq midflight-process-list--known nil
              midflight-process-list--due nil
              midflight-process-list--again nil
              midflight-process-headline-problem problem)
        (force-mode-line-update)
        (unless problem
          (midflight-process-list--refresh))))))

;;;; Marks

(defun midflight-process-list--marked ()
  "Return the marked pids, in the order of the lines."
  (let (pids)
    (maphash (lambda (pid _) (push pid pids)) midflight-process-rows-marked)
    (sort pids (lambda (a b) (< (string-to-number (substring a 3))
                                (string-to-number (substring b 3)))))))

(defun midflight-process-list--forget-marks ()
  "Unmark the processes that have left the list."
  (maphash (lambda (pid _)
             (unless (gethash pid midflight-process-rows)
               (remhash pid midflight-process-rows-marked)))
           midflight-process-rows-marked))

(defun midflight-processes-mark ()
  "Mark the process of this line, or unmark it, and go to the next line."
  (interactive)
  (let ((pid (midflight-process-here)))
    (if (gethash pid midflight-process-rows-marked)
        (remhash pid midflight-process-rows-marked)
      (puthash pid t midflight-process-rows-marked))
    (midflight-process-rows-update-line)
    (forward-line 1)))

(defun midflight-processes-unmark-all ()
  "Unmark all processes."
  (interactive)
  (clrhash midflight-process-rows-marked)
  (midflight-process-list--draw))

(provide 'midflight-process-list)
;;; midflight-process-list.el ends here
