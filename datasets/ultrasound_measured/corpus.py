"""From the four scans to examples: labels, resampling to the model's rate, windows, noise.

Samples in this file are at `SAMPLING_RATE`, but for the labels of the scans themselves.
"""

import dataclasses

import numpy as np

from keras_usmae.signals.readers.windows import (
    add_noise,
    burst_rms,
    cut_windows,
    draw_windows,
    resample,
    resampling_margin,
    window_starts,
)

from .echoes import INTERFACES, LABEL_DEFINITIONS, find_echoes, quiet_rms
from .holes import find_flaws, find_hole_echoes
from .labels import measure_extent
from .originals import ORIGINALS
from .splits import SPLITS, assign_splits

SIGNAL_LENGTH = 2048
SAMPLING_RATE = 100e6
SOURCES = tuple(ORIGINALS)
# Onsets in the window are uniform over this range; the 224 samples after it are room for the burst.
ONSET_RANGE = (0.0, 1824.0)
SNR_RANGE_DB = (18.0, 38.0)

# A burst rings on after it has fallen to 10 % of its peak, the end of its stated length.
_RINGING = 1.5

# What each source's specimen is made of. Behind the acrylic glass lies aluminium.
SPECIMENS = {
    "plane_scan": "acrylic_glass",
    "copper_block": "copper",
    "copper_array": "copper",
    "steel_pins": "steel",
}
MATERIALS = tuple(sorted(set(SPECIMENS.values())))
FLAW_CLASSES = ("no_flaw", "flaw")
# A hole's echo is in a window that holds this many samples to either side of its peak. It is not in a window that ends
# twice as long before the peak.
_HOLE_REACH = 100

# Relative frequency of each kind of echo, among those that can have a wanted onset.
KINDS = {
    ("plane_scan", "front"): 0.15,
    ("plane_scan", "pmma_back"): 0.25,
    ("copper_block", "front"): 0.15,
    ("copper_block", "copper_back"): 0.15,
    ("copper_array", "front"): 0.10,
    ("steel_pins", "pin_1"): 0.10,
    ("steel_pins", "pin_2"): 0.10,
}


@dataclasses.dataclass(frozen=True)
class Corpus:
    """All records at the model's rate, and all labelled echoes in them.

    Args:
        records: dict of float32 arrays of shape `(num_records, num_samples)`, by source, in units of full scale.
        echoes: dict of arrays of shape `(num_echoes,)`, one row for each usable echo of each record. `source`,
            `interface` and `label_definition` are indices; `onset`, `onset_reference`, `onset_sigma` and
            `burst_length` are samples in the record; `first` and `last` are the admissible starts of a window.
    """

    records: dict[str, np.ndarray]
    echoes: dict[str, np.ndarray]


def build_corpus(scans):
    """Labels and resamples all scans.

    Args:
        scans: dict of `Scan`, with the keys of `ORIGINALS`.

    Returns:
        A `Corpus`.
    """
    records, tables = {}, []
    for name, scan in scans.items():
        factor = resampling_factor(scan)
        records[name] = resample(scan.records, factor) / np.float32(scan.full_scale)
        tables += _tabulate(name, scan, factor, records[name])
    return Corpus(records, {key: np.concatenate([table[key] for table in tables]) for key in tables[0]})


def resampling_factor(scan):
    """Factor from the rate of a scan to that of the model; it must be whole, so that onsets scale exactly."""
    factor = SAMPLING_RATE / scan.sampling_rate
    if factor != round(factor) or factor < 1:
        raise ValueError(f"{scan.sampling_rate:g} Hz does not divide the model's rate of {SAMPLING_RATE:g} Hz.")
    return round(factor)


def make_examples(corpus, split, num_windows, with_noise, seed):
    """Cuts the windows of one split.

    Args:
        corpus: a `Corpus`.
        split: str. One of `SPLITS`.
        num_windows: int.
        with_noise: bool. Whether to add noise, so that the SNR is uniform over `SNR_RANGE_DB` where the record is not
            noisier. The windows are the same either way.
        seed: int.

    Returns:
        A dict of arrays of shape `(num_windows, ...)`, one for each feature of the dataset.
    """
    split_index = SPLITS.index(split)
    members = np.flatnonzero(corpus.echoes["split"] == split_index)
    echoes = {key: value[members] for key, value in corpus.echoes.items()}
    window_seed, noise_seed = np.random.SeedSequence(seed, spawn_key=(split_index,)).spawn(2)
    index, start = draw_windows(
        echoes["onset"],
        echoes["first"],
        echoes["last"],
        echoes["kind"],
        list(KINDS.values()),
        num_windows,
        ONSET_RANGE,
        window_seed,
    )
    chosen = {key: value[index] for key, value in echoes.items()}
    onset = chosen["onset"] - start
    signal = np.empty((num_windows, SIGNAL_LENGTH), dtype=np.float32)
    for source, name in enumerate(SOURCES):
        rows = np.flatnonzero(chosen["source"] == source)
        signal[rows] = cut_windows(corpus.records[name], chosen["row"][rows], start[rows], SIGNAL_LENGTH)

    noise_rms = chosen["noise_rms"]
    total = burst_rms(signal, onset, chosen["burst_length"])
    signal_rms = np.sqrt(np.maximum(total**2 - noise_rms**2, np.finfo(np.float32).tiny))
    wanted_db = np.random.default_rng(noise_seed).uniform(*SNR_RANGE_DB, num_windows) if with_noise else np.inf
    signal, snr_db, added = add_noise(signal, signal_rms, noise_rms, wanted_db, noise_seed.spawn(1)[0])
    hole = chosen["hole_peaks"]
    return {
        "signal": signal,
        "onset": onset,
        "onset_reference": chosen["onset_reference"] - start,
        "onset_sigma": chosen["onset_sigma"],
        "burst_length": chosen["burst_length"],
        "snr_db": snr_db,
        "noise_added": added,
        "source": chosen["source"],
        "interface": chosen["interface"],
        "label_definition": chosen["label_definition"],
        "position": chosen["position"],
        "window_start": start,
        "record_start": chosen["record_start"],
        "source_sampling_rate": chosen["source_sampling_rate"],
        "resampling_factor": chosen["resampling_factor"],
        "speed_of_sound": chosen["speed_of_sound"],
        "clipped": chosen["clipped"],
        "hole_echo": np.any((hole >= start[:, None]) & (hole < chosen["onset"][:, None]), axis=1),
        "flaw": _flaw_class(chosen["flaw_peaks"], chosen["flaw_unsure_from"], start),
        "material": chosen["material"],
    }


def _flaw_class(peaks, unsure_from, start):
    """Index into `FLAW_CLASSES` of each window, or -1 where neither is sure."""
    stop = start + SIGNAL_LENGTH
    whole = (peaks - _HOLE_REACH >= start[:, None]) & (peaks + _HOLE_REACH <= stop[:, None])
    return np.where(whole.any(axis=1), 1, np.where(stop <= unsure_from - 2 * _HOLE_REACH, 0, -1))


def _tabulate(name, scan, factor, records):
    """One table of usable echoes for each interface of a scan."""
    split = assign_splits(name, scan.position)
    echoes = find_echoes(name, scan)
    onsets, lengths, spreads = [], [], []
    for echo in echoes:
        extent = measure_extent(
            records, echo.reference * factor, np.array(echo.search) * SAMPLING_RATE, echo.clear, echo.group
        )
        onsets.append(echo.reference * factor + extent.shift)
        lengths.append(extent.length)
        spreads.append(extent.spread)
    margin = resampling_margin(factor)
    flaw_peaks, flaw_unsure_from = find_flaws(name, scan.position)
    tables = []
    for i, echo in enumerate(echoes):
        earliest, overlapped = np.full(len(split), float(margin)), np.zeros(len(split), dtype=bool)
        for j in set(range(len(echoes))) - {i}:
            before = onsets[j] < onsets[i]
            end = onsets[j] + _RINGING * lengths[j]
            earliest = np.where(before, np.maximum(earliest, end), earliest)
            overlapped |= ~before & (onsets[j] < onsets[i] + lengths[i])
        first, last = window_starts(onsets[i], lengths[i], earliest, records.shape[1] - margin, SIGNAL_LENGTH)
        keep = np.flatnonzero(echo.usable & ~overlapped & (split >= 0) & (first <= last))
        constants = {
            "source": SOURCES.index(name),
            "interface": INTERFACES.index(echo.interface),
            "label_definition": LABEL_DEFINITIONS.index(echo.definition),
            "kind": list(KINDS).index((name, echo.interface)),
            "record_start": scan.start_time,
            "source_sampling_rate": scan.sampling_rate,
            "resampling_factor": factor,
            "speed_of_sound": echo.speed_of_sound,
            "noise_rms": quiet_rms(name, scan) / scan.full_scale,
            "material": MATERIALS.index(SPECIMENS[name]),
        }
        columns = {
            "row": np.arange(len(split)),
            "split": split,
            "position": scan.position,
            "hole_peaks": find_hole_echoes(name, scan.position) * factor,
            "flaw_peaks": flaw_peaks * factor,
            "flaw_unsure_from": flaw_unsure_from * factor,
            "onset": onsets[i],
            "onset_reference": echo.reference * factor,
            "onset_sigma": np.hypot(echo.sigma * factor, spreads[i]),
            "burst_length": lengths[i],
            "first": first,
            "last": last,
            "clipped": _clipped(scan, onsets[i] / factor, lengths[i] / factor),
        }
        tables.append(
            {key: np.full(keep.size, value) for key, value in constants.items()}
            | {key: value[keep] for key, value in columns.items()}
        )
    return tables


def _clipped(scan, onset, length):
    """Whether a sample of the burst lies at an end of the ADC's scale."""
    low, high = scan.clip_range
    index = np.arange(scan.records.shape[1])
    inside = (index >= np.floor(onset)[:, None]) & (index <= np.ceil(onset + length)[:, None])
    return np.any(inside & ((scan.records <= low) | (scan.records >= high)), axis=1)
