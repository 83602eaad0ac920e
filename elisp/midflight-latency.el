;;; midflight-latency.el --- How long requests took  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A table of methods and the times of their last requests in seconds, newest
;; first.  `midflight-doctor' shows it.

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
