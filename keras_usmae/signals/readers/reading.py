"""Files and folders of measured traces, with their sidecars, to checked recordings."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_usmae.signals.readers.array_file import ARRAY_SUFFIXES
from keras_usmae.signals.readers.array_traces import read_array_traces
from keras_usmae.signals.readers.doubts import doubts_of
from keras_usmae.signals.readers.folder import FOLDER_SIDECAR, SUFFIXES, describe_files, own_sidecar
from keras_usmae.signals.readers.labels import Place, keys_in_file, read_groups, read_onsets
from keras_usmae.signals.readers.minimal import minimal_sidecar
from keras_usmae.signals.readers.recording import make_recording
from keras_usmae.signals.readers.settle import MissingKeyError, Provenance, settle
from keras_usmae.signals.readers.table_file import read_table_traces
from keras_usmae.signals.readers.traces import check_shape

if TYPE_CHECKING:
    from keras_usmae.signals.readers.recording import Recording


_BINARY = "an instrument's binary: save as .csv, .mat or .h5, or as .npy by numpy.fromfile with its dtype"
# Formats that are not read, and how they become one that is.
_CONVERTERS = {
    ".trc": "LeCroy's binary traces: save as .csv or .mat on the oscilloscope, or convert by the package lecroyscope",
    ".wfm": "Tektronix's or Rigol's binary waveforms: save as .csv on the oscilloscope",
    ".isf": "Tektronix's internal format: save as .csv on the oscilloscope",
    ".psdata": "PicoScope's own format: save as .csv or .mat in PicoScope",
    ".bin": _BINARY,
    ".raw": _BINARY,
    ".pcm": _BINARY,
    ".m2k": "M2M's and Eddyfi's own format: export its A-scans as .csv or .txt, or convert to .mfmc or .nde",
    ".fpd": "OmniScan's older format: convert to .nde in OmniPC or by Evident's converter",
    ".opd": "OmniScan's older format: convert to .nde in OmniPC or by Evident's converter",
    ".mdb": "a data base: export its traces as .csv",
    ".json": "text of records: save the traces as .npy or .csv",
    ".pkl": "a pickle, which can run code: save as .npz",
    ".parquet": "a table of columns: save as .csv",
    ".xlsx": "a spreadsheet: save as .csv in UTF-8",
    ".xls": "a spreadsheet: save as .csv in UTF-8",
    ".tdm": "LabVIEW's older format: save as .tdms",
}


def read_recordings(path: str | Path, sidecar: str | Path | None = None, **settings: Any) -> "list[Recording]":
    """Reads a file, or all files of a folder, of measured traces.

    Formats: .npy, .npz, .mat (level 4 to v7.3), HDF5 (.h5, .hdf5, .nde, .mfmc, .nc and others), tables (.csv, .tsv,
    .txt, .dat, .asc, .lvm), .wav and, with npTDMS, .tdms. Rate, start time, unit and axis are taken from the file where
    it states them; what it does not say, a sidecar does: `scan.toml` beside `scan.npz` (or `scan.npz.toml`), or one
    `sidecar.toml` in a folder for those of its files that the sidecar's `files` matches. Where the numbers leave no
    doubt which array holds the traces, and along which axis time runs, nobody needs to say it; the recording's
    `provenance` does. Nothing else is guessed, and where file and sidecar contradict each other, that is an error.
    Sizes are checked against each file's header before anything is loaded, and pickles, code and links to other files
    are never followed.

    Args:
        path: path of a file or folder. Folders inside of a folder are not searched.
        sidecar: path of a sidecar or `None`. Used for the file, or for the folder. Defaults to `None`, the sidecars
            that lie beside the data.
        **settings: keys of a `Sidecar`, such as `sampling_rate=60e6`, which come before those of the sidecar and do
            without one.

    Returns:
        A list of `Recording`, in the order of the files' names.

    Raises:
        FileNotFoundError: where there is no such path or sidecar, or nothing to read in the folder; or where a file
            needs a sidecar and has none, with a sidecar for this very file in the message.
        ValueError: where a file or sidecar is not what it should be.

    Example:

    ```python
    import pathlib, tempfile
    import numpy as np
    from keras_usmae.signals.readers import read_recordings

    path = pathlib.Path(tempfile.mkdtemp(), "scan.npy")
    np.save(path, np.random.default_rng(0).standard_normal((564, 32)))
    path.with_suffix(".toml").write_text("sampling_rate = 12.5e6\\naxis = 0\\nsamples = 564")
    read_recordings(path)[0].signals.shape  # (32, 564)
    ```
    """
    recordings = []
    for _, recording in _read_one_by_one(describe_files(path, sidecar, settings), are_held=True):
        if isinstance(recording, Exception):
            raise recording
        recordings.append(recording)
    return recordings


def iterate_recordings(
    path: str | Path, sidecar: str | Path | None = None, **settings: Any
) -> "Iterator[tuple[Path, Recording | Exception]]":
    """Reads the files of a folder one after the other, so that only one is held in memory.

    Args:
        path: as in `read_recordings`.
        sidecar: as in `read_recordings`.
        **settings: as in `read_recordings`.

    Yields:
        Pairs of a `pathlib.Path` and a `Recording`; or of the path and the error, where a file cannot be read.

    Raises:
        FileNotFoundError: where there is no such path or sidecar, or nothing to read in the folder.
        ValueError: where a sidecar is not what it should be.

    Example:

    ```python
    import pathlib, tempfile
    import numpy as np
    from keras_usmae.signals.readers import iterate_recordings

    folder = pathlib.Path(tempfile.mkdtemp())
    for shot in range(3):
        np.save(folder / f"shot_{shot}.npy", np.random.default_rng(shot).standard_normal(400))
    (folder / "shot_1.npy").write_bytes(b"not an array")
    results = iterate_recordings(folder, sampling_rate=25e6)
    sum(isinstance(result, ValueError) for path, result in results)  # 1
    ```
    """
    # Mistakes in a sidecar are told here, and not at the first step of a generator.
    return _read_one_by_one(describe_files(path, sidecar, settings), are_held=False)


def _read_one_by_one(files, are_held):
    """Reads files; recordings that the caller holds count with the limit of memory."""
    trace: int | None = 0
    held = 0
    for index, described in enumerate(files):
        folder = described.sidecar_path.parent if described.sidecar_path else None
        place = Place(index, len(files), trace, folder)
        try:
            recording = _read_described(described, place, described.sidecar.max_bytes - held)
        except (ValueError, OSError, ImportError) as error:
            # Where every file holds one trace, the rows of a table for all files are still known.
            trace = trace + 1 if trace == index else None
            yield described.path, error
            continue
        if trace is not None:
            trace += len(recording.signals) + len(recording.rejected)
        held += recording.signals.nbytes if are_held else 0
        yield described.path, recording


def _read_described(described, place, max_bytes):
    try:
        return _read_file(described.path, described.sidecar, place, max_bytes)
    except MissingKeyError as error:
        if described.is_stated:
            raise
        name = own_sidecar(described.path).name
        raise FileNotFoundError(
            f"{str(described.path)!r} has no sidecar, and needs one. {error}\nWrite {name!r} beside it, or one "
            f"{FOLDER_SIDECAR!r} for the folder:\n\n{minimal_sidecar(described.path, described.sidecar)}"
        ) from error


def _read_file(path, sidecar, place, max_bytes):
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        way_out = f" It may be {_CONVERTERS[suffix]}." if suffix in _CONVERTERS else ""
        raise ValueError(f"{str(path)!r} ends in {suffix!r}; read are {', '.join(SUFFIXES)}.{way_out}")
    if path.stat().st_size == 0:
        raise ValueError(f"{str(path)!r} is empty.")
    read = read_array_traces if suffix in ARRAY_SUFFIXES else read_table_traces
    traces = read(path, sidecar, max_bytes, keys_in_file(sidecar))
    if sidecar.stacked:
        _cut_apart(path, traces, sidecar.samples)
    check_shape(path, traces.signals.shape, sidecar.samples)
    stated = settle(path, sidecar, traces.facts)
    onsets = read_onsets(path, sidecar, traces, place, sidecar.max_bytes, stated.sampling_rate, stated.start_time)
    groups = read_groups(path, sidecar, traces, place, sidecar.max_bytes)
    provenance = Provenance(
        stated.origins | {"axis": traces.axis},
        tuple(traces.left_out),
        (*traces.doubts, *stated.doubts, *doubts_of(path, traces.signals, stated.sampling_rate)),
    )
    onsets = onsets or {}
    keys = list(onsets)
    return make_recording(
        str(path),
        traces.signals,
        stated.sampling_rate,
        onsets[keys[0]] if keys else None,
        traces.names,
        stated.unit,
        stated.full_scale,
        stated.start_time,
        later_onsets={key: onsets[key] for key in keys[1:]},
        groups=groups,
        provenance=provenance,
    )


def _cut_apart(path, traces, samples):
    """A-scans that follow on each other in one trace, each a trace of its own."""
    count, length = traces.signals.shape
    if length % samples:
        # Cut already, by the file's own set-up.
        raise ValueError(
            f"{str(path)!r}: 'stacked' A-scans of {samples} samples ('samples') do not make up the {length} samples "
            "along 'axis'."
        )
    pieces = length // samples
    if pieces > 1:
        traces.signals = traces.signals.reshape(count * pieces, samples)
        traces.names = [f"{name}[{piece}]" for name in traces.names for piece in range(pieces)]
