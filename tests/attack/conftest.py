"""The attack: counts of what was tried, told at the end.

`ATTACK_SEED` chooses what is drawn (0 by default); `ATTACK_INTERRUPTIONS` how often each recipe is interrupted (20,
with four recipes and three backends 240); `ATTACK_FILES` how many edited files are read (170, on three backends 510).
"""

import collections
import os
from pathlib import Path

import pytest

SEED = int(os.environ.get("ATTACK_SEED", 0))
INTERRUPTIONS = int(os.environ.get("ATTACK_INTERRUPTIONS", 20))
FILES = int(os.environ.get("ATTACK_FILES", 170))
_COUNTS = collections.Counter()


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.attack)


@pytest.fixture
def counts():
    """What was tried, by name."""
    return _COUNTS


def pytest_terminal_summary(terminalreporter):
    if _COUNTS:
        backend = os.environ["KERAS_BACKEND"]
        terminalreporter.section(f"attack on {backend}, seed {SEED}")
        for name, count in sorted(_COUNTS.items()):
            terminalreporter.write_line(f"{count:6d} {name}")
