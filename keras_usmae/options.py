"""Command-line options that several recipes share, each with its help."""

import atexit
import contextlib
import dataclasses
import functools
import inspect
import os
import shlex
import signal
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_usmae import user_files
from keras_usmae.fields import did_you_mean
from keras_usmae.picker.units import parse_rate, parse_time
from keras_usmae.renamed import current_names

# TensorFlow's lines on how it was built say nothing to who runs a recipe; its errors stay. Here, since recipes import
# Keras ahead of `run`.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Options that do not decide what a run gives, and so are not in its configuration.
_OF_THIS_MACHINE = ("output", "resume", "tfds_dir", "raw_dir", "config_file")

Preset = Annotated[
    str,
    typer.Option(
        help="Sizes of the model: nano, nano_patch16, nano_mcu, tiny, tiny_patch64, small (the paper's), base, or a "
        ".json file."
    ),
]
Dataset = Annotated[str, typer.Option(help="Dataset and configuration, as NAME/CONFIG.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Signals in an optimiser step.")]
LearningRate = Annotated[float, typer.Option(min=0.0, help="Peak of the learning rate.")]
Seed = Annotated[int, typer.Option(help="Seed of weights, order, masks and synthetic signals.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run of the same options.")]
Devices = Annotated[
    int,
    typer.Option(
        min=1,
        help="Devices that share each batch: of this machine with TensorFlow, of all machines together with JAX and "
        "torch (docs/how-to/clusters.md). The loss is that of one device.",
    ),
]
TfdsDir = Annotated[
    Path | None,
    typer.Option(envvar="TFDS_DATA_DIR", help="Where prepared datasets lie. Defaults to ~/tensorflow_datasets."),
]
RawDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="DATA_DIR",
        help="Folder with the measured originals, which are downloaded by default. For ultrasound_measured/custom, "
        "your own recordings: a folder or file with its sidecar, or a .toml file that names them.",
    ),
]
SpeedOfSound = Annotated[
    float, typer.Option(min=1.0, help="Speed of sound in m/s, for errors in mm (pulse-echo, half of the path).")
]
Output = Annotated[Path | None, typer.Option(help="Run folder to write. Defaults to a name under runs/.")]

# Of what picks traces of a user's files, see `keras_usmae.picker.settings.TraceConfig`.
Source = Annotated[Path, typer.Argument(metavar="FILE_OR_FOLDER", help="A-scans: a file, or a folder of files.")]
Sidecar = Annotated[Path | None, typer.Option(help="Sidecar. Defaults to those beside the data.")]
SamplingRate = Annotated[str | None, typer.Option(help="50e6 or 50MHz, where file and sidecar do not say it.")]
Axis = Annotated[int | None, typer.Option(min=0, help="Axis of time, where file and sidecar do not say it.")]
Signals = Annotated[str | None, typer.Option(help="Array or columns with the traces, * for any text.")]
StartTime = Annotated[
    str | None, typer.Option(help="From the transmit pulse to the first sample, as 81us. Defaults to the file's, or 0.")
]
Scan = Annotated[str | None, typer.Option(help="Size of the scan, lines x traces of a line. Defaults to the file's.")]
Picker = Annotated[str, typer.Option("--preset", help="Picker that ships: nano, nano_mcu, tiny or tiny_patch64.")]
PickerRun = Annotated[
    Path | None, typer.Option("--run", help="Run folder of a picker of your own, in place of --preset.")
]
Scale = Annotated[
    str | None, typer.Option(help="Samples for the network in each of the recording: 8, or 1/2. Estimated by default.")
]


def trace_settings(
    source: Path,
    sidecar: Path | None,
    sampling_rate: str | None,
    axis: int | None,
    signals: str | None,
    start_time: str | None,
    preset: str,
    run: Path | None,
    scale: str | None,
) -> dict[str, Any]:
    """The options above as arguments of `keras_usmae.picker.settings.TraceConfig`: plain values, in Hz and s.

    Raises:
        ValueError: where a rate or a time is none.
    """
    return {
        "source": str(source),
        "sidecar": sidecar and str(sidecar),
        "sampling_rate": sampling_rate and parse_rate(sampling_rate),
        "axis": axis,
        "signals": signals,
        "start_time": start_time and parse_time(start_time),
        "preset": preset,
        "run": run and str(run),
        "scale": scale,
    }


def _take_config(context: typer.Context, path: Path | None):
    """Makes the options in a file the defaults of those on the command line."""
    if path is None:
        return None
    recipe = Path(sys.argv[0]).stem
    if not path.is_file():
        raise FileNotFoundError(f"There is no file of options {path}; recipes/tune.py writes one.")
    content = user_files.read_json(path)
    options = content.get(recipe)
    if not isinstance(options, dict):
        raise ValueError(f"The file of options {path} has no entry {recipe!r} with the options of recipes/{recipe}.py.")
    options = current_names(options)
    # A file of somebody else's does not choose where this machine reads and writes.
    known = {each.name: each for each in context.command.params if each.name not in _OF_THIS_MACHINE}
    if unknown := sorted(set(options) - set(known)):
        raise ValueError(
            f"{path} has options {unknown} that {recipe}.py does not take from it: {sorted(known)}."
            + did_you_mean(unknown[0], known)
        )
    for name, value in options.items():
        try:
            known[name].process_value(context, value)
        except (typer.BadParameter, TypeError, ValueError) as error:
            raise ValueError(f"{path}, {recipe}.{name}: {error} Received: {value!r}") from None
    if "encoder" in content:
        options = {"preset": str(path), **options}
    if options.get("pretrained", "none") not in ("none", "synthetic", "picker"):  # told relative to the file
        options["pretrained"] = str(path.parent / options["pretrained"])
    context.default_map = options
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        is_eager=True,
        callback=_take_config,
        help="File of options and sizes, as tune.py writes it (best.json). Options on the command line win.",
    ),
]


def read_json(path: str | Path) -> dict:
    """Reads a JSON file of a run folder."""
    from keras_usmae.training import read_config  # here: not every recipe needs Keras

    return read_config(path)


def progress() -> int:
    """Keras's `verbose`: a progress bar on a terminal, a line per epoch elsewhere."""
    return 1 if sys.stdout.isatty() else 2


def originals(dataset: str, raw_dir: str | Path | None) -> str | Path | None:
    """`raw_dir` where the dataset is made from originals: DATA_DIR may be set while a synthetic one is asked for."""
    return raw_dir if dataset.startswith("ultrasound_measured") else None


def sampling_rate(builder: Any) -> float:
    """Sampling rate in Hz that a prepared builder's signals have."""
    return float(builder.info.metadata["sampling_rate"])


def takes(config_class: Any) -> Callable:
    """Decorator of a recipe's `main(config, ...)`: each field of the configuration becomes an option of its own.

    Names, types, defaults, bounds and help are those of the fields; see `keras_usmae.configs`.

    Args:
        config_class: dataclass whose fields come from `setting`.
    """

    def decorate(main):
        hints = typing.get_type_hints(config_class)
        fields = {field.name: field for field in dataclasses.fields(config_class)}
        _, *own = inspect.signature(main).parameters.values()
        parameters = []
        for name, field in fields.items():
            flags = [field.metadata["flag"]] if field.metadata["flag"] else []
            option = typer.Option(*flags, **{key: field.metadata[key] for key in ("help", "min", "max")})
            keyword = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=field.default)
            parameters.append(keyword.replace(annotation=Annotated[hints[name], option]))
        parameters += [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]

        def command(**arguments: Any):
            config = config_class(**{name: arguments.pop(name) for name in fields})
            return main(config, **arguments)

        command.__name__, command.__doc__ = main.__name__, main.__doc__
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return command

    return decorate


def run(main: Callable, command: str | None = None) -> None:
    """Runs a recipe's `main` on the command line.

    Errors about the user's input are told without a traceback. Ctrl-C and SIGTERM end what was started and tell how to
    go on.

    Args:
        command: str or `None`. What the user typed, such as `"usmae predict"`. Defaults to `None`, that is
            `python recipes/NAME.py`.
    """

    @functools.wraps(main)
    def interruptible(**arguments):
        try:
            return main(**arguments)
        except KeyboardInterrupt as interrupt:  # here: typer tells no more than "Aborted"
            print(f"\nInterrupted. {_way_on(main, command)}", file=sys.stderr)
            _interrupted.append(143 if interrupt.args else 130)
            sys.exit(_interrupted[-1])

    def terminate(number, frame):
        raise KeyboardInterrupt(number)

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(interruptible)
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        app(prog_name=command)
    except (ValueError, OSError, ImportError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    finally:
        signal.signal(signal.SIGTERM, before)


_interrupted: list[int] = []  # exit codes


@atexit.register  # as this module is imported, and so behind the hooks of all that is imported later
def _leave() -> None:
    """Ends an interrupted process ahead of Python's teardown.

    JAX computes a step in threads of its own. An interruption does not wait for them, and to take down the compiled
    step that they are in was a segmentation fault in two of five interruptions.
    """
    if _interrupted:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # nobody listens any more
                stream.flush()
        os._exit(_interrupted[-1])


def _way_on(main, command):
    """What to do after an interruption."""
    start = command.split() if command else ["python", sys.argv[0]]
    again = shlex.join([*start, *sys.argv[1:]])
    if "resume" not in inspect.signature(main).parameters:
        return f"What is done and kept is whole; the same command starts again: {again}"
    again += "" if "--resume" in sys.argv else " --resume"
    return f"What was finished is kept, and the run goes on with: {again}"
