"""Keras layers of a masked autoencoder for 1D signals."""

from keras_usmae.layers.activations import get_activation, tanh_gelu
from keras_usmae.layers.attention import CrossAttention, NonSquareMultiHeadAttention
from keras_usmae.layers.checks import (
    check_batch,
    check_dropout,
    check_noise,
    check_positive,
    check_sizes,
    check_transformer,
)
from keras_usmae.layers.kernels import dot_product_attention
from keras_usmae.layers.masking import MaskTokenRestore, RandomMasking, num_visible_patches
from keras_usmae.layers.normalization import IntegerSafeLayerNormalization, TanhNormalization, build_normalization
from keras_usmae.layers.patching import PatchEmbedding, check_patching, gather_patches, patchify, unpatchify
from keras_usmae.layers.position import PositionEmbedding, sincos_table
from keras_usmae.layers.projection import Projection
from keras_usmae.layers.saving import ArgumentsInConfig
from keras_usmae.layers.transformer import CrossAttentionBlock, TransformerBlock, run_block

__all__ = [
    "ArgumentsInConfig",
    "CrossAttention",
    "CrossAttentionBlock",
    "IntegerSafeLayerNormalization",
    "MaskTokenRestore",
    "NonSquareMultiHeadAttention",
    "PatchEmbedding",
    "PositionEmbedding",
    "Projection",
    "RandomMasking",
    "TanhNormalization",
    "TransformerBlock",
    "build_normalization",
    "check_batch",
    "check_dropout",
    "check_noise",
    "check_patching",
    "check_positive",
    "check_sizes",
    "check_transformer",
    "dot_product_attention",
    "gather_patches",
    "get_activation",
    "num_visible_patches",
    "patchify",
    "run_block",
    "sincos_table",
    "tanh_gelu",
    "unpatchify",
]
