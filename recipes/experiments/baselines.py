"""Baselines: networks, probes of frozen encoders, pickers and the Cramér-Rao bound; measured and synthetic signals."""

from recipes.experiments.reports import SHOWN_UNCLIPPED, paired_notes, score_table
from recipes.experiments.sweep import Experiment
from recipes.experiments.trial import Trial
from recipes.experiments.trials import run_bound, run_picker, run_probe, run_tof

PROBES = ("linear probe", "nearest-neighbour probe")
PICKERS = ("AIC picker", "envelope threshold picker", "cross-correlation picker")
BOUND = "Cramér-Rao bound of the envelope"


def trials(sweep):
    """The three starts, probes of pre-trained and fresh encoders, pickers and the bound, on both datasets."""
    result = []
    for dataset in dict.fromkeys((sweep.dataset, sweep.pretraining)):
        for picker in PICKERS:
            result.append(Trial(picker, 0, dataset, picker=picker))
        result.append(Trial(BOUND, 0, dataset))
        for seed in range(sweep.seeds):
            for name, changes in sweep.starts().items():
                result.append(sweep.trial(name, seed, **{**changes, "dataset": dataset}))
            for probe in PROBES:
                for start, pretraining in (("pre-trained", sweep.shipped()), ("random", None)):
                    probed = {"dataset": dataset, "pretraining": pretraining, "probe": probe, "steps": 0}
                    result.append(sweep.trial(f"{probe}, {start}", seed, **probed))
    return result


def run(trial, place):
    """Scores a picker, a probe, or a fine-tuned network, or gives the bound."""
    if trial.method == BOUND:
        return run_bound(trial, place)
    if trial.picker:
        return run_picker(trial, place)
    return (run_probe if trial.probe else run_tof)(trial, place)


def report(rows, sweep, folder):
    """A table with paired tests."""
    labels = max(row.get("labels", 0) for row in rows)
    title = f"Baselines: {sweep.preset}, {labels} labels, test splits, {sweep.schedule}"
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
    return [
        score_table(folder / "baselines.md", title, rows, ("dataset", "method"), notes, SHOWN_UNCLIPPED, sweep.ceilings)
    ]


EXPERIMENT = Experiment(trials, run, report)
