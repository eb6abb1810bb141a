"""Calls of the API with arguments drawn from bad ones, in a process with a backend of its own: a line for each outcome.

KERAS_BACKEND=jax python -m tests.attack.abuse SEED COUNT
"""

import json
import random
import sys

import keras
import numpy as np

from keras_usmae.layers import PatchEmbedding, RandomMasking
from keras_usmae.models import (
    MAEEncoder,
    MaskedAutoencoder,
    SignalClassifier,
    ToFClassifier,
    ToFCrossentropy,
    decode_onset,
)

SIZES = {"hidden_dim": 8, "num_heads": 1, "head_dim": 8, "num_layers": 1, "mlp_dim": 8}
ENCODER = {"signal_length": 128, "patch_size": 32, **SIZES}
SIGNALS = np.random.default_rng(0).normal(size=(4, 128)).astype("float32")
ONSET = np.array([3.0, 40.0, 90.0, 120.0], "float32")
NUMBERS = [0, -1, 1, 3, 16, 31, 2**20, 2**70, 0.5, 1e300, float("nan"), float("inf"), "16", None, True, [1], b"x"]
ARRAYS = {
    "good": SIGNALS,
    "empty": SIGNALS[:0],
    "one": SIGNALS[0],
    "cube": SIGNALS[:, :, None],
    "short": SIGNALS[:, :3],
    "nan": np.where(np.arange(128) == 5, np.nan, SIGNALS),
    "huge": SIGNALS.astype("float64") * 1e300,
    "ints": (SIGNALS * 10).astype("int32"),
    "bools": SIGNALS > 0,
    "text": np.full((4, 128), "a"),
    "complex": SIGNALS.astype("complex64"),
    "nothing": np.zeros((0, 0)),
}
LABELS = {
    "good": ONSET,
    "nan": np.where(ONSET > 100, np.nan, ONSET),
    "negative": -ONSET,
    "far": ONSET * 100,
    "beyond": ONSET * 1e300,
    "few": ONSET[:3],
    "column": ONSET[:, None],
    "square": np.stack([ONSET, ONSET], axis=1),
    "text": np.array(["a"] * 4),
}


class Abuse:
    """Models that are made once, and ways to misuse them."""

    def __init__(self):
        keras.utils.set_random_seed(0)
        self.tof = ToFClassifier(MAEEncoder(**ENCODER))
        self.tof.compile(keras.optimizers.SGD(0.0), ToFCrossentropy(16, 8.0), jit_compile=False)
        parts = {"encoder": ENCODER, "decoder": SIZES}
        self.mae = MaskedAutoencoder.from_preset(parts, mask_ratio=0.5, seed=0)
        self.mae.compile(keras.optimizers.SGD(0.0), jit_compile=False)
        self.classes = SignalClassifier(MAEEncoder(**ENCODER), 3)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.classes.compile(keras.optimizers.SGD(0.0), loss, jit_compile=False)

    def draw(self, draw):
        """A name that is the same on every backend, and a function to call."""
        kind = draw.choice(["size", "fit", "evaluate", "predict", "mae", "noise", "decode", "loss", "layer", "classes"])
        array, labels = draw.choice(list(ARRAYS)), draw.choice(list(LABELS))
        value = draw.choice(NUMBERS)
        x, y = ARRAYS[array], LABELS[labels]
        if kind == "size":
            key = draw.choice([*ENCODER, "dropout", "activation", "position"])
            return f"MAEEncoder {key}={value!r}", lambda: MAEEncoder(**{**ENCODER, key: value})
        if kind in ("fit", "evaluate"):
            call = getattr(self.tof, kind)
            return f"{kind} {array} {labels}", lambda: call(x, y, verbose=0)
        if kind == "predict":
            return f"predict_tof {array} {value!r}", lambda: self.tof.predict_tof(x, temperature=value)
        if kind == "mae":
            call = draw.choice(["fit", "reconstruct", "train_on_batch"])
            more = {"verbose": 0} if call == "fit" else {}
            return f"mae.{call} {array}", lambda: getattr(self.mae, call)(x, **more)
        if kind == "noise":
            shape = draw.choice([(4, 4), (4, 3), (3, 4), (4,), (0, 4), (4, 4, 1)])
            return f"noise {shape}", lambda: self.mae.reconstruct(SIGNALS, noise=np.zeros(shape, "int32"))
        if kind == "decode":
            shape = draw.choice([(2, 8), (2, 7), (8,), (0, 8), (2, 8, 1)])
            if draw.random() < 0.5:
                return f"decode {shape}", lambda: self.tof.decode(np.zeros(shape, "float32"))
            return f"decode_onset {shape}", lambda: decode_onset(np.zeros(shape, "float32"), 16)
        if kind == "loss":
            key = draw.choice(["bin_width", "sigma"])
            return f"ToFCrossentropy {key}={value!r}", lambda: ToFCrossentropy(**{"bin_width": 16, key: value})
        if kind == "layer":
            make = draw.choice(
                [
                    ("RandomMasking ratio", lambda: RandomMasking(value)),
                    ("RandomMasking seed", lambda: RandomMasking(0.5, seed=value)),
                    ("PatchEmbedding patch", lambda: PatchEmbedding(value, 8)),
                    ("PatchEmbedding dim", lambda: PatchEmbedding(32, value)),
                    ("ToFClassifier bin_width", lambda: ToFClassifier(self.tof.encoder, bin_width=value)),
                    ("ToFClassifier rate", lambda: ToFClassifier(self.tof.encoder, sampling_rate=value)),
                    ("SignalClassifier classes", lambda: SignalClassifier(self.tof.encoder, value)),
                ]
            )
            return f"{make[0]} {value!r}", make[1]
        wrong = draw.choice([-1, 3, 0.5, float("nan"), 2])
        return f"classes {wrong}", lambda: self.classes.fit(SIGNALS, np.array([0, 1, 2, wrong]), verbose=0)


def outcome(function):
    """`"fine"`, or the kind of error."""
    try:
        function()
    except Exception as error:
        return type(error).__name__
    return "fine"


def main(seed, count):
    """Prints the outcomes, and at the end whether the models are as they were."""
    abuse, draw = Abuse(), random.Random(seed)
    before = [model.get_weights() for model in (abuse.tof, abuse.mae, abuse.classes)]
    for _ in range(count):
        name, function = abuse.draw(draw)
        print(json.dumps([name, outcome(function)]), flush=True)
    after = [model.get_weights() for model in (abuse.tof, abuse.mae, abuse.classes)]
    same = all(np.array_equal(a, b) for x, y in zip(before, after, strict=True) for a, b in zip(x, y, strict=True))
    print(json.dumps(["weights", "as they were" if same else "changed"]))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
