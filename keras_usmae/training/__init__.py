"""Training: batches, optimiser, run folders, checkpoints and logs."""

from keras_usmae.training.allocation import set_xla_memory_scheduler, tune_malloc
from keras_usmae.training.augmentation import augment, augmented
from keras_usmae.training.batches import (
    EpochBatches,
    check_micro_batches,
    fresh_signals,
    shuffled,
    streamed_signals,
    with_mask_noise,
)
from keras_usmae.training.checkpoint import BEST_FILE, LAST_FILE, RunCheckpoint
from keras_usmae.training.distribution import Devices, use_devices
from keras_usmae.training.echo_batches import echo_targets, fresh_echoes, label_echoes
from keras_usmae.training.finetuning import FinetunedRun, compile_for_tof, finetune, tof_batches
from keras_usmae.training.finetuning_start import take_head
from keras_usmae.training.fitting import train
from keras_usmae.training.layer_decay import LayerDecayAdamW, layer_depth
from keras_usmae.training.optimization import build_optimizer, jit_compile
from keras_usmae.training.picker_training import WarmupStableDecay, build_detector, train_picker
from keras_usmae.training.pretraining import PretrainedRun, PretrainingData, pretrain
from keras_usmae.training.run_folder import (
    check_run_folder,
    open_run_folder,
    read_config,
    read_history,
    save_arrays,
    save_model,
)
from keras_usmae.training.run_log import RunLog
from keras_usmae.training.teaching import teach
from keras_usmae.training.teaching_windows import LabelledTraces

__all__ = [
    "BEST_FILE",
    "LAST_FILE",
    "Devices",
    "EpochBatches",
    "FinetunedRun",
    "LabelledTraces",
    "LayerDecayAdamW",
    "PretrainedRun",
    "PretrainingData",
    "RunCheckpoint",
    "RunLog",
    "WarmupStableDecay",
    "augment",
    "augmented",
    "build_detector",
    "build_optimizer",
    "check_micro_batches",
    "check_run_folder",
    "compile_for_tof",
    "echo_targets",
    "finetune",
    "fresh_echoes",
    "fresh_signals",
    "jit_compile",
    "label_echoes",
    "layer_depth",
    "open_run_folder",
    "pretrain",
    "read_config",
    "read_history",
    "save_arrays",
    "save_model",
    "set_xla_memory_scheduler",
    "shuffled",
    "streamed_signals",
    "take_head",
    "teach",
    "tof_batches",
    "train",
    "train_picker",
    "tune_malloc",
    "use_devices",
    "with_mask_noise",
]
