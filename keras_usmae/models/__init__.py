"""Keras models: the masked autoencoder, the ToF classifier, and what they are made of."""

from keras_usmae.models.attention_maps import (
    attention_distance,
    attention_maps,
    attention_probabilities,
    uniform_attention_distance,
)
from keras_usmae.models.baselines import CNNEncoder
from keras_usmae.models.conv_masked_autoencoder import ConvDecoder, ConvMaskedAutoencoder
from keras_usmae.models.cross_decoder import CrossAttentionDecoder
from keras_usmae.models.decoder import MAEDecoder
from keras_usmae.models.echo_detector import EchoDetector
from keras_usmae.models.echo_loss import EchoCrossentropy
from keras_usmae.models.encoder import MAEEncoder
from keras_usmae.models.heads import PerPatchHead, PooledHead
from keras_usmae.models.loading import load_trained
from keras_usmae.models.masked_autoencoder import MaskedAutoencoder
from keras_usmae.models.presets import load_preset, picker_names, preset_names, preset_of, preset_weights
from keras_usmae.models.signal_classifier import SignalClassifier
from keras_usmae.models.tof_classifier import ToFClassifier
from keras_usmae.models.tof_decoding import decode_onset, expected_onset
from keras_usmae.models.tof_loss import ToFCrossentropy

__all__ = [
    "CNNEncoder",
    "ConvDecoder",
    "ConvMaskedAutoencoder",
    "CrossAttentionDecoder",
    "EchoCrossentropy",
    "EchoDetector",
    "MAEDecoder",
    "MAEEncoder",
    "MaskedAutoencoder",
    "PerPatchHead",
    "PooledHead",
    "SignalClassifier",
    "ToFClassifier",
    "ToFCrossentropy",
    "attention_distance",
    "attention_maps",
    "attention_probabilities",
    "decode_onset",
    "expected_onset",
    "load_preset",
    "load_trained",
    "picker_names",
    "preset_names",
    "preset_of",
    "preset_weights",
    "uniform_attention_distance",
]
