"""From a file or folder of traces to a folder with their picks: table, summary and pictures."""

import concurrent.futures
import dataclasses
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from keras_usmae.files import whole_folder
from keras_usmae.picker.job import Job
from keras_usmae.picker.recording_scales import RecordingScales
from keras_usmae.picker.rows import block_rows, distance_name, missing_rows, table_kinds
from keras_usmae.picker.source import count
from keras_usmae.picker.summary import summarize
from keras_usmae.picker.tables import PickTable

if TYPE_CHECKING:
    from keras_usmae.picker.picker import EchoPicker
    from keras_usmae.picker.settings import PredictConfig


def predict(config: "PredictConfig", output: str | Path) -> dict:
    """Picks all traces of a file or folder, and writes a folder with table, summary and pictures.

    Everything that can be wrong with the options is found before work begins. Files are read one at a time, and one
    that cannot be read is left out and named in the summary. The folder appears once it is whole.

    Args:
        config: `PredictConfig`.
        output: path of the folder, which must not exist.

    Returns:
        The summary, a dict, as in `summary.json`.

    Raises:
        ValueError: for options that do not fit each other or the data, or where no file can be read.
        OSError: where there is nothing to read, or the folder exists or cannot be written.

    Example:

    ```python
    from keras_usmae.picker.report import predict
    from keras_usmae.picker.settings import PredictConfig

    predict(PredictConfig("scan.npy", sampling_rate=50e6), "runs/predict_scan")["traces"]
    ```
    """
    job = Job(config)
    with whole_folder(output) as folder:
        picker = load_picker(config)
        from keras_usmae.picker.pictures import Pictures  # here: matplotlib takes a second

        started = time.monotonic()
        scales = RecordingScales(picker, job.scale, job.source.ahead)
        pictures = Pictures(job)
        with PickTable(folder, table_kinds(job.scan, config, job.labelled)) as table:
            with concurrent.futures.ThreadPoolExecutor(1) as writer:
                written = None
                for block in _with_progress(job):
                    rows, near = _pick_block(job, block, picker, scales)
                    if written is not None:
                        written.result()  # of the block before: one at a time waits, and its error ends the work
                    written = writer.submit(_store, job, block, rows, near, table, pictures)
                if written is not None:
                    written.result()
            seconds = time.monotonic() - started
            summary = summarize(job, table, picker, scales.chosen, seconds)
            pictures.save(folder, table, scales.burst(job.first), summary["min_confidence"])
            table.save_npz()
        for name, content in (("config", dataclasses.asdict(config)), ("summary", summary)):
            (folder / f"{name}.json").write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")
    return summary


def load_picker(config: "PredictConfig") -> "EchoPicker":
    """The picker of a configuration.

    Raises:
        ValueError: where the preset has no picker.
        FileNotFoundError: where the run has none.
    """
    from keras_usmae.picker.picker import EchoPicker  # here: bad options are told without waiting for Keras

    if config.run:
        return EchoPicker.from_run(config.run, config.engine)
    return EchoPicker.from_preset(config.preset, config.engine)


def _with_progress(job):
    """Blocks of all files, with a progress bar on a terminal: in traces of one file, or in files."""
    one = len(job.source.files) == 1
    total, unit = (count(job.first), " traces") if one else (len(job.source.files), " files")
    with tqdm(total=total, unit=unit, desc="Picking", disable=None) as bar:
        for block in _read_ahead(job.blocks()):
            yield block
            bar.update(len(block) if one else block.files_done - bar.n)


def _read_ahead(blocks):
    """Blocks, each read while the one before is picked."""
    with concurrent.futures.ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, blocks, None)
        while (block := following.result()) is not None:
            following = reader.submit(next, blocks, None)
            yield block


def _pick_block(job, block, picker, scales):
    """Rows of the table of a block, and how near picks are to the labels of its traces, see `_nearest`."""
    lost = np.flatnonzero(block.reason != "")
    rows = missing_rows(lost, block.reason[lost], len(job.gates))
    near = np.full((2, len(block)), np.nan)
    usable = block.usable
    if len(usable):
        picks = picker.pick(
            block.signals,
            block.sampling_rate,
            block.start_time,
            scale=scales.of(block),
            min_confidence=job.config.min_confidence,
        )
        scales.chosen[block.sampling_rate] = picks.scale
        found = block_rows(picks, job.gates, job.echo, job.config, block.signals)
        found["trace"] = usable[found["trace"]]
        near[:, usable] = _nearest(picks, block.label[usable])
        rows = {key: np.concatenate([rows[key], found[key]]) for key in rows}
        order = np.argsort(rows["trace"], kind="stable")
        rows = {key: values[order] for key, values in rows.items()}
    return rows, near


def _store(job, block, rows, near, table, pictures):
    table.append(_to_columns(job, block, rows, near))
    pictures.add(block, rows)


def _to_columns(job, block, rows, near):
    """Rows in the names and units of the table."""
    place = rows["trace"]
    values = {"file": block.file[place], "trace": block.trace[place], "echo": rows["echo"]}
    values |= {"_number": block.number[place], "_gate": rows["gate"]}
    values |= job.scan.positions(block.number[place])
    values["gate"] = [job.gates[number].name for number in rows["gate"]]
    values["tof_us"] = rows["tof"] * 1e6
    values["tof_low_us"], values["tof_high_us"] = rows["interval"].T * 1e6
    if name := distance_name(job.config):
        values[f"{name}_mm"] = rows["distance"]
        values[f"{name}_low_mm"], values[f"{name}_high_mm"] = rows["distance_interval"].T
    values |= {key: rows[key] for key in ("confidence", "amplitude", "snr_db", "flag")}
    if job.labelled:
        values["label_us"], values["nearest_us"] = block.label[place] * 1e6, near[0, place] * 1e6
        values["_in_interval"] = near[1, place]
    return values


def _nearest(picks, label):
    """Two rows: ToF in s of the pick nearest to the label of each trace, and whether its interval holds the label.

    Where there is no pick, NaN and 0.
    """
    nearest = picks.nearest(label)
    low, high = nearest.of_each_trace("interval").T
    return np.stack([nearest.of_each_trace("tof"), (low <= label) & (label <= high)])
