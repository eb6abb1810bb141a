"""Rows of the CSVs under docs/experiments, and what tables show of them. Needs neither Keras nor a signal."""

import csv
from pathlib import Path

import numpy as np

HOME = Path(__file__).parents[2] / "docs" / "experiments"
CEILING = "ceiling of the labels"


def read_rows(name, home=HOME, **facts):
    """Rows of a CSV that agree with some facts, numbers as numbers, without the cells that are empty.

    Args:
        name: str, of the CSV without its ending.
        home: path of its folder. Defaults to docs/experiments.
        **facts: values by the name of a column.

    Returns:
        A list of dicts.

    Raises:
        ValueError: where no row is left.

    Example:

    ```python
    read_rows("labels_tiny", labels=6400, method="CNN")[0]["seed"]  # 0
    ```
    """
    with open(Path(home) / f"{name}.csv", newline="") as file:
        rows = [{key: number(text) for key, text in row.items() if text != ""} for row in csv.DictReader(file)]
    rows = [row for row in rows if all(row.get(key) == value for key, value in facts.items())]
    if not rows:
        raise ValueError(f"{name}.csv has no row with {facts}.")
    return rows


def read_ceiling(labels="all", split="test"):
    """What the truth itself would score on a split, by the part of its labels that is compared."""
    return read_rows("label_ceiling", split=split, labels=labels)[0]


def number(text):
    """An int or a float where a text is one, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def cell(rows, key, form="{:.1f}", scale=1.0):
    """Mean and standard deviation over the rows, as text; the value alone where there is one row.

    Example:

    ```python
    cell([{"x": 1.0}, {"x": 3.0}], "x")  # "2.0 ± 1.4"
    ```
    """
    values = np.array([row[key] for row in rows], "float64")
    text = form.format(scale * values.mean())
    return text if len(values) == 1 else f"{text} ± {form.format(scale * values.std(ddof=1))}"


def line(cells):
    """A line of a Markdown table, its empty cells narrow as the pages have them."""
    return "|" + "|".join(f" {each} " if each else " " for each in map(str, cells)) + "|"
