;;; midflight-complete.el --- Completion from live objects  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: languages, convenience
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Completion from the running system, by TAB in the shell and in source
;; buffers: attributes of live objects, names in the running modules, the
;; shell's bindings, keyword arguments.  The server looks them up without
;; running any code, and answers even while an evaluation runs.
;;
;; Emacs waits `midflight-complete--seconds' at most and yields to any key;
;; a later answer is shown at the next try.  If nothing matches, the other
;; functions of `completion-at-point-functions' are tried, for instance Eglot's.

;;; Code:

(require 'midflight-look)

(defconst midflight-complete--seconds 0.15
  "The most seconds that completion waits for the server.")

(defun midflight-complete-enable ()
  "Let `completion-at-point' ask the server in this buffer.
Functions that are already there, for instance Eglot's, come first."
  (add-hook 'completion-at-point-functions #'midflight-complete-at-point 10 t))

(defun midflight-complete-disable ()
  "Undo `midflight-complete-enable'."
  (remove-hook 'completion-at-point-functions #'midflight-complete-at-point t))

(defun midflight-complete--text-p ()
  "Return non-nil if point is in a string or a comment of a source buffer.
In a shell the server decides, because a transcript is not all Python."
  (and (not (midflight-look-shell-p))
       (nth 8 (syntax-ppss))))

(defun midflight-complete--candidates (before written)
  "Return candidates for WRITTEN, the name at the end of BEFORE, or nil.
Ask for them by its first character, so that the candidates for the next
characters are already there."
  (let* ((stem (substring before 0 (- (length before) (length written))))
         (first (substring written 0 (min 1 (length written))))
         (where (midflight-look-where))
         (inside (midflight-look-inside))
         (answer (car (midflight-look-ask 'look/complete
                                          (list where (concat stem first) inside)
                                          midflight-complete--seconds))))
    (when (and answer (not (plist-get answer :whole)) (not (equal first written)))
      (setq answer (car (midflight-look-ask 'look/complete (list where before inside)
                                            midflight-complete--seconds))))
    (mapcar (lambda (row) (propertize (car row) 'midflight-candidate row))
            (plist-get answer :candidates))))

(defun midflight-complete-at-point ()
  "Complete the name before point from the running system.
For `completion-at-point-functions'."
  (when (and (midflight-look-possible-p)
             (not (midflight-complete--text-p)))
    (let* ((before (midflight-look-before))
           (written (progn (string-match "[[:alnum:]_]*\\'" before)
                           (match-string 0 before)))
           (start (copy-marker (- (point) (length written))))
           (end (copy-marker (point)))
           (candidates (and (not (string-match-p "\\`[0-9]" written))
                            (or (not (equal written ""))
                                (string-match-p "[.(,]\\s-*\\'\\|import\\s-+\\'" before))
                            (midflight-complete--candidates before written))))
      (when candidates
        (list (marker-position start) (marker-position end) candidates
              :exclusive 'no
              :annotation-function #'midflight-complete--annotation
              :company-kind #'midflight-complete--kind
              :company-docsig #'midflight-complete--docsig
              :company-doc-buffer #'ignore)))))

(defun midflight-complete--row (candidate)
  "Return the server's entry for CANDIDATE: (NAME KIND DETAIL VERSION)."
  (get-text-property 0 'midflight-candidate candidate))

(defun midflight-complete--annotation (candidate)
  "Return the text shown behind CANDIDATE."
  (pcase (midflight-complete--row candidate)
    (`(,_ ,kind ,detail ,version)
     (concat (if (equal detail "") "" (concat " " (truncate-string-to-width detail 50 nil nil "...")))
             "  " kind
             (if version (format " v%d" version) "")))))

(defun midflight-complete--docsig (candidate)
  "Return one line on CANDIDATE, for the echo area."
  (pcase (midflight-complete--row candidate)
    (`(,name ,kind ,detail ,_)
     (if (string-prefix-p "(" detail) (concat name detail)
       (string-trim (format "%s: %s %s" name kind detail))))))

(defun midflight-complete--kind (candidate)
  "Return the kind of CANDIDATE, a symbol for completion front ends."
  (let ((kind (nth 1 (midflight-complete--row candidate))))
    (pcase kind
      ("module" 'module)
      ("class" 'class)
      ("property" 'property)
      ("keyword" 'keyword)
      ("parameter" 'variable)
      ((pred (string-match-p "method")) 'method)
      ((pred (string-match-p "function\\|builtin")) 'function)
      (_ 'value))))

(provide 'midflight-complete)
;;; midflight-complete.el ends here
