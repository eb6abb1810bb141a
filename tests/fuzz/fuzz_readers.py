"""Coverage-guided fuzzing of one format of the readers, by Atheris (`pip install atheris`; not part of the tests).

    python tests/fuzz/fuzz_readers.py csv 600    # ten minutes
    for kind in npy npz mat v73.mat level4.mat h5 nde mfmc csv exports wav tdms toml; do
        python tests/fuzz/fuzz_readers.py $kind 600
    done

From whole files of a kind, Atheris looks for bytes that reach new lines of the readers. A file must be read, or refused
by a `ValueError` that names it; anything else, more than 10 s or more than 2 GiB stops the search, and libFuzzer leaves
the file that does it. Prints libFuzzer's counts.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["keras_usmae.signals.readers", "nptdms"]):
    from keras_usmae.signals.readers import read_recordings, read_sidecar

import numpy as np

from tests import reader_files, scope_exports

# Small, so that a damaged header that asks for much is refused, and no time goes into honest megabytes.
SETTINGS = {"max_bytes": 2**24}
RATED = {**SETTINGS, "sampling_rate": 1e7}


def seeds(kind, folder):
    """Whole files of a kind, and the settings to read them with."""
    if kind == "exports":
        for name, (make, _) in scope_exports.EXPORTS.items():
            (folder / name).write_text(make()[:6000])
        return ".csv", SETTINGS
    if kind == "level4.mat":
        header = np.array([0, 64, 5, 0, 7], "<i4").tobytes() + b"traces\0"
        (folder / "a").write_bytes(header + reader_files.TRACES.T.astype("f8").tobytes(order="F"))
        return ".mat", {**RATED, "axis": 0}
    if kind in ("tdms", "mfmc", "toml"):
        return OTHERS[kind](folder)
    path = reader_files.write(folder, kind)
    path.with_suffix(".toml").unlink()
    return path.suffix, {**RATED, "axis": 0 if kind == "wav" else 1}


def _tdms(folder):
    import nptdms

    properties = {"wf_increment": 1e-7, "wf_start_offset": 0.0}
    channels = [nptdms.ChannelObject("g", f"c{i}", row, properties) for i, row in enumerate(reader_files.TRACES)]
    with nptdms.TdmsWriter(folder / "a") as writer:
        writer.write_segment(channels)
    return ".tdms", {**SETTINGS, "signals": "g/*"}


def _mfmc(folder):
    import h5py

    with h5py.File(folder / "a", "w") as file:
        group = file.create_group("SEQUENCE<1>")
        group.attrs.update({"TIME_STEP": 1e-7, "START_TIME": 0.0})
        group.create_dataset("MFMC_DATA", data=reader_files.TRACES[None].astype("i2"), scaleoffset=0, chunks=(1, 5, 64))
    return ".mfmc", SETTINGS


def _toml(folder):
    text = 'sampling_rate = 60e6\nsignals = "a*"\naxis = 1\nonset = { key = ["a", "b"], unit = "us", file = "b.csv" }\n'
    (folder / "a").write_text(
        text + 'groups = { key = "g" }\nfull_scale = [-1.0, 1]\ndelimiter = ";"\nencoding = "cp1252"'
    )
    return ".toml", {}


OTHERS = {"tdms": _tdms, "mfmc": _mfmc, "toml": _toml}


def main():
    """Fuzzes one kind for some seconds."""
    kind, seconds = sys.argv[1], sys.argv[2]
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{kind}-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    corpus = folder / "corpus"
    corpus.mkdir()
    suffix, settings = seeds(kind, corpus)
    path = folder / f"scan{suffix}"

    def one(data):
        path.write_bytes(data)
        try:
            if suffix == ".toml":
                read_sidecar(path)
            else:
                (recording,) = read_recordings(path, **settings)
                assert np.isfinite(recording.signals).all()
        except (ValueError, FileNotFoundError) as error:
            if "scan" not in str(error):
                raise RuntimeError("the error does not name the file") from error

    limits = [
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-max_len=32768",
        f"-max_total_time={seconds}",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={folder}/", str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
