"""Described transducers against k-Wave, a simulator of the wave equation: `make test-kwave`.

k-Wave pins other versions of NumPy and SciPy than this package, so it runs in an environment of its own, whose
interpreter `KWAVE_PYTHON` names. The wave that it records near the source serves as the impulse response, so that
nothing is fitted: delays, levels, attenuation and dispersion all have to agree.
"""

import os
import pathlib
import subprocess

import numpy as np
import pytest
import scipy.signal

from keras_usmae.signals import TransducerConfig, draw_parameters, render

pytestmark = pytest.mark.kwave
SAMPLING_RATE = 100e6


@pytest.fixture
def simulate(tmp_path):
    """Pressure at the sensors at `SAMPLING_RATE`, of shape `(num_sensors, num_samples)`."""

    def run(dt, **scene):
        python = os.environ.get("KWAVE_PYTHON")
        assert python, "Set KWAVE_PYTHON to the Python of an environment with k-wave-python, or run `make test-kwave`."
        np.savez(tmp_path / "scene.npz", dt=dt, **scene)
        script = pathlib.Path(__file__).with_name("simulate.py")
        subprocess.run([python, script, tmp_path / "scene.npz", tmp_path / "out.npy"], check=True, timeout=600)
        # k-Wave steps more finely than the signals are sampled.
        return np.load(tmp_path / "out.npy")[:, :: round(1 / (SAMPLING_RATE * dt))]

    return run


def wave(frequency, cycles, dt):
    """Source of a Hann-windowed burst, in steps of the simulation."""
    steps = round(cycles / frequency / dt)
    return np.sin(2 * np.pi * frequency * np.arange(steps) * dt) * np.hanning(steps)


def rendered(response, signal_length, medium, echo):
    """The noise-free A-scan of our synthesis, in units of the response."""
    config = TransducerConfig.from_dict(
        {
            "sampling_rate": SAMPLING_RATE,
            "signal_length": signal_length,
            "transducer": {"impulse_response": response.tolist()},
            "medium": medium,
            "echo": echo,
        }
    )
    peak = np.abs(scipy.signal.hilbert(response, 4 * len(response))).max()
    return peak * render(draw_parameters(config, 1, seed=0), config)[0]


# In dB/m at 2.5 MHz. k-Wave's equation has the power law to first order in attenuation and dispersion over wave number
# only; near an exponent of 1 dispersion is many times the attenuation, so that there only a small one can be compared.
@pytest.mark.parametrize(("exponent", "attenuation"), [(1.1, 25.0), (1.5, 80.0), (2.0, 80.0)])
def test_attenuation_and_dispersion_are_those_of_the_wave_equation(simulate, exponent, attenuation):
    cells, dx, dt, speed, reference = 1024, 50e-6, 2e-9, 2500.0, 2.5e6
    near, far = 200, 900
    recorded = simulate(
        dt=dt,
        dx=dx,
        steps=9500,
        sound_speed=np.full(cells, speed),
        density=np.full(cells, 1000.0),
        alpha_coeff=np.full(cells, attenuation / 100 / (reference / 1e6) ** exponent),  # dB/cm at 1 MHz
        alpha_power=exponent,
        source=100,
        sensors=[near, far],
        wave=wave(reference, 3, dt),
    )
    # k-Wave's speed is that at frequency zero; ours is that at the reference frequency.
    slowness = 1 / speed + np.tan(np.pi * exponent / 2) * attenuation / (20 / np.log(10)) / (2 * np.pi * reference)
    medium = {"name": "m", "speed_of_sound": 1 / slowness, "attenuation": attenuation}
    medium |= {"attenuation_exponent": exponent, "reference_frequency": reference}
    first = round((near - 100) * dx / speed * SAMPLING_RATE) - 60
    response, theirs = recorded[0, first : first + 400], recorded[1, first:]
    echo = {"medium": "m", "distance": (far - near) * dx / 2, "reflectivity_db": 0}
    ours = rendered(response, len(theirs), [medium], [echo])
    error = np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)
    lost = 20 * np.log10(np.linalg.norm(response) / np.linalg.norm(theirs))
    print(f"f^{exponent}: error {error:.2%} after a loss of {lost:.1f} dB")
    assert lost == pytest.approx(attenuation * (far - near) * dx, rel=0.15)
    assert error < 0.01


def test_echoes_of_a_plate_in_water_are_those_of_the_wave_equation(simulate):
    cells, dx, dt, front, back, source, sensor = 1280, 25e-6, 1e-9, 600, 840, 120, 160
    water, metal, densities = 1480.0, 6300.0, (1000.0, 2700.0)
    plate = np.zeros(cells, dtype=bool)
    plate[front:back] = True
    recorded = simulate(
        dt=dt,
        dx=dx,
        steps=24000,
        sound_speed=np.where(plate, metal, water),
        density=np.where(plate, densities[1], densities[0]),
        alpha_coeff=np.where(plate, 0.05, 1e-9),  # dB/cm at 1 MHz
        alpha_power=2.0,
        source=source,
        sensors=[sensor],
        wave=wave(2.25e6, 2, dt),
    )[0]
    impedances = densities[0] * water, densities[1] * metal
    reflected = (impedances[1] - impedances[0]) / (impedances[1] + impedances[0])
    media = [
        {"name": "water", "speed_of_sound": water},
        {"name": "metal", "speed_of_sound": metal, "attenuation": 5.0, "attenuation_exponent": 2},
    ]
    # A boundary lies between two nodes.
    echoes = [
        {"medium": "water", "distance": (front - 0.5 - sensor) * dx, "reflectivity_db": 20 * np.log10(reflected)},
        {
            "medium": "metal",
            "distance": (back - front) * dx,
            "reflectivity_db": 20 * np.log10(reflected * (1 - reflected**2)),
            "polarity": "negative",
            "reverberations": 8,
            "reverberation_loss_db": -40 * np.log10(reflected),
        },
    ]
    # What passes the sensor on its way to the plate, and what comes back.
    passing = 250
    ours = rendered(recorded[:passing], len(recorded), media, echoes)[passing:]
    theirs = recorded[passing:]
    error = np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)
    print(f"plate: error {error:.2%}, peaks {np.abs(ours).max():.4f} and {np.abs(theirs).max():.4f}")
    # Nearly all of it is the place of the boundaries, a fifth of a sample off: it went down fourfold with half the dx.
    assert error < 0.05
