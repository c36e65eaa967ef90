# Needs python3 (3.11 or newer, with venv) and make. Everything else is installed into folders next to this file.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(wildcard app.py chalicelib infra tests bench cli/src)
# One lock for every supported Python. Versions that are locked already stay, unless UPGRADE=1.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.PHONY: help run backup restore test test-deployed test-store test-long test-hostile test-clients lint format lock template openapi deploy destroy package deploy-emulated bench-alerts bench-deadlines bench-import bench-cold-start bench-transport bench-costs bench-noise bench-lists bench-local simulate clean
.PHONY: test-cli

help:
	@echo "make run              start CronHub on http://localhost:4000 (PORT=4001 for another port)"
	@echo "make backup           copy the store, also while CronHub runs (TO=file; by default into .local/backups/)"
	@echo "make restore          put a copy in the place of the store: FROM=file; CronHub must be stopped"
	@echo "make demo             run CronHub with an organization of 60 crons and 90 days of history (state in .local/demo)"
	@echo "make test             run all tests"
	@echo "make test-web         run the tests of the pages in Chromium (installs it and playwright)"
	@echo "make screenshots      write a picture of every page into docs/images"
	@echo "make test-cli         run the tests of the command line tool only"
	@echo "make test-deployed    deploy the real package to an emulated AWS and test it there"
	@echo "make test-store       run the tests of the API over moto instead of the embedded store"
	@echo "make test-long        run the tests that take minutes: alerts through crashes and outages, in real time"
	@echo "make test-hostile     attack a running CronHub on this machine: bad receivers, a flood of requests, an innocent org"
	@echo "make test-clients     run clients of other monitors, unchanged, against make run"
	@echo "make lint             check format, style, types and the direction of imports"
	@echo "make format           format the code and fix what can be fixed automatically"
	@echo "make lock             pin all transitive packages with hashes (UPGRADE=1 takes newer versions)"
	@echo "make manual           write the man page of the command line tool"
	@echo "make openapi          write docs/openapi.json from the routes and their types"
	@echo "make template         write the functions' policies and the CloudFormation templates"
	@echo "make deploy           deploy to AWS: STAGE=dev or STAGE=prod, CRONHUB_BUCKET=..."
	@echo "make package          build what make deploy uploads, and its template"
	@echo "make destroy          delete a deployment; prod keeps its tables"
	@echo "make deploy-emulated  deploy to an emulated AWS on this machine"
	@echo "make bench-alerts     measure the time from a failure signal to the webhook"
	@echo "make bench-deadlines  measure the time from a deadline to the webhook (three minutes)"
	@echo "make bench-import     measure how long the app takes to import (part of a cold start)"
	@echo "make bench-cold-start measure a cold start up to the first answered ping"
	@echo "make simulate         run fleets of jobs with known truth through the rules and count every mistake"
	@echo "make bench-noise      count the alerts that healthy jobs make in a year, and what is still found"
	@echo "make bench-lists      measure lists and figures with 10,000 crons and 10,000 runs"
	@echo "make bench-local      measure make run: pings per second, and calls with few and very many runs (RUNS='1000 10000000')"
	@echo "make bench-transport  measure the CPU of a ping by both ways to DynamoDB"
	@echo "make bench-costs      count the store calls of each operation and estimate the monthly AWS bill"
	@echo "make clean            remove environments and caches; the state in .local/ is kept"

run: .venv/.runs
	@exec $(BIN)/python -m infra.local

backup: .venv/.runs
	@$(BIN)/python -m infra.local backup $(TO)

restore: .venv/.runs
	@$(BIN)/python -m infra.local restore $(FROM)

# Files in their own order: by number of tests, the long ones with few tests would come last and run alone.
test: .venv/.installed .venv-stack/.installed
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-cli: .venv/.installed
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/cli

demo: .venv/.runs
	@exec $(BIN)/python -m infra.demo

test-web: .venv/.web
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium; }
	@$(BIN)/python -m pytest -m web -p no:xdist tests/web

.PHONY: screenshots
screenshots: .venv/.web
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium; }
	@$(BIN)/python -m tests.web.screenshots

test-deployed: .venv/.installed .venv-aws/.installed .venv-stack/.installed
	@$(BIN)/python -m pytest -m deployed -p no:xdist tests/deployed

# The same tests over another store, through all of botocore.
test-store: .venv/.installed
	@$(BIN)/python -m pytest -n 2 --dist loadfile --store=moto tests/api

test-long: .venv/.installed
	@$(BIN)/python -m pytest --store=moto tests/faults
	@$(BIN)/python -m pytest -m long -rP

test-hostile: .venv/.installed
	@$(BIN)/python -m pytest -m hostile -p no:xdist -rP tests/hostile

test-clients: .venv/.installed .venv-clients/.installed .venv-clients/node/.installed
	@$(BIN)/python -m pytest -m clients -p no:xdist tests/clients

lint: .venv/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports

format: .venv/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/.installed
	$(LOCK) -o requirements.txt requirements.in
	$(LOCK) -c requirements.txt -o infra/local/requirements.txt infra/local/requirements.in

template: .venv/.installed
	@$(BIN)/python -m infra.deploy.template

.PHONY: manual
manual: .venv/.installed
	@PYTHONPATH=cli/src $(BIN)/python -m cronhub.manual > cli/man/cronhub.1

openapi: .venv/.installed
	@$(BIN)/python -m chalicelib.api.openapi > docs/openapi.json

# On failure one line says why. The exit code is 2, like that of every failed make target.
deploy destroy: .venv/.installed .venv-aws/.installed
	@$(BIN)/python -m infra.deploy $@ $(STAGE)

package: .venv/.installed
	@$(BIN)/python -m infra.deploy $@ $(STAGE)

deploy-emulated: .venv/.installed .venv-aws/.installed .venv-stack/.installed
	@$(BIN)/python -m infra.deploy $@ $(STAGE)

bench-import: .venv/.installed
	@$(BIN)/python bench/bench_import.py

bench-cold-start: .venv/.installed .venv-stack/.installed
	@$(BIN)/python -m bench.bench_cold_start

bench-alerts: .venv/.installed
	@$(BIN)/python bench/bench_alerts.py

bench-deadlines: .venv/.installed
	@$(BIN)/python -m bench.bench_deadlines

simulate: .venv/.installed
	@$(BIN)/python -m tests.simulation

bench-noise: .venv/.installed
	@PYTHONPATH=. $(BIN)/python bench/bench_noise.py

bench-local: .venv/.installed
	@$(BIN)/python -m bench.bench_local $(if $(OLDER),--older $(OLDER)) $(RUNS)

bench-lists: .venv/.installed
	@$(BIN)/python -m bench.bench_lists

bench-transport: .venv/.installed .venv-stack/.installed
	@$(BIN)/python -m bench.bench_transport

bench-costs: .venv/.installed .venv-stack/.installed
	@$(BIN)/python -m bench.bench_costs

clean:
	rm -rf .venv .venv-aws .venv-stack .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call make_venv,FOLDER,REQUIREMENTS …): installs them into FOLDER. If something is missing on this machine, one line says what.
define make_venv
@command -v $(PYTHON) >/dev/null || \
	{ echo "$(PYTHON) was not found: install Python 3.11 or newer, or name another one: make PYTHON=..."; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "$(PYTHON) is too old: CronHub needs Python 3.11 or newer (make PYTHON=python3.12 uses another one)"; exit 1; }
@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	{ echo "$(PYTHON) cannot make virtual environments: install python3-venv (Debian, Ubuntu)"; exit 1; }
@echo "Installing $(2) into $(1) (only after a change)"
@$(PYTHON) infra/install.py $(1) $(2)
@touch $@
endef

.venv/.runs: requirements.txt infra/local/requirements.txt
	$(call make_venv,.venv,requirements.txt infra/local/requirements.txt)

.venv/.web: requirements-web.txt .venv/.installed
	$(call make_venv,.venv,requirements-web.txt)

.venv/.installed: requirements-dev.txt .venv/.runs
	$(call make_venv,.venv,requirements-dev.txt)

.venv-stack/.installed: infra/local/requirements-stack.txt
	$(call make_venv,.venv-stack,infra/local/requirements-stack.txt)

.venv-clients/.installed: tests/clients/requirements.txt
	$(call make_venv,.venv-clients,tests/clients/requirements.txt)

# Without npm the clients for Node.js are left out, and their tests say so.
.venv-clients/node/.installed: tests/clients/node/package.json .venv-clients/.installed
	@mkdir -p $(@D) && cp $< $(@D)
	@if command -v npm >/dev/null; then npm install --prefix $(@D) --no-audit --no-fund --ignore-scripts --silent; fi
	@touch $@

.venv-aws/.installed: infra/deploy/requirements.txt
	$(call make_venv,.venv-aws,infra/deploy/requirements.txt)
