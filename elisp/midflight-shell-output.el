;;; midflight-shell-output.el --- The output of processes in a shell  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, faces
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The output of the runtime processes that were started from a shell.  The
;; server names the process that printed each part.  This file gives each part a
;; face and its pid, which ElDoc, the mouse and `midflight-shell-tag-output'
;; show.
;;
;; Emacs becomes slow if it displays a line of many thousand characters, so the
;; buffer gets only the beginning of a long line, and a button for the rest.  RET
;; there, or a click, inserts the rest; a very long rest is shown in a buffer of
;; its own, cut into lines.

;;; Code:

(require 'cl-lib)

(defface midflight-notice '((t :inherit shadow))
  "Face for Midflight's own messages in a shell buffer."
  :group 'midflight)

(defface midflight-process-output '((t :inherit font-lock-doc-face))
  "Face for the output of runtime processes other than the shell's own."
  :group 'midflight)

(defcustom midflight-shell-tag-output nil
  "Whether lines that runtime processes print are shown with their pid.
If nil, ElDoc and the tooltip of such a line show the pid.  The output of
the shell's own evaluation is never tagged."
  :type '(choice (const :tag "With the pid before each line" t)
                 (const :tag "Only by their face" nil))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defun midflight-shell-output-tagged (text writers)
  "Return TEXT with properties that name the one of WRITERS for each part."
  (let ((start 0))
    (pcase-dolist (`(,length ,pid) writers)
      (when pid
        (add-text-properties
         start (min (length text) (+ start length))
         (append (list 'midflight-writer pid
                       'font-lock-face 'midflight-process-output
                       'help-echo (concat "printed by runtime process " pid))
                 (and midflight-shell-tag-output
                      (let ((tag (propertize (concat pid " ") 'face 'midflight-notice)))
                        (list 'line-prefix tag 'wrap-prefix tag))))
         text))
      (setq start (+ start length)))
    text))

;;;; Fold long lines

(defcustom midflight-shell-maximum-line 2000
  "The most characters of a line of output in a shell; nil means all."
  :type '(choice (const :tag "No limit" nil) natnum)
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defconst midflight-shell-output--in-place 20000
  "The most characters of a rest that is inserted into the shell.
A longer rest is shown in a buffer of its own.")

(defvar midflight-shell-output-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'midflight-shell-show-line)
    (define-key map [mouse-2] #'midflight-shell-show-line)
    map)
  "Keymap of the button for the rest of a long line.")

(defun midflight-shell-output-column ()
  "Return the length of the line before point, for `midflight-shell-output-folded'.
A line that is already folded counts as full."
  (if (and (> (point) (point-min))
           (get-text-property (1- (point)) 'midflight-folded))
      1000000000
    (let ((inhibit-field-text-motion t))
      (- (point) (line-beginning-position)))))

(defun midflight-shell-output-folded (text column)
  "Return TEXT with the rest of each long line folded.
COLUMN is the length of the line to which TEXT is appended."
  (if (not (midflight-shell-output--long-p text column))
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
            (push (midflight-shell-output--button (substring text (+ start room) end)) pieces))
          (when newline
            (push (substring text newline (1+ newline)) pieces))
          (setq column 0
                start (1+ end))))
      (apply #'concat (nreverse pieces)))))

(defun midflight-shell-output--long-p (text column)
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

(defun midflight-shell-output--button (rest)
  "Return the text of a button for REST."
  (propertize (format "[%d more characters]" (length rest))
              'midflight-folded rest
              'font-lock-face 'link
              'mouse-face 'highlight
              'help-echo "RET, mouse-2: show the rest of this line"
              'keymap midflight-shell-output-map))

(defun midflight-shell-show-line (&optional event)
  "Show the rest of the long line at point, or at the position of EVENT."
  (interactive (list last-nonmenu-event))
  (when (mouse-event-p event)
    (mouse-set-point event))
  (let ((rest (get-text-property (point) 'midflight-folded)))
    (cond ((null rest)
           (user-error "Midflight: no line is folded here"))
          ((> (length rest) midflight-shell-output--in-place)
           (midflight-shell-output--show-aside rest))
          (t (midflight-shell-output--show-in-place rest)))))

(defun midflight-shell-output--show-in-place (rest)
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

(defun midflight-shell-output--show-aside (rest)
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

(provide 'midflight-shell-output)
;;; midflight-shell-output.el ends here
