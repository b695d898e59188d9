# Everything one does with this repository. Each target sets up by itself what it needs:
#   .venv/     the tools and packages of uv.lock     .venv-3.13/  the same under the deployed interpreter
#   .aws-sam/  what `sam build` makes                .build/      the layer once more, for this machine

PYTHON ?= python3
UV      = .venv/bin/uv
UV_VERSION = $(shell sed -n 's/.*"uv==\([0-9.]*\)".*/\1/p' pyproject.toml)

# SAM's dependencies are taken as they were on that day, so that a newer linter cannot fail an old commit.
SAM = SAM_CLI_TELEMETRY=0 $(UV) tool run --exclude-newer 2026-11-20 --from aws-sam-cli==1.170.0 sam

# The interpreter that Lambda runs, where this machine has it: on PATH, or kept by pyenv.
DEPLOYED := $(shell for python in python3.13 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13*/bin/python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo "$$python" && break; \
	done)

# Whom the layer is built for: Lambda, but `make check` says this machine.
LAYER_FOR = --python-version 3.13 --python-platform aarch64-manylinux_2_28

# Two files of tests at once: each process has an engine of its own.
SIDE_BY_SIDE = --numprocesses 2 --dist loadfile
UNIT   = $(wildcard tests/functions tests/shared tests/local tests/test_*.py)
BEYOND = $(wildcard tests/promises tests/e2e)

# Whatever else the machine has, uv works with the interpreter of .venv and downloads none.
export UV_PYTHON = $(CURDIR)/.venv/bin/python
export UV_PYTHON_DOWNLOADS = never
unexport VIRTUAL_ENV
MAKEFLAGS += --no-print-directory

.PHONY: help local events command respond keys replay invoke test check bench build lock clean

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

local: .venv/ready ## serve the API on this machine (PORT, API_KEYS, DATA, DYNAMODB_URL)
	@exec .venv/bin/python -m local.api

events: .venv/ready ## print the events of the local API as they happen (PORT)
	@exec .venv/bin/python -m local.watch_events

command: .venv/ready ## put a command into the local API's inbound queue (FILE, else standard input; PORT)
	@.venv/bin/python -m local.send_command $(FILE)

respond: $(UV) ## answer users' messages in the local API by a model (MESSAGE_API_KEY, MODEL, OPENAI_BASE_URL, OPENAI_API_KEY)
	@exec $(UV) run --quiet --no-project --exclude-newer 2026-11-20 \
		--with-requirements examples/responder/responder/requirements.txt python examples/responder/respond_locally.py $(ARGS)

keys: .venv/ready ## create, list and revoke API keys (ARGS="--help")
	@.venv/bin/python -m local.keys $(ARGS)

replay: .venv/ready ## tell events again, from the table (ARGS="--help")
	@.venv/bin/python -m local.replay $(ARGS)

invoke: .venv/ready ## run one function on its sample event (FUNCTION=create_message)
	@.venv/bin/python -m local.invoke $(FUNCTION)

test: .venv/ready $(if $(DEPLOYED),.venv-3.13/ready) ## unit tests, promises, official SDKs; then the unit tests on 3.13
	.venv/bin/python -m pytest $(SIDE_BY_SIDE) $(UNIT) --cov --cov-fail-under=100
	$(if $(BEYOND),.venv/bin/python -m pytest $(SIDE_BY_SIDE) $(BEYOND))
	$(if $(DEPLOYED),.venv-3.13/bin/python -m pytest $(SIDE_BY_SIDE) tests/functions tests/shared,@echo "No CPython 3.13 here: tested on one Python only.")

check: .venv/ready ## format, lint, types, template, and an import of every handler as it is built
	$(UV) lock --check --quiet
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	$(SAM) validate --lint
	$(SAM) validate --lint --template examples/responder/template.yaml
	$(SAM) build
	@rm -rf .build && mkdir .build
	@$(MAKE) build-Dependencies ARTIFACTS_DIR=.build LAYER_FOR="--python $(or $(DEPLOYED),.venv/bin/python)"
	.venv/bin/python .ci/import_handlers.py .aws-sam/build .build/python $(or $(DEPLOYED),.venv/bin/python)

bench: .venv/ready $(if $(DEPLOYED),.venv-3.13/ready) ## measure, and write docs/performance.md (ONLY="cold warm", RUNS=15)
	@$(if $(DEPLOYED),.venv-3.13,.venv)/bin/python -m benchmarks $(ONLY)

build: $(UV) ## what `sam deploy` deploys, in .aws-sam/build
	$(SAM) build

lock: $(UV) ## bring uv.lock up to pyproject.toml (ARGS=--upgrade for the newest versions)
	$(UV) lock $(ARGS)

clean: ## remove everything that was made here
	rm -rf .venv .venv-3.13 .aws-sam .build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find functions shared local tests .ci -name __pycache__ -prune -exec rm -rf {} +

# Setting up. `touch` marks what is complete, so that an interrupted attempt starts again.

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "This needs Python 3.11 or later, but $(PYTHON) says: $$($(PYTHON) -V 2>&1). Set PYTHON=python3.x." >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/ready: $(UV) pyproject.toml uv.lock
	@$(UV) sync --quiet --frozen --inexact
	@touch $@

.venv-3.13/ready: $(UV) pyproject.toml uv.lock
	@UV_PROJECT_ENVIRONMENT=.venv-3.13 $(UV) sync --quiet --frozen --python $(DEPLOYED)
	@touch $@

# What `sam build` calls: one target for each resource, which fills ARTIFACTS_DIR.

# The layer: the packages of uv.lock, without what no function opens.
build-Dependencies: $(UV)
	@$(UV) export --quiet --frozen --no-default-groups --no-emit-project --no-header \
		--output-file "$(ARTIFACTS_DIR)/requirements.txt"
	@$(UV) pip install --quiet --no-deps --require-hashes --only-binary :all: $(LAYER_FOR) \
		--target "$(ARTIFACTS_DIR)/python" --requirements "$(ARTIFACTS_DIR)/requirements.txt"
	@cd "$(ARTIFACTS_DIR)/python" && rm -rf bin .lock && find . \( -name __pycache__ -o -name RECORD \) -prune -exec rm -rf {} +
	@.venv/bin/python packaging/prune_botocore.py "$(ARTIFACTS_DIR)/python"
	@$(call compile,/opt)

# A function: its own module, named as the resource is (CreateMessage, create_message), and what all share.
build-%:
	@module=$$(echo $* | sed 's/\([a-z]\)\([A-Z]\)/\1_\2/g' | tr '[:upper:]' '[:lower:]') && mkdir "$(ARTIFACTS_DIR)/functions" \
		&& cp functions/__init__.py "functions/$$module.py" "$(ARTIFACTS_DIR)/functions" && cp -R shared "$(ARTIFACTS_DIR)"
	@find "$(ARTIFACTS_DIR)" -type f ! -name '*.py' -delete && find "$(ARTIFACTS_DIR)" -type d -empty -delete
	@$(call compile,/var/task,-b) $(if $(DEPLOYED),&& find "$(ARTIFACTS_DIR)" -name '*.py' -delete)

# Bytecode, else every cold start compiles again (Lambda's folders are read-only). The hash is never checked against the
# source, whose times a deployment changes. $(1) is where Lambda unpacks the files, as tracebacks show them. Our own
# functions travel as bytecode alone ($(2) is -b): half as much to fetch, and a line of a traceback is looked up here.
ifdef DEPLOYED
compile = $(DEPLOYED) -I -m compileall -q --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p $(1) $(2) "$(ARTIFACTS_DIR)"
else
compile = $(if $(filter build-Dependencies,$@),echo "No CPython 3.13 here: built without bytecode; cold starts take three times as long.",:)
endif
