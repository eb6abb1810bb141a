"""The ready picker: from traces of any rate, length and unit to the echoes in them."""


class EchoPicker:
    """Finds the echoes of A-scans with a trained `EchoDetector`.

    Args:
        detector: `EchoDetector`, trained.

    Example:

    ```python
    from keras_usmae.picker import EchoPicker

    picker = EchoPicker.from_preset("tiny")
    picks = picker.pick(signals, sampling_rate=50e6)
    picks.first().of_each_trace("tof")  # seconds
    ```
    """

    def __init__(self, detector):
        self.detector = detector

    @classmethod
    def from_preset(cls, name):
        """The picker that ships with the package.

        Args:
            name: str, `"nano"` or `"tiny"`.

        Returns:
            `EchoPicker`.

        Raises:
            ValueError: where there is no picker of this name.
        """
        raise NotImplementedError

    @classmethod
    def from_run(cls, folder):
        """The picker of a run of recipes/train_picker.py.

        Args:
            folder: path of the run's folder, which holds `detector.keras`.

        Returns:
            `EchoPicker`.

        Raises:
            FileNotFoundError: where there is no such folder, or no detector in it.
            ValueError: where the file holds another model.
        """
        raise NotImplementedError

    def choose_scale(self, signals, sampling_rate):
        """Chooses the scale of a recording; give it to each call of `pick` for blocks of one recording.

        Args:
            signals: array of shape `(n, L)` or `(L,)`. Some hundred traces are enough.
            sampling_rate: float. Hz.

        Returns:
            `Scale`, whose `why` says what was chosen and from what.
        """
        raise NotImplementedError

    def pick(self, signals, sampling_rate, start_time=0.0, scale=None, min_confidence=None, batch_size=256):
        """Finds the echoes of traces.

        Args:
            signals: array of real numbers of shape `(n, L)`, or `(L,)` for one trace, in any unit.
            sampling_rate: float. Hz.
            start_time: float. Time of the first sample after the transmit pulse, in s. Defaults to `0.0`.
            scale: `Scale`, number, `"up/down"` or `None`. Samples for the network in each sample of the recording.
                `None` estimates it from the traces, see `choose_scale`. Defaults to `None`.
            min_confidence: float in (0, 1] or `None`. Less sure picks are dropped. `None` takes the detector's own.
                Defaults to `None`.
            batch_size: int. Windows that the network sees at a time. Defaults to `256`.

        Returns:
            `Picks`.

        Raises:
            ValueError: where the signals are not real numbers of one or two axes, or an argument is out of range.
        """
        raise NotImplementedError
