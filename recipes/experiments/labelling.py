"""Measures `usmae label` with a scripted person: keys of a real browser, and the true labels as what the person sees.

    python recipes/experiments/labelling.py person --data-dir originals --seed 1
    python recipes/experiments/labelling.py random --data-dir originals --seed 1
    python recipes/experiments/labelling.py report
    python recipes/experiments/labelling.py speed
    python recipes/experiments/labelling.py kills

`person` labels windows of the measured training split in the order of the queue, has the picker learn now and then, and
scores each picker on the 1,499 test windows without a hole ahead; `random` does the same in random order, without a
browser. The seed chooses windows and order. `report` writes the table of all such runs. `speed` takes the time from key
to next trace, and the memory, with 100,000 traces of 4,096 samples. `kills` kills the server at random moments, and
looks for each label that the page showed as kept. Each writes
`runs/labelling/NAME_SEED.json`. Chromium and selenium are needed but for `random` and `report`.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from keras_usmae import options
from keras_usmae.files import write_csv, write_json, write_markdown
from keras_usmae.labelling.settings import LabelConfig
from keras_usmae.picker.echo_table import SURE
from recipes.experiments.csv_rows import cell
from recipes.experiments.labelling_page import Page, Served, missing_browser, open_browser
from recipes.experiments.labelling_pool import make_pool
from recipes.experiments.labelling_strain import kills, speed

LEARN_AT = (10, 20, 40, 70, 100)
ORDERS = {"person": "the page's", "random": "random"}
RATE = 100e6
_TOLERANCE = 1.0  # samples: closer, the person accepts


def score_picker(run, test):
    """Errors of a picker in samples on test windows, as `evaluate` scores it: mean, and without its median."""
    from keras_usmae.picker import EchoPicker

    picker = EchoPicker.from_run(run) if run else EchoPicker.from_preset(LabelConfig("").preset)
    error = picker.pick(test["signal"], RATE, scale=1).first().of_each_trace("onset") - test["onset"]
    without = error - np.nanmedian(error)
    return {
        "missed": int(np.isnan(error).sum()),
        "mean_error_samples": float(np.nanmean(np.abs(error))),
        "without_offset": float(np.nanmean(np.abs(without))),
    }


def keys_to(mark, onset, picks):
    """Keys by which a person brings the mark to an onset: other picks where one is nearer, then the arrows."""
    from selenium.webdriver.common.keys import Keys

    keys = []
    if len(picks):
        order = np.sort(picks)
        nearest = order[np.abs(order - onset).argmin()]
        if mark is None or abs(nearest - onset) < abs(mark - onset) - _TOLERANCE:
            here = -1.0 if mark is None else mark
            while mark is None or abs(mark - nearest) > 0.02:
                behind = order[order > here + 0.01]
                mark = here = behind[0] if len(behind) else order[0]
                keys.append("e")
    if mark is None:
        return None
    steps = round(onset - mark) if abs(onset - mark) > _TOLERANCE else 0
    arrow = Keys.ARROW_RIGHT if steps > 0 else Keys.ARROW_LEFT
    tens, ones = divmod(abs(steps), 10)
    return [*keys, *[Keys.SHIFT + arrow + Keys.NULL] * tens, *[arrow] * ones]


def _row(labels, keys, result, folder, test):
    scores = score_picker(folder / result["folder"], test)
    return {"labels": labels, "keys": keys, "seconds": result["seconds"], "held_out_error": result["after"], **scores}


def _test_windows(data_dir, tfds_dir):
    from keras_usmae.data import load_dataset

    arrays = load_dataset("ultrasound_measured/paper", tfds_dir, data_dir).arrays("test")
    plain = ~arrays["hole_echo"]
    return {name: arrays[name][plain] for name in ("signal", "onset")}


def person(data_dir, tfds_dir, seed, folder):
    """Labels 100 traces in the browser, in the order of the queue."""
    from selenium.webdriver.common.keys import Keys

    signals, truth = make_pool(data_dir, seed)
    test, rows, pressed, labelled = _test_windows(data_dir, tfds_dir), [], 0, 0
    np.save(folder / "pool.npy", signals)
    rows.append({"labels": 0, "keys": 0, **score_picker(None, test)})
    print(rows[-1], flush=True)
    arguments = ("--sampling-rate", "100e6", "--axis", "1", "--scale", "1", "--output", folder / "pool_labels")
    with Served(folder / "pool.npy", *arguments) as served, open_browser() as driver:
        page = Page(driver, served.address)
        page.wait_for_picks(len(signals))
        page.press("n")  # the queue is sorted now: begin at its front
        page.wait(lambda: page.data("trace") is not None, "a trace is shown")
        taken = []
        for goal in LEARN_AT:
            while labelled < goal:
                trace, mark = page.number("trace"), page.data("mark")
                picks = np.array([float(pick) for pick in page.data("picks").split(",") if pick])
                keys = keys_to(float(mark) if mark else None, truth[trace], picks)
                keys = ["n"] if keys is None else [*keys, Keys.ENTER]
                pressed += len(keys)
                if keys == ["n"]:
                    page.press("n")
                    page.wait(lambda trace=trace: page.number("trace") != trace, "the next trace is shown")
                    continue
                page.keep(*keys)
                labelled += 1
                taken.append(trace)
            learnt = page.number("learnt")
            page.press("l")
            pressed += 1
            page.wait(lambda learnt=learnt: page.number("learnt") > learnt, "the picker has learnt", 600)
            result = json.loads((folder / "pool_labels" / "curve.json").read_text())[-1]
            time.sleep(2)  # until the page hears that the picking begins anew
            page.wait_for_picks(len(signals))
            rows.append(_row(labelled, pressed, result, folder / "pool_labels", test))
            print(rows[-1], flush=True)
        driver.save_screenshot(str(folder / "person.png"))
    return {"pool": len(signals), "rows": rows, "traces": taken}


def in_random_order(data_dir, tfds_dir, seed, folder):
    """Labels 100 traces in random order; keys are those that a person would press."""
    from keras_usmae.labelling.labels import Labels
    from keras_usmae.labelling.traces import open_scan
    from keras_usmae.labelling.work import Work
    from keras_usmae.picker import EchoPicker
    from keras_usmae.picker.gates import Gate

    signals, truth = make_pool(data_dir, seed)
    test, pressed = _test_windows(data_dir, tfds_dir), 0
    rows = [{"labels": 0, "keys": 0, **score_picker(None, test)}]
    np.save(folder / "pool.npy", signals)
    config = LabelConfig(str(folder / "pool.npy"), sampling_rate=RATE, axis=1, scale="1")
    session = folder / f"random_{seed}"
    session.mkdir()
    gates = (Gate("onset", -np.inf, np.inf),)
    work = Work(config, open_scan(config, session), gates, ["onset"], session, lambda *a: None, lambda: None)
    work.scale = {"scale": "1", "ratio": 1.0, "burst": 280.0}
    labels = Labels(len(signals), signals.shape[1])
    order = np.random.default_rng(seed).permutation(len(signals))
    picker = EchoPicker.from_preset(config.preset)
    for number, trace in enumerate(order[: LEARN_AT[-1]].tolist(), 1):
        picks = picker.pick(signals[trace], RATE, scale=1)
        keys = keys_to(float(picks.first().onset[0]) if len(picks) else None, truth[trace], picks.onset)
        pressed += 1 if keys is None else len(keys) + 1
        mark = truth[trace] if keys is None else np.round(truth[trace])
        labels.apply({"kind": "label", "echo": "onset", "mark": "sure", "traces": [trace], "onsets": [float(mark)]})
        if number in LEARN_AT:
            work.learn(labels)
            while work._learner.runs or "share" in work.learning:
                time.sleep(0.5)
            result = work.curve[-1]
            rows.append(_row(number, pressed, result, session, test))
            picker = EchoPicker.from_run(work.run) if work.run else picker
            print(rows[-1], flush=True)
    assert (labels.of("onset").mark == SURE).sum() == LEARN_AT[-1]
    return {"pool": len(signals), "seed": seed, "rows": rows}


def report(folder, output):
    """Writes the table of all runs of `person` and `random` in a folder, and the CSV of their rows."""
    rows = []
    for what, order in ORDERS.items():
        for path in sorted(folder.glob(f"{what}_*.json")):
            seed = int(path.stem.rpartition("_")[2])
            rows += [{"order": order, "seed": seed, **row} for row in options.read_json(path)["rows"]]
    if not rows:
        raise ValueError(f"There is no run of {' or '.join(ORDERS)} in {folder}: do one first.")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    write_csv(output / "labelling.csv", [{key: row.get(key, "") for key in columns} for row in rows])
    return write_page(rows, output)


def write_page(rows, folder):
    """Writes the page of these rows into a folder, and returns its path."""
    lines = []
    for order in dict.fromkeys(row["order"] for row in rows):
        for labels in (0, *LEARN_AT):
            mine = [row for row in rows if (row["order"], row["labels"]) == (order, labels)]
            shown = (("keys", "{:.0f}"), ("mean_error_samples", "{:.2f}"), ("without_offset", "{:.2f}"))
            lines.append([order, str(labels), str(len(mine)), *(cell(mine, key, form) for key, form in shown)])
    header = ["order", "labels", "seeds", "keys", "mean error (samples)", "without its median (samples)"]
    notes = ["Each seed has windows and an order of its own. No offset is taken out but in the last column."]
    return write_markdown(folder / "labelling.md", "Labels and keys until the picker has learnt", header, lines, notes)


def main(
    what: Annotated[str, typer.Argument(help="person, random, report, speed or kills.")],
    data_dir: Annotated[Path | None, typer.Option(envvar="DATA_DIR", help="Folder of the measured originals.")] = None,
    tfds_dir: options.TfdsDir = None,
    seed: Annotated[int, typer.Option(help="Of random order, made traces and moments.")] = 0,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("runs/labelling"),
) -> None:
    """Measures the page of labels."""
    if what == "report":
        print(report(output, Path("docs/experiments")).read_text())
        return
    if what != "random" and (missing := missing_browser()):
        raise ValueError(f"A browser is needed: {missing}.")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run = {"person": person, "random": in_random_order}.get(what)
        if run:
            found = run(data_dir, tfds_dir, seed, Path(folder))
        else:
            found = {"speed": speed, "kills": kills}[what](seed, Path(folder))
    path = output / f"{what}_{seed}.json"
    write_json(path, found)
    print(f"Written to {path}")


if __name__ == "__main__":
    options.run(main)
