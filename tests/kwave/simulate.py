"""Runs one 1D scene in k-Wave's NumPy engine, in the environment that has it: `python simulate.py SCENE.npz OUT.npy`.

This file is run by the tests, and imports nothing of this package.
"""

import logging
import sys
import urllib.request

import numpy as np


def _refuse(url, filename):
    # At import k-Wave downloads compiled engines, which are not used here; it takes a timeout as a reason to go on.
    raise TimeoutError(f"{url} is not downloaded")


urllib.request.urlretrieve = _refuse
logging.disable(logging.WARNING)

from kwave.kgrid import kWaveGrid  # noqa: E402
from kwave.kmedium import kWaveMedium  # noqa: E402
from kwave.ksensor import kSensor  # noqa: E402
from kwave.ksource import kSource  # noqa: E402
from kwave.kspaceFirstOrder import kspaceFirstOrder  # noqa: E402


def main(scene_path, out_path):
    """Writes the pressure at the sensors, float64 of shape `(num_sensors, num_steps)`."""
    scene = np.load(scene_path)
    cells = len(scene["sound_speed"])
    grid = kWaveGrid([cells], [float(scene["dx"])])
    grid.setTime(int(scene["steps"]), float(scene["dt"]))
    medium = kWaveMedium(
        sound_speed=scene["sound_speed"],
        density=scene["density"],
        alpha_coeff=scene["alpha_coeff"],
        alpha_power=float(scene["alpha_power"]),
    )
    source, sensor = kSource(), kSensor()
    source.p_mask, sensor.mask = np.zeros(cells), np.zeros(cells)
    source.p_mask[scene["source"]] = 1
    sensor.mask[scene["sensors"]] = 1
    source.p, sensor.record = scene["wave"][None], ["p"]
    recorded = kspaceFirstOrder(grid, medium, source, sensor, pml_size=40, backend="python", device="cpu", quiet=True)
    np.save(out_path, np.asarray(recorded["p"], dtype=np.float64).reshape(len(scene["sensors"]), -1))


if __name__ == "__main__":
    main(*sys.argv[1:])
