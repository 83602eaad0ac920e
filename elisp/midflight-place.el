;;; midflight-place.el --- Source of the version that runs  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A line of a runtime process is a line of the version that it runs.  So the
;; command that goes there first asks the server for the text of that version:
;;
;; 1. If the file has the same text, in its buffer or on disk, the file is
;;    shown, and can be edited.
;; 2. If the file has changed, the version's text is shown, read-only.
;; 3. Code without versions, for instance of a library, is shown in its file.

;;; Code:

(require 'midflight-connection)
(require 'midflight-version-view)

(defun midflight-place-show (place &optional no-select)
  "Show PLACE: a plist of :module, :version, :path and :line.
With NO-SELECT the window is not selected.  The text may come later."
  (let ((module (plist-get place :module))
        (version (plist-get place :version))
        (path (plist-get place :path))
        (line (plist-get place :line)))
    (cond
     ((and module version)
      (midflight-version-view-get-source
       module version
       (lambda (buffer)
         (midflight-place--display (midflight-place--same path buffer) line no-select))))
     ((and path (file-exists-p path))
      (midflight-place--display (find-file-noselect path) line no-select))
     (t
      (midflight-user-error "There is no source to show of %s"
                            (or path module "what runs there"))))))

(defun midflight-place--same (path buffer)
  "Return a buffer that visits PATH, if its text is that of BUFFER; else BUFFER.
Kill BUFFER if PATH is shown instead."
  (let* ((text (with-current-buffer buffer
                 (buffer-substring-no-properties (point-min) (point-max))))
         (visiting (and path (find-buffer-visiting path)))
         (file (cond
                (visiting
                 (and (midflight-place--text-p visiting text) visiting))
                ((and path (file-readable-p path)
                      (with-temp-buffer
                        (insert-file-contents path)
                        (midflight-place--text-p (current-buffer) text)))
                 (find-file-noselect path)))))
    (when (and file (not (eq file buffer)) (not (get-buffer-window buffer t)))
      (kill-buffer buffer))
    (or file buffer)))

(defun midflight-place--text-p (buffer text)
  "Return non-nil if all of BUFFER is TEXT."
  (with-current-buffer buffer
    (save-restriction
      (widen)
      (and (= (buffer-size) (length text))
           (equal (buffer-substring-no-properties (point-min) (point-max)) text)))))

(defun midflight-place--display (buffer line no-select)
  "Show LINE of BUFFER in another window, selected unless NO-SELECT."
  (let ((window (display-buffer buffer '(nil (inhibit-same-window . t)))))
    (unless window
      (setq window (selected-window))
      (set-window-buffer window buffer))
    (with-current-buffer buffer
      (let ((inside (save-restriction
                      (widen)
                      (save-excursion
                        (goto-char (point-min))
                        (forward-line (1- (max 1 (or line 1))))
                        (point)))))
        (unless (<= (point-min) inside (point-max))
          (widen))
        (goto-char inside))
      (set-window-point window (point)))
    (unless no-select
      (select-window window))))

(provide 'midflight-place)
;;; midflight-place.el ends here
