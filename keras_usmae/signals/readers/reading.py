"""Files and folders of measured traces, with their sidecars, to checked recordings."""

import fnmatch
from pathlib import Path

import numpy as np

from keras_usmae.signals.readers import csv_file, hdf5_file, matlab_file, numpy_file, wav_file
from keras_usmae.signals.readers.guards import (
    ArrayHeader,
    check_byte_order,
    check_headers,
    damage_is_told,
    select_arrays,
)
from keras_usmae.signals.readers.recording import make_recording
from keras_usmae.signals.readers.sidecar import TIME_UNITS, read_sidecar

SUFFIXES = (".csv", ".h5", ".hdf5", ".mat", ".nde", ".npy", ".npz", ".wav")
FOLDER_SIDECAR = "sidecar.toml"


def read_recordings(path, sidecar=None):
    """Reads a file, or all files of a folder, of measured traces.

    Formats: .npy, .npz, .mat (v5 to v7.3), .h5, .hdf5, .nde, .csv and .wav. Each file has a sidecar of its own,
    `scan.toml` beside `scan.npz` (or `scan.npz.toml`), or the folder has one `sidecar.toml` for those of its files that
    the sidecar's `files` matches. Nothing is guessed: the sidecar says where the traces are and along which axis time
    runs. Sizes are checked against each file's header before anything is loaded, and pickles, code and links to other
    files are never followed.

    Args:
        path: path of a file or folder. Folders inside of a folder are not searched.
        sidecar: path of a sidecar or `None`. Used for the file, or for the folder. Defaults to `None`, the sidecars
            that lie beside the data.

    Returns:
        A list of `Recording`, in the order of the files' names.

    Raises:
        FileNotFoundError: where there is no such path or sidecar, or nothing to read in the folder.
        ValueError: where a file or sidecar is not what it should be.

    Example:

    ```python
    import pathlib, tempfile
    import numpy as np
    from keras_usmae.signals.readers import read_recordings

    folder = pathlib.Path(tempfile.mkdtemp())
    np.save(folder / "scan.npy", np.random.default_rng(0).standard_normal((564, 32)))
    (folder / "scan.toml").write_text("sampling_rate = 12.5e6\\naxis = 0\\nsamples = 564")
    read_recordings(folder / "scan.npy")[0].signals.shape  # (32, 564)
    ```
    """
    path = Path(path)
    if path.is_file():
        pairs = [(path, read_sidecar(sidecar or _own_sidecar(path)))]
    elif path.is_dir():
        pairs = _pair_folder(path, sidecar)
    else:
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    recordings, held = [], 0
    for file, described in pairs:
        recordings.append(_read_file(file, described, described.max_bytes - held))
        held += recordings[-1].signals.nbytes
    return recordings


def _pair_folder(folder, sidecar):
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
    shared = Path(sidecar) if sidecar else folder / FOLDER_SIDECAR
    if sidecar or shared.is_file():
        described = read_sidecar(shared)
        labels = described.onset.file if described.onset else None
        files = [file for file in files if fnmatch.fnmatchcase(file.name, described.files) and file.name != labels]
        if not files:
            raise FileNotFoundError(f"No file in {str(folder)!r} of {SUFFIXES} matches {described.files!r}.")
        return [(file, described) for file in files]
    sidecars = {file: read_sidecar(_own_sidecar(file)) for file in files if _own_sidecar(file).is_file()}
    labels = {described.onset.file for described in sidecars.values() if described.onset}
    if bare := [file.name for file in files if file not in sidecars and file.name not in labels]:
        raise FileNotFoundError(
            f"{bare[0]!r} in {str(folder)!r} has no sidecar. Write {_own_sidecar(folder / bare[0]).name!r}, or one "
            f"{FOLDER_SIDECAR!r} for the folder."
        )
    if not sidecars:
        raise FileNotFoundError(f"There is no file of {SUFFIXES} in {str(folder)!r}.")
    return list(sidecars.items())


def _own_sidecar(file):
    full = file.with_name(file.name + ".toml")
    return full if full.is_file() else file.with_suffix(".toml")


def _read_file(path, sidecar, max_bytes):
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{str(path)!r} ends in {suffix!r}; read are {', '.join(SUFFIXES)}.")
    if path.stat().st_size == 0:
        raise ValueError(f"{str(path)!r} is empty.")
    if suffix == ".csv":
        signals, names, onset = _read_csv(path, sidecar, max_bytes)
    else:
        signals, names = _read_arrays(path, sidecar, max_bytes)
        onset = None
    if sidecar.samples is not None and signals.shape[1] != sidecar.samples:
        raise ValueError(
            f"{str(path)!r}: traces have {signals.shape[1]} samples, but the sidecar's 'samples' is "
            f"{sidecar.samples}. Is "
            f"'axis' right? The array holds {signals.shape[0]} traces as it is."
        )
    if signals.shape[1] < 2:
        raise ValueError(f"{str(path)!r}: traces have {signals.shape[1]} samples along 'axis'. Is it right?")
    sampling_rate = _sampling_rate(path, sidecar)
    if sidecar.onset is not None:
        values = _read_labels(path, sidecar, max_bytes) if onset is None else onset
        if values.shape != (len(signals),):
            raise ValueError(
                f"{str(path)!r}: labels {sidecar.onset.key!r} have the shape {values.shape}, but there are "
                f"{len(signals)} "
                "traces. One label each is expected, NaN for none. Is 'axis' right?"
            )
        onset = _to_samples(values, sidecar, sampling_rate)
    return make_recording(
        str(path), signals, sampling_rate, onset, names, sidecar.unit, sidecar.full_scale, sidecar.start_time
    )


def _describe(path, max_bytes):
    suffix = path.suffix.lower()
    with damage_is_told(path, suffix):
        if suffix == ".npy":
            return numpy_file.describe_npy(path)
        if suffix == ".npz":
            return numpy_file.describe_npz(path)
        if suffix == ".mat":
            return matlab_file.describe_matlab(path, max_bytes)
        if suffix == ".wav":
            return wav_file.describe_wav(path)
        return hdf5_file.describe_hdf5(path)


_LOADERS = {
    ".npy": numpy_file.load_npy,
    ".npz": numpy_file.load_npz,
    ".wav": wav_file.load_wav,
    ".h5": hdf5_file.load_hdf5,
    ".hdf5": hdf5_file.load_hdf5,
    ".nde": hdf5_file.load_hdf5,
}


def _load(path, pattern, max_bytes):
    """Arrays that a pattern names, by name, after their headers were checked."""
    headers = _describe(path, max_bytes)
    chosen = {name: headers[name] for name in select_arrays(path, headers, pattern)}
    check_headers(path, chosen, max_bytes)
    with damage_is_told(path, path.suffix.lower()):
        if path.suffix.lower() == ".mat":
            arrays = matlab_file.load_matlab(path, list(chosen), max_bytes)
        else:
            arrays = _LOADERS[path.suffix.lower()](path, list(chosen))
    # In v7.3, MATLAB's complex numbers are compounds to the file, and pairs to us only once they are loaded.
    check_headers(path, {name: ArrayHeader(array.shape, array.dtype) for name, array in arrays.items()}, max_bytes)
    for name, header in chosen.items():
        if arrays[name].shape != header.shape:
            raise ValueError(
                f"{str(path)!r}: {name!r} has the shape {arrays[name].shape}, not {header.shape} as stated."
            )
    return arrays


def _read_arrays(path, sidecar, max_bytes):
    arrays = _load(path, sidecar.signals, max_bytes)
    traces = {name: _along_rows(path, name, array, sidecar) for name, array in arrays.items()}
    for name, rows in traces.items():
        check_byte_order(path, name, rows)
    lengths = {name: len(rows[0]) for name, rows in traces.items()}
    if len(set(lengths.values())) > 1:
        short, long = min(lengths, key=lengths.get), max(lengths, key=lengths.get)
        raise ValueError(
            f"{str(path)!r}: traces differ in length, {lengths[short]} samples in {short!r} and {lengths[long]} in "
            f"{long!r}. "
            "Choose those of one length by the sidecar's 'signals'."
        )
    names = [
        name if len(rows) == 1 and len(traces) > 1 else f"{name}[{i}]"
        for name, rows in traces.items()
        for i in range(len(rows))
    ]
    return np.concatenate(list(traces.values())), names


def _along_rows(path, name, array, sidecar):
    axis = sidecar.axis
    if path.suffix.lower() == ".wav":
        if axis not in (None, 0):
            raise ValueError(
                f"{str(path)!r}: time runs along axis 0 in a .wav file, but the sidecar's 'axis' is {axis}."
            )
        axis = 0
    elif array.ndim < 2:
        axis = 0 if axis is None else axis
    elif axis is None:
        raise ValueError(
            f"{str(path)!r}: {name!r} has the shape {array.shape}. State in the sidecar's 'axis' along which of its "
            f"{array.ndim} axes time runs."
        )
    if axis >= array.ndim:
        raise ValueError(f"{str(path)!r}: {name!r} of shape {array.shape} has no axis {axis}, which the sidecar names.")
    rows = np.moveaxis(array, axis, -1)
    return rows.reshape(-1, rows.shape[-1])


def _read_csv(path, sidecar, max_bytes):
    label = sidecar.onset.key if sidecar.onset and sidecar.onset.file is None else None
    if label and sidecar.axis == 0:
        raise ValueError(
            f"{str(path)!r}: each column is a trace ('axis = 0'), so column {label!r} cannot hold a label for each. "
            "Put the labels into another file, and name it in 'onset.file'."
        )
    wanted = [sidecar.signals or "*"] + ([label] if label else [])
    names, table = csv_file.read_table(path, sidecar, max_bytes, wanted if label or sidecar.signals else None)
    if sidecar.axis not in (0, 1):
        raise ValueError(
            f"{str(path)!r} has {table.shape[0]} rows and {table.shape[1]} columns. State in the sidecar whether each "
            "column is a trace ('axis = 0') or each row ('axis = 1')."
        )
    kept = [i for i, name in enumerate(names) if name != label]
    if sidecar.axis == 0:
        return table[:, kept].T, [names[i] for i in kept], None
    onset = table[:, names.index(label)] if label else None
    return table[:, kept], [f"row {i}" for i in range(len(table))], onset


def _read_labels(path, sidecar, max_bytes):
    """Labels out of another array of the file, or out of another file."""
    label = sidecar.onset
    file = path if label.file is None else path.with_name(label.file)
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {str(file)!r}, which the sidecar names in 'onset.file'.")
    if file.suffix.lower() == ".csv":
        _, table = csv_file.read_table(file, sidecar, max_bytes, [label.key])
        return table.ravel()
    if file.suffix.lower() not in SUFFIXES or file.suffix.lower() == ".wav":
        raise ValueError(f"{str(file)!r} cannot hold labels. Use one of {', '.join(SUFFIXES[:-1])}.")
    arrays = _load(file, label.key, max_bytes)
    # MATLAB knows no arrays of one axis, and a group of datasets holds one label each.
    return np.concatenate([np.ravel(array) for array in arrays.values()]).astype(np.float64)


def _sampling_rate(path, sidecar):
    if path.suffix.lower() != ".wav":
        if sidecar.sampling_rate is None:
            raise ValueError(f"The sidecar of {str(path)!r} lacks 'sampling_rate', in Hz.")
        return sidecar.sampling_rate
    stated = wav_file.wav_sampling_rate(path)
    if sidecar.sampling_rate not in (None, stated):
        raise ValueError(
            f"{str(path)!r} states {stated:g} Hz, but its sidecar {sidecar.sampling_rate:g} Hz. Correct one of them, "
            f"or save "
            "the samples as .npy."
        )
    return stated


def _to_samples(values, sidecar, sampling_rate):
    seconds = TIME_UNITS[sidecar.onset.unit]
    return values if seconds is None else (values * seconds - sidecar.start_time) * sampling_rate
