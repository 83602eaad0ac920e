;;; midflight-versions.el --- The versions of a module  -*- lexical-binding: t; -*-

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

(require 'easymenu)
(require 'seq)
(require 'tabulated-list)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-code)
(require 'midflight-purge)
(require 'midflight-version-rows)
(require 'midflight-version-view)

(declare-function midflight-processes "midflight-process-list" (&optional filter))

(defvar-local midflight-versions--module nil "The module of this buffer, by name.")
(defvar-local midflight-versions--rows nil
  "The versions of the module, plists as the server sends them, oldest first.")
(defvar-local midflight-versions--marked nil
  "The numbers of the marked versions, the last marked first.")

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
\\<midflight-versions-mode-map>\\[midflight-versions-why-alive] explains; or `gone'.  The text of a version that is gone is
kept, so it can be read, compared and rolled back to.

\\{midflight-versions-mode-map}"
  (setq tabulated-list-format [("Version" 7 midflight-version-rows-by-number :right-align t)
                               ("State" 9 t)
                               ("Procs" 5 midflight-version-rows-by-processes :right-align t)
                               ("Loaded" 16 t)
                               ("By" 28 t)
                               ("vsn" 10 t)
                               ("Changes" 0 t)]
        tabulated-list-padding 2
        tabulated-list-sort-key nil)
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-versions--revert)
  (add-hook 'midflight-loaded-functions #'midflight-versions--loaded))

;;;; Show the list

;;;###autoload
(defun midflight-versions (&optional module)
  "Show the versions of MODULE: its client, its time and its processes.
MODULE is a dotted name or a file.  Interactively, it is the module of this
buffer; if this buffer does not visit a Python file, ask for one."
  (interactive)
  (let ((module (or module (midflight-versions--module-of-buffer))))
    (midflight-server-ensure
     (lambda ()
       (midflight-connection-call
        'code/history (list module)
        (lambda (history) (pop-to-buffer (midflight-versions--show history))))))))

(defun midflight-versions--module-of-buffer ()
  "Return the module of this buffer, a name or a file; ask if necessary."
  (cond (midflight-versions--module)
        ((and buffer-file-name (derived-mode-p 'python-mode 'python-base-mode))
         (file-truename buffer-file-name))
        (t (let ((name (read-string "Versions of module: ")))
             (if (equal name "")
                 (midflight-user-error "No module named; nothing was done")
               name)))))

(defun midflight-versions--buffer-name (module)
  "Return the name of the list of MODULE of the current buffer's project."
  (format "*midflight-versions %s for %s*" module
          (midflight-connection-project (midflight-connection-of-buffer))))

(defun midflight-versions--show (history)
  "Put HISTORY, the server's plist, into its buffer and return the buffer."
  (let ((root (midflight-connection-root-of-buffer))
        (module (plist-get history :module)))
    (with-current-buffer (get-buffer-create (midflight-versions--buffer-name module))
      (unless (derived-mode-p 'midflight-versions-mode)
        (midflight-versions-mode))
      (setq midflight-connection-buffer-root root
            midflight-versions--module module
            default-directory (file-name-as-directory root))
      (midflight-versions--fill history)
      (current-buffer))))

(defun midflight-versions--fill (history)
  "Fill the list from HISTORY, newest version first; keep point."
  (let ((was-empty (null midflight-versions--rows)))
    (setq midflight-versions--rows (plist-get history :versions)
          midflight-versions--marked
          (cl-remove-if-not #'midflight-versions--row midflight-versions--marked)
          tabulated-list-entries
          (mapcar #'midflight-version-rows-entry (reverse midflight-versions--rows)))
    (tabulated-list-print t)
    (midflight-versions--show-marks)
    (when was-empty
      (goto-char (point-min)))))

(defun midflight-versions--revert (&rest _)
  "Ask the server for this list again."
  (midflight-connection-call 'code/history (list midflight-versions--module)
                             #'midflight-versions--fill))

(defun midflight-versions--loaded (root report)
  "Refresh the list that a load in the project at ROOT concerns.
REPORT is the report of the load."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (and (derived-mode-p 'midflight-versions-mode)
                 (equal midflight-connection-buffer-root root)
                 (equal midflight-versions--module (plist-get report :module))
                 (midflight-connection-open-p))
        (midflight-versions--revert)))))

;;;; Choose versions

(defun midflight-versions--row (version)
  "Return the plist of VERSION, or nil."
  (cl-find version midflight-versions--rows
           :key (lambda (row) (plist-get row :version))))

(defun midflight-versions--at-point ()
  "Return the number of the version at point, or signal an error."
  (or (tabulated-list-get-id)
      (midflight-user-error "There is no version on this line; nothing was done")))

(defun midflight-versions--current ()
  "Return the number of the current version, or signal an error."
  (or (plist-get (cl-find-if (lambda (row) (plist-get row :current)) midflight-versions--rows)
                 :version)
      (midflight-user-error "%s has no current version; it was deleted; load it first"
                            midflight-versions--module)))

(defun midflight-versions-mark ()
  "Mark the version at point, or unmark it if it is marked; go to the next line."
  (interactive)
  (let ((version (midflight-versions--at-point)))
    (setq midflight-versions--marked
          (if (memq version midflight-versions--marked)
              (delq version midflight-versions--marked)
            ;; Two can be compared: a third mark takes the place of the oldest.
            (seq-take (cons version midflight-versions--marked) 2)))
    (midflight-versions--show-marks)
    (forward-line 1)))

(defun midflight-versions-unmark-all ()
  "Unmark all versions."
  (interactive)
  (setq midflight-versions--marked nil)
  (midflight-versions--show-marks))

(defun midflight-versions--show-marks ()
  "Put a star before each version in `midflight-versions--marked'."
  (save-excursion
    (goto-char (point-min))
    (while (not (eobp))
      (when (tabulated-list-get-id)
        (tabulated-list-put-tag
         (if (memq (tabulated-list-get-id) midflight-versions--marked) "*" " ")))
      (forward-line 1))))

(defun midflight-versions--pair ()
  "Return two versions to compare, the older first.
They are the marked versions.  With one mark, they are that version and
the version at point; without marks, the version at point and the current
version, or the version before the current one."
  (let* ((here (midflight-versions--at-point))
         (pair (pcase midflight-versions--marked
                 (`(,a ,b) (list a b))
                 (`(,a) (list a here))
                 (_ (midflight-versions--with-current here)))))
    (when (eql (car pair) (cadr pair))
      (midflight-user-error "That is one version; mark two with SPC to compare them"))
    (sort pair #'<)))

(defun midflight-versions--with-current (version)
  "Return VERSION and the version to compare it with.
That is the current version, or the version before the current one."
  (let ((current (midflight-versions--current)))
    (if (/= version current)
        (list version current)
      (let ((before (cl-remove-if-not (lambda (number) (< number version))
                                      (mapcar (lambda (row) (plist-get row :version))
                                              midflight-versions--rows))))
        (unless before
          (midflight-user-error "There is no other version of %s to compare with"
                                midflight-versions--module))
        (list (apply #'max before) version)))))

;;;; Texts

(defun midflight-versions-source ()
  "Show the text of the version at point, read-only."
  (interactive)
  (midflight-version-view-get-source midflight-versions--module (midflight-versions--at-point)
                                  #'pop-to-buffer))

(defun midflight-versions-diff ()
  "Show how the version at point differs from the current one.
On the current version, show what it changed."
  (interactive)
  (pcase-let ((`(,a ,b) (sort (midflight-versions--with-current (midflight-versions--at-point))
                              #'<)))
    (midflight-version-view-diff midflight-versions--module a b)))

(defun midflight-versions-diff-marked ()
  "Show how the two marked versions differ, or the marked one and that at point."
  (interactive)
  (pcase-let ((`(,a ,b) (midflight-versions--pair)))
    (midflight-version-view-diff midflight-versions--module a b)))

(defun midflight-versions-ediff ()
  "Compare two versions in Ediff, the same as `midflight-versions-diff-marked'."
  (interactive)
  (pcase-let ((`(,a ,b) (midflight-versions--pair)))
    (midflight-version-view-ediff midflight-versions--module a b)))

;;;; Why a version is alive

(defun midflight-versions-why-alive ()
  "Show why the version at point is in memory.
The server looks at all its objects to find out, and runtime processes
wait meanwhile: half a second for a million objects."
  (interactive)
  (let ((module midflight-versions--module)
        (version (midflight-versions--at-point)))
    (message "Midflight: looking for what keeps %s version %d..." module version)
    (midflight-connection-call
     'code/why-alive (list module version)
     (lambda (answer)
       (message nil)
       (midflight-version-view-show-text
        (format "*midflight-why %s@%d*" module version) (plist-get answer :text))
       (midflight-versions--revert)))))

;;;; Change something

(defun midflight-versions-roll-back ()
  "Load the text of the version at point as a new version, after a question."
  (interactive)
  (let ((module midflight-versions--module)
        (version (midflight-versions--at-point)))
    (when (yes-or-no-p (format "Load the text of version %d of %s as its new version? "
                               version module))
      (midflight-versions--load-back module version))))

(defun midflight-versions--load-back (module version)
  "Load the text of VERSION of MODULE as a new version and show the report."
  (message "Midflight: loading version %s of %s again..." (or version "before this") module)
  (midflight-connection-call
   'code/rollback (list module version)
   (lambda (report)
     (midflight-code-show report
                          (lambda () (midflight-versions--load-back module version))))))

;;;###autoload
(defun midflight-roll-back (&optional module)
  "Load the text of MODULE's version before the current one as a new version.
Interactively, MODULE is that of this buffer, and Emacs asks first.  In the
list of \\<midflight-mode-map>\\[midflight-versions] you can choose any version."
  (interactive)
  (let ((module (or module (midflight-versions--module-of-buffer))))
    (when (or (not (called-interactively-p 'any))
              (yes-or-no-p (format "Roll %s back to the version before? "
                                   (file-name-base module))))
      (midflight-server-ensure
       (lambda ()
         (midflight-connection-call
          'code/history (list module)
          (lambda (history)
            (midflight-versions--load-back (plist-get history :module) nil))))))))

(defun midflight-versions-move ()
  "Move the idle processes in older versions to the current one.
A process is moved if it waits at the receive that its function begins
with, and has no state except the parameters of that function.  The report
says why each of the other processes stays."
  (interactive)
  (let ((list (current-buffer)))
    (midflight-connection-call
     'code/move (list midflight-versions--module)
     (lambda (report)
       (message "%s" (plist-get report :summary))
       (when (plist-get report :not-moved)
         (midflight-version-view-show-text (format "*midflight-move %s*" (plist-get report :module))
                                        (plist-get report :text)))
       (with-current-buffer list
         (midflight-versions--revert))))))

(defun midflight-versions-soft-purge ()
  "Say whether the old versions are gone; drop those without a process."
  (interactive)
  (let ((module midflight-versions--module))
    (midflight-connection-call
     'code/soft-purge (list module)
     (lambda (is-gone)
       (message (if is-gone
                    "Midflight: no process runs an old version of %s"
                  "Midflight: processes run old versions of %s, which stay; m moves the idle ones, p ends them")
                module)
       (midflight-versions--revert)))))

(defun midflight-versions-processes ()
  "Show the runtime processes of this module."
  (interactive)
  (if (fboundp 'midflight-processes)
      (midflight-processes midflight-versions--module)
    (midflight-user-error "There is no list of processes in this Emacs")))

(defun midflight-versions-purge ()
  "List the processes that a purge of the old versions would end, and ask.
A purge ends the processes in old versions, with reason killed."
  (interactive)
  (let ((list (current-buffer)))
    (midflight-purge midflight-versions--module
                     (lambda ()
                       (when (buffer-live-p list)
                         (with-current-buffer list
                           (midflight-versions--revert)))))))

(provide 'midflight-versions)
;;; midflight-versions.el ends here
