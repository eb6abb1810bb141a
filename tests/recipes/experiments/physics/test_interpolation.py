import numpy as np
import pytest

from recipes.experiments.physics.interpolation import interpolate_removed

TIME = np.arange(128.0)
REMOVED = np.zeros((2, 128), bool)
REMOVED[0, 32:64] = REMOVED[1, 96:] = True


def test_a_line_and_a_cubic_are_filled_in_exactly():
    line = np.stack([3 * TIME + 1] * 2)
    cubic = np.stack([((TIME - 60) / 30) ** 3 - TIME / 50] * 2)
    np.testing.assert_allclose(interpolate_removed(line, REMOVED, "linear")[0], line[0])
    np.testing.assert_allclose(interpolate_removed(cubic, REMOVED, "spline")[0], cubic[0], atol=1e-9)
    assert np.abs(interpolate_removed(cubic, REMOVED, "linear") - cubic)[0].max() > 0.1


@pytest.mark.parametrize("method", ["linear", "spline"])
def test_the_last_visible_sample_is_held_behind_it_and_hidden_ones_are_not_looked_at(method):
    signals = np.random.default_rng(0).normal(size=(2, 128))
    filled = interpolate_removed(signals, REMOVED, method)
    np.testing.assert_allclose(filled[1, 96:], signals[1, 95])
    np.testing.assert_array_equal(filled[~REMOVED], signals[~REMOVED])
    other = np.where(REMOVED, 1e6, signals)
    np.testing.assert_array_equal(interpolate_removed(other, REMOVED, method), filled)


def test_nothing_is_zero_and_mistakes_are_named():
    assert not interpolate_removed(np.ones((2, 128)), REMOVED, "nothing")[REMOVED].any()
    with pytest.raises(ValueError, match="no interpolation 'cubic'"):
        interpolate_removed(np.ones((2, 128)), REMOVED, "cubic")
    with pytest.raises(ValueError, match="Signal 1 has fewer than two visible samples"):
        interpolate_removed(np.ones((2, 3)), np.array([[False, True, False], [True, True, False]]), "linear")
