;;; midflight-fontify.el --- Python in a shell, with its faces  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, faces
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Only the input of a shell is Python; its output is not, and an apostrophe
;; there must not make a string of all that follows.  So the faces are worked
;; out aside, in a hidden buffer in `python-mode', and put on the input.

;;; Code:

(require 'python)

(defconst midflight-fontify--limit 20000
  "An input of more characters than this stays plain.")

(defun midflight-fontify--buffer ()
  "Return the hidden buffer in which Python gets its faces."
  (or (get-buffer " *midflight-fontify*")
      (with-current-buffer (get-buffer-create " *midflight-fontify*")
        ;; None of its hooks: they start servers and checkers.
        (let ((python-indent-guess-indent-offset nil))
          (delay-mode-hooks (python-mode)))
        (buffer-disable-undo)
        (font-lock-set-defaults)
        (current-buffer))))

(defun midflight-fontify-string (text &optional under)
  "Return TEXT, Python, with its faces as `font-lock-face'.
Where it has none, and under those it has, it has the face UNDER."
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
