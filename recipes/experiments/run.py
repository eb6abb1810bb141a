"""Runs an experiment: a grid of trainings, their table and their plots.

    python recipes/experiments/run.py labels
    python recipes/experiments/run.py labels --preset tiny --seeds 3 --only pre-trained

    python recipes/experiments/run.py physics --run runs/pretrain_small_paper

| experiment | question |
| --- | --- |
| `baselines` | networks, probes of frozen encoders and classical pickers, on measured and synthetic signals |
| `masking` | patch size and masking ratio: reconstruction error against what comes of it |
| `sizes` | model size, from scratch and pre-trained: accuracy on training and validation signals |
| `labels` | label budget: from scratch, CNN, pre-trained, with and without labelled synthetic signals |
| `budget` | what 8 to 6,400 labels are worth, where no other label chooses or calibrates; the ready picker beside it |
| `sources` | one source left out of the labels: each scan of the data set, and two boards where they are at hand |
| `tasks` | flaw and material, by frozen and by fine-tuned encoders |
| `diversity` | what a pre-training has to hold for a transducer that no label comes from |
| `decoders` | the full decoder and the cheaper cross-attention decoder |
| `physics` | impossible jumps, filled in by the autoencoder and by interpolation; how far its heads look |

Every trial is kept in the folder, so that an interrupted experiment goes on where it was, and the same command started
twice shares the work between two processes. Settings were chosen on the validation split; the test split is scored by
every trial and decides nothing. Writes `EXPERIMENT.csv` (a row per trial, and one for the ceiling of the labels),
`EXPERIMENT.md` (mean and standard deviation over the seeds) and PNG plots. `KERAS_BACKEND` chooses the backend.
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from keras_usmae import options
from keras_usmae.files import write_csv
from recipes import experiments
from recipes.experiments.sweep import SHORT, Sweep
from recipes.experiments.trial import Place, Trial


def main(
    experiment: Annotated[str, typer.Argument(help=f"One of {', '.join(experiments.NAMES)}.")],
    preset: options.Preset = "nano",
    dataset: options.Dataset = "ultrasound_measured/paper",
    pretraining: Annotated[
        str, typer.Option(help="Synthetic dataset and configuration to pre-train on.")
    ] = "ultrasound_synthetic/quickstart",
    run: Annotated[
        Path | None,
        typer.Option(help="Finished run folder of pretrain.py, in place of a pre-training on --pretraining."),
    ] = None,
    signals: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Fresh signals seen in a pre-training. Defaults to the weights that come with the package, and "
            f"{SHORT:,} where an experiment needs other ones.",
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=50, help="Steps of a fine-tuning, a multiple of 50.")] = 1000,
    batch_size: Annotated[int, typer.Option(min=1, help="Signals in a step of a fine-tuning.")] = 64,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Peak learning rate of a transformer's fine-tuning. Defaults to the one chosen for nano."),
    ] = None,
    cnn_picker: Annotated[
        Path | None,
        typer.Option(help="Run folder of train_picker.py --architecture cnn, to be taught beside the ready picker."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of labels, heads and order, from 0 on.")] = 5,
    only: Annotated[
        str | None, typer.Option(help="Run the trials of this method only; the table takes all that are done.")
    ] = None,
    labels: Annotated[
        int | None, typer.Option(min=0, help="Run the trials with this many measured labels only, as --only does.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Run nothing: write table and plots of what is done.")
    ] = False,
    output: options.Output = None,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> Path:
    """Runs the trials of an experiment that are not done yet, and writes its table and plots."""
    from keras_usmae.models import load_preset
    from recipes.experiments.ceilings import ceiling_rows
    from recipes.experiments.grid import read_trials, run_trials

    entry = experiments.find_experiment(experiment)
    load_preset(preset)
    if run and not (run / "metrics.json").is_file():
        raise FileNotFoundError(f"{run} is no finished run folder of recipes/pretrain.py: it has no metrics.json.")
    if cnn_picker and not (cnn_picker / "detector.keras").is_file():
        raise FileNotFoundError(
            f"{cnn_picker} is no finished run of recipes/train_picker.py: it has no detector.keras."
        )
    folder = output or Path("runs") / "ablate"
    folder.mkdir(parents=True, exist_ok=True)
    given = [run and str(run), cnn_picker and str(cnn_picker), learning_rate]
    sweep = Sweep(preset, dataset, pretraining, signals, steps, batch_size, seeds, *given, raw_dir=raw_dir)
    trials = [trial.values() for trial in entry.trials(sweep)]
    mine = _chosen(experiment, trials, "method", only)
    mine = _chosen(experiment, mine, "labels", labels)
    if not report:
        place = Place(folder, tfds_dir, raw_dir)
        run_trials(mine, lambda values: entry.run(Trial.of(values), place), folder)
    # In an order of its own: trials are run in the order of what they tell.
    rows = sorted(read_trials(trials, folder), key=lambda row: row["seed"])
    if not rows:
        raise ValueError(f"No trial of {experiment!r} is done in {folder}; run it without --report first.")
    # A row for what the truth would score by uncertain labels, where an experiment scores times of flight.
    scored = any("test_mean_error_samples" in row for row in rows)
    ceilings = ceiling_rows(dataset, Place(folder, tfds_dir, raw_dir), entry.held_out) if scored else []
    columns = list(dict.fromkeys(key for row in rows for key in row if not isinstance(row[key], dict)))
    write_csv(folder / f"{experiment}.csv", [{key: row.get(key, "") for key in columns} for row in (*rows, *ceilings)])
    files = entry.report(rows, dataclasses.replace(sweep, ceilings=tuple(ceilings)), folder)
    print(f"{experiment}: {len(rows)} of {len(trials)} trials are done. {folder / f'{experiment}.csv'}")
    for path in files:
        print(f"  {path}")
    return folder


def _chosen(experiment, trials, key, value):
    """The trials that have this value; all of them for none."""
    chosen = [trial for trial in trials if value is None or trial.get(key) == value]
    if not chosen:
        known = sorted({trial[key] for trial in trials if key in trial})
        raise ValueError(f"{experiment!r} has no trial with {key} {value!r}; choose one of {known}.")
    return chosen


if __name__ == "__main__":
    options.run(main)
