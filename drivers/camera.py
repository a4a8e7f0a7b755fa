"""The camera over the document's place, on a Pi: picamera2, imported here and only at the first capture.

Focus and exposure are fixed: the document always lies at the same distance under the box's own light. Image and
metadata come from one request whose exposure begins after the lamp is lit, so the evidence is of the same frame and of
that light. Sensor and lens have not yet run (README.md); lamps, order and release are tested without them.
"""

import importlib
import io
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

from drivers.api import DeviceError, Image, Light
from drivers.lights import Lights

CAPTURE_TIMEOUT_S: Final = 3.0
SIZE: Final = (2028, 1520)
"""Half the high-quality camera's resolution: 16 pixels a millimetre over a TD3's 125 mm, 40 a character's pitch."""
EXPOSURE_US: Final = 8_000
"""Under the frequency of mains light, so that no band crosses the page."""
GAIN: Final = 1.5
LENS_POSITION_DIOPTRES: Final = 4.0
"""The glass is 25 cm from the lens."""
QUALITIES: Final = (88, 80, 70, 60, 50)
"""JPEG qualities to try until an image fits; at 50 the machine readable zone still reads."""


def encode_jpeg(image: Any, *, bytes_max: int) -> bytes:  # noqa: ANN401 - PIL's image; Pillow is not on every box
    """Encode a PIL image at the best of QUALITIES that fits.

    Raises:
        DeviceError: Even the worst is longer than `bytes_max`.
    """
    for quality in QUALITIES:
        encoded = io.BytesIO()
        image.save(encoded, "JPEG", quality=quality)
        if encoded.tell() <= bytes_max:
            return encoded.getvalue()
    raise DeviceError(f"no image of the page fits {bytes_max} bytes")


class Sensor(Protocol):
    """What lies behind the lens, running, with focus and exposure fixed."""

    def expose(self) -> tuple[Any, dict[str, Any]]:
        """PIL image and metadata of one frame whose exposure begins after this call."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


class PiCamera:
    """The Pi's camera (drivers.api.LitCamera); started at the first capture and made anew after each failure.

    Args:
        lights: The lamps that are fitted; none, where the page is lit by what the box is always lit by.
        open_sensor: Starts what lies behind the lens; raises ImportError, or what libcamera raises.
    """

    def __init__(self, lights: Lights | None = None, open_sensor: Callable[[], Sensor] | None = None) -> None:
        self._lights = lights or Lights({})
        self._open_sensor = open_sensor or PiSensor
        self._sensor: Sensor | None = None
        self._one_at_a_time = threading.Lock()

    @property
    def lights(self) -> frozenset[Light]:
        """Lamps beside the white one that it can take an image under."""
        return self._lights.fitted - {Light.WHITE}

    def capture(self, *, bytes_max: int) -> Image:
        """As `capture_under` white light."""
        return self.capture_under(Light.WHITE, bytes_max=bytes_max)

    def capture_under(self, light: Light, *, bytes_max: int) -> Image:
        """Take one image whose exposure begins after this call, under one lamp; it is out when this returns.

        Raises:
            DeviceError: No picamera2 (Debian's python3-picamera2), no camera, no frame within CAPTURE_TIMEOUT_S, or
                none fits `bytes_max`.
        """
        with self._one_at_a_time:
            image, metadata = self._expose(light)
        captured = {"camera": "picamera2", "light": light.value}
        captured |= {name: str(metadata.get(key, "")) for name, key in METADATA.items()}
        return Image(jpeg=encode_jpeg(image, bytes_max=bytes_max), captured=captured)

    def close(self) -> None:
        """All lamps out; release camera and pins."""
        with self._one_at_a_time:
            self._release()
            self._lights.close()

    def _expose(self, light: Light) -> tuple[Any, dict[str, Any]]:
        try:
            if self._sensor is None:
                self._sensor = self._open_sensor()
            with self._lights.lit(light):
                return self._sensor.expose()
        except ImportError as error:
            raise DeviceError("python3-picamera2 is not installed") from error
        except (RuntimeError, IndexError, OSError, TimeoutError) as error:  # libcamera's errors; no camera: IndexError
            self._release()
            raise DeviceError("the camera gave no image in time") from error

    def _release(self) -> None:
        sensor, self._sensor = self._sensor, None
        if sensor is not None:
            sensor.close()


METADATA: Final = {
    "exposure_us": "ExposureTime",
    "gain": "AnalogueGain",
    "focus_dioptres": "LensPosition",
    "sensor_timestamp_ns": "SensorTimestamp",
}
"""What the record keeps of a frame, and libcamera's name for it; "" where a sensor does not say."""


class PiSensor:
    """picamera2, running, with focus and exposure fixed."""

    def __init__(self) -> None:
        picamera2 = importlib.import_module("picamera2")
        camera: Any = picamera2.Picamera2()
        camera.configure(camera.create_still_configuration(main={"size": SIZE, "format": "RGB888"}))
        camera.set_controls({"AeEnable": False, "AwbEnable": False, "ExposureTime": EXPOSURE_US, "AnalogueGain": GAIN})
        if "AfMode" in camera.camera_controls:  # a lens of fixed focus has none
            camera.set_controls({"AfMode": 0, "LensPosition": LENS_POSITION_DIOPTRES})
        camera.start()
        self._camera = camera

    def expose(self) -> tuple[Any, dict[str, Any]]:
        """As Sensor; the frame's buffer goes back to the camera whatever happens."""
        request = self._camera.capture_request(wait=CAPTURE_TIMEOUT_S, flush=True)
        try:
            return request.make_image("main"), request.get_metadata()
        finally:
            request.release()

    def close(self) -> None:
        """Release the camera."""
        self._camera.close()
