import numpy as np
import pytest

from keras_usmae.evaluation import score_over_snr
from keras_usmae.evaluation.plots import plot_error_over_snr

SNR = np.linspace(18, 38, 60)
ERRORS = {"network": np.full(60, 3.0), "picker": np.where(SNR > 30, np.nan, 6.0)}


def test_each_panel_compares_like_with_like():
    rows = score_over_snr(SNR, ERRORS, np.full(60, 0.5), np.full(60, 1.2))
    figure = plot_error_over_snr(rows, sampling_rate=100e6)
    for axes, factor in zip(figure.axes, (1, 0.6745), strict=True):
        network, picker, bound, labelled = (line.get_ydata() for line in axes.lines)
        np.testing.assert_allclose(network, 30)
        assert np.isfinite(picker).tolist() == [True] * 4 + [False] * 2
        np.testing.assert_allclose(bound, 5 * factor)
        np.testing.assert_allclose(labelled, 13 * factor)
    assert figure.axes[0].get_ylabel() == "Error / ns"


def test_without_a_bound_there_is_no_line_of_it():
    figure = plot_error_over_snr(score_over_snr(SNR, ERRORS), sampling_rate=100e6)
    assert [len(axes.lines) for axes in figure.axes] == [2, 2]
    assert figure.axes[1].lines[0].get_ydata()[0] == pytest.approx(30)
