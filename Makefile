# The tasks of this repository. Each target first sets up what it needs:
#   .venv/     the tools and packages of uv.lock     .venv-3.13/  the same under the deployed interpreter
#   .aws-sam/  what `sam build` makes                .build/      the layer once more, for this machine

PYTHON ?= python3
UV      = .venv/bin/uv
UV_VERSION = $(shell sed -n 's/.*"uv==\([0-9.]*\)".*/\1/p' pyproject.toml)

# SAM's dependencies are the newest of this day, so that a newer linter cannot fail an old commit.
SAM = SAM_CLI_TELEMETRY=0 $(UV) tool run --exclude-newer 2026-11-20 --from aws-sam-cli==1.170.0 sam

# The security linter, with .checkov.yaml. Its tests of templates need no network.
CHECKOV = $(UV) tool run --quiet --exclude-newer 2026-11-20 --from checkov==3.3.30 checkov
AUDIT   = $(UV) tool run --quiet --exclude-newer 2026-11-20 --from pip-audit==2.10.1 pip-audit

# The packages of the layer, in the versions of uv.lock.
LAYER_PACKAGES = $(UV) export --quiet --frozen --no-default-groups --no-emit-project --no-header
# The packages of the function that calls the model: openai, and those of its dependencies that the layer lacks.
MODEL_PACKAGES = $(LAYER_PACKAGES) --only-group runs $(foreach package,$(shell $(LAYER_PACKAGES) --no-hashes --no-annotate \
	| sed 's/[ =].*//'),--no-emit-package $(package))

# The Python version that Lambda runs, if this machine has it on PATH or in pyenv's folder. Otherwise empty.
DEPLOYED := $(shell for python in python3.13 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13*/bin/python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo "$$python" && break; \
	done)

# The platform for which the layers are built: Lambda's. `make check` sets this machine's.
LAYER_FOR = --python-version 3.13 --python-platform aarch64-manylinux_2_28

# Several files of tests run at once, in the order of their names. Each process has its own engine. The few long files
# are not among the last, so that no process waits for the others. Where tests wait for servers and clocks, three files
# run at once.
SIDE_BY_SIDE = --dist loadfile --no-loadscope-reorder --numprocesses
UNIT   = $(wildcard tests/functions tests/runs tests/shared tests/local tests/transfer tests/upgrades tests/test_*.py)
BEYOND = $(wildcard tests/e2e tests/promises)
# Tests that also run on the deployed Python: those of what the interpreter may do differently (JSON, texts, types,
# compression, imports, logs), and those with the model of the contract, whose requests reach all operations.
ON_DEPLOYED = tests/shared tests/runs $(patsubst %,tests/functions/test_%.py,bodies json limits logs model publish_events queries sizes)

# uv uses the interpreter of .venv, whichever others the machine has, and downloads none.
export UV_PYTHON = $(CURDIR)/.venv/bin/python
export UV_PYTHON_DOWNLOADS = never
unexport VIRTUAL_ENV
# Tests start hundreds of processes. Without stored bytecode, each process would compile all modules that it imports.
unexport PYTHONDONTWRITEBYTECODE
MAKEFLAGS += --no-print-directory

.PHONY: help any-day local respond screenshots load kills test check check-python check-template bench soak fuzz build lock layer audit clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 10

local: .venv/ready ## serve the API on this machine; as `./message-api serve` (PORT, API_KEYS, DATA, DYNAMODB_URL, ALLOWED_ORIGINS, EXAMPLE, MODEL_URL)
	@exec ./message-api serve

respond: $(UV) ## start a run for each new message of a user in the local API (ASSISTANT_ID, OPENAI_BASE_URL, OPENAI_API_KEY)
	@exec $(UV) run --quiet --no-project --exclude-newer 2026-11-20 \
		--with-requirements examples/responder/responder/requirements.txt \
		python -W ignore::DeprecationWarning examples/responder/respond_locally.py

screenshots: .venv/browser ## take the pictures in docs/ of the thread browser, with Chromium
	@.venv/bin/python -m tests.e2e.screenshots

load: .venv/ready ## the local API under the load of conversations, then a burst (MINUTES=30, USERS=20)
	@.venv/bin/python -m tests.load

kills: .venv/ready ## kill the local API and its engine under load, KILLS=50 times (KILLS_SEED=… repeats the moments)
	KILLS=$(or $(KILLS),50) .venv/bin/python -m pytest tests/e2e/test_kills.py

test: .venv/browser $(if $(DEPLOYED),.venv-3.13/ready) ## unit tests, official SDKs, promises; then what the runtime may change, on 3.13
	.venv/bin/python -m pytest $(SIDE_BY_SIDE) 2 $(UNIT) --cov --cov-fail-under=100
	$(if $(BEYOND),.venv/bin/python -m pytest $(SIDE_BY_SIDE) 3 $(BEYOND))
	$(if $(DEPLOYED),.venv-3.13/bin/python -m pytest $(SIDE_BY_SIDE) 2 $(ON_DEPLOYED),@echo "No CPython 3.13 here: tested on one Python only.")

any-day: .venv/ready ## unit tests with the clock DAYS=400 ahead, in another time zone, in random order; needs faketime
	@command -v faketime > /dev/null || { echo "faketime is missing here: apt-get install faketime" >&2; exit 1; }
	@.venv/bin/python -c "from tools.local.dynamodb.download import fetch; fetch()"
	TZ=Pacific/Kiritimati FAKETIME_DONT_FAKE_MONOTONIC=1 PYTHONPATH=$(CURDIR)/tests/support/any_day \
		$(UV) run --quiet --no-sync --exclude-newer 2026-11-20 --with pytest-randomly \
		faketime -f +$(or $(DAYS),400)d python -m pytest --numprocesses 2 --dist loadfile $(or $(TESTS),$(UNIT))

check: .venv/browser ## format, lint, types, template, and an import of every handler as it is built
	$(UV) lock --check --quiet
	@$(MAKE) --jobs 2 check-python check-template

check-python:
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

check-template:
	$(SAM) validate --lint
	$(SAM) validate --lint --template examples/responder/template.yaml
	$(CHECKOV) --config-file .checkov.yaml
	$(SAM) build
	@rm -rf .build && mkdir .build
	@$(MAKE) build-Dependencies ARTIFACTS_DIR=.build LAYER_FOR="--python $(or $(DEPLOYED),.venv/bin/python)"
	@$(MAKE) build-ModelDependencies ARTIFACTS_DIR=.build/model LAYER_FOR="--python $(or $(DEPLOYED),.venv/bin/python)"
	.venv/bin/python tools/build/import_handlers.py .aws-sam/build .build $(or $(DEPLOYED),.venv/bin/python)

soak: .venv/ready ## compare the API with a model of its contract for long (ARGS="--engine http --seconds 1800 --seed 1")
	@.venv/bin/python -m tests.model.soak $(ARGS)

fuzz: .venv/ready ## send the local API what nobody should send (ARGS="--requests 100000 --seed 1")
	@.venv/bin/python -m tests.fuzz $(ARGS)

bench: .venv/ready $(if $(DEPLOYED),.venv-3.13/ready) ## measure, and write docs/performance.md (ONLY="cold warm", SAMPLES=15)
	@$(if $(DEPLOYED),.venv-3.13,.venv)/bin/python -m benchmarks $(ONLY)

build: $(UV) ## what `sam deploy` deploys, in .aws-sam/build
	$(SAM) build

lock: $(UV) ## bring uv.lock up to pyproject.toml (ARGS=--upgrade for the newest versions)
	$(UV) lock $(ARGS)

layer: $(UV) ## list the packages that are deployed, with their versions and what needs them
	@$(UV) tree --quiet --frozen --no-default-groups --group runs

audit: $(UV) ## look for known vulnerabilities of the packages that are deployed; asks PyPI
	@mkdir -p .build && $(LAYER_PACKAGES) --group runs --output-file .build/layer.txt
	$(AUDIT) --requirement .build/layer.txt --require-hashes --disable-pip --strict

clean: ## remove everything that was made here
	rm -rf .venv .venv-3.13 .aws-sam .build .engines .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find functions shared tools benchmarks examples tests -name __pycache__ -prune -exec rm -rf {} +

# Setting up. `touch` marks a complete environment, so that an interrupted attempt starts again.

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "This needs Python 3.11 or later, but $(PYTHON) says: $$($(PYTHON) -V 2>&1). Set PYTHON=python3.x." >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/ready: $(UV) pyproject.toml uv.lock
	@$(UV) sync --quiet --frozen --inexact
	@touch $@

.venv/browser: .venv/ready
	@$(UV) sync --quiet --frozen --inexact --group browser
	@touch $@

.venv-3.13/ready: $(UV) pyproject.toml uv.lock
	@UV_PROJECT_ENVIRONMENT=.venv-3.13 $(UV) sync --quiet --frozen --python $(DEPLOYED)
	@touch $@

# `sam build` calls one of these targets for each resource. The target fills ARTIFACTS_DIR.

# The layers: the packages of uv.lock, without the files that no function opens.
build-Dependencies: $(UV)
	@$(call install,$(LAYER_PACKAGES))
	@.venv/bin/python tools/build/prune_botocore.py "$(ARTIFACTS_DIR)/python"
	@$(call compile,/opt)

build-ModelDependencies: $(UV)
	@$(call install,$(MODEL_PACKAGES))
	@$(call compile,/opt)

# $(1) is the command that exports the packages of a layer.
define install
$(1) --output-file "$(ARTIFACTS_DIR)/requirements.txt"
	@$(UV) pip install --quiet --no-deps --require-hashes --only-binary :all: $(LAYER_FOR) \
		--target "$(ARTIFACTS_DIR)/python" --requirements "$(ARTIFACTS_DIR)/requirements.txt"
	@cd "$(ARTIFACTS_DIR)/python" && rm -rf bin .lock && find . \( -name __pycache__ -o -name RECORD \) -prune -exec rm -rf {} +
endef

# The functions whose bundle has shared/runs.
WITH_RUNS = Assistants Runs ExecuteRun PublishEvents

# A function: its own module or package, and the package `shared`. The names of module and resource match
# (create_message, CreateMessage). RetrieveOpenapi also has the document that it returns.
build-%:
	@module=$$(echo $* | sed 's/\([a-z]\)\([A-Z]\)/\1_\2/g' | tr '[:upper:]' '[:lower:]') && mkdir "$(ARTIFACTS_DIR)/functions" \
		&& cp -R functions/__init__.py $$(ls -d "functions/$$module" "functions/$$module.py" 2>/dev/null) \
		"$(ARTIFACTS_DIR)/functions" && cp -R shared "$(ARTIFACTS_DIR)"
	@$(if $(filter $*,$(WITH_RUNS)),,rm -r "$(ARTIFACTS_DIR)/shared/runs")
	@find "$(ARTIFACTS_DIR)" -type f ! -name '*.py' -delete && find "$(ARTIFACTS_DIR)" -type d -empty -delete
	@$(if $(filter RetrieveOpenapi,$*),cp openapi.json "$(ARTIFACTS_DIR)")
	@$(call compile,/var/task,-b) $(if $(DEPLOYED),&& find "$(ARTIFACTS_DIR)" -name '*.py' -delete)

# Bytecode. Without it every cold start compiles again, because Lambda's folders are read-only. Python never compares
# the bytecode with its source: a deployment changes the times of the source. $(1) is the folder into which Lambda
# unpacks the files; tracebacks show it. Our own functions are deployed as bytecode alone ($(2) is -b), which halves
# their size. Look up the line of a traceback in this repository.
ifdef DEPLOYED
compile = $(DEPLOYED) -I -m compileall -q --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p $(1) $(2) "$(ARTIFACTS_DIR)"
else
compile = $(if $(filter %Dependencies,$@),echo "No CPython 3.13 here: built without bytecode; cold starts take three times as long.",:)
endif
