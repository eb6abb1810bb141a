"""LayerDecayAdamW against the formula of AdamW written out, on whichever backend runs."""

import keras
import numpy as np
import pytest

from keras_usmae.models import CNNEncoder, MAEEncoder, ToFClassifier
from keras_usmae.training import LayerDecayAdamW, build_optimizer, compile_for_tof, layer_depth, tof_batches

SIZES = {"signal_length": 256, "patch_size": 32, "hidden_dim": 8, "num_heads": 2, "head_dim": 4, "mlp_dim": 16}


def classifier():
    return ToFClassifier(MAEEncoder(**SIZES, num_layers=2))


def test_depth_of_every_variable():
    model = classifier()
    depths = {variable.path: layer_depth(variable.path, 2) for variable in model.trainable_variables}
    for path, depth in depths.items():
        expected = 0 if "embedding" in path else 1 if "block_0" in path else 2 if "block_1" in path else 3
        assert depth == expected, path
    assert sorted(set(depths.values())) == [0, 1, 2, 3]
    cnn = ToFClassifier(CNNEncoder(signal_length=256, hidden_dim=16, num_layers=3))
    assert {layer_depth(v.path, 3) for v in cnn.trainable_variables if "stage" in v.path} == {0}
    assert {layer_depth(v.path, 3) for v in cnn.trainable_variables if "block_norm_2" in v.path} == {3}


def test_three_steps_equal_the_formula():
    model = classifier()
    variables = model.trainable_variables
    optimizer = LayerDecayAdamW(
        keras.optimizers.schedules.PolynomialDecay(1e-2, 10, 0.0), layer_decay=0.5, num_layers=2, weight_decay=0.1
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(variables)
    rng = np.random.default_rng(0)
    weights = [keras.ops.convert_to_numpy(v).astype("float64") for v in variables]
    moments = [(np.zeros(w.shape), np.zeros(w.shape)) for w in weights]
    for step in range(3):
        gradients = [rng.normal(size=w.shape) for w in weights]
        optimizer.apply([keras.ops.convert_to_tensor(g.astype("float32")) for g in gradients])
        for i, (variable, gradient) in enumerate(zip(variables, gradients, strict=True)):
            rate = 1e-2 * (1 - step / 10) * 0.5 ** (3 - layer_depth(variable.path, 2))
            first, second = moments[i]
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            moments[i] = first, second
            if variable.name == "kernel":
                weights[i] = weights[i] * (1 - 0.1 * rate)
            # Keras adds its epsilon before the second moment is corrected for its start at zero.
            corrected = rate * np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            weights[i] = weights[i] - corrected * first / (np.sqrt(second) + 1e-7)
    for variable, expected in zip(variables, weights, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), expected, atol=2e-6, err_msg=variable.path)


def test_a_factor_of_one_is_adamw():
    gradients = [
        np.random.default_rng(1).normal(size=v.shape).astype("float32") for v in classifier().trainable_weights
    ]
    ends = []
    for make in (keras.optimizers.AdamW, lambda rate, **kwargs: LayerDecayAdamW(rate, layer_decay=1.0, **kwargs)):
        keras.utils.set_random_seed(0)
        model = classifier()
        optimizer = make(1e-2, weight_decay=0.05)
        optimizer.build(model.trainable_variables)
        for _ in range(2):
            optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients])
        ends.append(model.get_weights())
    for plain, layered in zip(*ends, strict=True):
        np.testing.assert_allclose(plain, layered, atol=1e-6)


def test_it_is_saved_and_trains_in_fit(tmp_path):
    model = classifier()
    signals = np.random.default_rng(0).normal(size=(32, 256)).astype("float32")
    onset = np.linspace(20, 200, 32).astype("float32")
    batches = tof_batches(signals, onset, 16, seed=0)
    compile_for_tof(model, 1e-2, total_steps=4, warmup_steps=1, layer_decay=0.5)
    before = model.get_weights()
    model.fit(batches, epochs=2, callbacks=[batches.callback], shuffle=False, verbose=0)
    moved = {
        layer_depth(v.path, 2): float(np.abs(new - old).max())
        for v, new, old in zip(model.trainable_variables, model.get_weights(), before, strict=False)
        if v.name == "bias"
    }
    # Four steps of Adam move a bias by about the rate of its layer.
    assert moved[0] < moved[1] < moved[2] < moved[3]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, LayerDecayAdamW)
    assert (loaded.optimizer.layer_decay, loaded.optimizer.num_layers) == (0.5, 2)


def test_factors_outside_of_zero_to_one():
    assert type(build_optimizer(1e-3, 10, 0)) is type(keras.optimizers.AdamW(1e-3))
    for factor in (0.0, 1.5):
        with pytest.raises(ValueError, match=f"layer_decay={factor}"):
            build_optimizer(1e-3, 10, 0, layer_decay=factor)
