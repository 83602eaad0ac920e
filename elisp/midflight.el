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
;; The mode takes C-c C-z, C-c C-c, C-M-x, C-c C-l, C-c C-e and C-c C-r from
;; `python-mode' in its buffers.  This file is the mode, its keys and its
;; menu; each feature has a file of its own:
;;
;;     midflight-code       load a buffer, say what came of it
;;     midflight-preview    what a load would do, before it is made
;;     midflight-definition load the definition at point
;;     midflight-marks      what differs from what runs, in the fringe
;;     midflight-waiting    who waits at which line, in the source
;;     midflight-at-point   and what can be done to them from there
;;     midflight-report     the report buffer, `next-error'
;;     midflight-flymake    the diagnostics of a load
;;     midflight-shell      the shell: sessions, evaluations, commands
;;     midflight-shell-session  what is behind a shell: opened, lost, taken up
;;     midflight-eval       an expression, a region
;;     midflight-inline     a value behind its line
;;     midflight-input      typing in a shell
;;     midflight-transcript the text of a shell buffer
;;     midflight-output     who printed what in it
;;     midflight-fontify    Python in it, with its faces
;;     midflight-fold       long lines in it
;;     midflight-complete   completion from live objects
;;     midflight-eldoc      how the call at point is made
;;     midflight-xref       definitions and uses in the running system
;;     midflight-doc        documentation of live objects
;;     midflight-inspector  a look into live values
;;     midflight-look       what is at point, and a brief question
;;     midflight-history    the inputs of shells, in a file
;;     midflight-processes  the list of runtime processes
;;     midflight-process    what can be done to one of them
;;     midflight-process-rows, -filter, -headline  its lines, which, how many
;;     midflight-process-view  all that can be seen of one
;;     midflight-state      edit the state of a server
;;     midflight-tree       the supervision tree
;;     midflight-crash      a crash, and starting again; -crashes: all of them
;;     midflight-trace      what processes do, live; -trace-line: an event
;;     midflight-details    frames, values and pids in a view
;;     midflight-place      a line in the version that runs
;;     midflight-versions   the versions of a module: compare, roll back, purge
;;     midflight-version-rows  a version as a row
;;     midflight-version-view  its text, and how two differ
;;     midflight-purge      the question before a purge
;;     midflight-connections  the list of connections; the mode line's menu
;;     midflight-doctor     what is installed, and does it work
;;     midflight-log        the log of the protocol
;;     midflight-dispatch   all commands at a glance
;;     midflight-server     start, find, leave, stop a server
;;     midflight-environment  which Python a project runs on
;;     midflight-connection one connection a project; all requests
;;     midflight-rendezvous the files by which a server is found
;;     midflight-epc, -frame   the wire

;;; Code:

(require 'easymenu)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-flymake)
(require 'midflight-report)
(require 'midflight-shell)
(require 'midflight-input)
(require 'midflight-complete)
(require 'midflight-eldoc)
(require 'midflight-xref)
(require 'midflight-doc)
(require 'midflight-inspector)
(require 'midflight-process)
(require 'midflight-process-view)
(require 'midflight-state)
(require 'midflight-processes)
(require 'midflight-tree)
(require 'midflight-crash)
(require 'midflight-crashes)
(require 'midflight-trace)
(require 'midflight-eval)
(require 'midflight-code)
(require 'midflight-preview)
(require 'midflight-definition)
(require 'midflight-marks)
(require 'midflight-waiting)
(require 'midflight-at-point)
(require 'midflight-versions)
(require 'midflight-connections)
(require 'midflight-doctor)
(require 'midflight-log)
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
    (define-key map (kbd "C-c C-x e") #'midflight-crashes)
    (define-key map (kbd "C-c C-x t") #'midflight-trace)
    (define-key map (kbd "C-c C-x c") #'midflight-connections)
    (define-key map (kbd "C-c C-x ?") #'midflight-dispatch)
    (define-key map (kbd "C-c C-d d") #'midflight-doc)
    (define-key map (kbd "C-c M-i") #'midflight-inspect)
    (define-key map (kbd "C-c C-x i") #'midflight-inspect)
    (define-key map (kbd "C-c C-z") #'midflight-shell)
    (define-key map (kbd "C-c C-b") #'midflight-interrupt)
    (define-key map (kbd "C-c C-e") #'midflight-eval-expression)
    (define-key map (kbd "C-c C-r") #'midflight-eval-region)
    map)
  "Keymap of Midflight mode.")

;; Who reads a crash or a list wants the next list by the key that he knows.
(defvar midflight-everywhere-map
  (let ((map (make-sparse-keymap)))
    (dolist (key '("p" "T" "e" "t" "c" "l" "i" "?"))
      (define-key map key (lookup-key midflight-mode-map (kbd (concat "C-c C-x " key)))))
    map)
  "Keys for lists and such, behind one prefix in all buffers of Midflight.")

(define-key midflight-shell-mode-map (kbd "C-c C-x") midflight-everywhere-map)
(dolist (map (list midflight-connections-mode-map midflight-crash-mode-map
                   midflight-crashes-mode-map midflight-doctor-mode-map
                   midflight-inspector-mode-map midflight-log-mode-map
                   midflight-preview-mode-map midflight-process-view-mode-map
                   midflight-processes-mode-map midflight-purge-mode-map
                   midflight-report-mode-map
                   midflight-trace-mode-map midflight-tree-mode-map
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
    ["Load what was modified" midflight-load-modified]
    ["Check this buffer only" midflight-check-buffer]
    "---"
    ["Report of the last load" midflight-show-report]
    ["Next note" midflight-next-note]
    ["Previous note" midflight-previous-note]
    ["Clear the notes" midflight-clear-notes]
    ["Show who waits where" midflight-show-waiting
     :style toggle :selected midflight-waiting-on]
    ["Act on who waits at this line..." midflight-at-point :active midflight-waiting-on]
    "---"
    ["Shell" midflight-shell]
    ["Another shell, or one that waits..." (midflight-shell t) :keys "C-u C-c C-z"]
    ["Evaluate an expression..." midflight-eval-expression]
    ["Evaluate the region" midflight-eval-region :active mark-active]
    ["Interrupt the evaluation" midflight-interrupt]
    ["Inspect..." midflight-inspect]
    ["Describe..." midflight-doc]
    "---"
    ["Processes" midflight-processes]
    ["Supervision tree" midflight-tree]
    ["Crashes" midflight-crashes]
    ["Trace..." midflight-trace]
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
it is attached; then whether the buffer is \"stale\", which is to say that it
differs from what runs, or \"not loaded\".  Definitions that differ are marked
in the fringe, or on a terminal in the margin (`midflight-mark-stale').
Nothing is started until a command needs it.

Some keys of `python-mode' mean the same here, but in the running system:
\\[midflight-load-definition] loads the definition at point, \\[midflight-load-file] a file, and \\[midflight-eval-region] evaluates the region.
Without the mode they are what they were.

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
