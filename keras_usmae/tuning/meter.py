"""Measures what an architecture would cost on a microcontroller, each one once."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from filelock import FileLock

from keras_usmae.files import write_json
from keras_usmae.tuning.footprint import Footprint, bound_footprint, digest

_NEEDED = ("tensorflow", "ai_edge_litert", "tflite_micro")


class FootprintMeter:
    """Converts untrained classifiers to int8 in a process of its own, and keeps what it finds.

    Size and arena follow from the architecture, not from what was learned. Where TensorFlow or the extra `mcu` is
    missing, flash and arena stay unknown.

    Args:
        bin_width: int, samples in a ToF class.
        folder: path, where footprints are kept, a small file each, for other processes and later searches. Defaults to
            `None`, in memory only; it may be set later.
    """

    def __init__(self, bin_width: int, folder: str | Path | None = None) -> None:
        self.bin_width = bin_width
        self.folder = folder
        self._process: Any = None  # its pipes are there, which a hint of Popen cannot say
        self._known = {}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    @staticmethod
    def missing() -> list[str]:
        """Packages that measuring needs and that are not installed, a list of names."""
        return [name for name in _NEEDED if importlib.util.find_spec(name) is None]

    def bound(self, encoder: dict, head: str):
        """The least that a classifier can need; see `bound_footprint`."""
        return bound_footprint(encoder, head, self.bin_width)

    def measure(self, encoder: dict, head: str) -> Footprint:
        """Measures an architecture, or looks up what was measured before.

        Args:
            encoder: dict, constructor arguments of `MAEEncoder`.
            head: str, `"per_patch"` or `"pooled"`.

        Returns:
            `Footprint`. Flash is that of the trained file but for a few bytes of scales; the arena is that of this
            machine, a little above that of a 32-bit target.

        Raises:
            RuntimeError: if the classifier cannot be converted.
        """
        request = {"encoder": encoder, "head": head, "bin_width": self.bin_width}
        if self.missing():
            return Footprint(None, None, self.bound(encoder, head).macs)
        name = digest(request)
        if name not in self._known:
            self._known[name] = Footprint(**self._look_up(name, request))
        return self._known[name]

    def close(self) -> None:
        """Ends the process that converts."""
        if self._process is not None:
            self._process.communicate()  # closes its input, which ends it
            self._process = None

    def _look_up(self, name, request):
        if self.folder is None:
            return self._ask(request)
        path = Path(self.folder) / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not path.exists():
                write_json(path, {**request, "footprint": self._ask(request)})
            return json.loads(path.read_text())["footprint"]

    def _ask(self, request):
        process = self._process
        if process is None:
            self._process = process = subprocess.Popen(
                # -P, and not -m: it needs neither the modules beside it nor KerasTuner.
                [sys.executable, "-P", str(Path(__file__).with_name("convert_untrained.py"))],
                env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        try:
            print(json.dumps(request), file=process.stdin, flush=True)
            line = process.stdout.readline()
        except BrokenPipeError:  # it had ended before it was asked
            line = ""
        if not line:
            self.close()
            code = process.returncode
            raise RuntimeError(f"The process that converts classifiers ended with code {code}, at {request}.")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"The classifier {request} cannot be converted: {answer['error']}")
        return answer
