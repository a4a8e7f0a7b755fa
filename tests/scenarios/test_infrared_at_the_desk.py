"""The desk's page under each lamp: carbon ink stays in infrared light, other ink goes, and the box tells which."""

from collections.abc import Generator
from pathlib import Path

import pytest

from appliance.booth.looks import Eyes, Looks
from appliance.booth.page_watch import moved
from appliance.booth.second_reader import Look
from appliance.examine.examine import examine
from appliance.judged import Answer
from appliance.model import MrzReading
from appliance.ocr.second import camera_reading, glance, infrared_reading
from appliance.parse.mrz import parse_mrz
from appliance.recorded import PICTURE_BYTES_MAX
from drivers.api import Light
from drivers.simulators.camera import SimulatedCamera
from tests.scenarios.desk_world import DeskWorld, desk_world
from tests.unit.test_second_reading import LINES, NOW

OCR_B = Path("/usr/share/fonts/opentype/ocr-b/OCRB.otf")
needs_ocr_b = pytest.mark.skipif(not OCR_B.exists(), reason="no OCR-B on this machine: the page cannot be read")


EYES = Eyes(
    read=camera_reading,
    infrared=infrared_reading,
    moved=lambda before, now: moved(glance(before), glance(now)),
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Generator[DeskWorld]:
    with desk_world(tmp_path_factory.mktemp("lamps") / "d") as world:
        yield world


def camera(desk: DeskWorld) -> SimulatedCamera:
    return SimulatedCamera(desk.folder / "camera.sock", frozenset({Light.INFRARED, Light.ULTRAVIOLET}))


@pytest.mark.parametrize("light", list(Light))
def test_an_image_names_the_lamp_it_was_taken_under(desk: DeskWorld, light: Light) -> None:
    desk.ask("lay", mrz=LINES)
    image = camera(desk).capture_under(light, bytes_max=PICTURE_BYTES_MAX)
    assert image.captured["light"] == light.value
    assert len(image.jpeg) <= PICTURE_BYTES_MAX


@needs_ocr_b
@pytest.mark.parametrize(("vanishing", "answer"), [(False, Answer.PASSED), (True, Answer.FAILED)])
def test_lines_in_ink_that_vanishes_fail_and_others_pass(desk: DeskWorld, vanishing: bool, answer: Answer) -> None:
    desk.ask("lay", mrz=LINES, vanishing=vanishing)
    lens = camera(desk)
    image = lens.capture(bytes_max=PICTURE_BYTES_MAX)
    looks = Looks(lens, EYES, wait_s=30)
    look = looks.in_infrared(Look(reading=EYES.read(image.jpeg), image=image))
    looks.stop()
    reading = MrzReading(device="elyctis", lines=LINES, raw_sha256=bytes(32))
    found = {each.check: each for each in examine(parse_mrz(LINES, NOW), reading, NOW, camera=look.reading)}
    assert found["infrared"].answer is answer
    assert found["printed_geometry"].answer is Answer.PASSED


@needs_ocr_b
def test_another_page_laid_meanwhile_is_no_ink_that_vanished(desk: DeskWorld) -> None:
    desk.ask("lay", mrz=LINES)
    lens = camera(desk)
    image = lens.capture(bytes_max=PICTURE_BYTES_MAX)
    reading = EYES.read(image.jpeg)
    desk.ask("remove")
    looks = Looks(lens, EYES, wait_s=30)
    infrared = looks.in_infrared(Look(reading=reading, image=image)).reading.infrared
    looks.stop()
    assert infrared is not None
    assert infrared.seen is None
