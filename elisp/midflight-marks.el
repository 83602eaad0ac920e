;;; midflight-marks.el --- The differences from the running code  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A bar in the fringe, on a terminal in the margin, next to each definition
;; that differs from the running code.  How the marks of a buffer come about:
;;
;; 1. Emacs is idle and the buffer is shown.  If its text has changed since the
;;    last request, or another version has become current, Emacs sends the text
;;    to the server.  Otherwise it sends nothing.
;; 2. The server answers which statements differ from the running version.
;; 3. They are marked, and the mode line says "stale" or "not loaded".
;;
;; A buffer has at most one request at a time, and none without an open
;; connection, or while the server is busy.  The server compares, because the
;; running code may be an older version of this file, a part of an edit, or a
;; rollback.

;;; Code:

(require 'cl-lib)
(require 'midflight-connection)
(require 'midflight-code)
(require 'midflight-margin)

(defcustom midflight-mark-stale t
  "Whether definitions that differ from the running code are marked."
  :type 'boolean
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defcustom midflight-marks-maximum-size 1000000
  "The largest buffer, in characters, that is compared with the running code."
  :type 'natnum
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defconst midflight-marks--idle-seconds 0.5
  "Seconds of idle time before buffers are compared.")

(defface midflight-stale-changed '((t :inherit warning))
  "Face of the mark of a definition that differs from its running version."
  :group 'midflight)

(defface midflight-stale-new '((t :inherit success))
  "Face of the mark of a definition that does not run yet."
  :group 'midflight)

(defface midflight-stale-gone '((t :inherit error))
  "Face of the mark where a definition was deleted that still runs."
  :group 'midflight)

(defvar midflight-marks--loads 0
  "Number of events that may have changed the running code.
These are loads, and connections that opened.")
(defvar midflight-marks--timer nil "The idle timer, while a buffer needs it.")
(defvar midflight-marks--retry nil "The timer that asks again after a server was busy.")

(defvar-local midflight-marks--answer nil
  "The server's last answer about this buffer, a plist, or nil.")
(defvar-local midflight-marks--asked nil
  "The key of the last request to the server: (TICK ROOT . LOADS).")
(defvar-local midflight-marks--waiting nil "Non-nil while the server compares.")
(defvar-local midflight-marks--overlays nil "The overlays that are the marks.")

;;;; When to ask

(defun midflight-marks-enable ()
  "Mark the definitions of this buffer that differ, from now on."
  (unless midflight-marks--timer
    (setq midflight-marks--timer
          (run-with-idle-timer midflight-marks--idle-seconds t #'midflight-marks--look)))
  (add-hook 'midflight-loaded-functions #'midflight-marks--loaded)
  (add-hook 'midflight-connection-opened-functions #'midflight-marks--opened)
  (add-hook 'midflight-connection-closed-functions #'midflight-marks--closed)
  (add-hook 'kill-buffer-hook #'midflight-marks--rest nil t))

(defun midflight-marks-disable ()
  "Undo `midflight-marks-enable' and its effects in this buffer."
  (midflight-marks--forget)
  (remove-hook 'kill-buffer-hook #'midflight-marks--rest t)
  (dolist (variable '(midflight-marks--answer midflight-marks--asked midflight-marks--waiting
                      midflight-marks--overlays))
    (kill-local-variable variable))
  (midflight-marks--rest))

(defun midflight-marks--rest ()
  "Stop looking if no other buffer than this one needs it."
  (unless (cl-some (lambda (buffer)
                     (and (not (eq buffer (current-buffer)))
                          (buffer-local-value 'midflight-mode buffer)))
                   (buffer-list))
    (dolist (timer (list midflight-marks--timer midflight-marks--retry))
      (when timer (cancel-timer timer)))
    (setq midflight-marks--timer nil
          midflight-marks--retry nil)
    (remove-hook 'midflight-loaded-functions #'midflight-marks--loaded)
    (remove-hook 'midflight-connection-opened-functions #'midflight-marks--opened)
    (remove-hook 'midflight-connection-closed-functions #'midflight-marks--closed)))

(defun midflight-marks--loaded (&rest _)
  "Note that another version has become current."
  (setq midflight-marks--loads (1+ midflight-marks--loads))
  (midflight-marks--look-soon))

(defalias 'midflight-marks--opened #'midflight-marks--loaded
  "Note that a connection opened, whose server may run another version.")

(defun midflight-marks--closed (connection _reason)
  "Forget the answers of the server of CONNECTION."
  (setq midflight-marks--loads (1+ midflight-marks--loads))
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (and (bound-and-true-p midflight-mode)
                 (midflight-connection-uses-p (midflight-connection-root connection)))
        (midflight-marks--forget)))))

(defun midflight-marks--look-soon ()
  "Ask again in a moment, however long Emacs has been idle by then."
  (unless (or midflight-marks--retry (not midflight-marks--timer))
    (setq midflight-marks--retry
          (run-with-timer midflight-marks--idle-seconds nil
                          (lambda ()
                            (setq midflight-marks--retry nil)
                            (midflight-marks--look))))))

(defun midflight-marks--look ()
  "Ask the server about the buffers that are shown and need it."
  (let ((busy nil))
    (dolist (buffer (delete-dups (cl-loop for frame in (visible-frame-list)
                                          append (mapcar #'window-buffer
                                                         (window-list frame 'never)))))
      (with-current-buffer buffer
        (when (midflight-marks--needed-p)
          (if (or midflight-marks--waiting
                  (> (midflight-connection-pending (midflight-connection-of-buffer)) 0))
              (setq busy t)
            (midflight-marks--ask)))))
    (when busy
      (midflight-marks--look-soon))))

(defun midflight-marks--stamp ()
  "Return the key on which an answer for this buffer depends."
  (cons (buffer-chars-modified-tick)
        (cons (midflight-connection-root-of-buffer) midflight-marks--loads)))

(defun midflight-marks--needed-p ()
  "Return non-nil if the server can be asked about this buffer, and has not been."
  (and (bound-and-true-p midflight-mode)
       midflight-mark-stale
       (midflight-connection-file)
       (<= (buffer-size) midflight-marks-maximum-size)
       (not (midflight-connection-remote-p))
       (midflight-connection-open-p)
       (not (equal midflight-marks--asked (midflight-marks--stamp)))))

(defun midflight-marks--ask ()
  "Ask the server how this buffer differs from the running code."
  (let ((stamp (midflight-marks--stamp)))
    (setq midflight-marks--asked stamp
          midflight-marks--waiting t)
    (midflight-connection-call
     'code/compare (list (midflight-code-path) (midflight-code-text))
     (lambda (answer)
       (setq midflight-marks--waiting nil)
       (when (and (bound-and-true-p midflight-mode) midflight-mark-stale)
         (midflight-marks--take answer (= (car stamp) (buffer-chars-modified-tick)))))
     (lambda (_)
       (setq midflight-marks--waiting nil)))))

;;;; Show the marks

(defun midflight-marks--take (answer current)
  "Take ANSWER, a plist; show it if CURRENT: the text has not changed since."
  (setq midflight-marks--answer answer)
  (cond ((not current) (midflight-marks--look-soon))
        ;; While the user types, the text may not parse for a moment: keep the marks.
        ((not (equal (plist-get answer :status) "unknown"))
         (midflight-marks--clear)
         (mapc #'midflight-marks--mark (plist-get answer :differences))
         (mapc #'midflight-marks--mark-gone (plist-get answer :gone))
         (midflight-marks--set-margin)))
  (force-mode-line-update))

(defun midflight-marks--forget ()
  "Remove all bars of this buffer and forget the server's answer."
  (midflight-marks--clear)
  (midflight-marks--set-margin)
  (setq midflight-marks--answer nil
        midflight-marks--asked nil
        midflight-marks--waiting nil)
  (force-mode-line-update))

(defun midflight-marks--clear ()
  "Remove all bars from this buffer."
  (mapc #'delete-overlay midflight-marks--overlays)
  (setq midflight-marks--overlays nil))

(defun midflight-marks--mark (difference)
  "Mark DIFFERENCE, the plist of a statement."
  (let ((new (equal (plist-get difference :status) "new")))
    (midflight-marks--put
     (plist-get difference :line) (plist-get difference :end-line)
     (midflight-marks--bar (if new 'midflight-stale-new 'midflight-stale-changed) "|")
     (format "%s %s" (plist-get difference :name)
             (if new "does not run yet" "runs in another form")))))

(defun midflight-marks--mark-gone (gone)
  "Mark the line where GONE, the plist of a definition, was in the running code."
  (let ((line (or (plist-get gone :line)
                  (save-restriction (widen) (line-number-at-pos (point-max))))))
    (unless (cl-some (lambda (overlay)
                       (= (overlay-start overlay) (midflight-flymake-position line 0)))
                     midflight-marks--overlays)
      (midflight-marks--put line line (midflight-marks--bar 'midflight-stale-gone "^")
                            (format "%s, deleted above this line, still runs"
                                    (plist-get gone :name))))))

(defun midflight-marks--bar (face character)
  "Return a line prefix for a bar with FACE in the fringe.
On a terminal it is CHARACTER in the margin."
  (midflight-margin-mark 'vertical-bar face character))

(defun midflight-marks--put (line end-line bar help)
  "Put BAR next to the lines from LINE to END-LINE, with HELP as their tooltip."
  (let ((overlay (make-overlay (midflight-flymake-position line 0)
                               (save-excursion
                                 (goto-char (midflight-flymake-position end-line 0))
                                 (line-end-position)))))
    (overlay-put overlay 'line-prefix bar)
    (overlay-put overlay 'wrap-prefix bar)
    (overlay-put overlay 'midflight-mark help)
    (push overlay midflight-marks--overlays)))

(defun midflight-marks--set-margin ()
  "Give this buffer a margin on a terminal while one is needed."
  (midflight-margin-need 'midflight-marks midflight-marks--overlays))

(defun midflight-marks-lighter ()
  "Return the mode-line text about differences of this buffer, or nil."
  (pcase (plist-get midflight-marks--answer :status)
    ("not-loaded" " not loaded")
    ("differs" (propertize " stale" 'help-echo (midflight-marks--help)))
    (_ "")))

(defun midflight-marks--help ()
  "Return a tooltip that lists the differences from the running code."
  (let ((names (lambda (wanted)
                 (mapconcat (lambda (each) (plist-get each :name))
                            (cl-remove-if-not
                             (lambda (each) (equal (plist-get each :status) wanted))
                             (plist-get midflight-marks--answer :differences))
                            ", ")))
        (gone (mapconcat (lambda (each) (plist-get each :name))
                         (plist-get midflight-marks--answer :gone) ", ")))
    (concat (format "Differs from version %s, which is running"
                    (or (plist-get midflight-marks--answer :version) "1"))
            (cl-loop for (title . text) in `(("changed" . ,(funcall names "changed"))
                                             ("new" . ,(funcall names "new"))
                                             ("removed here" . ,gone))
                     unless (string-empty-p text)
                     concat (format "\n%s: %s" title text)))))

(provide 'midflight-marks)
;;; midflight-marks.el ends here
