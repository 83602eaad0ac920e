;;; midflight-xref-tests.el --- Definitions and uses  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server; files that were edited since they were loaded.

;;; Code:

(require 'midflight-helpers)

(require 'midflight-xref)

(defconst midflight-xref-tests-stock
  "from midflight import receive


class Stock:
    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)


def make():
    return Stock()


async def wait():
    await receive()
    make().add(1)
"
  "A module that defines.")

(defconst midflight-xref-tests-shop
  "from stock import make as build


def open_shop():
    shop = build()
    shop.add('x')
    return shop
"
  "A module that uses.")

(defmacro midflight-xref-tests-with (stock shop &rest body)
  "Run BODY with the loaded modules in the buffers STOCK and SHOP."
  (declare (indent 2) (debug (symbolp symbolp body)))
  `(midflight-test-in-project project
     (let ((,stock (midflight-test-visit project "stock.py" midflight-xref-tests-stock))
           (,shop (midflight-test-visit project "shop.py" midflight-xref-tests-shop)))
       (midflight-test-load ,stock)
       (midflight-test-load ,shop)
       (midflight-test-shell project)
       (ignore ,stock ,shop)
       (save-window-excursion ,@body))))

(defun midflight-xref-tests-at (buffer text)
  "Go behind TEXT in BUFFER and wait until the server knows what is there."
  (switch-to-buffer buffer)
  (goto-char (point-min))
  (search-forward text)
  (midflight-test-wait (format "a backend for %S" text) #'xref-find-backend))

(defun midflight-xref-tests-find ()
  "Press the key that finds definitions, as a person would."
  (let ((this-command #'xref-find-definitions))
    (midflight-test-press "M-.")))

(defun midflight-xref-tests-line ()
  "Return the text of the line at point."
  (buffer-substring-no-properties (line-beginning-position) (line-end-position)))

(ert-deftest midflight-xref-goes-to-the-definition-and-back ()
  "Behind an import under another name; M-, returns."
  (skip-unless (midflight-test-command))
  (midflight-xref-tests-with stock shop
    (midflight-xref-tests-at shop "shop = build")
    (should (eq (xref-find-backend) 'midflight))
    (midflight-xref-tests-find)
    (should (eq (current-buffer) stock))
    (should (equal (midflight-xref-tests-line) "def make():"))
    (should (looking-at "make"))
    (midflight-test-press "M-,")
    (should (eq (current-buffer) shop))))

(ert-deftest midflight-xref-finds-the-definition-in-an-edited-file ()
  "By its name, not by a line that is another's now."
  (skip-unless (midflight-test-command))
  (midflight-xref-tests-with stock shop
    (with-current-buffer stock
      (goto-char (point-min))
      (insert "# make\n# def make is further down\n\n\n")
      (search-forward "def make():")
      (replace-match "def make(kind=None):"))
    (midflight-xref-tests-at shop "shop = build")
    (midflight-xref-tests-find)
    (should (equal (midflight-xref-tests-line) "def make(kind=None):"))
    ;; A method, by its class.
    (with-current-buffer stock
      (goto-char (point-min))
      (insert "class Other:\n    def add(self):\n        pass\n\n\n"))
    (midflight-xref-tests-at stock "Stock()")
    (xref-find-definitions "Stock.add")
    (should (equal (midflight-xref-tests-line) "    def add(self, item):"))
    (xref-find-definitions "Stock.items")
    (should (equal (midflight-xref-tests-line) "        self.items = []"))))

(ert-deftest midflight-xref-lists-uses-and-old-versions ()
  "Uses in all loaded modules, also in a version that only a process runs still."
  (skip-unless (midflight-test-command))
  (midflight-xref-tests-with stock shop
    (midflight-test-type (midflight-test-shell project)
                         "pid = spawn(stock.wait)")
    (with-current-buffer stock
      (goto-char (point-min))
      (search-forward "    make().add(1)\n")
      (replace-match ""))
    (midflight-test-load stock)
    (midflight-xref-tests-at stock "def make")
    (let ((uses (mapcar (lambda (item) (substring-no-properties (xref-item-summary item)))
                        (xref-backend-references 'midflight "make"))))
      (should (equal (seq-take uses 2)
                     '("from stock import make as build" "shop = build()")))
      (should (string-match-p "\\`make()\\.add(1)  \\[version 1, run by <0\\.[0-9]+\\.0>\\]\\'"
                              (nth 2 uses)))
      (should (= (length uses) 3)))))

(ert-deftest midflight-xref-leaves-to-others-what-it-does-not-know ()
  "If there is another backend it gets its turn."
  (skip-unless (midflight-test-command))
  (midflight-xref-tests-with stock shop
    (midflight-xref-tests-at shop "shop = build")
    (add-hook 'xref-backend-functions (lambda () 'another) nil t)
    (should (eq (xref-find-backend) 'midflight))
    (goto-char (point-min))
    (search-forward "shop.add('x')")
    (backward-char 6)
    (insert "nothing_like_it.")
    (midflight-look-ask 'look/definition nil 0)
    (should (eq (xref-find-backend) 'another))))

(ert-deftest midflight-xref-never-waits-long ()
  "A server that is stopped costs a moment; then others have their turn."
  (skip-unless (midflight-test-command))
  (midflight-xref-tests-with stock shop
    (switch-to-buffer shop)
    (goto-char (point-min))
    (search-forward "shop = build")
    (add-hook 'xref-backend-functions (lambda () 'another) nil t)
    (let ((pid (midflight-test-server-pid (midflight-connection-root-of-buffer))))
      (midflight-test-stop pid)
      (unwind-protect
          (let ((start (float-time)))
            (should (eq (xref-find-backend) 'another))
            (should (< (- (float-time) start) 1)))
        (signal-process pid 'SIGCONT)))))

(ert-deftest midflight-xref-finds-places-without-a-server ()
  "By line, by the text of the line, by name; it says when there is none."
  (with-temp-buffer
    (insert "x = 1\nclass A:\n    def f(self):\n        pass\n\nclass B:\n    def f(self):\n        self.size = 1\n")
    (let ((place (lambda (line text name)
                   (make-midflight-xref-spot :path "f.py" :line line :column 0 :text text :name name))))
      (should (midflight-xref-goto (funcall place 3 "    def f(self):" "A.f") t))
      (should (= (line-number-at-pos) 3))
      (should (midflight-xref-goto (funcall place 30 "    def f(self, x):" "B.f") t))
      (should (= (line-number-at-pos) 7))
      (should (midflight-xref-goto (funcall place 30 "        self.size = 2" "B.size") t))
      (should (= (line-number-at-pos) 8))
      (should (midflight-xref-goto (funcall place 2 "        pass" "A.f") nil))
      (should (= (line-number-at-pos) 4))
      (should-not (midflight-xref-goto (funcall place 2 "y" "A.g") t))
      (should (= (line-number-at-pos) 2)))))

(ert-deftest midflight-xref-apropos-lists-names-by-words ()
  "`C-M-.' asks the server, and goes to a definition."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "def count_up(a):\n    return a\n\n\ndef other():\n    pass\n")))
      (midflight-test-load source)
      (with-current-buffer source
        (should (memq (key-binding (kbd "C-M-.")) '(xref-find-apropos)))
        (let ((found (xref-backend-apropos (xref-find-backend) "count")))
          (should (equal (mapcar (lambda (item)
                                   (midflight-xref-spot-line
                                    (midflight-xref-location-place (xref-item-location item))))
                                 found)
                         '(1))))))))

(provide 'midflight-xref-tests)
;;; midflight-xref-tests.el ends here
