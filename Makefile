# make demo · make test · make check. They need Python 3.11 or later with venv, and make.

PYTHON ?= python3
VENV   ?= .venv

BIN       := $(VENV)/bin
PLUGINS   := $(sort $(wildcard plugins/*/pyproject.toml))
INSTALLED := $(VENV)/.installed

.PHONY: help install demo test crash check clean

help:
	@echo "make demo      send every kind of message to an emulator on this machine"
	@echo "make test      run the tests, with branch coverage"
	@echo "make crash     kill processes for some twenty minutes; see that nothing is lost or doubled"
	@echo "make check     lint, format, types, layers"
	@echo "make install   make $(VENV), which the others do when it is needed"
	@echo "make clean     remove everything that was made"

install: $(INSTALLED)

$(INSTALLED): pyproject.toml $(PLUGINS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-e '.[cli,dev]' $(foreach plugin,$(PLUGINS),-e $(dir $(plugin)))
	@touch $@

demo: $(INSTALLED)
	$(BIN)/notify demo $(ARGS)

test: $(INSTALLED)
	$(BIN)/python -m pytest --cov --cov-branch --cov-report=term $(ARGS)

crash: $(INSTALLED)
	$(BIN)/python -m tests.crash --all $(ARGS)

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) .coverage* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
