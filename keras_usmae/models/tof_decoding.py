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
        ValueError: for an unknown method, or logits of another rank.

    Example:

    ```python
    decode_onset(np.eye(128, dtype="float32")[[3]] * 20, bin_width=16)  # [56.], the centre of bin 3
    ```
    """
    if method not in ("argmax", "expectation"):
        raise ValueError(f"`method` must be 'argmax' or 'expectation'. Received: method={method!r}")
    if len(logits.shape) != 2:
        raise ValueError(f"Logits have shape (batch, num_classes). Received: shape {tuple(logits.shape)}")
    peak = ops.argmax(logits, axis=-1)
    if method == "argmax":
        return (ops.cast(peak, "float32") + 0.5) * bin_width
    return expected_onset(logits, peak, bin_width, radius)


def expected_onset(logits, peak, bin_width, radius=2):
    """Turns class logits into the mean onset over the bins around a given one.

    Args:
        logits: Tensor of shape `(batch, num_classes)`.
        peak: integer Tensor of shape `(batch,)`, the bins to look around.
        bin_width: int, samples in a class.
        radius: int, bins on either side of `peak` that count. Defaults to `2`.

    Returns:
        Tensor of shape `(batch,)`, onsets in samples.
    """
    bins = ops.arange(logits.shape[-1], dtype="int32")
    near = ops.abs(bins[None, :] - ops.cast(peak, "int32")[:, None]) <= radius  # (B, C)
    weights = ops.softmax(ops.cast(logits, "float32"), axis=-1) * ops.cast(near, "float32")
    mean_bin = ops.sum(weights * ops.cast(bins, "float32"), axis=-1) / ops.sum(weights, axis=-1)
    return (mean_bin + 0.5) * bin_width


def decode_interval(logits, bin_width, level=0.95):
    """Turns class logits into the central interval that holds the onset with a given probability.

    Its ends are quantiles of the distribution over all bins, with the mass of a bin spread evenly over it: unlike the
    onset, it tells of a second guess far away.

    Args:
        logits: Tensor of shape `(batch, num_classes)`.
        level: float in (0, 1), probability inside. Defaults to `0.95`.

    Returns:
        Tensor of shape `(batch, 2)`, lower and upper end in samples.

    Raises:
        ValueError: for a level outside of (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"`level` must lie between 0 and 1. Received: level={level!r}")
    probabilities = ops.softmax(ops.cast(logits, "float32"), axis=-1)
    cumulative = ops.cumsum(probabilities, axis=-1)  # (B, C)
    ends = []
    for quantile in ((1 - level) / 2, (1 + level) / 2):
        index = ops.sum(ops.cast(cumulative < quantile, "int32"), axis=-1, keepdims=True)  # (B, 1)
        index = ops.minimum(index, logits.shape[-1] - 1)  # the sum may stay just below 1
        mass, end = (ops.take_along_axis(array, index, axis=-1) for array in (probabilities, cumulative))
        inside = ops.clip(1 - (end - quantile) / ops.maximum(mass, 1e-30), 0.0, 1.0)
        ends.append((ops.cast(index, "float32") + inside) * bin_width)
    return ops.concatenate(ends, axis=-1)


def decode_spread(logits, bin_width):
    """Turns class logits into the standard deviation of the onset over all bins.

    Args:
        logits: Tensor of shape `(batch, num_classes)`.

    Returns:
        Tensor of shape `(batch,)`, samples; at least that of one bin, `bin_width / sqrt(12)`.
    """
    probabilities = ops.softmax(ops.cast(logits, "float32"), axis=-1)
    bins = ops.arange(logits.shape[-1], dtype="float32")[None, :]
    mean = ops.sum(probabilities * bins, axis=-1, keepdims=True)
    variance = ops.sum(probabilities * (bins - mean) ** 2, axis=-1)
    return bin_width * ops.sqrt(variance + 1 / 12)
