;;; midflight-shell-text.el --- The texts about a session  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The texts about the session behind a shell: the first text in its buffer, and
;; the line of a session that waits.  They are computed from the plists of the
;; server; this file shows nothing.

;;; Code:

(require 'midflight-util)

(defun midflight-shell-text-opening (session lost)
  "Return the first text of a shell with SESSION, a plist of the server.
LOST is the session that was to be continued, or nil."
  (concat
   (cond ((not (plist-get session :resumed))
          (concat (plist-get session :banner)
                  (cond ((plist-get session :taken-by)
                         (format "\nThe session before was taken up by %s: this is a new one."
                                 (plist-get session :taken-by)))
                        (lost "\nThe session before is gone, and its bindings: this is a new one.")
                        (t ""))))
         ((eql lost (plist-get session :session))
          "Connected again, with the bindings; the output since then follows.")
         (t (midflight-shell-text--taken session)))
   (if (plist-get session :busy) "  The evaluation goes on." "")
   (let ((others (or (plist-get session :parked) 0)))
     (if (zerop others) ""
       (format "  %s: C-u C-c C-z."
               (if (eql others 1) "One other shell waits to be taken up"
                 (format "%d other shells wait to be taken up" others)))))))

(defun midflight-shell-text--taken (session)
  "Return the text about SESSION, a plist, which another editor has had."
  (format "Shell %d of %s, taken up again after it was left at %s.  It has %s, and its bindings; %s."
          (plist-get session :session)
          (plist-get session :client)
          (midflight-time-text (plist-get session :since))
          (midflight-shell-text--inputs session)
          (if (> (plist-get session :waiting) 0)
              "the output since then follows"
            "there was no output since then")))

(defun midflight-shell-text--inputs (session)
  "Return the text for the number of inputs of SESSION, a plist."
  (let ((inputs (1- (plist-get session :number))))
    (if (eql inputs 1) "1 input" (format "%d inputs" inputs))))

(defun midflight-shell-text-row (row)
  "Return ROW, a plist of a shell that waits, as one line."
  (format "shell %d, %s, %s %s: %s%s%s%s"
          (plist-get row :session)
          (plist-get row :client)
          (if (plist-get row :gone) "gone since" "set aside at")
          (midflight-time-text (plist-get row :since))
          (midflight-shell-text--inputs row)
          (if (plist-get row :busy) ", evaluates" "")
          (if (> (plist-get row :waiting) 0) ", has printed" "")
          (if (plist-get row :last) (format ", last: %s" (plist-get row :last)) "")))

(provide 'midflight-shell-text)
;;; midflight-shell-text.el ends here
