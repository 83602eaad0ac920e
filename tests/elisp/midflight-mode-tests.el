;;; midflight-mode-tests.el --- Mode, Flymake and report  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; What needs no server: that loading changes nothing, that the mode undoes all
;; it did, and where diagnostics are shown.

;;; Code:

(require 'midflight-helpers)
(require 'python)

(defconst midflight-mode-tests-report
  '(:status "failed" :module "counter" :version nil :path "/nowhere/counter.py"
    :summary "counter not loaded: line 2, expected ':'."
    :text "counter not loaded: line 2, expected ':'.\n\nRefused because\n  %s:2:7: expected ':'\n"
    :diagnostics nil)
  "What a server answers to a load that it refuses, but for the path.")

(defun midflight-mode-tests-diagnostic (line column end-line end-column)
  "Return a diagnostic from LINE and COLUMN to END-LINE and END-COLUMN."
  (list :path "/nowhere/counter.py" :line line :column column :end-line end-line
        :end-column end-column :severity "error" :message "expected ':'" :code "syntax"))

(defun midflight-mode-tests-shown ()
  "Return what Flymake shows in this buffer: (TEXT TYPE MESSAGE) each."
  (mapcar (lambda (diagnostic)
            (list (buffer-substring-no-properties (flymake-diagnostic-beg diagnostic)
                                                  (flymake-diagnostic-end diagnostic))
                  (flymake-diagnostic-type diagnostic)
                  (flymake-diagnostic-text diagnostic)))
          (sort (flymake-diagnostics)
                (lambda (a b) (< (flymake-diagnostic-beg a) (flymake-diagnostic-beg b))))))

(ert-deftest midflight-loading-the-files-changes-nothing ()
  "In a fresh Emacs, `require' binds no key and touches no hook of others."
  (let* ((form '(let* ((state (lambda ()
                                (list (global-key-binding (kbd "C-c C-k"))
                                      (default-value 'kill-emacs-hook)
                                      (default-value 'flymake-diagnostic-functions)
                                      find-file-hook after-save-hook minor-mode-alist
                                      (length (process-list))
                                      timer-list)))
                       before)
                  (require 'flymake) (require 'python) (require 'comint)
                  (require 'xref)
                  (setq before (funcall state))
                  (require 'midflight)
                  (let ((after (funcall state)))
                    ;; Its own entries say that its modes exist, and are off.
                    (setf (nth 5 after) (cl-remove-if
                                         (lambda (entry)
                                           (string-prefix-p "midflight-"
                                                            (symbol-name (car entry))))
                                         (nth 5 after)))
                    (prin1 (equal before after)))))
         (elisp (expand-file-name "elisp" midflight-test-root)))
    (with-temp-buffer
      (should (eql 0 (call-process (expand-file-name invocation-name invocation-directory)
                                   nil (list t nil) nil "-Q" "--batch" "-L" elisp
                                   "--eval" (prin1-to-string form))))
      (should (equal (buffer-string) "t")))))

(ert-deftest midflight-mode-undoes-what-it-did ()
  "Off, the buffer has the local variables and keys it had before."
  (with-temp-buffer
    (python-mode)
    (let* ((state (lambda ()
                    (list (key-binding (kbd "C-c C-k"))
                          (key-binding (kbd "C-c C-z"))
                          (remq t flymake-diagnostic-functions)
                          (bound-and-true-p flymake-mode)
                          (local-variable-p 'midflight-connection-buffer-root)
                          (local-variable-p 'midflight-flymake--notes))))
           (before (funcall state)))
      (midflight-mode 1)
      (should (eq (key-binding (kbd "C-c C-k")) #'midflight-load-buffer))
      (insert "def f()\n    pass\n")
      (midflight-flymake-set (list (midflight-mode-tests-diagnostic 1 7 1 8)))
      (should flymake-mode)
      (setq midflight-connection-buffer-root "/elsewhere")
      (midflight-mode -1)
      (should (equal (funcall state) before))
      (should-not (cl-remove-if-not (lambda (overlay) (overlay-get overlay 'flymake-overlay))
                                    (overlays-in (point-min) (point-max)))))))

(ert-deftest midflight-mode-leaves-flymake-on-if-it-was ()
  "Flymake that somebody else turned on stays on."
  (with-temp-buffer
    (flymake-mode 1)
    (midflight-mode 1)
    (midflight-flymake-set nil)
    (midflight-mode -1)
    (should flymake-mode)))

(ert-deftest midflight-flymake-shows-the-place ()
  "A diagnostic is where its line and column say, whatever its end is like."
  (with-temp-buffer
    (insert "def f()\n    pass\n\nx = λx +\n")
    (midflight-mode 1)
    (pcase-dolist (`(,place ,text) '(((1 4 1 5) "f")
                                     ((1 7 1 7) ")")
                                     ((2 0 2 99) "    pass")
                                     ((4 4 nil nil) "λx +")
                                     ((1 0 2 8) "def f()\n    pass")
                                     ((99 3 nil nil) "\n")))
      (midflight-flymake-set (list (apply #'midflight-mode-tests-diagnostic place)))
      (ert-info ((format "%S" place))
        (should (equal (midflight-mode-tests-shown)
                       `((,text :error "expected ':'"))))))
    (midflight-flymake-set nil)
    (should-not (midflight-mode-tests-shown))))

(ert-deftest midflight-flymake-follows-the-text ()
  "Between two loads a diagnostic moves with its text, and goes when that is deleted."
  (with-temp-buffer
    (insert "one\ntwo\n")
    (midflight-mode 1)
    (midflight-flymake-set (list (midflight-mode-tests-diagnostic 2 0 2 3)))
    (goto-char (point-min))
    (insert "zero\n")
    (flymake-start)
    (should (equal (midflight-mode-tests-shown) '(("two" :error "expected ':'"))))
    (delete-region (+ (point-min) 9) (point-max))
    (flymake-start)
    (should-not (midflight-mode-tests-shown))))

(ert-deftest midflight-report-leads-to-the-errors ()
  "`next-error' goes through the report; g loads again."
  (let* ((folder (file-truename (make-temp-file "midflight-test" t)))
         (path (expand-file-name "counter.py" folder))
         (diagnostics (mapcar (lambda (place)
                                (plist-put (apply #'midflight-mode-tests-diagnostic place)
                                           :path path))
                              '((1 4 1 5) (2 4 2 8))))
         (report (append (list :text (format "not loaded\n\n  %s:1:4: one\n" path)
                               :diagnostics diagnostics)
                         midflight-mode-tests-report))
         (inhibit-message t)
         (again 0)
         next-error-last-buffer)
    (write-region "def f()\n    pass\n" nil path nil 'silent)
    (unwind-protect
        (with-current-buffer (find-file-noselect path)
          (midflight-mode 1)
          (midflight-report-set report (lambda () (setq again (1+ again))))
          (next-error)
          (should (equal (list (buffer-name) (point)) '("counter.py" 5)))
          (next-error)
          (should (equal (list (buffer-name) (point)) '("counter.py" 13)))
          (should-error (next-error) :type 'user-error)
          (previous-error)
          (should (= (point) 5))
          (with-current-buffer midflight-report-buffer
            (should (equal (buffer-string)
                           (format "not loaded\n\n  %s:1:4: one\n%s:2:4: expected ':'\n"
                                   path path)))
            (goto-char (point-min))
            (search-forward ":1:4")
            (backward-char)
            (save-current-buffer (push-button))
            (call-interactively (lookup-key midflight-report-mode-map "g"))
            (should (= again 1))))
      (mapc (lambda (buffer)
              (when (get-buffer buffer)
                (kill-buffer buffer)))
            (list "counter.py" midflight-report-buffer))
      (setq midflight-connection-all nil)
      (delete-directory folder t))))

(ert-deftest midflight-lists-have-the-same-keys-everywhere ()
  "Who reads a crash asks for the processes by the key that he has in the code."
  (let ((modes 0))
    (mapatoms
     (lambda (mode)
       (when (and (string-match-p "\\`midflight-.*-mode\\'" (symbol-name mode))
                  (get mode 'derived-mode-parent))
         (setq modes (1+ modes))
         (let ((map (symbol-value (intern (format "%s-map" mode)))))
           (should (commandp (lookup-key map (kbd "C-c C-z"))))
           (dolist (key '("p" "T" "e" "t" "c" "l" "?" "i"))
             (let* ((keys (kbd (concat "C-c C-x " key)))
                    (command (lookup-key map keys)))
               (ert-info ((format "%s in %s" key mode))
                 (should (commandp command))
                 (should (eq command (lookup-key midflight-mode-map keys))))))))))
    (should (> modes 10))))

(ert-deftest midflight-mode-line-names-the-project ()
  "The lighter has the project and says that no server is attached."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "a.py" "")
      (should (equal (midflight-connection-lighter) " Midflight[counter-project:off]")))))

(ert-deftest midflight-start-is-asked-for ()
  "With `never', and after a no, nothing is started and the message says so."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "a.py" "")
      (let ((midflight-auto-start 'never)
            (midflight-command "true"))
        (should (string-match-p "none was started"
                                (cadr (should-error (midflight-load-buffer) :type 'user-error)))))
      (let ((midflight-auto-start 'ask)
            (midflight-command "true")
            (questions 0))
        (cl-letf (((symbol-function 'y-or-n-p)
                   (lambda (_) (setq questions (1+ questions)) nil)))
          (should-error (midflight-load-buffer) :type 'user-error)
          (should (= questions 1))))
      (should (eq (midflight-connection-state (midflight-connection-of-buffer)) 'closed)))))

(ert-deftest midflight-start-that-fails-says-why ()
  "A server that does not start, or does not exist, leaves all as it was."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "a.py" "")
      (let ((midflight-command "/nonexistent/midflight"))
        (midflight-load-buffer)
        (midflight-test-wait-message "it did not start: .*/nonexistent/midflight: No such file")
        (should (equal (midflight-connection-lighter) " Midflight[counter-project:off]")))
      (let ((midflight-command "no-such-program-anywhere"))
        (midflight-load-buffer)
        (midflight-test-wait-message "it did not start: no-such-program-anywhere: No such file")
        (should (equal (midflight-connection-lighter) " Midflight[counter-project:off]")))
      ;; The program of an environment whose Python has gone.
      (let ((midflight-command (expand-file-name "midflight" project)))
        (write-region "#!/nonexistent/python\n" nil midflight-command nil 'silent)
        (set-file-modes midflight-command #o755)
        (midflight-load-buffer)
        (midflight-test-wait-message
         (format "it did not start: .*%s: No such file" (regexp-quote midflight-command)))
        (should (equal (midflight-connection-lighter) " Midflight[counter-project:off]")))
      (let ((midflight-command '("sh" "-c" "echo warning >&2; echo no such luck >&2; exit 1")))
        (midflight-load-buffer)
        (should (equal (midflight-connection-lighter) " Midflight[counter-project:starting]"))
        (midflight-test-wait-message "it did not start: no such luck")
        (should (equal (midflight-connection-lighter) " Midflight[counter-project:off]"))
        (with-current-buffer "*midflight-start*"
          (should (string-match-p "warning\nno such luck" (buffer-string)))
          (kill-buffer))))))

(ert-deftest midflight-requests-have-one-sender ()
  "Only midflight-connection.el makes calls on the wire, and only the wire's own
file opens a socket or writes to one."
  (dolist (file (directory-files (expand-file-name "elisp" midflight-test-root)
                                 t "\\.el\\'"))
    (with-temp-buffer
      (insert-file-contents file)
      (let ((name (file-name-nondirectory file)))
        (pcase-dolist (`(,owner . ,regexp)
                       '(("midflight-connection.el" . "(midflight-epc-\\(call\\|open\\)")
                         ("midflight-epc.el" . "(\\(make-network-process\\|process-send-\\)")))
          (unless (member name (list owner "midflight-epc.el"))
            (goto-char (point-min))
            (ert-info (name)
              (should-not (re-search-forward regexp nil t)))))))))

(ert-deftest midflight-buffer-without-a-file-is-not-loaded ()
  "There would be no module to load it as."
  (with-temp-buffer
    (should-error (midflight-load-buffer) :type 'user-error)))

(ert-deftest midflight-keys-of-the-comparison-are-bound ()
  "Each key in the last column of the table in docs/editor.md calls a command of ours, or Xref."
  (with-temp-buffer
    (python-mode)
    (midflight-mode 1)
    (let ((keys nil))
      (with-temp-buffer
        (insert-file-contents (expand-file-name "docs/editor.md" midflight-test-root))
        (search-forward "## The keys that fingers know")
        (while (re-search-forward "^|.*| \\([^|]+\\) |$" nil t)
          (let ((cell (match-string 1))
                (start 0))
            (while (string-match "`\\([^`]+\\)`" cell start)
              (push (match-string 1 cell) keys)
              (setq start (match-end 0))))))
      (should (> (length keys) 25))
      (dolist (key keys)
        (ert-info (key)
          (should (string-match-p "\\`\\(?:midflight\\|xref\\)-"
                                  (symbol-name (key-binding (kbd (string-remove-prefix "C-u " key)))))))))
    (midflight-mode -1)))

(provide 'midflight-mode-tests)
;;; midflight-mode-tests.el ends here
