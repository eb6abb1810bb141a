"""Prints how training on many devices can scale on paper, by what the gradients' way over the network costs.

    python recipes/benchmarks/scaling_table.py

A step is the arithmetic of 256 signals on each device and then a ring all-reduce, in which each device sends and
receives `2 (n - 1) / n` times the gradients, 4 bytes for each parameter. Nothing overlaps, and latency is left out. The
table gives the share of `n` times the rate of one device. Frameworks send gradients while others are still being
computed, so that a real network of this speed can do better, and a busy one worse.
"""

import itertools

import typer

from recipes.benchmarks.contenders import Contender, build_model, step_flops

SIGNALS = 256
# Operations a second that a training step reaches: two cores as benchmark.py measured; for the H100 a sixth of its 67
# TFLOP/s in float32 is assumed, since matrices this small leave much of it idle.
DEVICES = {"2 CPU cores": 100e9, "H100": 11e12}
LINKS = {"1 Gbit/s": 1.25e8, "10 Gbit/s": 1.25e9, "100 Gbit/s": 1.25e10, "NVLink, 450 GB/s": 4.5e11}
COUNTS = (2, 8, 64)


def efficiency(num_parameters, flops, rate, bandwidth, num_devices):
    """Share of `num_devices` times the rate of one device.

    Args:
        num_parameters: int.
        flops: float, operations of a step on one device.
        rate: float, operations a second of one device.
        bandwidth: float, bytes a second from one device to the next.
        num_devices: int.

    Returns:
        float in (0, 1].
    """
    computing = flops / rate
    sending = 2 * (num_devices - 1) / num_devices * 4 * num_parameters / bandwidth
    return computing / (computing + sending)


def main():
    """Prints the table as Markdown."""
    print(f"| preset | device | network | {' | '.join(f'{count} devices' for count in COUNTS)} |")
    print("| --- | --- | --- |" + " ---: |" * len(COUNTS))
    for preset in ("nano", "tiny", "small", "base"):
        mae = build_model(Contender("", preset=preset, decoder="cross"))
        flops, parameters = SIGNALS * step_flops(mae), mae.count_params()
        for (device, rate), (link, bandwidth) in itertools.product(DEVICES.items(), LINKS.items()):
            if device != "H100" and "NVLink" in link:
                continue
            shares = (efficiency(parameters, flops, rate, bandwidth, count) for count in COUNTS)
            print(f"| {preset} | {device} | {link} | {' | '.join(f'{share:.1%}' for share in shares)} |")


if __name__ == "__main__":
    typer.run(main)
