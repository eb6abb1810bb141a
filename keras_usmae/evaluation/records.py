"""What windows of one record share: intervals over records, and errors split by group, record and window."""

from collections.abc import Callable

import numpy as np


def number_records(*facts: np.ndarray) -> np.ndarray:
    """Numbers of the records that windows were cut from.

    Args:
        facts: arrays of shape `(n,)` or `(n, k)`, which are equal for windows of one record, such as `source` and
            `position`; with `interface` too, what shares a label.

    Returns:
        An int array of shape `(n,)`, from 0 on without gaps.

    Example:

    ```python
    import numpy as np
    from keras_usmae.evaluation import number_records

    number_records(np.array([0, 0, 1]), np.array([[3, 4], [3, 4], [3, 4]]))  # array([0, 0, 1])
    ```
    """
    places = np.column_stack(facts)
    return np.unique(places, axis=0, return_inverse=True)[1].ravel()


def interval_over_records(
    values: np.ndarray,
    record: np.ndarray,
    statistic: Callable = np.mean,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % interval of a statistic, from drawing records, with all their windows, with replacement.

    Args:
        values: array of shape `(n,)`, one for each window; NaN is left out.
        record: int array of shape `(n,)`, see `number_records`.
        statistic: function from an array to a number. Defaults to `np.mean`, which is computed from sums.
        draws: int. Defaults to `2000`.
        seed: int. Defaults to `0`.

    Returns:
        A tuple of two floats; NaN where no value is finite.

    Raises:
        ValueError: if the shapes differ.

    Example:

    ```python
    import numpy as np
    from keras_usmae.evaluation import interval_over_records

    error = np.array([1.0, 1.0, 5.0, 5.0])
    interval_over_records(error, record=np.array([0, 0, 1, 1]))  # (1.0, 5.0): two records, not four signals
    ```
    """
    values, record = np.asarray(values, "float64").ravel(), np.asarray(record).ravel()
    if values.shape != record.shape:
        raise ValueError(f"Each value needs its record. Received: {len(values)} values and {len(record)} records.")
    found = np.isfinite(values)
    if not found.any():
        return float("nan"), float("nan")
    kinds, place = np.unique(record, return_inverse=True)
    drawn = np.random.default_rng(seed).integers(0, len(kinds), (draws, len(kinds)))
    if statistic is np.mean:
        total, count = (np.bincount(place, each, len(kinds)) for each in (np.where(found, values, 0), found))
        with np.errstate(invalid="ignore"):
            statistics = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    else:
        members = [values[found & (place == kind)] for kind in range(len(kinds))]
        samples = (np.concatenate([members[kind] for kind in row]) for row in drawn)
        statistics = np.array([statistic(sample) if len(sample) else np.nan for sample in samples])
    low, high = np.nanquantile(statistics, [0.025, 0.975])
    return float(low), float(high)


def split_error(error: np.ndarray, group: np.ndarray, record: np.ndarray) -> dict:
    """Splits the spread of errors into what is common to a group, to a record of it, and to nothing.

    A nested analysis of variance by moments. By an estimator that no label has taught, what is common to the windows
    of a record is the error of its label and what the record does to the estimator; it bounds the random error of
    labels from above. What differs between windows of one record cannot be the label's.

    Args:
        error: array of shape `(n,)`, samples; NaN is left out.
        group: int array of shape `(n,)`, such as the echo of a source.
        record: int array of shape `(n,)`, such as what shares a label; each belongs to one group.

    Returns:
        A dict of floats, standard deviations in samples: `"group"`, `"record"` and `"window"`. One that the data do not
        show is 0; one that they cannot show, with a single group, or no record of two windows, is NaN.

    Raises:
        ValueError: if the shapes differ, nothing is finite, or a record lies in two groups.

    Example:

    ```python
    import numpy as np
    from keras_usmae.evaluation import split_error

    error = np.array([1.0, 1.0, 3.0, 3.0, -1.0, -1.0, -3.0, -3.0])
    split_error(error, group=np.repeat([0, 1], 4), record=np.repeat(np.arange(4), 2))["window"]  # 0.0
    ```
    """
    error, group, record = (np.asarray(each).ravel() for each in (error, group, record))
    if not len(error) == len(group) == len(record):
        raise ValueError(
            f"Each error needs a group and a record. Received: {len(error)} errors, {len(group)} groups and "
            f"{len(record)} records."
        )
    found = np.isfinite(error)
    if not found.any():
        raise ValueError("There is no finite error to split.")
    x = error[found].astype("float64")
    records, inner = np.unique(record[found], return_inverse=True)
    groups, outer = np.unique(group[found], return_inverse=True)
    owner = np.zeros(len(records), int)
    owner[inner] = outer
    if not np.array_equal(owner[inner], outer):
        raise ValueError("A record lies in two groups.")
    n, size, total = len(x), np.bincount(inner), np.bincount(outer)
    mean, group_mean = np.bincount(inner, x) / size, np.bincount(outer, x) / total
    uneven = np.bincount(owner, size.astype("float64") ** 2)
    nan = float("nan")
    window = np.sum((x - mean[inner]) ** 2) / (n - len(records)) if n > len(records) else nan
    within = np.sum(size * (mean - group_mean[owner]) ** 2)
    freedom = len(records) - len(groups)
    of_record = (within - freedom * window) / (n - np.sum(uneven / total)) if freedom else nan
    if len(groups) > 1:
        between = np.sum(total * (group_mean - x.mean()) ** 2)
        theirs = np.sum(uneven / total) - np.sum(uneven) / n
        rest = between - (len(groups) - 1) * window - theirs * of_record
        of_group = rest / (n - np.sum(total.astype("float64") ** 2) / n)
    else:
        of_group = nan
    parts = {"group": of_group, "record": of_record, "window": window}
    return {name: float(np.sqrt(max(part, 0.0))) if np.isfinite(part) else nan for name, part in parts.items()}
