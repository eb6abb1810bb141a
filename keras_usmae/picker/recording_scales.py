"""The scales of several recordings: of one probe, so each sampling rate has one, estimated from the first traces."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from keras_usmae.picker.picker import EchoPicker
    from keras_usmae.picker.scale import Scale
    from keras_usmae.signals.readers.recording import Recording

_PROBED = 512  # traces that the scale is estimated from


class _Part(Protocol):
    """Traces of one rate: a recording, or a block of one."""

    @property
    def signals(self) -> np.ndarray: ...

    @property
    def sampling_rate(self) -> float: ...


class RecordingScales:
    """The scale of each sampling rate.

    Args:
        picker: `EchoPicker`.
        fixed: `Scale` that a user gave, or `None`.
        first: sequence of `Recording`, or of other things with `signals` and `sampling_rate`, to estimate scales from.

    Attributes:
        chosen: dict of `Scale` by sampling rate in Hz.
    """

    def __init__(self, picker: "EchoPicker", fixed: "Scale | None", first: Sequence[_Part]) -> None:
        self.picker, self.fixed = picker, fixed
        self.chosen: dict[float, Scale] = {}
        if fixed is None:
            self._choose(first)

    def of(self, part: _Part) -> "Scale":
        """The scale for `EchoPicker.pick`."""
        if part.sampling_rate not in self.chosen:
            if self.fixed is not None:
                return self.fixed
            self._choose([part])
        return self.chosen[part.sampling_rate]

    def burst(self, recording: "Recording") -> float:
        """Length of a burst of a recording in s; a fiftieth of the record where it is not known."""
        length = getattr(self.chosen.get(recording.sampling_rate), "burst_length", np.nan)
        return (length if np.isfinite(length) else recording.signals.shape[1] / 50) / recording.sampling_rate

    def _choose(self, parts):
        for rate in {part.sampling_rate for part in parts}:
            mine = [part.signals for part in parts if part.sampling_rate == rate]
            length = min(signals.shape[1] for signals in mine)
            share = max(_PROBED // len(mine), 1)
            probe = [signals[:: -(-len(signals) // share), :length] for signals in mine]
            self.chosen[rate] = self.picker.choose_scale(np.concatenate(probe), rate)
