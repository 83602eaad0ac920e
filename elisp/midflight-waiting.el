;;; midflight-waiting.el --- The processes at each line of the source  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The number of runtime processes at each line of a source buffer, and their
;; old versions, behind that line.  A line of an old version is shown at the
;; corresponding line of the buffer.  How the numbers of a buffer come about:
;;
;; 1. `midflight-show-waiting' turns them on and asks the server.
;; 2. While the buffer is shown, Emacs asks again after each load and every other
;;    second; less often if the answers take long, and not while the server is
;;    busy.
;; 3. If an answer is the same as the last, nothing changes.

;;; Code:

(require 'cl-lib)
(require 'midflight-connection)
(require 'midflight-code)
(require 'midflight-process)

(declare-function midflight-processes "midflight-process-list" ())
(declare-function midflight-at-point-click "midflight-waiting-act" (event))

(defcustom midflight-waiting-seconds 2
  "Seconds until the server is asked again which processes are at which line."
  :type 'number
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defconst midflight-waiting--share 20
  "The pause between two requests, as a multiple of the last answer's time.")

(defface midflight-waiting '((t :inherit shadow))
  "Face for the processes at a line."
  :group 'midflight)

(defvar-local midflight-waiting-on nil "Non-nil if this buffer shows the processes at its lines.")
(defvar-local midflight-waiting--spots nil "The answer of the server that is shown.")
(defvar-local midflight-waiting--tick nil "The modification tick of the text for which the answer is shown.")
(defvar-local midflight-waiting--overlays nil "The overlays that show it.")
(defvar-local midflight-waiting--asked nil "The time of the request that has no answer yet, or nil.")
(defvar-local midflight-waiting--next 0 "The time before which the server is not asked again.")
(defvar midflight-waiting--timer nil "The timer, while a buffer needs it.")

(defvar midflight-waiting-map
  (let ((map (make-sparse-keymap)))
    (define-key map [mouse-1] #'midflight-waiting-processes)
    (define-key map [mouse-3] #'midflight-at-point-click)
    map)
  "Keymap of the text behind a line with processes.")

;;;###autoload
(defun midflight-show-waiting (&optional processes)
  "Show which runtime processes are at which line of this buffer, or stop it.
With prefix argument PROCESSES, show the list of processes instead."
  (interactive "P")
  (cond (processes (midflight-waiting-processes))
        (midflight-waiting-on
         (midflight-waiting-disable)
         (message "Midflight: the processes at the lines are no longer shown"))
        (t
         (midflight-code-path)
         (midflight-connection-require (midflight-connection-of-buffer))
         (setq midflight-waiting-on t)
         ;; A process that a command here acted on may have moved or ended.
         (setq-local midflight-process-changed-function #'midflight-waiting--ask)
         (add-hook 'midflight-loaded-functions #'midflight-waiting--loaded)
         (add-hook 'midflight-connection-closed-functions #'midflight-waiting--closed)
         (add-hook 'kill-buffer-hook #'midflight-waiting-disable nil t)
         (unless midflight-waiting--timer
           (setq midflight-waiting--timer
                 (run-with-timer midflight-waiting-seconds midflight-waiting-seconds
                                 #'midflight-waiting--look)))
         (midflight-waiting--ask t))))

(defun midflight-waiting-disable ()
  "Stop showing the processes at the lines of this buffer."
  (midflight-waiting--clear)
  (setq midflight-waiting-on nil
        midflight-waiting--asked nil)
  (kill-local-variable 'midflight-process-changed-function)
  (remove-hook 'kill-buffer-hook #'midflight-waiting-disable t)
  (unless (cl-some (lambda (buffer) (buffer-local-value 'midflight-waiting-on buffer))
                   (buffer-list))
    (remove-hook 'midflight-loaded-functions #'midflight-waiting--loaded)
    (remove-hook 'midflight-connection-closed-functions #'midflight-waiting--closed)
    (when midflight-waiting--timer
      (cancel-timer midflight-waiting--timer)
      (setq midflight-waiting--timer nil))))

(defun midflight-waiting--closed (connection _reason)
  "Forget the answers of the server of CONNECTION."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (and midflight-waiting-on
                 (midflight-connection-uses-p (midflight-connection-root connection)))
        (setq midflight-waiting--asked nil)
        (midflight-waiting--clear)))))

(defun midflight-waiting--loaded (&rest _)
  "Ask again, as after a load."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (setq midflight-waiting--next 0)))
  (midflight-waiting--look))

(defun midflight-waiting--look ()
  "Ask the servers of the buffers that are shown, if they are not busy."
  (dolist (buffer (buffer-list))
    (when (and (buffer-local-value 'midflight-waiting-on buffer)
               (get-buffer-window buffer 'visible))
      (with-current-buffer buffer
        (when (and (midflight-connection-open-p)
                   (zerop (midflight-connection-pending (midflight-connection-of-buffer)))
                   (>= (float-time) midflight-waiting--next))
          (midflight-waiting--ask))))))

(defun midflight-waiting--ask (&optional tell)
  "Ask the server for the processes at the lines of this buffer.
If TELL is non-nil, say how many there are."
  (unless midflight-waiting--asked
    (let ((tick (buffer-chars-modified-tick)))
      (setq midflight-waiting--asked (float-time))
      (midflight-connection-call
       'code/waiting (list (midflight-code-path) (midflight-code-text))
       (lambda (spots)
         (let ((now (float-time)))
           (setq midflight-waiting--next
                 (+ now (* midflight-waiting--share (- now (or midflight-waiting--asked now))))
                 midflight-waiting--asked nil))
         (when (and midflight-waiting-on (= tick (buffer-chars-modified-tick)))
           (midflight-waiting--take spots tick)
           (when tell
             (message (if spots "Midflight: %d process%s here" "Midflight: no process is here")
                      (midflight-waiting--total spots)
                      (if (= (midflight-waiting--total spots) 1) "" "es")))))
       (lambda (text)
         (setq midflight-waiting--asked nil)
         (when tell
           (midflight-connection-show-error text)))))))

(defun midflight-waiting--total (spots)
  "Return the number of processes in SPOTS, the answer of the server."
  (cl-loop for spot in spots sum (plist-get spot :count)))

;;;; Show the processes

(defun midflight-waiting--take (spots tick)
  "Show SPOTS, the answer of the server for the text of TICK."
  (unless (and (equal spots midflight-waiting--spots) (eql tick midflight-waiting--tick))
    (midflight-waiting--clear)
    (setq midflight-waiting--spots spots
          midflight-waiting--tick tick)
    (mapc #'midflight-waiting--put spots)))

(defun midflight-waiting--clear ()
  "Remove the texts behind the lines of this buffer."
  (mapc #'delete-overlay midflight-waiting--overlays)
  (setq midflight-waiting--overlays nil
        midflight-waiting--spots nil
        midflight-waiting--tick nil))

(defun midflight-waiting--put (spot)
  "Show SPOT, a plist, behind its line."
  (save-excursion
    (goto-char (midflight-flymake-position (plist-get spot :line) 0))
    (let ((overlay (make-overlay (point) (line-end-position)))
          (text (concat "  " (midflight-waiting--words spot))))
      (setq text (propertize text 'face 'midflight-waiting 'mouse-face 'highlight
                             'keymap midflight-waiting-map
                             'help-echo (midflight-waiting--help spot)))
      (put-text-property 0 1 'cursor t text)
      (overlay-put overlay 'after-string text)
      (overlay-put overlay 'midflight-waiting spot)
      (push overlay midflight-waiting--overlays))))

(defun midflight-waiting-spots ()
  "Return the spots shown in this buffer: (LINE . SPOT) each, by line."
  (sort (cl-loop for overlay in midflight-waiting--overlays
                 when (overlay-buffer overlay)
                 collect (cons (line-number-at-pos (overlay-start overlay) t)
                               (overlay-get overlay 'midflight-waiting)))
        #'car-less-than-car))

(defun midflight-waiting--words (spot)
  "Return the text for SPOT, a plist: \"3 processes (2 in v1)\"."
  (let ((count (plist-get spot :count))
        (old (cl-remove-if (lambda (version) (plist-get version :current))
                           (plist-get spot :versions))))
    (concat (if (char-displayable-p ?⏸) "⏸ " "|| ")
            (format "%d process%s" count (if (= count 1) "" "es"))
            (if old
                (format " (%s)" (mapconcat (lambda (version)
                                             (format "%d in v%d" (plist-get version :count)
                                                     (plist-get version :version)))
                                           old ", "))
              ""))))

(defun midflight-waiting--help (spot)
  "Return the tooltip of SPOT, a plist: the pids."
  (let ((pids (plist-get spot :pids)))
    (concat (mapconcat #'identity pids " ")
            (if (< (length pids) (plist-get spot :count)) " ..." "")
            "\nmouse-1: list all processes, mouse-3: act on these")))

(defun midflight-waiting-processes ()
  "Show the list of runtime processes."
  (interactive)
  (if (fboundp 'midflight-processes)
      (call-interactively 'midflight-processes)
    (message "Midflight: %s" (mapconcat (lambda (spot)
                                          (mapconcat #'identity (plist-get spot :pids) " "))
                                        midflight-waiting--spots " "))))

(provide 'midflight-waiting)
;;; midflight-waiting.el ends here
