# Thin: each target is one script in deploy/ or one module. ARGS="..." is passed on; PORT and EDATRS_STATE are read there.
.DEFAULT_GOAL := help
.PHONY: help setup services stop demo test test-long matrix mutants bench lint screenshots clean

# Read at every run, so that `make` needs nothing on the path but some Python 3.11 or newer.
PYTHON := $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
ROOT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
RUN := cd "$(ROOT)" && $(or $(PYTHON),echo "Python: none of 3.11 or newer found; apt-get install python3 python3-venv" >&2; exit 1;)
VENV := cd "$(ROOT)" && .venv/bin/python

help:  ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' "$(ROOT)Makefile" | expand -t 14

setup:  ## virtual environment and front-end files, from the locks
	@$(RUN) deploy/set_up.py

services: setup  ## start the embedded PostgreSQL and Valkey in the background; returns when they answer
	@$(VENV) -m edatrs.core.embedded start

stop:  ## stop them
	@test ! -x "$(ROOT).venv/bin/python" || { $(VENV) -m edatrs.core.embedded stop; }

demo:  ## everything, with the sample partnership: serves on PORT (8000) until Ctrl-C
	@$(RUN) deploy/demo.py

test:  ## all checks and tests, on services of their own
	@$(RUN) deploy/checks.py test $(ARGS)

test-long:  ## the tests that take minutes
	@$(RUN) deploy/checks.py test-long $(ARGS)

matrix:  ## who may do what, at every address of everything: more than 250,000 questions
	@$(RUN) deploy/checks.py matrix $(ARGS)

mutants:  ## every control taken out, one after the other: a named test must notice
	@$(RUN) deploy/checks.py mutants $(ARGS)

bench:  ## the table of design section 10
	@$(RUN) deploy/checks.py bench $(ARGS)

lint:  ## ruff, import-linter, mypy
	@$(RUN) deploy/checks.py lint

screenshots:  ## pictures of the pages, in screenshots/
	@$(RUN) deploy/checks.py screenshots $(ARGS)

clean: stop  ## remove what setup made; the data in the state folder stays
	@cd "$(ROOT)" && rm -rf .venv build node_modules screenshots .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	@find "$(ROOT)" -name __pycache__ -type d -prune -exec rm -rf {} +
