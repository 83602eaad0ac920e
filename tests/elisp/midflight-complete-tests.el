;;; midflight-complete-tests.el --- Completion, ElDoc, documentation  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With a real server, in the shell and in source buffers.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-complete-tests-module
  "from midflight import receive

LIMIT = 3


class Box:
    \"\"\"A box.\"\"\"

    def put(self, thing, count=1):
        self.thing = thing


async def loop(total, box: Box):
    \"\"\"Count.\"\"\"
    await receive()
    return loop(total, box)
"
  "A module to look at.")

(defmacro midflight-complete-tests-with (source shell &rest body)
  "Run BODY with the loaded module in the buffer SOURCE, and SHELL its shell."
  (declare (indent 2) (debug (symbolp symbolp body)))
  `(midflight-test-in-project project
     (let* ((,source (midflight-test-visit project "boxes.py" midflight-complete-tests-module))
            (,shell (progn (midflight-test-load ,source)
                           (midflight-test-shell project))))
       (ignore ,source ,shell)
       ,@body)))

(defun midflight-complete-tests-at-point ()
  "Return what `completion-at-point' would offer: candidates, as they are shown.
Asked again as a person would, if the first answer comes late."
  (let (found)
    (midflight-test-wait "candidates"
                         (lambda () (setq found (midflight-complete-at-point))))
    (pcase-let ((`(,start ,end ,table . ,properties) found))
      (mapcar (lambda (candidate)
                (concat candidate
                        (funcall (plist-get properties :annotation-function) candidate)))
              (all-completions (buffer-substring-no-properties start end) table)))))

(defun midflight-complete-tests-type (shell text)
  "Put TEXT into the input of SHELL, which is current afterwards."
  (set-buffer shell)
  (midflight-shell-transcript-take-input)
  (goto-char (point-max))
  (insert text))

(ert-deftest midflight-complete-in-the-shell ()
  "Attributes of what is there now, with kind, signature and version."
  (skip-unless (midflight-test-command))
  (midflight-complete-tests-with source shell
    (midflight-complete-tests-type shell "x = await boxes.lo")
    (should (equal (midflight-complete-tests-at-point)
                   '("loop (total, box: Box)  async function v1")))
    (midflight-test-press "TAB")
    (should (equal (midflight-shell-transcript-input) "x = await boxes.loop"))
    (midflight-complete-tests-type shell "spawn_l")
    (midflight-complete-tests-at-point)
    (midflight-test-press "TAB")
    (should (equal (midflight-shell-transcript-input) "spawn_link"))
    ;; A name that was bound a moment ago is known.
    (midflight-complete-tests-type shell "")
    (midflight-test-type shell "parcel = boxes.Box(); parcel.put(7)")
    (midflight-complete-tests-type shell "parcel.th")
    (should (equal (midflight-complete-tests-at-point) '("thing 7  int")))
    (midflight-complete-tests-type shell "parcel.put(co")
    (should (member "count= count=1  parameter" (midflight-complete-tests-at-point)))
    (midflight-complete-tests-type shell "'parcel.th")
    (should-not (midflight-complete-at-point))))

(ert-deftest midflight-complete-while-an-evaluation-runs ()
  "What the shell does holds up no completion."
  (skip-unless (midflight-test-command))
  (midflight-complete-tests-with source shell
    (set-buffer shell)
    (goto-char (point-max))
    (insert "await receive()")
    (midflight-test-press "RET")
    (should (eq midflight-shell-session-state 'busy))
    (midflight-complete-tests-type shell "boxes.lo")
    (should (equal (midflight-complete-tests-at-point)
                   '("loop (total, box: Box)  async function v1")))))

(ert-deftest midflight-complete-in-a-source-buffer ()
  "From the running module, at a place in its file; not in strings and comments."
  (skip-unless (midflight-test-command))
  (midflight-complete-tests-with source shell
    (set-buffer source)
    (goto-char (point-max))
    (insert "\n\ndef other():\n    boxes.LI")
    (should (equal (midflight-complete-tests-at-point) '("LIMIT 3  int")))
    (completion-at-point)
    (should (looking-back "boxes\\.LIMIT" (line-beginning-position)))
    (goto-char (point-min))
    (search-forward "self.thing")
    (delete-char (- (length "thing")))
    (should (equal (midflight-complete-tests-at-point)
                   '("put (thing, count=1)  method v1")))
    (insert "x  # boxes.LI")
    (should-not (midflight-complete-at-point))))

(ert-deftest midflight-complete-yields ()
  "It lets others go on that know what it does not, and undoes itself."
  (skip-unless (midflight-test-command))
  (midflight-complete-tests-with source shell
    (set-buffer source)
    (goto-char (point-max))
    (insert "\nboxes.LI")
    (midflight-complete-tests-at-point)
    (should (equal (plist-get (nthcdr 3 (midflight-complete-at-point)) :exclusive) 'no))
    (insert "nothing_of_that_name")
    (setq-local completion-at-point-functions
                (append completion-at-point-functions
                        (list (lambda ()
                                (list (- (point) 4) (point) '("name_of_another"))))))
    (completion-at-point)
    (should (looking-back "name_of_another" (line-beginning-position)))
    (midflight-mode -1)
    (should-not (memq #'midflight-complete-at-point completion-at-point-functions))
    (should-not (memq #'midflight-xref-backend xref-backend-functions))))

(ert-deftest midflight-complete-never-waits-long ()
  "A server that is stopped costs a moment, then nothing until it goes on."
  (skip-unless (midflight-test-command))
  (midflight-complete-tests-with source shell
    (midflight-complete-tests-type shell "boxes.lo")
    (let ((pid (midflight-test-server-pid midflight-connection-buffer-root)))
      (midflight-test-stop pid)
      (unwind-protect
          (let ((start (float-time)))
            (should-not (midflight-complete-at-point))
            (should (< (- (float-time) start) 1)))
        (signal-process pid 'SIGCONT))
      (should (midflight-complete-tests-at-point)))))

(ert-deftest midflight-complete-without-a-connection ()
  "Nothing is asked and nothing is signalled."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "boxes.py" "boxes.lo")
      (goto-char (point-max))
      (should-not (midflight-complete-at-point))
      (should-not (midflight-eldoc-function #'ignore))
      (should-not (midflight-xref-backend)))))

(ert-deftest midflight-eldoc-shows-the-argument-at-point ()
  "The signature comes later; the argument being written is set off."
  (skip-unless (midflight-test-command))
  (midflight-complete-tests-with source shell
    (midflight-complete-tests-type shell "boxes.Box().put(1, ")
    (let (shown)
      (should (eq t (midflight-eldoc-function (lambda (text) (setq shown text)))))
      (should-not shown)
      ;; One question at a time.
      (should-not (midflight-eldoc-function #'ignore))
      (midflight-test-wait "the signature" (lambda () shown))
      (should (equal (substring-no-properties shown) "boxes.Box().put(thing, count=1)  v1"))
      (should (eq (get-text-property (string-match "count" shown) 'face shown)
                  'eldoc-highlight-function-argument))
      ;; In the source, within a method; and not for somebody who went on.
      (set-buffer source)
      (goto-char (point-min))
      (search-forward "self.thing = thing")
      (insert "; self.put(")
      (setq shown nil)
      (midflight-eldoc-function (lambda (text) (setq shown text)))
      (midflight-test-wait "the signature" (lambda () shown))
      (should (equal (substring-no-properties shown) "self.put(thing, count=1)  v1"))
      (setq shown nil)
      (midflight-eldoc-function (lambda (text) (setq shown text)))
      (insert "x")
      (midflight-test-wait "the answer" (lambda () (not midflight-doc--in-flight)))
      (should-not shown))))

(ert-deftest midflight-eldoc-of-emacs-27 ()
  "What is known at once is returned, or ElDoc there would erase it; the rest comes later."
  (skip-unless (midflight-test-command))
  (midflight-complete-tests-with source shell
    (let ((last-command 'self-insert-command)
          (this-command nil)
          (shown nil))
      (cl-letf (((symbol-function 'eldoc-message) (lambda (&optional text) (setq shown text))))
        (midflight-complete-tests-type shell "boxes.Box().put(1, ")
        (should-not (midflight-doc--old-function))
        (midflight-test-wait "the signature" (lambda () shown))
        (should (equal (substring-no-properties shown) "boxes.Box().put(thing, count=1)  v1"))
        ;; Not over the message of a command that has nothing to do with it.
        (setq shown nil)
        (should-not (midflight-doc--old-function))
        (setq last-command 'save-buffer)
        (midflight-test-wait "the answer" (lambda () (not midflight-doc--in-flight)))
        (should-not shown)
        (goto-char (point-min))
        (with-silent-modifications
          (put-text-property (point) (1+ (point)) 'midflight-writer "<0.7.0>"))
        (should (equal (midflight-doc--old-function)
                       "printed by runtime process <0.7.0>"))
        (should-not shown)))))

(defun midflight-complete-tests-eldoc-asks-p ()
  "Return non-nil if ElDoc asks Midflight here, by the hook that this Emacs has."
  (if (boundp 'eldoc-documentation-functions)
      (memq #'midflight-eldoc-function (symbol-value 'eldoc-documentation-functions))
    (advice-function-member-p #'midflight-doc--old-function
                              (symbol-value 'eldoc-documentation-function))))

(ert-deftest midflight-eldoc-is-on ()
  "In both kinds of buffers, until the mode is left."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "boxes.py" "x = 1\n")
      (should (midflight-complete-tests-eldoc-asks-p))
      (midflight-mode -1)
      (should-not (midflight-complete-tests-eldoc-asks-p)))
    (let ((midflight-shell-history-file nil))
      (with-temp-buffer
        (midflight-shell-mode)
        (should eldoc-mode)
        (should (midflight-complete-tests-eldoc-asks-p))))))

(ert-deftest midflight-doc-shows-the-live-object ()
  "Signature, version, docstring and a button to the text."
  (skip-unless (midflight-test-command))
  (midflight-complete-tests-with source shell
    (set-buffer source)
    (goto-char (point-min))
    (search-forward "return loop")
    (cl-letf (((symbol-function 'read-string)
               (lambda (_prompt _initial _history default &rest _) default)))
      (midflight-test-press "C-c C-d d"))
    (midflight-test-wait "the help" (lambda () (get-buffer "*Help*")))
    (with-current-buffer "*Help*"
      (midflight-test-wait "its text"
                           (lambda ()
                             (string-match-p "\\`loop(total, box: Box)\n\nAsync function of module boxes, version 1\\.\nDefined in .*boxes\\.py:13\\.\n\nCount\\.\n"
                                             (buffer-string))))
      (goto-char (point-min))
      (forward-button 1)
      (push-button))
    (should (equal (buffer-name (window-buffer)) (buffer-name source)))
    (with-current-buffer source
      (should (looking-at "loop(total, box: Box)")))
    (setq midflight-test-messages nil)
    (with-current-buffer source
      (midflight-doc "nothing.like_it"))
    (midflight-test-wait-message "nothing.like_it cannot be looked up without evaluating it")
    (kill-buffer "*Help*")))

(provide 'midflight-complete-tests)
;;; midflight-complete-tests.el ends here
