# The commands of the README. Every target makes what it needs: nothing has to be installed first but Python and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo day kills demo-gap test test-edge test-15 install-test up down check format lock docs clean

help:  ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12")'
	@echo "installing into $(VENV) (a minute or two, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)  ## the whole story against the sandbox: onboard 8 users, let the world move, sweep, reconcile
	@$(BIN)/v2 demo

day: $(READY)  ## a working day of 25 users in six minutes: webhooks, lost events, sources in trouble
	@$(BIN)/v2 day

kills: $(READY)  ## the same day with every process killed under load
	@$(BIN)/v2 day --kills

demo-gap: $(READY)  ## V2 lacks 87 % of V1's contacts: why, and how a backfill by user closes it
	@$(BIN)/v2 demo-gap

test: $(READY)  ## all tests, on a real Postgres and real HTTP servers
	@$(BIN)/python -m pytest -n auto --dist worksteal

test-15: $(READY)  ## what depends on the server's version, on PostgreSQL 15 (Debian's package); ARGS=tests for all
	@.ci/postgres-15 $(ARGS)

install-test: $(READY)  ## the manual's installation, typed on a machine of its own (root, systemd-nspawn)
	@.ci/install

test-edge: $(READY)  ## the proxy and the UI attacked with a real nginx and a real Chromium (installs them from Debian where it may)
	@.ci/edge

up: $(READY)  ## start everything in the background; the UI is at http://127.0.0.1:3000
	@$(BIN)/v2 up

down: $(READY)  ## stop what `make up` started
	@$(BIN)/v2 down

check: $(READY)  ## lint, format, types, definitions, migrations and documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	env -i PATH="$$PATH" HOME="$$HOME" $(BIN)/python -W error -c 'import v2_assets.definitions as d; d.defs.get_repository_def()'
	$(BIN)/python -m v2_assets.schema.reference --check
	$(BIN)/python -m v2_assets.api.reference --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir .v2/site

format: $(READY)  ## write the code the way `make check` wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

LOCK := $(BIN)/pip-compile --quiet --extra build --generate-hashes --no-strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

lock: $(READY)  ## choose new exact versions for requirements.lock; requirements-run.lock has what of it runs
	$(LOCK) --upgrade --extra dev -o requirements.lock pyproject.toml
	@cp requirements.lock requirements-run.lock  # so the second keeps the versions of the first
	$(LOCK) -o requirements-run.lock pyproject.toml

docs: $(READY)  ## write the generated reference anew, and the manual as a site into site/
	$(BIN)/python -m v2_assets.schema.reference
	$(BIN)/python -m v2_assets.api.reference
	$(BIN)/python -m v2_assets.schema.privileges
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean:  ## remove the environment and everything the platform made (stop it first: make down)
	@if [ -x $(BIN)/v2 ]; then $(BIN)/v2 down; fi
	rm -rf $(VENV) .v2 site .pytest_cache .ruff_cache .hypothesis
