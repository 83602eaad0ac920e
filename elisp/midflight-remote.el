;;; midflight-remote.el --- Servers on other machines  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, comm
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A server on another machine, for a project that is visited by TRAMP.  The user
;; attaches to it with `midflight-connect'; nothing else looks at that machine:
;;
;; 1. TRAMP runs a small shell script there, which prints the file of the
;;    server, if it and the runtime folder belong to the user alone.
;; 2. ssh forwards a socket in the runtime folder here to that of the server.
;; 3. The server proves itself, and Emacs does, as for one on this machine.
;;
;; The server must run there already.  ssh must get in without a question, by a
;; key or an agent.  A method of TRAMP that stays on this machine needs no ssh.

;;; Code:

(require 'json)
(require 'subr-x)
(require 'tramp)
(require 'midflight-util)
(require 'midflight-rendezvous)

(defconst midflight-remote--ssh-methods '("ssh" "sshx" "scp" "scpx" "rsync" "sshfs")
  "The methods of TRAMP that reach a machine by ssh.")

(defconst midflight-remote--seconds 15
  "The most seconds that ssh may take to forward the socket.")

(defconst midflight-remote--script
  "for top in \"$MIDFLIGHT_RUNTIME_DIR\" \"${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/midflight}\" \
\"/run/user/$(id -u)/midflight\" \"/tmp/midflight-$(id -u)\"; do
  [ -n \"$top\" ] && [ -f \"$top/$1/main.json\" ] || continue
  [ -O \"$top\" ] && [ -O \"$top/$1\" ] && [ -O \"$top/$1/main.json\" ] || exit 4
  case $(ls -ldn \"$top\") in d???------*) ;; *) exit 4 ;; esac
  cat \"$top/$1/main.json\"
  exit 0
done
exit 3
"
  "A script for the other machine, whose argument is the key of a project.
It prints the file of the server.  It ends with 3 if there is none, with 4
if other users can have written it.")

(defvar midflight-remote--forwards nil
  "Alist of roots and the processes of ssh that forward for them.")

(defun midflight-remote-find-root (file)
  "Return the root of the project of FILE, on another machine, without a slash.
This asks that machine."
  (let ((folder (if (file-directory-p file) file (file-name-directory file))))
    (directory-file-name
     (file-truename (or (locate-dominating-file folder "pyproject.toml")
                        (locate-dominating-file folder ".git")
                        folder)))))

(defun midflight-remote--server (root)
  "Return the server of ROOT, on another machine, as a plist.
Signal `user-error' if there is none that can be trusted."
  (let* ((default-directory (file-name-as-directory root))
         (key (midflight-rendezvous-key (file-remote-p root 'localname)))
         (json-object-type 'plist)
         (json-null nil))
    (with-temp-buffer
      (pcase (process-file "/bin/sh" nil '(t nil) nil "-c" midflight-remote--script "sh" key)
        (0 (goto-char (point-min))
           (let ((server (ignore-errors (json-read))))
             (unless (and (equal (plist-get server :root) (file-remote-p root 'localname))
                          (stringp (plist-get server :socket))
                          (string-match-p "\\`[0-9a-f]\\{64\\}\\'" (or (plist-get server :cookie) "")))
               (midflight-user-error
                "The file of the server of %s is not one; no connection was made; stop that server there (midflight stop), and start it again"
                root))
             server))
        (4 (midflight-user-error
            "The file of the server of %s can be written by other users there; no connection was made; make its folder yours alone (chmod go-rwx)"
            root))
        (_ (midflight-user-error
            "No server runs for %s; nothing was done; start one there: midflight serve --detach" root))))))

(defun midflight-remote-reach (root callback error-callback)
  "Make the server of ROOT, on another machine, reachable from here.
Call CALLBACK with the plist of the server, whose :reach is the socket to
connect to, or ERROR-CALLBACK with a string.  Signal `user-error' if there is
no such server.  This waits for TRAMP; \\`C-g' ends it."
  (let* ((server (midflight-remote--server root))
         (socket (plist-get server :socket))
         (parts (tramp-dissect-file-name root)))
    (cond ((member (tramp-file-name-method parts) midflight-remote--ssh-methods)
           (when (tramp-file-name-hop parts)
             (midflight-user-error
              "%s is reached through another machine; no connection was made; name that in ~/.ssh/config (ProxyJump) instead"
              root))
           (midflight-remote--forward root parts server callback error-callback))
          ((equal (tramp-file-name-host parts) (system-name))
           (funcall callback (append (list :reach socket) server)))
          (t (midflight-user-error
              "A server is reached by ssh, and not by the method %s; no connection was made; visit the project by ssh"
              (tramp-file-name-method parts))))))

(defun midflight-remote--command (parts here there)
  "Return the command that forwards the socket HERE to THERE on the host of PARTS."
  (append (list "ssh" "-N" "-T" "-o" "BatchMode=yes" "-o" "ExitOnForwardFailure=yes"
                "-o" "StreamLocalBindUnlink=yes" "-o" "StreamLocalBindMask=0177"
                "-o" "ServerAliveInterval=15")
          (when (tramp-file-name-user parts)
            (list "-l" (tramp-file-name-user parts)))
          (when (tramp-file-name-port parts)
            (list "-p" (format "%s" (tramp-file-name-port parts))))
          (list "-L" (concat here ":" there) (tramp-file-name-host parts))))

(defun midflight-remote--forward (root parts server callback error-callback)
  "Let ssh forward to SERVER of ROOT on the host of PARTS.
CALLBACK and ERROR-CALLBACK are as in `midflight-remote-reach'."
  (midflight-remote-release root)
  (let* ((folder (midflight-rendezvous-folder))
         (here (expand-file-name (concat "far-" (midflight-rendezvous-key root)) folder))
         (default-directory "/")
         (output (generate-new-buffer " *midflight-ssh*"))
         (deadline (+ (float-time) midflight-remote--seconds))
         process)
    (with-file-modes #o700
      (make-directory folder t))
    (when (file-exists-p here)
      (delete-file here))
    (setq process (make-process :name "midflight-ssh" :buffer output :noquery t :connection-type 'pipe
                                :sentinel #'ignore
                                :command (midflight-remote--command parts here (plist-get server :socket))))
    (push (cons root process) midflight-remote--forwards)
    (midflight-remote--await
     process here deadline
     (lambda () (funcall callback (append (list :reach here) server)))
     (lambda (why)
       (midflight-remote-release root)
       (funcall error-callback why)))))

(defun midflight-remote--await (process here deadline callback error-callback)
  "Call CALLBACK when PROCESS, of ssh, has made the socket HERE.
Call ERROR-CALLBACK with the reason if it ends before, or at DEADLINE."
  (cond ((not (process-live-p process))
         (funcall error-callback
                  (format "ssh did not get in without a question: %s; give it a key or an agent"
                          (with-current-buffer (process-buffer process)
                            (string-trim (buffer-string))))))
        ((file-exists-p here) (funcall callback))
        ((> (float-time) deadline)
         (funcall error-callback (format "ssh has not answered within %s s" midflight-remote--seconds)))
        (t (run-at-time 0.05 nil #'midflight-remote--await
                        process here deadline callback error-callback))))

(defun midflight-remote-release (root)
  "End the forwarding for ROOT, if there is any."
  (let ((process (cdr (assoc root midflight-remote--forwards))))
    (when process
      (setq midflight-remote--forwards (assoc-delete-all root midflight-remote--forwards))
      (let ((buffer (process-buffer process)))
        (delete-process process)
        (when (buffer-live-p buffer)
          (kill-buffer buffer))))))

(provide 'midflight-remote)
;;; midflight-remote.el ends here
