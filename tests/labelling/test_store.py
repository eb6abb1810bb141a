import numpy as np
import pytest

from keras_usmae.labelling.labels import Labels
from keras_usmae.labelling.store import LabelStore, digest_files, lock_labels
from keras_usmae.signals.readers import read_recordings

SCAN = {"traces": 6, "samples": 2048, "digest": "a"}


def open_store(folder, scan=SCAN, echoes=("front", "back"), who="Ada"):
    return LabelStore(folder, scan, echoes, lambda trace: ("scan.npy", trace), who)


def read_back(folder, keys):
    """Labels as the readers find them by a sidecar."""
    np.save(folder / "scan.npy", np.random.default_rng(0).standard_normal((6, 2048)))
    (folder / "scan.toml").write_text(
        f'sampling_rate = 1e6\naxis = 1\n[onset]\nkey = {list(keys)}\nunit = "samples"\nfile = "labels.csv"\n'
        'match = "file"\nsure = "sure"\n'
    )
    (recording,) = read_recordings(folder / "scan.npy")
    return [recording.onset, *recording.later_onsets.values()]


def test_the_table_is_what_a_sidecar_reads(tmp_path):
    store = open_store(tmp_path, who='Ada "the first", Countess')
    store.add("front", "sure", [0, 3], [100.25, 2047.999])
    store.add("back", "sure", [0], [900.0])
    store.add("front", "doubtful", [1], [50.0])
    store.add("front", "no echo", [2])
    store.close()
    front, back = read_back(tmp_path, ["front", "back"])
    np.testing.assert_array_equal(front, [100.25, np.nan, np.nan, 2047.99, np.nan, np.nan])
    np.testing.assert_array_equal(back, [900, *[np.nan] * 5])


def test_a_doubtful_echo_takes_nothing_from_a_sure_one_of_its_trace(tmp_path):
    store = open_store(tmp_path)
    store.add("front", "sure", [4], [100.0])
    store.add("back", "doubtful", [4], [900.0])
    store.close()
    front, back = read_back(tmp_path, ["front", "back"])
    assert front[4] == 100
    assert np.isnan(back).all()
    assert "back=900.00" in (tmp_path / "labels.csv").read_text()


def test_labels_and_undo_outlive_the_process(tmp_path):
    store = open_store(tmp_path)
    store.add("front", "sure", [0], [10.0])
    store.add("front", "sure", [0, 1, 2], [20.0, 21.0, 22.0], how="run")
    store.undo()
    store.add("front", "doubtful", [0], [30.0])
    store.close()
    again = open_store(tmp_path)
    assert again.labels.of("front").onset[0] == 30
    assert again.undo() == ("front", [0])
    assert again.labels.of("front").onset[0] == 10
    assert again.labels.of("front").mark.tolist() == [1, 0, 0, 0, 0, 0]
    again.undo()
    assert not again.labels.can_undo
    with pytest.raises(ValueError, match="no label left"):
        again.undo()


def test_undo_gives_back_every_state_on_the_way(tmp_path):
    rng, labels, states = np.random.default_rng(0), Labels(6, 2048), []

    def state():
        return {echo: (each.mark.tolist(), each.onset.tolist()) for echo, each in labels.echoes.items()}

    labels.of("front"), labels.of("back")
    for _ in range(60):
        states.append(str(state()))
        traces = rng.choice(6, rng.integers(1, 4), replace=False).tolist()
        entry = {"kind": "label", "echo": str(rng.choice(["front", "back"])), "traces": traces}
        mark = str(rng.choice(["sure", "doubtful", "no echo"]))
        onsets = {} if mark == "no echo" else {"onsets": rng.uniform(0, 2048, len(traces)).tolist()}
        labels.apply({**entry, "mark": mark, **onsets})
    while labels.can_undo:
        labels.apply({"kind": "undo"})
        assert str(state()) == states.pop()
    assert not states


@pytest.mark.parametrize(
    ("echo", "mark", "traces", "onsets", "message"),
    [
        ("front", "sure", [6], [1.0], "0..5"),
        ("front", "sure", [-1], [1.0], "0..5"),
        ("front", "sure", [True], [1.0], "0..5"),
        ("front", "sure", [], [], "0..5"),
        ("front", "sure", [0], None, "onset for each"),
        ("front", "sure", [0, 1], [1.0], "onset for each"),
        ("front", "sure", [0], [-1.0], "must lie in"),
        ("front", "sure", [0], [float("nan")], "must lie in"),
        ("front", "no echo", [0], [1.0], "onset for each"),
        ("front", "perhaps", [0], [1.0], "marks"),
        ("", "sure", [0], [1.0], "name of an echo"),
    ],
)
def test_a_label_that_cannot_be_is_refused_and_leaves_nothing(tmp_path, echo, mark, traces, onsets, message):
    store = open_store(tmp_path)
    before = (tmp_path / "journal.jsonl").read_bytes()
    with pytest.raises(ValueError, match=message):
        store.add(echo, mark, traces, onsets)
    assert (tmp_path / "journal.jsonl").read_bytes() == before


def test_labels_of_another_scan_are_not_gone_on_with(tmp_path):
    open_store(tmp_path).close()
    with pytest.raises(ValueError, match="another scan"):
        open_store(tmp_path, {**SCAN, "traces": 7})


def test_an_echo_cannot_have_the_name_of_a_column(tmp_path):
    with pytest.raises(ValueError, match="'sure'"):
        open_store(tmp_path, echoes=("sure",))


def test_an_echo_that_is_not_asked_for_any_more_keeps_its_column(tmp_path):
    store = open_store(tmp_path)
    store.add("back", "sure", [0], [900.0])
    store.close()
    open_store(tmp_path, echoes=("front",)).close()
    header, first, *_ = (tmp_path / "labels.csv").read_text().splitlines()
    assert header.split(",")[:4] == ["file", "trace", "front", "back"]
    assert first.split(",")[3] == "900.00"


def test_a_folder_is_for_one_process(tmp_path):
    with (
        lock_labels(tmp_path / "labels"),
        pytest.raises(FileExistsError, match="Another `usmae label`"),
        lock_labels(tmp_path / "labels"),
    ):
        pass
    with lock_labels(tmp_path / "labels"):
        pass


def test_a_digest_tells_other_contents_apart_and_not_other_names(tmp_path):
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    content = np.random.default_rng(0).bytes(100_000)
    one.write_bytes(content)
    same.write_bytes(content)
    other.write_bytes(content[:-1] + b"x")
    assert digest_files([one]) == digest_files([same]) != digest_files([other])
