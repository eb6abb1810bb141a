"""Names under which this package's classes are saved, and how Keras finds them again without importing them first."""

import wrapt

PACKAGE = "keras_usmae"
# Everything with `@register`, by module. A test compares it with what the modules register.
REGISTERED = {
    "layers.activations": ("tanh_gelu",),
    "layers.attention": ("CrossAttention", "NonSquareMultiHeadAttention"),
    "layers.masking": ("MaskTokenRestore", "RandomMasking"),
    "layers.normalization": ("IntegerSafeLayerNormalization", "TanhNormalization"),
    "layers.patching": ("PatchEmbedding",),
    "layers.position": ("PositionEmbedding",),
    "layers.projection": ("Projection",),
    "layers.transformer": ("CrossAttentionBlock", "TransformerBlock"),
    "models.baselines": ("CNNEncoder",),
    "models.conv_masked_autoencoder": ("ConvDecoder", "ConvMaskedAutoencoder"),
    "models.cross_decoder": ("CrossAttentionDecoder",),
    "models.decoder": ("MAEDecoder",),
    "models.echo_detector": ("EchoDetector",),
    "models.echo_loss": ("EchoCrossentropy",),
    "models.encoder": ("MAEEncoder",),
    "models.heads": ("PerPatchHead", "PooledHead"),
    "models.masked_autoencoder": ("MaskedAutoencoder",),
    "models.signal_classifier": ("SignalClassifier",),
    "models.tof_classifier": ("ToFClassifier",),
    "models.tof_loss": ("ToFCrossentropy",),
    "models.tof_metrics": ("ToFAccuracy", "ToFError"),
    "training.layer_decay": ("LayerDecayAdamW",),
    "training.optimization": ("PerUpdate",),
    "training.picker_training": ("WarmupStableDecay",),
}


def register(cls):
    """Decorator that has a class or function saved under the name of this package."""
    import keras

    return keras.saving.register_keras_serializable(package=PACKAGE)(cls)


def register_lazily() -> None:
    """Has `keras.saving.load_model` find every class of this package, whether it was imported or not.

    Keras asks a table by name. As soon as somebody imports Keras, each name gets a proxy there that imports the class
    when it is first used; the class itself then takes its place. Whoever wants `keras_usmae.signals` alone pays for no
    import of Keras (3 s on JAX, 9 s on TensorFlow), and needs no backend.
    """
    wrapt.register_post_import_hook(_fill_table, "keras")


def _fill_table(keras):
    table = keras.saving.get_custom_objects()
    for module, names in REGISTERED.items():
        for name in names:
            table.setdefault(f"{PACKAGE}>{name}", wrapt.lazy_import(f"{PACKAGE}.{module}", name))
