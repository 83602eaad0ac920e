;;; midflight-shell-transcript-tests.el --- The text of a shell  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The transcript, its prompt and its input, without a server.

;;; Code:

(require 'midflight-helpers)

(defmacro midflight-shell-transcript-tests-in-buffer (&rest body)
  "Run BODY in a new shell buffer that has no session."
  (declare (indent 0) (debug t))
  `(let ((midflight-shell-history-file nil))
     (with-temp-buffer
       (midflight-shell-mode)
       ,@body)))

(defun midflight-shell-transcript-tests-text ()
  "Return the text of the buffer, with | for point."
  (concat (buffer-substring-no-properties (point-min) (point)) "|"
          (buffer-substring-no-properties (point) (point-max))))

(ert-deftest midflight-transcript-output-goes-above-the-prompt ()
  "Output comes before the prompt and leaves input and point alone."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-output "Banner\n")
    (midflight-shell-transcript-prompt "1> ")
    (insert "pid << 1")
    (backward-char 2)
    (midflight-shell-transcript-output "Sum is 3\n")
    (midflight-shell-transcript-output "Sum is 4\n")
    (should (equal (midflight-shell-transcript-tests-text)
                   "Banner\nSum is 3\nSum is 4\n1> pid <<| 1"))
    (should (equal (midflight-shell-transcript-input) "pid << 1"))))

(ert-deftest midflight-transcript-half-a-line-is-continued ()
  "Output without a newline does not join the prompt, and goes on where it was."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-prompt "1> ")
    (midflight-shell-transcript-output "half")
    (should (equal (midflight-shell-transcript-tests-text) "half\n1> |"))
    (midflight-shell-transcript-output " a line")
    (should (equal (midflight-shell-transcript-tests-text) "half a line\n1> |"))
    (midflight-shell-transcript-output "\nnext\n")
    (should (equal (midflight-shell-transcript-tests-text) "half a line\nnext\n1> |"))))

(ert-deftest midflight-transcript-fresh-text-has-lines-of-its-own ()
  "A value or an error never shares a line with output."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-prompt "1> ")
    (insert "x")
    (midflight-shell-transcript-commit (midflight-shell-transcript-take-input))
    (midflight-shell-transcript-output "half")
    (midflight-shell-transcript-output "42" nil t)
    (midflight-shell-transcript-prompt "2> ")
    (should (equal (midflight-shell-transcript-tests-text) "1> x\nhalf\n42\n2> |"))))

(ert-deftest midflight-transcript-typing-ahead-survives ()
  "What is typed while an evaluation runs is the input of the next prompt."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-prompt "1> ")
    (insert "a()")
    (midflight-shell-transcript-commit (midflight-shell-transcript-take-input))
    (should (equal (midflight-shell-transcript-tests-text) "1> a()\n|"))
    (insert "next")
    (midflight-shell-transcript-output "out\n")
    (should (equal (midflight-shell-transcript-tests-text) "1> a()\nout\nnext|"))
    (midflight-shell-transcript-output "42" nil t)
    (midflight-shell-transcript-prompt "2> ")
    (should (equal (midflight-shell-transcript-tests-text) "1> a()\nout\n42\n2> next|"))
    (should (equal (midflight-shell-transcript-input) "next"))))

(ert-deftest midflight-transcript-text-from-elsewhere-keeps-the-input ()
  "A text that is evaluated from a source buffer goes before what is being typed."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-prompt "1> ")
    (insert "typed")
    (midflight-shell-transcript-commit "sent")
    (midflight-shell-transcript-prompt "2> ")
    (should (equal (midflight-shell-transcript-tests-text) "1> sent\n2> typed|"))))

(ert-deftest midflight-transcript-taken-back-input-leaves-output ()
  "An incomplete input goes; output that came meanwhile stays."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-output "before\n")
    (midflight-shell-transcript-prompt "1> ")
    (insert "def f():")
    (let ((committed (midflight-shell-transcript-commit (midflight-shell-transcript-take-input))))
      (midflight-shell-transcript-output "tick\n")
      (midflight-shell-transcript-take-back committed)
      (midflight-shell-transcript-prompt "1> ")
      (should (equal (midflight-shell-transcript-tests-text) "before\ntick\n1> |")))))

(ert-deftest midflight-transcript-prompt-can-be-removed ()
  "Without a prompt the input stays, and output goes before it."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-prompt "7> ")
    (midflight-shell-transcript-output "half")
    (insert "typed")
    (midflight-shell-transcript-remove-prompt)
    (midflight-shell-transcript-output "Gone" 'midflight-notice t)
    (should (equal (midflight-shell-transcript-tests-text) "half\nGone\ntyped|"))
    (midflight-shell-transcript-prompt "1> ")
    (should (equal (midflight-shell-transcript-tests-text) "half\nGone\n1> typed|"))))

(ert-deftest midflight-transcript-prompt-cannot-be-edited ()
  "The prompt is read-only; the input is not."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-prompt "1> ")
    (insert "x")
    (should-error (delete-region 2 3) :type 'text-read-only)
    (goto-char (point-min))
    (should-error (insert "y") :type 'text-read-only)
    (delete-region 4 5)
    (should (equal (midflight-shell-transcript-input) ""))))

(ert-deftest midflight-transcript-undo-never-touches-the-transcript ()
  "After output, undo cannot be applied at places that have moved."
  (midflight-shell-transcript-tests-in-buffer
    (buffer-enable-undo)
    (midflight-shell-transcript-prompt "1> ")
    (insert "abc")
    (undo-boundary)
    (midflight-shell-transcript-output "Sum is 3\n")
    (should-error (undo) :type 'user-error)
    (should (equal (midflight-shell-transcript-tests-text) "Sum is 3\n1> abc|"))
    (insert "d")
    (undo-boundary)
    (undo)
    (should (equal (midflight-shell-transcript-input) "abc"))))

(ert-deftest midflight-transcript-forgets-the-oldest ()
  "A buffer that has grown far over its size loses its oldest lines, not the prompt."
  (midflight-shell-transcript-tests-in-buffer
    (let ((midflight-shell-maximum-size 1000))
      (midflight-shell-transcript-prompt "1> ")
      (insert "typed")
      (dotimes (index 300)
        (midflight-shell-transcript-output (format "line %03d\n" index))
        (should (< (buffer-size) 2020)))
      (should (string-match-p "\\`line [0-9][0-9][0-9]\n" (buffer-string)))
      (should (string-suffix-p "line 299\n1> typed" (buffer-string))))))

;;;; As in a terminal

(defun midflight-shell-transcript-tests-printed (&rest texts)
  "Return the buffer's text, without its prompt, after TEXTS were printed."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-prompt "1> ")
    (insert "typed")
    (dolist (text texts)
      (midflight-shell-transcript-print text))
    (should (equal (midflight-shell-transcript-input) "typed"))
    (should (= (point) (point-max)))
    (string-remove-suffix "1> typed" (buffer-substring-no-properties (point-min) (point-max)))))

(ert-deftest midflight-transcript-print-is-that-of-a-terminal ()
  "Progress bars overwrite their line; cut sequences are put together; others go."
  (pcase-dolist (`(,texts ,expected)
                 '((("\r 10%|#  |" "\r 50%|## |" "\r100%|###|\n" "done\n") "100%|###|\ndone\n")
                   (("abcdef\rxy\n") "xycdef\n")
                   (("abc\r" "\n") "abc\n")
                   (("one\r\ntwo\r\n") "one\ntwo\n")
                   (("50%\r\e[K" "done\n") "done\n")
                   (("50%\e[2" "K\rdone\n") "done\n")
                   (("abc\b\bX\n") "aXc\n")
                   (("first\nsecond\n" "\e[2A\e[KFIRST\n" "\e[2KSECOND\nthird\n") "FIRST\nSECOND\nthird\n")
                   (("a\e]8;;http://x\e\\link\e]8;;\e\\b\n") "alinkb\n")
                   (("bell\a\e[?25l\n") "bell\n")
                   (("x\e[5Gy\n") "xy\n")
                   (("a" "\e[31mred" "\e[0m\n") "ared\n")
                   (("\e[99A\e[Jtop\n") "top\n")))
    (should (equal (apply #'midflight-shell-transcript-tests-printed texts) expected))))

(ert-deftest midflight-transcript-print-never-touches-what-is-above-the-input ()
  "A cursor that goes up stops below the last input."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-output "Banner\n")
    (midflight-shell-transcript-prompt "1> ")
    (insert "go()")
    (midflight-shell-transcript-commit (midflight-shell-transcript-take-input))
    (midflight-shell-transcript-print "one\n")
    (midflight-shell-transcript-print "\e[9A\e[JONE\n")
    (should (equal (buffer-string) "Banner\n1> go()\nONE\n"))
    (midflight-shell-transcript-output "'value'" nil t)
    (midflight-shell-transcript-print "\rmore\n")
    (should (equal (buffer-string) "Banner\n1> go()\nONE\n'value'\nmore\n"))))

(ert-deftest midflight-transcript-print-has-colors ()
  "Over several texts, and on top of the face of its process."
  (midflight-shell-transcript-tests-in-buffer
    (let ((face-of (lambda (text)
                     (goto-char (point-min))
                     (search-forward text)
                     (get-text-property (match-beginning 0) 'font-lock-face))))
      (midflight-shell-transcript-print (midflight-shell-output-tagged "\e[1;3" '((6 "<0.9.0>"))))
      (midflight-shell-transcript-print (midflight-shell-output-tagged "1mred" '((5 "<0.9.0>"))))
      (midflight-shell-transcript-print (midflight-shell-output-tagged " still\e[0m plain\n" '((18 "<0.9.0>"))))
      (should (equal (buffer-substring-no-properties (point-min) (point-max)) "red still plain\n"))
      (should (equal (funcall face-of "still") (funcall face-of "red")))
      (should-not (memq (funcall face-of "red") '(nil midflight-process-output)))
      (should (eq (funcall face-of "plain") 'midflight-process-output))
      (should (equal (get-text-property (1+ (point-min)) 'midflight-writer) "<0.9.0>")))))

(ert-deftest midflight-transcript-flood-is-fast ()
  "Two megabytes in 4 KB pieces take well under a second or two."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-prompt "1> ")
    (let ((piece (apply #'concat (make-list 50 (concat (make-string 80 ?x) "\n"))))
          (start (float-time)))
      (dotimes (_ 400)
        (midflight-shell-transcript-output piece))
      (should (< (- (float-time) start) 5)))))

(ert-deftest midflight-transcript-comint-commands-work ()
  "History, field movement and output deletion of comint know input from output."
  (midflight-shell-transcript-tests-in-buffer
    (midflight-shell-transcript-output "Banner\n")
    (midflight-shell-transcript-prompt "1> ")
    (insert "abc")
    (beginning-of-line)
    (should (equal (midflight-shell-transcript-tests-text) "Banner\n1> |abc"))
    (comint-add-to-input-history "earlier")
    (goto-char (point-max))
    (comint-previous-input 1)
    (should (equal (midflight-shell-transcript-input) "earlier"))
    (midflight-shell-transcript-commit (midflight-shell-transcript-take-input))
    (midflight-shell-transcript-output "some\noutput\n")
    (midflight-shell-transcript-prompt "2> ")
    (insert "typed")
    (call-interactively (key-binding (kbd "C-c C-o")))
    (should (equal (midflight-shell-transcript-tests-text) "Banner\n1> earlier\n2> typed|"))
    (midflight-shell-transcript-output "more\n")
    (should (equal (midflight-shell-transcript-tests-text) "Banner\n1> earlier\nmore\n2> typed|"))
    (comint-clear-buffer)
    (should (equal (midflight-shell-transcript-tests-text) "2> typed|"))
    (midflight-shell-transcript-output "again\n")
    (should (equal (midflight-shell-transcript-tests-text) "again\n2> typed|"))))

(ert-deftest midflight-shell-indents-the-next-line ()
  "After a colon or an open bracket deeper, after a return less, else as before."
  (should (equal (midflight-shell-input--indentation "def f():") "    "))
  (should (equal (midflight-shell-input--indentation "if x:  # why") "    "))
  (should (equal (midflight-shell-input--indentation "f(1,") ""))
  (should (equal (midflight-shell-input--indentation "f(") "    "))
  (should (equal (midflight-shell-input--indentation "def f():\n    x = 1") "    "))
  (should (equal (midflight-shell-input--indentation "def f():\n    return 1") "")))

(provide 'midflight-shell-transcript-tests)
;;; midflight-shell-transcript-tests.el ends here
