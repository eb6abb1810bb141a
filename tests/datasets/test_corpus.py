"""Windows and splits, on the synthetic dummy files and, where they are, on the measured originals."""

import re

import numpy as np
import pytest
import scipy.stats

NUM_WINDOWS = 800
SEED = 7
BOTH = [pytest.param("dummy_corpus", id="dummy"), pytest.param("corpus", id="measured", marks=pytest.mark.measured)]


@pytest.fixture(params=BOTH)
def any_corpus(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def examples(measured, any_corpus):
    """Windows of each split, with noise."""
    make = measured.corpus.make_examples
    return {split: make(any_corpus, split, NUM_WINDOWS, True, SEED) for split in measured.splits.SPLITS}


def traces(examples):
    """Source and position of each window, the same for reciprocal pairs of an array."""
    is_array = np.isin(examples["source"], [2, 3])[:, None]
    position = np.where(is_array, np.sort(examples["position"], axis=1), examples["position"])
    return set(map(tuple, np.column_stack([examples["source"], position]).tolist()))


def test_no_source_trace_is_in_two_splits(examples):
    train, validation, test = (traces(examples[split]) for split in ("train", "validation", "test"))
    assert not train & validation
    assert not train & test
    assert not validation & test
    assert min(map(len, (train, validation, test))) > 100


@pytest.mark.parametrize(("name", "gap"), [("plane_scan", 6), ("copper_block", 10)])
def test_blocks_of_a_scan_are_further_apart_than_the_transducer_is_wide(measured, name, gap):
    position = np.stack([np.arange({"plane_scan": 111, "copper_block": 301}[name])] * 2, axis=1)
    split = measured.splits.assign_splits(name, position)
    assert set(split) == {-1, 0, 1, 2}
    for one, other in ((0, 1), (0, 2), (1, 2)):
        distance = np.abs(position[split == one, 0][:, None] - position[split == other, 0])
        assert distance.min() > gap


@pytest.mark.parametrize("name", ["copper_array", "steel_pins"])
def test_pairs_of_an_array_stay_with_their_reciprocals_and_off_their_neighbours(measured, name):
    tx, rx = np.indices((32, 32)).reshape(2, -1) + 1
    split = measured.splits.assign_splits(name, np.stack([tx, rx], axis=1))
    np.testing.assert_array_equal(split.reshape(32, 32), split.reshape(32, 32).T)
    assert set(split) == {-1, 0, 1, 2}
    midpoint = (tx + rx) / 2
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(midpoint[split == one][:, None] - midpoint[split == other]).min() >= 1.5


def test_every_split_holds_every_source(measured, examples):
    for split in measured.splits.SPLITS:
        assert set(examples[split]["source"]) == {0, 1, 2, 3}


def test_onsets_are_uniform_over_their_range(measured, any_corpus):
    low, high = measured.corpus.ONSET_RANGE
    for split in measured.splits.SPLITS:
        onset = measured.corpus.make_examples(any_corpus, split, 1600, False, 3)["onset"]
        assert scipy.stats.kstest(onset, "uniform", args=(low, high - low)).pvalue > 0.01


def test_clean_windows_are_slices_of_their_records(measured, any_corpus):
    clean = measured.corpus.make_examples(any_corpus, "test", NUM_WINDOWS, False, SEED)
    echoes = any_corpus.echoes
    for i in range(0, NUM_WINDOWS, 7):
        source, position = clean["source"][i], clean["position"][i]
        row = echoes["row"][(echoes["source"] == source) & (echoes["position"] == position).all(axis=1)][0]
        start = clean["window_start"][i]
        expected = any_corpus.records[measured.corpus.SOURCES[source]][row, start : start + 2048]
        np.testing.assert_array_equal(clean["signal"][i], expected)
        assert expected.size == 2048


def test_windows_hold_their_burst(examples):
    for windows in examples.values():
        assert (windows["onset"] >= 0).all()
        assert (windows["onset"] + windows["burst_length"] <= 2048).all()
        assert np.isfinite(windows["signal"]).all()


def test_no_labelled_onset_comes_before_the_one_of_the_window(measured, dummy_paths, dummy_corpus):
    for split in measured.splits.SPLITS:
        windows = measured.corpus.make_examples(dummy_corpus, split, NUM_WINDOWS, False, SEED)
        for source, name in enumerate(measured.corpus.SOURCES):
            scan = measured.originals.read_scan(name, dummy_paths[name])
            members = windows["source"] == source
            same = (windows["position"][members][:, None] == scan.position).all(axis=2)
            rows, start = same.argmax(axis=1), windows["window_start"][members]
            own = windows["onset_reference"][members] + start
            for echo in measured.echoes.find_echoes(name, scan):
                other = echo.reference[rows] * measured.corpus.resampling_factor(scan)
                assert not ((other > start) & (other < own - 1e-3)).any()


def test_configs_with_and_without_noise_hold_the_same_windows(measured, any_corpus, examples):
    clean = measured.corpus.make_examples(any_corpus, "train", NUM_WINDOWS, False, SEED)
    noisy = examples["train"]
    for key in ("onset", "window_start", "source", "position"):
        np.testing.assert_array_equal(clean[key], noisy[key])
    assert not clean["noise_added"].any()
    added = noisy["noise_added"]
    assert added.mean() > 0.7
    np.testing.assert_array_equal(clean["signal"][~added], noisy["signal"][~added])


def test_noise_reaches_the_stated_snr(measured, any_corpus, examples):
    clean = measured.corpus.make_examples(any_corpus, "train", NUM_WINDOWS, False, SEED)
    noisy = examples["train"]
    added = noisy["noise_added"]
    low, high = measured.corpus.SNR_RANGE_DB
    assert low <= noisy["snr_db"][added].min() <= noisy["snr_db"][added].max() <= high
    # The noise added, and the noise that the SNR of the clean window states, make up the SNR of the noisy one.
    power = np.var((noisy["signal"] - clean["signal"])[added].astype(float), axis=1)
    ratio = lambda snr_db: 10 ** (-snr_db / 10)  # noise power over burst power  # noqa: E731
    burst_power = power / (ratio(noisy["snr_db"][added]) - ratio(clean["snr_db"][added]))
    rms = np.sqrt(burst_power)
    rows = np.flatnonzero(added)
    for k in range(0, rows.size, 11):
        i = rows[k]
        first, stop = (int(np.ceil(noisy["onset"][i] + extra)) for extra in (0, noisy["burst_length"][i]))
        measured_rms = np.sqrt(np.mean(clean["signal"][i, first:stop].astype(float) ** 2))
        # Where little noise was missing, the added power says little about the sum.
        if clean["snr_db"][i] - noisy["snr_db"][i] > 3:
            assert 20 * np.log10(rms[k] / measured_rms) == pytest.approx(0, abs=0.6)


@pytest.mark.measured
def test_the_stated_snr_is_that_of_the_quiet_part(measured, corpus):
    windows = measured.corpus.make_examples(corpus, "train", NUM_WINDOWS, False, SEED)
    front = (windows["source"] == 1) & (windows["interface"] == 0) & (windows["onset"] > 300)
    quiet = windows["signal"][front, :200].std(axis=1)
    bursts = zip(windows["signal"][front], windows["onset"][front], windows["burst_length"][front], strict=True)
    burst = [np.sqrt(np.mean(signal[int(onset) : int(onset + length)] ** 2)) for signal, onset, length in bursts]
    difference = windows["snr_db"][front] - 20 * np.log10(burst / quiet)
    assert abs(np.median(difference)) < 1.5


def test_windows_repeat_by_seed_and_differ_between_splits(measured, dummy_corpus):
    make = measured.corpus.make_examples
    first, again = (make(dummy_corpus, "test", 50, True, SEED) for _ in range(2))
    for key, value in first.items():
        np.testing.assert_array_equal(value, again[key])
    assert (make(dummy_corpus, "test", 50, True, SEED + 1)["onset"] != first["onset"]).any()


def test_hole_echoes_are_flagged_where_they_come_before_the_onset(measured, examples):
    for windows in examples.values():
        flagged = windows["hole_echo"]
        assert 0.01 < flagged.mean() < 0.4
        # Nothing is known of holes before a front echo, nor in the arrays.
        assert set(windows["interface"][flagged]) <= {1, 2}
        assert set(windows["source"][flagged]) <= {0, 1}


@pytest.mark.measured
def test_flagged_windows_do_hold_an_echo_before_the_onset(measured, corpus):
    windows = measured.corpus.make_examples(corpus, "train", 2000, False, SEED)
    back = windows["interface"] == 1

    def clutter(members):
        rows = zip(windows["signal"][members], windows["onset"][members], strict=True)
        return np.median([np.abs(signal[: int(onset) - 20]).max() for signal, onset in rows if onset > 500])

    assert clutter(back & windows["hole_echo"]) > 3 * clutter(back & ~windows["hole_echo"])


def test_a_rate_that_does_not_divide_the_models_is_refused(measured):
    scan = measured.originals.Scan(np.zeros((1, 9)), np.zeros((1, 2), int), 60e6, 0.0, 1.0, (-1, 1))
    with pytest.raises(ValueError, match=r"6e\+07 Hz does not divide the model's rate of 1e\+08 Hz"):
        measured.corpus.resampling_factor(scan)


@pytest.mark.measured
def test_the_readme_states_the_windows_of_each_kind(measured, corpus, repository):
    readme = (repository / "datasets" / "ultrasound_measured" / "README.md").read_text()
    kinds = list(measured.corpus.KINDS)
    counts = {}
    for split, num_windows in (("train", 6400), ("validation", 1600), ("test", 1600)):
        windows = measured.corpus.make_examples(corpus, split, num_windows, False, 2025)
        counts[split] = [
            np.sum(
                (windows["source"] == measured.corpus.SOURCES.index(source))
                & (windows["interface"] == measured.echoes.INTERFACES.index(interface))
            )
            for source, interface in kinds
        ]
    for source in measured.corpus.SOURCES:
        row = re.search(rf"^\| `{source}` (?:front|pin_1)[^|]*\|(.*)\|$", readme, re.MULTILINE).group(1)
        stated = [[int(number) for number in cell.split("/")] for cell in row.split("|")]
        members = [index for index, kind in enumerate(kinds) if kind[0] == source]
        assert stated == [[counts[split][index] for index in members] for split in counts]
