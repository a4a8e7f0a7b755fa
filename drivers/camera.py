"""The camera over the document's place, on a Pi: picamera2, imported here and only at the first capture.

Focus and exposure are fixed: the document always lies at the same distance under the box's own light. Image and
metadata come from one request, so the evidence is of the same frame. Has not yet run on a real camera (README.md).
"""

import importlib
import io
from typing import Any, Final

from drivers.api import DeviceError, Image

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


class PiCamera:
    """The Pi's camera (drivers.api.Camera); started at the first capture and made anew after each failure."""

    def __init__(self) -> None:
        self._camera: Any = None

    def capture(self, *, bytes_max: int) -> Image:
        """Take one image whose exposure begins after this call.

        Raises:
            DeviceError: No picamera2 (Debian's python3-picamera2), no camera, no frame within CAPTURE_TIMEOUT_S, or
                none fits `bytes_max`.
        """
        try:
            if self._camera is None:
                self._camera = _start()
            image, metadata = _take(self._camera)
        except ImportError as error:
            raise DeviceError("python3-picamera2 is not installed") from error
        except (RuntimeError, IndexError, OSError, TimeoutError) as error:  # libcamera's errors; no camera: IndexError
            self.close()
            raise DeviceError("the camera gave no image in time") from error
        captured = {
            "camera": "picamera2",
            "exposure_us": str(metadata.get("ExposureTime", "")),
            "gain": str(metadata.get("AnalogueGain", "")),
            "sensor_timestamp_ns": str(metadata.get("SensorTimestamp", "")),
        }
        return Image(jpeg=encode_jpeg(image, bytes_max=bytes_max), captured=captured)

    def close(self) -> None:
        """Release the camera."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()


def _start() -> Any:  # noqa: ANN401 - picamera2 publishes no types
    """A running camera with focus and exposure fixed."""
    picamera2 = importlib.import_module("picamera2")
    camera: Any = picamera2.Picamera2()
    camera.configure(camera.create_still_configuration(main={"size": SIZE, "format": "RGB888"}))
    camera.set_controls({"AeEnable": False, "AwbEnable": False, "ExposureTime": EXPOSURE_US, "AnalogueGain": GAIN})
    if "AfMode" in camera.camera_controls:  # a lens of fixed focus has none
        camera.set_controls({"AfMode": 0, "LensPosition": LENS_POSITION_DIOPTRES})
    camera.start()
    return camera


def _take(camera: Any) -> tuple[Any, dict[str, Any]]:  # noqa: ANN401 - picamera2 publishes no types
    """PIL image and metadata of one frame; its buffer goes back to the camera whatever happens."""
    request = camera.capture_request(wait=CAPTURE_TIMEOUT_S, flush=True)
    try:
        return request.make_image("main"), request.get_metadata()
    finally:
        request.release()
