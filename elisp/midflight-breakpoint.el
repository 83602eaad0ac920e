;;; midflight-breakpoint.el --- Breakpoints at lines of a buffer  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A breakpoint is a mark in a buffer, which moves with its line.  Emacs tells
;; the server all lines of a buffer with the text, when a breakpoint comes or
;; goes and after each load of the file; the server finds the same lines in the
;; versions that run.  So a breakpoint survives edits and loads, and processes
;; in old code stop as well.
;;
;; The breakpoints of a connection end with it.  The marks are hollow then; they
;; are set again when Emacs attaches again.
;;
;; What happens at a stop is in midflight-debug.el.

;;; Code:

(require 'cl-lib)
(require 'seq)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-code)
(require 'midflight-margin)

(defface midflight-breakpoint '((t :inherit error))
  "Face of the mark of a breakpoint that is set."
  :group 'midflight)

(defface midflight-breakpoint-off '((t :inherit shadow))
  "Face of the mark of a breakpoint while no server is attached."
  :group 'midflight)

(when (fboundp 'define-fringe-bitmap)
  (define-fringe-bitmap 'midflight-breakpoint
    [#x3c #x7e #xff #xff #xff #xff #x7e #x3c])
  (define-fringe-bitmap 'midflight-breakpoint-off
    [#x3c #x42 #x81 #x81 #x81 #x81 #x42 #x3c]))

(defvar-local midflight-breakpoint--overlays nil
  "The overlays of the breakpoints of this buffer, in no order.")

;;;; Marks

(defun midflight-breakpoint--at (position)
  "Return the breakpoint, an overlay, of the line of POSITION, or nil."
  (save-excursion
    (goto-char position)
    (let ((begin (line-beginning-position))
          (end (line-end-position)))
      (seq-find (lambda (overlay)
                  (and (overlay-buffer overlay) (<= begin (overlay-start overlay) end)))
                midflight-breakpoint--overlays))))

(defun midflight-breakpoint--make (position condition)
  "Mark the line of POSITION as a breakpoint with CONDITION, a text or nil."
  (save-excursion
    (goto-char position)
    (let ((overlay (make-overlay (line-beginning-position)
                                 (min (point-max) (1+ (line-end-position))) nil t)))
      (overlay-put overlay 'midflight-condition condition)
      (overlay-put overlay 'evaporate (< (overlay-start overlay) (overlay-end overlay)))
      (push overlay midflight-breakpoint--overlays)
      (midflight-breakpoint--draw overlay nil)
      overlay)))

(defun midflight-breakpoint--draw (overlay is-set)
  "Show OVERLAY as a breakpoint that is set, if IS-SET, or that is not."
  (let ((condition (overlay-get overlay 'midflight-condition))
        (name (if is-set 'midflight-breakpoint 'midflight-breakpoint-off)))
    (overlay-put overlay 'before-string
                 (midflight-margin-mark name name (cond ((not is-set) "o") (condition "?") (t "B"))))
    (overlay-put overlay 'midflight-set is-set)
    (overlay-put overlay 'help-echo
                 (concat "Breakpoint" (and condition (concat ", if " condition))
                         (and (not is-set) ", without a server")))))

(defun midflight-breakpoint--live ()
  "Return the breakpoints of this buffer, topmost first; forget those deleted."
  (setq midflight-breakpoint--overlays
        (seq-filter #'overlay-buffer midflight-breakpoint--overlays))
  (midflight-margin-need 'midflight-breakpoint midflight-breakpoint--overlays)
  (seq-sort-by #'overlay-start #'< midflight-breakpoint--overlays))

(defun midflight-breakpoint--remove (overlay)
  "Remove OVERLAY, a breakpoint."
  (setq midflight-breakpoint--overlays (delq overlay midflight-breakpoint--overlays))
  (delete-overlay overlay)
  (midflight-breakpoint--live))

;;;; What the server knows

(defun midflight-breakpoint--wanted (overlays)
  "Return the lines and conditions of OVERLAYS, as the server wants them."
  (save-restriction
    (widen)
    (mapcar (lambda (overlay)
              (list (line-number-at-pos (overlay-start overlay))
                    (overlay-get overlay 'midflight-condition)))
            overlays)))

(defun midflight-breakpoint--send (&optional then)
  "Tell the server the breakpoints of this buffer; call THEN when it knows them.
Move each to the line that the server has found for it."
  (let ((overlays (midflight-breakpoint--live))
        (tick (buffer-chars-modified-tick)))
    (midflight-connection-call
     'breakpoint/set
     (list (midflight-code-path) (midflight-code-text) (midflight-breakpoint--wanted overlays))
     (lambda (answers)
       (cl-mapc (lambda (overlay answer)
                  (midflight-breakpoint--take overlay answer (= tick (buffer-chars-modified-tick))))
                overlays answers)
       (midflight-breakpoint--live)
       (when then
         (funcall then answers)))
     (lambda (text)
       (dolist (overlay overlays)
         (when (overlay-buffer overlay)
           (midflight-breakpoint--draw overlay nil)))
       (midflight-connection-show-error text)))))

(defun midflight-breakpoint--take (overlay answer is-same)
  "Show OVERLAY as the server has set it: ANSWER, a plist, or nil if it has not.
IS-SAME says that the text is as it was."
  (when (overlay-buffer overlay)
    (cond ((not answer)
           (midflight-breakpoint--remove overlay)
           (message "Midflight: no code is at that line or after it, so no breakpoint was set"))
          (t
           (when is-same
             (save-excursion
               (save-restriction
                 (widen)
                 (goto-char (point-min))
                 (forward-line (1- (plist-get answer :line)))
                 (let ((other (midflight-breakpoint--at (point))))
                   (if (and other (not (eq other overlay)))
                       (midflight-breakpoint--remove overlay)
                     (move-overlay overlay (point) (min (point-max) (1+ (line-end-position)))))))))
           (when (overlay-buffer overlay)
             (midflight-breakpoint--draw overlay t))))))

(defun midflight-breakpoint--buffers (root)
  "Return the buffers with breakpoints whose project is that at ROOT."
  (seq-filter (lambda (buffer)
                (and (buffer-local-value 'midflight-breakpoint--overlays buffer)
                     (with-current-buffer buffer (midflight-connection-uses-p root))))
              (buffer-list)))

(defun midflight-breakpoint--opened (connection)
  "Set the breakpoints of all buffers at the server of CONNECTION."
  (dolist (buffer (midflight-breakpoint--buffers (midflight-connection-root connection)))
    (with-current-buffer buffer
      (when (midflight-breakpoint--live)
        (midflight-breakpoint--send)))))

(defun midflight-breakpoint--closed (connection _reason)
  "Show that the breakpoints at the server of CONNECTION are set no more."
  (dolist (buffer (midflight-breakpoint--buffers (midflight-connection-root connection)))
    (with-current-buffer buffer
      (dolist (overlay (midflight-breakpoint--live))
        (midflight-breakpoint--draw overlay nil)))))

(defun midflight-breakpoint--loaded (root report)
  "Set the breakpoints of the file of REPORT again, a load in the project at ROOT."
  (let ((buffer (find-buffer-visiting (or (plist-get report :path) ""))))
    (when (and buffer (memq buffer (midflight-breakpoint--buffers root)))
      (with-current-buffer buffer
        (when (and (midflight-connection-open-p) (midflight-breakpoint--live))
          (midflight-breakpoint--send))))))

(add-hook 'midflight-connection-opened-functions #'midflight-breakpoint--opened)
(add-hook 'midflight-connection-closed-functions #'midflight-breakpoint--closed)
(add-hook 'midflight-loaded-functions #'midflight-breakpoint--loaded)

(defun midflight-breakpoint--clear-file ()
  "Remove the breakpoints of this buffer, which is about to be killed."
  (when (and midflight-breakpoint--overlays (midflight-connection-open-p))
    (midflight-connection-call
     'breakpoint/set (list (midflight-code-path) "" nil) #'ignore #'ignore)))

;;;; Commands

;;;###autoload
(defun midflight-toggle-breakpoint (&optional condition)
  "Set a breakpoint at this line, or remove the one that is there.
A runtime process that comes to the line, in any version of the module, stops
before it runs; the shell that started it asks for commands, or this Emacs.
With a prefix argument, read CONDITION, an expression for the frame, without
which nothing stops.  At a line without code it is set at the next that has
some; at a `def', at the first line of its body."
  (interactive
   (list (when current-prefix-arg
           (let* ((there (midflight-breakpoint--at (point)))
                  (text (read-string "Stop if: " (and there (overlay-get there 'midflight-condition)))))
             (if (string-blank-p text) nil text)))))
  (unless (midflight-connection-file)
    (midflight-user-error "This buffer visits no file; no breakpoint was set; save it to one first"))
  (let ((there (midflight-breakpoint--at (point)))
        (position (copy-marker (point))))
    (midflight-server-ensure
     (lambda ()
       (when there
         (midflight-breakpoint--remove there))
       (unless (and there (not condition))
         (midflight-breakpoint--make position condition))
       (add-hook 'kill-buffer-hook #'midflight-breakpoint--clear-file nil t)
       (midflight-breakpoint--send
        (lambda (answers)
          (let ((count (length (delq nil answers))))
            (message "Midflight: %d breakpoint%s in this file" count (if (= count 1) "" "s")))))))))

;;;###autoload
(defun midflight-clear-breakpoints ()
  "Remove all breakpoints of this buffer's project that this Emacs has set."
  (interactive)
  (let ((root (midflight-connection-root-of-buffer)))
    (dolist (buffer (midflight-breakpoint--buffers root))
      (with-current-buffer buffer
        (mapc #'midflight-breakpoint--remove (midflight-breakpoint--live))))
    (if (midflight-connection-open-p)
        (midflight-connection-call
         'breakpoint/clear nil
         (lambda (count)
           (message "Midflight: %d breakpoint%s removed" count (if (eql count 1) "" "s"))))
      (message "Midflight: no server is attached; the marks were removed"))))

(defun midflight-breakpoint-remove-in (file line)
  "Remove the breakpoint at LINE of FILE, which this Emacs has set."
  (with-current-buffer (find-file-noselect file)
    (save-excursion
      (save-restriction
        (widen)
        (goto-char (point-min))
        (forward-line (1- line))
        (let ((there (midflight-breakpoint--at (point))))
          (unless there
            (midflight-user-error "No breakpoint is marked there; nothing was removed; g refreshes the list"))
          (midflight-breakpoint--remove there))))
    (midflight-breakpoint--send)))

(provide 'midflight-breakpoint)
;;; midflight-breakpoint.el ends here
