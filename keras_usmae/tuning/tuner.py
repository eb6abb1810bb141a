"""The search itself: KerasTuner's tuner with trials that our hypermodels train, score and time."""

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.errors import FatalRuntimeError

from keras_usmae.files import write_json
from keras_usmae.tuning.objectives import check_objective
from keras_usmae.tuning.oracles import BayesianOracle, HyperbandSearchOracle, RandomOracle

if TYPE_CHECKING:
    from keras_usmae.tuning.hypermodels import FinetuningHyperModel, PretrainingHyperModel
    from keras_usmae.tuning.progress import SearchProgress

TUNERS = ("hyperband", "bayesian", "random")
_FAILURES = 3


def build_oracle(
    tuner: str, task: str, max_trials: int, epochs: int, objective: str | None = None, **options: Any
) -> keras_tuner.Oracle:
    """The oracle of a search.

    Args:
        tuner: str, `"hyperband"`, `"bayesian"` or `"random"`.
        task: str, `"finetune"` or `"pretrain"`.
        max_trials: int.
        epochs: int, the most that a trial trains; Hyperband's shortest trials have about a 27th.
        objective: str or `None`, see `check_objective`. Defaults to `None`.
        **options: `seed`, `fits`, `seconds` and `lost_after`; see `keras_usmae.tuning.oracles`.

    Raises:
        ValueError: for an unknown tuner or objective, or fewer than one trial.
    """
    if max_trials < 1:
        raise ValueError(f"A search needs at least one trial. Received: max_trials={max_trials}")
    options |= {
        "objective": keras_tuner.Objective(*check_objective(task, objective)),
        "max_trials": max_trials,
        "max_retries_per_trial": 1,
    }
    if tuner == "random":
        return RandomOracle(**options)
    if tuner == "bayesian":
        return BayesianOracle(num_initial_points=max(4, max_trials // 3), **options)
    if tuner == "hyperband":
        return HyperbandSearchOracle(max_epochs=epochs, factor=3, hyperband_iterations=100, **options)
    raise ValueError(f"`tuner` must be one of {TUNERS}. Received: {tuner!r}")


def role() -> str:
    """What KerasTuner's environment variables make of this process: `"chief"`, `"worker"` or `"single"`.

    Without `KERASTUNER_ORACLE_IP` the chief is on this machine, and its port is open to this machine alone.

    Raises:
        ValueError: if only one of `KERASTUNER_ORACLE_PORT` and `KERASTUNER_TUNER_ID` is set.
    """
    names = [f"KERASTUNER_{name}" for name in ("ORACLE_PORT", "TUNER_ID")]
    address = "KERASTUNER_ORACLE_IP"
    given = [name for name in (*names, address) if os.environ.get(name)]
    if not given:
        return "single"
    if not set(names) <= set(given):
        needed = ", ".join(names)
        raise ValueError(f"A search over several processes needs {needed}; only {', '.join(given)} is set.")
    os.environ.setdefault(address, "127.0.0.1")
    return "chief" if "chief" in os.environ["KERASTUNER_TUNER_ID"] else "worker"


class SearchTuner(keras_tuner.Tuner):
    """Runs trials one after the other; several processes share a search as KerasTuner's chief and workers.

    A trial keeps no weights: `recipes/finetune.py --config` makes them again, the same.

    Args:
        oracle: from `build_oracle`.
        hypermodel: `FinetuningHyperModel` or `PretrainingHyperModel`.
        folder: path, where the search is kept. A search that is there goes on.
        progress: `SearchProgress`, told of each trial. Defaults to `None`.
        heartbeat: float, time in s between two signs of life of a worker. Defaults to `30.0`.
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        hypermodel: "FinetuningHyperModel | PretrainingHyperModel",
        folder: str | Path,
        progress: "SearchProgress | None" = None,
        heartbeat: float = 30.0,
    ) -> None:
        if progress is not None:
            oracle._display = progress  # KerasTuner has no other way to it
        self.heartbeat = heartbeat
        self._failures = 0
        self._idle = False
        self._folder = Path(folder) / "trials"
        if any(self._folder.glob("trial_*")):
            # KerasTuner takes a search for a new one without this file, which it writes at the end of the first trial.
            self._save_nothing()
        super().__init__(oracle, hypermodel, directory=str(folder), project_name="trials")

    def _save_nothing(self):
        """Writes the file of this process, in which KerasTuner keeps an empty state."""
        write_json(self._folder / f"{os.environ.get('KERASTUNER_TUNER_ID', 'tuner0')}.json", {})

    def save(self) -> None:
        """Writes the state of the search, whole or not at all."""
        if role() != "worker":
            self.oracle.save()
        self._save_nothing()

    def reload(self) -> None:
        if role() != "worker":
            self.oracle.reload()
        self._populate_initial_space()

    def _populate_initial_space(self):
        """Declares the space. KerasTuner would build models until it had seen every condition."""
        hp = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(hp)
        self.oracle.update_space(hp)

    def search(self) -> None:
        """Searches until the oracle ends it; the chief until its workers have left."""
        if role() == "chief":
            ended = threading.Event()
            watch = threading.Thread(target=self._watch, args=(ended,), name="watch", daemon=True)
            watch.start()
            try:
                super().search()
            finally:
                ended.set()
            return
        super().search()

    def run_trial(self, trial: Trial) -> dict:
        """Trains and scores the candidate of a trial.

        Args:
            trial: `keras_tuner.engine.trial.Trial`.

        Returns:
            A dict of floats: what the hypermodel's `fit` returns, `epochs` and `seconds`.
        """
        started = time.perf_counter()
        hp = trial.hyperparameters
        with self._signs_of_life(trial):
            scores = self.hypermodel.fit(hp, self.hypermodel.build(hp))
        epochs = float(self.hypermodel.epochs_of(hp))
        return {**scores, "epochs": epochs, "seconds": time.perf_counter() - started}

    def pre_create_trial(self) -> None:
        """Waits a little before it asks again for a trial, where there was none."""
        if self._idle:
            time.sleep(1.0)
        self._idle = True

    def on_trial_begin(self, trial: Trial) -> None:
        self._idle = False
        super().on_trial_begin(trial)

    def on_trial_end(self, trial: Trial) -> None:
        """Reports a trial.

        Raises:
            FatalRuntimeError: if three trials in a row could not be run.
        """
        failed = trial.status != TrialStatus.COMPLETED
        message = trial.message
        super().on_trial_end(trial)
        self._failures = self._failures + 1 if failed else 0
        if self._failures == _FAILURES:
            raise FatalRuntimeError(f"{_FAILURES} trials in a row could not be run. The last said:\n{message}")

    @contextlib.contextmanager
    def _signs_of_life(self, trial):
        if role() != "worker":
            yield
            return
        ended = threading.Event()

        def beat():
            while not ended.wait(self.heartbeat):
                with contextlib.suppress(Exception):  # the chief is busy, or gone: training goes on
                    self.oracle.get_trial(trial.trial_id)

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _watch(self, ended):
        while not ended.wait(1.0):
            self.oracle.give_up_lost_workers()
