"""What is fitted at this box, as box.toml says: its scanner, its camera and what reads the images, its panel."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.config import Config
from drivers.api import Light, LitCamera, Panel, Scanner, ScannerCodec

if TYPE_CHECKING:
    from appliance.booth.frames import Sight
    from appliance.booth.looks import Eyes
    from appliance.model import CameraReading, InfraredReading
    from drivers.lights import Lights


def scanner_of(config: Config) -> Scanner:
    """The scanner at the configured port, which need not be there yet."""
    from drivers.serial_port import SerialScanner, open_port

    assert config.scanner.port is not None, "parse_config saw to it"
    open_line = open_port
    if config.scanner.dialect == "wedge":
        from drivers.keyboard import open_keyboard

        open_line = open_keyboard
    return SerialScanner(codec_of(config), Path(config.scanner.port), baud=config.scanner.baud, open_line=open_line)


def codec_of(config: Config) -> ScannerCodec:
    """The dialect that the scanner speaks."""
    scanner = config.scanner
    match scanner.dialect, scanner.framing:
        case "elyctis", _:
            from drivers.scanner.elyctis import ElyctisCodec

            return ElyctisCodec()
        case "honeywell", _:
            from drivers.scanner.honeywell import HoneywellCodec

            return HoneywellCodec()
        case "rte", _:
            from drivers.scanner.rte import RteCodec

            flag = None if scanner.rte_flag == "any" else scanner.rte_flag
            return RteCodec(length=scanner.rte_length, check=scanner.rte_check, flag=flag)
        case "wedge", _:
            from drivers.scanner.wedge import WedgeCodec

            return WedgeCodec()
        case _, "none":
            from drivers.scanner.generic import GenericCodec

            return GenericCodec()
        case _:
            from drivers.scanner.generic import FramedCodec

            return FramedCodec(lrc=scanner.lrc)


def camera_of(config: Config) -> LitCamera | None:
    """The camera, None where none is fitted. Raises DeviceError: it does not start."""
    match config.camera.kind:
        case "none":
            return None
        case "picamera2":
            from drivers.camera import PiCamera

            return PiCamera(_lights(config))
        case "simulated":
            from drivers.simulators.camera import SimulatedCamera

            assert config.camera.socket is not None, "parse_config saw to it"
            return SimulatedCamera(Path(config.camera.socket), frozenset(_lamps(config)) - {Light.WHITE})


def _lights(config: Config) -> "Lights":
    """The camera's lamps, all dark; without any, no pin is touched."""
    from drivers.lights import Lights

    lamps = _lamps(config)
    if not lamps:
        return Lights(lamps)
    from gpiozero.pins.lgpio import LGPIOFactory

    return Lights(lamps, LGPIOFactory())


def _lamps(config: Config) -> dict[Light, int]:
    """Pins of the camera's lamps that are fitted."""
    pins = {light: getattr(config.camera, light.value) for light in Light}
    return {light: pin for light, pin in pins.items() if pin is not None}


def sight() -> "Sight":
    """How the images are understood that the camera takes by itself."""
    from appliance.booth.frames import Sight

    return Sight(read=_read_image, vote=_vote, glance=_glance)


def _vote(readings: "Sequence[CameraReading]") -> "CameraReading":
    """Several images of one page as one reading."""
    from appliance.ocr.voting import vote

    return vote(readings)


def eyes() -> "Eyes":
    """How images are understood that the lane asks for."""
    from appliance.booth.looks import Eyes
    from appliance.booth.page_watch import moved

    return Eyes(
        read=_read_image,
        infrared=_read_in_infrared,
        moved=lambda before, now: moved(_glance(before), _glance(now)),
    )


def _read_in_infrared(jpeg: bytes, infrared: bytes) -> "InfraredReading":
    """What the infrared image shows of the lines in the other. Raises Malformed."""
    from appliance.ocr.second import infrared_reading

    return infrared_reading(jpeg, infrared)


def _glance(jpeg: bytes) -> bytes:
    """The camera's image made small. Raises Malformed."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from appliance.ocr.second import glance

    return glance(jpeg)


def _read_image(jpeg: bytes) -> "CameraReading":
    """What the camera's image says. Raises Malformed."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core reads; the others are the lane's
    from appliance.ocr.second import camera_reading

    return camera_reading(jpeg)


def panel_of(config: Config) -> Panel:
    """Lamps, buzzer and buttons. Raises DeviceError."""
    from drivers.panel import GpioPanel, PanelPins

    parts = ("green", "amber", "red", "buzzer", "start", "supervisor")
    numbers: dict[str, int] = {part: getattr(config.panel, part) for part in parts}
    if config.panel.lid is not None:
        numbers["lid"] = config.panel.lid
    if config.panel.pins == "simulated":
        from drivers.simulators.pins import DeskPinFactory

        assert config.panel.socket is not None, "parse_config saw to it"
        names = {number: part for part, number in numbers.items()}
        return GpioPanel(PanelPins(**numbers), DeskPinFactory(Path(config.panel.socket), names))
    from gpiozero.pins.lgpio import LGPIOFactory

    return GpioPanel(PanelPins(**numbers), LGPIOFactory())
