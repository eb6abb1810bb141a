"""The labels, derived from the originals, against the tables beside them, which the builder never reads."""

import csv

import numpy as np
import pytest
from usmae_datasets.ultrasound_measured.labels import envelope
from usmae_datasets.ultrasound_measured.surfaces import robust_sigma

pytestmark = pytest.mark.measured

PLANE = "synaptus_immersion_scans/tof_labels_PlaneScan3D.csv"
BLOCK = "synaptus_immersion_scans/tof_labels_CopperBlock.csv"
ARRAY = "synaptus_array_fmc/tof_labels_ArrayCuBlock.csv"
PINS = "synaptus_array_fmc/tof_labels_ArraySteelPins.csv"

# Table, column of the label, column of its proof, and the uncertainty stated beside the data, in samples of the scan.
REFERENCES = {
    ("plane_scan", "front"): (PLANE, "tof_front", "ok_front", 0.25),
    ("plane_scan", "pmma_back"): (PLANE, "tof_pmma_back", "ok_pmma_back", 0.19),
    ("copper_block", "front"): (BLOCK, "tof_front", "ok_front", 0.58),
    ("copper_block", "copper_back"): (BLOCK, "tof_back", "ok_back", 3.0),
    ("copper_array", "front"): (ARRAY, "tof_front", "ok_front", 0.30),
    ("steel_pins", "pin_1"): (PINS, "tof_pin1", "ok_pin1", 2.1),
    ("steel_pins", "pin_2"): (PINS, "tof_pin2", "ok_pin2", 1.7),
}
each_echo = pytest.mark.parametrize("kind", REFERENCES, ids="/".join)


def read_table(path):
    with path.open() as file:
        names, *rows = csv.reader(file)
    columns = np.array([[float(value) if value else np.nan for value in row] for row in rows]).T
    return dict(zip(names, columns, strict=True))


@pytest.fixture(scope="module")
def labels(measured, scans):
    return {
        (name, echo.interface): echo for name, scan in scans.items() for echo in measured.echoes.find_echoes(name, scan)
    }


@pytest.fixture(scope="module")
def reference(measured_dir):
    tables = {path: read_table(measured_dir / path) for path, *_ in REFERENCES.values()}
    return lambda kind: (tables[REFERENCES[kind][0]], *REFERENCES[kind][1:])


def test_rows_agree_with_the_tables(scans, reference):
    for kind, names in (
        (("plane_scan", "front"), ("ix", "iy")),
        (("copper_array", "front"), ("tx", "rx")),
        (("steel_pins", "pin_1"), ("tx", "rx")),
    ):
        table = reference(kind)[0]
        np.testing.assert_array_equal(scans[kind[0]].position.T, [table[name] for name in names])


@each_echo
def test_labels_agree_within_the_stated_uncertainty(labels, reference, kind):
    table, label, proof, sigma = reference(kind)
    proved = table[proof] == 1
    difference = (labels[kind].reference - table[label])[proved]
    print(f"{kind}: bias {difference.mean():+.3f}, robust sigma {robust_sigma(difference):.3f}, stated {sigma}")
    assert abs(difference.mean()) < 0.5 * sigma
    assert robust_sigma(difference) < 0.25 * sigma
    assert np.mean(np.abs(difference) < sigma) > 0.95


@each_echo
def test_uncertainty_agrees_with_the_stated_one(labels, reference, kind):
    *_, sigma = reference(kind)
    assert labels[kind].sigma == pytest.approx(sigma, rel=0.12)


@each_echo
def test_the_same_records_are_proved(labels, reference, kind):
    table, _, proof, _ = reference(kind)
    proved = table[proof] == 1
    # Where two pins' echoes cross, the table took the wrong one for proof now and then; such windows are never cut.
    assert labels[kind].usable[proved].mean() > 0.98
    assert labels[kind].usable.sum() == pytest.approx(proved.sum(), rel=0.08)


def test_the_copper_plane_is_where_geometry_says(labels, scans):
    table_depth, table_delay = 24.03e-3, -0.70e-6  # as stated beside the data; only their sum is measured
    label = labels["copper_array", "front"].reference
    scan = scans["copper_array"]
    tx, rx = scan.position.T
    middle = label[(tx == 16) & (rx == 17)][0] / scan.sampling_rate + scan.start_time
    assert middle == pytest.approx(np.hypot(2 * table_depth, 1e-3) / 1480 + table_delay, abs=6e-9)


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        (("plane_scan", "front"), "clipped_front"),
        (("plane_scan", "pmma_back"), "clipped_pmma_back"),
        (("copper_array", "front"), "clipped"),
    ],
)
def test_clipping_agrees_with_the_tables(measured, corpus, scans, reference, kind, column):
    echoes = corpus.echoes
    source, interface = measured.corpus.SOURCES.index(kind[0]), measured.echoes.INTERFACES.index(kind[1])
    members = (echoes["source"] == source) & (echoes["interface"] == interface)
    expected = reference(kind)[0][column][echoes["row"][members]] == 1
    assert np.mean(echoes["clipped"][members] == expected) > 0.97


def test_onsets_are_where_the_envelope_rises(measured, corpus):
    """Whatever the label is, the onset is where the echo comes out of the record, within its stated uncertainty."""
    for kind, (source, interface) in enumerate(measured.corpus.KINDS):
        echoes = {key: value[corpus.echoes["kind"] == kind] for key, value in corpus.echoes.items()}
        records = corpus.records[source][echoes["row"]]
        height = envelope(records)
        index = np.arange(height.shape[1])
        onset, sigma = echoes["onset"][:, None], echoes["onset_sigma"][:, None]
        burst = (index >= onset) & (index < onset + echoes["burst_length"][:, None])
        peak = np.where(burst, height, 0).max(axis=1)
        # As far as a window reaches, up to one standard deviation and a tenth of a cycle ahead of the onset.
        ahead = (index >= echoes["first"][:, None]) & (index > onset - 200) & (index < onset - sigma - 5)
        early = np.where(ahead, height, 0).max(axis=1) / peak
        late = np.where((index > onset) & (index < onset + sigma + 25), height, 0).max(axis=1) / peak
        print(f"{source}/{interface}: before {np.median(early):.3f}, after {np.median(late):.3f} of the peak")
        assert np.median(early) < 0.12
        assert np.median(late) > 0.2


def test_shifts_are_those_documented(measured, corpus):
    """In samples at 100 MHz; the README of the dataset states them."""
    shift = corpus.echoes["onset"] - corpus.echoes["onset_reference"]
    kinds = list(measured.corpus.KINDS)
    for kind, lowest, highest in (
        (("plane_scan", "front"), -7.4, -7.4),
        (("plane_scan", "pmma_back"), -2.0, -2.0),
        (("copper_block", "front"), -5.6, -5.6),
        (("copper_block", "copper_back"), -12.0, -12.0),
        (("steel_pins", "pin_1"), -54.3, -37.1),
        (("steel_pins", "pin_2"), -57.0, -32.1),
    ):
        members = shift[corpus.echoes["kind"] == kinds.index(kind)]
        assert (members.min(), members.max()) == pytest.approx((lowest, highest), abs=0.3)
    array = corpus.echoes["kind"] == kinds.index(("copper_array", "front"))
    weak = np.isin(corpus.echoes["position"][:, 0], [1, 3, 7, 11, 15, 19, 23, 27, 31])
    assert 38 < shift[array & weak].min() <= shift[array & weak].max() < 42
    assert -1 < shift[array & ~weak].min() <= shift[array & ~weak].max() < 2.5
