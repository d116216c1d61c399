# Seven verbs: run, test, check, faults, fmt, bench, soak. `run` and `test` need nothing installed by
# hand but Python 3.11 or newer with venv.
PYTHON ?= python3
VENV ?= .venv
HOME_DIR ?= .gridtide
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.PHONY: run test types suite check faults fmt bench soak clean

run: $(READY) ## set everything up, print a best window, serve until interrupted
	$(BIN)/gridtide demo --home "$(HOME_DIR)"

test: $(READY) ## everything that can be tested here
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(MAKE) -j 2 types suite

# Beside each other: the types need one core for half a minute.
types:
	$(BIN)/mypy

suite:
	$(BIN)/pytest -n 3 --dist loadfile

# Pure code and the rules of the project; what needs a store or a service is in `test` alone.
QUICK = $(addprefix tests/,accounting catalogue core derive infra planning simulated sources twin) \
	$(wildcard tests/test_*.py)

check: $(READY) ## the quick part, a minute and a half
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q -n 2 --hypothesis-profile quick -m "not slow and not recorded" $(QUICK)

faults: $(READY) ## hostile publishers and clients, damage, kills; part of `test`
	$(BIN)/pytest -q -n 2 --dist loadfile -m faults

fmt: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## each benchmark prints its figures beside a floor or a peer
	@for each in $(filter-out benchmarks/decisions.py,$(wildcard benchmarks/*.py)); do echo "== $$each"; $(BIN)/python $$each || exit 1; done

MINUTES ?= 15
soak: $(READY) ## snapshots that change under load, then hostile clients; not part of `bench`
	$(BIN)/python benchmarks/soak/serve_under_load.py --minutes $(MINUTES)
	$(BIN)/python benchmarks/soak/hostile_clients.py --minutes $(MINUTES)

$(READY): pyproject.toml sdk/pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gridtide needs Python 3.11 or newer: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ./sdk -e '.[dev]'
	touch $@

clean:
	rm -rf "$(VENV)" "$(HOME_DIR)"
