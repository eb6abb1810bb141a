"""How one cell of an experiment is run: data, pre-trained encoders and compiled classifiers, each made once."""

from pathlib import Path

import keras
import numpy as np
import options
import pretrain
from filelock import FileLock

from keras_usmae.models import CNNEncoder, MAEEncoder, ToFClassifier, decode_onset
from keras_usmae.signals import SignalConfig, standardize, synthesize
from keras_usmae.training import (
    LEARNING_RATES,
    FinetuneSettings,
    RepeatedFinetuning,
    score_onsets,
)
from keras_usmae.training.builders import load_arrays, load_builder, prepare

BIN_WIDTH = 16
PRETRAINING_EPOCH = 16_384  # fresh signals


class Laboratory:
    """What the cells of an experiment share.

    Args:
        folder: path, where pre-trained encoders are kept.
        tfds_dir: path or `None`, where prepared datasets lie.
        raw_dir: path or `None`, folder of the measured originals.
        speed_of_sound: float, m/s.
    """

    def __init__(self, folder, tfds_dir=None, raw_dir=None, speed_of_sound=1480.0):
        self.folder = Path(folder)
        self.tfds_dir, self.raw_dir, self.speed_of_sound = tfds_dir, raw_dir, speed_of_sound
        self._data, self._classifiers = {}, {}

    def data(self, dataset):
        """Arrays of the labelled splits of a dataset, signals standardised."""
        if dataset not in self._data:
            builder = prepare(
                load_builder(dataset, data_dir=self.tfds_dir, raw_dir=options.originals(dataset, self.raw_dir))
            )
            splits = {}
            for split, part in options.labelled_splits(builder).items():
                names = set(builder.info.features) - {"signal"}
                arrays = load_arrays(builder, part, features=("signal", *sorted(names)))
                splits[split] = {**arrays, "signal": standardize(arrays["signal"])}
            self._data[dataset] = splits, options.sampling_rate(builder)
        return self._data[dataset]

    def pretrained(self, plan):
        """Path of the encoder that a plan of pre-training gives; trained now if it was not before."""
        if "run" in plan:
            return Path(plan["run"]) / "encoder.keras"
        name = "_".join(str(value).replace("/", "-") for value in plan.values())
        folder = self.folder / "pretrained" / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not (folder / "metrics.json").exists():
                options_of_run = {key: value for key, value in plan.items() if key != "signals"}
                synthetic = plan["dataset"].startswith("ultrasound_synthetic")
                stored = 0 if synthetic else len(self.data(plan["dataset"])[0]["train"]["signal"])
                pretrain.main(
                    **options_of_run,
                    epochs=max(1, round(plan["signals"] / (stored or PRETRAINING_EPOCH))),
                    fresh=PRETRAINING_EPOCH if synthetic else 0,
                    output=folder,
                    resume=(folder / "config.json").exists(),
                    tfds_dir=self.tfds_dir,
                    raw_dir=self.raw_dir,
                )
        return folder / "encoder.keras"

    def build(self, cell):
        """A classifier with the weights that a cell starts from: seeded, or seeded and pre-trained."""
        keras.utils.set_random_seed(1000 + cell["seed"])
        overrides = {"patch_size": cell.get("patch_size", 32)}
        encoder = MAEEncoder.from_preset(cell["preset"], **overrides)
        if cell["architecture"] == "cnn":
            encoder = CNNEncoder.matching(encoder)
        classifier = ToFClassifier(encoder, BIN_WIDTH)
        if cell["pretraining"]:
            start = keras.saving.load_model(self.pretrained(cell["pretraining"]))
            encoder.set_weights(start.get_weights())
        return classifier

    def finetuning(self, cell, settings):
        """The compiled classifier of a cell's architecture and settings, and the weights it starts from."""
        built = self.build(cell)
        key = (cell["architecture"], cell["preset"], cell.get("patch_size", 32), settings)
        if key not in self._classifiers:
            self._classifiers[key] = RepeatedFinetuning(built, settings)
        return self._classifiers[key], built.get_weights()

    def synthetic_weights(self, cell):
        """Weights after training on labelled synthetic signals; trained now if they were not before."""
        plan = cell["pretraining"] or {}
        name = "_".join(str(value).replace("/", "-") for value in plan.values()) or "scratch"
        path = (
            self.folder / "labelled" / f"{cell['architecture']}_{cell['preset']}_{cell['synthetic_labels']}_{name}.npz"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not path.exists():
                config = SignalConfig.from_preset(cell["synthetic_config"])
                made = synthesize(config, cell["synthetic_labels"], seed=20_000)
                settings = FinetuneSettings(
                    steps=cell["synthetic_labels"] // 64,
                    learning_rate=LEARNING_RATES[cell["architecture"]],
                    max_shift=0,
                )
                finetuning, weights = self.finetuning({**cell, "seed": 0}, settings)
                finetuning.run(weights, standardize(made["signal"]), made["onset"].astype("float32"), seed=0)
                partial = path.with_suffix(".partial.npz")
                np.savez(partial, *finetuning.classifier.get_weights())
                partial.rename(path)
        with np.load(path) as stored:
            return [stored[name] for name in stored.files]

    def tof(self, cell):
        """Fine-tunes as a cell says and scores validation and test split."""
        data, sampling_rate = self.data(cell["dataset"])
        settings = FinetuneSettings(
            steps=cell["steps"], learning_rate=cell.get("learning_rate", LEARNING_RATES[cell["architecture"]])
        )
        finetuning, weights = self.finetuning(cell, settings)
        if cell["synthetic_labels"]:
            weights = self.synthetic_weights(cell)
        train = data["train"]
        chosen = np.random.default_rng(cell["seed"]).permutation(len(train["onset"]))[: cell["labels"]]
        result = {"train_loss": float("nan")}
        if cell["labels"]:
            onset = train["onset"][chosen].astype("float32")
            result["train_loss"] = finetuning.run(weights, train["signal"][chosen], onset, cell["seed"])
        else:
            finetuning.classifier.set_weights(weights)
        for split in ("validation", "test"):
            result.update(self.score(finetuning.classifier, data[split], sampling_rate, f"{split}_"))
        result.update(self.score(finetuning.classifier, subset(train, chosen[:1600]), sampling_rate, "train_"))
        return result

    def score(self, classifier, arrays, sampling_rate, prefix):
        """Scores of a classifier on arrays, and on those of them that are clean enough for a bound."""
        if not len(arrays["onset"]):
            return {}
        logits = classifier.predict(arrays["signal"], batch_size=400, verbose=0)
        estimate = np.asarray(decode_onset(logits, BIN_WIDTH))
        scores = {prefix + name: value for name, value in self._scores(arrays, estimate, logits, sampling_rate).items()}
        if "clipped" in arrays:
            fair = np.flatnonzero(~arrays["clipped"] & (arrays["snr_db"] >= 18) & (arrays["snr_db"] <= 38))
            if len(fair):
                part = self._scores(subset(arrays, fair), estimate[fair], logits[fair], sampling_rate)
                scores.update({f"{prefix}unclipped_{name}": value for name, value in part.items()})
        return scores

    def _scores(self, arrays, estimate, logits, sampling_rate):
        scores = score_onsets(
            arrays["onset"], estimate, BIN_WIDTH, sampling_rate, self.speed_of_sound, np.argmax(logits, axis=1)
        )
        kept = ("accuracy", "within_one_bin", "bias_samples", "mean_error_samples", "median_error_samples")
        return {name: scores[name] for name in (*kept, "rmse_samples", "p95_error_samples")}


def subset(arrays, index):
    """The rows `index` of each array."""
    return {name: array[index] for name, array in arrays.items()}
