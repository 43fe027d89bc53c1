# SPDX-License-Identifier: MIT
# `make demo` and `make test` do everything, set-up included; `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rhpds.litemaas
# One virtual environment for each set of pinned tools and interpreter: outside the checkout, so that a fresh clone finds it.
VENV := $(CACHE)/venv-$(shell { $(PYTHON) -V; cat requirements.txt requirements-dev.txt; } 2>&1 | sha256sum | cut -c1-12)
BIN := $(VENV)/bin
export PATH := $(BIN):$(PATH)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: venv venv-path
venv: $(VENV)/ready ## Make the Python environment with the pinned tools
venv-path:
	@echo $(VENV)

$(VENV)/ready:
	@echo "==> Python tools into $(VENV) (once, about 2 minutes)"
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv; }
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	@touch $@

LAB := tests/lab/lab

.PHONY: demo
demo: venv ## Bring up the lab (or use KUBECONFIG), deploy LiteMaaS, and chat through its Route
	@$(BIN)/python tests/demo/demo.py

.PHONY: test
test: venv ## Everything: lint, sanity, unit, integration and molecule tests on the lab
	@tests/run

.PHONY: lint
lint: venv ## Formatting, types, ansible-lint, documentation
	@tests/lint

.PHONY: sanity
sanity: venv ## ansible-test sanity on the built collection
	@tests/sanity

.PHONY: unit
unit: venv ## Unit tests
	@$(BIN)/pytest tests/unit

.PHONY: integration
integration: lab-up ## Integration and molecule tests on the lab
	@$(LAB) --profile kubernetes up
	@tests/on-lab -m "not lab" tests/integration
	@$(BIN)/pytest -m lab tests/integration

.PHONY: bench bench-quick
bench: venv ## Side by side with a loop, kubernetes.core and kubectl, at scale; writes docs/PERFORMANCE.md (most of an hour)
	@$(BIN)/python tests/bench/bench.py
bench-quick: venv ## The same with a handful of users, for developing; writes no document
	@$(BIN)/python tests/bench/bench.py --quick

.PHONY: lab-up lab-down
lab-up: venv ## A Kubernetes with OpenShift's side on this machine, one real node and ten simulated ones
	@$(LAB) up --simulated-nodes 10 --all-images
lab-down: venv ## Stop the lab of this checkout, in both profiles
	@$(LAB) --profile openshift down
	@$(LAB) --profile kubernetes down

.PHONY: docs
docs: venv ## Write the generated tables of README.md
	@$(BIN)/python docs/generate.py

.PHONY: build
build: venv ## The collection's artifact
	@$(BIN)/ansible-galaxy collection build --force

.PHONY: format
format: venv ## Format the Python code
	@$(BIN)/isort -q plugins tests docs && $(BIN)/black -q plugins tests docs
