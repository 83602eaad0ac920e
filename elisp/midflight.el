;;; midflight.el --- Load Python code into a running system  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Version: 0.1.0
;; Package-Requires: ((emacs "27.1"))
;; Keywords: languages, processes, tools
;; SPDX-License-Identifier: GPL-3.0-or-later

;; This program is free software; you can redistribute it and/or modify
;; it under the terms of the GNU General Public License as published by
;; the Free Software Foundation, either version 3 of the License, or
;; (at your option) any later version.

;; This program is distributed in the hope that it will be useful,
;; but WITHOUT ANY WARRANTY; without even the implied warranty of
;; MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
;; GNU General Public License for more details.

;; You should have received a copy of the GNU General Public License
;; along with this program.  If not, see <https://www.gnu.org/licenses/>.

;;; Commentary:

;; Midflight brings Erlang's hot code loading to Python: C-c C-k loads the
;; buffer into the running system, whose processes keep running and keep
;; their state.  C-c C-z shows a shell that talks to them.
;;
;;     (add-hook 'python-mode-hook #'midflight-mode)
;;
;; In its buffers the mode takes C-c C-z, C-c C-c, C-M-x, C-c C-l, C-c C-e,
;; C-c C-r, C-c C-p and the prefix C-c C-t from `python-mode'.  This file has the mode, its keys and its menu;
;; each feature has a file of its own:
;;
;;     midflight-code             load a buffer or one definition, show the result
;;     midflight-preview          the preview of a load
;;     midflight-marks            differences from the running code, in the fringe
;;     midflight-waiting          the processes at each line of the source
;;     midflight-waiting-act      commands for the processes at a line
;;     midflight-report           the report buffer, `next-error'
;;     midflight-flymake          the diagnostics of a load
;;     midflight-shell            the shell: buffer, mode and commands
;;     midflight-shell-session    the session behind a shell: open, lose, take up
;;     midflight-shell-text       the texts about a session
;;     midflight-shell-input      the input of a shell, and its keys
;;     midflight-shell-transcript the text of a shell buffer
;;     midflight-shell-output     the output of processes in a shell
;;     midflight-shell-terminal   colors and carriage returns in that output
;;     midflight-shell-history    the inputs of shells, in a file
;;     midflight-eval             evaluate an expression or a region
;;     midflight-eval-history     the last evaluations and their values
;;     midflight-value            a value in a buffer of its own, in lines
;;     midflight-pytest           run tests, show their failures
;;     midflight-scratch          a buffer to try things in, templates
;;     midflight-complete         completion from live objects
;;     midflight-doc              documentation and signatures of live objects
;;     midflight-xref             definitions and uses in the running system
;;     midflight-names            lists of names: of a module, by words
;;     midflight-inspector        inspect live values
;;     midflight-look             the text at point, and brief questions about it
;;     midflight-process          the commands on one process
;;     midflight-process-list     the list of runtime processes
;;     midflight-process-rows, -filter the rows of the list, and their choice
;;     midflight-process-view     the view of one process
;;     midflight-state            edit the state of a server
;;     midflight-tree             the supervision tree
;;     midflight-task             the asyncio tasks
;;     midflight-application      the applications: list, start, stop
;;     midflight-plan             what an upgrade of all that was saved would do
;;     midflight-crash            the view of a crash, and restarting
;;     midflight-crash-eval       evaluate in a frame of a crash
;;     midflight-crash-list       the list of crashes
;;     midflight-breakpoint       breakpoints at lines of a buffer
;;     midflight-breakpoint-list  the list of breakpoints
;;     midflight-margin           the margin of a buffer on a terminal
;;     midflight-profile          where the program spends its time
;;     midflight-reports          the reports of supervisors
;;     midflight-durable          the states of durable servers in the store
;;     midflight-trace            the live trace of processes
;;     midflight-details          frames, values and pids in a view
;;     midflight-version          the commands on versions: show, compare, purge
;;     midflight-version-row      a version as a row of the list
;;     midflight-version-list     the list of the versions of a module; roll back
;;     midflight-connection       the connection of a project; all requests
;;     midflight-connection-list  the list of connections; the mode line
;;     midflight-server           start, find, leave, stop a server
;;     midflight-remote           servers on other machines, through ssh
;;     midflight-remote-names     their file names, changed at the wire
;;     midflight-verdict          what ended a server
;;     midflight-latency          how long requests take
;;     midflight-environment      the Python that a project runs on
;;     midflight-rendezvous       the files by which a server is found
;;     midflight-epc, -frame, -handshake  the wire
;;     midflight-doctor           a report on the installation
;;     midflight-log              the log of the protocol
;;     midflight-dispatch         all commands at a glance
;;     midflight-choose           choices with a category and annotations
;;     midflight-util             helpers of all files

;;; Code:

(require 'easymenu)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-flymake)
(require 'midflight-report)
(require 'midflight-shell)
(require 'midflight-shell-input)
(require 'midflight-debug)
(require 'midflight-complete)
(require 'midflight-doc)
(require 'midflight-xref)
(require 'midflight-inspector)
(require 'midflight-process)
(require 'midflight-process-view)
(require 'midflight-state)
(require 'midflight-process-list)
(require 'midflight-tree)
(require 'midflight-task)
(require 'midflight-application)
(require 'midflight-plan)
(require 'midflight-crash)
(require 'midflight-crash-eval)
(require 'midflight-crash-list)
(require 'midflight-reports)
(require 'midflight-durable)
(require 'midflight-trace)
(require 'midflight-profile)
(require 'midflight-eval)
(require 'midflight-eval-history)
(require 'midflight-value)
(require 'midflight-pytest)
(require 'midflight-names)
(require 'midflight-scratch)
(require 'midflight-code)
(require 'midflight-preview)
(require 'midflight-marks)
(require 'midflight-waiting)
(require 'midflight-waiting-act)
(require 'midflight-version-list)
(require 'midflight-connection-list)
(require 'midflight-doctor)
(require 'midflight-log)
(require 'midflight-breakpoint)
(require 'midflight-breakpoint-list)
(require 'midflight-dispatch)

;;;###autoload
(defgroup midflight nil
  "Load Python code into a running system."
  :prefix "midflight-"
  :group 'languages)

(defvar midflight-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-k") #'midflight-load-buffer)
    (define-key map (kbd "C-c M-k") #'midflight-check-buffer)
    (define-key map (kbd "C-c C-l") #'midflight-load-file)
    (define-key map (kbd "C-c C-c") #'midflight-load-definition)
    (define-key map (kbd "C-M-x") #'midflight-load-definition)
    (define-key map (kbd "C-c C-x l") #'midflight-load-modified)
    (define-key map (kbd "C-c C-x w") #'midflight-show-waiting)
    (define-key map (kbd "C-c C-x a") midflight-at-point-map)
    (define-key map (kbd "M-n") #'midflight-next-note)
    (define-key map (kbd "M-p") #'midflight-previous-note)
    (define-key map (kbd "C-c M-c") #'midflight-clear-notes)
    (define-key map (kbd "C-c C-x v") #'midflight-versions)
    (define-key map (kbd "C-c C-x p") #'midflight-processes)
    (define-key map (kbd "C-c C-x T") #'midflight-tree)
    (define-key map (kbd "C-c C-x k") #'midflight-tasks)
    (define-key map (kbd "C-c C-x A") #'midflight-applications)
    (define-key map (kbd "C-c C-x U") #'midflight-plan)
    (define-key map (kbd "C-c C-x e") #'midflight-crashes)
    (define-key map (kbd "C-c C-x r") #'midflight-supervisor-reports)
    (define-key map (kbd "C-c C-x s") #'midflight-durable-servers)
    (define-key map (kbd "C-c C-x t") #'midflight-trace)
    (define-key map (kbd "C-c C-x f") #'midflight-profile)
    (define-key map (kbd "C-c C-x b") #'midflight-toggle-breakpoint)
    (define-key map (kbd "C-c C-x B") #'midflight-breakpoints)
    (define-key map (kbd "C-c C-x h") #'midflight-stopped)
    (define-key map (kbd "C-c C-x c") #'midflight-connections)
    (define-key map (kbd "C-c C-x ?") #'midflight-dispatch)
    (define-key map (kbd "C-c C-d d") #'midflight-doc)
    (define-key map (kbd "C-c C-d a") #'midflight-apropos)
    (define-key map (kbd "C-c C-x n") #'midflight-browse-module)
    (define-key map (kbd "C-c C-x S") #'midflight-scratch)
    (define-key map (kbd "C-c M-i") #'midflight-inspect)
    (define-key map (kbd "C-c C-x i") #'midflight-inspect)
    (define-key map (kbd "C-c C-t t") #'midflight-pytest-at-point)
    (define-key map (kbd "C-c C-t f") #'midflight-pytest-file)
    (define-key map (kbd "C-c C-t l") #'midflight-pytest-failed)
    (define-key map (kbd "C-c C-t a") #'midflight-pytest-all)
    (define-key map (kbd "C-c C-t r") #'midflight-pytest-show-report)
    (define-key map (kbd "C-c C-z") #'midflight-shell)
    (define-key map (kbd "C-c C-b") #'midflight-interrupt)
    (define-key map (kbd "C-c C-e") #'midflight-eval-expression)
    (define-key map (kbd "C-c C-r") #'midflight-eval-region)
    (define-key map (kbd "C-x C-e") #'midflight-eval-last-expression)
    (define-key map (kbd "C-c M-p") #'midflight-eval-again)
    (define-key map (kbd "C-c M-w") #'midflight-eval-copy-value)
    (define-key map (kbd "C-c M-;") #'midflight-eval-to-comment)
    (define-key map (kbd "C-c C-p") #'midflight-value-of-last-expression)
    map)
  "Keymap of Midflight mode.")

;; The same keys work in the buffers for crashes, lists and views.
(defvar midflight-everywhere-map
  (let ((map (make-sparse-keymap)))
    (dolist (key '("p" "T" "k" "A" "U" "e" "r" "t" "f" "B" "h" "c" "l" "i" "n" "s" "S" "?"))
      (define-key map key (lookup-key midflight-mode-map (kbd (concat "C-c C-x " key)))))
    map)
  "Keys for lists and such, behind one prefix in all buffers of Midflight.")

(define-key midflight-shell-mode-map (kbd "C-c C-x") midflight-everywhere-map)
(dolist (map (list midflight-applications-mode-map midflight-breakpoints-mode-map
                   midflight-connections-mode-map midflight-crash-mode-map
                   midflight-crashes-mode-map midflight-doctor-mode-map
                   midflight-durable-history-mode-map midflight-durable-mode-map
                   midflight-inspector-mode-map midflight-log-mode-map
                   midflight-names-mode-map
                   midflight-plan-mode-map midflight-preview-mode-map midflight-process-view-mode-map
                   midflight-processes-mode-map midflight-purge-mode-map
                   midflight-pytest-mode-map midflight-report-mode-map
                   midflight-profile-mode-map midflight-report-of-supervisor-mode-map midflight-reports-mode-map midflight-task-mode-map midflight-tasks-mode-map
                   midflight-trace-mode-map midflight-tree-mode-map
                   midflight-value-mode-map
                   midflight-version-diff-mode-map midflight-version-source-mode-map
                   midflight-versions-mode-map))
  (define-key map (kbd "C-c C-x") midflight-everywhere-map)
  (define-key map (kbd "C-c C-z") #'midflight-shell))

(easy-menu-define midflight-menu midflight-mode-map
  "Menu of `midflight-mode'."
  '("Midflight"
    ["Load this buffer" midflight-load-buffer]
    ["Preview a load of this buffer" (midflight-load-buffer t) :keys "C-u C-c C-k"]
    ["Load the definition at point" midflight-load-definition]
    ["Load another file..." midflight-load-file]
    ["Load the modified modules" midflight-load-modified]
    ["Plan of their upgrade" midflight-plan]
    ["Check this buffer only" midflight-check-buffer]
    "---"
    ["Report of the last load" midflight-show-report]
    ["Next note" midflight-next-note]
    ["Previous note" midflight-previous-note]
    ["Clear the notes" midflight-clear-notes]
    ["Show the processes at each line" midflight-show-waiting
     :style toggle :selected midflight-waiting-on]
    ["Act on the processes at this line..." midflight-at-point :active midflight-waiting-on]
    "---"
    ["Shell" midflight-shell]
    ["Another shell, or one that waits..." (midflight-shell t) :keys "C-u C-c C-z"]
    ["Evaluate an expression..." midflight-eval-expression]
    ["Evaluate the expression before point" midflight-eval-last-expression]
    ["Show its value in a buffer" midflight-value-of-last-expression]
    ["Put its value there as a comment" midflight-eval-to-comment]
    ["Evaluate again..." midflight-eval-again]
    ["Copy the last value" midflight-eval-copy-value]
    ["Evaluate the region" midflight-eval-region :active mark-active]
    ["Interrupt the evaluation" midflight-interrupt]
    ["Inspect..." midflight-inspect]
    ["Describe..." midflight-doc]
    ["Names of this module" midflight-browse-module]
    ["Names that match words..." midflight-apropos]
    ["Scratch buffer" midflight-scratch]
    ["Insert a template..." midflight-insert-template]
    "---"
    ["Run the test at point" midflight-pytest-at-point]
    ["Run the tests of this file" midflight-pytest-file]
    ["Run the failed tests again" midflight-pytest-failed]
    ["Run all tests" midflight-pytest-all]
    ["Report of the tests" midflight-pytest-show-report]
    "---"
    ["Processes" midflight-processes]
    ["Supervision tree" midflight-tree]
    ["asyncio tasks" midflight-tasks]
    ["Applications" midflight-applications]
    ["Crashes" midflight-crashes]
    ["Reports of supervisors" midflight-supervisor-reports]
    ["Durable servers" midflight-durable-servers]
    ["Trace..." midflight-trace]
    ["Profile" midflight-profile]
    ["Breakpoint at this line" midflight-toggle-breakpoint]
    ["Breakpoints" midflight-breakpoints]
    ["What holds up the others" midflight-stopped]
    ["Send a message..." midflight-send]
    ["Inspect the state of a server..." midflight-inspect-state]
    ["Edit the state of a server..." midflight-edit-state]
    ["End a process..." midflight-exit-process]
    "---"
    ["Versions of this module" midflight-versions]
    ["Roll this module back..." midflight-roll-back]
    "---"
    ["Attach or start a server" midflight]
    ["Attach to another server..." midflight-connect]
    ["Connections" midflight-connections]
    ["Restart the server" midflight-restart]
    ["Leave the server" midflight-quit]
    "---"
    ["Doctor" midflight-doctor]
    ["Log of the protocol" midflight-toggle-log]
    ["All commands" midflight-dispatch]
    ["Manual" midflight-manual]
    ["Customize" (customize-group 'midflight)]))

;;;###autoload
(define-minor-mode midflight-mode
  "Minor mode for Python that is developed while it runs.
The mode line shows the project whose server this buffer uses, and whether
Emacs is attached to it; then whether the buffer is \"not loaded\", or
\"stale\": it differs from the running code.  Definitions that differ are
marked in the fringe, or on a terminal in the margin
\(`midflight-mark-stale').  The mode starts no server until a command needs one.

Some keys of `python-mode' do the same here, but in the running system:
\\[midflight-load-definition] loads the definition at point, \\[midflight-load-file] a file, and \\[midflight-eval-region] evaluates the region.
Without the mode they keep their own meaning.

\\{midflight-mode-map}"
  :lighter (:eval (concat (midflight-connection-lighter) (midflight-marks-lighter)))
  :keymap midflight-mode-map
  :group 'midflight
  (if midflight-mode
      (progn (midflight-flymake-enable)
             (midflight-marks-enable)
             (midflight-complete-enable)
             (midflight-eldoc-enable)
             (midflight-xref-enable))
    (midflight-flymake-disable)
    (midflight-complete-disable)
    (midflight-eldoc-disable)
    (midflight-xref-disable)
    (midflight-inline-remove)
    (midflight-waiting-disable)
    (midflight-marks-disable)
    (kill-local-variable 'midflight-connection-buffer-root)
    (midflight-connection-forget-root)))

;;;###autoload
(defun midflight ()
  "Attach to the server of this buffer's project, or start one; show its shell."
  (interactive)
  (midflight-server-attach-or-start t)
  (midflight-shell))

(provide 'midflight)
;;; midflight.el ends here
