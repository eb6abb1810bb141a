import json
import os
import signal
import subprocess
import sys

import pytest

from keras_usmae.labelling.journal import Journal

WRITER = """
import sys
from keras_usmae.labelling.journal import Journal
journal = Journal(sys.argv[1])
for number in range(len(journal.entries), 100_000):
    journal.append({"number": number})
    print(number, flush=True)
"""


def test_entries_are_there_when_it_is_opened_again(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    for number in range(3):
        journal.append({"number": number, "text": "ö\n"})
    assert [entry["number"] for entry in Journal(journal.path).entries] == [0, 1, 2]


def test_half_a_line_at_the_end_is_cut_off_and_not_built_upon(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"number":0}\n{"numb')
    journal = Journal(path)
    assert journal.entries == [{"number": 0}]
    journal.append({"number": 1})
    assert path.read_bytes() == b'{"number":0}\n{"number":1}\n'


@pytest.mark.parametrize("line", [b"{nothing", b"[1]", b"\xff\xfe"])
def test_a_journal_that_was_changed_by_hand_is_refused_with_the_line(tmp_path, line):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"number":0}\n' + line + b'\n{"number":2}\n')
    with pytest.raises(ValueError, match="Line 2"):
        Journal(path)


def test_what_cannot_be_written_leaves_the_journal_as_it_was(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append({"number": 0})
    with pytest.raises(ValueError, match="JSON"):
        journal.append({"number": float("nan")})
    journal.append({"number": 1})
    assert [entry["number"] for entry in Journal(journal.path).entries] == [0, 1]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_a_writer_that_is_killed_has_lost_nothing_that_it_told(tmp_path):
    path, told = tmp_path / "journal.jsonl", -1
    for _ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(20):
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.communicate()[0].split("\n")[:-1]
        told = int(rest[-1]) if rest else told
        numbers = [json.loads(line)["number"] for line in path.read_bytes().split(b"\n")[:-1]]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > told
