"""The camera as a second reader: an image of each document the moment it is laid, read beside the lane.

The lane asks what was seen when it judges the document, and waits until a fixed time after the scanner's last byte, no
longer: what is not there then is "unavailable", and the light comes; of a late reading only one thing is said, quietly,
that two documents lie there. While a reading leaves doubt and time is left for
another, another image is taken, and all of them have a vote (frames.py). One thread takes images and another reads
them, each one at a time: a page whose reading is late has its picture all the same. A document that is laid while
another's image is being read takes the next turn, and one that was overtaken is not looked at.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.booth.frames import Frames, Sight
from appliance.errors import Malformed
from appliance.examine.second import TWO_BESIDE_A_SCANNER
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
    """One document laid.

    Attributes:
        asked_s: When the newest image was asked for.
        asked: An image is to be taken.
        unread: The newest image, until it is read.
        why: Why there is no reading.
        settled: What is known now is all there will be.
        late: The lane was told that there is no reading yet, and has gone on.
    """

    number: int
    laid_s: float
    frames: Frames
    asked_s: float
    asked: bool = True
    unread: Image | None = None
    image: Image | None = None
    why: str = ""
    settled: bool = False
    late: bool = False


class SecondReader:
    """Looks at what lies there (a drivers.api.Camera itself, for pictures after the light).

    Args:
        sight: How images are understood.
        wait_s: How long after a document was laid `look` may wait.
        notice: Told, in words for the officer, what somebody should know of a page whose reading came late.
    """

    def __init__(self, camera: Camera, sight: Sight, *, wait_s: float, notice: Callable[[str], None]) -> None:
        self._camera = camera
        self._sight = sight
        self._wait_s = wait_s
        self._notice = notice
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
            now_s = time.monotonic()
            self._job = _Job(number=number, laid_s=now_s, asked_s=now_s, frames=Frames(self._sight.vote))
            self._changed.notify_all()

    def look(self, number: int) -> Look:
        """What was seen of the document of this number, waiting until `wait_s` after it was laid."""
        with self._changed:
            job = self._job
            if job is None or job.number != number:
                return Look(reading=CameraReading(why=OVERTAKEN))
            left_s = job.laid_s + self._wait_s - time.monotonic()
            self._changed.wait_for(lambda: job.settled or job is not self._job, timeout=max(0.0, left_s))
            reading = job.frames.reading
            job.late = reading is None
            if reading is None and job is not self._job:  # the image may be of the next page
                return Look(reading=CameraReading(why=OVERTAKEN))
            return Look(reading=reading or CameraReading(why=job.why or LATE), image=job.frames.image or job.image)

    def capture(self, *, bytes_max: int) -> Image:
        """Take one image, or wait for this document's first where that is under way; as drivers.api.Camera.

        A page is taken back soon after its light: the image that was asked for earlier shows it, the next may not.
        """
        with self._changed:
            job = self._job
            if job is not None and not job.image and not job.settled:
                self._changed.wait_for(lambda: job.image or job.settled or job is not self._job or self._stopping)
                if job.image:
                    return job.image
        return self._camera.capture(bytes_max=bytes_max)

    def close(self) -> None:
        """Release the camera."""
        self._camera.close()

    def _take_images(self) -> None:
        while job := self._next(lambda job: job.asked):
            job.asked = False
            try:
                image = self._camera.capture(bytes_max=PICTURE_BYTES_MAX)
            except DeviceError as error:
                with self._changed:
                    job.why, job.settled = f"{error}.", True
                    self._changed.notify_all()
                continue
            with self._changed:
                if job is self._job:  # else the next page may be in this image
                    job.unread = image
                    job.image = job.image or image
                    self._changed.notify_all()

    def _read_images(self) -> None:
        self._seen(b"")  # loads the networks before somebody waits for them
        while job := self._next(lambda job: job.unread is not None):
            image, job.unread = job.unread, None
            assert image is not None, "it was waited for"
            reading = self._seen(image.jpeg)
            with self._changed:
                job.frames.add(image, reading)
                job.settled = job.frames.enough or not self._time_for_another(job)
                job.asked = not job.settled
                unsaid = job.late and reading.another and job is self._job
                self._changed.notify_all()
            if unsaid:
                self._notice(TWO_BESIDE_A_SCANNER)

    def _time_for_another(self, job: _Job) -> bool:
        """Whether an image that takes as long as the newest one did is read in time; it counts from now."""
        now_s = time.monotonic()
        took_s, job.asked_s = now_s - job.asked_s, now_s
        return now_s + took_s < job.laid_s + self._wait_s

    def _next(self, wanted: Callable[[_Job], bool]) -> _Job | None:
        """Wait for the document to work on; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or (self._job is not None and wanted(self._job)))
            return None if self._stopping else self._job

    def _seen(self, jpeg: bytes) -> CameraReading:
        try:
            return self._sight.read(jpeg)
        except Malformed:
            return CameraReading(why=NO_IMAGE)
