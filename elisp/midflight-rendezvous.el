;;; midflight-rendezvous.el --- The files by which a server is found  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, files
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The way from a file to its server, by the same rule as in the server:
;;
;; 1. The project root is the nearest ancestor with a pyproject.toml, else the
;;    nearest with a .git; first above the name by which the file is visited, then
;;    above the file that this name links to; else the folder of that file.
;; 2. The user's runtime folder has one folder for each root, named by the
;;    first 16 hex digits of the SHA-256 of the root.
;; 3. In that folder the server keeps main.json: its socket, port, pid, root,
;;    protocol, version, and the cookie, the secret that both ends prove they
;;    have.
;;
;; This file only reads.  If other users can read a folder or file, or could
;; have written it, that is an error, never a warning: the program at the
;; address in that file gets the text of the buffers.

;;; Code:

(require 'json)
(require 'midflight-util)

(defun midflight-rendezvous--named-root (file)
  "Return the marked folder above FILE by its name, symbolic links and all, or nil.
Signal `user-error' if FILE is on another machine."
  (when (file-remote-p file)
    (midflight-user-error
     "%s is on another machine, and a server is found by files of this one; nothing was done; run Emacs there, edit a local copy, or attach to a server there by M-x midflight-connect"
     file))
  (let ((folder (if (file-directory-p file) file (file-name-directory file))))
    (or (locate-dominating-file folder "pyproject.toml")
        (locate-dominating-file folder ".git"))))

(defun midflight-rendezvous-root (file)
  "Return the root of the project of FILE, a file or folder, as a folder name.
The name does not end in a slash, and contains no symbolic links."
  (let* ((named (midflight-rendezvous--named-root (expand-file-name file)))
         (true (and (not named) (file-truename (expand-file-name file)))))
    (directory-file-name
     (file-truename (or named
                        (midflight-rendezvous--named-root true)
                        (if (file-directory-p true) true (file-name-directory true)))))))

(defun midflight-rendezvous-path (file)
  "Return the name by which the server of its project knows FILE.
It contains no symbolic links above the root, and keeps those below it."
  (let* ((name (expand-file-name file))
         (root (midflight-rendezvous--named-root name)))
    (if root
        (expand-file-name (file-relative-name name (expand-file-name root))
                          (file-truename root))
      (file-truename name))))

(defun midflight-rendezvous-key (root)
  "Return the name of the folder of ROOT within the runtime folder."
  (substring (secure-hash 'sha256 (encode-coding-string root 'utf-8-unix t)) 0 16))

(defun midflight-rendezvous--own-folder-p (folder)
  "Return non-nil if FOLDER belongs to this user and others cannot change it."
  (let ((attributes (file-attributes (file-name-as-directory folder) 'integer)))
    (and attributes
         (eq (file-attribute-type attributes) t)
         (eql (file-attribute-user-id attributes) (user-uid))
         ;; Other users cannot write to it, or it is sticky.
         (string-match-p "\\`.\\{8\\}\\(?:-\\|.[tT]\\)" (file-attribute-modes attributes)))))

(defun midflight-rendezvous--base-p (folder)
  "Return non-nil if FOLDER may hold the runtime folder.
It belongs to this user, or it is missing and its parent does.  After su,
XDG_RUNTIME_DIR names the folder of another user."
  (if (file-exists-p folder)
      (midflight-rendezvous--own-folder-p folder)
    (midflight-rendezvous--own-folder-p
     (file-name-directory (directory-file-name folder)))))

(defun midflight-rendezvous-folder ()
  "Return the runtime folder of this user.
Ignore a relative name in the environment."
  (let ((own (getenv "MIDFLIGHT_RUNTIME_DIR"))
        (session (getenv "XDG_RUNTIME_DIR")))
    (cond ((and own (string-prefix-p "/" own))
           (directory-file-name (expand-file-name own)))
          ((and session (string-prefix-p "/" session)
                (midflight-rendezvous--base-p session))
           (expand-file-name "midflight" session))
          (t (format "/tmp/midflight-%d" (user-uid))))))

(defun midflight-rendezvous--private-p (file type)
  "Return non-nil if FILE belongs to the user alone and is of TYPE.
TYPE is as in `file-attribute-type': t for a folder, nil for a file."
  (let ((attributes (file-attributes file 'integer)))
    (and attributes
         (eq (file-attribute-type attributes) type)
         (eql (file-attribute-user-id attributes) (user-uid))
         (string-match-p "\\`.\\(?:...\\)-----[-T]\\'"
                         (file-attribute-modes attributes)))))

(defun midflight-rendezvous--check-private (file type)
  "Signal `user-error' unless FILE belongs to the user alone and is of TYPE."
  (unless (midflight-rendezvous--private-p file type)
    (midflight-user-error
     "%s can be read or written by other users, or is not a %s; no connection was made; remove it, or make it yours alone (chmod go-rwx)"
     file (if type "folder" "file"))))

(defconst midflight-rendezvous--limit 65536
  "The most bytes that main.json may have.")

(defun midflight-rendezvous--read-file (file)
  "Return the text of FILE, or nil if it is not a file or is too long.
Never read or wait for a pipe, or the target of a link."
  (let ((attributes (file-attributes file)))
    (when (and attributes
               (null (file-attribute-type attributes))
               (string-prefix-p "-" (file-attribute-modes attributes))
               (<= (file-attribute-size attributes) midflight-rendezvous--limit))
      (ignore-errors
        (with-temp-buffer
          (let ((coding-system-for-read 'utf-8-unix))
            (insert-file-contents file))
          (buffer-string))))))

(defun midflight-rendezvous-alive-p (pid)
  "Return non-nil if the operating system has a process PID of this user."
  (and (integerp pid) (< 0 pid 2147483648) (eql 0 (signal-process pid 0))
       ;; Dead, but its parent has not waited for it, as in some containers.
       (not (equal (alist-get 'state (process-attributes pid)) "Z"))))

(defun midflight-rendezvous--read (folder)
  "Return the main.json in FOLDER as a plist, or nil without a live server."
  (let* ((text (midflight-rendezvous--read-file (expand-file-name "main.json" folder)))
         (json-object-type 'plist) (json-null nil)
         (server (and text (ignore-errors (json-read-from-string text))))
         (port (and (consp server) (ignore-errors (plist-get server :port))))
         (socket (and (consp server) (ignore-errors (plist-get server :socket)))))
    (when (and (consp server)
               (or port socket)
               (or (null port) (and (integerp port) (< 0 port 65536)))
               (or (null socket) (and (stringp socket) (string-prefix-p "/" socket)))
               (stringp (plist-get server :root))
               (stringp (plist-get server :cookie))
               (string-match-p "\\`[0-9a-f]\\{64\\}\\'" (plist-get server :cookie))
               (midflight-rendezvous-alive-p (plist-get server :pid)))
      server)))

(defun midflight-rendezvous-server (root)
  "Return the running server of ROOT as its file describes it, or nil.
The value is a plist with :socket, :port, :pid, :root, :protocol, :version
and :cookie.  Return nil if the process of the server is dead.  Signal
`user-error' if other users can access the files."
  (let* ((top (midflight-rendezvous-folder))
         (folder (expand-file-name (midflight-rendezvous-key root) top))
         (file (expand-file-name "main.json" folder)))
    (when (file-exists-p folder)
      (midflight-rendezvous--check-private top t)
      (midflight-rendezvous--check-private folder t)
      (let ((server (midflight-rendezvous--read folder)))
        (when (and server (equal (plist-get server :root) root))
          (midflight-rendezvous--check-private file nil)
          server)))))

(defun midflight-rendezvous-published-p (root)
  "Return non-nil if the file of a server of ROOT is there, alive or not."
  (file-exists-p (expand-file-name (concat (midflight-rendezvous-key root) "/main.json")
                                   (midflight-rendezvous-folder))))

(defun midflight-rendezvous-roots ()
  "Return the roots of all projects that have a running server, sorted.
Skip a folder that other users can access."
  (let ((top (midflight-rendezvous-folder))
        roots)
    (when (midflight-rendezvous--private-p top t)
      (dolist (folder (directory-files top t "\\`[0-9a-f]\\{16\\}\\'" t))
        (let ((root (and (midflight-rendezvous--private-p folder t)
                         (plist-get (midflight-rendezvous--read folder) :root))))
          (when root
            (push root roots)))))
    (sort roots #'string<)))

(defun midflight-rendezvous-log (root)
  "Return the name of the file in which a detached server of ROOT writes its log."
  (expand-file-name (concat (midflight-rendezvous-key root) "/server.log")
                    (midflight-rendezvous-folder)))

(provide 'midflight-rendezvous)
;;; midflight-rendezvous.el ends here
