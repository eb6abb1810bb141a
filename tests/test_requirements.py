"""The file of hashes has the pins that the tests passed with."""

import re


def pins(text):
    return {
        re.sub(r"[-_.]+", "-", name).lower(): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.M)
    }


def test_every_pin_but_torch_has_hashes(repository):
    stated = pins((repository / "constraints.txt").read_text())
    hashed = (repository / "requirements-hashed.txt").read_text()
    del stated["torch"]
    assert pins(hashed) == stated
    parts = re.split(r"^(?=[\w.-]+==)", hashed, flags=re.M)[1:]
    assert all("--hash=sha256:" in part for part in parts)
    assert "://" not in hashed, "no address of an index, and no path"
