"""Scores the ready picker, or a fine-tuned classifier, on any split of any labelled dataset, beside classical pickers.

    python recipes/evaluate.py --preset tiny --dataset ultrasound_measured/paper
    python recipes/evaluate.py --run runs/finetune_synthetic_tiny_ultrasound_measured_paper
    python recipes/evaluate.py --run RUN --dataset ultrasound_measured/clean --split "validation[:500]"

Scores are told twice: as each estimator stands, and with its constant offset taken out, as a calibration block does it
(the median error on the validation split). Signals with a drilled hole ahead of the labelled echo are scored apart
where the dataset marks them, and of a picker of several echoes also whether the labelled one is among its picks. The
stated uncertainty is compared with what is right. Where the SNR is known, errors of unclipped signals are set against
the Cramér-Rao bound of the envelope. Writes `metrics.json`, `signals.csv` with a row per signal, `evaluation.md`, and
pictures: errors, reliability, error over SNR with the bound, and the worst signals. `KERAS_BACKEND` chooses the
backend.
"""

from pathlib import Path
from typing import Annotated

import typer

import keras_usmae as ku
from keras_usmae import options


def load_model(run, preset):
    """The classifier or picker, its name, the dataset that it was trained on, and the signals that it takes."""
    if (run is None) == (preset is None):
        raise ValueError("Give either --run, a run folder, or --preset, the name of a picker that comes with us.")
    if run is None:
        return ku.EchoPicker.from_preset(preset), preset, None, {}
    if (run / "detector.keras").is_file():
        return ku.EchoPicker.from_run(run), run.name, None, {}
    path = run / "classifier.keras" if run.is_dir() else run
    if not path.is_file():
        raise FileNotFoundError(f"There is no fine-tuned classifier at {path}; make one with recipes/finetune.py.")
    config = options.read_json(path.with_name("config.json")) if run.is_dir() else {}
    model = ku.load_trained(path, ku.ToFClassifier)
    needs = {"sampling_rate": model.sampling_rate, "signal_length": model.encoder.signal_length}
    return model, run.name if run.is_dir() else run.stem, config.get("dataset"), needs


def main(
    run: Annotated[
        Path | None, typer.Option(help="Run folder of finetune.py or train_picker.py, or a classifier's .keras file.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="A picker that comes along: nano, nano_mcu, tiny, tiny_patch64.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Labelled dataset and configuration. Defaults to that of the run.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="train, validation or test as finetune.py has them, or TFDS's such as train[:500].")
    ] = "test",
    speed_of_sound: options.SpeedOfSound = 1480.0,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write. Defaults to one in the run folder, by dataset and split.")
    ] = None,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> Path:
    """Scores a model and returns the folder of its results."""
    from keras_usmae.evaluation.report import write_evaluation
    from keras_usmae.files import check_writable

    model, network, trained_on, needs = load_model(run, preset)
    dataset = dataset or trained_on
    if dataset is None:
        raise ValueError(f"{network} does not tell what it was trained on: name a --dataset.")
    home = Path("runs") / f"picker_{preset}" if run is None else run if run.is_dir() else run.parent
    name = f"{dataset}_{split}".translate(str.maketrans("/[]:%", "_____")).strip("_")
    folder = output or home / "evaluation" / name
    check_writable(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} exists already; name another --output, or delete it.")

    stored = ku.load_dataset(dataset, tfds_dir, raw_dir)
    rate = stored.sampling_rate
    if rate != needs.get("sampling_rate", rate):
        raise ValueError(
            f"{dataset} has {rate:g} Hz, the classifier was trained at {needs['sampling_rate']:g} Hz: resample the "
            "recordings (`sampling_rate` in their prepare.toml)."
        )
    arrays, held_out = (stored.arrays(part, length=needs.get("signal_length")) for part in (split, "validation"))
    for part in (arrays, held_out):
        part["onset"] = part["onset"].astype("float64")
    found = ku.evaluate(model, arrays, held_out, rate, speed_of_sound, network, verbose=options.progress())

    bin_width = model.bin_width
    text, files = write_evaluation(found, arrays, folder, network, dataset, split, rate, bin_width, speed_of_sound)
    print(text)
    for path in files:
        print(f"  {path}")
    return folder


if __name__ == "__main__":
    options.run(main)
