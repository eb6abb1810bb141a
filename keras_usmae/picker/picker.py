"""The ready picker: from traces of any rate, length and unit to the echoes in them."""

from pathlib import Path

import numpy as np

from keras_usmae.models.echo_detector import EchoDetector
from keras_usmae.models.loading import load_trained
from keras_usmae.picker.decoding import decode_picks
from keras_usmae.picker.looking import look
from keras_usmae.picker.picks import Picks
from keras_usmae.picker.scale import as_scale, choose_scale
from keras_usmae.picker.settings import DETECTOR_FILE
from keras_usmae.picker.traces import NO_ECHO, Traces
from keras_usmae.signals.tof import samples_to_seconds

# Of a detector that brings none of its own, such as one in the middle of its training.
_SETTINGS = {
    "min_confidence": 0.5,
    "interval_scale": 1.0,
    "interval_floor": 2.5,
    "label_sigma": 8.0,
    "burst_typical": 280.0,
}
_INTERVAL = ("interval_scale", "interval_floor", "label_sigma")

_AMPLITUDE_BINS = 20  # from a pick on: the peak of the longest bursts lies in there
_FAR = np.iinfo(np.int64).max


class EchoPicker:
    """Finds the echoes of A-scans with a trained `EchoDetector`.

    A recording is resampled so that its bursts have the length that the network knows, cut into windows that overlap,
    and each bin of 16 samples gets the probability that an echo begins in it. Picks are the peaks of these.

    Args:
        detector: `EchoDetector`, trained.

    Raises:
        ValueError: where the model is no `EchoDetector`.

    Example:

    ```python
    from keras_usmae.picker import EchoPicker

    picker = EchoPicker.from_preset("tiny")
    picks = picker.pick(signals, sampling_rate=50e6)
    picks.first().of_each_trace("tof")  # seconds
    ```
    """

    def __init__(self, detector):
        if not isinstance(detector, EchoDetector):
            raise ValueError(
                f"The picker needs an `EchoDetector`, whose head is trained to find echoes. Received: "
                f"{type(detector).__name__}. Use `EchoPicker.from_preset`, or train one with recipes/train_picker.py."
            )
        self.detector = detector
        self.settings = {**_SETTINGS, **detector.settings}

    @classmethod
    def from_preset(cls, name):
        """The picker that ships with the package.

        Args:
            name: str, such as `"nano"` or `"tiny"`.

        Returns:
            `EchoPicker`.

        Raises:
            ValueError: where there is no picker of this name.

        Example:

        ```python
        picker = EchoPicker.from_preset("nano")
        ```
        """
        return cls(EchoDetector.from_preset(name))

    @classmethod
    def from_run(cls, folder):
        """The picker of a run of recipes/train_picker.py.

        Args:
            folder: path of the run's folder, which holds `detector.keras`.

        Returns:
            `EchoPicker`.

        Raises:
            FileNotFoundError: where there is no such folder, or no detector in it.
            ValueError: where the file holds another model.

        Example:

        ```python
        picker = EchoPicker.from_run("runs/picker")
        ```
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no run folder {str(folder)!r}.")
        path = folder / DETECTOR_FILE
        if not path.is_file():
            others = ", ".join(sorted(file.name for file in folder.glob("*.keras"))) or "no model"
            raise FileNotFoundError(
                f"{str(folder)!r} holds {others}, but no {DETECTOR_FILE!r}: there is no trained head that finds "
                "echoes. Train one with recipes/train_picker.py, or use a shipped one, `EchoPicker.from_preset`."
            )
        return cls(load_trained(path, EchoDetector))

    def choose_scale(self, signals, sampling_rate):
        """Chooses the scale of a recording; give it to each call of `pick` for blocks of one recording.

        Args:
            signals: array of shape `(n, L)` or `(L,)`. Some hundred traces are enough.
            sampling_rate: float. Hz.

        Returns:
            `Scale`, whose `why` says what was chosen and from what.

        Raises:
            ValueError: as `pick`.

        Example:

        ```python
        scale = picker.choose_scale(signals, sampling_rate=12.5e6)
        print(scale.why)
        ```
        """
        return choose_scale(signals, sampling_rate, burst_typical=self.settings["burst_typical"])

    def pick(self, signals, sampling_rate, start_time=0.0, scale=None, min_confidence=None, batch_size=256):
        """Finds the echoes of traces.

        Args:
            signals: array of real numbers of shape `(n, L)`, or `(L,)` for one trace, in any unit.
            sampling_rate: float. Hz.
            start_time: float. Time of the first sample after the transmit pulse, in s. Defaults to `0.0`.
            scale: `Scale`, number, `"up/down"` or `None`. Samples for the network in each sample of the recording.
                `None` estimates it from the traces, see `choose_scale`. Defaults to `None`.
            min_confidence: float in (0, 1] or `None`. Less sure picks are dropped. `None` takes the detector's own.
                Defaults to `None`.
            batch_size: int. Windows that the network sees at a time. Defaults to `256`.

        Returns:
            `Picks`.

        Raises:
            ValueError: where the signals are not real numbers of one or two axes, or an argument is out of range.

        Example:

        ```python
        picks = picker.pick(signals, sampling_rate=12.5e6, start_time=81e-6)
        picks.within(80e-6, 90e-6).first().of_each_trace("tof")
        ```
        """
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be 1 or more. Received: batch_size={batch_size}")
        samples_to_seconds(0, sampling_rate)  # raises where the rate is no rate
        traces = Traces(signals)
        scale = self.choose_scale(signals, sampling_rate) if scale is None else as_scale(scale)
        if min_confidence is None:
            min_confidence = self.settings["min_confidence"]
        seen = look(self.detector, traces, scale, batch_size)
        interval = {name: self.settings[name] for name in _INTERVAL}
        decoded = decode_picks(seen.probability, self.detector.bin_width, min_confidence, **interval)
        trace = decoded["trace"]
        amplitude = self._amplitude(decoded, seen)
        with np.errstate(divide="ignore"):
            snr_db = 20 * np.log10(amplitude / seen.noise[trace])
        # At the network's scale, an onset lies at `onset` samples; the recording's own samples are `up / down` of them.
        onset = np.clip(decoded["onset"] / scale.ratio, 0, traces.num_samples - 1)
        half_width = (decoded["half_width"] / scale.ratio)[:, None] * [-1, 1]
        return Picks(
            trace=trace,
            echo=_ranks(trace),
            onset=onset,
            tof=samples_to_seconds(onset, sampling_rate, start_time),
            interval=samples_to_seconds(onset[:, None] + half_width, sampling_rate, start_time),
            confidence=decoded["confidence"],
            amplitude=amplitude * traces.peak[trace],
            snr_db=snr_db,
            num_traces=traces.num_traces,
            reason=_reasons(traces, trace),
            scale=scale,
            sampling_rate=float(sampling_rate),
        )

    def _amplitude(self, decoded, seen):
        """Peak of the envelope from each pick to the next one, or as far as the longest bursts have theirs.

        The envelope of a clipped burst overshoots; no echo is louder than the largest sample of its trace.
        """
        trace, bins = decoded["trace"], (decoded["onset"] // self.detector.bin_width).astype(int)
        following = np.append(np.where(np.diff(trace) == 0, bins[1:], _FAR), _FAR) if len(bins) else bins
        reach = np.arange(_AMPLITUDE_BINS)
        inside = (reach == 0) | (bins[:, None] + reach < following[:, None])
        columns = np.minimum(bins[:, None] + reach, seen.peak.shape[1] - 1)
        return np.where(inside, seen.peak[trace[:, None], columns], 0).max(axis=1).clip(max=1).astype(np.float64)


def _ranks(trace):
    """Rank of each pick in its trace, for picks that are sorted by trace."""
    return np.arange(len(trace)) - np.searchsorted(trace, trace)


def _reasons(traces, picked):
    reason = np.where(traces.usable, NO_ECHO, traces.reason)
    reason[picked] = ""
    return reason
