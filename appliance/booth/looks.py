"""What the camera is asked for while a document is judged: the page that was typed in, and the page in infrared light.

Both are answered by one thread of their own, and the lane waits for either no longer than box.toml says; what is not
there then is "unavailable", and the light comes.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from msgspec import structs

from appliance.booth.second_reader import LATE, NO_IMAGE, Look
from appliance.errors import Malformed
from appliance.model import CameraReading, InfraredReading
from appliance.recorded import PICTURE_BYTES_MAX
from drivers.api import DeviceError, Light, LitCamera

T = TypeVar("T")
MOVED: Final = "the page was moved while it was looked at."
NOT_SURE: Final = "the page was not read surely under white light."


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """How images are understood.

    Attributes:
        read: The lines in a stored image; raises Malformed.
        infrared: What an infrared image shows of the lines in a stored one; raises Malformed.
        moved: Whether the page lies otherwise in the second image than in the first; raises Malformed.
    """

    read: Callable[[bytes], CameraReading]
    infrared: Callable[[bytes, bytes], InfraredReading]
    moved: Callable[[bytes, bytes], bool]


class Looks:
    """Takes images when the lane asks for them.

    Args:
        camera: Over the document's place.
        eyes: How its images are understood.
        wait_s: How long the lane waits for each.
    """

    def __init__(self, camera: LitCamera, eyes: Eyes, *, wait_s: float) -> None:
        self._camera = camera
        self._eyes = eyes
        self._wait_s = wait_s
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="looks")

    def stop(self) -> None:
        """Finish the image under way."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def at_typed(self) -> Look:
        """What lies there while a document is typed in."""
        late = Look(reading=CameraReading(why=LATE))
        return self._in_time(self._thread.submit(self._read_now), late)

    def in_infrared(self, look: Look) -> Look:
        """The same look, and what infrared light shows of its lines; as it is where no such lamp is fitted."""
        if Light.INFRARED not in self._camera.lights:
            return look
        if look.image is None or not look.reading.lines or look.reading.doubt:
            return _with(look, InfraredReading(why=NOT_SURE))
        white = look.image.jpeg
        late = InfraredReading(why=LATE)
        return _with(look, self._in_time(self._thread.submit(self._read_in_infrared, white), late))

    def _in_time(self, asked: Future[T], late: T) -> T:
        try:
            return asked.result(timeout=self._wait_s)
        except TimeoutError:
            return late

    def _read_now(self) -> Look:
        try:
            image = self._camera.capture(bytes_max=PICTURE_BYTES_MAX)
        except DeviceError as error:
            return Look(reading=CameraReading(why=f"{error}."))
        try:
            return Look(reading=self._eyes.read(image.jpeg), image=image)
        except Malformed:
            return Look(reading=CameraReading(why=NO_IMAGE), image=image)

    def _read_in_infrared(self, white: bytes) -> InfraredReading:
        """Ink that is not seen is believed to be none only where the page lies after as it lay before."""
        try:
            image = self._camera.capture_under(Light.INFRARED, bytes_max=PICTURE_BYTES_MAX)
            found = self._eyes.infrared(white, image.jpeg)
            if found.seen == 100 or found.seen is None:
                return found
            after = self._camera.capture(bytes_max=PICTURE_BYTES_MAX)
            return InfraredReading(why=MOVED) if self._eyes.moved(white, after.jpeg) else found
        except DeviceError as error:
            return InfraredReading(why=f"{error}.")
        except Malformed:
            return InfraredReading(why=NO_IMAGE)


def _with(look: Look, infrared: InfraredReading) -> Look:
    return replace(look, reading=structs.replace(look.reading, infrared=infrared))
