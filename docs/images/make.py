"""The picture of the README, from what `usmae predict` wrote for the plane scan of the measured originals.

    usmae predict PlaneScan3D_PlexiAluFBH.mat --sidecar datasets/ultrasound_measured/sidecars/plane_scan.toml \
        --gate 88us:112us --preset tiny --output plane
    python docs/images/make.py PlaneScan3D_PlexiAluFBH.mat plane
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from keras_usmae.signals.readers import read_recordings

SIDECAR = Path(__file__).parents[2] / "datasets" / "ultrasound_measured" / "sidecars" / "plane_scan.toml"
SHOWN = ((39, 12), (60, 30))  # places (x, y): over a hole, and beside the holes


def main(recording, folder):
    """Draws two traces with their picks, and the map of all picks."""
    (scan,) = read_recordings(recording, sidecar=SIDECAR)
    with np.load(Path(folder) / "picks.npz") as picks:
        tof = picks["tof_us"].reshape(111, 40)
    times = 1e6 * (scan.start_time + np.arange(scan.signals.shape[1]) / scan.sampling_rate)
    figure, axes = plt.subplot_mosaic(
        [["hole", "map"], ["plate", "map"]], figsize=(10, 3.4), width_ratios=[1, 1.1], layout="constrained"
    )
    for name, (x, y) in zip(("hole", "plate"), SHOWN, strict=True):
        axis = axes[name]
        axis.plot(times, scan.signals[40 * x + y], color="0.3", linewidth=0.8)
        axis.axvline(tof[x, y], color="tab:red")
        axis.set(xlim=times[[0, -1]], ylim=(-125, 125), yticks=[-100, 0, 100])
        axis.set_title(f"x {x} mm, y {y} mm: first echo in the gate at {tof[x, y]:.2f} µs", fontsize=9)
        axis.axvspan(88, 112, color="tab:blue", alpha=0.08)
    axes["hole"].tick_params(labelbottom=False)
    axes["plate"].set(xlabel="Time / µs", ylabel="Amplitude / counts")
    image = axes["map"].imshow(tof.T, origin="lower", aspect="equal")
    for x, y in SHOWN:
        axes["map"].plot(x, y, "o", markersize=7, markerfacecolor="none", markeredgecolor="tab:red")
    axes["map"].set(xlabel="x / mm", ylabel="y / mm")
    axes["map"].set_title("Time of flight of 4,440 traces", fontsize=9)
    figure.colorbar(image, ax=axes["map"], label="ToF / µs", shrink=0.7)
    figure.savefig(Path(__file__).with_name("scan.png"), dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
