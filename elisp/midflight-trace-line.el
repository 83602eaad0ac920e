;;; midflight-trace-line.el --- Traced events as lines  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; An event of a trace as a line of its buffer, by pure functions.

;;; Code:

(require 'subr-x)

(defface midflight-trace-in '((t :inherit font-lock-string-face))
  "Face for a message that came." :group 'midflight)
(defface midflight-trace-out '((t :inherit font-lock-function-name-face))
  "Face for a message that was sent." :group 'midflight)
(defface midflight-trace-exit '((t :inherit warning))
  "Face for the end of a runtime process." :group 'midflight)

(defun midflight-trace-line (event &optional shown)
  "Return EVENT, a plist, as a line; invisible if it does not match SHOWN."
  (let* ((kind (plist-get event :kind))
         (other (plist-get event :other))
         (who (concat (plist-get event :pid)
                      (if (plist-get event :name) (concat " " (plist-get event :name)) "")))
         (line (concat
                (format-time-string "%T.%3N" (plist-get event :at)) " "
                (format "%-18s " who)
                (midflight-trace-line--details kind other event)
                "\n")))
    (setq line (concat (replace-regexp-in-string "\n" "\\n" (substring line 0 -1) t t) "\n"))
    (add-text-properties 0 (length line)
                         (list 'midflight-event event 'midflight-pid (plist-get event :pid)
                               'face (pcase kind
                                       ("in" 'midflight-trace-in)
                                       ("out" 'midflight-trace-out)
                                       ((or "exit" "raised" "ended") 'midflight-trace-exit)))
                         line)
    (when (and shown (not (string-match-p shown line)))
      (put-text-property 0 (length line) 'invisible 'midflight-trace line))
    line))

(defun midflight-trace-line--details (kind other event)
  "Return the text of EVENT, of KIND; OTHER is the other process, or nil."
  (let ((text (plist-get event :text)))
    (pcase kind
      ("in" (format "<- %s  %s" (or other "outside") text))
      ("out" (format "-> %s  %s" other text))
      ("call" (format "=> %s.%s%s" (string-trim-right (midflight-trace-line--module event)) text
                      (if (plist-get event :from) (format "  (from %s)" (plist-get event :from)) "")))
      ("called" (format "%s%s" (midflight-trace-line--module event) text))
      ("returned" (format "   %s%s" (midflight-trace-line--module event) text))
      ("raised" (format "   %s%s" (midflight-trace-line--module event) text))
      ("ended" (format "-- the trace has ended: %s" text))
      ("spawn" (format "spawn %s  %s" (or other "") text))
      ("link" (format "link %s" other))
      ("exit" (format "exit %s" text))
      (_ (format "%s %s" kind text)))))

(defun midflight-trace-line--module (event)
  "Return the module and version that EVENT comes from, and a space."
  (concat (plist-get event :module)
          (if (plist-get event :version) (format " v%d" (plist-get event :version)) "")
          " "))

(provide 'midflight-trace-line)
;;; midflight-trace-line.el ends here
