"""What runs beside the page: the picking of all traces, and the learning from labels."""

import dataclasses
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_usmae.files import atomic_write, remove_leftovers, write_json
from keras_usmae.labelling.helper import Helper
from keras_usmae.picker.echo_table import LEAST_LABELS, OPEN, hold_out
from keras_usmae.picker.settings import DETECTOR_FILE

if TYPE_CHECKING:
    from keras_usmae.labelling.labels import Labels
    from keras_usmae.labelling.settings import LabelConfig
    from keras_usmae.labelling.traces import OpenedScan
    from keras_usmae.picker.gates import Gate


CURVE = "curve.json"
_BLOCK_SAMPLES = 1 << 19


class Work:
    """Starts the processes and keeps what they tell.

    Args:
        gates: sequence of `Gate`.
        echoes: list of str, a name for each gate.
        folder: `pathlib.Path` of the session.
        on_block: function of a block's number and path, called in a thread.
        on_learnt: function without arguments, called in a thread once the picker has learnt and picks anew.

    Attributes:
        picking: dict for the page: `"done"`, `"total"` and `"why"`, the choice of the scale, or `"error"`.
        learning: dict for the page: `"share"` and `"step"` while it runs, or `"error"`.
        curve: list of dict, a result of each learning.
        scale: dict of `"scale"`, `"ratio"` and `"burst"` (samples), once they are known.
    """

    def __init__(
        self,
        config: "LabelConfig",
        opened: "OpenedScan",
        gates: "Sequence[Gate]",
        echoes: list[str],
        folder: Path,
        on_block: Callable[[int, Any], Any],
        on_learnt: Callable[[], Any],
    ) -> None:
        self._config, self._opened, self._folder = config, opened, folder
        self._gates, self._echoes = [[gate.name, gate.start, gate.stop] for gate in gates], echoes
        self._on_block, self._on_learnt = on_block, on_learnt
        self.rows = max(min(_BLOCK_SAMPLES // opened.traces.num_samples, 512), 16)
        self.picking = {"done": 0, "total": opened.traces.num_traces}
        self.learning, self.scale = {}, {}
        path = folder / CURVE
        self.curve = json.loads(path.read_text("utf-8")) if path.is_file() else []
        self._picker: Helper | None = None
        self._learner: Helper | None = None

    @property
    def run(self) -> Path | None:
        """Folder of the picker that learnt from the labels, or `None`."""
        taken = [result["folder"] for result in self.curve if result["taken"]]
        found = [self._folder / name for name in taken if (self._folder / name / DETECTOR_FILE).is_file()]
        return found[-1] if found else None

    def pick(self) -> None:
        """Begins to pick all traces, or goes on with what was begun."""
        if self._picker is not None:
            self._picker.stop()
        job = self._job(str(self.run) if self.run else self._config.run)
        detector = Path(job["run"]) / DETECTOR_FILE if job["run"] else None
        which = json.dumps(job) + (hashlib.sha256(detector.read_bytes()).hexdigest() if detector else "")
        folder = self._folder / f"picks_{hashlib.sha256(which.encode()).hexdigest()[:12]}"
        folder.mkdir(exist_ok=True)
        remove_leftovers(folder)
        self.picking = {"done": 0, "total": self._opened.traces.num_traces}

        def tell(told):
            if "block" in told:
                self._on_block(told["block"], folder / f"{told['block']:06d}.npz")
                self.picking["done"] = min((told["block"] + 1) * self.rows, self.picking["total"])
            elif "scale" in told:
                self.scale = {key: told[key] for key in ("scale", "ratio", "burst")}
                self.picking["why"] = told["why"]
            elif "error" in told:
                self.picking["error"] = told["error"]
            if told.get("ended") and self.picking["done"] == self.picking["total"]:
                for other in self._folder.glob("picks_*"):
                    if other != folder:
                        shutil.rmtree(other, ignore_errors=True)

        module = "keras_usmae.labelling.pick_process"
        self._picker = Helper(module, {**job, "folder": str(folder), "rows": self.rows}, self._folder, tell)

    def learn(self, labels: "Labels") -> None:
        """Begins to learn from labels.

        Raises:
            ValueError: where it learns already, or there are too few labels, or all are of neighbours.
        """
        if self._learner is not None and self._learner.runs:
            raise ValueError("The picker is learning already.")
        if "scale" not in self.scale:
            raise ValueError("The picker is starting. Try again in a moment.")
        columns = {name: [] for name in ("trace", "gate", "mark", "onset")}
        for gate, echo in enumerate(self._echoes):
            mine = labels.of(echo)
            some = np.flatnonzero(mine.mark != OPEN)
            columns["trace"].append(some)
            columns["gate"].append(np.full(len(some), gate))
            columns["mark"].append(mine.mark[some].astype(int))
            columns["onset"].append(mine.onset[some])
        table: dict[str, Any] = {name: np.concatenate(parts) for name, parts in columns.items()}
        if len(table["trace"]) < LEAST_LABELS:
            raise ValueError(f"{len(table['trace'])} labels are too few to learn from; {LEAST_LABELS} would do.")
        if not hold_out(table["trace"]).any():
            raise ValueError(
                "The labels are of too few places for some to be held out, to score by. Label some elsewhere too."
            )
        with atomic_write(self._folder / "learn.npz") as partial:
            np.savez(partial, **table)
        name = f"picker_{1 + max((int(result['folder'].split('_')[1]) for result in self.curve), default=0)}"
        job = self._job(self._config.run) | {"scale": self.scale["scale"], "labels": str(self._folder / "learn.npz")}
        shutil.rmtree(self._folder / name, ignore_errors=True)  # of a learning that was interrupted
        self.learning = {"share": 0.0, "step": "starting", "since": time.time()}

        def tell(told):
            if "result" in told:
                self._take(name, told["result"])
            elif "error" in told:
                self.learning = {"error": told["error"]}
            elif told.get("ended"):
                self.learning = {key: self.learning[key] for key in ("error",) if key in self.learning}
            else:
                self.learning |= told

        module = "keras_usmae.labelling.learn_process"
        self._learner = Helper(module, {**job, "folder": str(self._folder / name)}, self._folder, tell)

    def stop(self) -> None:
        """Ends the processes; what they have finished is kept."""
        for helper in (self._picker, self._learner):
            if helper is not None:
                helper.stop()

    def _take(self, name, result):
        """Keeps a result, and picks anew where the picker errs less on the held-out labels than it did."""
        taken = result["held_out"] > 0 and result["after"] < result["before"]
        self.curve = [*self.curve, {**result, "folder": name, "taken": taken}]
        write_json(self._folder / CURVE, self.curve)
        if taken:
            self._on_learnt()

    def _job(self, run):
        opened = self._opened
        return {
            "layout": dataclasses.asdict(opened.layout),
            "sampling_rate": opened.sampling_rate,
            "start_time": opened.start_time,
            "preset": self._config.preset,
            "run": run,
            "scale": self._config.scale,
            "gates": self._gates,
            "echo": self._config.echo,
        }
