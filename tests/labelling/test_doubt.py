import numpy as np
import pytest

from keras_usmae.labelling.doubt import REASONS, judge, mixed, neighbour_median, queue_order, run_around


def judged(onset, **changed):
    some = np.ones(len(onset))
    given = {
        "half_width": 6 * some,
        "confidence": some,
        "aic": onset + 4,
        "judged": some > 0,
        "line_length": len(onset),
    }
    return judge(onset, **{**given, **changed})


@pytest.fixture
def line():
    """Picks along a tilted plate, with noise."""
    return 500 + 3.0 * np.arange(80) + np.random.default_rng(0).normal(0, 0.5, 80)


def test_each_kind_of_doubt_comes_first_with_its_reason(line):
    wide, low, aic = (np.full(80, value) for value in (6.0, 1.0, 0.0))
    aic += line + 4
    line[10] += 60
    wide[30], low[40], aic[50] = 80, 0.4, aic[50] + 100
    line[70] = np.nan
    doubts = judged(line, half_width=wide, confidence=low, aic=aic)
    assert set(queue_order(doubts.value)[:5]) == {10, 30, 40, 50, 70}
    reasons = {place: REASONS[doubts.reason[place]] for place in (30, 40, 50, 70)}
    assert reasons == {30: "wide interval", 40: "low confidence", 50: "AIC differs", 70: "no pick"}
    assert not doubts.calm[[10, 30, 40, 50, 70]].any()
    assert doubts.calm[[20, 60]].all()


def test_a_tilt_is_no_doubt_and_a_line_ends_where_it_ends(line):
    two = np.concatenate([line, line])  # the second line begins where the first began
    doubts = judged(two, line_length=80)
    assert doubts.calm.mean() > 0.9
    assert judged(two, line_length=160).value[78:82].mean() > 2 * doubts.value[78:82].mean()


def test_traces_that_are_no_neighbours_are_no_doubt_by_their_scatter():
    scattered = np.random.default_rng(0).uniform(200, 1800, 80)
    value = judged(scattered).value
    assert np.median(value) < 3
    value = judged(scattered, half_width=np.where(np.arange(80) == 7, 300.0, 6.0)).value
    assert queue_order(value)[0] == 7


def test_a_known_label_stands_in_for_the_pick_of_a_neighbour(line):
    line[40:44] += 200  # four of seven: the picks beside them look wrong
    known = np.full(80, np.nan)
    known[40:44] = line[40:44] - 200
    assert judged(line, known=known).value[45] < judged(line).value[45]


def test_what_the_picker_has_not_seen_comes_last(line):
    seen = np.arange(80) < 50
    doubts = judged(line, judged=seen)
    assert np.isnan(doubts.value[50:]).all()
    assert set(queue_order(doubts.value)[:50]) == set(range(50))
    assert queue_order(doubts.value)[50:].tolist() == list(range(50, 80))


def test_medians_of_neighbours_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    onset = rng.uniform(0, 100, 43)
    onset[rng.choice(43, 12, replace=False)] = np.nan
    onset[20:28] = np.nan
    lines = [onset[start : start + 20] for start in (0, 20, 40)]
    onset -= np.concatenate([np.nanmedian(np.diff(line)) * np.arange(len(line)) for line in lines])
    expected = []
    for place in range(43):
        line = place // 20
        beside = [p for p in range(place - 3, place + 4) if p != place and p // 20 == line and 0 <= p < 43]
        there = [onset[p] for p in beside if np.isfinite(onset[p])]
        expected.append(np.median(there) if there else np.nan)
    np.testing.assert_allclose(neighbour_median(onset, 20), expected, atol=1e-9)


def test_a_run_ends_at_doubt_and_at_the_end_of_its_line_and_leaves_labels_out():
    calm, is_open = np.ones(40, bool), np.ones(40, bool)
    calm[[5, 15]] = False
    is_open[[8, 9]] = False
    assert run_around(10, calm, is_open, 20).tolist() == [6, 7, 10, 11, 12, 13, 14]
    assert run_around(15, calm, is_open, 20).tolist() == [6, 7, *range(10, 20)]
    assert run_around(25, calm, is_open, 20).tolist() == list(range(20, 40))
    assert not len(run_around(1, np.zeros(40, bool), is_open, 20))


def test_every_second_trace_is_from_anywhere_in_the_scan():
    order = np.random.default_rng(0).permutation(1000)
    found = mixed(order)
    assert sorted(found) == list(range(1000))
    assert len(set(found[:40]) & set(order[:21])) >= 19
    others = np.array([trace for trace in found[:40] if trace not in order[:21]])
    assert np.bincount(others // 250, minlength=4).min() >= 3
