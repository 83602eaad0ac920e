;;; midflight-remote-tests.el --- Servers on other machines  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A project visited by TRAMP and attached with `midflight-connect': by a method
;; that stays on this machine, and by ssh if an sshd is installed.

;;; Code:

(require 'midflight-helpers)
(require 'tramp)
(require 'tramp-sh)

(ert-deftest midflight-remote-names-are-changed-at-the-wire ()
  "Those in property lists, at any depth; and nothing for a server of this machine."
  (should (equal (midflight-remote-names-incoming
                  "/ssh:h:/p" '((:path "/p/a.py" :line 3 :text "/p/a.py") (:file nil :name "x" :path "rel")))
                 '((:path "/ssh:h:/p/a.py" :line 3 :text "/p/a.py") (:file nil :name "x" :path "rel"))))
  (should (equal (midflight-remote-names-outgoing "/ssh:h:/p" '("/ssh:h:/p/a.py" nil (:file "/ssh:h:/p/b.py") "text"))
                 '("/p/a.py" nil (:file "/p/b.py") "text")))
  (let ((value (list :path "/p/a.py")))
    (should (eq (midflight-remote-names-incoming "/p" value) value))
    (should (eq (midflight-remote-names-outgoing "/p" value) value)))
  (should (equal (midflight-remote-names-root "/ssh:h:/p/a/b.py" '("/p" "/ssh:h:/pq" "/ssh:h:/p")) "/ssh:h:/p"))
  (should-not (midflight-remote-names-root "/p/a.py" '("/p"))))

(defun midflight-remote-tests-day (source prefix file)
  "Load SOURCE, which visits FILE behind PREFIX; go to a definition and a crash."
  (with-current-buffer source
    (midflight-mode 1)
    (should-error (midflight-test-press "C-c C-k") :type 'user-error)
    (call-interactively #'midflight-connect)
    (midflight-test-wait "the connection" #'midflight-connection-open-p)
    (should (equal (midflight-connection-lighter) " Midflight[counter-project]"))
    (midflight-test-press "C-c C-z")
    (let ((shell (midflight-test-shell (concat prefix (directory-file-name (file-name-directory file))))))
      (midflight-test-load source)
      (should (string-match-p "'v1'" (midflight-test-type shell "far.name()")))
      (with-current-buffer source
        (goto-char (point-min))
        (search-forward "v1")
        (replace-match "v2"))
      (should (string-match-p "v2 loaded" (midflight-test-load source)))
      (should (string-match-p "'v2'" (midflight-test-type shell "far.name()")))
      (with-current-buffer source
        (let ((places (xref-backend-definitions 'midflight "name")))
          (should (equal (midflight-xref-spot-path
                          (midflight-xref-location-place (xref-item-location (car places))))
                         (concat prefix file))))
        (goto-char (point-max))
        (insert "def broken(:\n")
        (setq midflight-test-messages nil)
        (midflight-test-press "C-c C-k")
        (midflight-test-wait-message "far not loaded")
        (midflight-test-wait "the diagnostic" #'flymake-diagnostics)
        (delete-region (line-beginning-position 0) (point-max)))
      (midflight-test-type shell "spawn(far.crash)")
      (midflight-test-wait-message "crashed: ZeroDivisionError")
      (let ((crash (midflight-test-wait
                    "the crash" (lambda ()
                                  (cl-find-if (lambda (buffer)
                                                (with-current-buffer buffer
                                                  (and (derived-mode-p 'midflight-crash-mode)
                                                       (> (buffer-size) 0))))
                                              (buffer-list))))))
        (save-window-excursion
          (with-current-buffer crash
            (should (string-match-p (regexp-quote (concat prefix file)) (buffer-string)))
            (midflight-crash-source))
          (midflight-test-wait "the line of the crash"
                               (lambda ()
                                 (with-current-buffer source
                                   (save-excursion
                                     (beginning-of-line)
                                     (looking-at-p ".*1 / 0")))))))
      (with-current-buffer source
        (set-buffer-modified-p nil)
        (midflight-quit)))))

(defun midflight-remote-tests-call (with-prefix body)
  "Serve a project here; call BODY with a buffer of it, its prefix, and its file.
WITH-PREFIX calls its argument with that prefix."
  (midflight-test-in-project project
    (let* ((file (expand-file-name "far.py" project))
           (tramp-verbose 0)
           (default-directory project))
      (write-region "def name():\n    return 'v1'\n\n\ndef crash():\n    1 / 0\n" nil file nil 'silent)
      (should (eql 0 (process-file (car (midflight-environment-command project)) nil nil nil
                                   "serve" "--detach" "--root" project)))
      (funcall with-prefix
               (lambda (prefix)
                 (let ((source (find-file-noselect (concat prefix file))))
                   (unwind-protect (funcall body source prefix file)
                     (when (buffer-live-p source)
                       (with-current-buffer source
                         (set-buffer-modified-p nil))
                       (kill-buffer source))
                     (tramp-cleanup-all-connections))))))))

(ert-deftest midflight-remote-project-is-worked-on ()
  "Loads, definitions, errors and crashes of a project behind a method of TRAMP."
  (skip-unless (midflight-test-command))
  (let* ((tramp-methods (cons '("mock" (tramp-login-program "sh") (tramp-login-args (("-i")))
                                (tramp-remote-shell "/bin/sh") (tramp-remote-shell-args ("-c"))
                                (tramp-connection-timeout 10))
                              tramp-methods)))
    (midflight-remote-tests-call
     (lambda (function) (funcall function (format "/mock:%s:" (system-name))))
     #'midflight-remote-tests-day)))

(defun midflight-remote-tests-ssh (body)
  "Call BODY with the prefix of this machine by ssh, through an sshd of its own."
  (let* ((folder (make-temp-file "midflight-sshd" t))
         (name (lambda (file) (expand-file-name file folder)))
         (port (let ((process (make-network-process :name "port" :server t :host "127.0.0.1" :family 'ipv4
                                                    :service t :noquery t)))
                 (prog1 (process-contact process :service)
                   (delete-process process))))
         (path (getenv "PATH"))
         sshd)
    (unwind-protect
        (progn
          (dolist (key '("host" "own"))
            (call-process "ssh-keygen" nil nil nil "-q" "-t" "ed25519" "-N" "" "-f" (funcall name key)))
          (copy-file (funcall name "own.pub") (funcall name "authorized"))
          (write-region (format "Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\n%s"
                                port (funcall name "host") (funcall name "authorized")
                                (format "SetEnv MIDFLIGHT_RUNTIME_DIR=%s\n" (getenv "MIDFLIGHT_RUNTIME_DIR")))
                        nil (funcall name "sshd_config") nil 'silent)
          ;; An ssh that knows the host and the key, and looks at no settings of the user.
          (write-region (format "#!/bin/sh\nexec %s -F none -i %s -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \"$@\"\n"
                                (executable-find "ssh") (funcall name "own"))
                        nil (funcall name "ssh") nil 'silent)
          (set-file-modes (funcall name "ssh") #o700)
          (make-directory "/run/sshd" t)
          (setq sshd (make-process :name "sshd" :noquery t :connection-type 'pipe
                                   :buffer (generate-new-buffer " *sshd*")
                                   :command (list "/usr/sbin/sshd" "-D" "-e" "-f" (funcall name "sshd_config"))))
          (midflight-test-wait "the sshd"
                               (lambda ()
                                 (with-current-buffer (process-buffer sshd)
                                   (string-match-p "listening" (buffer-string)))))
          (let ((exec-path (cons folder exec-path))
                (tramp-use-ssh-controlmaster-options nil)
                (process-environment (cons (format "PATH=%s:%s" folder path) process-environment)))
            (funcall body (format "/ssh:127.0.0.1#%d:" port))))
      (when sshd
        (delete-process sshd)
        (kill-buffer (process-buffer sshd)))
      (delete-directory folder t))))

(ert-deftest midflight-remote-project-is-worked-on-by-ssh ()
  "The same through an sshd on this machine; then without a server there."
  (skip-unless (and (midflight-test-command) (file-executable-p "/usr/sbin/sshd") (eql (user-uid) 0)))
  (midflight-remote-tests-call
   #'midflight-remote-tests-ssh
   (lambda (source prefix file)
     (midflight-remote-tests-day source prefix file)
     (midflight-test-wait "the end of ssh" (lambda () (not midflight-remote--forwards)))
     (midflight-test-stop-servers)
     (with-current-buffer source
       (should (string-match-p "No server runs for .*midflight serve --detach"
                               (cadr (should-error (call-interactively #'midflight-connect)
                                                   :type 'user-error))))))))

(provide 'midflight-remote-tests)
;;; midflight-remote-tests.el ends here
