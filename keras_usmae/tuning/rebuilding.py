"""Bringing the files of a search in order that something damaged: an older version, a full disk, a copy cut short."""

import json
from pathlib import Path

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

# Draws of a rebuilt search begin this much further on for each trial: those before may be used up.
_DRAWS_OF_A_TRIAL = 10_000


def mend(oracle: keras_tuner.Oracle) -> None:
    """Makes what an oracle will load whole: damaged trials count as failed, and a damaged state is rebuilt from trials.

    A trial that was running is run again. The best so far is kept; what a rebuilt search draws next is something else
    than it would have been.

    Args:
        oracle: one of `keras_usmae.tuning.oracles`, without trials, with its project folder set.
    """
    file = Path(oracle._get_oracle_fname())
    state = _read(file, "start_order", "end_order", "ongoing_trials", "hyperparameters", "seed_state")
    trials = _load_trials(file.parent)
    damaged = [name for name, trial in trials.items() if trial is None]
    missing = [] if state is None else [name for name in state["start_order"] if name not in trials]
    if state is not None and not damaged and not missing:
        return
    known = dict.fromkeys([*trials, *missing])
    for name in sorted(known, key=int):
        trial = trials.get(name)
        if trial is None:
            trial = Trial(oracle.get_space(), trial_id=name, status=TrialStatus.FAILED, message="Its file was damaged.")
            oracle._save_trial(trial)
        oracle.replay(trial)
    oracle._seed_state = oracle.seed + _DRAWS_OF_A_TRIAL * len(known)
    oracle.save()
    lost = f"; trials {', '.join(sorted({*damaged, *missing}, key=int))} are lost" if damaged or missing else ""
    print(f"The files of the search in {file.parent} were damaged: rebuilt from {len(known)} trials{lost}.", flush=True)
    # What loads it again begins with nothing.
    oracle.trials = {}


def _load_trials(folder):
    """Trials by name; `None` for one that cannot be read."""
    trials = {}
    for file in folder.glob("trial_*/trial.json"):
        name = file.parent.name.removeprefix("trial_")
        if not name.isdigit():
            continue
        state = _read(file, "trial_id", "hyperparameters", "metrics", "score", "best_step", "status", "message")
        try:
            trials[name] = Trial.from_state(state) if state and state["trial_id"] == name else None
        except (KeyError, TypeError, ValueError, AttributeError):
            trials[name] = None
    return trials


def _read(file, *keys):
    """Content of a file of KerasTuner, or `None` where it is damaged."""
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and content.keys() >= set(keys) else None
