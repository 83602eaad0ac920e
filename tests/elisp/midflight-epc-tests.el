;;; midflight-epc-tests.el --- The wire  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Frames are read whole, byte by byte, and with bytes behind them.  A peer
;; played by the test sends answers, pushes, garbage, and dies.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-epc-tests-samples
  '((return 7 (:pid "<0.37.0>" :name "counter" :line 9))
    (return 0 nil)
    (return 3 "Summe: λ, 😀, \0, \e, \\, \"quoted\"\nnext line")
    (return-error 12 "ValueError: boom λ")
    (epc-error nil "not a message")
    (call 4 shell/output (1 "Sum is 3\n"))
    (call 5 shell/closed nil)
    (methods 6)
    (return 18 ((1 2.5 -3) ("a" . "b") t)))
  "Messages that a server may send.")

(defun midflight-epc-tests--take (bytes)
  "Return the messages in BYTES and the number of bytes left over."
  (with-temp-buffer
    (set-buffer-multibyte nil)
    (insert bytes)
    (let (messages message)
      (while (setq message (midflight-frame-take))
        (push message messages))
      (list (nreverse messages) (buffer-size)))))

(ert-deftest midflight-epc-frame-is-read-whole ()
  "What one side writes the other reads, each alone and all in one go."
  (dolist (message midflight-epc-tests-samples)
    (should (equal (midflight-epc-tests--take (midflight-frame-encode message))
                   (list (list message) 0))))
  (should (equal (midflight-epc-tests--take
                  (mapconcat #'midflight-frame-encode midflight-epc-tests-samples ""))
                 (list midflight-epc-tests-samples 0))))

(ert-deftest midflight-epc-frame-is-read-byte-by-byte ()
  "No prefix of a frame is taken for a frame or for garbage."
  (dolist (message midflight-epc-tests-samples)
    (with-temp-buffer
      (set-buffer-multibyte nil)
      (let ((bytes (midflight-frame-encode message)))
        (dotimes (index (length bytes))
          (should-not (midflight-frame-take))
          (goto-char (point-max))
          (insert (substring bytes index (1+ index))))
        (should (equal (midflight-frame-take) message))
        (should (= (buffer-size) 0))))))

(ert-deftest midflight-epc-bytes-after-a-frame-stay ()
  "The beginning of the next frame waits for its rest."
  (dolist (message midflight-epc-tests-samples)
    (should (equal (midflight-epc-tests--take
                    (concat (midflight-frame-encode message) "00001a(ca"))
                   (list (list message) 9)))))

(ert-deftest midflight-epc-length-is-counted-in-bytes ()
  "The header has the length in UTF-8, in six lowercase hex digits."
  (should (equal (midflight-frame-encode '(return 1 "λ"))
                 (encode-coding-string "000010(return 1 \"λ\")\n" 'utf-8-unix)))
  (should (equal (substring (midflight-frame-encode (list 'return 1 (make-string 200 ?x))) 0 6)
                 "0000d6")))

(ert-deftest midflight-epc-text-goes-out-as-it-is ()
  "Text properties, print settings and escapes do not change what is sent."
  (let ((print-length 1) (print-escape-newlines t) (print-escape-multibyte t))
    (should (equal (midflight-frame-encode
                    (list 'call 1 'code/load (list "/a" (propertize "x\nλ" 'face 'bold) nil)))
                   (encode-coding-string "000025(call 1 code/load (\"/a\" \"x\nλ\" nil))\n"
                                         'utf-8-unix)))))

(ert-deftest midflight-epc-text-that-is-no-unicode-is-refused ()
  "A raw byte or a surrogate is refused before anything is sent."
  (dolist (text (list (string ?a #x3fffc8) (string #xd800) "\310"))
    (should-error (midflight-frame-encode (list 'call 1 'x (list text))) :type 'user-error)))

(ert-deftest midflight-epc-message-that-is-too-long-is-refused ()
  "A frame over the limit never leaves."
  (should-error (midflight-frame-encode
                 (list 'call 1 'x (list (make-string midflight-frame-limit ?x))))
                :type 'user-error))

(ert-deftest midflight-epc-garbage-is-no-frame ()
  "Whatever is no frame is called so as soon as that is sure."
  (dolist (bytes (list "HTTP/1.1 400 Bad Request\r\n" "-00001(" "00000G" " 00001" "00001A(" "+00001"
                       "000000(" "ffffff(" "800001("
                       "000005hello" "103664e(return 1 2)"
                       "000003()\n" "000009(return)\n" "000003(a\n" "00000c(return 1 2\n"
                       "000011(return 1 2) x y\n" "00000b(return . 1)\n"
                       "000014(call 1 \"name\" nil)\n\n" "00000a(what 1 2)\n"
                       "000013(return 1 #1=(#1#))\n" "000011(return \"x\" nil)\n"
                       "00000e(return 1 \"\303(\")"))
    (ert-info (bytes :prefix "bytes: ")
      (should-error (midflight-epc-tests--take bytes) :type 'midflight-frame-bad))))

(ert-deftest midflight-epc-answers-find-their-calls ()
  "Answers in any order end the calls that have their numbers."
  (midflight-test-with-peer peer nil
    (let* ((wire (midflight-test-peer-wire peer))
           outcomes
           (note (lambda (name) (lambda (value) (push (list name value) outcomes))))
           (one (midflight-epc-call wire 'one '("λ") (funcall note 'one) #'ignore))
           (two (midflight-epc-call wire 'two nil #'ignore (funcall note 'two))))
      (midflight-test-wait "both requests"
                           (lambda () (string-match-p "two" (midflight-test-peer-received peer))))
      (should (equal (midflight-epc-tests--take (midflight-test-peer-received peer))
                     `(((call ,one one ("λ")) (call ,two two nil)) 0)))

      (midflight-test-peer-send peer (concat (midflight-frame-encode `(return-error ,two "no"))
                                             (midflight-frame-encode `(return ,one (1 2)))
                                             (midflight-frame-encode `(return ,one again))))

      (midflight-test-wait "both answers" (lambda () (= (length outcomes) 2)))
      (should (equal outcomes '((one (1 2)) (two "no")))))))

(ert-deftest midflight-epc-callbacks-never-run-in-the-call ()
  "Neither callback runs before the call has returned, even on a closed wire."
  (midflight-test-with-peer peer nil
    (let ((wire (midflight-test-peer-wire peer))
          reason)
      (midflight-epc-close wire "closed by the test")
      (midflight-epc-call wire 'anything nil #'ignore (lambda (text) (setq reason text)))
      (should-not reason)
      (midflight-test-wait "the failure of the call" (lambda () reason))
      (should (equal reason "closed by the test")))))

(ert-deftest midflight-epc-pushes-are-answered-in-order ()
  "A push runs its handler and is answered; an unknown one is refused."
  (let (seen)
    (midflight-test-with-peer peer
        (list :find-handler (lambda (method)
                              (pcase method
                                ('shell/output (lambda (&rest args) (push args seen)))
                                ('bad (lambda () (error "No good"))))))
      (let ((inhibit-message t)
            (debug-on-error nil))       ; which ERT sets
        (midflight-test-peer-send peer (concat (midflight-frame-encode '(call 1 shell/output (3 "a")))
                                               (midflight-frame-encode '(call 2 bad nil))
                                               (midflight-frame-encode '(call 3 unknown nil))
                                               (midflight-frame-encode '(call 4 shell/output (3 "b")))))
        (midflight-test-wait "four answers"
                             (lambda ()
                               (= 4 (length (car (midflight-epc-tests--take
                                                  (midflight-test-peer-received peer))))))))
      (should (equal (nreverse seen) '((3 "a") (3 "b"))))
      (should (equal (midflight-epc-tests--take (midflight-test-peer-received peer))
                     '(((return 1 t) (return-error 2 "No good")
                        (epc-error 3 "Emacs has no method unknown") (return 4 t))
                       0))))))

(ert-deftest midflight-epc-bad-frame-closes-and-fails-what-is-pending ()
  "After a bad frame every call fails with the reason, and the wire is closed.
What came before it in the same packet still counts."
  (let (closed outcomes)
    (midflight-test-with-peer peer (list :on-close (lambda (reason) (setq closed reason)))
      (let* ((wire (midflight-test-peer-wire peer))
             (note (lambda (value) (push value outcomes)))
             (first (midflight-epc-call wire 'a nil note note)))
        (midflight-epc-call wire 'b nil note note)
        (midflight-test-peer-send peer (concat (midflight-frame-encode `(return ,first "good"))
                                               "00000zgarbage"))
        (midflight-test-wait "the close" (lambda () closed))
        (should (string-match-p "a frame began with \"00000zgarbage\"" closed))
        (should (equal outcomes (list closed "good")))
        (should-not (process-live-p (midflight-epc-process wire)))))))

(ert-deftest midflight-epc-death-of-the-peer-fails-what-is-pending ()
  "When the server dies, calls fail at once, in order, also a synchronous one."
  (let (outcomes)
    (midflight-test-with-peer peer nil
      (let* ((wire (midflight-test-peer-wire peer)))
        (dolist (name '(a b))
          (midflight-epc-call wire name nil #'ignore (lambda (_) (push name outcomes))))
        (run-at-time 0 nil #'delete-process (midflight-test-peer-client peer))
        (should-error (midflight-epc-call-sync wire 'c nil 20) :type 'user-error)
        (should (equal outcomes '(b a)))
        (should (equal (midflight-epc-closed wire) "the server ended, or closed the connection"))))))

(ert-deftest midflight-epc-message-nobody-can-place-closes ()
  "An error without the number of a call would leave its caller waiting."
  (let (reason)
    (midflight-test-with-peer peer nil
      (midflight-epc-call (midflight-test-peer-wire peer) 'a nil #'ignore
                          (lambda (text) (setq reason text)))
      (midflight-test-peer-send peer (midflight-frame-encode '(epc-error nil "cannot parse")))
      (midflight-test-wait "the failure of the call" (lambda () reason))
      (should (string-match-p "cannot parse" reason)))))

(ert-deftest midflight-epc-call-times-out ()
  "A call with a time limit fails when it passes; its late answer is dropped."
  (let (outcomes)
    (midflight-test-with-peer peer nil
      (let* ((wire (midflight-test-peer-wire peer))
             (uid (midflight-epc-call wire 'slow nil
                                      (lambda (value) (push value outcomes))
                                      (lambda (text) (push text outcomes))
                                      0.01))
             next)
        (midflight-test-wait "the time limit" (lambda () outcomes))
        (midflight-test-peer-send peer (midflight-frame-encode `(return ,uid "late")))
        (setq uid (midflight-epc-call wire 'next nil (lambda (_) (setq next t)) #'ignore))
        (midflight-test-peer-send peer (midflight-frame-encode `(return ,uid t)))
        (midflight-test-wait "the next answer" (lambda () next))
        (should (equal outcomes '("no answer to slow within 0.01 s")))))))

(ert-deftest midflight-epc-quit-ends-a-synchronous-call ()
  "A quit ends the wait, and the answer that comes later is dropped."
  (midflight-test-with-peer peer nil
    (let ((wire (midflight-test-peer-wire peer)))
      (run-at-time 0 nil (lambda () (setq quit-flag t)))
      (should (eq 'quit (condition-case nil
                            (midflight-epc-call-sync wire 'slow nil 20)
                          (quit 'quit))))
      (should (= 0 (hash-table-count (midflight-epc-pending wire)))))))

(ert-deftest midflight-epc-error-of-a-callback-is-shown ()
  "It stops neither the wire nor what comes after."
  (midflight-test-with-peer peer nil
    (let* ((wire (midflight-test-peer-wire peer))
           (inhibit-message t)
           (debug-on-error nil)         ; which ERT sets
           (midflight-test-messages nil)
           done
           (one (midflight-epc-call wire 'a nil (lambda (_) (error "Oh no")) #'ignore))
           (two (midflight-epc-call wire 'b nil (lambda (_) (setq done t)) #'ignore)))
      (advice-add 'message :before #'midflight-test-note-message)
      (unwind-protect
          (progn
            (midflight-test-peer-send peer (concat (midflight-frame-encode `(return ,one t))
                                                   (midflight-frame-encode `(return ,two t))))
            (midflight-test-wait "the second answer" (lambda () done)))
        (advice-remove 'message #'midflight-test-note-message))
      (should (midflight-test-message-p "error in a callback: Oh no")))))

(ert-deftest midflight-epc-large-messages-pass-both-ways ()
  "Two megabytes of text arrive as they were sent."
  (let ((text (concat (make-string 1000000 ?λ) "\"\\\n"))
        got)
    (midflight-test-with-peer peer
        (list :find-handler (lambda (_) (lambda (value) (setq got value))))
      (midflight-test-peer-send peer (midflight-frame-encode `(call 1 push (,text))))
      (midflight-test-wait "the push" (lambda () got))
      (should (equal got text)))))

(ert-deftest midflight-epc-collects-garbage-after-what-somebody-waits-for ()
  "Neither a handler nor a load by its key is stopped amid its work."
  (let ((gc-cons-threshold 400000)
        (gc-cons-percentage 0.1)        ; from Emacs 29 on it is 1.0 in batch
        (collections (progn (garbage-collect) gcs-done)))
    (midflight-collecting-later
      (dotimes (_ 10) (should (make-list 100000 nil)))
      (should (equal gcs-done collections)))
    (dotimes (_ 10) (should (make-list 10 nil)))
    (should (> gcs-done collections)))
  (let (seen)
    (midflight-test-with-peer peer
        (list :find-handler (lambda (_) (lambda (_) (setq seen gc-cons-threshold))))
      (midflight-test-peer-send peer (midflight-frame-encode '(call 1 push (t))))
      (midflight-test-wait "the push" (lambda () seen))
      (should (> seen gc-cons-threshold)))))

(ert-deftest midflight-epc-nobody-at-the-port-closes ()
  "A connection that cannot be made fails like one that is lost."
  (let* ((server (make-network-process :name "nobody" :server t :host "127.0.0.1"
                                       :service t :family 'ipv4 :noquery t))
         (port (process-contact server :service))
         reason)
    (delete-process server)
    (condition-case problem
        (midflight-epc-open "test" port :on-close (lambda (text) (setq reason text)))
      (file-error (setq reason (error-message-string problem))))
    (midflight-test-wait "the close" (lambda () reason))
    (should (string-match-p "no server answers" reason))))

(provide 'midflight-epc-tests)
;;; midflight-epc-tests.el ends here
