"""What runs the network of a picker: LiteRT on the processor's cores, or Keras on whatever its backend uses.

LiteRT computes one window after the other in each thread, which its matrices fit into the processor's caches for: twice
as many windows a second as any backend of Keras has on a CPU, and none of them has to be imported.
"""

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from keras_usmae.models.echo_detector import EchoDetector

ENGINES = ("auto", "litert", "keras")
METADATA = "keras_usmae.picker"  # name of the entry in a .tflite file
LITERT = "ai_edge_litert"
_WORTH_COMPILING = 8192  # windows: XLA, which Keras leaves off on a CPU, compiles for some seconds


@dataclasses.dataclass(frozen=True)
class DetectorInfo:
    """What a picker knows of its network.

    Args:
        settings: dict, such as `"min_confidence"`.
        weights: str. SHA-256 of the weights that the file was made from, `""` where nobody asks.
    """

    signal_length: int
    bin_width: int
    settings: dict
    weights: str = ""


def has_litert() -> bool:
    """Whether LiteRT is installed."""
    return importlib.util.find_spec(LITERT) is not None


def check_engine(name: str) -> None:
    """Raises a ValueError for a name that is none of `ENGINES`."""
    if name not in ENGINES:
        raise ValueError(f"`engine` must be one of {', '.join(ENGINES)}. Received: engine={name!r}")


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class KerasEngine:
    """A detector run by Keras, in batches.

    Args:
        detector: `EchoDetector`.
    """

    name = "keras"
    workers = 1  # a backend uses the cores by itself

    def __init__(self, detector: "EchoDetector"):
        self.detector = detector
        self.info = DetectorInfo(detector.encoder.signal_length, detector.bin_width, dict(detector.settings))

    def expect(self, num_windows: int) -> None:
        """Has TensorFlow compile the network where many windows follow: 1.3 (`tiny`) to 1.6 (`nano`) times as fast."""
        import keras

        many = num_windows >= _WORTH_COMPILING
        if many and keras.backend.backend() == "tensorflow" and not self.detector.jit_compile:
            self.detector.jit_compile, self.detector.predict_function = True, None

    def logits(self, windows: np.ndarray, batch_size: int) -> np.ndarray:
        """Logits `(n, num_bins)` of windows `(n, signal_length)`, `n` not above `batch_size`."""
        # Few sizes of batches, so that no backend compiles again and again, and a single trace need not wait for 256.
        size = next(size for size in (1, min(16, batch_size), batch_size) if size >= len(windows))
        padded = np.zeros((size, windows.shape[1]), np.float32)
        padded[: len(windows)] = windows
        return np.asarray(self.detector.predict_on_batch(padded))[: len(windows)]


class LiteRTEngine:
    """A detector's .tflite file in float32, run by LiteRT on all cores.

    Args:
        content: bytes of the file, from `keras_usmae.export.write_engine`.

    Raises:
        ImportError: where LiteRT is not installed.
        ValueError: where the file is none of a picker.
    """

    name = "litert"

    def __init__(self, content: bytes):
        self.info = read_info(content)
        self.workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._content = content
        self._idle: list = []  # interpreters; threads may pop and append at a time
        with _without_greeting():  # LiteRT tells once in a process that it uses XNNPACK
            self._idle.append(self._start())

    def expect(self, num_windows: int) -> None:
        """Nothing to prepare."""

    def logits(self, windows: np.ndarray, batch_size: int) -> np.ndarray:
        """Logits `(n, num_bins)` of windows `(n, signal_length)`; threads may call it at a time."""
        try:
            interpreter = self._idle.pop()
        except IndexError:
            interpreter = self._start()
        model, source, sink = interpreter
        found = np.empty((len(windows), self.info.signal_length // self.info.bin_width), np.float32)
        for row, window in enumerate(windows):
            model.set_tensor(source, window[None])
            model.invoke()
            found[row] = model.get_tensor(sink)[0]
        self._idle.append(interpreter)
        return found

    def _start(self):
        from ai_edge_litert.interpreter import Interpreter

        try:
            model = Interpreter(model_content=self._content, num_threads=1)
            model.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"LiteRT cannot run the .tflite file: {error}.") from error
        return model, model.get_input_details()[0]["index"], model.get_output_details()[0]["index"]


@contextlib.contextmanager
def _without_greeting():
    """Keeps what C++ writes to the standard error output from the terminal."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def read_info(content: bytes) -> DetectorInfo:
    """What a .tflite file says of the picker that it was made from.

    Args:
        content: bytes of the file.

    Raises:
        ImportError: where LiteRT is not installed.
        ValueError: where the file is none of a picker.
    """
    from ai_edge_litert import schema_py_generated as schema

    try:
        model = schema.Model.GetRootAs(content, 0)
        entries = [model.Metadata(index) for index in range(model.MetadataLength())]
        buffer = next(model.Buffers(entry.Buffer()) for entry in entries if entry.Name() == METADATA.encode())
        return DetectorInfo(**json.loads(buffer.DataAsNumpy().tobytes()))
    except Exception as error:  # whatever a damaged flatbuffer makes its reader stumble over
        raise ValueError(f"The .tflite file is none of a picker: it has no readable entry {METADATA!r}.") from error


def load_engine(path: str | Path, weights: str | Path, engine: str) -> LiteRTEngine | None:
    """The .tflite file beside a detector's weights, where it is asked for and can be used.

    Args:
        path: path of the file, which may be missing.
        weights: path of the weights that it must be made from.
        engine: str, one of `ENGINES`. `"auto"` takes LiteRT where it can.

    Returns:
        `LiteRTEngine`, or `None` for Keras.

    Raises:
        ImportError: where LiteRT is asked for and not installed.
        FileNotFoundError: where it is asked for and the file is missing.
        ValueError: where it is asked for and the file is made from other weights, or damaged.
    """
    check_engine(engine)
    if engine == "keras" or (engine == "auto" and not (has_litert() and Path(path).is_file())):
        return None
    if not has_litert():
        raise ImportError("engine='litert' needs LiteRT: pip install ai-edge-litert, or take engine='keras'.")
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"There is no {path}, which engine='litert' runs. Write it with `keras_usmae.export.write_engine` on "
            "TensorFlow, or take engine='keras'."
        )
    try:
        found = LiteRTEngine(Path(path).read_bytes())
        if found.info.weights != file_hash(weights):
            raise ValueError(f"{path} was made from other weights than {weights}.")
    except ValueError as error:
        if engine == "litert":
            raise
        warnings.warn(f"{error} Keras runs the picker in its place.", stacklevel=3)
        return None
    return found


def write_engine_of_run(folder: str | Path) -> bool:
    """Writes `detector.tflite` beside a run's `detector.keras`, in a process of its own on TensorFlow.

    Args:
        folder: path of the run's folder.

    Returns:
        bool: `False` where TensorFlow or LiteRT is not installed, and Keras will run the picker.

    Raises:
        RuntimeError: where the file could not be written.
    """
    if not (importlib.util.find_spec("tensorflow") and has_litert()):
        return False
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "keras_usmae.export.engine", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"The file that LiteRT runs could not be written to {folder}: {last}")
    return True


Engine = KerasEngine | LiteRTEngine


def in_threads(engine: Engine, work: Callable, jobs: list) -> Iterator[Any]:
    """Does jobs on as many threads as an engine has workers.

    Args:
        work: function of one job.

    Returns:
        Iterator over the results, in the order of the jobs.
    """
    if engine.workers == 1 or len(jobs) <= 1:
        yield from map(work, jobs)
        return
    with concurrent.futures.ThreadPoolExecutor(min(engine.workers, len(jobs))) as threads:
        yield from threads.map(work, jobs)
