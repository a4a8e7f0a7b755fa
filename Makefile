# Landlink. `make` alone lists the verbs. Two are enough for a newcomer: `make run` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

OUT ?= rehearsal
TRAVELLERS ?=
SPECIMENS ?=
DOCUMENTS ?=
PERSONS ?=
TESTS ?= tests

HEADLESS := --headless --out "$(OUT)" $(if $(TRAVELLERS),--travellers $(TRAVELLERS)) $(if $(SPECIMENS),--specimens "$(SPECIMENS)") \
	$(if $(DOCUMENTS),--documents "$(DOCUMENTS)") $(if $(PERSONS),--persons "$(PERSONS)")

.PHONY: help run run-headless test check bench crash fuzz screenshots lock clean tools

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

run: $(VENV)/.run ## a whole post on this machine: the booth's page on http://127.0.0.1:8080, the tray on :8081
	$(BIN)/landlink-bench rehearse --out "$(OUT)"

run-headless: $(VENV)/.run ## the same without people: [OUT=DIR] [TRAVELLERS=N] [SPECIMENS=FILE] [DOCUMENTS=FILE] [PERSONS=FILE]
	$(BIN)/landlink-bench rehearse $(HEADLESS)

test: $(VENV)/.test tools ## set up and pass all tests: [TESTS=tests/unit]
	$(BIN)/pytest -q --numprocesses=4 --dist=loadfile $(TESTS)

check: $(VENV)/.test ## what a reviewer would run: style, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: $(VENV)/.test ## ours, the peer, the limit, in one run
	$(BIN)/python -m tests.benchmarks

crash: $(VENV)/.test tools ## ten thousand power cuts under recorder and queue: [CUTS=N] [SEED=N]
	$(BIN)/python -m tests.crash --cuts $(or $(CUTS),10000) --seed $(or $(SEED),1)

fuzz: $(VENV)/.test ## what reads documents against ever new bytes, ten minutes each: [TARGETS=all] [MINUTES=N] [JOBS=N]
	$(BIN)/python -m tests.fuzz $(or $(TARGETS),reading) --minutes $(or $(MINUTES),10) --jobs $(or $(JOBS),1)

screenshots: $(VENV)/.test tools ## draw README's pictures from a running post
	$(BIN)/python -m tests.browser.draw_screenshots

tools: $(VENV)/.test ## install what others wrote and the tests hold ours against (root or sudo; else it says what is left out)
	@tests/install-tools
	@tests/interop/install-aics
	@tests/interop/install-go

lock: $(VENV)/.test ## resolve the lock files anew (hashes, no index)
	tests/lock

clean: ## remove what the other verbs made here
	rm -rf $(VENV) rehearsal build tests/interop/node_modules .aics .go *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Landlink needs Python 3.11 or newer.'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python requirements.txt pyproject.toml
	@echo 'Setting up (once; about a minute) ...'
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements-dev.txt
	@echo 'Setting up the tests (once; about a minute) ...'
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
