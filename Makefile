# Needs make and Python 3.11 to 3.13; all else is brought into .tools and .venv.

# The first of these that will do; `make PYTHON=/path/to/python` names another one.
CANDIDATES := python3.11 python3 python3.12 python3.13
PYTHON ?= $(shell for python in $(CANDIDATES); do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	2>/dev/null && echo $$python && break; done)

UV_VERSION := 0.13.8
UV := .tools/uv
BIN := .venv/bin
# Named, since outside of a git checkout nothing tells ruff to pass over .tools.
CODE := sentiment_stream service tests schemas/examples
IMAGE ?= sentiment-stream:0.1.0$(if $(filter gpu,$(TARGET)),-gpu)
IMAGE_BASE ?= sentiment-stream-base:bookworm
# What is installed is told by these; a development install serves the demo too.
DEVELOPMENT := .venv/.installed-development
DEMO := .venv/.installed-demo
PEERS := .cache/bench-peers/.installed

# The Python found above, or a plain error: never one that uv fetches by itself.
export UV_PYTHON_DOWNLOADS := never
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.PHONY: help setup demo broker test simulation chaos chart-test consumers-test image image-local image-test bench bench-peers soak weights lock schemas clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1: \2/p' Makefile

setup: $(DEVELOPMENT) ## make .venv with all that development needs

# bash keeps seconds of its own under this name: only one given to make counts.
demo: $(DEMO) ## run the service on made-up messages; SECONDS=20 ends it after so long
	@$(BIN)/sentiment-stream demo $(if $(filter command,$(origin SECONDS)),--seconds $(SECONDS))

broker: $(DEMO) ## run a broker to try things on, in memory, until Ctrl-C; prints its address
	@$(BIN)/python -m service.demo.alone

test: $(DEVELOPMENT) ## check style and types, and run all tests
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/pytest

simulation: $(DEVELOPMENT) ## run 10,000 seeds of faults in virtual time; SEED=7 runs one, step by step
	@PYTHONPATH=tests:. $(BIN)/python -m simulation $(if $(SEED),--seed $(SEED)) \
		$(if $(SEEDS),--seeds $(SEEDS))

chaos: $(DEVELOPMENT) ## count what faults do to service and brokers; SEED=1 repeats, SHORT=1 is quick
	PYTHONPATH=tests:. $(BIN)/python -m chaos $(if $(SEED),--seed $(SEED)) $(if $(SHORT),--short)

chart-test: $(DEVELOPMENT) ## hold the chart against Helm, promtool and a Kubernetes API server; needs Go
	PYTHONPATH=tests:. $(BIN)/python -m chart $(ARGS)

consumers-test: $(DEVELOPMENT) ## hold schemas, recipes and registries against others' programs; needs Node.js and a Kafka
	CONSUMERS_TEST=1 $(BIN)/pytest tests/consumers tests/registry

image: ## build the container image from its usual base; TARGET=gpu has torch
	docker build --target $(or $(TARGET),cpu) --tag $(IMAGE) .

image-local: ## build it where no image registry can be reached, on a base made by debootstrap
	tests/image/base.sh $(IMAGE_BASE)
	docker build --target $(or $(TARGET),cpu) --build-arg BASE=$(IMAGE_BASE) --tag $(IMAGE) .

image-test: $(DEVELOPMENT) ## hold the image against a real Kafka in containers; after image or image-local
	IMAGE=$(IMAGE) IMAGE_BASE=$(IMAGE_BASE) $(BIN)/pytest tests/image

bench: $(DEVELOPMENT) ## measure limits, engines, baselines, the service on a broker; ARGS='--full-size'
	$(BIN)/python tests/bench/with_broker.py $(ARGS)

bench-peers: $(PEERS) ## measure engines beside OpenVINO, CTranslate2 and ONNX Runtime's own int8, without a broker
	PYTHONPATH=. .cache/bench-peers/bin/python -m service bench $(ARGS)

soak: $(DEVELOPMENT) ## watch the service for MINUTES=10 under load and rebalances: nothing may grow
	$(BIN)/python tests/bench/soak.py $(if $(MINUTES),--minutes $(MINUTES))

weights: $(DEVELOPMENT) ## make the bundled weights again, over two hours; DATA=folder of the labelled files
	$(BIN)/python tests/weights/recipe.py $(or $(DATA),../shared/data)

# For all systems and Pythons at once, and without addresses: any index may serve these hashes.
# The build backend is locked too, so that the service itself is installed without fetching it.
COMPILE = echo 'setuptools>=77' | $(UV) pip compile --quiet pyproject.toml - --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

lock: $(UV) ## write the lock files anew after a change of pyproject.toml; UPGRADE=1 takes newer versions
	$(COMPILE) --extra demo --extra registry --extra tracing --output-file requirements.txt
	$(COMPILE) --all-extras --group dev --constraints requirements.txt \
		--output-file requirements-dev.txt
	# The same versions as there, but for two of which NNCF needs older ones.
	sed -n -E '/^(numpy|networkx)=/d; s/ \\$$//; /==/p' requirements-dev.txt > .tools/constraints.txt
	$(COMPILE) --extra demo --extra torch --group bench --constraints .tools/constraints.txt \
		--output-file requirements-bench.txt

schemas: $(DEMO) ## write schemas/ anew from the contracts in service/
	$(BIN)/python -m service schemas

clean: ## remove all that these targets made
	rm -rf .venv .tools .cache build dist *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEVELOPMENT): pyproject.toml requirements-dev.txt requirements.txt | $(UV) .venv/bin/python
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.txt
	$(INSTALL_SERVICE)
	@touch $(DEVELOPMENT) $(DEMO)

$(PEERS): pyproject.toml requirements-bench.txt | $(UV)
	$(UV) venv --quiet --clear --python '$(PYTHON)' .cache/bench-peers
	$(UV) pip sync --quiet --python .cache/bench-peers/bin/python --require-hashes requirements-bench.txt
	@touch $(PEERS)

$(DEMO): pyproject.toml requirements.txt | $(UV) .venv/bin/python
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	$(INSTALL_SERVICE)
	@touch $(DEMO)

INSTALL_SERVICE = $(UV) pip install --quiet --python $(BIN)/python \
	--no-deps --no-build-isolation --editable .

.venv/bin/python: | $(UV)
	$(UV) venv --quiet --python '$(PYTHON)' .venv

$(UV):
	@test -n '$(PYTHON)' || { echo 'Python 3.11, 3.12 or 3.13 is missing: install one,' \
		'or name it with make PYTHON=/path/to/python' >&2; exit 1; }
	@mkdir -p .tools
	@if '$(PYTHON)' -m pip --version >/dev/null 2>&1; then \
		set -ex; '$(PYTHON)' -m pip install --quiet --upgrade --target .tools/pip uv==$(UV_VERSION); \
		ln -sf pip/bin/uv $(UV); \
	elif '$(PYTHON)' -m venv .tools/venv; then \
		set -ex; .tools/venv/bin/pip install --quiet uv==$(UV_VERSION); \
		ln -sf venv/bin/uv $(UV); \
	else echo 'pip is missing: install python3-venv or python3-pip' >&2; exit 1; fi
