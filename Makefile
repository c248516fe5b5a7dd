# The commands of the project. `make help` lists them; nothing else has to be set up.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Kept whatever the environment says: each of a run's hundred processes would compile all anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.made-from-lock
MANAGE := $(BIN)/python manage.py

PORT ?= 8000
SEEDS ?= 2000
TRIALS ?= 20
ONCE ?=
OUT ?= .data/screenshots
TESTS ?=
# One more than the two cores the suite's time is told for: each test process often waits for others.
WORKERS ?= 3
BENCHES ?= calls wall second_sync webhooks

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed; $(PYTHON) is older. Name another one: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making .venv from requirements.lock (only when it changed)."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --requirement requirements.lock
	@touch $@

.PHONY: venv
venv: $(READY) ## make the virtual environment from the pinned lock

.PHONY: help
help: ## list the commands
	@echo "make COMMAND, where COMMAND is one of"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: demo
demo: $(READY) ## show the whole product with practice data (PORT=8000; ONCE=1: one pass, a table, an exit code)
	@exec $(MANAGE) demo --with-parent --port $(PORT) $(if $(filter-out 0 off no,$(ONCE)),--once)

.PHONY: run
run: $(READY) ## run the product for real use (PORT=8000)
	@exec $(MANAGE) run --with-parent --port $(PORT)

.PHONY: test
test: $(READY) ## run the whole test suite (TESTS="tests/unit -k words" for a part; WORKERS=3)
	@$(BIN)/python -m tests.chromium
	@exec $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

.PHONY: check
check: $(READY) ## run every check that is no test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint --lint --quiet templates
	$(MANAGE) makemigrations --check --dry-run
	@echo "manage.py check --deploy, with docs/production.env.example"
	@env --ignore-environment PATH="$$PATH" HOME="$$HOME" bash -c \
	  'set -a && source docs/production.env.example && exec $(MANAGE) check --deploy --fail-level WARNING'

.PHONY: screenshots
screenshots: $(READY) ## take a picture of every page, light, dark and phone (OUT=.data/screenshots)
	@exec $(BIN)/python -m tests.journeys.screenshots $(OUT)

.PHONY: axe
axe: $(READY) ## have axe look at every page, light, dark and phone
	@$(BIN)/python -m tests.chromium
	@exec $(BIN)/python -m tests.journeys.axe

.PHONY: simulate
simulate: $(READY) ## run the posting protocol against model servers (SEEDS=2000)
	@exec $(BIN)/python -m tests.simulation --seeds $(SEEDS)

.PHONY: chaos
chaos: $(READY) ## kill real processes on a seeded plan, for longer than the suite does (TRIALS=20)
	@CHAOS_TRIALS=$(TRIALS) exec $(BIN)/python -m pytest tests/chaos

.PHONY: bench
bench: $(READY) ## measure: each figure as a ratio, side by side (BENCHES="memory fairness pages" for the long ones)
	@failed=; for name in $(BENCHES); do \
	  echo "== bench.$$name"; $(BIN)/python -m bench.$$name || failed="$$failed $$name"; \
	done; [ -z "$$failed" ] || { echo "Not met:$$failed"; exit 1; }
