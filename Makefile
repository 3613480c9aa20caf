# One front door: `make demo` shows what it does, `make test` proves it.
# Needs make and Python 3.11 or newer; everything else goes into .venv.

BIN := .venv/bin
READY := .venv/.ready
PEER := .venv-parosol
# Two test workers share two cores: no threads under them.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fix bench bench-draws bench-solver soak lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## .venv with the package and its tools (the other targets call it first)

VIEWER := hatch_build.py frontend/package-lock.json frontend/src/viewer.js

$(READY): pyproject.toml requirements.lock .ci/setup $(VIEWER)
	@.ci/setup .venv
	@touch $@

demo: setup ## a synthetic spine from CT to a plan, and where to look at it
	@$(BIN)/kyphoplan phantom -o demo/phantom --overwrite
	@$(BIN)/kyphoplan run -i demo/phantom/ct.nii.gz -s demo/phantom/labels.nii.gz \
		-o demo/result --overwrite
	@echo "Open demo/result/surgeon.html (the patient: patient.html) in a browser; the plan is in demo/result/plan.json"

test: setup check ## everything CI runs: check, then every test and docstring example
	$(ONE_THREAD) $(BIN)/python -m pytest -n 2

check: setup ## lint, format, types and layers, without changing a file
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: setup ## repair what ruff can repair, then format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## time per stage and peak memory, beside peers
	$(BIN)/python bench/run.py
	$(BIN)/python bench/gate.py
	$(BIN)/python bench/rehearsal.py

bench-draws: setup ## a rehearsal with 20 draws beside its budget of 20 minutes; most of an hour
	$(BIN)/python bench/rehearsal.py --draws

bench-solver: setup $(PEER)/.ready ## the voxel solver beside its peers; writes docs/benchmarks.md
	@command -v ccx >/dev/null || apt-get install -y -qq calculix-ccx || \
		echo "bench-solver: no CalculiX: install the package calculix-ccx to have it in the table" >&2
	PAROSOL_PYTHON=$(PEER)/bin/python OPENBLAS_NUM_THREADS=1 $(BIN)/python bench/solver.py

# The peer has an environment of its own: the product never imports it.
$(PEER)/.ready:
	@$(BIN)/python -m venv --clear $(PEER)
	@$(PEER)/bin/python -m pip install --quiet --disable-pip-version-check parosol-py==0.1.26
	@touch $@

soak: setup ## the long versions: soak tests, and every law with many more examples
	$(ONE_THREAD) $(BIN)/python -m pytest -n 2 -m "soak or hypothesis" --hypothesis-profile=soak

lock: ## renew requirements.lock from pyproject.toml (needs uv on the PATH)
	uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-annotate \
		--no-header --upgrade --quiet --output-file requirements.lock
