"""Baselines: networks, probes of frozen encoders, pickers and the Cramér-Rao bound; measured and synthetic signals."""

from recipes.experiments.plan import Experiment
from recipes.experiments.reports import SHOWN_UNCLIPPED, paired_notes, score_table

PROBES = ("linear probe", "nearest-neighbour probe")
PICKERS = ("AIC picker", "envelope threshold picker", "cross-correlation picker")
BOUND = "Cramér-Rao bound of the envelope"


def cells(plan):
    """The three starts, probes of pre-trained and fresh encoders, pickers and the bound, on both datasets."""
    result = []
    for dataset in dict.fromkeys((plan.dataset, plan.pretraining)):
        for picker in PICKERS:
            result.append({"contender": picker, "dataset": dataset, "picker": picker, "seed": 0})
        result.append({"contender": BOUND, "dataset": dataset, "seed": 0})
        for seed in range(plan.seeds):
            for name, changes in plan.starts().items():
                result.append(plan.trial(name, seed, **{**changes, "dataset": dataset}))
            for probe in PROBES:
                for start, pretraining in (("pre-trained", plan.shipped()), ("random", None)):
                    cell = plan.trial(f"{probe}, {start}", seed, dataset=dataset, pretraining=pretraining)
                    result.append({**cell, "probe": probe, "steps": 0})
    return result


def run(laboratory, cell):
    """Scores a picker, a probe, or a fine-tuned network, or tells the bound."""
    if cell["contender"] == BOUND:
        return laboratory.bound(cell)
    if "picker" in cell:
        return laboratory.picker(cell)
    return laboratory.probe(cell) if "probe" in cell else laboratory.tof(cell)


def report(rows, plan, folder):
    """A table with paired tests."""
    labels = max(row.get("labels", 0) for row in rows)
    title = f"Baselines: {plan.preset}, {labels} labels, test splits, {plan.schedule}"
    networks = [row for row in rows if "preset" in row]
    notes = paired_notes(networks, "pre-trained", ("from scratch", "CNN"), "dataset")
    notes += paired_notes(
        networks, "pre-trained", ("from scratch", "CNN"), "dataset", "test_mean_error_samples", 1.0, "samples"
    )
    notes += [
        f"- {BOUND}: mean error of an unbiased estimator with Gaussian errors at the bound of each signal, on "
        "unclipped signals in white noise; `snr.py` tells what else it assumes. Networks and probes have the labels, "
        "pickers none.",
    ]
    return [score_table(folder / "baselines.md", title, rows, ("dataset", "contender"), notes, SHOWN_UNCLIPPED)]


EXPERIMENT = Experiment(cells, run, report)
