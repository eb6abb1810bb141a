"""Configurations of the procedures: options of the command line, defaults of a search, and `config.json` in one."""

from keras_usmae.configs.finetune import FinetuneConfig
from keras_usmae.configs.pretrain import PretrainConfig

__all__ = ["FinetuneConfig", "PretrainConfig"]
