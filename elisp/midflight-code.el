;;; midflight-code.el --- Load code into the running system  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The life of a load:
;;
;; 1. `midflight-load-buffer' takes the text of the buffer, saved or not.
;; 2. A server and a shell are started if none runs; Emacs does not wait.
;; 3. The server gets text and path, and answers with a report, also when it
;;    refuses the code: then the version before stays current.
;; 4. The report's summary goes to the echo area, the whole to the report
;;    buffer, its diagnostics to Flymake and `next-error'.
;;
;; What was loaded, and what that means for whom, is the server's to say; this
;; file shows it.

;;; Code:

(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-flymake)
(require 'midflight-report)
(require 'midflight-shell)
(require 'midflight-process)

(defcustom midflight-save-before-load 'ask
  "Whether a buffer is saved before it is loaded.
Its text is what is loaded, saved or not."
  :type '(choice (const :tag "Ask first" ask)
                 (const :tag "Save it" t)
                 (const :tag "Do not save it" nil))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defcustom midflight-display-report 'failed
  "When the report buffer is displayed after a load."
  :type '(choice (const :tag "When the load failed" failed)
                 (const :tag "Always" t)
                 (const :tag "Never" nil))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

;;;###autoload
(defun midflight-load-buffer ()
  "Load this buffer into the running system, as its module's new version.
Runtime processes keep running and keep their state.  The text of the
buffer is loaded, saved or not (`midflight-save-before-load').  Start a
server and a shell if none runs (`midflight-auto-start').  Code that cannot
be loaded changes nothing: see the report, Flymake and `next-error'."
  (interactive)
  (unless buffer-file-name
    (midflight-user-error "This buffer visits no file; nothing was loaded; save it to one first"))
  (midflight-code--offer-save)
  (let ((path (file-truename buffer-file-name))
        (text (save-restriction
                (widen)
                (buffer-substring-no-properties (point-min) (point-max)))))
    (midflight-server-ensure
     (lambda ()
       (midflight-code--ensure-shell)
       (midflight-code--load path text)))))

(defun midflight-code--offer-save ()
  "Save the current buffer, by `midflight-save-before-load'."
  (when (and (buffer-modified-p)
             (pcase midflight-save-before-load
               ('ask (y-or-n-p (format "Save %s first? " (buffer-name))))
               (policy policy)))
    (save-buffer)))

(defun midflight-code--ensure-shell ()
  "Show a shell for this buffer's project, without selecting it, if there is none."
  (unless (midflight-shell-of (midflight-connection-root-of-buffer))
    (display-buffer (midflight-shell-ensure))))

(defun midflight-code--load (path text)
  "Ask the server to load TEXT as the module of the file PATH."
  (message (if (midflight-shell-busy-p)
               "Midflight: %s is loaded after the evaluation that runs in the shell (%s interrupts it)"
             "Midflight: loading %s...")
           (file-name-nondirectory path)
           (substitute-command-keys "\\<midflight-mode-map>\\[midflight-interrupt]"))
  (midflight-connection-call
   'code/load (list path text nil)
   (lambda (report) (midflight-code--show path report))
   (lambda (text)
     (midflight-connection-show-error
      (format "%s was not loaded: %s" (file-name-nondirectory path) text)))))

(defun midflight-code--show (path report)
  "Show REPORT, the plist that the server answered to the load of PATH."
  (let* ((source (find-buffer-visiting path))
         (failed (equal (plist-get report :status) "failed"))
         (buffer (midflight-report-set
                  report
                  (lambda ()
                    (with-current-buffer (find-file-noselect path)
                      (midflight-load-buffer))))))
    (when source
      (with-current-buffer source
        (midflight-flymake-set
         (cl-remove-if-not (lambda (diagnostic)
                             (equal (plist-get diagnostic :path) path))
                           (plist-get report :diagnostics)))))
    (if (if (eq midflight-display-report 'failed) failed midflight-display-report)
        (midflight-report-display buffer)
      (midflight-report-hide buffer))
    (message "%s" (plist-get report :summary))))

(defun midflight-code--loaded-elsewhere (_connection report)
  "Show REPORT, a plist, of a load by somebody else."
  (message "%s (by %s)" (plist-get report :summary)
           (or (plist-get report :by) "another editor")))

(setf (alist-get 'code/loaded midflight-connection-handlers)
      #'midflight-code--loaded-elsewhere)

(provide 'midflight-code)
;;; midflight-code.el ends here
