;;; midflight-blocking-tests.el --- Nothing waits for the server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Two proofs.  The sources: what can wait is called by a few functions, each
;; with its reason, and by nothing that reaches them.  A real server, whose
;; runtime is held: every command returns at once all the same.

;;; Code:

(require 'midflight-helpers)
(require 'python)

;;;; The sources

(defconst midflight-blocking-tests-waits
  '(accept-process-output sit-for sleep-for call-process call-process-region
    process-lines shell-command shell-command-to-string url-retrieve-synchronously
    process-file read-event)
  "What can make Emacs wait for somebody else.")

(defconst midflight-blocking-tests-may-wait
  '((midflight-epc-take . "the wait itself, as long as its callers say, who are the next two")
    (midflight-epc-call-sync . "waits TIMEOUT at most, and C-g ends it")
    (midflight-look-ask . "completion and xref, which must answer: a moment at most, and any key ends it")
    (midflight-connection-call-sync . "the same for a buffer's server; nobody calls it")
    (midflight-remote--server
     . "TRAMP asks another machine, when the user attaches to a server there; C-g ends it")
    (midflight-server--started . "takes what is there already: zero seconds")
    (org-babel-execute:midflight
     . "Org wants the value: `midflight-org-seconds' at most, and C-g ends it"))
  "Functions that may wait, each with the reason.")

(defun midflight-blocking-tests-definitions ()
  "Return an alist of the functions of elisp/ and the symbols in their bodies."
  (let (found)
    (dolist (file (directory-files (expand-file-name "elisp" midflight-test-root)
                                   t "\\`[^.].*\\.el\\'"))
      (with-temp-buffer
        (insert-file-contents file)
        (goto-char (point-min))
        (condition-case nil
            (while t
              (pcase (read (current-buffer))
                (`(,(or 'defun 'defsubst 'cl-defun 'defmacro 'cl-defmethod) ,name . ,body)
                 (push (cons name (midflight-blocking-tests-symbols body)) found))))
          (end-of-file nil))))
    found))

(defun midflight-blocking-tests-symbols (form)
  "Return the symbols in FORM, functions that it calls or hands on among them."
  (cond ((symbolp form) (list form))
        ((vectorp form) (mapcan #'midflight-blocking-tests-symbols (append form nil)))
        ((consp form)
         (let (found)
           (while (consp form)
             (setq found (nconc (midflight-blocking-tests-symbols (pop form)) found)))
           (if form (cons form found) found)))))

(ert-deftest midflight-nothing-waits-but-what-may ()
  "Directly, only functions of the list above do; each of them is there and does."
  (let* ((definitions (midflight-blocking-tests-definitions))
         (waits (append '(midflight-epc-take midflight-epc-call-sync
                          midflight-connection-call-sync)
                        midflight-blocking-tests-waits))
         (direct (cl-loop for (name . symbols) in definitions
                          when (cl-intersection symbols waits)
                          collect name)))
    (should (> (length definitions) 300))
    (should (equal (sort direct #'string<)
                   (sort (mapcar #'car midflight-blocking-tests-may-wait) #'string<)))))

(ert-deftest midflight-no-command-hook-or-timer-reaches-a-wait ()
  "Whoever calls midflight-connection-call-sync or the like is found through any
number of functions between; only completion and xref may, which give way to any
key."
  (let* ((definitions (midflight-blocking-tests-definitions))
         (reached (list 'midflight-epc-take 'sit-for 'sleep-for))
         ;; These two ask for modules and processes, but only when somebody completes one.
         (when-completed '(midflight-look-read-module midflight-look-read-process))
         (is-growing t))
    (while is-growing
      (setq is-growing nil)
      (pcase-dolist (`(,name . ,symbols) definitions)
        (when (and (not (memq name reached)) (not (memq name when-completed))
                   (cl-intersection symbols reached))
          (push name reached)
          (setq is-growing t))))
    (should-not
     (cl-remove-if (lambda (name)
                     (string-match-p "\\`midflight-\\(epc-\\|connection-call-sync\\|look\\|complete\\|xref\\)"
                                     (symbol-name name)))
                   (cl-remove-if-not (lambda (name)
                                       (string-prefix-p "midflight-" (symbol-name name)))
                                     reached)))
    (dolist (name reached)
      (should-not (commandp name))
      (should-not (memq name '(midflight-eldoc--function midflight-connection-lighter
                               midflight-connection--count-all
                               midflight-flymake--backend))))))

;;;; A server that is held

(defconst midflight-blocking-tests-last
  '(midflight-interrupt midflight-connections-leave midflight-quit)
  "Commands that end what the test needs: they are tried last, in this order.")

(defconst midflight-blocking-tests-not
  '(midflight-dispatch midflight-describe-keys midflight-manual customize-group
    midflight-connection-menu)
  "Commands that read keys of their own, or open somebody else's pages.")

(defun midflight-blocking-tests-try (command buffer)
  "Call COMMAND in BUFFER; return the seconds that it took.
Somebody is at the keyboard, who says no to all questions.  An error for the
user is an answer as good as any."
  (with-current-buffer buffer
    (let ((buffer-file-name buffer-file-name)
          (current-prefix-arg nil)
          (start nil))
      (cl-letf (((symbol-function 'yes-or-no-p) #'ignore)
                ((symbol-function 'y-or-n-p) #'ignore)
                ((symbol-function 'read-key) (lambda (&rest _) ?q))
                ((symbol-function 'read-char-choice) (lambda (&rest _) ?q))
                ((symbol-function 'read-string) (lambda (&rest _) "1"))
                ((symbol-function 'read-from-minibuffer) (lambda (&rest _) "1"))
                ((symbol-function 'read-file-name)
                 (lambda (&rest _) (expand-file-name "tally.py" default-directory)))
                ((symbol-function 'completing-read) (lambda (&rest _) "1"))
                ((symbol-function 'completing-read-multiple) (lambda (&rest _) '("1"))))
        (setq start (float-time))
        (condition-case nil
            (save-window-excursion
              (save-current-buffer
                (call-interactively command)))
          ((error quit) nil))
        (- (float-time) start)))))

(defun midflight-blocking-tests-commands (map)
  "Return our commands that MAP binds, at any depth, once each."
  (let (found)
    (map-keymap (lambda (_ binding)
                  (cond ((keymapp binding)
                         (setq found (append (midflight-blocking-tests-commands binding) found)))
                        ((and (symbolp binding) binding (commandp binding)
                              (string-prefix-p "midflight" (symbol-name binding))
                              (not (string-match-p "-menu\\'" (symbol-name binding))))
                         (push binding found))))
                map)
    (delete-dups found)))

(defun midflight-blocking-tests-tries (source shell)
  "Return all commands and where to try each, (COMMAND . BUFFER).
SOURCE is a buffer of Python and SHELL the shell; the other buffers are those
that the commands have made so far."
  (let ((tries (mapcar (lambda (command) (cons command source))
                       (append (midflight-blocking-tests-commands midflight-mode-map)
                               (cl-loop for (_ . entries) in midflight-dispatch-groups
                                        append (mapcar #'cadr entries))))))
    (dolist (buffer (cons shell (buffer-list)))
      (when (or (eq buffer shell)
                (string-match-p "\\`\\*midflight-" (buffer-name buffer)))
        (dolist (command (midflight-blocking-tests-commands
                          (or (with-current-buffer buffer (current-local-map))
                              (make-sparse-keymap))))
          (push (cons command buffer) tries))))
    (setq tries (cl-remove-if (lambda (try) (memq (car try) midflight-blocking-tests-not))
                              (delete-dups tries)))
    (let ((is-last (lambda (try) (memq (car try) midflight-blocking-tests-last))))
      (append (cl-remove-if is-last tries)
              (sort (cl-remove-if-not is-last tries)
                    (lambda (a b)
                      (> (length (memq (car a) midflight-blocking-tests-last))
                         (length (memq (car b) midflight-blocking-tests-last)))))))))

(ert-deftest midflight-commands-return-while-the-server-is-held ()
  "An evaluation spins in the runtime, so that nothing there answers: each command
of each mode is back within 100 ms, and a quit is all that the user has to do."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let* ((source (midflight-test-visit project "tally.py" "def f():\n    return 1\n"))
           (slow nil) (count 0) (was-held nil) shell)
      (midflight-test-load source)
      (setq shell (midflight-test-shell project))
      ;; Once while nothing holds it: lists are there then, and libraries loaded.
      (dolist (command '(midflight-versions midflight-connections midflight-doctor
                         midflight-processes midflight-tree midflight-crashes))
        (when (commandp command)
          (midflight-blocking-tests-try command source)))
      (midflight-test-wait "the list of versions"
                           (lambda () (get-buffer "*midflight-versions tally for counter-project*")))
      (midflight-test-wait "an answer to all of these"
                           (lambda () (with-current-buffer source
                                        (zerop (midflight-connection-pending
                                                (midflight-connection-of-buffer))))))
      (with-current-buffer shell
        (goto-char (point-max))
        (insert "print('held'); exec('import time; end = time.time() + 60\\nwhile time.time() < end: pass')")
        (call-interactively (key-binding (kbd "RET"))))
      (midflight-test-wait "the evaluation" (lambda () (with-current-buffer shell
                                                        (save-excursion
                                                          (goto-char (point-min))
                                                          (re-search-forward "^held$" nil t)))))
      (pcase-dolist (`(,command . ,buffer) (midflight-blocking-tests-tries source shell))
        (when (buffer-live-p buffer)
          (when (eq command 'midflight-interrupt)
            ;; All the others were tried on a server that was held.
            (unless was-held
              (setq was-held (eq (buffer-local-value 'midflight-shell-session-state shell) 'busy))
              (should was-held)))
          (setq count (1+ count))
          ;; One that waits for the server does so each time; a slice of time that
          ;; another program of the machine takes, or a garbage collection, is
          ;; not seen three times.
          (let ((times nil))
            (while (and (< (length times) 3)
                        (buffer-live-p buffer)
                        (not (and times (< (car times) 0.1))))
              (push (midflight-blocking-tests-try command buffer) times))
            (when (> (apply #'min times) 0.1)
              (push (list command (buffer-name buffer) times) slow)))))
      (should was-held)
      (should (> count 60))
      (should-not slow))))

(ert-deftest midflight-quit-ends-the-one-wait-there-is ()
  "A quit in the midst of a synchronous request ends it at once; the answer, when
it comes, goes nowhere."
  (midflight-test-with-peer peer nil
    (let ((start (float-time))
          (wire (midflight-test-peer-wire peer)))
      (run-at-time 0.2 nil (lambda () (setq quit-flag t)))
      (should (equal (condition-case nil
                         (let ((inhibit-quit nil))
                           (midflight-epc-call-sync wire 'ping nil 30))
                       (quit 'quit))
                     'quit))
      (should (< (- (float-time) start) 5))
      (should (zerop (hash-table-count (midflight-epc-pending wire)))))))

(provide 'midflight-blocking-tests)
;;; midflight-blocking-tests.el ends here
