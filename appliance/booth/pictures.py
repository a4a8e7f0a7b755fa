"""After the light: the camera's picture of the page, an entry of its own; no result ever waits for it.

A picture that may show the next person's page is thrown away; one that the recorder refuses (the disk is filling) is
said quietly on the page. Nothing here is tried for long: the record stands without its picture.
"""

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.booth.outbox import Outbox, Parcel
from appliance.clock import Clock
from appliance.model import Id, Priority
from appliance.recorded import PICTURE_BYTES_MAX, Crossing, Person, Picture
from drivers.api import Camera, DeviceError, Image

JOBS_MAX: Final = 4
"""Results whose picture is still to be taken; with more, the camera is too slow for this lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A picture to be taken.

    Attributes:
        still_lies: Whether no other document has been laid since.
        image: What the camera has of it already; None when it is still to be taken.
        take: How to take it, where not by white light; raises DeviceError.
    """

    of: Id
    crossing: Crossing
    person: Person
    still_lies: Callable[[], bool]
    image: Image | None = None
    take: Callable[[], Image] | None = None


class Pictures:
    """Takes pictures in a thread of its own, over a line of its own.

    Args:
        notice: Told, in words for the officer, when a picture could not be taken or kept; from this thread.
    """

    def __init__(self, camera: Camera, outbox: Outbox, clock: Clock, notice: Callable[[str], None]) -> None:
        self._camera = camera
        self._outbox = outbox
        self._clock = clock
        self._notice = notice
        self._wanted: queue.Queue[Wanted | None] = queue.Queue(maxsize=JOBS_MAX)
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)

    def start(self) -> None:
        """Begin to take pictures."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the picture under way and release the camera."""
        self._wanted.put(None)
        self._thread.join()
        self._camera.close()

    def want(self, wanted: Wanted) -> None:
        """Ask for a picture; returns at once."""
        try:
            self._wanted.put_nowait(wanted)
        except queue.Full:
            self._notice("The camera is slower than the lane: no picture of this page.")

    def _run(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            self._take(wanted)

    def _take(self, wanted: Wanted) -> None:
        image = wanted.image or self._photographed(wanted)
        if image is None:
            return
        picture = Picture(of=wanted.of, media_type="image/jpeg", content=image.jpeg, captured=image.captured)
        self._outbox.put(
            Parcel(
                record_id=os.urandom(16).hex(),
                at=self._clock.now(),
                crossing=wanted.crossing,
                person=wanted.person,
                body=picture,
                priority=Priority.BULK,
            )
        )
        self._outbox.flush(self._kept)
        self._outbox.give_up()

    def _photographed(self, wanted: Wanted) -> Image | None:
        try:
            image = wanted.take() if wanted.take else self._camera.capture(bytes_max=PICTURE_BYTES_MAX)
        except DeviceError as error:
            self._notice(f"No picture of this page: {error}.")
            return None
        return image if wanted.still_lies() else None

    def _kept(self, _: Parcel, *, kept: bool) -> None:
        if not kept:
            self._notice(f"The picture of this page was not kept: {self._outbox.why}")
