;;; midflight-version.el --- Commands on the versions of a module  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The text of any version of a module in a buffer of its own, counter@3.py,
;; read-only; the difference of two as a diff; and two of them in Ediff.  Texts
;; come from the server, which keeps the last hundred of a module.
;;
;; Then the commands on old versions: to move their idle processes, to drop the
;; versions without a process, and the question before a purge, which ends every
;; runtime process that has a frame in an old version.  The server first names
;; these processes, Emacs lists them, and only y in that list runs the purge.
;; Nothing asks in the minibuffer, because the server may answer while the user
;; types.

;;; Code:

(require 'midflight-connection)

(declare-function ediff-buffers "ediff" (buffer-a buffer-b &optional startup-hooks job-name))

(defvar-local midflight-version--shown nil
  "The contents of this buffer: server's process id, module, version or versions.")

(defun midflight-version--server ()
  "Return the process id of the server of this buffer.
A new server has new texts."
  (plist-get (midflight-connection-info (midflight-connection-of-buffer)) :pid))

(defun midflight-version-get-source (module version callback)
  "Call CALLBACK with a buffer of the text of VERSION of MODULE, read-only."
  (let* ((root (midflight-connection-root-of-buffer))
         (shown (list (midflight-version--server) module version))
         (name (format "%s@%s.py" module version))
         (old (cl-find-if (lambda (buffer)
                            (and (buffer-local-value 'midflight-version-source-mode buffer)
                                 (equal (buffer-local-value 'midflight-version--shown buffer)
                                        shown)))
                          (buffer-list))))
    (if old
        (funcall callback old)
      (midflight-connection-call
       'code/source (list module version)
       (lambda (text)
         (with-current-buffer (generate-new-buffer name)
           (insert text)
           (goto-char (point-min))
           (set-buffer-modified-p nil)
           ;; `python-mode' would look for a Python to guess indentation by.
           (delay-mode-hooks (python-mode))
           (font-lock-mode 1)
           (setq midflight-connection-buffer-root root
                 midflight-version--shown shown
                 default-directory (file-name-as-directory root))
           (midflight-version-source-mode 1)
           (funcall callback (current-buffer))))))))

(defvar midflight-version-source-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map "q" #'quit-window)
    (define-key map "?" #'describe-mode)
    map)
  "Keymap for the text of a version.")

(define-minor-mode midflight-version-source-mode
  "Minor mode for the text of one version of a module, which is read-only.

\\{midflight-version-source-mode-map}"
  :lighter " Version"
  :keymap midflight-version-source-mode-map
  (setq buffer-read-only midflight-version-source-mode
        header-line-format
        (and midflight-version-source-mode
             (format " %s version %s, read-only; q leaves"
                     (nth 1 midflight-version--shown) (nth 2 midflight-version--shown)))))

(defvar midflight-version-diff-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map "e" #'midflight-version-ediff)
    (define-key map "q" #'quit-window)
    map)
  "Keymap for the difference of two versions.")

(define-minor-mode midflight-version-diff-mode
  "Minor mode for the difference of two versions of a module.

\\{midflight-version-diff-mode-map}"
  :lighter " Versions"
  :keymap midflight-version-diff-mode-map)

(defun midflight-version-diff (module a b)
  "Show how the texts of versions A and B of MODULE differ."
  (let ((root (midflight-connection-root-of-buffer)))
    (midflight-connection-call
     'code/diff (list module a b)
     (lambda (text)
       (if (member text '(nil ""))
           (message "Midflight: versions %d and %d of %s have the same text" a b module)
         (with-current-buffer (get-buffer-create
                               (format "*midflight-diff %s %d %d*" module a b))
           (let ((inhibit-read-only t))
             (erase-buffer)
             (insert text))
           ;; Before the mode: newer versions of Emacs choose the short keys by it there.
           (setq buffer-read-only t)
           (diff-mode)
           (setq midflight-connection-buffer-root root
                 midflight-version--shown
                 (list (midflight-version--server) module a b))
           (setq-local revert-buffer-function #'midflight-version--diff-again)
           (midflight-version-diff-mode 1)
           (goto-char (point-min))
           (pop-to-buffer (current-buffer))))))))

(defun midflight-version--diff-again (&rest _)
  "Show this difference again, from the server's current texts."
  (pcase-let ((`(,_ ,module ,a ,b) midflight-version--shown))
    (midflight-version-diff module a b)))

(defun midflight-version-ediff-texts (module a b)
  "Compare versions A and B of MODULE in Ediff."
  (midflight-version-get-source
   module a
   (lambda (old)
     (midflight-version-get-source
      module b (lambda (new) (ediff-buffers old new))))))

(defun midflight-version-ediff ()
  "Compare the versions of this difference in Ediff."
  (interactive)
  (pcase-let ((`(,_ ,module ,a ,b) midflight-version--shown))
    (midflight-version-ediff-texts module a b)))

(defun midflight-version-show-text (name text)
  "Show TEXT in the buffer NAME, in a low window, and return the buffer."
  (let ((root (midflight-connection-root-of-buffer)))
    (with-current-buffer (get-buffer-create name)
      (special-mode)
      (setq midflight-connection-buffer-root root
            word-wrap t)
      (let ((inhibit-read-only t))
        (erase-buffer)
        (insert text))
      (goto-char (point-min))
      (display-buffer (current-buffer)
                      `((display-buffer-reuse-window display-buffer-below-selected)
                        (window-height . ,(lambda (window)
                                            (fit-window-to-buffer window 15 4)))))
      (current-buffer))))

;;;; Move and purge

(defun midflight-version-why-alive (module version done)
  "Show why VERSION of MODULE is in memory; then call DONE."
  (message "Midflight: looking for what keeps %s version %d..." module version)
  (midflight-connection-call
   'code/why-alive (list module version)
   (lambda (answer)
     (message nil)
     (midflight-version-show-text
      (format "*midflight-why %s@%d*" module version) (plist-get answer :text))
     (funcall done))))

(defun midflight-version-move (module done)
  "Move the idle processes in old versions of MODULE to the current; call DONE."
  (midflight-connection-call
   'code/move (list module)
   (lambda (report)
     (message "%s" (plist-get report :summary))
     (when (plist-get report :not-moved)
       (midflight-version-show-text (format "*midflight-move %s*" (plist-get report :module))
                                    (plist-get report :text)))
     (funcall done))))

(defun midflight-version-soft-purge (module done)
  "Drop the old versions of MODULE that have no process; then call DONE."
  (midflight-connection-call
   'code/soft-purge (list module)
   (lambda (is-gone)
     (message (if is-gone
                  "Midflight: no process runs an old version of %s"
                "Midflight: processes run old versions of %s, which stay; m moves the idle ones, p ends them")
              module)
     (funcall done))))

(defvar-local midflight-version--purge-module nil "The module that this buffer asks about.")
(defvar-local midflight-version--purge-done nil "Function to call after the purge, or nil.")


(defvar midflight-purge-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map "y" #'midflight-purge-confirm)
    (define-key map "n" #'quit-window)
    map)
  "Keymap of `midflight-purge-mode'.")

(define-derived-mode midflight-purge-mode special-mode "Midflight-Purge"
  "Major mode for the question whether to end the processes in old versions.

\\{midflight-purge-mode-map}"
  (setq-local revert-buffer-function #'midflight-version--purge-revert))

(defun midflight-purge (module &optional done)
  "List the processes that a purge of MODULE's old versions would end, and ask.
A purge ends the processes in old versions, with reason killed.  DONE, if
non-nil, is called without arguments after it."
  (midflight-connection-call
   'code/lingering (list module)
   (lambda (answer)
     (if (eql 0 (plist-get answer :total))
         (message "Midflight: no process runs an old version of %s; no process has to end"
                  module)
       (pop-to-buffer (midflight-version--purge-ask module answer done))))))

(defun midflight-version--purge-ask (module answer done)
  "Return a buffer that asks whether to end the processes of MODULE in ANSWER.
DONE is called after the purge."
  (let ((root (midflight-connection-root-of-buffer))
        (total (plist-get answer :total))
        (rows (plist-get answer :processes)))
    (with-current-buffer (get-buffer-create (format "*midflight-purge %s*" module))
      (midflight-purge-mode)
      (setq midflight-connection-buffer-root root
            midflight-version--purge-module module
            midflight-version--purge-done done)
      (let ((inhibit-read-only t))
        (erase-buffer)
        (insert (format "A purge of %s ends %d process%s, with the state of each:\n\n"
                        module total (if (eql total 1) "" "es")))
        (dolist (row rows)
          (insert (format "  %-12s %-16s version %-4s at %s:%s\n"
                          (plist-get row :pid) (or (plist-get row :name) "")
                          (plist-get row :version) (plist-get row :function)
                          (plist-get row :line))))
        (when (> total (length rows))
          (insert (format "  and %d more\n" (- total (length rows)))))
        (insert "\nEnd them?  y: yes, n: no, g: look again\n"))
      (goto-char (point-min))
      (current-buffer))))

(defun midflight-version--purge-revert (&rest _)
  "Look again which processes a purge would end."
  (let ((module midflight-version--purge-module)
        (done midflight-version--purge-done))
    (midflight-connection-call
     'code/lingering (list module)
     (lambda (answer) (midflight-version--purge-ask module answer done)))))

(defun midflight-purge-confirm ()
  "End the processes in old versions of this buffer's module."
  (interactive)
  (let ((module midflight-version--purge-module)
        (done midflight-version--purge-done))
    (midflight-connection-call
     'code/purge (list module)
     (lambda (pids)
       (message "Midflight: %s ended in old versions of %s%s"
                (if pids (format "%d process%s" (length pids) (if (cdr pids) "es" "")) "no process")
                module
                (if pids (format ": %s" (string-join (seq-take pids 10) " ")) ""))
       (when done
         (funcall done))))
    (quit-window)))

(provide 'midflight-version)
;;; midflight-version.el ends here
