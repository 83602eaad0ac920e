;;; midflight-purge.el --- End the processes in old versions, after a question  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The question before a purge, which ends every runtime process that has a
;; frame in an old version of a module.  The server first names these processes,
;; Emacs lists them, and only y in that list runs the purge.  Nothing asks in
;; the minibuffer, because the server may answer while the user types.

;;; Code:

(require 'midflight-connection)

(defvar-local midflight-purge--module nil "The module that this buffer asks about.")
(defvar-local midflight-purge--done nil "Function to call after the purge, or nil.")


(defvar midflight-purge-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map "y" #'midflight-purge-confirm)
    (define-key map "n" #'quit-window)
    map)
  "Keymap of `midflight-purge-mode'.")

(define-derived-mode midflight-purge-mode special-mode "Midflight-Purge"
  "Major mode for the question whether to end the processes in old versions.

\\{midflight-purge-mode-map}"
  (setq-local revert-buffer-function #'midflight-purge--revert))

(defun midflight-purge (module &optional done)
  "List the processes that a purge of MODULE's old versions would end, and ask.
A purge ends the processes in old versions, with reason killed.  DONE, if
non-nil, is called without arguments after it."
  (midflight-connection-call
   'code/lingering (list module)
   (lambda (answer)
     (if (eql 0 (plist-get answer :total))
         (message "Midflight: no process runs an old version of %s; there is nobody to end"
                  module)
       (pop-to-buffer (midflight-purge--ask module answer done))))))

(defun midflight-purge--ask (module answer done)
  "Return a buffer that asks whether to end the processes of MODULE in ANSWER.
DONE is called after the purge."
  (let ((root (midflight-connection-root-of-buffer))
        (total (plist-get answer :total))
        (rows (plist-get answer :processes)))
    (with-current-buffer (get-buffer-create (format "*midflight-purge %s*" module))
      (midflight-purge-mode)
      (setq midflight-connection-buffer-root root
            midflight-purge--module module
            midflight-purge--done done)
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

(defun midflight-purge--revert (&rest _)
  "Look again which processes a purge would end."
  (let ((module midflight-purge--module)
        (done midflight-purge--done))
    (midflight-connection-call
     'code/lingering (list module)
     (lambda (answer) (midflight-purge--ask module answer done)))))

(defun midflight-purge-confirm ()
  "End the processes in old versions of this buffer's module."
  (interactive)
  (let ((module midflight-purge--module)
        (done midflight-purge--done))
    (midflight-connection-call
     'code/purge (list module)
     (lambda (pids)
       (message "Midflight: %s ended in old versions of %s%s"
                (if pids (format "%d process%s" (length pids) (if (cdr pids) "es" "")) "nobody")
                module
                (if pids (format ": %s" (string-join (seq-take pids 10) " ")) ""))
       (when done
         (funcall done))))
    (quit-window)))

(provide 'midflight-purge)
;;; midflight-purge.el ends here
