;;; midflight-dispatch-tests.el --- All commands are found  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Every public command can be found without knowing its name: in the menu, in
;; the pop-up, or by a key of the buffer that it belongs to; and every command
;; and option is in the manual.

;;; Code:

(require 'midflight-helpers)

(defun midflight-dispatch-tests-symbols (predicate)
  "Return the public symbols of the package for which PREDICATE holds, sorted."
  (let (found)
    (mapatoms (lambda (symbol)
                (let ((name (symbol-name symbol)))
                  (when (and (string-match-p "\\`midflight\\(-\\|\\'\\)" name)
                             (not (string-match-p "--\\|\\`midflight-test" name))
                             (funcall predicate symbol)
                             (midflight-dispatch-tests-ours-p symbol))
                    (push symbol found)))))
    (sort found #'string<)))

(defun midflight-dispatch-tests-ours-p (symbol)
  "Return non-nil if SYMBOL is defined in elisp/, not in a test."
  (let ((file (or (symbol-file symbol 'defun) (symbol-file symbol 'defvar))))
    (or (null file)
        (not (string-match-p "tests/elisp" file)))))

(defun midflight-dispatch-tests-bound (map)
  "Return all commands that the keymap MAP binds, menus included."
  (let (found)
    (map-keymap (lambda (_ binding)
                  (setq found (append (midflight-dispatch-tests-commands binding) found)))
                map)
    found))

(defun midflight-dispatch-tests-commands (binding)
  "Return the commands in BINDING, as a keymap has it."
  (pcase binding
    ((pred keymapp) (midflight-dispatch-tests-bound binding))
    (`(menu-item ,_ ,command . ,_) (midflight-dispatch-tests-commands command))
    (`(,(pred stringp) . ,rest) (midflight-dispatch-tests-commands rest))
    ((pred symbolp) (and binding (list binding)))))

(defun midflight-dispatch-tests-reachable ()
  "Return the commands that a keymap or the pop-up has."
  (let ((found (mapcan (lambda (group) (mapcar #'cadr (cdr group)))
                       (copy-tree midflight-dispatch-groups))))
    (mapatoms (lambda (symbol)
                (when (and (string-match-p "\\`midflight-.*-map\\'" (symbol-name symbol))
                           (boundp symbol)
                           (keymapp (symbol-value symbol)))
                  (setq found (append (midflight-dispatch-tests-bound (symbol-value symbol))
                                      found)))))
    found))

(defconst midflight-dispatch-tests-elsewhere
  '(midflight-mode                 ; by its hook
    midflight-describe-keys        ; ? in the pop-up
    midflight-connection-menu)     ; a click on the mode line
  "Commands that are found in another way.")

(ert-deftest midflight-every-command-can-be-found ()
  "In a menu, in the pop-up or by a key."
  (let ((reachable (append midflight-dispatch-tests-elsewhere
                           (midflight-dispatch-tests-reachable)))
        (commands (midflight-dispatch-tests-symbols
                   (lambda (symbol)
                     (and (commandp symbol)
                          (not (string-match-p "-\\(mode\\|menu\\)\\'" (symbol-name symbol))))))))
    (should (> (length commands) 30))
    (should-not (cl-set-difference commands reachable))))

(ert-deftest midflight-every-menu-item-is-a-command ()
  "And so is every row of the pop-up, by a key of its own."
  (let ((keys (mapcan (lambda (group) (mapcar #'car (cdr group)))
                      (copy-tree midflight-dispatch-groups))))
    (should (equal keys (delete-dups (copy-sequence keys))))
    (should-not (memq ?q keys)))
  (dolist (group midflight-dispatch-groups)
    (dolist (entry (cdr group))
      (ert-info ((format "%S" entry))
        (should (commandp (nth 1 entry))))))
  (map-keymap (lambda (_ item)
                (pcase item
                  (`(menu-item ,_ ,(and (pred symbolp) command) . ,_)
                   (when command
                     (should (commandp command))))))
              (lookup-key midflight-mode-map [menu-bar Midflight])))

(ert-deftest midflight-dispatch-calls-in-the-buffer-it-came-from ()
  "With the prefix argument that it was given; other keys are said to be none."
  (with-temp-buffer
    (let ((buffer (current-buffer))
          (keys '(?! ?R))
          called)
      (cl-letf (((symbol-function 'read-key) (lambda (_) (pop keys)))
                ((symbol-function 'midflight-show-report)
                 (lambda (prefix)
                   (interactive "P")
                   (setq called (list (current-buffer) prefix)))))
        (let ((current-prefix-arg '(4)))
          (midflight-dispatch)))
      (should (equal called (list buffer '(4))))
      (should-not (get-buffer "*midflight-dispatch*"))
      (cl-letf (((symbol-function 'read-key) (lambda (_) ?q)))
        (should-not (midflight-dispatch))))))

(ert-deftest midflight-dispatch-shows-the-keys-of-the-mode ()
  "Whatever they are bound to, and for any width."
  (dolist (width '(60 80 130))
    (let ((text (midflight-dispatch--text width)))
      (should (string-match-p "k this buffer.*C-c C-k" text))
      (should (string-match-p "v versions of this module +C-c C-x v" text))
      (dolist (line (split-string text "\n"))
        (should (<= (string-width line) (max 80 width)))))))

;;;; The manual

(defun midflight-dispatch-tests-manual (&rest names)
  "Return the text of the manual's files NAMES, of its own chapters without."
  (let ((folder (expand-file-name "docs/manual" midflight-test-root)))
    (with-temp-buffer
      (dolist (name (or names
                        (seq-difference (directory-files folder nil "\\.md\\'")
                                        '("keys.md" "options.md"))))
        (goto-char (point-max))
        (insert-file-contents (expand-file-name name folder)))
      (buffer-string))))

(ert-deftest midflight-manual-has-every-command-and-option ()
  "The parts that scripts/manual.el makes are what it would make now: make docs."
  (with-temp-buffer
    (let ((process-environment (cons "MIDFLIGHT_MANUAL_CHECK=t" process-environment)))
      (ert-info ((buffer-string))
        (should (eql 0 (call-process (expand-file-name invocation-name invocation-directory)
                                     nil t nil "-Q" "--batch" "-l"
                                     (expand-file-name "scripts/manual.el"
                                                       midflight-test-root)))))))
  (let ((keys (midflight-dispatch-tests-manual "keys.md"))
        (options (midflight-dispatch-tests-manual "options.md")))
    (dolist (command (midflight-dispatch-tests-symbols #'commandp))
      (unless (string-match-p "-menu\\'" (symbol-name command))
        (ert-info ((symbol-name command))
          (should (string-match-p (format "^| \\(`[^|]+` | \\)?`%s` |" command) keys)))))
    (dolist (option (midflight-dispatch-tests-symbols #'custom-variable-p))
      (ert-info ((symbol-name option))
        (should (string-match-p (format "^## `%s`$" option) options))))))

(ert-deftest midflight-manual-tells-of-every-command-of-the-mode ()
  "In its own words, in a chapter: each that the pop-up has."
  (let ((manual (midflight-dispatch-tests-manual)))
    (dolist (group midflight-dispatch-groups)
      (dolist (entry (cdr group))
        (unless (memq (nth 1 entry) '(midflight-manual))
          (ert-info ((symbol-name (nth 1 entry)))
            (should (string-match-p (format "\\_<%s\\_>" (nth 1 entry)) manual))))))))

(ert-deftest midflight-manual-names-nothing-that-is-not-there ()
  "Every command and option that its chapters name exists."
  (with-temp-buffer
    (insert (midflight-dispatch-tests-manual))
    (goto-char (point-min))
    (let ((count 0))
      (while (re-search-forward "`\\(midflight[a-z-]*\\)`\\|<!-- index: \\(midflight[a-z-]*\\) -->"
                                nil t)
        (setq count (1+ count))
        (let ((symbol (intern (or (match-string 1) (match-string 2)))))
          (ert-info ((match-string 0))
            (should (or (custom-variable-p symbol) (commandp symbol))))))
      (should (> count 50)))))

(ert-deftest midflight-manual-for-info-is-made-from-its-pages ()
  "The digest in midflight.texi is that of the pages as they are; make docs."
  (let ((texinfo (midflight-dispatch-tests-manual "midflight.texi"))
        (folder (expand-file-name "docs/manual" midflight-test-root)))
    (with-temp-buffer
      (set-buffer-multibyte nil)
      (dolist (name (directory-files folder t "\\.md\\'"))
        (goto-char (point-max))
        (insert-file-contents-literally name))
      (should (string-match-p (format "^@c Made by make docs .*%s"
                                      (secure-hash 'sha256 (current-buffer)))
                              texinfo)))))

(ert-deftest midflight-manual-for-info-has-every-command-and-option-in-its-index ()
  "As the pages name them, and each chapter is a node."
  (let ((texinfo (midflight-dispatch-tests-manual "midflight.texi")))
    (dolist (name (append (midflight-dispatch-tests-symbols #'commandp)
                          (midflight-dispatch-tests-symbols #'custom-variable-p)))
      (unless (string-match-p "-menu\\'" (symbol-name name))
        (ert-info ((symbol-name name))
          (should (string-match-p (format "^@geindex %s$" name) texinfo)))))
    (should (string-match-p "^@printindex ge$" texinfo))
    (dolist (chapter '("Overview" "Loading" "Versions" "Keys" "Options"))
      (should (string-match-p (format "^@node %s," chapter) texinfo)))))

(ert-deftest midflight-manual-is-built-without-a-warning ()
  "By makeinfo, for Info and as a page."
  (skip-unless (executable-find "makeinfo"))
  (let ((folder (make-temp-file "midflight-test" t)))
    (unwind-protect
        (dolist (options '(("-o" "midflight.info") ("--html" "--no-split" "-o" "midflight.html")))
          (with-temp-buffer
            (setq default-directory (file-name-as-directory folder))
            (let ((status (apply #'call-process "makeinfo" nil t nil
                                 (append options
                                         (list (expand-file-name "docs/manual/midflight.texi"
                                                                 midflight-test-root))))))
              (should (equal (list status (buffer-string)) '(0 "")))
              (should (file-exists-p (expand-file-name (car (last options)) folder))))))
      (delete-directory folder t))))

(provide 'midflight-dispatch-tests)
;;; midflight-dispatch-tests.el ends here
