"""Bursts that no transducer sends: each breaks one rule of physics, and is otherwise the burst it was made from.

A masked autoencoder that fills in by the physics of bursts should fail on them, where one that interpolates between the
visible patches should not notice.
"""

import numpy as np

from keras_usmae.signals.synthesis.bursts import evaluate_bursts
from keras_usmae.signals.synthesis.synthesize import synthesize

# "possible" is the control: the burst as it was drawn.
BURST_KINDS = ("possible", "polarity", "cut", "doubled", "frequency", "reversed")
_FREQUENCY_JUMP = 1.5e6  # Hz; half of the main lobe of a Hann burst of 2 us is 1 MHz


def broken_bursts(config, num_signals, seed):
    """Synthesizes signals in six versions that share noise, start, length and SNR of the unbroken burst.

    The jump is where half of the energy of the burst has passed:

    - `"possible"`: no jump, the control;
    - `"polarity"`: from there on, the burst has the other sign;
    - `"cut"`: from there on, it is zero;
    - `"doubled"`: from there on, it is twice as large;
    - `"frequency"`: from there on, the carrier is 1.5 MHz higher (lower for bursts above 2.5 MHz), without a jump in
      phase. Both frequencies are usual ones, but the jump is more than the bandwidth of a burst allows;
    - `"reversed"`: the whole burst runs backwards: a slow rise and a sudden end. That is impossible only where the
      envelope is `"damped"`: all others come out as possible bursts.

    Args:
        config: `SignalConfig` with one burst a signal: without echoes, ring-down, offset and ADC.
        num_signals: int. Number of signals of each kind.
        seed: int. Seed of the set.

    Returns:
        A dict of `signals`, a dict from each of `BURST_KINDS` to float32 `(num_signals, signal_length)`; and, of shape
        `(num_signals,)`, `burst_start` and `burst_length` in samples, and `jump`, int64, the first sample behind the
        jump.

    Raises:
        ValueError: where the configuration has more than a burst and noise.

    Example:

    ```python
    import dataclasses
    from keras_usmae.signals import SignalConfig
    from recipes.experiments.physics.counterfactual import broken_bursts

    config = dataclasses.replace(SignalConfig.from_preset("paper"), envelopes=("damped",))
    broken_bursts(config, num_signals=8, seed=0)["signals"]["cut"].shape  # (8, 2048)
    ```
    """
    if config.max_echoes or config.ringdown_probability or config.adc_bits or any(config.dc_offset):
        raise ValueError(
            "Bursts can be broken where a signal is one burst and noise. Received a configuration with max_echoes="
            f"{config.max_echoes}, ringdown_probability={config.ringdown_probability}, dc_offset={config.dc_offset}, "
            f"adc_bits={config.adc_bits}; use that of `paper`."
        )
    drawn = synthesize(config, num_signals, seed)
    burst = _evaluate(drawn, config, drawn["center_frequency"], drawn["phase"])
    noise = drawn["signal"] - burst
    energy = np.cumsum(np.square(burst, dtype=np.float64), axis=1)
    jump = (energy < energy[:, -1:] / 2).sum(axis=1)
    behind = np.arange(config.signal_length) >= jump[:, None]
    bursts = {
        "possible": burst,
        "polarity": np.where(behind, -burst, burst),
        "cut": np.where(behind, 0, burst),
        "doubled": np.where(behind, 2 * burst, burst),
        "frequency": np.where(behind, _shifted(drawn, config, jump), burst),
        "reversed": _reversed(burst, drawn["burst_start"], drawn["burst_length"]),
    }
    signals = {kind: (bursts[kind] + noise).astype(np.float32) for kind in BURST_KINDS}
    return {
        "signals": signals,
        "burst_start": drawn["burst_start"],
        "burst_length": drawn["burst_length"],
        "jump": jump,
    }


def burst_patches(burst_start, burst_length, num_patches, patch_size):
    """Which patches hold part of a burst.

    Args:
        burst_start: array of shape `(n,)`, where the envelopes leave zero, in samples.
        burst_length: array of shape `(n,)`, in samples.
        num_patches: int. Patches in a signal.
        patch_size: int. Samples in a patch.

    Returns:
        A bool array of shape `(n, num_patches)`.

    Example:

    ```python
    from recipes.experiments.physics.counterfactual import burst_patches

    burst_patches([40.0], [30.0], num_patches=4, patch_size=32)  # [[False, True, True, False]]
    ```
    """
    start = np.arange(num_patches) * patch_size
    begin = np.asarray(burst_start)[:, None]
    return (start + patch_size > begin) & (start < begin + np.asarray(burst_length)[:, None])


def alternating_noise(in_burst, seed):
    """Noise for `MaskedAutoencoder` that hides every other patch of the burst, and the other patches at random.

    Args:
        in_burst: bool array of shape `(n, num_patches)` from `burst_patches`.
        seed: int. Decides whether the first patch of a burst is hidden, and which of the others.

    Returns:
        A float32 array of shape `(n, num_patches)`: patches with the smallest noise stay visible. As long as these are
        at least half of the patches of the burst, the number of visible patches is up to the autoencoder.

    Example:

    ```python
    from recipes.experiments.physics.counterfactual import alternating_noise, burst_patches

    noise = alternating_noise(burst_patches([700.0], [300.0], 64, 32), seed=0)
    noise.shape  # (1, 64), for `mae.reconstruct(signals, noise)`
    ```
    """
    rng = np.random.default_rng(seed)
    first = rng.integers(2, size=(len(in_burst), 1))
    hidden = (np.cumsum(in_burst, axis=1) + first) % 2 == 1
    noise = rng.random(in_burst.shape, dtype=np.float32)
    return np.where(in_burst, noise + np.where(hidden, 1, -1), noise).astype(np.float32)


def _evaluate(drawn, config, frequency, phase):
    """Bursts of amplitude, envelope and onset as drawn, each in its place in a record."""
    length, envelope, shape = (drawn[name] for name in ("burst_length", "envelope", "envelope_shape"))
    size, first = config.max_burst_samples, np.ceil(drawn["burst_start"]).astype(np.int64)
    delay = first - drawn["burst_start"]
    bursts = evaluate_bursts(size, delay, frequency, length, phase, envelope, shape, config.sampling_rate)
    bursts *= drawn["amplitude"].astype(np.float32)[:, None]
    records = np.zeros((len(first), config.signal_length + size), dtype=np.float32)
    np.put_along_axis(records, first[:, None] + np.arange(size), bursts, axis=1)
    return records[:, : config.signal_length]


def _shifted(drawn, config, jump):
    """Bursts of another frequency whose phase is that of the drawn ones at the jump."""
    frequency = drawn["center_frequency"]
    middle = sum(config.center_frequency) / 2
    step = np.where(frequency < middle, _FREQUENCY_JUMP, -_FREQUENCY_JUMP)
    phase = drawn["phase"] - 2 * np.pi * step * (jump - drawn["burst_start"]) / config.sampling_rate
    return _evaluate(drawn, config, frequency + step, phase)


def _reversed(burst, onset, burst_length):
    """Bursts mirrored about their middle, to the nearest sample."""
    last = np.rint(2 * onset + burst_length).astype(np.int64)
    index = last[:, None] - np.arange(burst.shape[1])
    inside = (index >= 0) & (index < burst.shape[1])
    mirrored = np.take_along_axis(burst, np.where(inside, index, 0), axis=1)
    return np.where(inside, mirrored, 0)
