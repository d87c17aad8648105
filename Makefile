# The two commands of the README are `make demo` and `make test`; both make .venv when it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types tests wheel clean

demo: $(VENV)/.ready
	$(BIN)/semcast run quickstart

test: lint types tests wheel

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready
	$(BIN)/mypy

tests: $(VENV)/.ready
	$(BIN)/python -m pytest -n 2 -m "not slow and not faults"

# The wheel alone, in an environment of its own, runs a scenario from a folder that is not the repository.
wheel: $(VENV)/.ready
	sh .ci/wheel $(BIN)/python

# torch first and by pip: a CPU build of exactly this version may lie on disk, and pip finds it.
$(VENV)/.ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
