"""What a fine-tuning starts from: weights that ship, those of a run, the picker's with its head, or none."""

from pathlib import Path

from keras_usmae.configs import FinetuneConfig
from keras_usmae.models import CNNEncoder, EchoDetector, MAEEncoder, ToFClassifier, load_trained, preset_weights


def resolve_start(config: FinetuneConfig) -> str | Path:
    """What a fine-tuning starts from.

    Returns:
        `"synthetic"`, `"picker"`, `"none"`, or the `pathlib.Path` of an encoder.

    Raises:
        FileNotFoundError: where there is no such encoder.
    """
    if config.pretrained is None:
        has_weights = config.architecture == "transformer" and "synthetic" in preset_weights(config.preset)
        return "synthetic" if has_weights else "none"
    if config.pretrained in ("none", "synthetic", "picker"):
        return config.pretrained
    path = Path(config.pretrained)
    path = path / "encoder.keras" if path.is_dir() else path
    if not path.exists():
        raise FileNotFoundError(
            f"There is no pre-trained encoder at {path}; make one with recipes/pretrain.py, or give synthetic or none."
        )
    return path


def build_encoder(config: FinetuneConfig, start: str | Path, signal_length: int) -> MAEEncoder | CNNEncoder:
    """Builds the encoder that a fine-tuning starts from.

    Args:
        start: what `resolve_start` gave.
    """
    if isinstance(start, Path):
        return load_trained(start, CNNEncoder if config.architecture == "cnn" else MAEEncoder)
    weights = None if start == "none" else start
    encoder = MAEEncoder.from_preset(config.preset, weights=weights, dtype=config.dtype, signal_length=signal_length)
    return encoder if config.architecture == "transformer" else CNNEncoder.from_encoder(encoder, dtype=config.dtype)


def take_head(classifier: ToFClassifier, detector: EchoDetector) -> bool:
    """Gives a classifier the head of a detector, whose logits tell the same bins, where the two fit.

    Args:
        classifier: `ToFClassifier`, changed in place.
        detector: `EchoDetector`.

    Returns:
        bool, whether they fit: a head per patch, of the same bins and tokens.
    """
    mine, theirs = classifier.encoder, detector.encoder
    sizes = ("patch_size", "hidden_dim")
    fits = classifier.bin_width == detector.bin_width and all(getattr(mine, k) == getattr(theirs, k) for k in sizes)
    if classifier.head != "per_patch" or not fits:
        return False
    classifier.head_layer.set_weights(detector.head_layer.get_weights())
    return True
