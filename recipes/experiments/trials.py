"""How a trial is run: from its labels to its scores."""

import functools

import numpy as np

from keras_usmae.evaluation import median_offset, score_estimates, score_onsets
from keras_usmae.evaluation.probes import extract_tokens, knn_probe, linear_probe, pool_tokens, score_classes
from keras_usmae.evaluation.snr import onset_bounds
from keras_usmae.evaluation.tof_probes import tof_knn_probe, tof_linear_probe
from keras_usmae.models import decode_onset
from keras_usmae.picker import EchoPicker
from keras_usmae.signals import SignalConfig, pick_aic, pick_cross_correlation, pick_threshold, pulse_bank
from recipes.experiments.boards import BOARDS, board_windows, find_boards
from recipes.experiments.mixtures import recorded_by
from recipes.experiments.repeated_finetuning import FinetuneSettings
from recipes.experiments.selections import balanced, load_splits, source_names, subset, task_of
from recipes.experiments.starts import (
    BIN_WIDTH,
    build_encoder,
    learning_rate,
    prepare_finetuning,
    synthetic_weights,
)

KEPT = ("accuracy", "within_one_bin", "bias_samples", "mean_error_samples", "median_error_samples")
KEPT += ("rmse_samples", "p95_error_samples")
# Of scores with the constant offset taken out, the median error on the validation split.
KEPT_FREE = ("within_one_bin", "far", "mean_error_samples", "median_error_samples")
READY = "ready picker"
CLASSICAL = {
    "AIC picker": pick_aic,
    "envelope threshold picker": pick_threshold,
    "cross-correlation picker": lambda signals, rate: pick_cross_correlation(signals, _nominal_pulses()),
}
PROBED = 800  # validation and test signals that a nearest-neighbour probe is asked about


@functools.cache
def _nominal_pulses():
    return pulse_bank(SignalConfig.from_preset("paper"), num_frequencies=7, num_lengths=5)


def run_tof(trial, place):
    """Fine-tunes a ToF classifier, and scores validation and test split."""
    data, _ = load_splits(trial.dataset, place)
    return _finetune(trial, place, subset(data["train"], drawn(trial, data)), data)


def run_unseen(trial, place):
    """As `run_tof`, but for a transducer that few or none of the labels, and no pre-training, come from."""
    data, _ = load_splits(trial.dataset, place)
    own, rng = _is_held_out(trial, data["train"], place), np.random.default_rng(trial.seed)
    others = rng.permutation(np.flatnonzero(~own))[: trial.labels]
    few = rng.permutation(np.flatnonzero(own))[: trial.shots]
    train = subset(data["train"], np.concatenate([others, few]))
    return _finetune(trial, place, train, held_out_splits(trial, place))


def run_budget(trial, place):
    """As `run_tof`, but the constant offset comes from the labels of the training too: no other label takes part."""
    data, _ = load_splits(trial.dataset, place)
    return _finetune(trial, place, subset(data["train"], drawn(trial, data)), data, offset_from="train")


def run_left_out(trial, place):
    """As `run_tof` without the labels of one source, whose signals alone are scored, its median error taken out."""
    return _finetune(trial, place, labels_of_others(trial, place), held_out_splits(trial, place), offset_from="each")


def run_left_out_picker(trial, place):
    """Scores a picker that needs no label on the signals of one source, its median error taken out."""
    _, rate = load_splits(trial.dataset, place)
    result = {}
    for split, arrays in held_out_splits(trial, place).items():
        estimate = _pick(trial.picker, trial.preset, arrays["signal"], rate)
        offset = median_offset(arrays["onset"], estimate)
        result |= score(arrays, estimate, None, rate, place, f"{split}_", offset)
    return result


def labels_of_others(trial, place):
    """Labelled signals of all sources but the one that is left out."""
    data, _ = load_splits(trial.dataset, place)
    own = _is_held_out(trial, data["train"], place)
    others = np.random.default_rng(trial.seed).permutation(np.flatnonzero(~own))[: trial.labels]
    return subset(data["train"], others)


def _is_held_out(trial, arrays, place):
    return recorded_by(arrays, source_names(trial.dataset, place), trial.held_out)


def held_out_splits(trial, place):
    """Validation and test split of the source that was left out; a board has a test split alone."""
    if trial.held_out in BOARDS:
        return {"test": board_windows(trial.held_out, find_boards(place.raw_dir))}
    data, _ = load_splits(trial.dataset, place)
    return {
        split: subset(data[split], np.flatnonzero(_is_held_out(trial, data[split], place)))
        for split in ("validation", "test")
    }


def run_offset(trial, place):
    """Scores a picker that needs no label; those of the trial tell its constant offset and nothing else."""
    data, rate = load_splits(trial.dataset, place)
    chosen = drawn(trial, data)
    estimate = _estimates(trial.dataset, trial.picker, trial.preset, place)
    offset = median_offset(data["train"]["onset"][chosen], estimate["train"][chosen]) if len(chosen) else 0.0
    return {
        key: value
        for split in ("validation", "test")
        for key, value in score(data[split], estimate[split], None, rate, place, f"{split}_", offset).items()
    }


def drawn(trial, data):
    """Places in the training split of the labels that a trial learns from."""
    return np.random.default_rng(trial.seed).permutation(len(data["train"]["onset"]))[: trial.labels]


@functools.cache
def _estimates(dataset, picker, preset, place):
    """First picks of every signal of each split, NaN where there is none."""
    data, rate = load_splits(dataset, place)
    return {split: _pick(picker, preset, arrays["signal"], rate) for split, arrays in data.items()}


def _pick(picker, preset, signals, rate):
    """First picks, NaN where there is none."""
    if picker == READY:
        return EchoPicker.from_preset(preset).pick(signals, rate, scale=1).first().of_each_trace("onset")
    return CLASSICAL[picker](signals, rate)


def _finetune(trial, place, train, data, offset_from="validation"):
    """Fine-tunes on labelled signals, and scores them and two other splits.

    The constant offset comes from the labels of one split, or of `"each"` for itself.
    """
    _, sampling_rate = load_splits(trial.dataset, place)
    settings = FinetuneSettings(steps=trial.steps, batch_size=trial.batch_size, learning_rate=learning_rate(trial))
    finetuning, weights = prepare_finetuning(trial, settings, place)
    if trial.synthetic_labels:
        weights = synthetic_weights(trial, place)
    result = {"train_loss": float("nan")}
    if len(train["onset"]):
        onset = train["onset"].astype("float32")
        result["train_loss"] = finetuning.run(weights, train["signal"], onset, trial.seed)
    else:
        finetuning.classifier.set_weights(weights)
    parts = {**data, "train": subset(train, slice(1600))}
    parts = {split: parts[split] for split in ("validation", "test", "train") if split in parts}
    offset = None
    order = parts if offset_from == "each" else {offset_from: parts[offset_from]} | parts
    for split, arrays in order.items():
        if not len(arrays["onset"]):
            continue
        logits = finetuning.classifier.predict(arrays["signal"], batch_size=400, verbose=0)
        estimate = np.asarray(decode_onset(logits, BIN_WIDTH))
        if offset is None or offset_from == "each":
            offset = median_offset(arrays["onset"], estimate)
        result |= score(arrays, estimate, np.argmax(logits, axis=1), sampling_rate, place, f"{split}_", offset)
    return result


def run_picker(trial, place):
    """Scores a classical picker on validation and test split."""
    data, rate = load_splits(trial.dataset, place)
    result, offset = {}, None
    for split in ("validation", "test"):
        estimate = CLASSICAL[trial.picker](data[split]["signal"], rate)
        offset = median_offset(data[split]["onset"], estimate) if offset is None else offset
        result |= score(data[split], estimate, None, rate, place, f"{split}_", offset)
    return result


def run_bound(trial, place):
    """Errors of an unbiased estimator at the Cramér-Rao bound of the envelope, on the signals that have one."""
    data, rate = load_splits(trial.dataset, place)
    result = {}
    for split in ("validation", "test"):
        bounds, _ = onset_bounds(data[split], rate)
        for prefix in _groups(data[split], f"{split}_"):
            result |= dict.fromkeys((prefix + name for name in KEPT), float("nan"))
        # Clipped signals have none, and neither have those in coloured noise.
        mean_error = np.sqrt(2 / np.pi) * np.nanmean(bounds[_groups(data[split], "")["unclipped_"]])
        result[f"{split}_unclipped_mean_error_samples"] = float(mean_error)
    return result


def run_probe(trial, place):
    """Scores a probe of a frozen encoder on the test split."""
    data, rate = load_splits(trial.dataset, place)
    rng = np.random.default_rng(trial.seed)
    counts = {"train": trial.labels}
    if trial.probe == "nearest-neighbour probe":
        counts |= {"validation": PROBED}
    chosen = {
        split: subset(arrays, rng.permutation(len(arrays["onset"]))[: counts.get(split)])
        for split, arrays in data.items()
    }
    encoder = build_encoder(trial, place)
    tokens = {split: extract_tokens(encoder, arrays["signal"]) for split, arrays in chosen.items()}
    onset = {split: arrays["onset"] for split, arrays in chosen.items()}
    probe = tof_linear_probe if trial.probe == "linear probe" else tof_knn_probe
    found = probe(tokens, onset, encoder.signal_length)
    return score(chosen["test"], found["onset"], found.get("predicted_class"), rate, place, "test_")


def run_classes(trial, place):
    """Trains on the labels of a task of two classes, and scores the test split."""
    data, _ = load_splits(trial.dataset, place)
    names = source_names(trial.dataset, place)
    splits = {split: task_of(arrays, names, trial.task) for split, arrays in data.items()}
    chosen = np.random.default_rng(trial.seed).permutation(len(splits["train"]["label"]))[: trial.labels]
    splits["train"] = subset(splits["train"], chosen)
    labels = {split: arrays["label"] for split, arrays in splits.items()}
    if trial.mode != "fine-tuned":
        encoder = build_encoder(trial, place)
        features = {split: pool_tokens(extract_tokens(encoder, arrays["signal"])) for split, arrays in splits.items()}
        probe = linear_probe if trial.mode == "linear probe" else knn_probe
        scores = probe(features, labels)["test"]
    else:
        schedule = {"steps": trial.steps, "batch_size": trial.batch_size, "learning_rate": learning_rate(trial)}
        finetuning, weights = prepare_finetuning(trial, FinetuneSettings(**schedule, max_shift=0), place, num_classes=2)
        train = balanced(splits["train"], trial.seed)
        finetuning.run(weights, train["signal"], train["label"], trial.seed)
        logits = finetuning.classifier.predict(splits["test"]["signal"], batch_size=400, verbose=0)
        scores = score_classes(labels["test"], logits.argmax(axis=1))
    return {f"test_{name}": value for name, value in scores.items()}


def _groups(arrays, prefix):
    """Members of a split by the prefix of their scores: all, and those that are not clipped, at 18 to 38 dB."""
    groups = {prefix: np.arange(len(arrays["onset"]))}
    if "clipped" in arrays:
        fair = ~arrays["clipped"] & (arrays["snr_db"] >= 18) & (arrays["snr_db"] <= 38)
        groups |= {f"{prefix}unclipped_": np.flatnonzero(fair)} if fair.any() else {}
    return groups


def score(arrays, estimate, predicted, sampling_rate, place, prefix, offset=None):
    """Scores of a split: what `KEPT` names, of all signals and of those that a bound can be told for.

    Args:
        predicted: int array, classes of a classifier, or `None`.
        prefix: str, what the names of the scores begin with.
        offset: float, samples, or `None`: with it, what `KEPT_FREE` names of the estimates without it.
    """
    result = {}
    if offset is not None:
        common = BIN_WIDTH, sampling_rate, place.speed_of_sound
        scores = score_estimates(arrays["onset"], estimate, offset, *common, hole=arrays.get("hole_echo"))
        for kind in ("bias_free", "bias_free_without_hole"):
            result |= {f"{prefix}{kind}_{name}": scores[kind][name] for name in KEPT_FREE if kind in scores}
    for start, members in _groups(arrays, prefix).items():
        scores = score_onsets(
            arrays["onset"][members],
            estimate[members],
            BIN_WIDTH,
            sampling_rate,
            place.speed_of_sound,
            None if predicted is None else predicted[members],
        )
        result |= {start + name: scores[name] for name in KEPT}
    return result
