"""What the picker learns from measured labels: the labelled echo, and to stay as it is elsewhere.

A label says where one echo begins. Of the other bins of its trace it says nothing: they may hold echoes that nobody
asked for. To punish these would unlearn what the picker knows; to leave them out lets it drift. They take the
probabilities that the picker had before (learning without forgetting), and only the surroundings of a label, and the
gate of a trace that is labelled to have no echo, take the label's word.

Reference:
    - [Li and Hoiem, 2016](https://arxiv.org/abs/1606.09282)
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_usmae.labelling.labels import DOUBTFUL, NO_ECHO, SURE

if TYPE_CHECKING:
    from keras_usmae.models.echo_detector import EchoDetector
    from keras_usmae.picker.scale import Scale
    from keras_usmae.picker.traces import Traces


REACH = 4  # bins to either side of a labelled onset that the label speaks of
LEAST_LABELS = 8
_STRETCH = 16  # neighbours see nearly the same: they are held out together
_HELD_OUT = 0.2
_PER_PART = 4  # labels of a part of the scan, on average
_BEYOND = 600  # samples that a window may reach out of its record
_NOISE = (1e-3, 0.06)  # RMS added to a window, of its own
_LEAST_SPREAD = 1e-4


@dataclasses.dataclass(frozen=True, eq=False)
class EchoTable:
    """Labels as rows.

    Args:
        trace: int array of shape `(k,)`.
        gate: int array of shape `(k,)`, numbers of the gates.
        mark: int array of shape `(k,)`, indices into `MARKS`, none of them 0.
        onset: float array of shape `(k,)`, samples of the recording, NaN for no echo.
    """

    trace: np.ndarray
    gate: np.ndarray
    mark: np.ndarray
    onset: np.ndarray

    def __len__(self):
        return len(self.trace)

    def select(self, rows: np.ndarray) -> "EchoTable":
        """Some of the rows."""
        return EchoTable(self.trace[rows], self.gate[rows], self.mark[rows], self.onset[rows])


def hold_out(trace: np.ndarray, seed: int = 0) -> np.ndarray:
    """Which labels are held out, to score by: a fifth, in stretches of 16 traces, and the same ones every time.

    Args:
        trace: int array of shape `(k,)`, the labelled traces.

    Returns:
        bool array of shape `(k,)`, some of each where there are two stretches or more.
    """
    stretch = trace // _STRETCH
    different = np.unique(stretch)
    # A number of its own for each stretch: whether it is held out does not change with what else is labelled.
    draw = np.array([np.random.default_rng((seed, int(number))).random() for number in different])
    held = different[draw < _HELD_OUT]
    if not len(held) or len(held) == len(different):
        held = different[[draw.argmin()]]
    return np.isin(stretch, held)


def make_windows(
    read: "Callable[[list[int]], Traces]",
    table: EchoTable,
    gates: Sequence[tuple[float, float]],
    num_windows: int,
    length: int,
    bin_width: int,
    scale: "Scale",
    num_samples: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws windows about labelled echoes, each another piece of its trace, with noise and either polarity.

    Args:
        read: function from a list of traces to `keras_usmae.picker.traces.Traces`.
        table: `EchoTable`, the labels to learn from.
        gates: sequence of pairs of float, first and last sample of each gate in the recording.
        length: int. Samples of a window.
        num_samples: int. Samples of a trace of the recording.

    Returns:
        Tuple of the windows, float32 of shape `(num_windows, length)`, standardised; and of the targets, float32 of
        shape `(num_windows, num_bins)`: -1 where the picker's own word counts, NaN where nobody's does.
    """
    rng = np.random.default_rng(seed)
    from keras_usmae.picker.windows import complete_short

    ratio, total = scale.ratio, max(num_samples * scale.up // scale.down, 1)
    drawn = table.select(_evenly(table.trace, num_windows, rng))
    middle = np.where(drawn.mark == NO_ECHO, _inside(gates, drawn.gate, num_samples, rng), drawn.onset) * ratio
    margin = length // 8
    # Anywhere in the window but in its margin. It may reach a little out of the record, so that short ones move too.
    start = middle - rng.uniform(margin, length - margin, num_windows)
    start = np.clip(start, -_BEYOND, max(total - length, 0) + _BEYOND).astype(int) // bin_width * bin_width
    windows = np.empty((num_windows, length), np.float32)
    for trace in np.unique(drawn.trace):
        traces = read([int(trace)])
        for row in np.flatnonzero(drawn.trace == trace):
            first, stop = max(int(start[row]), 0), min(int(start[row]) + length, total)
            piece = traces.read(slice(0, 1), first, stop, scale.up, scale.down)
            piece = complete_short(piece[:, ::-1], stop - int(start[row]))[:, ::-1]  # ahead of the record
            windows[row] = complete_short(piece, length)[0]
    windows = _standardized(windows)
    low, high = np.log(_NOISE)
    noise = np.exp(rng.uniform(low, high, (num_windows, 1))).astype(np.float32)
    windows += noise * rng.standard_normal(windows.shape, dtype=np.float32)
    windows = _standardized(windows * rng.choice(np.array([-1, 1], np.float32), (num_windows, 1)))
    ends = np.stack([start <= 0, start + length >= total], axis=1)
    targets = _targets(drawn, table, gates, start, ends, length, bin_width, ratio)
    return windows, targets


def _evenly(trace, count, rng):
    """Draws labels so that all parts of the scan that hold some count alike, however many each holds.

    Doubtful traces lie close together, in the parts that the picker finds hard.
    """
    order = np.argsort(trace, kind="stable")
    parts = max(len(trace) // _PER_PART, 1)
    part = (trace[order] - trace.min()) * parts // (np.ptp(trace) + 1)
    some = np.unique(part)
    first, last = np.searchsorted(part, some), np.searchsorted(part, some, side="right")
    place = np.resize(np.arange(len(some)), count)
    return order[(first[place] + rng.random(count) * (last - first)[place]).astype(int)]


def _targets(drawn, table, gates, start, ends, length, bin_width, ratio):
    from keras_usmae.training.echo_batches import echo_targets

    num_bins = length // bin_width
    targets = np.full((len(drawn), num_bins), -1, np.float32)
    center = (np.arange(num_bins) + 0.5) * bin_width
    # A window's own margin, where nothing is behind its end, is not asked of the picker either.
    margin = length // 8
    targets[:, center < margin] = np.where(ends[:, :1], -1, np.nan)
    targets[:, center > length - margin] = np.where(ends[:, 1:], -1, np.nan)
    rows_of = {trace: np.flatnonzero(table.trace == trace) for trace in np.unique(drawn.trace)}
    for row, trace in enumerate(drawn.trace):
        labels = table.select(rows_of[trace])
        for gate, mark, onset in zip(labels.gate, labels.mark, labels.onset * ratio - start[row], strict=True):
            if mark == NO_ECHO:
                first, last = (end * ratio - start[row] for end in gates[gate])
                inside = (center >= first) & (center < last) & (targets[row] < 0)
                targets[row, inside] = 0
            elif 0 <= onset < length:
                near = np.abs(center - onset) <= (REACH + 0.5) * bin_width
                if mark == SURE:
                    echo = echo_targets(np.array([[onset]]), np.array([[2]]), num_bins, bin_width, 8.0)[0]
                    before = np.where(targets[row] >= 0, targets[row], 0)  # of an echo close by
                    targets[row, near] = np.minimum(echo + before, 1)[near]
                elif mark == DOUBTFUL:
                    targets[row, near] = np.nan
    return targets


def _inside(gates, gate, num_samples, rng):
    """A place in each gate, for what has no onset."""
    ends = np.clip(np.array(gates)[gate], 0, num_samples)
    return ends[:, 0] + rng.random(len(gate)) * (ends[:, 1] - ends[:, 0])


def _standardized(windows):
    """Windows as the picker's network sees them."""
    windows = windows - windows.mean(axis=1, keepdims=True)
    return windows / np.maximum(windows.std(axis=1, keepdims=True), _LEAST_SPREAD)


def teach(
    detector: "EchoDetector",
    windows: np.ndarray,
    targets: np.ndarray,
    settings: dict,
    on_step: Callable[[int], Any] = lambda step: None,
) -> None:
    """Fine-tunes a detector on windows; where the targets are -1, on what it says itself.

    Args:
        detector: `EchoDetector`, changed in place.
        windows: float32 array of shape `(n, length)`.
        targets: float32 array of shape `(n, num_bins)`, see `make_windows`.
        settings: dict with `"batch_size"` and `"learning_rate"`.
        on_step: function of the number of a step, called after each. Defaults to nothing.
    """
    import keras
    import scipy.special

    from keras_usmae.models import EchoCrossentropy
    from keras_usmae.training import WarmupStableDecay, jit_compile

    batch_size = settings["batch_size"]
    own = scipy.special.expit(np.asarray(detector.predict(windows, batch_size=batch_size, verbose=0)))
    targets = np.where(targets == -1, own, targets)
    del own
    steps = len(windows) // batch_size
    schedule = WarmupStableDecay(settings["learning_rate"], steps // 10, steps // 2, steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=0.05, beta_2=0.999, clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "table"])
    detector.compile(optimizer, loss=EchoCrossentropy(), jit_compile=jit_compile())
    told = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: on_step(batch + 1))
    count = steps * batch_size
    detector.fit(windows[:count], targets[:count], batch_size=batch_size, callbacks=[told], shuffle=False, verbose=0)
