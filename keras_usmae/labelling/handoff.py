"""What a session leaves for other commands: a sidecar that names the labels, splits, and the commands themselves."""

import dataclasses
import hashlib
import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.files import write_text
from keras_usmae.labelling.store import TABLE
from keras_usmae.picker.echo_table import SURE
from keras_usmae.signals.readers import Sidecar

if TYPE_CHECKING:
    from keras_usmae.labelling.session import Session
    from keras_usmae.labelling.settings import LabelConfig


SIDECAR, PREPARATION = "labels.toml", "prepare.toml"
_LEAST = 12  # labelled traces, of which a split would hold too few otherwise
_WINDOW = 2048


def write_handoff(session: "Session", config: "LabelConfig", folder: Path) -> list[str]:
    """Writes what fine-tuning needs beside the labels.

    Returns:
        list of str, lines for the user: where the labels are, and the commands that go on with them.
    """
    labels = session.store.labels
    session.store.table.write()
    sure = np.any([labels.of(echo).mark == SURE for echo in session.echoes], axis=0)
    counts = ", ".join(f"{int((labels.of(echo).mark > 0).sum()):,} of {echo}" for echo in session.echoes)
    lines = [f"{folder / TABLE} has {counts}; the same command goes on with them."]
    sidecar = _sidecar(session, folder)
    if sidecar is None:
        return [*lines, "The files have different sidecars: name the table in each, as docs/how-to/labels.md shows."]
    write_text(folder / SIDECAR, sidecar)
    if sure.sum() < _LEAST:
        return [*lines, f"Label {_LEAST} traces or more to fine-tune with them."]
    write_text(folder / PREPARATION, _preparation(session, config, folder, np.flatnonzero(sure)))
    if session.work.run:
        lines += [
            "To pick with the picker that learnt from them:",
            f"  usmae predict {shlex.quote(config.source)} --sidecar {shlex.quote(str(folder / SIDECAR))} --run "
            f"{shlex.quote(str(session.work.run))}" + "".join(f" --gate {shlex.quote(gate)}" for gate in config.gates),
        ]
    # A prepared set is of one state of the labels; of another, it is another one.
    state = hashlib.sha256((folder / TABLE).read_bytes()).hexdigest()[:8]
    lines += [
        "To fine-tune a classifier with them:",
        "  usmae finetune --dataset ultrasound_measured/custom --data-dir "
        f"{shlex.quote(str(folder / PREPARATION))} --tfds-dir {shlex.quote(str(folder / f'dataset_{state}'))}",
    ]
    return lines


def _sidecar(session, folder):
    """Text of a sidecar with all that was stated, and the labels; `None` where files differ in theirs."""
    described = session.opened.described
    if any(other.sidecar != described[0].sidecar for other in described):
        return None
    known, usual = described[0].sidecar, Sidecar()
    stated = {
        field.name: getattr(known, field.name)
        for field in dataclasses.fields(Sidecar)
        if getattr(known, field.name) != getattr(usual, field.name) and field.name not in ("onset", "max_bytes")
    }
    names = session.echoes if len(session.echoes) > 1 else session.echoes[0]
    stated["onset"] = {"key": names, "unit": "samples", "file": TABLE, "match": "file", "sure": "sure"}
    if known.groups is not None:
        stated["groups"] = {key: value for key, value in dataclasses.asdict(known.groups).items() if value is not None}
    lines = [f"{key} = {_toml(value)}" for key, value in stated.items()]
    return "\n".join(["# Written by `usmae label`: how the traces are read, and where their labels are.", *lines, ""])


def _preparation(session, config, folder, labelled):
    """Text of a `prepare.toml` whose splits all hold labels."""
    opened = session.opened
    rate = opened.sampling_rate * session.work.scale.get("ratio", 1.0)
    stated = {"data": _relative(Path(config.source), folder), "sidecar": SIDECAR, "sampling_rate": rate}
    if opened.traces.num_samples * rate / opened.sampling_rate < _WINDOW:
        stated["pad"] = True
    if opened.described[0].sidecar.groups is None:
        stated |= _splits(opened, labelled)
    return "\n".join(
        [
            "# Written by `usmae label`: windows of the labelled traces, and splits by position that all hold labels.",
            *(f"{key} = {_toml(value)}" for key, value in stated.items()),
            "",
        ]
    )


def _splits(opened, labelled):
    """Splits by position: 70 % of the labels train, 15 % validate, 15 % test."""
    first, second = labelled[int(0.7 * len(labelled))], labelled[int(0.85 * len(labelled))]
    last = opened.traces.num_traces - 1
    if len(opened.files) == 1:
        parts = [[0, first - 1], [first, second - 1], [second, last]]
        return {"splits": {name: [[int(end) for end in part]] for name, part in zip(_SPLITS, parts, strict=True)}}
    file = np.searchsorted(opened.first, [first, second], side="right") - 1
    bounds = [0, int(file[0]), max(int(file[1]), int(file[0]) + 1), len(opened.files)]
    names = [path.name for path in opened.files]
    files = {name: names[bounds[i] : bounds[i + 1]] for i, name in enumerate(_SPLITS)}
    return {"split_by": "file", "splits": {name: part for name, part in files.items() if part}}


_SPLITS = ("train", "validation", "test")


def _relative(path, folder):
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path.absolute().as_posix()


def _toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
