;;; midflight-frame.el --- The frames of EPC, as pure functions  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: comm
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The frames of the wire.  A frame is six lowercase hex digits, the number of
;; bytes that follow, and one s-expression with a newline, in UTF-8.  A request
;; and its answer:
;;
;;     00002b(call 7 process/view ("<0.37.0>"))
;;
;;     00003c(return 7 (:pid "<0.37.0>" :name "counter" :line 9))
;;
;; Law: for any bytes, the result is a message, the error `midflight-frame-bad',
;; or nil for "not yet".

;;; Code:

(require 'subr-x)
(require 'midflight-util)

(define-error 'midflight-frame-bad "Bad frame")

(defconst midflight-frame-limit (* 8 1024 1024)
  "The largest payload sent or accepted, in bytes; the server has the same.")

(defconst midflight-frame--not-unicode "[^\u0000-\uD7FF\uE000-\U0010FFFF]"
  "Matches a character that UTF-8 cannot carry: a raw byte or a surrogate.")

(defun midflight-frame--plain (value)
  "Return VALUE without the text properties of the strings in it.
Signal `user-error' for a string that UTF-8 cannot carry."
  (cond ((consp value)
         ;; Iterate along a list: a long list must not count as a deep one.
         (let (plain)
           (while (consp value)
             (push (midflight-frame--plain (pop value)) plain))
           (nconc (nreverse plain) (and value (midflight-frame--plain value)))))
        ((stringp value)
         (let* ((text (string-to-multibyte (substring-no-properties value)))
                ;; A text of ASCII, which most source files are, needs no search:
                ;; every other character takes more than one byte.
                (place (and (/= (string-bytes text) (length text))
                            (string-match-p midflight-frame--not-unicode text))))
           (when place
             (midflight-user-error
              "Character %d of the text is not a Unicode character (a raw byte?); nothing was sent; save the text as UTF-8"
              (1+ place)))
           text))
        (t value)))

(defun midflight-frame-encode (message)
  "Return MESSAGE, an s-expression, as one frame: a unibyte string.
Signal `user-error' if it cannot be written or is too long."
  (let* ((print-length nil) (print-level nil) (print-circle nil)
         (print-escape-newlines nil) (print-escape-nonascii nil)
         (print-escape-multibyte nil) (print-escape-control-characters nil)
         (print-quoted nil) (print-gensym nil) (float-output-format nil)
         (text (prin1-to-string (midflight-frame--plain message)))
         (payload (concat (encode-coding-string text 'utf-8-unix t) "\n")))
    (when (> (length payload) midflight-frame-limit)
      (midflight-user-error
       "The message has %d bytes, at most %d go into one frame; nothing was sent"
       (length payload) midflight-frame-limit))
    (concat (format "%06x" (length payload)) payload)))

(defun midflight-frame--bad (format &rest args)
  "Signal that the peer sent a bad frame, described by FORMAT with ARGS."
  (signal 'midflight-frame-bad (list (apply #'format format args))))

(defun midflight-frame--decode (payload)
  "Return the message in PAYLOAD, a unibyte string.
Signal `midflight-frame-bad' if there is not exactly one."
  (let ((text (decode-coding-string payload 'utf-8-unix t)))
    (when (string-match-p midflight-frame--not-unicode text)
      (midflight-frame--bad "a message was not UTF-8"))
    (let ((found (ignore-errors
                   (let ((read-circle nil)) (read-from-string text)))))
      (unless found
        (midflight-frame--bad "a message was no s-expression: %s"
                              (truncate-string-to-width text 60)))
      (unless (and (string-blank-p (substring text (cdr found)))
                   (midflight-frame--message-p (car found)))
        (midflight-frame--bad "a message had an unknown form: %s"
                              (truncate-string-to-width text 60)))
      (car found))))

(defun midflight-frame--message-p (message)
  "Return non-nil if MESSAGE is one of the five forms of EPC."
  (and (proper-list-p message)
       (pcase message
         (`(call ,_ ,(and (pred symbolp) method) ,args) (and method (listp args)))
         (`(methods ,_) t)
         (`(,(or 'return 'return-error 'epc-error) ,uid ,_)
          (or (integerp uid) (null uid))))))

(defconst midflight-frame--stranger-limit 1000
  "The largest payload accepted from a peer that has not proved itself.")

(defun midflight-frame-take (&optional shape)
  "Remove the first whole frame from the current buffer; return its message.
The buffer is unibyte and holds the bytes that have arrived.  Return nil if
the frame is not complete.  Signal `midflight-frame-bad' as soon as the
bytes cannot become a frame.  SHAPE is a regexp for frames of a peer that has
not proved itself: a frame that is long or does not match is bad, and is
not read."
  (goto-char (point-min))
  (unless (let ((case-fold-search nil))
            (looking-at-p "[0-9a-f]\\{0,6\\}\\'\\|[0-9a-f]\\{6\\}("))
    (midflight-frame--bad
     "a frame began with %S, expected six hex digits and a list"
     (buffer-substring (point-min) (min (point-max) (+ (point-min) 16)))))
  (when (> (buffer-size) 6)
    (let* ((length (string-to-number (buffer-substring 1 7) 16))
           (end (+ 7 length)))
      (when (> length (if shape midflight-frame--stranger-limit midflight-frame-limit))
        (midflight-frame--bad "a frame of %d bytes was announced, at most %d are taken"
                              length (if shape midflight-frame--stranger-limit
                                       midflight-frame-limit)))
      (when (zerop length)
        (midflight-frame--bad "a frame was empty"))
      (when (<= end (point-max))
        (unless (or (not shape)
                    (let ((case-fold-search nil))
                      (string-match-p shape (buffer-substring 7 end))))
          (midflight-frame--bad "the program that answers is not a Midflight server; nothing was sent"))
        (prog1 (midflight-frame--decode (buffer-substring 7 end))
          (delete-region (point-min) end))))))

(provide 'midflight-frame)
;;; midflight-frame.el ends here
