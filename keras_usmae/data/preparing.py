"""Preparing a dataset of TFDS: once, whole or not at all, and with the true reason where it fails."""

import errno
import pathlib
import shutil
from typing import Any

from filelock import FileLock

from keras_usmae.files import check_writable, write_error


def prepare(builder: Any, beam_options: list[str] | None = None) -> Any:
    """Downloads and prepares a dataset, unless it was prepared before.

    Processes that prepare the same dataset wait for the first one. What one that was killed left is removed.

    Args:
        builder: a builder from `load_builder`.
        beam_options: list of str or `None`. Options of an Apache Beam pipeline, such as `["--runner=DirectRunner",
            "--direct_num_workers=4", "--direct_running_mode=multi_processing"]`: its workers then make a synthetic
            dataset shard by shard. The files are the same byte by byte. Defaults to `None`, that is without Beam.

    Returns:
        The builder.

    Raises:
        FileNotFoundError: where an original is missing in the local folder.
        ValueError: where an original is not what it should be, or `beam_options` are given to a dataset that is not
            made shard by shard.
        OSError: where the disk is full, or nothing can be downloaded.
        ImportError: where `beam_options` are given and Apache Beam is not installed.

    Example: see `load_builder`.
    """
    import tensorflow_datasets as tfds

    config = tfds.download.DownloadConfig()
    if beam_options is not None:
        if getattr(builder, "HAS_ORIGINALS", False):
            raise ValueError(f"{builder.info.full_name} is made from its originals in one process, not by Apache Beam.")
        config.beam_options = _beam_options(beam_options)
    data_dir = pathlib.Path(builder.data_dir)
    if builder.is_prepared():
        return builder
    check_writable(data_dir)
    root = data_dir.parents[2]
    root.mkdir(parents=True, exist_ok=True)
    lock = root / f".{'_'.join(data_dir.parts[-3:])}.lock"
    with FileLock(lock):
        if builder.is_prepared():  # by the process that was waited for
            builder.info.read_from_directory(builder.data_dir)
            return builder
        for leftover in data_dir.parent.glob(f"incomplete.*_{data_dir.name}"):
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            builder.download_and_prepare(download_config=config)
        except BaseException as error:
            lock.unlink(missing_ok=True)
            _remove_empty_folders(data_dir)
            if full := _full_disk(error):
                raise write_error(data_dir, full) from error
            raise
        lock.unlink(missing_ok=True)
    return builder


def _full_disk(error):
    """The error of a full disk among those that led to `error`: cleaning up raises others on top of it."""
    found = None
    while error is not None:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if full or "no space left" in str(error).lower():
            found = error
        error = error.__cause__ or error.__context__
    return found


def _beam_options(arguments):
    try:
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise ImportError(
            "Apache Beam is not installed. It needs an environment of its own: `pip install -e '.[jax,beam]' -c "
            "constraints-beam.txt`, or `make beam`."
        ) from error
    return PipelineOptions(list(arguments))


def _remove_empty_folders(data_dir):
    """Removes what TFDS leaves of a preparation that failed: folders without a file, and its notes on the class."""
    config, dataset, root = data_dir.parents[:3]
    _remove_if_empty(config)
    if dataset.is_dir() and {path.name for path in dataset.iterdir()} == {".config"}:
        (dataset / ".config" / "metadata.json").unlink(missing_ok=True)
        _remove_if_empty(dataset / ".config")
    downloads = root / "downloads"
    broken_off = sorted((downloads / dataset.name).glob("*.tmp.*"))
    for folder in (dataset, *broken_off, downloads / dataset.name, downloads / "extracted", downloads, root):
        _remove_if_empty(folder)


def _remove_if_empty(folder):
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
