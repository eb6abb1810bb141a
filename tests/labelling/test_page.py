"""The page in a real browser, with keys as a hand presses them."""

import json
import os
import signal
import time

import numpy as np
import pytest

from keras_usmae.labelling.labels import Labels
from keras_usmae.signals.readers import read_recordings
from recipes.experiments.labelling_page import Page, Served, missing_browser, open_browser

pytestmark = pytest.mark.skipif(missing_browser() is not None, reason=f"no browser is here: {missing_browser()}")
NAME = "<img src=x onerror=alert(1)> scan.npy"


def kept_labels(folder, traces=96):
    """Labels as the journal has them."""
    labels = Labels(traces, 2048)
    for line in (folder / "journal.jsonl").read_bytes().split(b"\n")[1:-1]:
        labels.apply(json.loads(line))
    return labels


@pytest.fixture(scope="module")
def drawn():
    import keras_usmae as ku

    return ku.synthesize(ku.SignalConfig.from_preset("quickstart"), 96, seed=9)


@pytest.fixture(scope="module")
def served(tmp_path_factory, drawn):
    """The command, over a file of an unfriendly name, with two gates; its traces are picked."""
    folder = tmp_path_factory.mktemp("page")
    np.save(folder / NAME, drawn["signal"])
    gates = ("--gate", "<b>front=0us:10us", "--gate", "back=10us:")
    options = ("--sampling-rate", "100e6", "--axis", "1", "--preset", "nano", "--who", "<i>Ada")
    with Served(folder / NAME, *options, *gates, "--output", folder / "labels") as served:
        served.folder = folder / "labels"
        yield served


@pytest.fixture(scope="module")
def driver():
    with open_browser() as driver:
        yield driver


@pytest.fixture
def page(driver, served):
    page = Page(driver, served.address)
    page.wait_for_picks(96)
    page.wait(lambda: page.data("trace") is not None, "a trace is shown")
    return page


def test_a_key_labels_and_shows_what_comes_next(page, served):
    trace, echo = page.number("trace"), page.number("echo")
    assert echo == 0
    page.keep("x")
    assert (page.number("trace"), page.number("echo")) == (trace, 1)  # the other echo of this trace
    page.keep("d" if page.data("mark") else "x")
    assert page.number("trace") != trace
    labels = kept_labels(served.folder)
    assert labels.of("<b>front").mark[trace] == 3
    assert labels.of("back").mark[trace] > 0


def test_the_mark_moves_by_arrows_and_snaps(page, served):
    from selenium.webdriver.common.keys import Keys

    while not page.data("mark"):
        page.keep("x")
    trace, echo, mark = page.number("trace"), page.number("echo"), float(page.data("mark"))
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.SHIFT + Keys.ARROW_RIGHT + Keys.NULL, Keys.ARROW_LEFT)
    page.wait(lambda: abs(float(page.data("mark")) - mark - 11) < 1e-6, "the mark moved by 11")
    page.keep(Keys.ENTER)
    name = ["<b>front", "back"][echo]
    assert kept_labels(served.folder).of(name).onset[trace] == pytest.approx(mark + 11, abs=0.006)


def test_undo_goes_back_through_all_that_was_labelled(page, served):
    for key in "xdx":
        page.keep(key if page.data("mark") else "x")
    before = json.loads((served.folder / "journal.jsonl").read_text().splitlines()[0])
    assert before["kind"] == "scan"
    labelled = sum(int((each.mark > 0).sum()) for each in kept_labels(served.folder).echoes.values())
    for number in range(1, labelled + 1):
        page.press("u")
        page.wait(lambda number=number: page.number("undone") == number, f"{number} are taken back")
    assert not any(each.mark.any() for each in kept_labels(served.folder).echoes.values())
    page.press("u")
    page.wait(lambda: "no label left" in page.text("message"), "there is nothing left to undo")


def test_the_mark_is_dragged_and_zoom_stays_from_trace_to_trace(page):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    while not page.data("mark"):
        page.keep("x")
    page.press("f")
    over, mark = page.driver.find_element(By.CSS_SELECTOR, ".u-over"), float(page.data("mark"))
    left = page.script(
        "(() => { const box = document.querySelector('.u-over').getBoundingClientRect();"
        "return [box.width, box.height]; })()"
    )
    ActionChains(page.driver).move_to_element(over).perform()
    ActionChains(page.driver).double_click(over).perform()
    page.wait(lambda: float(page.data("mark")) != mark, "the mark is where it was double-clicked")
    middle = float(page.data("mark"))
    drag = ActionChains(page.driver).move_to_element(over).click_and_hold()
    drag.move_by_offset(int(left[0] / 8), 0).release().perform()
    page.wait(lambda: float(page.data("mark")) > middle + 10, "the mark was dragged")
    page.keep("d")
    ActionChains(page.driver).move_to_element(over).double_click(over).perform()
    first = float(page.data("mark"))
    ActionChains(page.driver).move_to_element_with_offset(over, int(left[0] / 4), 0).double_click().perform()
    page.wait(lambda: float(page.data("mark")) != first, "another place was double-clicked")
    span = (float(page.data("mark")) - first) * 4
    assert 0 < span < 1900  # not the 2,048 samples of the whole record


def test_texts_from_elsewhere_are_shown_and_not_run(page):
    assert NAME in page.text("title")
    assert page.script("document.querySelectorAll('header img, #echoes b, img').length") == 0
    assert "<b>front" in page.text("echoes")


def test_only_this_address_was_asked_and_nothing_was_refused_by_it(page, served):
    page.keep("x")
    host = served.address.split("/?")[0]
    asked = [
        message["params"]["request"]["url"]
        for entry in page.driver.get_log("performance")
        if (message := json.loads(entry["message"])["message"])["method"] == "Network.requestWillBeSent"
    ]
    assert asked
    own = ("data:", "chrome:", "about:")  # what the browser shows before it is told an address
    assert not [url for url in asked if not url.startswith((f"{host}/", *own))]
    wrong = [entry for entry in page.driver.get_log("browser") if "409" not in entry["message"]]
    assert not wrong


def test_a_second_page_is_told_and_takes_over_when_asked(page, served):
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    page.driver.get(served.address)
    page.wait(lambda: page.script("document.getElementById('elsewhere').open"), "the second page is told")
    kept = (served.folder / "journal.jsonl").read_bytes()
    page.press("x")
    time.sleep(0.3)
    assert (served.folder / "journal.jsonl").read_bytes() == kept
    page.script("document.getElementById('take').click()")
    page.wait(lambda: not page.script("document.getElementById('elsewhere').open"), "it went on here")
    page.wait(lambda: page.data("trace") is not None, "a trace is shown")
    page.keep("x")
    page.driver.switch_to.window(first)
    page.wait(lambda: page.script("document.getElementById('elsewhere').open"), "the first page is told")
    page.driver.switch_to.window(next(each for each in page.driver.window_handles if each != first))
    page.driver.close()
    page.driver.switch_to.window(first)


def test_a_second_server_is_told(served):
    with pytest.raises(RuntimeError, match="Another `usmae label`"):
        Served(served.folder.parent / NAME, "--sampling-rate", "100e6", "--axis", "1", "--output", served.folder)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_nothing_that_was_shown_as_kept_is_lost_and_ctrl_c_ends_in_order(tmp_path, driver, drawn):
    np.save(tmp_path / "scan.npy", drawn["signal"])
    options = ("--sampling-rate", "100e6", "--axis", "1", "--preset", "nano", "--output", tmp_path / "labels")
    with Served(tmp_path / "scan.npy", *options) as served:
        page = Page(driver, served.address)
        page.press(*"xxxxxxxxxxxx")
        page.wait(lambda: page.number("kept") >= 3, "some are kept")
        os.kill(served.process.pid, signal.SIGKILL)
        shown = page.number("kept")
        page.wait(lambda: "does not answer" in page.text("banner"), "the page tells that the server is gone")
    there = int((kept_labels(tmp_path / "labels").of("onset").mark == 3).sum())
    assert there >= shown >= 3
    with Served(tmp_path / "scan.npy", *options) as served:
        told, status = served.end()
    assert status == 0, told
    assert f"{there} of onset" in told
    table = (tmp_path / "labels" / "labels.csv").read_text().splitlines()
    assert sum(",onset," in line for line in table[1:]) == there
    (recording,) = read_recordings(tmp_path / "scan.npy", tmp_path / "labels" / "labels.toml")
    assert len(recording.onset) == 96
