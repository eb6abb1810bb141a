"""Logs of a run: metrics.csv and TensorBoard events, on every backend."""

import contextlib
import time
from pathlib import Path
from typing import Any

import keras

from keras_usmae.extras import import_extra
from keras_usmae.files import write_csv, write_error
from keras_usmae.training.run_folder import HISTORY_FILE, read_history


class RunLog(keras.callbacks.Callback):
    """Writes what each epoch logs to `metrics.csv` and to `tensorboard/` in the run folder.

    Keras's own TensorBoard callback needs TensorFlow; this one needs only the `tensorboard` package.

    Args:
        folder: path of the run folder.
        writes: bool, whether this process is the one that writes; see `RunCheckpoint`. Defaults to `True`.

    Raises:
        ImportError: if `tensorboard` (the extra `train`) is not installed.
    """

    def __init__(self, folder: str | Path, writes: bool = True) -> None:
        super().__init__()
        import_extra("tensorboard.compat", "train")  # here: what is missing is told before a training
        self.folder = Path(folder)
        self.writes = writes

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Reads what an interrupted run had logged."""
        self.rows = read_history(self.folder / HISTORY_FILE)
        self.writer: Any = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Drops what an interrupted run had logged of this epoch, and starts the clock."""
        if self.writer is None and self.writes:
            self.rows = [row for row in self.rows if row["epoch"] < epoch]
            # A start has TensorBoard drop the events of this and later epochs in the files of earlier processes.
            self._log_events(epoch, session_log={"status": "START"})
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        values = {name: float(value) for name, value in (logs or {}).items()}
        values["learning_rate"] = _learning_rate(self.model.optimizer)
        values["seconds"] = time.perf_counter() - self.started
        if not self.writes:
            return
        self.rows.append({"epoch": epoch, **values})
        write_csv(self.folder / HISTORY_FILE, self.rows)
        self._log_events(
            epoch, summary={"value": [{"tag": name, "simple_value": value} for name, value in values.items()]}
        )

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.writer is not None:
            self.writer.close()

    def _log_events(self, epoch, **content):
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        folder = self.folder / "tensorboard"
        try:
            self.writer = self.writer or EventFileWriter(str(folder))
            self.writer.add_event(Event(wall_time=time.time(), step=epoch, **content))
            self.writer.flush()
        except OSError as error:
            raise write_error(folder, error) from error


def _learning_rate(optimizer):
    # JAX would compile the branches of Keras's schedule anew for each epoch, and keep them: 1.3 MB of memory each.
    with _without_jit():
        return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def _without_jit():
    if keras.backend.backend() != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.disable_jit()
