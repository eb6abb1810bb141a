"""Flaw and material: the tasks beside time of flight."""

import hashlib
import re

import numpy as np
import pytest
from usmae_datasets.ultrasound_measured.labels import envelope

NUM_WINDOWS = {"train": 6400, "validation": 1600, "test": 1600}
# SHA-256 of source, interface, position and start of the windows of 1.0.0: features were added, and nothing moved.
RELEASED = {"train": "ae3705c08b10518a", "validation": "9053c2cbb4b808d6", "test": "c52ffd52cfdce65e"}


@pytest.fixture(scope="module")
def windows(measured, corpus):
    """The windows of `clean`, by split."""
    make = measured.corpus.make_examples
    return {split: make(corpus, split, number, False, 2025) for split, number in NUM_WINDOWS.items()}


def counts(windows, source, flaw):
    return int(np.sum((windows["source"] == source) & (windows["flaw"] == flaw)))


@pytest.mark.measured
def test_the_windows_are_those_of_the_first_release(windows):
    for split, digest in RELEASED.items():
        columns = [windows[split][key] for key in ("source", "interface", "position", "window_start")]
        data = b"".join(np.ascontiguousarray(column, dtype="<i4").tobytes() for column in columns)
        assert hashlib.sha256(data).hexdigest().startswith(digest)


@pytest.mark.measured
def test_the_readme_states_the_windows_of_each_class(windows, repository):
    readme = (repository / "datasets" / "ultrasound_measured" / "README.md").read_text()
    section = readme.split("## Tasks beside time of flight")[1].split("## How it is made")[0]
    for source, name in enumerate(("plane_scan", "copper_block")):
        row = re.search(rf"^\| `{name}` \|(.*)\|$", section, re.MULTILINE).group(1)
        stated = [[int(number) for number in re.findall(r"\d+", cell)] for cell in row.split("|")]
        assert stated == [[counts(part, source, flaw) for flaw in (0, 1, -1)] for part in windows.values()]


@pytest.mark.measured
def test_flaw_windows_hold_an_echo_where_no_flaw_windows_hold_none(measured, windows):
    """In counts of the plane scan, between its front and back echoes, over all splits."""
    heights = {0: [], 1: []}
    for part in windows.values():
        scan = (part["source"] == 0) & (part["interface"] == 1) & (part["onset"] > 800)
        for flaw in (0, 1):
            members = scan & (part["flaw"] == flaw) & ((flaw == 0) | part["hole_echo"])
            before = np.arange(2048) < part["onset"][members, None] - 150
            heights[flaw] += (np.where(before, envelope(part["signal"][members]), 0).max(axis=1) * 128).tolist()
    assert min(map(len, heights.values())) > 30
    assert np.percentile(heights[1], 5) > 2 * np.median(heights[0])
    assert np.median(heights[1]) > 5 * np.median(heights[0])


def test_half_an_echo_and_what_follows_it_are_neither_class(measured):
    make = measured.corpus._flaw_class
    peaks, unsure_from = np.array([[3000.0, np.nan]]), np.array([3000.0])
    starts = np.array([3000 - 2048 - 200, 3000 - 2048 - 199, 3000 - 2048 + 99, 3000 - 2048 + 100, 2900, 2901])
    classes = [int(make(peaks, unsure_from, np.array([start]))[0]) for start in starts]
    assert classes == [0, -1, -1, 1, 1, -1]


def test_skirts_of_a_hole_are_neither_class(measured):
    positions = np.array([(19, 11), (24, 19), (25, 11), (19, 20), (0, 0), (101, 0)])
    peaks, unsure_from = measured.holes.find_flaws("plane_scan", positions)
    assert np.isfinite(peaks[:2, 0]).all()
    assert np.isnan(peaks[2:]).all()
    assert np.isinf(unsure_from[4:]).all()
    assert unsure_from[:4].tolist() == [286.0] * 4
    peaks, unsure_from = measured.holes.find_flaws("copper_block", np.array([(37, 0), (10, 0), (260, 0)]))
    assert np.isfinite(peaks[:, 0]).tolist() == [True, False, False]
    assert unsure_from.tolist() == [963.0, np.inf, 4640.0]


def test_nothing_is_said_of_flaws_in_the_arrays(measured, dummy_corpus):
    for split in measured.splits.SPLITS:
        part = measured.corpus.make_examples(dummy_corpus, split, 400, False, 1)
        arrays = np.isin(part["source"], [2, 3])
        assert (part["flaw"][arrays] == -1).all()
        assert set(part["flaw"][~arrays]) <= {-1, 0, 1}
        # A hole before the onset is never a window without flaw.
        assert not (part["hole_echo"] & (part["flaw"] == 0)).any()


def test_the_material_is_that_of_the_source(measured, dummy_corpus):
    part = measured.corpus.make_examples(dummy_corpus, "test", 400, False, 1)
    names = [measured.corpus.SOURCES[source] for source in part["source"]]
    assert [measured.corpus.MATERIALS[material] for material in part["material"]] == [
        measured.corpus.SPECIMENS[name] for name in names
    ]
    assert set(part["material"]) == {0, 1, 2}
