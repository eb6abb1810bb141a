"""What decides a session of labelling."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class LabelConfig:
    """Options of a session. They are checked by `label`, before the page opens.

    Args:
        source: str. File or folder of traces.
        sidecar: str or `None`. Sidecar of the file or folder. Defaults to `None`, those beside the data.
        sampling_rate: float or `None`. In Hz. Defaults to `None`, that of the file or sidecar.
        axis: int or `None`. Axis of time. Defaults to `None`, that of the file or sidecar.
        signals: str or `None`. Name of the array or columns with the traces. Defaults to `None`, as above.
        start_time: float or `None`. Time of the first sample after the transmit pulse, in s. Defaults to `None`,
            as above.
        gates: tuple of str, see `parse_gates`. The name of a gate is the name of its echo, and its column in the table
            of labels. Defaults to `()`, the whole record and one echo, `onset`.
        echo: str. Which echo of each gate is proposed: `"first"`, `"strongest"` or its number. Defaults to `"first"`.
        speed_of_sound: float or `None`. In m/s, for gates in mm. Defaults to `None`.
        scan: str or `None`. Size of a scan, see `parse_scan`. Defaults to `None`, the shape of the file's array.
        preset: str. The shipped picker: `"nano"`, `"nano_mcu"` or `"tiny"`. Defaults to `"tiny"`.
        run: str or `None`. Folder of a picker of your own, in place of the preset. Defaults to `None`.
        scale: str or `None`. Samples for the network in each sample of the recording. Defaults to `None`, estimated.
        who: str. Who labels, for the table. Defaults to `""`.

    Example:

    ```python
    from keras_usmae.labelling import LabelConfig

    LabelConfig("scan.npy", sampling_rate=50e6, axis=1, gates=("front=20us:40us", "back=40us:60us"))
    ```
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
    preset: str = "tiny"
    run: str | None = None
    scale: str | None = None
    who: str = ""

    @property
    def stated(self):
        """Keys of a sidecar that the options state, a dict."""
        keys = ("sampling_rate", "axis", "signals", "start_time")
        return {key: getattr(self, key) for key in keys if getattr(self, key) is not None}
