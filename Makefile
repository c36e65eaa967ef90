# Needs python3 (3.11 or newer, with venv) and make; everything else is installed beside this file.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(wildcard app.py chalicelib infra tests bench)

.DEFAULT_GOAL := help
.PHONY: help run test test-deployed test-long lint format template openapi deploy destroy deploy-emulated bench-alerts bench-import bench-cold-start bench-transport bench-costs clean

help:
	@echo "make run              CronHub on http://localhost:4000, with an emulated AWS (PORT=4001 for another port)"
	@echo "make test             the whole suite"
	@echo "make test-deployed    the real package, deployed to an emulated AWS and used there"
	@echo "make test-long        what takes minutes: alerts through kills and outages, by the clock on the wall"
	@echo "make lint             format, style, types and layers"
	@echo "make format           put the code into form"
	@echo "make openapi          write docs/openapi.json from the routes and their types"
	@echo "make template         what CronHub is made of on AWS, written anew from the models"
	@echo "make deploy           to AWS: STAGE=dev or STAGE=prod, CRONHUB_BUCKET=..."
	@echo "make destroy          what was deployed, taken away; prod keeps its tables"
	@echo "make deploy-emulated  the same on an emulated AWS on this machine"
	@echo "make bench-alerts     from a fail signal to the webhook's arrival"
	@echo "make bench-import     what importing the app costs (a cold start pays it)"
	@echo "make bench-cold-start what a cold start costs until the first ping is answered"
	@echo "make bench-transport  CPU per ping by both ways to DynamoDB"
	@echo "make bench-costs      calls and capacity of each thing done, and a month of it on AWS"
	@echo "make clean            remove environments and caches; state in .local/ is kept"

run: .venv/.runs .venv-stack/.installed
	@exec $(BIN)/python -m infra.local

test: .venv/.installed .venv-stack/.installed
	@$(BIN)/python -m pytest -n 2 --dist loadfile

test-deployed: .venv/.installed .venv-aws/.installed .venv-stack/.installed
	@$(BIN)/python -m pytest -m deployed -p no:xdist tests/deployed

test-long: .venv/.installed .venv-stack/.installed
	@$(BIN)/python -m pytest -m long -rP

lint: .venv/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports

format: .venv/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

template: .venv/.installed
	@$(BIN)/python -m infra.deploy.template

openapi: .venv/.installed
	@$(BIN)/python -m chalicelib.api.openapi > docs/openapi.json

# Exit code 2, as make gives it for whatever fails, comes with one line that says why.
deploy destroy: .venv/.installed .venv-aws/.installed
	@$(BIN)/python -m infra.deploy $@ $(STAGE)

deploy-emulated: .venv/.installed .venv-aws/.installed .venv-stack/.installed
	@$(BIN)/python -m infra.deploy $@ $(STAGE)

bench-import: .venv/.installed
	@$(BIN)/python bench/bench_import.py

bench-cold-start: .venv/.installed .venv-stack/.installed
	@$(BIN)/python -m bench.bench_cold_start

bench-alerts: .venv/.installed .venv-stack/.installed
	@$(BIN)/python bench/bench_alerts.py

bench-transport: .venv/.installed .venv-stack/.installed
	@$(BIN)/python -m bench.bench_transport

bench-costs: .venv/.installed .venv-stack/.installed
	@$(BIN)/python -m bench.bench_costs

clean:
	rm -rf .venv .venv-aws .venv-stack .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call make_venv,FOLDER,REQUIREMENTS …): says in one line what is missing on this machine.
define make_venv
@command -v $(PYTHON) >/dev/null || \
	{ echo "$(PYTHON) is not there: install Python 3.11 or newer, or name one: make PYTHON=..."; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "$(PYTHON) is too old: CronHub needs Python 3.11 or newer (make PYTHON=python3.12 names one)"; exit 1; }
@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	{ echo "$(PYTHON) cannot make virtual environments: install python3-venv (Debian, Ubuntu)"; exit 1; }
@echo "Installing $(2) into $(1) (only when it has changed)"
@$(PYTHON) -m venv $(1)
@$(1)/bin/python -m pip install --quiet --disable-pip-version-check $(addprefix -r ,$(2))
@touch $@
endef

.venv/.runs: requirements.txt infra/local/requirements.txt
	$(call make_venv,.venv,requirements.txt infra/local/requirements.txt)

.venv/.installed: requirements-dev.txt .venv/.runs
	$(call make_venv,.venv,requirements-dev.txt)

.venv-stack/.installed: infra/local/requirements-stack.txt
	$(call make_venv,.venv-stack,infra/local/requirements-stack.txt)

.venv-aws/.installed: infra/deploy/requirements.txt
	$(call make_venv,.venv-aws,infra/deploy/requirements.txt)
