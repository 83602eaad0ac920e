;;; midflight-remedy-tests.el --- Make current what a load left old  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A handler that a route of another module holds, and module state, with a real
;; server: the report names them, and its keys make them current.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-remedy-tests-shop "CARTS = []\nRATES = {}\n\n\ndef index():\n    return 1\n"
  "A module with state and a handler.")

(defconst midflight-remedy-tests-app
  "import shop\n\n\nclass Route:\n    handler = None\n\n\nroute = Route()\nroute.handler = shop.index\n"
  "A module with a route that holds the handler.")

(defun midflight-remedy-tests-load (from to)
  "Replace FROM by TO in this buffer, and load it; return the report's text."
  (setq midflight-test-messages nil)
  (goto-char (point-min))
  (search-forward from)
  (replace-match to t t)
  (midflight-test-press "C-c C-k")
  (midflight-test-wait-message "\\`shop \\(v[0-9]+\\|not\\) loaded")
  (with-current-buffer midflight-report-buffer (buffer-string)))

(defun midflight-remedy-tests-wait-report (regexp)
  "Wait until the report matches REGEXP."
  (midflight-test-wait (format "a report with %S" regexp)
                       (lambda ()
                         (with-current-buffer midflight-report-buffer
                           (string-match-p regexp (buffer-string))))))

(defun midflight-remedy-tests-press (keys &optional at)
  "Press KEYS in the report, with point behind the text AT if it is non-nil."
  (setq midflight-test-messages nil)
  (with-current-buffer midflight-report-buffer
    (goto-char (point-min))
    (when at (re-search-forward at))
    (midflight-test-press keys)))

(defmacro midflight-remedy-tests-with (shell &rest body)
  "Run BODY in a buffer of shop.py, which is loaded, and app too.
SHELL is bound to the shell; the state has values."
  (declare (indent 1) (debug (symbolp body)))
  `(progn
     (unless (midflight-test-command) (ert-skip "no midflight program"))
     (midflight-test-in-project project
       (write-region midflight-remedy-tests-app nil (expand-file-name "app.py" project) nil 'silent)
       (let ((source (midflight-test-visit project "shop.py" midflight-remedy-tests-shop)))
         (midflight-test-load source)
         (let ((,shell (midflight-test-shell project)))
           (midflight-test-type ,shell "import app, shop")
           (midflight-test-type ,shell "shop.CARTS.append('tea'); shop.RATES['tea'] = 3")
           (save-window-excursion
             (switch-to-buffer source)
             ,@body))))))

(ert-deftest midflight-remedy-names-holders-and-forwards-them ()
  "Who holds the handler comes after the report; f makes it the current one."
  (midflight-remedy-tests-with shell
    (should (string-match-p "that others hold.*(f makes them the current ones)"
                            (midflight-remedy-tests-load "return 1" "return 2")))
    (midflight-remedy-tests-wait-report
     "^Who holds functions of older versions of shop\n  index, v1: held by app\\.route, in an object of Route$")
    (should (string-match-p "^1$" (midflight-test-type shell "app.route.handler()")))
    (midflight-remedy-tests-press "f")
    (midflight-test-wait-message "\\`shop: index forwarded to v2\\'")
    (should (string-match-p "^2$" (midflight-test-type shell "app.route.handler()")))
    (midflight-remedy-tests-wait-report
     "^Who holds functions of older versions of shop\n  Nobody: they have let go of them\\.$")
    (with-current-buffer midflight-report-buffer
      (should (= (how-many "^Who holds" (point-min)) 1)))))

(ert-deftest midflight-remedy-recovers-what-was-left-behind ()
  "With r on its line, which says so."
  (midflight-remedy-tests-with shell
    (should (string-match-p "^  CARTS: .*(r brings it back)$"
                            (midflight-remedy-tests-load "CARTS = []" "CARTS = list()")))
    (should (string-match-p "^\\[\\]$" (midflight-test-type shell "shop.CARTS")))
    (midflight-remedy-tests-press "r" "^  CARTS")
    (midflight-test-wait-message "\\`Midflight: shop\\.CARTS is \\['tea'\\] again\\'")
    (should (string-match-p "^\\['tea'\\]$" (midflight-test-type shell "shop.CARTS")))
    (should-error (midflight-remedy-tests-press "i") :type 'user-error)))

(ert-deftest midflight-remedy-makes-a-kept-value-new ()
  "With x on its name, by another load; the others are kept, and it can be brought back."
  (midflight-remedy-tests-with shell
    (should (string-match-p "^  kept state: CARTS (1), RATES (1) (x on a name makes it new)$"
                            (midflight-remedy-tests-load "return 1" "return 2")))
    (midflight-remedy-tests-press "x" "state: CARTS (1), RATES")
    (midflight-test-wait-message "\\`shop v3 loaded")
    (should (string-match-p "^(\\['tea'\\], {})$" (midflight-test-type shell "shop.CARTS, shop.RATES")))
    (midflight-remedy-tests-press "r")
    (midflight-test-wait-message "\\`Midflight: shop\\.RATES is {'tea': 3} again\\'")))

(ert-deftest midflight-remedy-moves-idle-processes ()
  "With m, where the report lists those in older versions."
  (midflight-remedy-tests-with shell
    (midflight-remedy-tests-load
     "def index" "from midflight import receive\n\n\nasync def wait():\n    await receive()\n\n\ndef index")
    (midflight-test-type shell "pid = spawn(shop.wait)")
    (should (string-match-p "^Processes in older versions (m moves those that are idle)$"
                            (midflight-remedy-tests-load "return 1" "return 2")))
    (midflight-remedy-tests-press "m")
    (midflight-test-wait-message "\\`shop: 1 process moved to v3")))

(ert-deftest midflight-preview-names-the-keys-that-help-after-the-load ()
  "Behind state that would be left behind or kept; the load itself is the same."
  (midflight-remedy-tests-with shell
    (ignore shell)
    (goto-char (point-min))
    (search-forward "CARTS = []")
    (replace-match "CARTS = {}")
    (let ((current-prefix-arg '(4)))
      (midflight-test-press "C-c C-k"))
    (with-current-buffer (midflight-test-wait
                          "the preview"
                          (lambda () (get-buffer "*midflight-preview for counter-project*")))
      (should (string-match-p "^  CARTS: .* left behind: .* (after the load, in its report: r brings it back)$"
                              (buffer-string)))
      (should (string-match-p "^  kept state: RATES.* (after the load, in its report: x on a name makes it new)$"
                              (buffer-string)))
      (midflight-test-press "l"))
    (midflight-test-wait-message "\\`shop v2 loaded")
    (midflight-remedy-tests-wait-report "^  CARTS: .* (r brings it back)$")))

(ert-deftest midflight-remedy-has-nothing-to-do-without-a-load ()
  "The keys say so, and no error of Lisp comes."
  (midflight-remedy-tests-with shell
    (ignore shell)
    (midflight-remedy-tests-load "return 1" "return 2")
    (should-error (midflight-remedy-tests-press "r") :type 'user-error)
    (midflight-remedy-tests-load "return 2" "return (")
    (should-error (midflight-remedy-tests-press "x") :type 'user-error)
    (with-temp-buffer
      (midflight-report-mode)
      (should-error (midflight-test-press "f") :type 'user-error))))

(ert-deftest midflight-old-code-that-runs-is-told ()
  "In the echo area, when the server says so."
  (midflight-remedy-tests-with shell
    (setq midflight-test-messages nil)
    (midflight-test-type
     shell (concat "from midflight.code.held import stale_calls; "
                   "[tell(code.StaleCall('shop', 1, 'index', 6, 'app.py:9 in go'))"
                   " for tell in list(stale_calls._listeners)]"))
    (midflight-test-wait-message
     "\\`Midflight: shop version 1 is old, and index:6 of it ran, called by app\\.py:9 in go\\'")))

(ert-deftest midflight-settings-forward-each-load ()
  "With forward = true in pyproject.toml the report says what was forwarded."
  (unless (midflight-test-command) (ert-skip "no midflight program"))
  (midflight-test-in-project project
    (write-region "[tool.midflight]\nforward = true\n" nil
                  (expand-file-name "pyproject.toml" project) nil 'silent)
    (write-region midflight-remedy-tests-app nil (expand-file-name "app.py" project) nil 'silent)
    (let ((source (midflight-test-visit project "shop.py" midflight-remedy-tests-shop)))
      (midflight-test-load source)
      (let ((shell (midflight-test-shell project)))
        (midflight-test-type shell "import app")
        (save-window-excursion
          (switch-to-buffer source)
          (should (string-match-p "^  forwarded: index$"
                                  (midflight-remedy-tests-load "return 1" "return 2"))))
        (should (string-match-p "^2$" (midflight-test-type shell "app.route.handler()")))))))

(provide 'midflight-remedy-tests)
;;; midflight-remedy-tests.el ends here
