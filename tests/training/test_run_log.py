import gc

import keras
import pytest

from keras_usmae.training.optimization import build_optimizer
from keras_usmae.training.run_log import _learning_rate


def programs():
    """Programs that JAX has traced and keeps."""
    return sum(type(thing).__name__ == "ClosedJaxpr" for thing in gc.get_objects())


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX keeps what it compiles of a schedule")
def test_a_logged_rate_leaves_no_program_behind():
    optimizer = build_optimizer(1e-3, total_steps=100, warmup_steps=10, weight_decay=0.05)
    optimizer.build([keras.Variable([1.0])])
    _learning_rate(optimizer)  # whatever is compiled once
    before = programs()
    rates = [_learning_rate(optimizer) for _ in range(10)]
    assert programs() == before
    assert rates == [0.0] * 10
