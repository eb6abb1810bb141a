"""What became of a prediction, in numbers and in words."""

import dataclasses
import math

import numpy as np

from keras_usmae.picker.rows import distance_name
from keras_usmae.picker.scan import seems_transposed

_FAR_SAMPLES = 32  # of the network: an error of more is another echo, not an inaccurate one
_SHOWN = 5  # files or reasons that are listed one by one


def summarize(job, table, picker, scales, seconds):
    """Counts what was found.

    Args:
        job: `Job` that is through.
        table: `PickTable` of its picks.
        picker: `EchoPicker`.
        scales: dict from sampling rate to `Scale`.
        seconds: float. What the picking took.

    Returns:
        A dict that JSON can hold; times in µs, lengths in mm.

    Example:

    ```python
    print(format_summary(summarize(job, table, picker, {50e6: scale}, 3.0), "runs/predict_scan"))
    ```
    """
    columns = table.columns()
    number, found = columns["_number"], columns["echo"] > 0
    flags = np.array(table.texts("flag"), object)
    doubtful = np.array([text.startswith("doubtful") for text in flags], bool)
    traces = int(number[-1]) + 1 if len(number) else 0  # of a grid, with those that could not be read
    summary = {
        "source": str(job.source.path),
        "files": len(job.files),
        "failed": [{"file": file.name, "reason": reason} for file, reason in job.failed.items()],
        "traces": len(np.unique(number)),
        "samples": job.first.signals.shape[1],
        "sampling_rate_hz": job.first.sampling_rate,
        "start_time_us": job.first.start_time * 1e6,
        "scan": list(job.scan.shape) if job.scan.is_grid else None,
        "scan_axes": list(job.scan.names),
        "scales": [{"sampling_rate_hz": rate, **_finite(dataclasses.asdict(scale))} for rate, scale in scales.items()],
        "min_confidence": job.config.min_confidence or getattr(picker.detector, "min_confidence", None),
        "picked": len(np.unique(number[found])),
        "doubtful": len(np.unique(number[doubtful[columns["flag"]]])) if len(flags) else 0,
        "without_pick": _reasons(columns, flags, found),
        "gates": [_gate(gate, i, columns, found, distance_name(job.config)) for i, gate in enumerate(job.gates)],
        "thickness_mm": _spread(columns["thickness_mm"]) if job.config.thickness else None,
        "seconds": round(seconds, 2),
        "traces_per_second": round(len(np.unique(number)) / max(seconds, 1e-9), 1),
        "scores": _scores(job, columns, found, picker, scales) if job.labelled else None,
    }
    summary["hint"] = _hint(job, columns, found) if traces and job.config.scan else None
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


def _gate(gate, i, columns, found, distance):
    mine = found & (columns["_gate"] == i)
    return {
        "name": gate.name,
        **_finite({"start_us": gate.start * 1e6, "stop_us": gate.stop * 1e6}),
        "picked": len(np.unique(columns["_number"][mine])),
        "tof_us": _spread(columns["tof_us"][mine]),
        **({"depth_mm": _spread(columns["depth_mm"][mine])} if distance == "depth" else {}),
    }


def _reasons(columns, flags, found):
    """Why rows have no pick, the most frequent reason first: a dict from reason to how many."""
    numbers = np.bincount(columns["flag"][~found], minlength=len(flags))
    order = np.argsort(-numbers, kind="stable")
    return {str(flags[i]): int(numbers[i]) for i in order if numbers[i]}


def _hint(job, columns, found):
    """A scan whose map would be much smoother with lines of the other length was stated the wrong way round."""
    _, first = np.unique(columns["_number"][found], return_index=True)
    rows = np.flatnonzero(found)[first]
    lines, length = job.scan.shape
    if lines != length and seems_transposed(job.scan.to_map(columns["_number"][rows], columns["tof_us"][rows])):
        return f"the map would be far smoother as --scan {length}x{lines}: lines x traces of a line."
    return None


def _scores(job, columns, found, picker, scales):
    """Errors against the labels of the sidecar, as they are and with the median error taken out."""
    _, rows = np.unique(columns["_number"], return_index=True)
    rows = rows[np.isfinite(columns["label_us"][rows])]
    if not rows.size or not scales:
        return None
    bin_width = getattr(picker.detector, "bin_width", 16)
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
        "bias_us": bias,
        "as_measured": _errors(known, bin_width * sample, _FAR_SAMPLES * sample),
        "without_bias": _errors(known - bias, bin_width * sample, _FAR_SAMPLES * sample),
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


def format_summary(summary, folder):
    """The summary as text.

    Args:
        summary: dict from `summarize`.
        folder: path of the results.

    Returns:
        A str of several lines.

    Example: see `summarize`.
    """
    s = summary
    rate, start = s["sampling_rate_hz"] / 1e6, s["start_time_us"]
    stop = start + (s["samples"] - 1) / rate
    files = f" in {s['files'] - len(s['failed']):,} files" if s["files"] > 1 else ""
    lines = [
        ("traces", f"{s['traces']:,}{files}, {s['samples']:,} samples at {rate:g} MHz, {start:.2f} to {stop:.2f} µs")
    ]
    if s["scan"]:
        (lines_, length), (x, y) = s["scan"], s["scan_axes"]
        lines.append(("scan", f"{lines_} x {length} ({x} x {y}; traces follow each other along {y})"))
    lines += [("scale", scale["why"]) for scale in s["scales"]]
    lines.append(("picked", _of(s["picked"], s["traces"], "traces")))
    lines += [("", f"{number:,} x {reason}") for reason, number in list(s["without_pick"].items())[:_SHOWN]]
    for gate in s["gates"]:
        name = "" if len(s["gates"]) == 1 else f"{gate['name']}: "
        lines.append(("ToF", f"{name}{_spread_text(gate['tof_us'], 'µs', 3)}"))
        if "depth_mm" in gate:
            lines.append(("depth", f"{name}{_spread_text(gate['depth_mm'], 'mm', 3)}"))
    if s["thickness_mm"]:
        lines.append(("thickness", _spread_text(s["thickness_mm"], "mm", 3)))
    more = ", drawn in doubtful.png, flagged in picks.csv" if s["doubtful"] else ""
    lines.append(("doubtful", _of(s["doubtful"], s["traces"], "traces") + more))
    lines += _score_lines(s["scores"]) if s["scores"] else []
    lines.append(("time", f"{s['seconds']:.1f} s, {s['traces_per_second']:,.0f} traces/s"))
    if s["failed"]:
        lines.append(
            ("not read", f"{_of(len(s['failed']), s['files'], 'files')}, each with its reason in summary.json")
        )
        lines += [("", f"{entry['file']}: {entry['reason']}") for entry in s["failed"][:_SHOWN]]
    if s["hint"]:
        lines.append(("hint", s["hint"]))
    lines.append(("written to", f"{folder}"))
    return "\n".join([s["source"], *(f"  {name:<11} {text}" for name, text in lines)])


def _of(part, whole, unit):
    return f"{part:,} of {whole:,} {unit} ({part / max(whole, 1):.1%})"


def _spread_text(spread, unit, digits):
    if not spread["count"]:
        return "none"
    low, median, high = (f"{spread[key]:.{digits}f}" for key in ("p5", "median", "p95"))
    return f"median {median} {unit} (5 % to 95 %: {low} to {high} {unit})"


def _score_lines(scores):
    lines = [("labels", f"{scores['labels']:,}, {scores['missed']:,} without a pick")]
    lines.append(("", f"{scores['among_picks']:.1%} have a pick within one bin ({scores['bin_us']:.3f} µs)"))
    for key, name in (
        ("as_measured", "as measured"),
        ("without_bias", f"less the bias of {scores['bias_us']:+.3f} µs"),
    ):
        if e := scores[key]:
            lines.append(
                (
                    "",
                    f"{name}: {e['within_one_bin']:.1%} within one bin, {e['far']:.1%} far off, error mean "
                    f"{e['mean_us']:.3f} µs, median {e['median_us']:.3f} µs",
                )
            )
    return lines
