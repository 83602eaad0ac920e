# Every command of this checkout. Each sets up what it needs first (scripts/setup); the second time that is quick.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo test lint test-python test-emacs test-neovim chaos kernels peers docs bench hostile fuzz screenshots package clean

PYTEST := .venv/bin/python -m pytest

# From the environment, or as in make test-emacs EMACS=emacs-30.
export EMACS ?= emacs
FUZZ ?= 20
# The tests start hundreds of programs: with byte code on disk each starts in half the time.
unexport PYTHONDONTWRITEBYTECODE
# The commit from which on titles are orders; those before were not all.
TITLES_SINCE ?= 2325532333f3b94323d69492c00f2b41ab7f1b40

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16
	@echo
	@echo 'EMACS=emacs-30 make ...  uses that Emacs, not the one on PATH.'

setup: ## install what is missing (Debian packages as root, .venv)
	@scripts/setup

demo: setup ## play the tutorial in a real Emacs and print it
	@scripts/emacs-batch -l scripts/demo.el

test: lint ## every check and every test; red stops it
	@scripts/test-all

lint: setup ## ruff, mypy --strict, the elisp (byte-compile, checkdoc, package-lint), commit titles
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	.venv/bin/python -m mypy
	scripts/emacs-batch -l scripts/lint.el
	scripts/commit-titles $(TITLES_SINCE)

test-python: setup ## the Python tests, all but Neovim's
	$(PYTEST) --ignore=tests/neovim

test-emacs: setup ## the elisp tests, in a real Emacs
	scripts/emacs-batch -l tests/elisp/run.el

test-neovim: setup ## the Neovim tests, in a real Neovim
	$(PYTEST) tests/neovim

chaos: setup ## make kernels (not with KILLS, SEED, PYTHON or WORLD), then random actions for MINUTES (10), or KILLS servers ended; SEED, PYTHON, WORLD, DISK to choose
	$(if $(KILLS)$(SEED)$(PYTHON)$(WORLD),,scripts/test-kernels)
	cd tests && PYTHONPATH=../server $(if $(findstring /,$(PYTHON)),$(abspath $(PYTHON)),$(or $(PYTHON),../.venv/bin/python)) -m chaos \
	$(if $(KILLS),--kills $(KILLS),--minutes $(or $(MINUTES),10)) $(if $(SEED),--seed $(SEED)) $(if $(WORLD),--world $(WORLD)) $(if $(DISK),--disk $(DISK))

kernels: setup ## compare both kernels at length: PROGRAMS (10000), AddressSanitizer, leaks: half an hour
	scripts/test-kernels

peers: setup ## asyncio's tests as processes, packages' own tests after loads, real programs: an hour
	.venv/bin/python tests/peers/run.py $(foreach each,$(PYTHONS),--python $(each))
	.venv/bin/python tests/peers/run_packages.py
	.venv/bin/python -m pip install -q --disable-pip-version-check --group real
	$(PYTEST) $(wildcard tests/real/peer_*.py)

docs: setup ## the site, build/docs/html, and the manual for Info: docs/manual/midflight.info
	.venv/bin/python -m pip install -q --disable-pip-version-check --group docs
	scripts/reference-table
	scripts/emacs-batch -l scripts/manual.el
	.venv/bin/python -m sphinx -q -W --keep-going -c docs/site -d build/docs/pages -b html . build/docs/html
	scripts/info-manual

bench: setup ## measure beside Erlang, asyncio and others: some minutes
	.venv/bin/python -m pip install -q --disable-pip-version-check --group bench
	.venv/bin/python -u bench/run.py --write docs/performance.md --picture docs/images/performance.svg
	.venv/bin/python bench/many_loads.py --loads 1000
	.venv/bin/python bench/load_cost.py
	.venv/bin/python bench/nodes.py
	.venv/bin/python -m venv .venv/rivals
	.venv/rivals/bin/python -m pip install -q --disable-pip-version-check ipython jurigged reloadium
	.venv/bin/python bench/rivals.py --python .venv/rivals/bin/python
	.venv/bin/python bench/editor.py

hostile: setup ## a server under 1,000 hostile connections, and a million fuzzed frames: two minutes
	.venv/bin/python bench/hostile.py

fuzz: setup ## the fuzzing tests with FUZZ times as many examples: make fuzz FUZZ=20
	MIDFLIGHT_FUZZ=$(FUZZ) $(PYTEST) $(wildcard tests/*/test_fuzz_*.py)

screenshots: setup ## play sessions in a real Emacs and top, and write docs/images
	.venv/bin/python -m pip install -q --disable-pip-version-check --group pictures
	.venv/bin/python scripts/screenshots.py
	.venv/bin/python scripts/top_picture.py

package: ## build the wheel, install it into an empty environment, and take the tutorial's first steps from there
	scripts/try-wheel

clean: ## remove what was made here: .venv, caches, byte code
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name .git -prune -o \( -name __pycache__ -o -name '*.elc' \) -print0 | xargs -0 rm -rf
