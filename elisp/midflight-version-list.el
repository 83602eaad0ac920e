;;; midflight-version-list.el --- The versions of a module  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The list of the known versions of a module: which client loaded each and
;; when, its changes, the processes that run it.  How it is used:
;;
;; 1. `midflight-versions' asks the server for the history of this buffer's
;;    module and shows it; g asks again, and so does every load.
;; 2. A key shows the text of a version, how two differ, or what keeps an old
;;    one in memory.
;; 3. A key changes something: rolls back, moves idle processes, purges.  A
;;    purge first lists the processes that it would end, and waits for y.
;;
;; The server decides what a version is; this file shows its answers.

;;; Code:

(require 'cl-lib)
(require 'easymenu)
(require 'seq)
(require 'subr-x)
(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-code)
(require 'midflight-version)
(require 'midflight-version-row)

(declare-function midflight-processes "midflight-process-list" (&optional filter))

(defvar-local midflight-version-list--module nil "The module of this buffer, by name.")
(defvar-local midflight-version-list--rows nil
  "The versions of the module, plists as the server sends them, oldest first.")
(defvar-local midflight-version-list--marked nil
  "The numbers of the marked versions, the last marked first.")

;; The server looks at all processes to count them, so a slow answer makes the
;; next question come later.
(defconst midflight-version-list--seconds 2
  "The fewest seconds between two looks of a list that is displayed.")
(defconst midflight-version-list--rest 20
  "The times that a list rests as long as its last answer has taken.")
(defvar-local midflight-version-list--timer nil
  "The timer of the next look.")

(defvar midflight-versions-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'midflight-versions-source)
    (define-key map "v" #'midflight-versions-source)
    (define-key map "d" #'midflight-versions-diff)
    (define-key map (kbd "SPC") #'midflight-versions-mark)
    (define-key map "U" #'midflight-versions-unmark-all)
    (define-key map "=" #'midflight-versions-diff-marked)
    (define-key map "e" #'midflight-versions-ediff)
    (define-key map "w" #'midflight-versions-why-alive)
    (define-key map "r" #'midflight-versions-roll-back)
    (define-key map "m" #'midflight-versions-move)
    (define-key map "s" #'midflight-versions-soft-purge)
    (define-key map "p" #'midflight-versions-purge)
    (define-key map "P" #'midflight-versions-processes)
    map)
  "Keymap of `midflight-versions-mode'.")

(easy-menu-define midflight-versions-menu midflight-versions-mode-map
  "Menu of `midflight-versions-mode'."
  '("Versions"
    ["Source" midflight-versions-source]
    ["Compare with the current" midflight-versions-diff]
    ["Mark or unmark" midflight-versions-mark]
    ["Unmark all" midflight-versions-unmark-all]
    ["Compare the two marked" midflight-versions-diff-marked]
    ["Compare in Ediff" midflight-versions-ediff]
    ["Why is it in memory?" midflight-versions-why-alive]
    ["Its processes" midflight-versions-processes]
    "---"
    ["Roll back to it..." midflight-versions-roll-back]
    ["Move idle processes to the current" midflight-versions-move]
    ["Soft purge" midflight-versions-soft-purge]
    ["Purge old versions..." midflight-versions-purge]
    "---"
    ["Refresh" revert-buffer]))

(define-derived-mode midflight-versions-mode tabulated-list-mode "Midflight-Versions"
  "Major mode for the list of the versions of a module.
The state of a version is `current'; `run', by the runtime processes that are
counted; `in memory', if something else can still run it, which
\\<midflight-versions-mode-map>\\[midflight-versions-why-alive] explains; `gone'; or `earlier', if another server
ran it, which has ended.  The text of a version that is gone or earlier is
kept, so it can be read, compared and rolled back to.

\\{midflight-versions-mode-map}"
  (setq tabulated-list-format [("Version" 7 midflight-version-row-by-number :right-align t)
                               ("State" 9 t)
                               ("Procs" 5 midflight-version-row-by-processes :right-align t)
                               ("Loaded" 16 t)
                               ("By" 28 t)
                               ("vsn" 10 t)
                               ("Changes" 0 t)]
        tabulated-list-padding 2
        tabulated-list-sort-key nil)
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-version-list--revert)
  (add-hook 'midflight-loaded-functions #'midflight-version-list--loaded))

;;;; Show the list

;;;###autoload
(defun midflight-versions (&optional module)
  "Show the versions of MODULE: its client, its time and its processes.
MODULE is a dotted name or a file.  Interactively, it is the module of this
buffer; if this buffer does not visit a Python file, ask for one."
  (interactive)
  (let ((module (or module (midflight-version-list--module-of-buffer))))
    (midflight-server-ensure
     (lambda ()
       (midflight-connection-call
        'code/history (list module)
        (lambda (history) (pop-to-buffer (midflight-version-list--show history))))))))

(defun midflight-version-list--module-of-buffer ()
  "Return the module of this buffer, a name or a file; ask if necessary."
  (cond (midflight-version-list--module)
        ((and (midflight-connection-file) (derived-mode-p 'python-mode 'python-base-mode))
         (midflight-connection-path (midflight-connection-file)))
        (t (let ((name (read-string "Versions of module: ")))
             (if (equal name "")
                 (midflight-user-error "No module named; nothing was done")
               name)))))

(defun midflight-version-list--show (history)
  "Put HISTORY, the server's plist, into its buffer and return the buffer."
  (let ((root (midflight-connection-root-of-buffer))
        (module (plist-get history :module)))
    (with-current-buffer (get-buffer-create
                          (format "*midflight-versions %s for %s*" module
                                  (midflight-connection-project (midflight-connection-of-buffer))))
      (unless (derived-mode-p 'midflight-versions-mode)
        (midflight-versions-mode))
      (setq midflight-connection-buffer-root root
            midflight-version-list--module module
            default-directory (file-name-as-directory root))
      (midflight-version-list--fill history)
      (current-buffer))))

(defun midflight-version-list--fill (history)
  "Fill the list from HISTORY, newest version first; keep point."
  (let ((was-empty (null midflight-version-list--rows))
        (rows (plist-get history :versions)))
    (unless (equal rows midflight-version-list--rows)
      (setq midflight-version-list--rows rows
            midflight-version-list--marked
            (cl-remove-if-not #'midflight-version-list--row midflight-version-list--marked)
            tabulated-list-entries
            (mapcar #'midflight-version-row-entry (reverse midflight-version-list--rows)))
      (tabulated-list-print t)
      (midflight-version-list--show-marks))
    (when was-empty
      (goto-char (point-min))))
  (unless midflight-version-list--timer
    (midflight-version-list--look-later midflight-version-list--seconds)))

(defun midflight-version-list--revert (&rest _)
  "Ask the server for this list again."
  (midflight-connection-call 'code/history (list midflight-version-list--module)
                             #'midflight-version-list--fill))

(defun midflight-version-list--look-later (seconds)
  "Look again after SECONDS, if this buffer lives then."
  (setq midflight-version-list--timer
        (run-at-time seconds nil
                     (midflight-connection-in-buffer (current-buffer)
                                                     #'midflight-version-list--look))))

(defun midflight-version-list--look ()
  "Ask the server for this list again, if it is displayed; later look again."
  (if (not (and (get-buffer-window (current-buffer) t) (midflight-connection-open-p)))
      (midflight-version-list--look-later midflight-version-list--seconds)
    (let* ((asked (float-time))
           (again (lambda (&rest _)
                    (midflight-version-list--look-later
                     (max midflight-version-list--seconds
                          (* midflight-version-list--rest (- (float-time) asked)))))))
      (midflight-connection-call
       'code/history (list midflight-version-list--module)
       (lambda (history)
         (midflight-version-list--fill history)
         (funcall again))
       again))))

(defun midflight-version-list--loaded (root report)
  "Refresh the list that a load in the project at ROOT concerns.
REPORT is the report of the load."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (and (derived-mode-p 'midflight-versions-mode)
                 (equal midflight-connection-buffer-root root)
                 (equal midflight-version-list--module (plist-get report :module))
                 (midflight-connection-open-p))
        (midflight-version-list--revert)))))

;;;; Choose versions

(defun midflight-version-list--row (version)
  "Return the plist of VERSION, or nil."
  (cl-find version midflight-version-list--rows
           :key (lambda (row) (plist-get row :version))))

(defun midflight-version-list--at-point ()
  "Return the number of the version at point, or signal an error."
  (or (tabulated-list-get-id)
      (midflight-user-error "There is no version on this line; nothing was done")))

(defun midflight-version-list--current ()
  "Return the number of the current version, or signal an error."
  (or (plist-get (cl-find-if (lambda (row) (plist-get row :current)) midflight-version-list--rows)
                 :version)
      (midflight-user-error "%s has no current version; it was deleted; load it first"
                            midflight-version-list--module)))

(defun midflight-versions-mark ()
  "Mark the version at point, or unmark it if it is marked; go to the next line."
  (interactive)
  (let ((version (midflight-version-list--at-point)))
    (setq midflight-version-list--marked
          (if (memq version midflight-version-list--marked)
              (delq version midflight-version-list--marked)
            ;; Two can be compared: a third mark takes the place of the oldest.
            (seq-take (cons version midflight-version-list--marked) 2)))
    (midflight-version-list--show-marks)
    (forward-line 1)))

(defun midflight-versions-unmark-all ()
  "Unmark all versions."
  (interactive)
  (setq midflight-version-list--marked nil)
  (midflight-version-list--show-marks))

(defun midflight-version-list--show-marks ()
  "Put a star before each version in `midflight-version-list--marked'."
  (midflight-star-rows (lambda (version) (memq version midflight-version-list--marked))))

(defun midflight-version-list--pair ()
  "Return two versions to compare, the older first.
They are the marked versions.  With one mark, they are that version and
the version at point; without marks, the version at point and the current
version, or the version before the current one."
  (let* ((here (midflight-version-list--at-point))
         (pair (pcase midflight-version-list--marked
                 (`(,a ,b) (list a b))
                 (`(,a) (list a here))
                 (_ (midflight-version-list--with-current here)))))
    (when (eql (car pair) (cadr pair))
      (midflight-user-error "There is only one version to compare; mark two with SPC"))
    (sort pair #'<)))

(defun midflight-version-list--with-current (version)
  "Return VERSION and the version to compare it with.
That is the current version, or the version before the current one."
  (let ((current (midflight-version-list--current)))
    (if (/= version current)
        (list version current)
      (let ((before (cl-remove-if-not (lambda (number) (< number version))
                                      (mapcar (lambda (row) (plist-get row :version))
                                              midflight-version-list--rows))))
        (unless before
          (midflight-user-error "There is no other version of %s to compare with"
                                midflight-version-list--module))
        (list (apply #'max before) version)))))

;;;; Texts

(defun midflight-versions-source ()
  "Show the text of the version at point, read-only."
  (interactive)
  (midflight-version-get-source midflight-version-list--module (midflight-version-list--at-point)
                                #'pop-to-buffer))

(defun midflight-versions-diff ()
  "Show how the version at point differs from the current one.
On the current version, show what it changed."
  (interactive)
  (pcase-let ((`(,a ,b) (sort (midflight-version-list--with-current (midflight-version-list--at-point))
                              #'<)))
    (midflight-version-diff midflight-version-list--module a b)))

(defun midflight-versions-diff-marked ()
  "Show how the two marked versions differ, or the marked one and that at point."
  (interactive)
  (pcase-let ((`(,a ,b) (midflight-version-list--pair)))
    (midflight-version-diff midflight-version-list--module a b)))

(defun midflight-versions-ediff ()
  "Compare two versions in Ediff, the same as `midflight-versions-diff-marked'."
  (interactive)
  (pcase-let ((`(,a ,b) (midflight-version-list--pair)))
    (midflight-version-ediff-texts midflight-version-list--module a b)))

;;;; Change something

(defun midflight-versions-roll-back ()
  "Load the text of the version at point as a new version, after a question."
  (interactive)
  (let ((module midflight-version-list--module)
        (version (midflight-version-list--at-point)))
    (when (yes-or-no-p (format "Load the text of version %d of %s as its new version? "
                               version module))
      (midflight-code-roll-back module version))))

;;;###autoload
(defun midflight-roll-back (&optional module)
  "Load the text of MODULE's version before the current one as a new version.
Interactively, MODULE is that of this buffer, and Emacs asks first.  In the
list of \\<midflight-mode-map>\\[midflight-versions] you can choose any version."
  (interactive)
  (let ((module (or module (midflight-version-list--module-of-buffer))))
    (when (or (not (called-interactively-p 'any))
              (yes-or-no-p (format "Roll %s back to its previous version? "
                                   (file-name-base module))))
      (midflight-server-ensure
       (lambda ()
         (midflight-connection-call
          'code/history (list module)
          (lambda (history)
            (midflight-code-roll-back (plist-get history :module) nil))))))))

(defun midflight-versions-processes ()
  "Show the runtime processes of this module."
  (interactive)
  (midflight-processes midflight-version-list--module))

(defun midflight-version-list--refresher ()
  "Return a function that asks for this list again, if its buffer lives."
  (midflight-connection-in-buffer (current-buffer) #'midflight-version-list--revert))

(defun midflight-versions-why-alive ()
  "Show why the version at point is in memory.
The server looks at all its objects to find out, and runtime processes
wait meanwhile: half a second for a million objects."
  (interactive)
  (midflight-version-why-alive midflight-version-list--module
                               (midflight-version-list--at-point)
                               (midflight-version-list--refresher)))

(defun midflight-versions-move ()
  "Move the idle processes in older versions to the current one.
A process is moved if it waits at the receive that its function begins
with, and has no state except the parameters of that function.  The report
says why each of the other processes stays."
  (interactive)
  (midflight-version-move midflight-version-list--module
                          (midflight-version-list--refresher)))

(defun midflight-versions-soft-purge ()
  "Say whether the old versions are gone; drop those without a process."
  (interactive)
  (midflight-version-soft-purge midflight-version-list--module
                                (midflight-version-list--refresher)))

(defun midflight-versions-purge ()
  "List the processes that a purge of the old versions would end, and ask.
A purge ends the processes in old versions, with reason killed."
  (interactive)
  (midflight-purge midflight-version-list--module (midflight-version-list--refresher)))

(provide 'midflight-version-list)
;;; midflight-version-list.el ends here
