;;; midflight-remedy.el --- Make current what a load left old  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The steps of this file, after a load:
;;
;; 1. If the report says that others hold functions of older versions, Emacs
;;    asks who.  The server answers when its search is done, and the report
;;    buffer gets a line for each holder.
;; 2. In the report, each paragraph on what stays old ends with the key that
;;    makes it current: f forwards held functions, m moves idle processes, r
;;    recovers a value that was left behind, x makes a kept value new.
;;
;; The keys act on the module that the lines around point are about.

;;; Code:

(require 'cl-lib)
(require 'subr-x)
(require 'midflight-util)
(require 'midflight-connection)

(defvar-local midflight-remedy--report nil
  "The report that this buffer shows, the server's plist.")

(defvar-local midflight-remedy--load nil
  "A function of a module's part of the report and of options, or nil.
It does the load of that module again, with the options.")

(defun midflight-remedy--parts ()
  "Return the parts of this buffer's report, one for each module."
  (or (plist-get midflight-remedy--report :reports)
      (and midflight-remedy--report (list midflight-remedy--report))
      (midflight-user-error "This buffer shows no report of a load; nothing was done")))

(defun midflight-remedy--part ()
  "Return the part of the report that the lines around point are about."
  (let ((parts (midflight-remedy--parts)))
    (or (and (cdr parts)
             (save-excursion
               (end-of-line)
               (and (re-search-backward "^\\([^ \n]+\\) v[0-9]+ loaded" nil t)
                    (let ((name (match-string-no-properties 1)))
                      (cl-find-if (lambda (part) (equal (plist-get part :module) name)) parts)))))
        (car parts))))

(defun midflight-remedy--names (part outcomes)
  "Return the names of the state in PART whose outcome is one of OUTCOMES."
  (cl-loop for each in (plist-get part :state)
           when (member (plist-get each :outcome) outcomes)
           collect (plist-get each :name)))

(defun midflight-remedy--name (part outcomes what)
  "Return the name at point among the state in PART with one of OUTCOMES.
If point is on none of them, and there are several, read one; WHAT is the
prompt."
  (let* ((names (midflight-remedy--names part outcomes))
         (at (or (save-excursion
                   (beginning-of-line)
                   (and (looking-at "  \\([^ :\n]+\\): ") (match-string-no-properties 1)))
                 (thing-at-point 'symbol t))))
    (cond ((member at names) at)
          ((cdr names) (completing-read what names nil t))
          (names (car names))
          (t (midflight-user-error "This load has no such state; nothing was done")))))

;;;; The commands

(defun midflight-remedy-forward ()
  "Make the held functions of the module at point the current ones.
A router, a signal or a timer that holds a function of an older version
calls the current one then, where that is safe.  A message says of the
others why not."
  (interactive)
  (let ((module (plist-get (midflight-remedy--part) :module)))
    (midflight-connection-call
     'code/forward (list module)
     (lambda (found)
       (message "%s" (plist-get found :summary))
       (midflight-remedy-ask module)))))

(defun midflight-remedy-move ()
  "Move the idle runtime processes of the module at point to its current version."
  (interactive)
  (let ((module (plist-get (midflight-remedy--part) :module)))
    (midflight-connection-call
     'code/move (list module)
     (lambda (found) (message "%s" (plist-get found :summary))))))

(defun midflight-remedy-recover ()
  "Bring back the value at point, which the load has left behind."
  (interactive)
  (let* ((part (midflight-remedy--part))
         (name (midflight-remedy--name part '("left") "Bring back the value of: ")))
    (midflight-connection-call
     'code/recover (list (plist-get part :module) name)
     (lambda (found)
       (message "Midflight: %s.%s is %s again" (plist-get found :module)
                (plist-get found :name) (plist-get found :value))))))

(defun midflight-remedy-fresh ()
  "Load the module at point again, and make the kept value at point new.
The value that stood there is left behind and can be brought back."
  (interactive)
  (let* ((part (midflight-remedy--part))
         (name (midflight-remedy--name part '("kept" "conflict" "waits") "Make new: ")))
    (unless midflight-remedy--load
      (midflight-user-error "This report is not that of a load of a file; nothing was done"))
    (funcall midflight-remedy--load part (list :fresh (list name)))))

;;;; The report buffer

(defun midflight-remedy-fill (report)
  "Add to this buffer, with REPORT of a load, the keys that help."
  (setq midflight-remedy--report report)
  (let ((inhibit-read-only t))
    (dolist (rule '(("^Functions of older versions that others hold" midflight-remedy-forward
                     "makes them the current ones")
                    ("^Functions that others hold, and that were not forwarded" midflight-remedy-forward
                     "tries it again")
                    ("^Processes in older versions" midflight-remedy-move
                     "moves those that are idle")))
      (goto-char (point-min))
      (while (re-search-forward (car rule) nil t)
        (end-of-line)
        (insert (midflight-remedy--hint (nth 1 rule) (nth 2 rule)))))
    (midflight-remedy--fill-state (midflight-remedy--parts) "")))

(defun midflight-remedy-fill-preview (preview)
  "Add to this buffer, with PREVIEW of a load, the keys that help after it."
  (let ((inhibit-read-only t))
    (midflight-remedy--fill-state (or (plist-get preview :reports) (list preview))
                                  "after the load, in its report: ")))

(defun midflight-remedy--fill-state (parts when)
  "Put the keys that help behind the lines on the state of PARTS.
PARTS are the parts of a report; WHEN says when these keys can be used."
  (dolist (part parts)
    (dolist (name (midflight-remedy--names part '("left")))
      (midflight-remedy--note name 'midflight-remedy-recover "brings it back" when))
    (dolist (name (midflight-remedy--names part '("conflict" "waits")))
      (midflight-remedy--note name 'midflight-remedy-fresh "makes it new" when)))
  (goto-char (point-min))
  (while (re-search-forward "^  kept state: .*" nil t)
    (insert (midflight-remedy--hint 'midflight-remedy-fresh "on a name makes it new" when)))
  (goto-char (point-min)))

(defun midflight-remedy--hint (command what &optional when)
  "Return a hint in parentheses: the key of COMMAND does WHAT.
WHEN, a text that comes first, says when the key can be used."
  (concat " " (propertize (substitute-command-keys
                           (format "(%s\\<midflight-report-mode-map>\\[%s] %s)" (or when "") command what))
                          'midflight-remedy t 'face 'shadow)))

(defun midflight-remedy--note (name command what when)
  "Put the key of COMMAND, which does WHAT, behind the lines on NAME.
WHEN is as in `midflight-remedy--hint'."
  (goto-char (point-min))
  (while (re-search-forward (format "^  %s: .*" (regexp-quote name)) nil t)
    (unless (text-property-any (match-beginning 0) (match-end 0) 'midflight-remedy t)
      (insert (midflight-remedy--hint command what when)))))

;;;; Who holds them

(defun midflight-remedy-ask-all (load)
  "Ask for the holders of old functions of the modules in this report buffer.
LOAD is as `midflight-remedy--load'."
  (setq midflight-remedy--load load)
  (dolist (part (midflight-remedy--parts))
    (when (and (plist-get part :held) (equal (plist-get part :status) "loaded"))
      (midflight-remedy-ask (plist-get part :module)))))

(defun midflight-remedy-ask (module)
  "Ask for the holders of old functions of MODULE; show them in this buffer."
  (let ((report midflight-remedy--report))
    (midflight-connection-call
     'code/holders (list module)
     (lambda (found)
       (when (eq report midflight-remedy--report)
         (midflight-remedy--show-holders module (plist-get found :text)))))))

(defun midflight-remedy--show-holders (module text)
  "Show TEXT, a line for each holder of functions of MODULE, at the end.
It takes the place of an earlier one."
  (let ((inhibit-read-only t)
        (title (format "Who holds functions of older versions of %s" module)))
    (save-excursion
      (goto-char (point-min))
      (if (re-search-forward (format "^%s$" (regexp-quote title)) nil t)
          (delete-region (line-beginning-position)
                         (if (re-search-forward "^$" nil t) (point) (point-max)))
        (goto-char (point-max))
        (insert "\n"))
      (insert title "\n"
              (if (string-empty-p text) "  Nobody: they have let go of them.\n"
                (replace-regexp-in-string "^\\(.\\)" "  \\1" text))))))

(provide 'midflight-remedy)
;;; midflight-remedy.el ends here
