"""The picks of all traces, in a process beside the page: block by block, each kept on the disk."""

from pathlib import Path

import numpy as np

from keras_usmae.files import atomic_write
from keras_usmae.labelling.helper import read_job
from keras_usmae.labelling.traces import Layout, TraceFile

_PROBED = 512  # traces that the scale is estimated from
_MARGIN = 32  # samples, fewer of which hold no onset


def main() -> None:
    """Picks the blocks that are not there yet; see `Found` for what a block holds."""
    job, tell = read_job()
    tell(step="starting")
    from keras_usmae.picker.gates import Gate
    from keras_usmae.picker.report import load_picker  # here: the page hears that we are at work
    from keras_usmae.picker.scale import as_scale
    from keras_usmae.picker.settings import PredictConfig

    traces = TraceFile(Layout(**job["layout"]))
    picker = load_picker(PredictConfig("", preset=job["preset"], run=job["run"]))
    rate, gates = job["sampling_rate"], [Gate(*gate) for gate in job["gates"]]
    probe = np.unique(np.linspace(0, traces.num_traces - 1, _PROBED).astype(int))
    scale = as_scale(job["scale"]) if job["scale"] else picker.choose_scale(traces.read(probe), rate)
    burst = scale.burst_length if np.isfinite(scale.burst_length) else 280.0 / scale.ratio
    tell(scale=str(scale), ratio=scale.ratio, burst=float(burst), why=scale.why)
    folder, rows = Path(job["folder"]), job["rows"]
    for number, start in enumerate(range(0, traces.num_traces, rows)):
        path = folder / f"{number:06d}.npz"
        if not path.exists():
            signals = traces.read(slice(start, min(start + rows, traces.num_traces)))
            picks = picker.pick(signals, rate, job["start_time"], scale=scale)
            block = _block(picks, signals, gates, job["echo"], scale, job["start_time"])
            with atomic_write(path) as partial:
                np.savez(partial, **block)
        tell(block=number)


def _block(picks, signals, gates, echo, scale, start_time):
    """Arrays of a block, see `Found`."""
    from keras_usmae.picker.gates import choose_echoes

    chosen = np.full((picks.num_traces, len(gates)), -1)
    for column, gate in enumerate(gates):
        some = choose_echoes(picks, gate, echo)
        # A pick is the one of its trace and onset: two of a trace are bins apart.
        chosen[some.trace, column] = [
            np.flatnonzero((picks.trace == trace) & (picks.onset == onset))[0]
            for trace, onset in zip(some.trace, some.onset, strict=True)
        ]
    return {
        "trace": picks.trace.astype(np.int32),
        "onset": picks.onset,
        "half_width": np.ptp(picks.interval, axis=1) / 2 * picks.sampling_rate,
        "confidence": picks.confidence.astype(np.float32),
        "amplitude": picks.amplitude.astype(np.float32),
        "chosen": chosen.astype(np.int32),
        "reason": np.array(picks.reason, dtype=str),
        "aic": _aic(signals, picks, gates, scale, start_time),
    }


def _aic(signals, picks, gates, scale, start_time):
    """Onsets that AIC finds in each gate, in samples; NaN where it finds none."""
    from keras_usmae.picker.traces import Traces
    from keras_usmae.signals import pick_aic

    rate, found = picks.sampling_rate, np.full((len(signals), len(gates)), np.nan)
    usable = Traces(signals).usable
    # As it is tuned, at the scale of the network: 250 samples ahead of the rise, and 20 behind it.
    window = (max(round(250 / scale.ratio), 16), max(round(20 / scale.ratio), 4))
    network_rate = 100e6 / (rate * scale.ratio)
    band = (0.3e6 / network_rate, min(20e6 / network_rate, 0.45 * rate))
    for column, gate in enumerate(gates):
        ends = [(time - start_time) * rate for time in (gate.start, gate.stop)]
        start, stop = (int(np.clip(end, 0, signals.shape[1])) for end in ends)
        if stop - start >= _MARGIN and usable.any():
            found[usable, column] = start + pick_aic(signals[usable, start:stop], rate, window, band)
    return found


if __name__ == "__main__":
    main()
