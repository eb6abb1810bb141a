"""How a search draws, goes on, and shares its trials, on a score that takes no training."""

import json
import os
import shutil
import time

import keras_tuner
import pytest
from keras_tuner.engine.trial import TrialStatus
from keras_tuner.errors import FatalRuntimeError

from keras_usmae.tuning import SearchSpace, SearchTuner, build_oracle, role, trial_rows

TABLES = {
    "size": {"choice": ["nano", "tiny", "free"]},
    "num_layers": {"choice": [1, 2, 3, 4], "when": {"size": "free"}},
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
}


class Quadratic(keras_tuner.HyperModel):
    """Stands in for a hypermodel: a score with a known best."""

    def __init__(self):
        super().__init__()
        self.space = SearchSpace("finetune", TABLES)

    def declare_hyperparameters(self, hp):
        self.space.declare(hp)

    def build(self, hp):
        return hp

    def epochs_of(self, hp):
        return hp.values.get("tuner/epochs", 9)

    def fit(self, hp, model):
        settings = self.space.settings(hp)
        distance = {"nano": 2.0, "tiny": 3.0, "free": abs(settings["num_layers"] - 2)}[settings["size"]]
        return {"val_error_samples": distance + abs(settings["learning_rate"] - 2e-3) * 1e3 + 1 / self.epochs_of(hp)}


@pytest.fixture
def hypermodel():
    return Quadratic()


def search(hypermodel, folder, tuner="random", max_trials=12, **options):
    oracle = build_oracle(tuner, "finetune", max_trials, epochs=9, **options)
    oracle.verbose = 0
    SearchTuner(oracle, hypermodel, folder).search()
    return oracle, trial_rows(oracle, hypermodel.space)


def compared(rows):
    """Rows without the time, and without the trial's name, whose width goes with the number of trials."""
    return [{**row, "seconds": 0, "trial": 0} for row in rows]


# Each proposal of the Gaussian process takes seconds: few of them.
@pytest.mark.parametrize(("tuner", "count"), [("random", 12), ("bayesian", 6), ("hyperband", 12)])
def test_a_seed_gives_the_same_search_in_one_run_or_two(hypermodel, tmp_path, tuner, count):
    oracle, whole = search(hypermodel, tmp_path / "whole", tuner, count)
    assert len(whole) == count
    assert (whole[0]["size"], whole[0]["learning_rate"]) == ("nano", 3e-3)  # the defaults
    assert oracle.get_best_trials()[0].score == pytest.approx(min(row["val_error_samples"] for row in whole), abs=1e-4)
    search(hypermodel, tmp_path / "parts", tuner, 5)
    _, parts = search(hypermodel, tmp_path / "parts", tuner, count)
    assert compared(whole) == compared(parts)
    _, other = search(hypermodel, tmp_path / "other", tuner, 4, seed=1)
    assert compared(other) != compared(whole)[:4]


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband"])
def test_what_does_not_fit_never_becomes_a_trial(hypermodel, tmp_path, tuner):
    def fits(values):
        return values["size"] == "free" and values["num_layers"] <= 3

    oracle, rows = search(hypermodel, tmp_path, tuner, 6, fits=fits)
    assert len(rows) == 6
    assert all(fits(oracle.trials[row["trial"]].hyperparameters.values) for row in rows)
    assert oracle.rejected > 0
    assert {row["status"] for row in rows} == {"completed"}


def test_hyperband_gives_the_best_more_epochs(hypermodel, tmp_path):
    _, rows = search(hypermodel, tmp_path, "hyperband", max_trials=25)
    assert {row["epochs"] for row in rows} == {1.0, 3.0, 9.0}
    first = sorted(row["val_error_samples"] - 1 for row in rows[:9] if row["epochs"] == 1)
    longer = [row["val_error_samples"] - 1 / 3 for row in rows if row["epochs"] == 3]
    assert min(longer) == pytest.approx(first[0], abs=1e-5)


def test_trials_that_cannot_be_run_are_tried_again_and_end_the_search_after_three(hypermodel, tmp_path):
    fit, calls = hypermodel.fit, []

    def sometimes(hp, model):
        calls.append(hp)
        if len(calls) % 4 == 2:
            raise ValueError("no memory")
        return fit(hp, model)

    hypermodel.fit = sometimes
    _, rows = search(hypermodel, tmp_path / "sometimes", "hyperband", 12)
    assert [row["status"] for row in rows] == ["completed"] * 12
    assert len(calls) > 12

    def never(hp, model):
        raise ValueError("no memory at all")

    hypermodel.fit = never
    with pytest.raises(FatalRuntimeError, match="no memory at all"):
        search(hypermodel, tmp_path / "never")


def test_a_failed_trial_leaves_its_bracket(hypermodel, tmp_path):
    fit = hypermodel.fit

    def never_tiny(hp, model):
        if hp.values["size"] == "tiny":
            raise ValueError("no memory")
        return fit(hp, model)

    hypermodel.fit = never_tiny
    oracle = build_oracle("hyperband", "finetune", 25, epochs=9)
    oracle.verbose = 0
    tuner = SearchTuner(oracle, hypermodel, tmp_path)
    tuner.on_trial_end = lambda trial: oracle.end_trial(trial)
    tuner.search()
    rows = trial_rows(oracle, hypermodel.space)
    assert {row["status"] for row in rows if row["size"] == "tiny"} == {"failed"}
    assert max(row["epochs"] for row in rows if row["epochs"] != "") == 9.0


def test_a_lost_workers_trial_goes_to_another(hypermodel, tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("keras_usmae.tuning.oracles.time.monotonic", lambda: now[0])
    oracle = build_oracle("random", "finetune", 2, epochs=9, lost_after=60.0)
    oracle.verbose = 0
    SearchTuner(oracle, hypermodel, tmp_path)
    lost, kept = oracle.create_trial("lost"), oracle.create_trial("kept")
    for _ in range(3):
        now[0] += 30.0
        oracle.get_trial(kept.trial_id)  # a sign of life
        oracle.give_up_lost_workers()
    assert set(oracle.ongoing_trials) == {"kept"}

    def complete(trial):
        oracle.update_trial(trial.trial_id, {"val_error_samples": 1.0})
        trial.status = TrialStatus.COMPLETED
        oracle.end_trial(trial)

    complete(kept)
    again = oracle.create_trial("kept")
    assert again.trial_id == lost.trial_id
    assert again.hyperparameters.values == lost.hyperparameters.values
    waiting = oracle.create_trial("third")
    assert waiting.status == TrialStatus.IDLE  # it may be needed yet
    complete(lost)  # it was only slow
    complete(again)
    assert sorted(oracle.end_order) == ["0", "1"]
    assert not oracle.ongoing_trials
    assert {oracle.create_trial(name).status for name in ("kept", "third")} == {TrialStatus.STOPPED}
    assert not oracle.tuner_ids


def test_no_trial_begins_after_the_time_is_up(hypermodel, tmp_path):
    fit = hypermodel.fit
    hypermodel.fit = lambda hp, model: time.sleep(0.06) or fit(hp, model)
    _, rows = search(hypermodel, tmp_path, max_trials=50, seconds=0.3)
    assert 1 <= len(rows) <= 5


def test_roles_and_unknown_tuners(monkeypatch):
    assert role() == "single"
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "worker-1")
    with pytest.raises(ValueError, match="only KERASTUNER_TUNER_ID is set"):
        role()
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "")
    monkeypatch.delenv("KERASTUNER_ORACLE_IP")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", "8000")
    assert role() == "worker"
    assert os.environ["KERASTUNER_ORACLE_IP"] == "127.0.0.1", "no port is open to others unless it is asked for"
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
    assert role() == "chief"
    with pytest.raises(ValueError, match=r"`tuner` must be one of.*'grid'"):
        build_oracle("grid", "finetune", 3, epochs=9)
    with pytest.raises(ValueError, match="max_trials=0"):
        build_oracle("random", "finetune", 0, epochs=9)


def damage(folder, what):
    trials = folder / "trials"
    if what == "the state is empty":
        (trials / "oracle.json").write_text("")
    elif what == "the state is half":
        (trials / "oracle.json").write_text((trials / "oracle.json").read_text()[:100])
    elif what == "the state is gone":
        (trials / "oracle.json").unlink()
    elif what == "the state is something else":
        (trials / "oracle.json").write_text("[1, 2]")
    elif what == "the file of the process is empty":
        (trials / "tuner0.json").write_text("")
    elif what == "the file of the process is gone":
        (trials / "tuner0.json").unlink()
    elif what == "a trial is empty":
        (trials / "trial_1" / "trial.json").write_text("")
    elif what == "a trial is gone":
        shutil.rmtree(trials / "trial_1")
    else:
        (trials / "oracle.json").write_text("")
        (trials / "trial_1" / "trial.json").write_text("{}")


DAMAGES = ["the state is empty", "the state is half", "the state is gone", "the state is something else"]
DAMAGES += [
    "the file of the process is empty",
    "the file of the process is gone",
    "a trial is empty",
    "a trial is gone",
]
DAMAGES += ["state and a trial"]


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_search_goes_on_from_its_trials(hypermodel, tmp_path, what, capsys):
    _, before = search(hypermodel, tmp_path, "hyperband", 7)
    damage(tmp_path, what)
    oracle, after = search(hypermodel, tmp_path, "hyperband", 9)
    lost = {"1"} if "trial" in what else set()
    kept = {row["trial"]: row for row in before if row["trial"] not in lost}
    assert {name: row for name, row in ((row["trial"], row) for row in after) if name in kept} == kept
    assert [row["trial"] for row in after] == [str(number) for number in range(9)]
    assert {row["trial"] for row in after if row["status"] == "failed"} == lost
    assert ("rebuilt from 7 trials" in capsys.readouterr().out) == ("process" not in what)
    values = [tuple(sorted(trial.hyperparameters.values.items())) for trial in oracle.trials.values()]
    assert len(set(values)) == 9, "no candidate is tried twice"


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband"])
def test_a_rebuilt_search_knows_what_it_knew(hypermodel, tmp_path, tuner):
    known, _ = search(hypermodel, tmp_path, tuner, 6)
    expected = known.get_state()
    damage(tmp_path, "the state is empty")
    oracle = build_oracle(tuner, "finetune", 6, epochs=9)
    SearchTuner(oracle, hypermodel, tmp_path)
    found = oracle.get_state()
    assert found.pop("seed_state") > expected.pop("seed_state")
    for state in (found, expected):
        state["tried_so_far"] = sorted(state["tried_so_far"])
        state.pop("rejected")
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(expected))


def test_the_files_of_a_search_are_replaced_and_never_written_in_place(hypermodel, tmp_path):
    search(hypermodel, tmp_path, "random", 3)
    files = {path: path.stat().st_ino for path in tmp_path.rglob("*.json")}
    kept = [(path, path.open("rb")) for path in files]  # an open file keeps its number from being used again
    contents = {path: path.read_bytes() for path in files}
    search(hypermodel, tmp_path, "random", 5)
    for path, file in kept:
        assert file.read() == contents[path], f"{path} was written in place"
        file.close()
    assert (tmp_path / "trials" / "oracle.json").stat().st_ino != files[tmp_path / "trials" / "oracle.json"]
