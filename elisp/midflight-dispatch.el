;;; midflight-dispatch.el --- All commands at a glance  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, help
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The command `midflight-dispatch', which shows every command in groups, each
;; with a single key and its key in `midflight-mode'.  The next key chooses: the
;; window closes, and the command runs in the buffer where the user called
;; `midflight-dispatch', with the same prefix argument.
;;
;; The table is in this file; the keys of the mode are read from its keymap.  A
;; test checks that no command is missing.

;;; Code:

(require 'cl-lib)
(require 'midflight-util)

(defvar midflight-mode-map)

(defconst midflight-dispatch-groups
  '(("Load"
     (?k midflight-load-buffer "this buffer (C-u: preview)")
     (?c midflight-load-definition "definition at point")
     (?L midflight-load-file "another file")
     (?m midflight-load-modified "modified modules")
     (?+ midflight-plan "plan of the modified ones")
     (?C midflight-check-buffer "check only")
     (?R midflight-show-report "last report"))
    ("Look"
     (?p midflight-processes "processes")
     (?P midflight-process-view "one process")
     (?T midflight-tree "supervision tree")
     (?K midflight-tasks "asyncio tasks")
     (?V midflight-task-view "one task")
     (?> midflight-applications "applications")
     (?x midflight-crashes "crashes")
     (?y midflight-show-crash "the last crash")
     (?u midflight-supervisor-reports "reports of supervisors")
     (?U midflight-durable-servers "durable servers")
     (?v midflight-versions "versions of this module")
     (?w midflight-show-waiting "processes at each line")
     (?@ midflight-at-point "act on the processes here")
     (?i midflight-inspect "inspect a value")
     (?d midflight-doc "documentation")
     (?M midflight-browse-module "names of this module")
     (?/ midflight-apropos "names that match words")
     (?t midflight-trace "trace")
     (?f midflight-profile "profile (C-u N: seconds)"))
    ("Change"
     (?b midflight-roll-back "roll this module back")
     (?s midflight-send "send a message")
     (?E midflight-edit-state "edit a server's state")
     (?X midflight-exit-process "end a process"))
    ("Debug"
     (?B midflight-toggle-breakpoint "breakpoint (C-u: condition)")
     (?* midflight-breakpoints "breakpoints")
     (?= midflight-stopped "what holds up the others")
     (?- midflight-clear-breakpoints "remove all breakpoints"))
    ("Evaluate"
     (?z midflight-shell "shell")
     (?e midflight-eval-expression "expression")
     (?. midflight-eval-last-expression "before point")
     (?\; midflight-eval-to-comment "to a comment")
     (?g midflight-eval-again "again, one of before")
     (?W midflight-eval-copy-value "copy the last value")
     (?$ midflight-scratch "scratch buffer")
     (?r midflight-eval-region "region")
     (?I midflight-interrupt "interrupt"))
    ("Tests"
     (?1 midflight-pytest-at-point "at point")
     (?2 midflight-pytest-file "of this file")
     (?3 midflight-pytest-failed "the failed ones")
     (?4 midflight-pytest-all "all")
     (?5 midflight-pytest-show-report "report"))
    ("Notes"
     (?n midflight-next-note "next")
     (?N midflight-previous-note "previous")
     (?D midflight-clear-notes "clear"))
    ("Server"
     (?a midflight "attach or start")
     (?A midflight-connect "attach to another")
     (?l midflight-connections "connections")
     (?S midflight-restart "restart")
     (?Q midflight-quit "leave (C-u: stop)")
     (?H midflight-doctor "doctor")
     (?o midflight-toggle-log "log of the protocol")
     (?h midflight-manual "manual")))
  "The commands of `midflight-dispatch': (TITLE (KEY COMMAND LABEL)...) each.")

(defun midflight-dispatch--entries ()
  "Return the groups, without commands that are not defined in this Emacs."
  (cl-loop for (title . entries) in midflight-dispatch-groups
           for there = (cl-remove-if-not (lambda (entry) (commandp (nth 1 entry))) entries)
           when there collect (cons title there)))

(defun midflight-dispatch--keys (command)
  "Return the key of COMMAND in Midflight mode as text, \"\" if it has none."
  (let ((keys (mapcar #'key-description
                      (cl-remove-if (lambda (keys) (eq (aref keys 0) 'menu-bar))
                                    (where-is-internal command (list midflight-mode-map))))))
    (or (cl-find-if (lambda (key) (string-prefix-p "C-c" key)) keys)
        (car keys)
        "")))

(defun midflight-dispatch--line (entry)
  "Return ENTRY, a list of key, command and label, as one line of text."
  (pcase-let ((`(,key ,command ,label) entry))
    (concat (propertize (char-to-string key) 'face 'font-lock-keyword-face)
            " " (string-trim-right
                 (format "%-26s %s" label
                         (propertize (midflight-dispatch--keys command) 'face 'shadow))))))

(defun midflight-dispatch--text (width)
  "Return the text of the pop-up for a window of WIDTH columns."
  (let* ((groups (mapcar (lambda (group)
                           (cons (propertize (car group) 'face 'bold)
                                 (mapcar #'midflight-dispatch--line (cdr group))))
                         (midflight-dispatch--entries)))
         (column 40)
         (count (max 1 (/ width column)))
         (blocks nil))
    (while groups
      (push (midflight-dispatch--side-by-side (cl-subseq groups 0 (min count (length groups))) column)
            blocks)
      (setq groups (nthcdr count groups)))
    (concat (mapconcat #'identity (nreverse blocks) "\n")
            "\nq or C-g: leave   ?: all keys of the mode\n")))

(defun midflight-dispatch--side-by-side (groups column)
  "Return GROUPS, lists of lines, side by side, each COLUMN columns wide."
  (let ((height (apply #'max (mapcar #'length groups))))
    (mapconcat
     (lambda (index)
       (string-trim-right
        (mapconcat (lambda (group)
                     (let ((line (or (nth index group) "")))
                       (concat line (make-string (max 1 (- column (string-width line))) ?\s))))
                   groups "")))
     (number-sequence 0 (1- height)) "\n")))

(defun midflight-dispatch--command (key)
  "Return the command of KEY, an event, or nil."
  (cl-loop for (_ . entries) in (midflight-dispatch--entries)
           thereis (nth 1 (assq key entries))))

;;;###autoload
(defun midflight-dispatch ()
  "Show all commands of Midflight, and call the command of the next key.
Pass a prefix argument on to that command."
  (interactive)
  (let* ((prefix current-prefix-arg)
         (buffer (get-buffer-create "*midflight-dispatch*"))
         (command
          (save-window-excursion
            (with-current-buffer buffer
              (let ((inhibit-read-only t))
                (erase-buffer)
                (insert (midflight-dispatch--text (frame-width)))
                (goto-char (point-min)))
              (setq buffer-read-only t
                    cursor-type nil
                    mode-line-format nil))
            (let ((window (display-buffer buffer '(display-buffer-at-bottom))))
              (fit-window-to-buffer window (max 8 (- (frame-height) 6)))
              (unwind-protect (midflight-dispatch--read)
                (kill-buffer buffer))))))
    (when command
      (setq current-prefix-arg prefix
            this-command command)
      (call-interactively command))))

(defun midflight-dispatch--read ()
  "Read keys until one has a command, and return that; nil to leave."
  (let ((prompt "Midflight: ")
        (result 'none))
    (while (eq result 'none)
      (let ((key (read-key prompt)))
        (setq result
              (cond ((memq key '(?q ?\C-g ?\e)) nil)
                    ((eq key ??) #'midflight-describe-keys)
                    ((midflight-dispatch--command key))
                    (t 'none))
              prompt (format "Midflight: %s has no command here; q leaves: "
                             (key-description (vector key))))))
    result))

(defun midflight-describe-keys ()
  "Show all keys of Midflight mode."
  (interactive)
  (describe-function 'midflight-mode))

;;;###autoload
(defun midflight-manual ()
  "Read the manual of Midflight in Info."
  (interactive)
  (condition-case nil
      (info "(midflight)")
    (error (midflight-user-error "The manual is not installed; make docs makes docs/manual/midflight.info, which C-u C-h i opens"))))

(provide 'midflight-dispatch)
;;; midflight-dispatch.el ends here
