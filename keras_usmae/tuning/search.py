"""A search from its configuration to the best trial."""

import dataclasses
import time
from pathlib import Path

from keras_usmae.configs import PretrainConfig, SearchConfig
from keras_usmae.data import load_dataset
from keras_usmae.files import write_csv, write_text
from keras_usmae.training.pretraining import load_pretraining_data
from keras_usmae.training.run_folder import check_run_folder, open_run_folder
from keras_usmae.tuning.best import finetune_options, pretrain_options, write_best
from keras_usmae.tuning.candidates import Candidates
from keras_usmae.tuning.footprint import Budget, parse_amount
from keras_usmae.tuning.hypermodels import FinetuningHyperModel, PretrainingHyperModel
from keras_usmae.tuning.meter import FootprintMeter
from keras_usmae.tuning.objectives import check_objective
from keras_usmae.tuning.pretraining import PretrainedEncoders
from keras_usmae.tuning.progress import SearchProgress
from keras_usmae.tuning.results import best_first, markdown_table, trial_rows, write_hparams
from keras_usmae.tuning.search_space import SearchSpace
from keras_usmae.tuning.settings import DEFAULTS
from keras_usmae.tuning.tuner import SearchTuner, build_oracle, role

# How a fine-tuning search pre-trains the architectures that it meets: at a rate for short trainings.
PRETRAINING = {**DEFAULTS["pretrain"], "learning_rate": 3e-3}
NUM_PROBE_SIGNALS = 1600


@dataclasses.dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search gave.

    Args:
        folder: `pathlib.Path`.
        rows: list of dicts, a trial each, as in results.csv. Empty on a worker: the chief writes.
        best: list of dicts, the complete ones, the best first.
        goal: pair of the objective's name and its direction.
        space: `SearchSpace`.
        budget: `Budget`.
        rejected: int, candidates that did not fit the budget.
    """

    folder: Path
    rows: list
    best: list
    goal: tuple
    space: SearchSpace
    budget: Budget
    rejected: int


def search(
    config: SearchConfig,
    output: str | Path | None = None,
    resume: bool = False,
    max_trials: int = 40,
    max_minutes: float | None = None,
    lost_after: float = 300.0,
    tfds_dir: str | Path | None = None,
    raw_dir: str | Path | None = None,
) -> SearchResult:
    """Searches for the settings of a fine-tuning or a pre-training; the defaults of the recipes are the first trial.

    The test split takes no part. Writes a folder: config.json, `trials/` (KerasTuner's files), results.csv, results.md,
    `tensorboard/` (HParams) and best.json, which the recipes take by `--config`.

    Args:
        config: `SearchConfig`.
        output: path of the folder. Defaults to `None`, `runs/tune_TASK`.
        resume: bool, go on with an interrupted search. Defaults to `False`.
        max_trials: int. Defaults to `40`.
        max_minutes: float, no trial begins after this time. Defaults to `None`, no end.
        lost_after: float, silence in s after which a worker is lost and its trial goes to another. Defaults to `300.0`.
        tfds_dir: path where prepared datasets lie. Defaults to `None`, TFDS's.
        raw_dir: path of measured originals. Defaults to `None`.

    Raises:
        ValueError: where the configuration cannot be searched, or no trial was completed.
        FileNotFoundError: where the pre-trained encoder is missing.
        TimeoutError: on a worker, where no chief opens the search.

    Example:

    ```python
    found = search(SearchConfig(task="finetune", labels=320), max_trials=20)
    print(found.best[0])
    ```
    """
    # Everything that can be wrong is found before long work begins.
    here = role()
    goal = check_objective(config.task, config.objective)
    bounds = {"flash": config.max_flash, "arena": config.max_arena, "macs": config.max_macs}
    budget = Budget(**{name: parse_amount(text) for name, text in bounds.items() if text})
    pretrained = _encoder_file(config.pretrained)
    space = SearchSpace.load(config.task, config.space)
    recorded = _recorded(config, pretrained, goal, space, budget)
    folder = Path(output or Path("runs") / f"tune_{config.task}")
    if here != "worker":
        check_run_folder(folder, recorded, resume)
    hypermodel = _hypermodel(config, folder, pretrained, space, tfds_dir, raw_dir)
    space = hypermodel.space

    with FootprintMeter(config.bin_width) as meter:
        candidates = Candidates(hypermodel, meter, budget)
        if here != "worker":
            if budget != Budget():
                candidates.check_budget(config.seed)
            open_run_folder(folder, recorded, resume)
        else:
            _wait_for_chief(folder, lost_after)
            check_run_folder(folder, recorded, resume=True)
        meter.folder = folder / "footprints"
        oracle = build_oracle(
            config.tuner,
            config.task,
            max_trials,
            config.epochs,
            config.objective,
            seed=config.seed,
            fits=candidates.fit,
            seconds=None if max_minutes is None else 60 * max_minutes,
            lost_after=lost_after,
        )

        def write_results():
            """What can be read while the search goes on."""
            rows = trial_rows(oracle, space, candidates.cost)
            write_csv(folder / "results.csv", rows)
            write_text(folder / "results.md", markdown_table(rows, goal))
            if best := best_first(rows, goal):
                values = oracle.trials[best[0]["trial"]].hyperparameters
                recipes = _best_options(config, hypermodel, values)
                write_best(folder / "best.json", hypermodel.architecture(values), **recipes)
            return rows

        progress = SearchProgress(oracle, space, goal, candidates.cost, write_results)
        SearchTuner(oracle, hypermodel, folder, progress, heartbeat=min(30.0, lost_after / 4)).search()
        rows = [] if here == "worker" else write_results()
    best = best_first(rows, goal)
    if here != "worker":
        if not best:
            raise ValueError(f"No trial of the search in {folder} is complete; see {folder / 'results.csv'}.")
        write_hparams(folder / "tensorboard", rows, space, goal)
    return SearchResult(folder, rows, best, goal, space, budget, oracle.rejected)


def _encoder_file(pretrained):
    if not pretrained:
        return None
    path = Path(pretrained)
    path = path / "encoder.keras" if path.is_dir() else path
    if not path.exists():
        raise FileNotFoundError(f"There is no pre-trained encoder at {path}; make one with pretrain.py.")
    return path


def _recorded(config, pretrained, goal, space, budget):
    """What config.json holds: what decides the result, resolved."""
    left_out = ("max_flash", "max_arena", "max_macs", "task")
    values = {name: value for name, value in dataclasses.asdict(config).items() if name not in left_out}
    return {
        "search": config.task,
        **values,
        "pretrained": str(pretrained) if pretrained else None,
        "objective": goal[0],
        "space": space.get_config(),
        "budget": str(budget),
    }


def _hypermodel(config, folder, pretrained, space, tfds_dir, raw_dir):
    """Signals, and what is done with them in a trial."""
    # Names are checked before any signals are made.
    labelled = load_dataset(config.dataset, tfds_dir, raw_dir)
    unlabelled = config.pretraining and load_dataset(config.pretraining, tfds_dir, raw_dir)
    train, validation = (labelled.labelled(split, config.bin_width) for split in ("train", "validation"))
    _, chosen = labelled.draw(len(train[1]), config.labels, config.seed)
    train = tuple(array[chosen] for array in train)
    data = None
    if config.pretraining:
        plan = PretrainConfig(dataset=config.pretraining, fresh=config.pretraining_signals, seed=config.seed)
        data = load_pretraining_data(plan, unlabelled, labelled.signal_length)
    common = (config.bin_width, config.epochs, config.seed)
    if config.task == "pretrain" and data:
        probed = tuple(array[:NUM_PROBE_SIGNALS] for array in train)
        return PretrainingHyperModel(data, probed, validation, space, *common)
    start = pretrained
    if data:
        start = PretrainedEncoders(folder / "pretrained", data, PRETRAINING, config.pretraining_epochs, config.seed)
    return FinetuningHyperModel(train, validation, space, start, *common)


def _best_options(config, hypermodel, values):
    """Options of the recipes that repeat a trial at full length."""
    settings, trained = hypermodel.space.settings(values), hypermodel.epochs_of(values)
    fresh = (config.pretraining_signals, config.seed)
    if config.task == "pretrain":
        return {"pretrain": pretrain_options(settings, config.pretraining, trained, *fresh)}
    file = hypermodel.encoder_file(values)
    recipes = {
        "finetune": finetune_options(
            settings, config.dataset, trained, config.labels, config.bin_width, config.seed, file
        )
    }
    if config.pretraining:
        plan = {**PRETRAINING, "patch_size": settings["patch_size"]}
        recipes["pretrain"] = pretrain_options(plan, config.pretraining, config.pretraining_epochs, *fresh)
    return recipes


def _wait_for_chief(folder, seconds):
    """A worker begins when the chief has opened the folder of the search, which must be new or the same search's."""
    end = time.monotonic() + seconds
    while not (folder / "config.json").exists():
        if time.monotonic() > end:
            raise TimeoutError(
                f"No chief opened {folder} within {seconds:g} s. Start one with KERASTUNER_TUNER_ID=chief and the same "
                "options; --output must be a folder that all machines see."
            )
        time.sleep(0.5)
