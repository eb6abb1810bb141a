"""Pictures of a finished run, in its folder."""

import numpy as np

from keras_usmae.evaluation.plots import plot_tof_errors, plot_tof_examples
from keras_usmae.files import save_figure
from keras_usmae.training.plots import plot_history, plot_reconstructions
from keras_usmae.training.pretraining import reconstruct_some


def draw_pretraining(run):
    """Draws reconstructions and losses.

    Args:
        run: `PretrainedRun`.

    Returns:
        List of paths.
    """
    figure = plot_reconstructions(*reconstruct_some(run), run.data.sampling_rate)
    return [
        save_figure(figure, run.folder / "reconstructions.png"),
        save_figure(plot_history(run.history, title="Mean squared error, masked patches"), run.folder / "loss.png"),
    ]


def draw_finetuning(run):
    """Draws losses, errors of the test split, and eight of its signals.

    Args:
        run: `FinetunedRun`.

    Returns:
        List of paths.
    """
    signals, onset, estimate = (run.test[name] for name in ("signal", "onset", "estimate"))
    rate, some = (
        run.classifier.sampling_rate,
        np.random.default_rng(run.config.seed).choice(len(onset), 8, replace=False),
    )
    errors = plot_tof_errors(onset, {run.folder.name: estimate}, run.config.bin_width, rate)
    return [
        save_figure(plot_history(run.history, title="Cross-entropy"), run.folder / "loss.png"),
        save_figure(errors, run.folder / "tof_errors.png"),
        save_figure(
            plot_tof_examples(signals[some], onset[some], estimate[some], rate), run.folder / "tof_examples.png"
        ),
    ]
