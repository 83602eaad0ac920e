;;; midflight-choose.el --- Choices with a category and annotations  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, convenience
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The completion tables of all that is chosen in the minibuffer.  Each has a
;; category, so that packages such as Marginalia, Consult and Embark know what a
;; candidate is, and an annotation for each candidate:
;;
;;     midflight-process     a pid or a registered name
;;     midflight-module      the dotted name of a module
;;     midflight-project     the root of a project with a server
;;     midflight-shell       a shell that waits to be taken up
;;     midflight-template    a template of `midflight-insert-template'
;;     midflight-evaluation  an expression that was evaluated
;;
;; For Embark there is a keymap of actions for each of the first two; see the
;; manual.

;;; Code:

(require 'cl-lib)

(defun midflight-choose-table (category candidates &optional annotate)
  "Return a completion table of CANDIDATES, of CATEGORY, a symbol.
CANDIDATES is any completion table.  ANNOTATE takes a candidate and returns
the text to show behind it, or nil."
  (let ((annotate (or annotate #'ignore)))
    (lambda (string predicate action)
      (if (eq action 'metadata)
          `(metadata (category . ,category)
                     (annotation-function . ,(lambda (candidate)
                                               (midflight-choose--behind (funcall annotate candidate))))
                     (affixation-function . ,(lambda (candidates)
                                               (midflight-choose--aligned candidates annotate))))
        (complete-with-action action candidates string predicate)))))

(defun midflight-choose--behind (text)
  "Return TEXT, or nothing for nil, as it is shown behind a candidate."
  (if (member text '(nil "")) "" (propertize (concat "  " text) 'face 'completions-annotations)))

(defun midflight-choose--aligned (candidates annotate)
  "Return a list of a candidate, \"\" and a suffix for each of CANDIDATES.
The suffixes, made by ANNOTATE, begin in the same column."
  (let ((width (apply #'max 0 (mapcar #'string-width candidates))))
    (mapcar (lambda (candidate)
              (let ((suffix (midflight-choose--behind (funcall annotate candidate))))
                (list candidate ""
                      (if (equal suffix "") ""
                        (concat (make-string (- width (string-width candidate)) ?\s) suffix)))))
            candidates)))

;;;; Actions, for Embark

(defvar midflight-choose-process-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") 'midflight-process-view)
    (define-key map "k" 'midflight-exit-process)
    (define-key map "s" 'midflight-send)
    (define-key map "t" 'midflight-trace)
    (define-key map "i" 'midflight-inspect-state)
    (define-key map "e" 'midflight-edit-state)
    map)
  "Actions on a runtime process that is a candidate in the minibuffer.")

(defvar midflight-choose-module-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") 'midflight-browse-module)
    (define-key map "n" 'midflight-browse-module)
    map)
  "Actions on a module that is a candidate in the minibuffer.")

(provide 'midflight-choose)
;;; midflight-choose.el ends here
