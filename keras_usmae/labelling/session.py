"""A session: what the page asks for and does, one thing at a time."""

import math
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_usmae.labelling.found import Found
from keras_usmae.labelling.queue import Queue
from keras_usmae.labelling.view import rows_around, snap, trace_view
from keras_usmae.labelling.work import Work
from keras_usmae.picker.echo_table import MARKS

if TYPE_CHECKING:
    from keras_usmae.labelling.settings import LabelConfig
    from keras_usmae.labelling.store import LabelStore
    from keras_usmae.labelling.traces import OpenedScan
    from keras_usmae.picker.gates import Gate


_AHEAD = 4  # traces that the page may fetch before they are shown
_PAGE_GONE = 4.0  # s without a word; then another page may take over unasked
_SORT_PAUSE = 1.0  # s, and ten times what sorting takes
_BURST = 64.0  # samples, until the picker has measured them


class Refused(ValueError):
    """What the page asks for cannot be; the message is for the user."""


class Session:
    """Labels of a scan under one page.

    Args:
        gates: tuple of `Gate`.
        echoes: list of str, a name for each gate.
    """

    def __init__(
        self,
        config: "LabelConfig",
        opened: "OpenedScan",
        store: "LabelStore",
        gates: "tuple[Gate, ...]",
        echoes: list[str],
    ) -> None:
        self.opened, self.store, self.gates, self.echoes = opened, store, gates, list(echoes)
        self.work = Work(config, opened, gates, self.echoes, store.folder, self._add_block, self._pick_anew)
        self.found = Found(opened.traces.num_traces, len(gates), self.work.rows)
        self.queue = Queue(self.found, store.labels, self.echoes, opened.scan)
        self._lock = threading.RLock()
        self._version, self._sorted, self._sorting = 1, 0.0, 0.0
        self._page, self._heard = None, -math.inf

    # What the page asks for.

    def facts(self) -> dict:
        """What does not change: names, rates, gates, the shape of the scan. A dict."""
        opened, limit = self.opened, self.opened.traces.num_samples
        ends = [
            [(end - opened.start_time) * opened.sampling_rate for end in (gate.start, gate.stop)] for gate in self.gates
        ]
        return {
            "title": opened.files[0].name if len(opened.files) == 1 else opened.files[0].parent.name,
            "traces": opened.traces.num_traces,
            "samples": limit,
            "sampling_rate": opened.sampling_rate,
            "start_time": opened.start_time,
            "unit": opened.unit,
            "echoes": self.echoes,
            "gates": [[float(np.clip(end, 0, limit)) for end in gate] for gate in ends],
            "scan": {"shape": list(self.opened.scan.shape) or [opened.traces.num_traces]},
            "who": self.store.who,
            "folder": str(self.store.folder),
        }

    def state(self, page: Any, version: Any) -> dict:
        """What changes: a dict. The overview is in it where it is another one than that of `version`."""
        with self._lock:
            owns = self._owns(page)
            marks = [self.store.labels.of(echo).mark for echo in self.echoes]
            state = {
                "owns": owns,
                "version": self._version,
                "marks": {
                    name: int(sum((mark == number).sum() for mark in marks)) for number, name in enumerate(MARKS)
                },
                "picking": self.work.picking,
                "scale": self.work.scale,
                "learning": self.work.learning,
                "curve": self.work.curve,
                "can_undo": self.store.labels.can_undo,
                "error": self.store.table.error,
            }
            if version != self._version:
                rows, columns, cells = self.queue.overview()
                state["overview"] = {"rows": rows, "columns": columns, "cells": cells.tobytes().hex()}
            return state

    def view(self, trace: Any) -> bytes:
        """A trace for the page, see `trace_view`."""
        return trace_view(self.opened.traces, self._trace(trace), self.queue.line_length, self._about(trace))

    def act(self, name: str, asked: dict) -> dict:
        """Does what the page asks for.

        Args:
            name: str. `"start"`, `"label"`, `"run"`, `"undo"`, `"skip"`, `"snap"`, `"learn"`, `"take"` or `"leave"`.
            asked: dict with `"page"`, and what each needs.

        Returns:
            A dict for the page. `"go"` is the trace and echo to show.

        Raises:
            Refused: where it cannot be done; nothing is changed then.
            OSError: where a label could not be written; nothing is changed then.
        """
        do = getattr(self, f"_do_{name}", None)
        if do is None or not isinstance(asked.get("page"), str):
            raise Refused(f"There is nothing to do by the name {name!r}.")
        with self._lock:
            if name == "take":
                self._page, self._heard = asked["page"], time.monotonic()
            elif not self._owns(asked["page"]):
                raise Refused("Another page labels this scan. Use it, or go on here instead.")
            try:
                return do(asked)
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise Refused(str(error)) from error

    def close(self) -> None:
        """Ends the processes beside the page, and writes the table."""
        self.work.stop()
        with self._lock:
            self.store.close()

    # What the page does.

    def _do_start(self, asked):
        return self._go_on()

    _do_take = _do_start

    def _do_leave(self, asked):
        self._heard = -math.inf
        return {}

    def _do_label(self, asked):
        trace, echo = self._trace(asked["trace"]), self._echo(asked["echo"])
        onset = None if asked["mark"] == "no echo" else [float(asked["onset"])]
        self.store.add(self.echoes[echo], asked["mark"], [trace], onset, how=str(asked.get("how", ""))[:20])
        self._version += 1
        if (other := self.queue.open_echo(trace, echo)) is not None:
            return self._go(trace, other, self.queue.upcoming(_AHEAD - 1, (trace,)))
        return self._go_on(but=(trace,))

    def _do_run(self, asked):
        trace, echo = self._trace(asked["trace"]), self._echo(asked["echo"])
        run = self.queue.run(trace, echo)
        if not len(run):
            raise Refused("The neighbours do not agree with this trace, or are labelled already: there is no run.")
        onsets = np.where(run == trace, float(asked["onset"]), self.found.onset[echo][run])
        self.store.add(self.echoes[echo], "sure", run.tolist(), onsets.tolist(), how="run")
        self._version += 1
        return {"labelled": len(run), **self._go_on(but=(trace,))}

    def _do_undo(self, asked):
        echo, changed = self.store.undo()
        self._version += 1
        self.queue.rewind()
        number = self.echoes.index(echo) if echo in self.echoes else 0
        return {"undone": len(changed), **self._go(changed[0], number, self.queue.upcoming(_AHEAD - 1, changed))}

    def _do_skip(self, asked):
        self.queue.skip(self._trace(asked["trace"]))
        return self._go_on(but=(asked["trace"],))

    def _do_snap(self, asked):
        signal = self.opened.traces.read(self._trace(asked["trace"]))
        up = max(round(self.work.scale.get("ratio", 1.0)), 1)
        return {"onset": round(snap(signal, float(asked["onset"]), self._burst(), up), 2)}

    def _do_learn(self, asked):
        self.work.learn(self.store.labels)
        return {}

    # What it takes.

    def _about(self, trace):
        start, stop = rows_around(trace, self.queue.line_length, self.opened.traces.num_traces)
        with self._lock:
            picks = self.found.picks_of(trace)
            rows = []
            for gate, echo in enumerate(self.echoes):
                labels = self.store.labels.of(echo)
                rows.append(
                    {
                        "mark": MARKS[labels.mark[trace]],
                        "onset": _plain(labels.onset[trace]),
                        "pick": _plain(self.found.onset[gate, trace]),
                        "half_width": _plain(self.found.half_width[gate, trace]),
                        "confidence": float(self.found.confidence[gate, trace]),
                        "aic": _plain(self.found.aic[gate, trace]),
                        "reason": self.queue.reason(trace, gate),
                        "run": len(self.queue.run(trace, gate)),
                        "row_picks": [_plain(value) for value in self.found.onset[gate, start:stop]],
                        "row_labels": [_plain(value) for value in labels.onset[start:stop]],
                        "row_marks": labels.mark[start:stop].tolist(),
                    }
                )
            file, number = self.opened.place(trace)
            place = {key: int(value) for key, value in self.opened.scan.positions(trace).items()}
            return {
                "echoes": rows,
                "picks": picks,
                "looked": bool(self.found.looked[trace]),
                "why_none": str(self.found.reason[trace]),
                "file": file,
                "number": number,
                "place": place,
                "burst": self._burst(),
            }

    def _go_on(self, but=()):
        coming = self.queue.upcoming(_AHEAD, but)
        if not coming:
            return {"go": None, "upcoming": []}
        return self._go(coming[0], self.queue.open_echo(coming[0]), coming[1:])

    def _go(self, trace, echo, upcoming):
        return {"go": {"trace": trace, "echo": echo, "about": self._about(trace)}, "upcoming": upcoming}

    def _owns(self, page):
        now = time.monotonic()
        if self._page != page and now - self._heard > _PAGE_GONE:
            self._page = page
        if self._page == page:
            self._heard = now
        return self._page == page

    def _add_block(self, number, path):
        with self._lock:
            self.found.add(number, path)
            ready = time.monotonic() - self._sorted > max(_SORT_PAUSE, 10 * self._sorting)
            if ready or self.found.done == self.found.onset.shape[1]:
                started = time.monotonic()
                self.queue.sort()
                self._version += 1
                self._sorted = time.monotonic()
                self._sorting = self._sorted - started

    def _pick_anew(self):
        threading.Thread(target=self.work.pick, daemon=True).start()

    def _burst(self):
        return self.work.scale.get("burst", min(_BURST, self.opened.traces.num_samples / 20))

    def _trace(self, trace):
        if type(trace) is not int or not 0 <= trace < self.opened.traces.num_traces:
            raise Refused(f"There is no trace {trace!r:.40} of {self.opened.traces.num_traces:,}.")
        return trace

    def _echo(self, echo):
        if type(echo) is not int or not 0 <= echo < len(self.echoes):
            raise Refused(f"There is no echo {echo!r:.40} of {len(self.echoes)}.")
        return echo


def _plain(value):
    """A float for JSON, which has no NaN."""
    return round(float(value), 3) if math.isfinite(value) else None
