"""The ready picker: from traces of any rate, length and unit to the echoes in them."""

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.picker.counting import choose_picks
from keras_usmae.picker.engines import KerasEngine, LiteRTEngine, check_engine, load_engine
from keras_usmae.picker.looking import look
from keras_usmae.picker.picks import Picks
from keras_usmae.picker.scale import Scale, as_scale, choose_scale
from keras_usmae.picker.settings import DETECTOR_FILE
from keras_usmae.picker.traces import NO_ECHO, Traces
from keras_usmae.signals.tof import samples_to_seconds

if TYPE_CHECKING:
    from keras_usmae.models.echo_detector import EchoDetector

ENGINE_FILE = "detector.tflite"

# Of a detector that brings none of its own, such as one in the middle of its training. `calibrate_picker` chooses them.
_SETTINGS = {
    "min_confidence": 0.5,  # by which decoding alone tells an echo, as firmware does
    "sure_confidence": None,  # that a pick needs on its own; `None` for the above
    "clear_confidence": None,  # that one of `clear_snr_db` needs; `None` for no such rule
    "clear_snr_db": 20.0,
    "loud_confidence": 0.4,  # that one needs which is nearly as loud as the loudest that counts
    "interval_scale": 1.0,
    "interval_floor": 2.5,
    "label_sigma": 8.0,
    "burst_typical": 280.0,
}
_BATCH_SIZES = {"litert": 64, "keras": 256}  # of one window after the other, what stays in the cache counts


class EchoPicker:
    """Finds the echoes of A-scans with a trained `EchoDetector`.

    A recording is resampled so that its bursts have the length that the network knows, cut into windows that overlap,
    and each bin of 16 samples gets the probability that an echo begins in it. Picks are the peaks of these.

    Args:
        detector: `EchoDetector`, trained; or `LiteRTEngine` of one.

    Attributes:
        bin_width: int. Samples of a bin, at the network's scale.
        settings: dict of what picking needs beside the network.
        engine: `LiteRTEngine` or `KerasEngine`, what runs the network.

    Raises:
        ValueError: where the model is no `EchoDetector`.

    Example:

    ```python
    from keras_usmae.picker import EchoPicker

    picker = EchoPicker.from_preset("tiny_patch64")
    picks = picker.pick(signals, sampling_rate=50e6)
    picks.first().of_each_trace("tof")  # seconds
    ```
    """

    def __init__(self, detector: "EchoDetector | LiteRTEngine"):
        self.engine = detector if isinstance(detector, LiteRTEngine) else KerasEngine(_checked(detector))
        self.bin_width = self.engine.info.bin_width
        self.settings = {**_SETTINGS, **self.engine.info.settings}

    @classmethod
    def from_preset(cls, name: str, engine: str = "auto") -> "EchoPicker":
        """The picker that ships with the package.

        Args:
            name: str: `"nano"`, `"nano_mcu"`, `"tiny"` or `"tiny_patch64"`.
            engine: str, what runs the network. `"litert"` on the processor; `"keras"` on whatever Keras's backend uses,
                such as a GPU. Defaults to `"auto"`, LiteRT where it is installed.

        Returns:
            `EchoPicker`.

        Raises:
            ValueError: where there is no picker of this name, or no such engine.
            ImportError: where the engine is LiteRT and it is not installed.
        """
        check_engine(engine)
        folder = resources.files("keras_usmae.presets")
        with (
            resources.as_file(folder / f"{name}_picker.tflite") as path,
            resources.as_file(folder / f"{name}_picker.weights.h5") as weights,
        ):
            # A name that is none is for `EchoDetector` to refuse: it knows all others.
            found = load_engine(path, weights, engine) if weights.is_file() else None
        if found is None:
            from keras_usmae.models.echo_detector import EchoDetector  # here: LiteRT needs no Keras

            found = EchoDetector.from_preset(name)
        return cls(found)

    @classmethod
    def from_run(cls, folder: str | Path, engine: str = "auto") -> "EchoPicker":
        """The picker of a run of recipes/train_picker.py.

        Args:
            folder: path of the run's folder, which holds `detector.keras`, and `detector.tflite` for LiteRT.
            engine: str, see `from_preset`. Defaults to `"auto"`.

        Returns:
            `EchoPicker`.

        Raises:
            FileNotFoundError: where there is no such folder, or no detector in it.
            ValueError: where the file holds another model, or there is no such engine.
        """
        check_engine(engine)
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
        found = load_engine(folder / ENGINE_FILE, path, engine)
        if found is None:
            from keras_usmae.models.echo_detector import EchoDetector
            from keras_usmae.models.loading import load_trained

            found = load_trained(path, EchoDetector)
        return cls(found)

    def choose_scale(self, signals: np.ndarray, sampling_rate: float) -> Scale:
        """Chooses the scale of a recording; give it to each call of `pick` for blocks of one recording.

        Args:
            signals: array of shape `(n, L)` or `(L,)`. Some hundred traces are enough.
            sampling_rate: float. Hz.

        Returns:
            `Scale`, whose `why` says what was chosen and from what.

        Raises:
            ValueError: as `pick`.
        """
        return choose_scale(signals, sampling_rate, burst_typical=self.settings["burst_typical"])

    def pick(
        self,
        signals: np.ndarray,
        sampling_rate: float,
        start_time: float = 0.0,
        scale: Scale | float | str | None = None,
        min_confidence: float | None = None,
        batch_size: int | None = None,
    ) -> Picks:
        """Finds the echoes of traces.

        Args:
            signals: array of real numbers of shape `(n, L)`, or `(L,)` for one trace, in any unit.
            sampling_rate: float. Hz.
            start_time: float. Time of the first sample after the transmit pulse, in s. Defaults to `0.0`.
            scale: `Scale`, number, `"up/down"` or `None`. Samples for the network in each sample of the recording.
                `None` estimates it from the traces, see `choose_scale`. Defaults to `None`.
            min_confidence: float in (0, 1] or `None`. Less sure picks are dropped. `None` is the detector's own rule: a
                pick counts that is sure, or fairly sure and well above the noise, or likely and at most 10 dB below the
                loudest that counts in its trace. Defaults to `None`.
            batch_size: int or `None`. Windows at a time, in each thread. Defaults to `None`: 64 for LiteRT, which sees
                them one by one, and 256 for Keras.

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
        batch_size = _BATCH_SIZES[self.engine.name] if batch_size is None else batch_size
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be 1 or more. Received: batch_size={batch_size}")
        samples_to_seconds(0, sampling_rate)  # raises where the rate is no rate
        traces = Traces(signals)
        scale = self.choose_scale(signals, sampling_rate) if scale is None else as_scale(scale)
        seen = look(self.engine, traces, scale, batch_size)
        decoded = choose_picks(seen, self.bin_width, self.settings, min_confidence)
        trace, amplitude = decoded["trace"], decoded["amplitude"]
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
            snr_db=decoded["snr_db"],
            num_traces=traces.num_traces,
            reason=_reasons(traces, trace),
            scale=scale,
            sampling_rate=float(sampling_rate),
        )


def _checked(detector):
    """A detector, or an error for another model."""
    from keras_usmae.models.echo_detector import EchoDetector

    if not isinstance(detector, EchoDetector):
        raise ValueError(
            f"The picker needs an `EchoDetector`, whose head is trained to find echoes. Received: "
            f"{type(detector).__name__}. Use `EchoPicker.from_preset`, or train one with recipes/train_picker.py."
        )
    return detector


def _ranks(trace):
    """Rank of each pick in its trace, for picks that are sorted by trace."""
    return np.arange(len(trace)) - np.searchsorted(trace, trace)


def _reasons(traces, picked):
    reason = traces.reason.copy()
    reason[traces.usable] = NO_ECHO
    reason[picked] = ""
    return reason
