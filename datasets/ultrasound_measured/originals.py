"""The four measured originals: where they come from, how they are checked, and how they are read.

They belong to M. H. Skjelvareid's toolbox synaptus (GNU GPLv3) and are downloaded or read from a folder, never shipped.
"""

import dataclasses
import hashlib
import os
import pathlib
import warnings

import numpy as np
import requests
import scipy.io

COMMIT = "e2f0b2933f53e89441ff7be0af7b1aa5a79770e3"
_URL = f"https://raw.githubusercontent.com/mh-skjelvareid/synaptus/{COMMIT}/datasets/"
# A local folder may hold the files side by side, or sorted into these.
_SUBFOLDERS = (".", "synaptus_immersion_scans", "synaptus_array_fmc")


@dataclasses.dataclass(frozen=True)
class Original:
    """One original file.

    Args:
        filename: str. Its name upstream.
        size: int. In bytes.
        sha256: str. Checksum of the whole file, in hexadecimal.
    """

    filename: str
    size: int
    sha256: str

    @property
    def url(self):
        """str. Address of the file at the fixed commit upstream."""
        return _URL + self.filename


ORIGINALS = {
    "plane_scan": Original(
        "PlaneScan3D_PlexiAluFBH.mat", 2075781, "1c97778e945587e24019a68f6f4d9fbe19cda86699973084343ad1fa640312aa"
    ),
    "copper_block": Original(
        "CopperBlock_2degtTilt.mat", 687501, "6b58baf4bfafb583afd6e8f717e1cf2cff478b7e210b453d92cb28e3bc1f5bcf"
    ),
    "copper_array": Original(
        "ArrayCuBlockStationary.mat", 1355072, "ee6e4e2ab7dcfcf18a643859c6784bac724bc2d68a3b093c1c7a50116a189cc2"
    ),
    "steel_pins": Original(
        "ArraySteelPins.mat", 1121272, "ed73a0a8192b4f734fbd98eac9d519f5324dbf9b3fa8852d028e698c6bcad31d"
    ),
}


@dataclasses.dataclass(frozen=True)
class Scan:
    """The records of one original, one row each.

    Args:
        records: float32 array of shape `(num_records, num_samples)`. ADC counts.
        position: int32 array of shape `(num_records, 2)`. `(ix, iy)`, 0-based scan steps of 1 mm, or `(tx, rx)`,
            1-based array elements.
        sampling_rate: float. In Hz.
        start_time: float. Time of sample 0 after the transmit pulse, in s.
        full_scale: float. Counts that the signals are divided by.
        clip_range: pair of float. Counts at and beyond which a sample is clipped.
    """

    records: np.ndarray
    position: np.ndarray
    sampling_rate: float
    start_time: float
    full_scale: float
    clip_range: tuple[float, float]


def find_local(folder=None):
    """Finds and verifies all four originals in a local folder. A folder that is named is never passed over silently.

    Args:
        folder: path or `None`. It holds the files directly, or in the folders `synaptus_immersion_scans` and
            `synaptus_array_fmc`. Defaults to `None`, the folder that the environment variable `DATA_DIR` names.

    Returns:
        A dict of paths, with the keys of `ORIGINALS`; `None` where neither names a folder.

    Raises:
        FileNotFoundError: where the folder or a file is missing.
        ValueError: where a file is not the original, by its SHA-256.
    """
    folder = folder or os.environ.get("DATA_DIR")
    if not folder:
        return None
    folder = pathlib.Path(folder).expanduser()
    way_out = "Complete the folder, or leave out `raw_dir` and unset DATA_DIR to download the originals."
    if not folder.is_dir():
        raise FileNotFoundError(f"The folder of the measured originals, {str(folder)!r}, does not exist. {way_out}")
    paths = {}
    for name, original in ORIGINALS.items():
        found = [path for sub in _SUBFOLDERS if (path := folder / sub / original.filename).is_file()]
        if not found:
            raise FileNotFoundError(
                f"{original.filename} is neither in {str(folder)!r} nor in its folders {list(_SUBFOLDERS[1:])}. "
                f"{way_out}"
            )
        paths[name] = found[0]
    for name, path in paths.items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != ORIGINALS[name].sha256:
            raise ValueError(
                f"{str(path)!r} is not the original: its SHA-256 is {digest} ({path.stat().st_size} bytes), expected "
                f"{ORIGINALS[name].sha256} ({ORIGINALS[name].size} bytes). Fetch it again from {ORIGINALS[name].url}."
            )
    return paths


def check_download(folder, seconds=10.0):
    """Checks that the originals can be downloaded, or were before: TFDS tries for minutes and then tells less.

    Args:
        folder: path of TFDS's downloads.
        seconds: float, time in s to wait for an answer. Defaults to `10.0`.

    Raises:
        ConnectionError: where there is no answer.
    """
    url = next(iter(ORIGINALS.values())).url
    if any(pathlib.Path(folder).glob("**/*.INFO")):
        return
    try:
        requests.head(url, timeout=seconds, allow_redirects=True).close()
    except requests.RequestException as error:
        raise ConnectionError(
            f"The measured originals cannot be downloaded: no answer from {url} ({type(error).__name__}). Set DATA_DIR "
            "(or --data-dir) to a folder that holds them, or take a synthetic dataset such as "
            "ultrasound_synthetic/quickstart."
        ) from None


def read_scan(name, path):
    """Reads one original.

    Args:
        name: str. One of `ORIGINALS`.
        path: path of the MATLAB 5 file.

    Returns:
        A `Scan`.

    Raises:
        ValueError: where the file is not a MATLAB file, is truncated, or does not hold what the original holds.
    """
    return _READERS[name](path)


def _read_plane_scan(path):
    data = _load(path, ptxy=(564, 111, 40), fs=12.5e6, tDelay=81e-6)
    num_x, num_y = data["ptxy"].shape[1:]
    ix, iy = np.indices((num_x, num_y)).reshape(2, -1)
    records = data["ptxy"].reshape(len(data["ptxy"]), -1).T
    return _scan(records, ix, iy, data["fs"], data["tDelay"], full_scale=128, clip_range=(-118, 112))


def _read_copper_block(path):
    data = _load(path, ptx=(5700, 301), fs=100e6, tDelay=55e-6)
    ix = np.arange(data["ptx"].shape[1])
    return _scan(data["ptx"].T, ix, 0 * ix, data["fs"], data["tDelay"], full_scale=128, clip_range=(-118, 122))


def _read_copper_array(path):
    return _read_array(path, num_samples=1250, window_begin=28)


def _read_steel_pins(path):
    return _read_array(path, num_samples=1750, window_begin=40)


def _read_array(path, num_samples, window_begin):
    data = _load(path, data=(32, 1), fs=50, MWB=window_begin, cp=1480)
    cells = list(data["data"][:, 0])
    for transmitter, cell in enumerate(cells, start=1):
        _check_records(path, f"data{{{transmitter}}}", np.asarray(cell), (num_samples, 32))
    records = np.stack(cells, axis=-1)  # (samples, receiver, transmitter)
    rx, tx = np.indices(records.shape[1:]).reshape(2, -1) + 1
    records = records.reshape(num_samples, -1).T
    # No bit depth is stated upstream. Echoes clip at 5457 to 5584 counts, which depends on the receiver.
    return _scan(records, tx, rx, data["fs"] * 1e6, data["MWB"] * 1e-6, full_scale=5584, clip_range=(-5400, 5400))


_READERS = {
    "plane_scan": _read_plane_scan,
    "copper_block": _read_copper_block,
    "copper_array": _read_copper_array,
    "steel_pins": _read_steel_pins,
}


def _scan(records, first, second, sampling_rate, start_time, full_scale, clip_range):
    return Scan(
        records=np.ascontiguousarray(records, dtype=np.float32),
        position=np.stack([first, second], axis=1).astype(np.int32),
        sampling_rate=float(sampling_rate),
        start_time=float(start_time),
        full_scale=float(full_scale),
        clip_range=clip_range,
    )


def _load(path, **expected):
    """Variables of a MATLAB file: a tuple stands for an array of this shape, a number for a scalar of this value."""
    try:
        with warnings.catch_warnings():
            # The array files hold two unnamed objects of the acquisition software, which are not read.
            warnings.filterwarnings("ignore", message="Duplicate variable name")
            data = scipy.io.loadmat(path, variable_names=list(expected))
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged file makes SciPy raise nearly anything
        raise ValueError(
            f"{str(path)!r} cannot be read as a MATLAB 5 file ({type(error).__name__}: {error}). It is damaged or cut "
            "short: fetch it again."
        ) from error
    for name, value in expected.items():
        if name not in data:
            raise ValueError(f"{str(path)!r} holds no variable {name!r}: it is not the original. Fetch it again.")
        if not isinstance(value, tuple):
            if data[name].size != 1 or not np.isclose(float(data[name].flat[0]), value):
                raise ValueError(f"{name!r} in {str(path)!r} must be {value:g}, but is {data[name].tolist()}.")
            data[name] = float(data[name].flat[0])
        elif data[name].dtype == object:
            if data[name].shape != value:
                raise ValueError(f"{name!r} in {str(path)!r} must be {value} cells, but is {data[name].shape}.")
        else:
            _check_records(path, name, data[name], value)
    return data


def _check_records(path, name, array, shape):
    if array.shape != shape or array.dtype.kind not in "fiu":
        raise ValueError(
            f"{name!r} in {str(path)!r} must hold numbers of shape {shape}, but holds {array.dtype} of shape "
            f"{array.shape}. It is not the original: fetch it again."
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name!r} in {str(path)!r} holds {int((~np.isfinite(array)).sum())} samples that are NaN or infinite; the "
            "original holds ADC counts only. Fetch it again."
        )
