"""The experiment `physics` of `run.py`: does a masked autoencoder know physics, or does it interpolate?

Fills in bursts that are possible and bursts that are not, by the pre-trained autoencoder, the same one with random
weights, the burst that fits the visible samples best, and interpolation; and tells how far the encoder's heads look.
"""

from pathlib import Path

import keras
import numpy as np

from keras_usmae.files import save_figure, write_markdown
from keras_usmae.models import attention_maps, uniform_attention_distance
from keras_usmae.training import save_arrays
from recipes.experiments.grid import paired_test
from recipes.experiments.physics.counterfactual import BURST_KINDS
from recipes.experiments.physics.plots import (
    plot_attention,
    plot_attention_distance,
    plot_filled_in,
    plot_physics_errors,
)
from recipes.experiments.physics.scores import (
    FILLERS,
    MASKS,
    REGIONS,
    draw_physics,
    fill_in,
    random_like,
    score_attention,
)
from recipes.experiments.physics.scores import score_physics as score
from recipes.experiments.starts import pretrained_folder
from recipes.experiments.sweep import Experiment
from recipes.experiments.trial import Trial

PRETRAINED, RANDOM = "pre-trained", "random weights"
METHODS = (PRETRAINED, RANDOM, *FILLERS)
NUM_SIGNALS = 256  # of each kind and seed
SAMPLING_RATE = 100e6
PICTURES = "physics_pictures.npz"
SHOWN_REGIONS = {
    "all": "all masked patches",
    "burst": "masked patches that hold part of the burst",
    "before": "masked patches of the burst that end before the jump",
}


def trials(sweep):
    """Every method at every seed of signals and masks; the autoencoder with random weights has those of the seed."""
    pretraining = sweep.pretrained()
    return [
        Trial(method, seed, pretraining=pretraining, test_signals=NUM_SIGNALS)
        for seed in range(sweep.seeds)
        for method in METHODS
    ]


def run(trial, place):
    """Scores one method, and keeps what the pictures show of seed 0."""
    mae = keras.saving.load_model(pretrained_folder(trial.pretraining, place) / "mae.keras")
    drawn = draw_physics(mae.encoder, mae.mask_ratio, trial.test_signals, trial.seed)
    if trial.method in FILLERS:
        return score(trial.method, drawn)
    if trial.method == RANDOM:
        mae = random_like(mae, trial.seed)
    elif trial.seed == 0:
        _keep_pictures(place.folder / PICTURES, mae, drawn)
    attention = {**score_attention(mae.encoder, drawn), "patches": mae.encoder.num_patches}
    return {**score(mae, drawn), "patch_size": mae.encoder.patch_size, "attention": attention}


def _keep_pictures(path, mae, drawn):
    """One signal in all kinds, filled in under both masks, and what the encoder attends to in it."""
    patch_size = mae.encoder.patch_size
    # That of whose energy the random mask hides the half.
    energy = np.square(drawn["signals"]["possible"]).reshape(*drawn["in_burst"].shape, -1).sum(axis=2)
    hidden = (energy * drawn["removed"]["random"]).sum(axis=1) / energy.sum(axis=1)
    chosen = int(np.argmin(np.abs(hidden - 0.5)))
    kinds = np.stack([drawn["signals"][kind][chosen] for kind in BURST_KINDS])
    arrays = {"signals": kinds, "burst_start": drawn["burst_start"][chosen], "jump": drawn["jump"][chosen]}
    for mask in MASKS:
        removed = np.repeat(drawn["removed"][mask][[chosen]], len(kinds), axis=0)
        noise = np.repeat(drawn["noise"][mask][[chosen]], len(kinds), axis=0)
        arrays[f"removed_{mask}"] = removed[0]
        for name, method in (("mae", mae), ("linear", "linear")):
            arrays[f"{name}_{mask}"] = fill_in(method, kinds, noise, removed)
    query = round(
        float(drawn["burst_start"][chosen]) / patch_size
    )  # the first patch that the burst fills by a half or more
    arrays |= {"query": query, "attention": attention_maps(mae.encoder, kinds[:1])[:, 0, :, query].mean(axis=1)}
    save_arrays(path, arrays)


def report(rows, sweep, folder):
    """Tables of errors and attention, and pictures."""
    relative = relative_errors(rows)
    sections = [_statement(relative), _comparison(relative)]
    sections += [_table(["kind", *METHODS], lines, title) for title, lines in _error_tables(rows)]
    looked = [row for row in rows if "attention" in row]
    if looked:
        sections.append(_attention_table(looked))
    header, lines = ["signals of a kind", "seeds"], [[str(NUM_SIGNALS), str(len({row["seed"] for row in rows}))]]
    notes = [line for section in sections for line in (*section, "")]
    source = Path(sweep.run).name if sweep.run else f"{sweep.preset} on {sweep.pretraining}"
    files = [write_markdown(folder / "physics.md", f"Physics or interpolation: {source}", header, lines, notes)]
    figures = {"errors": plot_physics_errors(relative, [m for m in METHODS if m in relative])}
    if looked:
        figures["attention_distance"] = plot_attention_distance(_distances(looked), *_uniform(looked), SAMPLING_RATE)
    if (folder / PICTURES).exists():
        with np.load(folder / PICTURES) as stored:
            kept = {name: stored[name] for name in stored.files}
        figures["reconstructions"] = plot_filled_in(kept, BURST_KINDS, MASKS, SAMPLING_RATE)
        figures["attention"] = plot_attention(kept["signals"][0], kept["attention"], int(kept["query"]), SAMPLING_RATE)
    return files + [save_figure(figure, folder / f"physics_{name}.png") for name, figure in figures.items()]


def relative_errors(rows):
    """Errors as a share of those of predicting nothing: method to mask to kind to a list over the seeds.

    Breaking a burst changes its share of the power, and with it how large an error can be; this does not.
    """
    nothing = {row["seed"]: row for row in rows if row["method"] == "nothing"}
    table = {}
    for row in rows:
        for mask in MASKS if row["seed"] in nothing and row["method"] != "nothing" else ():
            kinds = table.setdefault(row["method"], {}).setdefault(mask, {})
            for kind in BURST_KINDS:
                keys = {region: f"{mask}/{kind}/{region}" for region in REGIONS}
                share = {region: row[key] / nothing[row["seed"]][key] for region, key in keys.items()}
                kinds.setdefault(kind, []).append({"method": kind, "seed": row["seed"], **share})
    return table


def _error_tables(rows):
    for mask in MASKS:
        for region in REGIONS:
            lines = []
            for kind in BURST_KINDS:
                if (region, kind) == ("before", "reversed"):
                    continue  # nothing jumps
                groups = [[row[f"{mask}/{kind}/{region}"] for row in rows if row["method"] == m] for m in METHODS]
                lines.append([kind, *(_mean_and_spread(values) for values in groups)])
            yield f"Mean squared error, {mask} mask, {SHOWN_REGIONS[region]}", lines


def _statement(relative):
    """Errors before the jump, on possible and on impossible bursts, and why these tell physics from interpolation."""
    lines = [
        "## Before the jump",
        "",
        "Errors are shares of that of predicting nothing. Patches that end before the jump are the same in possible "
        "and impossible bursts: a method whose error rises there took what it filled in from behind the jump, as part "
        "of one burst. Polarity and frequency tell most, since they leave the power of the burst as it was. A rise "
        "says that a method expects bursts that are coherent in phase, frequency and envelope, as those it was trained "
        "on; not that it knows why they are. The burst fit is told so: it is the least-squares fit of one damped burst "
        "to the visible samples, whose rise is that of a method that believes in nothing else.",
        "",
    ]
    for mask in MASKS:
        for method, masks in relative.items():
            parts = []
            for kind in BURST_KINDS[1:]:
                region = "burst" if kind == "reversed" else "before"
                values = [np.mean([row[region] for row in masks[mask][name]]) for name in ("possible", kind)]
                parts.append(f"{kind} {values[0]:.2f} to {values[1]:.2f}")
            lines.append(f"- {mask} mask, {method}, before the jump (reversed: whole burst): {', '.join(parts)}")
    return lines


def _comparison(relative):
    """How much worse each method is on impossible bursts than on possible ones, paired over the seeds."""
    lines = []
    for mask in MASKS:
        for method, masks in relative.items():
            for kind in BURST_KINDS[1:]:
                for region in ("burst", "before")[: 1 if kind == "reversed" else 2]:
                    possible, broken = masks[mask]["possible"], masks[mask][kind]
                    line = [mask, method, kind, region]
                    line += [f"{np.mean([row[region] for row in part]):.3f}" for part in (possible, broken)]
                    if len(possible) > 1:
                        test = paired_test(possible + broken, region, kind, "possible")
                        interval = f"{test['low']:+.3f} to {test['high']:+.3f}"
                        line += [f"{test['difference']:+.3f} ({interval})", f"{test['p_value']:.2g}"]
                    lines.append(line + [""] * (8 - len(line)))
    header = ["mask", "method", "kind", "patches", "possible", "this kind", "rise (95 % interval)", "p"]
    return _table(header, lines, "Error as a share of that of predicting nothing, beside the possible burst")


def _attention_table(rows):
    lines = []
    for layer in range(len(rows[0]["attention"]["distance"])):
        for method in (PRETRAINED, RANDOM):
            line = [str(layer), method]
            for name in ("distance", "inside", "outside"):
                values = [np.mean(row["attention"][name][layer]) for row in rows if row["method"] == method]
                line.append(_mean_and_spread(values, ".0f" if name == "distance" else ".1%"))
            lines.append(line)
    distance, share = _uniform(rows)[0], np.mean([row["attention"]["share"] for row in rows])
    lines.append(["", "uniform", f"{distance:.0f}", f"{share:.1%}", f"{share:.1%}"])
    header = ["layer", "encoder", "distance (samples)", "to the burst, from the burst", "to the burst, from elsewhere"]
    return _table(header, lines, "Attention on possible signals, mean over the heads")


def _uniform(rows):
    """Attention distance of uniform attention in samples, and the number of layers."""
    shape = rows[0]["attention"]["patches"], rows[0]["patch_size"]
    return uniform_attention_distance(*shape), len(rows[0]["attention"]["distance"])


def _distances(rows):
    """Attention distance `(num_layers, num_heads)` in samples, mean over the seeds, of each encoder."""
    groups = {m: [row["attention"]["distance"] for row in rows if row["method"] == m] for m in (PRETRAINED, RANDOM)}
    return {method: np.mean(values, axis=0) for method, values in groups.items() if values}


def _mean_and_spread(values, form=".3f"):
    if not values:
        return "-"
    spread = f" ± {np.std(values, ddof=1):{form}}" if len(values) > 1 else ""
    return f"{np.mean(values):{form}}{spread}"


def _table(header, lines, title):
    rows = ["| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *lines)]
    return [f"## {title}", "", *rows]


EXPERIMENT = Experiment(trials, run, report)
