;;; midflight-inspector-tests.el --- Inspect live values  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server.

;;; Code:

(require 'midflight-helpers)

(require 'midflight-inspector)

(defmacro midflight-inspector-tests-with (shell &rest body)
  "Run BODY with SHELL, whose project has loaded a module with a class."
  (declare (indent 1) (debug (symbolp body)))
  `(midflight-test-in-project project
     (midflight-test-load
      (midflight-test-visit project "boxes.py"
                            "class Box:\n    def __init__(self, *things):\n        self.things = things\n\n    @property\n    def count(self):\n        return len(self.things)\n"))
     (let ((,shell (midflight-test-shell project)))
       (save-window-excursion ,@body))))

(defun midflight-inspector-tests-wait (regexp)
  "Wait until the inspector shows text that matches REGEXP; make it current."
  (midflight-test-wait
   (format "an inspector with %S" regexp)
   (lambda ()
     (let ((buffer (cl-find-if (lambda (buffer)
                                 (string-prefix-p "*midflight-inspector" (buffer-name buffer)))
                               (buffer-list))))
       (when (and buffer
                  (with-current-buffer buffer (string-match-p regexp (buffer-string))))
         (set-buffer buffer)
         (set-window-buffer (selected-window) buffer)
         t)))))

(defun midflight-inspector-tests-into (label)
  "Go into the part LABEL."
  (goto-char (point-min))
  (re-search-forward (format "^  %s\\_>" (regexp-quote label)))
  (midflight-test-press "RET"))

(ert-deftest midflight-inspector-goes-in-and-back ()
  "Into a part, a property, back, forward, refresh; the numbers go with the buffer."
  (skip-unless (midflight-test-command))
  (midflight-inspector-tests-with shell
    (midflight-test-type shell "box = boxes.Box(1, ['x', 'y'])")
    (with-current-buffer shell (midflight-inspect "box"))
    (midflight-inspector-tests-wait "\\`Box  boxes v1\n<boxes.Box object at .*>\n\nAttributes\n  things +tuple  (1, \\['x', 'y'\\])\n\nFrom its class\n  count +property  not asked yet\n")
    (midflight-inspector-tests-into "things")
    (midflight-inspector-tests-wait "\\`tuple, 2 items\n")
    (midflight-inspector-tests-into "1")
    (midflight-inspector-tests-wait "\\`list, 2 items\n")
    (midflight-test-press "l")
    (midflight-inspector-tests-wait "\\`tuple")
    (midflight-test-press "l")
    (midflight-inspector-tests-wait "\\`Box")
    (midflight-test-press "n")
    (midflight-inspector-tests-wait "\\`tuple")
    (midflight-test-press "l")
    (midflight-inspector-tests-wait "\\`Box")
    (midflight-inspector-tests-into "count")
    (midflight-inspector-tests-wait "\\`int\n2\n")
    (midflight-test-press "l")
    (midflight-inspector-tests-wait "\\`Box")
    (should-error (midflight-test-press "l") :type 'user-error)
    (midflight-test-type shell "box.things = 'changed'")
    (midflight-test-press "g")
    (midflight-inspector-tests-wait "  things +str  'changed'")
    (let ((values midflight-inspector--values)
          gone)
      (kill-buffer)
      (set-buffer shell)
      (midflight-connection-call 'inspect/page (list (car values)) #'ignore
                                 (lambda (text) (setq gone text)))
      (midflight-test-wait "that the number is forgotten"
                           (lambda () (and gone (string-match-p "not inspected any more" gone)))))))

(ert-deftest midflight-inspector-binds-and-finds-the-source ()
  "d gives a value a name in the shell; . goes to its class."
  (skip-unless (midflight-test-command))
  (midflight-inspector-tests-with shell
    (with-current-buffer shell (midflight-inspect "boxes.Box(7)"))
    (midflight-inspector-tests-wait "\\`Box")
    (midflight-inspector-bind "found")
    (midflight-test-wait-message "in the shell, found is now this value")
    (should (string-prefix-p "found.things\n(7,)\n" (midflight-test-type shell "found.things")))
    (midflight-inspector-bind "not a name")
    (midflight-test-wait-message "no name in Python; nothing was bound")
    (midflight-inspector-tests-wait "\\`Box")
    (midflight-test-press ".")
    (midflight-test-wait "the class"
                         (lambda ()
                           (with-current-buffer (window-buffer)
                             (and buffer-file-name (looking-at "Box:")))))))

(ert-deftest midflight-inspector-pages-what-is-long ()
  "A hundred parts at a time."
  (skip-unless (midflight-test-command))
  (midflight-inspector-tests-with shell
    (with-current-buffer shell (midflight-inspect "list(range(250))"))
    (midflight-inspector-tests-wait "Parts 0 to 99 of 250; > more")
    (midflight-test-press ">")
    (midflight-inspector-tests-wait "  100 +int  100\n")
    (midflight-test-press ">")
    (midflight-inspector-tests-wait "Parts 200 to 249 of 250; < before")
    (should-error (midflight-test-press ">") :type 'user-error)
    (midflight-test-press "<")
    (midflight-inspector-tests-wait "Parts 100 to 199 of 250; < before > more")))

(ert-deftest midflight-inspector-looks-into-a-result ()
  "RET on a value in the shell; an expression that fails changes nothing."
  (skip-unless (midflight-test-command))
  (midflight-inspector-tests-with shell
    (midflight-test-type shell "{'a': self()}")
    (with-current-buffer shell
      (goto-char (point-min))
      (search-forward "{'a': <")
      (midflight-test-press "RET"))
    (midflight-inspector-tests-wait "\\`dict, 1 items\n\\(.*\n\\)*Items\n  'a' +Pid  <0\\.")
    (setq midflight-test-messages nil)
    (with-current-buffer shell (midflight-inspect "1 / 0"))
    (midflight-test-wait-message "ZeroDivisionError")
    (should (equal (with-current-buffer shell midflight-shell-session-prompt) 2))))

(ert-deftest midflight-inspector-shows-the-process-of-a-pid ()
  "By the command that shows processes."
  (skip-unless (midflight-test-command))
  (midflight-inspector-tests-with shell
    (let (shown)
      (cl-letf (((symbol-function 'midflight-process-view)
                 (lambda (pid) (setq shown pid))))
        (midflight-test-type shell "pids = [spawn(lambda: None)]")
        (with-current-buffer shell (midflight-inspect "pids"))
        (midflight-inspector-tests-wait "\\`list, 1 items")
        (midflight-inspector-tests-into "0")
        (should (string-match-p "\\`<0\\.[0-9]+\\.0>\\'" shown))))))

(ert-deftest midflight-inspector-survives-a-reconnect ()
  "Numbers are of one connection; g looks again at the expression."
  (skip-unless (midflight-test-command))
  (midflight-inspector-tests-with shell
    (midflight-test-type shell "box = boxes.Box(1)")
    (with-current-buffer shell (midflight-inspect "box"))
    (midflight-inspector-tests-wait "\\`Box")
    (with-current-buffer shell
      (midflight-quit)
      (midflight-test-wait "the end of the session" (lambda () (eq midflight-shell-session-state 'off)))
      (midflight-test-press "RET"))
    (midflight-test-shell (buffer-local-value 'midflight-connection-buffer-root shell))
    (midflight-inspector-tests-wait "\\`Box")
    (goto-char (point-min))
    (should-error (midflight-inspector-tests-into "things") :type 'user-error)
    (midflight-test-press "g")
    (midflight-test-wait "a new page"
                         (lambda () (eq midflight-inspector--connection
                                        (midflight-inspector--wire))))
    (midflight-inspector-tests-into "things")
    (midflight-inspector-tests-wait "\\`tuple")))

(provide 'midflight-inspector-tests)
;;; midflight-inspector-tests.el ends here
