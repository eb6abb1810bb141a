"""What a trained detector is worth on synthetic records whose echoes are known, and its settings from that."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.picker.decoding import NORMAL_95, decode_picks
from keras_usmae.signals import SignalConfig, standardize, synthesize
from keras_usmae.signals.synthesis.onsets import VISIBILITIES, all_echoes

if TYPE_CHECKING:
    from keras_usmae.models.echo_detector import EchoDetector

# Seeds that no training has: of the records that settings are chosen on, and of those that they are judged on.
CALIBRATION_SEED, JUDGING_SEED = 88_888, 99_999
FALSE_ALARMS = 1e-3  # a record
_LEVEL = 0.95
_NEAR_BINS = 1.5  # of an onset: a pick within them has found it
_FOUND_DB = 18.0


def silent_world() -> SignalConfig:
    """`SignalConfig` of records without an echo: noise of all colours, ring-down, backscatter, continuous waves.

    Returns:
        A `SignalConfig`.
    """
    return dataclasses.replace(
        SignalConfig.from_preset("field"),
        silent_probability=1.0,
        tail_probability=0.0,
        grain_probability=0.3,
        tone_probability=0.3,
        ringdown_probability=0.3,
    )


def lone_world() -> SignalConfig:
    """`SignalConfig` of records with one echo, of 18 dB and more, all of it in the record.

    Returns:
        A `SignalConfig`.
    """
    field = SignalConfig.from_preset("field")
    none: dict = {f.name: 0.0 for f in dataclasses.fields(field) if f.name.endswith("_probability")}
    return dataclasses.replace(
        field, **none, max_echoes=0, max_precursors=0, snr_db=(_FOUND_DB, 40.0), onset_range=(64.0, 1500.0)
    )


def predict_probabilities(detector: "EchoDetector", signals: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Probability of each bin that an echo begins in it.

    Args:
        detector: `EchoDetector`.
        signals: array of shape `(n, signal_length)`, raw.
        batch_size: int. Defaults to `256`.

    Returns:
        A float32 array of shape `(n, num_bins)`.
    """
    logits = detector.predict(standardize(signals), batch_size=batch_size, verbose=0)
    return 1 / (1 + np.exp(-logits))


def calibrate_picker(detector: "EchoDetector", num_signals: int = 20_480, label_sigma: float = 8.0) -> dict:
    """Chooses the least confidence and the width of the intervals on synthetic records.

    The least confidence is the smallest at which at most one record in 1,000 without an echo gets a pick. The intervals
    hold 95 % of the onsets next to a pick, among the sure half of the picks as among the others.

    Args:
        detector: `EchoDetector`, trained.
        num_signals: int, records without an echo; there are a quarter as many with echoes. Defaults to `20_480`.
        label_sigma: float, samples, of the training; see `PickerTraining`. Defaults to `8.0`.

    Returns:
        A dict with `"min_confidence"`, `"interval_scale"`, `"interval_floor"` and `"label_sigma"`, for the detector's
        `settings`; see `decode_picks`.
    """
    loudest = _loudest_false_picks(detector, num_signals, CALIBRATION_SEED)
    allowed = int(num_signals * FALSE_ALARMS * 0.75)  # not all of it: the next records are others
    least = float(np.sort(loudest)[-1 - allowed])
    min_confidence = min(max(np.ceil(least * 100) / 100, 0.3), 0.95)
    settings = {"min_confidence": float(min_confidence), "label_sigma": label_sigma}
    found = _match(detector, SignalConfig.from_preset("field"), num_signals // 4, CALIBRATION_SEED, settings)
    return settings | _interval(np.abs(found["error"]), found["half_width"] / NORMAL_95)


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


def score_picker(detector: "EchoDetector", settings: dict, num_signals: int = 20_480) -> dict:
    """Scores a detector on synthetic records of another seed than it was calibrated on.

    Args:
        detector: `EchoDetector`, trained.
        settings: dict, from `calibrate_picker`.
        num_signals: int, records without an echo; there are a quarter as many with echoes. Defaults to `20_480`.

    Returns:
        A dict of floats: `"false_records"`, share of the records without an echo that get a pick; `"found"`, share of
        the clear echoes at 18 dB and more that are found, and `"found_lone"`, where each is alone; `"median_error"`
        and `"mean_error"` in samples; and `"coverage"`, share of the onsets next to a pick, of all echoes, inside of
        its interval.
    """
    found = _match(detector, SignalConfig.from_preset("field"), num_signals // 4, JUDGING_SEED, settings)
    lone = _match(detector, lone_world(), num_signals // 4, JUDGING_SEED, settings)
    clear = np.abs(found["error"][found["clear"]])
    loudest = _loudest_false_picks(detector, num_signals, JUDGING_SEED)
    return {
        "false_records": float(np.mean(loudest >= settings["min_confidence"])),
        "found": found["share"],
        "found_lone": lone["share"],
        "median_error": float(np.median(clear)),
        "mean_error": float(np.mean(clear)),
        "coverage": float(np.mean(np.abs(found["error"]) <= found["half_width"])),
    }


def _loudest_false_picks(detector, num_signals, seed):
    """The most confident pick of each record without an echo."""
    loudest = np.zeros(num_signals)
    for start in range(0, num_signals, 2048):
        count = min(2048, num_signals - start)
        signals = synthesize(silent_world(), count, seed, start=start)["signal"]
        picks = decode_picks(predict_probabilities(detector, signals), detector.bin_width, min_confidence=0.05)
        np.maximum.at(loudest, start + picks["trace"], picks["confidence"])
    return loudest


def _match(detector, world, num_signals, seed, settings):
    """Errors of the picks that have an echo near, and the share of the clear echoes of 18 dB and more that is found."""
    errors, widths, clears, found, sought = [], [], [], 0, 0
    for start in range(0, num_signals, 2048):
        drawn = synthesize(world, min(2048, num_signals - start), seed, start=start)
        picks = decode_picks(predict_probabilities(detector, drawn["signal"]), detector.bin_width, **settings)
        starts, amplitudes = all_echoes(drawn)
        onsets = np.concatenate([drawn["onset"][:, None], drawn["echo_onsets"]], axis=1)
        visible = np.concatenate([drawn["visibility"][:, None], drawn["echo_visibility"]], axis=1)
        level_db = drawn["snr_db"][:, None] + 20 * np.log10(np.abs(amplitudes) / drawn["amplitude"][:, None])
        there = (onsets >= 0) & ~np.isnan(starts)
        clear = there & (visible == VISIBILITIES.index("clear")) & (level_db >= _FOUND_DB)

        # (picks, echoes): the echo that each pick belongs to, and the picks that clear echoes have.
        distance = np.where(there, onsets, np.inf)[picks["trace"]] - picks["onset"][:, None]
        nearest = np.abs(distance).argmin(axis=1) if len(distance) else np.empty(0, int)
        rows = np.arange(len(nearest))
        near = np.abs(distance[rows, nearest]) <= _NEAR_BINS * detector.bin_width
        errors.append(-distance[rows, nearest][near])
        widths.append(picks["half_width"][near])
        clears.append(clear[picks["trace"], nearest][near])
        hit = np.zeros_like(clear)
        np.logical_or.at(hit, picks["trace"], np.abs(distance) <= _NEAR_BINS * detector.bin_width)
        found, sought = found + int((hit & clear).sum()), sought + int(clear.sum())
    names = ("error", "half_width", "clear")
    lists = (errors, widths, clears)
    return {n: np.concatenate(v) for n, v in zip(names, lists, strict=True)} | {"share": found / max(sought, 1)}
