;;; midflight-inspector.el --- Inspect live values  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, tools
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The inspector, which shows a value of the running system: its type, and its
;; items and attributes as buttons that show these in turn.  How it works:
;;
;; 1. The server looks the expression up, or evaluates it outside of the shell,
;;    and gives the value a number; its page arrives as text.
;; 2. RET on a part does the same for the part.  `l' and `n' go back and forth
;;    through the pages.
;; 3. If the buffer is killed, the server forgets the numbers.
;;
;; The server uses weak references if it can, so inspecting keeps little alive.

;;; Code:

(require 'midflight-util)
(require 'midflight-look)
(require 'midflight-xref)

(declare-function midflight-edit-state "midflight-state" (pid))
(declare-function midflight-process-read "midflight-process" (text &optional default))
(declare-function midflight-process-view "midflight-process-view" (pid))
(declare-function midflight-shell-of "midflight-shell" (root &optional session))

(defvar midflight-shell-session-number)       ; of a shell buffer

(defvar-local midflight-inspector--page nil "The page that is shown, a plist.")
(defvar-local midflight-inspector--asked nil
  "The request of this page: `inspect/open' or `inspect/state', and arguments.")
(defvar-local midflight-inspector--back nil
  "Pages before this one: (VALUE START POINT) each, the last first.")
(defvar-local midflight-inspector--forth nil "Pages after this one, likewise.")
(defvar-local midflight-inspector--values nil "The numbers that the server holds.")
(defvar-local midflight-inspector--connection nil
  "The wire on which the numbers are valid.")

(defvar midflight-inspector-mode-map
  (let ((map (make-sparse-keymap)))
    (set-keymap-parent map (make-composed-keymap button-buffer-map special-mode-map))
    (define-key map (kbd "RET") #'midflight-inspector-into)
    (define-key map "l" #'midflight-inspector-back)
    (define-key map "n" #'midflight-inspector-forth)
    (define-key map "d" #'midflight-inspector-bind)
    (define-key map "." #'midflight-inspector-source)
    (define-key map "e" #'midflight-inspector-edit)
    (define-key map ">" #'midflight-inspector-next-page)
    (define-key map "<" #'midflight-inspector-previous-page)
    (define-key map "?" #'describe-mode)
    map)
  "Keymap of `midflight-inspector-mode'.")

(easy-menu-define midflight-inspector-menu midflight-inspector-mode-map
  "Menu of `midflight-inspector-mode'."
  '("Inspector"
    ["Into the part at point" midflight-inspector-into]
    ["Back" midflight-inspector-back :active midflight-inspector--back]
    ["Forward" midflight-inspector-forth :active midflight-inspector--forth]
    ["Next parts" midflight-inspector-next-page]
    ["Previous parts" midflight-inspector-previous-page]
    "---"
    ["Give it a name in the shell..." midflight-inspector-bind]
    ["Its source, or its class's" midflight-inspector-source]
    ["Edit the state of this server" midflight-inspector-edit
     :active (eq (car midflight-inspector--asked) 'inspect/state)]
    ["Refresh" revert-buffer]
    ["Quit" quit-window]))

(define-derived-mode midflight-inspector-mode special-mode "Midflight-Inspector"
  "Major mode for inspecting a live value.

\\{midflight-inspector-mode-map}"
  (setq-local revert-buffer-function #'midflight-inspector--revert)
  (setq-local truncate-lines t)
  (add-hook 'kill-buffer-hook #'midflight-inspector--forget nil t)
  (add-hook 'xref-backend-functions #'ignore nil t))

;;;###autoload
(defun midflight-inspect (expression)
  "Inspect the value of EXPRESSION in the running system.
The default is the dotted name at point; on a result in the shell, that
result.  A name is looked up.  Any other expression is evaluated outside of
the shell, and therefore even while an evaluation runs there."
  (interactive (list (or (and (not current-prefix-arg) (midflight-inspector--result))
                         (midflight-look-read "Inspect"))))
  (midflight-inspector--open 'inspect/open
                             (list (midflight-look-where)
                                   (substring-no-properties expression)
                                   (midflight-look-inside))))

;;;###autoload
(defun midflight-inspect-state (pid)
  "Inspect the state of the server PID: the object with its attributes.
PID is a pid as it is shown, or a registered name."
  (interactive (list (midflight-process-read "Inspect the state of")))
  (midflight-inspector--open 'inspect/state (list pid)))

(defun midflight-inspect-stored (name &optional number)
  "Inspect the state of the durable server NAME as the store has it.
With NUMBER, inspect that state of its history."
  (midflight-inspector--open 'inspect/stored (list name number)))

(defun midflight-inspector--open (method args)
  "Show the answer to METHOD with ARGS in the inspector of this project."
  (with-current-buffer (midflight-inspector--buffer)
    (midflight-inspector--forget)
    (setq midflight-inspector--asked (cons method args)
          midflight-inspector--back nil
          midflight-inspector--forth nil)
    (midflight-inspector--call
     method args
     (lambda (page)
       (midflight-inspector--show page)
       (pop-to-buffer (current-buffer))))))

(defun midflight-inspector--result ()
  "Return an expression for the result at point in a shell, or nil."
  (let ((job (and (midflight-look-shell-p)
                  (get-text-property (point) 'midflight-job))))
    (pcase job
      (`(,(pred (eql midflight-shell-session-number)) . ,number) (format "v(%d)" number))
      (`(,_ . ,number)
       (midflight-user-error
        "Result %d is of a session that has ended; nothing was done; evaluate it again"
        number)))))

(defun midflight-inspector--buffer ()
  "Return the inspector of this buffer's project."
  (let* ((connection (midflight-connection-of-buffer))
         (buffer (get-buffer-create
                  (format "*midflight-inspector for %s*"
                          (midflight-connection-project connection)))))
    (with-current-buffer buffer
      (unless (derived-mode-p 'midflight-inspector-mode)
        (midflight-inspector-mode))
      (setq midflight-connection-buffer-root (midflight-connection-root connection)))
    buffer))

(defun midflight-inspector--call (method args callback)
  "Call METHOD with ARGS; give the answer to CALLBACK, in this buffer.
If there is no answer, show the reason and keep the current page."
  (midflight-connection-call method args callback #'midflight-connection-show-error 15))

(defun midflight-inspector--wire ()
  "Return the wire of this buffer's connection."
  (midflight-connection-wire (midflight-connection-of-buffer)))

(defun midflight-inspector--require ()
  "Return the current page; signal `user-error' if it cannot be used."
  (unless midflight-inspector--page
    (midflight-user-error "This buffer shows no value; M-x midflight-inspect inspects one"))
  (unless (eq midflight-inspector--connection (midflight-inspector--wire))
    (midflight-user-error
     "The connection has ended since then, and the server has forgotten the value; g inspects it again"))
  midflight-inspector--page)

(defun midflight-inspector--forget ()
  "Let the server forget the values of this buffer."
  (let ((values midflight-inspector--values))
    (setq midflight-inspector--values nil)
    (when (and values
               (midflight-connection-open-p)
               (eq midflight-inspector--connection (midflight-inspector--wire)))
      (midflight-connection-call 'inspect/close (list values) #'ignore #'ignore))))

;;;; Show

(defun midflight-inspector--show (page &optional point)
  "Show PAGE, a plist of the server, with point at POINT."
  (setq midflight-inspector--page page
        midflight-inspector--connection (midflight-inspector--wire))
  (cl-pushnew (plist-get page :value) midflight-inspector--values)
  (let ((inhibit-read-only t))
    (erase-buffer)
    (midflight-inspector--insert-head page)
    (let ((section nil))
      (dolist (part (plist-get page :parts))
        (unless (equal section (plist-get part :section))
          (setq section (plist-get part :section))
          (insert "\n" (propertize (pcase section
                                     ("item" "Items") ("attribute" "Attributes")
                                     (_ "From its class"))
                                   'face 'bold)
                  "\n"))
        (midflight-inspector--insert-part part)))
    (midflight-inspector--insert-pages page)
    (goto-char (point-min))
    (if point
        (goto-char (min point (point-max)))
      (forward-button 1 nil nil t)))
  (set-buffer-modified-p nil))

(defun midflight-inspector--insert-head (page)
  "Insert the description of the value of PAGE."
  (insert (propertize (plist-get page :type) 'face 'font-lock-type-face)
          (if (equal (plist-get page :module) "") ""
            (format "  %s" (plist-get page :module)))
          (if (plist-get page :version) (format " v%d" (plist-get page :version)) "")
          (if (plist-get page :length) (format ", %d items" (plist-get page :length)) "")
          "\n" (plist-get page :text) (plist-get page :signature) "\n")
  (when (plist-get page :pid)
    (insert-text-button "Show this runtime process"
                        'action (lambda (_) (midflight-inspector--process
                                             (plist-get page :pid))))
    (insert "\n")))

(defun midflight-inspector--insert-part (part)
  "Insert PART, a plist, as a line."
  (insert "  ")
  (insert-text-button (plist-get part :label)
                      'midflight-part part
                      'action (lambda (_) (midflight-inspector--enter part))
                      'help-echo "RET: into this part")
  (insert (make-string (max 1 (- 26 (current-column))) ?\s)
          (propertize (plist-get part :kind) 'face 'font-lock-type-face)
          "  " (replace-regexp-in-string "\n" " " (plist-get part :text)) "\n"))

(defun midflight-inspector--insert-pages (page)
  "Insert the range and the number of the parts, unless PAGE has all."
  (let ((start (plist-get page :start))
        (total (plist-get page :total))
        (shown (length (plist-get page :parts))))
    (when (< shown total)
      (insert (format "\nParts %d to %d of %d; " start (+ start shown -1) total))
      (when (> start 0)
        (insert-text-button "<" 'action (lambda (_) (midflight-inspector-previous-page)))
        (insert " before "))
      (when (< (+ start shown) total)
        (insert-text-button ">" 'action (lambda (_) (midflight-inspector-next-page)))
        (insert " more"))
      (insert "\n"))))

;;;; Go

(defun midflight-inspector--spot ()
  "Return the entry by which this page can be shown again."
  (list (plist-get midflight-inspector--page :value)
        (plist-get midflight-inspector--page :start)
        (point)))

(defun midflight-inspector--enter (part)
  "Show PART, or its runtime process if it is a pid."
  (let ((page (midflight-inspector--require))
        (spot (midflight-inspector--spot)))
    (if (and (plist-get part :pid) (fboundp 'midflight-process-view))
        (midflight-inspector--process (plist-get part :pid))
      (midflight-inspector--call
       'inspect/part (list (plist-get page :value) (plist-get part :index))
       (lambda (new)
         (push spot midflight-inspector--back)
         (setq midflight-inspector--forth nil)
         (midflight-inspector--show new))))))

(defun midflight-inspector--process (pid)
  "Show the runtime process PID."
  (if (fboundp 'midflight-process-view)
      (midflight-process-view pid)
    (midflight-user-error "There is no command to show a runtime process")))

(defun midflight-inspector-into ()
  "Go into the part on this line."
  (interactive)
  (let ((button (or (button-at (point))
                    (save-excursion
                      (beginning-of-line)
                      (let ((next (next-button (point) t)))
                        (and next (<= (button-start next) (line-end-position)) next))))))
    (if button
        (button-activate button)
      (midflight-user-error "There is no part on this line"))))

(defun midflight-inspector--go (spot &optional then)
  "Show the page at SPOT; call THEN when it is there."
  (midflight-inspector--require)
  (pcase-let ((`(,value ,start ,point) spot))
    (midflight-inspector--call
     'inspect/page (list value start)
     (lambda (page)
       (when then (funcall then))
       (midflight-inspector--show page point)))))

(defun midflight-inspector-back ()
  "Show the page before this one."
  (interactive)
  (unless midflight-inspector--back
    (midflight-user-error "There is no page before this one"))
  (let ((here (midflight-inspector--spot)))
    (midflight-inspector--go (car midflight-inspector--back)
                             (lambda ()
                               (pop midflight-inspector--back)
                               (push here midflight-inspector--forth)))))

(defun midflight-inspector-forth ()
  "Go forward to the page from which you went back."
  (interactive)
  (unless midflight-inspector--forth
    (midflight-user-error "There is no page after this one"))
  (let ((here (midflight-inspector--spot)))
    (midflight-inspector--go (car midflight-inspector--forth)
                             (lambda ()
                               (pop midflight-inspector--forth)
                               (push here midflight-inspector--back)))))

(defun midflight-inspector--turn (start)
  "Show the parts from START on."
  (let ((page (midflight-inspector--require)))
    (unless (<= 0 start (1- (plist-get page :total)))
      (midflight-user-error "There are no more parts"))
    (midflight-inspector--go (list (plist-get page :value) start nil))))

(defun midflight-inspector-next-page ()
  "Show the next parts."
  (interactive)
  (midflight-inspector--turn (+ (plist-get (midflight-inspector--require) :start)
                                (length (plist-get midflight-inspector--page :parts)))))

(defun midflight-inspector-previous-page ()
  "Show the parts before these."
  (interactive)
  (midflight-inspector--turn (- (plist-get (midflight-inspector--require) :start) 100)))

(defun midflight-inspector--revert (&rest _)
  "Show the same value again.
If there is a new connection, ask for its expression again."
  (if (and midflight-inspector--page
           (eq midflight-inspector--connection (midflight-inspector--wire)))
      (midflight-inspector--go (midflight-inspector--spot))
    (unless midflight-inspector--asked
      (midflight-user-error "This buffer shows no value; M-x midflight-inspect inspects one"))
    (pcase-let ((`(,method ,where . ,rest) midflight-inspector--asked)
                (shell (midflight-shell-of midflight-connection-buffer-root)))
      (when (and (integerp where) shell)
        (setq where (buffer-local-value 'midflight-shell-session-number shell)))
      (midflight-inspector--call
       method (cons where rest)
       (lambda (page)
         (setq midflight-inspector--back nil
               midflight-inspector--forth nil)
         (midflight-inspector--show page))))))

;;;; Use

(defun midflight-inspector-bind (name)
  "Bind NAME to this value in the project's shell."
  (interactive (list (read-string "Name in the shell: ")))
  (let* ((page (midflight-inspector--require))
         (shell (midflight-shell-of midflight-connection-buffer-root))
         (session (and shell (buffer-local-value 'midflight-shell-session-number shell))))
    (unless session
      (midflight-user-error "The project has no shell; nothing was bound; M-x midflight-shell opens one"))
    (midflight-inspector--call
     'inspect/bind (list (plist-get page :value) session name)
     (lambda (_) (message "Midflight: in the shell, %s is now this value" name)))))

(defun midflight-inspector-source ()
  "Go to the definition of this value, or of its class."
  (interactive)
  (midflight-inspector--call
   'inspect/definition (list (plist-get (midflight-inspector--require) :value))
   (lambda (definition)
     (if definition
         (midflight-xref-visit definition)
       (message "Midflight: neither this value nor its class is defined in a file")))))

(defun midflight-inspector-edit ()
  "Edit the state of the server that is inspected here."
  (interactive)
  (pcase midflight-inspector--asked
    (`(inspect/state ,pid) (midflight-edit-state pid))
    (_ (midflight-user-error "The inspected value is not the state of a server; nothing was done"))))

(provide 'midflight-inspector)
;;; midflight-inspector.el ends here
