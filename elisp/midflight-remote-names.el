;;; midflight-remote-names.el --- File names of another machine  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, comm, files
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A server on another machine knows its files by their names there, Emacs by
;; those of TRAMP.  Both are changed into the other where they pass the wire: so
;; all that works with names works there.  Pure.

;;; Code:

(require 'seq)

(defconst midflight-remote-names--keys '(:path :file :text-file :root)
  "The keys of property lists whose values are file names.")

(defun midflight-remote-names-outgoing (root value)
  "Return VALUE with file names as the server at ROOT knows them.
VALUE is returned itself if ROOT is on this machine."
  (let ((prefix (and root (file-remote-p root))))
    (cond ((not prefix) value)
          ((stringp value)
           (if (string-prefix-p prefix value) (substring value (length prefix)) value))
          ((consp value)
           (mapcar (lambda (each) (midflight-remote-names-outgoing root each)) value))
          (t value))))

(defun midflight-remote-names-incoming (root value)
  "Return VALUE, of the server at ROOT, with file names as Emacs knows them.
VALUE is returned itself if ROOT is on this machine."
  (let ((prefix (and root (file-remote-p root))))
    (if prefix
        (midflight-remote-names--in prefix value)
      value)))

(defun midflight-remote-names--in (prefix value)
  "Return VALUE with PREFIX before the file names in its property lists."
  (if (not (consp value))
      value
    (let ((key nil)
          (result nil))
      (while (consp value)
        (let ((each (pop value)))
          (push (if (and (memq key midflight-remote-names--keys)
                         (stringp each)
                         (string-prefix-p "/" each))
                    (concat prefix each)
                  (midflight-remote-names--in prefix each))
                result)
          (setq key each)))
      (nreverse result))))

(defun midflight-remote-names-root (file roots)
  "Return the one of ROOTS on another machine that FILE is in, or nil.
This looks at the names alone, not at that machine."
  (and file
       (file-remote-p file)
       (seq-find (lambda (root)
                   (and (file-remote-p root)
                        (string-prefix-p (file-name-as-directory root)
                                         (file-name-as-directory file))))
                 roots)))

(provide 'midflight-remote-names)
;;; midflight-remote-names.el ends here
