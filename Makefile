# Everything a person or a build machine does. Needs git, make and python3 ≥ 3.11 with venv and pip; the rest is
# installed by scripts/setup.py, which does nothing when nothing changed.
PYTHON ?= python3
PORT ?= 8000
DEMO ?= 1
BIN := .venv/bin

.PHONY: run setup test soak lock bench screenshots
.DEFAULT_GOAL := run

run:
	@$(PYTHON) scripts/setup.py runtime
	@PORT=$(PORT) DEMO=$(DEMO) $(BIN)/python scripts/run.py

setup:
	@$(PYTHON) scripts/setup.py runtime

test:
	@$(PYTHON) scripts/setup.py develop
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > .lint-imports.log || { cat .lint-imports.log; exit 1; }
	@$(BIN)/python -m pytest -p tests.plugin_no_skip -q -m "not soak" -n 2 --dist loadfile

soak:
	@$(PYTHON) scripts/setup.py develop
	@$(BIN)/python -m pytest -p tests.plugin_no_skip -q -m soak

bench:
	@$(PYTHON) scripts/setup.py develop
	@$(BIN)/safe-campus bench

screenshots:
	@$(PYTHON) scripts/setup.py develop
	@$(BIN)/python scripts/screenshots.py

# Resolve config/locks/*.in anew: name, version and hashes, and no address.
lock:
	@$(PYTHON) scripts/lock.py
