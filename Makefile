# Two commands matter: `make demo` and `make test`. Both set up all they need.
PYTHON ?= python3
ARGS ?=
VENV := .venv
STAMP := $(VENV)/.ready

# Compiled once, not by each of the many processes of a demo or a test run.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test setup check lock clean help
help:
	@echo "make demo   a whole release train on a toy engine (ARGS=--no-serve ends by itself)"
	@echo "make test   set up and pass the tests"
	@echo "make setup  set up only"
	@echo "make check  formatting, lint, types, import rules"
	@echo "make lock   write requirements.lock again from pyproject.toml"
	@echo "make clean  remove the environment"

$(STAMP): requirements.lock pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" sh scripts/setup.sh $(VENV) && touch $(STAMP)

setup: $(STAMP)

demo: $(STAMP)
	@$(VENV)/bin/headway demo $(ARGS)

test: $(STAMP)
	@$(VENV)/bin/python -m pytest -n auto --dist loadfile $(ARGS)

check: $(STAMP)
	@$(VENV)/bin/ruff format --check . && $(VENV)/bin/ruff check . && $(VENV)/bin/mypy && $(VENV)/bin/lint-imports

lock: $(STAMP)
	@sh scripts/lock.sh $(VENV)

clean:
	rm -rf $(VENV)
