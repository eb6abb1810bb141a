"""From the picks of a block of traces to the rows of the table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.picker.gates import choose_echoes, choose_pair
from keras_usmae.picker.thickness import thickness

if TYPE_CHECKING:
    from keras_usmae.picker.gates import Gate
    from keras_usmae.picker.picks import Picks
    from keras_usmae.picker.scan import Scan
    from keras_usmae.picker.settings import PredictConfig

FAR_SAMPLES = 32  # of the network: an error of more is another echo, not an inaccurate one
_LOW_CONFIDENCE = 0.75  # one of four such picks is another thing


def table_kinds(scan: "Scan", config: "PredictConfig", labelled: bool) -> dict:
    """Columns of the table of picks and their kinds, see `PickTable`.

    Args:
        labelled: bool, whether the recordings have labels.

    Returns:
        A dict from name to kind.
    """
    kinds = {"_number": "int64", "_gate": "int64", "file": str, "trace": "int64"}
    if scan.names != ("trace",) or scan.step:
        kinds |= {column: "float64" if scan.step else "int64" for column in scan.columns}
    kinds |= {"gate": str, "echo": "int64", "tof_us": "float64", "tof_low_us": "float64", "tof_high_us": "float64"}
    name = distance_name(config)
    if name:
        kinds |= {f"{name}_mm": "float64", f"{name}_low_mm": "float64", f"{name}_high_mm": "float64"}
    kinds |= {"confidence": "float64", "amplitude": "float64", "snr_db": "float64"}
    if labelled:
        kinds |= {"label_us": "float64", "nearest_us": "float64", "_in_interval": "float64"}
    return {**kinds, "flag": str}


def distance_name(config: "PredictConfig") -> str:
    """What the table calls its millimetres: `"thickness"`, `"depth"` where a speed of sound is known, or `""`."""
    if config.thickness:
        return "thickness"
    return "depth" if config.speed_of_sound else ""


def block_rows(
    picks: "Picks", gates: "Sequence[Gate]", echo: str | int, config: "PredictConfig", signals: np.ndarray
) -> dict:
    """Rows of a block: an echo each, and one for each trace and gate that has none.

    Args:
        picks: `Picks` of the block.
        gates: sequence of `Gate`.
        echo: as `parse_echo` returns it.
        config: `PredictConfig`, whose `thickness` and `speed_of_sound` are used.
        signals: array of shape `(n, L)`, the traces of the picks.

    Returns:
        A dict of arrays of one length, in order of trace, gate and time: `"trace"` and `"gate"` (numbers), `"echo"`
        (from 1, 0 for none), `"tof"` (s), `"interval"` (s, of shape `(n, 2)`), `"confidence"`, `"amplitude"`,
        `"snr_db"`, `"distance"` (mm), `"distance_interval"` (mm, of shape `(n, 2)`) and `"flag"` (str).
    """
    if config.thickness:
        parts = _thickness_parts(picks, gates, echo, config.speed_of_sound, signals)
    else:
        parts = [_part(picks, choose_echoes(picks, gate, echo), number, echo) for number, gate in enumerate(gates)]
        for part in parts:
            if config.speed_of_sound:
                part["distance"] = part["tof"] * config.speed_of_sound * 500
                part["distance_interval"] = part["interval"] * config.speed_of_sound * 500
    rows = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    order = np.lexsort((rows["echo"], rows["echo"] == 0, rows["gate"], rows["trace"]))  # what is missing comes last
    return {key: values[order] for key, values in rows.items()}


def missing_rows(trace: np.ndarray, reasons: Sequence[str], num_gates: int) -> dict:
    """Rows of traces that could not be looked at.

    Args:
        trace: int array of shape `(k,)`.
        reasons: sequence of `k` str.
        num_gates: int. Each trace has a row for each gate.

    Returns:
        A dict as `block_rows` returns it.
    """
    count = len(trace) * num_gates
    rows = _empty(count)
    rows["trace"] = np.repeat(np.asarray(trace, int), num_gates)
    rows["gate"] = np.tile(np.arange(num_gates), len(trace))
    rows["flag"] = np.repeat(np.array(reasons, object), num_gates)
    return rows


def _part(picks, chosen, gate, echo):
    """Rows of one gate, with those of its traces that have no echo."""
    without = np.setdiff1d(np.arange(picks.num_traces), chosen.trace)
    rows = missing_rows(without, [_reason(picks, trace, gate, echo) for trace in without], 1)
    found = _empty(len(chosen))
    found |= {"trace": chosen.trace, "echo": chosen.echo + 1, "tof": chosen.tof, "interval": chosen.interval}
    found |= {"confidence": chosen.confidence, "amplitude": chosen.amplitude, "snr_db": chosen.snr_db}
    found["flag"] = _doubts(chosen)
    both = {key: np.concatenate([rows[key], found[key]]) for key in rows}
    return {**both, "gate": np.full(len(both["trace"]), gate)}


def _doubts(picks):
    """Why a pick is to be looked at, or `""`."""
    half_width = np.ptp(picks.interval, axis=1) / 2
    wide = half_width * picks.sampling_rate * picks.scale.ratio > FAR_SAMPLES
    doubts = np.where(wide, "doubtful: wide interval", "").astype(object)
    doubts[picks.confidence < _LOW_CONFIDENCE] = "doubtful: low confidence"
    return doubts


def _thickness_parts(picks, gates, echo, speed_of_sound, signals):
    front, back = choose_pair(picks, gates, echo)
    millimetres, interval = thickness(front, back, speed_of_sound, signals)
    last = len(gates) - 1
    parts = [_part(picks, front, 0, echo), _part(picks, back, last, echo)]
    if last == 0:
        # Of one gate, a trace without either echo has one row, and one with the first alone says what it lacks.
        front_found = np.isin(parts[1]["trace"], front.trace)
        lacking = (parts[1]["echo"] == 0) & front_found
        parts[1]["flag"][lacking] = "no second echo"
        keep = (parts[1]["echo"] > 0) | front_found
        parts[1] = {key: values[keep] for key, values in parts[1].items()}
        keep = (parts[0]["echo"] > 0) | ~np.isin(parts[0]["trace"], back.trace)
        parts[0] = {key: values[keep] for key, values in parts[0].items()}
    found = parts[1]["echo"] > 0
    parts[1]["distance"][found] = millimetres[parts[1]["trace"][found]]
    parts[1]["distance_interval"][found] = interval[parts[1]["trace"][found]]
    return parts


def _reason(picks, trace, gate, echo):
    if picks.reason[trace]:
        return picks.reason[trace]
    return f"fewer than {echo} echoes in the gate" if isinstance(echo, int) and echo > 1 else "no echo in the gate"


def _empty(count):
    rows = {"trace": np.zeros(count, int), "gate": np.zeros(count, int), "echo": np.zeros(count, int)}
    rows |= {key: np.full(count, np.nan) for key in ("tof", "confidence", "amplitude", "snr_db", "distance")}
    rows |= {key: np.full((count, 2), np.nan) for key in ("interval", "distance_interval")}
    return {**rows, "flag": np.full(count, "", object)}
