"""Drilled holes, the flaws of the two blocks: positions and peaks of their echoes, read off images of the envelope."""

import numpy as np

# (ix, iy, sample of the peak at 12.5 MHz): flat-bottom holes in the acrylic glass, and in the aluminium behind it.
_PLANE_SCAN = ((19, 11, 286), (39, 11, 235), (59, 12, 182), (79, 12, 125))
_ALUMINIUM = ((29, 21, 497), (49, 21, 460), (69, 21, 421), (89, 21, 382))
# (ix, sample of the peak at 100 MHz): side-drilled holes in the copper block.
_COPPER_BLOCK = (
    (37, 963),
    (52, 1189),
    (66, 1431),
    (81, 1675),
    (96, 1914),
    (110, 2153),
    (124, 2401),
    (138, 2655),
    (153, 2910),
    (168, 3153),
    (182, 3406),
    (198, 3644),
    (211, 3884),
    (223, 4182),
    (237, 4400),
)
# Behind the last of them, faint echoes cross: holes that cannot be told apart.
_COPPER_BLOCK_UNCLEAR = ((255, 4640), (271, 4880))

# How far from its centre, in steps of 1 mm in x and y, the echo of a hole is sure to stand out of the noise of the
# scan, and how far it is still to be seen in averages: between the two, neither class is sure.
_SEEN = (5, 8)
_SEEN_COPPER = 6
_TRACE_ACRYLIC = ((10, 12),) * 4
_TRACE_ALUMINIUM = ((18, 18), (18, 18), (15, 15), (15, 15))
_TRACE_COPPER = 20


def find_flaws(name, position):
    """What is known of the flaws in each record.

    Args:
        name: str. Name of the scan.
        position: int array of shape `(num_records, 2)`, as in `Scan`.

    Returns:
        A tuple `(peaks, unsure_from)` of float arrays, in samples at the rate of the scan. `peaks` has the shape
        `(num_records, 2)` and holds the peaks of the hole echoes that are sure to be there, the earliest first, and
        NaN where there is none. `unsure_from`, of shape `(num_records,)`, is the peak of the earliest hole echo that
        may be there, even a trace of it: reverberations of the hole follow. It is infinite where the record is sure to
        hold none, and 0 in scans whose flaws are not known.
    """
    x, y = position.T[:, :, None].astype(float)
    if name == "plane_scan":
        hole_x, hole_y, peak = np.array(_PLANE_SCAN + _ALUMINIUM, dtype=float).T
        trace_x, trace_y = np.array(_TRACE_ACRYLIC + _TRACE_ALUMINIUM).T
        seen = (np.abs(x - hole_x) <= _SEEN[0]) & (np.abs(y - hole_y) <= _SEEN[1])
        trace = (np.abs(x - hole_x) <= trace_x) & (np.abs(y - hole_y) <= trace_y)
    elif name == "copper_block":
        hole_x, peak = np.array(_COPPER_BLOCK + _COPPER_BLOCK_UNCLEAR, dtype=float).T
        seen = (np.abs(x - hole_x) <= _SEEN_COPPER) & (np.arange(len(peak)) < len(_COPPER_BLOCK))
        trace = np.abs(x - hole_x) <= _TRACE_COPPER
    else:
        return np.full((len(position), 2), np.nan), np.zeros(len(position))
    peaks = np.sort(np.where(seen, peak, np.nan), axis=1)[:, :2]  # NaN sorts last
    return peaks, np.where(trace, peak, np.inf).min(axis=1)


def find_hole_echoes(name, position):
    """Peaks of the hole echoes that each record is known to hold before a labelled back wall.

    Args:
        name: str. Name of the scan.
        position: int array of shape `(num_records, 2)`, as in `Scan`.

    Returns:
        A float array of shape `(num_records, 2)`: samples at the rate of the scan, the earliest first, and NaN where
        there is none. No record sees more than two.
    """
    x, y = position.T[:, :, None]
    if name == "plane_scan":
        hole_x, hole_y, peak = np.array(_PLANE_SCAN, dtype=float).T
        seen = (np.abs(x - hole_x) <= _SEEN[0]) & (np.abs(y - hole_y) <= _SEEN[1])
    elif name == "copper_block":
        hole_x, peak = np.array(_COPPER_BLOCK, dtype=float).T
        seen = np.abs(x - hole_x) <= _SEEN_COPPER
    else:
        return np.full((len(position), 2), np.nan)
    return np.sort(np.where(seen, peak, np.nan), axis=1)[:, :2]  # NaN sorts last
