"""What the picker found: one row an echo, and one reason for each trace that has none."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_usmae.picker.scale import Scale

_COLUMNS = ("trace", "echo", "onset", "tof", "interval", "confidence", "amplitude", "snr_db")


@dataclasses.dataclass(frozen=True, eq=False)
class Picks:
    """Echoes that were found in a batch of traces, sorted by trace and then by time.

    Args:
        trace: int64 array of shape `(n,)`. The trace of each echo, 0-based.
        echo: int64 array of shape `(n,)`. Its rank among the echoes of its trace, 0 is the earliest.
        onset: float64 array of shape `(n,)`. Samples of the recording's own rate.
        tof: float64 array of shape `(n,)`. Seconds: `onset / sampling_rate + start_time`.
        interval: float64 array of shape `(n, 2)`. Seconds, holds the time of flight with a probability of 95 %.
        confidence: float64 array of shape `(n,)`. Probability that an echo begins within a bin of the pick.
        amplitude: float64 array of shape `(n,)`. Peak of the burst's envelope, in the unit of the recording.
        snr_db: float64 array of shape `(n,)`. dB of `amplitude` over the RMS of the noise in the band of the bursts,
            which is estimated from the quietest tenth of the trace's envelope; infinite where there is no noise. Being
            of the peak, and in that band, it exceeds the `snr_db` of synthetic sets by some 10 to 15 dB.
        num_traces: int. Traces that were looked at.
        reason: array of `num_traces` str. Why a trace has no pick, `""` where it has one.
        scale: `Scale`. How the recording was resampled for the network.
        sampling_rate: float. Hz, of the recording.

    Example:

    ```python
    first = picker.pick(signals, sampling_rate=100e6).first()
    first.of_each_trace("tof")  # seconds, one a trace, NaN where there is no echo
    ```
    """

    trace: np.ndarray
    echo: np.ndarray
    onset: np.ndarray
    tof: np.ndarray
    interval: np.ndarray
    confidence: np.ndarray
    amplitude: np.ndarray
    snr_db: np.ndarray
    num_traces: int
    reason: np.ndarray
    scale: Scale
    sampling_rate: float

    def __len__(self):
        return len(self.trace)

    def select(self, rows: np.ndarray) -> "Picks":
        """Keeps some of the picks; number of traces, reasons and ranks stay.

        Args:
            rows: bool array of shape `(n,)`, or int array of rows in rising order.

        Returns:
            `Picks`.
        """
        return dataclasses.replace(self, **{name: getattr(self, name)[rows] for name in _COLUMNS})

    def of_trace(self, index: int) -> "Picks":
        """The picks of one trace.

        Args:
            index: int, 0-based; negative ones count from the end.

        Returns:
            `Picks`, empty where the trace has none.

        Raises:
            IndexError: where there is no such trace.
        """
        if not -self.num_traces <= index < self.num_traces:
            raise IndexError(f"There is no trace {index}: the recording has {self.num_traces} traces.")
        return self.select(self.trace == index % self.num_traces)

    def first(self, within_db: float = 10.0) -> "Picks":
        """The earliest echo of each trace, weak clutter ahead of it left out, as the threshold of a gate does.

        Reverberation, a small flaw or the ringing of a filter may come before the echo that is meant. An echo counts
        if its amplitude is at most `within_db` below that of the strongest pick of its trace.

        Args:
            within_db: float, dB. `float("inf")` takes the earliest pick, however weak. Defaults to `10.0`, a threshold
                at a third of the largest amplitude.

        Returns:
            `Picks` with at most one a trace.
        """
        if not within_db >= 0:
            raise ValueError(f"`within_db` must be 0 dB or more. Received: within_db={within_db}")
        peak = np.zeros(self.num_traces)
        np.maximum.at(peak, self.trace, self.amplitude)
        rows = np.flatnonzero(self.amplitude >= peak[self.trace] * 10 ** (-within_db / 20))
        return self.select(rows[np.unique(self.trace[rows], return_index=True)[1]])

    def strongest(self) -> "Picks":
        """The echo of the largest amplitude of each trace, the earlier of two that are equal.

        Returns:
            `Picks` with at most one a trace.
        """
        order = np.lexsort((self.echo, -self.amplitude, self.trace))
        return self.select(order[np.unique(self.trace[order], return_index=True)[1]])

    def nth(self, echo: int) -> "Picks":
        """The echo of one rank of each trace.

        Args:
            echo: int, 0 is the earliest.

        Returns:
            `Picks` with at most one a trace; traces with fewer echoes have none.
        """
        if echo < 0:
            raise ValueError(f"`echo` is a rank from 0, the earliest. Received: echo={echo}")
        return self.select(self.echo == echo)

    def nearest(self, tof: np.ndarray) -> "Picks":
        """The pick nearest to a time of each trace, the earlier of two that are as near.

        Args:
            tof: float array of shape `(num_traces,)`, seconds on the scale of `tof`, such as labels; NaN for none.

        Returns:
            `Picks` with at most one a trace; traces without a time have none.
        """
        distance = np.abs(self.tof - tof[self.trace])
        order = np.lexsort((self.echo, distance, self.trace))
        order = order[np.isfinite(distance[order])]
        return self.select(order[np.unique(self.trace[order], return_index=True)[1]])

    def within(self, start: float, stop: float) -> "Picks":
        """The picks in a gate; `echo` remains the rank in the whole trace.

        Args:
            start: float, seconds on the scale of `tof`; belongs to the gate.
            stop: float, seconds; does not belong to it.

        Returns:
            `Picks`.

        Raises:
            ValueError: where the gate is empty.
        """
        if not start < stop:
            raise ValueError(f"A gate must end after it starts. Received: start={start:g} s, stop={stop:g} s")
        return self.select((self.tof >= start) & (self.tof < stop))

    def of_each_trace(self, name: str) -> np.ndarray:
        """One value for each trace, of picks with at most one a trace.

        Args:
            name: str, a column such as `"tof"` or `"confidence"`.

        Returns:
            float64 array of shape `(num_traces,)`, or `(num_traces, 2)` for `"interval"`; NaN where there is no pick.

        Raises:
            ValueError: where a trace has several picks, or there is no such column.
        """
        if name not in _COLUMNS:
            raise ValueError(f"`name` must be one of {_COLUMNS}. Received: name={name!r}")
        if (np.diff(self.trace) == 0).any():
            raise ValueError(
                "A trace has several picks. Choose one of each trace first, by `first()`, `strongest()` or `nth(0)`."
            )
        column = getattr(self, name)
        values = np.full((self.num_traces, *column.shape[1:]), np.nan)
        values[self.trace] = column
        return values

    @classmethod
    def concatenate(cls, blocks: "Sequence[Picks]") -> "Picks":
        """Joins the picks of consecutive blocks of one recording; traces are counted on.

        Args:
            blocks: sequence of `Picks` of one scale and sampling rate, one or more.

        Returns:
            `Picks`.

        Raises:
            ValueError: where there is no block, or the blocks differ in scale or sampling rate.
        """
        blocks = list(blocks)
        if not blocks:
            raise ValueError("There is no block of picks to join.")
        kinds = {(block.scale.up, block.scale.down, block.sampling_rate) for block in blocks}
        if len(kinds) > 1:
            raise ValueError(
                f"Blocks of one recording share scale and sampling rate, but these have (up, down, Hz) = "
                f"{sorted(kinds)}. Choose the scale once, by `choose_scale`, and give it to each call of `pick`."
            )
        before = np.cumsum([0, *(block.num_traces for block in blocks)])
        columns = {name: np.concatenate([getattr(block, name) for block in blocks]) for name in _COLUMNS}
        columns["trace"] = np.concatenate([block.trace + n for block, n in zip(blocks, before[:-1], strict=True)])
        return cls(
            **columns,
            num_traces=int(before[-1]),
            reason=np.concatenate([block.reason for block in blocks]),
            scale=blocks[0].scale,
            sampling_rate=blocks[0].sampling_rate,
        )
