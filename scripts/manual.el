;;; manual.el --- The parts of the manual that the code knows best  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; scripts/emacs-batch -l scripts/manual.el
;;
;; Writes docs/manual/keys.md, the keys of every mode with what each does,
;; and docs/manual/options.md, every user option, from the docstrings.  With
;; MIDFLIGHT_MANUAL_CHECK set it writes nothing and exits with 1 if one of them
;; is not what it would write.

;;; Code:

(require 'cl-lib)
(require 'subr-x)

(defvar manual-root (expand-file-name ".." (file-name-directory (or load-file-name buffer-file-name))))

(setq load-prefer-newer t)
(push (expand-file-name "elisp" manual-root) load-path)
(require 'midflight)
(require 'ob-midflight)
(defvar midflight-dispatch-groups)
(defvar midflight-everywhere-map)
(defvar midflight-mode-map)

(defun manual-text (text)
  "Return TEXT, a raw docstring, as Markdown; keys in it become commands."
  (replace-regexp-in-string
   "[`‘]\\([^`'‘’\n]+\\)['’]" "`\\1`"
   (replace-regexp-in-string
    "\\\\\\[\\([^]]+\\)]" "‘\\1’"
    (replace-regexp-in-string "\\\\\\(=\\|<[^>]*>\\|{[^}]*}\\)" "" text))))

(defun manual-first-line (command)
  "Return the first line of the docstring of COMMAND, as Markdown."
  (let ((doc (documentation command t)))
    (manual-text (car (split-string (or doc "Not documented.") "\n")))))

(defun manual-symbols (regexp predicate)
  "Return the symbols with names like REGEXP and a true PREDICATE, sorted."
  (let (found)
    (mapatoms (lambda (symbol)
                (when (and (string-match-p regexp (symbol-name symbol))
                           (funcall predicate symbol))
                  (push symbol found))))
    (sort found #'string<)))

(defun manual-key (keys)
  "Return KEYS, a vector, as text: the same in every Emacs.
Emacs 27 has the modifiers within the angle brackets."
  (replace-regexp-in-string "<\\(\\(?:[ACHMSs]-\\)+\\)\\([^>]\\)" "\\1<\\2" (key-description keys) t))

(defun manual-option-p (symbol)
  "Return non-nil if SYMBOL is a user option, or the hook of a minor mode.
That is a mere variable in Emacs 27."
  (or (custom-variable-p symbol)
      (let ((name (symbol-name symbol)))
        (and (string-suffix-p "-hook" name)
             (memq (intern (string-remove-suffix "-hook" name)) minor-mode-list)))))

(defun manual-bindings (map &optional prefix)
  "Return the keys and commands of ours that MAP binds itself, below PREFIX."
  (let (found)
    (map-keymap-internal
     (lambda (event binding)
       (let ((keys (vconcat prefix (vector event))))
         (cond ((memq event '(menu-bar remap mode-line)))
               ((and (consp event)))
               ((eq binding midflight-everywhere-map)) ; which has its own section
               ((keymapp binding)
                (setq found (append found (manual-bindings binding keys))))
               ((and (symbolp binding) binding (not (memq binding '(ignore undefined))))
                (setq found (append found (list (cons (manual-key keys) binding))))))))
     map)
    found))

(defun manual-table (bindings)
  "Return BINDINGS, keys and commands, as a table of Markdown."
  (concat
   "| Key | Command | What it does |\n|---|---|---|\n"
   (mapconcat
    (lambda (binding)
      (format "| `%s` | `%s` | %s |\n" (car binding) (cdr binding)
              (if (fboundp (cdr binding)) (manual-cell (manual-first-line (cdr binding))) "")))
    (sort bindings (lambda (a b) (string-version-lessp (car a) (car b))))
    "")))

(defun manual-cell (text)
  "Return TEXT as the cell of a table."
  (replace-regexp-in-string "|" "\\|" text t t))

(defun manual-keys ()
  "Return the text of keys.md."
  (concat
   "<!-- Made by scripts/manual.el from the keymaps; edits here are lost. -->\n\n"
   "# Keys\n\n"
   "`C-c C-x ?` (`midflight-dispatch`) shows all commands in groups; one more key calls one.\n"
   "The menu *Midflight* has them too.\n"
   (mapconcat
    (lambda (map)
      (let ((bindings (manual-bindings (symbol-value map)))
            (mode (string-remove-suffix "-map" (symbol-name map))))
        (if (null bindings)
            ""
          (format "\n## `%s`\n\n<!-- index: keys of %s -->\n\n%s" mode mode
                  (manual-table bindings)))))
    (cons 'midflight-mode-map
          (delq 'midflight-mode-map
                (manual-symbols "\\`midflight-[a-z-]*-map\\'"
                                (lambda (symbol)
                                  (and (boundp symbol) (keymapp (symbol-value symbol)))))))
    "")
   "\n## Commands without a key\n\n| Command | What it does |\n|---|---|\n"
   (let* ((bound (mapcar #'cdr
                         (apply #'append
                                (mapcar (lambda (map) (manual-bindings (symbol-value map)))
                                        (manual-symbols
                                         "\\`midflight-.*-map\\'"
                                         (lambda (symbol)
                                           (and (boundp symbol)
                                                (keymapp (symbol-value symbol)))))))))
          (free (manual-symbols
                 "\\`midflight\\(-[a-z]\\|\\'\\)"
                 (lambda (symbol)
                   (and (commandp symbol)
                        (not (string-match-p "--\\|-menu\\'" (symbol-name symbol)))
                        (not (memq symbol bound)))))))
     (mapconcat (lambda (command)
                  (format "| `%s` | %s |\n" command
                          (manual-cell (manual-first-line command))))
                free ""))))

(defun manual-options ()
  "Return the text of options.md."
  (concat
   "<!-- Made by scripts/manual.el from the docstrings; edits here are lost. -->\n\n"
   "# Options\n\n`M-x customize-group RET midflight RET` shows them all.\n"
   (mapconcat
    (lambda (option)
      (format "\n## `%s`\n\n%s\n\nThe default is `%s`.\n" option
              (manual-text (documentation-property option 'variable-documentation t))
              (let ((standard (eval (car (get option 'standard-value)) t)))
                (prin1-to-string (if (and (stringp standard) (file-name-absolute-p standard))
                                     (abbreviate-file-name standard)
                                   standard)))))
    (manual-symbols "\\`midflight-" #'manual-option-p)
    "")))

(let ((stale 0))
  (pcase-dolist (`(,name . ,text) (list (cons "keys.md" (manual-keys))
                                        (cons "options.md" (manual-options))))
    (let ((file (expand-file-name (concat "docs/manual/" name) manual-root)))
      (unless (and (file-exists-p file)
                   (equal text (with-temp-buffer
                                 (insert-file-contents file)
                                 (buffer-string))))
        (setq stale (1+ stale))
        (if (getenv "MIDFLIGHT_MANUAL_CHECK")
            (message "%s is not what the code says; make docs writes it again" file)
          (let ((coding-system-for-write 'utf-8-unix))
            (write-region text nil file nil 'silent))))))
  (when (and (getenv "MIDFLIGHT_MANUAL_CHECK") (> stale 0))
    (kill-emacs 1)))

;;; manual.el ends here
