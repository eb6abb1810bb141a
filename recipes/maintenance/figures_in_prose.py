"""Figures in the sentences of README, documentation and cards, each with the CSV that it comes from.

A claim is a pattern with a group for each figure, and a function from nothing to the figures as they are to be written.
`differences` tells those that are not so; a claim whose sentence is gone is one of them.
"""

import dataclasses
import re
from collections.abc import Callable

import numpy as np
from scipy import stats

from recipes.experiments.csv_rows import CEILING, cell, read_ceiling, read_rows

MEAN, TOP = "test_mean_error_samples", "test_accuracy"


@dataclasses.dataclass(frozen=True)
class Claim:
    """A sentence with figures.

    Args:
        page: str, path of the page.
        pattern: str, regular expression with a group for each figure; a space stands for any white space.
        figures: function without arguments that gives the list of them, as str.
    """

    page: str
    pattern: str
    figures: Callable


def mean(rows, key):
    """Mean over rows."""
    return float(np.mean([row[key] for row in rows]))


def far(picker):
    """Share of far or missed first picks over the laboratories in %, and its 95 % interval over them."""
    values = 100 * np.array([row[f"{picker} far"] for row in read_rows("laboratories")])
    draws = np.random.default_rng(0).choice(values, (2000, len(values))).mean(axis=1)
    return [f"{each:.2f}" for each in (values.mean(), *np.quantile(draws, [0.025, 0.975]))]


def pair(name, method, reference, key, scale=1.0, pair_by="seed", **facts):
    """Difference of two methods over shared seeds, its 95 % interval, and p."""
    columns = [
        {row[pair_by]: row[key] for row in read_rows(name, method=each, **facts)} for each in (method, reference)
    ]
    shared = sorted(columns[0].keys() & columns[1].keys())
    first, second = (scale * np.array([column[seed] for seed in shared]) for column in columns)
    found = stats.ttest_rel(first, second)
    return float(np.mean(first - second)), *map(float, found.confidence_interval()), float(found.pvalue)


def by_source(preset, source):
    """Mean error of a picker on one scan of the validation split."""
    rows = read_rows("pickers_patch64", preset=preset, split="validation")
    return f"{mean({row.get('run'): row for row in rows}.values(), f'mean_error_source_{source}'):.2f}"


def short(p):
    """A p-value with one digit."""
    return f"{p:.0e}" if p < 1e-4 else f"{p:.1g}"


def all_labels():
    """Pre-trained `tiny` against its rivals with all labels, as the page tells it."""
    told = []
    for rival in ("from scratch", "CNN"):
        difference, low, high, p = pair("labels_tiny", "pre-trained", rival, MEAN, labels=6400)
        told += [f"{-difference:.1f}", f"{-high:.1f}", f"{-low:.1f}", short(p)]
    for rival in ("from scratch", "CNN"):
        difference, _, _, p = pair("labels_tiny", "pre-trained", rival, TOP, 100, labels=6400)
        told += [f"{abs(difference):.1f}", short(p)]
    return told


def saved(rival, budgets):
    """By how many % the mean error of the pre-trained `nano` is below a rival's, for some numbers of labels."""
    rows = (
        [mean(read_rows("labels", method=name, labels=n), MEAN) for n in budgets] for name in ("pre-trained", rival)
    )
    return [100 * (1 - mine / other) for mine, other in zip(*rows, strict=True)]


def label_savings():
    """What pre-training saves at each label budget."""
    scratch = saved("from scratch", (64, 128, 320, 640, 1600, 3200, 6400))
    rival = saved("CNN", (64, 128, 320, 640, 1600, 3200, 6400))
    ends = min(scratch[3:]), max(scratch[3:]), rival[0], min(rival[1:6]), max(rival[1:6]), rival[6]
    return [f"{each:.0f}" for each in (*scratch[:3], *ends)]


def tiny_rows(method):
    """A row of the table of few and all labels, 6,400 of them."""
    rows = read_rows("labels_tiny", method=method, labels=6400)
    keys = [(TOP, 100, "{:.1f}"), ("test_within_one_bin", 100, "{:.1f}"), ("test_median_error_samples", 1, "{:.2f}")]
    keys += [(MEAN, 1, "{:.1f}"), ("test_rmse_samples", 1, "{:.1f}")]
    return [cell(rows, key, form, scale) for key, scale, form in keys]


def synthetic_mean(method):
    """Mean error on the synthetic test signals."""
    return cell(read_rows("baselines", method=method, dataset="ultrasound_synthetic/quickstart"), MEAN)


def balanced(task, labels):
    """Balanced accuracy of the pre-trained `nano` and from scratch in a task, in %."""
    names = ("pre-trained, fine-tuned", "from scratch, fine-tuned")
    rows = (read_rows("tasks", task=task, labels=labels, method=name) for name in names)
    return [f"{100 * mean(each, 'test_balanced_accuracy'):.1f}" for each in rows]


def truth(labels="all"):
    """Top-1 in % and mean error of the ceiling of the test labels."""
    row = read_ceiling(labels)
    return [f"{100 * row['accuracy']:.1f}", f"{row['mean_error_samples']:.2f}"]


def sure(estimator):
    """Mean error by the sure labels, its interval, and the share beyond three sigma in %."""
    row = read_rows("label_scores", estimator=estimator)[0]
    told = [f"{row[key]:.2f}" for key in ("sharp_mean_error_samples", "sharp_low", "sharp_high")]
    return [*told, f"{100 * row['beyond_three_sigma']:.1f}"]


def best_classical():
    """Mean error of `tiny_patch64` in % of that of the best classical picker."""
    ours = mean(read_rows("pickers_patch64", preset="tiny_patch64", split="test"), "mean_error_samples")
    others = [read_rows("pickers", preset=f"{name} picker", split="test") for name in ("AIC", "envelope threshold")]
    return [f"{100 * ours / min(mean(rows, 'mean_error_samples') for rows in others):.0f}"]


RESULTS, CARDS = "docs/results.md", "keras_usmae/presets"
CELLS = r"\| ([\d.± ]+) \| ([\d.± ]+) \| ([\d.± ]+) \| ([\d.± ]+) \| ([\d.± ]+) \|"
BOLD = CELLS.replace("([", r"\*{0,2}([").replace("+)", r"+?)\*{0,2}")
CLAIMS = [
    Claim(
        "README.md",
        r"([\d.]+) % of `tiny_patch64`'s first picks are far off or missing, of the AIC picker's ([\d.]+) %",
        lambda: [far("`tiny_patch64`")[0], far("AIC picker")[0]],
    ),
    Claim(
        "README.md",
        r"a smaller mean error than `tiny_patch64` \(([\d.]+) and ([\d.]+) samples, by labels whose own doubt makes "
        r"([\d.]+)\)",
        lambda: [by_source(name, 3) for name in ("AIC picker", "tiny_patch64", CEILING)],
    ),
    Claim(
        RESULTS,
        r"the truth would score ([\d.]+) % top-1 and ([\d.]+) samples of mean error by them",
        lambda: truth()[:2],
    ),
    Claim(
        RESULTS,
        r"the shipped `tiny_patch64` errs by ([\d.]+) samples \(([\d.]+) to ([\d.]+)\), `nano` by ([\d.]+), where the "
        r"labels allow ([\d.]+) \(.*? and the envelope threshold picker has ([\d.]+) \(([\d.]+) to "
        r"([\d.]+)\); ([\d.]+) % of",
        lambda: (
            [*sure("tiny_patch64")[:3], sure("nano")[0], truth("sigma below 1.5 samples")[1]]
            + [*sure("envelope threshold picker")[:3], sure("tiny_patch64")[3]]
        ),
    ),
    Claim(RESULTS, r"on the test split errs by (\d+) % of what the best classical picker does", best_classical),
    Claim(
        RESULTS,
        r"([\d.]+) % of the first picks of `tiny_patch64` are off by more than 32 samples or missing \(([\d.]+) to "
        r"([\d.]+)\), ([\d.]+) % of `tiny`, ([\d.]+) % of `nano_mcu` \(([\d.]+) to ([\d.]+)\), ([\d.]+) % of `nano`; "
        r"([\d.]+) % of the AIC picker \(([\d.]+) to ([\d.]+)\) and ([\d.]+) % of the threshold "
        r"\(([\d.]+) to ([\d.]+)\)",
        lambda: (
            far("`tiny_patch64`")
            + far("`tiny`")[:1]
            + far("`nano_mcu`")
            + far("`nano`")[:1]
            + far("AIC picker")
            + far("envelope threshold picker")
        ),
    ),
    Claim(RESULTS, rf"\| 6,400 \| from scratch {CELLS}", lambda: tiny_rows("from scratch")),
    Claim(
        RESULTS,
        rf"\| 6,400 \| .*\n\| \| CNN with as many parameters {CELLS}",
        lambda: tiny_rows("CNN"),
    ),
    Claim(RESULTS, rf"\| 6,400 \| .*\n.*\n\| \| \*\*pre-trained\*\* {BOLD}", lambda: tiny_rows("pre-trained")),
    Claim(
        RESULTS,
        r"With all labels it errs ([\d.]+) samples less than from scratch \(([\d.]+) to ([\d.]+), p = ([\d.]+)\) and "
        r"([\d.]+) less than the CNN \(([\d.]+) to ([\d.]+), p = ([\d.]+)\); in top-1 it leads the one by ([\d.]+) "
        r"points \(p = ([\d.]+)\) and trails the other by ([\d.]+) \(p = ([\d.]+)\)",
        all_labels,
    ),
    Claim(
        RESULTS,
        r"the mean error is (\d+) % below that from scratch with 64 labels, (\d+) % with 128, (\d+) % with 320, and "
        r"(\d+) to (\d+) % from there to all of them .*? It is below the CNN's by (\d+) % with 64 .*?, by (\d+) to "
        r"(\d+) % from 128 to 3,200 .*? and by (\d+) % with all",
        label_savings,
    ),
    Claim(
        RESULTS,
        r"Each size errs less pre-trained than from scratch \(p = ([\d.]+), ([\d.]+), ([\d.]+)\)",
        lambda: [
            short(pair("sizes", "pre-trained", "from scratch", MEAN, preset=preset)[3])
            for preset in ("nano", "tiny", "small")
        ],
    ),
    Claim(
        RESULTS,
        r"a better start than the full one \(mean error ([\d.]+ ± [\d.]+) against ([\d.]+ ± [\d.]+) samples, "
        r"p = ([\d.]+)",
        lambda: (
            [cell(read_rows("decoders", method=f"decoder {kind}"), MEAN) for kind in ("cross", "full")]
            + [short(pair("decoders", "decoder cross", "decoder full", MEAN)[3])]
        ),
    ),
    Claim(
        RESULTS,
        r"copper or steel: ([\d.]+) against ([\d.]+) % balanced accuracy, ([\d.]+) against ([\d.]+); acrylic glass or "
        r"copper with 320: ([\d.]+) against ([\d.]+)\)",
        lambda: (
            balanced("copper or steel", 32)
            + balanced("copper or steel", 320)
            + balanced("acrylic glass or copper", 320)
        ),
    ),
    Claim(
        RESULTS,
        r"The mean error is ([\d.]+ ± [\d.]+) samples pre-trained, ([\d.]+ ± [\d.]+) from scratch \(p = [\d.]+\) and "
        r"([\d.]+ ± [\d.]+) for the CNN, that of the AIC picker ([\d.]+) and of the envelope threshold ([\d]+\.[\d]+)",
        lambda: (
            [synthetic_mean(name) for name in ("pre-trained", "from scratch", "CNN", "AIC picker")]
            + [synthetic_mean("envelope threshold picker")]
        ),
    ),
    Claim(
        f"{CARDS}/nano_patch16_synthetic.md",
        r"pre-trained with patches of 32 \(nano\) (-[\d.]+) samples of mean error \(95 % interval "
        r"(-[\d.]+) to (-[\d.]+)",
        lambda: [
            f"{each:.2f}" for each in pair("masking", "patch 16, 75 % removed", "patch 32, 75 % removed", MEAN)[:3]
        ],
    ),
]


def differences(repository):
    """Claims whose figures are not those of their CSV.

    Args:
        repository: `pathlib.Path` of a checkout.

    Returns:
        A list of str.

    Example:

    ```python
    differences(Path("."))  # []
    ```
    """
    wrong = []
    for claim in CLAIMS:
        text, wanted = (repository / claim.page).read_text(), list(claim.figures())
        found = re.search(claim.pattern.replace(" ", r"\s+"), text, re.S if ".*?" in claim.pattern else 0)
        told = [each.strip() for each in found.groups()] if found else None
        if told != wanted:
            wrong.append(f"{claim.page}: {claim.pattern[:60]}: the page has {told}, the CSV {wanted}")
    return wrong
