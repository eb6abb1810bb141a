"""What candidates would cost, and whether they fit a budget, before any is trained."""

from typing import TYPE_CHECKING

import keras_tuner

from keras_usmae.tuning.footprint import Footprint, digest, format_amount

if TYPE_CHECKING:
    from keras_usmae.tuning.footprint import Budget
    from keras_usmae.tuning.hypermodels import FinetuningHyperModel, PretrainingHyperModel
    from keras_usmae.tuning.meter import FootprintMeter

_DRAWS = 500
_MEASURED = 5


class Candidates:
    """Costs of what a search may draw.

    Args:
        hypermodel: `FinetuningHyperModel` or `PretrainingHyperModel`: knows the architecture of values.
        meter: `FootprintMeter`.
        budget: `Budget`.

    Raises:
        ValueError: if the budget asks for what cannot be measured here.
    """

    def __init__(
        self, hypermodel: "FinetuningHyperModel | PretrainingHyperModel", meter: "FootprintMeter", budget: "Budget"
    ) -> None:
        if budget.needs_conversion and meter.missing():
            raise ValueError(
                f"A budget of flash or arena needs {', '.join(meter.missing())} to convert candidates with; install "
                "them with: pip install keras-usmae[tensorflow-cpu,mcu]. One of multiply-accumulates needs nothing."
            )
        self.hypermodel, self.meter, self.budget = hypermodel, meter, budget

    def cost(self, values: dict) -> Footprint:
        """The footprint of a candidate.

        Args:
            values: dict of values of the space.

        Returns:
            `Footprint`, with `None` for what cannot be measured.
        """
        encoder, head = self._architecture(values)
        try:
            return self.meter.measure(encoder, head)
        except RuntimeError as error:
            print(error, flush=True)
            return Footprint(None, None, self.meter.bound(encoder, head).macs)

    def fit(self, values: dict) -> bool:
        """Whether a candidate fits the budget: told from its sizes where these suffice, and else by converting it."""
        if self.budget.exceeded_by(self.meter.bound(*self._architecture(values))):
            return False
        if not self.budget.needs_conversion:
            return True
        footprint = self.cost(values)
        return footprint.flash is not None and not self.budget.exceeded_by(footprint)

    def check_budget(self, seed: int) -> None:
        """Checks, before a search begins, that something in the space fits.

        Args:
            seed: int, seed of the candidates that are looked at.

        Raises:
            ValueError: if nothing does, with what the smallest candidates need.
        """
        drawn = self._draw(seed)
        bounds = {key: self.meter.bound(*self._architecture(values)) for key, values in drawn.items()}
        nearest = sorted(drawn, key=lambda key: self._excess(bounds[key]))[:_MEASURED]
        told = {}
        for key in nearest:
            told[key] = bounds[key]
            if not self.budget.exceeded_by(bounds[key]):
                if self.fit(drawn[key]):
                    return
                told[key] = self.cost(drawn[key])
        smallest = told[min(told, key=lambda key: self._excess(told[key]))]
        needs = ", ".join(
            f"{name} {format_amount(getattr(smallest, name), name)}" for name in ("flash", "arena", "macs")
        )
        raise ValueError(
            f"Nothing in {self.hypermodel.space.source} fits the budget ({self.budget}): the nearest of {len(drawn)} "
            f"architectures drawn from it needs at least {needs}. Raise the budget, or give smaller sizes in --space."
        )

    def _excess(self, footprint):
        """Largest ratio of a need to its budget, then the flash."""
        bounds = {name: getattr(self.budget, name) for name in ("flash", "arena", "macs")}
        ratios = [getattr(footprint, name) / bound for name, bound in bounds.items() if bound is not None]
        return max(ratios, default=0.0), footprint.flash

    def _draw(self, seed):
        """Values of distinct architectures, by a short name."""
        space = keras_tuner.HyperParameters()
        self.hypermodel.declare_hyperparameters(space)
        drawn = {}
        for number in range(_DRAWS):
            hps = keras_tuner.HyperParameters()
            for place, hp in enumerate(space.space):
                hps.merge([hp])
                if hps.is_active(hp):
                    hps.values[hp.name] = hp.random_sample(seed + number * len(space.space) + place)
            drawn.setdefault(digest(self._architecture(hps.values)), hps.values)
        return drawn

    def _architecture(self, values):
        return self.hypermodel.architecture(values)["encoder"], self.hypermodel.head(values)
