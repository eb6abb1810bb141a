"""The page of `usmae label` under strain: a scan of 1.6 GB, and a server that is killed."""

import json
import os
import random
import signal
import time
from pathlib import Path

import numpy as np

import keras_usmae as ku
from recipes.experiments.labelling_page import Page, Served, open_browser


def memory_of(pid):
    """Memory of a process that is its own, and the most it ever had with what it maps, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    values = {
        line.split(":")[0]: line.split()[1] for line in status.splitlines() if line.startswith(("RssAnon", "VmHWM"))
    }
    return {name: int(value) / 1e3 for name, value in values.items()}


def speed(seed, folder, traces=100_000, samples=4096, labels=100):
    """Time from key to next trace, and memory, with a scan of 1.6 GB, while it is picked."""
    path = folder / "large.npy"
    rng, made = np.random.default_rng(seed), np.lib.format.open_memmap(path, "w+", "<f4", (traces, samples))
    time_, burst = np.arange(samples), 200
    for start in range(0, traces, 1000):
        block = rng.standard_normal((1000, samples), dtype=np.float32) * 0.02
        onset = 1500 + 300 * np.sin(np.arange(start, start + 1000) / 900)
        inside = (time_ - onset[:, None]) / burst
        block += np.where((inside > 0) & (inside < 1), np.sin(np.pi * inside) ** 2 * np.sin(0.14 * inside * burst), 0)
        made[start : start + 1000] = block
    del made
    found = {}
    with Served(path, "--sampling-rate", "100e6", "--axis", "1", "--output", folder / "large_labels") as served:
        with open_browser() as driver:
            page = Page(driver, served.address)
            page.wait_for_picks(2000)
            for phase in ("while it picks", "after"):
                if phase == "after":
                    children = _children(served.process.pid)
                    found["memory_picker"] = [memory_of(child) for child in children]
                    for child in children:
                        os.kill(child, signal.SIGTERM)
                    time.sleep(2)
                page.script("window.usmaeLatencies.length = 0")
                for _ in range(labels):
                    page.keep(" " if page.data("mark") else "x")
                latency = np.array(page.script("window.usmaeLatencies"))
                found[phase] = {f"p{share}": float(np.percentile(latency, share)) for share in (50, 95, 99, 100)}
                print(phase, found[phase], flush=True)
            found["picked"] = page.number("picked")
        found["memory_server"] = memory_of(served.process.pid)
    path.unlink()
    return found


def _children(pid):
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in listed for child in file.read_text().split()]


def kills(seed, folder, times=12):
    """Kills the server at random moments; each label that the page showed as kept must be there again."""
    rng, rows = random.Random(seed), []
    np.save(folder / "scan.npy", ku.synthesize(ku.SignalConfig.from_preset("quickstart"), 400, seed=seed)["signal"])
    output = folder / "kill_labels"
    arguments = ("--sampling-rate", "100e6", "--axis", "1", "--preset", "nano", "--output", output)
    before = 0
    with open_browser() as driver:
        for _ in range(times):
            with Served(folder / "scan.npy", *arguments) as served:
                page = Page(driver, served.address)
                moment = time.monotonic() + rng.uniform(0.2, 3.0)
                while time.monotonic() < moment:
                    page.press(*rng.choices("xd ", k=3))
                os.kill(served.process.pid, signal.SIGKILL)
                shown = page.number("kept")
            lines = (output / "journal.jsonl").read_bytes().split(b"\n")
            there = sum(json.loads(line)["kind"] == "label" for line in lines[:-1])
            rows.append({"shown": shown, "kept": there - before, "lost": max(shown - (there - before), 0)})
            before = there
            print(rows[-1], flush=True)
    return {"kills": times, "shown": sum(row["shown"] for row in rows), "lost": sum(row["lost"] for row in rows)}
