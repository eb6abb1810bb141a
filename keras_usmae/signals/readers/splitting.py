"""Which traces train, validate and test: by trace, by file, or by what a trace belongs to."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.readers.guards import in_natural_order, matching
from keras_usmae.signals.readers.preparation import SPLITS

if TYPE_CHECKING:
    from keras_usmae.signals.readers.preparation import Preparation
    from keras_usmae.signals.readers.recording import Recording

# Shares where no splits are stated; what is left is for the test.
_TRAIN, _VALIDATION = 0.70, 0.15


def assign_splits(recordings: "list[Recording]", preparation: "Preparation") -> list[np.ndarray]:
    """Split of each trace of some recordings.

    Returns:
        A list of int arrays of shape `(n,)`: indices into `SPLITS`, or -1 for traces in no split.

    Raises:
        ValueError: where a trace would be in two splits, or there are too few files or groups for splits.
    """
    by = preparation.split_by or _usual(recordings, preparation)
    if by == "group" and any(recording.groups is None for recording in recordings):
        raise ValueError("'split_by' is \"group\", but no sidecar names 'groups', an array or column of them.")
    if preparation.splits is not None:
        return [_stated(recording, by, preparation.splits) for recording in recordings]
    if by == "trace":
        return [_shares(recording.index, preparation.guard) for recording in recordings]
    if by == "file":
        names = [Path(recording.source).name for recording in recordings]
        number = _shares_of_units(len(names), preparation.guard, "files")
        return [np.full(len(recording.index), number[i]) for i, recording in enumerate(recordings)]
    members = [recording.groups or () for recording in recordings]
    groups = in_natural_order({group for part in members for group in part})
    share = dict(zip(groups, _shares_of_units(len(groups), 0, "groups"), strict=True))
    return [np.array([share[group] for group in part]) for part in members]


def matching_any(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of some patterns, with `*` for any text."""
    return any(matching([name], pattern) for pattern in patterns)


def _usual(recordings, preparation):
    """What stays together where it is not stated; splits of traces are those of each file."""
    if all(recording.groups is not None for recording in recordings):
        return "group"
    if len(recordings) > 1 and all(recording.index.max() == 0 for recording in recordings):
        return "file"
    return "trace"


def _shares(index, guard):
    count = int(index.max()) + 1
    first = round(_TRAIN * count)
    second = first + round(_VALIDATION * count)
    split = np.full(len(index), -1)
    for number, (low, high) in enumerate(((0, first - 1), (first + guard, second - 1), (second + guard, count))):
        split[(index >= low) & (index <= high)] = number
    return split


def _shares_of_units(count, guard, what):
    """Split of each of some files or groups; none of the first two splits is left without one."""
    validation = max(round(_VALIDATION * count), 1)
    test = max(count - round(_TRAIN * count) - validation, 1) if count >= 3 + 2 * guard else 0
    train = count - validation - test - guard * (2 if test else 1)
    if train < 1:
        raise ValueError(
            f"There are {count} {what} and {guard} left out between two splits ('guard'): too few to split. State "
            "'splits', or another 'split_by', in prepare.toml."
        )
    split = np.full(count, -1)
    split[:train] = 0
    split[train + guard : train + guard + validation] = 1
    if test:
        split[count - test :] = 2
    return split


def _stated(recording, by, splits):
    index, split = recording.index, np.full(len(recording.index), -1)
    name = Path(recording.source).name
    for number, part in enumerate(SPLITS):
        for entry in splits.get(part, ()):
            if not isinstance(entry, str):
                members = (index >= entry[0]) & (index <= entry[1])
            elif by == "group":
                members = np.array([bool(matching([group], entry)) for group in recording.groups])
            else:
                members = np.full(len(index), bool(matching([name], entry)))
            if np.any(members & (split >= 0) & (split != number)):
                raise ValueError(
                    f"Trace {index[(members & (split >= 0)).argmax()]} of {name!r} is in two of the 'splits'."
                )
            split[members] = number
    return split
