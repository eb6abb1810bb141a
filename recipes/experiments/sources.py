"""One source left out: what is a training worth for a recording that none of its labels comes from?

Each of the scans of the measured data set in turn, and two open-hardware boards where their recordings are at hand,
which never lend a label. The score of a source has its median error taken out, for all alike: its labels have a
definition of their own, and a calibration block tells this constant.
"""

from keras_usmae.files import write_markdown
from keras_usmae.models import preset_weights
from recipes.experiments.boards import BOARDS, find_boards
from recipes.experiments.budget import starts
from recipes.experiments.grid import summarize
from recipes.experiments.reports import CEILING_NOTE, paired_notes
from recipes.experiments.sweep import FEW_LABELS, Experiment
from recipes.experiments.taught import run_taught_left_out, taught_trials
from recipes.experiments.trial import Trial
from recipes.experiments.trials import CLASSICAL, READY, run_left_out, run_left_out_picker

SOURCES = ("plane_scan", "copper_block", "copper_array", "steel_pins")
VALUE = "test_bias_free_without_hole_mean_error_samples"
FAR = "test_bias_free_without_hole_far"
MASKED = "masked autoencoder"


def trials(sweep):
    """Pickers without training first, then all starts of a seed together."""
    left_out = (*SOURCES, *(BOARDS if find_boards(sweep.raw_dir) else ()))
    ready = {READY: sweep.preset} if "picker" in preset_weights(sweep.preset) else {}
    result = [
        Trial(name, 0, sweep.dataset, preset=preset, picker=name, held_out=source)
        for source in left_out
        for name, preset in (ready | dict.fromkeys(CLASSICAL)).items()
    ]
    for seed in range(sweep.seeds):
        for source in left_out:
            result += taught_trials(sweep, seed, FEW_LABELS, held_out=source)
            for name, changes in starts(sweep).items():
                result.append(sweep.trial(name, seed, FEW_LABELS, held_out=source, **changes))
    return result


def run(trial, place):
    """Fine-tunes, teaches or picks, and scores the source that was left out."""
    if trial.mode == "taught":
        return run_taught_left_out(trial, place)
    return (run_left_out_picker if trial.picker else run_left_out)(trial, place)


def report(rows, sweep, folder):
    """Tables of the mean error and of far misses, a column for each source."""
    sources = [name for name in (*SOURCES, *BOARDS) if any(row["held_out"] == name for row in rows)]
    groups = summarize((*rows, *sweep.ceilings), ("method", "held_out"), (VALUE, FAR))
    groups = {(group["method"], group["held_out"]): group for group in groups}
    methods = dict.fromkeys(method for method, _ in groups)
    lines = [[method, *(_cell(groups.get((method, source))) for source in sources)] for method in methods]
    notes = [
        f"Networks learnt from {FEW_LABELS} labels of the other sources. Mean error in samples of windows without a "
        "hole ahead of the labelled echo, of the test split where there is one; in brackets the share (%) that is far "
        "off or missed. The median error on the source itself is taken out, as by a calibration block. The boards are "
        "never in a training. " + CEILING_NOTE,
        *paired_notes(rows, MASKED, ("from scratch", "CNN"), "held_out", VALUE, 1.0, "samples of mean error"),
        *paired_notes(rows, "CNN, masked autoencoder", (MASKED,), "held_out", VALUE, 1.0, "samples of mean error"),
    ]
    title = f"One source left out: {sweep.preset}, {sweep.dataset}, {sweep.schedule}"
    return [write_markdown(folder / "sources.md", title, ["method", *sources], lines, notes)]


def _cell(group):
    if group is None:
        return "-"
    far = f"{100 * group[f'{FAR}_mean']:.1f}"
    if group["n"] == 1:
        return f"{group[f'{VALUE}_mean']:.1f} ({far})"
    return f"{group[f'{VALUE}_mean']:.1f} ± {group[f'{VALUE}_std']:.1f} ({far})"


EXPERIMENT = Experiment(trials, run, report, SOURCES)
