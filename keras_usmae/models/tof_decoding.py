"""From the logits of a ToF classifier to onsets in samples."""

from keras import ops


def decode_onset(logits, bin_width, method="expectation", radius=2):
    """Turns class logits into an onset.

    Args:
        logits: Tensor of shape `(batch, num_classes)`.
        bin_width: int, samples in a class.
        method: str, `"argmax"`, the centre of the most likely bin, or `"expectation"`, the mean over the bins around
            it, which resolves fractions of a bin. Defaults to `"expectation"`.
        radius: int, bins on either side of the most likely one that the expectation counts. Defaults to `2`: enough for
            an onset at the edge of a bin, and a far second guess does not pull the estimate.

    Returns:
        Tensor of shape `(batch,)`, onsets in samples.

    Raises:
        ValueError: for an unknown method.

    Example:

    ```python
    decode_onset(np.eye(128, dtype="float32")[[3]] * 20, bin_width=16)  # [56.], the centre of bin 3
    ```
    """
    if method not in ("argmax", "expectation"):
        raise ValueError(f"`method` must be 'argmax' or 'expectation'. Received: method={method!r}")
    peak = ops.argmax(logits, axis=-1)
    if method == "argmax":
        return (ops.cast(peak, "float32") + 0.5) * bin_width
    bins = ops.arange(logits.shape[-1], dtype="int32")
    near = ops.abs(bins[None, :] - ops.cast(peak, "int32")[:, None]) <= radius  # (B, C)
    weights = ops.softmax(ops.cast(logits, "float32"), axis=-1) * ops.cast(near, "float32")
    mean_bin = ops.sum(weights * ops.cast(bins, "float32"), axis=-1) / ops.sum(weights, axis=-1)
    return (mean_bin + 0.5) * bin_width
