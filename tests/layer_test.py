"""One check of everything a layer owes its users, after KerasHub's `run_layer_test`."""

import json

import keras
import numpy as np

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


def as_list(outputs):
    return list(outputs) if isinstance(outputs, tuple | list) else [outputs]


def run_layer_test(cls, init, inputs, output_shapes, num_weights):
    """Config round trip, symbolic and eager call, a fit step, saving, and the dtype policies.

    Args:
        cls: the layer's class.
        init: dict of constructor arguments.
        inputs: tuple of arrays to call the layer with.
        output_shapes: list of shapes that come out.
        num_weights: int, weights of the layer.
    """
    layer = cls(**init)
    config = layer.get_config()
    json.dumps(config)
    again = cls.from_config(config)
    assert again.get_config() == config
    assert set(init) <= set(config), "every constructor argument belongs in the config"

    symbolic = layer(*(keras.Input(batch_shape=x.shape, dtype=str(x.dtype)) for x in inputs))
    assert [tuple(out.shape) for out in as_list(symbolic)] == output_shapes
    eager = as_list(layer(*inputs))
    assert [tuple(out.shape) for out in eager] == output_shapes
    assert [keras.backend.standardize_dtype(out.dtype) for out in eager] == [out.dtype for out in as_list(symbolic)]
    assert len(layer.weights) == num_weights

    _check_saving(layer, inputs)
    if layer.trainable_weights:
        _check_fit(layer, inputs)
    for policy in POLICIES:
        low = cls(**init, dtype=policy)
        outputs = [out for out in as_list(low(*inputs)) if "float" in keras.backend.standardize_dtype(out.dtype)]
        assert keras.backend.standardize_dtype(outputs[0].dtype) == keras.DTypePolicy(policy).compute_dtype
        assert all(weight.dtype == "float32" for weight in low.trainable_weights)
        for out in outputs:
            assert np.isfinite(keras.ops.convert_to_numpy(keras.ops.cast(out, "float32"))).all()


def _model(layer, inputs):
    ins = [keras.Input(x.shape[1:], dtype=str(x.dtype)) for x in inputs]
    return keras.Model(ins, as_list(layer(*ins))[0])


def _check_saving(layer, inputs):
    import tempfile
    from pathlib import Path

    model = _model(layer, inputs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.keras"
        model.save(path)
        again = keras.saving.load_model(path)
    for ours, theirs in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs))


def _check_fit(layer, inputs):
    model = _model(layer, inputs)
    before = [keras.ops.convert_to_numpy(weight).copy() for weight in model.trainable_weights]
    target = np.random.default_rng(3).normal(size=(inputs[0].shape[0], *model.output_shape[1:])).astype("float32")
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(list(inputs), target, verbose=0)
    after = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    assert all(np.abs(a - b).max() > 0 for a, b in zip(after, before, strict=True)), "every weight learns"
