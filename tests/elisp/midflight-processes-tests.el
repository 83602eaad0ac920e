;;; midflight-processes-tests.el --- Lists, views, trees  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The pure functions on rows and lines, and each command with a real server.
;; `midflight-test-press' and its kin are those of the integration tests.

;;; Code:

(require 'midflight-helpers)

(declare-function midflight-test-press "midflight-integration-tests" (keys))
(declare-function midflight-test-shell "midflight-integration-tests" (project))
(declare-function midflight-test-type "midflight-integration-tests" (shell text))
(declare-function midflight-test-load "midflight-integration-tests" (source))

(defconst midflight-processes-tests-source
  "from midflight import ChildSpec, GenServer, Supervisor, receive

class Account(GenServer):
    def init(self, total=0):
        self.total, self.long = total, 'x' * 1000
    def handle_call(self, request, client):
        self.total += request
        return self.total

async def idle(label):
    match await receive():
        case ('link', pid):
            from midflight import link
            link(pid)
            return idle(label)
        case message:
            return idle(message)

async def deaf():
    await receive('never')

async def main():
    await Supervisor.start_link(
        [ChildSpec('account', Account, (5,), name='account'),
         ChildSpec('helper', idle, (7,), restart='temporary')],
        strategy='rest_for_one', name='top')
    await receive('never')
"
  "A module with processes of all kinds.")

(defmacro midflight-processes-tests-with (source shell &rest body)
  "Run BODY with SOURCE, a buffer whose module is loaded, and its SHELL."
  (declare (indent 2) (debug (symbolp symbolp body)))
  `(midflight-test-in-project project
     (let* ((,source (midflight-test-visit project "bank.py" midflight-processes-tests-source))
            (midflight-processes-interval nil)
            (,shell (progn (midflight-test-load ,source) (midflight-test-shell project))))
       (ignore ,shell)
       (save-window-excursion
         ,@body))))

(defun midflight-processes-tests-pid (shell text)
  "Evaluate TEXT in SHELL and return the pid that it comes to."
  (let ((said (midflight-test-type shell text)))
    (should (string-match "<0\\.[0-9]+\\.0>" said))
    (match-string 0 said)))

(defun midflight-processes-tests-list (source &optional keys)
  "Show the list of SOURCE's project, by KEYS; return its buffer once it is filled."
  (with-current-buffer source
    (midflight-test-press (or keys "C-c C-x p")))
  (let ((list (midflight-test-wait
               "the list of processes"
               (lambda ()
                 (cl-find-if (lambda (buffer)
                               (eq (buffer-local-value 'major-mode buffer)
                                   'midflight-processes-mode))
                             (buffer-list))))))
    (midflight-processes-tests-settle list)
    list))

(defun midflight-processes-tests-settle (list)
  "Wait until the answer for LIST has come."
  (midflight-test-wait "an answer for the list"
                       (lambda ()
                         (with-current-buffer list
                           (and midflight-process-list--known
                                (not midflight-process-list--due))))))

(defun midflight-processes-tests-take (&rest answer)
  "Give ANSWER, a plist, to the list of the current buffer."
  (midflight-process-list--take answer))

(defun midflight-processes-tests-refresh (list)
  "Press g in LIST and wait for the answer."
  (with-current-buffer list
    (midflight-test-press "g"))
  (midflight-processes-tests-settle list))

(defun midflight-processes-tests-line (list pid)
  "Return the line of PID in LIST, or nil; point is left on it."
  (with-current-buffer list
    (when (midflight-process-rows-goto pid)
      (buffer-substring-no-properties (point) (line-end-position)))))

;;;; Rows and lines, without a server

(defun midflight-processes-tests-row (number &rest changes)
  "Return a row of process NUMBER with CHANGES, a plist by accessor's name."
  (let ((row (list (format "<0.%d.0>" number) (plist-get changes :name)
                   (or (plist-get changes :module) "bank")
                   (or (plist-get changes :version) 1)
                   (or (plist-get changes :function) "idle") 10 "waiting"
                   (or (plist-get changes :messages) 0) 0 nil
                   (plist-get changes :behaviour) (plist-get changes :others))))
    row))

(ert-deftest midflight-row-knows-old-code ()
  "By the current versions, in any frame; a server takes the next by itself."
  (let ((current (make-hash-table :test #'equal)))
    (puthash "bank" 2 current)
    (puthash "shop" 3 current)
    (pcase-dolist (`(,expected . ,changes)
                   '((old :version 1)
                     (nil :version 2)
                     (next :version 1 :behaviour "server")
                     (old :version 2 :others (("shop" 1)))
                     (nil :version 2 :others (("shop" 3)))
                     (nil :module "re" :version nil)))
      (let ((row (apply #'midflight-processes-tests-row 1 changes)))
        (when (equal changes '(:module "re" :version nil))
          (setf (midflight-row-version row) nil))
        (should (eq expected (midflight-row-age row current)))))))

(ert-deftest midflight-processes-changes-add-up-to-what-is-there ()
  "Whatever rows are changed, gone and new, and however the list is sorted, its
lines are those of a list that was told of the last state alone."
  (dolist (key '(("Pid") ("Mbox" . t) ("Name") ("Module" . t) ("At")))
    (dolist (old-first '(nil t))
      (random "midflight")              ; the same numbers each time
      (let ((known (make-hash-table))
            (row (lambda (number)
                   (midflight-processes-tests-row
                    number :messages (random 5) :version (1+ (random 2))
                    :name (and (zerop (random 2)) (format "n%d" (random 9))))))
            text)
        (cl-flet ((list-of (rows-of)
                    (with-temp-buffer
                      (midflight-processes-mode)
                      (setq tabulated-list-sort-key key
                            midflight-process-rows-old-first old-first)
                      (funcall rows-of)
                      (buffer-string))))
          (setq text
                (list-of
                 (lambda ()
                   (dotimes (step 9)
                     (let* ((gone (and (> step 0) (mapcar (lambda (_) (1+ (random 80))) '(1 2 3))))
                            (changed (cl-set-difference
                                      (if (zerop step)
                                          (number-sequence 1 60)
                                        (delete-dups (mapcar (lambda (_) (+ 30 (random 60))) '(1 2 3 4))))
                                      gone))
                            (rows (mapcar row changed)))
                       (dolist (number gone) (remhash number known))
                       (cl-mapc (lambda (number row) (puthash number row known)) changed rows)
                       (midflight-processes-tests-take
                        :watch 1 :stamp step :all (zerop step) :current '(("bank" 2)) :rows rows
                        :gone (mapcar (lambda (number) (format "<0.%d.0>" number)) gone)))))))
          (should (equal text (list-of (lambda ()
                                         (midflight-processes-tests-take
                                          :watch 1 :stamp 1 :all t :current '(("bank" 2))
                                          :rows (hash-table-values known)))))))))))

(ert-deftest midflight-process-rows-keep-point-on-its-process ()
  "Lines before it come and go, its own is replaced and moves: point goes along."
  (with-temp-buffer
    (midflight-processes-mode)
    (midflight-processes-tests-take
     :watch 1 :stamp 1 :all t
     :rows (mapcar #'midflight-processes-tests-row (number-sequence 1 9)))
    (midflight-process-rows-goto "<0.5.0>")
    (forward-char 7)
    (midflight-processes-tests-take
     :watch 1 :stamp 2 :gone '("<0.1.0>" "<0.2.0>")
     :rows (list (midflight-processes-tests-row 5 :messages 3)))
    (should (equal (midflight-process-at-point) "<0.5.0>"))
    (should (= (current-column) 7))
    (setq tabulated-list-sort-key '("Mbox" . t))
    (midflight-process-list--draw)
    (midflight-processes-tests-take
     :watch 1 :stamp 3
     :rows (list (midflight-processes-tests-row 5)
                 (midflight-processes-tests-row 7 :messages 9)))
    (should (equal (midflight-process-at-point) "<0.5.0>"))
    (should (= (current-column) 7))
    (should (string-prefix-p "  <0.7.0>" (buffer-string)))))

(defun midflight-processes-tests-numbers ()
  "Return the numbers of the pids of the current list, in the order of the lines."
  (mapcar (lambda (line)
            (should (string-match "<0\\.\\([0-9]+\\)\\.0>" line))
            (string-to-number (match-string 1 line)))
          (split-string (buffer-string) "\n" t)))

(ert-deftest midflight-processes-sort-by-any-column ()
  "S by the one at point, once more the other way round; a click on the header."
  (with-temp-buffer
    (midflight-processes-mode)
    (midflight-processes-tests-take
     :watch 1 :stamp 1 :all t :total 4
     :rows (cl-mapcar (lambda (number name messages)
                        (midflight-processes-tests-row number :name name :messages messages))
                      '(1 2 3 4) '(nil "pear" "apple" nil) '(2 0 2 10)))
    (goto-char (point-min))
    (search-forward "waiting")
    (search-backward " 2 ")
    (forward-char 1)
    (midflight-test-press "S")
    (should (equal (midflight-processes-tests-numbers) '(2 1 3 4)))
    (midflight-test-press "S")
    (should (equal (midflight-processes-tests-numbers) '(4 3 1 2)))
    (should (equal (midflight-process-at-point) "<0.1.0>"))
    (midflight-processes-sort 2)
    (should (equal (midflight-processes-tests-numbers) '(3 2 1 4)))
    (should-error (midflight-processes-sort 12) :type 'user-error)
    (should (eq (key-binding [remap tabulated-list-col-sort]) 'midflight-processes-sort-click))))

(ert-deftest midflight-processes-rows-in-parts-are-drawn-with-the-last ()
  "While more rows are on their way the list stays as it is, its marks included."
  (with-temp-buffer
    (midflight-processes-mode)
    (midflight-processes-tests-take
     :watch 1 :stamp 1 :all t :total 4
     :rows (mapcar #'midflight-processes-tests-row '(1 2 3 4)))
    (goto-char (point-min))
    (midflight-test-press "SPC")
    (let ((before (buffer-string)))
      (should (string-prefix-p "* <0.1.0>" before))
      (midflight-processes-tests-take
       :watch 1 :stamp 2 :more t :gone '("<0.2.0>")
       :rows (mapcar #'midflight-processes-tests-row '(5 6)))
      (should (equal (buffer-string) before))
      (midflight-processes-tests-take
       :watch 1 :stamp 3 :rows (mapcar #'midflight-processes-tests-row '(7)))
      (should (equal (midflight-processes-tests-numbers) '(1 3 4 5 6 7)))
      (should (string-prefix-p "* <0.1.0>" (buffer-string)))
      (should (equal (midflight-process-at-point) "<0.3.0>")))))

(ert-deftest midflight-processes-a-mark-is-the-only-line-that-changes ()
  "SPC marks and goes on; again on the line, unmarks; U unmarks all."
  (with-temp-buffer
    (midflight-processes-mode)
    (midflight-processes-tests-take
     :watch 1 :stamp 1 :all t :rows (mapcar #'midflight-processes-tests-row '(1 2 3)))
    (midflight-process-rows-goto "<0.2.0>")
    (midflight-test-press "SPC")
    (should (equal (midflight-process-at-point) "<0.3.0>"))
    (should (equal (midflight-process-list--marked) '("<0.2.0>")))
    (midflight-test-press "SPC")
    (should (equal (midflight-process-list--marked) '("<0.2.0>" "<0.3.0>")))
    (midflight-process-rows-goto "<0.2.0>")
    (should (looking-at-p "\\* <0.2.0>"))
    (midflight-test-press "SPC")
    (should (equal (midflight-process-list--marked) '("<0.3.0>")))
    (should (equal (midflight-processes-tests-numbers) '(1 2 3)))
    (midflight-test-press "U")
    (should-not (midflight-process-list--marked))
    (should-not (string-match-p "\\*" (buffer-string)))))

;;;; The list, with a server

(ert-deftest midflight-processes-shows-and-follows-what-changes ()
  "New rows come, dead ones go, the headline counts old code after a load."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (let* ((one (midflight-processes-tests-pid shell "spawn(bank.idle, 1, name='one')"))
           (list (midflight-processes-tests-list source)))
      (should (string-match-p "<0\\.[0-9]+\\.0> +one +bank +1 idle:11 +0 waiting"
                              (midflight-processes-tests-line list one)))
      (let ((two (midflight-processes-tests-pid shell "spawn(bank.deaf)")))
        (midflight-test-type shell (format "pid('%s') << 1" (substring two 1 -1)))
        (midflight-processes-tests-refresh list)
        (should (string-match-p " bank +1 deaf:20 +1 waiting"
                                (midflight-processes-tests-line list two)))
        (midflight-test-type shell "exit(whereis('one'), 'kill')")
        (midflight-processes-tests-refresh list)
        (should-not (midflight-processes-tests-line list one))
        (with-current-buffer list
          (should (string-match-p "processes; none in old code"
                                  (midflight-process-headline))))
        (midflight-test-load source)
        (midflight-processes-tests-refresh list)
        (with-current-buffer list
          (should (string-match-p "processes; old code: bank v1 ×1" (midflight-process-headline)))
          (midflight-process-rows-goto two)
          (should (eq (get-text-property (point) 'face) 'midflight-old-code)))))))

(ert-deftest midflight-processes-old-code-can-be-first-or-alone ()
  "O puts those in old code before the others, c shows no others."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (let ((old (progn (midflight-test-type shell "[spawn(bank.deaf) for _ in range(3)]")
                      (midflight-processes-tests-pid shell "spawn(bank.deaf)"))))
      (midflight-test-load source)
      (midflight-test-type shell "spawn(bank.deaf)")
      (with-current-buffer (midflight-processes-tests-list source)
        (midflight-test-press "O")
        (should (equal (line-number-at-pos (midflight-process-rows-goto old)) 4))
        (midflight-test-press "O")
        (should (equal (get-text-property (point-min) 'tabulated-list-id) "<0.1.0>"))
        (midflight-test-press "c")
        (should (= (count-lines (point-min) (point-max)) 4))
        (midflight-test-press "c")
        (should (> (count-lines (point-min) (point-max)) 6))))))

(ert-deftest midflight-processes-filters-add-up ()
  "By module, name and text; / c shows all again."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (midflight-test-type shell "[spawn(bank.deaf, name=n) for n in ('apple', 'pear')] and None")
    (midflight-test-type shell "spawn(bank.idle, 0, name='apple pie') and None")
    (with-current-buffer (midflight-processes-tests-list source)
      (midflight-processes-filter-module "bank")
      (should (= (count-lines (point-min) (point-max)) 3))
      (midflight-processes-filter-name "APPLE")
      (should (= (count-lines (point-min) (point-max)) 2))
      (midflight-processes-filter-text "deaf")
      (should (= (count-lines (point-min) (point-max)) 1))
      (should (string-match-p "only.*module bank" (midflight-process-headline)))
      (midflight-test-press "/ c")
      (should (> (count-lines (point-min) (point-max)) 3)))))

(ert-deftest midflight-processes-of-very-many-the-server-chooses ()
  "A list that has room for some only is filtered and sorted among all."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (midflight-test-type shell "_ = [spawn(bank.deaf, name=f'deaf_{n}') for n in range(40)]")
    (midflight-test-type shell "_ = [send('deaf_33', n) for n in range(7)]")
    (let ((midflight-processes-maximum 10))
      (with-current-buffer (midflight-processes-tests-list source)
        (should (= (count-lines (point-min) (point-max)) 10))
        (should (string-match-p "\\` the first 10 of 4[0-9] processes by Pid; "
                                (midflight-process-headline)))
        (midflight-processes-filter-name "deaf_3")
        (midflight-test-wait "what the server chooses"
                             (lambda () (string-match-p "\\` the first 10 by Pid of 11 processes that match, of 4"
                                                        (midflight-process-headline))))
        (midflight-processes-filter-name "deaf_39")
        (midflight-test-wait "the only one"
                             (lambda () (and (string-match-p "\\` 1 of 4[0-9] processes match"
                                                             (midflight-process-headline))
                                             (string-match-p "\\`  <[0-9.]+> +deaf_39 .*\n\\'"
                                                             (buffer-string)))))
        (midflight-processes-filter-clear)
        (midflight-test-wait "the first again"
                             (lambda () (= (count-lines (point-min) (point-max)) 10)))
        (dotimes (_ 2)
          (midflight-processes-sort 6))
        (midflight-test-wait "the one with the longest mailbox"
                             (lambda () (string-match-p "\\`  <[0-9.]+> +deaf_33 "
                                                        (buffer-string))))
        (should (string-match-p "\\` the first 10 of 4[0-9] processes by Mbox; "
                                (midflight-process-headline)))))))

(ert-deftest midflight-processes-refresh-that-finds-nothing-changes-nothing ()
  "Not even the text is written: the modification tick of the buffer stays."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (let ((list (midflight-processes-tests-list source)))
      (with-current-buffer list
        ;; The connection's own shell may still move once.
        (dotimes (_ 3) (midflight-processes-tests-refresh list))
        (let ((tick (buffer-chars-modified-tick))
              (known midflight-process-list--known))
          (midflight-processes-tests-refresh list)
          (should (equal known midflight-process-list--known))
          (should (= tick (buffer-chars-modified-tick))))))))

(ert-deftest midflight-processes-timer-asks-for-visible-lists-only ()
  "And not while an answer is due; it stops when there is no list."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (let* ((list (midflight-processes-tests-list source))
           (midflight-processes-interval 1000)
           (asked 0)
           (count (lambda (method &rest _)
                    (when (eq method 'process/changes)
                      (setq asked (1+ asked))))))
      (with-current-buffer list (midflight-process-list--start-timer))
      (advice-add 'midflight-connection-call :before count)
      (unwind-protect
          (progn
            (should (get-buffer-window list))
            (midflight-process-list--tick)
            (should (= asked 1))
            (midflight-process-list--tick)
            (should (= asked 1))
            (midflight-processes-tests-settle list)
            (delete-other-windows)
            (set-window-buffer (selected-window) source)
            (midflight-process-list--tick)
            (should (= asked 1))
            (kill-buffer list)
            (midflight-process-list--tick)
            (should-not midflight-process-list--timer))
        (advice-remove 'midflight-connection-call count)))))

(ert-deftest midflight-processes-keys-act-on-the-process ()
  "s sends, k kills after a question, u moves, for the marked ones if there are."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (let* ((one (midflight-processes-tests-pid shell "spawn(bank.idle, 1)"))
           (two (midflight-processes-tests-pid shell "spawn(bank.idle, 2)"))
           (list (midflight-processes-tests-list source)))
      (cl-letf (((symbol-function 'read-string) (lambda (&rest _) (identity "'sent' * 2")))
                ((symbol-function 'yes-or-no-p) (lambda (&rest _) nil)))
        (with-current-buffer list
          (midflight-process-rows-goto one)
          (midflight-test-press "s")
          (midflight-test-wait-message (concat "sent 'sent' \\* 2 to " one))
          (midflight-process-rows-goto one)
          (midflight-test-press "SPC")
          (midflight-process-rows-goto two)
          (midflight-test-press "SPC")
          (should (string-prefix-p "* " (midflight-processes-tests-line list one)))
          (midflight-test-press "k")
          (midflight-test-wait-message "nothing was killed")))
      (midflight-test-load source)
      (with-current-buffer list
        (midflight-test-press "u")
        (midflight-test-wait-message "2 moved to the current version")
        (midflight-processes-tests-refresh list)
        (should (string-match-p " bank +2 idle" (midflight-processes-tests-line list one)))
        (should (equal (midflight-process-list--marked) (list one two)))
        (cl-letf (((symbol-function 'yes-or-no-p)
                   (lambda (text) (should (equal text "Kill 2 runtime processes? ")) t)))
          (midflight-test-press "k"))
        (midflight-test-wait "the end of both"
                             (lambda ()
                               (midflight-processes-tests-refresh list)
                               (not (or (midflight-processes-tests-line list one)
                                        (midflight-processes-tests-line list two)))))
        (should-not (midflight-process-list--marked))))))

(ert-deftest midflight-processes-move-says-why-not ()
  "A process that waits elsewhere is not moved; a server takes the next itself."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (midflight-test-type shell "spawn(bank.main) and None")
    (let ((slow (midflight-processes-tests-pid
                 shell "async def slow(): await bank.idle(1)\nspawn(slow)\n")))
      (ignore slow)
      (with-current-buffer source
        (goto-char (point-min))
        (while (search-forward "+= request" nil t) (replace-match "+= 2 * request"))
        (midflight-test-load source))
      (with-current-buffer (midflight-processes-tests-list source)
        (goto-char (point-min))
        (search-forward "account")
        (midflight-test-press "u")
        (midflight-test-wait-message "not moved, .*a server: it takes v2 at its next message")
        (goto-char (point-min))
        (midflight-test-press "u")
        (midflight-test-wait-message "not moved, .*no old version")))))

(ert-deftest midflight-processes-source-is-that-of-its-version ()
  "The file while it has that text, else the version's, read-only."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (let* ((pid (midflight-processes-tests-pid shell "spawn(bank.deaf)"))
           (list (midflight-processes-tests-list source)))
      (midflight-processes-tests-line list pid)
      (with-current-buffer list (midflight-test-press "."))
      (midflight-test-wait "the line in the file"
                           (lambda () (and (eq (window-buffer) source)
                                           (with-current-buffer source
                                             (looking-at-p "    await receive('never')")))))
      (with-current-buffer source
        (goto-char (point-min))
        (insert "# a line more\n"))
      (midflight-test-load source)
      (select-window (or (get-buffer-window list) (selected-window)))
      (switch-to-buffer list)
      (midflight-processes-tests-line list pid)
      (with-current-buffer list (midflight-test-press "L"))
      (midflight-test-wait "the line in the old version"
                           (lambda ()
                             (with-current-buffer (window-buffer)
                               (and (equal (buffer-name) "bank@1.py")
                                    buffer-read-only
                                    (looking-at-p "    await receive('never')"))))))))

(ert-deftest midflight-processes-says-that-the-server-has-gone ()
  "Rows stay, the headline says so; with a new server the list is filled anew."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (midflight-test-type shell "spawn(bank.deaf) and None")
    (let ((list (midflight-processes-tests-list source))
          (pid (plist-get (midflight-rendezvous-server
                           (buffer-local-value 'midflight-connection-buffer-root shell))
                          :pid)))
      (signal-process pid 'SIGKILL)
      (with-current-buffer list
        (midflight-test-wait "the headline of a list without a server"
                             (lambda () (string-match-p "Not connected: .*; g connects again"
                                                        (midflight-process-headline))))
        (should (> (buffer-size) 0))
        (midflight-test-press "g")
        (midflight-test-wait "a list of the new server"
                             (lambda ()
                               (and midflight-process-list--known
                                    (string-match-p "none in old code"
                                                    (midflight-process-headline)))))))))

;;;; One process

(defun midflight-processes-tests-view (predicate)
  "Wait for a view of a process in which PREDICATE returns non-nil; return it."
  (midflight-test-wait
   "the view of a process"
   (lambda ()
     (cl-find-if (lambda (buffer)
                   (with-current-buffer buffer
                     (and (derived-mode-p 'midflight-process-view-mode)
                          (> (buffer-size) 0)
                          (save-excursion (goto-char (point-min)) (funcall predicate)))))
                 (buffer-list)))))

(ert-deftest midflight-process-view-shows-all-of-it ()
  "Links are buttons, long values are folded, g asks again, also of a dead one."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (midflight-test-type shell "spawn(bank.main) and None")
    (let ((list (midflight-processes-tests-list source)))
      (with-current-buffer list
        (goto-char (point-min))
        (search-forward "account")
        (midflight-test-press "RET")))
    (with-current-buffer (midflight-processes-tests-view
                          (lambda () (search-forward "State: an object of bank.Account v1" nil t)))
      (should (search-forward "total = 5" nil t))
      (should (search-forward "… 802 more characters" nil t))
      (push-button (match-beginning 0))
      (should-not (save-excursion (goto-char (point-min))
                                  (search-forward "more characters" nil t)))
      (goto-char (point-min))
      (search-forward "Links")
      (forward-button 1)
      (midflight-test-press "RET"))
    (with-current-buffer (midflight-processes-tests-view
                          (lambda () (search-forward ", top\n" nil t)))
      (goto-char (point-min))
      (should (re-search-forward "Links +<0\\.[0-9]+\\.0>.*(account)" nil t))
      (cl-letf (((symbol-function 'yes-or-no-p) (lambda (&rest _) t)))
        (midflight-test-press "k"))
      (midflight-test-wait "the word that it is dead"
                           (lambda () (midflight-test-press "g")
                             (accept-process-output nil 0.05)
                             (string-prefix-p "Dead;" (buffer-string)))))))

(ert-deftest midflight-process-view-shows-mailbox-and-backtrace ()
  "m goes to the messages, the rest come page by page; b to the frames, whose
locals unfold and whose lines `next-error' goes to."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (let ((pid (midflight-processes-tests-pid shell "spawn(bank.deaf, name='deaf')")))
      (midflight-test-type shell "for n in range(150): send('deaf', ('m', n))\n")
      (with-current-buffer (midflight-processes-tests-list source)
        (midflight-process-rows-goto pid)
        (midflight-test-press "m"))
      (with-current-buffer (midflight-processes-tests-view
                            (lambda () (search-forward "Mailbox: 150 messages" nil t)))
        (should (looking-at-p "Mailbox: 150 messages, the oldest first"))
        (should (search-forward "  99  ('m', 99)" nil t))
        (search-forward "50 more; RET shows the next")
        (push-button (match-beginning 0))
        (midflight-test-wait "the other messages"
                             (lambda () (save-excursion
                                          (search-forward " 149  ('m', 149)" nil t))))
        (should-not (save-excursion (goto-char (point-min)) (search-forward "more; RET" nil t)))
        (midflight-test-press "b")
        (should (looking-at-p "Backtrace"))
        (should (search-forward "deaf:20" nil t))
        (should (search-forward "await receive('never')" nil t))
        (let ((next-error-last-buffer (current-buffer)))
          (next-error))
        (midflight-test-wait "the line of the frame"
                             (lambda ()
                               (with-current-buffer source
                                 (looking-at-p "    await receive('never')"))))))))

(ert-deftest midflight-process-view-of-the-dead-says-so ()
  "As does a word that is no process."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (with-current-buffer source
      (midflight-process-view "<0.99999.0>")
      (midflight-test-wait-message "<0\\.99999\\.0> is dead")
      (midflight-process-view "nobody here")
      (midflight-test-wait-message "neither a pid nor a registered name"))))

;;;; Commands that ask for a process

(ert-deftest midflight-send-and-exit-read-a-process ()
  "The pid at point is offered; an expression that fails is shown."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (let ((pid (midflight-processes-tests-pid shell "spawn(bank.idle, 1, name='one')")))
      (with-current-buffer source
        (midflight-send "one" "1/0")
        (midflight-test-wait-message "ZeroDivisionError")
        (midflight-send pid "(1, 2)")
        (midflight-test-wait-message "sent (1, 2) to <0"))
      (with-current-buffer shell
        (goto-char (point-min))
        (search-forward pid)
        (goto-char (match-beginning 0))
        (cl-letf (((symbol-function 'completing-read)
                   (lambda (&rest args) (nth 6 args)))
                  ((symbol-function 'read-string)
                   (lambda (&rest args) (nth 3 args))))
          (call-interactively #'midflight-exit-process)))
      (midflight-test-wait-message (concat "exit signal sent to " pid))
      (with-current-buffer source
        (midflight-send pid "1")
        (midflight-test-wait-message "is dead; nothing was sent")))))

;;;; Signals that are not taken

(ert-deftest midflight-exit-says-what-keeps-a-process ()
  "The server's words are shown as they are, per cent signs too."
  (let (shown)
    (cl-letf (((symbol-function 'midflight-connection-call)
               (lambda (_method _arguments callback &rest _)
                 (funcall callback "<0.7.0> was killed and has not ended: 100%s")))
              ((symbol-function 'midflight-process--changed) #'ignore)
              ((symbol-function 'message)
               (lambda (&rest arguments) (push (apply #'format arguments) shown))))
      (midflight-exit-process "<0.7.0>" "kill"))
    (should (equal shown '("Midflight: <0.7.0> was killed and has not ended: 100%s")))))

;;;; The tree

(ert-deftest midflight-tree-shows-supervision ()
  "Strategy, ids, restart types; TAB folds, and a refresh leaves it so."
  (skip-unless (midflight-test-command))
  (midflight-processes-tests-with source shell
    (midflight-test-type shell "spawn(bank.main) and None")
    (with-current-buffer source
      (midflight-test-press "C-c C-x T"))
    (with-current-buffer
        (midflight-test-wait "the tree"
                             (lambda ()
                               (cl-find-if (lambda (buffer)
                                             (and (eq (buffer-local-value 'major-mode buffer)
                                                      'midflight-tree-mode)
                                                  (> (buffer-size buffer) 0)))
                                           (buffer-list))))
      (goto-char (point-min))
      (should (re-search-forward "^  - <0\\.[0-9]+\\.0> top .*\\[rest_for_one\\]$" nil t))
      (should (re-search-forward "^      account <0\\.[0-9]+\\.0> account .*  permanent$" nil t))
      (should (re-search-forward "^      helper <0\\.[0-9]+\\.0> .*  temporary$" nil t))
      (midflight-test-press "^")
      (should (looking-at-p ".* top "))
      (midflight-test-press "TAB")
      (should (looking-at-p "^  \\+ .*(2 below)$"))
      (midflight-test-type shell "exit(whereis('account'), 'kill')")
      (midflight-test-press "g")
      (midflight-test-wait "the answer of the tree"
                           (lambda () (zerop (midflight-connection-pending
                                              (midflight-connection-of-buffer)))))
      ;; With it went the helper, which is temporary.
      (should (looking-at-p "^  \\+ .* top .*(1 below)$"))
      (midflight-test-press "+")
      (should (re-search-forward "^      account <0\\.[0-9]+\\.0> account " nil t))
      (midflight-test-press "-")
      (should-not (save-excursion (goto-char (point-min)) (search-forward "permanent" nil t)))
      (midflight-test-press "+")
      ;; The keys of the list work on its lines.
      (goto-char (point-min))
      (search-forward "account account" nil t)
      (re-search-forward "account <0\\.")
      (midflight-test-press "RET")
      (midflight-processes-tests-view
       (lambda () (search-forward "State: an object of bank.Account" nil t))))))

(provide 'midflight-processes-tests)
;;; midflight-processes-tests.el ends here
