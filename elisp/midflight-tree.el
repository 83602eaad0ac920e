;;; midflight-tree.el --- The supervision tree  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The runtime processes as a tree: supervisors with their strategy above their
;; children, each other process below the process that started it or is linked to
;; it.  Each line has the keys of the process list.  TAB folds the lines below a
;; line, and a refresh keeps them folded.

;;; Code:

(require 'cl-lib)
(require 'easymenu)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-process)
(require 'midflight-process-rows)

(defvar-local midflight-tree--nodes nil
  "The lines of the tree: plists as the server sends them, each with its :key.")
(defvar-local midflight-tree--left 0 "The number of lines that the server did not send.")
(defvar-local midflight-tree--folded (make-hash-table :test #'equal)
  "The keys of the nodes whose children are not shown.")

(defvar-local midflight-tree--wanted nil "The pid whose line to go to when the tree is there.")

(defconst midflight-tree--wide 50
  "A node with more children than this is folded when it is first seen.")

(defvar midflight-tree-mode-map
  (let ((map (make-sparse-keymap)))
    (set-keymap-parent map (make-composed-keymap midflight-process-map special-mode-map))
    (define-key map (kbd "TAB") #'midflight-tree-toggle)
    (define-key map [mouse-2] #'midflight-tree-mouse-toggle)
    (define-key map "n" #'next-line)
    (define-key map "p" #'previous-line)
    (define-key map "^" #'midflight-tree-up)
    (define-key map "+" #'midflight-tree-unfold-all)
    (define-key map "-" #'midflight-tree-fold-all)
    (define-key map "?" #'describe-mode)
    map)
  "Keymap of `midflight-tree-mode'.")

(easy-menu-define midflight-tree-menu midflight-tree-mode-map
  "Menu of `midflight-tree-mode'."
  `("Tree"
    ,@midflight-process-menu
    "---"
    ["Fold or unfold" midflight-tree-toggle]
    ["Fold all" midflight-tree-fold-all]
    ["Unfold all" midflight-tree-unfold-all]
    ["To the parent" midflight-tree-up]
    "---"
    ["Refresh" revert-buffer]))

(define-derived-mode midflight-tree-mode special-mode "Midflight-Tree"
  "Major mode for the tree of runtime processes.
A supervisor's line has its strategy; a child's has its id, and when it is
restarted: permanent, transient or temporary.

\\{midflight-tree-mode-map}"
  (setq midflight-tree--folded (make-hash-table :test #'equal)
        midflight-process-changed-function #'midflight-tree--refresh
        truncate-lines t)
  (buffer-disable-undo)
  (setq-local revert-buffer-function #'midflight-tree--refresh))

;;;###autoload
(defun midflight-tree (&optional pid)
  "Show the runtime processes of this buffer's project as a tree.
From Lisp, go to the line of the process PID."
  (interactive)
  (midflight-server-ensure
   (lambda ()
     (let ((buffer (midflight-process-buffer "tree" 'midflight-tree-mode)))
       (with-current-buffer buffer
         (setq midflight-tree--wanted pid)
         (midflight-tree--refresh))
       (pop-to-buffer buffer)))))

(defun midflight-tree--refresh (&rest _)
  "Ask for the tree again and draw it."
  (midflight-connection-call
   'process/tree nil
   (lambda (answer)
     (setq midflight-tree--nodes (midflight-tree--keyed (plist-get answer :nodes))
           midflight-tree--left (plist-get answer :left))
     (midflight-tree--draw))))

;;;; Nodes, as pure functions

(defun midflight-tree--keyed (nodes)
  "Return NODES, in order, each with a lasting :key, and :below.
The key is the pid, or the path of a child that does not run.  Below are the
lines under a node, however deep; :children those directly under it."
  (let ((stack nil)
        (keyed nil))
    (dolist (node nodes)
      (let ((depth (plist-get node :depth)))
        (while (and stack (>= (plist-get (car stack) :depth) depth))
          (pop stack))
        (let* ((row (plist-get node :row))
               (key (if row (midflight-row-pid row)
                      (format "%s/%s" (if stack (plist-get (car stack) :key) "")
                              (plist-get node :id))))
               (entry (append (list :key key :below 0 :children 0) node)))
          (when stack
            (plist-put (car stack) :children (1+ (plist-get (car stack) :children))))
          (dolist (above stack)
            (plist-put above :below (1+ (plist-get above :below))))
          (push entry stack)
          (push entry keyed))))
    (nreverse keyed)))

(defun midflight-tree--fold-wide (nodes folded)
  "Add to FOLDED the NODES that are too wide.
Add each only once, so that the user can unfold it."
  (dolist (node nodes)
    (let ((key (plist-get node :key)))
      (when (and (> (plist-get node :children) midflight-tree--wide)
                 (eq (gethash key folded 'new) 'new))
        (puthash key t folded)))))

;;;; Draw

(defun midflight-tree--draw ()
  "Draw the tree; point stays on its line."
  (midflight-tree--fold-wide midflight-tree--nodes midflight-tree--folded)
  (let ((key (or midflight-tree--wanted
                 (get-text-property (line-beginning-position) 'midflight-key)))
        (column (current-column))
        (line (line-number-at-pos))
        (inhibit-read-only t)
        (hidden nil))
    (setq midflight-tree--wanted nil)
    (erase-buffer)
    (dolist (node midflight-tree--nodes)
      (when (and hidden (<= (plist-get node :depth) hidden))
        (setq hidden nil))
      (unless hidden
        (insert (midflight-tree--line node))
        (when (and (gethash (plist-get node :key) midflight-tree--folded)
                   (> (plist-get node :below) 0))
          (setq hidden (plist-get node :depth)))))
    (unless midflight-tree--nodes
      (insert "No runtime processes.\n"))
    (when (> midflight-tree--left 0)
      (insert (format "%d more are not shown; see the list of processes\n"
                      midflight-tree--left)))
    (set-buffer-modified-p nil)
    (unless (and key (midflight-tree--goto key))
      (goto-char (point-min))
      (forward-line (1- line)))
    (move-to-column column)
    (dolist (window (get-buffer-window-list nil nil t))
      (set-window-point window (point)))))

(defun midflight-tree--goto (key)
  "Go to the line of KEY; return non-nil if there is one."
  (goto-char (point-min))
  (let (found)
    (while (not (or (setq found (equal key (get-text-property (point) 'midflight-key)))
                    (eobp)))
      (forward-line 1))
    found))

(defun midflight-tree--line (node)
  "Return the line of NODE."
  (let* ((row (plist-get node :row))
         (key (plist-get node :key))
         (below (plist-get node :below))
         (is-folded (and (> below 0) (gethash key midflight-tree--folded)))
         (line (concat
                (make-string (* 2 (plist-get node :depth)) ?\s)
                (cond ((zerop below) "  ") (is-folded "+ ") (t "- "))
                (if (plist-get node :id)
                    (concat (propertize (plist-get node :id) 'face 'font-lock-variable-name-face)
                            " ")
                  "")
                (if row (midflight-tree--of-row row) "")
                (midflight-tree--of-child node)
                (if is-folded (format "  (%d below)" below) "")
                "\n")))
    (add-text-properties 0 (length line)
                         (list 'midflight-key key
                               'midflight-pid (and row (midflight-row-pid row)))
                         line)
    line))

(defun midflight-tree--of-row (row)
  "Return the text of a line for the process ROW."
  (concat (midflight-row-pid row)
          (if (midflight-row-name row)
              (concat " " (propertize (midflight-row-name row) 'face 'bold))
            "")
          "  " (midflight-row-module row)
          (if (midflight-row-version row) (format " v%d" (midflight-row-version row)) "")
          ", " (midflight-row-place row)
          "  " (midflight-row-status row)
          (if (zerop (midflight-row-messages row)) ""
            (format ", %d waiting" (midflight-row-messages row)))))

(defun midflight-tree--of-child (node)
  "Return the child data of NODE from its supervisor, and its own strategy."
  (let ((state (plist-get node :state)))
    (concat
     (if (member state '(nil "running")) "" (propertize state 'face 'warning))
     (propertize
      (concat (if (plist-get node :strategy) (format "  [%s]" (plist-get node :strategy)) "")
              (if (plist-get node :is-child) (format "  %s" (plist-get node :restart)) ""))
      'face 'shadow))))

;;;; Fold

(defun midflight-tree--key-here ()
  "Return the key of the node of this line."
  (or (get-text-property (line-beginning-position) 'midflight-key)
      (midflight-user-error "No runtime process on this line")))

(defun midflight-tree-toggle ()
  "Fold the lines below this line, or unfold them."
  (interactive)
  (let ((key (midflight-tree--key-here)))
    (puthash key (not (gethash key midflight-tree--folded)) midflight-tree--folded)
    (midflight-tree--draw)))

(defun midflight-tree-mouse-toggle (event)
  "Fold or unfold the line of EVENT, a click."
  (interactive "e")
  (mouse-set-point event)
  (midflight-tree-toggle))

(defun midflight-tree--fold-each (is-folded)
  "Fold every node that has others below it, or unfold it, by IS-FOLDED."
  (dolist (node midflight-tree--nodes)
    (puthash (plist-get node :key) is-folded midflight-tree--folded))
  (midflight-tree--draw))

(defun midflight-tree-fold-all ()
  "Show only the top nodes of the tree."
  (interactive)
  (midflight-tree--fold-each t))

(defun midflight-tree-unfold-all ()
  "Show all of the tree."
  (interactive)
  (midflight-tree--fold-each nil))

(defun midflight-tree-up ()
  "Go to the parent of this node."
  (interactive)
  (let* ((key (midflight-tree--key-here))
         (node (cl-find key midflight-tree--nodes :key (lambda (each) (plist-get each :key))
                        :test #'equal))
         (above (cl-find-if (lambda (each)
                              (< (plist-get each :depth) (plist-get node :depth)))
                            (reverse (seq-take-while (lambda (each) (not (eq each node)))
                                                     midflight-tree--nodes)))))
    (if above
        (midflight-tree--goto (plist-get above :key))
      (midflight-user-error "This process has no parent in the tree"))))

(provide 'midflight-tree)
;;; midflight-tree.el ends here
