"""The scale of a recording: a pre-trained network sees samples, not seconds."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scale:
    """How a recording is resampled, so that its bursts have the length that the network knows.

    Args:
        up: int. Samples that come out.
        down: int. Samples that go in for them.
        frequency: float. Hz, of the recording's bursts; NaN where it is not known.
        burst_length: float. Samples of the recording between the points of -20 dB of a burst; NaN where not known.
        why: str. What the choice rests on, for people.
    """

    up: int
    down: int
    frequency: float
    burst_length: float
    why: str

    @property
    def ratio(self):
        """Samples for the network in each sample of the recording."""
        return self.up / self.down
