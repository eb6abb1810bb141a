"""Cross-entropy between the echoes that a detector expects and those that begin in each bin."""

import keras
from keras import ops

from keras_usmae.registration import register


@register
class EchoCrossentropy(keras.losses.Loss):
    """Binary cross-entropy of each bin of a signal, added up over the bins.

    Call arguments:
        y_true: Tensor of shape `(batch, num_bins)`, the probability that an echo begins in each bin, as `echo_targets`
            makes it; NaN where nobody could tell, a bin that does not count.
        y_pred: Tensor of shape `(batch, num_bins)`, logits.

    Example:

    ```python
    EchoCrossentropy()(np.array([[0.0, 1.0, np.nan]]), np.zeros((1, 3), "float32"))  # 2 log(2)
    ```
    """

    def __init__(self, name="echo_crossentropy", **kwargs):
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        """Cross-entropy of each example, `(batch,)`."""
        y_true, logits = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        counts = ops.logical_not(ops.isnan(y_true))
        target = ops.where(counts, y_true, ops.zeros_like(y_true))
        # log(1 + exp(logits)) - target * logits, without overflow.
        each = ops.relu(logits) - target * logits + ops.log1p(ops.exp(-ops.abs(logits)))
        return ops.sum(ops.where(counts, each, ops.zeros_like(each)), axis=-1)
