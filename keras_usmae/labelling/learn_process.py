"""Fine-tuning of the picker on the labels so far, in a process beside the page: half a minute of one core."""

import dataclasses
import time
from pathlib import Path

import numpy as np

from keras_usmae.files import write_json
from keras_usmae.labelling.helper import read_job
from keras_usmae.labelling.traces import Layout, TraceFile
from keras_usmae.picker.echo_table import MOST_ERROR, SURE, EchoTable, hold_out

_WORTH_AN_ENGINE = 20_000  # traces: to write the file for LiteRT takes as long as it saves in picking so many


def main() -> None:
    """Teaches a copy of the picker, scores both on the labels that were held out, and saves it in a run folder."""
    job, tell = read_job()
    started = time.monotonic()
    tell(step="starting", share=0.0)
    import keras

    from keras_usmae.configs import TeachConfig
    from keras_usmae.picker.engines import KerasEngine, write_engine_of_run
    from keras_usmae.picker.gates import Gate
    from keras_usmae.picker.picker import DETECTOR_FILE, EchoPicker
    from keras_usmae.picker.report import load_picker
    from keras_usmae.picker.scale import as_scale
    from keras_usmae.picker.settings import PredictConfig
    from keras_usmae.training import LabelledTraces, save_model, teach

    config = TeachConfig()
    keras.utils.set_random_seed(config.seed)
    traces = TraceFile(Layout(**job["layout"]))
    with np.load(job["labels"]) as stored:
        table = EchoTable(*(stored[name] for name in ("trace", "gate", "mark", "onset")))
    scale, rate = as_scale(job["scale"]), job["sampling_rate"]
    gates = [Gate(*gate) for gate in job["gates"]]
    ends = [tuple((time - job["start_time"]) * rate for time in (gate.start, gate.stop)) for gate in gates]
    held = hold_out(table.trace)
    picker = load_picker(PredictConfig("", preset=job["preset"], run=job["run"], engine="keras"))  # learns in place

    def score(picker):
        scored = table.select(held & (table.mark == SURE))
        return _errors(picker, traces, scored, gates, job["echo"], scale, rate, job["start_time"])

    before = score(picker)
    tell(step="windows", share=0.1)
    assert isinstance(picker.engine, KerasEngine)  # as was asked for
    detector = picker.engine.detector
    labelled = LabelledTraces(traces.read, traces.num_samples, table.select(~held), scale, ends)
    teach(detector, [labelled], config, lambda step: tell(step="learning", share=0.2 + 0.7 * step / config.steps))
    after = score(EchoPicker(detector))
    folder = Path(job["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    save_model(folder / DETECTOR_FILE, detector)
    if traces.num_traces >= _WORTH_AN_ENGINE:
        tell(step="saving", share=0.95)
        write_engine_of_run(folder)
    result = {
        "labels": int((~held).sum()),
        "held_out": len(after),
        "before": float(np.mean(before)) if len(before) else None,
        "after": float(np.mean(after)) if len(after) else None,
        "seconds": time.monotonic() - started,
    }
    kept = {key: job[key] for key in ("preset", "run", "scale", "gates", "echo")}
    write_json(folder / "config.json", kept | dataclasses.asdict(config))
    write_json(folder / "metrics.json", result)
    tell(share=1.0, result=result)


def _errors(picker, traces, table, gates, echo, scale, rate, start_time):
    """Distance of the picks from sure labels in samples of the recording; a pick that is far or missing counts 64."""
    from keras_usmae.picker.gates import choose_echoes

    most = MOST_ERROR / scale.ratio
    errors = []
    for number, gate in enumerate(gates):
        mine = table.select(table.gate == number)
        for start in range(0, len(mine), 64):
            some = mine.select(slice(start, start + 64))
            picks = picker.pick(traces.read(some.trace), rate, start_time, scale=scale, batch_size=64)
            onset = choose_echoes(picks, gate, echo).of_each_trace("onset")
            errors.append(np.minimum(np.nan_to_num(np.abs(onset - some.onset), nan=most), most))
    return np.concatenate(errors) if errors else np.array([])


if __name__ == "__main__":
    main()
