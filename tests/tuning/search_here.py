"""A search in small, for one process or for KerasTuner's chief and workers: `search_here.py FOLDER MAX_TRIALS`."""

import sys
from pathlib import Path

from keras_usmae.signals import SignalConfig, standardize, synthesize
from keras_usmae.tuning import FinetuningHyperModel, SearchProgress, SearchSpace, SearchTuner, build_oracle

OBJECTIVE = ("val_error_samples", "min")


def labelled(count, seed):
    """Synthetic signals of 256 samples with their onsets."""
    made = synthesize(SignalConfig(signal_length=256, burst_length=(60.0, 80.0)), count, seed=seed)
    return standardize(made["signal"]), made["onset"].astype("float32")


def small_space():
    """Two tiny architectures and a learning rate."""
    return SearchSpace(
        "finetune",
        {
            "size": {"choice": ["free"]},
            "hidden_dim": {"choice": [8]},
            "num_layers": {"choice": [1, 2]},
            "num_heads": {"choice": [1]},
            "head_dim": {"choice": [8]},
            "patch_size": {"choice": [16]},
            "learning_rate": {"low": 1e-3, "high": 1e-2, "log": True},
            "layer_decay": {"choice": [0.65, 1.0]},
        },
    )


def main(folder, max_trials):
    """Searches, as whichever of chief, worker or single process the environment says."""
    hypermodel = FinetuningHyperModel(labelled(64, 0), labelled(32, 1), small_space(), epochs=2)
    oracle = build_oracle("random", "finetune", max_trials, epochs=2, lost_after=8.0)
    progress = SearchProgress(oracle, hypermodel.space, OBJECTIVE)
    SearchTuner(oracle, hypermodel, Path(folder), progress, heartbeat=1.0).search()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
