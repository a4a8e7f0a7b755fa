"""The camera as the only reader of a post without a scanner: it watches its place and reads a page once it lies still.

Every few tenths of a second an image, made small, is held against the one before. What has changed and lies still is
read; where characters are in doubt, up to three images are, and all have a vote (frames.py). One page is reported once
for as long as it lies there.

Where no printed lines are seen the place is empty (lying.py) and what is shown stays, or it is not, and then the result
before is not of what lies there: at the second such image the light goes dark, and a page that has print on it is
reported at the third, unread. What moves for long is no page yet, and goes dark too: it is to be laid still. A camera
that fails goes dark at once: nobody sees any more whose page lies there.
"""

import threading
from collections.abc import Callable
from typing import Final

from appliance.booth.frames import Frames, Sight
from appliance.booth.lying import Lying, lying
from appliance.booth.second_reader import NO_IMAGE, OVERTAKEN, Look
from appliance.errors import Malformed
from appliance.model import CameraReading
from appliance.recorded import PICTURE_BYTES_MAX
from drivers.api import Camera, DeviceError, DeviceState, Frame, Image, Noise, ScannerEvent, StateChanged

LOOK_EVERY_S: Final = 0.3
STEP: Final = 10
"""Grey levels: noise changes no pixel of a small image by so much."""
MOVED_MIN: Final = 6
"""Pixels that changed: another name on the same page is more, a speck of dust is not."""
BLACK: Final = 24
"""Grey level below which everything is in an image that shows nothing: lamp off, lens covered."""
UNREAD_MIN: Final = 2
"""Still images without lines, until what is shown is taken for another page's: a hand that takes a page rests less."""
MOVING_MAX: Final = 10
"""Images in a row that each differ from the one before, three seconds and more: a page held in the air."""
DIALECT: Final = "camera"


def moved(before: bytes, now: bytes) -> bool:
    """Whether two small images differ by more than noise."""
    if len(before) != len(now) or not now:
        return True
    return sum(abs(was - grey) >= STEP for was, grey in zip(before, now, strict=True)) >= MOVED_MIN


class PageWatch:
    """A scanner (drivers.api.Scanner) that is a camera, and the camera itself for whoever wants a picture."""

    def __init__(self, camera: Camera, sight: Sight, *, every_s: float = LOOK_EVERY_S) -> None:
        self._camera = camera
        self._sight = sight
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._deliver: Callable[[ScannerEvent], None] = lambda _event: None
        self._state: StateChanged | None = None
        self._before = b""
        self._done = b""
        self._frames = Frames(sight.vote)
        self._moving = 0
        self._reported: tuple[str, ...] = ()
        self._look: tuple[int, Look] = (0, Look(reading=CameraReading(why=OVERTAKEN)))
        self._number = 0

    def start(self, deliver: Callable[[ScannerEvent], None]) -> None:
        """Watch in a thread of its own; `deliver` is called from that thread."""
        self._deliver = deliver
        self._thread = threading.Thread(target=self._run, name="page watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the image under way."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def look(self, number: int) -> Look:
        """What was seen of the document of this number; there already, for it came from here."""
        known, look = self._look
        return look if known == number else Look(reading=CameraReading(why=OVERTAKEN))

    def capture(self, *, bytes_max: int) -> Image:
        """Take one image; as drivers.api.Camera."""
        return self._camera.capture(bytes_max=bytes_max)

    def close(self) -> None:
        """Release the camera."""
        self._camera.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._look_once()
            self._stopping.wait(self._every_s)

    def _look_once(self) -> None:
        """One image, and what follows from it."""
        try:
            image = self.capture(bytes_max=PICTURE_BYTES_MAX)
            small = self._sight.glance(image.jpeg)
        except DeviceError as error:
            self._fail(str(error))
            return
        except Malformed:
            self._fail("the camera's image cannot be read")
            return
        if max(small, default=0) < BLACK:
            self._fail("the camera's image is black: look at its lamp and its lens")
            return
        self._say(DeviceState.READY, "ready")
        was, self._before = self._before, small
        if moved(was, small):
            self._done, self._frames = b"", Frames(self._sight.vote)
            self._moving += 1
            if self._moving == MOVING_MAX:
                self._go_dark("nothing lies still")
            return
        self._moving = 0
        if moved(self._done, small):
            self._read(image, small)

    def _read(self, image: Image, small: bytes) -> None:
        """Read what lies still; report it when it is sure, or after enough tries."""
        try:
            reading = self._sight.read(image.jpeg)
        except Malformed:
            reading = CameraReading(why=NO_IMAGE)
        self._frames.add(image, reading)
        together = self._frames.reading or reading
        if together.lines:
            if self._frames.enough:
                self._done = small
                self._report(together)
            return
        there = lying(small)
        if there is Lying.NOTHING:
            self._done, self._reported = small, ()
            return
        if self._frames.count == UNREAD_MIN:
            self._go_dark("no printed lines on what lies there")
        if self._frames.enough:
            self._done = small
            if there is Lying.PAGE:
                self._give(together, self._frames.image or image)

    def _report(self, reading: CameraReading) -> None:
        if reading.lines != self._reported:  # else the same page, nudged
            self._reported = reading.lines
            self._give(reading, self._frames.image)

    def _give(self, reading: CameraReading, image: Image | None) -> None:
        assert image is not None, "what was read was read in an image"
        self._number += 1
        self._look = (self._number, Look(reading=reading, image=image))
        self._deliver(Frame(dialect=DIALECT, lines=reading.lines, raw=image.jpeg))

    def _go_dark(self, why: str) -> None:
        """What is shown is not of what lies there; a page that was covered or lifted is reported anew."""
        self._reported = ()
        self._deliver(Noise(count=0, why=why))

    def _fail(self, why: str) -> None:
        """Nobody sees any more whether the page of the result before still lies there; what lies there then is new."""
        self._say(DeviceState.FAULTED, why)
        if self._before:
            self._before = self._done = b""
            self._go_dark(why)

    def _say(self, state: DeviceState, why: str) -> None:
        """Under a scanner's name: the log says by that name whether the post could read (exhibit/interval.py)."""
        said = StateChanged(device="scanner", state=state, why=why)
        if said != self._state:
            self._state = said
            self._deliver(said)
