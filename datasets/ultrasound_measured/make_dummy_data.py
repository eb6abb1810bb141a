"""Makes `dummy_data/`: synthetic files of the structure of the originals, for the test of the builder.

Every burst of a file is the same to the sample, shifted by whole samples, and there is no noise, so that the files
shrink to a few kilobytes. None of the originals' data is in them. From the root of the checkout:

    python datasets/ultrasound_measured/make_dummy_data.py datasets/ultrasound_measured/dummy_data
"""

import pathlib
import sys

import numpy as np
import scipy.io

WATER = 1480.0


def burst(sampling_rate, frequency, duration, amplitude):
    """A Hann-windowed tone burst of whole counts."""
    time = np.arange(1, round(duration * sampling_rate)) / sampling_rate
    envelope = np.sin(np.pi * time / duration) ** 2
    return np.rint(amplitude * envelope * np.sin(2 * np.pi * frequency * time))


def place(num_samples, echoes, clip):
    """Records with bursts at whole samples; `echoes` holds pairs of a burst and its onsets."""
    records = np.zeros((num_samples, echoes[0][1].size))
    columns = np.arange(records.shape[1])
    for wavelet, onsets in echoes:
        rows = np.rint(onsets).astype(int).ravel() + np.arange(len(wavelet))[:, None]
        np.add.at(records, (rows, columns), wavelet[:, None])
    return np.clip(records, *clip)


def plane_scan():
    """Front and back of a plate, both tilted."""
    x, y = np.indices((111, 40))
    wavelet = burst(12.5e6, 2.25e6, 2.4e-6, 300)
    records = place(564, [(wavelet, 49 + x // 37), (wavelet, 332 + y // 20)], clip=(-118, 112))
    return {"ptxy": records.reshape(564, 111, 40), "fs": 12.5e6, "fc": 2.25e6, "tDelay": 81e-6}


def copper_block():
    """Front and back of a block that is tilted by 5 samples a step."""
    front = 324 + 5 * np.arange(301)
    echoes = [(burst(100e6, 2.25e6, 3e-6, 400), front), (burst(100e6, 2.25e6, 2.5e-6, 60), front + 3140)]
    records = place(5700, echoes, clip=(-118, 122)).astype(np.int16)
    return {"ptx": records, "fs": np.int32(100_000_000), "tDelay": 55e-6}


def array(num_samples, window_begin, wavelets, travel_times):
    """A full matrix of 32 elements: a cell for each transmitter, a column for each receiver."""
    position = (np.arange(32) - 15.5) * 1e-3
    cells = np.empty((32, 1), dtype=object)
    for transmitter, tx in enumerate(position):
        onsets = [(travel_time(tx, position) - window_begin * 1e-6) * 50e6 for travel_time in travel_times]
        echoes = list(zip(wavelets, onsets, strict=True))
        cells[transmitter, 0] = place(num_samples, echoes, clip=(-5500, 5500)).astype(np.int16)
    return {"data": cells, "fs": np.uint8(50), "MWB": np.uint8(window_begin), "cp": np.uint16(WATER)}


def copper_array():
    """A plane at a depth of 24 mm."""
    plane = lambda tx, rx: np.hypot(48e-3, tx - rx) / WATER - 0.7e-6  # noqa: E731
    return array(1250, 28, [burst(50e6, 3.5e6, 1.2e-6, 9000)], [plane])


def steel_pins():
    """Two points; the peak of each burst, 0.7 us after its travel time, is 0.6 us after its onset."""

    def point(x, z):
        return lambda tx, rx: (np.hypot(tx - x, z) + np.hypot(rx - x, z)) / WATER + 0.1e-6

    wavelets = [burst(50e6, 3.5e6, 1.2e-6, amplitude) for amplitude in (500, 600)]
    return array(1750, 40, wavelets, [point(10.6e-3, 37.6e-3), point(-9.7e-3, 42.6e-3)])


FILES = {
    "PlaneScan3D_PlexiAluFBH.mat": plane_scan,
    "CopperBlock_2degtTilt.mat": copper_block,
    "ArrayCuBlockStationary.mat": copper_array,
    "ArraySteelPins.mat": steel_pins,
}


def main(folder):
    """Writes all files into a folder."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        scipy.io.savemat(folder / name, make(), do_compression=True)


if __name__ == "__main__":
    main(sys.argv[1])
