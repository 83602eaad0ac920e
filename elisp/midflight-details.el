;;; midflight-details.el --- Frames, values and pids in a view  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The parts of the views of a runtime process and of a crash: headings, pids as
;; buttons to other processes, values (long ones are folded), and frames, each a
;; button to its line in the version that ran.
;;
;; The place of a frame is shown in the file, if its text is still that of the
;; version; otherwise in the text of the version, which the server keeps.

;;; Code:

(require 'button)
(require 'cl-lib)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-version)

(declare-function midflight-process-view "midflight-process-view" (pid &optional section))

(defcustom midflight-details-fold 200
  "The most characters of a value in a view; the rest is behind a button."
  :type 'integer
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defvar-local midflight-details--frame -1
  "The number of the frame that `next-error' showed last.")

(define-button-type 'midflight-process
  'action (lambda (button) (midflight-process-view (button-get button 'midflight-pid)))
  'help-echo "RET: show this process")

(define-button-type 'midflight-frame
  'action (lambda (button) (midflight-details--visit-button button))
  'help-echo "RET: go to this line, in the version that ran")

(define-button-type 'midflight-fold
  'action (lambda (button) (funcall (button-get button 'midflight-unfold) button))
  'face 'shadow
  'help-echo "RET: show all of it")

(defun midflight-details-heading (text &optional section)
  "Insert TEXT as a heading; SECTION, a symbol, is its name to go to."
  (unless (or (bobp) (looking-back "\n\n" (max (point-min) (- (point) 2))))
    (insert "\n"))
  (insert (propertize (concat text "\n") 'face 'bold 'midflight-section section)))

(defun midflight-details-goto (section)
  "Go to the heading named SECTION; return non-nil if there is one."
  (let ((found (text-property-any (point-min) (point-max) 'midflight-section section)))
    (when found
      (goto-char found))))

(defun midflight-details-field (label &rest parts)
  "Insert a line of LABEL and PARTS; each a string, or a function to call."
  (insert (propertize (format "%-14s " label) 'face 'font-lock-keyword-face))
  (dolist (part parts)
    (if (functionp part) (funcall part) (insert part)))
  (insert "\n"))

(defun midflight-details-pid (kin)
  "Insert a button for KIN, a list of the pid and the name of a process."
  (pcase-let ((`(,pid ,name) kin))
    (insert-text-button pid 'type 'midflight-process 'midflight-pid pid)
    (when name
      (insert (format " (%s)" name)))))

(defun midflight-details-pids (kins total)
  "Insert buttons for KINS, of TOTAL processes."
  (let ((is-first t))
    (dolist (kin kins)
      (unless is-first
        (insert ", "))
      (setq is-first nil)
      (midflight-details-pid kin))
    (when (> (or total 0) (length kins))
      (insert (format " and %d more" (- total (length kins)))))))

;;;; Values

(defun midflight-details-value (text)
  "Insert TEXT, a printed value; fold the part beyond `midflight-details-fold'."
  (let ((limit midflight-details-fold))
    (if (<= (length text) limit)
        (insert (midflight-details--one-line text))
      (insert (midflight-details--one-line (substring text 0 limit)))
      (insert-text-button (format "… %d more characters" (- (length text) limit))
                          'type 'midflight-fold
                          'midflight-unfold
                          (lambda (button)
                            (midflight-details--replace
                             button
                             (lambda ()
                               (insert (midflight-details--one-line (substring text limit))))))))))

(defun midflight-details--one-line (text)
  "Return TEXT with its newlines written as in Python."
  (replace-regexp-in-string "\n" "\\n" text t t))

(defun midflight-details--replace (button insert)
  "Replace BUTTON by the output of INSERT, a function."
  (let ((inhibit-read-only t)
        (begin (button-start button))
        (end (copy-marker (button-end button))))
    (save-excursion
      (goto-char end)
      (funcall insert)
      (delete-region begin end))
    (set-marker end nil)
    (set-buffer-modified-p nil)))

(defun midflight-details-items (items indent)
  "Insert ITEMS, (NAME VALUE) each, a line each, INDENT columns in."
  (dolist (item items)
    (insert (make-string indent ?\s)
            (propertize (car item) 'face 'font-lock-variable-name-face) " = ")
    (midflight-details-value (cadr item))
    (insert "\n")))

;;;; Frames

(defun midflight-details-frames (frames)
  "Insert FRAMES, plists, outermost first, each with its line and its locals.
Fold the locals, and do not show Midflight's own frames."
  (let ((number 0))
    (dolist (frame frames)
      (unless (plist-get frame :ours)
        (midflight-details--insert-frame frame number)
        (setq number (1+ number))))
    (when (zerop number)
      (insert "  no frame of the program's\n"))))

(defun midflight-details--insert-frame (frame number)
  "Insert FRAME, the frame with that NUMBER."
  (let ((version (plist-get frame :version))
        (locals (plist-get frame :locals)))
    (insert "  ")
    (insert-text-button (format "%s:%d" (plist-get frame :function) (plist-get frame :line))
                        'type 'midflight-frame
                        'midflight-frame frame
                        'midflight-number number)
    (insert (format "  %s%s  %s\n" (plist-get frame :module)
                    (cond ((not version) "")
                          ((plist-get frame :current) (format " v%d" version))
                          (t (propertize (format " v%d, old" version)
                                         'face 'midflight-old-code)))
                    (propertize (abbreviate-file-name (or (plist-get frame :path) ""))
                                'face 'shadow)))
    (unless (member (plist-get frame :text) '(nil ""))
      (insert "    " (plist-get frame :text) "\n"))
    (when locals
      (insert "    ")
      (insert-text-button
       (format "%d local%s" (length locals) (if (cdr locals) "s" ""))
       'type 'midflight-fold
       'midflight-unfold
       (lambda (button)
         (midflight-details--replace
          button
          (lambda ()
            (insert (if (cdr locals) "locals" "local") "\n")
            (midflight-details-items locals 6)
            (delete-char -1)))))
      (insert "\n"))))

(defun midflight-details--visit-button (button &optional no-select)
  "Go to the line of the frame of BUTTON; with NO-SELECT stay in this window."
  (setq midflight-details--frame (button-get button 'midflight-number))
  (midflight-details-show-place (button-get button 'midflight-frame) no-select))

(defun midflight-details-push ()
  "Push the button at point, or the first button of this line.
The line of code below a frame belongs to that frame."
  (interactive)
  (let ((button (or (button-at (point))
                    (midflight-details--button-of-line 0)
                    (let ((above (midflight-details--button-of-line -1)))
                      (and above (button-has-type-p above 'midflight-frame) above)))))
    (if button
        (push-button (button-start button))
      (midflight-user-error "There is no link on this line; TAB goes to the next one"))))

(defun midflight-details--button-of-line (lines)
  "Return the first button of the line LINES below this one, or nil."
  (save-excursion
    (forward-line lines)
    (let ((button (next-button (point) t)))
      (and button (<= (button-start button) (line-end-position)) button))))

(defun midflight-details--frame-buttons ()
  "Return the buttons of the frames, outermost first."
  (let ((button (next-button (point-min) t))
        (buttons nil))
    (while button
      (when (button-has-type-p button 'midflight-frame)
        (push button buttons))
      (setq button (next-button (button-end button))))
    (nreverse buttons)))

(defun midflight-details-next-error (count reset)
  "Go COUNT frames on, from the innermost if RESET; for `next-error'.
The next frame is the one further out, because the error is in the
innermost."
  (let* ((buttons (midflight-details--frame-buttons))
         (last (length buttons))
         (from (if (or reset (< midflight-details--frame 0)) last midflight-details--frame))
         (number (- from (or count 1))))
    (unless (and buttons (< -1 number last))
      (midflight-user-error "No more frames"))
    (let ((button (nth number buttons)))
      (goto-char (button-start button))
      (dolist (window (get-buffer-window-list nil nil t))
        (set-window-point window (point)))
      (midflight-details--visit-button button))))

(defun midflight-details-forget-frame ()
  "Let `next-error' begin at the innermost frame."
  (setq midflight-details--frame -1))

(defun midflight-details-frame-here ()
  "Return the frame, a plist, of this line or one of the lines above it.
Without one, return the innermost frame; nil if there is none."
  (let* ((buttons (midflight-details--frame-buttons))
         (above (cl-remove-if (lambda (button)
                                (> (button-start button) (line-end-position)))
                              buttons)))
    (when buttons
      (button-get (car (last (or above buttons))) 'midflight-frame))))

;;;; The place of a frame

(defun midflight-details-show-place (place &optional no-select)
  "Show PLACE: a plist of :module, :version, :path and :line.
With NO-SELECT the window is not selected.  The text may come later."
  (let ((module (plist-get place :module))
        (version (plist-get place :version))
        (path (plist-get place :path))
        (line (plist-get place :line)))
    (cond
     ((and module version)
      (midflight-version-get-source
       module version
       (lambda (buffer)
         (midflight-details--display (midflight-details--same path buffer) line no-select))))
     ((and path (file-exists-p path))
      (midflight-details--display (find-file-noselect path) line no-select))
     (t
      (midflight-user-error "There is no source of %s to show"
                            (or path module "the code there"))))))

(defun midflight-details--same (path buffer)
  "Return a buffer that visits PATH, if its text is that of BUFFER; else BUFFER.
Kill BUFFER if PATH is shown instead."
  (let* ((text (with-current-buffer buffer
                 (buffer-substring-no-properties (point-min) (point-max))))
         (visiting (and path (find-buffer-visiting path)))
         (file (cond
                (visiting
                 (and (midflight-details--text-p visiting text) visiting))
                ((and path (file-readable-p path)
                      (with-temp-buffer
                        (insert-file-contents path)
                        (midflight-details--text-p (current-buffer) text)))
                 (find-file-noselect path)))))
    (when (and file (not (eq file buffer)) (not (get-buffer-window buffer t)))
      (kill-buffer buffer))
    (or file buffer)))

(defun midflight-details--text-p (buffer text)
  "Return non-nil if all of BUFFER is TEXT."
  (with-current-buffer buffer
    (save-restriction
      (widen)
      (and (= (buffer-size) (length text))
           (equal (buffer-substring-no-properties (point-min) (point-max)) text)))))

(defun midflight-details--display (buffer line no-select)
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

(provide 'midflight-details)
;;; midflight-details.el ends here
