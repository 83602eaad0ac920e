;;; midflight-definition.el --- Load one definition  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The command that loads one definition.  The server puts the definition around
;; point into the running text, and loads the result as the module's next
;; version.  Other edits of the buffer stay out; the echo area names them.  The
;; server finds the definition, so the rest of the buffer may be incomplete.

;;; Code:

(require 'midflight-code)

;;;###autoload
(defun midflight-load-definition (&optional method)
  "Load the function or class around point into the running code.
Load the top-level definition with its decorators: in a method, the whole
class.  With prefix argument METHOD, load only the method around point.
Other edits of the buffer stay out.  The module must have been loaded
before; \\<midflight-mode-map>\\[midflight-load-buffer] does that."
  (interactive "P")
  (let ((path (midflight-code-path))
        (line (save-restriction (widen) (line-number-at-pos))))
    (midflight-code-call
     (format "the definition at line %d of %s" line (file-name-nondirectory path))
     'code/define (list path (midflight-code-text) line (and method t))
     (lambda (report)
       (midflight-code-show report
                            (lambda ()
                              (with-current-buffer (find-file-noselect path)
                                (midflight-load-definition method)))))
     "\\<midflight-mode-map>\\[midflight-load-buffer] loads the whole buffer.")))

(provide 'midflight-definition)
;;; midflight-definition.el ends here
