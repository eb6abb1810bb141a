"""Teaches the ready picker the labels of your recordings: from some ten of them a picker for your probe.

    python recipes/teach.py scan.npy --sidecar scan.toml
    python recipes/teach.py folder --preset nano --output runs/my_picker
    python recipes/predict.py other_scan.npy --run runs/my_picker

Reads what recipes/predict.py reads; the sidecar names the labelled onsets, or recipes/label.py has made it, whose sure
labels count. Close to a label its word counts, and everywhere else what the picker said before, so that it does not
forget other echoes. About a fifth of the labels, in stretches of neighbours or by the groups of the sidecar, is held
out, and the picker is scored on them before and after. Writes a run folder, whole or not at all: detector.keras, which
`predict.py --run`, `export.py --run` and `EchoPicker.from_run` take, detector.tflite where TensorFlow is installed,
config.json, metrics.json, held_out.csv and held_out.png. About half a minute of a core. `KERAS_BACKEND` chooses the
backend.
"""

from pathlib import Path

from keras_usmae import options
from keras_usmae.configs import TeachConfig
from keras_usmae.files import free_name
from keras_usmae.picker.settings import TraceConfig

DEFAULT = TraceConfig("")


@options.takes(TeachConfig)
def main(
    config,
    source: options.Source,
    sidecar: options.Sidecar = None,
    sampling_rate: options.SamplingRate = None,
    axis: options.Axis = DEFAULT.axis,
    signals: options.Signals = DEFAULT.signals,
    start_time: options.StartTime = None,
    preset: options.Picker = DEFAULT.preset,
    run: options.PickerRun = None,
    scale: options.Scale = DEFAULT.scale,
    output: options.Output = None,
) -> Path:
    """Teaches the ready picker the labels of recordings, and scores it before and after on those held out."""
    traces = TraceConfig(
        **options.trace_settings(source, sidecar, sampling_rate, axis, signals, start_time, preset, run, scale),
    )
    from keras_usmae.training.teaching_run import teach_recordings  # here: --help need not wait for Keras

    folder = output or free_name(Path("runs") / f"teach_{source.resolve().stem}")
    metrics = teach_recordings(config, traces, folder)
    print(f"Taught {run or preset} {metrics['labels']} labels in {metrics['seconds']:.0f} s.")
    print(f"Scale: {'; '.join(metrics['scales'])}")
    for line in _told(metrics):
        print(line)
    print(f"Written to {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
    if not _is_worse(metrics):
        print(f"Pick with it: python recipes/predict.py FILE --run {folder}" + (f" --scale {scale}" if scale else ""))
    return folder


def _told(metrics):
    """What was left out, what is doubtful, and the scores."""
    for path, reason in metrics["failed"].items():
        yield f"Not read: {path}: {reason}"
    if rejected := metrics["rejected"]:
        yield f"Traces that cannot be used, with their labels: {len(rejected)}. The first: {rejected[0]}"
    for doubt in metrics["doubts"]:
        yield f"Note: {doubt}"
    if not metrics["held_out"]:
        yield "The labels are of too few places for some to be held out: nothing tells whether it picks better."
        return
    traces = metrics["after"]["traces"]
    yield f"On the {metrics['held_out']} labels of {traces} traces that were held out, by the nearest pick:"
    for name in ("before", "after"):
        part = metrics[name]
        yield (
            f"  {name}: mean error {part['mean_error_ns']:.0f} ns, median {part['median_error_ns']:.0f} ns, "
            f"{100 * part['far']:.1f} % far or missed, {100 * part['in_interval']:.0f} % in the 95 % intervals"
        )
    if _is_worse(metrics):
        yield "It errs no less than before: go on without --run, or label traces that are more different."


def _is_worse(metrics):
    return bool(metrics["held_out"]) and not (metrics["after"]["mean_error_ns"] < metrics["before"]["mean_error_ns"])


if __name__ == "__main__":
    options.run(main)
