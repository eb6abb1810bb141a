"""Drilled holes whose echoes arrive before a labelled back wall: known, but not labelled.

Positions and peaks were read off images of the envelope between the front and the back echo.
"""

import numpy as np

# (ix, iy, sample of the peak at 12.5 MHz): flat-bottom holes in the acrylic glass. Those in the aluminium behind it
# come after every labelled onset.
_PLANE_SCAN = ((19, 11, 286), (39, 11, 235), (59, 12, 182), (79, 12, 125))
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


def find_hole_echoes(name, position):
    """Peaks of the hole echoes that each record is known to hold.

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
        seen = (np.abs(x - hole_x) <= 5) & (np.abs(y - hole_y) <= 8)
    elif name == "copper_block":
        hole_x, peak = np.array(_COPPER_BLOCK, dtype=float).T
        seen = np.abs(x - hole_x) <= 6
    else:
        return np.full((len(position), 2), np.nan)
    return np.sort(np.where(seen, peak, np.nan), axis=1)[:, :2]  # NaN sorts last
