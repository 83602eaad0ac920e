;;; midflight-margin.el --- The margin of a buffer on a terminal  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Marks next to a line are in the fringe; a terminal has none, so there they are
;; characters in the left margin.  Each feature says while it needs one; with
;; the last of them the margin goes.

;;; Code:

(defvar-local midflight-margin--users nil
  "The features that have marks in this buffer, symbols.")
(defvar-local midflight-margin--ours nil
  "Non-nil if this buffer has a margin because of us.")

(defun midflight-margin-need (user needed)
  "Set the margin for USER, a symbol: NEEDED if it has something to put there."
  (setq midflight-margin--users (delq user midflight-margin--users))
  (when needed
    (push user midflight-margin--users))
  (let ((wanted (and midflight-margin--users
                     (not (display-graphic-p))
                     (or midflight-margin--ours (zerop (or left-margin-width 0)))
                     t)))
    (unless (eq wanted midflight-margin--ours)
      (setq midflight-margin--ours wanted
            left-margin-width (if wanted 1 0))
      (dolist (window (get-buffer-window-list nil nil t))
        (set-window-margins window left-margin-width
                            (cdr (window-margins window)))))))

(defun midflight-margin-mark (bitmap face character)
  "Return a text that displays BITMAP with FACE in the fringe.
On a terminal it is CHARACTER in the margin."
  (concat (propertize " " 'display `(left-fringe ,bitmap ,face))
          (propertize " " 'display `((margin left-margin) ,(propertize character 'face face)))))

(provide 'midflight-margin)
;;; midflight-margin.el ends here
