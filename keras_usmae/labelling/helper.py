"""A process beside the page, for what needs Keras: it reads a job, and prints a line of JSON for each step."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_usmae.files import write_json


class Helper:
    """A module of this package, run as a process of its own.

    Args:
        module: str, such as `"keras_usmae.labelling.pick_process"`.
        job: dict, what it reads.
        folder: path of a folder for the job and the log.
        tell: function that is called, in a thread, with each dict that the process prints. After the last it gets
            `{"ended": True}`, and with it `"error"`, a str, where the process failed.
    """

    def __init__(self, module: str, job: dict, folder: str | Path, tell: Callable[[dict], Any]) -> None:
        name = module.rpartition(".")[2]
        self._log = Path(folder) / f"{name}.log"
        path = Path(folder) / f"{name}.json"
        write_json(path, job)
        environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONUNBUFFERED": "1"}
        # In a session of its own: Ctrl-C is for the page alone, which then ends this process in order.
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        self._tell, self._stopped = tell, False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def runs(self) -> bool:
        """Whether the process is at work."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ends the process."""
        self._stopped = True
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._thread.join(timeout=5)

    def _listen(self):
        with self._process as process:
            for line in process.stdout or ():
                try:
                    told = json.loads(line)
                except ValueError:  # something that a library prints
                    continue
                if isinstance(told, dict):
                    self._tell(told)
        code = process.returncode
        failed = code != 0 and not self._stopped
        self._tell({"ended": True, **({"error": self._last_line(code)} if failed else {})})

    def _last_line(self, code):
        lines = [line for line in self._log.read_text("utf-8", "replace").splitlines() if line.strip()]
        return lines[-1][:500] if lines else f"the process ended with {code}"


def read_job() -> tuple[dict, Callable[..., None]]:
    """The job of this process, and a function that tells the page of a step.

    Standard output is kept for the steps: whatever else is printed goes to the log. The process ends where the page
    that started it does, however that ends.
    """
    steps = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _give_way()

    def follow():
        os.read(0, 1)  # gives something once its other end is closed: the process of the page is gone
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()

    def tell(**step):
        steps.write(json.dumps(step) + "\n")
        steps.flush()

    return json.loads(Path(sys.argv[1]).read_text("utf-8")), tell


def _give_way():
    """Lets the page and its browser go first: who labels waits for each key, and for picks only at the start."""
    if hasattr(os, "nice"):
        os.nice(19)
    # Linux weighs the sessions of a user against each other, and this process is in one of its own.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text("19")
