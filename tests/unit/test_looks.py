"""The camera asked while a document is judged: bounded in time, and ink is only missed on a page that lay still."""

import threading
from dataclasses import dataclass, field

import pytest

from appliance.booth.looks import MOVED, NOT_SURE, Eyes, Looks
from appliance.booth.second_reader import LATE, NO_IMAGE, Look
from appliance.errors import Malformed
from appliance.model import CameraReading, InfraredReading
from drivers.api import DeviceError, Image, Light

SURE = Look(reading=CameraReading(lines=("P<",), doubt=False), image=Image(jpeg=b"page", captured={}))
VANISHED = InfraredReading(seen=0, vanished=bytes([0, 1]))


@dataclass
class Stand:
    """A camera and eyes that answer as they are told; `taken` is what was lit for each image."""

    lights: frozenset[Light] = frozenset({Light.INFRARED})
    found: InfraredReading = VANISHED
    after: bytes = b"page"
    away: bool = False
    blind: bool = False
    taken: list[Light] = field(default_factory=list)
    shutter: threading.Event = field(default_factory=threading.Event)

    def capture(self, *, bytes_max: int) -> Image:
        return self.capture_under(Light.WHITE, bytes_max=bytes_max)

    def capture_under(self, light: Light, *, bytes_max: int) -> Image:
        assert bytes_max > 0
        assert self.shutter.wait(10)
        if self.away:
            raise DeviceError("no camera answers")
        self.taken.append(light)
        return Image(jpeg=self.after, captured={})

    def close(self) -> None:
        """Nothing to release."""

    def read(self, jpeg: bytes) -> CameraReading:
        if self.blind:
            raise Malformed("picture", "cut")
        return CameraReading(lines=("P<",), why=jpeg.decode())

    def infrared(self, _white: bytes, _infrared: bytes) -> InfraredReading:
        if self.blind:
            raise Malformed("picture", "cut")
        return self.found

    def looks(self, *, wait_s: float = 10.0) -> Looks:
        eyes = Eyes(read=self.read, infrared=self.infrared, moved=lambda before, now: before != now)
        return Looks(self, eyes, wait_s=wait_s)

    def in_infrared(self, look: Look = SURE) -> InfraredReading | None:
        self.shutter.set()
        looks = self.looks()
        reading = looks.in_infrared(look).reading
        looks.stop()
        return reading.infrared


def test_without_an_infrared_lamp_a_look_stays_as_it_is() -> None:
    stand = Stand(lights=frozenset())
    assert stand.in_infrared() is None
    assert stand.taken == []


def test_lines_that_are_seen_take_one_image() -> None:
    stand = Stand(found=InfraredReading(seen=100))
    assert stand.in_infrared() == InfraredReading(seen=100)
    assert stand.taken == [Light.INFRARED]


@pytest.mark.parametrize(("after", "told"), [(b"page", VANISHED), (b"a hand", InfraredReading(why=MOVED))])
def test_ink_is_missed_only_where_the_page_lies_after_as_before(after: bytes, told: InfraredReading) -> None:
    stand = Stand(after=after)
    assert stand.in_infrared() == told
    assert stand.taken == [Light.INFRARED, Light.WHITE]


@pytest.mark.parametrize(
    "look",
    [
        Look(reading=CameraReading(why=LATE)),
        Look(reading=CameraReading(lines=("P<",), doubt=True), image=SURE.image),
        Look(reading=SURE.reading),
    ],
)
def test_a_page_that_was_not_read_surely_is_not_looked_at(look: Look) -> None:
    stand = Stand()
    assert stand.in_infrared(look) == InfraredReading(why=NOT_SURE)
    assert stand.taken == []


@pytest.mark.parametrize(("stand", "why"), [(Stand(away=True), "no camera answers."), (Stand(blind=True), NO_IMAGE)])
def test_a_camera_that_fails_says_so(stand: Stand, why: str) -> None:
    assert stand.in_infrared() == InfraredReading(why=why)
    looks = stand.looks()
    assert looks.at_typed().reading.why == why
    looks.stop()


def test_the_lane_waits_no_longer_than_it_is_to_for_either() -> None:
    stand = Stand()
    looks = stand.looks(wait_s=0.02)
    typed, infrared = looks.at_typed(), looks.in_infrared(SURE)
    stand.shutter.set()
    looks.stop()
    assert (typed.reading.why, typed.image) == (LATE, None)
    assert infrared.reading.infrared == InfraredReading(why=LATE)


def test_what_lies_there_while_a_page_is_typed_comes_with_its_image() -> None:
    stand = Stand()
    stand.shutter.set()
    looks = stand.looks()
    look = looks.at_typed()
    looks.stop()
    assert look.reading.lines == ("P<",)
    assert look.image == Image(jpeg=b"page", captured={})
