"""KerasTuner's oracles, with budgets, a clock, and workers that may be lost."""

import itertools
import time
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle, RandomSearchOracle

from keras_usmae.files import write_json
from keras_usmae.tuning.rebuilding import mend

# Draws until a candidate fits; then the space counts as exhausted.
_DRAWS = 2000


class _SearchOracle:
    """What is added to an oracle of KerasTuner.

    - The defaults are the first candidate: a search is then never worse than they are.
    - A candidate that does not fit the budget is drawn again before it becomes a trial. Failing it as a trial would use
      up the number of trials, starve Hyperband's brackets, and after three in a row end the search.
    - The trial of a worker that has not been heard of for a while goes to another one. KerasTuner's chief waits for
      such a worker for ever.
    - What is written is whole: KerasTuner writes its files in place. Where one is damaged all the same, the search goes
      on from the trials; see `keras_usmae.tuning.rebuilding`.
    - A trial keeps the numbers that were drawn: gRPC rounds them to single precision on their way back, where they are
      none of the choices any more.

    Args:
        fits: function from a dict of values to whether such a candidate fits. Defaults to `None`, all do.
        max_trials: int, trials of the search. Hyperband ends earlier where its brackets are done.
        seconds: float, time in s after which no trial is begun. Defaults to `None`, no end.
        lost_after: float, time in s after which a silent worker is lost. Defaults to `300.0`.
        seed: int, also `0`, which KerasTuner takes for no seed. Defaults to `0`.
        **kwargs: arguments of the oracle of KerasTuner.
    """

    def __init__(self, fits=None, max_trials=None, seconds=None, lost_after=300.0, seed=0, **kwargs):
        # Consecutive failures are counted by the tuner: raised here, in a thread of gRPC, they would hang the chief.
        super().__init__(seed=seed + 1, max_consecutive_failed_trials=None, **kwargs)
        self.max_trials = max_trials
        self.rejected = 0
        self._fits = fits or (lambda values: True)
        self._ends = None if seconds is None else time.monotonic() + seconds
        self._lost_after = lost_after
        self._heard = {}

    def _random_values(self):
        defaults = self.hyperparameters.copy()
        defaults.values = {}
        for hp in defaults.space:
            if defaults.is_active(hp):
                defaults.values[hp.name] = hp.default
        if not self._duplicate(defaults.values) and not self.trials:
            if self._fits(defaults.values):
                return defaults.values
            self.rejected += 1
        for _ in range(_DRAWS):
            values = super()._random_values()
            if values is None or self._fits(values):
                return values
            self.rejected += 1
        return None

    @keras_tuner.synchronized
    def create_trial(self, tuner_id):
        """A trial for a worker to run, or one that tells it to wait or to stop."""
        asked = self._heard[tuner_id] = time.monotonic()
        self.give_up_lost_workers()
        trial = self._create_trial(tuner_id)
        # Nobody could be heard while candidates were measured.
        took = time.monotonic() - asked
        self._heard = {name: heard + took for name, heard in self._heard.items()}
        return trial

    def _create_trial(self, tuner_id):
        if self._ends is not None and time.monotonic() > self._ends and tuner_id not in self.ongoing_trials:
            self.tuner_ids.discard(tuner_id)
            return Trial(self.hyperparameters.copy(), trial_id="end", status=TrialStatus.STOPPED)
        trial = super().create_trial(tuner_id)
        if trial.status == TrialStatus.STOPPED and self.ongoing_trials:
            # Another worker may yet be lost, and its trial be this one's.
            self.tuner_ids.add(tuner_id)
            trial.status = TrialStatus.IDLE
        return trial

    def get_trial(self, trial_id):
        """A trial. Workers ask for theirs while they train, which shows that they live."""
        for tuner_id, trial in list(self.ongoing_trials.items()):
            if trial.trial_id == trial_id:
                self._heard[tuner_id] = time.monotonic()
        return super().get_trial(trial_id)

    @keras_tuner.synchronized
    def end_trial(self, trial):
        """Notes the result of a trial; that of a worker that was lost and comes back counts if it is the first."""
        known = self.trials[trial.trial_id]
        if known.trial_id not in self.end_order:
            if known.trial_id in self._retry_queue:
                self._retry_queue.remove(known.trial_id)
            trial.hyperparameters = known.hyperparameters
            super().end_trial(trial)
        for tuner_id, ongoing in list(self.ongoing_trials.items()):
            if ongoing.trial_id == known.trial_id:
                del self.ongoing_trials[tuner_id]

    @keras_tuner.synchronized
    def give_up_lost_workers(self):
        """Puts the trials of workers that have been silent for too long in line for others."""
        now = time.monotonic()
        for tuner_id in sorted(self.tuner_ids):
            silent = now - self._heard.setdefault(tuner_id, now)
            if silent <= self._lost_after:
                continue
            self.tuner_ids.discard(tuner_id)
            trial = self.ongoing_trials.pop(tuner_id, None)
            task = "had no trial"
            if trial is not None:
                self._retry_queue.append(trial.trial_id)
                self.save()
                task = f"trial {trial.trial_id} goes to another worker"
            print(f"Worker {tuner_id} has been silent for {silent:.0f} s and counts as lost; {task}.", flush=True)

    def reload(self):
        """Takes up a search from its folder: trials in their order, without one that was cut off as it was noted."""
        mend(self)
        super().reload()
        self.trials = {name: self.trials[name] for name in self.start_order}

    def save(self):
        """Writes the state of the search, whole or not at all."""
        write_json(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial):
        write_json(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def replay(self, trial):
        """Notes a trial that is known from its own file, where the state of the search is lost."""
        name = trial.trial_id
        self.trials[name] = trial
        self.start_order.append(name)
        self._record_values(trial)
        self.update_space(trial.hyperparameters)
        if trial.status in (TrialStatus.COMPLETED, TrialStatus.FAILED):
            self._run_times[name] += 1
            self.end_order.append(name)
        else:
            trial.status = TrialStatus.RUNNING
            self._retry_queue.insert(0, name)  # taken from its end

    def get_state(self):
        return {**super().get_state(), "rejected": self.rejected}

    def set_state(self, state):
        super().set_state(state)
        self.rejected = state["rejected"]


class RandomOracle(_SearchOracle, RandomSearchOracle):
    """Candidates drawn at random; see `keras_tuner.RandomSearch`."""


class HyperbandSearchOracle(_SearchOracle, HyperbandOracle):
    """Many short trials, of which the best go on to longer ones; see `keras_tuner.Hyperband`."""

    def replay(self, trial: Trial) -> None:
        """Notes a trial in the bracket and round that it was made for, as `populate_space` did."""
        super().replay(trial)
        if trial.status == TrialStatus.FAILED:
            return
        entry = {"past_id": trial.hyperparameters.values.get("tuner/trial_id"), "id": trial.trial_id}
        if entry["past_id"] is None:
            bracket = self._brackets[-1]
            if len(bracket["rounds"][0]) >= self._get_size(bracket["bracket_num"], round_num=0):
                self._increment_bracket_num()
                self._start_new_bracket()
            self._brackets[-1]["rounds"][0].append(entry)
            return
        for bracket in self._brackets:
            for ended, following in itertools.pairwise(bracket["rounds"]):
                if any(known["id"] == entry["past_id"] for known in ended):
                    following.append(entry)

    @keras_tuner.synchronized
    def end_trial(self, trial: Trial) -> None:
        """Notes the result of a trial; one that failed leaves its bracket, which waits for completed ones only."""
        super().end_trial(trial)
        if self.trials[trial.trial_id].status == TrialStatus.FAILED:
            for bracket in self._brackets:
                for number, round_ in enumerate(bracket["rounds"]):
                    bracket["rounds"][number] = [entry for entry in round_ if entry["id"] != trial.trial_id]


class BayesianOracle(_SearchOracle, BayesianOptimizationOracle):
    """Candidates that a Gaussian process expects most of; see `keras_tuner.BayesianOptimization`.

    Candidates of its own that do not fit are shown to the process as being as bad as the worst trial.
    """

    _PROPOSALS = 5

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._unfit = []

    def populate_space(self, trial_id: str) -> dict:
        # A state of its own for each trial: a resumed search goes on as it would have.
        self._random_state = np.random.RandomState(self.seed + len(self.trials))
        for _ in range(self._PROPOSALS):
            response = super().populate_space(trial_id)
            values = response["values"]
            if response["status"] != TrialStatus.RUNNING or not self._is_proposal():
                return response
            if self._duplicate(values):
                continue
            if self._fits(values):
                return response
            self.rejected += 1
            self._unfit.append(values)
        return self._random_populate_space()

    def _is_proposal(self):
        """Whether the process, and not chance, draws candidates by now."""
        completed = sum(trial.status == TrialStatus.COMPLETED for trial in self.trials.values())
        return completed >= self.num_initial_points

    def _vectorize_trials(self):
        x, y = super()._vectorize_trials()
        if not self._unfit:
            return x, y
        vectors = np.array([self._vector(values) for values in self._unfit])
        return np.concatenate([x, vectors]), np.concatenate([y, np.full(len(vectors), y.max())])

    def _vector(self, values):
        return [hp.value_to_prob(values.get(hp.name, hp.default)) for hp in self._nonfixed_space()]

    def get_state(self):
        return {**super().get_state(), "unfit": self._unfit}

    def set_state(self, state: dict) -> None:
        super().set_state(state)
        self._unfit = state["unfit"]
