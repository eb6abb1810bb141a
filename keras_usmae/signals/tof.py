"""Time of flight: onsets in samples, and what they mean as classes, seconds and millimetres."""

import numpy as np


def onset_to_class(onset: float | np.ndarray, bin_width: float = 16, num_classes: int = 128) -> np.ndarray:
    """Class of a time of flight: `floor(onset / bin_width)`.

    Class `k` covers the half-open interval `[k * bin_width, (k + 1) * bin_width)` of onsets.

    Args:
        onset: float or array of floats, any shape. Onset in samples, 0-based.
        bin_width: float. Width of a class in samples. Defaults to `16`.
        num_classes: int. Number of classes. Defaults to `128`.

    Returns:
        An int32 array of the shape of `onset` (a NumPy integer for a scalar).

    Raises:
        ValueError: where an onset is NaN or lies outside `[0, num_classes * bin_width)`.

    Example:

    ```python
    from keras_usmae.signals import onset_to_class

    onset_to_class([0.0, 15.9, 16.0])  # array([0, 0, 1], dtype=int32)
    ```
    """
    _check_bins(bin_width, num_classes)
    onset = np.asarray(onset, dtype=np.float64)
    end = num_classes * bin_width
    bad = ~((onset >= 0) & (onset < end))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f" at index {index[0] if len(index) == 1 else index}" if index else ""
        raise ValueError(
            f"onset{where} is {onset[index]} samples, outside [0, {end:g}), the range of {num_classes} classes of "
            f"{bin_width:g} samples ({int(bad.sum())} of {onset.size} onsets are outside). Leave these signals out, "
            "cut the windows so that the onset lies inside, or raise `num_classes` or `bin_width`."
        )
    # `end - tiny` divided by `bin_width` may round up to `num_classes`.
    return np.minimum(np.floor(onset / bin_width), num_classes - 1).astype(np.int32)


def class_to_onset(tof_class: int | np.ndarray, bin_width: float = 16, num_classes: int = 128) -> np.ndarray:
    """Onset that a class stands for: the centre of its bin.

    Args:
        tof_class: int or array of ints, any shape. Classes from `0` to `num_classes - 1`.
        bin_width: float. Width of a class in samples. Defaults to `16`.
        num_classes: int. Number of classes. Defaults to `128`.

    Returns:
        A float64 array of the shape of `tof_class`: `(tof_class + 0.5) * bin_width`, in samples.

    Raises:
        ValueError: where a class is not an integer from `0` to `num_classes - 1`.

    Example:

    ```python
    from keras_usmae.signals import class_to_onset

    class_to_onset([0, 1])  # array([ 8., 24.])
    ```
    """
    _check_bins(bin_width, num_classes)
    tof_class = np.asarray(tof_class)
    if not np.issubdtype(tof_class.dtype, np.integer):
        raise ValueError(
            f"`tof_class` must hold integers, but its dtype is {tof_class.dtype}. Take the argmax of logits first."
        )
    bad = (tof_class < 0) | (tof_class >= num_classes)
    if bad.any():
        raise ValueError(
            f"Class {tof_class[bad].flat[0]} is not one of 0 to {num_classes - 1}. Was it made with another "
            "`num_classes`?"
        )
    return (tof_class + 0.5) * float(bin_width)


def samples_to_seconds(
    samples: float | np.ndarray, sampling_rate: float, start_time: float | np.ndarray = 0.0
) -> np.ndarray:
    """Time of a sample index: `samples / sampling_rate + start_time`.

    For a difference, such as an error, leave `start_time` at zero.

    Args:
        samples: float or array. Sample indices, 0-based, or differences of them.
        sampling_rate: float. Sampling rate in Hz.
        start_time: float or array. Time of sample 0 after the transmit pulse, in s. Defaults to `0.0`.

    Returns:
        A float64 array (or scalar) of times in s.

    Raises:
        ValueError: where `sampling_rate` is not positive and finite.

    Example:

    ```python
    from keras_usmae.signals import samples_to_seconds

    samples_to_seconds(50, sampling_rate=100e6)  # 5e-07
    ```
    """
    _check_positive("sampling_rate", sampling_rate, "Hz")
    return np.asarray(samples, dtype=np.float64) / sampling_rate + start_time


def seconds_to_samples(
    seconds: float | np.ndarray, sampling_rate: float, start_time: float | np.ndarray = 0.0
) -> np.ndarray:
    """Sample index of a time, the inverse of `samples_to_seconds`.

    Args:
        seconds: float or array. Times in s.
        sampling_rate: float. Sampling rate in Hz.
        start_time: float or array. Time of sample 0 in s. Defaults to `0.0`.

    Returns:
        A float64 array (or scalar) of sample indices.

    Raises:
        ValueError: where `sampling_rate` is not positive and finite.

    Example:

    ```python
    from keras_usmae.signals import seconds_to_samples

    seconds_to_samples(5e-7, sampling_rate=100e6)  # 50.0
    ```
    """
    _check_positive("sampling_rate", sampling_rate, "Hz")
    return (np.asarray(seconds, dtype=np.float64) - start_time) * sampling_rate


def samples_to_mm(
    samples: float | np.ndarray, sampling_rate: float, speed_of_sound: float, start_time: float | np.ndarray = 0.0
) -> np.ndarray:
    """Distance of a reflector in pulse-echo: half of the path that sound travels in the time.

    Args:
        samples: float or array. Sample indices, 0-based, or differences of them.
        sampling_rate: float. Sampling rate in Hz.
        speed_of_sound: float. Speed of sound in m/s (water about 1480).
        start_time: float or array. Time of sample 0 after the transmit pulse, in s. Defaults to `0.0`.

    Returns:
        A float64 array (or scalar) of distances in mm.

    Raises:
        ValueError: where `sampling_rate` or `speed_of_sound` is not positive and finite.

    Example:

    ```python
    from keras_usmae.signals import samples_to_mm

    samples_to_mm(1000, sampling_rate=100e6, speed_of_sound=1480.0)  # 7.4
    ```
    """
    _check_positive("speed_of_sound", speed_of_sound, "m/s")
    return samples_to_seconds(samples, sampling_rate, start_time) * (speed_of_sound / 2 * 1e3)


def mm_to_samples(
    distance: float | np.ndarray, sampling_rate: float, speed_of_sound: float, start_time: float | np.ndarray = 0.0
) -> np.ndarray:
    """Sample index at which the echo of a reflector arrives in pulse-echo, the inverse of `samples_to_mm`.

    Args:
        distance: float or array. Distances in mm.
        sampling_rate: float. Sampling rate in Hz.
        speed_of_sound: float. Speed of sound in m/s.
        start_time: float or array. Time of sample 0 after the transmit pulse, in s. Defaults to `0.0`.

    Returns:
        A float64 array (or scalar) of sample indices.

    Raises:
        ValueError: where `sampling_rate` or `speed_of_sound` is not positive and finite.

    Example:

    ```python
    from keras_usmae.signals import mm_to_samples

    mm_to_samples(7.4, sampling_rate=100e6, speed_of_sound=1480.0)  # 1000.0
    ```
    """
    _check_positive("speed_of_sound", speed_of_sound, "m/s")
    return seconds_to_samples(np.asarray(distance) / (speed_of_sound / 2 * 1e3), sampling_rate, start_time)


def _check_bins(bin_width, num_classes):
    _check_positive("bin_width", bin_width, "samples")
    if num_classes != int(num_classes) or num_classes < 1:
        raise ValueError(f"`num_classes` must be a positive integer, but is {num_classes}.")


def _check_positive(name, value, unit):
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"`{name}` must be a positive, finite number in {unit}, but is {value}.")
