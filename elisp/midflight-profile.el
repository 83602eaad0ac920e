;;; midflight-profile.el --- A profile of the live program  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A profile of the live program, while it runs on.
;;
;; 1. `midflight-profile' asks the server to look at all threads for some
;;    seconds.  The editor does not wait.
;; 2. A list shows the functions in which it saw a process, a task or a thread,
;;    with the share of each.  b groups them: by process and function, by
;;    function, by process.
;; 3. f shows the flame picture, RET goes to the definition of a function.

;;; Code:

(require 'browse-url)
(require 'tabulated-list)
(require 'midflight-util)
(require 'midflight-connection)
(require 'midflight-server)
(require 'midflight-details)
(require 'midflight-process)
(require 'midflight-process-view)

(defcustom midflight-profile-seconds 5
  "The seconds that a profile takes, if no number is given."
  :type 'number
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defvar-local midflight-profile--answer nil "The profile that this list shows, a plist.")
(defvar-local midflight-profile--grouping 'both
  "The grouping of the rows: `both', `function' or `process'.")

(midflight-define-keys midflight-profile-mode "Profile"
  ("RET" midflight-profile-visit "Go to the function, in the version that ran")
  ("." midflight-profile-visit nil)
  ("P" midflight-profile-show-process "Show the process")
  ("b" midflight-profile-group "Group by function, by process, by both")
  ("f" midflight-profile-flame "Flame picture")
  ("w" midflight-profile-write "Write the flame picture to a file..."))

(define-derived-mode midflight-profile-mode tabulated-list-mode "Midflight-Profile"
  "Major mode for a profile of the live program.
Own is the share of the looks that saw the function itself at work, Total that
of those that saw it or something that it called.  What is counted is time: a
function that sleeps while its event loop waits for it counts.
\\<midflight-profile-mode-map>\\[revert-buffer] takes another profile, as long as this one.

\\{midflight-profile-mode-map}"
  (setq tabulated-list-format [("Own %" 7 midflight-profile--less-own-p :right-align t)
                               ("Total %" 8 midflight-profile--less-total-p :right-align t)
                               ("In" 24 t) ("Function" 30 t) ("Module" 0 t)]
        tabulated-list-padding 1
        tabulated-list-sort-key '("Own %" . t))
  (tabulated-list-init-header)
  (setq-local revert-buffer-function #'midflight-profile--again))

;;;###autoload
(defun midflight-profile (seconds)
  "Look at the running program for SECONDS, and list where it spends its time.
Interactively, SECONDS is the prefix argument, or `midflight-profile-seconds'.
The program runs on meanwhile, and so does Emacs."
  (interactive (list (if current-prefix-arg (prefix-numeric-value current-prefix-arg)
                       midflight-profile-seconds)))
  (unless (< 0 seconds 601)
    (midflight-user-error "A profile takes up to 600 seconds, not %s; nothing was looked at" seconds))
  (midflight-server-ensure
   (lambda ()
     (message "Midflight: looking at the program for %s s..." seconds)
     (midflight-connection-call
      'profile/take (list seconds)
      (lambda (answer)
        (let ((buffer (midflight-process-buffer "profile" 'midflight-profile-mode)))
          (with-current-buffer buffer
            (setq midflight-profile--answer answer)
            (midflight-profile--draw))
          (pop-to-buffer buffer)
          (goto-char (point-min))))))))

(defun midflight-profile--again (&rest _)
  "Take another profile, as long as this one."
  (midflight-profile (max 0.1 (round (plist-get midflight-profile--answer :seconds)))))

(defun midflight-profile--draw ()
  "Fill this list from its profile, grouped as chosen."
  (setq tabulated-list-entries
        (mapcar (lambda (row)
                  (midflight-profile--entry row (plist-get midflight-profile--answer :busy)))
                (midflight-profile--grouped (plist-get midflight-profile--answer :rows)
                                            midflight-profile--grouping)))
  (tabulated-list-print t)
  (message "Midflight: %d stacks seen in %d looks, %.1f s%s"
           (plist-get midflight-profile--answer :busy)
           (plist-get midflight-profile--answer :looks)
           (plist-get midflight-profile--answer :seconds)
           (if tabulated-list-entries "; f shows the flame picture"
             ": nothing but waiting was seen")))

(defun midflight-profile--grouped (rows grouping)
  "Return ROWS, plists, with those added up that GROUPING does not tell apart.
A stack has one process, so the numbers of different processes add up.  For a
process, the total is what it had itself: its stacks."
  (if (eq grouping 'both)
      rows
    (let ((sums (make-hash-table :test #'equal))
          (keys nil))
      (dolist (row rows)
        (let* ((key (if (eq grouping 'process)
                        (plist-get row :who)
                      (mapcar (lambda (name) (plist-get row name))
                              '(:module :version :function :path :line))))
               (sum (gethash key sums)))
          (unless sum
            (push key keys)
            (setq sum (if (eq grouping 'process)
                          (list :who key :function "" :module "" :own 0 :total 0)
                        (plist-put (plist-put (plist-put (copy-sequence row) :who "") :own 0) :total 0)))
            (puthash key sum sums))
          (plist-put sum :own (+ (plist-get sum :own) (plist-get row :own)))
          (plist-put sum :total (+ (plist-get sum :total)
                                   (plist-get row (if (eq grouping 'process) :own :total))))))
      (mapcar (lambda (key) (gethash key sums)) (nreverse keys)))))

(defun midflight-profile--entry (row busy)
  "Return the entry of ROW, a plist; BUSY is the number of stacks in all."
  (let ((version (plist-get row :version))
        (share (lambda (count) (format "%.1f" (/ (* 100.0 count) (max 1 busy))))))
    (list row
          (vector (funcall share (plist-get row :own))
                  (funcall share (plist-get row :total))
                  (plist-get row :who)
                  (propertize (plist-get row :function) 'face 'font-lock-function-name-face)
                  (concat (plist-get row :module) (if version (format " v%d" version) ""))))))

(defun midflight-profile--less-own-p (a b)
  "Return non-nil if the entry A has less of its own than the entry B."
  (< (plist-get (car a) :own) (plist-get (car b) :own)))

(defun midflight-profile--less-total-p (a b)
  "Return non-nil if the entry A has less in all than the entry B."
  (< (plist-get (car a) :total) (plist-get (car b) :total)))

;;;; Commands

(defun midflight-profile--here ()
  "Return the row of this line, a plist."
  (or (tabulated-list-get-id)
      (midflight-user-error "This line has no function; nothing was done")))

(defun midflight-profile-group ()
  "Group the rows by function; then by process; then by both again."
  (interactive)
  (setq midflight-profile--grouping (pcase midflight-profile--grouping
                                      ('both 'function)
                                      ('function 'process)
                                      (_ 'both)))
  (midflight-profile--draw))

(defun midflight-profile-visit ()
  "Go to the definition of the function of this line, in the version that ran."
  (interactive)
  (let ((row (midflight-profile--here)))
    (if (plist-get row :path)
        (midflight-details-show-place row)
      (midflight-user-error "This line has no function; b groups the rows by function"))))

(defun midflight-profile-show-process ()
  "Show the runtime process of this line."
  (interactive)
  (let ((who (plist-get (midflight-profile--here) :who)))
    (if (string-prefix-p "<" who)
        (midflight-process-view (car (split-string who)))
      (midflight-user-error "This line is not of a runtime process; nothing was done"))))

(defun midflight-profile-flame ()
  "Show the flame picture: in Emacs if this frame can, else in the browser."
  (interactive)
  (let* ((in-emacs (and (display-images-p) (image-type-available-p 'svg)))
         (file (make-temp-file "midflight-profile-" nil (if in-emacs ".svg" ".html"))))
    (midflight-profile-write file)
    (if in-emacs
        (pop-to-buffer (find-file-noselect file))
      (condition-case problem
          (browse-url-of-file file)
        (error (message "Midflight: the flame picture is in %s; no browser showed it: %s"
                        file (error-message-string problem)))))))

(defun midflight-profile-write (file)
  "Write the flame picture to FILE: as SVG, or in a page if its name ends in .html."
  (interactive "FWrite the flame picture to: ")
  (unless midflight-profile--answer
    (midflight-user-error "There is no profile here; M-x midflight-profile takes one"))
  (let ((picture (plist-get midflight-profile--answer :svg)))
    (with-temp-buffer
      (insert picture)
      (when (string-suffix-p ".html" file)
        (goto-char (point-min))
        (insert "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>Midflight profile</title>\n"))
      (let ((coding-system-for-write 'utf-8-unix))
        (write-region nil nil file nil 'silent)))
    (message "Midflight: the flame picture is in %s" (abbreviate-file-name file))))

(provide 'midflight-profile)
;;; midflight-profile.el ends here
