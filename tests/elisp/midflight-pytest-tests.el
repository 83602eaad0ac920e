;;; midflight-pytest-tests.el --- Tests from the editor  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real pytest, which runs in the project of the test.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-pytest-tests-text
  "from shop import price


class TestPrice:
    def test_of_one(self):
        assert price(1) == 2

    def test_of_two(self):
        assert price(2) == 5


def test_of_text():
    price('a', 'b')
"
  "Two tests that fail, and one that does not.")

(defmacro midflight-pytest-tests-with (&rest body)
  "Run BODY in a buffer that visits tests of a module that another one visits."
  (declare (indent 0) (debug t))
  `(progn
     (skip-unless (midflight-test-command))
     (midflight-test-in-project project
       (save-window-excursion
         (midflight-test-visit project "shop.py" "def price(amount):\n    return amount * 2\n")
         (make-directory (expand-file-name "tests" project))
         (write-region "" nil (expand-file-name "conftest.py" project) nil 'silent)
         (switch-to-buffer (midflight-test-visit project "tests/test_shop.py" midflight-pytest-tests-text))
         (setq midflight-pytest--failed nil)
         (unwind-protect (progn ,@body)
           (let ((kill-buffer-query-functions nil))
             (when (get-buffer "*midflight-pytest counter-project*")
               (kill-buffer "*midflight-pytest counter-project*"))))))))

(defun midflight-pytest-tests-press (keys regexp)
  "Press KEYS and wait for a message that matches REGEXP."
  (setq midflight-test-messages nil)
  (midflight-test-press keys)
  (midflight-test-wait-message regexp))

(defun midflight-pytest-tests-notes ()
  "Return the diagnostics of this buffer: (LINE . TEXT) each."
  (mapcar (lambda (each) (cons (line-number-at-pos (flymake-diagnostic-beg each))
                               (flymake-diagnostic-text each)))
          (sort (flymake-diagnostics)
                (lambda (a b) (< (flymake-diagnostic-beg a) (flymake-diagnostic-beg b))))))

(ert-deftest midflight-pytest-file-shows-its-failures ()
  "In the echo area, as diagnostics, and as links in a report; also from the module."
  (midflight-pytest-tests-with
    (midflight-pytest-tests-press "C-c C-t f" "2 failed, 1 passed in .*: TestPrice.test_of_two: assert 4 == 5")
    (midflight-test-wait "the diagnostics" #'midflight-pytest-tests-notes)
    (should (equal (midflight-pytest-tests-notes)
                   '((9 . "TestPrice.test_of_two: assert 4 == 5")
                     (13 . "test_of_text: TypeError: price() takes 1 positional argument but 2 were given"))))
    (with-current-buffer "*midflight-pytest counter-project*"
      (let ((next-error-last-buffer (current-buffer)))
        (next-error 1 t)))
    (should (equal (line-number-at-pos) 9))
    (switch-to-buffer "shop.py")
    (midflight-pytest-tests-press "C-c C-t f" "2 failed, 1 passed in")))

(ert-deftest midflight-pytest-at-point-runs-it-alone ()
  "Also a class of tests; outside of tests nothing is run."
  (midflight-pytest-tests-with
    (goto-char (point-min))
    (search-forward "price(1)")
    (midflight-pytest-tests-press "C-c C-t t" "Midflight: 1 passed in")
    (should-not (flymake-diagnostics))
    (search-backward "class")
    (midflight-pytest-tests-press "C-c C-t t" "1 failed, 1 passed in")
    (goto-char (point-min))
    (should-error (midflight-test-press "C-c C-t t") :type 'user-error)))

(ert-deftest midflight-pytest-failed-runs-those-again ()
  "When they pass, their diagnostics go, and none is left to run."
  (midflight-pytest-tests-with
    (should-error (midflight-test-press "C-c C-t l") :type 'user-error)
    (midflight-pytest-tests-press "C-c C-t a" "2 failed, 1 passed in")
    (goto-char (point-min))
    (while (re-search-forward "== 5" nil t) (replace-match "== 4"))
    (while (re-search-forward ", 'b'" nil t) (replace-match ""))
    (save-buffer)
    (midflight-pytest-tests-press "C-c C-t l" "Midflight: 2 passed in")
    (should-not (midflight-pytest-tests-notes))
    (should-error (midflight-test-press "C-c C-t l") :type 'user-error)))

(ert-deftest midflight-pytest-that-cannot-be-read-is-a-failure ()
  "As any other, at its line."
  (midflight-pytest-tests-with
    (goto-char (point-min))
    (insert "import nothing_like_it\n")
    (save-buffer)
    (midflight-pytest-tests-press "C-c C-t f" "1 error in .*ModuleNotFoundError")
    (should (equal (caar (midflight-pytest-tests-notes)) 1))))

(provide 'midflight-pytest-tests)
;;; midflight-pytest-tests.el ends here
