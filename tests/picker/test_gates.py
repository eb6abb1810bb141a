"""Gates as they are typed, and the echoes in them."""

import math

import numpy as np
import pytest

from keras_usmae.picker.gates import check_gates, choose_echoes, choose_pair, parse_echo, parse_gates
from keras_usmae.picker.units import parse_rate, parse_time
from tests.picker.stand_in import StandIn, a_scans

RATE = 50e6
WHOLE = parse_gates([":1s"])


@pytest.fixture(scope="module")
def picks():
    """Echoes at 6 and 14 µs; the third trace has none."""
    signals = a_scans(4, shift=0)
    signals[2] = 0
    return StandIn().pick(signals, RATE)


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("20us:40us", 20e-6, 40e-6),
        ("20:40us", 20e-6, 40e-6),
        ("front = 500 ns : 2 µs", 0.5e-6, 2e-6),
        ("1ms:0.002s", 1e-3, 2e-3),
        ("20us:", 20e-6, math.inf),
        (":40us", -math.inf, 40e-6),
        ("3mm:6mm", 2e-6, 4e-6),
    ],
)
def test_a_gate_is_read_with_its_units(text, start, stop):
    (gate,) = parse_gates([text], speed_of_sound=3000.0)
    assert (gate.start, gate.stop) == pytest.approx((start, stop))


def test_gates_without_a_name_are_numbered():
    assert [gate.name for gate in parse_gates(["1us:2us", "back=3us:4us", "5us:6us"])] == ["gate 1", "back", "gate 3"]
    assert parse_gates(["1us:2us"])[0].name == "gate"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["20us"], "'20us' is not understood"),
        ([":"], "':' is not understood"),
        (["20:40"], "it has no unit"),
        (["20us:early"], "'early' is no time"),
        (["40us:20us"], "'40us:20us' ends before it starts"),
        (["3mm:6mm"], "needs --speed-of-sound"),
        (["a=1us:2us", "a=3us:4us"], "Two gates are called 'a'"),
    ],
)
def test_a_bad_gate_is_named_with_the_way_out(texts, message):
    with pytest.raises(ValueError, match=message):
        parse_gates(texts)


@pytest.mark.parametrize("text", ["30us:40us", "10us:40us", "-5us:3us"])
def test_a_gate_outside_of_the_record_is_refused_with_both_their_ends(text):
    with pytest.raises(ValueError, match="which runs from 0us to 20us"):
        check_gates(parse_gates([text]), 0.0, 20e-6, "scan.npy")


@pytest.mark.parametrize("text", ["0us:20us", "5us:", ":3us", "10us:20.01us"])
def test_a_gate_inside_of_the_record_is_taken(text):
    check_gates(parse_gates([text]), 0.0, 20e-6, "scan.npy")


def test_an_echo_is_first_strongest_all_or_a_number():
    assert [parse_echo(echo) for echo in ("first", "strongest", "all", "3")] == ["first", "strongest", "all", 3]
    for echo in ("last", "0", "-1", "1.5"):
        with pytest.raises(ValueError, match=f"The echo '{echo}' is unknown"):
            parse_echo(echo)


def test_the_echo_that_is_asked_for_is_chosen_in_its_gate(picks):
    times = {
        (text, echo): choose_echoes(picks, parse_gates([text])[0], echo).of_each_trace("tof")[0] * 1e6
        for text in (":1s", "10us:")
        for echo in ("first", "strongest", 1)
    }
    assert times[":1s", "first"] == times[":1s", "strongest"] == pytest.approx(6.2, abs=0.3)
    assert times["10us:", "first"] == times["10us:", 1] == pytest.approx(14.2, abs=0.3)


def test_numbers_of_echoes_count_within_the_gate(picks):
    assert choose_echoes(picks, parse_gates(["10us:"])[0], "all").echo.tolist() == [0, 0, 0]
    assert choose_echoes(picks, WHOLE[0], 2).trace.tolist() == [0, 1, 3]
    assert len(choose_echoes(picks, WHOLE[0], 3)) == 0


@pytest.mark.parametrize("echo", ["first", "strongest", 1])
def test_a_pair_of_one_gate_is_in_order_of_time(picks, echo):
    front, back = (part.of_each_trace("tof") for part in choose_pair(picks, WHOLE, echo))
    np.testing.assert_allclose((back - front)[[0, 1, 3]], 8e-6, atol=0.3e-6)
    assert np.isnan(front[2])


def test_a_pair_of_two_gates_has_an_echo_of_each(picks):
    front, back = choose_pair(picks, parse_gates([":10us", "10us:"]), "first")
    assert (front.of_each_trace("tof")[[0, 1, 3]] < 10e-6).all()
    assert (back.of_each_trace("tof")[[0, 1, 3]] > 10e-6).all()


def test_a_trace_with_one_echo_has_a_front_without_a_back(picks):
    single = picks.select(picks.echo == 0)
    for echo in ("first", "strongest"):
        front, back = choose_pair(single, WHOLE, echo)
        assert front.trace.tolist() == [0, 1, 3]
        assert len(back) == 0


def test_rates_and_times_are_read_with_their_units():
    assert parse_rate("50MHz") == parse_rate("50e6") == parse_rate("50000 kHz") == 50e6
    assert parse_time("81 μs") == pytest.approx(81e-6)
    for text in ("50", "fast", "-50e6"):
        with pytest.raises(ValueError, match="write 50 MHz as 50e6"):
            parse_rate(text)
    with pytest.raises(ValueError, match="'81' is no time with a unit"):
        parse_time("81")
