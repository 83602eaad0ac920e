;;; midflight-fontify.el --- Python in a shell, with its faces  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, faces
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The faces of Python on the input of a shell.  Output is not Python, and an
;; apostrophe in it must not begin a string that reaches into the input.  So a
;; hidden buffer in `python-mode' computes the faces, and this file puts them on
;; the input.

;;; Code:

(require 'python)

(defconst midflight-fontify--limit 20000
  "The most characters of an input that gets faces.")

(defun midflight-fontify--buffer ()
  "Return the hidden buffer that computes the faces of Python."
  (or (get-buffer " *midflight-fontify*")
      (with-current-buffer (get-buffer-create " *midflight-fontify*")
        ;; Do not run its hooks: they start servers and checkers.
        (let ((python-indent-guess-indent-offset nil))
          (delay-mode-hooks (python-mode)))
        (buffer-disable-undo)
        (font-lock-set-defaults)
        (current-buffer))))

(defun midflight-fontify-string (text &optional under)
  "Return TEXT, Python, with its faces as `font-lock-face'.
The face UNDER is below all of them, and on the text without faces."
  (let ((result (substring-no-properties text)))
    (when under
      (put-text-property 0 (length result) 'font-lock-face under result))
    (when (< 0 (length result) midflight-fontify--limit)
      (with-current-buffer (midflight-fontify--buffer)
        (erase-buffer)
        (insert result)
        (set-text-properties (point-min) (point-max) nil)
        (font-lock-fontify-region (point-min) (point-max))
        (let ((start (point-min)))
          (while (< start (point-max))
            (let ((face (get-text-property start 'face))
                  (end (next-single-property-change start 'face nil (point-max))))
              (when face
                (put-text-property (1- start) (1- end) 'font-lock-face
                                   (if under (append (if (listp face) face (list face)) (list under)) face)
                                   result))
              (setq start end))))))
    result))

(defun midflight-fontify-region (start end)
  "Put the faces of Python on the text from START to END."
  (let ((text (midflight-fontify-string (buffer-substring-no-properties start end)))
        (position 0))
    (with-silent-modifications
      (remove-text-properties start end '(font-lock-face nil))
      (while (< position (length text))
        (let ((next (next-single-property-change position 'font-lock-face text (length text)))
              (face (get-text-property position 'font-lock-face text)))
          (when face
            (put-text-property (+ start position) (+ start next) 'font-lock-face face))
          (setq position next))))))

(provide 'midflight-fontify)
;;; midflight-fontify.el ends here
