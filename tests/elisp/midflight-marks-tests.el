;;; midflight-marks-tests.el --- What differs, and who waits where  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server.  A batch Emacs is never idle, so the tests call what the
;; idle timer calls.

;;; Code:

(require 'midflight-helpers)
(require 'python)

(defconst midflight-marks-tests-tally
  "from midflight import receive


async def loop(total):
    while True:
        match await receive():
            case (\"add\", n):
                total += n


def helper():
    return 1


def other():
    return 2
"
  "A module with a process and two functions.")

(defvar midflight-marks-tests-requests nil
  "The methods that the server was asked for, newest first.")

(defun midflight-marks-tests-note (method &rest _)
  "Keep METHOD, which the server is about to be asked for."
  (push method midflight-marks-tests-requests))

(defun midflight-marks-tests-load (number)
  "Load this buffer by its key, as version NUMBER."
  (setq midflight-test-messages nil)
  (call-interactively (key-binding (kbd "C-c C-k")))
  (midflight-test-wait-message (format "\\`tally v%d loaded" number))
  (midflight-marks-tests-settle))

(defun midflight-marks-tests-settle ()
  "Wait until the shell has its prompt and no request has no answer."
  (midflight-test-wait
   "the shell"
   (lambda ()
     (let ((shell (midflight-shell-of (midflight-connection-root-of-buffer))))
       (and shell (eq (buffer-local-value 'midflight-shell-session-state shell) 'ready)))))
  (midflight-test-wait
   "all answers"
   (lambda ()
     (zerop (hash-table-count (midflight-epc-pending
                               (midflight-connection-wire (midflight-connection-of-buffer))))))))

(defun midflight-marks-tests-look ()
  "Do what the idle timer does, and wait for what comes of it."
  (midflight-marks--look)
  (midflight-marks-tests-settle))

(defun midflight-marks-tests-shown ()
  "Return what is marked: (LINE END-LINE TOOLTIP) each."
  (sort (mapcar (lambda (overlay)
                  (should (stringp (overlay-get overlay 'line-prefix)))
                  (list (line-number-at-pos (overlay-start overlay))
                        (line-number-at-pos (overlay-end overlay))
                        (overlay-get overlay 'midflight-mark)))
                (cl-remove-if-not (lambda (overlay) (overlay-get overlay 'midflight-mark))
                                  (overlays-in (point-min) (point-max))))
        (lambda (a b) (< (car a) (car b)))))

(defun midflight-marks-tests-replace (from to)
  "Replace the text FROM of this buffer by TO."
  (goto-char (point-min))
  (search-forward from)
  (replace-match to t t))

(defun midflight-marks-tests-evaluate (text)
  "Evaluate TEXT in the shell; wait until that is done."
  (let ((done nil))
    (with-current-buffer (midflight-shell-of (midflight-connection-root-of-buffer))
      (midflight-shell-evaluate-later text (lambda (_) (setq done t))))
    (midflight-test-wait (format "the value of %s" text) (lambda () done))))

(defmacro midflight-marks-tests-with (&rest body)
  "Run BODY in a buffer that is shown and visits tally.py, loaded as version 1."
  (declare (indent 0) (debug (body)))
  `(progn
     (unless (midflight-test-command) (ert-skip "no midflight program"))
     (midflight-test-in-project project
       (ignore project)
       (let ((midflight-marks-tests-requests nil))
         (save-window-excursion
           (switch-to-buffer (midflight-test-visit project "tally.py" midflight-marks-tests-tally))
           (advice-add 'midflight-connection-call :before #'midflight-marks-tests-note)
           (unwind-protect
               (progn (midflight-marks-tests-load 1)
                      ,@body)
             (advice-remove 'midflight-connection-call #'midflight-marks-tests-note)))))))

;;;; What differs

(ert-deftest midflight-marks-are-of-what-differs-from-what-runs ()
  "Changed, new and gone definitions; the mode line says stale, and why."
  (midflight-marks-tests-with
    (midflight-marks-tests-look)
    (should-not (midflight-marks-tests-shown))
    (should (equal (midflight-marks-lighter) ""))
    (midflight-marks-tests-replace "return 1" "return 10")
    (midflight-marks-tests-replace "def other" "def another")
    (midflight-marks-tests-look)
    (should (equal (midflight-marks-tests-shown)
                   '((11 12 "helper runs in another form")
                     (15 16 "another does not run yet")
                     (17 17 "other, deleted above this line, still runs"))))
    (should (equal (midflight-marks-lighter) " stale"))
    (should (equal (get-text-property 0 'help-echo (midflight-marks-lighter))
                   "Differs from version 1, which is running\nchanged: helper\nnew: another\nremoved here: other"))
    ;; The text moves; the marks go with it.
    (goto-char (point-min))
    (insert "# a comment\n")
    (should (equal (caar (midflight-marks-tests-shown)) 12))
    (midflight-marks-tests-load 2)
    (midflight-marks-tests-look)
    (should-not (midflight-marks-tests-shown))
    (should (equal (midflight-marks-lighter) ""))))

(ert-deftest midflight-marks-ask-only-when-something-changed ()
  "Nothing is sent for a text that was compared, for one that is not shown, and
while the server has other things to do."
  (midflight-marks-tests-with
    (let ((asked (lambda ()
                   (setq midflight-marks-tests-requests nil)
                   (midflight-marks-tests-look)
                   (cl-count 'code/compare midflight-marks-tests-requests))))
      (midflight-marks-tests-look)
      (should (= (funcall asked) 0))
      (insert "#")
      (should (= (funcall asked) 1))
      (should (= (funcall asked) 0))
      (midflight-marks--loaded)
      (should (= (funcall asked) 1))
      (insert "#")
      (let ((source (current-buffer)))
        (switch-to-buffer "*scratch*")
        (midflight-marks--look)
        (should-not (memq 'code/compare (butlast midflight-marks-tests-requests 1)))
        (switch-to-buffer source))
      (let ((midflight-mark-stale nil))
        (should (= (funcall asked) 0)))
      (let ((midflight-marks-maximum-size 10))
        (should (= (funcall asked) 0)))
      ;; While an answer is outstanding it waits, and comes by itself later.
      (setq midflight-marks-tests-requests nil)
      (midflight-connection-call 'code/source '("tally" 1) #'ignore)
      (midflight-marks--look)
      (should (equal midflight-marks-tests-requests '(code/source)))
      (midflight-test-wait "the comparison that was put off"
                           (lambda () (memq 'code/compare midflight-marks-tests-requests))))))

(ert-deftest midflight-marks-follow-loads-by-others ()
  "Another client loads what the file says, or another text: the marks say so by
themselves."
  (midflight-marks-tests-with
    (midflight-marks-tests-look)
    (let ((file (expand-file-name "tally.py" project)))
      (write-region (replace-regexp-in-string "return 1" "return 5" midflight-marks-tests-tally)
                    nil file nil 'silent)
      (make-process :name "other client" :noquery t
                    :command (list (midflight-test-command) "load" file)))
    (midflight-test-wait-message "\\`tally v2 loaded.* (by ")
    (midflight-test-wait "the mark of what runs in another form" #'midflight-marks-tests-shown)
    (should (equal (midflight-marks-tests-shown) '((11 12 "helper runs in another form"))))))

(ert-deftest midflight-marks-say-what-is-not-loaded ()
  "A file that no version runs of; without a connection nothing is said."
  (midflight-marks-tests-with
    (with-current-buffer (midflight-test-visit project "shop.py" "x = 1\n")
      (switch-to-buffer (current-buffer))
      (midflight-marks-tests-look)
      (should (equal (midflight-marks-lighter) " not loaded"))
      (should-not (midflight-marks-tests-shown))
      (midflight-quit)
      (midflight-test-wait "the end of the connection"
                           (lambda () (eq (midflight-connection-state (midflight-connection-of-buffer))
                                          'closed)))
      (should (equal (midflight-marks-lighter) ""))
      (setq midflight-marks-tests-requests nil)
      (midflight-marks--look)
      (should-not midflight-marks-tests-requests))))

(ert-deftest midflight-marks-stay-while-one-types ()
  "A text that is no module for a moment says nothing about its definitions."
  (midflight-marks-tests-with
    (midflight-marks-tests-replace "return 1" "return 10")
    (midflight-marks-tests-look)
    (goto-char (point-max))
    (insert "\n\ndef half(:\n")
    (midflight-marks-tests-look)
    (should (equal (midflight-marks-tests-shown) '((11 12 "helper runs in another form"))))))

(ert-deftest midflight-marks-go-with-the-mode ()
  "And so do their timer and hooks, with the last buffer."
  (midflight-marks-tests-with
    (midflight-marks-tests-replace "return 1" "return 10")
    (midflight-marks-tests-look)
    (should (midflight-marks-tests-shown))
    (should midflight-marks--timer)
    (call-interactively #'midflight-show-waiting)
    (should midflight-waiting--timer)
    (midflight-mode -1)
    (should-not (midflight-marks-tests-shown))
    (should-not (or midflight-marks--timer midflight-waiting--timer))
    (should-not (cl-intersection '(midflight-marks--loaded midflight-waiting--loaded)
                                 midflight-loaded-functions))
    (should-not (local-variable-p 'midflight-marks--answer))
    ;; So that the end of the test finds the buffer.
    (midflight-mode 1)))

;;;; Who waits where

(defun midflight-marks-tests-waiting ()
  "Return what is shown of who waits where: (LINE TEXT) each."
  (sort (cl-loop for overlay in (overlays-in (point-min) (point-max))
                 when (overlay-get overlay 'midflight-waiting)
                 collect (list (line-number-at-pos (overlay-start overlay))
                               (replace-regexp-in-string
                                "\\`  \\(?:⏸\\|||\\) " ""
                                (substring-no-properties (overlay-get overlay 'after-string)))))
        (lambda (a b) (< (car a) (car b)))))

(defun midflight-marks-tests-wait-waiting (expected)
  "Wait until what is shown of who waits where is EXPECTED."
  (midflight-test-wait (format "%S behind the lines" expected)
                       (lambda () (equal (midflight-marks-tests-waiting) expected))))

(ert-deftest midflight-waiting-processes-are-shown-at-their-lines ()
  "Of old versions where this text has the line; anew after each load."
  (midflight-marks-tests-with
    (let ((midflight-waiting-seconds 0.1))
      (midflight-marks-tests-evaluate "a, b = spawn(tally.loop, 0), spawn(tally.loop, 0)")
      (call-interactively (key-binding (kbd "C-c C-x w")))
      (midflight-marks-tests-wait-waiting '((6 "2 processes")))
      (goto-char (point-min))
      (insert "# one\n# two\n")
      (midflight-marks-tests-load 2)
      (midflight-marks-tests-wait-waiting '((8 "2 processes (2 in v1)")))
      (midflight-marks-tests-evaluate "c = spawn(tally.loop, 0)")
      (midflight-marks-tests-wait-waiting '((8 "3 processes (2 in v1)")))
      (midflight-marks-tests-evaluate "[exit(pid, 'kill') for pid in (a, b)]")
      (midflight-marks-tests-wait-waiting '((8 "1 process")))
      (call-interactively (key-binding (kbd "C-c C-x w")))
      (should-not (midflight-marks-tests-waiting))
      (should-not midflight-waiting--timer))))

(ert-deftest midflight-waiting-processes-lead-to-their-list ()
  "By a click on the text, or by the key with a prefix argument."
  (midflight-marks-tests-with
    (midflight-marks-tests-evaluate "a = spawn(tally.loop, 0)")
    (call-interactively #'midflight-show-waiting)
    (midflight-marks-tests-wait-waiting '((6 "1 process")))
    (let* ((overlay (cl-find-if (lambda (each) (overlay-get each 'midflight-waiting))
                                (overlays-in (point-min) (point-max))))
           (text (overlay-get overlay 'after-string))
           (calls 0))
      (should (string-match-p "\\`<0\\.[0-9]+\\.0>\nmouse-1" (get-text-property 3 'help-echo text)))
      (cl-letf (((symbol-function 'midflight-processes)
                 (lambda () (interactive) (setq calls (1+ calls)))))
        (call-interactively (lookup-key (get-text-property 3 'keymap text) [mouse-1]))
        (let ((current-prefix-arg '(4)))
          (call-interactively #'midflight-show-waiting))
        (should (= calls 2))))))

(ert-deftest midflight-waiting-needs-a-server ()
  "The message says so; nothing is turned on."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (should-error (midflight-show-waiting) :type 'user-error)
      (should-not midflight-waiting-on)
      (should-not midflight-waiting--timer))))

(provide 'midflight-marks-tests)
;;; midflight-marks-tests.el ends here
