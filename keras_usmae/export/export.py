"""From a trained model to a folder of verified files."""

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.configs import DEFAULT_FORMATS, FORMATS
from keras_usmae.export.deployment import DEPLOYMENT_FORMS, DeploymentGraph
from keras_usmae.export.firmware import write_firmware
from keras_usmae.export.folder import check_output, read_report, replacing_folder, write_report
from keras_usmae.export.onnx import write_onnx
from keras_usmae.export.report import format_report
from keras_usmae.export.saved_model import write_saved_model, write_static_saved_model
from keras_usmae.export.streaming import check_bins
from keras_usmae.export.tflite import INTEGER_FORMATS, check_calibration, convert
from keras_usmae.export.verify import verify_onnx, verify_tflite

if TYPE_CHECKING:
    from keras_usmae.export.reference import Reference


def parse_formats(text: str) -> tuple[str, ...]:
    """Reads a comma-separated list of formats, without repetitions.

    Args:
        text: str, such as `"saved_model,int8"`.

    Raises:
        ValueError: if one is unknown, or there is none.
    """
    formats = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ValueError(f"Formats must be some of {', '.join(FORMATS)}, with commas between. Received: {text!r}")
    return formats


def export_model(
    reference: "Reference",
    output: str | Path,
    calibration: np.ndarray,
    formats: tuple[str, ...] = DEFAULT_FORMATS,
    seconds: float = 60.0,
    training: dict | None = None,
) -> dict:
    """Writes a model in several formats, and measures each against Keras.

    All runtimes are scored on the same signals: the first that each of them had time for. Formats of an earlier export
    of the same model, that are not asked for now, stay as they are.

    Args:
        reference: `Reference` of the model; see `reference_of`.
        output: path of the folder to write: `saved_model/`, `model_FORMAT.tflite`, `model.onnx`, `firmware_FORMAT/`
            for integer formats, `report.md`, and `export.json`. An earlier export there is replaced, and stays as
            it was on failure.
        calibration: array of shape `(n, signal_length)`, raw signals that set the scales of integer models, other ones
            than those of the reference; at least 32.
        formats: tuple of str from `"saved_model"`, `"float32"`, `"float16"`, `"dynamic"`, `"int8"`, `"int16x8"`,
            `"onnx"`.
        seconds: float, longest time for one file in one runtime, in s. Defaults to `60.0`.
        training: optional dict, the configuration of the training, for the model cards.

    Returns:
        A dict of all figures, the content of `export.json`; `format_report` prints it.

    Raises:
        ValueError: for unfit signals, an unknown format, or a model that the target cannot run.
        FileExistsError: if the output folder is in use by something else.
    """
    check_output(output)
    formats = parse_formats(",".join(formats))
    model = reference.model
    if set(formats) & set(INTEGER_FORMATS):
        calibration = check_calibration(calibration, reference.signal_length)
        check_bins(reference.signal_length, reference.bin_width)

    report = {
        "kind": reference.kind,
        "weights": _fingerprint(model),
        "signal_length": reference.signal_length,
        "sampling_rate": model.sampling_rate,
        "bin_width": model.bin_width,
        "num_bins": reference.num_bins,
        "parameters": model.count_params(),
        "signals": reference.source,
        "calibration_signals": len(calibration),
        "formats": {},
    }
    runs, contents = {}, {}
    with replacing_folder(output) as folder, tempfile.TemporaryDirectory() as static:
        for name in formats:
            if name == "saved_model":
                write_saved_model(model, folder / "saved_model")
                report["formats"][name] = {"bytes": _folder_bytes(folder / "saved_model")}
            elif name == "onnx":
                write_onnx(model, folder / "model.onnx")
                report["formats"][name], runs[name] = verify_onnx(folder / "model.onnx", reference, seconds)
            else:
                write_static_saved_model(DeploymentGraph(model, DEPLOYMENT_FORMS[name], calibration[:64]), static)
                contents[name] = convert(static, name, calibration)
                (folder / f"model_{name}.tflite").write_bytes(contents[name])
                report["formats"][name], runs[name] = verify_tflite(contents[name], name, reference, seconds)
        _score(report, reference, runs)
        _keep_others(report, Path(output), folder)
        for name in set(INTEGER_FORMATS) & set(formats):
            write_firmware(folder / f"firmware_{name}", contents[name], name, reference, report, training)
        (folder / "report.md").write_text(f"# What was exported, and how good it is\n\n{format_report(report)}\n")
        write_report(folder, report)
    return report


def _score(report, reference, runs):
    """Scores Keras and every runtime on the signals that all of them have seen."""
    seen = [len(run.logits) for of_format in runs.values() for run in of_format.values()]
    count = min([len(reference.inputs), *seen])
    report["num_signals"] = count
    report["keras"] = reference.compare(reference.logits[:count])
    for name, of_format in runs.items():
        report["formats"][name]["runtimes"] = {
            runtime: run.scores(reference, count) for runtime, run in of_format.items()
        }


def _fingerprint(model):
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()[:16]


def _keep_others(report, earlier, folder):
    """Takes over what an earlier export of the same model wrote in other formats."""
    old = read_report(earlier)
    if old.get("weights") != report["weights"]:
        return
    for name, file in old["formats"].items():
        if name in report["formats"]:
            continue
        report["formats"][name] = {**file, "signals": file.get("signals", old["signals"])}
        for path in (name, f"model_{name}.tflite", f"model.{name}", f"firmware_{name}"):
            if (earlier / path).is_dir():
                shutil.copytree(earlier / path, folder / path)
            elif (earlier / path).is_file():
                shutil.copy2(earlier / path, folder / path)


def _folder_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
