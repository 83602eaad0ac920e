;;; midflight-profile-tests.el --- A profile of the live program  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The grouping of rows, which is pure; and a profile of a real server in which
;; a process is busy.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-profile-tests-text
  "from midflight import sleep


def count():
    for _ in range(20_000):
        pass


async def work():
    while True:
        count()
        await sleep(0)
"
  "A module with a process that is busy.")

(ert-deftest midflight-profile-adds-rows-up ()
  "By function over the processes; by process what each had itself."
  (let* ((row (lambda (who function own total)
                (list :who who :module "shop" :version 1 :function function :path "/shop.py" :line 1
                      :own own :total total)))
         (rows (list (funcall row "<0.5.0>" "pay" 5 5) (funcall row "<0.6.0>" "pay" 2 2)
                     (funcall row "<0.5.0>" "loop" 1 6)))
         (short (lambda (grouping)
                  (mapcar (lambda (row)
                            (list (plist-get row :who) (plist-get row :function)
                                  (plist-get row :own) (plist-get row :total)))
                          (midflight-profile--grouped rows grouping)))))
    (should (equal (funcall short 'both)
                   '(("<0.5.0>" "pay" 5 5) ("<0.6.0>" "pay" 2 2) ("<0.5.0>" "loop" 1 6))))
    (should (equal (funcall short 'function) '(("" "pay" 7 7) ("" "loop" 1 6))))
    (should (equal (funcall short 'process) '(("<0.5.0>" "" 6 6) ("<0.6.0>" "" 2 2))))))

(ert-deftest midflight-profile-shows-what-is-busy ()
  "The first row; b groups, RET visits, P shows the process, f has the picture."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (save-window-excursion
      (switch-to-buffer (midflight-test-visit project "shop.py" midflight-profile-tests-text))
      (midflight-test-load (current-buffer))
      (midflight-test-type (midflight-test-shell project) "worker = spawn(shop.work, name='worker')")
      (setq midflight-test-messages nil)
      (let ((midflight-profile-seconds 0.5))
        (midflight-test-press "C-c C-x f"))
      (set-buffer (midflight-test-wait "profile"
                                       (lambda () (get-buffer "*midflight-profile for counter-project*"))))
      (midflight-test-wait-message "stacks seen in")
      (switch-to-buffer (current-buffer))
      (goto-char (point-min))
      (should (string-match-p "\\` *[0-9.]+ +[0-9.]+ <[0-9.]+> worker +count +shop v1"
                              (buffer-substring (point) (line-end-position))))
      (let ((picture (expand-file-name "flame.svg" project)))
        (midflight-profile-write picture)
        (with-temp-buffer
          (insert-file-contents picture)
          (should (search-forward "<title>shop v1 count: " nil t))))
      (let* (shown
             (browse-url-browser-function (lambda (url &rest _) (push url shown))))
        (midflight-test-press "f")
        (should (string-match-p "\\`file://.*\\.html\\'" (car shown)))
        (delete-file (substring (car shown) (length "file://"))))
      (midflight-test-press "b")
      (goto-char (point-min))
      (should (search-forward "count" (line-end-position) t))
      (should-not (search-forward "worker" nil t))
      (should-error (midflight-profile-show-process) :type 'user-error)
      (midflight-test-press "b")
      (goto-char (point-min))
      (should (search-forward "worker" nil t))
      (should-error (midflight-profile-visit) :type 'user-error)
      (midflight-test-press "b")
      (goto-char (point-min))
      (midflight-test-press "RET")
      (midflight-test-wait "source" (lambda ()
                                      (set-buffer (window-buffer (selected-window)))
                                      (looking-at-p "def count")))
      (should (equal (buffer-name) "shop.py")))))

(provide 'midflight-profile-tests)
;;; midflight-profile-tests.el ends here
