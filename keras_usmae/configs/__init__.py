"""Configurations of the procedures: options of the command line, defaults of a search, and `config.json` in one."""

from keras_usmae.configs.finetune import FinetuneConfig
from keras_usmae.configs.formats import DEFAULT_FORMATS, FORMATS, TFLITE_FORMATS
from keras_usmae.configs.picker import PickerTraining
from keras_usmae.configs.pretrain import PretrainConfig
from keras_usmae.configs.search import SearchConfig
from keras_usmae.configs.teach import TeachConfig

__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "TFLITE_FORMATS",
    "FinetuneConfig",
    "PickerTraining",
    "PretrainConfig",
    "SearchConfig",
    "TeachConfig",
]
