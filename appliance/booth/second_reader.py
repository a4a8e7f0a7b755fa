"""The camera as a second reader: an image of each document the moment it is laid, read beside the lane.

The lane asks what was seen when it judges the document, and waits until a fixed time after the scanner's last byte, no
longer: what is not there then is "unavailable", and the light comes. One thread takes images and another reads them,
each one at a time: a page whose reading is late has its picture all the same. A document that is laid while another's
image is being read takes the next turn, and one that was overtaken is not looked at.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.errors import Malformed
from appliance.model import CameraReading
from appliance.recorded import PICTURE_BYTES_MAX
from drivers.api import Camera, DeviceError, Image

LATE: Final = "it was not there in time."
OVERTAKEN: Final = "another document was laid too soon after."
NO_IMAGE: Final = "the image cannot be read."


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the camera has of one document.

    Attributes:
        reading: Its lines, or why there are none.
        image: The stored image, None when there is none of this document.
    """

    reading: CameraReading
    image: Image | None = None


@dataclass(slots=True, kw_only=True)
class _Job:
    number: int
    laid_s: float
    taken: bool = False
    read: bool = False
    image: Image | None = None
    reading: CameraReading | None = None


class SecondReader:
    """Looks at what lies there (a drivers.api.Camera itself, for pictures after the light).

    Args:
        read: Reads an image; raises Malformed.
        wait_s: How long after a document was laid `look` may wait.
    """

    def __init__(self, camera: Camera, read: Callable[[bytes], CameraReading], *, wait_s: float) -> None:
        self._camera = camera
        self._one_at_a_time = threading.Lock()
        self._read = read
        self._wait_s = wait_s
        self._changed = threading.Condition()
        self._job: _Job | None = None
        self._stopping = False
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("second look", self._take_images), ("second reader", self._read_images))
        ]

    def start(self) -> None:
        """Begin to look."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the image under way."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def laid(self, number: int) -> None:
        """A document was laid; returns at once."""
        with self._changed:
            self._job = _Job(number=number, laid_s=time.monotonic())
            self._changed.notify_all()

    def look(self, number: int) -> Look:
        """What was seen of the document of this number, waiting until `wait_s` after it was laid."""
        with self._changed:
            job = self._job
            if job is None or job.number != number:
                return Look(reading=CameraReading(why=OVERTAKEN))
            left_s = job.laid_s + self._wait_s - time.monotonic()
            self._changed.wait_for(lambda: job.reading is not None or job is not self._job, timeout=max(0.0, left_s))
            if job is not self._job and job.reading is None:  # the image may be of the next page
                return Look(reading=CameraReading(why=OVERTAKEN))
            return Look(reading=job.reading or CameraReading(why=LATE), image=job.image)

    def capture(self, *, bytes_max: int) -> Image:
        """Take one image; as drivers.api.Camera."""
        with self._one_at_a_time:
            return self._camera.capture(bytes_max=bytes_max)

    def close(self) -> None:
        """Release the camera."""
        self._camera.close()

    def _take_images(self) -> None:
        while job := self._next(lambda job: not job.taken):
            job.taken = True
            try:
                image = self.capture(bytes_max=PICTURE_BYTES_MAX)
            except DeviceError as error:
                self._tell(job, CameraReading(why=f"{error}."))
                continue
            with self._changed:
                if job is self._job:  # else the next page may be in this image
                    job.image = image
                    self._changed.notify_all()

    def _read_images(self) -> None:
        self._seen(b"")  # loads the networks before somebody waits for them
        while job := self._next(lambda job: job.image is not None and not job.read):
            job.read = True
            assert job.image is not None, "it was waited for"
            self._tell(job, self._seen(job.image.jpeg))

    def _next(self, wanted: Callable[[_Job], bool]) -> _Job | None:
        """Wait for the document to work on; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or (self._job is not None and wanted(self._job)))
            return None if self._stopping else self._job

    def _seen(self, jpeg: bytes) -> CameraReading:
        try:
            return self._read(jpeg)
        except Malformed:
            return CameraReading(why=NO_IMAGE)

    def _tell(self, job: _Job, reading: CameraReading) -> None:
        with self._changed:
            job.reading = reading
            self._changed.notify_all()
