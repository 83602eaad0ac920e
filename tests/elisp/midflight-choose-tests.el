;;; midflight-choose-tests.el --- Choices and the last evaluations  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; What a completion front end sees of a choice; and evaluations of before, with
;; a real server.

;;; Code:

(require 'midflight-helpers)

(defun midflight-choose-tests-shown (call)
  "Call CALL, and return what the choice that it asks for shows.
The value is the category, and a list of each candidate with the text behind
it.  The first candidate is chosen."
  (let (shown)
    (cl-letf (((symbol-function 'completing-read)
               (lambda (_ table &rest _)
                 (let* ((candidates (all-completions "" table))
                        (metadata (completion-metadata "" table nil))
                        (affix (completion-metadata-get metadata 'affixation-function))
                        (annotate (completion-metadata-get metadata 'annotation-function)))
                   (setq shown
                         (cons (completion-metadata-get metadata 'category)
                               (mapcar (lambda (triple)
                                         (should (equal (string-trim (nth 2 triple))
                                                        (string-trim (funcall annotate (car triple)))))
                                         (list (car triple) (substring-no-properties (nth 2 triple))))
                                       (funcall affix candidates))))
                   (car candidates)))))
      (funcall call))
    shown))

(ert-deftest midflight-choices-have-a-category-and-aligned-annotations ()
  "A candidate without an annotation has nothing behind it."
  (let ((table (midflight-choose-table 'midflight-shell '("a" "long" "bare")
                                       (lambda (text) (unless (equal text "bare") (upcase text))))))
    (should (equal (midflight-choose-tests-shown (lambda () (completing-read "" table)))
                   '(midflight-shell ("a" "     A") ("long" "  LONG") ("bare" ""))))
    (should (equal (try-completion "l" table) "long"))
    (should (test-completion "a" table))))

(ert-deftest midflight-processes-and-modules-are-chosen-with-what-they-run ()
  "By name if a process has one, with pid, module, version and line behind it."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (save-window-excursion
      (switch-to-buffer (midflight-test-visit project "shop.py" "from midflight import receive\n\n\nasync def loop():\n    await receive()\n"))
      (midflight-test-load (current-buffer))
      (midflight-test-type (midflight-test-shell project) "till = spawn(shop.loop, name='till')")
      (let ((shown (midflight-choose-tests-shown
                    (lambda () (midflight-look-read-process "Process: " nil)))))
        (should (eq (car shown) 'midflight-process))
        (should (string-match-p "\\` +<0\\.[0-9]+\\.0>  shop v1, loop:5\\'" (cadr (assoc "till" (cdr shown))))))
      (let ((shown (midflight-choose-tests-shown
                    (lambda () (midflight-look-read-module "Module: ")))))
        (should (eq (car shown) 'midflight-module))
        (should (assoc "shop" (cdr shown)))))))

(ert-deftest midflight-embark-maps-have-commands ()
  "Each action is a command that asks for what the candidate is."
  (dolist (map (list midflight-choose-process-map midflight-choose-module-map))
    (map-keymap (lambda (_ command) (should (commandp command))) map)))

(ert-deftest midflight-evaluations-are-repeated-copied-and-noted ()
  "The last ones are offered with their values; a value goes below as a comment."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((midflight-eval-history--all nil) (kill-ring nil))
      (should-error (midflight-eval-copy-value) :type 'user-error)
      (should-error (call-interactively #'midflight-eval-again) :type 'user-error)
      (save-window-excursion
        (switch-to-buffer (midflight-test-visit project "shop.py" "RATE = 2\n\n\ndef f():\n    RATE * 21\n    1 / 0\n"))
        (midflight-test-load (current-buffer))
        (midflight-test-shell project)
        (goto-char (point-min))
        (search-forward "21")
        (midflight-test-press "C-c M-;")
        (midflight-test-wait "the comment" (lambda () (string-match-p "RATE \\* 21\n    # => 42\n    1 / 0" (buffer-string))))
        (midflight-test-press "C-c M-w")
        (should (equal (current-kill 0) "42"))
        (midflight-eval-expression "'a\\nb' * RATE")
        (midflight-test-wait "its value" (lambda () (equal (caar midflight-eval-history--all) "'a\\nb' * RATE")))
        (should (equal (midflight-choose-tests-shown (lambda () (midflight-test-press "C-c M-p")))
                       '(midflight-evaluation ("'a\\nb' * RATE" "  'a\\nba\\nb'") ("RATE * 21" "      42"))))
        (setq midflight-test-messages nil)
        (goto-char (point-min))
        (search-forward "1 / 0")
        (let ((text (buffer-string)))
          (midflight-test-press "C-c M-;")
          (midflight-test-wait-message "ZeroDivisionError: division by zero")
          (should (equal (buffer-string) text)))
        (should-error (midflight-eval-copy-value) :type 'user-error)))))

(provide 'midflight-choose-tests)
;;; midflight-choose-tests.el ends here
