;;; midflight-epc.el --- The wire to a Midflight server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: comm, processes
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A client for EPC that never waits and cannot be wedged.  The life of a
;; call:
;;
;; 1. `midflight-epc-call' gives it a number, writes one frame and returns.
;; 2. The filter cuts what arrives into frames, reads them, and queues them.
;; 3. A timer of zero seconds takes the queue: an answer goes to the callback
;;    or the error callback of its call, a push to its handler.
;;
;; A frame is six lowercase hex digits, the number of bytes that follow, and
;; one s-expression with a newline, in UTF-8.  A request and its answer:
;;
;;     00002b(call 7 process/info ("<0.37.0>"))
;;
;;     00003c(return 7 (:pid "<0.37.0>" :name "counter" :line 9))
;;
;; Laws: every call ends in exactly one of its two callbacks, once, also when
;; the server dies or the bytes are garbage; events are handled in the order
;; in which they came; nothing but this file reads or writes the socket.

;;; Code:

(require 'cl-lib)
(require 'seq)
(require 'subr-x)

(define-error 'midflight-epc-bad-frame "Bad frame")

(defun midflight-user-error (format &rest args)
  "Signal a `user-error' with the text of FORMAT and ARGS, prefixed by our name."
  (user-error "Midflight: %s" (apply #'format-message format args)))

(defmacro midflight-epc-collecting-later (&rest body)
  "Evaluate BODY; let Emacs collect its garbage after it, not amid it.
A collection stops Emacs for 25 to 60 ms.  Somebody who waits for what
BODY shows sees it that much sooner; while the server works on what BODY
has sent, nobody notices."
  (declare (debug t) (indent 0))
  ;; A bound, should BODY make much garbage: its end may be far.
  `(let ((gc-cons-threshold (max gc-cons-threshold (* 32 1024 1024))))
     ,@body))

(defconst midflight-epc-payload-limit (* 8 1024 1024)
  "The largest payload sent or accepted, in bytes; the server has the same.")

(defconst midflight-epc--not-unicode "[^\u0000-\uD7FF\uE000-\U0010FFFF]"
  "Matches a character that UTF-8 cannot carry: a raw byte or a surrogate.")

(defvar midflight-epc-log-function nil
  "Function that sees every message, or nil.
It is called with the wire, `in' or `out', and the message; of the one that
has the cookie it sees no arguments.")

(cl-defstruct (midflight-epc (:constructor midflight-epc--make) (:copier nil))
  "One connection on the wire."
  process                               ; the network process
  on-open on-close                      ; functions, see `midflight-epc-open'
  find-handler                          ; function, likewise
  (next-uid 0)
  (pending (make-hash-table))           ; number -> `midflight-epc--call'
  queue                                 ; events not yet handled, oldest first
  timer                                 ; the timer that will handle them
  closed)                               ; why it is closed, a string, or nil

(cl-defstruct (midflight-epc--call (:constructor midflight-epc--make-call)
                                   (:copier nil))
  "A request that has no answer yet."
  method callback error-callback timer)

;;;; Frames, as pure functions

(defun midflight-epc--plain (value)
  "Return VALUE with every string in it free of text properties.
Signal `user-error' for a string that UTF-8 cannot carry."
  (cond ((consp value)
         ;; Along the list by iteration: a long one is no deep one.
         (let (plain)
           (while (consp value)
             (push (midflight-epc--plain (pop value)) plain))
           (nconc (nreverse plain) (and value (midflight-epc--plain value)))))
        ((stringp value)
         (let* ((text (string-to-multibyte (substring-no-properties value)))
                (place (string-match-p midflight-epc--not-unicode text)))
           (when place
             (midflight-user-error
              "Character %d of the text is no Unicode character (a raw byte?); nothing was sent; save the text as UTF-8"
              (1+ place)))
           text))
        (t value)))

(defun midflight-epc-encode (message)
  "Return MESSAGE, an s-expression, as one frame: a unibyte string.
Signal `user-error' if it has no form on the wire or is too long."
  (let* ((print-length nil) (print-level nil) (print-circle nil)
         (print-escape-newlines nil) (print-escape-nonascii nil)
         (print-escape-multibyte nil) (print-escape-control-characters nil)
         (print-quoted nil) (print-gensym nil) (float-output-format nil)
         (text (prin1-to-string (midflight-epc--plain message)))
         (payload (concat (encode-coding-string text 'utf-8-unix t) "\n")))
    (when (> (length payload) midflight-epc-payload-limit)
      (midflight-user-error
       "The message has %d bytes, at most %d go into one frame; nothing was sent"
       (length payload) midflight-epc-payload-limit))
    (concat (format "%06x" (length payload)) payload)))

(defun midflight-epc--bad-frame (format &rest args)
  "Signal that the peer sent no frame, described by FORMAT with ARGS."
  (signal 'midflight-epc-bad-frame (list (apply #'format format args))))

(defun midflight-epc--decode (payload)
  "Return the message in PAYLOAD, a unibyte string.
Signal `midflight-epc-bad-frame' if there is not exactly one."
  (let ((text (decode-coding-string payload 'utf-8-unix t)))
    (when (string-match-p midflight-epc--not-unicode text)
      (midflight-epc--bad-frame "a message was not UTF-8"))
    (let ((found (ignore-errors
                   (let ((read-circle nil)) (read-from-string text)))))
      (unless found
        (midflight-epc--bad-frame "a message was no s-expression: %s"
                                  (truncate-string-to-width text 60)))
      (unless (and (string-blank-p (substring text (cdr found)))
                   (midflight-epc--message-p (car found)))
        (midflight-epc--bad-frame "a message had an unknown form: %s"
                                  (truncate-string-to-width text 60)))
      (car found))))

(defun midflight-epc--message-p (message)
  "Return non-nil if MESSAGE is one of the five forms of EPC."
  (and (proper-list-p message)
       (pcase message
         (`(call ,_ ,(and (pred symbolp) method) ,args) (and method (listp args)))
         (`(methods ,_) t)
         (`(,(or 'return 'return-error 'epc-error) ,uid ,_)
          (or (integerp uid) (null uid))))))

(defun midflight-epc-take-message ()
  "Remove the first whole frame from the current buffer; return its message.
The buffer is unibyte and holds what has arrived.  Return nil if the
frame is not complete.  Signal `midflight-epc-bad-frame' as soon as the
bytes there cannot become a frame."
  (goto-char (point-min))
  (unless (let ((case-fold-search nil))
            (looking-at-p "[0-9a-f]\\{0,6\\}\\'\\|[0-9a-f]\\{6\\}("))
    (midflight-epc--bad-frame
     "a frame began with %S, expected six hex digits and a list"
     (buffer-substring (point-min) (min (point-max) (+ (point-min) 16)))))
  (when (> (buffer-size) 6)
    (let* ((length (string-to-number (buffer-substring 1 7) 16))
           (end (+ 7 length)))
      (when (> length midflight-epc-payload-limit)
        (midflight-epc--bad-frame "a frame of %d bytes was announced, at most %d are taken"
                                  length midflight-epc-payload-limit))
      (when (zerop length)
        (midflight-epc--bad-frame "a frame was empty"))
      (when (<= end (point-max))
        (prog1 (midflight-epc--decode (buffer-substring 7 end))
          (delete-region (point-min) end))))))

;;;; Open and close

(cl-defun midflight-epc-open (name port &key on-open on-close find-handler)
  "Begin to connect to PORT of this machine; return a `midflight-epc'.
NAME is for people.  ON-OPEN is called without arguments when the
connection stands; make no call before (Emacs would wait for it).
ON-CLOSE is called once with the reason, a string, after every pending
call has failed.  FIND-HANDLER is called with the name of a method, a
symbol, when the server calls; it returns a function for its arguments or
nil."
  (let* ((wire (midflight-epc--make :on-open on-open :on-close on-close
                                    :find-handler find-handler))
         (buffer (generate-new-buffer (format " *midflight-wire %s*" name)))
         (process-adaptive-read-buffering nil))
    (with-current-buffer buffer
      (set-buffer-multibyte nil)
      (buffer-disable-undo))
    (condition-case problem
        (setf (midflight-epc-process wire)
              (make-network-process
               :name (format "midflight %s" name) :buffer buffer
               :host "127.0.0.1" :service port :family 'ipv4
               :nowait t :noquery t :coding 'binary
               :filter (lambda (_process bytes)
                         (midflight-epc--receive wire buffer bytes))
               :sentinel (lambda (_process event)
                           (midflight-epc--changed wire event))))
      (error (kill-buffer buffer)
             (signal (car problem) (cdr problem))))
    wire))

(defun midflight-epc-close (wire reason)
  "Close WIRE for REASON, a string.
Frames that arrived before are still handled; then every pending call
fails with REASON and the close function is called.  Closing twice does
nothing."
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
  "Note EVENT, a string of Emacs, in the life of the process of WIRE."
  (if (string-prefix-p "open" event)
      (midflight-epc--enqueue wire (list 'open))
    (midflight-epc-close wire
                         (cond ((string-match "code \\([0-9]+\\)" event)
                                "nobody answers at the port of the server")
                               (t "the server ended, or closed the connection")))))

;;;; Receive: parse and queue only

(defun midflight-epc--receive (wire buffer bytes)
  "Add BYTES to BUFFER and queue the whole messages in it for WIRE."
  (when (buffer-live-p buffer)
    (condition-case problem
        (midflight-epc-collecting-later
          (with-current-buffer buffer
            (goto-char (point-max))
            (insert bytes)
            (let (message)
              (while (setq message (midflight-epc-take-message))
                (midflight-epc--log wire 'in message)
                (midflight-epc--enqueue wire message)))))
      (midflight-epc-bad-frame
       (midflight-epc-close
        wire (format "%s; the connection was closed" (cadr problem)))))))

(defun midflight-epc--enqueue (wire event)
  "Put EVENT at the end of the queue of WIRE."
  (setf (midflight-epc-queue wire) (nconc (midflight-epc-queue wire) (list event)))
  (midflight-epc--schedule wire))

(defun midflight-epc--schedule (wire)
  "See to it that what waits in the queue of WIRE is handled."
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
        (midflight-epc-collecting-later
          (midflight-epc--handle wire (pop (midflight-epc-queue wire)))))
    ;; Left by a quit, or out of the debugger: the rest must not wait for the
    ;; next frame.
    (midflight-epc--schedule wire)))

(defun midflight-epc--handle (wire event)
  "Handle one EVENT of WIRE."
  (pcase event
    (`(return ,uid ,value)
     (midflight-epc--settle wire uid #'midflight-epc--call-callback value))
    (`(,(or 'return-error 'epc-error) nil ,text)
     ;; Some call of ours could not be read, nobody knows which: to go on
     ;; would leave it waiting for ever.
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
A call that is not pending (it timed out, it was quit) is dropped."
  (let ((call (gethash uid (midflight-epc-pending wire))))
    (when call
      (remhash uid (midflight-epc-pending wire))
      (when (midflight-epc--call-timer call)
        (cancel-timer (midflight-epc--call-timer call)))
      (midflight-epc-run (funcall which call) value))))

(defun midflight-epc-run (function &rest args)
  "Call FUNCTION, unless nil, with ARGS; show its error, do not signal it."
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
    (midflight-epc-run midflight-epc-log-function wire direction
                       (if (eq (nth 2 message) 'authenticate)
                           (append (seq-take message 3) '(("(the cookie)")))
                         message))))

(defun midflight-epc--write (wire message)
  "Send MESSAGE on WIRE, if it is open.
A quit in here tears no frame: Emacs keeps what is unsent for the process
and sends it before anything else."
  (unless (midflight-epc-closed wire)
    (let ((frame (midflight-epc-encode message)))
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
CALLBACK with the value, or ERROR-CALLBACK with a string, when the server
refuses, the connection ends, or TIMEOUT seconds pass (nil: no limit).
Signal `user-error', with nothing sent, if ARGS have no form on the
wire."
  (let* ((uid (midflight-epc-next-uid wire))
         (frame (midflight-epc-encode (list 'call uid method args)))
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
  "Wait SECONDS at most for something on WIRE, and handle what came."
  ;; The queue is taken here, not by its timer: a wait for output is not ended
  ;; by timers, and would cost its whole length.
  (accept-process-output (midflight-epc-process wire) seconds)
  (midflight-epc--handle-all wire))

(defun midflight-epc-call-sync (wire method args timeout)
  "Call METHOD with ARGS on WIRE and wait at most TIMEOUT seconds.
Return the value; signal `user-error' if there is none.  A quit ends
the wait.  For the rare place that cannot do without: prefer
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
