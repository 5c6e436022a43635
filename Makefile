# Every target sets up what it needs: on a fresh machine, `make demo` or `make test` is the first command.
# Needs Python >= 3.11, make and a package index that pip already knows; nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RENQUN_HOME ?= ./home
PYTEST_ARGS ?=
DEMO_ARGS ?=
CHAOS_ARGS ?=
SOAK_ARGS ?=

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export RENQUN_HOME PYTHON
# Start-up is the price of a small shop's day: byte code is written once and used ever after.
unexport PYTHONDONTWRITEBYTECODE
# The packages are those of the lock: nothing of the user's own site and no foreign import path mixes in.
unexport PYTHONPATH
export PYTHONNOUSERSITE := 1
# Nothing phones home.
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED := False
export SCARF_ANALYTICS := false
export SCARF_NO_ANALYTICS := true
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test lint format up bench lock docs mutation chaos soak audit

help: ## what can be asked for
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

setup: ## the environment in .venv, from requirements.lock (done by itself where it is missing)
	@bash include/setup/environment.sh requirements.lock

demo: setup ## a shop of 20 thousand customers: history, marts, audiences (DEMO_ARGS="--help" lists its options)
	@$(BIN)/python -m renqun.demo $(DEMO_ARGS)

test: setup ## linters, then all tests, two at a time (PYTEST_ARGS="-k word" selects)
	@status=0; $(MAKE) lint || status=1; $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS) || status=1; exit $$status

lint: setup ## all linters
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted; 'make format' does it"; $(BIN)/ruff format --check . ; }
	@$(BIN)/mypy

format: setup ## let the linters mend what they can
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

up: setup ## Airflow with its web page on this machine, the DAGs ready
	@exec $(BIN)/python -m renqun.airflow.up

bench: setup ## the benchmarks, as a table; takes minutes (BENCH_ARGS="--help" lists its options)
	@bash include/setup/environment.sh requirements-bench.lock
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

mutation: setup ## the fault of every critical check into every gate: caught / injected, into docs/mutation.md; minutes
	@$(BIN)/python -m tests.expectations.mutation

chaos: setup ## runs that are broken on purpose, and one normal run after each; writes a page into docs/; half an hour, as root
	@$(BIN)/python -m tests.chaos.chaos $(CHAOS_ARGS)

soak: setup ## thirty days through the scheduler, a tenth of the tasks broken: into docs/soak.md; hours
	@$(BIN)/python -m tests.chaos.soak $(SOAK_ARGS)

audit: setup ## known vulnerabilities of the locked packages (needs the advisory database; sends names and versions only)
	@$(BIN)/python include/setup/audit.py

docs: setup ## write docs/dictionary.md and the pages of segments anew from what the models read
	@$(BIN)/python -m renqun.dictionary

lock: ## resolve the locks anew (needs uv; see CONTRIBUTING)
	@bash include/setup/lock.sh
