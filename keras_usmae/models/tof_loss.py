"""Cross-entropy between a ToF distribution and a labelled onset."""

import keras
from keras import ops

from keras_usmae.layers import check_positive, check_sizes
from keras_usmae.registration import register


@register
class ToFCrossentropy(keras.losses.Loss):
    """Cross-entropy of ToF classes, with the onset in samples as the label.

    With `sigma=0` the target is the one class the onset falls in. With `sigma > 0` it is a normal distribution around
    the onset, integrated over each bin: neighbours share the mass as the onset nears their edge, so the expectation
    over the bins recovers fractions of a bin, and being one bin off costs less than being far off.

    An onset that is NaN or lies outside of the bins has the loss NaN and moves no weight. `ToFClassifier.fit` raises an
    error that names it.

    Args:
        bin_width: int, samples in a class.
        sigma: float, standard deviation of the target in samples. Defaults to `0.0`.

    Call arguments:
        y_true: Tensor of shape `(batch,)` or `(batch, 1)`, onsets in samples.
        y_pred: Tensor of shape `(batch, num_classes)`, logits.

    Raises:
        ValueError: if `bin_width` is no positive integer, or `sigma` is negative or not finite.

    Example:

    ```python
    loss = ToFCrossentropy(bin_width=16, sigma=12.0)
    loss(np.array([100.0]), np.zeros((1, 128), "float32"))  # log(128)
    ```

    Reference:
        - [Imani and White, 2018](https://arxiv.org/abs/1806.04613), the histogram loss
    """

    def __init__(self, bin_width, sigma=0.0, name="tof_crossentropy", **kwargs):
        super().__init__(name=name, **kwargs)
        check_sizes(bin_width=bin_width)
        if sigma != 0:  # samples; 0 for hard classes
            check_positive(sigma=sigma)
        self.bin_width = bin_width
        self.sigma = sigma

    def targets(self, onset, num_classes):
        """Target distribution of each onset.

        Args:
            onset: Tensor of shape `(batch,)`, samples.
            num_classes: int.

        Returns:
            Tensor of shape `(batch, num_classes)`, rows that sum to 1.
        """
        onset = ops.reshape(ops.cast(onset, "float32"), (-1, 1))
        if self.sigma == 0:
            bins = ops.cast(ops.floor(onset / self.bin_width), "int32")[:, 0]
            return ops.one_hot(bins, num_classes, dtype="float32")
        edges = ops.arange(num_classes + 1, dtype="float32")[None, :] * float(self.bin_width)
        cumulative = ops.erf((edges - onset) / (self.sigma * 2.0**0.5))  # (B, C + 1)
        mass = cumulative[:, 1:] - cumulative[:, :-1]
        return mass / ops.sum(mass, axis=-1, keepdims=True)  # what lies beyond either end returns inside

    def call(self, y_true, y_pred):
        """Cross-entropy of each example, `(batch,)`."""
        onset, end = ops.reshape(ops.cast(y_true, "float32"), (-1,)), y_pred.shape[-1] * self.bin_width
        possible = ops.logical_and(onset >= 0, onset < end)
        log_probabilities = ops.log_softmax(ops.cast(y_pred, "float32"), axis=-1)
        # An impossible label shows in the loss, and gives no gradient.
        targets = self.targets(ops.where(possible, onset, 0.0), y_pred.shape[-1])
        return ops.where(possible, -ops.sum(targets * log_probabilities, axis=-1), float("nan"))

    def get_config(self):
        return {**super().get_config(), "bin_width": self.bin_width, "sigma": self.sigma}
