import numpy as np
import pytest

from keras_usmae.evaluation.plots import plot_tof_errors, plot_tof_examples
from keras_usmae.files import save_figure
from keras_usmae.training.plots import plot_history, plot_reconstructions
from recipes.benchmarks.plots import plot_cost

RNG = np.random.default_rng(0)
SIGNALS = RNG.normal(size=(3, 256)).astype("float32")


def test_reconstructions_are_drawn_only_where_patches_are_masked():
    mask = np.zeros((3, 256))
    mask[:, 64:128] = 1
    result = {"mask": mask, "reconstruction": SIGNALS + mask, "prediction": SIGNALS}
    figure = plot_reconstructions(SIGNALS, result, sampling_rate=100e6)
    assert len(figure.axes) == 3
    signal, predicted = figure.axes[1].lines
    np.testing.assert_array_equal(signal.get_ydata(), SIGNALS[1])
    drawn = predicted.get_ydata()
    np.testing.assert_array_equal(np.isfinite(drawn), mask[1] == 1)
    np.testing.assert_allclose(drawn[64:128], SIGNALS[1, 64:128] + 1)
    assert signal.get_xdata()[-1] == pytest.approx(2.55)
    assert figure.axes[-1].get_xlabel() == "Time / µs"


def test_errors_are_in_nanoseconds_and_outliers_are_counted():
    onset = np.array([100.0, 200.0, 300.0, 400.0])
    estimate = np.array([101.0, 200.0, 900.0, np.nan])
    figure = plot_tof_errors(onset, {"a": estimate, "b": onset}, bin_width=16, sampling_rate=100e6)
    histograms = [axes for axes in figure.axes if axes.get_xlabel() == "Error / ns"]
    assert [axes.get_title() for axes in histograms] == ["50.0% outside or missed", "0.0% outside or missed"]
    assert sum(patch.get_height() for patch in histograms[0].patches) == 2
    assert histograms[0].lines[0].get_xdata()[0] == -160


def test_examples_mark_label_and_estimate():
    figure = plot_tof_examples(SIGNALS, np.array([10, 20, 30]), np.array([11, 21, 31]), 100e6)
    _, label, estimate = figure.axes[2].lines
    assert label.get_xdata()[0] == pytest.approx(0.3)
    assert estimate.get_xdata()[0] == pytest.approx(0.31)


def test_history_and_saving(tmp_path):
    rows = [{"epoch": i, "loss": 1 / (i + 1), "val_loss": 2 / (i + 1)} for i in range(3)]
    path = save_figure(plot_history(rows), tmp_path / "loss.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in tmp_path.iterdir()] == ["loss.png"]


def test_plot_of_cost_has_a_line_for_each_backend():
    point = {"seconds": 0.1, "step_memory": 2**21, "signals_per_second": 40.0}
    values = {"batch_size": (16, 64), "preset": ("nano", "tiny"), "signal_length": (512, 2048)}
    curves = {
        name: {backend: [{**point, name: value} for value in chosen] for backend in ("jax", "torch")}
        for name, chosen in values.items()
    }
    axes = plot_cost(curves).axes
    assert [len(each.lines) for each in axes] == [2] * 4
    np.testing.assert_array_equal(axes[3].lines[0].get_ydata(), [2, 2])
    assert [text.get_text() for text in axes[3].get_legend().get_texts()] == ["jax", "torch"]
