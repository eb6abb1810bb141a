"""Training: batches, optimiser, run folders, checkpoints, logs, scores, and loading of the dataset builders."""

from keras_usmae.training.batches import EpochBatches, fresh_signals, shuffled
from keras_usmae.training.checkpoint import BEST_FILE, LAST_FILE, RunCheckpoint
from keras_usmae.training.evaluation import score_onsets
from keras_usmae.training.optimization import build_optimizer, jit_compile
from keras_usmae.training.run_folder import (
    check_run_folder,
    open_run_folder,
    read_history,
    save_arrays,
    write_history,
    write_json,
)
from keras_usmae.training.run_log import RunLog

__all__ = [
    "BEST_FILE",
    "LAST_FILE",
    "EpochBatches",
    "RunCheckpoint",
    "RunLog",
    "build_optimizer",
    "check_run_folder",
    "fresh_signals",
    "jit_compile",
    "open_run_folder",
    "read_history",
    "save_arrays",
    "score_onsets",
    "shuffled",
    "write_history",
    "write_json",
]
