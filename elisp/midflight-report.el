;;; midflight-report.el --- The report of the last load  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The buffer *midflight-report*, with the full report of the last load, of one
;; module or of several.  Its diagnostics are links, and `next-error' moves
;; through them; its pids are buttons that show the processes.  As in a
;; compilation buffer, g does the same load again.  If other modules keep names
;; of an older version, a button loads those modules too.  If an upgrade failed
;; because of a server's state, i inspects that state and e edits it; then g
;; tries the upgrade again.  The keys that make current what the load left old
;; are in midflight-remedy.

;;; Code:

(require 'cl-lib)
(require 'subr-x)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-flymake)
(require 'midflight-process)
(require 'midflight-remedy)

(declare-function midflight-edit-state "midflight-state" (pid))
(declare-function midflight-inspect-state "midflight-inspector" (pid))
(declare-function midflight-process-view "midflight-process-view" (pid &optional section))

(defconst midflight-report-buffer "*midflight-report*"
  "The name of the report buffer.")

(defvar-local midflight-report--places nil
  "The diagnostics and their places: (PLACE . DIAGNOSTIC), in the report's order.
PLACE is a marker if the file was visited when the report was made.")

(defvar-local midflight-report--current -1
  "The index of the diagnostic that `next-error' showed last.")

(defvar-local midflight-report--failed nil
  "The servers whose state made the upgrade fail: (PID . TEXT) each.")

(defvar-local midflight-report--again nil
  "A function that does the load of this report again.")

(defvar midflight-report-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'midflight-report-follow)
    (define-key map "n" #'next-error-no-select)
    (define-key map "p" #'previous-error-no-select)
    (define-key map "i" #'midflight-report-inspect)
    (define-key map "e" #'midflight-report-edit)
    (define-key map "f" #'midflight-remedy-forward)
    (define-key map "m" #'midflight-remedy-move)
    (define-key map "r" #'midflight-remedy-recover)
    (define-key map "x" #'midflight-remedy-fresh)
    (define-key map (kbd "TAB") #'forward-button)
    (define-key map (kbd "<backtab>") #'backward-button)
    map)
  "Keymap of `midflight-report-mode'.")

(define-derived-mode midflight-report-mode special-mode "Midflight-Report"
  "Major mode for the report of a load.

\\{midflight-report-mode-map}"
  (setq-local word-wrap t)
  (setq-local next-error-function #'midflight-report--next-error)
  (setq-local revert-buffer-function #'midflight-report--revert))

(defun midflight-report--revert (&rest _)
  "Do the load of this report again."
  (if midflight-report--again
      (funcall midflight-report--again)
    (midflight-user-error "Nothing has been loaded yet")))

(defun midflight-report-parts (report)
  "Return the reports of the modules that REPORT, a plist, covers.
That is REPORT itself, unless it covers several modules."
  (or (plist-get report :reports) (list report)))

(defun midflight-report-diagnostics (report)
  "Return the diagnostics of REPORT, a plist, of all its modules."
  (cl-loop for part in (midflight-report-parts report)
           append (plist-get part :diagnostics)))

(defun midflight-report-stale-modules (report)
  "Return the names of the modules with stale imports in REPORT, a plist."
  (delete-dups (cl-loop for part in (midflight-report-parts report)
                        append (mapcar (lambda (stale) (plist-get stale :module))
                                       (plist-get part :stale-imports)))))

(defun midflight-report-set (report again &optional together fresh)
  "Put REPORT, the server's plist for a load, into the report buffer.
AGAIN is a function that does the load again.  TOGETHER, if non-nil, is a
function of a list of modules that does it together with them.  FRESH, if
non-nil, is a function of a module's part of the report and of options that
does the load of that module with the options.  Return the buffer, without
displaying it; `next-error' moves through it if there are diagnostics."
  (let ((root (midflight-connection-root-of-buffer)))
    (with-current-buffer (get-buffer-create midflight-report-buffer)
      (unless (derived-mode-p 'midflight-report-mode)
        (midflight-report-mode))
      (midflight-report-fill report root again)
      (midflight-report--offer report together)
      (midflight-remedy-fill report)
      (midflight-remedy-ask-all fresh)
      (when midflight-report--places
        (setq next-error-last-buffer (current-buffer)))
      (current-buffer))))

(defun midflight-report-fill (report root again)
  "Fill this buffer, in a report mode, with REPORT, of the project at ROOT.
AGAIN is called by \\<midflight-report-mode-map>\\[revert-buffer]."
  (let ((diagnostics (midflight-report-diagnostics report))
        (inhibit-read-only t))
    (setq midflight-connection-buffer-root root
          midflight-report--again again
          midflight-report--current -1
          midflight-report--failed (midflight-report-failures report)
          midflight-report--places (mapcar #'midflight-report--place diagnostics))
    (erase-buffer)
    (insert (midflight-report-in-keys (string-trim-right (plist-get report :text))) "\n")
    (midflight-report--offer-states)
    (dotimes (index (length diagnostics))
      (midflight-report--link index (nth index diagnostics)))
    (midflight-report--link-processes)
    (goto-char (point-min))))

(defun midflight-report--link-processes ()
  "Make each pid in this buffer a button to the view of that process."
  (goto-char (point-min))
  (while (re-search-forward "<0\\.[0-9]+\\.0>" nil t)
    (unless (button-at (match-beginning 0))
      (let ((pid (match-string-no-properties 0)))
        (make-text-button (match-beginning 0) (match-end 0)
                          'action (lambda (_) (midflight-process-view pid))
                          'help-echo "Look into this process")))))

;;;; The servers that failed

(defun midflight-report-failures (report)
  "Return the servers whose `code_change' raised, in REPORT: (PID . TEXT) each."
  (cl-loop for part in (midflight-report-parts report)
           append (cl-loop for server in (plist-get part :upgraded)
                           when (plist-get server :error)
                           collect (cons (plist-get server :pid)
                                         (format "%s%s: %s" (plist-get server :pid)
                                                 (if (plist-get server :name)
                                                     (format " (%s)" (plist-get server :name))
                                                   "")
                                                 (plist-get server :error))))))

(defun midflight-report--offer-states ()
  "Put buttons below each server that failed, and explain them."
  (pcase-dolist (`(,pid . ,_) midflight-report--failed)
    (goto-char (point-min))
    (when (re-search-forward (format "^  %s[ (]" (regexp-quote pid)) nil t)
      (forward-line 2)
      (insert "    ")
      (insert-text-button "[Inspect]" 'action (lambda (_) (midflight-inspect-state pid))
                          'help-echo "Look into the state that this server has")
      (insert " ")
      (insert-text-button "[Edit]" 'action (lambda (_) (midflight-edit-state pid))
                          'help-echo "Edit the state of this server, which is alive")
      (insert "\n")))
  (when midflight-report--failed
    (goto-char (point-max))
    (insert (substitute-command-keys
             "\\<midflight-report-mode-map>
The servers go on with the states that they had.  \\[midflight-report-inspect] inspects one, \\[midflight-report-edit] edits it;
\\[revert-buffer] then tries the upgrade again.\n"))))

(defun midflight-report--server (text)
  "Return the pid of the server at point, or read that of a failed one with TEXT."
  (or (midflight-process-at-point)
      (save-excursion                   ; of the server whose lines these are
        (beginning-of-line)
        (while (and (looking-at-p "    ") (zerop (forward-line -1))))
        (and (looking-at "  \\(<0\\.[0-9]+\\.0>\\)")
             (match-string-no-properties 1)))
      (let ((texts (mapcar #'cdr midflight-report--failed)))
        (cond ((cdr texts)
               (car (rassoc (completing-read text texts nil t) midflight-report--failed)))
              (texts (caar midflight-report--failed))
              (t (midflight-user-error
                  "No server failed in this load; nothing was done; put point on a pid"))))))

(defun midflight-report-inspect ()
  "Inspect the state of the server here, or of one for which the upgrade failed."
  (interactive)
  (midflight-inspect-state (midflight-report--server "Inspect the state of: ")))

(defun midflight-report-edit ()
  "Edit the state of the server here, or of one for which the upgrade failed.
\\<midflight-report-mode-map>\\[revert-buffer] then tries the upgrade again."
  (interactive)
  (midflight-edit-state (midflight-report--server "Edit the state of: ")))

;;;; Links

(defun midflight-report-in-keys (text)
  "Return TEXT, a report or its summary, with keys for the functions of Python."
  (let ((versions (substitute-command-keys "\\<midflight-mode-map>\\[midflight-versions]"))
        (load (substitute-command-keys "\\<midflight-mode-map>\\[midflight-load-buffer]")))
    (pcase-dolist (`(,python . ,keys)
                   `(("load with force=True" . ,(format "load it in spite of that: C-u %s, then f" load))
                     ("move(['\"][^)]*) moves those" . ,(format "In %s, m moves those" versions))
                     ("; purge(['\"][^)]*) ends them" . "; p ends them")
                     ("purge(['\"][^)]*) ends them" . ,(format "In %s, p ends them" versions))
                     ("\n  load_many(.*)$" . "")
                     ("load those modules too, to have the current ones:" .
                      "load those modules too, to have the current ones.")))
      (setq text (replace-regexp-in-string python keys text t t)))
    text))

(defun midflight-report-follow ()
  "Follow the first link on this line."
  (interactive)
  (let ((button (or (button-at (point))
                    (save-excursion
                      (beginning-of-line)
                      (or (button-at (point))
                          (let ((next (next-button (point))))
                            (and next (<= (button-start next) (line-end-position)) next)))))))
    (if button
        (button-activate button)
      (midflight-user-error "There is no link on this line; TAB goes to the next one"))))

(defun midflight-report--offer (report together)
  "Offer to load the stale importers in REPORT by the function TOGETHER."
  (let ((modules (midflight-report-stale-modules report))
        (inhibit-read-only t))
    (when (and together modules (not (equal (plist-get report :status) "failed")))
      (save-excursion
        (goto-char (point-max))
        (insert "\n")
        (insert-text-button
         (format "[Load these too: %s]" (mapconcat #'identity modules ", "))
         'action (lambda (_) (funcall together modules))
         'help-echo "Load all of them together, or none, so that they have the current names")
        (insert "\n")))))

(defun midflight-report--link (index diagnostic)
  "Make the place of DIAGNOSTIC, the one at INDEX, a link in the text.
The text has it as path:line:column; if not, a line for it is added."
  (let ((place (format "%s:%d:%d" (plist-get diagnostic :path)
                       (plist-get diagnostic :line)
                       (plist-get diagnostic :column)))
        (found nil))
    (goto-char (point-min))
    (while (and (not found) (search-forward place nil t))
      (setq found (not (button-at (match-beginning 0)))))
    (unless found
      (goto-char (point-max))
      (insert place (format ": %s\n" (plist-get diagnostic :message)))
      (goto-char (point-max))
      (search-backward place))
    (make-text-button (match-beginning 0) (match-end 0)
                      'action (lambda (_) (midflight-report--visit index))
                      'help-echo "Go to this place")))

(defun midflight-report--place (diagnostic)
  "Return a cons of the marker of DIAGNOSTIC, if its file is visited, and itself."
  (let* ((path (plist-get diagnostic :path))
         (buffer (and path (find-buffer-visiting path))))
    (cons (and buffer
               (with-current-buffer buffer
                 (copy-marker (midflight-flymake-position
                               (plist-get diagnostic :line)
                               (plist-get diagnostic :column)))))
          diagnostic)))

(defun midflight-report--visit (index)
  "Show the place of the diagnostic at INDEX, and its text in the echo area."
  (pcase-let* ((`(,marker . ,diagnostic) (nth index midflight-report--places))
               (path (plist-get diagnostic :path)))
    (setq midflight-report--current index)
    (cond ((and marker (marker-buffer marker))
           (pop-to-buffer (marker-buffer marker))
           (midflight-goto marker))
          ((and path (file-exists-p path))
           (pop-to-buffer (find-file-noselect path))
           (midflight-goto (midflight-flymake-position (plist-get diagnostic :line)
                                                       (plist-get diagnostic :column))))
          (t (midflight-user-error "The file %s does not exist" path)))
    (message "%s" (plist-get diagnostic :message))))

(defun midflight-report--next-error (count reset)
  "Go COUNT diagnostics on, from the first if RESET; for `next-error'."
  (let ((index (+ (if reset -1 midflight-report--current) (or count 1))))
    (unless (< -1 index (length midflight-report--places))
      (midflight-user-error "No more diagnostics"))
    (midflight-report--visit index)))

(defun midflight-report-display (buffer)
  "Display BUFFER, the report, in a low window; keep the other windows."
  (display-buffer buffer
                  `((display-buffer-reuse-window display-buffer-below-selected)
                    (window-height . ,(lambda (window)
                                        (fit-window-to-buffer window 12 4))))))

(defun midflight-report-hide (buffer)
  "Undo `midflight-report-display' of BUFFER unless its window is selected."
  (dolist (window (get-buffer-window-list buffer nil t))
    (unless (eq window (selected-window))
      (quit-restore-window window 'bury))))

(defun midflight-show-report ()
  "Show the report of the last load."
  (interactive)
  (pop-to-buffer (or (get-buffer midflight-report-buffer)
                     (midflight-user-error "Nothing has been loaded yet"))))

(provide 'midflight-report)
;;; midflight-report.el ends here
