"""Error over SNR of `evaluate.py`, beside the Cramér-Rao bound where the dataset stores what it needs."""

import numpy as np

from keras_usmae.evaluation import score_over_snr
from keras_usmae.signals import measured_onset_bounds, synthetic_onset_bounds

SYNTHETIC = {"center_frequency", "burst_length", "phase", "envelope", "envelope_shape", "snr_db", "noise_color"}
MEASURED = {"burst_length", "snr_db", "source"}
KNOWN = (
    "The bound is that of a burst whose envelope is known and whose phase is not, in white noise; signals with other "
    "noise are left out. No estimator here is told the envelope, and later echoes and rounding are not in the bound: "
    "none can reach it."
)
FROM_SPECTRUM = (
    "The bound takes the noise for white, and all echoes of a source for one pulse of known envelope, of the bandwidth "
    "that its 64 cleanest unclipped signals have; none of this is exactly so."
)


def onset_bounds(arrays: dict, sampling_rate: float) -> tuple:
    """Bounds in samples of a dataset's signals, and the note that says what they assume.

    Returns:
        A tuple of an array, NaN for signals that have none, and a str; or `(None, None)` where the dataset does not
        store what a bound needs.
    """
    if arrays.keys() >= SYNTHETIC:
        bounds = synthetic_onset_bounds(arrays, sampling_rate)
        return np.where(arrays["clipped"], np.nan, bounds), KNOWN
    if arrays.keys() >= MEASURED:
        signals = arrays["signal"]
        columns = {name: arrays[name] for name in ("onset", "burst_length", "snr_db", "source")}
        return measured_onset_bounds(signals, **columns, usable=~arrays["clipped"]), FROM_SPECTRUM
    return None, None


def error_over_snr(arrays: dict, errors: dict, sampling_rate: float) -> tuple:
    """Scores over SNR, of unclipped signals with a bound where there are bounds.

    Returns:
        A tuple of the rows of `score_over_snr`, the same for all signals together as a list of one row, and a list of
        str, what is to be said of them.
    """
    bounds, note = onset_bounds(arrays, sampling_rate)
    if bounds is None:
        chosen = np.isfinite(arrays["snr_db"])
        note = "There is no bound: the dataset does not store the bursts' lengths and sources."
    else:
        chosen = np.isfinite(bounds)
        note = f"{chosen.sum():,} unclipped signals of {len(chosen):,}. {note}"
    if not chosen.any():
        return [], [], ["No signal has an SNR and, where clipping is known, is unclipped: no error over SNR."]
    notes = [note]
    label_sigma = arrays["onset_sigma"][chosen] if "onset_sigma" in arrays else None
    if label_sigma is not None:
        notes += [
            "",
            f"Labels are uncertain themselves, by {np.median(label_sigma):.2f} samples (median standard deviation): an "
            "independent estimator seems to err by that much, whatever the SNR, where one that was trained on labels "
            "of the same kind may learn what their errors have in common. A ratio far above 1 tells of the labels too.",
        ]
    part = {name: error[chosen] for name, error in errors.items()}
    columns = arrays["snr_db"][chosen], part, None if bounds is None else bounds[chosen], label_sigma
    return score_over_snr(*columns), score_over_snr(*columns, num_groups=1), notes


def snr_table(rows: list[dict], together: list[dict]) -> list[str]:
    """Lines of a Markdown table: standard deviation and RMS error of each estimator, with the ratio to the bound."""
    limits = [name for name in ("bound", "label_sigma") if name in rows[0]]
    kinds = [f"{name}, {kind}" for name in rows[0]["estimators"] for kind in ("sigma", "RMSE")]
    lines = [["SNR (dB)", "signals", *(name.replace("_", " ") for name in limits), *kinds]]
    lines.append(["---"] * len(lines[0]))
    for row in (*rows, *together):
        line = [f"{row['snr_low']:.1f} to {row['snr_high']:.1f}", str(row["signals"])]
        line += [f"{row[name]:.3f}" for name in limits]
        lines.append(line + [_with_ratio(s, key) for s in row["estimators"].values() for key in ("sigma", "rmse")])
    return ["| " + " | ".join(line) + " |" for line in lines]


def _with_ratio(scores, key):
    if key not in scores:
        return "nothing found"
    ratio = f"{key}_ratio"
    return f"{scores[key]:.2f}" + (f" = {scores[ratio]:.0f} x" if ratio in scores else "")
