;;; midflight-epc.el --- The wire to a Midflight server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: comm, processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A client for EPC that never blocks Emacs.  The steps of a call:
;;
;; 1. `midflight-epc-call' gives the call a number, writes one frame and
;;    returns.
;; 2. The filter cuts the received bytes into frames, reads them, and queues the
;;    messages.
;; 3. A timer of zero seconds empties the queue: an answer goes to the callback
;;    or the error callback of its call, a push to its handler.
;;
;; The frames themselves are in midflight-frame.el.
;;
;; Laws: every call ends in exactly one of its two callbacks, once, even if the
;; server dies or the bytes are garbage; events are handled in the order in
;; which they arrived; only this file reads and writes the socket.

;;; Code:

(require 'cl-lib)
(require 'seq)
(require 'subr-x)
(require 'midflight-util)
(require 'midflight-frame)

(defvar midflight-epc-log-function nil
  "Function called with every message, or nil.
Its arguments are the wire, `in' or `out', and the message.")

(cl-defstruct (midflight-epc (:constructor midflight-epc--make) (:copier nil))
  "One connection on the wire."
  process                               ; the network process
  on-open on-close                      ; functions, see `midflight-epc-open'
  find-handler                          ; function, likewise
  answers                               ; the messages a peer may send, a regexp, or nil
  (next-uid 0)
  (pending (make-hash-table))           ; number -> `midflight-epc--call'
  queue                                 ; events not yet handled, oldest first
  timer                                 ; the timer that will handle them
  closed)                               ; the reason why it is closed, a string, or nil

(cl-defstruct (midflight-epc--call (:constructor midflight-epc--make-call)
                                   (:copier nil))
  "A request that has no answer yet."
  method callback error-callback timer)

(defun midflight-epc-pending-methods (wire)
  "Return the methods of the requests of WIRE that have no answer yet."
  (mapcar #'midflight-epc--call-method (hash-table-values (midflight-epc-pending wire))))

;;;; Open and close

(defun midflight-epc-unix-sockets-p ()
  "Return non-nil if this Emacs can connect to Unix sockets."
  (featurep 'make-network-process '(:family local)))

(cl-defun midflight-epc-open (name address &key on-open on-close find-handler answers)
  "Begin to connect to ADDRESS of this machine; return a `midflight-epc'.
ADDRESS is a port, or the path of a Unix socket.  NAME is the name of the
process, to display.  ON-OPEN is called without arguments when the
connection is open; make no call before (Emacs would wait for it).
ON-CLOSE is called once with the reason, a string, after every pending call
has failed.  FIND-HANDLER is called with the name of a method, a symbol,
when the server calls; it returns a function for its arguments, or nil.
ANSWERS is a regexp.  Before `midflight-epc-trust' is called, a message that
does not match it is not read, and ends the connection."
  (let* ((wire (midflight-epc--make :on-open on-open :on-close on-close
                                    :find-handler find-handler :answers answers))
         (buffer (generate-new-buffer (format " *midflight-wire %s*" name)))
         (process-adaptive-read-buffering nil))
    (with-current-buffer buffer
      (set-buffer-multibyte nil)
      (buffer-disable-undo))
    (condition-case problem
        (setf (midflight-epc-process wire)
              (apply #'make-network-process
                     :name (format "midflight %s" name) :buffer buffer
                     :service address
                     :nowait t :noquery t :coding 'binary
                     :filter (lambda (_process bytes)
                               (midflight-epc--receive wire buffer bytes))
                     :sentinel (lambda (_process event)
                                 (midflight-epc--changed wire event))
                     (if (stringp address)
                         '(:family local)
                       '(:family ipv4 :host "127.0.0.1"))))
      ;; If nobody listens on a Unix socket, this signals at once.
      (file-error (kill-buffer buffer)
                  (setf (midflight-epc-closed wire)
                        (format "no server answers at its address (%s)"
                                (error-message-string problem)))
                  (midflight-epc--enqueue wire (list 'closed (midflight-epc-closed wire))))
      (error (kill-buffer buffer)
             (signal (car problem) (cdr problem))))
    wire))

(defun midflight-epc-trust (wire)
  "Accept any message from the peer of WIRE from now on: it has proved itself."
  (setf (midflight-epc-answers wire) nil))

(defun midflight-epc-close (wire reason)
  "Close WIRE for REASON, a string.
Handle the frames that arrived before; then let every pending call fail
with REASON and call the close function.  Closing twice does nothing."
  (unless (midflight-epc-closed wire)
    (setf (midflight-epc-closed wire) reason)
    (midflight-epc--enqueue wire (list 'closed reason))
    (let ((process (midflight-epc-process wire)))
      (set-process-filter process #'ignore)
      (set-process-sentinel process #'ignore)
      (let ((buffer (process-buffer process)))
        (delete-process process)
        (when (buffer-live-p buffer)
          (kill-buffer buffer))))))

(defun midflight-epc--changed (wire event)
  "Handle EVENT, a string from Emacs, of the process of WIRE."
  (if (string-prefix-p "open" event)
      (midflight-epc--enqueue wire (list 'open))
    (midflight-epc-close wire
                         (cond ((string-match "code \\([0-9]+\\)" event)
                                "no server answers at its address")
                               (t "the server ended, or closed the connection")))))

;;;; Receive: parse and queue only

(defun midflight-epc--receive (wire buffer bytes)
  "Add BYTES to BUFFER and queue the whole messages in it for WIRE."
  (when (buffer-live-p buffer)
    (condition-case problem
        (midflight-collecting-later
          (with-current-buffer buffer
            (goto-char (point-max))
            (insert bytes)
            (let (message)
              (while (setq message (midflight-frame-take (midflight-epc-answers wire)))
                (midflight-epc--log wire 'in message)
                (midflight-epc--enqueue wire message)))))
      (midflight-frame-bad
       (midflight-epc-close
        wire (format "%s; the connection was closed" (cadr problem)))))))

(defun midflight-epc--enqueue (wire event)
  "Put EVENT at the end of the queue of WIRE."
  (setf (midflight-epc-queue wire) (nconc (midflight-epc-queue wire) (list event)))
  (midflight-epc--schedule wire))

(defun midflight-epc--schedule (wire)
  "Start a timer that handles the events in the queue of WIRE, if any."
  (when (and (midflight-epc-queue wire) (not (midflight-epc-timer wire)))
    (setf (midflight-epc-timer wire)
          (run-at-time 0 nil #'midflight-epc--handle-all wire))))

;;;; Handle

(defun midflight-epc--handle-all (wire)
  "Handle every event that waits in the queue of WIRE, oldest first."
  (when (midflight-epc-timer wire)
    (cancel-timer (midflight-epc-timer wire))
    (setf (midflight-epc-timer wire) nil))
  (unwind-protect
      (while (midflight-epc-queue wire)
        (midflight-collecting-later
          (midflight-epc--handle wire (pop (midflight-epc-queue wire)))))
    ;; After a quit, or from the debugger: the rest must not wait for the
    ;; next frame.
    (midflight-epc--schedule wire)))

(defun midflight-epc--handle (wire event)
  "Handle one EVENT of WIRE."
  (pcase event
    (`(return ,uid ,value)
     (midflight-epc--settle wire uid #'midflight-epc--call-callback value))
    (`(,(or 'return-error 'epc-error) nil ,text)
     ;; The server could not read one of our calls, and we cannot know which
     ;; one.  Without an end of the connection that call would never end.
     (midflight-epc-close wire (format "the server could not read a message: %s"
                                       text)))
    (`(,(or 'return-error 'epc-error) ,uid ,text)
     (midflight-epc--settle wire uid #'midflight-epc--call-error-callback
                            (if (stringp text) text (format "%S" text))))
    (`(call ,uid ,method ,args) (midflight-epc--answer wire uid method args))
    (`(methods ,uid) (midflight-epc--write wire (list 'return uid nil)))
    (`(open) (midflight-epc-run (midflight-epc-on-open wire)))
    (`(closed ,reason)
     (let ((uids (sort (hash-table-keys (midflight-epc-pending wire)) #'<)))
       (dolist (uid uids)
         (midflight-epc--settle wire uid #'midflight-epc--call-error-callback
                                reason)))
     (midflight-epc-run (midflight-epc-on-close wire) reason))))

(defun midflight-epc--settle (wire uid which value)
  "End call UID of WIRE: give VALUE to its callback, found by WHICH.
If that call is no longer pending (it timed out, or was quit), do nothing."
  (let ((call (gethash uid (midflight-epc-pending wire))))
    (when call
      (remhash uid (midflight-epc-pending wire))
      (when (midflight-epc--call-timer call)
        (cancel-timer (midflight-epc--call-timer call)))
      (midflight-epc-run (funcall which call) value))))

(defun midflight-epc-run (function &rest args)
  "Call FUNCTION, unless nil, with ARGS; show an error instead of signaling it."
  (when function
    (condition-case-unless-debug problem
        (apply function args)
      (error (message "Midflight: error in %s: %s"
                      (if (symbolp function) function "a callback")
                      (error-message-string problem))))))

(defun midflight-epc--answer (wire uid method args)
  "Run the handler of METHOD with ARGS; answer call UID of the server on WIRE."
  (let* ((find (midflight-epc-find-handler wire))
         (handler (and find (funcall find method))))
    (midflight-epc--write
     wire
     (if (null handler)
         (list 'epc-error uid (format "Emacs has no method %s" method))
       (condition-case-unless-debug problem
           (list 'return uid (progn (apply handler args) t))
         (error
          (message "Midflight: error in the handler of %s: %s"
                   method (error-message-string problem))
          (list 'return-error uid (error-message-string problem))))))))

;;;; Send

(defun midflight-epc--log (wire direction message)
  "Let `midflight-epc-log-function' see MESSAGE, sent on WIRE in DIRECTION."
  (when midflight-epc-log-function
    (midflight-epc-run midflight-epc-log-function wire direction message)))

(defun midflight-epc--write (wire message)
  "Send MESSAGE on WIRE, if it is open.
A quit does not cut a frame: Emacs keeps the unsent bytes for the process
and sends them before anything else."
  (unless (midflight-epc-closed wire)
    (let ((frame (midflight-frame-encode message)))
      (midflight-epc--log wire 'out message)
      (condition-case problem
          (process-send-string (midflight-epc-process wire) frame)
        (error (midflight-epc-close
                wire (format "the server cannot be written to (%s)"
                             (error-message-string problem))))))))

(defun midflight-epc-call (wire method args callback error-callback
                                &optional timeout)
  "Call METHOD, a symbol, with the list ARGS on WIRE; return a number.
Exactly one of two functions is called later, never before this returns:
CALLBACK with the value, or ERROR-CALLBACK with a string if the server
refuses, the connection ends, or TIMEOUT seconds pass (nil: no limit).
Signal `user-error', and send nothing, if ARGS cannot be written as an
s-expression."
  (let* ((uid (midflight-epc-next-uid wire))
         (frame (midflight-frame-encode (list 'call uid method args)))
         (call (midflight-epc--make-call :method method :callback callback
                                         :error-callback error-callback)))
    (setf (midflight-epc-next-uid wire) (1+ uid))
    (midflight-epc--log wire 'out (list 'call uid method args))
    (puthash uid call (midflight-epc-pending wire))
    (when timeout
      (setf (midflight-epc--call-timer call)
            (run-at-time timeout nil #'midflight-epc--settle wire uid
                         #'midflight-epc--call-error-callback
                         (format "no answer to %s within %s s" method timeout))))
    (if (midflight-epc-closed wire)
        (midflight-epc--enqueue wire (list 'epc-error uid (midflight-epc-closed wire)))
      (condition-case problem
          (process-send-string (midflight-epc-process wire) frame)
        (error (midflight-epc-close
                wire (format "the server cannot be written to (%s)"
                             (error-message-string problem))))))
    uid))

(defun midflight-epc-forget (wire uid)
  "Drop call UID of WIRE: neither of its callbacks will be called."
  (midflight-epc--settle wire uid #'ignore nil))

(defun midflight-epc-take (wire seconds)
  "Wait SECONDS at most for input on WIRE, and handle the messages."
  ;; Empty the queue here, not by its timer: a timer does not end a wait for
  ;; output, so the wait would last its full length.
  (accept-process-output (midflight-epc-process wire) seconds)
  (midflight-epc--handle-all wire))

(defun midflight-epc-call-sync (wire method args timeout)
  "Call METHOD with ARGS on WIRE and wait at most TIMEOUT seconds.
Return the value; signal `user-error' if there is none.  A quit ends
the wait.  Use this only if the caller cannot continue later; prefer
`midflight-epc-call'."
  (let* (outcome
         (uid (midflight-epc-call wire method args
                                  (lambda (value) (setq outcome (list t value)))
                                  (lambda (text) (setq outcome (list nil text)))
                                  timeout)))
    (unwind-protect
        (with-local-quit
          (while (not outcome)
            (midflight-epc-take wire 0.1)))
      (unless outcome
        (midflight-epc-forget wire uid)))
    (unless outcome
      (signal 'quit nil))
    (if (car outcome)
        (cadr outcome)
      (midflight-user-error "%s" (cadr outcome)))))

(provide 'midflight-epc)
;;; midflight-epc.el ends here
