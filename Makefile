# Each target says what it does; `make` alone lists them. Needs make and Python 3.11 or newer with venv.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
# Options:
#   make demo DEMO="--lang vi --keep there"
#   make bench BENCH="--workload form-saves --size 40000"
#   make felt FELT="--cases 2000 --runs 3"
#   make soak START=0 SEEDS=20000
DEMO ?=
BENCH ?=
FELT ?=
START ?= 0
SEEDS ?= 5000
# Hundreds of short processes are started: each would compile every module again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test check bench felt soak

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1: /p' Makefile

demo: $(READY) ## tell, with real processes, how three offices share a case
	$(BIN)/casesync demo $(DEMO)

test: $(READY) ## run all tests on two cores
	$(BIN)/pytest -n 2 --dist loadfile

check: $(READY) ## lint, format, types, layers and house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/house_rules

bench: .venv/bench-ready ## measure casesync beside other engines and judge the ratios (8 minutes)
	$(BIN)/python benchmarks/run.py $(BENCH)

felt: $(READY) ## time the commands of a day on 10,000 and 100,000 cases (10 minutes)
	$(BIN)/python benchmarks/felt.py $(FELT)

soak: $(READY) ## play SEEDS simulated worlds from seed START on; the same seed, the same world
	PYTHONPATH=tests $(BIN)/python -m simulation.soak --start $(START) --seeds $(SEEDS)

$(READY): pyproject.toml hatch_build.py $(wildcard src/casesync/*/*.pyx src/casesync/*/*.pxd)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "casesync needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

.venv/bench-ready: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	touch $@
