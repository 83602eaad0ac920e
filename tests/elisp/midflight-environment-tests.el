;;; midflight-environment-tests.el --- The Python that a project runs on  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The Midflight authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Layouts of virtual environments, made of empty files; nothing is started.

;;; Code:

(require 'midflight-helpers)

(defvar python-shell-virtualenv-root)

(defun midflight-environment-tests-make (folder &optional without)
  "Make an environment in FOLDER, with midflight in it, or WITHOUT; return FOLDER."
  (let ((bin (expand-file-name "bin" folder)))
    (make-directory bin t)
    (dolist (name (if without '("python") '("python" "midflight")))
      (write-region "" nil (expand-file-name name bin) nil 'silent)
      (set-file-modes (expand-file-name name bin) #o755))
    folder))

(defmacro midflight-environment-tests-in (root home &rest body)
  "Run BODY with ROOT and HOME bound to new folders, no environment being active."
  (declare (indent 2) (debug (symbolp symbolp body)))
  `(let* ((top (file-truename (make-temp-file "midflight-test" t)))
          (,root (expand-file-name "project" top))
          (,home (expand-file-name "home" top))
          (process-environment
           (append (list (concat "HOME=" ,home) "VIRTUAL_ENV" "CONDA_PREFIX" "CONDA_EXE"
                         "WORKON_HOME" "PYENV_ROOT" "POETRY_CACHE_DIR"
                         "POETRY_VIRTUALENVS_PATH" "UV_PROJECT_ENVIRONMENT")
                   process-environment))
          (exec-path (list (expand-file-name "path" top)))
          (midflight-command nil))
     (unwind-protect
         (progn (mapc #'make-directory (list ,root ,home (car exec-path)))
                ,@body)
       (delete-directory top t))))

(defun midflight-environment-tests-program (root)
  "Return the program found for ROOT, relative to the parent of ROOT."
  (let ((command (plist-get (midflight-environment-find root) :command)))
    (and command (file-relative-name (car command) (expand-file-name ".." root)))))

(ert-deftest midflight-environment-of-the-project ()
  "Each layout by itself."
  (dolist (place '(".venv" "venv" "env" ".conda" ".pixi/envs/default"))
    (midflight-environment-tests-in root home
      (midflight-environment-tests-make (expand-file-name place root))
      (ert-info (place)
        (should (equal (midflight-environment-tests-program root)
                       (format "project/%s/bin/midflight" place)))))))

(ert-deftest midflight-environment-named-by-a-file ()
  "A file .venv with a path or a name, .python-version, environment.yml, uv's variable."
  (midflight-environment-tests-in root home
    (midflight-environment-tests-make (expand-file-name "elsewhere" home))
    (write-region (concat home "/elsewhere\n") nil (expand-file-name ".venv" root) nil 'silent)
    (should (equal (midflight-environment-tests-program root) "home/elsewhere/bin/midflight")))
  (midflight-environment-tests-in root home
    (midflight-environment-tests-make
     (expand-file-name ".local/share/virtualenvs/shop" home))
    (write-region "shop" nil (expand-file-name ".venv" root) nil 'silent)
    (should (equal (midflight-environment-tests-program root)
                   "home/.local/share/virtualenvs/shop/bin/midflight")))
  (midflight-environment-tests-in root home
    (midflight-environment-tests-make (expand-file-name ".pyenv/versions/shop" home))
    (write-region "shop\n" nil (expand-file-name ".python-version" root) nil 'silent)
    (should (equal (midflight-environment-tests-program root)
                   "home/.pyenv/versions/shop/bin/midflight")))
  (midflight-environment-tests-in root home
    (midflight-environment-tests-make (expand-file-name "miniconda3/envs/shop" home))
    (write-region "channels: []\nname: shop # ours\n" nil
                  (expand-file-name "environment.yml" root) nil 'silent)
    (should (equal (midflight-environment-tests-program root)
                   "home/miniconda3/envs/shop/bin/midflight")))
  (midflight-environment-tests-in root home
    (midflight-environment-tests-make (expand-file-name "uv-env" root))
    (midflight-environment-tests-make (expand-file-name ".venv" root))
    (setenv "UV_PROJECT_ENVIRONMENT" "uv-env")
    (should (equal (midflight-environment-tests-program root)
                   "project/uv-env/bin/midflight"))))

(ert-deftest midflight-environment-of-poetry-and-pipenv ()
  "Where those tools put them, by a digest of the project's place."
  ;; What Poetry's own code makes of the folder /srv/shop.
  (should (equal (midflight-environment--digest "/srv/shop")
                 (substring (replace-regexp-in-string
                             "[+/]" (lambda (c) (if (equal c "+") "-" "_"))
                             (base64-encode-string
                              (secure-hash 'sha256 "/srv/shop" nil nil t) t))
                            0 8)))
  (midflight-environment-tests-in root home
    (write-region "" nil (expand-file-name "pyproject.toml" root) nil 'silent)
    (midflight-environment-tests-make
     (expand-file-name (format ".cache/pypoetry/virtualenvs/shop-%s-py3.11"
                               (midflight-environment--digest root))
                       home))
    (should (string-match-p "pypoetry/virtualenvs/shop-.*-py3.11/bin/midflight"
                            (midflight-environment-tests-program root))))
  (midflight-environment-tests-in root home
    (write-region "" nil (expand-file-name "Pipfile" root) nil 'silent)
    (midflight-environment-tests-make
     (expand-file-name (format ".local/share/virtualenvs/project-%s"
                               (midflight-environment--digest
                                (expand-file-name "Pipfile" root)))
                       home))
    (should (string-match-p "virtualenvs/project-.*/bin/midflight"
                            (midflight-environment-tests-program root)))))

(ert-deftest midflight-environment-that-is-active ()
  "Used where the project has none of its own; its own goes first; then the PATH."
  (midflight-environment-tests-in root home
    (let ((path (midflight-environment-tests-make (expand-file-name "p" home))))
      (push (expand-file-name "bin" path) exec-path)
      (should (equal (midflight-environment-tests-program root) "home/p/bin/midflight"))
      (setenv "VIRTUAL_ENV" (midflight-environment-tests-make (expand-file-name "v" home)))
      (should (equal (midflight-environment-tests-program root) "home/v/bin/midflight"))
      (let ((python-shell-virtualenv-root
             (midflight-environment-tests-make (expand-file-name "s" home))))
        (should (equal (midflight-environment-tests-program root) "home/s/bin/midflight")))
      (midflight-environment-tests-make (expand-file-name ".venv" root))
      (should (equal (midflight-environment-tests-program root) "project/.venv/bin/midflight"))
      (let ((midflight-command '("docker" "exec" "shop" "midflight")))
        (should (equal (midflight-environment-command root) midflight-command))))))

(ert-deftest midflight-environment-without-midflight-is-not-passed-over ()
  "No other Python is taken behind the project's back; the remedy is its tool's."
  (pcase-dolist (`(,lock . ,remedy) '((nil . "bin/python -m pip install midflight")
                                      ("uv.lock" . "uv add --dev midflight")
                                      ("poetry.lock" . "poetry add --group dev midflight")
                                      ("Pipfile" . "pipenv install --dev midflight")))
    (midflight-environment-tests-in root home
      (midflight-environment-tests-make (expand-file-name ".venv" root) t)
      (when lock
        (write-region "" nil (expand-file-name lock root) nil 'silent))
      (push (expand-file-name "bin" (midflight-environment-tests-make
                                     (expand-file-name "p" home)))
            exec-path)
      (let ((text (cadr (should-error (midflight-environment-command root)
                                      :type 'user-error))))
        (should (string-match-p "\\.venv (\\.venv of the project) has no midflight; nothing was started"
                                text))
        (should (string-match-p (regexp-quote remedy) text))))))

(ert-deftest midflight-environment-that-is-nowhere ()
  "The command that makes one is named."
  (midflight-environment-tests-in root home
    (should (string-match-p
             "nothing was started; make one and install it (python3 -m venv .*/\\.venv && .*/\\.venv/bin/python -m pip install midflight)"
             (cadr (should-error (midflight-environment-command root) :type 'user-error))))))

(provide 'midflight-environment-tests)
;;; midflight-environment-tests.el ends here
