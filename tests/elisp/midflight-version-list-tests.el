;;; midflight-version-list-tests.el --- The versions of a module  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server; commands are called by their keys.

;;; Code:

(require 'midflight-helpers)
(require 'python)

(defconst midflight-version-list-tests-loop
  "from midflight import receive

async def loop(total):
    match await receive():
        case (\"add\", n):
            return loop(total + n)
        case \"who\":
            print(\"version %d\")
            return loop(total)
"
  "A module with a process; its version is in it.")

(defun midflight-version-list-tests-load (source number)
  "Load version NUMBER of the loop in the buffer SOURCE."
  (with-current-buffer source
    (erase-buffer)
    (insert (format midflight-version-list-tests-loop number))
    (midflight-test-load source)))

(defun midflight-version-list-tests-column (name)
  "Return the texts of the column NAME of this list, from its top."
  (let ((index (cl-position name (append tabulated-list-format nil) :key #'car :test #'equal)))
    (mapcar (lambda (entry) (substring-no-properties (aref (cadr entry) index)))
            tabulated-list-entries)))

(defun midflight-version-list-tests-goto (version)
  "Go to the row of VERSION in this list."
  (goto-char (point-min))
  (while (not (eql (tabulated-list-get-id) version))
    (when (eobp)
      (ert-fail (format "no version %d in:\n%s" version (buffer-string))))
    (forward-line 1)))

(defun midflight-version-list-tests-shown (name)
  "Return the buffer NAME once it is there."
  (midflight-test-wait (format "the buffer %s" name) (lambda () (get-buffer name))))

(defmacro midflight-version-list-tests-with-list (source number &rest body)
  "Load NUMBER versions in the new buffer SOURCE, show their list, run BODY in it.
A process runs version 1.  The symbol `shell' is bound to the shell."
  (declare (indent 2) (debug (symbolp form body)))
  `(midflight-test-in-project project
     (let* ((,source (midflight-test-visit project "tally.py" ""))
            (shell nil))
       (midflight-version-list-tests-load ,source 1)
       (setq shell (midflight-test-shell project))
       (midflight-test-type shell "pid = spawn(tally.loop, 1, name='old')")
       (dotimes (index (1- ,number))
         (midflight-version-list-tests-load ,source (+ 2 index)))
       (save-window-excursion
         (with-current-buffer ,source
           (midflight-test-press "C-c C-x v"))
         (with-current-buffer (midflight-version-list-tests-shown
                               "*midflight-versions tally for counter-project*")
           ,@body)))))

(ert-deftest midflight-versions-lists-them ()
  "Newest first, each with who runs it, who loaded it and what it changed; a load
by the shell says so; a load refreshes the list."
  (skip-unless (midflight-test-command))
  (midflight-version-list-tests-with-list source 2
    (should (equal (midflight-version-list-tests-column "Version") '("2" "1")))
    (should (equal (midflight-version-list-tests-column "State") '("current" "run")))
    (should (equal (midflight-version-list-tests-column "Procs") '("0" "1")))
    (should (equal (midflight-version-list-tests-column "Changes") '("changed loop" "")))
    (dolist (by (midflight-version-list-tests-column "By"))
      (should (string-match-p (format "\\`Emacs %s, connection [0-9]+\\'"
                                      (regexp-quote emacs-version))
                              by)))
    (midflight-test-type shell "_ = c('tally')")
    (call-interactively (key-binding "g"))
    (midflight-test-wait "the third version"
                         (lambda () (equal (midflight-version-list-tests-column "Version")
                                           '("3" "2" "1"))))
    (should (string-prefix-p "shell " (car (midflight-version-list-tests-column "By"))))
    (midflight-version-list-tests-load source 4)
    (midflight-test-wait "the fourth version"
                         (lambda () (equal (midflight-version-list-tests-column "Version")
                                           '("4" "3" "2" "1"))))))

(define-derived-mode tree-sitter-of-midflight-version-list-tests-mode prog-mode "Python"
  "A mode that is Python's as `python-ts-mode' of Emacs 29 is.")
(put 'tree-sitter-of-midflight-version-list-tests-mode 'derived-mode-parent 'python-base-mode)

(ert-deftest midflight-versions-are-those-of-the-file-here ()
  "In every mode for Python; elsewhere the module is asked for."
  (with-temp-buffer
    (setq buffer-file-name (expand-file-name "tally.py" temporary-file-directory))
    (unwind-protect
        (cl-letf (((symbol-function 'read-string) (lambda (&rest _) "asked")))
          (dolist (mode '(python-mode tree-sitter-of-midflight-version-list-tests-mode))
            (delay-mode-hooks (funcall mode))
            (should (equal (midflight-version-list--module-of-buffer)
                           (file-truename buffer-file-name))))
          (delay-mode-hooks (text-mode))
          (should (equal (midflight-version-list--module-of-buffer) "asked")))
      (setq buffer-file-name nil))))

(ert-deftest midflight-versions-source-is-read-only ()
  "The text of the version at point, in Python's mode, in a buffer of its own name."
  (skip-unless (midflight-test-command))
  (midflight-version-list-tests-with-list source 2
    (midflight-version-list-tests-goto 1)
    (midflight-test-press "RET")
    (with-current-buffer (midflight-version-list-tests-shown "tally@1.py")
      (should (equal (buffer-string) (format midflight-version-list-tests-loop 1)))
      (should (derived-mode-p 'python-mode))
      (should buffer-read-only)
      (should-not (buffer-modified-p))
      (should-not buffer-file-name)
      (should (string-match-p "tally version 1" header-line-format))
      (should (equal (midflight-connection-root-of-buffer) project)))
    (let ((count (length (buffer-list))))
      (midflight-test-press "v")
      (should (= (length (buffer-list)) count)))))

(ert-deftest midflight-versions-are-compared ()
  "With the current one; two that are marked; and again in the diff itself."
  (skip-unless (midflight-test-command))
  (midflight-version-list-tests-with-list source 3
    (midflight-version-list-tests-goto 1)
    (midflight-test-press "d")
    (with-current-buffer (midflight-version-list-tests-shown "*midflight-diff tally 1 3*")
      (should (derived-mode-p 'diff-mode))
      (should buffer-read-only)
      (should (string-match-p "^-.*version 1\")\n\\+.*version 3\")" (buffer-string)))
      (let ((inhibit-read-only t))
        (erase-buffer))
      (midflight-test-press "g")
      (midflight-test-wait "the diff, made anew"
                           (lambda () (string-match-p "^-.*version 1" (buffer-string)))))
    (midflight-version-list-tests-goto 3)
    (midflight-test-press "SPC")
    (midflight-test-press "SPC")
    (midflight-version-list-tests-goto 1)
    (should (equal midflight-version-list--marked '(2 3)))
    (midflight-test-press "=")
    (with-current-buffer (midflight-version-list-tests-shown "*midflight-diff tally 2 3*")
      (should (string-match-p "^-.*version 2\")\n\\+.*version 3\")" (buffer-string))))
    (midflight-test-press "U")
    (should-not midflight-version-list--marked)
    ;; The current one is compared with its forerunner; one with itself is not.
    (midflight-version-list-tests-goto 3)
    (should (equal (midflight-version-list--pair) '(2 3)))
    (setq midflight-version-list--marked '(3))
    (should-error (midflight-test-press "=") :type 'user-error)))

(ert-deftest midflight-versions-are-compared-in-ediff ()
  "The texts of the two, older first."
  (skip-unless (midflight-test-command))
  (midflight-version-list-tests-with-list source 2
    (let (compared)
      (cl-letf (((symbol-function 'ediff-buffers)
                 (lambda (a b &rest _) (setq compared (mapcar #'buffer-name (list a b))))))
        (midflight-version-list-tests-goto 1)
        (midflight-test-press "e")
        (midflight-test-wait "Ediff" (lambda () compared))
        (should (equal compared '("tally@1.py" "tally@2.py")))
        (setq compared nil)
        (midflight-test-press "d")
        (with-current-buffer (midflight-version-list-tests-shown "*midflight-diff tally 1 2*")
          (midflight-test-press "e")
          (midflight-test-wait "Ediff" (lambda () compared)))))))

(ert-deftest midflight-versions-why-alive-names-the-process ()
  "In words, in a low window."
  (skip-unless (midflight-test-command))
  (midflight-version-list-tests-with-list source 2
    (midflight-version-list-tests-goto 1)
    (midflight-test-press "w")
    (with-current-buffer (midflight-version-list-tests-shown "*midflight-why tally@1*")
      (should (string-match-p "tally version 1 is kept by\n  process <0\\.[0-9]+\\.0> (old), which runs loop"
                              (buffer-string))))))

(ert-deftest midflight-versions-roll-back-loads-a-new-version ()
  "After a question; the report is shown like that of a load; after a no nothing is."
  (skip-unless (midflight-test-command))
  (midflight-version-list-tests-with-list source 2
    (let (asked)
      (cl-letf (((symbol-function 'yes-or-no-p)
                 (lambda (text) (setq asked text) nil)))
        (midflight-version-list-tests-goto 1)
        (midflight-test-press "r")
        (should (equal asked "Load the text of version 1 of tally as its new version? ")))
      (cl-letf (((symbol-function 'yes-or-no-p) (lambda (_) t)))
        (midflight-test-press "r")
        (midflight-test-wait-message "\\`tally v3 loaded: loop changed")
        (midflight-test-wait "the third version"
                             (lambda () (equal (midflight-version-list-tests-column "Version")
                                               '("3" "2" "1"))))
        (with-current-buffer midflight-report-buffer
          (should (string-match-p "tally v3 loaded" (buffer-string))))
        (with-current-buffer source
          (call-interactively #'midflight-roll-back))
        (midflight-test-wait-message "\\`tally v4 loaded: loop changed")))
    (should (string-match-p "version 2"
                            (progn (midflight-test-type shell "new = spawn(tally.loop, 0)")
                                   (midflight-test-type shell "new << 'who'"))))))

(ert-deftest midflight-versions-purge-asks-with-the-list ()
  "Those who would die are named; n leaves them alone, y ends them."
  (skip-unless (midflight-test-command))
  (midflight-version-list-tests-with-list source 2
    (let ((list (current-buffer)))
      (midflight-test-press "s")
      (midflight-test-wait-message "processes run old versions of tally, which stay")
      (midflight-test-press "p")
      (with-current-buffer (midflight-version-list-tests-shown "*midflight-purge tally*")
        (should (string-match-p
                 "ends 1 process, .*\n\n  <0\\.[0-9]+\\.0> +old +version 1 +at loop:4\n"
                 (buffer-string)))
        (midflight-test-press "n"))
      (should (string-suffix-p "True\n3> " (midflight-test-type shell "is_alive(pid)")))
      (midflight-test-press "p")
      (with-current-buffer (midflight-version-list-tests-shown "*midflight-purge tally*")
        (midflight-test-press "g")
        (midflight-test-press "y"))
      (midflight-test-wait-message "1 process ended in old versions of tally: <0\\.[0-9]+\\.0>")
      (should (string-suffix-p "False\n4> " (midflight-test-type shell "is_alive(pid)")))
      (with-current-buffer list
        (midflight-test-wait "the list without it"
                             (lambda () (equal (midflight-version-list-tests-column "Procs")
                                               '("0" "0"))))
        (midflight-test-press "p")
        (midflight-test-wait-message "no process has to end")
        (midflight-test-press "s")
        (midflight-test-wait-message "no process runs an old version of tally")))))

(ert-deftest midflight-versions-move-says-who-moved ()
  "The idle one does, and answers in the new version."
  (skip-unless (midflight-test-command))
  (midflight-version-list-tests-with-list source 2
    (midflight-test-press "m")
    (midflight-test-wait-message "\\`tally: 1 process moved to v2")
    (midflight-test-wait "the process in the new version"
                         (lambda () (equal (midflight-version-list-tests-column "Procs")
                                           '("1" "0"))))
    (should (string-match-p "version 2" (midflight-test-type shell "pid << 'who'")))))

(ert-deftest midflight-versions-of-what-was-not-loaded ()
  "Say so, and what to do."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (midflight-test-load (midflight-test-visit project "tally.py" "x = 1\n"))
    (with-current-buffer (midflight-test-visit project "other.py" "x = 1\n")
      (midflight-test-press "C-c C-x v")
      (midflight-test-wait-message "other.* was never loaded by Midflight.*load it first"))
    (with-temp-buffer
      (cl-letf (((symbol-function 'read-string) (lambda (&rest _) "")))
        (should-error (midflight-versions) :type 'user-error)))))

(ert-deftest midflight-versions-list-refreshes-itself ()
  "While it is displayed, it counts processes that start and end, without a key."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (save-window-excursion
      (switch-to-buffer
       (midflight-test-visit project "tally.py"
                             "from midflight import receive\n\n\nasync def loop():\n    await receive()\n"))
      (midflight-test-load (current-buffer))
      (let ((shell (midflight-test-shell project)))
        (midflight-test-press "C-c C-x v")
        (let ((list (midflight-test-wait "the list"
                                         (lambda () (get-buffer "*midflight-versions tally for counter-project*")))))
          (switch-to-buffer list)
          (should (string-match-p "^ *1 +current +0 " (buffer-string)))
          (midflight-test-type shell "pids = [spawn(tally.loop) for _ in range(3)]")
          (with-current-buffer list
            (midflight-test-wait "three processes"
                                 (lambda () (string-match-p "^ *1 +current +3 " (buffer-string))))))))))

;;;; Versions of an earlier server

(ert-deftest midflight-version-list-of-an-earlier-server ()
  "A version that a server ran which has ended is told from one that is gone."
  (cl-flet ((state (&rest row)
              (substring-no-properties
               (aref (cadr (midflight-version-row-entry
                            (append row '(:version 2 :processes 0 :loaded-at 1.0 :by "Ada"))))
                     1))))
    (should (equal (state :earlier t) "earlier"))
    (should (equal (state :earlier nil) "gone"))
    (should (equal (state :earlier nil :alive t) "in memory"))
    (should (equal (state :earlier nil :current t) "current"))))

(provide 'midflight-version-list-tests)
;;; midflight-version-list-tests.el ends here
