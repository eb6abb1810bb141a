"""Pictures of a finished run, in its folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.evaluation.plots import plot_tof_errors, plot_tof_examples
from keras_usmae.files import save_figure
from keras_usmae.training.plots import plot_history, plot_reconstructions
from keras_usmae.training.pretraining import reconstruct_some

if TYPE_CHECKING:
    from keras_usmae.training.finetuning import FinetunedRun
    from keras_usmae.training.pretraining import PretrainedRun


def draw_pretraining(run: "PretrainedRun") -> list[Path]:
    """Draws reconstructions and losses."""
    signals, result = reconstruct_some(run)
    figure = plot_reconstructions(signals, result, run.data.sampling_rate)
    return [
        save_figure(figure, run.folder / "reconstructions.png"),
        save_figure(plot_history(run.history, title="Mean squared error, masked patches"), run.folder / "loss.png"),
    ]


def draw_finetuning(run: "FinetunedRun") -> list[Path]:
    """Draws losses, errors of the test split, and eight of its signals."""
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
