# Everything a developer or CI runs. Each target makes its own environment first.
.DEFAULT_GOAL := help
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
PYTHON ?= python3
TESTERS ?= auto

.PHONY: help demo test coverage check format screenshots lock clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/ready ## Run the whole pipeline on an invented practice, in ./demo
	@$(BIN)/charges demo --dir demo

test: .venv/dev ## Run all tests, on SQLite and on the services that answer
	$(BIN)/python -m pytest -q -n $(TESTERS) --dist loadfile

coverage: .venv/dev ## The same, telling which lines no test runs; takes half as long again
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n $(TESTERS) --dist loadfile
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

check: .venv/dev ## Format, lint, types, import contracts, migrations, documents in step
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.checks

format: .venv/dev ## Format and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

screenshots: .venv/dev ## Take the pictures of the page for the documents (needs chromium)
	$(BIN)/python -m tests.screenshots

lock: ## Resolve the newest versions into constraints.txt (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --no-annotate --no-header -q --upgrade -o constraints.txt

clean: ## Remove the environment and the demo
	rm -rf .venv demo

ifdef UV
INSTALL = uv venv -q --allow-existing --python $(PYTHON) .venv && uv pip install -q --python $(BIN)/python -c constraints.txt
else
INSTALL = $(PYTHON) -m venv .venv && $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
endif

.venv/ready: pyproject.toml constraints.txt
	@$(INSTALL) -e .
	@touch $@

.venv/dev: pyproject.toml constraints.txt
	@$(INSTALL) -e '.[dev]'
	@touch .venv/ready $@
