"""Images of one page, taken one after the other until what they say together leaves no doubt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from appliance.examine.second import unsure
from appliance.model import CameraReading
from drivers.api import Image

FRAMES_MAX: Final = 3
"""Images of one page, until its reading is taken as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How images are understood.

    Attributes:
        read: The lines in a stored image; raises Malformed.
        vote: One reading of several images of the same page, one at least.
        glance: A stored image made small: grey levels, always as many; raises Malformed.
    """

    read: Callable[[bytes], CameraReading]
    vote: Callable[[Sequence[CameraReading]], CameraReading]
    glance: Callable[[bytes], bytes]


class Frames:
    """The images of one page so far."""

    def __init__(self, vote: Callable[[Sequence[CameraReading]], CameraReading]) -> None:
        self._vote = vote
        self._seen: list[tuple[Image, CameraReading]] = []
        self._together: CameraReading | None = None

    def add(self, image: Image, reading: CameraReading) -> None:
        """One more image, and what was read in it."""
        self._seen.append((image, reading))
        self._together = self._vote([each for _, each in self._seen]) if len(self._seen) > 1 else reading

    @property
    def count(self) -> int:
        """How many images there are."""
        return len(self._seen)

    @property
    def reading(self) -> CameraReading | None:
        """What all images say together; None before the first."""
        return self._together

    @property
    def image(self) -> Image | None:
        """The one that the reading names: the record keeps it."""
        named = self._together.image_sha256 if self._together else None
        return next((image for image, reading in self._seen if reading.image_sha256 == named), None)

    @property
    def enough(self) -> bool:
        """Whether another image would be in vain, or one too many: what is sure of every character mends no digit."""
        reading = self._together
        if reading is None:
            return False
        in_vain = not reading.doubt or (bool(reading.percent) and not unsure(reading))
        return in_vain or len(self._seen) >= FRAMES_MAX
