"""Masked autoencoders for 1D ultrasound signals in Keras 3: pre-training, time of flight, microcontroller export.

What most users need lies here, and is imported when it is asked for: `import keras_usmae as ku` costs no import of
Keras, and neither do the names of `ku.signals`.

```python
import keras_usmae as ku

data = ku.synthesize(ku.SignalConfig.from_preset("quickstart"), num_signals=8, seed=0)
picks = ku.EchoPicker.from_preset("nano").pick(data["signal"], sampling_rate=100e6)
print(picks.first().tof)  # seconds
```
"""

import importlib

from keras_usmae.registration import register_lazily

__version__ = "0.1.0"

# The names of the package's face, by the module that they come from.
_NAMES = {
    "configs": ("FinetuneConfig", "PretrainConfig"),
    "data": ("load_arrays", "load_builder", "load_dataset", "prepare"),
    "evaluation": ("evaluate", "score_onsets"),
    "models": (
        "CNNEncoder",
        "EchoDetector",
        "MAEDecoder",
        "MAEEncoder",
        "MaskedAutoencoder",
        "SignalClassifier",
        "ToFClassifier",
        "ToFCrossentropy",
        "load_trained",
        "preset_names",
    ),
    "picker": ("EchoPicker", "Picks", "thickness"),
    "signals": (
        "SignalConfig",
        "TransducerConfig",
        "example_scan",
        "pick_aic",
        "pick_threshold",
        "read_transducer",
        "standardize",
        "synthesize",
    ),
    "signals.readers": ("Recording", "read_recordings"),
    "training": ("finetune", "pretrain"),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}
_SUBPACKAGES = (
    "configs",
    "data",
    "evaluation",
    "export",
    "labelling",
    "layers",
    "models",
    "picker",
    "signals",
    "training",
    "tuning",
)

__all__ = sorted([*_MODULE_OF, *_SUBPACKAGES, "__version__"])

register_lazily()


def __getattr__(name):
    if name in _SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
