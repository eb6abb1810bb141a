"""How one cell of an experiment is run: data, pre-trained encoders and compiled classifiers, each made once."""

from pathlib import Path

import keras
import numpy as np
from filelock import FileLock

from keras_usmae import options
from keras_usmae.configs import PretrainConfig
from keras_usmae.configs.finetune import LEARNING_RATES
from keras_usmae.data import load_dataset
from keras_usmae.evaluation import score_onsets
from keras_usmae.evaluation.probes import extract_tokens, knn_probe, linear_probe, pool_tokens, score_classes
from keras_usmae.evaluation.snr import onset_bounds
from keras_usmae.evaluation.tof_probes import tof_knn_probe, tof_linear_probe
from keras_usmae.models import CNNEncoder, MAEEncoder, SignalClassifier, ToFClassifier, decode_onset, load_trained
from keras_usmae.signals import (
    SignalConfig,
    pick_aic,
    pick_cross_correlation,
    pick_threshold,
    pulse_bank,
    standardize,
    synthesize,
)
from keras_usmae.training import pretrain, save_arrays
from recipes.experiments.mixtures import pretrain_mixture, recorded_by
from recipes.experiments.repeated_finetuning import FinetuneSettings, RepeatedFinetuning
from recipes.experiments.selections import balanced, subset, task_of

BIN_WIDTH = 16
PRETRAINING_EPOCH = 16_384  # fresh signals
# Scores of a cell.
KEPT = ("accuracy", "within_one_bin", "bias_samples", "mean_error_samples", "median_error_samples")
KEPT += ("rmse_samples", "p95_error_samples")
PROBED = 800  # validation and test signals that a nearest-neighbour probe is asked about


def learning_rate(cell):
    """Peak learning rate of a cell's fine-tuning."""
    return cell.get("learning_rate", LEARNING_RATES[cell["architecture"]])


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
            stored = load_dataset(dataset, self.tfds_dir, self.raw_dir)
            splits = {split: stored.arrays(split) for split in stored.labelled_splits}
            splits = {split: {**arrays, "signal": standardize(arrays["signal"])} for split, arrays in splits.items()}
            self._data[dataset] = splits, stored.sampling_rate
        return self._data[dataset]

    def pretrained(self, plan):
        """Run folder of the pre-training that a plan describes; trained now if it was not before."""
        if "run" in plan:
            return Path(plan["run"])
        name = "_".join(str(value).replace("/", "-") for value in plan.values())
        folder = self.folder / "pretrained" / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not (folder / "metrics.json").exists():
                if "held_out" in plan:
                    self._pretrain_mixture(plan, folder)
                else:
                    self._pretrain(plan, folder)
        return folder

    def _pretrain(self, plan, folder):
        settings = {key: value for key, value in plan.items() if key != "signals"}
        if plan["dataset"].startswith("ultrasound_synthetic"):
            epoch = fresh = min(PRETRAINING_EPOCH, plan["signals"])
        else:
            epoch, fresh = len(self.data(plan["dataset"])[0]["train"]["signal"]), 0
        config = PretrainConfig(**settings, epochs=max(1, round(plan["signals"] / epoch)), fresh=fresh)
        resume = (folder / "config.json").exists()
        pretrain(config, folder, resume, data_dir=self.tfds_dir, raw_dir=self.raw_dir, verbose=options.progress())

    def _pretrain_mixture(self, plan, folder):
        stored = [name for name in plan["dataset"].split("+") if not name.startswith("ultrasound_synthetic/")]
        measured = None
        for name in stored:
            train = self.data(name)[0]["train"]
            measured = train["signal"][~recorded_by(train, self.sources(name), plan["held_out"])]
        pretrain_mixture(plan, measured, folder, min(PRETRAINING_EPOCH, plan["signals"]))

    def reconstruction_loss(self, plan):
        """Validation loss of a pre-training."""
        return options.read_json(self.pretrained(plan) / "metrics.json")["val_loss"]

    def sources(self, dataset):
        """Names of the sources of a measured dataset."""
        return load_dataset(dataset, self.tfds_dir, self.raw_dir).sources

    def encoder(self, cell):
        """The encoder that a cell starts from: seeded, pre-trained here, or with the weights that ship."""
        keras.utils.set_random_seed(1000 + cell["seed"])
        if cell["pretraining"] == "synthetic":
            return MAEEncoder.from_preset(cell["preset"], weights="synthetic")
        sizes = {"patch_size": cell["patch_size"]} if "patch_size" in cell else {}
        encoder = MAEEncoder.from_preset(cell["preset"], **sizes)
        if cell["architecture"] == "cnn":
            return CNNEncoder.matching(encoder)
        if cell["pretraining"]:
            trained = load_trained(self.pretrained(cell["pretraining"]) / "encoder.keras", MAEEncoder)
            encoder.set_weights(trained.get_weights())
        return encoder

    def finetuning(self, cell, settings, num_classes=None):
        """The compiled classifier of a cell's architecture and settings, and the weights it starts from."""
        encoder = self.encoder(cell)
        if num_classes is None:
            built, loss = ToFClassifier(encoder, BIN_WIDTH), None
        else:
            built = SignalClassifier(encoder, num_classes)
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        key = (cell["architecture"], cell["preset"], encoder.num_patches, settings, num_classes)
        if key not in self._classifiers:
            self._classifiers[key] = RepeatedFinetuning(built, settings, loss)
        return self._classifiers[key], built.get_weights()

    def synthetic_weights(self, cell):
        """Weights after training on labelled synthetic signals; trained now if they were not before."""
        plan = cell["pretraining"] or "scratch"
        start = plan if isinstance(plan, str) else "_".join(str(value).replace("/", "-") for value in plan.values())
        name = f"{cell['architecture']}_{cell['preset']}_{cell['synthetic_labels']}_{start}.npz"
        path = self.folder / "labelled" / name
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
                weights = finetuning.classifier.get_weights()
                save_arrays(path, {f"arr_{number}": weight for number, weight in enumerate(weights)})
        with np.load(path) as stored:
            return [stored[name] for name in stored.files]

    def tof(self, cell):
        """Fine-tunes as a cell says and scores validation and test split."""
        data, _ = self.data(cell["dataset"])
        train = data["train"]
        chosen = np.random.default_rng(cell["seed"]).permutation(len(train["onset"]))[: cell["labels"]]
        return self._tof(cell, subset(train, chosen), data)

    def unseen(self, cell):
        """As `tof`, but for a transducer that few or none of the labels, and no pre-training, come from."""
        data, _ = self.data(cell["dataset"])
        names, rng = self.sources(cell["dataset"]), np.random.default_rng(cell["seed"])
        theirs = {split: recorded_by(arrays, names, cell["held_out"]) for split, arrays in data.items()}
        others = rng.permutation(np.flatnonzero(~theirs["train"]))[: cell["labels"]]
        few = rng.permutation(np.flatnonzero(theirs["train"]))[: cell["shots"]]
        splits = {split: subset(data[split], np.flatnonzero(theirs[split])) for split in ("validation", "test")}
        return self._tof(cell, subset(data["train"], np.concatenate([others, few])), splits)

    def _tof(self, cell, train, data):
        """Fine-tunes on labelled signals, and scores them and two other splits."""
        _, sampling_rate = self.data(cell["dataset"])
        settings = FinetuneSettings(
            steps=cell["steps"], batch_size=cell["batch_size"], learning_rate=learning_rate(cell)
        )
        finetuning, weights = self.finetuning(cell, settings)
        if cell.get("synthetic_labels"):
            weights = self.synthetic_weights(cell)
        result = {"train_loss": float("nan")}
        if len(train["onset"]):
            onset = train["onset"].astype("float32")
            result["train_loss"] = finetuning.run(weights, train["signal"], onset, cell["seed"])
        else:
            finetuning.classifier.set_weights(weights)
        for split in ("validation", "test"):
            result.update(self.score(finetuning.classifier, data[split], sampling_rate, f"{split}_"))
        result.update(self.score(finetuning.classifier, subset(train, slice(1600)), sampling_rate, "train_"))
        return result

    def picker(self, cell):
        """Scores a classical picker on validation and test split."""
        data, rate = self.data(cell["dataset"])
        nominal = pulse_bank(SignalConfig.from_preset("paper"), num_frequencies=7, num_lengths=5)
        pick = {
            "AIC picker": lambda signals: pick_aic(signals, rate),
            "envelope threshold picker": lambda signals: pick_threshold(signals, rate),
            "cross-correlation picker": lambda signals: pick_cross_correlation(signals, nominal),
        }[cell["picker"]]
        result = {}
        for split in ("validation", "test"):
            result.update(self._scored(data[split], pick(data[split]["signal"]), None, rate, f"{split}_"))
        return result

    def bound(self, cell):
        """Errors of an unbiased estimator at the Cramér-Rao bound of the envelope, on the signals that have one."""
        data, rate = self.data(cell["dataset"])
        result = {}
        for split in ("validation", "test"):
            bounds, _ = onset_bounds(data[split], rate)
            for prefix in self._groups(data[split], f"{split}_"):
                result |= dict.fromkeys((prefix + name for name in KEPT), float("nan"))
            # Clipped signals have none, and neither have those in coloured noise.
            mean_error = np.sqrt(2 / np.pi) * np.nanmean(bounds[self._groups(data[split], "")["unclipped_"]])
            result[f"{split}_unclipped_mean_error_samples"] = float(mean_error)
        return result

    def probe(self, cell):
        """Scores a probe of a frozen encoder on the test split."""
        data, rate = self.data(cell["dataset"])
        rng = np.random.default_rng(cell["seed"])
        counts = {"train": cell["labels"]}
        if cell["probe"] == "nearest-neighbour probe":
            counts |= {"validation": PROBED}
        chosen = {
            split: subset(arrays, rng.permutation(len(arrays["onset"]))[: counts.get(split)])
            for split, arrays in data.items()
        }
        encoder = self.encoder(cell)
        tokens = {split: extract_tokens(encoder, arrays["signal"]) for split, arrays in chosen.items()}
        onset = {split: arrays["onset"] for split, arrays in chosen.items()}
        probe = tof_linear_probe if cell["probe"] == "linear probe" else tof_knn_probe
        found = probe(tokens, onset, encoder.signal_length)
        return self._scored(chosen["test"], found["onset"], found.get("predicted_class"), rate, "test_")

    def classes(self, cell):
        """Trains on the labels of a task as a cell says, and scores the test split."""
        data, _ = self.data(cell["dataset"])
        splits = {split: task_of(arrays, self.sources(cell["dataset"]), cell["task"]) for split, arrays in data.items()}
        chosen = np.random.default_rng(cell["seed"]).permutation(len(splits["train"]["label"]))[: cell["labels"]]
        splits["train"] = subset(splits["train"], chosen)
        labels = {split: arrays["label"] for split, arrays in splits.items()}
        if cell["mode"] != "fine-tuned":
            encoder = self.encoder(cell)
            features = {
                split: pool_tokens(extract_tokens(encoder, arrays["signal"])) for split, arrays in splits.items()
            }
            probe = linear_probe if cell["mode"] == "linear probe" else knn_probe
            scores = probe(features, labels)["test"]
        else:
            settings = FinetuneSettings(
                steps=cell["steps"],
                batch_size=cell["batch_size"],
                learning_rate=learning_rate(cell),
                max_shift=0,
            )
            finetuning, weights = self.finetuning(cell, settings, num_classes=2)
            train = balanced(splits["train"], cell["seed"])
            finetuning.run(weights, train["signal"], train["label"], cell["seed"])
            logits = finetuning.classifier.predict(splits["test"]["signal"], batch_size=400, verbose=0)
            scores = score_classes(labels["test"], logits.argmax(axis=1))
        return {f"test_{name}": value for name, value in scores.items()}

    def score(self, classifier, arrays, sampling_rate, prefix):
        """Scores of a classifier on arrays, and on those of them that are clean enough for a bound."""
        if not len(arrays["onset"]):
            return {}
        logits = classifier.predict(arrays["signal"], batch_size=400, verbose=0)
        estimate = np.asarray(decode_onset(logits, BIN_WIDTH))
        return self._scored(arrays, estimate, np.argmax(logits, axis=1), sampling_rate, prefix)

    def _groups(self, arrays, prefix):
        """Members of a split by the prefix of their scores: all, and those that are not clipped, at 18 to 38 dB."""
        groups = {prefix: np.arange(len(arrays["onset"]))}
        if "clipped" in arrays:
            fair = ~arrays["clipped"] & (arrays["snr_db"] >= 18) & (arrays["snr_db"] <= 38)
            groups |= {f"{prefix}unclipped_": np.flatnonzero(fair)} if fair.any() else {}
        return groups

    def _scored(self, arrays, estimate, predicted, sampling_rate, prefix):
        result = {}
        for start, members in self._groups(arrays, prefix).items():
            scores = score_onsets(
                arrays["onset"][members],
                estimate[members],
                BIN_WIDTH,
                sampling_rate,
                self.speed_of_sound,
                None if predicted is None else predicted[members],
            )
            result |= {start + name: scores[name] for name in KEPT}
        return result
