"""The camera as a second reader: an image of each document the moment it is laid, read beside the lane.

The lane asks what was seen when it judges the document, and waits until a fixed time after the scanner's last byte, no
longer: what is not there then is "unavailable", and the light comes. One thread, one image at a time; a document that
is laid while another's image is being read takes the next turn, and one that was overtaken is not looked at.
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
    begun: bool = False
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
        self._thread = threading.Thread(target=self._run, name="second reader", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the image under way."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

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

    def _run(self) -> None:
        self._seen(b"")  # loads the networks before somebody waits for them
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or (self._job is not None and not self._job.begun))
                job = self._job
                if self._stopping or job is None:
                    return
                job.begun = True
            self._look_at(job)

    def _look_at(self, job: _Job) -> None:
        try:
            image = self.capture(bytes_max=PICTURE_BYTES_MAX)
        except DeviceError as error:
            self._tell(job, None, CameraReading(why=f"{error}."))
            return
        with self._changed:
            if job is not self._job:
                return  # the next page may be in this image
            job.image = image
        self._tell(job, image, self._seen(image.jpeg))

    def _seen(self, jpeg: bytes) -> CameraReading:
        try:
            return self._read(jpeg)
        except Malformed:
            return CameraReading(why=NO_IMAGE)

    def _tell(self, job: _Job, image: Image | None, reading: CameraReading) -> None:
        with self._changed:
            job.image, job.reading = image, reading
            self._changed.notify_all()
