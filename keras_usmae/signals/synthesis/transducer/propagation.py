"""What a way through a medium does to a spectrum: delay, attenuation, and the dispersion that comes with it."""

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.transducer.tables import Medium

_FINE = 64
_DB_PER_NEPER = 20 / math.log(10)


def delay_spectrum(delay: np.ndarray, size: int, num_bins: int) -> np.ndarray:
    """Spectra of unit impulses at any time between two samples, `exp(-2 pi i k delay / size)`.

    Args:
        delay: float64 array of shape `(n,)`, samples.
        size: int. Samples of the transform.
        num_bins: int. Bins from 0 on.

    Returns:
        A complex64 array of shape `(n, num_bins)`.
    """
    # Two short tables in double precision, and their products: as exact, and many times faster than all exponentials.
    angle = -2j * np.pi / size * np.asarray(delay, dtype=np.float64)[:, None]
    fine = np.exp(angle * np.arange(_FINE)).astype(np.complex64)
    coarse = np.exp(angle * (_FINE * np.arange(math.ceil(num_bins / _FINE)))).astype(np.complex64)
    return (coarse[:, :, None] * fine[:, None, :]).reshape(len(fine), -1)[:, :num_bins]


def nepers(attenuation_db: float | np.ndarray, medium: "Medium", frequency: float | np.ndarray) -> np.ndarray:
    """Attenuation in Np/m at a frequency.

    Args:
        attenuation_db: array, dB/m at the medium's reference frequency.
        frequency: array, Hz.
    """
    return attenuation_db / _DB_PER_NEPER * (frequency / medium.reference_frequency) ** medium.attenuation_exponent


def attenuation_phase(medium: "Medium", frequency: np.ndarray) -> np.ndarray:
    """Phase that comes with an attenuation of 1 Np at the reference frequency.

    With attenuation as `f^y`, the Kramers-Kronig relations give `tan(pi y / 2) (x^y - x)` with `x` the frequency over
    its reference, where the delay is that of the reference frequency; in the limit of `y = 1`, `-2 / pi x ln(x)`.

    Args:
        frequency: float64 array, Hz, 0 or more.

    Returns:
        A float64 array, rad, a delay where it is positive.

    Reference:
        - Waters, Mobley, Miller, [Causality-imposed (Kramers-Kronig) relationships between attenuation and
          dispersion](https://doi.org/10.1109/TUFFC.2005.1503968), 2005.
    """
    ratio, exponent = frequency / medium.reference_frequency, medium.attenuation_exponent
    # Near 1 the formula is a small difference of large terms; the limit is right to a part in 10^6 there.
    if abs(exponent - 1) < 1e-6:
        return -2 / np.pi * ratio * np.log(np.maximum(ratio, 1e-300))
    return math.tan(math.pi * exponent / 2) * (ratio**exponent - ratio)


def way_spectrum(
    medium: "Medium",
    attenuation_db: np.ndarray,
    dispersion: np.ndarray,
    path: np.ndarray,
    center_frequency: np.ndarray,
    frequency: np.ndarray,
) -> np.ndarray:
    """Spectral gain of ways through one medium, without the delay and relative to the center frequency.

    Args:
        attenuation_db: array of shape `(n,)`, dB/m at the reference frequency.
        dispersion: array of shape `(n,)`, s/m/Hz.
        path: array of shape `(n,)`, m.
        center_frequency: array of shape `(n,)`, Hz. The magnitude of the gain is one there.
        frequency: array of shape `(num_bins,)`, Hz.

    Returns:
        A complex64 array of shape `(n, num_bins)`.
    """
    unit = nepers(_DB_PER_NEPER, medium, frequency)
    loss = (attenuation_db / _DB_PER_NEPER * path)[:, None].astype(np.float32)
    at_center = (nepers(attenuation_db, medium, center_frequency) * path)[:, None].astype(np.float32)
    phase = loss * attenuation_phase(medium, frequency).astype(np.float32)
    if any(medium.dispersion):
        # A group delay of D (f - f_ref) is the derivative of this phase over 2 pi f.
        bend = np.pi * (frequency - medium.reference_frequency) ** 2
        phase += (dispersion * path)[:, None].astype(np.float32) * bend.astype(np.float32)
    gain = np.empty(phase.shape, dtype=np.complex64)
    magnitude = np.exp(at_center - loss * unit.astype(np.float32))
    np.multiply(magnitude, np.cos(phase), out=gain.real)
    np.multiply(magnitude, -np.sin(phase), out=gain.imag)
    return gain
