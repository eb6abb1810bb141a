"""Coverage-guided fuzzing of one format of the readers, by Atheris (`pip install atheris`; not part of the tests).

    python tests/fuzz/fuzz_readers.py csv 600    # ten minutes
    for kind in choice echoes.csv echoes.npz echoes.mat echoes.h5 csv exports npy npz mat v73.mat level4.mat h5 nde \\
            mfmc wav tdms toml; do
        python tests/fuzz/fuzz_readers.py $kind 600
    done

From whole files of a kind, Atheris looks for bytes that reach new lines of the readers. A file must be read, or refused
by a `ValueError` that names it; anything else, more than 10 s of the processor or more than 2 GiB stops the search, and
libFuzzer leaves the file that does it. Prints libFuzzer's counts.

`echoes.*` are files of bursts with nothing stated but the rate, in which array, numbered family and axis are found by
the numbers. `choice` makes whole .npz files of arrays whose names, shapes, dtypes and numbers are the bytes, since a
changed byte in an archive mostly breaks its checksum.
"""

import math
import sys
import tempfile
import time
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["keras_usmae.signals.readers", "nptdms"]):
    from keras_usmae.signals.readers import read_recordings, read_sidecar

import h5py
import numpy as np
import scipy.io

from tests import reader_files, scope_exports

# Small, so that a damaged header that asks for much is refused, and no time goes into honest megabytes.
SETTINGS = {"max_bytes": 2**24}
LONGEST = 10  # s
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
    if kind in OTHERS:
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


def _echoes():
    """Rows of noise with a burst, which stands out by far along their axis alone."""
    rows = np.random.default_rng(0).normal(size=(6, 96)) * 0.02
    rows[:, 40:48] += np.sin(np.arange(8))
    return rows.astype("f4")


def _echoes_in(suffix):
    def make(folder):
        rows = _echoes()
        family = {f"shot{i}": rows[3 * i : 3 * i + 3] for i in range(2)}
        if suffix == ".csv":
            np.savetxt(folder / "rows", rows, fmt="%.2f", delimiter=",")
            np.savetxt(folder / "columns", rows.T, fmt="%.3f", delimiter=";")
        elif suffix == ".npz":
            np.savez(folder / "a.npz", **family)
            np.savez(folder / "b.npz", data=rows.T, t=np.arange(96) * 1e-7)
        elif suffix == ".mat":
            scipy.io.savemat(folder / "a.mat", family)
            scipy.io.savemat(folder / "b.mat", {"s": {"rf": rows.T, "fs": 1e7}})
        else:
            for name, arrays in (("a", family), ("b", {"g/data": rows.reshape(2, 3, 96)})):
                with h5py.File(folder / name, "w") as file:
                    file.update(arrays)
        return suffix, RATED

    return make


def _choice(folder):
    for seed in range(24):
        (folder / str(seed)).write_bytes(np.random.default_rng(seed).bytes(400 * (1 + seed % 8)))
    return ".npz", RATED


OTHERS = {"tdms": _tdms, "mfmc": _mfmc, "toml": _toml, "choice": _choice}
OTHERS |= {f"echoes{suffix}": _echoes_in(suffix) for suffix in (".csv", ".npz", ".mat", ".h5")}
_WORDS = ["data", "rf", "shot1", "shot2", "t", "time_us", "fs", "dt", "t0", "units", "labels", "x/y", "a[1]", ""]
_DTYPES = ["u1", "i1", "<i2", ">i2", "<i4", "<i8", "<f2", "<f4", ">f4", "<f8", "c8", "?", "U3", "S3"]


def write_choice(path, data):
    """An archive of up to four arrays that the bytes describe."""
    provider = atheris.FuzzedDataProvider(data)
    arrays = {}
    for _ in range(provider.ConsumeIntInRange(0, 4)):
        name = provider.PickValueInList(_WORDS) + str(provider.ConsumeIntInRange(0, 3))[: provider.ConsumeBool()]
        dtype = np.dtype(provider.PickValueInList(_DTYPES))
        shape = tuple(provider.ConsumeIntInRange(0, 160) for _ in range(provider.ConsumeIntInRange(0, 4)))
        if math.prod(shape) > 2**16:
            continue
        some = np.frombuffer(provider.ConsumeBytes(4096) or b"\0", "u1")
        kind = provider.ConsumeIntInRange(0, 3)
        if kind == 0:
            array = np.resize(some, math.prod(shape) * dtype.itemsize).view(dtype)
        else:  # a ramp, a burst around one sample, or the bytes as numbers
            place = np.arange(math.prod(shape)) % max(shape[-1] if shape else 1, 1)
            numbers = (place * 1e-7, np.exp(-np.abs(place - some[0] / 2)), np.resize(some, place.shape) - 127.0)
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                array = numbers[kind - 1].astype(dtype)
        arrays[name or "data"] = array.reshape(shape)
    np.savez(path, **arrays)


def main():
    """Fuzzes one kind for some seconds."""
    kind, seconds = sys.argv[1], sys.argv[2]
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{kind}-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    corpus = folder / "corpus"
    corpus.mkdir()
    suffix, settings = seeds(kind, corpus)
    path = folder / f"scan{suffix}"

    def one(data):
        if kind == "choice":
            write_choice(path, data)
        else:
            path.write_bytes(data)
        began = time.process_time()
        try:
            if suffix == ".toml":
                read_sidecar(path)
            else:
                (recording,) = read_recordings(path, **settings)
                assert np.isfinite(recording.signals).all()
        except (ValueError, FileNotFoundError) as error:
            if "scan" not in str(error):
                raise RuntimeError("the error does not name the file") from error
        if time.process_time() - began > LONGEST:
            raise RuntimeError(f"it took more than {LONGEST} s")

    limits = [
        "-timeout=600",  # by the clock, which runs on while others have the processor
        "-rss_limit_mb=2048",
        "-max_len=32768",
        f"-max_total_time={seconds}",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={folder}/", str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
