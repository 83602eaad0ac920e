;;; midflight-process-view.el --- One runtime process  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The view of one runtime process, in a buffer of its own: its place, its state,
;; its waiting messages, its links and monitors.  g asks again.  The server
;; limits the size of its answer, and the view says how much more there is.

;;; Code:

(require 'cl-lib)
(require 'easymenu)
(require 'midflight-connection)
(require 'midflight-details)
(require 'midflight-process)
(require 'midflight-process-rows)

(defvar midflight-process-view-mode-map
  (let ((map (make-sparse-keymap)))
    (set-keymap-parent map (make-composed-keymap midflight-process-map special-mode-map))
    (define-key map (kbd "RET") #'midflight-details-push)
    (define-key map "m" #'midflight-process-view-mailbox)
    (define-key map "b" #'midflight-process-view-backtrace)
    (define-key map (kbd "TAB") #'forward-button)
    (define-key map (kbd "<backtab>") #'backward-button)
    (define-key map "n" #'next-error-no-select)
    (define-key map "p" #'previous-error-no-select)
    (define-key map "?" #'describe-mode)
    map)
  "Keymap of `midflight-process-view-mode'.")

(easy-menu-define midflight-process-view-menu midflight-process-view-mode-map
  "Menu of `midflight-process-view-mode'."
  `("Process" ,@(cdr midflight-process-menu) "---" ["Refresh" revert-buffer]))

(define-derived-mode midflight-process-view-mode special-mode "Midflight-Process"
  "Major mode for the view of one runtime process.

\\{midflight-process-view-mode-map}"
  (setq midflight-process-changed-function #'midflight-process-view--refresh)
  (setq-local next-error-function #'midflight-details-next-error)
  (setq-local revert-buffer-function #'midflight-process-view--refresh))

;;;###autoload
(defun midflight-process-view (pid &optional section)
  "Show the details of the runtime process PID, a pid or a registered name.
With SECTION, `mailbox' or `backtrace', go there."
  (interactive (list (midflight-process-read "Show process")))
  (midflight-connection-call
   'process/view (list pid)
   (lambda (view)
     (if (not view)
         (message "Midflight: %s is dead" pid)
       (let* ((pid (plist-get view :pid))
              (buffer (midflight-process-buffer (concat "process " pid)
                                                'midflight-process-view-mode pid)))
         (with-current-buffer buffer
           (midflight-process-view--draw view))
         (pop-to-buffer buffer)
         ;; Only now: a window that has shown the buffer before goes back to
         ;; where it was in it.
         (goto-char (point-min))
         (when section
           (midflight-details-goto section)
           (recenter 0)))))))

(defun midflight-process-view--refresh (&rest _)
  "Ask for the view again."
  (midflight-connection-call
   'process/view (list midflight-process-buffer-pid)
   (lambda (view)
     (let ((line (line-number-at-pos))
           (inhibit-read-only t))
       (if view
           (midflight-process-view--draw view)
         (save-excursion
           (goto-char (point-min))
           (unless (looking-at-p "Dead")
             (insert (propertize "Dead; what follows is the last that was seen of it.\n\n"
                                 'face 'error)))))
       (goto-char (point-min))
       (forward-line (1- line))))))

(defun midflight-process-view--draw (view)
  "Write VIEW, a plist, into this buffer."
  (let ((inhibit-read-only t)
        (counts (plist-get view :counts)))
    (erase-buffer)
    (remove-overlays)
    (midflight-details-forget-frame)
    (setq next-error-last-buffer (current-buffer))
    (midflight-process-view--head view)
    (midflight-process-view--ties view counts)
    (midflight-details-heading "Backtrace, the innermost frame last" 'backtrace)
    (midflight-details-frames (plist-get view :frames))
    (midflight-process-view--state view)
    (midflight-process-view--mailbox view counts)
    (when (plist-get view :dictionary)
      (midflight-details-heading "Dictionary")
      (midflight-details-items (plist-get view :dictionary) 2))
    (set-buffer-modified-p nil)))

(defun midflight-process-view--head (view)
  "Insert the head of VIEW: the process itself."
  (let ((version (plist-get view :version)))
    (midflight-details-heading
     (format "Process %s%s" (plist-get view :pid)
             (if (plist-get view :name) (format ", %s" (plist-get view :name)) "")))
    (midflight-details-field "Status" (plist-get view :status)
                             (if (plist-get view :waiting-for)
                                 (format ", for %s" (plist-get view :waiting-for))
                               ""))
    (midflight-details-field "Runs" (format "%s%s, %s:%d" (plist-get view :module)
                                            (if version (format " v%d" version) "")
                                            (plist-get view :function)
                                            (or (plist-get view :line) 0)))
    (midflight-details-field "Initial call" (plist-get view :initial-call))
    (midflight-details-field "Reductions" (format "%d" (plist-get view :reductions)))
    (midflight-details-field "Traps exits" (if (plist-get view :trap-exit) "yes" "no"))
    (midflight-details-field "Output goes to"
                             (lambda () (midflight-details-value
                                         (or (plist-get view :group-leader) "nowhere"))))))

(defun midflight-process-view--ties (view counts)
  "Insert the links and monitors in VIEW; COUNTS has the number of each."
  (pcase-dolist (`(,label ,key) '(("Started by" :parents) ("Links" :links)
                                  ("Monitors" :monitors) ("Monitored by" :monitored-by)))
    (let ((kins (plist-get view key)))
      (when kins
        (midflight-details-field
         label (lambda () (midflight-details-pids kins (plist-get counts key))))))))

(defun midflight-process-view--state (view)
  "Insert the state in VIEW, if it is that of a server."
  (let* ((state (plist-get view :state))
         (version (plist-get state :version))
         (current (plist-get state :current)))
    (when state
      (midflight-details-heading
       (concat "State: an object of " (plist-get state :module) "." (plist-get state :class)
               (if version (format " v%d" version) "")
               (if (and version current (not (eql version current)))
                   (format ", which takes v%d at the next message" current)
                 "")))
      (if (plist-get state :attributes)
          (midflight-details-items (plist-get state :attributes) 2)
        (insert "  no attributes\n"))
      (insert "  ")
      (insert-text-button "[Inspect]" 'action (lambda (_) (midflight-process-inspect))
                          'help-echo "Look into the object that has this state")
      (insert " ")
      (insert-text-button "[Edit]" 'action (lambda (_) (midflight-process-edit))
                          'help-echo "Edit this state, and put it into the live server")
      (insert "\n"))))

(defun midflight-process-view--mailbox (view counts)
  "Insert the messages in VIEW; COUNTS has the number that wait."
  (let ((total (plist-get counts :messages)))
    (midflight-details-heading
     (format "Mailbox: %s, the oldest first"
             (if (eql total 1) "1 message" (format "%d messages" total)))
     'mailbox)
    (midflight-process-view--messages (plist-get view :messages) 0 total)))

(defun midflight-process-view--messages (messages start total)
  "Insert MESSAGES, numbered from START, of TOTAL."
  (let ((number start))
    (dolist (message messages)
      (insert (format "%4d  " number))
      (midflight-details-value message)
      (insert "\n")
      (setq number (1+ number)))
    (when (< number total)
      (insert "      ")
      (insert-text-button (format "%d more; RET shows the next" (- total number))
                          'type 'midflight-fold
                          'midflight-unfold
                          (lambda (button)
                            (midflight-process-view--more button number)))
      (insert "\n"))))

(defun midflight-process-view--more (button start)
  "Replace BUTTON by the messages from number START on."
  (let ((place (copy-marker (button-start button))))
    (midflight-connection-call
     'process/messages (list midflight-process-buffer-pid start)
     (lambda (answer)
       (let ((inhibit-read-only t))
         (save-excursion
           (goto-char place)
           (set-marker place nil)
           (delete-region (line-beginning-position) (line-beginning-position 2))
           (if answer
               (midflight-process-view--messages
                (plist-get answer :messages) start (plist-get answer :total))
             (insert "      it is dead by now\n"))))))))

(defun midflight-process-view-mailbox ()
  "Go to the mailbox in this view."
  (interactive)
  (midflight-details-goto 'mailbox))

(defun midflight-process-view-backtrace ()
  "Go to the backtrace in this view."
  (interactive)
  (midflight-details-goto 'backtrace))

(provide 'midflight-process-view)
;;; midflight-process-view.el ends here
