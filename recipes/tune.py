"""Searches for the settings and sizes of a fine-tuning or a pre-training, also within the budget of a chip.

    python recipes/tune.py --task finetune --dataset ultrasound_measured/paper --max-trials 40
    python recipes/tune.py --task finetune --pretrained runs/pretrain_nano_paper --tuner bayesian
    python recipes/tune.py --task pretrain --pretraining ultrasound_synthetic/paper --max-trials 20
    python recipes/tune.py --task finetune --space chip --max-flash 64kB --max-arena 48kB --max-macs 5M

What may be chosen lies in `keras_usmae/tuning/spaces`; give another of them, or a file of your own, with `--space`.
The defaults of the recipes are the first trial. Candidates that do not fit the budget never become one. The test split
takes no part.

Writes a folder: config.json, `trials/` (KerasTuner's files), results.csv, results.md, parallel_coordinates.png,
pareto.png (error against flash), `tensorboard/` (HParams) and best.json, which the recipes take:

    python recipes/finetune.py --config runs/tune_finetune/best.json

An interrupted search goes on with `--resume`. Several processes, on one machine or many, share a search where each has
KerasTuner's environment variables KERASTUNER_TUNER_ID ("chief", and any other name for each worker),
KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT; see docs/how-to/search.md. `KERAS_BACKEND` chooses the backend.
"""

from pathlib import Path
from typing import Annotated

import typer

from keras_usmae import options
from keras_usmae.configs import SearchConfig


@options.takes(SearchConfig)
def main(
    config: SearchConfig,
    max_trials: Annotated[int, typer.Option(min=1, help="Trials of the search.")] = 40,
    max_minutes: Annotated[
        float | None, typer.Option(min=0.0, help="Begin no trial after this time. Defaults to no end.")
    ] = None,
    lost_after: Annotated[
        float, typer.Option(min=2.0, help="Silence in s after which a worker is lost and its trial goes to another.")
    ] = 300.0,
    output: options.Output = None,
    resume: options.Resume = False,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> Path:
    """Searches, and returns the folder of the search."""
    from keras_usmae.files import save_figure
    from keras_usmae.tuning import markdown_table, pareto_front, search
    from keras_usmae.tuning.plots import plot_parallel_coordinates, plot_pareto

    found = search(config, output, resume, max_trials, max_minutes, lost_after, tfds_dir, raw_dir)
    folder, goal, best = found.folder, found.goal, found.best
    if not found.rows:  # the chief writes
        print("The search has no more trials for this worker.")
        return folder
    figure = plot_parallel_coordinates(best, tuple(found.space.dimensions), goal)
    files = [save_figure(figure, folder / "parallel_coordinates.png")]
    priced = [row for row in best if row["flash"] != ""]
    if priced:
        figure = plot_pareto(priced, pareto_front(priced, goal), goal, budget=found.budget.flash)
        files.append(save_figure(figure, folder / "pareto.png"))
    print(
        f"{len(found.rows)} trials, {found.rejected} candidates did not fit; the best, trial {best[0]['trial']}, has "
        f"{goal[0]} {best[0][goal[0]]:.4g}. Search folder {folder}"
    )
    print(markdown_table(found.rows, goal, 5))
    for path in (folder / "results.csv", *files, folder / "best.json"):
        print(f"  {path}")
    return folder


if __name__ == "__main__":
    options.run(main)
