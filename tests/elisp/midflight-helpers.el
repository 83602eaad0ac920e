;;; midflight-helpers.el --- What the tests in elisp share  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Waiting is always for something that has a name, with a deadline; when that
;; passes, the test fails with the name, the messages and the shell buffers.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'midflight)

(defvar midflight-test-root
  (expand-file-name "../.." (file-name-directory (or load-file-name buffer-file-name)))
  "The repository.")

(defvar midflight-test-messages nil
  "What `message' showed since the test began, newest first.")

(defun midflight-test-note-message (format &rest args)
  "Keep the text of FORMAT and ARGS, which `message' is about to show."
  (when format
    (push (apply #'format-message format args) midflight-test-messages)))

;;;; Waiting

(defun midflight-test-buffers ()
  "Return the text of the shells and of the report, for a failure."
  (mapconcat (lambda (buffer)
               (with-current-buffer buffer
                 (if (derived-mode-p 'midflight-shell-mode 'midflight-report-mode)
                     (format "---- %s\n%s\n" (buffer-name) (buffer-string))
                   "")))
             (buffer-list) ""))

(defun midflight-test-wait (what predicate &optional seconds)
  "Wait until PREDICATE returns non-nil, and return that.
WHAT is its name; the test fails if it does not come within SECONDS."
  (let ((deadline (+ (float-time) (or seconds 20)))
        value)
    (while (not (or (setq value (funcall predicate))
                    (> (float-time) deadline)))
      (accept-process-output nil 0.02))
    (unless value
      (ert-fail (format "waited in vain for: %s\nmessages:\n%s\n%s" what
                        (mapconcat #'identity (reverse midflight-test-messages) "\n")
                        (midflight-test-buffers))))
    value))

(defun midflight-test-message-p (regexp)
  "Return non-nil if a message that matches REGEXP was shown."
  (cl-some (lambda (text) (string-match-p regexp text)) midflight-test-messages))

(defun midflight-test-wait-message (regexp)
  "Wait for a message that matches REGEXP."
  (midflight-test-wait (format "a message like %S" regexp)
                       (lambda () (midflight-test-message-p regexp))))

;;;; A project of its own

(defun midflight-test-command ()
  "Return the midflight program to test with, or nil."
  (or (getenv "MIDFLIGHT_TEST_COMMAND")
      (let ((own (expand-file-name ".venv/bin/midflight" midflight-test-root)))
        (and (file-executable-p own) own))
      (executable-find "midflight")))

(defun midflight-test-stop-servers ()
  "Stop every server in the runtime folder of the test."
  (dolist (root (midflight-rendezvous-roots))
    (let* ((server (midflight-rendezvous-server root))
           (pid (plist-get server :pid)))
      (when pid
        (signal-process pid 'SIGTERM)
        (midflight-test-wait (format "the end of server process %d" pid)
                             (lambda () (not (midflight-rendezvous-alive-p pid))))))))

(defun midflight-test-close-all ()
  "Close all connections and kill all buffers of Midflight."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (or (derived-mode-p 'midflight-shell-mode 'midflight-report-mode)
                (string-match-p "\\` ?\\*midflight[- ]" (buffer-name))
                midflight-version-source-mode
                (and buffer-file-name midflight-mode))
        (set-buffer-modified-p nil)
        (let ((midflight-shell-history-file nil))
          (kill-buffer buffer)))))
  (pcase-dolist (`(,_ . ,connection) midflight-connection-all)
    (when (midflight-connection-wire connection)
      (midflight-epc-close (midflight-connection-wire connection) "the test is over")))
  (accept-process-output nil 0)
  (setq midflight-connection-all nil
        midflight-epc-log-function nil
        midflight-log--roots nil))

(defun midflight-test-call-in-project (body)
  "Call BODY with the folder of a new project, its own runtime folder in force."
  (let* ((folder (file-truename (make-temp-file "midflight-test" t)))
         (project (expand-file-name "counter-project" folder))
         (process-environment
          (append (list (concat "MIDFLIGHT_RUNTIME_DIR=" (expand-file-name "run" folder))
                        ;; What a server that is killed leaves behind, goes too.
                        (concat "TMPDIR=" folder))
                  process-environment))
         (midflight-command (midflight-test-command))
         (midflight-auto-start 'always)
         (midflight-save-before-load nil)
         (midflight-shell-history-file (expand-file-name "history" folder))
         (midflight-test-messages nil)
         (inhibit-message t)
         (default-directory folder))
    (make-directory project)
    (write-region "[project]\nname = \"counter-project\"\n" nil
                  (expand-file-name "pyproject.toml" project) nil 'silent)
    (advice-add 'message :before #'midflight-test-note-message)
    (unwind-protect
        (funcall body project)
      (unwind-protect
          (progn (midflight-test-close-all)
                 (midflight-test-stop-servers))
        (advice-remove 'message #'midflight-test-note-message)
        (delete-directory folder t)))))

(defmacro midflight-test-in-project (project &rest body)
  "Run BODY with the symbol PROJECT bound to the folder of a new project."
  (declare (indent 1) (debug (symbolp body)))
  `(midflight-test-call-in-project (lambda (,project) ,@body)))

(defun midflight-test-visit (project name text)
  "Write TEXT to the file NAME of PROJECT; return a buffer that visits it."
  (let ((file (expand-file-name name project)))
    (write-region text nil file nil 'silent)
    (with-current-buffer (find-file-noselect file)
      (midflight-mode 1)
      (current-buffer))))

;;;; What a person does, by the keys that are bound to it

(defun midflight-test-press (keys)
  "Call the command that KEYS are bound to in the current buffer."
  (call-interactively (key-binding (kbd keys))))

(defun midflight-test-shell (project)
  "Return the shell buffer of PROJECT, once it has a prompt."
  (midflight-test-wait
   "a shell with a prompt"
   (lambda ()
     (let ((shell (midflight-shell-of project)))
       (and shell
            (eq (buffer-local-value 'midflight-shell-session-state shell) 'ready)
            shell)))))

(defun midflight-test-transcript (shell)
  "Return the text of SHELL."
  (with-current-buffer shell
    (buffer-substring-no-properties (point-min) (point-max))))

(defun midflight-test-type (shell text)
  "Type TEXT and RET into SHELL; wait for the prompt; return what was added."
  (with-current-buffer shell
    (goto-char (point-max))
    (let ((start (point)))
      (insert text)
      (midflight-test-press "RET")
      (midflight-test-wait (format "the prompt after %S" text)
                           (lambda () (eq midflight-shell-session-state 'ready)))
      (buffer-substring-no-properties (min start (point-max)) (point-max)))))

(defun midflight-test-load (source)
  "Load the buffer SOURCE by its key; return the message of the report."
  (setq midflight-test-messages nil)
  (with-current-buffer source
    (midflight-test-press "C-c C-k"))
  (midflight-test-wait "the report of a load"
                       (lambda ()
                         (cl-find-if (lambda (text)
                                       (string-match-p "\\`[a-z]+ \\(v[0-9]+\\|not\\) loaded" text))
                                     midflight-test-messages))))

(defun midflight-test-server-pid (project)
  "Return the process id of the server of PROJECT."
  (plist-get (midflight-rendezvous-server project) :pid))

;;;; A server played by the test

(defun midflight-test-publish (root &rest changes)
  "Write the file of a server of ROOT that runs in this very Emacs.
CHANGES are elements of main.json other than usual.  Return its folder."
  (let ((folder (expand-file-name (midflight-rendezvous-key root)
                                  (midflight-rendezvous-folder)))
        (server (list :name "main" :port 4711 :socket nil :pid (emacs-pid) :root root
                      :protocol 1 :version "0.1.0" :cookie (make-string 64 ?a))))
    (while changes
      (setq server (plist-put server (pop changes) (pop changes))))
    (with-file-modes #o700
      (make-directory folder t))
    (with-file-modes #o600
      (write-region (json-encode server) nil (expand-file-name "main.json" folder) nil 'silent))
    folder))

(defun midflight-test-call-pretending (project answer body)
  "Call BODY while a server of PROJECT answers each message with ANSWER.
ANSWER is called with the message and the server as a plist; it returns
the bytes to send, or nil.  BODY is called with a function that returns
what the server has received, oldest message first."
  (let* ((received nil)
         (buffer (generate-new-buffer " *pretender*"))
         server
         (listener (make-network-process
                    :name "pretender" :server t :host "127.0.0.1" :service t :family 'ipv4
                    :coding 'binary :noquery t
                    :filter (lambda (process bytes)
                              (with-current-buffer buffer
                                (goto-char (point-max))
                                (insert bytes)
                                (let (message)
                                  (while (setq message (midflight-frame-take))
                                    (push message received)
                                    (let ((said (funcall answer message server)))
                                      (when said
                                        (process-send-string process said)))))))))
         (port (process-contact listener :service)))
    (with-current-buffer buffer
      (set-buffer-multibyte nil))
    (midflight-test-publish project :port port)
    (setq server (midflight-rendezvous-server project))
    (unwind-protect
        (funcall body (lambda () (reverse received)))
      (delete-process listener)
      (kill-buffer buffer)
      (delete-directory (expand-file-name (midflight-rendezvous-key project)
                                          (midflight-rendezvous-folder))
                        t))))

(defun midflight-test-greeting (info)
  "Return an ANSWER of a right server that says INFO of itself."
  (lambda (message server)
    (pcase message
      (`(call ,uid hello (,_ ,nonce))
       (let ((own (make-string 64 ?b)))
         (midflight-frame-encode
          (list 'return uid (list own (midflight-handshake-proof "server" server nonce own))))))
      (`(call ,uid prove ,_) (midflight-frame-encode (list 'return uid info))))))

;;;; A peer for the plumbing

(cl-defstruct midflight-test-peer
  "The other end of a wire, played by the test itself."
  server client (received "") wire)

(defun midflight-test-peer-start (&rest options)
  "Return a peer that listens and a wire, opened with OPTIONS, that reached it."
  (let* ((peer (make-midflight-test-peer))
         (open nil))
    (setf (midflight-test-peer-server peer)
          (make-network-process
           :name "peer" :server t :host "127.0.0.1" :service t :family 'ipv4
           :coding 'binary :noquery t
           :sentinel (lambda (process event)
                       (when (string-prefix-p "open" event)
                         (setf (midflight-test-peer-client peer) process)))
           :filter (lambda (_process bytes)
                     (setf (midflight-test-peer-received peer)
                           (concat (midflight-test-peer-received peer) bytes)))))
    (setf (midflight-test-peer-wire peer)
          (apply #'midflight-epc-open "test"
                 (process-contact (midflight-test-peer-server peer) :service)
                 :on-open (lambda () (setq open t))
                 options))
    (midflight-test-wait "the connection of the peer"
                         (lambda () (and open (midflight-test-peer-client peer))))
    peer))

(defun midflight-test-peer-send (peer bytes)
  "Let PEER send BYTES, a unibyte string."
  (process-send-string (midflight-test-peer-client peer) bytes))

(defun midflight-test-peer-stop (peer)
  "End PEER and its wire."
  (midflight-epc-close (midflight-test-peer-wire peer) "the test is over")
  (dolist (process (list (midflight-test-peer-client peer) (midflight-test-peer-server peer)))
    (when process
      (set-process-sentinel process #'ignore)
      (delete-process process)))
  (accept-process-output nil 0))

(defmacro midflight-test-with-peer (peer options &rest body)
  "Run BODY with PEER bound to a peer whose wire was opened with OPTIONS."
  (declare (indent 2) (debug (symbolp form body)))
  `(let ((,peer (apply #'midflight-test-peer-start ,options)))
     (unwind-protect (progn ,@body)
       (midflight-test-peer-stop ,peer))))

(defun midflight-test-stop (pid)
  "Stop the operating system's process PID, and wait until it stands."
  (signal-process pid 'SIGSTOP)
  (midflight-test-wait "the process to stand"
                       (lambda () (equal (alist-get 'state (process-attributes pid)) "T"))))

(provide 'midflight-helpers)
;;; midflight-helpers.el ends here
