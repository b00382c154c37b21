# Everything is set up in .venv from the hash-pinned lock; nothing else is installed anywhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := config/requirements.lock
INSYNC_VENV := .venv-ib-insync
INSYNC_LOCK := config/requirements-ib-insync.lock
MUTANTS_VENV := .venv-mutants
MUTANTS_LOCK := config/requirements-mutants.lock
WORKERS ?= 2

.PHONY: setup setup-clients run test test-slow test-ib-insync test-clients machine planted mutants controls controls-table check lint types bench clean

setup: $(VENV)/.ready

$(VENV)/.ready: $(LOCK) pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(INSYNC_VENV)/.ready: $(INSYNC_LOCK) pyproject.toml
	$(PYTHON) -m venv $(INSYNC_VENV)
	$(INSYNC_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(INSYNC_LOCK)
	$(INSYNC_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(MUTANTS_VENV)/.ready: $(LOCK) $(MUTANTS_LOCK)
	$(PYTHON) -m venv $(MUTANTS_VENV)
	$(MUTANTS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(LOCK) -r $(MUTANTS_LOCK)
	@touch $@

CLIENTS := ib-async ib-insync ibapi nautilus-ibapi thetagang
CLIENT_VENVS := .venv-clients

setup-clients: $(foreach name,$(CLIENTS),$(CLIENT_VENVS)/$(name)/.ready) ## one environment for each client library

$(CLIENT_VENVS)/%/.ready: config/clients/%.lock
	$(PYTHON) -m venv $(CLIENT_VENVS)/$*
	$(CLIENT_VENVS)/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

run: setup ## five simulated sessions in virtual time, with a summary and an HTML report
	$(BIN)/alvh run

test: setup ## the test suite, in two processes; WORKERS=n in others
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

test-slow: setup ## the long suites as well
	$(BIN)/python -m pytest -m "not clients"

test-ib-insync: $(INSYNC_VENV)/.ready ## the adapter's conformance tests once more, on the older client library
	$(INSYNC_VENV)/bin/python -m pytest tests/adapters/ibkr

test-clients: setup setup-clients ## programs of four client libraries, and a whole one, against the gateway
	$(BIN)/python -m pytest -m clients tests/simulator/clients

machine: setup ## 50,000 steps of the core against an exchange that does what it likes; SEED=n plays others
	$(BIN)/python -m tests.machine --seed $(or $(SEED),0)

planted: setup ## known bugs, each of which the state machine must find
	$(BIN)/python -m pytest -q -m planted tests/planted

mutants: $(MUTANTS_VENV)/.ready ## mutation testing of risk/ with its own tests, over an hour of one core; MUTANTS="--sample 300" shows a sample
	$(MUTANTS_VENV)/bin/python -m tests.mutants $(MUTANTS)

controls: setup ## each control with its tests and when they last passed here
	$(BIN)/python -m tests.controls

controls-table: setup ## the table of the gate's rules in docs/risk-controls.md
	$(BIN)/python -m tests.controls --write

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

check: lint types test ## all that must be green before a change is proposed

bench: setup ## ratios against a floor in the same run; see docs/performance.md
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) $(INSYNC_VENV) $(CLIENT_VENVS) $(MUTANTS_VENV) mutants out .coverage* htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis
