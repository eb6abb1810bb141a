"""What decides the result of a prediction, and what it shares with a session of labelling."""

import dataclasses
from typing import Any

DETECTOR_FILE = "detector.keras"  # of a run folder


@dataclasses.dataclass(frozen=True)
class TraceConfig:
    """Options of whatever picks the traces of a file or folder: how to read them, where to look, and with what picker.

    Args:
        source: str. File or folder of traces.
        sidecar: str or `None`. Sidecar of the file or folder. Defaults to `None`, those beside the data.
        sampling_rate: float or `None`. In Hz. Defaults to `None`, that of the file or sidecar.
        axis: int or `None`. Axis of time. Defaults to `None`, that of the file or sidecar.
        signals: str or `None`. Name of the array or columns with the traces. Defaults to `None`, as above.
        start_time: float or `None`. Time of the first sample after the transmit pulse, in s. Defaults to `None`,
            as above.
        gates: tuple of str, see `parse_gates`. Defaults to `()`, the whole record.
        echo: str. Which echo of each gate: `"first"`, `"strongest"` or its number. Defaults to `"first"`.
        speed_of_sound: float or `None`. In m/s, for gates in mm. Defaults to `None`.
        scan: str or `None`. Size of a scan, see `parse_scan`. Defaults to `None`, the shape of the file's array.
        preset: str. The shipped picker: `"nano"`, `"nano_mcu"`, `"tiny"` or `"tiny_patch64"`. Defaults to
            `"tiny_patch64"`.
        run: str or `None`. Folder of a picker of your own, in place of the preset. Defaults to `None`.
        scale: str or `None`. Samples for the network in each sample of the recording, as a number or `"up/down"`.
            Defaults to `None`, estimated from the recording.
    """

    source: str
    sidecar: str | None = None
    sampling_rate: float | None = None
    axis: int | None = None
    signals: str | None = None
    start_time: float | None = None
    gates: tuple[str, ...] = ()
    echo: str = "first"
    speed_of_sound: float | None = None
    scan: str | None = None
    preset: str = "tiny_patch64"
    run: str | None = None
    scale: str | None = None

    @property
    def stated(self) -> dict[str, Any]:
        """Keys of a sidecar that the options state, a dict."""
        keys = ("sampling_rate", "axis", "signals", "start_time")
        return {key: getattr(self, key) for key in keys if getattr(self, key) is not None}


@dataclasses.dataclass(frozen=True)
class PredictConfig(TraceConfig):
    """Options of a prediction: those of `TraceConfig`, and more. They are checked by `predict`, before any work begins.

    `echo` may also be `"all"`. Without `thickness`, a `speed_of_sound` makes a depth of each ToF: half of the path
    counts (pulse-echo).

    Args:
        thickness: bool. Whether the spacing of two gates, or of two echoes of one, is a thickness, for which the speed
            of sound is that of what lies between the echoes. Defaults to `False`.
        step: str or `None`. Step of the scan in mm, see `parse_step`. Defaults to `None`, not known.
        min_confidence: float or `None`. Less sure picks are dropped. Defaults to `None`, the picker's own limit.
        engine: str. What runs the network: `"litert"` on the processor, `"keras"` on what Keras's backend uses.
            Defaults to `"auto"`, LiteRT where it can.

    Example:

    ```python
    from keras_usmae.picker.settings import PredictConfig

    PredictConfig("scan.npy", sampling_rate=50e6, gates=("front=20us:40us",))
    ```
    """

    thickness: bool = False
    step: str | None = None
    min_confidence: float | None = None
    engine: str = "auto"
