"""Pictures: what they hold, and units on every axis."""

import re

import numpy as np
import pytest

from keras_usmae.picker.drawn import BScanLine, DrawnTrace, TimeGrid
from keras_usmae.picker.gates import parse_gates
from keras_usmae.picker.maps import Measured, plot_c_scan, plot_histogram, plot_profile
from keras_usmae.picker.plots import plot_a_scans, plot_b_scan
from keras_usmae.picker.scan import Scan, parse_scan
from tests.picker.stand_in import a_scans

GATES = parse_gates(["front=4us:10us", "back=12us:"])
UNITS = re.compile(r".* / (mm|µs|dB.*|V|counts)|trace|Traces|Echoes|Picks|Confidence|x|y|")


def drawn(tof=(6e-6, 14e-6), **settings):
    tof = np.array(tof)
    return DrawnTrace(
        name="trace 3",
        signal=a_scans(1)[0],
        sampling_rate=50e6,
        start_time=0.0,
        tof=tof,
        interval=tof[:, None] + np.array([-1e-7, 1e-7]),
        confidence=np.full(len(tof), 0.9),
        gate=np.arange(len(tof)),
        **settings,
    )


def measured(count=12, title="Thickness", label="Thickness / mm", gate=0):
    number = np.arange(count)
    value = 10.0 + 0.1 * number
    return Measured(title, label, number, value, np.stack([value - 0.1, value + 0.1], axis=1), gate)


def check_units(figure):
    """Draws the figure, and checks the labels of all its axes."""
    figure.canvas.draw()
    for axes in figure.axes:
        for label in (axes.get_xlabel(), axes.get_ylabel()):
            assert UNITS.fullmatch(re.sub(r" \(.*\)", "", label)), label


def test_a_scans_are_drawn_with_gates_picks_and_labels():
    figure = plot_a_scans([drawn(label=6.1e-6), drawn(())], GATES, "V", zoom=1.6e-6, title="A-scans")
    check_units(figure)
    assert figure.get_supylabel() == "Amplitude / V"
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.texts} == {
        "gate front",
        "gate back",
        "label",
        "95 % interval",
        "pick",
    }
    assert "6.000 ± 0.100 µs (90 %)" in figure.axes[0].get_title(loc="left")


def test_a_trace_without_a_pick_says_why():
    figure = plot_a_scans([drawn((), flag="no echo")], (), "", zoom=1.6e-6, title="Doubtful")
    assert figure.axes[0].get_title(loc="left").endswith("no echo")
    assert "unit not stated" in figure.get_supylabel()


def test_a_b_scan_has_the_picks_of_each_gate():
    grid = TimeGrid(0.0, 20e-6, 200)
    lines = [
        BScanLine(i, grid.to_line(trace, 50e6, 0.0), np.array([6e-6, 14e-6]), np.arange(2))
        for i, trace in enumerate(a_scans(5))
    ]
    figure = plot_b_scan([{"title": "B-scan", "label": "x / mm", "lines": lines}] * 2, grid, GATES)
    check_units(figure)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.texts] == ["pick, front", "pick, back"]


def test_of_several_echoes_a_map_shows_the_first_and_a_histogram_all():
    number, value = np.array([0, 0, 1]), np.array([5.0, 9.0, 6.0])
    quantity = Measured("ToF", "ToF / µs", number, value)
    grid = plot_c_scan(parse_scan("1x2"), [quantity]).axes[0].images[0].get_array()
    np.testing.assert_array_equal(grid.ravel(), [5, 6])
    axes = plot_histogram([quantity], np.ones(3), None).axes[0]
    assert axes.get_ylabel() == "Echoes"
    assert sum(bar.get_height() for bar in axes.patches) == 3


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_maps_have_axes_and_colour_bars_with_units(count):
    figure = plot_c_scan(parse_scan("3x4", step="1"), [measured()] * count)
    check_units(figure)
    assert len(figure.axes) == 2 * count


def test_a_map_says_that_grey_is_no_pick():
    assert plot_c_scan(parse_scan("3x4"), [measured(7)]).get_supxlabel() == "grey: no pick"
    assert plot_c_scan(parse_scan("3x4"), [measured()]).get_supxlabel() == ""


def test_one_wild_value_does_not_flatten_a_map():
    value = np.r_[np.linspace(10, 11, 199), 1e6]
    figure = plot_c_scan(parse_scan("10x20"), [Measured("Depth", "Depth / mm", np.arange(200), value)])
    assert figure.axes[0].images[0].get_clim()[1] < 12


@pytest.mark.parametrize("scan", [Scan(), Scan(step=(0.5,)), parse_scan("3x4")])
def test_a_profile_has_a_panel_for_each_quantity(scan):
    tof = [measured(title=f"ToF, {name}", label="ToF / µs", gate=i) for i, name in enumerate(("front", "back"))]
    figure = plot_profile(scan, [measured(), *tof])
    check_units(figure)
    assert [axes.get_ylabel() for axes in figure.axes] == ["Thickness / mm", "ToF / µs"]


def test_a_histogram_has_the_median_and_the_least_confidence():
    figure = plot_histogram([measured()], np.linspace(0.3, 1, 12), 0.3)
    check_units(figure)
    assert "median 10.55" in figure.axes[0].get_legend().texts[0].get_text()
    assert "0.30" in figure.axes[1].get_legend().texts[0].get_text()


def test_pictures_are_drawn_where_nothing_was_found():
    none = Measured("ToF", "ToF / µs", np.empty(0, int), np.empty(0), np.empty((0, 2)))
    for figure in (
        plot_profile(Scan(), [none]),
        plot_histogram([none], np.empty(0), None),
        plot_c_scan(parse_scan("3x4"), [none]),
    ):
        figure.canvas.draw()
