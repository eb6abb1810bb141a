"""What became of a prediction, in numbers and in words."""

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.picker.job import ends
from keras_usmae.picker.rows import FAR_SAMPLES
from keras_usmae.picker.scan import seems_transposed

if TYPE_CHECKING:
    from keras_usmae.picker.job import Job
    from keras_usmae.picker.picker import EchoPicker
    from keras_usmae.picker.tables import PickTable

_SHOWN = 5  # files or reasons that are listed one by one


def summarize(job: "Job", table: "PickTable", picker: "EchoPicker", scales: dict, seconds: float) -> dict:
    """Counts what was found.

    Args:
        job: `Job` that is through.
        table: `PickTable` of its picks.
        scales: dict from sampling rate to `Scale`.
        seconds: float. What the picking took.

    Returns:
        A dict that JSON can hold; times in µs, lengths in mm.
    """
    columns = table.columns()
    number, found = columns["_number"], columns["echo"] > 0
    flags = np.array(table.texts("flag"), object)
    doubtful = np.array([text.startswith("doubtful") for text in flags], bool)
    traces = int(number[-1]) + 1 if len(number) else 0  # of a grid, with those that could not be read
    summary = {
        "source": str(job.source.path),
        "files": len(job.source.files),
        "failed": [{"file": file.name, "reason": reason} for file, reason in job.source.failed.items()],
        "traces": len(np.unique(number)),
        "samples": job.first.signals.shape[1],
        "sampling_rate_hz": job.first.sampling_rate,
        "start_time_us": job.first.start_time * 1e6,
        "scan": list(job.scan.shape) if job.scan.is_grid else None,
        "scan_axes": list(job.scan.names),
        "scales": [{"sampling_rate_hz": rate, **_finite(dataclasses.asdict(scale))} for rate, scale in scales.items()],
        "min_confidence": job.config.min_confidence or picker.settings["min_confidence"],
        "picked": len(np.unique(number[found])),
        "doubtful": len(np.unique(number[doubtful[columns["flag"]]])) if len(flags) else 0,
        "gates": [_gate(gate, columns, columns["_gate"] == i, flags) for i, gate in enumerate(job.gates)],
        "thickness_mm": _spread(columns["thickness_mm"]) if job.config.thickness else None,
        "seconds": round(seconds, 2),
        "traces_per_second": round(len(np.unique(number)) / max(seconds, 1e-9), 1),
        "scores": _scores(job, columns, found, picker, scales) if job.labelled else None,
    }
    summary["notes"] = [*job.source.doubts, *_transmit_pulse(job, columns, found)]
    if names := ", ".join(job.first.later_onsets):
        summary["notes"].append(f"the labels of {names} are not scored: name one in 'onset.key', and its --gate")
    if traces and job.config.scan:
        summary["notes"] += _other_way_round(job, columns, found)
    return summary


def _finite(values):
    """A dict without what JSON does not know."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in values.items()
    }


def _spread(values):
    """How many values there are, and how they are spread."""
    known = values[np.isfinite(values)]
    if not known.size:
        return {"count": 0}
    low, median, high = np.quantile(known, [0.05, 0.5, 0.95])
    return {"count": int(known.size), "median": float(median), "p5": float(low), "p95": float(high)}


def _gate(gate, columns, mine, flags):
    """What was found in a gate; its time of flight is that of the first echo, and the second has its own."""
    found = mine & (columns["echo"] > 0)
    echoes = [columns["tof_us"][found & (columns["echo"] == echo)] for echo in np.unique(columns["echo"][found])]
    return {
        "name": gate.name,
        **_finite({"start_us": gate.start * 1e6, "stop_us": gate.stop * 1e6}),
        "picked": len(np.unique(columns["_number"][found])),
        "without_pick": _reasons(columns["flag"][mine & (columns["echo"] == 0)], flags),
        "tof_us": _spread(echoes[0] if echoes else np.empty(0)),
        "second_tof_us": _spread(echoes[1]) if len(echoes) > 1 else None,
        "depth_mm": _spread(columns["depth_mm"][found]) if "depth_mm" in columns else None,
    }


def _reasons(numbers, flags):
    """Why rows have no pick, the most frequent reason first: a dict from reason to how many."""
    counts = np.bincount(numbers, minlength=len(flags))
    return {str(flags[i]): int(counts[i]) for i in np.argsort(-counts, kind="stable") if counts[i]}


def _transmit_pulse(job, columns, found):
    """Picks at the very start of records that begin with the transmit pulse are of that, and no gate leaves it out."""
    start, stop = ends(job.first)
    first = found & (columns["echo"] == 1)
    if start > 0 or any(math.isfinite(gate.start) for gate in job.gates) or not first.any():
        return []
    early = columns["tof_us"][first] < (start + 0.02 * (stop - start)) * 1e6
    if np.mean(early) < 0.5:
        return []
    beyond = 10 ** math.floor(math.log10((start + 0.1 * (stop - start)) * 1e6))
    return [
        f"{_percent(np.mean(early))} of the first echoes lie at the very start of the record, as the transmit "
        f"pulse does; a gate such as --gate {beyond:g}us: leaves it out"
    ]


def _other_way_round(job, columns, found):
    """A scan whose map would be much smoother with lines of the other length was stated the wrong way round."""
    _, first = np.unique(columns["_number"][found], return_index=True)
    rows = np.flatnonzero(found)[first]
    lines, length = job.scan.shape
    if lines != length and seems_transposed(job.scan.to_map(columns["_number"][rows], columns["tof_us"][rows])):
        return [f"the map would be far smoother as --scan {length}x{lines} (lines x traces of a line)"]
    return []


def _scores(job, columns, found, picker, scales):
    """Errors against the labels of the sidecar, as they are and with the median error taken out."""
    _, rows = np.unique(columns["_number"], return_index=True)
    rows = rows[np.isfinite(columns["label_us"][rows])]
    if not rows.size or not scales:
        return None
    bin_width = picker.bin_width
    sample = 1e6 / min(rate * scale.ratio for rate, scale in scales.items())  # of the network, in µs
    error = columns["tof_us"][rows] - columns["label_us"][rows]
    nearest = np.abs(columns["nearest_us"][rows] - columns["label_us"][rows])
    known = error[np.isfinite(error)]
    bias = float(np.median(known)) if known.size else 0.0
    return {
        "labels": int(rows.size),
        "missed": int(rows.size - known.size),
        "bin_us": bin_width * sample,
        "among_picks": float(np.mean(nearest <= bin_width * sample)),
        "in_interval": float(np.mean(columns["_in_interval"][rows])),
        "far_us": FAR_SAMPLES * sample,
        "bias_us": bias,
        "as_measured": _errors(known, bin_width * sample, FAR_SAMPLES * sample),
        "without_bias": _errors(known - bias, bin_width * sample, FAR_SAMPLES * sample),
    }


def _errors(error, width, far):
    if not error.size:
        return None
    size = np.abs(error)
    return {
        "within_one_bin": float(np.mean(size <= width)),
        "far": float(np.mean(size > far)),
        "mean_us": float(size.mean()),
        "median_us": float(np.median(size)),
        "p95_us": float(np.quantile(size, 0.95)),
    }


def format_summary(summary: dict) -> str:
    """The summary as text."""
    s = summary
    rate, start = s["sampling_rate_hz"] / 1e6, s["start_time_us"]
    record = f"{s['samples']:,} samples at {rate:g} MHz, {start:.2f} to {start + (s['samples'] - 1) / rate:.2f} µs"
    if s["files"] > 1:
        record = f"in {s['files'] - len(s['failed']):,} of {s['files']:,} files; the first: {record}"
    lines = [("traces", f"{s['traces']:,}, {record}")]
    if s["scan"]:
        x, y = s["scan_axes"]
        lines.append(("scan", f"{s['scan'][0]} along {x} by {s['scan'][1]} along {y}; {y} runs fastest"))
    lines += [("scale", scale["why"]) for scale in s["scales"]]
    for gate in s["gates"]:
        lines += _gate_lines(gate, s["traces"])
    if s["thickness_mm"]:
        lines.append(("thickness", f"{_spread_text(s['thickness_mm'], 'mm')}, {s['thickness_mm']['count']:,} traces"))
    more = "; see doubtful.png, and the flags in picks.csv" if s["doubtful"] else ""
    lines.append(("doubtful", f"{_of(s['doubtful'], s['traces'])} traces{more}"))
    lines += _score_lines(s["scores"]) if s["scores"] else []
    if s["failed"]:
        lines.append(("not read", f"{_of(len(s['failed']), s['files'])} files; all are in summary.json"))
        lines += [("", f"{entry['file']}: {entry['reason']}") for entry in s["failed"][:_SHOWN]]
    lines += [("note", note) for note in s["notes"]]
    lines.append(("speed", f"{s['traces_per_second']:,.0f} traces/s, {s['seconds']:.1f} s"))
    width = max(len(name) for name, _ in lines) + 2
    return "\n".join([s["source"], *(f"  {name:<{width}}{text}" for name, text in lines)])


def _gate_lines(gate, traces):
    tof, name = gate["tof_us"], "picked" if gate["start_us"] is gate["stop_us"] is None else gate["name"]
    text = f"{_of(gate['picked'], traces)} traces"
    if gate["without_pick"]:
        reasons = list(gate["without_pick"].items())
        text += "".join(
            f"; {number:,} {'trace' if number == 1 else 'traces'}: {reason}" for reason, number in reasons[:_SHOWN]
        )
        text += f"; and {len(reasons) - _SHOWN} more reasons" if len(reasons) > _SHOWN else ""
    second = gate["second_tof_us"]
    which = " of the first echo" if second else ""
    lines = [(name, text), ("", f"ToF{which} {_spread_text(tof, 'µs')}")]
    lines += [("", f"ToF of the second echo {_spread_text(second, 'µs')}")] if second else []
    return [*lines, *([("", f"depth {_spread_text(gate['depth_mm'], 'mm')}")] if gate["depth_mm"] else [])]


def _of(part, whole):
    return f"{part:,} of {whole:,} ({_percent(part / max(whole, 1))})"


def _percent(share):
    return f"{100 * share:.1f} %"


def _spread_text(spread, unit):
    if not spread["count"]:
        return "not found"
    low, median, high = (f"{spread[key]:.3f}" for key in ("p5", "median", "p95"))
    if spread["count"] == 1:
        return f"{median} {unit}"
    return f"median {median} {unit}, 5 % to 95 %: {low} to {high} {unit}"


def _score_lines(scores):
    lines = [("labels", f"{scores['labels']:,}, {scores['missed']:,} without a pick")]
    lines.append(
        (
            "",
            f"{_percent(scores['among_picks'])} have a pick within one bin ({scores['bin_us']:.3f} µs), "
            f"{_percent(scores['in_interval'])} lie in the 95 % interval of the nearest pick",
        )
    )
    for key, name in (
        ("as_measured", "as measured"),
        ("without_bias", f"less the bias of {scores['bias_us']:+.3f} µs"),
    ):
        if e := scores[key]:
            lines.append(
                (
                    "",
                    f"{name}: {_percent(e['within_one_bin'])} within one bin, {_percent(e['far'])} far off, error mean "
                    f"{e['mean_us']:.3f} µs, median {e['median_us']:.3f} µs",
                )
            )
    if abs(scores["bias_us"]) > scores["far_us"]:
        lines.append(("", "so large a bias is mostly that of another echo than the labelled: set a --gate around that"))
    return lines
