;;; midflight-crash-eval.el --- Evaluate in a frame of a crash  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Expressions with the names that a frame of a crashed process had, as SLDB
;; evaluates in a frame.  The process is dead; the server keeps the values of
;; the last crashes, and evaluates in a process of its own.

;;; Code:

(require 'cl-lib)
(require 'subr-x)
(require 'thingatpt)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-details)
(require 'midflight-crash)
(require 'midflight-value)

(defvar midflight-crash-eval--history nil
  "The expressions that were evaluated in frames, newest first.")

(defun midflight-crash-eval--read ()
  "Read an expression for the frame at point, with the name at point as default."
  (let* ((frame (or (midflight-details-frame-here)
                    (midflight-user-error "This crash has no frame of the program; nothing was evaluated")))
         (name (and (derived-mode-p 'midflight-crash-mode) (thing-at-point 'symbol t)))
         (default (and name (assoc name (plist-get frame :locals)) name))
         (text (read-string (format "In %s%s: " (plist-get frame :function)
                                    (if default (format " (default %s)" default) ""))
                            nil 'midflight-crash-eval--history default)))
    (list text frame)))

(defun midflight-crash-eval--ask (text frame callback)
  "Evaluate TEXT in FRAME, a plist; call CALLBACK with the server's answer."
  (when (string-blank-p text)
    (midflight-user-error "No expression was given; nothing was evaluated"))
  (midflight-connection-call
   'crash/eval
   (list (plist-get (midflight-crash-shown) :crash)
         (cl-position frame (plist-get (midflight-crash-shown) :frames) :test #'eq)
         text)
   callback))

(defun midflight-crash-eval (text frame)
  "Show the value of TEXT, an expression, with the names in FRAME of this crash.
Interactively, the frame is that of this line, or the innermost.  It runs in a
process of its own, for some seconds at most, and binds nothing; but a
function that it calls may change what it likes."
  (interactive (midflight-crash-eval--read))
  (midflight-crash-eval--ask
   text frame
   (lambda (answer)
     (message "%s%s%s" (plist-get answer :output) (plist-get answer :value)
              (midflight-crash-eval--note frame answer)))))

(defun midflight-crash-eval--note (frame answer)
  "Return a note if ANSWER, of an evaluation, is of another version than FRAME."
  (if (equal (plist-get frame :version) (plist-get answer :version)) ""
    (format "   (names of the module: version %s; version %s is gone)"
            (plist-get answer :version) (plist-get frame :version))))

(defun midflight-crash-show-value (text frame)
  "Show the value of TEXT in FRAME of this crash, in a buffer of its own.
The frame is chosen as for \\[midflight-crash-eval]."
  (interactive (midflight-crash-eval--read))
  (let ((crash (current-buffer)))
    (midflight-crash-eval--ask
     text frame
     (lambda (answer)
       (midflight-value-show
        crash text
        (concat (plist-get answer :output) (plist-get answer :value))
        (lambda ()
          (with-current-buffer crash (midflight-crash-show-value text frame))))))))

(provide 'midflight-crash-eval)
;;; midflight-crash-eval.el ends here
