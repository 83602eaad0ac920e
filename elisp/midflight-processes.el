;;; midflight-processes.el --- The list of runtime processes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; All runtime processes of a project, with the version that each runs.  The
;; life of a refresh:
;;
;; 1. A timer, or g, asks the server what has changed since its last answer.
;;    It does not while the list is in no window, or an answer is due.
;; 2. The server says that nothing has; or which rows are others now, and who
;;    is gone, at most 2000 rows at a time.
;; 3. Those lines are changed and no others.  Point stays on its process.
;;
;; Which versions are old is seen here: the server tells the current version of
;; each module when that changes, and no row need come again for it.

;;; Code:

(require 'cl-lib)
(require 'easymenu)
(require 'tabulated-list)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-process)
(require 'midflight-process-filter)
(require 'midflight-process-rows)
(require 'midflight-process-table)

(declare-function midflight-tree "midflight-tree" ())

(defcustom midflight-processes-interval 2
  "The seconds between two refreshes of a list of runtime processes.
Only a list that is in a window is refreshed.  If nil, it is by \\`g' alone."
  :type '(choice (number :tag "Seconds")
                 (const :tag "Never by itself" nil))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defvar-local midflight-processes--rows (make-hash-table :test #'equal)
  "The rows of all processes by pid.")
(defvar-local midflight-processes--counts (make-hash-table :test #'equal)
  "How many processes run each (MODULE VERSION).")
(defvar-local midflight-processes--known nil
  "What the next request says is known: a plist of the last answer, or nil.")
(defvar-local midflight-processes--due nil "Non-nil while an answer is due.")
(defvar-local midflight-processes--problem nil "Why the last request failed, or nil.")
(defvar-local midflight-processes--summary nil "What the line above the header says.")

(defvar midflight-processes-mode-map
  (let ((map (make-sparse-keymap)))
    (set-keymap-parent map (make-composed-keymap midflight-process-map
                                                 tabulated-list-mode-map))
    (define-key map (kbd "SPC") #'midflight-processes-mark)
    (define-key map "U" #'midflight-processes-unmark-all)
    (define-key map "c" #'midflight-processes-toggle-only-old)
    (define-key map "O" #'midflight-processes-toggle-old-first)
    (define-key map "/" midflight-processes-filter-map)
    (define-key map "T" #'midflight-tree)
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
     :style toggle :selected midflight-process-filter--only-old]
    ["Old code first" midflight-processes-toggle-old-first
     :style toggle :selected midflight-process-table-old-first]
    ["Show those with a text..." midflight-processes-filter-text]
    ["Show those of a module..." midflight-processes-filter-module]
    ["Show those with a name..." midflight-processes-filter-name]
    ["Show all again" midflight-processes-filter-clear]
    "---"
    ["Supervision tree" midflight-tree]
    ["Refresh" revert-buffer]))

(define-derived-mode midflight-processes-mode tabulated-list-mode "Midflight-Processes"
  "Major mode for the list of runtime processes.
A process that runs an old version has the face `midflight-old-code'; the
line above the header counts them by module.  A server whose class has a
newer version takes that at its next message: `midflight-next-message'.
\\<midflight-processes-mode-map>\\[midflight-processes-mark] marks processes, for commands on several of them.

\\{midflight-processes-mode-map}"
  (setq tabulated-list-format midflight-row-columns
        tabulated-list-padding 2
        tabulated-list-sort-key '("Pid")
        tabulated-list-entries #'midflight-processes--entries
        tabulated-list-printer #'midflight-process-table-print
        midflight-processes--rows (make-hash-table :test #'equal)
        midflight-processes--counts (make-hash-table :test #'equal)
        midflight-process-table-current (make-hash-table :test #'equal)
        midflight-process-table-marked (make-hash-table :test #'equal)
        midflight-process-filter-redraw #'midflight-processes--redraw
        midflight-process-filter-rows midflight-processes--rows
        midflight-process-targets-function #'midflight-processes--marked
        midflight-process-changed-function #'midflight-processes--refresh)
  (tabulated-list-init-header)
  (buffer-disable-undo)
  (setq-local tab-line-format '(:eval (midflight-processes--headline)))
  (setq-local revert-buffer-function #'midflight-processes--revert)
  (add-hook 'midflight-connection-opened-functions #'midflight-processes--opened)
  (add-hook 'midflight-connection-closed-functions #'midflight-processes--closed)
  (midflight-processes--start-timer))

;;;; Show

;;;###autoload
(defun midflight-processes (&optional module)
  "Show the runtime processes of this buffer's project.
With MODULE, a dotted name, only those that run that module."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (let ((buffer (midflight-processes--buffer)))
       (with-current-buffer buffer
         (when module
           (midflight-processes-filter-module module))
         (midflight-processes--refresh))
       (pop-to-buffer buffer)))))

(defun midflight-processes--buffer ()
  "Return the list of this buffer's project; make it if there is none."
  (midflight-process-buffer "processes" 'midflight-processes-mode))

(defun midflight-processes--entries ()
  "Return the entries to show: (PID ROW) each."
  (let (entries)
    (maphash (lambda (pid row)
               (when (midflight-process-filter-shown-p row)
                 (push (list pid row) entries)))
             midflight-processes--rows)
    entries))

(defun midflight-processes--redraw ()
  "Draw the whole list, from what is known."
  (midflight-process-table-draw (midflight-processes--entries))
  (midflight-processes--summarize))

;;;; What is said above the header

(defun midflight-processes--count (row change)
  "Add CHANGE to the counts of the versions in ROW; nil is no row.
A server in no frame of its module takes the next version by itself."
  (when (and row (not (midflight-row-behaviour row)))
    (dolist (pair (cons (list (midflight-row-module row) (midflight-row-version row))
                        (midflight-row-others row)))
      (when (cadr pair)
        (puthash pair (+ change (gethash pair midflight-processes--counts 0))
                 midflight-processes--counts)))))

(defun midflight-processes--summarize ()
  "Note how many processes there are, and how many run which old version."
  (let ((total (hash-table-count midflight-processes--rows))
        (parts nil))
    (maphash (pcase-lambda (`(,module ,version) count)
               (unless (or (zerop count)
                           (eql version (gethash module midflight-process-table-current version)))
                 (push (format "%s v%d ×%d" module version count) parts)))
             midflight-processes--counts)
    (let ((text (concat (format "%d process%s" total (if (= total 1) "" "es"))
                        (if parts
                            (concat "; old code: "
                                    (mapconcat #'identity (sort parts #'string<) ", "))
                          "; none in old code"))))
      (unless (equal text midflight-processes--summary)
        (setq midflight-processes--summary text)
        (force-mode-line-update)))))

(defun midflight-processes--headline ()
  "Return the text of the line above the header."
  (concat " "
          (cond (midflight-processes--problem
                 (propertize midflight-processes--problem 'face 'error))
                (midflight-processes--summary)
                (t "Asking the server..."))
          (midflight-process-filter-said)))

;;;; Refresh

(defvar midflight-processes--timer nil "The timer that refreshes lists.")

(defun midflight-processes--start-timer ()
  "Refresh lists from time to time, by `midflight-processes-interval'."
  (when midflight-processes--timer
    (cancel-timer midflight-processes--timer))
  (setq midflight-processes--timer
        (and midflight-processes-interval
             (run-at-time midflight-processes-interval midflight-processes-interval
                          #'midflight-processes--tick))))

(defun midflight-processes--tick ()
  "Refresh each list that is in a window; stop when there are no lists."
  (let ((lists (cl-remove-if-not
                (lambda (buffer)
                  (eq (buffer-local-value 'major-mode buffer) 'midflight-processes-mode))
                (buffer-list))))
    (if (and lists midflight-processes-interval)
        (dolist (buffer lists)
          (when (get-buffer-window buffer 'visible)
            (with-current-buffer buffer
              (midflight-processes--refresh))))
      (cancel-timer midflight-processes--timer)
      (setq midflight-processes--timer nil))))

(defun midflight-processes--revert (&rest _)
  "Refresh the list now; attach to the server first if it is not."
  (midflight-processes--start-timer)
  (if (midflight-connection-open-p)
      (midflight-processes--refresh)
    (midflight-server-ensure #'midflight-processes--refresh)))

(defun midflight-processes--refresh ()
  "Ask what has changed, unless an answer is due or no server is attached."
  (when (and (not midflight-processes--due) (midflight-connection-open-p))
    (setq midflight-processes--due t)
    (midflight-connection-call
     'process/changes (list midflight-processes--known)
     (lambda (answer)
       (setq midflight-processes--due nil)
       (midflight-processes--take answer))
     (lambda (text)
       (setq midflight-processes--due nil
             midflight-processes--known nil
             midflight-processes--problem text)
       (force-mode-line-update)))))

(defun midflight-processes--take (answer)
  "Take in ANSWER, a plist of what has changed."
  (when midflight-processes--problem
    (setq midflight-processes--problem nil)
    (force-mode-line-update))
  (setq midflight-processes--known (list :watch (plist-get answer :watch)
                                         :stamp (plist-get answer :stamp)))
  (unless (plist-get answer :unchanged)
    (let ((is-other (midflight-processes--take-current answer)))
      (when (plist-get answer :all)
        (clrhash midflight-processes--rows)
        (clrhash midflight-processes--counts))
      (if (or is-other (plist-get answer :all))
          (progn (midflight-processes--take-rows answer)
                 (midflight-processes--redraw))
        (midflight-processes--merge answer)))
    (when (plist-get answer :more)
      (midflight-processes--refresh))))

(defun midflight-processes--take-current (answer)
  "Take in the current versions in ANSWER; say whether a known one is another."
  (let ((is-other nil)
        (none (make-symbol "none")))
    (when (plist-get answer :all)
      (clrhash midflight-process-table-current))
    (pcase-dolist (`(,module ,version) (plist-get answer :current))
      (let ((before (gethash module midflight-process-table-current none)))
        (unless (or (eq before none) (eql before version))
          (setq is-other t)))
      (puthash module version midflight-process-table-current))
    is-other))

(defun midflight-processes--take-rows (answer)
  "Take in who is gone and the rows in ANSWER."
  (dolist (pid (plist-get answer :gone))
    (midflight-processes--count (gethash pid midflight-processes--rows) -1)
    (remhash pid midflight-processes--rows)
    (remhash pid midflight-process-table-marked))
  (dolist (row (plist-get answer :rows))
    (midflight-processes--count (gethash (midflight-row-pid row) midflight-processes--rows) -1)
    (midflight-processes--count row 1)
    (puthash (midflight-row-pid row) row midflight-processes--rows)))

(defun midflight-processes--merge (answer)
  "Take in ANSWER and change the lines that it is about."
  (let ((replaced nil)
        (deleted nil)
        (inserted nil)
        (less (midflight-process-table-less)))
    (dolist (pid (plist-get answer :gone))
      (let ((row (gethash pid midflight-processes--rows)))
        (when (midflight-process-filter-shown-p row)
          (push (list pid row) deleted))))
    (dolist (row (plist-get answer :rows))
      (let* ((pid (midflight-row-pid row))
             (before (list pid (gethash pid midflight-processes--rows)))
             (was-shown (midflight-process-filter-shown-p (cadr before)))
             (is-shown (midflight-process-filter-shown-p row))
             (after (list pid row)))
        (cond ((and was-shown is-shown
                    (not (funcall less before after))
                    (not (funcall less after before)))
               (push (cons before after) replaced))
              (t
               (when was-shown (push before deleted))
               (when is-shown (push after inserted))))))
    (midflight-processes--take-rows answer)
    (if (midflight-process-table-merge replaced deleted inserted)
        (midflight-processes--summarize)
      (midflight-processes--redraw))))

(defun midflight-processes--opened (connection)
  "Fill the list of CONNECTION anew: its server may be another one."
  (midflight-processes--tell connection nil))

(defun midflight-processes--closed (connection reason)
  "Say in the list of CONNECTION that it ended for REASON; its rows stay."
  (midflight-processes--tell connection (format "Not connected: %s; g connects again" reason)))

(defun midflight-processes--tell (connection problem)
  "Note PROBLEM, a string or nil, in the list of CONNECTION; refresh if nil."
  (let ((buffer (midflight-process-buffer-of (midflight-connection-root connection)
                                             'midflight-processes-mode)))
    (when buffer
      (with-current-buffer buffer
        (setq midflight-processes--known nil
              midflight-processes--due nil
              midflight-processes--problem problem)
        (force-mode-line-update)
        (unless problem
          (midflight-processes--refresh))))))

;;;; Marks

(defun midflight-processes--marked ()
  "Return the marked pids, in the order of the lines."
  (let (pids)
    (maphash (lambda (pid _) (push pid pids)) midflight-process-table-marked)
    (sort pids (lambda (a b) (< (string-to-number (substring a 3))
                                (string-to-number (substring b 3)))))))

(defun midflight-processes-mark ()
  "Mark the process of this line, or unmark it, and go to the next line."
  (interactive)
  (let ((pid (midflight-process-here)))
    (if (gethash pid midflight-process-table-marked)
        (remhash pid midflight-process-table-marked)
      (puthash pid t midflight-process-table-marked))
    (let ((entry (list pid (gethash pid midflight-processes--rows))))
      (unless (midflight-process-table-merge (list (cons entry entry)) nil nil)
        (midflight-processes--redraw)))
    (forward-line 1)))

(defun midflight-processes-unmark-all ()
  "Unmark all processes."
  (interactive)
  (clrhash midflight-process-table-marked)
  (midflight-processes--redraw))

(provide 'midflight-processes)
;;; midflight-processes.el ends here
