;;; midflight-verdict.el --- The end of a server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, comm
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The reason why a connection has ended unexpectedly, as far as it can be seen
;; from here, and what to do.

;;; Code:

(require 'midflight-rendezvous)

(defconst midflight-verdict--again
  "M-x midflight-restart starts another, and so does the next load"
  "What to do without a server.")

(defun midflight-verdict (root pid)
  "Return how the server of ROOT with process PID ended, or nil if it lives.
The value is a cons of that text and of one that says what to do.  A server
that is stopped removes its files before it closes its sockets."
  (cond ((file-remote-p root)
         (cons "it was stopped or killed, or the connection to its machine was lost"
               "M-x midflight-connect attaches again, if it runs"))
        ((not (midflight-rendezvous-published-p root))
         (cons "it was stopped, and its runtime processes with it" midflight-verdict--again))
        ((not (midflight-rendezvous-alive-p pid))
         (cons (format "its process %s was killed or crashed, and the state of its runtime processes is lost (log: %s)"
                       pid (abbreviate-file-name (midflight-rendezvous-log root)))
               midflight-verdict--again))))

(provide 'midflight-verdict)
;;; midflight-verdict.el ends here
