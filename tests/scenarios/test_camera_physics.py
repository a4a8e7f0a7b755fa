"""The simulated camera's bad days: within the bound of a stored image, and read exactly or with doubt."""

import io
from collections.abc import Generator
from pathlib import Path

import pytest
from PIL import Image as Pictures

from appliance.errors import Malformed
from appliance.ocr.second import DARK, camera_reading
from appliance.recorded import PICTURE_BYTES_MAX
from drivers.simulators.camera import SimulatedCamera
from drivers.simulators.views import View
from tests.scenarios.desk_world import DeskWorld, desk_world

# Doc 9303-4 appendix B
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
LEGIBLE = (
    View.CLEAN, View.BLUR, View.NOISE, View.PERSPECTIVE, View.DIM, View.UPSIDE_DOWN, View.FULL_SENSOR,
)  # fmt: skip
OCR_B = Path("/usr/share/fonts/opentype/ocr-b/OCRB.otf")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Generator[DeskWorld]:
    with desk_world(tmp_path_factory.mktemp("physics") / "d") as world:
        yield world


@pytest.mark.skipif(not OCR_B.exists(), reason="no OCR-B on this machine: the simulated page cannot be read")
@pytest.mark.parametrize("view", [view for view in View if view is not View.CUT_SHORT])
def test_a_page_of_at_most_300_kilobytes_reads_exactly_or_with_doubt(desk: DeskWorld, view: View) -> None:
    desk.ask("lay", mrz=TD3, view=view.value)
    jpeg = SimulatedCamera(desk.folder / "camera.sock").capture(bytes_max=PICTURE_BYTES_MAX).jpeg
    reading = camera_reading(jpeg)
    assert len(jpeg) <= PICTURE_BYTES_MAX
    assert reading.lines == TD3 if view in LEGIBLE else reading.doubt
    assert (reading.why == DARK) == (view is View.LAMP_OFF)


def test_an_image_that_ends_half_way_is_no_image(desk: DeskWorld) -> None:
    desk.ask("lay", mrz=TD3, view=View.CUT_SHORT.value)
    jpeg = SimulatedCamera(desk.folder / "camera.sock").capture(bytes_max=PICTURE_BYTES_MAX).jpeg
    with pytest.raises(Malformed, match="cut short"):
        camera_reading(jpeg)


def test_an_image_of_a_whole_sensor_has_50_megapixels(desk: DeskWorld) -> None:
    desk.ask("lay", mrz=TD3, view=View.FULL_SENSOR.value)
    jpeg = SimulatedCamera(desk.folder / "camera.sock").capture(bytes_max=PICTURE_BYTES_MAX).jpeg
    with Pictures.open(io.BytesIO(jpeg)) as picture:
        assert picture.width * picture.height > 50_000_000
