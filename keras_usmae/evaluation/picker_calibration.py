"""What a trained detector is worth on synthetic records whose echoes are known, and its settings from that."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.picker.decoding import NORMAL_95
from keras_usmae.picker.picker import EchoPicker
from keras_usmae.signals import SignalConfig, synthesize
from keras_usmae.signals.synthesis.onsets import VISIBILITIES, all_echoes

if TYPE_CHECKING:
    from keras_usmae.models.echo_detector import EchoDetector
    from keras_usmae.picker.engines import LiteRTEngine

# Seeds that no training has: of the records that settings are chosen on, and of those that they are judged on.
CALIBRATION_SEED, JUDGING_SEED = 88_888, 99_999
FALSE_ALARMS = 1e-3  # a record
# Settings by which `min_confidence` alone decides, as it does in firmware.
ALONE = {"sure_confidence": None, "clear_confidence": None, "loud_confidence": 1.0}
_LEVEL = 0.95
_NEAR_BINS = 1.5  # of an onset: a pick within them has found it
_FOUND_DB = 18.0
_SOUGHT_DB = 12.0  # echoes by which the rule of the picks is chosen
_RATE = 100e6  # Hz; at scale 1 no result depends on it
_LEAST = 0.3  # confidence; less is noise


def silent_world() -> SignalConfig:
    """`SignalConfig` of records without an echo: noise of all colours, ring-down, backscatter, continuous waves."""
    return dataclasses.replace(
        SignalConfig.from_preset("field"),
        silent_probability=1.0,
        tail_probability=0.0,
        grain_probability=0.3,
        tone_probability=0.3,
        ringdown_probability=0.3,
    )


def lone_world() -> SignalConfig:
    """`SignalConfig` of records with one echo, of 18 dB and more, all of it in the record."""
    field = SignalConfig.from_preset("field")
    none: dict = {f.name: 0.0 for f in dataclasses.fields(field) if f.name.endswith("_probability")}
    return dataclasses.replace(
        field, **none, max_echoes=0, max_precursors=0, snr_db=(_FOUND_DB, 40.0), onset_range=(64.0, 1500.0)
    )


def calibrate_picker(
    detector: "EchoDetector | LiteRTEngine", num_signals: int = 65_536, label_sigma: float = 8.0
) -> dict:
    """Chooses which picks count and how wide their intervals are, on synthetic records.

    `min_confidence` is the smallest by which, alone, at most one record in 1,000 without an echo gets a pick: the rule
    of firmware. The picker's own rule takes the SNR of a pick too, see `EchoPicker.pick`: of all that give no more
    false alarms, the one that finds the most echoes. The intervals hold 95 % of the onsets next to a pick, among the
    sure half of the picks as among the others.

    Args:
        detector: `EchoDetector`, trained; or `LiteRTEngine` of one.
        num_signals: int, records without an echo; there are a quarter as many with echoes. Defaults to `65_536`, so
            that some fifty false alarms are counted.
        label_sigma: float, samples, of the training; see `PickerTraining`. Defaults to `8.0`.

    Returns:
        A dict for the detector's `settings`: `"min_confidence"`, `"sure_confidence"`, `"clear_confidence"`,
        `"clear_snr_db"`, `"interval_scale"`, `"interval_floor"` and `"label_sigma"`.
    """
    picker = EchoPicker(detector)
    picker.settings |= {"interval_scale": 1.0, "interval_floor": 0.0, "label_sigma": label_sigma}
    false = _false_picks(picker, num_signals, CALIBRATION_SEED, _LEAST)
    allowed = int(num_signals * FALSE_ALARMS * 0.75)  # not all of it: the next records are others
    least = _least_confidence(false, allowed, 0.0)
    found = _match(picker, SignalConfig.from_preset("field"), num_signals // 4, CALIBRATION_SEED, _LEAST)
    sure = found["confidence"] >= least
    interval = _interval(np.abs(found["error"][sure]), found["half_width"][sure] / NORMAL_95)
    return {"min_confidence": least, **_rule(false, found, least, allowed), "label_sigma": label_sigma, **interval}


def _least_confidence(false, allowed, lowest, exempt=None):
    """The smallest least confidence, in hundredths, with which at most so many records have a false pick."""
    records = len(np.unique(false["trace"][exempt])) if exempt is not None else 0
    if records > allowed:
        return None
    for least in np.arange(max(lowest, _LEAST), 0.951, 0.01).round(2):
        counts = false["confidence"] >= least
        counts = counts if exempt is None else counts | exempt
        if len(np.unique(false["trace"][counts])) <= allowed:
            return float(least)
    return 0.95 if exempt is None else None


def _rule(false, found, least, allowed):
    """The rule that finds the most echoes of those with no more false alarms than allowed."""

    def share(sure, clear, snr_db):
        counts = (found["confidence"] >= sure) | ((found["confidence"] >= clear) & (found["snr_db"] >= snr_db))
        return len(np.unique(found["echo"][counts & (found["echo"] >= 0)]))

    best = (share(least, 2.0, 0.0), {"sure_confidence": least, "clear_confidence": None, "clear_snr_db": 20.0})
    for clear in (0.4, 0.45, 0.5, 0.55, 0.6):
        for snr_db in np.arange(14.0, 31.0, 2.0):
            exempt = (false["confidence"] >= clear) & (false["snr_db"] >= snr_db)
            sure = _least_confidence(false, allowed, least, exempt)
            if clear < least and sure and (number := share(sure, clear, snr_db)) > best[0]:
                rule = {"sure_confidence": sure, "clear_confidence": clear, "clear_snr_db": float(snr_db)}
                best = (number, rule)
    return best[1]


def _interval(error, doubt):
    """Scale and floor of the intervals, from errors and the doubts that the network stated, both in samples.

    A scale alone gives too narrow an interval where the network is sure, and too wide a one where it is not.
    """
    sure = doubt <= np.median(doubt)
    found: list[tuple[float, float, float]] = []
    for floor in np.arange(0.5, 6.01, 0.25):
        ratio = error / (NORMAL_95 * np.sqrt(doubt**2 + floor**2))
        scale = np.quantile(ratio, _LEVEL)
        uneven = abs(np.mean(ratio[sure] <= scale) - np.mean(ratio[~sure] <= scale))
        found.append((uneven, floor, scale))
    _, floor, scale = min(found, key=lambda one: one[0])
    return {"interval_scale": round(float(scale), 3), "interval_floor": float(floor)}


def score_picker(
    detector: "EchoDetector | LiteRTEngine", settings: dict, num_signals: int = 20_480, seed: int = JUDGING_SEED
) -> dict:
    """Scores a detector on synthetic records of another seed than it was calibrated on.

    Args:
        detector: `EchoDetector`, trained; or `LiteRTEngine` of one.
        settings: dict, from `calibrate_picker`.
        num_signals: int, records without an echo; there are a quarter as many with echoes. Defaults to `20_480`.
        seed: int, of the records; no training and no calibration has it. Defaults to `99_999`.

    Returns:
        A dict of floats: `"false_records"`, share of the records without an echo that get a pick; `"found"`, share of
        the clear echoes at 18 dB and more that are found, and `"found_lone"`, where each is alone; `"median_error"`
        and `"mean_error"` in samples; and `"coverage"`, share of the onsets next to a pick, of all echoes, inside of
        its interval.
    """
    picker = EchoPicker(detector)
    picker.settings |= settings
    found = _match(picker, SignalConfig.from_preset("field"), num_signals // 4, seed)
    lone = _match(picker, lone_world(), num_signals // 4, seed)
    clear = np.abs(found["error"][found["clear"]])
    false = _false_picks(picker, num_signals, seed)
    return {
        "false_records": len(np.unique(false["trace"])) / num_signals,
        "found": found["share"],
        "found_lone": lone["share"],
        "median_error": float(np.median(clear)),
        "mean_error": float(np.mean(clear)),
        "coverage": float(np.mean(np.abs(found["error"]) <= found["half_width"])),
    }


def _false_picks(picker, num_signals, seed, min_confidence=None):
    """Picks in records without an echo."""
    names = ("trace", "confidence", "snr_db")
    parts = {name: [] for name in names}
    for start in range(0, num_signals, 2048):
        signals = synthesize(silent_world(), min(2048, num_signals - start), seed, start=start)["signal"]
        picks = picker.pick(signals, _RATE, scale=1, min_confidence=min_confidence)
        for name in names:
            parts[name].append(getattr(picks, name) + (start if name == "trace" else 0))
    return {name: np.concatenate(values) for name, values in parts.items()}


def _match(picker, world, num_signals, seed, min_confidence=None):
    """Picks that have an echo near, and the share of the clear echoes of 18 dB and more that is found."""
    near_by, found, sought = [], 0, 0
    reach = _NEAR_BINS * picker.bin_width
    for start in range(0, num_signals, 2048):
        drawn = synthesize(world, min(2048, num_signals - start), seed, start=start)
        picks = picker.pick(drawn["signal"], _RATE, scale=1, min_confidence=min_confidence)
        starts, amplitudes = all_echoes(drawn)
        onsets = np.concatenate([drawn["onset"][:, None], drawn["echo_onsets"]], axis=1)
        visible = np.concatenate([drawn["visibility"][:, None], drawn["echo_visibility"]], axis=1)
        level_db = drawn["snr_db"][:, None] + 20 * np.log10(np.abs(amplitudes) / drawn["amplitude"][:, None])
        there = (onsets >= 0) & ~np.isnan(starts)
        clear = there & (visible == VISIBILITIES.index("clear"))

        # (picks, echoes): the echo that each pick belongs to, and the picks that clear echoes have.
        distance = np.where(there, onsets, np.inf)[picks.trace] - picks.onset[:, None]
        nearest = np.abs(distance).argmin(axis=1) if len(distance) else np.empty(0, int)
        rows = np.arange(len(nearest))
        near = np.abs(distance[rows, nearest]) <= reach
        trace, echo = picks.trace[near], nearest[near]
        loud = clear[trace, echo] & (level_db[trace, echo] >= _SOUGHT_DB)
        near_by.append(
            {
                "error": -distance[rows, nearest][near],
                "half_width": np.ptp(picks.interval[near], axis=1) / 2 * _RATE,
                "confidence": picks.confidence[near],
                "snr_db": picks.snr_db[near],
                "clear": clear[trace, echo] & (level_db[trace, echo] >= _FOUND_DB),
                "echo": np.where(loud, (start + trace) * onsets.shape[1] + echo, -1),
            }
        )
        hit = np.zeros_like(clear)
        np.logical_or.at(hit, picks.trace, np.abs(distance) <= reach)
        loudest = clear & (level_db >= _FOUND_DB)
        found, sought = found + int((hit & loudest).sum()), sought + int(loudest.sum())
    both = {name: np.concatenate([part[name] for part in near_by]) for name in near_by[0]}
    return both | {"share": found / max(sought, 1)}
