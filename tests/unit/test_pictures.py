"""A picture never delays a light, never shows another person's page, and is refused aloud."""

import threading
from dataclasses import dataclass, field

import pytest

from appliance.booth.outbox import Outbox
from appliance.booth.pictures import JOBS_MAX, Pictures, Wanted
from appliance.model import Mode, Priority
from appliance.recorded import Crossing, Direction, DocumentBasis, Person, Picture
from drivers.api import DeviceError, Image
from tests.small_post import MemoryRecorder, PaperClock

OF = "a" * 32
CROSSING = Crossing(id="b" * 32, direction=Direction.ENTRY, lane="1")
PERSON = Person(id="c" * 32, number=1, document_basis=DocumentBasis.PASSPORT)


@dataclass
class HandCamera:
    """A camera that opens its shutter when the test says so."""

    broken: bool = False
    shutter: threading.Event = field(default_factory=threading.Event)

    def capture(self, *, bytes_max: int) -> Image:
        assert self.shutter.wait(10)
        if self.broken:
            raise DeviceError("the camera gives no image")
        return Image(jpeg=b"\xff\xd8" + bytes(min(100_000, bytes_max - 2)), captured={"light": "white"})

    def close(self) -> None:
        self.shutter.set()


@dataclass
class Desk:
    """A camera, a recorder, and what the officer was told."""

    recorder: MemoryRecorder = field(default_factory=MemoryRecorder)
    camera: HandCamera = field(default_factory=HandCamera)
    notices: list[str] = field(default_factory=list)

    def take(self, *, wanted: int = 1, still_lies: bool = True) -> None:
        """Ask for pictures, then open the shutter and let all be finished."""
        outbox = Outbox(self.recorder, self.recorder, mode=Mode.LIVE)
        pictures = Pictures(self.camera, outbox, PaperClock(), self.notices.append)
        for _ in range(wanted):
            pictures.want(Wanted(of=OF, crossing=CROSSING, person=PERSON, still_lies=lambda: still_lies))
        self.camera.shutter.set()
        pictures.start()
        pictures.stop()


def test_a_picture_is_an_entry_of_its_own_that_names_its_record_and_travels_last() -> None:
    desk = Desk()
    desk.take()
    (record,) = desk.recorder.records
    assert isinstance(record.body, Picture)
    assert (record.body.of, record.body.media_type, len(record.body.content)) == (OF, "image/jpeg", 100_002)
    assert (record.crossing, record.person) == (CROSSING, PERSON)
    assert desk.recorder.priorities == [Priority.BULK]
    assert desk.notices == []


def test_a_picture_that_may_show_the_next_page_is_thrown_away() -> None:
    desk = Desk()
    desk.take(still_lies=False)
    assert desk.recorder.records == []


def test_a_picture_under_another_lamp_is_taken_as_its_result_says() -> None:
    desk = Desk()
    pictures = Pictures(
        desk.camera, Outbox(desk.recorder, desk.recorder, mode=Mode.LIVE), PaperClock(), desk.notices.append
    )
    dull = Image(jpeg=b"dull", captured={"light": "ultraviolet"})
    pictures.want(Wanted(of=OF, crossing=CROSSING, person=PERSON, still_lies=lambda: True, take=lambda: dull))
    pictures.start()
    pictures.stop()
    (record,) = desk.recorder.records
    assert isinstance(record.body, Picture)
    assert (record.body.content, record.body.captured) == (b"dull", {"light": "ultraviolet"})


@pytest.mark.parametrize(("trouble", "words"), [("full", "disk of the box is full"), ("away", "does not answer")])
def test_a_refused_picture_is_said_and_not_tried_for_ever(trouble: str, words: str) -> None:
    desk = Desk(recorder=MemoryRecorder(trouble=trouble))
    desk.take()
    assert len(desk.notices) == 1
    assert words in desk.notices[0]


def test_a_camera_without_an_image_is_said() -> None:
    desk = Desk(camera=HandCamera(broken=True))
    desk.take()
    assert desk.notices == ["No picture of this page: the camera gives no image."]


def test_a_camera_slower_than_the_lane_loses_pictures_aloud_and_delays_nothing() -> None:
    desk = Desk()
    desk.take(wanted=JOBS_MAX + 2)
    assert len(desk.notices) == 2
    assert len(desk.recorder.records) == JOBS_MAX
