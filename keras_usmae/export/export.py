"""From a trained classifier to a folder of verified models."""

import tempfile

import numpy as np

from keras_usmae.export.deployment import DEPLOYMENT_FORMS, DeploymentGraph
from keras_usmae.export.firmware import write_firmware
from keras_usmae.export.folder import check_output, replacing_folder, write_report
from keras_usmae.export.onnx import write_onnx
from keras_usmae.export.saved_model import write_saved_model, write_static_saved_model
from keras_usmae.export.tflite import INTEGER_FORMATS, TFLITE_FORMATS, check_calibration, convert
from keras_usmae.export.verify import compare_with_keras, verify_onnx, verify_tflite
from keras_usmae.signals import check_signals, standardize

FORMATS = ("saved_model", *TFLITE_FORMATS, "onnx")
DEFAULT_FORMATS = ("saved_model", "float32", "int8", "int16x8")


def parse_formats(text):
    """Reads a comma-separated list of formats.

    Args:
        text: str, such as `"saved_model,int8"`.

    Returns:
        Tuple of str, without repetitions.

    Raises:
        ValueError: if one is unknown, or there is none.

    Example:

    ```python
    parse_formats("float32,int8")  # ("float32", "int8")
    ```
    """
    formats = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ValueError(f"Formats must be some of {', '.join(FORMATS)}, with commas between. Received: {text!r}")
    return formats


def export_classifier(
    classifier,
    output,
    calibration,
    signals,
    onset,
    formats=DEFAULT_FORMATS,
    speed_of_sound=1480.0,
    seconds=60.0,
    training=None,
):
    """Writes a classifier in several formats, and measures each against Keras.

    Args:
        classifier: `ToFClassifier` in float32; see `load_classifier`.
        output: path of the folder to write: `saved_model/`, `model_FORMAT.tflite`, `model.onnx`, `firmware_FORMAT/`
            for integer formats, and `export.json`. An earlier export there is replaced; nothing is left behind on
            failure.
        calibration: array of shape `(n, signal_length)`, raw signals of the training split that set the scales of
            integer models; at least 32.
        signals: array of shape `(m, signal_length)`, raw signals of the test split.
        onset: array of shape `(m,)`, their labelled onsets in samples.
        formats: tuple of str from `"saved_model"`, `"float32"`, `"float16"`, `"dynamic"`, `"int8"`, `"int16x8"`,
            `"onnx"`.
        speed_of_sound: float, m/s, for errors in mm. Defaults to `1480.0`.
        seconds: float, longest time for one file in one runtime, in s. Defaults to `60.0`.
        training: optional dict, the configuration of the training, for the model cards.

    Returns:
        A dict of all figures, the content of `export.json`; `format_report` prints it.

    Raises:
        ValueError: for unfit signals, an unknown format, or a model that the target cannot run.
        FileExistsError: if the output folder is in use by something else.

    Example:

    ```python
    classifier = load_classifier("runs/mine/classifier.keras")
    report = export_classifier(classifier, "runs/mine/export", calibration, signals, onset)
    print(format_report(report))
    ```
    """
    check_output(output)
    formats = parse_formats(",".join(formats))
    signal_length = classifier.encoder.signal_length
    signals = np.asarray(signals)
    inputs = standardize(check_signals(signals, signal_length))
    if set(formats) & set(INTEGER_FORMATS):
        calibration = check_calibration(calibration, signal_length)

    keras_logits = classifier.predict(inputs, batch_size=256, verbose=0)
    report = {
        "signal_length": signal_length,
        "sampling_rate": classifier.sampling_rate,
        "bin_width": classifier.bin_width,
        "num_classes": classifier.num_classes,
        "parameters": classifier.count_params(),
        "test_signals": len(inputs),
        "calibration_signals": len(calibration),
        "keras": compare_with_keras(keras_logits, keras_logits, onset, classifier, speed_of_sound),
        "formats": {},
    }
    with replacing_folder(output) as folder, tempfile.TemporaryDirectory() as static:
        for name in formats:
            if name == "saved_model":
                write_saved_model(classifier, folder / "saved_model")
                report["formats"][name] = {"bytes": _folder_bytes(folder / "saved_model")}
                continue
            if name == "onnx":
                write_onnx(classifier, folder / "model.onnx")
                report["formats"][name] = verify_onnx(
                    folder / "model.onnx", classifier, keras_logits, signals, onset, speed_of_sound, seconds
                )
                continue
            write_static_saved_model(DeploymentGraph(classifier, DEPLOYMENT_FORMS[name]), static)
            content = convert(static, name, calibration)
            (folder / f"model_{name}.tflite").write_bytes(content)
            report["formats"][name] = verify_tflite(
                content, name, classifier, keras_logits, signals, onset, speed_of_sound, seconds
            )
            if name in INTEGER_FORMATS:
                write_firmware(folder / f"firmware_{name}", content, name, classifier, signals, report, training)
        write_report(folder, report)
    return report


def _folder_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
