"""Other tasks: do the same encoders tell a flaw from none, and one material from another?"""

from keras_usmae.models import preset_weights
from recipes.experiments.budget import MASKED_CNN, masked_cnn
from recipes.experiments.reports import paired_notes, score_table
from recipes.experiments.sweep import Experiment
from recipes.experiments.trials import READY, run_classes

LABELS = (32, 320)
TASKS = ("flaw", "acrylic glass or copper", "copper or steel")
SHOWN = {
    "test_balanced_accuracy": ("balanced accuracy (%)", 100.0, "{:.1f}"),
    "test_accuracy": ("accuracy (%)", 100.0, "{:.1f}"),
    "test_macro_f1": ("macro F1 (%)", 100.0, "{:.1f}"),
}


def starts(sweep):
    """What networks start from: name to the changes of a trial."""
    found = {**sweep.starts(), MASKED_CNN: masked_cnn(sweep)}
    if "picker" in preset_weights(sweep.preset):
        found[READY] = {"pretraining": "picker"}
    return found


def trials(sweep):
    """Every task with few and more labels: frozen encoders by probes, and fine-tuned ones."""
    result = []
    for labels in LABELS:
        for seed in range(sweep.seeds):
            for task in TASKS:
                for start, changes in starts(sweep).items():
                    for mode in ("fine-tuned", "linear probe", "nearest-neighbour probe"):
                        if mode != "fine-tuned" and start in ("CNN", MASKED_CNN):
                            continue
                        name = f"{start}, {mode}" if mode == "fine-tuned" else f"{start.replace('from ', '')}, {mode}"
                        result.append(sweep.trial(name, seed, labels, task=task, mode=mode, **changes))
    return result


def report(rows, sweep, folder):
    """A table with paired tests."""
    rows = sorted(
        ({**row, "task and labels": f"{row['task']}, {row['labels']} labels"} for row in rows),
        key=lambda row: (TASKS.index(row["task"]), row["labels"]),
    )
    notes = []
    for mode in ("fine-tuned", "linear probe", "nearest-neighbour probe"):
        rivals = ("from scratch, fine-tuned", "CNN, fine-tuned") if mode == "fine-tuned" else (f"scratch, {mode}",)
        method = f"pre-trained, {mode}"
        notes += paired_notes(
            rows, method, rivals, "task and labels", "test_balanced_accuracy", unit="points of balanced accuracy"
        )
    for method in (f"{MASKED_CNN}, fine-tuned", f"{READY}, fine-tuned"):
        rivals = ("CNN, fine-tuned", "pre-trained, fine-tuned")
        notes += paired_notes(
            rows, method, rivals, "task and labels", "test_balanced_accuracy", unit="points of balanced accuracy"
        )
    title = f"Flaw and material: {sweep.preset}, {sweep.dataset}, test split, {sweep.schedule}"
    return [score_table(folder / "tasks.md", title, rows, ("task and labels", "method"), notes, SHOWN)]


EXPERIMENT = Experiment(trials, run_classes, report)
