"""The vocabulary between the box and its hardware: Protocols and events, standard library only.

A scanner is a codec without I/O plus the shared serial transport plus a supervisor. Whatever a device sends is bounded.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class DeviceState(enum.StrEnum):
    """Where a device's supervisor stands."""

    ABSENT = "absent"
    PROBING = "probing"
    READY = "ready"
    FAULTED = "faulted"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """A device's supervisor went to another state; `why` is in plain words and holds no personal data."""

    device: str
    state: DeviceState
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One complete answer of a scanner about one document.

    Attributes:
        dialect: Name of the codec that assembled it.
        lines: The lines as sent, split, nothing corrected, at most 4 of at most 100 characters; () for "nothing read".
        raw: The bytes on the wire, framing included, at most 4096.
    """

    dialect: str
    lines: tuple[str, ...]
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Bytes that belong to no frame (garbage, a truncated or oversized frame): counted, reported, skipped.

    Attributes:
        count: How many bytes were skipped; 0 where a camera sees no document in what lies there.
        why: Which rule they broke.
    """

    count: int
    why: str


ScannerEvent = Frame | Noise | StateChanged


class ScannerCodec(Protocol):
    """One device family's wire protocol, without I/O: bytes in, events out; requests out as bytes."""

    dialect: str

    def hello(self) -> bytes:
        """Bytes that ask the device who it is; b"" where the dialect has no question."""
        ...

    def arm(self) -> bytes:
        """Bytes that make the device report the next document by itself; b"" where it always does."""
        ...

    def receive(self, chunk: bytes) -> list[Frame | Noise]:
        """Take bytes from the wire, of any number; return what they complete."""
        ...

    def idle(self) -> list[Frame | Noise]:
        """The line has been silent for `idle_timeout_s`: return what that completes or breaks."""
        ...

    @property
    def idle_timeout_s(self) -> float:
        """How long a silence means something to this dialect, seconds."""
        ...

    @property
    def present(self) -> bool:
        """Whether the device has answered since `hello` (always True where the dialect has no question)."""
        ...

    @property
    def spent(self) -> bool:
        """Whether the device wants to be armed although nothing came of what it sent (the same page, seen again)."""
        ...

    @property
    def note(self) -> str:
        """What a technician should know of this device, in plain words without personal data; "" normally.

        Why it is not `present`, or what to say of it beside that it is ready.
        """
        ...


class Scanner(Protocol):
    """A document scanner that looks after itself: absent, probing, ready, faulted; replugged without a human."""

    def start(self, deliver: Callable[[ScannerEvent], None]) -> None:
        """Start reading in a thread of its own; `deliver` is called from that thread."""
        ...

    def stop(self) -> None:
        """Release the port; return when the thread has ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a probe found at a port.

    Attributes:
        settings: The keys of box.toml's [scanner] that a booth needs to read it, with their values.
        answer: Who answered, and how it came to be known, in plain words.
        note: Why it cannot be used; "" when it can.
        remark: What else a technician should know; "" normally.
    """

    settings: dict[str, str | int | bool]
    answer: str
    note: str = ""
    remark: str = ""


class Lamp(enum.StrEnum):
    """The lamps towards lane and officer. Amber is every reason to wait, alike (I11); red: the box is out of order."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Sound(enum.StrEnum):
    """What the buzzer says; the same for every referral (I11)."""

    DONE = "done"
    WAIT = "wait"
    FAULT = "fault"


class Button(enum.StrEnum):
    """The two buttons of the booth."""

    START = "start"
    SUPERVISOR = "supervisor"


class Panel(Protocol):
    """Lamps, buzzer and buttons."""

    def show(self, lamp: Lamp | None) -> None:
        """Light this lamp and no other; None: all dark."""
        ...

    def sound(self, sound: Sound) -> None:
        """Give one short signal; returns at once."""
        ...

    def on_press(self, pressed: Callable[[Button], None]) -> None:
        """Call `pressed` at each debounced press, from a thread of the driver."""
        ...

    def on_lid(self, told: Callable[[bool], None]) -> None:
        """Call `told` with whether the case is open, when it is found open and at each change; once, at the start."""
        ...

    def close(self) -> None:
        """All dark; release the pins."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One frame of the camera, encoded.

    Attributes:
        jpeg: The stored bytes.
        captured: Metadata of the same frame, name and value ("exposure_us", "light", "camera").
    """

    jpeg: bytes
    captured: dict[str, str]


class Camera(Protocol):
    """A camera over the document's place; several threads may ask it, and each has an image of its own moment."""

    def capture(self, *, bytes_max: int) -> Image:
        """Take one image exposed after this call.

        Raises:
            DeviceError: The camera is absent or gave no image within its time limit, or none fits `bytes_max`.
        """
        ...

    def close(self) -> None:
        """Release the camera."""
        ...


class Light(enum.StrEnum):
    """What lights the page for an image."""

    WHITE = "white"
    INFRARED = "infrared"
    ULTRAVIOLET = "ultraviolet"


class LitCamera(Camera, Protocol):
    """A camera that lights its place itself, and only while it takes an image."""

    @property
    def lights(self) -> frozenset[Light]:
        """Lamps beside the white one that it can take an image under."""
        ...

    def capture_under(self, light: Light, *, bytes_max: int) -> Image:
        """Take one image exposed after this call, under one lamp. Raises as `capture`."""
        ...


class DeviceError(Exception):
    """A device did not do its part; the text is in plain words and holds no personal data."""


class SecretKeeper(Protocol):
    """How a secret lies in its file on the card; raises its own error when one does not open."""

    def seal(self, name: str, secret: bytes) -> bytes:
        """What lies in the file `name`."""
        ...

    def open(self, name: str, content: bytes) -> bytes:
        """The secret in what lies in the file `name`."""
        ...


class Sealer(Protocol):
    """A token that opens what was sealed to it, and that nothing else opens."""

    def seal(self, secret: bytes) -> bytes:
        """Encrypt a short secret to the token. Raises DeviceError."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """Decrypt what `seal` made. Raises DeviceError."""
        ...


class KeyStore(Protocol):
    """Holds the box's identity key (P-256); it signs and never gives the key away."""

    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo of the identity key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """ECDSA P-256 with SHA-256 over the message; r || s, 64 bytes (RFC 9053 §2.1)."""
        ...
