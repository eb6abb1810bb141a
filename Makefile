# Two commands: `make demo` shows the whole method, `make test` proves it. Both need Python 3.11 to 3.13 and nothing else.
PYTHON ?= python3
VENV ?= .venv
BEAM_VENV ?= .venv-beam
KWAVE_VENV ?= .venv-kwave
NPU_VENV ?= .venv-npu
OLDEST_VENV ?= .venv-oldest
BIN := $(VENV)/bin
export TF_CPP_MIN_LOG_LEVEL ?= 3
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test test-long test-slow test-attack test-oldest audit test-beam test-kwave test-npu lint docs data beam clean

demo: $(VENV)/.demo
	$(BIN)/python recipes/quickstart.py

# Two processes, each on a thread of its own; the tests of a file share what they set up.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# What needs no environment and no hours of its own; and what `make test` has the time for.
USUAL := not slow and not beam and not kwave and not attack
QUICK := not long and $(USUAL)

# Lint, then TensorFlow, then layers and models on JAX, and trainings too on torch. Compiled steps run for moments here, and
# their compilation takes the time: XLA leaves out much of what makes them fast. (At 0 a step of JAX's gives NaN.)
test: export XLA_FLAGS := --xla_backend_optimization_level=1
test: $(VENV)/.test lint
	KERAS_BACKEND=tensorflow $(PYTEST) -m "$(QUICK)"
	KERAS_BACKEND=jax $(PYTEST) -m "$(QUICK)" --ignore tests/models/test_backends.py tests/layers tests/models
	KERAS_BACKEND=torch $(PYTEST) -m "$(QUICK)" tests/layers tests/models tests/training tests/evaluation

# What `make test` has no time for: trainings by the recipes, and those of tests/training on JAX.
test-long: $(VENV)/.test
	KERAS_BACKEND=tensorflow $(PYTEST) -m long
	KERAS_BACKEND=jax $(PYTEST) -m "$(USUAL)" tests/training tests/evaluation
	KERAS_BACKEND=jax $(PYTEST) -m long tests/models
	KERAS_BACKEND=jax $(PYTEST) tests/models/test_backends.py
	KERAS_BACKEND=torch $(PYTEST) -m long tests/models tests/training

test-slow: $(VENV)/.test
	KERAS_BACKEND=tensorflow $(PYTEST) -m slow

# Interruptions of recipes, edited files, abuses of the API: some hours. ATTACK_SEED, ATTACK_INTERRUPTIONS, ATTACK_FILES.
test-attack: $(VENV)/.test
	for backend in tensorflow jax torch; do \
		KERAS_BACKEND=$$backend OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m attack tests/attack || exit 1; \
	done

# The lower bounds of pyproject.toml, on JAX; uv is what resolves to them. What compares the backends needs torch, which
# is left out here.
test-oldest: $(OLDEST_VENV)/.test
	KERAS_BACKEND=jax OMP_NUM_THREADS=1 $(OLDEST_VENV)/bin/python -m pytest \
		-m "$(USUAL)" --ignore tests/models/test_backends.py \
		tests/layers tests/models tests/signals

# The documentation site in build/site, strictly. Nothing is fetched, neither here nor by a reader.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# Known weaknesses of what is installed; needs a network.
audit: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/python -m pip_audit --requirement constraints.txt --no-deps --disable-pip

# Every pin with the hashes of its files, for `pip install --require-hashes`. torch is left out: its builds differ.
requirements-hashed.txt: constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	{ echo "# constraints.txt with the hashes of its files on the index, for Linux x86-64 and Python 3.11 to 3.13; made by"; \
		echo "# \`make requirements-hashed.txt\`. torch is not in it: each of its builds is another file."; \
		grep -v "^#\|^torch==" constraints.txt | $(BIN)/uv pip compile --quiet --generate-hashes --no-deps --no-header \
		--no-annotate --python-version 3.11.7 --python-platform linux -; } > $@.partial
	mv $@.partial $@

# Apache Beam wants an older protobuf: an environment of its own, $(BEAM_VENV).
test-beam: beam
	KERAS_BACKEND=jax $(BEAM_VENV)/bin/python -m pytest -m beam tests/data/test_shards_beam.py

# Described transducers against k-Wave's solution of the wave equation. It pins other versions of NumPy and SciPy.
test-kwave: $(VENV)/.test $(KWAVE_VENV)/.test
	KWAVE_PYTHON=$(KWAVE_VENV)/bin/python KERAS_BACKEND=tensorflow $(BIN)/python -m pytest -s -m kwave tests/kwave

# The exported pickers through Arm's compiler for Ethos-U, which has an environment of its own.
test-npu: $(VENV)/.test $(NPU_VENV)/.test
	VELA=$(abspath $(NPU_VENV)/bin/vela) KERAS_BACKEND=tensorflow $(BIN)/python -m pytest tests/export/test_npu.py

beam: $(BEAM_VENV)/.test

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy --no-error-summary

# Downloads the measured originals (or takes them from DATA_DIR), verifies and prepares them.
data: $(VENV)/.demo
	$(BIN)/python recipes/prepare_data.py

$(BIN)/python:
	$(PYTHON) -c "import sys; assert sys.version_info >= (3, 11), f'Python 3.11 or newer is needed, this is {sys.version}'"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) --editable ".[tensorflow-cpu,mcu,train]"
	touch $@

# torch by itself first: where a local CPU build is offered, pip takes it before any other package asks for torch.
$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) torch
	$(PIP_INSTALL) --editable ".[tensorflow-cpu,jax,torch,mcu,onnx,docs,dev]"
	$(PIP_INSTALL) --no-deps vit-pytorch einops  # it asks for torchvision, which what is used of it does not need
	touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) --editable ".[docs]"
	touch $@

$(OLDEST_VENV)/.test: pyproject.toml
	$(PYTHON) -m venv $(OLDEST_VENV)
	$(OLDEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(OLDEST_VENV)/bin/uv pip install --quiet --python $(OLDEST_VENV)/bin/python --resolution lowest-direct \
		--editable ".[jax,tensorflow-cpu,dev]"
	touch $@

$(BEAM_VENV)/.test: pyproject.toml constraints-beam.txt
	$(PYTHON) -m venv $(BEAM_VENV)
	$(BEAM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints-beam.txt \
		--editable ".[jax,beam,dev]"
	touch $@

$(KWAVE_VENV)/.test: constraints-kwave.txt
	$(PYTHON) -m venv $(KWAVE_VENV)
	$(KWAVE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints-kwave.txt \
		k-wave-python
	touch $@

$(NPU_VENV)/.test:
	$(PYTHON) -m venv $(NPU_VENV)
	$(NPU_VENV)/bin/python -m pip install --quiet --disable-pip-version-check ethos-u-vela==5.2.0
	touch $@

clean:
	rm -rf $(VENV) $(BEAM_VENV) $(KWAVE_VENV) $(NPU_VENV) $(OLDEST_VENV) build .pytest_cache .ruff_cache .mypy_cache .hypothesis runs
