"""Searching for settings and sizes with KerasTuner, also for a microcontroller and on many machines.

Needs the extra `tuner`: `pip install keras-usmae[tuner]`.
"""

try:
    import keras_tuner  # noqa: F401
    import tensorboard  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"Searching needs {error.name}, which is not installed. Install it with: pip install 'keras-usmae[tuner]'"
    ) from error

from keras_usmae.tuning.best import write_best
from keras_usmae.tuning.candidates import Candidates
from keras_usmae.tuning.footprint import Budget, Footprint, bound_footprint, parse_amount
from keras_usmae.tuning.hypermodels import FinetuningHyperModel, PretrainingHyperModel
from keras_usmae.tuning.meter import FootprintMeter
from keras_usmae.tuning.objectives import OBJECTIVES, check_objective
from keras_usmae.tuning.pretraining import PretrainedEncoders
from keras_usmae.tuning.progress import SearchProgress
from keras_usmae.tuning.results import (
    best_first,
    markdown_table,
    pareto_front,
    trial_rows,
    write_hparams,
)
from keras_usmae.tuning.search import SearchResult, search
from keras_usmae.tuning.search_space import Dimension, SearchSpace
from keras_usmae.tuning.settings import ARCHITECTURE, DEFAULTS, resolve_architecture
from keras_usmae.tuning.tuner import TUNERS, SearchTuner, build_oracle, role

__all__ = [
    "ARCHITECTURE",
    "DEFAULTS",
    "OBJECTIVES",
    "TUNERS",
    "Budget",
    "Candidates",
    "Dimension",
    "FinetuningHyperModel",
    "Footprint",
    "FootprintMeter",
    "PretrainedEncoders",
    "PretrainingHyperModel",
    "SearchProgress",
    "SearchResult",
    "SearchSpace",
    "SearchTuner",
    "best_first",
    "bound_footprint",
    "build_oracle",
    "check_objective",
    "markdown_table",
    "pareto_front",
    "parse_amount",
    "resolve_architecture",
    "role",
    "search",
    "trial_rows",
    "write_best",
    "write_hparams",
]
