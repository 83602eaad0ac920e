;;; midflight-breakpoint-tests.el --- Breakpoints at lines  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; `C-c C-x b': where the mark is, and where processes stop.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-breakpoint-tests-module
  "from midflight import receive
import waiting


async def loop(total):
    count = await receive()
    total += count
    return waiting.loop(total)
"
  "A module whose processes come to line 7 with each message.")

(defun midflight-breakpoint-tests-line (line)
  "Go to LINE of this buffer."
  (goto-char (point-min))
  (forward-line (1- line)))

(defun midflight-breakpoint-tests-marks (source)
  "Return the lines of the marks in SOURCE; those that are not set are negative."
  (with-current-buffer source
    (mapcar (lambda (overlay)
              (let ((line (line-number-at-pos (overlay-start overlay))))
                (if (overlay-get overlay 'midflight-set) line (- line))))
            (midflight-breakpoint--live))))

(defun midflight-breakpoint-tests-wait-marks (source lines)
  "Wait until the marks of SOURCE are at LINES."
  (midflight-test-wait (format "marks at %S" lines)
                       (lambda () (equal (midflight-breakpoint-tests-marks source) lines))))

(defun midflight-breakpoint-tests-stopped (shell line)
  "Wait until a process has stopped at LINE, as SHELL asks; let it go on."
  (with-current-buffer shell
    (midflight-test-wait (format "a stop at line %d" line)
                         (lambda ()
                           (and midflight-debug-arrow (marker-buffer midflight-debug-arrow)
                                (with-current-buffer (marker-buffer midflight-debug-arrow)
                                  (eql line (line-number-at-pos midflight-debug-arrow t))))))
    (midflight-debug-continue)
    (midflight-test-wait "the prompt" (lambda () (eq midflight-shell-session-state 'ready)))))

(defun midflight-breakpoint-tests-send (shell text)
  "Type TEXT into SHELL, by which a process stops."
  (with-current-buffer shell
    (goto-char (point-max))
    (insert text)
    (midflight-test-press "RET")))

(ert-deftest midflight-breakpoint-follows-its-line-through-edits-and-loads ()
  "The process waits since before, in version 1; then it goes on in version 2."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "waiting.py" midflight-breakpoint-tests-module)))
      (midflight-test-load source)
      (let ((shell (midflight-test-shell project)))
        (midflight-test-type shell "p = spawn(waiting.loop, 0)")
        (with-current-buffer source
          (midflight-breakpoint-tests-line 7)
          (midflight-test-press "C-c C-x b"))
        (midflight-breakpoint-tests-wait-marks source '(7))
        (midflight-breakpoint-tests-send shell "p << 1")
        (midflight-breakpoint-tests-stopped shell 7)
        (with-current-buffer source
          (goto-char (point-min))
          (insert "# one\n# two\n"))
        (midflight-test-load source)
        (midflight-breakpoint-tests-wait-marks source '(9))
        (dolist (line '(7 9))           ; it waits in version 1, and goes on in version 2
          (midflight-breakpoint-tests-send shell "p << 1")
          (midflight-breakpoint-tests-stopped shell line))
        (with-current-buffer source
          (midflight-breakpoint-tests-line 9)
          (midflight-test-press "C-c C-x b"))
        (midflight-breakpoint-tests-wait-marks source nil)
        (should (string-match-p "<0\\.\\|^1$" (midflight-test-type shell "p << 1")))))))

(ert-deftest midflight-breakpoint-is-hollow-without-a-server ()
  "It is set again when Emacs attaches again, and moves to a line with code."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "waiting.py" midflight-breakpoint-tests-module)))
      (midflight-test-load source)
      (midflight-test-shell project)
      (with-current-buffer source
        (midflight-breakpoint-tests-line 4)
        (midflight-test-press "C-c C-x b")
        (midflight-breakpoint-tests-wait-marks source '(6))
        (midflight-quit))
      (midflight-breakpoint-tests-wait-marks source '(-6))
      (with-current-buffer source
        (midflight))
      (midflight-breakpoint-tests-wait-marks source '(6))
      (with-current-buffer source
        (midflight-clear-breakpoints))
      (midflight-test-wait-message "1 breakpoint removed")
      (should-not (midflight-breakpoint-tests-marks source)))))

(ert-deftest midflight-breakpoints-lists-stops-and-removes ()
  "The list has the number of stops; `d' removes, also the mark."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "waiting.py" midflight-breakpoint-tests-module)))
      (midflight-test-load source)
      (let ((shell (midflight-test-shell project)))
        (midflight-test-type shell "p = spawn(waiting.loop, 0)")
        (with-current-buffer source
          (midflight-breakpoint-tests-line 7)
          (midflight-toggle-breakpoint "count > 3"))
        (midflight-breakpoint-tests-wait-marks source '(7))
        (midflight-test-type shell "p << 1")
        (midflight-breakpoint-tests-send shell "p << 5")
        (midflight-breakpoint-tests-stopped shell 7)
        (with-current-buffer source
          (midflight-test-press "C-c C-x B"))
        (with-current-buffer (midflight-test-wait
                              "the list" (lambda ()
                                           (let ((list (midflight-process-buffer-of project 'midflight-breakpoints-mode)))
                                             (and list (> (buffer-size list) 0) list))))
          (should (string-match-p "waiting\\.py +7 +loop +1 +this Emacs +total \\+= count   if count > 3"
                                  (buffer-string)))
          (goto-char (point-min))
          (midflight-test-press "d")
          (midflight-test-wait "an empty list" (lambda () (= (buffer-size) 0)))
          (should-not (midflight-breakpoint-tests-marks source)))))))

(ert-deftest midflight-breakpoint-says-why-it-cannot-be ()
  "Where no code follows, and in a text that is not Python."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "waiting.py" (concat midflight-breakpoint-tests-module "\n\n"))))
      (midflight-test-load source)
      (with-current-buffer source
        (goto-char (point-max))
        (midflight-test-press "C-c C-x b")
        (midflight-test-wait-message "no code is at that line or after it, so no breakpoint was set")
        (should-not (midflight-breakpoint-tests-marks source))
        (insert "def (")
        (midflight-test-press "C-c C-x b")
        (midflight-test-wait-message "is not Python .*; no breakpoint was changed")
        (should (equal (midflight-breakpoint-tests-marks source) '(-11)))))))

(provide 'midflight-breakpoint-tests)
;;; midflight-breakpoint-tests.el ends here
