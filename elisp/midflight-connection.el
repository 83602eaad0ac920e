;;; midflight-connection.el --- Servers: start, attach, call  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, comm
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The connection of a project, at most one for each.  Its life:
;;
;; 1. `midflight-connection-attach' opens the socket.  The server proves that
;;    it knows the cookie, then Emacs does; the server's answer names the
;;    protocol that it speaks.
;; 2. `midflight-connection-call' sends requests.  Nothing else does.
;; 3. The server calls `midflight-connection-handlers'.
;; 4. The socket closes, for any reason.  Pending requests fail, and
;;    `midflight-connection-closed-functions' tell the buffers.  If the user did
;;    not ask for that, a message says what happened and what to do.
;;
;; Law: a buffer uses the connection of its own project, or one that the user
;; chose with `midflight-connect'; never silently another.

;;; Code:

(require 'seq)
(require 'midflight-util)
(require 'midflight-epc)
(require 'midflight-handshake)
(require 'midflight-rendezvous)
(require 'midflight-remote-names)
(require 'midflight-verdict)
(require 'midflight-latency)

(defvar midflight-connection-opened-functions nil
  "Functions called with a connection after its server has accepted it.")

(defvar midflight-connection-closed-functions nil
  "Functions called with a connection and a reason, a string, when it ends.")

(defvar midflight-connection-handlers nil
  "Alist of methods that a server may call, symbols, and functions.
A function is called with the connection and the arguments of the call.")

(defconst midflight-version "0.1.0"
  "The version of this package.")

(defconst midflight-connection-protocol 1
  "The version of the protocol that this Emacs speaks.")

(defconst midflight-connection--answer-seconds 10
  "The most seconds that a server may take to accept a connection.")

(cl-defstruct (midflight-connection (:constructor midflight-connection--make)
                                    (:copier nil))
  "The connection of one project."
  root                  ; as `midflight-rendezvous-root' says
  wire                  ; a `midflight-epc', or nil
  state                 ; `starting', `attaching', `open', `closing' or `closed'
  info                  ; the server's description of itself, a plist
  waiting               ; (CALLBACK . ERROR-CALLBACK) each, for when it is open
  fallback              ; called if no Midflight server answers, or nil
  count                 ; the last number of runtime processes, or nil
  (latencies (make-hash-table :test #'eq))) ; method -> seconds, newest first

(defvar midflight-connection-all nil
  "Alist of roots and connections.")

;;;; Find the connection

(defvar-local midflight-connection-buffer-root nil
  "The root whose connection this buffer uses, or nil for its own project's.")

(defvar-local midflight-connection--own-root nil
  "A cons of the file or folder of this buffer and its project root.")

(defun midflight-connection-file ()
  "Return the file of this buffer, or of the one that it is an indirect buffer of."
  (buffer-file-name (or (buffer-base-buffer) (current-buffer))))

(defun midflight-connection-root-of-buffer ()
  "Return the root of the project of the current buffer.
If the user chose one with `midflight-connect', it is that."
  (or midflight-connection-buffer-root
      (midflight-connection--far-root)
      (let ((place (or (midflight-connection-file) default-directory)))
        (unless (equal place (car midflight-connection--own-root))
          (setq midflight-connection--own-root
                (cons place (midflight-rendezvous-root place))))
        (cdr midflight-connection--own-root))))

(defun midflight-connection--far-root (&optional file)
  "Return the root on another machine that was attached and has FILE, or nil.
FILE is by default that of this buffer, or its folder."
  (midflight-remote-names-root (or file (midflight-connection-file) default-directory)
                               (mapcar #'car midflight-connection-all)))

(defun midflight-connection-remote-p ()
  "Return non-nil if this buffer is of another machine, and of no attached project."
  (let ((place (or (midflight-connection-file) default-directory)))
    (and place (file-remote-p place) (not (midflight-connection--far-root)))))

(defun midflight-connection-root-of-file (file)
  "Return the root of the project of FILE, on this machine or an attached one."
  (or (midflight-connection--far-root file)
      (midflight-rendezvous-root file)))

(defun midflight-connection-path (file)
  "Return the name by which the server of its project is told of FILE."
  (if (midflight-connection--far-root (expand-file-name file))
      (expand-file-name file)
    (midflight-rendezvous-path file)))

(defun midflight-connection-uses-p (root)
  "Return non-nil if ROOT is that of the project of this buffer."
  (and (or midflight-connection-buffer-root (not (midflight-connection-remote-p)))
       (equal (midflight-connection-root-of-buffer) root)))

(defun midflight-connection-forget-root ()
  "Look for the project root of the current buffer again when it is needed."
  (kill-local-variable 'midflight-connection--own-root))

(defun midflight-connection-get (root)
  "Return the connection of ROOT, open or not."
  (or (cdr (assoc root midflight-connection-all))
      (let ((connection (midflight-connection--make :root root :state 'closed)))
        (push (cons root connection) midflight-connection-all)
        connection)))

(defun midflight-connection-of-buffer ()
  "Return the connection of the current buffer, open or not."
  (midflight-connection-get (midflight-connection-root-of-buffer)))

(defun midflight-connection-open-p (&optional connection)
  "Return non-nil if CONNECTION, or the current buffer's, can carry requests.
A buffer of another machine has no connection, unless the user chose one."
  (let ((connection (or connection
                        (and (or midflight-connection-buffer-root
                                 (not (midflight-connection-remote-p)))
                             (midflight-connection-of-buffer)))))
    (and connection
         (eq (midflight-connection-state connection) 'open)
         ;; The socket may have closed before Emacs has run its sentinel.
         (not (midflight-epc-closed (midflight-connection-wire connection))))))

(defun midflight-connection-project (connection)
  "Return the name of the project of CONNECTION, to display."
  (let ((root (midflight-connection-root connection)))
    (if (equal root "/") root (file-name-nondirectory root))))

(defconst midflight-connection--background
  '(ping server/info server/introduce code/compare code/waiting process/changes)
  "Methods that do not count as work: nobody waits for their answers.")

(defun midflight-connection-pending (connection)
  "Return the number of requests of CONNECTION without an answer."
  (let ((wire (midflight-connection-wire connection)))
    (if wire
        (cl-count-if-not (lambda (method) (memq method midflight-connection--background))
                         (midflight-epc-pending-methods wire))
      0)))

(defun midflight-connection-set-state (connection state)
  "Give CONNECTION the state STATE and show it."
  (setf (midflight-connection-state connection) state)
  (force-mode-line-update t))

;;;; Requests

(defun midflight-connection-show-error (text)
  "Show TEXT, the reason why a request failed, in the echo area."
  (message "Midflight: %s" text))

(defun midflight-connection-in-buffer (buffer function)
  "Return a wrapper of FUNCTION for BUFFER, without effect if that is dead."
  (lambda (&rest args)
    (force-mode-line-update t)
    (when (buffer-live-p buffer)
      (with-current-buffer buffer (apply function args)))))

(defun midflight-connection-require (connection)
  "Return the wire of CONNECTION; signal `user-error' if it is not open."
  (unless (midflight-connection-open-p connection)
    (midflight-user-error
     "No server is attached for %s; nothing was sent; M-x midflight attaches or starts one"
     (midflight-connection-root connection)))
  (midflight-connection-wire connection))

(defun midflight-connection-call (method args callback &optional error-callback timeout)
  "Call METHOD, a symbol, of this buffer's server with the list ARGS.
Return at once.  Later CALLBACK gets the value, or ERROR-CALLBACK gets a
string if the call fails or TIMEOUT seconds pass.  Each runs in the current
buffer, and not at all if that has been killed.  If ERROR-CALLBACK is nil,
show the string.  Signal `user-error' if no server is attached."
  (let* ((buffer (current-buffer))
         (connection (midflight-connection-of-buffer))
         (root (midflight-connection-root connection))
         (callback (midflight-connection-in-buffer buffer callback)))
    (prog1 (midflight-epc-call
            (midflight-connection-require connection)
            method (midflight-remote-names-outgoing root args)
            (midflight-latency-timed
             (midflight-connection-latencies connection) method
             (lambda (value) (funcall callback (midflight-remote-names-incoming root value))))
            (midflight-connection-in-buffer
             buffer (or error-callback #'midflight-connection-show-error))
            timeout)
      (force-mode-line-update t))))

(defun midflight-connection-call-sync (method args timeout)
  "Call METHOD of this buffer's server with ARGS; wait TIMEOUT seconds at most.
Return the value; signal `user-error' if there is none.  A quit ends it."
  (let ((root (midflight-connection-root-of-buffer)))
    (midflight-remote-names-incoming
     root (midflight-epc-call-sync
           (midflight-connection-require (midflight-connection-of-buffer))
           method (midflight-remote-names-outgoing root args) timeout))))

;;;; Count the processes from time to time

(defvar midflight-connection--timer nil
  "The idle timer that asks open connections for their number of processes.")

(defun midflight-connection--count (connection)
  "Ask the server of CONNECTION for its number of runtime processes."
  (let ((wire (midflight-connection-wire connection)))
    (when (and (midflight-connection-open-p connection)
               (zerop (hash-table-count (midflight-epc-pending wire))))
      (midflight-epc-call
       wire 'server/info nil
       (lambda (info)
         (unless (eql (plist-get info :processes) (midflight-connection-count connection))
           (setf (midflight-connection-count connection) (plist-get info :processes))
           (force-mode-line-update t)))
       #'ignore))))

(defun midflight-connection--count-all ()
  "Ask all open connections for their number of processes.
Stop asking when no connection is open."
  (let ((open (cl-remove-if-not #'midflight-connection-open-p
                                (mapcar #'cdr midflight-connection-all))))
    (if open
        (mapc #'midflight-connection--count open)
      (when midflight-connection--timer
        (cancel-timer midflight-connection--timer)
        (setq midflight-connection--timer nil)))))

;;;; Attach

(defun midflight-connection-attach (connection server)
  "Connect CONNECTION to SERVER, a plist of `midflight-rendezvous-server'."
  (midflight-connection-set-state connection 'attaching)
  (let ((has-answered nil))
    (setf (midflight-connection-wire connection)
          (midflight-epc-open
           (midflight-connection-project connection)
           (or (plist-get server :reach) (midflight-handshake-address server))
           :answers midflight-handshake-answers
           :on-open
           (lambda ()
             (midflight-connection--greet connection server
                                          (lambda () (setq has-answered t))))
           :on-close
           (lambda (reason)
             (let ((fallback (midflight-connection-fallback connection)))
               (setf (midflight-connection-fallback connection) nil)
               (cond (has-answered (midflight-connection-closed connection reason))
                     ;; Its process is dead, and another process has its pid or its port.
                     (fallback (funcall fallback))
                     (t (midflight-connection-closed
                         connection (concat reason "; M-x midflight starts one"))))))
           :find-handler
           (lambda (method)
             (let ((handler (alist-get method midflight-connection-handlers)))
               (when handler
                 (lambda (&rest args)
                   (apply handler connection
                          (midflight-remote-names-incoming
                           (midflight-connection-root connection) args))))))))))

(defun midflight-connection--greet (connection server answered)
  "Let SERVER prove itself on the wire of CONNECTION; then prove ourselves.
Before its proof, send only a nonce.  Call ANSWERED when the server has
proved itself; it may still refuse the connection."
  (let* ((wire (midflight-connection-wire connection))
         (nonce (midflight-handshake-nonce))
         (refused (lambda (text)
                    (unless (midflight-epc-closed wire)
                      (funcall answered)
                      (midflight-epc-close wire text)))))
    (run-at-time midflight-connection--answer-seconds nil
                 (lambda ()
                   (when (and (eq (midflight-connection-wire connection) wire)
                              (eq (midflight-connection-state connection) 'attaching))
                     (midflight-epc-close wire (format "no answer within %s s"
                                                       midflight-connection--answer-seconds)))))
    (midflight-epc-call
     wire 'hello (list (number-to-string midflight-connection-protocol) nonce)
     (lambda (answer)
       (if (not (midflight-handshake-proved-p server nonce answer))
           (midflight-epc-close
            wire "the program that answers has not shown that it is the server; nothing was sent")
         (funcall answered)
         (midflight-epc-trust wire)
         (midflight-epc-call
          wire 'prove (list (midflight-handshake-proof "client" server nonce (car answer)))
          (lambda (info) (midflight-connection--welcome connection info))
          refused)))
     refused)))

(defun midflight-connection--welcome (connection info)
  "Open CONNECTION, unless by INFO its server is the wrong one.
INFO is the server's description of itself."
  (let ((root (midflight-connection-root connection))
        (wire (midflight-connection-wire connection)))
    (cond
     ((not (eql (plist-get info :protocol) midflight-connection-protocol))
      (midflight-epc-close wire (midflight-handshake-mismatch
                                 info midflight-version midflight-connection-protocol)))
     ((not (equal (plist-get (midflight-remote-names-incoming root info) :root) root))
      (midflight-epc-close
       wire (format "the server that answered belongs to %s, not to %s"
                    (plist-get info :root) root)))
     (t
      (setf (midflight-connection-info connection) info
            (midflight-connection-count connection) nil)
      (clrhash (midflight-connection-latencies connection))
      (midflight-connection-set-state connection 'open)
      ;; Other clients see the name of the loading client.  An older server may
      ;; not know this method; then nothing is lost.
      (midflight-epc-call wire 'server/introduce (list (concat "Emacs " emacs-version))
                          #'ignore #'ignore)
      (unless midflight-connection--timer
        (setq midflight-connection--timer
              (run-with-idle-timer 1 t #'midflight-connection--count-all)))
      (midflight-connection-announce connection)
      (run-hook-with-args 'midflight-connection-opened-functions connection)
      (midflight-connection--end-waiting connection #'car)))))

(defun midflight-connection-announce (connection)
  "Display the server to which CONNECTION is attached."
  (let ((info (midflight-connection-info connection)))
    (message "Midflight: attached to the server of %s (Midflight %s, Python %s)%s"
             (abbreviate-file-name (midflight-connection-root connection))
             (plist-get info :version) (plist-get info :python)
             (if (equal (plist-get info :version) midflight-version)
                 ""
               (format "; this package is %s, so some commands may be missing on one side"
                       midflight-version)))))

(defun midflight-connection-closed (connection reason)
  "Note that the wire of CONNECTION closed for REASON; tell its waiters."
  (let* ((root (midflight-connection-root connection))
         (state (midflight-connection-state connection))
         (died (and (eq state 'open) (midflight-verdict root (plist-get (midflight-connection-info connection) :pid)))))
    (setf (midflight-connection-wire connection) nil)
    (midflight-connection-set-state connection 'closed)
    (when (memq state '(open closing))
      (run-hook-with-args 'midflight-connection-closed-functions connection
                          (if died (car died) reason)))
    (midflight-connection--end-waiting
     connection #'cdr
     (format "not connected to the server of %s: %s"
             (midflight-connection-root connection) reason))
    (when (eq state 'open)
      (midflight-connection--tell-end connection 5))))

(defun midflight-connection--tell-end (connection looks)
  "Tell the user how the server of CONNECTION ended unexpectedly.
A killed process loses its sockets a moment before it is dead, so check up
to LOOKS times whether it is."
  (let* ((root (midflight-connection-root connection))
         (verdict (midflight-verdict root (plist-get (midflight-connection-info connection) :pid))))
    (cond (verdict
           (message "Midflight: the server of %s: %s; %s"
                    (midflight-connection-project connection) (car verdict) (cdr verdict)))
          ((> looks 0)
           (run-at-time 0.05 nil #'midflight-connection--tell-end connection (1- looks)))
          (t
           (message "Midflight: the connection to the server of %s broke, its process %s lives; M-x midflight attaches again"
                    (midflight-connection-project connection)
                    (plist-get (midflight-connection-info connection) :pid))))))

(defun midflight-connection--end-waiting (connection which &rest args)
  "Call with ARGS the function that WHICH picks from each waiter of CONNECTION.
Call them in order."
  (let ((waiting (midflight-connection-waiting connection)))
    (setf (midflight-connection-waiting connection) nil)
    (dolist (waiter waiting)
      (apply #'midflight-epc-run (funcall which waiter) args))))

(defun midflight-connection-leave (connection reason)
  "Close the wire of CONNECTION for REASON."
  (midflight-connection-set-state connection 'closing)
  (midflight-epc-close (midflight-connection-wire connection) reason))

(provide 'midflight-connection)
;;; midflight-connection.el ends here
