;;; midflight-definition.el --- Load one definition  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: tools, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The definition around point is put into the text that runs, and that is
;; loaded as the module's next version.  Other edits of the buffer stay out; the
;; echo area names them.  The server finds the definition: only that one must be
;; whole.

;;; Code:

(require 'midflight-code)

;;;###autoload
(defun midflight-load-definition (&optional method)
  "Load the function or class around point into the running code.
It is the one at the top level, with its decorators: in a method, the whole
class.  With prefix argument METHOD, load the method around point alone.
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
