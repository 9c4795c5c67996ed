# Every target sets up what it needs first: a virtual environment in .venv with the pinned, tested
# versions of constraints.txt and crossplate itself, editable. The second time that is immediate.

PYTHON ?=
PIP_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
LOG := $(VENV)/install.log
PYTHONS := python3 python3.11 python3.12 python3.13 python3.14
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt $(PIP_ARGS)
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow lint clean

help:
	@echo "make demo       train on a simulated plate, diagnose the next one, write demo/"
	@echo "make test       the fast tests"
	@echo "make test-slow  accuracy on real data and long faults"
	@echo "make lint       ruff (rules and format) and mypy"
	@echo "make setup      only the virtual environment in $(VENV) (the others do it when needed)"
	@echo "make clean      remove the virtual environment, the demo and all caches"
	@echo
	@echo "PYTHON=FILE       the Python to use, 3.11 or newer (default: the first one found)"
	@echo "PIP_ARGS=OPTIONS  more options for pip. On Linux the ordinary package index serves torch"
	@echo "                  with gigabytes of CUDA; to avoid that, name torch's own index of CPU"
	@echo "                  builds: make demo PIP_ARGS='--extra-index-url URL'"

setup: $(STAMP)

demo: $(STAMP)
	@echo "Running the demo on simulated plates."
	@$(BIN)/crossplate demo --out demo --overwrite
	@echo "Done. Open demo/report.html in a browser; the predictions are in demo/predictions.csv."

test: $(STAMP)
	@echo "Running the fast tests."
	@$(PYTEST) -n 2

# pytest ends with 5 when no test is marked slow, which is no failure.
test-slow: $(STAMP)
	@echo "Running the slow tests."
	@$(PYTEST) -n 2 -m slow || [ $$? -eq 5 ]

lint: $(STAMP)
	@echo "Checking rules, format and types."
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

clean:
	@echo "Removing $(VENV), demo and caches."
	@rm -rf $(VENV) demo build dist .mypy_cache .pytest_cache .ruff_cache
	@find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# Installed without build isolation, so that the build's own tools are pinned like the rest;
# setuptools is for wheezy.template (of pyimzml), which comes as source.
$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing crossplate and the tested versions of what it needs (a minute or two)."
	@{ $(PIP) hatchling editables setuptools && $(PIP) --no-build-isolation -e '.[dev]'; } >$(LOG) 2>&1 || \
	    { tail -n 30 $(LOG) >&2; echo "The installation failed; all of its log is in $(LOG)." >&2; exit 1; }
	@touch $@

$(BIN)/python:
	@for python in $(or $(PYTHON),$(PYTHONS)); do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	    python=; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "crossplate needs Python 3.11 or newer: install one, or name it as in 'make test PYTHON=/path/to/python3'." >&2; \
	    exit 1; \
	fi; \
	echo "Making a virtual environment in $(VENV) with $$("$$python" --version)."; \
	"$$python" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
