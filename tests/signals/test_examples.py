"""The examples of the docstrings run, and a number or an array stated in their last line is what comes out."""

import ast
import inspect
import re

import numpy as np
import pytest

from keras_usmae import signals
from keras_usmae.signals import readers
from keras_usmae.signals.picking.analytic import analytic_signal
from keras_usmae.signals.synthesis.bursts import evaluate_envelope
from keras_usmae.signals.synthesis.noise import color_noise

PUBLIC = [getattr(signals, name) for name in signals.__all__] + [analytic_signal, evaluate_envelope, color_noise]
READERS = [item for item in (getattr(readers, name) for name in readers.__all__) if inspect.isfunction(item)]
WITH_EXAMPLES = [item for item in PUBLIC + READERS if callable(item) and "```python" in (item.__doc__ or "")]


@pytest.mark.parametrize("item", WITH_EXAMPLES, ids=lambda item: item.__name__)
def test_example(item):
    (block,) = re.findall(r"```python\n(.*?)```", inspect.getdoc(item), flags=re.DOTALL)
    *statements, last = ast.parse(block).body
    scope = {}
    exec(compile(ast.Module(statements, []), "<example>", "exec"), scope)
    if not isinstance(last, ast.Expr):
        exec(ast.unparse(last), scope)
        return
    value = eval(ast.unparse(last), scope)
    stated = block.rstrip().splitlines()[-1].partition("  # ")[2]
    if re.fullmatch(r"array\(.*\)|\(\d+,[\d, ]*\)|[-\d.e]+", stated):
        expected = eval(stated, {"array": np.array, "int32": np.int32})
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-6)


def test_every_public_function_has_an_example():
    functions = [item for item in PUBLIC if callable(item)]
    assert [item.__name__ for item in functions if item not in WITH_EXAMPLES] == []
    others = [item for item in READERS if item not in WITH_EXAMPLES]
    assert all("Example: see `" in inspect.getdoc(item) for item in others)
