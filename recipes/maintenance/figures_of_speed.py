"""Tables of the page on speed, from the last run of `recipes/benchmarks/benchmark.py` that was kept."""

import functools
import json
from pathlib import Path

from recipes.experiments.csv_rows import line

KEPT = Path(__file__).parents[2] / "docs" / "experiments" / "speed.json"
REFERENCE, MATRIX = "AIC picker", "share of the matrix peak"
BACKENDS = {"tensorflow": "TensorFlow", "torch": "torch", "jax": "JAX"}
PICKERS = ("nano_mcu", "nano", "tiny_patch64", "tiny")


@functools.cache
def _rows():
    return {row["what"]: row for row in json.loads(KEPT.read_text())["rows"]}


def _median(what, form):
    return form.format(_rows()[what]["median"])


def _spread(what):
    row = _rows().get(what)
    return f"{row['median']:.2f} ({row['low']:.2f} to {row['high']:.2f})" if row else ""


def _target(what):
    row = _rows().get(what, {})
    return f"{row['target'].removeprefix('>= ')}, {'met' if row['met'] else 'missed'}" if "target" in row else ""


def picks():
    """Rates of picking, from arrays and from file to table, and of a single trace."""
    lines = [
        "| | traces/s | to the AIC picker | from file to table, traces/s | to the AIC picker | aim | one trace (ms) |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in (REFERENCE, "envelope threshold picker", *(f"picker `{each}`, LiteRT" for each in PICKERS)):
        command = f"`usmae predict`, 20,480 traces, from file to table, `{name.split('`')[1]}`" if "`" in name else ""
        ratio = f"{name}: rate / that of the {REFERENCE}"
        whole = f"{command}: rate / that of the {REFERENCE}"
        cells = (
            name,
            _median(f"{name}: rate", "{:,.0f}"),
            "1" if name == REFERENCE else _spread(ratio),
            _median(command, "{:,.0f}") if command else "",
            _spread(whole),
            _target(whole),
            _median(f"{name}: one trace", "{:.2f}"),
        )
        lines.append(line(cells))
    return lines


def training():
    """Rates of training steps beside vit-pytorch."""
    lines = [
        "| | signals/s | to vit-pytorch eager | aim | share of the matrix peak | memory of a step (MiB) |",
        "|---|---|---|---|---|---|",
    ]
    names = {"vit-pytorch eager": "vit-pytorch, eager", "vit-pytorch compiled": "vit-pytorch, compiled"}
    for kind, words in (
        ("full decoder", "full decoder"),
        ("cross decoder", "`--decoder cross`"),
        ("fine-tuning", "fine-tuning"),
    ):
        names |= {f"{backend}, {kind}": f"{words}, {name}" for backend, name in BACKENDS.items()}
    for name, words in names.items():
        ratio, share = f"{name}: rate / that of vit-pytorch eager", f"{name}: {MATRIX}"
        cells = (
            words,
            _median(f"{name}: rate", "{:,.0f}"),
            "1" if name == "vit-pytorch eager" else _spread(ratio),
            _target(ratio),
            f"{_rows()[share]['median']:.0%}" if share in _rows() else "",
            _median(f"{name}: memory of a step", "{:,.0f}"),
        )
        lines.append(line(cells))
    return lines
