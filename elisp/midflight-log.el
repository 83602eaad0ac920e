;;; midflight-log.el --- The log of the protocol  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, comm
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The log of a project's messages, for finding faults: one line for each
;; message, with its time, its direction, and for an answer the duration of the
;; call.  `midflight-toggle-log' turns it on for a project; it is off at first.
;;
;;     10:24:38.123 -> 7 code/load ("/project/counter.py" "async def ...)
;;     10:24:38.136 <- 7 return code/load 12.9 ms (:status "loaded" ...)
;;
;; Laws: long messages are cut short; the buffer loses its first half when it is
;; larger than `midflight-log-maximum-size'; the cookie is never in it.

;;; Code:

(require 'midflight-connection)

(defcustom midflight-log-maximum-size 1000000
  "The most characters in a log of the protocol.
When it has more, it loses its first half."
  :type 'integer
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defconst midflight-log--message-size 500
  "The most characters of a message that are shown.")

(defvar midflight-log--roots nil "The projects whose messages are logged.")

(defvar midflight-log--calls (make-hash-table :test #'equal)
  "The times of the calls that have no answer yet.
The key is (ROOT DIRECTION UID), the value (TIME . METHOD).")

(defvar midflight-log-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map "c" #'midflight-log-clear)
    (define-key map "t" #'midflight-toggle-log)
    map)
  "Keymap of `midflight-log-mode'.")

(define-derived-mode midflight-log-mode special-mode "Midflight-Log"
  "Major mode for the log of the protocol of a project.
An arrow to the right marks a message from Emacs, an arrow to the left one
from the server.  A call and its answer have the same number.

\\{midflight-log-mode-map}"
  (buffer-disable-undo)
  (setq truncate-lines t))

(defun midflight-log--buffer (connection)
  "Return the log of CONNECTION, made if there is none."
  (with-current-buffer (get-buffer-create (format "*midflight-log for %s*"
                                                  (midflight-connection-project connection)))
    (unless (derived-mode-p 'midflight-log-mode)
      (midflight-log-mode)
      (setq midflight-connection-buffer-root (midflight-connection-root connection)))
    (current-buffer)))

;;;###autoload
(defun midflight-toggle-log ()
  "Start or stop logging the messages to and from this project's server.
When logging starts, show the log."
  (interactive)
  (let* ((connection (midflight-connection-of-buffer))
         (root (midflight-connection-root connection)))
    (if (member root midflight-log--roots)
        (progn
          (setq midflight-log--roots (delete root midflight-log--roots))
          (unless midflight-log--roots
            (setq midflight-epc-log-function nil)
            (clrhash midflight-log--calls))
          (message "Midflight: the protocol of %s is no longer logged"
                   (midflight-connection-project connection)))
      (push root midflight-log--roots)
      (setq midflight-epc-log-function #'midflight-log--note)
      (display-buffer (midflight-log--buffer connection))
      (message "Midflight: the protocol of %s is logged; the same command ends it"
               (midflight-connection-project connection)))))

(defun midflight-log-clear ()
  "Empty this log."
  (interactive)
  (let ((inhibit-read-only t))
    (erase-buffer)))

(defun midflight-log--note (wire direction message)
  "Write MESSAGE, which went over WIRE in DIRECTION, into the log of its project."
  (let ((connection (cdr (cl-find-if (lambda (entry)
                                       (eq (midflight-connection-wire (cdr entry)) wire))
                                     midflight-connection-all))))
    (when (and connection (member (midflight-connection-root connection) midflight-log--roots))
      (with-current-buffer (midflight-log--buffer connection)
        (midflight-log--insert
         (midflight-log--line (midflight-connection-root connection) direction message
                              (float-time)))))))

(defun midflight-log--insert (line)
  "Add LINE to this log; cut that to half when it is too long."
  (let* ((inhibit-read-only t)
         (windows (cl-remove-if-not (lambda (window) (= (window-point window) (point-max)))
                                    (get-buffer-window-list nil nil t)))
         (at-end (eobp)))
    (save-excursion
      (goto-char (point-max))
      (insert line "\n")
      (when (> (buffer-size) midflight-log-maximum-size)
        (goto-char (- (point-max) (/ midflight-log-maximum-size 2)))
        (delete-region (point-min) (line-beginning-position 2))))
    ;; A window whose point is at the end stays there.
    (when at-end
      (goto-char (point-max)))
    (dolist (window windows)
      (set-window-point window (point-max)))))

(defun midflight-log--line (root direction message time)
  "Return MESSAGE, sent in DIRECTION in the project at ROOT at TIME, as a line."
  (concat (format-time-string "%T.%3N" time)
          (if (eq direction 'out) " -> " " <- ")
          (pcase message
            (`(call ,uid ,method ,args)
             (puthash (list root direction uid) (cons time method) midflight-log--calls)
             (format "%s %s %s" uid method (midflight-log--short args)))
            (`(,kind ,uid ,value)
             (pcase-let* ((key (list root (if (eq direction 'out) 'in 'out) uid))
                          (`(,start . ,method) (gethash key midflight-log--calls)))
               (remhash key midflight-log--calls)
               (format "%s %s %s%s %s" uid kind (or method "?")
                       (if start (format " %.1f ms" (* 1000 (- time start))) "")
                       (midflight-log--short value))))
            (_ (midflight-log--short message)))))

(defun midflight-log--short (value)
  "Return VALUE as text of one line, cut short."
  (let* ((print-escape-newlines t) (print-length 50) (print-level 6)
         (text (replace-regexp-in-string "[\n\r\t]" " " (prin1-to-string (midflight-log--cut value)))))
    (if (> (length text) midflight-log--message-size)
        (concat (substring text 0 midflight-log--message-size) "...")
      text)))

(defun midflight-log--cut (value)
  "Return VALUE with its long strings cut, so that a large one prints fast."
  (cond ((stringp value)
         (if (> (length value) midflight-log--message-size)
             (concat (substring value 0 midflight-log--message-size) "...")
           value))
        ((and (consp value) (listp (cdr value)))
         (mapcar #'midflight-log--cut (seq-take value 60)))
        (t value)))

(provide 'midflight-log)
;;; midflight-log.el ends here
