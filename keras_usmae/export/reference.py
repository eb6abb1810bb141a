"""What exported files are judged against: a model, signals with known echoes, and what Keras makes of them."""

import abc
import functools
import math
from typing import Any

import numpy as np
import scipy.special

from keras_usmae.evaluation.scores import score_onsets
from keras_usmae.export.synthetic import choose_min_confidence, loudest_picks, silent_confidences
from keras_usmae.models import EchoDetector, ToFClassifier, decode_onset
from keras_usmae.picker import EchoPicker
from keras_usmae.picker.decoding import decode_picks
from keras_usmae.signals import check_signals, samples_to_mm, samples_to_seconds, standardize

_SETTINGS = ("min_confidence", "interval_scale", "interval_floor", "label_sigma")
_NEAR_BINS = 1.5  # of an onset: a pick within them has found it


class Reference(abc.ABC):
    """A model, signals with known echoes, and what Keras makes of them; `reference_of` builds the right one.

    Args:
        model: `EchoDetector` or `ToFClassifier` in float32.
        signals: array of shape `(n, signal_length)`, raw.
        onset: array of shape `(n,)`, or `(n, k)` for several echoes a signal, NaN for those that it lacks; samples.
        source: str, what these signals are, for the reports. Defaults to `"the test split"`.
        speed_of_sound: float, m/s, for errors in mm. Defaults to `1480.0`.

    Raises:
        ValueError: if the signals have another length, or samples that are not finite, or there are fewer onsets.
    """

    kind: str

    def __init__(
        self,
        model: EchoDetector | ToFClassifier,
        signals: np.ndarray,
        onset: np.ndarray,
        source: str = "the test split",
        speed_of_sound: float = 1480.0,
    ) -> None:
        self.model = model
        self.signal_length = model.encoder.signal_length
        self.signals = np.asarray(signals)
        self.inputs = standardize(check_signals(self.signals, self.signal_length))
        self.onset = np.asarray(onset, "float64").reshape(len(self.inputs), -1)
        self.source = source
        self.speed_of_sound = speed_of_sound
        self.logits = model.predict(self.inputs, batch_size=256, verbose=0)
        self.num_bins = self.logits.shape[1]
        self.bin_width = model.bin_width

    def compare(self, logits: np.ndarray, output_scale: float = 0.0) -> dict:
        """Scores the logits of a runtime against Keras's, and both against the labels.

        Args:
            logits: float32 array of shape `(m, num_bins)`, of the first `m` signals.
            output_scale: float, logit of one LSB of a quantised output. Defaults to `0.0`, a float output.

        Returns:
            A dict of figures; `keys_of_table` names those that a table shows.
        """
        expected = self.logits[: len(logits)]
        deviation = np.abs(self.probabilities(logits) - self.probabilities(expected))
        in_lsb = np.abs(logits - expected) / output_scale if output_scale else None
        return {
            "num_signals": len(logits),
            "probability_deviation_max": float(deviation.max()),
            "probability_deviation_mean": float(deviation.mean()),
            "logit_deviation_max_lsb": None if in_lsb is None else float(in_lsb.max()),
            "logit_deviation_mean_lsb": None if in_lsb is None else float(in_lsb.mean()),
            **self._score(logits, expected, self.onset[: len(logits)]),
        }

    @abc.abstractmethod
    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Probability of each bin, `(n, num_bins)`, float32."""

    @property
    @abc.abstractmethod
    def settings(self) -> dict:
        """What `decode_picks` takes."""

    @abc.abstractmethod
    def _score(self, logits, expected, onset): ...


class ClassReference(Reference):
    """The `Reference` of a `ToFClassifier`: each signal has one onset, and the bins exclude each other."""

    kind = "classifier"

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Probability of each bin, `(n, num_bins)`, float32."""
        return scipy.special.softmax(np.asarray(logits, "float32"), axis=-1)

    @functools.cached_property
    def settings(self) -> dict:
        """What `decode_picks` takes: the least confidence of `choose_min_confidence`, the spread as it is stated."""
        return {
            "min_confidence": choose_min_confidence(self._silent, loudest_picks(self._found, self.bin_width)),
            "interval_scale": 1.0,
            "interval_floor": self.bin_width / math.sqrt(12),
            "label_sigma": 0.0,
        }

    @functools.cached_property
    def shares(self) -> dict[str, float]:
        """Share of records without an echo that get a pick, and of labels that keep one within 1.5 bins."""
        error = _nearest_errors(decode_picks(self._found, self.bin_width, **self.settings), self.onset)
        return {
            "false_records": float((self._silent >= self.settings["min_confidence"]).mean()),
            "kept": float((np.abs(error) <= _NEAR_BINS * self.bin_width).mean()),
        }

    @functools.cached_property
    def _silent(self):
        def measure(inputs):
            return self.probabilities(self.model.predict(inputs, batch_size=256, verbose=0))

        return silent_confidences(measure, self.signal_length, self.bin_width)

    @property
    def _found(self):
        return self.probabilities(self.logits)

    def _score(self, logits, expected, onset):
        likeliest = logits.argmax(axis=-1)
        distance = np.abs(likeliest - expected.argmax(axis=-1))
        estimate = np.asarray(decode_onset(logits, self.bin_width))
        rate = self.model.sampling_rate
        return {
            "argmax_agreement": float((distance == 0).mean()),
            "argmax_within_one_bin_of_keras": float((distance <= 1).mean()),
            **score_onsets(onset, estimate, self.bin_width, rate, self.speed_of_sound, predicted_class=likeliest),
        }


class EchoReference(Reference):
    """The `Reference` of an `EchoDetector`: a signal may hold no echo, one or several.

    Raises:
        ValueError: if the detector has no least confidence of its own.
    """

    kind = "detector"

    def __init__(self, model: EchoDetector, *args: Any, **kwargs: Any) -> None:
        if "min_confidence" not in model.settings:
            raise ValueError(
                "The detector has no min_confidence: nobody knows which of its picks to trust. Let "
                "recipes/train_picker.py end its training, which chooses them on records without an echo; on a run of "
                "an earlier version, with --resume and its own options."
            )
        super().__init__(model, *args, **kwargs)

    @functools.cached_property
    def settings(self) -> dict:
        """What `decode_picks` takes: as the picker has them."""
        settings = EchoPicker(self.model).settings
        return {name: settings[name] for name in _SETTINGS}

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Probability of each bin that an echo begins in it, `(n, num_bins)`, float32."""
        return scipy.special.expit(np.asarray(logits, "float32"))

    def picks(self, logits: np.ndarray) -> dict[str, np.ndarray]:
        """The picks of logits `(n, num_bins)`, as `decode_picks` gives them."""
        return decode_picks(self.probabilities(logits), self.bin_width, **self.settings)

    def _score(self, logits, expected, onset):
        picks, keras_picks = self.picks(logits), self.picks(expected)
        error = _nearest_errors(picks, onset)
        near = np.abs(error) <= _NEAR_BINS * self.bin_width
        labelled = np.isfinite(onset)
        errors = np.abs(error[near]) if near.any() else np.array([np.nan])
        scores = {
            "picks_per_signal": len(picks["trace"]) / len(onset),
            "picks_of_keras_found": self._share(keras_picks, picks),
            "picks_that_keras_has": self._share(picks, keras_picks),
            "found": float(near[labelled].mean()),
            "within_one_bin": self._first_within_one_bin(picks, onset),
        }
        for name, value in (("mean_error", errors.mean()), ("median_error", np.median(errors))):
            scores[f"{name}_samples"] = float(value)
            scores[f"{name}_ns"] = float(samples_to_seconds(value, self.model.sampling_rate) * 1e9)
            scores[f"{name}_mm"] = float(samples_to_mm(value, self.model.sampling_rate, self.speed_of_sound))
        return scores

    def _share(self, sought, picks):
        """Share of some picks that have one of others within a bin."""
        if not len(sought["trace"]):
            return 1.0
        found = 0
        for row in np.unique(sought["trace"]):
            ours = picks["onset"][picks["trace"] == row]
            theirs = sought["onset"][sought["trace"] == row]
            if len(ours):
                found += int((np.abs(theirs[:, None] - ours).min(axis=1) <= self.bin_width).sum())
        return found / len(sought["trace"])

    def _first_within_one_bin(self, picks, onset):
        """Share of signals whose first pick lies within a bin of the label; `None` where labels are several."""
        if onset.shape[1] > 1:
            return None
        first = np.full(len(onset), -np.inf)
        rows, index = np.unique(picks["trace"], return_index=True)
        first[rows] = picks["onset"][index]
        distance = np.abs(np.floor(first / self.bin_width) - np.floor(onset[:, 0] / self.bin_width))
        return float((distance <= 1).mean())


def _nearest_errors(picks, onset):
    """Errors of the picks that are nearest to each onset; NaN where there is no pick."""
    error = np.full(onset.shape, np.nan)
    for row in np.unique(picks["trace"]):
        difference = picks["onset"][picks["trace"] == row][:, None] - onset[row]
        nearest = np.abs(np.where(np.isfinite(difference), difference, np.inf)).argmin(axis=0)
        error[row] = difference[nearest, np.arange(onset.shape[1])]
    return error


def reference_of(
    model: EchoDetector | ToFClassifier,
    signals: np.ndarray,
    onset: np.ndarray,
    source: str = "the test split",
    speed_of_sound: float = 1480.0,
) -> ClassReference | EchoReference:
    """What exported files of a model are judged against.

    Args:
        model: `EchoDetector` or `ToFClassifier` in float32; see `load_model`.
        signals: array of shape `(n, signal_length)`, raw.
        onset: array of shape `(n,)`, labelled onsets in samples; for a detector also `(n, k)`, see `Reference`.
        source: str, what these signals are, for the reports. Defaults to `"the test split"`.
        speed_of_sound: float, m/s, for errors in mm. Defaults to `1480.0`.

    Raises:
        ValueError: for another model, unfit signals, or a detector without a least confidence.
    """
    for kind, chosen in ((ToFClassifier, ClassReference), (EchoDetector, EchoReference)):
        if isinstance(model, kind):
            return chosen(model, signals, onset, source, speed_of_sound)
    raise ValueError(f"Export takes an `EchoDetector` or a `ToFClassifier`. Received: {type(model).__name__}")
