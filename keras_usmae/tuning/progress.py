"""What a search says while it runs."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from keras_usmae.tuning.footprint import format_amount
from keras_usmae.tuning.results import COSTS, best_first, trial_rows

if TYPE_CHECKING:
    import keras_tuner

    from keras_usmae.tuning.search_space import SearchSpace


class SearchProgress:
    """Tells each trial in two lines, when it begins and when it ends, with the best so far.

    It takes the place of KerasTuner's display, which prints a table of all values for each trial.

    Args:
        oracle: `keras_tuner.Oracle`.
        space: `SearchSpace`.
        objective: tuple of a score's name and `"min"` or `"max"`.
        cost: function from values to a `Footprint`, or `None`.
        on_result: function without arguments, called after each trial: what writes the results. Defaults to `None`.
    """

    def __init__(
        self,
        oracle: "keras_tuner.Oracle",
        space: "SearchSpace",
        objective: tuple,
        cost: Callable | None = None,
        on_result: Callable | None = None,
    ) -> None:
        self.oracle, self.space, self.objective, self.cost = oracle, space, objective, cost
        self.on_result = on_result
        self.verbose = 1
        self._started = time.monotonic()

    def on_trial_begin(self, trial: "keras_tuner.engine.trial.Trial") -> None:
        """Tells what is tried."""
        values = trial.hyperparameters.values
        told = ", ".join(f"{name} {value}" for name, value in self.space.chosen(values).items())
        epochs = f"{values['tuner/epochs']} epochs, " if "tuner/epochs" in values else ""
        costs = ""
        if self.cost:
            footprint = self.cost(values)
            costs = "; " + ", ".join(f"{name} {format_amount(getattr(footprint, name), name)}" for name in COSTS)
        print(f"Trial {trial.trial_id} begins: {epochs}{told}{costs}", flush=True)

    def on_trial_end(self, trial: "keras_tuner.engine.trial.Trial") -> None:
        """Tells how it went, and the best so far."""
        name = self.objective[0]
        rows = trial_rows(self.oracle, self.space)
        result = f"{name} {trial.score:.4g}" if trial.score is not None else trial.status.lower()
        if trial.score is None and trial.message:
            result += f" ({trial.message.strip().splitlines()[-1]})"
        if trial.metrics.exists("seconds"):
            result += f" in {trial.metrics.get_last_value('seconds'):.0f} s"
        best = best_first(rows, self.objective)
        so_far = f"best so far {best[0][name]:.4g} of trial {best[0]['trial']}; " if best else ""
        elapsed = time.strftime("%H:%M:%S", time.gmtime(time.monotonic() - self._started))
        print(
            f"Trial {trial.trial_id} ends: {result}; {so_far}{len(rows)} of at most {self.oracle.max_trials} trials, "
            f"{self.oracle.rejected} candidates did not fit, {elapsed}",
            flush=True,
        )
        if self.on_result:
            self.on_result()

    def get_state(self) -> dict:
        """Nothing to keep: the oracle has it all."""
        return {}

    def set_state(self, state: dict) -> None:
        """Nothing to take up."""
