;;; midflight-preview.el --- The preview of a load  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The steps of a preview:
;;
;; 1. C-u C-c C-k asks the server to do all of a load except the last step.
;; 2. A buffer shows the answer: the definitions that change, as links; the
;;    runtime processes that would stay on old code, and which of them can be
;;    moved; the checks; the difference from the running code.
;; 3. In this buffer, l loads exactly the text that was previewed, m also moves
;;    the idle runtime processes, q drops the preview.  If the source has been
;;    edited, or another version has been loaded meanwhile, l and m load nothing
;;    and show a new preview.

;;; Code:

(require 'midflight-util)
(require 'midflight-code)
(require 'midflight-remedy)
(require 'midflight-report)

(defvar-local midflight-preview--path nil "The file that this preview is of.")
(defvar-local midflight-preview--text nil "The text that this preview is of.")
(defvar-local midflight-preview--module nil "The module that this preview is of.")
(defvar-local midflight-preview--outdated nil
  "Non-nil if another version has been loaded since.")

(defvar-local midflight-preview--forceable nil
  "Non-nil if only checks would refuse this load, so that it can be forced.")

(defvar midflight-preview-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'midflight-preview-load)
    (define-key map "l" #'midflight-preview-load)
    (define-key map "m" #'midflight-preview-load-and-move)
    (define-key map "f" #'midflight-preview-force)
    (define-key map "q" #'midflight-preview-drop)
    map)
  "Keymap of `midflight-preview-mode'.")

(easy-menu-define midflight-preview-menu midflight-preview-mode-map
  "Menu of `midflight-preview-mode'."
  '("Preview"
    ["Load it" midflight-preview-load]
    ["Load it and move idle processes" midflight-preview-load-and-move]
    ["Load it in spite of the checks" midflight-preview-force :active midflight-preview--forceable]
    ["Preview again" revert-buffer]
    ["Drop it" midflight-preview-drop]))

(define-derived-mode midflight-preview-mode midflight-report-mode "Midflight-Preview"
  "Major mode for the preview of a load.

\\{midflight-preview-mode-map}"
  ;; For its faces.  If this file required it when it is loaded, it would add an
  ;; entry to `minor-mode-alist'.
  (require 'diff-mode)
  (add-hook 'midflight-loaded-functions #'midflight-preview--loaded))

(defconst midflight-preview--help
  "\\<midflight-preview-mode-map>\\[midflight-preview-load] loads it, \
\\[midflight-preview-load-and-move] loads it and moves the processes that can be moved, \
\\[revert-buffer] previews again, \\[midflight-preview-drop] drops it."
  "The key help of a preview.")

(defconst midflight-preview--help-refused
  "\\<midflight-preview-mode-map>It would not be loaded; \
\\[midflight-preview-force] loads what a check refuses all the same, \
\\[revert-buffer] previews again, \\[midflight-preview-drop] drops it."
  "The key help of a preview of a load that a check would refuse.")

(defconst midflight-preview--help-impossible
  "\\<midflight-preview-mode-map>It cannot be loaded; \
\\[revert-buffer] previews again, \\[midflight-preview-drop] drops it."
  "The key help of a preview of a text that nothing can load.")

;;;; Ask and show

(defun midflight-preview-buffer (path text)
  "Show a preview of a load of TEXT as the module of the file PATH."
  (midflight-server-ensure
   (lambda ()
     (message "Midflight: making a preview of a load of %s..."
              (file-name-nondirectory path))
     (midflight-connection-call
      'code/preview (list path text)
      (lambda (preview) (midflight-preview--show preview path text))
      (lambda (why)
        (midflight-connection-show-error
         (format "no preview of %s; nothing was loaded: %s"
                 (file-name-nondirectory path) why)))))))

(defun midflight-preview--show (preview path text)
  "Show PREVIEW, the server's plist for a load of TEXT as the file PATH."
  (let* ((connection (midflight-connection-of-buffer))
         (root (midflight-connection-root connection))
         (buffer (get-buffer-create (format "*midflight-preview for %s*"
                                            (midflight-connection-project connection)))))
    (with-current-buffer buffer
      (unless (derived-mode-p 'midflight-preview-mode)
        (midflight-preview-mode))
      (setq midflight-preview--path path
            midflight-preview--text text
            midflight-preview--module (plist-get preview :module)
            midflight-preview--outdated nil
            midflight-preview--forceable (plist-get preview :can-be-forced)
            default-directory (file-name-directory path))
      (midflight-report-fill preview root #'midflight-preview--again)
      (midflight-remedy-fill-preview preview)
      (let ((inhibit-read-only t))
        (forward-line 1)
        (insert "\n" (substitute-command-keys
                      (cond ((not (equal (plist-get preview :status) "failed"))
                             midflight-preview--help)
                            (midflight-preview--forceable midflight-preview--help-refused)
                            (t midflight-preview--help-impossible)))
                "\n")
        (midflight-preview--insert-changes (plist-get preview :changes))
        (goto-char (point-max))
        (midflight-preview--insert-diff preview)
        (goto-char (point-min))))
    (pop-to-buffer buffer)
    (message "%s" (midflight-report-in-keys (plist-get preview :summary)))))

(defun midflight-preview--insert-changes (definitions)
  "Insert a link to the definition of each of DEFINITIONS, a list of plists."
  (when definitions
    (save-excursion
      ;; The text names them as well.
      (while (re-search-forward "^  \\(?:changed\\|added\\|removed\\): .*\n" nil t)
        (replace-match "")))
    (insert "\nDefinitions\n")
    (dolist (change definitions)
      (let ((line (plist-get change :line))
            (name (plist-get change :name))
            (status (plist-get change :status)))
        (insert (format "  %-8s " status))
        (if line
            (insert-text-button name
                                'action (lambda (_) (midflight-preview--visit line))
                                'help-echo "Go to this definition"
                                'face (midflight-preview--face status))
          (insert (propertize name 'face (midflight-preview--face status))))
        (insert "\n")))
    (insert "\n")))

(defun midflight-preview--face (status)
  "Return the face for a definition of STATUS, a string."
  (pcase status ("added" 'diff-added) ("removed" 'diff-removed) (_ 'diff-changed)))

(defun midflight-preview--visit (line)
  "Show LINE of the source that this preview is of."
  (pop-to-buffer (midflight-preview--source))
  (midflight-goto (midflight-flymake-position line nil)))

(defun midflight-preview--source ()
  "Return a buffer that visits the file of this preview."
  (find-file-noselect midflight-preview--path))

(defun midflight-preview--insert-diff (preview)
  "Insert the unified diff of PREVIEW, a plist, with the faces of `diff-mode'."
  (let ((diff (plist-get preview :diff)))
    (unless (string-empty-p diff)
      (insert (if (plist-get preview :running)
                  (format "\nDifference from version %s, which is running\n" (plist-get preview :running))
                "\nDifference from the running code\n"))
      (dolist (line (split-string (string-trim-right diff "\n") "\n"))
        (insert (propertize line 'face (midflight-preview--diff-face line)) "\n")))))

(defun midflight-preview--diff-face (line)
  "Return the face for LINE of a unified diff."
  (cond ((string-match-p "\\`\\(?:---\\|\\+\\+\\+\\) " line) 'diff-header)
        ((string-prefix-p "@@" line) 'diff-hunk-header)
        ((string-prefix-p "+" line) 'diff-added)
        ((string-prefix-p "-" line) 'diff-removed)
        (t 'diff-context)))

(defun midflight-preview--again ()
  "Preview the text of the source as it is now."
  (with-current-buffer (midflight-preview--source)
    (midflight-preview-buffer (midflight-code-path) (midflight-code-text))))

(defun midflight-preview--loaded (root report)
  "Note that the load of REPORT, in the project at ROOT, may outdate a preview."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (and (derived-mode-p 'midflight-preview-mode)
                 (equal midflight-connection-buffer-root root)
                 (equal midflight-preview--module (plist-get report :module)))
        (setq midflight-preview--outdated t)))))

;;;; Decide

(defun midflight-preview-load (&optional options)
  "Load the text of this preview, with OPTIONS, a plist for the server.
If the source has changed since, or another version has been
loaded since, load nothing and preview again."
  (interactive)
  (let ((path midflight-preview--path)
        (text midflight-preview--text)
        (why (cond (midflight-preview--outdated "another version has been loaded")
                   ((not (equal midflight-preview--text
                                (with-current-buffer (midflight-preview--source)
                                  (midflight-code-text))))
                    "it has been edited"))))
    (if why
        (progn
          (midflight-preview--again)
          (message "Midflight: %s was not loaded: %s since the preview; this is a new preview"
                   (file-name-nondirectory path) why))
      (let ((source (midflight-preview--source)))
        (quit-window t)
        (with-current-buffer source
          (midflight-code-offer-save)
          (midflight-code-load path text options))))))

(defun midflight-preview-load-and-move ()
  "Load the text of this preview, and move the idle runtime processes to it."
  (interactive)
  (midflight-preview-load '(:move t)))

(defun midflight-preview-force ()
  "Load the text of this preview even though a check refuses it."
  (interactive)
  (unless midflight-preview--forceable
    (midflight-user-error "No check refuses this load, so it cannot be forced; nothing was loaded"))
  (when (yes-or-no-p "Processes may die from it; load it in spite of the checks? ")
    (midflight-preview-load '(:force t))))

(defun midflight-preview-drop ()
  "Drop this preview; nothing is loaded."
  (interactive)
  (quit-window t)
  (message "Midflight: nothing was loaded"))

(provide 'midflight-preview)
;;; midflight-preview.el ends here
