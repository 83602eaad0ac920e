;;; midflight-connections-tests.el --- Connections, log and doctor  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The list of connections, the handshake of versions, the log of the protocol
;; and the doctor's report, with a real server where there is one to ask.

;;; Code:

(require 'midflight-helpers)

(defvar tramp-methods)
(defvar tramp-verbose)
(declare-function tramp-cleanup-all-connections "tramp-cmds" ())
(require 'python)

(defun midflight-connections-tests-row (root)
  "Return the row of ROOT in the list, as an alist by column."
  (let ((entry (assoc root tabulated-list-entries)))
    (cl-mapcar (lambda (column text) (cons (car column) (substring-no-properties text)))
               (append tabulated-list-format nil) (append (cadr entry) nil))))

(defun midflight-connections-tests-goto (root)
  "Go to the row of ROOT in the list."
  (goto-char (point-min))
  (while (not (equal (tabulated-list-get-id) root))
    (when (eobp)
      (ert-fail (format "no row of %s in:\n%s" root (buffer-string))))
    (forward-line 1)))

(defun midflight-connections-tests-wait-state (root state)
  "Wait until the list has STATE for ROOT."
  (midflight-test-wait (format "state %s of %s" state root)
                       (lambda ()
                         (call-interactively (key-binding "g"))
                         (equal (alist-get "State" (midflight-connections-tests-row root)
                                           nil nil #'equal)
                                state))))

(ert-deftest midflight-connections-lists-servers ()
  "Those that are attached with all that is known, those that only run with less."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "x = 1\n")))
      (midflight-test-load source)
      (midflight-test-shell project)
      (save-window-excursion
        (with-current-buffer source
          (midflight-test-press "C-c C-x c"))
        (with-current-buffer "*midflight-connections*"
          (midflight-test-wait "what the server says of itself"
                               (lambda ()
                                 (string-match-p
                                  "\\`Emacs .*connection [0-9]+\\'"
                                  (alist-get "Attached" (midflight-connections-tests-row project)
                                             nil nil #'equal))))
          (let ((row (midflight-connections-tests-row project)))
            (should (equal (alist-get "Project" row nil nil #'equal) "counter-project"))
            (should (equal (alist-get "State" row nil nil #'equal) "open"))
            (should (equal (alist-get "Pid" row nil nil #'equal)
                           (number-to-string (midflight-test-server-pid project))))
            (should (equal (alist-get "Midflight" row nil nil #'equal) midflight-version)))
          (midflight-connections-tests-goto project)
          (should (string-prefix-p "*" (buffer-substring (line-beginning-position)
                                                         (line-end-position))))
          ;; Leave it, and attach again.
          (midflight-test-press "l")
          (midflight-connections-tests-wait-state project "off")
          (midflight-connections-tests-goto project)
          (midflight-test-press "a")
          (midflight-connections-tests-wait-state project "open"))))))

(ert-deftest midflight-connections-restart-and-stop ()
  "Both ask first, for the server of the row, and do nothing after a no."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "x = 1\n"))
          (asked nil) (answer nil) pid)
      (midflight-test-load source)
      (midflight-test-shell project)
      (setq pid (midflight-test-server-pid project))
      (cl-letf (((symbol-function 'yes-or-no-p)
                 (lambda (text) (push text asked) answer)))
        (save-window-excursion
          (with-temp-buffer
            (midflight-connections))
          (with-current-buffer "*midflight-connections*"
            (midflight-connections-tests-goto project)
            (midflight-test-press "R")
            (midflight-connections-tests-goto project)
            (midflight-test-press "C-k")
            (should (string-match-p "Stop the server of counter-project\\?" (car asked)))
            (should (string-match-p "Restart the server of counter-project\\?" (cadr asked)))
            (should (equal (midflight-test-server-pid project) pid))
            (setq answer t midflight-test-messages nil)
            (midflight-test-press "R")
            (midflight-test-wait-message (concat "attached to the server of "
                                                 (regexp-quote (abbreviate-file-name project))))
            (should-not (equal (midflight-test-server-pid project) pid))
            (midflight-connections-tests-goto project)
            (midflight-test-press "C-k")
            (midflight-test-wait-message "the server of counter-project has stopped")
            (midflight-connections-tests-wait-state project "no server")))))))

(ert-deftest midflight-connections-use-chooses-for-one-buffer ()
  "The buffer that the list was shown from, and no other; its own row undoes it."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let* ((other (concat project "-2"))
           (one (midflight-test-visit project "tally.py" "x = 1\n"))
           two)
      (make-directory other)
      (setq two (midflight-test-visit other "tally.py" "x = 2\n"))
      (midflight-test-load one)
      (save-window-excursion
        (with-current-buffer two
          (should (equal (midflight-connection-lighter) " Midflight[counter-project-2:off]"))
          (midflight-connections))
        (with-current-buffer "*midflight-connections*"
          (midflight-connections-tests-goto project)
          (midflight-test-press "d")
          (with-current-buffer two
            (should (equal (midflight-connection-root-of-buffer) project)))
          (midflight-connections-tests-goto other)
          (midflight-test-press "d")
          (with-current-buffer two
            (should (equal (midflight-connection-root-of-buffer) other)))
          (with-current-buffer one
            (should (equal (midflight-connection-root-of-buffer) project))))))))

(ert-deftest midflight-connection-counts-processes-when-idle ()
  "What the idle timer calls asks, and the mode line has the answer."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (midflight-test-load (current-buffer))
      (midflight-test-shell project)
      (midflight-connection--count-all)
      (midflight-test-wait "the count in the mode line"
                           (lambda ()
                             (string-match-p "\\` Midflight\\[counter-project [0-9]+\\]\\'"
                                             (midflight-connection-lighter))))
      (midflight-quit)
      (midflight-connection--count-all)
      (should-not midflight-connection--timer))))

(ert-deftest midflight-lighter-has-a-menu ()
  "A click on the mode line's word pops up commands that are there."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "a.py" "")
      (let ((lighter (midflight-connection-lighter)))
        (should (eq (lookup-key (get-text-property 1 'local-map lighter) [mode-line mouse-1])
                    'midflight-connection-menu))
        (should (string-match-p (regexp-quote project)
                                (get-text-property 1 'help-echo lighter))))
      (let ((count 0))
        (map-keymap (lambda (_ item)
                      (when (eq (car-safe item) 'menu-item)
                        (setq count (1+ count))
                        (should (commandp (nth 2 item)))))
                    (midflight-connection-list--menu))
        (should (= count 8)))
      (let (called)
        (cl-letf (((symbol-function 'x-popup-menu) (lambda (&rest _) '(midflight-quit)))
                  ((symbol-function 'midflight-quit)
                   (lambda () (interactive) (setq called t))))
          (midflight-connection-menu (list 'mouse-1 (list (selected-window) 1 '(0 . 0) 0)))
          (should called))))))

(ert-deftest midflight-remote-buffer-is-refused ()
  "Clearly, with what to do; the mode line says why there is no project."
  (with-temp-buffer
    (setq default-directory "/ssh:nowhere.invalid:/project/")
    (let ((text (cadr (should-error (midflight-connection-root-of-buffer) :type 'user-error))))
      (should (string-match-p "on another machine.*nothing was done; run Emacs there" text)))
    (should (equal (midflight-connection-lighter) " Midflight[remote]"))
    (should-error (midflight-shell) :type 'user-error)))

;;;; Files of other machines

(defmacro midflight-connections-tests-with-remote (buffer file &rest body)
  "Run BODY with BUFFER visiting FILE by TRAMP, which goes to this machine itself."
  (declare (indent 2) (debug (symbolp form body)))
  `(let* ((tramp-methods (cons '("mock" (tramp-login-program "sh") (tramp-login-args (("-i")))
                                 (tramp-remote-shell "/bin/sh") (tramp-remote-shell-args ("-c"))
                                 (tramp-connection-timeout 10))
                               tramp-methods))
          (tramp-verbose 0)
          (remote-file-name-inhibit-cache nil)
          (,buffer (find-file-noselect (concat "/mock:" (system-name) ":" ,file))))
     (unwind-protect (progn ,@body)
       (with-current-buffer ,buffer
         (set-buffer-modified-p nil))
       (kill-buffer ,buffer)
       (tramp-cleanup-all-connections))))

(ert-deftest midflight-remote-buffer-is-left-alone ()
  "ElDoc, Xref and completion pass on to others there; a load of the modified modules
of a project here is not disturbed by it."
  (skip-unless (midflight-test-command))
  (require 'tramp)
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "def count(a):\n    return a\n"))
          (far (expand-file-name "far.py" (file-name-directory project))))
      (midflight-test-load source)
      (write-region "import tally\ntally.count(1)\n" nil far nil 'silent)
      (midflight-connections-tests-with-remote remote far
        (with-current-buffer remote
          (midflight-mode 1)
          (goto-char (point-min))
          (search-forward "count(")
          (should-not (midflight-eldoc-function #'ignore))
          (should-not (midflight-complete-at-point))
          (should-not (midflight-xref-backend))
          (should (equal (xref-find-backend) (let ((midflight-mode nil))
                                               (midflight-xref-disable)
                                               (prog1 (xref-find-backend)
                                                 (midflight-xref-enable)))))
          (should (equal (midflight-connection-lighter) " Midflight[remote]"))
          ;; Not even if the user has chosen a server for it, which cannot know its file.
          (setq midflight-connection-buffer-root project)
          (should-not (midflight-eldoc-function #'ignore))
          (should-not (midflight-complete-at-point))
          (should-not (midflight-xref-backend))
          (kill-local-variable 'midflight-connection-buffer-root)
          (insert "2"))
        (with-current-buffer source
          (goto-char (point-max))
          (insert "x = 1\n")
          (save-buffer)
          (let ((midflight-save-before-load t))
            (setq midflight-test-messages nil)
            (midflight-test-press "C-c C-x l"))
          (midflight-test-wait-message "tally v2 loaded"))
        (should (buffer-modified-p remote))))))

(ert-deftest midflight-remote-buffer-says-why-nothing-was-done ()
  "The commands of the mode; none of them touches the file of the other machine."
  (require 'tramp)
  (midflight-test-in-project project
    (let ((far (expand-file-name "far.py" (file-name-directory project))))
      (write-region "x = 1\n" nil far nil 'silent)
      (midflight-connections-tests-with-remote remote far
        (with-current-buffer remote
          (midflight-mode 1)
          (dolist (key '("C-c C-k" "C-c C-c" "C-c M-k" "C-c C-x v" "C-c C-x w" "C-c C-x p"))
            (should (string-match-p
                     "on another machine.*nothing was done"
                     (cadr (should-error (midflight-test-press key) :type 'user-error))))))))))

;;;; Versions of both sides

(defun midflight-connections-tests-pretend (project info body)
  "Call BODY while a right server of PROJECT says INFO, a plist, of itself."
  (midflight-test-call-pretending project (midflight-test-greeting info)
                                  (lambda (_) (funcall body))))

(ert-deftest midflight-connection-says-which-side-is-older ()
  "And what to update; nothing is attached then."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "a.py" "")
      (pcase-dolist (`(,protocol . ,regexp)
                     '((0 . "server is older than this Emacs package: it is Midflight 9\\.9 with protocol 0.*pip install -U midflight")
                       (2 . "server is newer than this Emacs package: .* protocol 2, .*update the package midflight in Emacs")
                       (nil . "server is newer")))
        (setq midflight-test-messages nil)
        (midflight-connections-tests-pretend
         project (list :protocol protocol :version "9.9" :python "3.11" :root project :pid 1)
         (lambda ()
           (midflight-server-ensure #'ignore)
           (midflight-test-wait-message regexp)
           (should-not (midflight-connection-open-p))))))))

(ert-deftest midflight-connection-tells-another-version-of-the-same-protocol ()
  "It is attached, with a warning."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "a.py" "")
      (midflight-connections-tests-pretend
       project (list :protocol 1 :version "9.9" :python "3.11" :root project :pid (emacs-pid))
       (lambda ()
         (midflight-server-ensure #'ignore)
         (midflight-test-wait-message
          (format "Midflight 9\\.9, Python 3\\.11); this package is %s, so some commands"
                  (regexp-quote midflight-version)))
         (should (midflight-connection-open-p)))))))

(ert-deftest midflight-connection-is-never-another-projects ()
  "A server that answers for another root is left at once."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "a.py" "")
      (midflight-connections-tests-pretend
       project (list :protocol 1 :version "0.1.0" :python "3.11" :root "/elsewhere" :pid 1)
       (lambda ()
         (midflight-server-ensure #'ignore)
         (midflight-test-wait-message "the server that answered belongs to /elsewhere, not to")
         (should-not (midflight-connection-open-p)))))))

(ert-deftest midflight-version-is-that-of-the-header ()
  "The constant, the package's header and the server's package agree."
  (let ((version (lambda (file regexp)
                   (with-temp-buffer
                     (insert-file-contents (expand-file-name file midflight-test-root))
                     (should (re-search-forward regexp))
                     (match-string 1)))))
    (should (equal (funcall version "elisp/midflight.el" "^;; Version: \\(.*\\)$")
                   midflight-version))
    (should (equal (funcall version "pyproject.toml" "^version = \"\\(.*\\)\"$")
                   midflight-version))))

;;;; Log

(ert-deftest midflight-log-shows-calls-and-how-long-they-took ()
  "Only when it is on; never the cookie; cut to half when it is long."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "x = 1\n"))
          (name "*midflight-log for counter-project*"))
      (with-current-buffer source
        (midflight-toggle-log)
        (unwind-protect
            (let ((cookie nil))
              (midflight-test-load source)
              (setq cookie (plist-get (midflight-rendezvous-server project) :cookie))
              (with-current-buffer name
                (midflight-test-wait
                 "the load in the log"
                 (lambda ()
                   (string-match-p
                    "^[0-9:.]+ <- [0-9]+ return code/load [0-9.]+ ms (:status \"loaded\""
                    (buffer-string))))
                (should (string-match-p "^[0-9:.]+ -> [0-9]+ code/load (\".*tally\\.py\" \"x = 1"
                                        (buffer-string)))
                (should (string-match-p " hello (\"1\" \"[0-9a-f]\\{64\\}\")" (buffer-string)))
                (should-not (string-match-p (regexp-quote cookie) (buffer-string)))
                (let ((midflight-log-maximum-size 1000))
                  (dotimes (_ 40)
                    (midflight-log--insert (make-string 99 ?x)))
                  (should (<= (buffer-size) 1000)))
                (midflight-log-clear)
                (should (zerop (buffer-size)))))
          (midflight-toggle-log))
        (should-not midflight-epc-log-function)
        (midflight-test-load source)
        (with-current-buffer name
          (should (zerop (buffer-size))))))))

(ert-deftest midflight-log-cuts-long-messages ()
  "A module of a megabyte is one line of five hundred characters and some."
  (let ((line (midflight-log--line "/project" 'out
                                   (list 'call 1 'code/load (list (make-string 1000000 ?x)))
                                   0.0)))
    (should (< (length line) 600))
    (should-not (string-match-p "\n" line))))

;;;; Doctor

(defun midflight-connections-tests-doctor (source)
  "Return the doctor's report, called in SOURCE, when all of it has come."
  (save-window-excursion
    (with-current-buffer source
      (midflight-doctor)))
  (with-current-buffer "*midflight-doctor for counter-project*"
    (midflight-test-wait "the whole report"
                         (lambda () (not (string-match-p "(being " (buffer-string))))
                         60)
    (buffer-substring-no-properties (point-min) (point-max))))

(ert-deftest midflight-doctor-reports ()
  "What is installed, what runs, how fast, whose keys, which options; no cookie."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "x = 1\n")))
      (with-current-buffer source
        (python-mode)
        (midflight-mode 1))
      (midflight-test-load source)
      (let ((report (midflight-connections-tests-doctor source)))
        (dolist (regexp (list (concat "^  Emacs +" (regexp-quote emacs-version))
                              (concat "^  package +" (regexp-quote midflight-version))
                              "^  protocol +1$"
                              "^  found by +`midflight-command'"
                              "^  root +/.*counter-project$"
                              "^  drwx------ +/.*/run$"
                              "^  -rw------- +/.*/main\\.json$"
                              "^  srw------- +/.*/main\\.sock$"
                              "^  -rw------- +/.*/cookie$"
                              "^  running +process [0-9]+, port [0-9]+, Midflight "
                              "^  connection +open, Python 3"
                              "^  ping +median [0-9.]+ ms, p95 [0-9.]+ ms, most [0-9.]+ ms (50)$"
                              "^  code/load +median [0-9.]+ ms"
                              "^  C-c C-z +midflight-shell, taken from python-shell-switch-to-shell$"
                              "^  midflight-command "))
          (ert-info (report)
            (should (string-match-p regexp report))))
        (should-not (string-match-p
                     (plist-get (midflight-rendezvous-server project) :cookie) report)))
      (with-current-buffer "*midflight-doctor for counter-project*"
        (call-interactively (key-binding "w"))
        (should (equal (current-kill 0 t) (buffer-substring-no-properties
                                           (point-min) (point-max))))
        (call-interactively (key-binding "g"))
        (should (string-match-p "(being timed)" (buffer-string)))))))

(ert-deftest midflight-doctor-without-a-server-says-what-is-missing ()
  "It starts nothing, and finds files that others can read."
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "x = 1\n"))
          (midflight-command nil)
          (exec-path nil)
          (process-environment (append '("VIRTUAL_ENV" "CONDA_PREFIX") process-environment))
          (folder (expand-file-name (midflight-rendezvous-key project)
                                    (midflight-rendezvous-folder))))
      (with-file-modes #o755
        (make-directory folder t))
      (let ((report (midflight-connections-tests-doctor source)))
        (should (string-match-p "^  command +-$" report))
        (should (string-match-p "found by +No program midflight in a virtual environment" report))
        (should (string-match-p "drwxr-xr-x .*TROUBLE: other users can open it; chmod go-rwx"
                                report))
        (should (string-match-p "not attached, so nothing was timed" report))))))

(provide 'midflight-connections-tests)
;;; midflight-connections-tests.el ends here
