;;; midflight-environment.el --- The Python that a project runs on  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; Author: The Midflight authors
;; Keywords: processes, languages
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The program that starts a server.  It must run on the Python that has the
;; project's imports installed, so Emacs looks for midflight in this order:
;;
;; 1. `midflight-command', if it is set.
;; 2. The project's own virtual environment: .venv (a folder, or a file that
;;    names one), venv, env, what UV_PROJECT_ENVIRONMENT names, .pixi, a conda
;;    environment in the project, the one of its .python-version in pyenv,
;;    Poetry's and Pipenv's for this folder.
;; 3. The one that is active: `python-shell-virtualenv-root', VIRTUAL_ENV,
;;    CONDA_PREFIX.
;; 4. The PATH.
;;
;; Law: if the project has an environment of its own, Emacs never silently takes
;; another.  If midflight is not installed there, a message says how to install
;; it.  This file does not start any program.

;;; Code:

(require 'cl-lib)
(require 'subr-x)
(require 'midflight-util)

(defcustom midflight-command nil
  "The program that starts a server, with its first arguments, or nil.
If nil, it is bin/midflight of the project's virtual environment (.venv,
venv, Poetry's, conda's...), else of the active one, else the midflight of
variable `exec-path'."
  :type '(choice (const :tag "Find it" nil)
                 (string :tag "Program")
                 (repeat :tag "Program and arguments" string))
  :group 'midflight
  :package-version '(midflight . "0.1.0"))

(defvar python-shell-virtualenv-root)

(defun midflight-environment-find (root)
  "Return a plist that describes the start of a server of ROOT.
:command is a list, program first, or nil if none was found; :how is a text
that says where it was found or why not; :environment is the folder of the
virtual environment, if there is one."
  (let* ((own (midflight-environment--own root))
         (active (midflight-environment--active))
         (environment (or own active)))
    (cond
     (midflight-command
      (list :command (if (listp midflight-command) midflight-command (list midflight-command))
            :how "`midflight-command' says so"
            :environment (car own)))
     ((and environment (midflight-environment--program (car environment)))
      (list :command (list (midflight-environment--program (car environment)))
            :how (cdr environment) :environment (car environment)))
     (own
      (list :command nil :environment (car own)
            :how (format "%s (%s) has no midflight; nothing was started; install it there (%s), or customize `midflight-command'"
                         (abbreviate-file-name (car own)) (cdr own)
                         (midflight-environment--remedy root (car own)))))
     ((executable-find "midflight")
      (list :command (list (executable-find "midflight")) :how "the PATH"
            :environment (car active)))
     (t
      (list :command nil :environment nil
            :how (format "No program midflight in a virtual environment of %s (.venv, venv...) nor on the PATH; nothing was started; make one and install it (python3 -m venv %s && %s -m pip install midflight), or customize `midflight-command'"
                         (abbreviate-file-name root)
                         (abbreviate-file-name (expand-file-name ".venv" root))
                         (abbreviate-file-name
                          (expand-file-name ".venv/bin/python" root))))))))

(defun midflight-environment-command (root)
  "Return the program to start a server for ROOT, with arguments, as a list.
Signal `user-error' if there is none."
  (let ((found (midflight-environment-find root)))
    (or (plist-get found :command)
        (midflight-user-error "%s" (plist-get found :how)))))

(defun midflight-environment-why-not-run (command problem)
  "Return the text of PROBLEM, an error that occurred when running COMMAND.
COMMAND is a list.  Emacs itself names the program only if it is not on
variable `exec-path'."
  (format "%s: %s" (car command)
          (if (memq 'file-error (get (car problem) 'error-conditions))
              (nth 2 problem)
            (error-message-string problem))))

(defun midflight-environment--program (environment)
  "Return the midflight of ENVIRONMENT, a folder, or nil."
  (let ((program (expand-file-name "bin/midflight" environment)))
    (and (file-executable-p program) program)))

(defun midflight-environment--p (folder)
  "Return FOLDER if there is a Python environment in it, else nil."
  (and folder
       (or (file-exists-p (expand-file-name "bin/python" folder))
           (midflight-environment--program folder))
       (directory-file-name (expand-file-name folder))))

(defun midflight-environment--active ()
  "Return the environment that is active in Emacs and its origin, or nil."
  (cl-loop for (folder . how) in
           (list (cons (bound-and-true-p python-shell-virtualenv-root)
                       "`python-shell-virtualenv-root'")
                 (cons (getenv "VIRTUAL_ENV") "VIRTUAL_ENV, the active environment")
                 (cons (getenv "CONDA_PREFIX") "CONDA_PREFIX, the active environment"))
           when (and folder (not (equal folder "")) (midflight-environment--p folder))
           return (cons (midflight-environment--p folder) how)))

(defun midflight-environment--own (root)
  "Return the environment of the project at ROOT and its origin, or nil."
  (cl-loop for (folder . how) in (midflight-environment--candidates root)
           when (midflight-environment--p folder)
           return (cons (midflight-environment--p folder) how)))

(defun midflight-environment--candidates (root)
  "Return the candidates for the environment of ROOT: (FOLDER . HOW) each.
FOLDER may be nil."
  (let ((in-root (lambda (name) (expand-file-name name root)))
        (uv (getenv "UV_PROJECT_ENVIRONMENT")))
    (append
     (and uv (not (equal uv ""))
          (list (cons (expand-file-name uv root) "UV_PROJECT_ENVIRONMENT")))
     (list (cons (midflight-environment--named-by-file root) "named by the file .venv")
           (cons (funcall in-root ".venv") ".venv of the project")
           (cons (funcall in-root "venv") "venv of the project")
           (cons (funcall in-root "env") "env of the project")
           (cons (funcall in-root ".conda") "the conda environment .conda of the project")
           (cons (funcall in-root ".pixi/envs/default") "pixi's environment of the project")
           (cons (midflight-environment--pyenv root) "pyenv's, by the project's .python-version")
           (cons (midflight-environment--poetry root) "Poetry's environment of the project")
           (cons (midflight-environment--pipenv root) "Pipenv's environment of the project")
           (cons (midflight-environment--conda root) "conda's, by the project's environment.yml")))))

(defun midflight-environment--first-line (file)
  "Return the first line of FILE without blanks at its ends, or nil."
  (when (file-regular-p file)
    (with-temp-buffer
      (insert-file-contents file nil 0 4096)
      (let ((line (string-trim (buffer-substring (point-min) (line-end-position)))))
        (and (not (equal line "")) line)))))

(defun midflight-environment--named-by-file (root)
  "Return the environment that the file .venv in ROOT names, or nil.
It holds a path, or a name in WORKON_HOME."
  (let ((name (midflight-environment--first-line (expand-file-name ".venv" root))))
    (and name
         (if (string-match-p "/" name)
             (expand-file-name name root)
           (expand-file-name name (or (getenv "WORKON_HOME") "~/.local/share/virtualenvs"))))))

(defun midflight-environment--pyenv (root)
  "Return the environment that .python-version in ROOT names in pyenv, or nil."
  (let ((name (midflight-environment--first-line (expand-file-name ".python-version" root))))
    (and name
         (not (string-match-p "\\`[0-9.]+\\'" name)) ; a Python, not an environment
         (expand-file-name (concat "versions/" name) (or (getenv "PYENV_ROOT") "~/.pyenv")))))

(defun midflight-environment--digest (text)
  "Return the first eight characters of the SHA-256 of TEXT as Poetry writes it."
  (substring (replace-regexp-in-string
              "/" "_" (replace-regexp-in-string
                       "\\+" "-" (base64-encode-string
                                  (secure-hash 'sha256 (encode-coding-string text 'utf-8-unix t)
                                               nil nil t)
                                  t)))
             0 8))

(defun midflight-environment--poetry (root)
  "Return the newest environment that Poetry has made for ROOT, or nil."
  (when (file-exists-p (expand-file-name "pyproject.toml" root))
    (car (last (file-expand-wildcards
                (expand-file-name
                 (format "*-%s-py*" (midflight-environment--digest root))
                 (or (getenv "POETRY_VIRTUALENVS_PATH")
                     (expand-file-name "virtualenvs"
                                       (or (getenv "POETRY_CACHE_DIR")
                                           "~/.cache/pypoetry")))))))))

(defun midflight-environment--pipenv (root)
  "Return the environment that Pipenv has made for ROOT, or nil."
  (let ((pipfile (expand-file-name "Pipfile" root)))
    (when (file-exists-p pipfile)
      (expand-file-name
       (format "%s-%s" (file-name-nondirectory (directory-file-name root))
               (midflight-environment--digest pipfile))
       (or (getenv "WORKON_HOME") "~/.local/share/virtualenvs")))))

(defun midflight-environment--conda (root)
  "Return the conda environment that environment.yml in ROOT names, or nil."
  (let ((file (cl-find-if #'file-regular-p
                          (list (expand-file-name "environment.yml" root)
                                (expand-file-name "environment.yaml" root)))))
    (when file
      (with-temp-buffer
        (insert-file-contents file nil 0 65536)
        (goto-char (point-min))
        (when (re-search-forward "^name:[ \t]*\\([^ \t\n#]+\\)" nil t)
          (let ((name (match-string 1)))
            (cl-find-if #'midflight-environment--p
                        (mapcar (lambda (base) (expand-file-name (concat "envs/" name) base))
                                (delq nil (list (midflight-environment--conda-base)
                                                "~/miniconda3" "~/miniforge3" "~/mambaforge"
                                                "~/anaconda3" "~/.conda"
                                                "~/micromamba"))))))))))

(defun midflight-environment--conda-base ()
  "Return the folder of the conda program, or nil if there is none."
  (let ((program (getenv "CONDA_EXE")))
    (and program (expand-file-name ".." (file-name-directory program)))))

(defun midflight-environment--remedy (root environment)
  "Return the command to install midflight into ENVIRONMENT of ROOT."
  (let ((has (lambda (name) (file-exists-p (expand-file-name name root)))))
    (cond ((funcall has "uv.lock") "uv add --dev midflight")
          ((funcall has "poetry.lock") "poetry add --group dev midflight")
          ((funcall has "Pipfile") "pipenv install --dev midflight")
          (t (format "%s -m pip install midflight"
                     (abbreviate-file-name (expand-file-name "bin/python" environment)))))))

(provide 'midflight-environment)
;;; midflight-environment.el ends here
