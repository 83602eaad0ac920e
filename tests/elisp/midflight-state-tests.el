;;; midflight-state-tests.el --- The state of a live server, edited  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Each with a real server, by the keys of the report, the views and the text.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-state-tests-source
  "import threading
from midflight import GenServer, receive

class Till(GenServer):
    def init(self, total):
        self.total = total
        self.log = [1, 2]
        self.lock = threading.Lock()
    async def handle_call(self, request, client):
        if request == 'wait':
            await receive('go on')
        return self.total

async def idle():
    await receive('never')
"
  "A module with a server.")

(defconst midflight-state-tests-change
  "    def code_change(self, old_vsn, extra):
        self.total = {'EUR': int(self.total)}
"
  "What its next version brings: it fails for a total that is no number.")

(defmacro midflight-state-tests-with (source shell &rest body)
  "Run BODY with SOURCE, a buffer whose module is loaded, and its SHELL.
A server `till' runs, whose total is the text seven."
  (declare (indent 2) (debug (symbolp symbolp body)))
  `(midflight-test-in-project project
     (let* ((,source (midflight-test-visit project "till.py" midflight-state-tests-source))
            (next-error-last-buffer nil)
            (,shell (progn (midflight-test-load ,source) (midflight-test-shell project))))
       (midflight-test-type ,shell "pid = await till.Till.start('seven', name='till')")
       (save-window-excursion
         (delete-other-windows)
         (switch-to-buffer ,source)
         ,@body))))

(defun midflight-state-tests-buffer (mode text)
  "Wait for a buffer with TEXT whose mode is MODE, major or minor; return it."
  (midflight-test-wait
   (format "a %s buffer with %S" mode text)
   (lambda ()
     (cl-find-if (lambda (buffer)
                   (with-current-buffer buffer
                     (and (or (eq major-mode mode)
                              (and (boundp mode) (symbol-value mode)))
                          (save-excursion
                            (goto-char (point-min))
                            (search-forward text nil t)))))
                 (buffer-list)))))

(defun midflight-state-tests-text (text)
  "Wait for a state to edit that has TEXT; return its buffer."
  (midflight-state-tests-buffer 'midflight-state-edit-mode text))

(defun midflight-state-tests-edit (buffer from to)
  "Replace FROM by TO in BUFFER, as somebody would."
  (with-current-buffer buffer
    (goto-char (point-min))
    (search-forward from)
    (replace-match to t t)))

(defun midflight-state-tests-fail (source)
  "Load SOURCE with a code_change that fails; return the report's buffer."
  (with-current-buffer source
    (goto-char (point-min))
    (search-forward "return self.total\n")
    (insert midflight-state-tests-change))
  (should (string-match-p "not upgraded.*  Or e in the report: edit that state\\'"
                          (midflight-state-tests-load source)))
  (get-buffer midflight-report-buffer))

(defun midflight-state-tests-load (source)
  "Load SOURCE by its key; return what the echo area says of it."
  (setq midflight-test-messages nil)
  (with-current-buffer source
    (midflight-test-press "C-c C-k"))
  (midflight-test-wait "the report of a load"
                       (lambda ()
                         (cl-find-if (lambda (text)
                                       (string-match-p "\\`till \\(v[0-9]+ loaded\\|not upgraded\\)" text))
                                     midflight-test-messages))))

(ert-deftest midflight-failed-upgrade-is-mended-by-an-edit ()
  "From its report: e, an attribute, C-c C-c; then g upgrades.
The process is the same one, and what was not edited too."
  (skip-unless (midflight-test-command))
  (midflight-state-tests-with source shell
    (let ((report (midflight-state-tests-fail source))
          (pid (progn (midflight-test-type shell "pid")
                      (with-current-buffer shell
                        (save-excursion (goto-char (point-max))
                                        (re-search-backward "<0\\.[0-9]+\\.0>")
                                        (match-string-no-properties 0))))))
      (should (string-match-p "e edits it" (with-current-buffer report (buffer-string))))
      (select-window (get-buffer-window report))
      (midflight-test-press "e")
      (let ((state (midflight-state-tests-text "total = 'seven'")))
        (should (equal (window-buffer) state))
        (with-current-buffer state
          (should (string-match-p "\nlock = lock  # kept as it is: <unlocked" (buffer-string)))
          (should (looking-at-p "total"))
          (should (string-match-p (regexp-quote pid) header-line-format)))
        (midflight-state-tests-edit state "'seven'" "7")
        (with-current-buffer state
          (midflight-test-press "C-c C-c"))
        (midflight-test-wait-message (format "the state of %s (till) was changed: total\\'" pid))
        (should-not (buffer-live-p state))
        (should (eq (window-buffer) report)))
      (with-current-buffer report
        (midflight-test-press "g"))
      (midflight-test-wait-message "till v2 loaded.*1 server upgraded by code_change")
      (should (string-match-p "{'EUR': 7}" (midflight-test-type shell "await call('till', 'get')")))
      (should (string-match-p "True" (midflight-test-type shell "whereis('till') == pid"))))))

(ert-deftest midflight-report-inspects-the-state-that-failed ()
  "By i, and by the button; e in the inspector edits that state."
  (skip-unless (midflight-test-command))
  (midflight-state-tests-with source shell
    (ignore shell)
    (let ((report (midflight-state-tests-fail source)))
      (with-current-buffer report
        (goto-char (point-min))
        (search-forward "total='seven'")
        (should (string-match-p "till.*Inspect.*Edit" (replace-regexp-in-string "\n" "" (buffer-string))))
        (midflight-test-press "i"))
      (let ((page (midflight-state-tests-buffer 'midflight-inspector-mode "'seven'")))
        (with-current-buffer page
          (should (string-match-p "\\`Till" (buffer-string)))
          (midflight-test-press "e"))
        (kill-buffer (midflight-state-tests-text "total = 'seven'"))
        (kill-buffer page))
      (with-current-buffer report
        (goto-char (point-min))
        (search-forward "[Inspect]")
        (push-button (1- (point))))
      (midflight-state-tests-buffer 'midflight-inspector-mode "'seven'"))))

(ert-deftest midflight-edit-that-is-refused-changes-nothing ()
  "The echo area says why, point is on the line, and the text stays to be mended."
  (skip-unless (midflight-test-command))
  (midflight-state-tests-with source shell
    (with-current-buffer source
      (midflight-edit-state "till"))
    (let ((state (midflight-state-tests-text "total = 'seven'")))
      (with-current-buffer state
        (midflight-state-tests-edit state "'seven'" "8")
        (midflight-state-tests-edit state "[1, 2]" "[1 / 0]")
        (goto-char (point-min))
        (midflight-test-press "C-c C-c")
        (midflight-test-wait-message "line 5, log: ZeroDivisionError: division by zero. Mend the line")
        (should (looking-at-p "log = \\[1 / 0\\]"))
        (should (buffer-modified-p)))
      (should (string-match-p "'seven'" (midflight-test-type shell "await call('till', 'get')")))
      (with-current-buffer state
        (midflight-state-tests-edit state "1 / 0" "3")
        (midflight-test-press "C-c C-c"))
      (midflight-test-wait-message "was changed: total, log")
      (should (string-match-p "^8" (midflight-test-type shell "await call('till', 'get')"))))))

(ert-deftest midflight-edit-of-what-has-changed-is-forced-only ()
  "The server has another total by then: C-c C-r shows it, C-u C-c C-c puts ours in."
  (skip-unless (midflight-test-command))
  (midflight-state-tests-with source shell
    (with-current-buffer source
      (midflight-edit-state "till"))
    (let ((state (midflight-state-tests-text "total = 'seven'")))
      (midflight-test-type shell "await midflight.otp.sys.replace_state(pid, lambda s: setattr(s, 'total', 9) or s)")
      (with-current-buffer state
        (midflight-state-tests-edit state "'seven'" "8")
        (midflight-test-press "C-c C-c")
        (midflight-test-wait-message "total is 9 by now.*C-c C-r, or C-u C-c C-c")
        (should (string-match-p "^total = 8" (buffer-string)))
        (let ((current-prefix-arg '(4)))
          (midflight-test-press "C-c C-c"))
        (midflight-test-wait-message "was changed: total"))
      (should (string-match-p "^8" (midflight-test-type shell "await call('till', 'get')"))))))

(ert-deftest midflight-edit-is-dropped-and-refreshed ()
  "C-c C-k leaves the server as it is; C-c C-r takes the state as it is now."
  (skip-unless (midflight-test-command))
  (midflight-state-tests-with source shell
    (with-current-buffer source
      (midflight-edit-state "till"))
    (let ((state (midflight-state-tests-text "total = 'seven'")))
      (midflight-test-type shell "await midflight.otp.sys.replace_state(pid, lambda s: setattr(s, 'total', 9) or s)")
      (with-current-buffer state
        (midflight-test-press "C-c C-r"))
      (midflight-state-tests-text "total = 9")
      (midflight-state-tests-edit state "total = 9" "total = 10")
      (with-current-buffer state
        (midflight-test-press "C-c C-k"))
      (should-not (buffer-live-p state))
      (should (midflight-test-message-p "dropped the edits; <0\\.[0-9]+\\.0> (till) is unchanged"))
      (should (string-match-p "^9" (midflight-test-type shell "await call('till', 'get')"))))))

(ert-deftest midflight-state-is-edited-from-the-view-of-a-process ()
  "By e and by the button; the view then shows the new state.  A plain process has none."
  (skip-unless (midflight-test-command))
  (midflight-state-tests-with source shell
    (with-current-buffer source
      (midflight-process-view "till"))
    (let ((view (midflight-state-tests-buffer 'midflight-process-view-mode "total = 'seven'")))
      (with-current-buffer view
        (goto-char (point-min))
        (search-forward "[Edit]")
        (push-button (1- (point))))
      (kill-buffer (midflight-state-tests-text "total = 'seven'"))
      (with-current-buffer view
        (midflight-test-press "e"))
      (let ((state (midflight-state-tests-text "total = 'seven'")))
        (midflight-state-tests-edit state "'seven'" "11")
        (with-current-buffer state
          (midflight-test-press "C-c C-c")))
      (should (eq view (midflight-state-tests-buffer 'midflight-process-view-mode "total = 11"))))
    (midflight-test-type shell "plain = spawn(till.idle, name='plain')")
    (with-current-buffer source
      (midflight-edit-state "plain"))
    (midflight-test-wait-message "is no server: a plain process")))

(ert-deftest midflight-state-of-a-server-that-has-died ()
  "What was edited stays; the echo area says that nothing was done."
  (skip-unless (midflight-test-command))
  (midflight-state-tests-with source shell
    (with-current-buffer source
      (midflight-edit-state "till"))
    (let ((state (midflight-state-tests-text "total = 'seven'")))
      (midflight-state-tests-edit state "'seven'" "8")
      (midflight-test-type shell "exit(pid, 'kill')")
      (with-current-buffer state
        (midflight-test-press "C-c C-c")
        (midflight-test-wait-message "is dead; nothing was done")
        (should (string-match-p "^total = 8" (buffer-string)))))))

(provide 'midflight-state-tests)
;;; midflight-state-tests.el ends here
