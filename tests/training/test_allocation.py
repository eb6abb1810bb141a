"""In processes of their own: the setting is the process's."""

import subprocess
import sys

FAULTS = """
import resource, sys
import numpy as np
from keras_usmae.training.allocation import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory() == (sys.platform == "linux")
step = lambda: np.ones(64 * 2**20, dtype="uint8")
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(choice):
    done = subprocess.run([sys.executable, "-c", FAULTS, choice], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_memory_is_not_asked_for_again():
    assert page_faults("keep") < page_faults("leave") / 4
