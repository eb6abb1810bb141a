"""A real browser at the page of `usmae label`, for what a scripted person does there."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_RECIPE = Path(__file__).parents[1] / "label.py"


def missing_browser():
    """What is missing for a browser, a str, or `None` where one can be opened."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed"
    if not any(map(shutil.which, CHROMIUM)) or not shutil.which("chromedriver"):
        return "chromium and chromedriver are not installed"
    return None


@contextlib.contextmanager
def open_browser(width=1280, height=820):
    """Context with a headless Chromium, a selenium driver, that knows nothing of others."""
    from selenium import webdriver

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = next(filter(None, map(shutil.which, CHROMIUM)))
        for argument in (*_ARGUMENTS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        driver = webdriver.Chrome(options=options, service=service)
        try:
            yield driver
        finally:
            driver.quit()


class Served:
    """`usmae label` as a process of its own.

    Args:
        *arguments: str. Its command line.

    Attributes:
        address: str, with the token.
        process: `subprocess.Popen`.

    Raises:
        RuntimeError: with what it printed, where it does not open its page.
    """

    def __init__(self, *arguments):
        root = Path(__file__).parents[2]
        path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, str(_RECIPE), *map(str, arguments), "--no-browser"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path},
        )
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line)
        if not found:
            raise RuntimeError(f"{line}{self.process.communicate(timeout=30)[1]}")
        self.address = found[0]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def end(self, number=2):
        """Ends it by a signal, Ctrl-C by default; returns what it printed, and its exit status."""
        self.process.send_signal(number)
        told, errors = self.process.communicate(timeout=60)
        return told + errors, self.process.returncode


class Page:
    """The page in a browser, with keys as a hand presses them.

    Args:
        driver: selenium driver.
        address: str.
    """

    def __init__(self, driver, address):
        self.driver = driver
        driver.get(address)
        self.wait(lambda: self.data("ready") == "yes", "the page is ready")

    def script(self, text, *arguments):
        """The value of a piece of JavaScript."""
        return self.driver.execute_script(f"return {text}", *arguments)

    def data(self, name):
        """What the page says of itself: `trace`, `echo`, `mark`, `kept`, `picked`, `learnt`; `None` where nothing."""
        return self.script("document.body.dataset[arguments[0]] ?? null", name)

    def number(self, name):
        """The same as an int, 0 where there is nothing yet."""
        return int(self.data(name) or 0)

    def text(self, name):
        """Text of an element by its id."""
        return self.script("document.getElementById(arguments[0]).textContent", name)

    def press(self, *keys):
        """Presses keys, one after the other."""
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.TAG_NAME, "body").send_keys(*keys)

    def wait(self, holds, what, seconds=60.0):
        """Waits until something holds."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError(
                    f"In {seconds:g} s it did not come true that {what}. The page says: {self.text('message')}"
                )
            time.sleep(0.01)

    def wait_for_picks(self, count, seconds=600.0):
        """Waits until the picker is through with so many traces, and the page has heard of it."""
        self.wait(lambda: self.number("picked") >= count, f"{count} traces are picked", seconds)

    def keep(self, *keys):
        """Presses keys of which the last labels, and waits until the page says that it is kept and shows the next."""
        kept, trace, echo = self.number("kept"), self.data("trace"), self.data("echo")
        self.press(*keys)
        self.wait(lambda: self.number("kept") > kept, "the label is kept")
        self.wait(lambda: (self.data("trace"), self.data("echo")) != (trace, echo), "the next trace is shown")
