;;; midflight-pytest.el --- Run tests, show their failures  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, tools
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The life of a run of tests:
;;
;; 1. A command chooses them: the test at point, those of this file (of a module,
;;    the test_NAME.py of its project), the ones that failed last, or all.
;; 2. A new process of pytest runs them, apart from the running system, with the
;;    Python of the project.  Emacs does not wait.
;; 3. Its output is a report that derives from Compilation mode, so each frame
;;    is a link, and `next-error' goes through them.
;; 4. When it has ended, failures are Flymake diagnostics in the files that are
;;    visited, and the echo area has the result.

;;; Code:

(require 'cl-lib)
(require 'compile)
(require 'python)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-environment)
(require 'midflight-flymake)
(require 'midflight-code)

(defcustom midflight-pytest-command nil
  "The command that runs pytest, a list of the program and its arguments, or nil.
If nil, it is the Python of the project with \"-m pytest\"."
  :type '(choice (const :tag "The Python of the project" nil)
                 (repeat :tag "Program and arguments" string))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defvar midflight-pytest--failed nil
  "Alist of project roots and the names of what failed there last.")

(defvar midflight-pytest--marked nil
  "Buffers that have diagnostics of failed tests.")

(define-compilation-mode midflight-pytest-mode "Midflight-Test"
  "Major mode for the report of a run of tests.
Frames are links, and `next-error' goes from one to the next."
  (setq-local compilation-error-regexp-alist '(midflight-pytest))
  (setq-local compilation-error-regexp-alist-alist
              '((midflight-pytest "^\\([^ \n:][^\n:]*\\.py\\):\\([0-9]+\\): " 1 2)))
  (setq-local compilation-always-kill t)
  (add-hook 'compilation-finish-functions #'midflight-pytest--finished nil t))

;;;; Choose tests

(defun midflight-pytest--file-p (file)
  "Return non-nil if FILE is a test file by its name."
  (string-match-p "\\`\\(?:test_.*\\|.*_test\\)\\.py\\'" (file-name-nondirectory file)))

(defun midflight-pytest--of-file (file root)
  "Return the test file of FILE in the project at ROOT, or nil."
  (if (midflight-pytest--file-p file)
      file
    (let ((base (regexp-quote (file-name-base file))))
      (car (directory-files-recursively
            root (format "\\`\\(?:test_%s\\|%s_test\\)\\.py\\'" base base) nil
            (lambda (folder)
              (not (string-match-p "\\`\\(?:\\..*\\|node_modules\\|venv\\|env\\|build\\)\\'"
                                   (file-name-nondirectory folder)))))))))

(defun midflight-pytest--here (file)
  "Return the test of FILE that point is in, as pytest names it, or nil."
  (let ((parts (split-string (or (save-restriction (widen) (python-info-current-defun)) "") "\\." t))
        (id file)
        found)
    (while parts
      (let ((part (pop parts)))
        (setq id (concat id "::" part))
        (cond ((string-prefix-p "test" part) (setq found id parts nil))
              ((string-prefix-p "Test" part) (setq found id)))))
    found))

(defun midflight-pytest--file ()
  "Return the file of this buffer, saved if the user wishes, or signal an error."
  (let ((file (midflight-code-path)))
    (midflight-code-offer-save)
    file))

(defun midflight-pytest-at-point ()
  "Run pytest on the test at point, or on its class, in a new process."
  (interactive)
  (let ((file (midflight-pytest--file)))
    (midflight-pytest--run
     (list (or (and (midflight-pytest--file-p file) (midflight-pytest--here file))
               (midflight-user-error "Point is in no test; nothing was run; %s runs the tests of the file"
                                     (substitute-command-keys
                                      "\\<midflight-mode-map>\\[midflight-pytest-file]")))))))

(defun midflight-pytest-file ()
  "Run pytest on this file, in a new process.
If it is a module, run its tests: test_NAME.py or NAME_test.py, in any
folder of the project."
  (interactive)
  (let* ((file (midflight-pytest--file))
         (tests (midflight-pytest--of-file file (midflight-connection-root-of-buffer))))
    (unless tests
      (midflight-user-error "The project has no test_%s.py; nothing was run"
                            (file-name-base file)))
    (midflight-pytest--run (list tests))))

(defun midflight-pytest-failed ()
  "Run pytest again on what failed last in this project."
  (interactive)
  (let ((failed (cdr (assoc (midflight-connection-root-of-buffer) midflight-pytest--failed))))
    (unless failed
      (midflight-user-error "No test failed in the last run; nothing was run"))
    (when (midflight-connection-file)
      (midflight-code-offer-save))
    (midflight-pytest--run failed)))

(defun midflight-pytest-all ()
  "Run pytest on the whole project of this buffer, in a new process."
  (interactive)
  (midflight-pytest--run nil))

;;;; Run

(defun midflight-pytest--command (root)
  "Return the command of pytest in the project at ROOT, a list."
  (or midflight-pytest-command
      (let* ((found (midflight-environment-find root))
             (folder (or (and (plist-get found :environment)
                              (expand-file-name "bin" (plist-get found :environment)))
                         (and (plist-get found :command)
                              (file-name-directory (car (plist-get found :command))))))
             (python (and folder (expand-file-name "python" folder))))
        (list (if (and python (file-executable-p python)) python "python3") "-m" "pytest"))))

(defun midflight-pytest--buffer-name (root)
  "Return the name of the report for the project at ROOT."
  (format "*midflight-pytest %s*" (file-name-nondirectory root)))

(defun midflight-pytest--run (names)
  "Run pytest on NAMES, a list as it gives them, for the project of this buffer.
If NAMES is nil, run all that it finds."
  (let* ((root (midflight-connection-root-of-buffer))
         (default-directory (file-name-as-directory root))
         (command (append (midflight-pytest--command root) '("-q" "--tb=short" "--color=no")
                          (mapcar (lambda (test)
                                    (if (file-name-absolute-p test)
                                        (file-relative-name test root)
                                      test))
                                  names))))
    (with-current-buffer
        (compilation-start (mapconcat #'shell-quote-argument command " ") 'midflight-pytest-mode
                           (lambda (_mode) (midflight-pytest--buffer-name root)))
      (setq midflight-connection-buffer-root root))))

(defun midflight-pytest-show-report ()
  "Show the report of the last run of pytest for this buffer's project."
  (interactive)
  (pop-to-buffer (or (get-buffer (midflight-pytest--buffer-name (midflight-connection-root-of-buffer)))
                     (midflight-user-error "No test has been run yet"))))

;;;; Show the failures

(defun midflight-pytest--finished (buffer status)
  "Show the failures in BUFFER, a report, whose process ended with STATUS."
  (with-current-buffer buffer
    (let* ((root midflight-connection-buffer-root)
           (failures (midflight-pytest--failures))
           (summary (midflight-pytest--summary)))
      (setf (alist-get root midflight-pytest--failed nil nil #'equal) (midflight-pytest--names))
      (midflight-pytest--mark failures)
      (message "Midflight: %s%s"
               (or summary (format "the tests did not run: %s; %s shows why" (string-trim status)
                                   (substitute-command-keys
                                    "\\<midflight-mode-map>\\[midflight-pytest-show-report]")))
               (if failures
                   (concat ": " (mapconcat (lambda (failure) (plist-get failure :message))
                                           (seq-take (delete-dups (copy-sequence failures)) 3) "; "))
                 "")))))

(defun midflight-pytest--summary ()
  "Return the result in this report, like \"1 failed, 2 passed in 0.03s\", or nil."
  (save-excursion
    (goto-char (point-max))
    (and (re-search-backward "^=* ?\\([0-9]+ \\(?:failed\\|passed\\|skipped\\|error\\|deselected\\|xfailed\\|warning\\)[^=\n]*\\)" nil t)
         (string-trim (match-string-no-properties 1)))))

(defun midflight-pytest--names ()
  "Return the names that this report has of what failed."
  (save-excursion
    (goto-char (point-min))
    (let (names)
      (while (re-search-forward "^\\(?:FAILED\\|ERROR\\) \\(.*?\\)\\(?: - .*\\)?$" nil t)
        (push (match-string-no-properties 1) names))
      (nreverse names))))

(defun midflight-pytest--failures ()
  "Return the failures in this report: plists with :path, :line and :message.
A failure is at the innermost frame in a file of the project, which is the
last one that the report names by a relative path."
  (save-excursion
    (goto-char (point-min))
    (let (failures)
      (while (re-search-forward "^_\\{2,\\} \\(.+?\\) _\\{2,\\}$" nil t)
        (let ((name (match-string-no-properties 1))
              (end (save-excursion
                     (if (re-search-forward "^\\(?:_\\{2,\\} .+ _\\{2,\\}\\|=\\{3,\\} .*\\)$" nil t)
                         (line-beginning-position)
                       (point-max))))
              (why nil)
              place)
          (save-excursion
            (while (re-search-forward "^\\(?:E   +\\(.*\\)\\|\\([^ /\n:][^\n:]*\\.py\\):\\([0-9]+\\): \\)" end t)
              (if (match-beginning 1)
                  (unless why (setq why (match-string-no-properties 1)))
                (setq place (cons (match-string-no-properties 2)
                                  (string-to-number (match-string 3)))))))
          (when place
            (push (list :path (expand-file-name (car place)) :line (cdr place)
                        :severity "error"
                        :message (format "%s: %s" name (or why "failed")))
                  failures))
          (goto-char end)))
      (nreverse failures))))

(defun midflight-pytest--mark (failures)
  "Show FAILURES, plists, in the buffers that visit their files; clear all others."
  (dolist (buffer midflight-pytest--marked)
    (when (buffer-live-p buffer)
      (with-current-buffer buffer (midflight-flymake-set nil 'test))))
  (setq midflight-pytest--marked nil)
  (dolist (path (delete-dups (mapcar (lambda (failure) (plist-get failure :path)) failures)))
    (let ((buffer (find-buffer-visiting path)))
      (when buffer
        (push buffer midflight-pytest--marked)
        (with-current-buffer buffer
          (midflight-flymake-set (cl-remove-if-not
                                  (lambda (failure) (equal (plist-get failure :path) path))
                                  failures)
                                 'test))))))

(provide 'midflight-pytest)
;;; midflight-pytest.el ends here
