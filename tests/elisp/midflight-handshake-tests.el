;;; midflight-handshake-tests.el --- Whom Emacs talks to  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The numbers are those of docs/protocol.md, which the server's own tests
;; compute, too.  A stranger is played by the test: it has got the address of
;; a dead server, and hears and does nothing.

;;; Code:

(require 'midflight-helpers)

(defconst midflight-handshake-tests-server
  (list :socket "/run/user/1000/midflight/ea0135bca5e3bd81/main.sock" :port 40123 :pid 4711
        :cookie "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
  "The server of docs/protocol.md.")

(defconst midflight-handshake-tests-nonces
  '("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100")
  "The client's nonce and the server's, there.")

(ert-deftest midflight-handshake-proofs-are-those-of-the-page ()
  "HMAC-SHA256 with what every Emacs brings."
  (pcase-let ((`(,nonce ,its) midflight-handshake-tests-nonces))
    (should (equal (midflight-handshake-proof "server" midflight-handshake-tests-server nonce its)
                   "1f643553ca7b901b424b166f20b8be5c30be4bf47f3c5c5930117a1586fd7933"))
    (should (equal (midflight-handshake-proof "client" midflight-handshake-tests-server nonce its)
                   "c12dfecef77ab46f8bfe83bad688b8366a5af6f75086f8f78290c9632410bf15"))))

(ert-deftest midflight-handshake-any-difference-is-no-proof ()
  "Another secret, address, process or nonce, and whatever is no answer."
  (pcase-let* ((`(,nonce ,its) midflight-handshake-tests-nonces)
               (server midflight-handshake-tests-server)
               (answer (list its (midflight-handshake-proof "server" server nonce its))))
    (should (midflight-handshake-proved-p server nonce answer))
    (dolist (change (list (list :cookie (make-string 64 ?0)) '(:socket "/tmp/other") '(:pid 4712)))
      (should-not (midflight-handshake-proved-p
                   (apply #'plist-put (copy-sequence server) change) nonce answer)))
    (should-not (midflight-handshake-proved-p server its answer))
    (dolist (wrong (list nil t "text" (list its) (list its nil) (list nil (cadr answer))
                         (list its (midflight-handshake-proof "client" server nonce its))))
      (should-not (midflight-handshake-proved-p server nonce wrong)))))

(ert-deftest midflight-handshake-nonces-are-new ()
  "Sixty-four digits, never the same."
  (let (nonces)
    (dotimes (_ 100)
      (push (midflight-handshake-nonce) nonces))
    (should (cl-every (lambda (nonce) (string-match-p "\\`[0-9a-f]\\{64\\}\\'" nonce)) nonces))
    (should (= (length (delete-dups nonces)) 100))))

(ert-deftest midflight-handshake-is-held-on-the-unix-socket ()
  "That is the way to a real server."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "tally.py" "x = 1\n")
      (midflight-test-load (current-buffer))
      (should (equal (process-contact (midflight-epc-process
                                       (midflight-connection-wire (midflight-connection-of-buffer)))
                                      :service)
                     (plist-get (midflight-rendezvous-server project) :socket))))))

(defun midflight-handshake-tests-stranger (bytes)
  "Let a stranger answer the first message with BYTES; return what it hears.
Fail if Emacs attaches, or does what the stranger asks for."
  (let ((done nil))
    (midflight-test-in-project project
      (with-current-buffer (midflight-test-visit project "a.py" "")
        (midflight-test-call-pretending
         project (lambda (_message _server) bytes)
         (lambda (received)
           (let ((midflight-auto-start 'never)
                 (midflight-connection-handlers
                  (list (cons 'shell/output (lambda (&rest _) (setq done t))))))
             (midflight-server-ensure #'ignore)
             (midflight-test-wait-message "not connected to the server of")
             (should-not (midflight-connection-open-p))
             (should-not done)
             (funcall received))))))))

(ert-deftest midflight-handshake-stranger-hears-a-nonce-only ()
  "Whatever it answers: one message is all that it gets."
  (pcase-dolist (`(,what . ,bytes)
                 (list (cons "all is well" (midflight-frame-encode '(return 0 (:protocol 1))))
                       (cons "a proof made up"
                             (midflight-frame-encode
                              (list 'return 0 (list (make-string 64 ?b) (make-string 64 ?c)))))
                       (cons "a call" (midflight-frame-encode '(call 0 shell/output (1 "text"))))
                       (cons "a refusal" (midflight-frame-encode '(return-error 0 "Send the cookie.")))
                       (cons "HTTP" "HTTP/1.1 400 Bad Request\r\n\r\n")
                       (cons "a large frame" (concat "7fffff" (make-string 100 ?\()))
                       (cons "a reader's trap" "00000a(#1=(#1#))")))
    (ert-info (what)
      (pcase (midflight-handshake-tests-stranger bytes)
        (`((call ,_ hello ("1" ,nonce)))
         (should (string-match-p "\\`[0-9a-f]\\{64\\}\\'" nonce)))
        (heard (ert-fail heard))))))

(ert-deftest midflight-handshake-stranger-is-no-obstacle ()
  "If servers may be started, one is, in place of the dead one."
  (skip-unless (midflight-test-command))
  (midflight-test-in-project project
    (let ((source (midflight-test-visit project "tally.py" "x = 1\n"))
          (heard nil))
      (midflight-test-call-pretending
       project (lambda (_message _server) (midflight-frame-encode '(return 0 t)))
       (lambda (received)
         (should (string-match-p "\\`tally v1 loaded" (midflight-test-load source)))
         (setq heard (funcall received))
         (midflight-test-close-all)
         (midflight-test-stop-servers)))
      (should (equal (mapcar #'caddr heard) '(hello))))))

(ert-deftest midflight-handshake-refusal-is-in-the-server-s-words ()
  "A server of another protocol says so in its answer to hello."
  (midflight-test-in-project project
    (with-current-buffer (midflight-test-visit project "a.py" "")
      (midflight-test-call-pretending
       project
       (lambda (message _server)
         (midflight-frame-encode (list 'return-error (cadr message)
                                       "The server speaks protocol 2, this program 1")))
       (lambda (_)
         (midflight-server-ensure #'ignore)
         (midflight-test-wait-message "The server speaks protocol 2, this program 1\\'")
         (should-not (midflight-connection-open-p)))))))

(provide 'midflight-handshake-tests)
;;; midflight-handshake-tests.el ends here
