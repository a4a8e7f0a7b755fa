"""The Pi's camera without a Pi: a sensor that sees by the light of gpiozero's mock pins, and what it finds lit when."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory
from PIL import Image as Pictures

from appliance.config import parse_config
from appliance.errors import ConfigError
from drivers.api import DeviceError, Light
from drivers.camera import PiCamera
from drivers.lights import Lights
from tests.unit.test_fitted_hardware import BOX

PINS = {Light.WHITE: 23, Light.INFRARED: 24, Light.ULTRAVIOLET: 25}
BYTES_MAX = 307_200


class Eye:
    """A sensor over a page: bright where a lamp is lit; `seen` is what was lit at each exposure.

    Args:
        fails: Raised in the middle of an exposure.
    """

    def __init__(self, pins: MockFactory, fails: BaseException | None = None) -> None:
        self._pins = pins
        self._fails = fails
        self.seen: list[set[Light]] = []
        self.closed = False

    def expose(self) -> tuple[Any, dict[str, Any]]:
        lit = {light for light, pin in PINS.items() if self._pins.pin(pin).state}
        self.seen.append(lit)
        if self._fails is not None:
            raise self._fails
        metadata = {"ExposureTime": 8_000, "AnalogueGain": 1.5, "SensorTimestamp": 42, "LensPosition": 4.0}
        return Pictures.new("RGB", (320, 240), "white" if lit else "black"), metadata

    def close(self) -> None:
        self.closed = True


class TwoMayMeet(Eye):
    """The first exposure lasts until another one begins, or for a moment."""

    def __init__(self, pins: MockFactory) -> None:
        super().__init__(pins)
        self._another = threading.Event()
        self.met: list[bool] = []

    def expose(self) -> tuple[Any, dict[str, Any]]:
        if self.seen:
            self._another.set()
            return super().expose()
        taken = super().expose()
        self.met.append(self._another.wait(0.3))
        return taken


@pytest.fixture
def pins() -> MockFactory:
    return MockFactory()


def dark(pins: MockFactory) -> bool:
    return not any(pins.pin(pin).state for pin in PINS.values())


def camera(pins: MockFactory, eye: Eye) -> PiCamera:
    return PiCamera(Lights(PINS, pins), lambda: eye)


@pytest.mark.parametrize("light", list(Light))
def test_exactly_its_lamp_is_lit_while_an_image_is_exposed_and_none_after(pins: MockFactory, light: Light) -> None:
    eye = Eye(pins)
    image = camera(pins, eye).capture_under(light, bytes_max=BYTES_MAX)
    assert eye.seen == [{light}]
    assert dark(pins)
    assert image.captured == {
        "camera": "picamera2",
        "light": light.value,
        "exposure_us": "8000",
        "gain": "1.5",
        "focus_dioptres": "4.0",
        "sensor_timestamp_ns": "42",
    }


def test_two_threads_that_ask_at_once_have_one_exposure_after_the_other(pins: MockFactory) -> None:
    eye = TwoMayMeet(pins)
    taking = camera(pins, eye)
    with ThreadPoolExecutor(2) as both:
        white = both.submit(taking.capture, bytes_max=BYTES_MAX)
        infrared = both.submit(taking.capture_under, Light.INFRARED, bytes_max=BYTES_MAX)
        lights = {white.result().captured["light"], infrared.result().captured["light"]}
    assert lights == {"white", "infrared"}
    assert eye.met == [False]
    assert sorted(map(sorted, eye.seen)) == [[Light.INFRARED], [Light.WHITE]]


@pytest.mark.parametrize("trouble", [TimeoutError(), OSError("camera"), RuntimeError("libcamera"), IndexError()])
def test_a_failing_frame_leaves_no_lamp_lit_and_the_camera_is_made_anew(pins: MockFactory, trouble: Exception) -> None:
    broken, whole = Eye(pins, trouble), Eye(pins)
    eyes = [broken, whole]
    taking = PiCamera(Lights(PINS, pins), lambda: eyes.pop(0))
    with pytest.raises(DeviceError, match="gave no image in time"):
        taking.capture(bytes_max=BYTES_MAX)
    assert dark(pins)
    assert broken.closed
    taking.capture(bytes_max=BYTES_MAX)
    assert whole.seen == [{Light.WHITE}]


def test_a_process_that_is_told_to_end_in_the_middle_of_an_image_puts_the_lamp_out(pins: MockFactory) -> None:
    taking = camera(pins, Eye(pins, SystemExit(0)))  # as the booth ends at SIGTERM
    with pytest.raises(SystemExit):
        taking.capture_under(Light.ULTRAVIOLET, bytes_max=BYTES_MAX)
    assert dark(pins)


def test_closing_releases_camera_and_pins(pins: MockFactory) -> None:
    eye = Eye(pins)
    taking = camera(pins, eye)
    taking.capture(bytes_max=BYTES_MAX)
    taking.close()
    assert eye.closed
    assert not pins.pins or all(pin.function == "input" for pin in pins.pins.values())


def test_only_lamps_beside_the_white_one_are_offered(pins: MockFactory) -> None:
    eye = Eye(pins)
    assert PiCamera(Lights({}), lambda: eye).lights == frozenset()
    assert camera(pins, eye).lights == {Light.INFRARED, Light.ULTRAVIOLET}


@pytest.mark.parametrize("light", ["infrared", "ultraviolet"])
def test_another_lamp_without_a_white_one_that_goes_out_is_refused(light: str) -> None:
    scanner = '[scanner]\nport = "/dev/null"\ndialect = "elyctis"\n'
    begin = f"{BOX}\n{scanner}\n[camera]\n"
    assert parse_config(f"{begin}white = 23\n{light} = 24\n".encode()).camera.white == 23
    with pytest.raises(ConfigError, match=r"camera\.white is missing"):
        parse_config(f"{begin}{light} = 24\n".encode())
