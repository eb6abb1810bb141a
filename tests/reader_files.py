"""Files of each format that the readers know, with their sidecars, for tests."""

import h5py
import numpy as np
import scipy.io

from keras_usmae.signals.readers import read_recordings

RATE = 10_000_000
TRACES = np.random.default_rng(0).integers(-900, 900, (5, 64)).astype(np.float32)
FORMATS = ("npy", "npz", "mat", "v73.mat", "h5", "nde", "csv", "wav")


def write(folder, kind, traces=TRACES, extra=""):
    """Traces as rows in a file of a kind, with its sidecar."""
    path = folder / f"scan.{kind.removeprefix('v73.')}"
    axis = 1
    if kind == "npy":
        np.save(path, traces)
    elif kind == "npz":
        np.savez_compressed(path, traces=traces)
    elif kind == "mat":
        scipy.io.savemat(path, {"traces": traces}, do_compression=True)
    elif kind == "v73.mat":
        with h5py.File(path, "w", userblock_size=512) as file:
            file["traces"] = traces.T
        with path.open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM")
    elif kind in ("h5", "nde"):
        with h5py.File(path, "w") as file:
            file.create_dataset("group/traces", data=traces, compression="gzip")
    elif kind == "csv":
        np.savetxt(path, traces, delimiter=",")
    else:
        scipy.io.wavfile.write(path, RATE, traces.T)
        axis = 0
    (folder / "scan.toml").write_text(f"sampling_rate = {RATE}\naxis = {axis}\n{extra}")
    return path


def read(path):
    """The one recording of a file."""
    (recording,) = read_recordings(path)
    return recording
