"""The simulated camera sees what lies on the desk; the Pi's own camera is not even imported off a Pi."""

import io
import socket
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from PIL import Image as Pictures

from drivers.api import DeviceError
from drivers.camera import PiCamera
from drivers.simulators.camera import SimulatedCamera
from drivers.simulators.page import visual_zone
from tests.scenarios.desk_world import DeskWorld, desk_world

TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
BYTES_MAX = 307_200


@pytest.fixture
def desk(tmp_path: Path) -> Generator[DeskWorld]:
    with desk_world(tmp_path / "d") as world:
        yield world


@pytest.mark.parametrize("document", [TD1, TD3])
def test_a_page_is_a_jpeg_within_the_bound_at_the_scale_of_the_zone(desk: DeskWorld, document: tuple[str, ...]) -> None:
    desk.ask("lay", mrz=document)
    image = SimulatedCamera(desk.folder / "camera.sock").capture(bytes_max=BYTES_MAX)
    assert len(image.jpeg) <= BYTES_MAX
    assert image.captured["camera"] == "simulated"
    with Pictures.open(io.BytesIO(image.jpeg)) as picture:
        assert picture.format == "JPEG"
        pitch = picture.width / (125 + 2 * 6) * 2.54
    assert 20 <= pitch <= 26, "pixels a character of a clean page"


def test_the_camera_sees_what_lies_there_now(desk: DeskWorld) -> None:
    camera = SimulatedCamera(desk.folder / "camera.sock")
    empty = camera.capture(bytes_max=BYTES_MAX).jpeg
    desk.ask("lay", mrz=TD3)
    page = camera.capture(bytes_max=BYTES_MAX).jpeg
    desk.ask("lay", mrz=TD1)
    card = camera.capture(bytes_max=BYTES_MAX).jpeg
    desk.ask("remove")
    assert camera.capture(bytes_max=BYTES_MAX).jpeg == empty
    assert len({empty, page, card}) == 3


def test_a_page_that_the_scanner_cannot_read_is_still_seen(desk: DeskWorld) -> None:
    camera = SimulatedCamera(desk.folder / "camera.sock")
    desk.ask("lay", mrz=TD3)
    page = camera.capture(bytes_max=BYTES_MAX).jpeg
    desk.ask("lay", mrz=TD3, read=[])
    assert camera.capture(bytes_max=BYTES_MAX).jpeg == page


def test_a_tighter_bound_gives_a_smaller_image(desk: DeskWorld) -> None:
    desk.ask("lay", mrz=TD3)
    image = SimulatedCamera(desk.folder / "camera.sock").capture(bytes_max=120_000)
    assert len(image.jpeg) <= 120_000


def test_a_bound_that_no_image_fits_is_an_error(desk: DeskWorld) -> None:
    desk.ask("lay", mrz=TD3)
    with pytest.raises(DeviceError, match="fits 1000 bytes"):
        SimulatedCamera(desk.folder / "camera.sock").capture(bytes_max=1000)


def test_without_a_desk_there_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="no image"):
        SimulatedCamera(tmp_path / "camera.sock").capture(bytes_max=BYTES_MAX)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n",
        b"not json\n",
        b"[]\n",
        b"{}\n",
        b'{"ok": true}\n',
        b'{"ok": true, "bytes": "9", "captured": {}}\n',
        b'{"ok": true, "bytes": -1, "captured": {}}\n' + b"x" * 10,
        b'{"ok": true, "bytes": 9, "captured": {}}\nshort',
        b'{"ok": true, "bytes": 9999999, "captured": {}}\n' + b"x" * 400_000,
        b'{"ok": true, "bytes": 1, "captured": 7}\nx',
        b'{"ok": false}\n',
    ],
)
def test_a_camera_that_answers_nonsense_is_an_error(tmp_path: Path, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "camera.sock"))
        door.listen()

        def reply() -> None:
            line, _ = door.accept()
            with line:
                line.recv(4096)
                line.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(DeviceError):
            SimulatedCamera(tmp_path / "camera.sock").capture(bytes_max=BYTES_MAX)
        thread.join()


def test_off_a_pi_the_real_camera_says_what_is_missing() -> None:
    camera = PiCamera()
    with pytest.raises(DeviceError, match="python3-picamera2 is not installed"):
        camera.capture(bytes_max=BYTES_MAX)
    camera.close()


def test_the_visual_zone_says_what_the_machine_readable_one_says() -> None:
    assert [field.value for field in visual_zone(TD1)] == [
        "UTO", "I", "D23145890", "ERIKSSON", "ANNA MARIA", "F", "12 08 74", "15 04 12",
    ]  # fmt: skip
    assert [field.value for field in visual_zone(TD3)] == [
        "UTO", "P", "L898902C3", "ERIKSSON", "ANNA MARIA", "F", "12 08 74", "15 04 12",
    ]  # fmt: skip
