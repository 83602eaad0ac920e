;;; midflight-durable.el --- The states of durable servers in the store  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The states that the server's store keeps, and what can be done with them:
;;
;; 1. `midflight-durable-servers' lists them: name, class, version, size, age,
;;    and the process that lives with each.  The echo area says what a kill of
;;    the server would lose just now.
;; 2. RET looks into one with the inspector, e edits the state of a live one,
;;    d deletes one after a question: it goes into the history.
;; 3. h lists the earlier states of one, also of one that was deleted.  There RET looks into one, and r gives
;;    it to the server after a question: a live one takes it between two
;;    messages, another one when it starts.

;;; Code:

(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-process)
(require 'midflight-inspector)
(require 'midflight-state)

(declare-function midflight-process-view "midflight-process-view" (pid &optional section))

(defconst midflight-durable--seconds 20
  "The most seconds that an answer may take; the server gives up before that.")

(defvar-local midflight-durable--name nil
  "The name of the server whose earlier states this buffer lists.")

;;;; The list

(midflight-define-keys midflight-durable-mode "Durable"
  ("RET" midflight-durable-look "Look into it")
  ("e" midflight-durable-edit "Edit the state...")
  ("h" midflight-durable-history "Earlier states")
  ("v" midflight-durable-process "Its process")
  "---"
  ("d" midflight-durable-delete "Delete the state..."))

(define-derived-mode midflight-durable-mode tabulated-list-mode "Midflight-Durable"
  "Major mode for the list of the states of durable servers.

\\{midflight-durable-mode-map}"
  (setq tabulated-list-format `[("Name" 20 t) ("Class" 26 t) ("Version" 9 t)
                                ("Size" 8 ,(midflight-durable--sorter :size) :right-align t)
                                ("Age" 8 ,(midflight-durable--sorter :saved-at) :right-align t)
                                ("Process" 10 t) ("Python" 0 t)]
        tabulated-list-padding 1
        tabulated-list-sort-key nil)
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-durable--refresh))

(defun midflight-durable--sorter (field)
  "Return a predicate that compares two entries by the number FIELD of their ids."
  (lambda (first second)
    (< (plist-get (car first) field) (plist-get (car second) field))))

;;;###autoload
(defun midflight-durable-servers ()
  "List the states of durable servers in the store of this buffer's project."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (let ((buffer (midflight-process-buffer "durable servers" 'midflight-durable-mode)))
       (with-current-buffer buffer
         (midflight-durable--refresh))
       (pop-to-buffer buffer)))))

(defun midflight-durable--refresh (&rest _)
  "Ask for the states again."
  (midflight-connection-call
   'store/list nil
   (lambda (answer)
     (let ((states (plist-get answer :states))
           (total (plist-get answer :total)))
       (setq tabulated-list-entries (mapcar #'midflight-durable--entry states))
       (tabulated-list-print t)
       (message "Midflight: %s%s; %s"
                (cond ((eql total 0) "the store has no state")
                      ((eql total 1) "1 state")
                      (t (format "%d states" total)))
                (if (< (length states) total) (format ", the first %d listed" (length states)) "")
                (plist-get (plist-get answer :window) :text))))
   nil midflight-durable--seconds))

(defun midflight-durable--entry (state)
  "Return the entry of STATE, a plist."
  (list state
        (vector (midflight-durable--one-line (plist-get state :name))
                (plist-get state :class)
                (midflight-durable--one-line (plist-get state :vsn))
                (file-size-human-readable (plist-get state :size))
                (midflight-durable--age (plist-get state :saved-at))
                (or (plist-get state :pid) "")
                (plist-get state :python))))

(defun midflight-durable--one-line (text)
  "Return TEXT, a name perhaps of odd characters, as it fits into a list."
  (replace-regexp-in-string "[[:cntrl:]]" "?" (truncate-string-to-width text 60 nil nil "...")))

(defun midflight-durable--age (saved-at)
  "Return how long ago SAVED-AT was, in seconds since the epoch.
A clock that was set back makes no age less than none."
  (let ((seconds (max 0 (- (float-time) saved-at))))
    (cond ((< seconds 60) (format "%d s" seconds))
          ((< seconds 3600) (format "%d min" (/ seconds 60)))
          ((< seconds 86400) (format "%d h" (/ seconds 3600)))
          (t (format "%d d" (/ seconds 86400))))))

(defun midflight-durable--here ()
  "Return the plist of this line."
  (or (tabulated-list-get-id)
      (midflight-user-error "This line has no state; nothing was done")))

(defun midflight-durable--live ()
  "Return the pid of the server of this line."
  (let ((state (midflight-durable--here)))
    (or (plist-get state :pid)
        (midflight-user-error "%s does not live; nothing was done; RET looks into its state"
                              (plist-get state :name)))))

(defun midflight-durable-look ()
  "Look into the state of this line with the inspector.
That of a live server is the one that it has now, else the one in the store."
  (interactive)
  (let ((state (midflight-durable--here)))
    (if (plist-get state :pid)
        (midflight-inspect-state (plist-get state :pid))
      (midflight-inspect-stored (plist-get state :name)))))

(defun midflight-durable-edit ()
  "Edit the state of the live server of this line."
  (interactive)
  (midflight-edit-state (midflight-durable--live)))

(defun midflight-durable-process ()
  "Show the process of the live server of this line."
  (interactive)
  (midflight-process-view (midflight-durable--live)))

(defun midflight-durable-delete ()
  "Delete the state of this line, after a question.
It goes into the history.  A live server keeps its state."
  (interactive)
  (let ((name (plist-get (midflight-durable--here) :name)))
    (when (yes-or-no-p (format "Delete the state of %s, so that it starts by init? " name))
      (midflight-connection-call
       'store/delete (list name)
       (lambda (change)
         (midflight-durable--refresh)
         (message "Midflight: deleted the state of %s; it is number %d of its history"
                  name (plist-get change :aside)))
       nil midflight-durable--seconds))))

;;;; Earlier states

(midflight-define-keys midflight-durable-history-mode "History"
  ("RET" midflight-durable-look-earlier "Look into it")
  ("r" midflight-durable-restore "Give it to the server...")
  ("l" midflight-durable-servers "All durable servers"))

(define-derived-mode midflight-durable-history-mode tabulated-list-mode "Midflight-Durable-History"
  "Major mode for the list of the earlier states of a durable server.

\\{midflight-durable-history-mode-map}"
  (setq tabulated-list-format `[("Number" 7 ,(midflight-durable--sorter :number) :right-align t)
                                ("Saved" 19 ,(midflight-durable--sorter :saved-at))
                                ("Size" 8 ,(midflight-durable--sorter :size) :right-align t)
                                ("Class" 26 t) ("Why" 0 t)]
        tabulated-list-padding 1
        tabulated-list-sort-key nil)
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-durable--refresh-history))

(defun midflight-durable-history (name)
  "List the earlier states of the durable server NAME.
Interactively, that of this line; ask for one if this line has none, for
example because its state was deleted."
  (interactive (list (or (plist-get (tabulated-list-get-id) :name)
                         (read-string "Earlier states of the durable server: "))))
  (midflight-connection-call
   'store/history (list name)
   (lambda (states)
     (let ((buffer (midflight-process-buffer "earlier states" 'midflight-durable-history-mode)))
       (with-current-buffer buffer
         (setq midflight-durable--name name
               mode-line-process (concat " of " (midflight-durable--one-line name)))
         (midflight-durable--show-history states))
       (pop-to-buffer buffer)))
   nil midflight-durable--seconds))

(defun midflight-durable--refresh-history (&rest _)
  "Ask for the earlier states again."
  (midflight-connection-call
   'store/history (list midflight-durable--name) #'midflight-durable--show-history
   nil midflight-durable--seconds))

(defun midflight-durable--show-history (states)
  "List STATES, plists, in this buffer."
  (setq tabulated-list-entries (mapcar #'midflight-durable--earlier-entry states))
  (tabulated-list-print t)
  (unless states
    (message "Midflight: %s has no earlier state" midflight-durable--name)))

(defun midflight-durable--earlier-entry (state)
  "Return the entry of the earlier STATE, a plist."
  (list state
        (vector (number-to-string (plist-get state :number))
                (format-time-string "%F %T" (plist-get state :saved-at))
                (file-size-human-readable (plist-get state :size))
                (plist-get state :class)
                (plist-get state :why))))

(defun midflight-durable-look-earlier ()
  "Look into the earlier state of this line with the inspector."
  (interactive)
  (midflight-inspect-stored midflight-durable--name (plist-get (midflight-durable--here) :number)))

(defun midflight-durable-restore ()
  "Give the server the earlier state of this line, after a question.
A live server takes it between two messages, another one when it starts.
The state that it has goes into the history."
  (interactive)
  (let ((name midflight-durable--name)
        (number (plist-get (midflight-durable--here) :number)))
    (when (yes-or-no-p (format "Give %s its earlier state %d? " name number))
      (midflight-connection-call
       'store/restore (list name number)
       (lambda (change)
         (midflight-durable--refresh-history)
         (message "Midflight: %s %s state %d%s" name
                  (if (plist-get change :pid) "has" "starts with") number
                  (if (plist-get change :aside)
                      (format "; the one before is number %d" (plist-get change :aside)) "")))
       nil midflight-durable--seconds))))

(provide 'midflight-durable)
;;; midflight-durable.el ends here
