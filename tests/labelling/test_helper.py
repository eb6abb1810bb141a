"""Processes beside the page: what is told of one that fails, and what it leaves open."""

import gc
import threading
import warnings

from keras_usmae.labelling.helper import Helper


def test_a_process_that_fails_is_told_and_leaves_no_pipe(tmp_path):
    told, ended = [], threading.Event()

    def tell(step):
        told.append(step)
        ended.set()

    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        helper = Helper("keras_usmae.labelling.nothing", {}, tmp_path, tell)
        assert ended.wait(120)
        helper.stop()
        assert not helper.runs
        del helper
        gc.collect()
    (step,) = told
    assert step["ended"]
    assert step["error"].endswith("No module named keras_usmae.labelling.nothing")
    assert not [str(each.message) for each in found if each.category is ResourceWarning]
