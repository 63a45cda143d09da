# Needs Python 3.11 or newer with venv, and make. Everything else goes into .venv, which belongs to this directory alone.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test unit lint verify snapshots format bench lock clean runtime development
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest
PARALLEL := -n auto --dist loadfile
# Tests with servers wait more than they compute: four at a time even where there are two processors.
WAITING := -n $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null) && test "$$n" -gt 4 && echo $$n || echo 4) \
	--dist loadfile --no-loadscope-reorder
# What `make test` and its kin pass on to pytest, for example: make unit ARGS='-k refresh'
ARGS :=
# A part of the suite in which they select nothing has not failed.
ELSEWHERE = $(if $(ARGS),|| test $$? -eq 5)
# Tried in this order; another one: make install PYTHON=/path/to/python
PYTHON := python3.13 python3.12 python3.11 python3.14 python3

# A person's own settings of Python must not reach into .venv; and without bytecode each start compiles everything anew.
unexport PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: runtime ## create .venv with the authcenter command in it
	@echo 'Installed: $(BIN)/authcenter'

run: runtime ## serve on http://127.0.0.1:8080 with a demo client and user
	@$(BIN)/authcenter serve --demo

test: development ## run the whole suite, with real servers
	@PYTHON=$(BIN)/python tests/servers/install.sh
	$(PYTEST) $(PARALLEL) $(ARGS) tests/unit $(ELSEWHERE)
ifneq ($(wildcard tests/integration tests/browser),)
	$(PYTEST) $(WAITING) $(ARGS) $(wildcard tests/integration tests/browser) $(ELSEWHERE)
endif
ifneq ($(wildcard tests/chaos),)
	$(PYTEST) $(PARALLEL) $(ARGS) tests/chaos $(ELSEWHERE)
endif

unit: development ## run the unit tests: seconds, no servers
	$(PYTEST) $(PARALLEL) $(ARGS) tests/unit

lint: development ## check style, types, layers and generated files
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-cache
	@$(MAKE) verify

verify: development ## check that config/reference.yaml is what the settings say
	@$(BIN)/python -m authcenter.settings.reference | diff -u config/reference.yaml - || { \
		echo 'config/reference.yaml is out of date: + above is what the settings say. To accept it:' >&2; \
		echo '  $(BIN)/python -m authcenter.settings.reference > config/reference.yaml' >&2; exit 1; }

snapshots: development ## rewrite the response snapshots; read the diff before you commit it
	UPDATE_SNAPSHOTS=1 $(PYTEST) $(ARGS) -k snapshot $(wildcard tests/unit tests/integration)

format: development ## format the code and sort its imports
	$(BIN)/python -m ruff check --fix-only --quiet .
	$(BIN)/python -m ruff format .

bench: development ## measure throughput, latency and memory (needs wrk; npm for the comparison)
	$(BIN)/python -m tests.bench $(ARGS)

lock: .venv/.made-in ## renew the lock files for pyproject.toml (maintainers); newest versions: make lock UPGRADE=1
	@$(PIP) install uv
	@printf 'hatchling\neditables\n' | $(LOCK) --output-file requirements.lock pyproject.toml -
	@$(LOCK) --group dev --constraints requirements.lock --output-file tests/requirements.lock pyproject.toml

# One lock for all supported versions and platforms, with hashes and without the address of an index.
LOCK = $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
	--no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

clean: ## remove .venv and caches; var/, the development data, stays
	rm -rf .venv .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The virtual environment. Each file in it is the time stamp of a step that succeeded.

# `make run` and `make test` in two terminals of a fresh clone: the second waits, then finds it all done.
IN_TURN := $(if $(shell command -v flock),flock Makefile)

runtime:
	@$(IN_TURN) $(MAKE) --silent .venv/.runtime

development:
	@$(IN_TURN) $(MAKE) --silent .venv/.dev

# It names its own directory in its scripts: one that was copied along with a checkout works on the original.
ifneq ($(shell { test "$$(cat .venv/.made-in)" = "$(CURDIR)" && $(BIN)/python -c 'print("sound")'; } 2>/dev/null),sound)
.PHONY: .venv/.made-in
endif

.venv/.made-in:
	@for python in $(PYTHON); do \
		$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		if test -e $@ || ! { $(BIN)/python -c ''; } 2>/dev/null; then clear=--clear; else clear=; fi; \
		$$python -m venv $$clear .venv && echo "$(CURDIR)" > $@ && exit; \
	done; \
	echo 'authcenter needs Python 3.11 or newer with venv; on Debian: apt-get install python3-venv' >&2; exit 1

.venv/.runtime: requirements.lock pyproject.toml .venv/.made-in
	@echo 'Installing authcenter into .venv'
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable '.[server,postgres,speed]'
	@$(BIN)/python -m pip check >.venv/.check || { \
		cat .venv/.check; echo 'requirements.lock does not fit pyproject.toml: make lock' >&2; exit 1; }
	@touch $@

.venv/.dev: tests/requirements.lock .venv/.runtime
	@echo 'Installing the tools of development into .venv'
	@$(PIP) install --require-hashes -r tests/requirements.lock
	@touch $@
