"""In processes of their own: the setting is the process's."""

import os
import subprocess
import sys

import pytest

from keras_usmae.training.allocation import set_xla_memory_scheduler

FAULTS = """
import resource, sys
import numpy as np
from keras_usmae.training.allocation import tune_malloc

if sys.argv[1] == "keep":
    assert tune_malloc() == (sys.platform == "linux")
step = lambda: np.ones(64 * 2**20, dtype="uint8")
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(choice):
    done = subprocess.run([sys.executable, "-c", FAULTS, choice], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.long
def test_memory_is_not_asked_for_again():
    assert page_faults("keep") < page_faults("leave") / 4


COMPILED = """
import sys
import jax
import numpy as np
from keras_usmae.models import MAEEncoder
from keras_usmae.training.allocation import set_xla_memory_scheduler

if sys.argv[1] == "order":
    assert set_xla_memory_scheduler()
    assert not set_xla_memory_scheduler()  # named already
encoder = MAEEncoder.from_preset("tiny", num_layers=6, remat=True)
weights, others = ([v.value for v in vs] for vs in (encoder.trainable_variables, encoder.non_trainable_variables))
signals = np.zeros((32, 2048), "float32")
outputs = lambda weights: encoder.stateless_call(weights, others, signals, training=True)[0]
step = jax.jit(jax.grad(lambda weights: (outputs(weights) ** 2).sum()))
print(step.lower(weights).compile().memory_analysis().temp_size_in_bytes)
"""


def compiled_memory(choice):
    environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": ""}
    command = [sys.executable, "-c", COMPILED, choice]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return int(done.stdout)


@pytest.mark.long
def test_recomputing_saves_memory_where_xla_orders_for_it():
    assert compiled_memory("order") < 0.6 * compiled_memory("leave")


def test_other_backends_keep_their_flags(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "tensorflow")
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=somewhere")
    assert not set_xla_memory_scheduler()
    assert os.environ["XLA_FLAGS"] == "--xla_dump_to=somewhere"
