"""A scan to label with known onsets: windows of measured records, in the order in which they were recorded."""

import numpy as np

from keras_usmae.data.builders import import_builders
from keras_usmae.shipped import shipped_folder
from keras_usmae.signals.readers.windows import add_noise, burst_rms, cut_windows

_ROOM = (150, 1700)  # samples of a window in which an onset may lie
_STRETCH, _PER_KIND = 24, 150  # neighbours that are taken together, and traces of each kind of echo


def make_pool(data_dir, seed=0):
    """Windows of the measured training blocks in the order of the scan, each line seen from one start, noise added.

    Args:
        data_dir: path of the measured originals.
        seed: int, of starts and noise. Defaults to `0`.

    Returns:
        Tuple of float32 signals of shape `(n, 2048)` and their onsets of shape `(n,)`.
    """
    import_builders(shipped_folder("datasets"))
    from usmae_datasets.ultrasound_measured import corpus as corpora
    from usmae_datasets.ultrasound_measured import originals, splits

    paths = originals.find_local(data_dir)
    corpus = corpora.build_corpus({name: originals.read_scan(name, path) for name, path in paths.items()})
    echoes, rng = corpus.echoes, np.random.default_rng(seed)
    signals, onsets = [], []
    for kind in range(len(corpora.KINDS)):
        mine = np.flatnonzero((echoes["kind"] == kind) & (echoes["split"] == splits.SPLITS.index("train")))
        every = max(len(mine) * _STRETCH // _PER_KIND, _STRETCH)  # of so many neighbours, a stretch is taken
        mine = mine[np.arange(len(mine)) % every < _STRETCH]
        start, starts = -(10**9), []
        for index in mine:
            onset, first, last = (echoes[name][index] for name in ("onset", "first", "last"))
            if not (first <= start <= last and _ROOM[0] <= onset - start <= _ROOM[1]):
                start = int(np.clip(onset - rng.uniform(*_ROOM), first, last))
            starts.append(start)
        starts = np.array(starts)
        peaks = echoes["hole_peaks"][mine]
        ahead = ((peaks >= starts[:, None]) & (peaks < echoes["onset"][mine, None])).any(axis=1)
        mine, starts = mine[~ahead], starts[~ahead]
        source = corpora.SOURCES[echoes["source"][mine[0]]]
        windows = cut_windows(corpus.records[source], echoes["row"][mine], starts, corpora.SIGNAL_LENGTH)
        onset = echoes["onset"][mine] - starts
        noise_rms = echoes["noise_rms"][mine]
        total = burst_rms(windows, onset, echoes["burst_length"][mine])
        signal_rms = np.sqrt(np.maximum(total**2 - noise_rms**2, 1e-30))
        wanted = rng.uniform(*corpora.SNR_RANGE_DB, len(mine))
        signals.append(add_noise(windows, signal_rms, noise_rms, wanted, int(rng.integers(2**31)))[0])
        onsets.append(onset)
    return np.concatenate(signals).astype(np.float32), np.concatenate(onsets)
