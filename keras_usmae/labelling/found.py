"""What the picker found in a scan, block by block as it comes."""

from pathlib import Path

import numpy as np

from keras_usmae.picker.traces import NO_ECHO

_PICK = ("onset", "half_width", "confidence", "amplitude")


class Found:
    """Picks of a scan, for what the page shows and the queue weighs.

    A block is a .npz file with, for its picks, `trace` (in the block), `onset` and `half_width` (samples),
    `confidence` and `amplitude`; for its traces `reason` (why there is no pick), and for each gate `chosen` (a pick's
    place, -1 for none) and `aic` (samples).

    Args:
        rows: int. Traces of a block.

    Attributes:
        onset: float array of shape `(num_gates, num_traces)`: the chosen pick of each gate in samples, NaN for none.
        half_width: float array of that shape, samples.
        confidence: float array of that shape.
        aic: float array of that shape, samples.
        looked: bool array of shape `(num_traces,)`. Traces that the picker has looked at.
        usable: bool array of that shape. Those in which there is something to look at.
    """

    def __init__(self, num_traces: int, num_gates: int, rows: int) -> None:
        self.rows = rows
        shape = (num_gates, num_traces)
        self.onset, self.half_width, self.aic = (np.full(shape, np.nan) for _ in range(3))
        self.confidence = np.zeros(shape)
        self.looked, self.usable = np.zeros(num_traces, bool), np.zeros(num_traces, bool)
        self.reason = np.full(num_traces, "", object)
        self._blocks = {}

    @property
    def done(self) -> int:
        """Traces that the picker has looked at, an int."""
        return int(self.looked.sum())

    def add(self, number: int, path: str | Path) -> None:
        """Takes a block from its file, in place of an older one."""
        with np.load(Path(path)) as stored:
            block = {name: stored[name] for name in stored.files}
        size = len(block["reason"])
        part = slice(number * self.rows, number * self.rows + size)
        chosen, there = block["chosen"].T, block["chosen"].T >= 0
        for name in ("onset", "half_width", "confidence"):
            values = np.append(block[name], np.nan)[np.where(there, chosen, -1)]
            getattr(self, name)[:, part] = np.nan_to_num(values) if name == "confidence" else values
        self.aic[:, part] = block["aic"].T
        self.reason[part] = block["reason"]
        self.looked[part] = True
        self.usable[part] = np.isin(block["reason"], ("", NO_ECHO))
        self._blocks[number] = {
            "first": np.searchsorted(block["trace"], np.arange(size + 1)),
            "chosen": block["chosen"],
            **{name: block[name] for name in _PICK},
        }

    def picks_of(self, trace: int) -> dict[str, list]:
        """All picks of a trace, a dict of lists, and in `"chosen"` the place of that of each gate, -1 for none."""
        block = self._blocks.get(trace // self.rows)
        if block is None:
            return {**{name: [] for name in _PICK}, "chosen": []}
        local = trace % self.rows
        start, stop = block["first"][local : local + 2]
        picks = {name: [float(value) for value in block[name][start:stop]] for name in _PICK}
        chosen = block["chosen"][local]
        return {**picks, "chosen": [int(place - start) if place >= 0 else -1 for place in chosen]}
