;;; midflight-fold.el --- Long lines of output, folded  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, convenience
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Long lines of output.  Emacs becomes slow if it displays a line of many
;; thousand characters, so the buffer gets only the beginning of a long line, and
;; a button for the rest.  RET there, or a click, inserts the rest; a very long
;; rest is shown in a buffer of its own, cut into lines.

;;; Code:

(require 'cl-lib)

(defcustom midflight-shell-maximum-line 2000
  "The most characters of a line of output in a shell; nil means all."
  :type '(choice (const :tag "No limit" nil) natnum)
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defconst midflight-fold--in-place 20000
  "The most characters of a rest that is inserted into the shell.
A longer rest is shown in a buffer of its own.")

(defvar midflight-fold-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'midflight-fold-show)
    (define-key map [mouse-2] #'midflight-fold-show)
    map)
  "Keymap of the button for the rest of a long line.")

(defun midflight-fold-column ()
  "Return the length of the line before point, for `midflight-fold-lines'.
A line that is already folded counts as full."
  (if (and (> (point) (point-min))
           (get-text-property (1- (point)) 'midflight-folded))
      1000000000
    (let ((inhibit-field-text-motion t))
      (- (point) (line-beginning-position)))))

(defun midflight-fold-lines (text column)
  "Return TEXT with the rest of each long line folded.
COLUMN is the length of the line to which TEXT is appended."
  (if (not (midflight-fold--long-p text column))
      text
    (let ((start 0)
          pieces)
      (while (< start (length text))
        (let* ((newline (string-match "\n" text start))
               (end (or newline (length text)))
               (room (max 0 (- midflight-shell-maximum-line column))))
          (if (<= (- end start) room)
              (push (substring text start end) pieces)
            (push (substring text start (+ start room)) pieces)
            (push (midflight-fold--button (substring text (+ start room) end)) pieces))
          (when newline
            (push (substring text newline (1+ newline)) pieces))
          (setq column 0
                start (1+ end))))
      (apply #'concat (nreverse pieces)))))

(defun midflight-fold--long-p (text column)
  "Return non-nil if a line of TEXT, which begins at COLUMN, is too long."
  (and midflight-shell-maximum-line
       (> (+ (min column midflight-shell-maximum-line) (length text))
          midflight-shell-maximum-line)
       (let ((start 0)
             newline long)
         (while (and (not long) (setq newline (string-match-p "\n" text start)))
           (setq long (> (+ column (- newline start)) midflight-shell-maximum-line)
                 column 0
                 start (1+ newline)))
         (or long
             (and (< start (length text))
                  (> (+ column (- (length text) start)) midflight-shell-maximum-line))))))

(defun midflight-fold--button (rest)
  "Return the text of a button for REST."
  (propertize (format "[%d more characters]" (length rest))
              'midflight-folded rest
              'font-lock-face 'link
              'mouse-face 'highlight
              'help-echo "RET, mouse-2: show the rest of this line"
              'keymap midflight-fold-map))

(defun midflight-fold-show (&optional event)
  "Show the rest of the long line at point, or at the position of EVENT."
  (interactive (list last-nonmenu-event))
  (when (mouse-event-p event)
    (mouse-set-point event))
  (let ((rest (get-text-property (point) 'midflight-folded)))
    (cond ((null rest)
           (user-error "Midflight: no line is folded here"))
          ((> (length rest) midflight-fold--in-place)
           (midflight-fold--show-aside rest))
          (t (midflight-fold--show-in-place rest)))))

(defun midflight-fold--show-in-place (rest)
  "Replace the button at point by REST."
  (let* ((inhibit-read-only t)
         (buffer-undo-list t)
         (end (next-single-property-change (point) 'midflight-folded nil (point-max)))
         (start (previous-single-property-change (min (1+ (point)) end) 'midflight-folded
                                                 nil (point-min)))
         (properties (text-properties-at start)))
    (dolist (property '(midflight-folded font-lock-face mouse-face help-echo keymap))
      (cl-remf properties property))
    (save-excursion
      ;; Insert inside the button: markers at its ends then stay there.
      (goto-char (1+ start))
      (insert (apply #'propertize rest properties))
      (delete-region (point) (+ (point) (- end start 1)))
      (delete-region start (1+ start))))
  (setq buffer-undo-list nil))

(defun midflight-fold--show-aside (rest)
  "Show REST in a buffer of its own, cut into lines."
  (with-current-buffer (get-buffer-create "*midflight-long-line*")
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert (format "%d characters, cut into lines:\n" (length rest)))
      (let ((start 0))
        (while (< start (length rest))
          (insert (substring rest start (min (length rest) (+ start 1000))) "\n")
          (setq start (+ start 1000)))))
    (goto-char (point-min))
    (special-mode)
    (pop-to-buffer (current-buffer))))

(provide 'midflight-fold)
;;; midflight-fold.el ends here
