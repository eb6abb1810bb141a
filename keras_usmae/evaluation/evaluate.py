"""Evaluation of a trained model on labelled signals, beside classical pickers."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_usmae.evaluation.calibration import coverage, fit_temperature, reliability
from keras_usmae.evaluation.label_ceiling import label_ceiling
from keras_usmae.evaluation.label_scores import SHARP_SIGMA
from keras_usmae.evaluation.pick_scores import echo_recall, median_offset, pick_classically, score_estimates
from keras_usmae.models import ToFClassifier
from keras_usmae.signals import standardize

if TYPE_CHECKING:
    from keras_usmae.picker.picker import EchoPicker

OUTLIER_BINS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """What `evaluate` found.

    Args:
        estimates: dict from an estimator's name to its onsets, arrays of shape `(n,)` in samples, NaN where there is
            none. The model comes first.
        scores: dict from an estimator's name to what `score_estimates` returns, and `"outliers"`, the share of its
            estimates that is off by more than four bins.
        confidence: array of shape `(n,)`, of the model.
        interval: array of shape `(n, 2)`, of the model, samples.
        calibration: dict of floats: `"interval_coverage"`, `"interval_median_width_samples"`, and those of the
            temperature of a classifier.
        recall: dict, what `echo_recall` returns for a picker; `None` for a classifier.
        curves: dict of what `reliability` returns for a classifier; empty for a picker.
        ceiling: dict of what `label_ceiling` returns: `"all"`, and `"without_hole"` for the signals without a hole;
            empty where the labels state no sigma.
    """

    estimates: dict
    scores: dict
    confidence: np.ndarray
    interval: np.ndarray
    calibration: dict
    recall: dict | None
    curves: dict
    ceiling: dict = dataclasses.field(default_factory=dict)


def evaluate(
    model: "ToFClassifier | EchoPicker",
    arrays: dict,
    held_out: dict,
    sampling_rate: float,
    speed_of_sound: float = 1480.0,
    name: str = "network",
    scale: Any = None,
    verbose: int = 0,
) -> Evaluation:
    """Scores a model and classical pickers, each as it stands and with its constant offset taken out.

    Offsets, and the temperature of a classifier, come from the held-out signals.

    Args:
        model: `ToFClassifier` or `EchoPicker`, of which the first pick of each signal counts.
        arrays: dict of arrays of the signals to score: `"signal"`, `"onset"` in samples, and optionally `"hole_echo"`
            and `"onset_sigma"`, the standard deviation of each label.
        held_out: dict of arrays of other signals, `"signal"` and `"onset"`.
        sampling_rate: float, Hz.
        speed_of_sound: float, m/s. Defaults to `1480.0`, water.
        name: str, of the model. Defaults to `"network"`.
        scale: of a picker, see `EchoPicker.pick`. Defaults to `None`, chosen from the signals.
        verbose: int, Keras's. Defaults to `0`.

    Raises:
        ValueError: if there are no signals.

    Example:

    ```python
    found = evaluate(EchoPicker.from_preset("nano"), test, validation, 100e6)
    found.scores["network"]["bias_free"]["mean_error_samples"]
    ```
    """
    if isinstance(model, ToFClassifier):
        bin_width = model.bin_width
        measured, before = _classify(model, arrays, held_out, verbose)
    else:
        bin_width = model.bin_width
        measured, before = _pick(model, arrays, held_out, sampling_rate, scale)
    onset = arrays["onset"]
    estimates = {name: measured["onset"], **pick_classically(arrays["signal"], sampling_rate)}
    others = {name: before, **pick_classically(held_out["signal"], sampling_rate)}
    scores = {}
    for title, estimate in estimates.items():
        offset = median_offset(held_out["onset"], others[title])
        classes = measured["class"] if title == name else None
        error = np.abs(estimate - onset)
        scores[title] = {
            **score_estimates(
                onset,
                estimate,
                offset,
                bin_width,
                sampling_rate,
                speed_of_sound,
                classes,
                arrays.get("hole_echo"),
                arrays.get("onset_sigma"),
            ),
            "outliers": float(np.mean(error[np.isfinite(error)] > OUTLIER_BINS * bin_width)),
        }
    found = np.isfinite(measured["onset"])
    calibration = {
        **measured["calibration"],
        "interval_coverage": coverage(onset[found], measured["interval"][found]),
        "interval_median_width_samples": float(np.median(np.ptp(measured["interval"][found], axis=1))),
    }
    picks = measured.get("picks")
    recall = None if picks is None else echo_recall(picks, onset, bin_width, scores[name]["offset_samples"])
    interval, ceiling = measured["interval"], _ceilings(arrays, bin_width)
    return Evaluation(
        estimates, scores, measured["confidence"], interval, calibration, recall, measured["curves"], ceiling
    )


def _ceilings(arrays, bin_width):
    """What the truth would score by the labels, of all signals and of those without a hole."""
    if "onset_sigma" not in arrays:
        return {}
    onset, sigma = arrays["onset"], arrays["onset_sigma"]
    parts = {"all": np.ones(len(onset), bool)}
    if "hole_echo" in arrays and not np.all(arrays["hole_echo"]):
        parts["without_hole"] = ~np.asarray(arrays["hole_echo"], bool)
    ceilings = {}
    for name, rows in parts.items():
        sharp = rows & (sigma < SHARP_SIGMA)
        mean = label_ceiling(onset[sharp], sigma[sharp], bin_width)["mean_error_samples"] if sharp.any() else np.nan
        ceilings[name] = {**label_ceiling(onset[rows], sigma[rows], bin_width), "sharp_mean_error_samples": mean}
    return ceilings


def _classify(classifier, arrays, held_out, verbose):
    """Measures and calibration of a classifier, and its estimates of the held-out signals."""
    bin_width = classifier.bin_width
    logits, held = (
        classifier.predict(standardize(part["signal"]), batch_size=256, verbose=verbose) for part in (arrays, held_out)
    )
    temperature = fit_temperature(held, held_out["onset"], bin_width)
    curves = {
        "as trained": reliability(logits, arrays["onset"], bin_width),
        f"temperature {temperature:.2f}": reliability(logits, arrays["onset"], bin_width, temperature),
    }
    before, after = (curve["expected_calibration_error"] for curve in curves.values())
    measured = classifier.decode(logits, temperature=temperature)
    measured |= {
        "onset": measured["onset"].astype("float64"),
        "class": logits.argmax(1),
        "curves": curves,
        "calibration": {
            "temperature": temperature,
            "expected_calibration_error": after,
            "expected_calibration_error_as_trained": before,
        },
    }
    return measured, classifier.decode(held, temperature=temperature)["onset"].astype("float64")


def _pick(picker, arrays, held_out, sampling_rate, scale):
    """Measures of the first pick of each signal, and those of the held-out signals."""
    scale = picker.choose_scale(held_out["signal"], sampling_rate) if scale is None else scale
    picks = picker.pick(arrays["signal"], sampling_rate, scale=scale)
    first = picks.first()
    measured = {name: first.of_each_trace(name) for name in ("onset", "confidence")}
    measured |= {"interval": first.of_each_trace("interval") * sampling_rate, "class": None, "curves": {}}
    measured |= {"picks": picks, "calibration": {}}
    return measured, picker.pick(held_out["signal"], sampling_rate, scale=scale).first().of_each_trace("onset")
