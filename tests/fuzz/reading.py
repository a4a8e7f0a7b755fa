"""Fuzz targets of what reads a document: each scanner's codec, the machine readable zone, a stored picture."""

import contextlib
import functools
import hashlib
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np

from appliance.clock import Grade, Instant
from appliance.errors import Malformed
from appliance.examine.examine import EXAMINERS, examine
from appliance.judged import Finding
from appliance.model import MrzReading, TravelDocument
from appliance.ocr.network import CHARACTERS
from appliance.ocr.pictures import WHOLE_PIXELS_MAX, decode_picture, read_picture
from appliance.parse.mrz import parse_mrz
from appliance.scan.reading import reading_of
from drivers.api import Frame, Noise, ScannerCodec
from drivers.scanner.elyctis import ElyctisCodec
from drivers.scanner.generic import FramedCodec, GenericCodec
from drivers.scanner.honeywell import HoneywellCodec
from drivers.scanner.rte import RteCodec
from drivers.scanner.text import FRAME_BYTES_MAX
from drivers.scanner.wedge import WedgeCodec
from drivers.simulators.faults import Fault, Pause, script
from drivers.simulators.scanners import DIALECTS
from tests.drawn_pages import draw_page, typefaces

PICTURE_BYTES_MAX: Final = 1 << 16
PICTURE_CPU_S: Final = 20.0
"""All cores together, with every branch counted; without counting the worst took 6 before attempts were bounded."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser.

    Attributes:
        run: Raises when the promise is broken.
        good: What the parser takes, to begin with.
        words: What its format is made of.
        bytes_max: Of one input.
        arrays: Whether it compares arrays (tests/fuzz/guided.py).
        timeout_s: For one input, by the wall: longer is a finding, so it allows for a busy machine.
        memory_mb: Of the whole process, fuzzer and tables included (about 150 MB): more is a finding.
    """

    run: Callable[[bytes], None]
    good: Callable[[], list[bytes]]
    words: tuple[bytes, ...] = ()
    bytes_max: int = 1 << 14
    arrays: bool = False
    timeout_s: int = 10
    memory_mb: int = 512

    def seeds(self) -> list[bytes]:
        """What is good, and nothing at all."""
        return [b"", *self.good()]


# --- what a scanner sends ---------------------------------------------------------------------------------------------

ZONE: Final = ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]
NEXT: Final = ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "STEVENSON<<PETER<JOHN<<<<<<<<<"]
LINES_MAX: Final = 4
LINE_CHARS_MAX: Final = 100
SILENCE: Final = b"\xfe\xfd"
"""In an input of a scanner's target: the line is silent here. Neither byte is of any dialect's frames or text."""
SCANNERS: Final[dict[str, Callable[[], ScannerCodec]]] = {
    "elyctis": ElyctisCodec,
    "honeywell": HoneywellCodec,
    "rte": RteCodec,
    "generic": GenericCodec,
    "stx-etx": partial(FramedCodec, lrc=False),
    "stx-etx-lrc": partial(FramedCodec, lrc=True),
    "wedge": WedgeCodec,
}
WORDS: Final[dict[str, tuple[bytes, ...]]] = {
    "elyctis": (b"I\x00\x59", b"I\x00\x00", b"C\x00\x01\x01", b"V\x00\x04", b"I\x0f\xff"),
    "honeywell": (b"ALLENA0\x06;", b"OCRENA1\x06;", b"OCRATS2\x06!", b"OCRATS2\x15.", b"OCRENA1\x05,"),
    "rte": (b"\x01\x8c\x00OU\x02\x00", b"_" * 30, b"_" * 44 + b"\r", b"\r\x03", b"\r" * 3 + b"\x03"),
    "stx-etx": (b"\x02", b"\x03"),
    "stx-etx-lrc": (b"\x02", b"\x03"),
    "wedge": tuple(DIALECTS["wedge"]().report([char]) for char in "A7<"),
}


def _read_scanner(dialect: str, data: bytes) -> None:
    """However it is cut the same comes out, within bounds, with a reading of each; then a good document is read."""
    parts = data.split(SILENCE)
    whole = _hear(dialect, ([part] for part in parts))
    cut = _hear(dialect, (_cut(part) for part in parts))
    for codec, events in (whole, cut):
        for frame in _frames(events):
            assert len(frame.raw) <= FRAME_BYTES_MAX
            assert len(frame.lines) <= LINES_MAX
            assert all(len(line) <= LINE_CHARS_MAX for line in frame.lines)
            reading_of(frame)
        after = codec.receive(DIALECTS[dialect]().report(NEXT)) + codec.idle()
        assert codec.spent or [frame.lines for frame in _frames(after)] == [tuple(NEXT)]
    assert _frames(whole[1]) == _frames(cut[1])
    assert _noise(whole[1]) == _noise(cut[1])


def _cut(part: bytes) -> list[bytes]:
    """A short one byte by byte, a long one in 64 pieces and a rest."""
    size = 1 + len(part) // 64
    return [part[at : at + size] for at in range(0, len(part), size)]


def _hear(dialect: str, parts: Iterator[list[bytes]]) -> tuple[ScannerCodec, list[Frame | Noise]]:
    """A codec that has heard these chunks, with a silence behind each part, and what it told."""
    codec = SCANNERS[dialect]()
    events: list[Frame | Noise] = []
    for part in parts:
        for chunk in part:
            events += codec.receive(chunk)
        events += codec.idle()
    return codec, events


def _frames(events: list[Frame | Noise]) -> list[Frame]:
    return [event for event in events if isinstance(event, Frame)]


def _noise(events: list[Frame | Noise]) -> int:
    return sum(event.count for event in events if isinstance(event, Noise))


def _scanned(dialect: str) -> list[bytes]:
    """One report, two, the imager's echo, and a report with each fault in its middle, but the long one."""
    report = DIALECTS[dialect]().report(ZONE)
    answer = DIALECTS[dialect]().receive(SCANNERS[dialect]().hello())
    return [
        report,
        report * 2,
        answer + report,
        *(_broken(report, fault) for fault in Fault if fault is not Fault.OVERSIZED),
    ]


def _broken(report: bytes, fault: Fault) -> bytes:
    steps = script(report, fault, at=len(report) // 2, for_s=1)
    return b"".join(SILENCE if isinstance(step, Pause) else step.content for step in steps)


# --- what a document's zone says --------------------------------------------------------------------------------------

VECTORS: Final = Path(__file__).parents[1] / "vectors" / "mrz.toml"
NOW: Final = Instant(
    wall_ms=1_795_000_000_000, grade=Grade.NETWORK, lower_bound_ms=1_793_000_000_000, boot_id="0" * 32, boot_ms=1
)


def _read_zone(data: bytes) -> None:
    """Parsed within the model's bounds, nothing of what was read lost, each change told; and each check answers."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    with contextlib.suppress(Malformed):
        document = parse_mrz(lines, NOW)
        assert msgspec.json.decode(msgspec.json.encode(document), type=TravelDocument) == document
        assert list(document.raw) == lines
        changed = [list(line) for line in lines]
        for repair in document.repairs:
            assert changed[repair.line][repair.column] == repair.read != repair.taken_as
            changed[repair.line][repair.column] = repair.taken_as
        assert tuple(map("".join, changed)) == document.mrz
        reading = MrzReading(device="elyctis", lines=tuple(lines), raw_sha256=hashlib.sha256(data).digest())
        found = examine(document, reading, NOW)
        assert len(found) == len(EXAMINERS)
        assert msgspec.json.decode(msgspec.json.encode(found), type=tuple[Finding, ...]) == found


def _zones() -> list[bytes]:
    vectors = tomllib.loads(VECTORS.read_text(encoding="utf-8"))["vector"]
    return ["\n".join(vector["lines"]).encode() for vector in vectors]


# --- what a camera stores ---------------------------------------------------------------------------------------------


@functools.cache
def _pictures() -> list[bytes]:
    """A page and a pattern as JPEG, baseline and progressive, and as PNG; small, so that many are read in a second."""
    image = draw_page(1, "TD1", "hard").image if typefaces() else np.zeros((600, 800), np.uint8)
    small = cv2.resize(image, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    kinds: tuple[tuple[str, list[int]], ...] = ((".jpg", []), (".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]), (".png", []))
    pattern = 255 * np.eye(90, dtype=np.uint8)
    return [cv2.imencode(ending, each, options)[1].tobytes() for each in (small, pattern) for ending, options in kinds]


def _decode_picture(data: bytes) -> None:
    """The pixels are as many as the header says, and no more than the reader takes."""
    with contextlib.suppress(Malformed):
        grey, scale = decode_picture(data)
        assert grey.dtype == np.uint8
        assert 0 < grey.size <= WHOLE_PIXELS_MAX
        assert scale in (1, 2, 4, 8)


def _read_picture(data: bytes) -> None:
    began_s = time.process_time()
    with contextlib.suppress(Malformed):
        reading = read_picture(data)
        assert [len(line) for line in reading.lines] in ([], [44, 44], [36, 36], [30, 30, 30])
        assert [len(line) for line in reading.confidences] == [len(line) for line in reading.lines]
        assert all(set(line) <= set(CHARACTERS) for line in (*reading.lines, *reading.raw))
        assert all(0 <= sure <= 1 for line in reading.confidences for sure in line)
        assert reading.doubt == bool(reading.why)
        assert len(reading.box) == (4 if reading.lines else 0)
    assert time.process_time() - began_s < PICTURE_CPU_S


MARKERS: Final = (
    *(bytes((0xFF, marker)) for marker in (0xC0, 0xC1, 0xC2, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD)),
    *(b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS"),
)
"""ITU-T T.81 table B.1, and the chunks of a PNG."""
READING: Final = {
    "picture": Target(_read_picture, _pictures, MARKERS, PICTURE_BYTES_MAX, arrays=True, timeout_s=300),
    "picture-file": Target(_decode_picture, _pictures, MARKERS, PICTURE_BYTES_MAX),
    "mrz": Target(_read_zone, _zones, (b"<<", b"FRA", b"D<<", b"UTO", b"\n", b"O0I1S5B8Z2"), bytes_max=256),
} | {
    f"scanner-{dialect}": Target(
        partial(_read_scanner, dialect), partial(_scanned, dialect), (SILENCE, *WORDS.get(dialect, ()))
    )
    for dialect in SCANNERS
}
