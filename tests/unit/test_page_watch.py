"""A post without a scanner: the camera watches its place, reads what lies still, and reports a page once."""

import threading
from dataclasses import dataclass, field

import pytest

from appliance.booth.frames import FRAMES_MAX, Sight
from appliance.booth.lying import Lying, lying
from appliance.booth.page_watch import MOVING_MAX, PageWatch, moved
from appliance.config import parse_config
from appliance.errors import ConfigError, Malformed
from appliance.model import CameraReading
from appliance.ocr.voting import vote
from drivers.api import DeviceError, DeviceState, Frame, Image, Noise, ScannerEvent, StateChanged
from tests.unit.test_fitted_hardware import BOX

EMPTY = b"empty"
PAGES = {b"page one": ("P<LAOONE", "1"), b"page two": ("P<LAOTWO", "2"), b"worn": ("P<LAOWORN", "3")}
STRIPES = {b"letter": 4, b"card": 6}
"""Pages without lines: every so many pixels of a row there is ink."""


def small(jpeg: bytes) -> bytes:
    """Another picture for each image; the same but for noise for the same."""
    if jpeg == b"broken":
        raise Malformed("picture", "cut")
    page = jpeg.rstrip(b"~")
    if page == b"black":
        return bytes([3]) * 100
    if page == b"cover":
        return (bytes([90]) * 60 + bytes([220]) * 100) * 120
    if page in STRIPES:
        row = (bytes([90]) + bytes([220]) * (STRIPES[page] - 1)) * 160
        return row[:160] * 120
    return bytes([30 + 20 * [EMPTY, *PAGES].index(page) + len(jpeg) - len(page)]) * 100


@dataclass
class Place:
    """What lies under the camera, image by image."""

    jpegs: list[bytes] = field(default_factory=list)
    read: list[bytes] = field(default_factory=list)
    events: list[ScannerEvent] = field(default_factory=list)
    drained: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def capture(self, *, bytes_max: int) -> Image:
        assert bytes_max > 0
        if not self.jpegs:
            self.drained.set()
            assert self.ended.wait(10)
            raise DeviceError("the test is over")
        jpeg = self.jpegs.pop(0)
        if jpeg == b"unplugged":
            raise DeviceError("the camera gave no image")
        return Image(jpeg=jpeg, captured={})

    def close(self) -> None:
        """Nothing to release."""

    def reading(self, jpeg: bytes) -> CameraReading:
        self.read.append(jpeg)
        lines = PAGES.get(jpeg.rstrip(b"~"), ())
        percent = bytes([60 if jpeg == b"worn" else 99]) * len("".join(lines))
        return CameraReading(lines=lines, raw=lines, percent=percent, doubt=jpeg == b"worn" or not lines)

    def watch(self, *jpegs: bytes) -> PageWatch:
        self.jpegs = list(jpegs)
        watch = PageWatch(self, Sight(read=self.reading, vote=vote, glance=small), every_s=0)
        watch.start(self.happened)
        assert self.drained.wait(10)
        self.ended.set()
        watch.stop()
        return watch

    def happened(self, event: ScannerEvent) -> None:
        if not self.ended.is_set():
            self.events.append(event)

    @property
    def told(self) -> list[tuple[str, ...] | str]:
        """The lines of each page, () for an unread one, and "dark" where the light is to go out."""
        return [
            event.lines if isinstance(event, Frame) else "dark"
            for event in self.events
            if not isinstance(event, StateChanged)
        ]

    @property
    def laid(self) -> list[tuple[str, ...]]:
        return [event.lines for event in self.events if isinstance(event, Frame)]


def test_a_page_that_lies_still_is_reported_once() -> None:
    place = Place()
    watch = place.watch(EMPTY, EMPTY, *[b"page one"] * 5, *[b"page one~"] * 3)
    assert place.laid == [PAGES[b"page one"]]
    assert watch.look(1).reading.lines == PAGES[b"page one"]
    assert watch.look(1).image == Image(jpeg=b"page one", captured={})
    assert watch.look(2).reading.lines == ()


def test_what_still_moves_is_not_read() -> None:
    place = Place()
    place.watch(EMPTY, b"page one", b"page two", b"page one", b"page two")
    assert place.read == []


def test_one_page_after_the_other_and_the_same_again() -> None:
    place = Place()
    place.watch(*[b"page one"] * 3, *[b"page two"] * 3, *[EMPTY] * 3, *[b"page two"] * 3)
    assert place.laid == [PAGES[b"page one"], PAGES[b"page two"], PAGES[b"page two"]]


def test_a_page_in_doubt_is_read_again_and_then_taken_as_it_is() -> None:
    place = Place()
    place.watch(*[b"worn"] * 9)
    assert place.read == [b"worn"] * FRAMES_MAX
    assert place.laid == [PAGES[b"worn"]]


def test_a_page_without_lines_darkens_the_result_before_and_is_reported_unread_with_its_image() -> None:
    place = Place()
    watch = place.watch(*[b"page one"] * 3, *[b"letter"] * 9)
    assert lying(small(b"letter")) is Lying.PAGE
    assert place.told == [PAGES[b"page one"], "dark", ()]
    assert place.read == [b"page one", *[b"letter"] * FRAMES_MAX]
    assert watch.look(2).image == Image(jpeg=b"letter", captured={})


def test_each_unread_page_is_reported_also_where_the_place_was_not_empty_between() -> None:
    place = Place()
    place.watch(*[b"letter"] * 5, *[b"card"] * 5, *[EMPTY] * 3, *[b"card"] * 5)
    assert place.told == ["dark", ()] * 3


def test_what_lies_there_without_print_darkens_and_is_no_page() -> None:
    place = Place()
    place.watch(*[b"page one"] * 3, *[b"cover"] * 9)
    assert lying(small(b"cover")) is Lying.SOMETHING
    assert place.told == [PAGES[b"page one"], "dark"]


def test_an_empty_place_leaves_the_result_as_it_is() -> None:
    place = Place()
    place.watch(*[b"page one"] * 3, *[EMPTY] * 20)
    assert place.told == [PAGES[b"page one"]]
    assert place.read == [b"page one", EMPTY]


def test_a_hand_that_takes_the_page_darkens_nothing() -> None:
    place = Place()
    place.watch(*[b"page one"] * 3, b"cover", b"cover", b"letter", *[EMPTY] * 3)
    assert place.told == [PAGES[b"page one"]]


def test_a_page_that_was_covered_for_a_moment_is_shown_again() -> None:
    place = Place()
    place.watch(*[b"page one"] * 3, *[b"cover"] * 4, *[b"page one"] * 3)
    assert place.told == [PAGES[b"page one"], "dark", PAGES[b"page one"]]


def test_a_page_held_in_the_air_goes_dark_once() -> None:
    place = Place()
    place.watch(*[b"page one"] * 2, *[b"letter", b"card"] * MOVING_MAX)
    assert place.told == [PAGES[b"page one"], "dark"]
    assert [event.why for event in place.events if isinstance(event, Noise)] == ["nothing lies still"]


def test_a_camera_that_goes_and_comes_says_so_once() -> None:
    place = Place()
    place.watch(EMPTY, b"unplugged", b"unplugged", b"broken", EMPTY, EMPTY)
    said = [event.state for event in place.events if isinstance(event, StateChanged)]
    assert said == [DeviceState.READY, DeviceState.FAULTED, DeviceState.FAULTED, DeviceState.READY]


def test_a_black_image_is_a_camera_out_of_order_and_is_not_read() -> None:
    place = Place()
    place.watch(EMPTY, *[b"black"] * 3, *[b"page one"] * 3)
    said = [(event.state, event.why) for event in place.events if isinstance(event, StateChanged)]
    assert [state for state, _ in said] == [DeviceState.READY, DeviceState.FAULTED, DeviceState.READY]
    assert "black" in said[1][1]
    assert place.read == [b"page one"]


@pytest.mark.parametrize("failed", [b"unplugged", b"broken", b"black"])
def test_a_camera_that_fails_darkens_the_result_before_and_what_lies_there_after_is_reported_anew(
    failed: bytes,
) -> None:
    place = Place()
    place.watch(*[b"page one"] * 3, *[failed] * 4, *[b"page one"] * 3)
    assert place.told == [PAGES[b"page one"], "dark", PAGES[b"page one"]]


def test_another_name_on_the_same_page_is_a_move_and_noise_is_none() -> None:
    page = bytes([120]) * 1000
    assert not moved(page, bytes([123]) * 1000)
    assert moved(page, bytes([120]) * 980 + bytes([150]) * 20)


def test_neither_scanner_nor_camera_is_refused() -> None:
    with pytest.raises(ConfigError, match="no camera to read"):
        parse_config(f'{BOX}\n[scanner]\ndialect = "none"\n'.encode())
    with pytest.raises(ConfigError, match=r"scanner\.port is missing"):
        parse_config(f'{BOX}\n[scanner]\ndialect = "elyctis"\n'.encode())
