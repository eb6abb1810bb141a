"""Train, validation and test by blocks of scan position, with guard gaps between them; never at random.

Neighbouring records see nearly the same piece of the reflector. Two blocks are therefore kept further apart than the
aperture is wide, and the records between them are in no split.
"""

import numpy as np

SPLITS = ("train", "validation", "test")

# (split, first, last) position of each block, both included. Between the blocks of the scans lie 6 and 10 positions of
# 1 mm, as many as their transducers are wide in mm. Each split of a scan holds drilled holes.
_SCAN = (
    ("train", 0, 21),
    ("test", 28, 47),
    ("train", 54, 65),
    ("validation", 72, 86),
    ("train", 93, 110),
)
_LINE = (
    ("train", 0, 69),
    ("test", 80, 119),
    ("train", 130, 189),
    ("validation", 200, 229),
    ("train", 240, 300),
)
# The position of a pair of array elements is tx + rx, twice its midpoint in mm: it is the same for (tx, rx) and (rx,
# tx), so that reciprocal pairs stay together. Two are left out between blocks, so that midpoints of two splits are at
# least 1.5 mm apart; an element is 0.85 mm wide.
_MIDPOINTS = (
    ("train", 2, 31),
    ("test", 34, 39),
    ("validation", 42, 46),
    ("train", 49, 64),
)
_ARRAYS = ("copper_array", "steel_pins")
_BLOCKS = {"plane_scan": _SCAN, "copper_block": _LINE, "copper_array": _MIDPOINTS, "steel_pins": _MIDPOINTS}


def assign_splits(name, position):
    """Split of each record of a scan.

    Args:
        name: str. Name of the scan.
        position: int array of shape `(num_records, 2)`, as in `Scan`.

    Returns:
        An int array of shape `(num_records,)`: indices into `SPLITS`, or -1 for a record between two blocks.
    """
    along = position.sum(axis=1) if name in _ARRAYS else position[:, 0]
    split = np.full(len(position), -1)
    for block, first, last in _BLOCKS[name]:
        split[(along >= first) & (along <= last)] = SPLITS.index(block)
    return split
