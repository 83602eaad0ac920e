;;; midflight-history-tests.el --- The history file  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Code:

(require 'midflight-helpers)

(defmacro midflight-history-tests-with-file (file &rest body)
  "Run BODY with FILE bound to the name of a history file that does not exist."
  (declare (indent 1) (debug (symbolp body)))
  `(let* ((folder (make-temp-file "midflight-test" t))
          (,file (expand-file-name "sub/history" folder))
          (midflight-shell-history-file ,file))
     (unwind-protect (progn ,@body)
       (delete-directory folder t))))

(ert-deftest midflight-history-comes-back ()
  "Inputs of several lines and of any character come back as they were."
  (midflight-history-tests-with-file file
    (let ((inputs '("pid << 1" "def f():\n    return \"λ\\n\"" "😀 ####")))
      (should-not (midflight-history-read))
      (midflight-history-write inputs)
      (should (equal (midflight-history-read) inputs)))))

(ert-deftest midflight-history-of-two-emacsen-is-merged ()
  "Who writes second keeps what the first wrote; an input is there once, as late as it was used."
  (midflight-history-tests-with-file file
    (midflight-history-write '("a" "b"))
    (midflight-history-write '("c" "a"))
    (should (equal (midflight-history-read) '("b" "c" "a")))
    (should (equal (ring-elements (midflight-history-ring)) '("a" "c" "b")))))

(ert-deftest midflight-history-has-a-size ()
  "The oldest inputs go."
  (midflight-history-tests-with-file file
    (let ((midflight-shell-history-size 3))
      (midflight-history-write '("a" "b" "c" "d"))
      (should (equal (midflight-history-read) '("b" "c" "d"))))))

(ert-deftest midflight-history-survives-damage ()
  "Lines that cannot be read are left out."
  (midflight-history-tests-with-file file
    (midflight-history-write '("a" "b"))
    (write-region "\"open\n(1 2)\n#<x>\n\"c\"\n" nil file t 'silent)
    (should (equal (midflight-history-read) '("a" "b" "c")))))

(ert-deftest midflight-history-is-private ()
  "Nobody else can read the file, and there may be none."
  (midflight-history-tests-with-file file
    (midflight-history-write '("password = 1"))
    (should (= (file-modes file) #o600)))
  (let ((midflight-shell-history-file nil))
    (midflight-history-write '("a"))
    (should-not (midflight-history-read))))

(provide 'midflight-history-tests)
;;; midflight-history-tests.el ends here
