;;; midflight-scratch.el --- A buffer to try things in, templates  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, tools
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; 1. `midflight-scratch' shows a Python buffer without a file, one for each
;;    project.  What is evaluated there has the names of the shell.
;; 2. `midflight-insert-template' inserts the text of a server, a supervisor or a
;;    looping process, with the name that you give.

;;; Code:

(require 'python)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-choose)

(declare-function midflight-mode "midflight" (&optional arg))

(defconst midflight-scratch--text
  "# This buffer is for text that is not saved; C-x C-e evaluates the expression
# before point with the names of the shell, C-c C-r the region.

"
  "The first text of a scratch buffer.")

;;;###autoload
(defun midflight-scratch ()
  "Show the scratch buffer of this buffer's project; make it if there is none."
  (interactive)
  (let* ((connection (midflight-connection-of-buffer))
         (root (midflight-connection-root connection))
         (name (format "*midflight-scratch %s*" (midflight-connection-project connection)))
         (buffer (or (get-buffer name)
                     (with-current-buffer (get-buffer-create name)
                       (setq default-directory (file-name-as-directory root))
                       (insert midflight-scratch--text)
                       (let ((python-indent-guess-indent-offset nil))
                         (python-mode))
                       (midflight-mode 1)
                       (setq midflight-connection-buffer-root root)
                       (set-buffer-modified-p nil)
                       (current-buffer)))))
    (pop-to-buffer buffer)))

;;;; Templates

(defconst midflight-scratch--templates
  '(("server" "Server"
     "class NAME(GenServer):
    \"\"\"A server with a total.\"\"\"

    def init(self):
        self.total = 0

    def handle_call(self, request, client):
        match request:
            case \"total\":
                return self.total

    def handle_cast(self, message):
        match message:
            case (\"add\", count):
                self.total += count
"
     "from midflight import GenServer")
    ("supervisor" "start_all"
     "async def NAME():
    \"\"\"Start the children, and restart each that ends.\"\"\"
    return await Supervisor.start_link([
        ChildSpec(\"worker\", worker),
    ])
"
     "from midflight import ChildSpec, Supervisor")
    ("loop" "loop"
     "async def NAME(total):
    \"\"\"Keep a total; take the current version at each \\\"code_switch\\\".\"\"\"
    match await receive():
        case (\"add\", count):
            return NAME(total + count)
        case \"code_switch\":
            return current(NAME)(total)
        case message:
            print(f\"Unhandled message {message!r}\")
            return NAME(total)
"
     "from midflight import receive
from midflight.code import current"))
  "Templates: a word, the default name, the text, and the imports that it needs.")

;;;###autoload
(defun midflight-insert-template (word name)
  "Insert the template WORD with the name NAME at point.
Add the imports that it needs at the beginning, unless they are there."
  (interactive
   (let* ((word (completing-read "Template: "
                                (midflight-choose-table
                                 'midflight-template midflight-scratch--templates
                                 (lambda (word) (nth 1 (assoc word midflight-scratch--templates))))
                                nil t))
          (default (nth 1 (assoc word midflight-scratch--templates))))
     (list word (read-string (format "Name (default %s): " default) nil nil default))))
  (pcase-let ((`(,_ ,_ ,text ,imports)
               (or (assoc word midflight-scratch--templates)
                   (midflight-user-error "There is no template %s; nothing was inserted" word))))
    (insert (replace-regexp-in-string "\\_<NAME\\_>" name text t t))
    (save-excursion
      (dolist (line (nreverse (split-string imports "\n")))
        (goto-char (point-min))
        (unless (re-search-forward (concat "^" (regexp-quote line) "$") nil t)
          (midflight-scratch--go-to-imports)
          (insert line "\n"))))))

(defun midflight-scratch--go-to-imports ()
  "Go to the line for a new import: the first one, or behind the docstring."
  (goto-char (point-min))
  (if (re-search-forward "^\\(?:import\\|from\\) " nil t)
      (forward-line 0)
    (while (and (not (eobp)) (looking-at "#\\|[ \t]*$"))
      (forward-line 1))
    (when (looking-at "[rR]?\\(?:\"\\|'\\)")
      (python-nav-end-of-statement)
      (forward-line 1))))

(provide 'midflight-scratch)
;;; midflight-scratch.el ends here
