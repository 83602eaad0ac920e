;;; midflight-handshake.el --- The proofs that both ends have the cookie  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: comm
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The computations of the handshake.  midflight-connection.el sends its two
;; requests:
;;
;;     (call 0 hello ("1" "OUR-NONCE"))
;;     (return 0 ("ITS-NONCE" "ITS-PROOF"))
;;     (call 1 prove ("OUR-PROOF"))
;;
;; A proof is HMAC-SHA256 with the cookie as its key.  So a program that has
;; taken the address of a dead server learns nothing: before it has proved
;; itself, it gets only a nonce.  docs/protocol.md has an example.

;;; Code:

(require 'rfc2104)
(require 'subr-x)
(require 'midflight-epc)

(defconst midflight-handshake-answers
  (concat "\\`(return [0-9]\\{1,9\\} (\"[0-9a-f]\\{32,128\\}\" \"[0-9a-f]\\{64\\}\"))\n?\\'"
          "\\|\\`(return-error [0-9]\\{1,9\\} \"\\(?:[^\"\\]\\|\\\\.\\)*\")\n?\\'")
  "Regexp for the messages of a server that has not yet proved itself.")

(defvar midflight-handshake--count 0
  "The number of nonces made so far.")

(defun midflight-handshake-nonce ()
  "Return 64 random hex digits, to be used once."
  (setq midflight-handshake--count (1+ midflight-handshake--count))
  (secure-hash 'sha256
               (format "%S" (list (emacs-pid) (current-time) midflight-handshake--count
                                  (random t) (random) (random) (random)
                                  ;; Random bytes from GnuTLS, if Emacs is built with it.
                                  (ignore-errors (secure-hash 'sha256 '(iv-auto 32)))))))

(defun midflight-handshake-address (server)
  "Return the address of SERVER, the path of a Unix socket or a port.
SERVER is a plist of `midflight-rendezvous-server'."
  (or (and (midflight-epc-unix-sockets-p)
           (plist-get server :socket))
      (plist-get server :port)))

(defun midflight-handshake-proof (word server nonce its-nonce)
  "Return the proof of WORD, \"server\" or \"client\".
SERVER is a plist of `midflight-rendezvous-server', NONCE ours and
ITS-NONCE the server's."
  (let ((address (midflight-handshake-address server)))
    (rfc2104-hash (lambda (bytes) (secure-hash 'sha256 bytes)) 64 32
                  (plist-get server :cookie)
                  (encode-coding-string
                   (string-join (list word nonce its-nonce
                                      (if (stringp address)
                                          address
                                        (format "127.0.0.1:%d" address))
                                      (number-to-string (plist-get server :pid)))
                                "\n")
                   'utf-8-unix t))))

(defun midflight-handshake-proved-p (server nonce answer)
  "Return non-nil if ANSWER to NONCE has the proof of SERVER in it."
  (pcase answer
    (`(,(and (pred stringp) its-nonce) ,(and (pred stringp) proof))
     (equal proof (midflight-handshake-proof "server" server nonce its-nonce)))))

(defun midflight-handshake-mismatch (info version protocol)
  "Return the reason why a server of another protocol is unusable, with advice.
INFO is the server's description of itself; VERSION and PROTOCOL are those
of this package."
  (let ((theirs (plist-get info :protocol)))
    (if (and (integerp theirs) (< theirs protocol))
        (format "the server is older than this Emacs package: it is Midflight %s with protocol %s, the package is %s with protocol %d; update Midflight in the project (python -m pip install -U midflight), stop the server (midflight stop), and load again"
                (plist-get info :version) theirs version protocol)
      (format "the server is newer than this Emacs package: it is Midflight %s with protocol %s, the package is %s with protocol %d; update the package midflight in Emacs, or install Midflight %s in the project and start its server again"
              (plist-get info :version) theirs version protocol version))))

(provide 'midflight-handshake)
;;; midflight-handshake.el ends here
