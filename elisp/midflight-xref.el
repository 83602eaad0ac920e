;;; midflight-xref.el --- Definitions and uses in the running system  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, tools
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The Xref backend for the running system.  `M-.' goes to the definition of the
;; object that the name at point means in the running system, behind decorators
;; and imports.  `M-?' lists its uses in the loaded modules, including older
;; versions that a runtime process still runs.
;;
;; The server knows the lines of the running text, and the buffer may have been
;; edited since.  So a place also has the name of its definition and the text of
;; its line, and Emacs looks for these in the buffer.
;;
;; Xref needs its answer at once.  If the server does not know a name, or does
;; not answer within `midflight-xref--seconds', the next backend is asked, for
;; instance Eglot or tags.

;;; Code:

(require 'cl-lib)
(require 'seq)
(require 'xref)
(require 'midflight-util)
(require 'midflight-look)

(defconst midflight-xref--seconds 0.3
  "The most seconds that Xref waits for the server; any key ends the wait.")

(defconst midflight-xref--uses-seconds 3
  "The most seconds that a search for uses may take; any key ends the wait.")

(defun midflight-xref-enable ()
  "Let Xref ask the server first in this buffer."
  (add-hook 'xref-backend-functions #'midflight-xref-backend -50 t))

(defun midflight-xref-disable ()
  "Undo `midflight-xref-enable'."
  (remove-hook 'xref-backend-functions #'midflight-xref-backend t))

;;;; Places

(cl-defstruct (midflight-xref-spot (:copier nil))
  "A place in a file, as the server knows it from the running text."
  path line column text
  name)                 ; the dotted name of its definition; may be empty

(defun midflight-xref-place (plist name)
  "Return a place made of PLIST, of the server; NAME is its definition."
  (make-midflight-xref-spot :path (plist-get plist :path) :line (plist-get plist :line)
                            :column (plist-get plist :column)
                            :text (plist-get plist :text) :name name))

(defun midflight-xref--goto-line (line)
  "Go to the beginning of LINE of the whole buffer."
  (goto-char (point-min))
  (forward-line (1- line)))

(defun midflight-xref--on-p (place)
  "Return non-nil if the line at point has the text of PLACE."
  (equal (buffer-substring-no-properties (line-beginning-position) (line-end-position))
         (midflight-xref-spot-text place)))

(defun midflight-xref--find-definition (name)
  "Go to the definition of NAME, dotted; return non-nil if it is there."
  (goto-char (point-min))
  (let ((found t)
        (bound nil))
    (dolist (part (split-string name "\\." t))
      (unless (equal part "<locals>")
        (when (setq found
                    (and found
                         (re-search-forward
                          (format "^\\([ \t]*\\)\\(?:\\(?:async[ \t]+\\)?def\\|class\\)[ \t]+\\(%s\\)\\_>\\|^\\(?:%s\\)\\(%s\\)[ \t]*\\(?::[^=\n]*\\)?=[^=]"
                                  (regexp-quote part)
                                  (if bound "[ \t]+\\(?:self\\.\\)?" "")
                                  (regexp-quote part))
                          bound t)))
          (let ((column (and (match-beginning 1)
                             (- (match-end 1) (match-beginning 1))))
                (start (or (match-beginning 2) (match-beginning 3))))
            (setq bound (if column
                            (save-excursion
                              (end-of-line)
                              ;; The body ends before the next line with the same indentation.
                              (if (re-search-forward
                                   (format "^[ \t]\\{0,%d\\}[^] \t\n#)}]" column) nil t)
                                  (line-beginning-position)
                                (point-max)))
                          (line-end-position)))
            (goto-char start)))))
    found))

(defun midflight-xref--find-nearby (place)
  "Go to the line nearest to that of PLACE that has its text.
Return non-nil if there is one."
  (let ((line (midflight-xref-spot-line place))
        (text (midflight-xref-spot-text place))
        best)
    (unless (string-blank-p text)
      (goto-char (point-min))
      (while (re-search-forward (concat "^" (regexp-quote text) "$") nil t)
        (let ((distance (abs (- (line-number-at-pos) line))))
          (when (or (null best) (< distance (car best)))
            (setq best (cons distance (line-beginning-position)))))))
    (when best
      (goto-char (cdr best)))))

(defun midflight-xref-goto (place is-definition)
  "Go to PLACE in the current buffer, which visits its file.
Return non-nil if the buffer has it: at its line, or elsewhere by its
text, or, if it IS-DEFINITION, by its name."
  (widen)
  (midflight-xref--goto-line (midflight-xref-spot-line place))
  (let ((name (midflight-xref-spot-name place))
        found)
    (cond
     ((setq found (or (midflight-xref--on-p place) (equal name "")))
      (forward-char (min (midflight-xref-spot-column place)
                         (- (line-end-position) (point)))))
     ((and is-definition (setq found (midflight-xref--find-definition name))))
     ((setq found (midflight-xref--find-nearby place))
      (forward-char (midflight-xref-spot-column place)))
     ((setq found (and (not is-definition) (midflight-xref--find-definition name))))
     (t (midflight-xref--goto-line (midflight-xref-spot-line place))))
    found))

(cl-defstruct (midflight-xref-location (:copier nil))
  "A location of Xref that is looked for in the current text of the buffer."
  place is-definition note)

(cl-defmethod xref-location-marker ((location midflight-xref-location))
  "Return a marker of LOCATION."
  (let* ((place (midflight-xref-location-place location))
         (path (midflight-xref-spot-path place)))
    (unless (file-readable-p path)
      (midflight-user-error "The file %s does not exist; the running code was loaded from it" path))
    (with-current-buffer (find-file-noselect path)
      (save-restriction
        (save-excursion
          (unless (midflight-xref-goto place (midflight-xref-location-is-definition location))
            (message "Midflight: %s is no longer in %s; this is the line where it was"
                     (midflight-xref-spot-name place) (file-name-nondirectory path)))
          (point-marker))))))

(cl-defmethod xref-location-group ((location midflight-xref-location))
  "Return the file of LOCATION, with a note on its version."
  (concat (abbreviate-file-name (midflight-xref-spot-path (midflight-xref-location-place location)))
          (midflight-xref-location-note location)))

(cl-defmethod xref-location-line ((location midflight-xref-location))
  "Return the line of LOCATION in the running text."
  (midflight-xref-spot-line (midflight-xref-location-place location)))

(defun midflight-xref-visit (definition)
  "Show the place of DEFINITION, a plist of the server, in another window."
  (xref-push-marker-stack)
  (let ((marker (xref-location-marker (midflight-xref--definition-location definition))))
    (pop-to-buffer (marker-buffer marker))
    (goto-char marker)))

;;;; The backend

(defun midflight-xref--ask (method expression seconds)
  "Ask METHOD about EXPRESSION at point; return the answer in a list, or nil.
Wait SECONDS at most."
  (midflight-look-ask method
                      (list (midflight-look-where) (substring-no-properties expression)
                            (midflight-look-inside))
                      seconds))

(defun midflight-xref--others-p ()
  "Return non-nil if another backend might know the name."
  (or (bound-and-true-p tags-file-name)
      (bound-and-true-p tags-table-list)
      (cl-some (lambda (function)
                 (not (memq function '(t midflight-xref-backend etags--xref-backend))))
               xref-backend-functions)))

(defun midflight-xref-backend ()
  "Return the name of this backend if it can be asked in this buffer.
For `xref-backend-functions'."
  (when (or (midflight-look-possible-p)
            (and (midflight-look-shell-p) (midflight-connection-open-p)))
    (let ((expression (midflight-look-expression)))
      (when (or (and expression
                     (car (midflight-xref--ask 'look/definition expression
                                               midflight-xref--seconds)))
                (not (midflight-xref--others-p)))
        'midflight))))

(cl-defmethod xref-backend-identifier-at-point ((_backend (eql midflight)))
  "Return the dotted name at point."
  (midflight-look-expression))

(cl-defmethod xref-backend-identifier-completion-table ((_backend (eql midflight)))
  "Return a table of dotted names, which the server completes."
  (let ((buffer (current-buffer)))
    (completion-table-dynamic
     (lambda (text)
       (with-current-buffer buffer
         (let ((stem (if (string-match "\\`.*\\." text) (match-string 0 text) "")))
           (mapcar (lambda (row) (concat stem (car row)))
                   (plist-get (car (midflight-look-ask
                                    'look/complete
                                    (list (midflight-look-where) text nil)
                                    midflight-xref--seconds))
                              :candidates))))))))

(defun midflight-xref--definition-location (definition)
  "Return the location of DEFINITION, a plist of the server."
  (make-midflight-xref-location
   :place (midflight-xref-place definition (plist-get definition :name))
   :is-definition t
   :note (if (plist-get definition :is-current) ""
           (format " (version %s, no longer current)" (plist-get definition :version)))))

(cl-defmethod xref-backend-definitions ((_backend (eql midflight)) identifier)
  "Return the places where IDENTIFIER is defined."
  (let ((definition (car (midflight-xref--ask 'look/definition identifier
                                              midflight-xref--seconds))))
    (when definition
      (list (xref-make (format "%s %s" (plist-get definition :kind)
                               (string-join (delete "" (list (plist-get definition :module)
                                                             (plist-get definition :name)))
                                            "."))
                       (midflight-xref--definition-location definition))))))

(defun midflight-xref--use (reference)
  "Return REFERENCE, a plist of the server, as an item of Xref."
  (let ((pids (plist-get reference :pids)))
    (xref-make
     (concat (string-trim (plist-get reference :text))
             (if (plist-get reference :is-sure) "" "  (perhaps: its owner is not known)")
             (if (plist-get reference :is-current) ""
               (format "  [version %s, run by %s]" (plist-get reference :version)
                       (string-join (seq-take pids 5) " "))))
     (make-midflight-xref-location
      :place (midflight-xref-place reference (plist-get reference :inside))
      :note (if (plist-get reference :is-current) ""
              (format " (version %s)" (plist-get reference :version)))))))

(cl-defmethod xref-backend-references ((_backend (eql midflight)) identifier)
  "Return all places where IDENTIFIER is used in the loaded modules."
  (let ((answer (midflight-xref--ask 'look/references identifier
                                     midflight-xref--uses-seconds)))
    (unless answer
      (midflight-user-error
       "The server did not find the uses of %s within %s s; nothing was changed; try again"
       identifier midflight-xref--uses-seconds))
    (mapcar #'midflight-xref--use (plist-get (car answer) :references))))

(cl-defmethod xref-backend-apropos ((_backend (eql midflight)) pattern)
  "Return the definitions of names in which each word of PATTERN occurs."
  (let ((answer (midflight-look-ask 'look/apropos (list pattern) midflight-xref--uses-seconds)))
    (unless answer
      (midflight-user-error
       "The server did not answer for %s within %s s; nothing was changed; try again"
       pattern midflight-xref--uses-seconds))
    (cl-loop for named in (car answer)
             for definition = (plist-get named :definition)
             when definition
             collect (xref-make (format "%s %s.%s%s" (plist-get named :kind)
                                        (plist-get named :module) (plist-get named :name)
                                        (if (string-prefix-p "(" (plist-get named :value))
                                            (plist-get named :value)
                                          ""))
                                (midflight-xref--definition-location definition)))))

(provide 'midflight-xref)
;;; midflight-xref.el ends here
