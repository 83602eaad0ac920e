;;; midflight-latency.el --- The times of requests  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, comm
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The times of the last requests of a connection, by method, for the list of
;; connections and the doctor.

;;; Code:

(require 'seq)

(defconst midflight-latency--kept 100
  "The most times that are remembered for a method.")

(defun midflight-latency-timed (table method callback)
  "Return a wrapper of CALLBACK that notes the time of METHOD in TABLE.
The time counts from now."
  (let ((start (float-time)))
    (lambda (value)
      (puthash method
               (seq-take (cons (- (float-time) start) (gethash method table))
                         midflight-latency--kept)
               table)
      (funcall callback value))))

(provide 'midflight-latency)
;;; midflight-latency.el ends here
