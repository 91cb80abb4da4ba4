# Set-up, the main job and the checks. `make help` lists the targets; each does only what is left to do.
#
#   make run ARGS="-n 2 -k traits"     ARGS goes to pytest (run, test), bench and lock
#   make run PYTHON=python3.13         another interpreter for a new .venv

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-long test-versions setup venv engine images lint lock dist bench clean .tests .built
.PHONY: .early .base .compose .images .bytecode

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
ENGINE := $(shell command -v docker)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Images of CI set this variable. Each process that a test starts would compile pytest, gabbi and the
# harness again: 7.2 CPU seconds for a test with two workers, 2.3 without it (2026-11-30).
unexport PYTHONDONTWRITEBYTECODE
# pip and uv get the user's indexes and certificates, each those of the other, and no constraint,
# target or date that is for another project.
FETCH = $(BIN)/python -m harness.core.packages

# The driver's tests need etcd's image, the long tests each database's. No start of a stack in a test
# has to build them.
IMAGES = $(if $(ENGINE),$(BIN)/placement-harness setup --config-source etcd $(foreach \
  database,$(DATABASES),&& $(BIN)/placement-harness setup --database $(database)),:)
# The exit code of that build, which runs beside the checks and the tests. Tests that need images wait
# for this file.
BUILT := $(CURDIR)/$(VENV)/.built

RECENT = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'
SAY := printf '==> %s\n'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'ARGS="..." is passed on: make run ARGS="-n 2 -k traits"'

run: setup ## set up, then run gabbits/ on a stack of three replicas (no engine: embedded)
ifneq ($(ENGINE),)
	@# As a setting, which ARGS can override; --target embedded refuses the option --replicas.
	$(BIN)/pytest -o placement_replicas=3 $(ARGS)
else
	@printf '%s\n' \
	  '' \
	  '********************************************************************************' \
	  '  NO CONTAINER ENGINE HERE: the suites run on the embedded target, placement in' \
	  '  this process with SQLite. No replicas, no proxy, no keystone are tested.' \
	  '  For the real thing, install Docker Engine 20.10 or newer (on Debian and Ubuntu:' \
	  '  apt-get install docker.io), and say "make run" again.' \
	  '********************************************************************************' \
	  ''
	$(BIN)/pytest --target embedded $(ARGS)
endif

test: venv ## check, set up, then run the project's own tests, but for the long ones
	@rm -f $(BUILT)
	@$(MAKE) --no-print-directory -j 2 .tests .built TESTS='-n 2 --dist loadfile -m "not long"'

test-long: venv ## check, set up, then run all of the project's own tests, faults included
	@rm -f $(BUILT)
	@$(MAKE) --no-print-directory -j 2 .tests .built TESTS='-n 2 --dist loadfile' \
	  DATABASES='mariadb-10.11 galera'

.tests: lint
	@# As in .ready, for what was edited since.
	@$(BIN)/python -m compileall -q harness tests
	HARNESS_IMAGES_BUILT=$(BUILT) $(BIN)/pytest tests services/oslo-config-etcd/tests $(TESTS) $(ARGS)

.built:
	@code=0; { $(IMAGES); } || code=$$?; echo $$code > $(BUILT); exit $$code

setup: engine ## everything that a run needs: .venv, Compose v2, base image, images

venv: $(VENV)/.ready

engine: .early
ifneq ($(ENGINE),)
	@$(MAKE) --no-print-directory -j 2 .images $(COMPILED)
else
	@$(SAY) 'no container engine (docker): no images are built'
endif

# In a fresh clone, the base image is fetched while the virtual environment is made, and Compose as
# soon as the environment is there. Modules that a run imports are compiled while images are built.
EARLY := $(if $(wildcard $(VENV)/.ready),,$(if $(ENGINE),.base .compose))
COMPILED := $(if $(wildcard $(VENV)/.ready),,.bytecode)

.early:
	@$(MAKE) --no-print-directory -j 3 venv $(EARLY)

.base:
	@! $(RECENT) || $(PYTHON) -m harness.engine.early base

# The requirements replace the pip that fetches Compose: it comes after them.
.compose: $(VENV)/.ready
	@$(BIN)/python -m harness.engine.early compose

.images:
	@$(BIN)/placement-harness setup

.bytecode:
	@$(BIN)/pytest --collect-only -p no:cacheprovider -o placement_replicas=3 \
	  > /dev/null 2>&1 || true
	@$(BIN)/python -c 'import python_on_whales'

images: setup .env ## build the images, and write .env: what docker compose needs by hand

.env: harness/stack/model/record.py | venv
	@$(SAY) '.env: random passwords and keys for a stack that is started by hand'
	@umask 077; touch $@; $(BIN)/python -c 'from harness.stack.model.record import Secrets; \
	  there = {line.partition("=")[0] for line in open(".env")}; new = Secrets().environment(); \
	  print(end="".join(f"{k}={v}\n" for k, v in new.items() if k not in there))' >> $@

test-versions: venv ## run tests/plugin with the oldest and the newest pytest, xdist, gabbi and httpx
	PATH=$(abspath $(BIN)):$$PATH $(BIN)/python -m tests.versions $(ARGS)

lint: venv ## check style, types and prose; edits nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tests.prose

dist: venv ## build a wheel and an sdist into dist/
	@$(BIN)/python -m hatchling build -d dist

bench: setup ## measure start-up, reuse and tear-down: medians and worst
	@$(BIN)/placement-harness bench $(ARGS)

COMPILE = $(FETCH) $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
  --no-emit-find-links --custom-compile-command 'make lock' $(ARGS)

lock: $(VENV)/.uv ## lock all requirements again, with hashes; ARGS=--upgrade takes newer ones
	@$(SAY) 'requirements/'
	@$(COMPILE) --python-version 3.11 requirements/uv.in -o requirements/uv.txt
	@$(COMPILE) --python-version 3.11 --no-deps requirements/compose.in -o requirements/compose.txt
	@$(COMPILE) --python-version 3.11 requirements/dev.in -o requirements/dev.txt
	@for folder in services/*/; do \
	  if [ -e $${folder}requirements.in ]; then \
	    $(SAY) $$folder; \
	    $(COMPILE) --python-version 3.13 $${folder}requirements.in -o $${folder}requirements.txt; \
	  fi; \
	done

clean: ## remove .venv and caches; images, stacks and .env stay
	@$(SAY) 'removing .venv and caches'
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	@find harness tests services gabbits -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: a step that was cut short leaves none, and is done again.
$(VENV)/.uv: requirements/uv.txt
	@$(SAY) '.venv: a virtual environment for $(PYTHON), and uv in it'
	@$(RECENT) || \
	  { echo 'Python 3.11 or newer is needed: make run PYTHON=/path/to/python3.11' >&2; exit 70; }
	@$(PYTHON) -m venv --clear $(VENV) || \
	  { echo 'On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 70; }
	@$(FETCH) $(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.ready: $(VENV)/.uv requirements/dev.txt pyproject.toml
	@$(SAY) '.venv: the locked requirements, checked against their hashes'
	@# Without the line a package; a command that finds none of them to print is no failure.
	@$(FETCH) $(BIN)/uv pip sync --python $(BIN)/python --require-hashes requirements/dev.txt \
	  2>&1 | { grep -v '^ [-+~] ' || true; }
	@# pytest takes what a checkout from before hatchling has left for a second installation.
	@rm -rf placement_harness.egg-info
	@$(FETCH) $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q harness
	@touch $@
