;;; midflight-latency.el --- How long requests took  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A table of methods and the seconds that their last requests took, newest
;; first.  `midflight-doctor' shows it.

;;; Code:

(require 'seq)

(defconst midflight-latency--kept 100
  "How many times of a method are remembered.")

(defun midflight-latency-timed (table method callback)
  "Return CALLBACK made to note in TABLE how long METHOD took from now on."
  (let ((start (float-time)))
    (lambda (value)
      (puthash method
               (seq-take (cons (- (float-time) start) (gethash method table))
                         midflight-latency--kept)
               table)
      (funcall callback value))))

(provide 'midflight-latency)
;;; midflight-latency.el ends here
