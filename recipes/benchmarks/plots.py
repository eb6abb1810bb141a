"""Plot of the benchmark."""

from matplotlib.figure import Figure


def plot_cost(curves):
    """Draws what a step costs over batch size, size of the model and length of the signals, for each backend.

    Args:
        curves: dict of `"batch_size"`, `"preset"` and `"signal_length"`, each a dict from a backend's name to a list of
            points: dicts of that parameter, `"seconds"` and `"step_memory"` (bytes) of a step, and
            `"signals_per_second"`.

    Example:

    ```python
    plot_cost(json.loads(Path("runs/benchmark/benchmark.json").read_text())["curves"])
    ```
    """
    panels = (
        ("batch_size", "signals_per_second", "Signals in a step", "Signals/s", 1),
        ("preset", "signals_per_second", "Preset", "Signals/s", 1),
        ("signal_length", "seconds", "Samples in a signal", "Time of a step in s", 1),
        ("signal_length", "step_memory", "Samples in a signal", "Memory of a step in MiB", 2**20),
    )
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    for axes, (parameter, value, xlabel, ylabel, unit) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        for backend, points in curves[parameter].items():
            x = [point[parameter] for point in points]
            axes.plot(x, [point[value] / unit for point in points], marker="o", label=backend)
        axes.set(xlabel=xlabel, ylabel=ylabel, yscale="log")
        if parameter != "preset":
            axes.set_xscale("log", base=2)
            axes.set_xticks(x, [f"{number:,}" for number in x])
        axes.grid(alpha=0.3)
    axes.legend()
    return figure
