;;; midflight-eval-tests.el --- Evaluation where point is  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The names that an evaluation sees, from a source buffer and in a shell.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-eval-tests-text
  "RATE = 2


def price(amount):
    return amount * RATE
"
  "A module with a name that the shell has not.")

(defmacro midflight-eval-tests-with (shell &rest body)
  "Run BODY in a buffer of a loaded module, with SHELL bound to the shell."
  (declare (indent 1) (debug (symbolp body)))
  `(progn
     (skip-unless (midflight-test-command))
     (midflight-test-in-project project
       (with-current-buffer (midflight-test-visit project "shop.py" midflight-eval-tests-text)
         (midflight-test-load (current-buffer))
         (let ((,shell (midflight-test-shell project)))
           (ignore ,shell)
           (setq midflight-test-messages nil)
           ,@body)))))

(defun midflight-eval-tests-press-behind (text keys &optional prefix)
  "Go behind TEXT, which is inserted at the end if it is not there; press KEYS."
  (goto-char (point-min))
  (unless (search-forward text nil t)
    (goto-char (point-max))
    (insert text))
  (setq midflight-test-messages nil)
  (let ((current-prefix-arg prefix))
    (midflight-test-press keys)))

(ert-deftest midflight-eval-last-expression-sees-the-module ()
  "C-x C-e evaluates what ends at point in the module of the buffer; the prompt says so."
  (midflight-eval-tests-with shell
    (midflight-eval-tests-press-behind "answer = price(20) + RATE" "C-x C-e")
    (midflight-test-wait-message "\\`42\\'")
    (midflight-test-shell project)
    (should (string-suffix-p "\nshop 1> price(20) + RATE\n42\n2> " (midflight-test-transcript shell)))))

(ert-deftest midflight-eval-last-expression-behind-its-line ()
  "On the next lines too; where no expression ends nothing is evaluated."
  (midflight-eval-tests-with shell
    (midflight-eval-tests-press-behind "\nprice(4)\n\n" "C-x C-e")
    (midflight-test-wait-message "\\`8\\'")
    (midflight-eval-tests-press-behind "RATE =" "C-x C-e")
    (midflight-test-wait-message "no expression ends here; nothing was evaluated")))

(ert-deftest midflight-eval-sees-the-current-version ()
  "After a load it is the next one."
  (midflight-eval-tests-with shell
    (goto-char (point-min))
    (while (search-forward "*" nil t) (replace-match "+"))
    (midflight-test-load (current-buffer))
    (midflight-eval-tests-press-behind "price(4)" "C-x C-e")
    (midflight-test-wait-message "\\`6\\'")))

(ert-deftest midflight-eval-with-a-prefix-sees-the-shell ()
  "Or by the option; then the prefix means the module."
  (midflight-eval-tests-with shell
    (midflight-eval-tests-press-behind "price(5)" "C-x C-e" '(4))
    (midflight-test-wait-message "NameError: name 'price' is not defined")
    (let ((midflight-eval-namespace 'shell))
      (midflight-eval-tests-press-behind "price(5)" "C-x C-e" '(4))
      (midflight-test-wait-message "\\`10\\'"))))

(ert-deftest midflight-eval-region-assigns-in-the-module ()
  "As in SLIME's files, a name that is assigned is one of the module."
  (midflight-eval-tests-with shell
    (goto-char (point-max))
    (set-mark (point))
    (insert "    RATE = 10\n    LATE = 3\n")
    (activate-mark)
    (midflight-test-press "C-c C-r")
    (midflight-eval-expression "price(LATE)")
    (midflight-test-wait-message "\\`30\\'")))

;; The region holds an import, a changed function, a new one, and a call.
(ert-deftest midflight-eval-region-loads-definitions ()
  "They become one version; the rest of the region is evaluated after it."
  (midflight-eval-tests-with shell
    (goto-char (point-min))
    (search-forward "* RATE")
    (replace-match "* FACTOR")
    (goto-char (point-min))
    (forward-line 1)
    (insert "import math\n")
    (goto-char (point-max))
    (insert "\n\nFACTOR = 10\n\ndef area(r):\n    return price(r) + math.floor(math.pi)\n\narea(2)\n")
    (midflight-eval-region (progn (goto-char (point-min)) (forward-line 1) (point)) (point-max))
    (midflight-test-wait-message "\\`shop v2 loaded.*; math, price, FACTOR, area only")
    (midflight-test-wait-message "\\`23\\'")))

(ert-deftest midflight-load-definition-takes-an-assignment ()
  "It is new, though the program has changed it, and no second one is added."
  (midflight-eval-tests-with shell
    (midflight-eval-expression "RATE = 50")
    (midflight-test-wait-message "\\`50\\'")
    (goto-char (point-min))
    (search-forward "RATE = 2")
    (midflight-test-press "C-c C-c")
    (midflight-test-wait-message "\\`shop v2 loaded")
    (midflight-eval-expression "price(1)")
    (midflight-test-wait-message "\\`2\\'")))

(ert-deftest midflight-eval-before-a-load-says-what-to-do ()
  "Nothing is evaluated, and the prompt stays."
  (midflight-eval-tests-with shell
    (with-current-buffer (midflight-test-visit project "other.py" "x = 1\n")
      (midflight-eval-tests-press-behind "x" "C-x C-e")
      (midflight-test-wait-message "other.py is not loaded; nothing was evaluated.*C-c C-k loads it; C-u before"))
    (midflight-test-shell project)
    (should (string-suffix-p "\n1> " (midflight-test-transcript shell)))))

(ert-deftest midflight-shell-goes-into-a-module ()
  "By a command behind the comma; the prompt shows it, and completion knows its names."
  (midflight-eval-tests-with shell
    (with-current-buffer shell
      (goto-char (point-max))
      (cl-letf (((symbol-function 'completing-read)
                 (lambda (prompt names &rest _)
                   (if (string-prefix-p "Command" prompt) "in"
                     (should (member "shop" (all-completions "" names)))
                     "shop"))))
        (let ((last-command-event ?,)) (midflight-test-press ",")))
      (midflight-test-wait "the prompt" (lambda () (string-suffix-p "\nshop 1> " (buffer-string))))
      (should (string-prefix-p "price(4)\n8\nshop 2> " (midflight-test-type shell "price(4)")))
      (insert "pri")
      (midflight-test-wait "the completion"
                           (lambda () (member "price" (nth 2 (midflight-complete-at-point)))))
      (delete-char -3)
      (midflight-shell-in "")
      (midflight-test-wait "the prompt" (lambda () (string-suffix-p "\n2> " (buffer-string))))
      (should (string-match-p "NameError" (midflight-test-type shell "price"))))))

(ert-deftest midflight-value-has-a-buffer ()
  "C-c C-p breaks the value into lines; g evaluates it again, w copies it."
  (midflight-eval-tests-with shell
    (midflight-eval-tests-press-behind "[{'amount': price(n), 'what': 'x' * 20} for n in range(2)]" "C-c C-p")
    (let ((buffer (midflight-test-wait "the value" (lambda () (get-buffer "*midflight-value counter-project*"))))
          (kill-ring nil))
      (with-current-buffer buffer
        (should (string-prefix-p "[{'amount': 0, 'what': 'xxxxxxxxxxxxxxxxxxxx'},\n {'amount': 2," (buffer-string)))
        (midflight-test-press "w")
        (should (equal (concat (current-kill 0) "\n") (buffer-string)))
        (let ((inhibit-read-only t)) (erase-buffer))
        (midflight-test-press "g")
        (midflight-test-wait "the value again" (lambda () (string-prefix-p "[{'amount'" (buffer-string))))))))

(provide 'midflight-eval-tests)
;;; midflight-eval-tests.el ends here
