;;; midflight-loading-tests.el --- Loads from the editor  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Each way to load, with a real server, by the key that is bound to it:
;; preview, one definition, what was modified, another file, a check only, with
;; those who keep older names; and the notes and values that come of it.

;;; Code:

(require 'midflight-helpers)
(require 'python)

(defconst midflight-loading-tests-tally
  "from midflight import receive


async def loop(total):
    while True:
        match await receive():
            case (\"add\", n):
                total += n


def helper():
    return 1


class Box:
    size = 1

    def grow(self):
        return 2

    def shrink(self):
        return 3
"
  "A module with a process, a function and a class.")

(defun midflight-loading-tests-press (keys &optional prefix)
  "Call the command that KEYS are bound to, with the prefix argument PREFIX."
  (let ((current-prefix-arg prefix))
    (call-interactively (key-binding (kbd keys)))))

(defun midflight-loading-tests-wait (regexp keys &optional prefix)
  "Press KEYS, with PREFIX, and wait for a message that matches REGEXP."
  (setq midflight-test-messages nil)
  (midflight-loading-tests-press keys prefix)
  (midflight-test-wait-message regexp))

(defun midflight-loading-tests-replace (from to)
  "Replace the text FROM of this buffer by TO; leave point behind it."
  (goto-char (point-min))
  (search-forward from)
  (replace-match to t t))

(defun midflight-loading-tests-value (expression)
  "Return what EXPRESSION comes to in the shell, as printed."
  (let (answer)
    (midflight-test-wait "a shell" (lambda ()
                                     (midflight-shell-of (midflight-connection-root-of-buffer))))
    (with-current-buffer (midflight-shell-of (midflight-connection-root-of-buffer))
      (midflight-shell-evaluate-later expression (lambda (found) (setq answer found))))
    (midflight-test-wait (format "the value of %s" expression) (lambda () answer))
    (should (equal (plist-get answer :status) "ok"))
    (plist-get answer :value)))

(defun midflight-loading-tests-versions (module)
  "Return the numbers of the versions of MODULE that something can run."
  (let (answer)
    (midflight-connection-call 'code/history (list module)
                               (lambda (found) (setq answer found)))
    (midflight-test-wait "the versions" (lambda () answer))
    (mapcar (lambda (each) (plist-get each :version))
            (seq-filter (lambda (each) (plist-get each :alive)) (plist-get answer :versions)))))

(defmacro midflight-loading-tests-with (text &rest body)
  "Run BODY in a buffer that visits tally.py with TEXT, in a project of its own.
Version 1 is loaded if TEXT is `loaded', for the usual text."
  (declare (indent 1) (debug (form body)))
  (let ((source (make-symbol "source")) (what (make-symbol "what")))
    `(progn
       (unless (midflight-test-command) (ert-skip "no midflight program"))
       (midflight-test-in-project project
         (ignore project)
         (let* ((,what ,text)
                (,source (midflight-test-visit project "tally.py"
                                               (if (stringp ,what) ,what
                                                 midflight-loading-tests-tally))))
           (unwind-protect
               (save-window-excursion
                 (switch-to-buffer ,source)
                 (when (eq ,what 'loaded)
                   (midflight-loading-tests-wait "\\`tally v1 loaded" "C-c C-k"))
                 ,@body)
             (dolist (buffer (buffer-list))
               (when (string-match-p "\\`\\*midflight-preview" (buffer-name buffer))
                 (kill-buffer buffer)))))))))

;;;; A load that takes too long

(defun midflight-loading-tests-slow (text)
  "Load the current buffer with TEXT, whose body does not end, until Emacs says so."
  (erase-buffer)
  (insert text)
  (midflight-loading-tests-wait
   "tally runs its body .*tally\\.py:2 in <module>, since [0-9.]+ s; C-c C-b breaks it off" "C-c C-k"))

(ert-deftest midflight-interrupt-breaks-a-load-off ()
  "The echo area says what the load does; broken off, it changes nothing."
  (midflight-loading-tests-with 'loaded
    (midflight-loading-tests-slow "x = 1\nwhile True: x = 2\n")
    (midflight-loading-tests-wait
     (concat "\\`tally not loaded: broken off by Emacs .*, connection [0-9]+ after .* s, "
             "at tally\\.py:2 in <module>\\. Version 1 stays current")
     "C-c C-b")
    (should (equal (midflight-loading-tests-versions "tally") '(1)))))

(ert-deftest midflight-interrupt-gives-up-a-load-that-nobody-can-stop ()
  "Another module can be loaded meanwhile, and the same one afterwards."
  (midflight-loading-tests-with 'loaded
    (midflight-loading-tests-slow "import threading\nthreading.Event().wait()\n")
    (midflight-loading-tests-wait "tally not loaded: broken off .* still runs the body of tally"
                                  "C-c C-b")
    (erase-buffer)
    (insert "x = 3\n")
    (midflight-loading-tests-wait "\\`tally v2 loaded" "C-c C-k")))

(ert-deftest midflight-interrupt-says-that-nothing-runs ()
  "Neither a load nor an evaluation."
  (midflight-loading-tests-with 'loaded
    (midflight-loading-tests-wait "no load of this Emacs and no evaluation runs" "C-c C-b")))

;;;; Preview

(defun midflight-loading-tests-preview ()
  "Preview the current buffer by its key, and return the buffer with it."
  (midflight-loading-tests-wait "would be loaded\\|not loaded" "C-c C-k" '(4))
  (window-buffer (selected-window)))

(ert-deftest midflight-preview-shows-what-a-load-would-do ()
  "The definitions, the processes and the difference; nothing is loaded."
  (midflight-loading-tests-with 'loaded
    (midflight-loading-tests-value "pid = spawn(tally.loop, 0)")
    (midflight-loading-tests-replace "return 1" "return 10")
    (goto-char (point-max))
    (insert "\n\ndef new():\n    pass\n")
    (let ((source (current-buffer)))
      (with-current-buffer (midflight-loading-tests-preview)
        (should (derived-mode-p 'midflight-preview-mode))
        (should (equal (buffer-name) "*midflight-preview for counter-project*"))
        (dolist (part '("\\`tally v2 would be loaded: helper changed, new added; 1 process would go on in v1, it can be moved ("
                        "^l loads it, m loads it and moves"
                        "^Definitions\n  changed  helper\n  added    new\n"
                        "v1  at loop:6, can be moved$"
                        "^Difference from version 1, which is running$"
                        "^-    return 1\n\\+    return 10$"))
          (goto-char (point-min))
          (should (re-search-forward part nil t)))
        (goto-char (point-min))
        (search-forward "changed  h")
        (push-button)
        (should (eq (window-buffer (selected-window)) source))
        (should (looking-at-p "def helper"))))
    (should (equal (midflight-loading-tests-versions "tally") '(1)))))

(ert-deftest midflight-preview-loads-what-was-looked-at ()
  "By l, and by RET; the preview is gone then."
  (midflight-loading-tests-with 'loaded
    (cl-loop for key in '("l" "RET") for number from 2
             do (midflight-loading-tests-replace "def helper" (format "def x%s(): pass\n\ndef helper" number))
             do (let ((preview (midflight-loading-tests-preview)))
                  (with-current-buffer preview
                    (midflight-loading-tests-wait (format "\\`tally v%d loaded: x%d added" number number) key))
                  (should-not (buffer-live-p preview))))))

(ert-deftest midflight-preview-moves-idle-processes ()
  "By m, in the same step as the load."
  (midflight-loading-tests-with 'loaded
    (midflight-loading-tests-value "pid = spawn(tally.loop, 5)")
    (midflight-loading-tests-value "await sleep(0)")
    (midflight-loading-tests-replace "total += n" "total += 2 * n")
    (with-current-buffer (midflight-loading-tests-preview)
      (midflight-loading-tests-wait "\\`tally v2 loaded: loop changed; 1 process moved" "m"))
    ;; A version that nobody runs goes when the garbage collector has looked at it.
    (midflight-loading-tests-value "__import__('gc').collect()")
    (should (equal (midflight-loading-tests-versions "tally") '(2)))))

(ert-deftest midflight-preview-of-another-text-is-made-anew ()
  "Edited since, or overtaken by another load, the source is not loaded."
  (midflight-loading-tests-with 'loaded
    (let ((source (current-buffer)))
      (midflight-loading-tests-replace "return 1" "return 10")
      (midflight-loading-tests-preview)
      (with-current-buffer source
        (midflight-loading-tests-replace "return 10" "return 11"))
      (with-current-buffer (window-buffer (selected-window))
        (midflight-loading-tests-wait "tally.py was not loaded: it has been edited" "l"))
      (midflight-test-wait-message "tally v2 would be loaded")
      (should (equal (with-current-buffer source (midflight-loading-tests-versions "tally")) '(1)))
      (with-current-buffer source
        (midflight-loading-tests-wait "\\`tally v2 loaded" "C-c C-k"))
      (with-current-buffer "*midflight-preview for counter-project*"
        (midflight-loading-tests-wait "another version has been loaded since" "l"))
      (midflight-test-wait-message "tally v3 would be loaded: no definition changed"))))

(ert-deftest midflight-preview-says-why-a-load-would-be-refused ()
  "With the place as a link; q drops it."
  (midflight-loading-tests-with 'loaded
    (midflight-loading-tests-replace "return 1" "return nobody")
    (let ((source (current-buffer))
          (preview (midflight-loading-tests-preview)))
      (with-current-buffer preview
        (should (string-prefix-p "tally not loaded: line 12, undefined name 'nobody'" (buffer-string)))
        (should (string-match-p "^It would not be loaded; f loads what a check refuses" (buffer-string)))
        (goto-char (point-min))
        (search-forward "tally.py:12")
        (push-button (1- (point)))
        (should (equal (list (window-buffer (selected-window)) (line-number-at-pos))
                       (list source 12))))
      (pop-to-buffer preview)
      (midflight-loading-tests-wait "nothing was loaded" "q")
      (should-not (buffer-live-p preview)))))

;;;; One definition

(ert-deftest midflight-definition-alone-is-loaded ()
  "By either key; other edits stay out, and are named."
  (midflight-loading-tests-with 'loaded
    (midflight-loading-tests-replace "size = 1" "size = 9")
    (midflight-loading-tests-replace "return 1" "return 10")
    (midflight-loading-tests-wait
     "\\`tally v2 loaded: helper changed .*; helper only, other edits stay out: Box\\'" "C-c C-c")
    (should (equal (midflight-loading-tests-value "tally.helper(), tally.Box.size") "(10, 1)"))
    (midflight-loading-tests-replace "return 10" "return 11")
    (midflight-loading-tests-wait "\\`tally v3 loaded: helper changed" "C-M-x")
    (midflight-loading-tests-replace "return 2" "return 20")
    (midflight-loading-tests-wait "\\`tally v4 loaded: Box.grow changed.*; Box.grow only" "C-c C-c" '(4))
    (should (equal (midflight-loading-tests-value "tally.Box().grow(), tally.Box.size") "(20, 1)"))
    (midflight-loading-tests-wait "\\`tally v5 loaded: Box changed.*; Box only, nothing else differs" "C-c C-c")))

(ert-deftest midflight-definition-with-an-error-is-marked-where-it-is ()
  "In the buffer's lines, not in those of the text that was loaded; the old code stays."
  (midflight-loading-tests-with 'loaded
    (goto-char (point-min))
    (insert "# one\n# two\n")
    (midflight-loading-tests-replace "return 1" "return nobody")
    (midflight-loading-tests-wait "\\`tally not loaded: line 14, undefined name" "C-c C-c")
    (should (equal (mapcar (lambda (each) (line-number-at-pos (flymake-diagnostic-beg each)))
                           (flymake-diagnostics))
                   '(14)))
    (should (equal (midflight-loading-tests-versions "tally") '(1)))))

(ert-deftest midflight-definition-needs-a-module-and-a-place ()
  "The message says what to do."
  (midflight-loading-tests-with midflight-loading-tests-tally
    (goto-char (point-min))
    (search-forward "return 1")
    (midflight-loading-tests-wait
     "line 12 of tally.py was not loaded: .*tally.py is not loaded, .*C-c C-k loads the whole buffer" "C-c C-c")
    (midflight-loading-tests-wait "\\`tally v1 loaded" "C-c C-k")
    (goto-char (point-min))
    (save-excursion (insert "assert True\n\n\n"))
    (midflight-loading-tests-wait
     "Point is in no statement at the top level that binds a name; nothing was loaded" "C-c C-c")))

;;;; Files, what was modified, those who keep older names

(ert-deftest midflight-modified-modules-are-loaded-together ()
  "After the buffers have been saved; the report has them all."
  (midflight-loading-tests-with 'loaded
    (let ((other (midflight-test-visit project "shop.py" "y = 1\n"))
          (source (current-buffer)))
      (midflight-loading-tests-wait "nothing was loaded" "C-c C-x l")
      (with-current-buffer other
        (midflight-loading-tests-wait "\\`shop v1 loaded" "C-c C-k")
        (erase-buffer)
        (insert "y = 2\n"))
      (with-current-buffer source
        (midflight-loading-tests-replace "return 1" "return 10")
        (let ((midflight-save-before-load t))
          (midflight-loading-tests-wait "\\`2 modules loaded: shop v2, tally v2\\'" "C-c C-x l"))
        (should-not (buffer-modified-p other))
        (with-current-buffer midflight-report-buffer
          (should (string-match-p "^shop v2 loaded: y changed" (buffer-string)))
          (should (string-match-p "^tally v2 loaded: helper changed" (buffer-string))))
        ;; One that is broken keeps both as they are.
        (with-current-buffer other
          (erase-buffer)
          (insert "y = (\n")
          (save-buffer))
        (midflight-loading-tests-replace "return 10" "return 11")
        (save-buffer)
        (midflight-loading-tests-wait "\\`shop not loaded: line 1" "C-c C-x l")
        (should (equal (midflight-loading-tests-value "tally.helper(), shop.y") "(10, 2)"))
        (with-current-buffer other
          (should (= (length (flymake-diagnostics)) 1)))))))

(ert-deftest midflight-file-is-loaded-from-disk ()
  "As its module, from another buffer; one that is not there is refused."
  (midflight-loading-tests-with 'loaded
    (write-region "z = 7\n" nil (expand-file-name "other.py" project) nil 'silent)
    (cl-letf (((symbol-function 'read-file-name)
               (lambda (&rest _) (expand-file-name "other.py" project))))
      (midflight-loading-tests-wait "\\`other v1 loaded" "C-c C-l"))
    (should (equal (midflight-loading-tests-value "other.z") "7"))
    (should-error (midflight-load-file (expand-file-name "nowhere.py" project)) :type 'user-error)
    (cl-letf (((symbol-function 'y-or-n-p) #'ignore))
      (should-error (midflight-load-file (expand-file-name "elisp/midflight.el" midflight-test-root))
                    :type 'user-error))))

(ert-deftest midflight-modified-files-that-are-gone-are-named ()
  "A module whose file was renamed, by the command that loads what was modified."
  (midflight-loading-tests-with 'loaded
    (with-current-buffer (midflight-test-visit project "shop.py" "x = 1\n")
      (midflight-loading-tests-wait "\\`shop v1 loaded" "C-c C-k")
      (rename-file buffer-file-name (expand-file-name "store.py" project))
      (set-buffer-modified-p nil)
      (kill-buffer))
    (midflight-loading-tests-wait "\\`No loaded module differs.*; shop.*store" "C-c C-x l")
    (with-current-buffer midflight-report-buffer
      (should (string-match-p "^shop.*store" (buffer-string))))))

(ert-deftest midflight-stale-imports-are-offered-to-be-loaded-too ()
  "By a button of the report."
  (midflight-loading-tests-with 'loaded
    (with-current-buffer (midflight-test-visit project "shop.py" "from tally import helper\n")
      (midflight-loading-tests-wait "\\`shop v1 loaded" "C-c C-k"))
    (midflight-loading-tests-replace "return 1" "return 10")
    (midflight-loading-tests-wait "\\`tally v2 loaded: .*1 stale import.*; M-x midflight-show-report offers" "C-c C-k")
    (should (equal (midflight-loading-tests-value "shop.helper()") "1"))
    (setq midflight-test-messages nil)
    (with-current-buffer midflight-report-buffer
      (goto-char (point-min))
      (search-forward "[Load these too: shop]")
      (push-button (match-beginning 0)))
    (midflight-test-wait-message "\\`2 modules loaded: tally v3, shop v2\\'")
    (should (equal (midflight-loading-tests-value "shop.helper()") "10"))
    (with-current-buffer midflight-report-buffer
      (should-not (string-match-p "Load these too" (buffer-string))))))

(ert-deftest midflight-report-leads-to-the-processes-it-names ()
  "Each pid is a button that shows the process."
  (midflight-loading-tests-with 'loaded
    (midflight-loading-tests-value "pid = spawn(tally.loop, 41)")
    (midflight-loading-tests-replace "return 1" "return 10")
    (midflight-loading-tests-wait "\\`tally v2 loaded" "C-c C-k")
    (with-current-buffer midflight-report-buffer
      (goto-char (point-min))
      (re-search-forward "<0\\.[0-9]+\\.0>")
      (push-button (match-beginning 0)))
    (midflight-test-wait
     "the view of the process"
     (lambda ()
       (cl-find-if (lambda (buffer)
                     (with-current-buffer buffer
                       (and (derived-mode-p 'midflight-process-view-mode)
                            (string-match-p "^Runs +tally v1, loop:6" (buffer-string)))))
                   (buffer-list))))))

(ert-deftest midflight-check-runs-and-loads-nothing ()
  "What it finds is in Flymake; its key says how it went."
  (midflight-loading-tests-with "def f():\n    return nobody\n\n1 / 0\n"
    (midflight-loading-tests-wait
     "\\`tally would not be loaded: line 2, undefined name 'nobody'.*Nothing was run or loaded\\.\\'" "C-c M-k")
    (should (equal (mapcar #'flymake-diagnostic-type (flymake-diagnostics)) '(:error)))
    (midflight-loading-tests-replace "nobody" "1")
    (midflight-loading-tests-wait "\\`tally: no problem found" "C-c M-k")
    (should-not (flymake-diagnostics))
    (should-not (midflight-shell-of project))))

;;;; Notes

(ert-deftest midflight-notes-are-gone-through-in-the-source ()
  "M-n and M-p, with the text in the echo area; C-c M-c forgets them."
  (midflight-loading-tests-with "def f():\n    return one\n\n\ndef g():\n    return two\n"
    (midflight-loading-tests-wait "\\`tally not loaded: line 2, .*(and 1 more)" "C-c C-k")
    (goto-char (point-min))
    (midflight-loading-tests-wait "undefined name 'one'" "M-n")
    (should (looking-at-p "one"))
    (midflight-loading-tests-wait "undefined name 'two'" "M-n")
    (should (looking-at-p "two"))
    (should-error (midflight-loading-tests-press "M-n") :type 'user-error)
    (midflight-loading-tests-wait "undefined name 'one'" "M-p")
    (should (looking-at-p "one"))
    (should-error (midflight-loading-tests-press "M-p") :type 'user-error)
    (midflight-loading-tests-press "C-c M-c")
    (should-not (flymake-diagnostics))
    (should-error (midflight-loading-tests-press "M-n") :type 'user-error)))

;;;; Values behind their line

(defun midflight-loading-tests-inline ()
  "Return the text behind a line of this buffer, or nil."
  (cl-loop for overlay in (overlays-in (point-min) (point-max))
           when (overlay-get overlay 'midflight-inline)
           return (substring-no-properties (overlay-get overlay 'after-string))))

(defun midflight-loading-tests-evaluate (begin end)
  "Evaluate from BEGIN to END as a region; wait for what is shown behind the line."
  (midflight-eval-region begin end)
  (midflight-test-wait "a value behind the line" #'midflight-loading-tests-inline))

(ert-deftest midflight-value-is-shown-behind-its-line ()
  "Until the next command that moves or edits; an error as well."
  (midflight-loading-tests-with "3 + 4\n\n1 / 0\nlist(range(1000))\n'a\\n' * 3\nprint('x')\n"
    (setq-local midflight-eval-namespace 'shell)
    (goto-char (point-min))
    (should (equal (midflight-loading-tests-evaluate (point) (line-end-position)) "  => 7"))
    (should (midflight-test-message-p "\\`7\\'"))
    (run-hooks 'post-command-hook)
    (should (midflight-loading-tests-inline))
    (forward-char)
    (run-hooks 'post-command-hook)
    (should-not (midflight-loading-tests-inline))
    (let ((midflight-inline-result-until 'edit))
      (midflight-loading-tests-evaluate (point-min) (line-end-position))
      (forward-char)
      (run-hooks 'post-command-hook)
      (should (midflight-loading-tests-inline))
      (insert " ")
      (run-hooks 'post-command-hook)
      (should-not (midflight-loading-tests-inline)))
    (forward-line 2)
    (should (equal (midflight-loading-tests-evaluate (point) (line-end-position))
                   "  => ZeroDivisionError: division by zero"))
    (forward-line)
    (let ((shown (midflight-loading-tests-evaluate (point) (line-end-position))))
      (should (string-match-p "\\`  => \\[0, 1, .*\\.\\.\\.\\'" shown))
      (should (= (length shown) (+ (length "  => ...") midflight-inline-result-width))))
    (forward-line 2)
    (should (equal (midflight-loading-tests-evaluate (point) (line-end-position)) "  => None"))))

(ert-deftest midflight-value-is-shown-where-it-is-wanted ()
  "Only in the echo area, or only behind the line."
  (midflight-loading-tests-with "3 + 4\n"
    (setq-local midflight-eval-namespace 'shell)
    (let ((midflight-eval-result-display 'echo))
      (midflight-eval-region (point-min) (point-max))
      (midflight-test-wait-message "\\`7\\'")
      (should-not (midflight-loading-tests-inline)))
    (setq midflight-test-messages nil)
    (let ((midflight-eval-result-display 'inline))
      (midflight-loading-tests-evaluate (point-min) (point-max))
      (should-not (midflight-test-message-p "\\`7\\'")))))

(ert-deftest midflight-linked-module-goes-to-the-project-where-it-is-visited ()
  "Not to the project that keeps its text; one server starts, and one module is known."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let* ((other (expand-file-name "other" (file-name-directory project)))
           (kept (expand-file-name "kept.py" other))
           (link (expand-file-name "tally.py" project)))
      (make-directory other)
      (write-region "[project]\nname = \"other\"\n" nil (expand-file-name "pyproject.toml" other)
                    nil 'silent)
      (write-region "x = 1\n" nil kept nil 'silent)
      (make-symbolic-link kept link)
      (let ((source (find-file-noselect link)))
        (with-current-buffer source
          (midflight-mode 1)
          (should (equal (midflight-connection-root-of-buffer) project)))
        (should (string-prefix-p "tally v1 loaded" (midflight-test-load source)))
        (should (equal (midflight-rendezvous-roots) (list project)))
        (with-current-buffer source
          (goto-char (point-max))
          (insert "y = 2\n"))
        (should (string-prefix-p "tally v2 loaded" (midflight-test-load source)))
        (should (string-prefix-p "tally.y\n2\n"
                                 (midflight-test-type (midflight-test-shell project) "tally.y")))))))

;;;; The places of a report

(defun midflight-loading-tests-on-line (text)
  "Go to the beginning of the line with TEXT in the report."
  (goto-char (point-min))
  (search-forward text)
  (beginning-of-line))

(ert-deftest midflight-report-has-a-link-on-each-step-of-a-traceback ()
  "The body failed in a function of another module; RET on any line goes there."
  (midflight-loading-tests-with 'loaded
    (write-region "def parse(text):\n    return int(text)\n" nil
                  (expand-file-name "helper.py" project) nil 'silent)
    (erase-buffer)
    (insert "import helper\n\nhelper.parse('x')\n")
    (midflight-loading-tests-wait
     "\\`tally not loaded: helper\\.py line 2, ValueError: .*\\. Version 1 stays current\\. Fix the line" "C-c C-k")
    (let ((source (current-buffer)))
      (pcase-dolist (`(,text ,file ,line) '(("helper.py:2:" "helper.py" 2) ("tally.py:3:" "tally.py" 3)))
        (with-current-buffer midflight-report-buffer
          (midflight-loading-tests-on-line text)
          (midflight-test-press "RET")
          (with-current-buffer (window-buffer (selected-window))
            (should (equal (file-name-nondirectory buffer-file-name) file))
            (should (= (line-number-at-pos) line)))))
      (with-current-buffer midflight-report-buffer
        (midflight-loading-tests-on-line "Refused because")
        (should-error (midflight-test-press "RET") :type 'user-error))
      (with-current-buffer source
        (goto-char (point-min))
        (midflight-test-press "M-n")
        (should (= (line-number-at-pos) 3))))))

(ert-deftest midflight-report-goes-into-a-narrowed-buffer ()
  "The restriction that hides the place is lifted; another one stays."
  (midflight-loading-tests-with "def one():\n    return 1\n\ndef two():\n    return nonesuch\n"
    (midflight-loading-tests-wait "\\`tally not loaded" "C-c C-k")
    (narrow-to-region (point-min) 10)
    (with-current-buffer midflight-report-buffer
      (midflight-loading-tests-on-line "tally.py:5:")
      (midflight-test-press "RET"))
    (should (= (line-number-at-pos nil t) 5))
    (should (looking-at-p "nonesuch"))
    (should-not (buffer-narrowed-p))
    (narrow-to-region (line-beginning-position) (point-max))
    (midflight-test-press "C-c M-c")
    (widen)
    (narrow-to-region (point-min) 10)
    (midflight-loading-tests-wait "\\`tally not loaded" "C-c C-k")
    (midflight-test-press "M-n")
    (should (looking-at-p "nonesuch"))))

(ert-deftest midflight-report-names-keys-of-emacs ()
  "And not the arguments of Python's functions."
  (midflight-loading-tests-with 'loaded
    (midflight-loading-tests-value "pid = spawn(tally.loop, 5)")
    (midflight-loading-tests-replace "return 1" "return nonesuch")
    (midflight-loading-tests-wait
     "Fix the line, or load it in spite of that: C-u C-c C-k, then f\\.\\'" "C-c C-k")
    (with-current-buffer midflight-report-buffer
      (should-not (string-match-p "force=True" (buffer-string)))
      (should (string-match-p "C-u C-c C-k, then f" (buffer-string))))
    (midflight-loading-tests-replace "return nonesuch" "return 2")
    (midflight-loading-tests-wait "\\`tally v2 loaded" "C-c C-k")
    (with-current-buffer midflight-report-buffer
      (should-not (string-match-p "move(\\|purge(" (buffer-string)))
      (should (string-match-p "In C-c C-x v, m moves those that only wait for a message; p ends them\\." (buffer-string))))))

(ert-deftest midflight-preview-offers-to-force-only-what-a-check-refuses ()
  "No key loads a text that does not compile."
  (midflight-loading-tests-with 'loaded
    (midflight-loading-tests-replace "return 1" "return nonesuch")
    (with-current-buffer (midflight-loading-tests-preview)
      (should (string-match-p "^It would not be loaded; f loads" (buffer-string)))
      (should-not (string-match-p "force=True" (buffer-string)))
      (quit-window t))
    (midflight-loading-tests-replace "return nonesuch" "return (")
    (with-current-buffer (midflight-loading-tests-preview)
      (should (string-match-p "^It cannot be loaded; g previews again, q drops it" (buffer-string)))
      (should (string-match-p "nothing was loaded"
                              (cadr (should-error (midflight-test-press "f") :type 'user-error)))))))

(ert-deftest midflight-save-question-is-asked-once-for-a-buffer ()
  "It says that n loads too."
  (midflight-loading-tests-with 'loaded
    (let ((midflight-save-before-load 'ask)
          asked)
      (cl-letf (((symbol-function 'y-or-n-p) (lambda (text) (push text asked) nil)))
        (midflight-loading-tests-replace "return 1" "return 2")
        (midflight-loading-tests-wait "\\`tally v2 loaded" "C-c C-k")
        (midflight-loading-tests-replace "return 2" "return 3")
        (midflight-loading-tests-wait "\\`tally v3 loaded" "C-c C-k"))
      (should (equal asked '("Save tally.py before each load (n: load it unsaved)? ")))
      (should (buffer-modified-p)))))

(ert-deftest midflight-indirect-buffer-loads-the-text-of-its-base ()
  "Also if it shows only a part of it."
  (midflight-loading-tests-with 'loaded
    (let ((indirect (make-indirect-buffer (current-buffer) "indirect" t)))
      (unwind-protect
          (with-current-buffer indirect
            (midflight-loading-tests-replace "return 1" "return 2")
            (narrow-to-region (point-min) 5)
            (midflight-loading-tests-wait "\\`tally v2 loaded: helper changed" "C-c C-k")
            (should (equal (midflight-look-where) (expand-file-name "tally.py" project)))
            (should (equal (midflight-version-list--module-of-buffer)
                           (expand-file-name "tally.py" project))))
        (kill-buffer indirect)))))

(ert-deftest midflight-a-refusal-that-nobody-asked-for-is-shown-at-its-line ()
  "Files were saved elsewhere and refused: a message, and Flymake where the file is open."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "a.py" "x = (\n")
      (let ((diagnostic (list :path (buffer-file-name) :line 1 :column 4 :end-line 1 :end-column 5
                              :severity "error" :message "'(' was never closed" :code "syntax")))
        (midflight-code--refused-elsewhere
         nil (list :status "failed" :module "a" :path (buffer-file-name) :summary "a not loaded"
                   :by "midflight watch, connection 2" :diagnostics (list diagnostic)))
        (midflight-test-wait-message "a not loaded (by midflight watch, connection 2)")
        (should (equal (mapcar #'flymake-diagnostic-type (flymake-diagnostics)) '(:error)))))))

(provide 'midflight-loading-tests)
;;; midflight-loading-tests.el ends here
