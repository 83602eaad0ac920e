;;; midflight-shell-history-tests.el --- The history file  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Code:

(require 'midflight-helpers)

(defmacro midflight-shell-history-tests-with-file (file &rest body)
  "Run BODY with FILE bound to the name of a history file that does not exist."
  (declare (indent 1) (debug (symbolp body)))
  `(let* ((folder (make-temp-file "midflight-test" t))
          (,file (expand-file-name "sub/history" folder))
          (midflight-shell-history-file ,file))
     (unwind-protect (progn ,@body)
       (delete-directory folder t))))

(ert-deftest midflight-history-comes-back ()
  "Inputs of several lines and of any character come back as they were."
  (midflight-shell-history-tests-with-file file
    (let ((inputs '("pid << 1" "def f():\n    return \"λ\\n\"" "😀 ####")))
      (should-not (midflight-shell-history-read))
      (midflight-shell-history-write inputs)
      (should (equal (midflight-shell-history-read) inputs)))))

(ert-deftest midflight-history-of-two-emacsen-is-merged ()
  "Who writes second keeps what the first wrote; an input is there once, as late as it was used."
  (midflight-shell-history-tests-with-file file
    (midflight-shell-history-write '("a" "b"))
    (midflight-shell-history-write '("c" "a"))
    (should (equal (midflight-shell-history-read) '("b" "c" "a")))
    (should (equal (ring-elements (midflight-shell-history-ring)) '("a" "c" "b")))))

(ert-deftest midflight-history-has-a-size ()
  "The oldest inputs go."
  (midflight-shell-history-tests-with-file file
    (let ((midflight-shell-history-size 3))
      (midflight-shell-history-write '("a" "b" "c" "d"))
      (should (equal (midflight-shell-history-read) '("b" "c" "d"))))))

(ert-deftest midflight-history-survives-damage ()
  "Lines that cannot be read are left out."
  (midflight-shell-history-tests-with-file file
    (midflight-shell-history-write '("a" "b"))
    (write-region "\"open\n(1 2)\n#<x>\n\"c\"\n" nil file t 'silent)
    (should (equal (midflight-shell-history-read) '("a" "b" "c")))))

(ert-deftest midflight-history-is-private ()
  "Nobody else can read the file, and there may be none."
  (midflight-shell-history-tests-with-file file
    (midflight-shell-history-write '("password = 1"))
    (should (= (file-modes file) #o600)))
  (let ((midflight-shell-history-file nil))
    (midflight-shell-history-write '("a"))
    (should-not (midflight-shell-history-read))))

(provide 'midflight-shell-history-tests)
;;; midflight-shell-history-tests.el ends here
