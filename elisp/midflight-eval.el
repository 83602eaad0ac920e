;;; midflight-eval.el --- Evaluate from a source buffer  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The commands that evaluate an expression or a region of a source buffer.  It
;; sees the names of the buffer's module, in its current version, and what it
;; assigns is bound there; a prefix argument, or `midflight-eval-namespace',
;; chooses the names of the shell.  In both cases the shell of the project runs
;; it, with its number, in its transcript and history.  So output and interrupts
;; are those of the shell, and its prompt shows the module.
;; `midflight-eval-result-display' says whether the value is shown behind its
;; line, in the echo area, or both.
;;
;; The value behind the line is an overlay, which does not change the text of the
;; buffer.  One value is shown at a time.  The next command that edits or moves
;; removes it, or only the next edit, as `midflight-inline-result-until' says.  A
;; value that is long, or has several lines, is cut short; the full text is its
;; tooltip, and is in the shell.

;;; Code:

(require 'subr-x)
(require 'midflight-util)
(require 'midflight-server)
(require 'midflight-shell)
(require 'midflight-look)
(require 'midflight-code)
(require 'midflight-eval-history)

(defcustom midflight-eval-result-display 'both
  "The place where the value of an evaluation in a source buffer is shown.
The shell always shows the full value."
  :type '(choice (const :tag "Behind the line" inline)
                 (const :tag "In the echo area" echo)
                 (const :tag "Both" both))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defun midflight-eval-echo (answer)
  "Show ANSWER, the plist of an evaluation, in the echo area."
  (pcase (plist-get answer :status)
    ("ok" (message "%s" (or (plist-get answer :value) "None")))
    ("incomplete" (message "Midflight: the text is incomplete; nothing was evaluated"))
    (_ (message "%s" (midflight-eval--error answer)))))

(defun midflight-eval--error (answer)
  "Return the last line of the error in ANSWER, the plist of an evaluation."
  (car (last (split-string (or (plist-get answer :error) "Interrupted") "\n" t))))

(defun midflight-eval--show (answer place)
  "Show ANSWER, the plist of an evaluation, for the line of PLACE, a marker."
  (unless (and (eq midflight-eval-result-display 'inline)
               (marker-buffer place)
               (not (equal (plist-get answer :status) "incomplete")))
    (midflight-eval-echo answer))
  (when (and (memq midflight-eval-result-display '(inline both))
             (marker-buffer place))
    (pcase (plist-get answer :status)
      ("ok" (midflight-inline-result place (or (plist-get answer :value) "None")))
      ("incomplete" nil)
      (_ (midflight-inline-result place (midflight-eval--error answer) t
                                  (plist-get answer :error)))))
  (set-marker place nil))

(defcustom midflight-eval-namespace 'module
  "The names that an evaluation in a source buffer sees.
A prefix argument of the command chooses the other one."
  :type '(choice (const :tag "Those of the module of the buffer" module)
                 (const :tag "Those of the shell" shell))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defun midflight-eval-place (other)
  "Return where an evaluation in this buffer takes place: (OPTIONS . NAME).
OPTIONS is a plist for the server, NAME that of the module to show, nil for
the shell.  If OTHER is non-nil, it is the one that
`midflight-eval-namespace' does not name.  A buffer without a file has the
names of the shell."
  (let ((path (and (eq (if other (if (eq midflight-eval-namespace 'module) 'shell 'module)
                         midflight-eval-namespace)
                       'module)
                   (midflight-connection-file))))
    (if path
        (cons (list :file (midflight-connection-path path)) (midflight-eval--module-name path))
      (list '(:own t)))))

(defun midflight-eval--module-name (path)
  "Return the name that is shown for the module of the file PATH."
  (let ((base (file-name-base path)))
    (if (equal base "__init__")
        (file-name-nondirectory (directory-file-name (file-name-directory path)))
      base)))

(defun midflight-eval-text (text other callback &optional options)
  "Evaluate TEXT for this buffer; call CALLBACK with the answer, a plist.
OTHER is as for `midflight-eval-place'.  OPTIONS is a further plist for the
server."
  (when (string-blank-p text)
    (midflight-user-error "There is nothing to evaluate"))
  (let ((place (midflight-eval-place other)))
    (midflight-server-ensure
     (lambda ()
       (with-current-buffer (midflight-shell-ensure)
         (midflight-shell-evaluate-later
          text callback (append (car place) options) (cdr place)))))))

(defun midflight-eval--from-source (text position other)
  "Evaluate TEXT for this buffer and show the value for the line of POSITION.
OTHER is as for `midflight-eval-place'."
  (midflight-inline-remove)
  (let ((place (copy-marker position)))
    (midflight-eval-text text other (lambda (answer)
                                      (midflight-eval-history-note text answer)
                                      (midflight-eval--show answer place)))))

(defvar midflight-eval-expression-history nil
  "History of the expressions given to `midflight-eval-expression'.")

(defun midflight-eval-expression (text &optional other)
  "Evaluate TEXT, Python, with the names of this buffer's module.
They are those of its current version.  What TEXT assigns is bound in the
module.  With prefix argument OTHER, evaluate in the shell instead, or the
other way round (`midflight-eval-namespace').  Show the value as
`midflight-eval-result-display' says."
  (interactive
   (let* ((symbol (thing-at-point 'symbol t))
          (place (or (cdr (midflight-eval-place current-prefix-arg)) "the shell")))
     (list (read-string (if symbol
                            (format "Evaluate in %s (default %s): " place symbol)
                          (format "Evaluate in %s: " place))
                        nil 'midflight-eval-expression-history symbol)
           current-prefix-arg)))
  (midflight-eval--from-source text (point) other))

(defun midflight-eval-last-expression (&optional other)
  "Evaluate the expression before point with the names of this buffer's module.
It is the longest that ends there: behind \"x = f(1) + 2\" it is f(1) + 2.
With prefix argument OTHER, evaluate in the shell, as
`midflight-eval-expression' does."
  (interactive "P")
  (let ((position (midflight-eval--end-of-code)))
    (midflight-eval-with-last-expression
     (lambda (text) (midflight-eval--from-source text position other)))))

(defun midflight-eval--end-of-code (&optional begin end)
  "Return the end of the code before END, or point: white space does not count.
Look no further back than BEGIN."
  (save-excursion
    (when end (goto-char end))
    (skip-chars-backward " \t\n" begin)
    (point)))

(defun midflight-eval-with-last-expression (callback)
  "Call CALLBACK with the text of the expression before point."
  (let ((before (save-excursion (goto-char (midflight-eval--end-of-code))
                                (midflight-look-before))))
    (midflight-server-ensure
     (lambda ()
       (midflight-connection-call
        'look/expression (list before)
        (lambda (text)
          (if text
              (funcall callback text)
            (message "Midflight: no expression ends here; nothing was evaluated"))))))))

(defun midflight-eval-region (begin end &optional other)
  "Evaluate the text from BEGIN to END with the names of this buffer's module.
Remove the indentation that all its lines share.  If functions or classes
of the top level stand there, load them first, with all other statements
there that bind names, as one version of the module; then evaluate the rest.
With prefix argument OTHER, evaluate all of it in the shell, as
`midflight-eval-expression' does."
  (interactive "r\nP")
  (if (and (plist-get (car (midflight-eval-place other)) :file)
           (midflight-eval--defines-p begin end))
      (midflight-eval--load-region (copy-marker begin) (copy-marker end))
    (midflight-eval--from-source
     (midflight-eval-region-text begin end) (midflight-eval--end-of-code begin end) other)))

(defun midflight-eval--defines-p (begin end)
  "Return non-nil if a definition may begin between BEGIN and END."
  (save-excursion
    (goto-char begin)
    (re-search-forward "^\\(?:async[ \t]+def\\|def\\|class\\)\\_>" end t)))

(defun midflight-eval--load-region (begin end)
  "Load the definitions from BEGIN to END, markers; evaluate the rest."
  (let* ((path (midflight-code-path))
         (position (midflight-eval--end-of-code begin end))
         (lines (midflight-eval--whole-lines begin end)))
    (midflight-code-call
     (format "lines %d to %d of %s" (car lines) (cdr lines) (file-name-nondirectory path))
     'code/define-region
     (list path (midflight-code-text) (car lines) (cdr lines))
     (lambda (report)
       (let ((rest (plist-get report :rest)))
         (when (plist-get report :status)
           (midflight-code-show report
                                (lambda ()
                                  (with-current-buffer (marker-buffer begin)
                                    (midflight-eval--load-region begin end)))))
         (unless (or (equal (plist-get report :status) "failed") (string-blank-p rest))
           (midflight-eval--from-source (concat (string-trim rest "\n+") "\n") position nil)))))))

(defun midflight-eval--whole-lines (begin end)
  "Return the numbers of the first and last line between BEGIN and END.
Count only lines that are all between them, without regard to white space."
  (save-excursion
    (save-restriction
      (widen)
      (cons (progn (goto-char begin)
                   (skip-chars-backward " \t")
                   (if (bolp) (line-number-at-pos) (1+ (line-number-at-pos))))
            (progn (goto-char end)
                   (skip-chars-forward " \t")
                   (if (and (eolp) (not (= end (line-beginning-position))))
                       (line-number-at-pos)
                     (1- (line-number-at-pos))))))))

(defun midflight-eval-region-text (begin end)
  "Return the text from BEGIN to END without the indentation of all its lines."
  (let ((text (buffer-substring-no-properties begin end))
        (column (save-excursion (goto-char begin) (current-column))))
    (with-temp-buffer
      ;; The first line may begin in the middle of its indentation.
      (insert (make-string column ?\s) text)
      (setq indent-tabs-mode nil)
      (indent-rigidly (point-min) (point-max)
                      (- (midflight-eval--common-indentation)))
      (concat (string-trim-right (buffer-string)) "\n"))))

(defun midflight-eval--common-indentation ()
  "Return the columns of indentation that all lines of this buffer share."
  (let ((least nil))
    (goto-char (point-min))
    (while (not (eobp))
      (unless (looking-at-p "[ \t]*$")
        (setq least (min (or least most-positive-fixnum) (current-indentation))))
      (forward-line 1))
    (or least 0)))

;;;; The value behind its line

(defcustom midflight-inline-result-until 'command
  "The command that removes a value shown behind its line."
  :type '(choice (const :tag "The next command that moves or edits" command)
                 (const :tag "The next edit of the buffer" edit))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defcustom midflight-inline-result-width 120
  "The most characters of a value that are shown behind its line."
  :type 'natnum
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defface midflight-inline-result '((t :inherit font-lock-comment-face))
  "Face for a value behind its line."
  :group 'midflight)

(defface midflight-inline-error '((t :inherit error :weight normal))
  "Face for an error behind its line."
  :group 'midflight)

(defvar-local midflight-eval--overlay nil "The overlay with the value, if one is shown.")
(defvar-local midflight-eval--seen nil
  "Point and the tick of the text when the value was shown.")

(defun midflight-eval--cut (text)
  "Return TEXT shortened to fit behind a line: its first line, cut if long."
  (let* ((lines (split-string (string-trim-right text) "\n"))
         (first (car lines))
         (more (1- (length lines)))
         (long (> (length first) midflight-inline-result-width)))
    (concat (if long (substring first 0 midflight-inline-result-width) first)
            (if (or long (> more 0)) "..." "")
            (if (> more 0) (format " (%d more line%s)" more (if (= more 1) "" "s")) ""))))

(defun midflight-inline-result (place text &optional failed whole)
  "Show TEXT behind the line of PLACE, a marker, until the next command.
If FAILED is non-nil, it is an error.  WHOLE is its tooltip; if nil, that is
all of TEXT."
  (with-current-buffer (marker-buffer place)
    (midflight-inline-remove)
    (save-excursion
      (save-restriction
        (widen)
        (goto-char place)
        (let ((overlay (make-overlay (line-beginning-position) (line-end-position)))
              (shown (concat "  => " (midflight-eval--cut text))))
          (setq shown (propertize shown 'face (if failed 'midflight-inline-error
                                                'midflight-inline-result)
                                  'help-echo (string-trim-right (or whole text))))
          ;; Otherwise the cursor at the end of the line is shown behind the value.
          (put-text-property 0 1 'cursor t shown)
          (overlay-put overlay 'after-string shown)
          (overlay-put overlay 'midflight-inline t)
          (setq midflight-eval--overlay overlay))))
    (setq midflight-eval--seen (cons (point) (buffer-chars-modified-tick)))
    (add-hook 'post-command-hook #'midflight-eval--after-command nil t)))

(defun midflight-eval--after-command ()
  "Remove the value if the last command edited or moved."
  (unless (and midflight-eval--seen
               (= (cdr midflight-eval--seen) (buffer-chars-modified-tick))
               (or (eq midflight-inline-result-until 'edit)
                   (= (car midflight-eval--seen) (point))))
    (midflight-inline-remove)))

(defun midflight-inline-remove ()
  "Remove the value that is shown in this buffer, if one is."
  (when midflight-eval--overlay
    (delete-overlay midflight-eval--overlay)
    (setq midflight-eval--overlay nil
          midflight-eval--seen nil))
  (remove-hook 'post-command-hook #'midflight-eval--after-command t))

(provide 'midflight-eval)
;;; midflight-eval.el ends here
