;;; ob-midflight.el --- Org source blocks in the running system  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, outlines
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Org source blocks of the language "midflight" are evaluated in the shell of
;; the project that the Org file is in, or that the header argument :dir names:
;;
;;     #+begin_src midflight :module shop
;;     price(21)
;;     #+end_src
;;
;; With :module they have the names of that module, else those of the shell.  The
;; result is the value of the last expression; what is printed goes to the shell.
;; Emacs waits for it, `midflight-org-seconds' at most; C-g ends the wait.
;;
;;     (require 'ob-midflight)

;;; Code:

(require 'ob)
(require 'org-src)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-shell)

(defcustom midflight-org-seconds 10
  "The most seconds that Emacs waits for the result of a source block."
  :type 'number
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defvar org-babel-default-header-args:midflight '((:results . "value"))
  "Default header arguments of source blocks in the running system.")

(add-to-list 'org-src-lang-modes '("midflight" . python))

(defun org-babel-execute:midflight (body params)
  "Evaluate BODY, a source block with PARAMS, in the running system.
Return its value as text."
  (let* ((module (cdr (assq :module params)))
         (options (if module (list :module (format "%s" module)) '(:own t)))
         (deadline (+ (float-time) midflight-org-seconds))
         (answer nil))
    (midflight-server-ensure
     (lambda ()
       (with-current-buffer (midflight-shell-ensure)
         (midflight-shell-evaluate-later
          (concat (string-trim-right body) "\n") (lambda (found) (setq answer found))
          options (and module (format "%s" module))))))
    (while (and (not answer) (< (float-time) deadline))
      (accept-process-output nil 0.02))
    (unless answer
      (midflight-user-error
       "The source block has no result after %s s; it goes on in the shell; %s there interrupts it"
       midflight-org-seconds
       (substitute-command-keys "\\<midflight-shell-mode-map>\\[midflight-interrupt]")))
    (if (equal (plist-get answer :status) "ok")
        (or (plist-get answer :value) "")
      (midflight-user-error "%s" (or (plist-get answer :error) "The source block is incomplete")))))

(provide 'ob-midflight)
;;; ob-midflight.el ends here
