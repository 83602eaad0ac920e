;;; midflight-version-view.el --- The text of a version, and how two differ  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The text of any version of a module in a buffer of its own, counter@3.py,
;; read-only; the difference of two as a diff; and two of them in Ediff.  Texts
;; come from the server, which keeps the last hundred of a module.

;;; Code:

(require 'midflight-connection)

(declare-function ediff-buffers "ediff" (buffer-a buffer-b &optional startup-hooks job-name))

(defvar-local midflight-version-view--shown nil
  "The contents of this buffer: server's process id, module, version or versions.")

(defun midflight-version-view--server ()
  "Return the process id of the server of this buffer.
A new server has new texts."
  (plist-get (midflight-connection-info (midflight-connection-of-buffer)) :pid))

(defun midflight-version-view-get-source (module version callback)
  "Call CALLBACK with a buffer of the text of VERSION of MODULE, read-only."
  (let* ((root (midflight-connection-root-of-buffer))
         (shown (list (midflight-version-view--server) module version))
         (name (format "%s@%s.py" module version))
         (old (cl-find-if (lambda (buffer)
                            (and (buffer-local-value 'midflight-version-source-mode buffer)
                                 (equal (buffer-local-value 'midflight-version-view--shown buffer)
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
                 midflight-version-view--shown shown
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
                     (nth 1 midflight-version-view--shown) (nth 2 midflight-version-view--shown)))))

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

(defun midflight-version-view-diff (module a b)
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
                 midflight-version-view--shown
                 (list (midflight-version-view--server) module a b))
           (setq-local revert-buffer-function #'midflight-version-view--diff-again)
           (midflight-version-diff-mode 1)
           (goto-char (point-min))
           (pop-to-buffer (current-buffer))))))))

(defun midflight-version-view--diff-again (&rest _)
  "Show this difference again, from the server's current texts."
  (pcase-let ((`(,_ ,module ,a ,b) midflight-version-view--shown))
    (midflight-version-view-diff module a b)))

(defun midflight-version-view-ediff (module a b)
  "Compare versions A and B of MODULE in Ediff."
  (midflight-version-view-get-source
   module a
   (lambda (old)
     (midflight-version-view-get-source
      module b (lambda (new) (ediff-buffers old new))))))

(defun midflight-version-ediff ()
  "Compare the versions of this difference in Ediff."
  (interactive)
  (pcase-let ((`(,_ ,module ,a ,b) midflight-version-view--shown))
    (midflight-version-view-ediff module a b)))

(defun midflight-version-view-show-text (name text)
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

(provide 'midflight-version-view)
;;; midflight-version-view.el ends here
