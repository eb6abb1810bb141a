"""What decides a session of labelling."""

import dataclasses

from keras_usmae.picker.settings import TraceConfig


@dataclasses.dataclass(frozen=True)
class LabelConfig(TraceConfig):
    """Options of a session: those of `TraceConfig`, and who labels. They are checked by `label`, before the page opens.

    The name of a gate is the name of its echo, and its column in the table of labels; without gates there is one echo,
    `onset`. `echo` is what is proposed.

    Args:
        who: str. Who labels, for the table. Defaults to `""`.

    Example:

    ```python
    from keras_usmae.labelling import LabelConfig

    LabelConfig("scan.npy", sampling_rate=50e6, axis=1, gates=("front=20us:40us", "back=40us:60us"))
    ```
    """

    who: str = ""
