;;; midflight-rendezvous.el --- Where a project's server is found  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, files
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; How an editor finds the server of a file, the same rule as the server's:
;;
;; 1. The project root is the nearest ancestor with a pyproject.toml, else the
;;    nearest with a .git, else the folder of the file; symbolic links resolved.
;; 2. The runtime folder of the user has one folder for each root, named by
;;    the first 16 hex digits of the SHA-256 of the root.
;; 3. In it the server keeps server.json (port, pid, root, protocol, version)
;;    and the cookie, the secret that lets a connection in.
;;
;; This file only reads.  A folder or cookie that other users could have
;; written or can read is an error, never a warning: who controls the port
;; in there gets the text of the buffers.

;;; Code:

(require 'json)
(require 'midflight-epc)

(defun midflight-rendezvous-root (file)
  "Return the root of the project of FILE, a file or folder, as a folder name.
It has no slash at its end, and no symbolic link in it."
  (when (file-remote-p file)
    (midflight-user-error
     "%s is on another machine, and a server is found by files of this one; nothing was done; run Emacs there, or edit a local copy"
     file))
  (let* ((true (file-truename (expand-file-name file)))
         (folder (if (file-directory-p true)
                     true
                   (file-name-directory true))))
    (directory-file-name
     (expand-file-name (or (locate-dominating-file folder "pyproject.toml")
                           (locate-dominating-file folder ".git")
                           folder)))))

(defun midflight-rendezvous-key (root)
  "Return the name of the folder of ROOT within the runtime folder."
  (substring (secure-hash 'sha256 (encode-coding-string root 'utf-8-unix t)) 0 16))

(defun midflight-rendezvous-folder ()
  "Return the runtime folder of this user."
  (let ((own (getenv "MIDFLIGHT_RUNTIME_DIR"))
        (session (getenv "XDG_RUNTIME_DIR")))
    (cond ((not (member own '(nil ""))) (expand-file-name own))
          ((not (member session '(nil ""))) (expand-file-name "midflight" session))
          (t (format "/tmp/midflight-%d" (user-uid))))))

(defun midflight-rendezvous--check-private (file)
  "Signal `user-error' unless FILE belongs to the user alone."
  (let ((attributes (file-attributes file 'integer)))
    (unless (and attributes
                 (eql (file-attribute-user-id attributes) (user-uid))
                 (string-match-p "\\`.\\(?:...\\)------\\'"
                                 (file-attribute-modes attributes)))
      (midflight-user-error
       "%s can be read or written by other users; no connection was made; remove it, or make it yours alone (chmod go-rwx)"
       file))))

(defun midflight-rendezvous--read-file (file)
  "Return the text of FILE, or nil if it cannot be read."
  (ignore-errors
    (with-temp-buffer
      (insert-file-contents file)
      (buffer-string))))

(defun midflight-rendezvous-alive-p (pid)
  "Return non-nil if the operating system has a process PID of this user."
  (and (integerp pid) (> pid 0) (eql 0 (signal-process pid 0))
       ;; Dead, but nobody has asked how it ended: so in many a container.
       (not (equal (alist-get 'state (process-attributes pid)) "Z"))))

(defun midflight-rendezvous--read (folder)
  "Return the server.json in FOLDER as a plist, nil for no live server."
  (let* ((text (midflight-rendezvous--read-file (expand-file-name "server.json" folder)))
         (json-object-type 'plist)
         (server (and text (ignore-errors (json-read-from-string text)))))
    (when (and (consp server)
               (integerp (plist-get server :port))
               (midflight-rendezvous-alive-p (plist-get server :pid)))
      server)))

(defun midflight-rendezvous-server (root)
  "Return the running server of ROOT as its files describe it, or nil.
The value is a plist with :port, :pid, :root, :protocol, :version and
:cookie.  A server whose process is dead counts as none.  Signal
`user-error' if the files are not the user's alone."
  (let* ((top (midflight-rendezvous-folder))
         (folder (expand-file-name (midflight-rendezvous-key root) top))
         (cookie (expand-file-name "cookie" folder)))
    (when (file-directory-p folder)
      (midflight-rendezvous--check-private top)
      (midflight-rendezvous--check-private folder)
      (let ((server (midflight-rendezvous--read folder)))
        (when (and server (file-exists-p cookie))
          (midflight-rendezvous--check-private cookie)
          (append (list :cookie (string-trim (or (midflight-rendezvous--read-file cookie) "")))
                  server))))))

(defun midflight-rendezvous-published-p (root)
  "Return non-nil if the files of a server of ROOT are there, alive or not."
  (file-exists-p (expand-file-name (concat (midflight-rendezvous-key root) "/server.json")
                                   (midflight-rendezvous-folder))))

(defun midflight-rendezvous-roots ()
  "Return the roots of all projects that have a running server, sorted."
  (let ((top (midflight-rendezvous-folder))
        roots)
    (when (file-directory-p top)
      (dolist (folder (directory-files top t "\\`[0-9a-f]\\{16\\}\\'" t))
        (let ((root (plist-get (midflight-rendezvous--read folder) :root)))
          (when (stringp root)
            (push root roots)))))
    (sort roots #'string<)))

(defun midflight-rendezvous-log (root)
  "Return the name of the file in which a detached server of ROOT writes its log."
  (expand-file-name (concat (midflight-rendezvous-key root) "/server.log")
                    (midflight-rendezvous-folder)))

(provide 'midflight-rendezvous)
;;; midflight-rendezvous.el ends here
