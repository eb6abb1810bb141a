"""Metrics of time of flight, with the onset in samples as the label."""

import keras
from keras import ops

from keras_usmae.models.tof_decoding import decode_onset
from keras_usmae.registration import register


def _onset(y_true):
    return ops.reshape(ops.cast(y_true, "float32"), (-1,))


def _possible(values, y_true, y_pred, bin_width):
    """Values of signals with a label inside of the bins; an impossible label counts neither as right nor as wrong."""
    onset = _onset(y_true)
    possible = ops.logical_and(onset >= 0, onset < y_pred.shape[-1] * bin_width)
    return ops.where(possible, values, float("nan"))


@register
class ToFAccuracy(keras.metrics.Mean):
    """Share of signals whose most likely bin is the labelled one, or near it.

    Args:
        tolerance: int, bins of distance that still count as right. Defaults to `0`, top-1 accuracy.
    """

    def __init__(self, bin_width, tolerance=0, name="accuracy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.bin_width = bin_width
        self.tolerance = tolerance

    def update_state(self, y_true, y_pred, sample_weight=None):
        labelled = ops.cast(ops.floor(_onset(y_true) / self.bin_width), "int32")
        distance = ops.abs(ops.cast(ops.argmax(y_pred, axis=-1), "int32") - labelled)
        right = ops.cast(distance <= self.tolerance, "float32")
        return super().update_state(_possible(right, y_true, y_pred, self.bin_width), sample_weight)

    def get_config(self):
        return {**super().get_config(), "bin_width": self.bin_width, "tolerance": self.tolerance}


@register
class ToFError(keras.metrics.Mean):
    """Mean absolute error of the decoded onset, in samples.

    Args:
        method: str, see `decode_onset`. Defaults to `"expectation"`.
    """

    def __init__(self, bin_width, method="expectation", name="error_samples", **kwargs):
        super().__init__(name=name, **kwargs)
        self.bin_width = bin_width
        self.method = method

    def update_state(self, y_true, y_pred, sample_weight=None):
        error = ops.abs(decode_onset(y_pred, self.bin_width, self.method) - _onset(y_true))
        return super().update_state(_possible(error, y_true, y_pred, self.bin_width), sample_weight)

    def get_config(self):
        return {**super().get_config(), "bin_width": self.bin_width, "method": self.method}
