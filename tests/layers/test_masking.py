import keras
import numpy as np
import pytest

from keras_usmae.layers import MaskTokenRestore, RandomMasking, gather_patches, num_visible_patches
from tests.layer_test import run_layer_test

RNG = np.random.default_rng(0)
TOKENS = RNG.normal(size=(3, 8, 4)).astype("float32")


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_random_masking_layer():
    init = {"mask_ratio": 0.75, "seed": 3}
    run_layer_test(RandomMasking, init, (TOKENS,), [(3, 2, 4), (3, 8), (3, 8)], num_weights=0)


def test_mask_token_restore_layer():
    restore = np.stack([RNG.permutation(8) for _ in range(3)]).astype("int32")
    run_layer_test(MaskTokenRestore, {}, (TOKENS[:, :2], restore), [(3, 8, 4)], num_weights=1)


def test_gather_picks_for_each_signal_its_own():
    indices = np.array([[1, 0], [7, 7], [2, 5]])
    expected = np.stack([TOKENS[b, indices[b]] for b in range(3)])
    np.testing.assert_array_equal(numpy_of(gather_patches(TOKENS, indices)), expected)


@pytest.mark.parametrize("ratio", [0.125, 0.5, 0.75, 0.875])
def test_exact_count_and_what_is_visible(ratio):
    visible, mask, restore = map(numpy_of, RandomMasking(ratio, seed=1)(TOKENS))
    num_visible = round(8 * (1 - ratio))
    assert visible.shape == (3, num_visible, 4)
    np.testing.assert_array_equal(mask.sum(axis=1), 8 - num_visible)
    for b in range(3):
        for position in np.flatnonzero(mask[b] == 0):
            np.testing.assert_array_equal(visible[b, restore[b, position]], TOKENS[b, position])


def test_draw_names_the_positions():
    noise = RNG.uniform(size=(3, 8)).astype("float32")
    visible, masked, mask, restore = map(numpy_of, RandomMasking(0.625).draw(3, 8, noise))
    order = np.argsort(noise, axis=1)
    np.testing.assert_array_equal(visible, order[:, :3])
    np.testing.assert_array_equal(masked, order[:, 3:])
    np.testing.assert_array_equal(np.take_along_axis(mask, order, axis=1), np.arange(8)[None].repeat(3, 0) >= 3)
    np.testing.assert_array_equal(np.take_along_axis(order, restore, axis=1), np.arange(8)[None].repeat(3, 0))


def test_noise_decides_the_mask():
    noise = np.tile(np.arange(8, dtype="float32")[::-1], (3, 1))  # the last patches have the least
    visible, mask, _ = map(numpy_of, RandomMasking(0.75)(TOKENS, noise=noise))
    np.testing.assert_array_equal(mask, np.tile([1, 1, 1, 1, 1, 1, 0, 0], (3, 1)))
    np.testing.assert_array_equal(visible, TOKENS[:, [7, 6]])


def test_masks_differ_between_signals_and_calls_and_cover_all_patches():
    layer, tokens = RandomMasking(0.75, seed=0), np.zeros((256, 16, 1), "float32")
    first, second = numpy_of(layer(tokens)[1]), numpy_of(layer(tokens)[1])
    assert not np.array_equal(first, second)
    assert len(np.unique(first, axis=0)) > 200
    # Each patch is removed with probability 3/4: six standard deviations of 512 draws.
    frequency = np.concatenate([first, second]).mean(axis=0)
    np.testing.assert_allclose(frequency, 0.75, atol=6 * (0.75 * 0.25 / 512) ** 0.5)


def test_same_seed_same_masks():
    one, other = (numpy_of(RandomMasking(0.75, seed=9)(TOKENS)[1]) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_restoring_puts_visible_tokens_back_and_the_mask_token_elsewhere():
    visible, mask, restore = RandomMasking(0.5, seed=2)(TOKENS)
    layer = MaskTokenRestore()
    full = numpy_of(layer(visible, restore))
    mask, token = numpy_of(mask), numpy_of(layer.mask_token)[0, 0]
    expected = np.where(mask[:, :, None] == 1, token, TOKENS)
    np.testing.assert_array_equal(full, expected)


def test_state_of_the_draws_is_saved(tmp_path):
    def model():
        inputs = keras.Input((8, 4))
        return keras.Model(inputs, RandomMasking(0.75, seed=5)(inputs)[1])

    run = model()
    run(TOKENS)
    run.save_weights(tmp_path / "state.weights.h5")
    next_mask = numpy_of(run(TOKENS))
    resumed = model()
    resumed.load_weights(tmp_path / "state.weights.h5")
    np.testing.assert_array_equal(numpy_of(resumed(TOKENS)), next_mask)


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.1, float("nan")])
def test_ratio_outside_the_open_interval(ratio):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        RandomMasking(ratio)


@pytest.mark.parametrize(("ratio", "state"), [(0.99, "no patch"), (0.01, "every patch")])
def test_ratio_that_leaves_none_or_all(ratio, state):
    with pytest.raises(ValueError, match=f"leaves {state} of 8 visible"):
        num_visible_patches(8, ratio)
    with pytest.raises(ValueError, match=f"leaves {state} of 8 visible"):
        RandomMasking(ratio)(TOKENS)
