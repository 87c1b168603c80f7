# The two commands: `make run` and `make test`. `make help` lists the rest.
PY   ?= python3
VENV ?= .venv
PORT ?= 8000
BIN   = $(VENV)/bin
PIP   = $(BIN)/python -m pip install -q --disable-pip-version-check

.PHONY: help run demo test bench chaos mutants lock lint clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PY) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -q && \
	    apt-get install -y -q --no-install-recommends python3 python3-venv; } || \
	  { echo "Python 3.11 or newer with its venv module is needed: apt-get install python3-venv"; exit 1; }
	$(PY) -m venv $(VENV)

$(VENV)/.run: $(BIN)/python requirements.lock setup.cfg
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

run: $(VENV)/.run ## set everything up and start the tracker on 127.0.0.1:$(PORT)
	$(BIN)/incident-tracker migrate
	$(BIN)/incident-tracker serve --port $(PORT)

demo: $(VENV)/.run ## the same, on a database of its own filled with an example organisation
	INCIDENT_TRACKER_INSTANCE=instance/demo $(BIN)/incident-tracker demo --port $(PORT)

test: $(VENV)/.dev ## everything: style, types, SQLite, PostgreSQL, SMTP, a browser
	@./tests/need $(BIN)/python
	$(BIN)/ruff check -q .
	$(BIN)/mypy --no-error-summary
	$(BIN)/python -m pytest -n auto --dist loadgroup --max-worker-restart 0

bench: $(VENV)/.dev ## measure speed and memory; prints ratios within one run
	$(BIN)/python -m tests.bench

chaos: $(VENV)/.dev ## kill workers at random for three minutes while warnings fall due; count what arrives
	$(BIN)/python -m tests.chaos

mutants: $(VENV)/.dev ## break the rules in small places and see whether a test notices (MODULES="counting eu1182")
	$(BIN)/python -m tests.mutation $(MODULES)

lint: $(VENV)/.dev ## style and types
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/djlint --check templates || true

lock: $(VENV)/.dev ## renew both lock files
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra postgres setup.cfg -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra dev -c requirements.lock setup.cfg -o requirements-dev.lock

clean: ## remove what can be made again (never instance/)
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis screenshots mutants
