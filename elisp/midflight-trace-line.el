;;; midflight-trace-line.el --- An event of a trace as a line  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A pure function from an event, as the server sends it, to its line in the
;; trace: time, process and action.

;;; Code:


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
                (midflight-trace-line--said kind other event)
                "\n")))
    (setq line (concat (replace-regexp-in-string "\n" "\\n" (substring line 0 -1) t t) "\n"))
    (add-text-properties 0 (length line)
                         (list 'midflight-event event 'midflight-pid (plist-get event :pid)
                               'face (pcase kind
                                       ("in" 'midflight-trace-in)
                                       ("out" 'midflight-trace-out)
                                       ("exit" 'midflight-trace-exit)))
                         line)
    (when (and shown (not (string-match-p shown line)))
      (put-text-property 0 (length line) 'invisible 'midflight-trace line))
    line))

(defun midflight-trace-line--said (kind other event)
  "Return the text of EVENT, of KIND; OTHER is the other process, or nil."
  (let ((text (plist-get event :text)))
    (pcase kind
      ("in" (format "<- %s  %s" (or other "outside") text))
      ("out" (format "-> %s  %s" other text))
      ("call" (format "=> %s%s.%s%s" (plist-get event :module)
                      (if (plist-get event :version) (format " v%d" (plist-get event :version)) "")
                      text
                      (if (plist-get event :from) (format "  (from %s)" (plist-get event :from)) "")))
      ("spawn" (format "spawn %s  %s" (or other "") text))
      ("link" (format "link %s" other))
      ("exit" (format "exit %s" text))
      (_ (format "%s %s" kind text)))))

(provide 'midflight-trace-line)
;;; midflight-trace-line.el ends here
