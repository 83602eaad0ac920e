;;; midflight-doctor.el --- A report on the installation  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, help
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A report to read, or to paste into a question: versions, the way in which the
;; server's program was found, the files of the server, the speed of its
;; answers, keys that other modes take, options that differ from the default.
;;
;; The report shows at once the facts that Emacs has.  Two slower parts fill
;; their lines later: the output of "midflight doctor" for the checks that it
;; shares with the command line, and fifty pings, one after another.  The cookie
;; is never in the report; paths in the home folder begin with ~.

;;; Code:

(require 'json)
(require 'midflight-connection)
(require 'midflight-environment)
(require 'midflight-server)

(defvar midflight-mode-map)
(defvar midflight-mode)

(defconst midflight-doctor--pings 50 "The number of pings that are timed.")

(defconst midflight-doctor--seconds 20
  "The most seconds that the program may take for its part of the report.")

(defvar-local midflight-doctor--source nil
  "The buffer from which the doctor was called; its keys are checked.")
(defvar-local midflight-doctor--parts nil
  "Alist of the parts that arrive later, symbols, and their lines.")
(defvar-local midflight-doctor--run 0
  "The number of the report; answers for an earlier report are dropped.")

(defvar midflight-doctor-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map "w" #'midflight-doctor-copy)
    map)
  "Keymap of `midflight-doctor-mode'.")

(define-derived-mode midflight-doctor-mode special-mode "Midflight-Doctor"
  "Major mode for the report of `midflight-doctor'.

\\{midflight-doctor-mode-map}"
  (setq-local revert-buffer-function (lambda (&rest _) (midflight-doctor--start))))

;;;###autoload
(defun midflight-doctor ()
  "Report what is installed here, on this project's server, and its speed.
You can copy the report into a question.  This command changes nothing and
starts no server."
  (interactive)
  (let ((source (current-buffer))
        (root (midflight-connection-root-of-buffer)))
    (with-current-buffer (get-buffer-create
                          (format "*midflight-doctor for %s*"
                                  (midflight-connection-project
                                   (midflight-connection-get root))))
      (unless (derived-mode-p 'midflight-doctor-mode)
        (midflight-doctor-mode))
      (setq midflight-connection-buffer-root root
            default-directory (file-name-as-directory root)
            midflight-doctor--source source)
      (midflight-doctor--start)
      (pop-to-buffer (current-buffer)))))

(defun midflight-doctor-copy ()
  "Copy the report."
  (interactive)
  (kill-new (buffer-substring-no-properties (point-min) (point-max)))
  (message "Midflight: the report is copied"))

(defun midflight-doctor--start ()
  "Make the report, and start its slower parts."
  (setq midflight-doctor--run (1+ midflight-doctor--run)
        midflight-doctor--parts
        (list (cons 'program '("(being asked)")) (cons 'pings '("(being timed)"))))
  ;; Starting a program is slow, too.
  (run-at-time 0 nil (midflight-connection-in-buffer (current-buffer)
                                                     #'midflight-doctor--ask-program))
  (if (midflight-connection-open-p)
      (midflight-doctor--ping midflight-doctor--run nil)
    (setf (alist-get 'pings midflight-doctor--parts) '("not attached, so nothing was timed")))
  (midflight-doctor--draw))

(defun midflight-doctor--came (run part lines)
  "Put LINES in the place of PART, if the report is still that of number RUN."
  (when (eql run midflight-doctor--run)
    (setf (alist-get part midflight-doctor--parts) lines)
    (midflight-doctor--draw)))

(defun midflight-doctor--draw ()
  "Write the parts of the report that have arrived."
  (let ((inhibit-read-only t)
        (line (line-number-at-pos)))
    (erase-buffer)
    (insert (format "Midflight doctor, %s (g: look again, w: copy)\n"
                    (format-time-string "%F %T")))
    (pcase-dolist (`(,title . ,lines)
                   (list (cons "Emacs" (midflight-doctor--emacs))
                         (cons "Program" (midflight-doctor--program))
                         (cons "What the program says"
                               (alist-get 'program midflight-doctor--parts))
                         (cons "Server" (midflight-doctor--server))
                         (cons "Answers" (append (alist-get 'pings midflight-doctor--parts)
                                                 (midflight-doctor--latencies)))
                         (cons "Keys" (midflight-doctor--keys))
                         (cons "Options changed" (midflight-doctor--options))
                         (cons "End of the server's log" (midflight-doctor--log))))
      (insert "\n" title "\n")
      (dolist (each lines)
        (insert "  " each "\n")))
    (goto-char (point-min))
    (forward-line (1- line))))

;;;; The facts that Emacs has

(defun midflight-doctor--row (what value)
  "Return a line for WHAT and its VALUE."
  (format "%-18s %s" what (if (member value '(nil "")) "-" value)))

(defun midflight-doctor--emacs ()
  "Return lines on this Emacs and the package."
  (list (midflight-doctor--row "Emacs" (format "%s, %s%s" emacs-version system-configuration
                                               (if (display-graphic-p) "" ", on a terminal")))
        (midflight-doctor--row "package" midflight-version)
        (midflight-doctor--row "protocol" midflight-connection-protocol)
        (midflight-doctor--row "loaded from"
                               (abbreviate-file-name (or (locate-library "midflight") "")))
        (midflight-doctor--row "read at once" (format "%d bytes (`read-process-output-max')"
                                                      read-process-output-max))))

(defun midflight-doctor--program ()
  "Return lines on the program for a server of this project."
  (let ((found (midflight-environment-find midflight-connection-buffer-root)))
    (list (midflight-doctor--row "project" (abbreviate-file-name
                                            midflight-connection-buffer-root))
          (midflight-doctor--row "command"
                                 (and (plist-get found :command)
                                      (mapconcat #'abbreviate-file-name
                                                 (plist-get found :command) " ")))
          (midflight-doctor--row "found by" (plist-get found :how))
          (midflight-doctor--row "environment"
                                 (and (plist-get found :environment)
                                      (abbreviate-file-name
                                       (plist-get found :environment)))))))

(defun midflight-doctor--server ()
  "Return lines on the files of the server and on the connection."
  (let* ((root midflight-connection-buffer-root)
         (connection (midflight-connection-get root))
         (info (and (midflight-connection-open-p connection)
                    (midflight-connection-info connection)))
         (trouble nil)
         (server (condition-case problem
                     (midflight-rendezvous-server root)
                   (error (setq trouble (error-message-string problem)) nil)))
         (top (midflight-rendezvous-folder))
         (own (expand-file-name (midflight-rendezvous-key root) top)))
    (append
     (mapcar #'midflight-doctor--mode
             (list top own (expand-file-name "main.json" own)
                   (expand-file-name "main.sock" own)
                   (expand-file-name "cookie" own)))
     (list (midflight-doctor--row
            "running" (cond (trouble)
                            (server (format "process %s, port %s, Midflight %s, protocol %s"
                                            (plist-get server :pid)
                                            (or (plist-get server :port) "none")
                                            (plist-get server :version)
                                            (plist-get server :protocol)))
                            ((midflight-rendezvous-published-p root)
                             "no: its files are those of a dead process")
                            (t "no")))
           (midflight-doctor--row
            "connection" (format "%s%s" (midflight-connection-state connection)
                                 (if info (format ", Python %s, %d pending"
                                                  (plist-get info :python)
                                                  (midflight-connection-pending connection))
                                   "")))
           (midflight-doctor--row "processes" (midflight-connection-count connection))))))

(defun midflight-doctor--mode (file)
  "Return a line on FILE and its permissions."
  (let ((attributes (file-attributes file 'integer)))
    (midflight-doctor--row
     (if attributes (file-attribute-modes attributes) "not there")
     (concat (abbreviate-file-name file)
             (cond ((null attributes) "")
                   ((not (eql (file-attribute-user-id attributes) (user-uid)))
                    "  TROUBLE: it belongs to another user")
                   ((not (string-match-p "\\`.\\(?:...\\)-----[-T]\\'"
                                         (file-attribute-modes attributes)))
                    "  TROUBLE: other users can open it; chmod go-rwx")
                   (t ""))))))

(defun midflight-doctor--keys ()
  "Return lines on keys that Midflight takes from other modes, or they from it."
  (if (not (buffer-live-p midflight-doctor--source))
      (list "the buffer this was called from is gone")
    (with-current-buffer midflight-doctor--source
      (if (not (bound-and-true-p midflight-mode))
          (list (format "midflight-mode is off in %s" (buffer-name)))
        (let ((lines nil))
          (midflight-doctor--each-key
           (lambda (keys command)
             (let ((now (key-binding keys))
                   (otherwise (let ((midflight-mode nil)) (key-binding keys))))
               (cond ((not (eq now command))
                      (push (format "%-10s is %s here, not %s: another mode takes it"
                                    (key-description keys) now command)
                            lines))
                     ((and otherwise (symbolp otherwise))
                      (push (format "%-10s %s, taken from %s"
                                    (key-description keys) command otherwise)
                            lines))))))
          (or (nreverse lines) (list "none is taken from another mode")))))))

(defun midflight-doctor--each-key (function &optional map prefix)
  "Call FUNCTION with keys and command of each binding of Midflight mode.
MAP and PREFIX are those of the level below."
  (map-keymap
   (lambda (event binding)
     (let ((keys (vconcat prefix (vector event))))
       (cond ((eq event 'menu-bar))
             ((keymapp binding) (midflight-doctor--each-key function binding keys))
             ((commandp binding) (funcall function keys binding)))))
   (or map midflight-mode-map)))

(defun midflight-doctor--options ()
  "Return lines on the options that differ from their standard values."
  (let ((lines nil))
    (pcase-dolist (`(,symbol ,type) (get 'midflight 'custom-group))
      (when (and (eq type 'custom-variable) (boundp symbol))
        (let ((standard (eval (car (get symbol 'standard-value)) t)))
          (unless (equal (default-value symbol) standard)
            (push (midflight-doctor--row symbol (prin1-to-string (default-value symbol)))
                  lines)))))
    (or (sort lines #'string<) (list "none"))))

(defun midflight-doctor--log ()
  "Return the last lines of the server's log."
  (let ((text (midflight-server-log-tail midflight-connection-buffer-root 2000)))
    (if (string-blank-p text)
        (list "empty, or there is none")
      (last (split-string text "\n" t) 10))))

;;;; The parts that arrive later

(defun midflight-doctor--percentile (seconds part)
  "Return the PART, from 0 to 1, of the numbers SECONDS as milliseconds, text."
  (let ((sorted (sort (copy-sequence seconds) #'<)))
    (format "%.1f" (* 1000 (nth (min (1- (length sorted))
                                     (floor (* part (length sorted))))
                                sorted)))))

(defun midflight-doctor--distribution (seconds)
  "Return median, 95th percentile and largest of the numbers SECONDS, as text."
  (format "median %s ms, p95 %s ms, most %.1f ms (%d)"
          (midflight-doctor--percentile seconds 0.5)
          (midflight-doctor--percentile seconds 0.95)
          (* 1000 (apply #'max seconds)) (length seconds)))

(defun midflight-doctor--ping (run seconds)
  "Time a ping of report number RUN; SECONDS are those of the pings before it."
  (let ((start (float-time)))
    (midflight-connection-call
     'ping nil
     (lambda (_)
       (when (eql run midflight-doctor--run)
         (let ((seconds (cons (- (float-time) start) seconds)))
           (if (< (length seconds) midflight-doctor--pings)
               (midflight-doctor--ping run seconds)
             (midflight-doctor--came
              run 'pings (list (midflight-doctor--row
                                "ping" (midflight-doctor--distribution seconds))))))))
     (lambda (text)
       (midflight-doctor--came run 'pings (list (midflight-doctor--row "ping" text))))
     midflight-doctor--seconds)))

(defun midflight-doctor--latencies ()
  "Return lines on the time of each method since Emacs attached."
  (let ((lines nil))
    (maphash (lambda (method seconds)
               (unless (eq method 'ping)
                 (push (midflight-doctor--row method (midflight-doctor--distribution seconds))
                       lines)))
             (midflight-connection-latencies
              (midflight-connection-get midflight-connection-buffer-root)))
    (sort lines #'string<)))

(defun midflight-doctor--ask-program ()
  "Run \"midflight doctor\"; its lines arrive later."
  (let* ((run midflight-doctor--run)
         (report (current-buffer))
         (command (or (plist-get (midflight-environment-find midflight-connection-buffer-root)
                                 :command)
                      '("midflight")))
         (output (generate-new-buffer " *midflight doctor*"))
         (errors (generate-new-buffer " *midflight doctor stderr*"))
         timer)
    (condition-case problem
        (let ((process
               (make-process
                :name "midflight-doctor" :noquery t :connection-type 'pipe
                :buffer output :stderr errors
                :command (append command (list "doctor" "--json" "--root"
                                               midflight-connection-buffer-root))
                :sentinel
                (lambda (process _event)
                  (unless (process-live-p process)
                    (cancel-timer timer)
                    (when (and (buffer-live-p report) (buffer-live-p output))
                      (let ((lines (midflight-doctor--read output)))
                        (with-current-buffer report
                          (midflight-doctor--came run 'program lines))))
                    (dolist (buffer (list output errors))
                      (when (buffer-live-p buffer)
                        (kill-buffer buffer))))))))
          (let ((pipe (get-buffer-process errors)))
            (set-process-sentinel pipe #'ignore)
            (set-process-query-on-exit-flag pipe nil))
          (setq timer (run-at-time midflight-doctor--seconds nil #'delete-process process)))
      (error
       (mapc #'kill-buffer (list output errors))
       (midflight-doctor--came
        run 'program (list (midflight-environment-why-not-run command problem)))))))

(defun midflight-doctor--read (output)
  "Return the lines of OUTPUT, a buffer with the JSON of the program."
  (let* ((json-object-type 'alist) (json-key-type 'string)
         (found (with-current-buffer output
                  (goto-char (point-min))
                  (ignore-errors (json-read)))))
    (if (consp found)
        (mapcar (lambda (entry)
                  (midflight-doctor--row
                   (car entry)
                   (and (cdr entry) (abbreviate-file-name (format "%s" (cdr entry))))))
                found)
      (list "nothing that can be read; try midflight doctor in a terminal"))))

(provide 'midflight-doctor)
;;; midflight-doctor.el ends here
