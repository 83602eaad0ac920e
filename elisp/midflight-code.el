;;; midflight-code.el --- Load code into the running system  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The steps of a load:
;;
;; 1. `midflight-load-buffer' takes the text of the buffer, saved or not; with
;;    a prefix argument midflight-preview first shows what the load would do.
;; 2. A server and a shell are started if none runs; Emacs does not wait.
;; 3. The server gets the text and the path, and answers with a report.  If it
;;    refuses the code, the report says why, and the previous version stays
;;    current.
;; 4. The report's summary goes to the echo area, the full report to the report
;;    buffer, its diagnostics to Flymake and `next-error'.
;; 5. `midflight-loaded-functions' tell the buffers that show the running code.
;;
;; The other loads take the same steps: a load of another file, of all modified
;; modules, of the modules that keep older names, of an earlier version.  So
;; does a check without a load.  The server says which code was loaded and which
;; processes it affects; this file shows that.
;;
;; The server puts the definition around point into the running text, and loads
;; the result as the module's next version.  Other edits of the buffer stay out;
;; the echo area names them.  The server finds the definition, so the rest of the
;; buffer may be incomplete.

;;; Code:

(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-flymake)
(require 'midflight-report)
(require 'midflight-shell)
(require 'midflight-process)

(declare-function midflight-preview-buffer "midflight-preview" (path text))

(defcustom midflight-save-before-load 'ask
  "Whether a buffer is saved before it is loaded.
The text of the buffer is loaded, saved or not.  If you are asked, the
answer holds for the buffer as long as it lives."
  :type '(choice (const :tag "Ask first" ask)
                 (const :tag "Save it" t)
                 (const :tag "Do not save it" nil))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defcustom midflight-display-report 'failed
  "Condition on which the report buffer is displayed after a load."
  :type '(choice (const :tag "When the load failed" failed)
                 (const :tag "Always" t)
                 (const :tag "Never" nil))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defvar midflight-loaded-functions nil
  "Functions called when another version of a module has become current.
They get the project root and the report of the server, a plist.")

;;;; The text to load

(defun midflight-code-path ()
  "Return the file of this buffer, as the server knows it, or signal an error."
  (midflight-connection-path
   (or (midflight-connection-file)
       (midflight-user-error "This buffer visits no file; nothing was loaded; save it to one first"))))

(defun midflight-code-text ()
  "Return the whole text of this buffer."
  (save-restriction
    (widen)
    (buffer-substring-no-properties (point-min) (point-max))))

(defvar-local midflight-code--save-answer nil
  "The answer of the user for this buffer: `save', `keep', or nil for not asked.")

(defun midflight-code-offer-save ()
  "Save the current buffer, by `midflight-save-before-load'.
Ask only once for a buffer."
  (when (and (buffer-modified-p)
             (pcase midflight-save-before-load
               ('ask
                (unless midflight-code--save-answer
                  (setq midflight-code--save-answer
                        (if (y-or-n-p (format "Save %s before each load (n: load it unsaved)? "
                                              (buffer-name)))
                            'save
                          'keep)))
                (eq midflight-code--save-answer 'save))
               (policy policy)))
    (save-buffer)))

(defun midflight-code--ensure-shell ()
  "Show a shell for this buffer's project, without selecting it, if there is none."
  (unless (midflight-shell-of (midflight-connection-root-of-buffer))
    (display-buffer (midflight-shell-ensure))))

(defun midflight-code-call (what method args callback &optional advice)
  "Call METHOD of the server with ARGS for a load of WHAT, a name to display.
Start a server and a shell if none runs.  CALLBACK gets the answer; if it
is nil the answer is shown, and `g' in the report makes the same call
again.  ADVICE is appended to the message about an error."
  (let ((callback (or callback
                      (lambda (report)
                        (midflight-code-show
                         report
                         (lambda () (midflight-code-call what method args nil))
                         nil
                         (lambda (part options)
                           (midflight-code-load (plist-get part :path) nil options)))))))
    (midflight-server-ensure
     (lambda ()
       (midflight-code--ensure-shell)
       (message (if (midflight-shell-busy-p)
                    "Midflight: %s is loaded after the evaluation that runs in the shell (%s interrupts it)"
                  "Midflight: loading %s...")
                what
                (substitute-command-keys "\\<midflight-mode-map>\\[midflight-interrupt]"))
       (midflight-connection-call
        method args callback
        (lambda (text)
          (midflight-connection-show-error
           (format "%s was not loaded: %s%s" what text
                   (if advice (concat " " (substitute-command-keys advice)) "")))))))))

;;;; Show the result

(defun midflight-code-show (report again &optional together fresh)
  "Show REPORT, the server's answer to a load, where it belongs.
REPORT is a plist.  AGAIN is a function that does the load again, TOGETHER
a function that does it together with a list of modules, FRESH one that
loads the module of a part of REPORT again, with options."
  (let* ((failed (equal (plist-get report :status) "failed"))
         (buffer (midflight-report-set report again together fresh)))
    (midflight-code--show-notes report)
    (if (if (eq midflight-display-report 'failed) failed midflight-display-report)
        (midflight-report-display buffer)
      (midflight-report-hide buffer))
    (midflight-code-note-load report)
    (message "%s%s" (midflight-report-in-keys (plist-get report :summary))
             (cond ((midflight-report-failures report)
                    (substitute-command-keys
                     "  Or \\<midflight-report-mode-map>\\[midflight-report-edit] in the report: edit that state"))
                   ((or failed (not together) (not (midflight-report-stale-modules report))) "")
                   (t
                    (substitute-command-keys
                     "; \\<midflight-mode-map>\\[midflight-show-report] offers to load those modules too"))))))

(defun midflight-code--show-notes (report)
  "Show the diagnostics of REPORT in the buffers that visit its files.
A diagnostic may be in the file of another module: an inherited
`code_change' is in the file of its base class."
  (let ((diagnostics (midflight-report-diagnostics report)))
    (dolist (path (delete-dups
                   (delq nil (mapcar (lambda (each) (plist-get each :path))
                                     (append (midflight-report-parts report) diagnostics)))))
      (let ((source (find-buffer-visiting path)))
        (when source
          (with-current-buffer source
            (midflight-flymake-set
             (cl-remove-if-not (lambda (diagnostic)
                                 (equal (plist-get diagnostic :path) path))
                               diagnostics)
             'load)))))))

(defun midflight-code-note-load (report)
  "Run `midflight-loaded-functions' with REPORT, the plist of a new version.
Every command that makes another version current calls this."
  (let ((root (midflight-connection-root-of-buffer)))
    (dolist (part (midflight-report-parts report))
      (when (equal (plist-get part :status) "loaded")
        (run-hook-with-args 'midflight-loaded-functions root part)))))

(defun midflight-code--loaded-elsewhere (connection report)
  "Show REPORT, a plist, of a load by somebody else on CONNECTION's server."
  (run-hook-with-args 'midflight-loaded-functions
                      (midflight-connection-root connection) report)
  (when (string-prefix-p "midflight watch" (or (plist-get report :by) ""))  ; of the file as it was saved
    (midflight-code--show-notes report))
  (message "%s (by %s)" (plist-get report :summary)
           (or (plist-get report :by) "another editor")))

(setf (alist-get 'code/loaded midflight-connection-handlers)
      #'midflight-code--loaded-elsewhere)

(defun midflight-code--refused-elsewhere (_connection report)
  "Show REPORT, a plist, of a load of saved files that was refused."
  (midflight-code--show-notes report)
  (message "%s (by %s)" (plist-get report :summary) (plist-get report :by)))

(setf (alist-get 'code/refused midflight-connection-handlers)
      #'midflight-code--refused-elsewhere)

(defun midflight-code--show-stale (_connection call)
  "Show CALL, a plist: a function of an older version that ran after a load."
  (message "Midflight: %s" (plist-get call :text)))

(setf (alist-get 'code/stale midflight-connection-handlers)
      #'midflight-code--show-stale)

(defun midflight-code--show-progress (_connection load)
  "Display the progress of LOAD, a plist: a load of this Emacs that takes long."
  (message "Midflight: %s; %s breaks it off" (plist-get load :text)
           (substitute-command-keys "\\<midflight-mode-map>\\[midflight-interrupt]")))

(setf (alist-get 'code/progress midflight-connection-handlers)
      #'midflight-code--show-progress)

;;;; Commands

;;;###autoload
(defun midflight-load-buffer (&optional preview)
  "Load this buffer into the running system, as its module's new version.
Runtime processes keep running and keep their state.  The text of the
buffer is loaded, saved or not (`midflight-save-before-load').  Start a
server and a shell if none runs (`midflight-auto-start').  Code that cannot
be loaded changes nothing: see the report, Flymake and `next-error'.

With prefix argument PREVIEW, first show what the load would do.  You can
then load the text, also move idle runtime processes, or drop the preview."
  (interactive "P")
  (midflight-collecting-later
    (let ((path (midflight-code-path)))
      (if preview
          (midflight-preview-buffer path (midflight-code-text))
        (midflight-code-offer-save)
        (midflight-code-load path (midflight-code-text) nil)))))

(defun midflight-code-load (path text options)
  "Load TEXT, or the text in the file PATH if nil, as the module of that file.
OPTIONS is a plist for the server; docs/protocol.md lists the keys."
  (midflight-code-call
   (file-name-nondirectory path) 'code/load (list path text options)
   (lambda (report)
     (midflight-code-show report
                          (lambda () (midflight-code--load-again path text))
                          (lambda (modules)
                            (midflight-code--load-together path text modules))
                          (lambda (_part options) (midflight-code-load path text options))))))

(defun midflight-code--load-again (path text)
  "Load the file PATH again; if TEXT is non-nil, the text of its buffer."
  (if text
      (with-current-buffer (find-file-noselect path)
        (midflight-load-buffer))
    (midflight-load-file path)))

(defun midflight-code--load-together (path text modules)
  "Load TEXT of the file PATH together with MODULES, a list of names."
  (midflight-code-call
   (format "%s with %s" (file-name-nondirectory path) (mapconcat #'identity modules ", "))
   'code/load-many (list (cons (if text (list path text) path) modules)) nil))

;;;###autoload
(defun midflight-load-file (file)
  "Load FILE, a Python file, as it is on disk, as its module's new version.
Load it into the server of the current buffer's project; if FILE belongs
to another project, ask first."
  (interactive
   (list (read-file-name "Load Python file: " nil buffer-file-name t)))
  (let ((path (midflight-connection-path file))
        (root (midflight-connection-root-of-buffer)))
    (unless (file-regular-p path)
      (midflight-user-error "%s is not a file; nothing was loaded" file))
    (unless (or (equal (midflight-connection-root-of-file path) root)
                (y-or-n-p (format "%s belongs to another project; load it into the server of %s? "
                                  (file-name-nondirectory path) (abbreviate-file-name root))))
      (midflight-user-error "%s was not loaded" file))
    (let ((buffer (find-buffer-visiting path)))
      (when buffer
        (with-current-buffer buffer (midflight-code-offer-save))))
    (midflight-code-load path nil nil)))

(defun midflight-load-modified ()
  "Load all loaded modules whose files differ from the running code, or none.
If a module defines a `code_change' for live servers, upgrade them: the
servers of all the modules, or none.  First offer to save the modified
buffers of this project."
  (interactive)
  (let ((root (midflight-connection-root-of-buffer)))
    (when midflight-save-before-load
      (save-some-buffers (eq midflight-save-before-load t)
                         (lambda ()
                           (and buffer-file-name (bound-and-true-p midflight-mode)
                                (midflight-connection-uses-p root))))))
  (midflight-code-call "modified modules" 'code/load-modified nil nil))

(defun midflight-check-buffer ()
  "Compile this buffer and check its text, without loading or running any of it.
The findings go to Flymake, the report and `next-error'."
  (interactive)
  (let ((path (midflight-code-path)))
    (midflight-server-ensure
     (lambda ()
       (midflight-connection-call
        'code/check (list path (midflight-code-text))
        (lambda (found)
          (midflight-report-hide
           (midflight-report-set found (lambda ()
                                         (with-current-buffer (find-file-noselect path)
                                           (midflight-check-buffer)))))
          (midflight-code--show-notes found)
          (message "%s" (midflight-report-in-keys (plist-get found :summary))))
        (lambda (text)
          (midflight-connection-show-error
           (format "%s was not checked: %s" (file-name-nondirectory path) text))))))))

(defun midflight-code-roll-back (module version)
  "Load the text of VERSION of MODULE as a new version and show the report."
  (message "Midflight: loading version %s of %s again..." (or version "before this") module)
  (midflight-connection-call
   'code/rollback (list module version)
   (lambda (report)
     (midflight-code-show report
                          (lambda () (midflight-code-roll-back module version))))))

;;;; Load one definition

;;;###autoload
(defun midflight-load-definition (&optional method)
  "Load the top-level statement around point into the running code.
It is a function or class with its decorators, an assignment, an import, or
a compound statement in which names are bound: in a method, the whole class.
With prefix argument METHOD, load only the method or attribute of a class
around point.  An assigned value is new, whatever the program has made of
the old one.  Other edits of the buffer stay out.  The module must have been
loaded before; \\<midflight-mode-map>\\[midflight-load-buffer] does that."
  (interactive "P")
  (let ((path (midflight-code-path))
        (line (save-restriction (widen) (line-number-at-pos))))
    (midflight-code-call
     (format "the definition at line %d of %s" line (file-name-nondirectory path))
     'code/define (list path (midflight-code-text) line (and method t))
     (lambda (report)
       (midflight-code-show report
                            (lambda ()
                              (with-current-buffer (find-file-noselect path)
                                (midflight-load-definition method)))))
     "\\<midflight-mode-map>\\[midflight-load-buffer] loads the whole buffer.")))

(provide 'midflight-code)
;;; midflight-code.el ends here
