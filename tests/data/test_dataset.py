"""The door to data: what `load_dataset` gives."""

import numpy as np
import pytest

from keras_usmae.data import load_arrays, load_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return load_dataset("ultrasound_synthetic/quickstart", tmp_path_factory.mktemp("tfds"), raw_dir="not here")


def test_a_split_without_a_test_split_is_halved_and_standardised(dataset):
    validation, test = (dataset.labelled(split, bin_width=16) for split in ("validation", "test"))
    stored = load_arrays(dataset.builder, "validation")
    np.testing.assert_array_equal(np.concatenate([validation[1], test[1]]), stored["onset"].astype("float32"))
    assert validation[0].shape == (600, dataset.signal_length)
    np.testing.assert_allclose(test[0].std(axis=1), 1, rtol=1e-3)
    np.testing.assert_array_equal(dataset.labelled("test", raw=True)[0], stored["signal"][600:])
    assert dataset.sampling_rate == 100e6


def test_labels_are_drawn_by_the_seed(dataset):
    order, chosen = dataset.draw(1000, 10, seed=3)
    assert sorted(order) == list(range(1000))
    np.testing.assert_array_equal(chosen, dataset.draw(1000, 10, seed=3)[1])
    assert (dataset.draw(1000, 10, seed=4)[1] != chosen).any()
    assert len(dataset.draw(1000, 0, seed=3)[1]) == 1000
    with pytest.raises(ValueError, match=r"labels=1001: the training split of ultrasound_synthetic/.* has only 1000"):
        dataset.draw(1000, 1001, seed=3)


def test_signals_of_another_length_are_refused(dataset):
    with pytest.raises(ValueError, match=r"\(batch, 1024\)|1024"):
        dataset.unlabelled("validation", length=1024)
