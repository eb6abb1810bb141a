"""The labelled echoes of the four scans: gates, thresholds and reflector models, each with its measured uncertainty.

Samples in this file are 0-based, fractional, and at the sampling rate of the scan itself.
"""

import dataclasses

import numpy as np

from .labels import envelope, envelope_peak, first_crossing
from .point_reflectors import delay_and_sum, find_points, fit_point
from .reflectors import fit_plane
from .surfaces import fit_surface, smooth_line

WATER, PMMA, COPPER = 1480.0, 2730.0, 5010.0  # speeds of sound in m/s, as the originals state them
LABEL_DEFINITIONS = ("threshold_surface", "threshold_line", "envelope_rise_line", "plane_arrival", "point_peak")
INTERFACES = ("front", "pmma_back", "copper_back", "pin_1", "pin_2")
ELEMENT_PITCH = 1e-3  # m
PIN_DELAY = 0.7e-6  # s from the transmit pulse to the peak of the echo, less the travel time: upstream's own value


@dataclasses.dataclass(frozen=True)
class Echo:
    """One interface's echo in all records of a scan. Arrays have shape `(num_records,)`.

    Args:
        interface: str. One of `INTERFACES`.
        definition: str. One of `LABEL_DEFINITIONS`, what `reference` is.
        speed_of_sound: float. Of the medium in front of the interface, in m/s.
        reference: float64 array. The label, in samples.
        sigma: float. Standard deviation of a usable pick about the label, in samples.
        usable: bool array. Whether the record's own pick proves the label.
        clear: bool array. Usable records whose echo stands out enough to measure the shape of the burst.
        search: pair of float. Where the burst lies about the label, in s.
        group: int array. Records of one group have bursts of one shape.
    """

    interface: str
    definition: str
    speed_of_sound: float
    reference: np.ndarray
    sigma: float
    usable: np.ndarray
    clear: np.ndarray
    search: tuple[float, float]
    group: np.ndarray


# Samples before any echo.
_QUIET_GATES = {"plane_scan": (0, 40), "copper_block": (0, 250), "copper_array": (0, 100), "steel_pins": (0, 500)}


def quiet_rms(name, scan):
    """RMS of the noise before any echo of a scan, in counts; not less than that of rounding to whole counts."""
    start, stop = _QUIET_GATES[name]
    power = np.mean(np.var(scan.records[:, start:stop], axis=1, dtype=np.float64))
    return float(np.sqrt(max(power, 1 / 12)))


def find_echoes(name, scan):
    """Labels the echoes of one scan.

    Args:
        name: str. `"plane_scan"`, `"copper_block"`, `"copper_array"` or `"steel_pins"`.
        scan: the `Scan`.

    Returns:
        A list of `Echo`, in order of arrival.
    """
    return _FINDERS[name](scan)


def _plane_scan_echoes(scan):
    """Planes: a surface of degree 4 is fitted to the picks, and proves those within 0.6 samples of it.

    The back of the aluminium is left out: the record ends about 300 samples (at 100 MHz) after it, and no window of
    2048 samples that holds it starts after the echo before it.
    """
    echoes = []
    for interface, threshold, gate, speed in (("front", 40, (40, 80), WATER), ("pmma_back", 20, (312, 345), PMMA)):
        picks = first_crossing(scan.records, threshold, gate)
        surface, sigma = fit_surface(*scan.position.T, picks)
        _, height = envelope_peak(scan.records, surface - 5, surface + 30)
        usable = (np.abs(picks - surface) < 0.6) & (height > 30)
        echoes.append(_echo(interface, "threshold_surface", speed, surface, sigma, usable, search=(-1e-6, 3.2e-6)))
    return echoes


def _copper_block_echoes(scan):
    """A tilted block: the scanner's slow waviness makes a local smooth, not a straight line, the reference."""
    picks = first_crossing(scan.records, 20, (200, 2400))
    line, sigma = smooth_line(picks, window=11)
    usable = np.abs(picks - line) < 2.0
    front = _echo("front", "threshold_line", WATER, line, sigma, usable, search=(-1e-6, 6e-6))
    start = np.rint(line).astype(int) + 3080
    gated = envelope(scan.records)[np.arange(len(line))[:, None], start[:, None] + np.arange(330)]
    picks = start + first_crossing(gated, 0.25 * gated.max(axis=1), (0, 330))
    line, sigma = smooth_line(picks, window=21, median=9)
    usable = np.abs(picks - line) < 9.0
    back = _echo("copper_back", "envelope_rise_line", COPPER, line, sigma, usable, search=(-1e-6, 4e-6))
    return [front, back]


def _copper_array_echoes(scan):
    """A plane under an array. Beyond 14 mm of offset the incidence passes the critical angle of copper."""
    tx, rx = scan.position.T
    near = np.abs(tx - rx) <= 14
    fit = fit_plane(
        scan.records, *_elements(scan), fitted=near, wavelet_length=100, max_lag=6, gate=(100, 500), **_clock(scan)
    )
    usable = near & (np.abs(fit.arrivals - fit.model) < 1.5)
    # Nine of the transmitters send a burst that lacks its first cycles, so each transmitter is a group of its own.
    echo = _echo("front", "plane_arrival", WATER, fit.model, fit.sigma, usable, search=(-0.6e-6, 2.2e-6), group=tx)
    return [echo]


def _steel_pin_echoes(scan):
    """Two points: the strongest maxima of the delay-and-sum image, refined on the peaks of the envelope."""
    tx, rx = _elements(scan)
    noise = quiet_rms("steel_pins", scan)
    x, z = np.arange(-16e-3, 16.1e-3, 0.25e-3), np.arange(31e-3, 50e-3, 0.25e-3)
    image = delay_and_sum(scan.records, tx, rx, x, z, delay=PIN_DELAY, **_clock(scan))
    points = find_points(image, x, z, num_points=2, separation=3e-3)
    echoes = []
    for interface, point in zip(("pin_1", "pin_2"), sorted(points, reverse=True), strict=True):
        fit = fit_point(scan.records, tx, rx, point, noise, delay=PIN_DELAY, gate=12, min_snr_db=20, **_clock(scan))
        usable = (np.abs(fit.peaks - fit.model) < 6) & (fit.heights > 10 * noise)
        # The noise hides the foot of weaker echoes.
        clear = usable & (fit.heights > 30 * noise)
        echoes.append(
            _echo(
                interface,
                "point_peak",
                WATER,
                fit.model,
                fit.sigma,
                usable,
                search=(-1.2e-6, 1.2e-6),
                clear=clear,
                group=_obliquity_group(tx, rx, fit),
            )
        )
    return echoes


def _obliquity_group(tx, rx, fit):
    """Records by the sines of the two angles at which a point is seen, in steps of 0.1 of their sum.

    An element is as wide as two wavelengths, so it stretches a burst that leaves or arrives at an angle.
    """
    sines = sum(np.abs(element - fit.x) / np.hypot(element - fit.x, fit.z) for element in (tx, rx))
    return np.minimum(np.floor(10 * sines), 6).astype(int)


_FINDERS = {
    "plane_scan": _plane_scan_echoes,
    "copper_block": _copper_block_echoes,
    "copper_array": _copper_array_echoes,
    "steel_pins": _steel_pin_echoes,
}


def _echo(interface, definition, speed_of_sound, reference, sigma, usable, search, clear=None, group=None):
    return Echo(
        interface=interface,
        definition=definition,
        speed_of_sound=speed_of_sound,
        reference=reference,
        sigma=sigma,
        usable=usable,
        clear=usable if clear is None else clear,
        search=search,
        group=np.zeros(len(reference), dtype=int) if group is None else group,
    )


def _elements(scan):
    """Positions of the transmitters and receivers along the array, in m."""
    return (scan.position.T - 16.5) * ELEMENT_PITCH


def _clock(scan):
    return {"sampling_rate": scan.sampling_rate, "start_time": scan.start_time, "speed_of_sound": WATER}
