;;; midflight-rendezvous-tests.el --- Finding a server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Both sides must compute the same names, so they are compared with fixed
;; ones, and with the server's own code when there is one.

;;; Code:

(require 'midflight-helpers)

(defmacro midflight-rendezvous-tests-in-folder (folder &rest body)
  "Run BODY with FOLDER bound to a new folder, which is also the runtime folder."
  (declare (indent 1) (debug (symbolp body)))
  `(let* ((,folder (file-truename (make-temp-file "midflight-test" t)))
          (process-environment (cons (concat "MIDFLIGHT_RUNTIME_DIR=" ,folder)
                                     process-environment)))
     (unwind-protect (progn ,@body)
       (delete-directory ,folder t))))

(ert-deftest midflight-rendezvous-key-is-the-servers ()
  "The key of a root is the first half of its SHA-256 as the server computes it."
  (should (equal (midflight-rendezvous-key "/project") "ea0135bca5e3bd81"))
  (should (equal (midflight-rendezvous-key "/projekt/größe λ") "5829333d8b7bf724")))

(ert-deftest midflight-rendezvous-agrees-with-python ()
  "Root and folder of a path are what the server's own code says."
  (skip-unless (midflight-test-command))
  (midflight-rendezvous-tests-in-folder folder
    (let* ((python (expand-file-name "python" (file-name-directory
                                               (file-truename (midflight-test-command)))))
           (project (expand-file-name "pröject" folder))
           (file (expand-file-name "src/deep/counter.py" project))
           (link (expand-file-name "link.py" folder))
           (other (expand-file-name "other" folder))
           (inside (expand-file-name "inside.py" other))
           (way (expand-file-name "way" other)))
      (make-directory (file-name-directory file) t)
      (make-directory other)
      (write-region "" nil file nil 'silent)
      (write-region "" nil (expand-file-name "pyproject.toml" other) nil 'silent)
      (make-symbolic-link file link)
      (make-symbolic-link file inside)
      (make-symbolic-link (file-name-directory file) way)
      (dolist (mark '(nil ".git" "pyproject.toml"))
        (when mark
          (write-region "" nil (expand-file-name mark project) nil 'silent))
        (let ((paths (list file link inside (expand-file-name "counter.py" way)
                           (file-name-directory file) project
                           (expand-file-name "new.py" project) "/")))
          (with-temp-buffer
            (should (eql 0 (apply #'call-process python nil t nil "-c" "\
import sys
from midflight.epc.rendezvous import ProjectFiles, find_root
for path in sys.argv[1:]:
    print(find_root(path), ProjectFiles(find_root(path)).folder, sep='\\n')" paths)))
            (should (equal (cl-mapcan
                            (lambda (path)
                              (let ((root (midflight-rendezvous-root path)))
                                (list root
                                      (expand-file-name (midflight-rendezvous-key root)
                                                        (midflight-rendezvous-folder)))))
                            paths)
                           (split-string (buffer-string) "\n" t)))))))))

(ert-deftest midflight-rendezvous-pyproject-wins-over-a-nearer-git ()
  "The nearest pyproject.toml is the root, also beyond a .git on the way."
  (midflight-rendezvous-tests-in-folder folder
    (let ((inner (expand-file-name "a/b" folder)))
      (make-directory (expand-file-name ".git" inner) t)
      (should (equal (midflight-rendezvous-root inner) inner))
      (write-region "" nil (expand-file-name "pyproject.toml" folder) nil 'silent)
      (should (equal (midflight-rendezvous-root inner) folder)))))

(ert-deftest midflight-rendezvous-runtime-folder-follows-the-environment ()
  "MIDFLIGHT_RUNTIME_DIR, else XDG_RUNTIME_DIR, else /tmp; empty or relative is unset."
  (midflight-rendezvous-tests-in-folder folder
    (let ((process-environment (list "MIDFLIGHT_RUNTIME_DIR=/m" (concat "XDG_RUNTIME_DIR=" folder))))
      (should (equal (midflight-rendezvous-folder) "/m")))
    (let ((process-environment (list "MIDFLIGHT_RUNTIME_DIR=" (concat "XDG_RUNTIME_DIR=" folder))))
      (should (equal (midflight-rendezvous-folder) (expand-file-name "midflight" folder))))
    (dolist (name '("" "run" "./run" "~/run"))
      (let ((process-environment (list (concat "MIDFLIGHT_RUNTIME_DIR=" name)
                                       (concat "XDG_RUNTIME_DIR=" name))))
        (should (equal (midflight-rendezvous-folder) (format "/tmp/midflight-%d" (user-uid))))))))

(ert-deftest midflight-rendezvous-session-of-another-user-is-passed-over ()
  "After su XDG_RUNTIME_DIR is another user's, or one that everybody may change."
  (midflight-rendezvous-tests-in-folder folder
    (let ((process-environment (list (concat "XDG_RUNTIME_DIR=" folder)))
          (tmp (format "/tmp/midflight-%d" (user-uid)))
          (uid (user-uid)))
      (should-not (equal (midflight-rendezvous-folder) tmp))
      (cl-letf (((symbol-function 'user-uid) (lambda () (1+ uid))))
        (should (equal (midflight-rendezvous-folder) (format "/tmp/midflight-%d" (1+ uid)))))
      (set-file-modes folder #o777)
      (should (equal (midflight-rendezvous-folder) tmp))
      (set-file-modes folder #o1777)
      (should-not (equal (midflight-rendezvous-folder) tmp))
      (set-file-modes folder #o700)
      (let ((process-environment (list (concat "XDG_RUNTIME_DIR=" folder "/missing"))))
        (should (equal (midflight-rendezvous-folder) (concat folder "/missing/midflight"))))
      (let ((process-environment (list (concat "XDG_RUNTIME_DIR=" folder "/missing/too"))))
        (should (equal (midflight-rendezvous-folder) tmp))))))

(ert-deftest midflight-rendezvous-files-of-another-user-are-refused ()
  "The owner counts, not only the mode."
  (midflight-rendezvous-tests-in-folder folder
    (set-file-modes folder #o700)
    (midflight-test-publish "/project")
    (let ((uid (user-uid)))
      (should (midflight-rendezvous-server "/project"))
      (cl-letf (((symbol-function 'user-uid) (lambda () (1+ uid))))
        (should-error (midflight-rendezvous-server "/project") :type 'user-error)
        (should-not (midflight-rendezvous-roots))))))

(ert-deftest midflight-rendezvous-pipes-links-and-long-files-are-none ()
  "Emacs waits for no pipe, follows no link, and reads no file of megabytes."
  (midflight-rendezvous-tests-in-folder folder
    (set-file-modes folder #o700)
    (let* ((own (midflight-test-publish "/project"))
           (file (expand-file-name "main.json" own))
           (other (expand-file-name "other.json" own)))
      (rename-file file other)
      (call-process "mkfifo" nil nil nil file)
      (should-not (midflight-rendezvous-server "/project"))
      (delete-file file)
      (make-symbolic-link other file)
      (should-not (midflight-rendezvous-server "/project"))
      (delete-file file)
      (rename-file other file)
      (should (midflight-rendezvous-server "/project"))
      (write-region (make-string 1000000 ?\s) nil file t 'silent)
      (should-not (midflight-rendezvous-server "/project")))))

(ert-deftest midflight-rendezvous-finds-a-server-that-runs ()
  "The file of a live server gives its port and cookie, and names its project."
  (midflight-rendezvous-tests-in-folder folder
    (set-file-modes folder #o700)
    (midflight-test-publish "/project")
    (let ((server (midflight-rendezvous-server "/project")))
      (should (equal (plist-get server :port) 4711))
      (should (equal (plist-get server :cookie) (make-string 64 ?a))))
    (should (equal (midflight-rendezvous-roots) '("/project")))
    (should-not (midflight-rendezvous-server "/other"))))

(ert-deftest midflight-rendezvous-dead-server-is-none ()
  "Files of a process that is dead, and files that make no sense, count as none."
  (midflight-rendezvous-tests-in-folder folder
    (set-file-modes folder #o700)
    (let* ((process (make-process :name "brief" :command '("true") :noquery t))
           (pid (process-id process)))
      (midflight-test-wait "the end of a process" (lambda () (not (process-live-p process))))
      (midflight-test-publish "/project" :pid pid)
      (should-not (midflight-rendezvous-server "/project")))
    (dolist (change '((:pid nil) (:pid "1") (:pid 0) (:pid 1000000000000000000000) (:port "x") (:port 0) (:port nil) (:root 3)
                      (:root "/other") (:socket "relative") (:socket 3) (:cookie nil)
                      (:cookie "short")))
      (apply #'midflight-test-publish "/project" change)
      (should-not (midflight-rendezvous-server "/project")))
    (write-region "{\"port\": 1" nil
                  (expand-file-name "main.json"
                                    (midflight-test-publish "/project"))
                  nil 'silent)
    (should-not (midflight-rendezvous-server "/project"))
    (should-not (midflight-rendezvous-roots))))

(ert-deftest midflight-rendezvous-files-of-others-are-refused ()
  "A folder or file that others may read is an error, not a server."
  (midflight-rendezvous-tests-in-folder folder
    (set-file-modes folder #o700)
    (let ((own (midflight-test-publish "/project")))
      (dolist (file (list folder own (expand-file-name "main.json" own)))
        (let ((modes (file-modes file)))
          (should (midflight-rendezvous-server "/project"))
          (set-file-modes file (logior modes #o040))
          (should-error (midflight-rendezvous-server "/project") :type 'user-error)
          (set-file-modes file modes))))))

(ert-deftest midflight-rendezvous-path-keeps-links-below-the-root ()
  "The server knows a module by its place in the project; the way to it is resolved."
  (midflight-rendezvous-tests-in-folder folder
    (let ((name (lambda (path) (expand-file-name path folder))))
      (dolist (each '("one" "two/package"))
        (make-directory (funcall name each) t))
      (dolist (each '("one/pyproject.toml" "two/pyproject.toml" "two/package/module.py"))
        (write-region "" nil (funcall name each) nil 'silent))
      (make-symbolic-link (funcall name "two/package/module.py") (funcall name "one/module.py"))
      (make-symbolic-link (funcall name "two/package") (funcall name "one/linked"))
      (make-symbolic-link (funcall name "two/package/module.py") (funcall name "loose.py"))
      (make-symbolic-link (funcall name "one") (funcall name "way"))
      (pcase-dolist (`(,path . ,expected)
                     '(("one/module.py" . "one/module.py")
                       ("way/module.py" . "one/module.py")
                       ("way/linked/module.py" . "one/linked/module.py")
                       ("loose.py" . "two/package/module.py")
                       ("two/package/module.py" . "two/package/module.py")))
        (should (equal (midflight-rendezvous-path (funcall name path))
                       (funcall name expected)))))))

(ert-deftest midflight-rendezvous-remote-file-is-refused ()
  "A file on another machine has no server here."
  (should-error (midflight-rendezvous-root "/ssh:host:/project/a.py") :type 'user-error))

(provide 'midflight-rendezvous-tests)
;;; midflight-rendezvous-tests.el ends here
