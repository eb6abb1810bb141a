import numpy as np
import pytest

from keras_usmae.labelling.session import Refused


def act(session, name, page="a", **asked):
    return session.act(name, {"page": page, **asked})


def test_the_doubtful_traces_come_first_and_the_dead_one_last(session):
    found = act(session, "start")
    assert {5, 9} < {found["go"]["trace"], *found["upcoming"]}
    seen = [found["go"]["trace"]]
    while found["go"]:
        trace = found["go"]["trace"]
        found = act(session, "label", trace=trace, echo=0, mark="sure", onset=500.0, how="accepted")
        seen += [found["go"]["trace"]] if found["go"] else []
    assert sorted(seen) == list(range(64))
    assert seen[-1] == 12


def test_a_label_is_on_the_disk_when_the_answer_comes(session):
    act(session, "label", trace=7, echo=0, mark="sure", onset=812.345, how="moved")
    entry = (session.store.folder / "journal.jsonl").read_text().splitlines()[-1]
    assert '"onsets":[812.35]' in entry or '"onsets":[812.34]' in entry
    assert '"who":"Ada"' in entry
    about = act(session, "undo")["go"]
    assert (about["trace"], about["about"]["echoes"][0]["mark"]) == (7, "")


def test_what_is_left_for_later_comes_again_after_the_others(session):
    first = act(session, "start")["go"]["trace"]
    found = act(session, "skip", trace=first)
    others = []
    while found["go"]["trace"] != first:
        others.append(found["go"]["trace"])
        found = act(session, "label", trace=others[-1], echo=0, mark="no echo")
    assert sorted([*others, first]) == list(range(64))


def test_a_run_is_accepted_with_its_picks_and_taken_back_as_one(session, drawn):
    picks = 400 + 2.0 * np.arange(64)
    session.found.onset[0], session.found.aic[0] = picks, picks + 3
    session.queue.sort()
    about = session.view(20)
    assert b'"run": 5' in about or b'"run": 4' in about or b'"run": 6' in about
    found = act(session, "run", trace=20, echo=0, onset=441.5)
    labels = session.store.labels.of("onset")
    assert found["labelled"] == (labels.mark == 1).sum() > 20
    assert labels.onset[20] == 441.5
    assert labels.onset[21] == picks[21]
    assert act(session, "undo")["undone"] == found["labelled"]
    assert not labels.mark.any()


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("label", {"trace": 64, "echo": 0, "mark": "sure", "onset": 1.0}),
        ("label", {"trace": "0", "echo": 0, "mark": "sure", "onset": 1.0}),
        ("label", {"trace": 0, "echo": 1, "mark": "sure", "onset": 1.0}),
        ("label", {"trace": 0, "echo": 0, "mark": "sure", "onset": None}),
        ("label", {"trace": 0, "echo": 0, "mark": "sure", "onset": 1e9}),
        ("label", {"trace": 0, "echo": 0, "mark": "sure", "onset": "NaN"}),
        ("label", {"trace": 0, "echo": 0, "mark": ["sure"], "onset": 1.0}),
        ("label", {}),
        ("run", {"trace": 9, "echo": 0, "onset": 1.0}),
        ("snap", {"trace": 0}),
        ("undo", {}),
        ("learn", {}),
        ("pick", {}),
        ("__class__", {}),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(session, name, asked):
    before = (session.store.folder / "journal.jsonl").read_bytes()
    with pytest.raises(Refused):
        act(session, name, **asked)
    assert (session.store.folder / "journal.jsonl").read_bytes() == before


def test_a_second_page_is_told_and_may_take_over(session):
    assert session.state("a", -1)["owns"]
    assert not session.state("b", -1)["owns"]
    with pytest.raises(Refused, match="Another page"):
        act(session, "label", page="b", trace=0, echo=0, mark="no echo")
    act(session, "take", page="b")
    assert not session.state("a", -1)["owns"]
    with pytest.raises(Refused, match="Another page"):
        act(session, "undo", page="a")
    act(session, "leave", page="b")
    assert session.state("c", -1)["owns"]


def test_the_overview_comes_where_something_changed(session):
    state = session.state("a", -1)
    assert len(bytes.fromhex(state["overview"]["cells"])) == 64
    assert "overview" not in session.state("a", state["version"])
    act(session, "label", trace=3, echo=0, mark="doubtful", onset=5.0)
    assert bytes.fromhex(session.state("a", state["version"])["overview"]["cells"])[3] == 254


def test_snap_moves_to_the_rise_of_the_echo(session, drawn):
    session.work.scale = {"scale": "1", "ratio": 1.0, "burst": 250.0}
    strong = np.flatnonzero((drawn["snr_db"] > 30) & (drawn["onset"] > 300) & (drawn["onset"] < 1500))[:8]
    errors = [
        act(session, "snap", trace=int(trace), onset=float(drawn["onset"][trace] + 25))["onset"] - drawn["onset"][trace]
        for trace in strong
    ]
    assert np.median(np.abs(errors)) < 6
