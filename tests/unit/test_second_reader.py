"""The camera's second look: bounded in time, never of the wrong page, and a late reading costs no picture."""

import hashlib
import queue
import threading
from collections.abc import Iterator

import pytest

from appliance.booth.frames import Sight
from appliance.booth.second_reader import LATE, OVERTAKEN, SecondReader
from appliance.errors import Malformed
from appliance.model import CameraReading
from appliance.ocr.voting import vote
from drivers.api import DeviceError, Image

WAIT_S = 10.0
# Doc 9303-5 appendix B
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")


class PagesInARow:
    """A camera that shows each document's number; `taken` says which it has looked at."""

    def __init__(self) -> None:
        self.count = 0
        self.away = False
        self.taken = threading.Semaphore(0)

    def capture(self, *, bytes_max: int) -> Image:
        assert bytes_max > 0
        if self.away:
            raise DeviceError("no camera answers")
        self.count += 1
        self.taken.release()
        return Image(jpeg=b"page %d" % self.count, captured={})

    def close(self) -> None:
        pass


class SlowCamera(PagesInARow):
    """Opens its shutter when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.may = threading.Event()

    def capture(self, *, bytes_max: int) -> Image:
        self.asked.set()
        assert self.may.wait(WAIT_S)
        return super().capture(bytes_max=bytes_max)


class SlowEyes:
    """Reads an image when it is told to."""

    def __init__(self) -> None:
        self.may = threading.Event()

    def read(self, jpeg: bytes) -> CameraReading:
        if not jpeg:
            raise Malformed("picture", "empty")
        assert self.may.wait(WAIT_S)
        return CameraReading(why=jpeg.decode())


@pytest.fixture
def camera() -> PagesInARow:
    return PagesInARow()


@pytest.fixture
def eyes() -> SlowEyes:
    return SlowEyes()


def looking(camera: PagesInARow, eyes: SlowEyes, wait_s: float) -> Iterator[SecondReader]:
    reader = SecondReader(camera, Sight(read=eyes.read, vote=vote, glance=bytes), wait_s=wait_s, notice=[].append)
    reader.start()
    yield reader
    eyes.may.set()
    reader.stop()


@pytest.fixture
def patient(camera: PagesInARow, eyes: SlowEyes) -> Iterator[SecondReader]:
    yield from looking(camera, eyes, WAIT_S)


@pytest.fixture
def hasty(camera: PagesInARow, eyes: SlowEyes) -> Iterator[SecondReader]:
    yield from looking(camera, eyes, 0.0)


def test_what_is_read_in_time_is_told_with_its_image(patient: SecondReader, eyes: SlowEyes) -> None:
    eyes.may.set()
    patient.laid(1)
    look = patient.look(1)
    assert (look.reading.why, look.image and look.image.jpeg) == ("page 1", b"page 1")


def test_a_late_reading_costs_no_picture_not_even_the_next_one(
    hasty: SecondReader, camera: PagesInARow, eyes: SlowEyes
) -> None:
    for number in (1, 2):  # the reading of the first goes on while the second is looked at
        hasty.laid(number)
        assert camera.taken.acquire(timeout=WAIT_S)
        while (look := hasty.look(number)).image is None:
            threading.Event().wait(0.001)
        assert (look.reading.why, look.image.jpeg) == (LATE, b"page %d" % number)
    assert not eyes.may.is_set()


def test_a_late_image_is_the_picture_and_no_other_is_taken(eyes: SlowEyes) -> None:
    camera = SlowCamera()
    reader = SecondReader(camera, Sight(read=eyes.read, vote=vote, glance=bytes), wait_s=0.0, notice=[].append)
    reader.start()
    reader.laid(1)
    assert camera.asked.wait(WAIT_S)
    assert reader.look(1).image is None
    threading.Timer(0.05, camera.may.set).start()
    assert (reader.capture(bytes_max=1_000).jpeg, camera.count) == (b"page 1", 1)
    eyes.may.set()
    reader.stop()


def test_a_document_that_was_overtaken_has_neither(patient: SecondReader) -> None:
    patient.laid(1)
    patient.laid(2)
    look = patient.look(1)
    assert (look.reading.why, look.image) == (OVERTAKEN, None)


def test_a_camera_that_is_away_is_said_at_once(patient: SecondReader, camera: PagesInARow) -> None:
    camera.away = True
    patient.laid(1)
    look = patient.look(1)
    assert (look.reading.why, look.image) == ("no camera answers.", None)


class EyesThatSeeTwoDocuments(SlowEyes):
    """In the first image; in the next one again only one."""

    def read(self, jpeg: bytes) -> CameraReading:
        reading = super().read(jpeg)
        return CameraReading(lines=TD1, raw=TD1, percent=bytes([99] * 90), another=reading.why == "page 1")


def test_two_documents_are_said_also_where_the_reading_is_late_and_once(camera: PagesInARow) -> None:
    eyes, said = EyesThatSeeTwoDocuments(), queue.SimpleQueue[str]()
    reader = SecondReader(camera, Sight(read=eyes.read, vote=vote, glance=bytes), wait_s=0.0, notice=said.put)
    reader.start()
    reader.laid(1)
    assert reader.look(1).reading.why == LATE
    eyes.may.set()
    assert said.get(timeout=WAIT_S).startswith("Two documents lie there.")
    reader.laid(2)
    assert camera.taken.acquire(timeout=WAIT_S)
    assert camera.taken.acquire(timeout=WAIT_S)
    reader.stop()
    assert said.empty()


class EyesThatNeedASecondLook:
    """In doubt about the first image, sure of the second."""

    def __init__(self) -> None:
        self.read_so_far: list[bytes] = []

    def read(self, jpeg: bytes) -> CameraReading:
        if not jpeg:
            raise Malformed("picture", "empty")
        self.read_so_far.append(jpeg)
        sure = 60 if len(self.read_so_far) == 1 else 99
        digest = hashlib.sha256(jpeg).digest()
        return CameraReading(
            lines=TD1, raw=TD1, percent=bytes([sure]) * 90, doubt=sure < 85, why="hard", image_sha256=digest
        )


@pytest.mark.parametrize(("wait_s", "images"), [(WAIT_S, 2), (0.0, 1)])
def test_another_image_is_taken_while_there_is_doubt_and_time(camera: PagesInARow, wait_s: float, images: int) -> None:
    eyes = EyesThatNeedASecondLook()
    reader = SecondReader(camera, Sight(read=eyes.read, vote=vote, glance=bytes), wait_s=wait_s, notice=[].append)
    reader.start()
    reader.laid(1)
    while not (look := reader.look(1)).reading.lines:
        threading.Event().wait(0.001)
    reader.stop()
    assert (look.reading.doubt, len(eyes.read_so_far), camera.count) == (images == 1, images, images)
    assert look.image is not None
    assert look.image.jpeg == b"page %d" % images
