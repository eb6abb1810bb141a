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
KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT; see the README. `KERAS_BACKEND` chooses the backend.
"""

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from keras_usmae import options
from keras_usmae.configs import PretrainConfig
from keras_usmae.data import load_dataset
from keras_usmae.files import save_figure, write_csv, write_text
from keras_usmae.training import check_run_folder, open_run_folder
from keras_usmae.training.pretraining import load_pretraining_data
from keras_usmae.tuning import (
    DEFAULTS,
    Budget,
    Candidates,
    FinetuningHyperModel,
    FootprintMeter,
    PretrainedEncoders,
    PretrainingHyperModel,
    SearchProgress,
    SearchSpace,
    SearchTuner,
    best_first,
    build_oracle,
    check_objective,
    finetune_options,
    markdown_table,
    pareto_front,
    parse_amount,
    pretrain_options,
    role,
    trial_rows,
    write_best,
    write_hparams,
)
from keras_usmae.tuning.plots import plot_parallel_coordinates, plot_pareto

# How a fine-tuning search pre-trains the architectures that it meets: at a rate for short trainings.
PRETRAINING = {**DEFAULTS["pretrain"], "learning_rate": 3e-3}
NUM_PROBE_SIGNALS = 1600


def wait_for_chief(folder, seconds):
    """A worker begins when the chief has opened the folder of the search, which must be new or the same search's."""
    end = time.monotonic() + seconds
    while not (folder / "config.json").exists():
        if time.monotonic() > end:
            raise TimeoutError(
                f"No chief opened {folder} within {seconds:g} s. Start one with KERASTUNER_TUNER_ID=chief and the same "
                "options; --output must be a folder that all machines see."
            )
        time.sleep(0.5)


def main(
    task: Annotated[Literal["finetune", "pretrain"], typer.Option(help="What to search settings for.")],
    tuner: Annotated[
        Literal["hyperband", "bayesian", "random"],
        typer.Option(help="hyperband: many short trials, the best go on; bayesian: learns where to look; random."),
    ] = "hyperband",
    dataset: Annotated[
        str, typer.Option(help="Labelled dataset and configuration, to fine-tune or to probe with, as NAME/CONFIG.")
    ] = "ultrasound_measured/paper",
    labels: Annotated[
        int, typer.Option(min=0, help="Labelled training signals to use, drawn with the seed; 0 uses all.")
    ] = 0,
    pretrained: Annotated[
        Path | None,
        typer.Option(help="finetune: run folder of pretrain.py, whose encoder every trial begins with."),
    ] = None,
    pretraining: Annotated[
        str | None,
        typer.Option(
            help="Dataset and configuration to pre-train on. pretrain: defaults to ultrasound_synthetic/quickstart; "
            "finetune: each architecture is pre-trained on it once; defaults to training from scratch."
        ),
    ] = None,
    pretraining_epochs: Annotated[
        int, typer.Option(min=1, help="finetune with --pretraining: epochs of a pre-training.")
    ] = 20,
    pretraining_signals: Annotated[
        int, typer.Option(min=0, help="Fresh synthetic signals in an epoch of pre-training; 0 takes the stored split.")
    ] = 16_384,
    epochs: Annotated[int, typer.Option(min=1, help="The most that a trial trains.")] = 27,
    max_trials: Annotated[int, typer.Option(min=1, help="Trials of the search.")] = 40,
    max_minutes: Annotated[
        float | None, typer.Option(min=0.0, help="Begin no trial after this time. Defaults to no end.")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            help="Score to optimise. finetune: val_error_samples (default), val_within_one_bin, val_accuracy, "
            "val_loss; pretrain: probe_loss (default), probe_within_one_bin, probe_median_error_samples."
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(help="What may be chosen: finetune, pretrain, chip, or a TOML file. Defaults to the task's."),
    ] = None,
    max_flash: Annotated[str | None, typer.Option(help="Largest int8 file, such as 128kB.")] = None,
    max_arena: Annotated[str | None, typer.Option(help="Largest tensor arena in RAM, such as 64kB.")] = None,
    max_macs: Annotated[str | None, typer.Option(help="Most multiply-accumulates of an inference, such as 5M.")] = None,
    bin_width: Annotated[int, typer.Option(min=1, help="Samples in a ToF class.")] = 16,
    lost_after: Annotated[
        float, typer.Option(min=2.0, help="Silence in s after which a worker is lost and its trial goes to another.")
    ] = 300.0,
    seed: options.Seed = 0,
    output: options.Output = None,
    resume: options.Resume = False,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> Path:
    """Searches, and returns the folder of the search."""
    # Everything that can be wrong is found before long work begins.
    here = role()
    goal = check_objective(task, objective)
    bounds = {"flash": max_flash, "arena": max_arena, "macs": max_macs}
    budget = Budget(**{name: parse_amount(text) for name, text in bounds.items() if text})
    search_space = SearchSpace.load(task, space)
    if task == "pretrain" and pretrained:
        raise ValueError("--pretrained is for --task finetune; a pre-training begins from scratch.")
    if pretrained and pretraining:
        raise ValueError("--pretrained and --pretraining both say where encoders come from. Give one of them.")
    if pretrained:
        pretrained = pretrained / "encoder.keras" if pretrained.is_dir() else pretrained
        if not pretrained.exists():
            raise FileNotFoundError(f"There is no pre-trained encoder at {pretrained}; make one with pretrain.py.")
    if task == "pretrain":
        pretraining = pretraining or "ultrasound_synthetic/quickstart"
    config = {
        "search": task,
        "tuner": tuner,
        "dataset": dataset,
        "labels": labels,
        "pretrained": str(pretrained) if pretrained else None,
        "pretraining": pretraining,
        "pretraining_epochs": pretraining_epochs,
        "pretraining_signals": pretraining_signals,
        "epochs": epochs,
        "objective": goal[0],
        "space": search_space.get_config(),
        "budget": str(budget),
        "bin_width": bin_width,
        "seed": seed,
    }
    folder = output or Path("runs") / f"tune_{task}"
    if here != "worker":
        check_run_folder(folder, config, resume)

    # Signals, and what is done with them in a trial. Names are checked before any signals are made.
    labelled = load_dataset(dataset, tfds_dir, raw_dir)
    unlabelled = pretraining and load_dataset(pretraining, tfds_dir, raw_dir)
    train, validation = (labelled.labelled(split, bin_width) for split in ("train", "validation"))
    _, chosen = labelled.draw(len(train[1]), labels, seed)
    train = tuple(array[chosen] for array in train)
    data = None
    if pretraining:
        plan = PretrainConfig(dataset=pretraining, fresh=pretraining_signals, seed=seed)
        data = load_pretraining_data(plan, unlabelled, labelled.signal_length)
    if task == "finetune":
        start = pretrained
        if data:
            start = PretrainedEncoders(folder / "pretrained", data, PRETRAINING, pretraining_epochs, seed)
        hypermodel = FinetuningHyperModel(train, validation, search_space, start, bin_width, epochs, seed)
    else:
        probed = tuple(array[:NUM_PROBE_SIGNALS] for array in train)
        hypermodel = PretrainingHyperModel(data, probed, validation, search_space, bin_width, epochs, seed)
    search_space = hypermodel.space

    with FootprintMeter(bin_width) as meter:
        candidates = Candidates(hypermodel, meter, budget)
        if here != "worker":
            if budget != Budget():
                candidates.check_budget(seed)
            open_run_folder(folder, config, resume)
        else:
            wait_for_chief(folder, lost_after)
            check_run_folder(folder, config, resume=True)
        meter.folder = folder / "footprints"
        oracle = build_oracle(
            tuner,
            task,
            max_trials,
            epochs,
            objective,
            seed=seed,
            fits=candidates.fit,
            seconds=None if max_minutes is None else 60 * max_minutes,
            lost_after=lost_after,
        )

        def best_options(row):
            values = oracle.trials[row["trial"]].hyperparameters
            settings, trained = search_space.settings(values), hypermodel.epochs_of(values)
            if task == "pretrain":
                return {"pretrain": pretrain_options(settings, pretraining, trained, pretraining_signals, seed)}
            file = hypermodel.encoder_file(values)
            recipes = {"finetune": finetune_options(settings, dataset, trained, labels, bin_width, seed, file)}
            if data:
                plan = {**PRETRAINING, "patch_size": settings["patch_size"]}
                recipes["pretrain"] = pretrain_options(plan, pretraining, pretraining_epochs, pretraining_signals, seed)
            return recipes

        def write_results():
            """What can be read while the search goes on."""
            rows = trial_rows(oracle, search_space, candidates.cost)
            write_csv(folder / "results.csv", rows)
            write_text(folder / "results.md", markdown_table(rows, goal))
            best = best_first(rows, goal)
            if best:
                values = oracle.trials[best[0]["trial"]].hyperparameters
                write_best(folder / "best.json", hypermodel.architecture(values), **best_options(best[0]))
            return rows

        progress = SearchProgress(oracle, search_space, goal, candidates.cost, write_results)
        SearchTuner(oracle, hypermodel, folder, progress, heartbeat=min(30.0, lost_after / 4)).search()
        if here == "worker":
            print("The search has no more trials for this worker.")
            return folder

        # What came out.
        rows = write_results()
        best = best_first(rows, goal)
        if not best:
            raise ValueError(f"No trial of the search in {folder} is complete; see {folder / 'results.csv'}.")
        write_hparams(folder / "tensorboard", rows, search_space, goal)
        figure = plot_parallel_coordinates(best, tuple(search_space.dimensions), goal)
        files = [save_figure(figure, folder / "parallel_coordinates.png")]
        priced = [row for row in best if row["flash"] != ""]
        if priced:
            figure = plot_pareto(priced, pareto_front(priced, goal), goal, budget=budget.flash)
            files.append(save_figure(figure, folder / "pareto.png"))
    print(
        f"{len(rows)} trials, {oracle.rejected} candidates did not fit; the best, trial {best[0]['trial']}, has "
        f"{goal[0]} {best[0][goal[0]]:.4g}. Search folder {folder}"
    )
    print(markdown_table(rows, goal, 5))
    for path in (folder / "results.csv", *files, folder / "best.json"):
        print(f"  {path}")
    return folder


if __name__ == "__main__":
    options.run(main)
