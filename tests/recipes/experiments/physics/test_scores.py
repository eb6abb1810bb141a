import keras
import numpy as np
import pytest

from keras_usmae.models import MAEEncoder, MaskedAutoencoder, uniform_attention_distance
from keras_usmae.models.decoder import MAEDecoder
from recipes.experiments.physics.counterfactual import BURST_KINDS
from recipes.experiments.physics.scores import (
    MASKS,
    REGIONS,
    draw_physics,
    fill_in,
    random_like,
    score_attention,
    score_physics,
)


@pytest.fixture(scope="module")
def mae():
    keras.utils.set_random_seed(0)
    encoder = MAEEncoder(1024, 32, hidden_dim=8, num_heads=2, head_dim=4, num_layers=2, mlp_dim=8)
    return MaskedAutoencoder(
        encoder, MAEDecoder(32, 32, 8, hidden_dim=8, num_heads=2, head_dim=4, num_layers=1), seed=0
    )


@pytest.fixture(scope="module")
def drawn(mae):
    return draw_physics(mae.encoder, mae.mask_ratio, num_signals=12, seed=0)


def test_the_mask_that_is_scored_is_the_one_that_the_autoencoder_applies(mae, drawn):
    for mask in MASKS:
        applied = mae.reconstruct(drawn["signals"]["cut"], drawn["noise"][mask])["mask"].reshape(12, 32, 32)[:, :, 0]
        np.testing.assert_array_equal(applied, drawn["removed"][mask])
        assert (drawn["removed"][mask].sum(axis=1) == 24).all()


def test_scores_are_errors_of_what_was_removed(mae, drawn):
    scores = score_physics(mae, drawn)
    assert set(scores) == {f"{m}/{k}/{r}" for m in MASKS for k in BURST_KINDS for r in REGIONS}
    signals, removed = drawn["signals"]["polarity"], drawn["removed"]["alternating"]
    filled = fill_in(mae, signals, drawn["noise"]["alternating"], removed)
    wide = np.repeat(removed, 32, axis=1)
    np.testing.assert_array_equal(filled[~wide], signals[~wide])
    assert scores["alternating/polarity/all"] == pytest.approx(np.mean((filled - signals)[wide] ** 2), rel=1e-5)


def test_nothing_is_worse_on_a_burst_than_elsewhere_and_the_same_before_a_jump(drawn):
    scores = score_physics("nothing", drawn)
    assert scores["random/possible/burst"] > 2 * scores["random/possible/all"]
    for mask in MASKS:
        # A change of sign leaves the power of a signal, and so its standardisation, nearly as it was.
        before = [scores[f"{mask}/{kind}/before"] for kind in ("possible", "polarity", "cut")]
        assert before[1] == pytest.approx(before[0], rel=0.03)
        assert before[2] > 1.5 * before[0]


def test_attention_of_an_even_encoder_is_uniform(mae, drawn):
    even = MAEEncoder.from_config(mae.encoder.get_config())
    for block in even.blocks:
        block.attention.query_key_value.kernel.assign(0 * block.attention.query_key_value.kernel)
    scores = score_attention(even, drawn, num_signals=6)
    np.testing.assert_allclose(scores["distance"], uniform_attention_distance(32, 32), rtol=1e-5)
    assert 0.1 < scores["share"] < 0.5
    for queries in ("inside", "outside"):
        assert np.shape(scores[queries]) == (2, 2)
        assert np.mean(scores[queries]) == pytest.approx(scores["share"], abs=0.03)


def test_random_weights_are_seeded_and_other_ones(mae, drawn):
    one, same, other = (random_like(mae, seed) for seed in (1, 1, 2))
    kernels = [np.asarray(model.encoder.get_weights()[0]) for model in (one, same, other, mae)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.abs(kernels[0] - kernels[2]).max() > 0.01
    assert np.abs(kernels[0] - kernels[3]).max() > 0.01
