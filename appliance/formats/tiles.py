"""C2SP tlog-tiles: a log as static files. Paths, entry bundles, and reading hashes and entries out of them.

A tile at level L holds 256 hashes of complete subtrees of 256**L leaves; the last one of a level may be partial. Entry
bundles hold the entries of the leaves of one tile at level 0.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from appliance.errors import Malformed
from appliance.formats.merkle import HASH_BYTES, complete_root

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
ENTRY_BYTES_MAX: Final = 65_535
BUNDLE_BYTES_MAX: Final = TILE_WIDTH * (2 + ENTRY_BYTES_MAX)
LEVELS_MAX: Final = 8
TILE_INDEX_MAX: Final = 2**56
_PATH: Final = re.compile(r"tile/([0-7]|entries)/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)

ReadFile = Callable[[str], bytes]
"""Path below the log's folder to the file's bytes; raises an error of its own when there is none."""


@dataclass(frozen=True, slots=True)
class TileName:
    """One tile or entry bundle.

    Attributes:
        level: 0 to 7; None for an entry bundle.
        n: Its place in its level.
        width: Hashes or entries in it, 1 to 256; less than 256 is a partial one.
    """

    level: int | None
    n: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Path below the log's folder."""
        place = "entries" if self.level is None else str(self.level)
        digits = f"{self.n:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{place}/{'/'.join([f'x{group}' for group in groups[:-1]] + groups[-1:])}{partial}"


def entries_path(n: int, width: int = TILE_WIDTH) -> str:
    """Path of an entry bundle below the log's folder: `tile/entries/000.p/5`."""
    return TileName(None, n, width).path


def parse_path(path: str) -> TileName:
    """The inverse of `TileName.path`, one spelling a tile. Raises Malformed."""
    match = _PATH.fullmatch(path)
    if not match:
        raise Malformed("tile path", "not tile/<L>/<N>[.p/<W>]")
    tile = TileName(
        None if match[1] == "entries" else int(match[1]),
        int(match[2].replace("x", "").replace("/", "")),
        TILE_WIDTH if match[3] is None else int(match[3]),
    )
    if tile.path != path or tile.n > TILE_INDEX_MAX:
        raise Malformed("tile path", "not the one spelling of this tile")
    return tile


def tiles_of(size: int) -> Iterator[TileName]:
    """Every tile and entry bundle of a tree of `size` leaves, the right edge's partial ones as well."""
    for place in (None, *range(LEVELS_MAX)):
        count = size >> TILE_HEIGHT * (place or 0)
        for n in range(count >> TILE_HEIGHT):
            yield TileName(place, n)
        if count % TILE_WIDTH:
            yield TileName(place, count >> TILE_HEIGHT, count % TILE_WIDTH)


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: big-endian uint16 length and entry, one after the other; 1 to 256 of at most 65,535 bytes."""
    assert all(len(entry) <= ENTRY_BYTES_MAX for entry in entries), "an entry that no bundle can hold"
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_entries(data: bytes, count: int) -> tuple[bytes, ...]:
    """The entries of a bundle that should hold `count` of them. Raises Malformed."""
    entries: list[bytes] = []
    offset = 0
    while offset < len(data) and len(entries) < count:
        end = offset + 2 + int.from_bytes(data[offset : offset + 2], "big")
        if end > len(data):
            raise Malformed("entry bundle", "cut off within an entry", offset=offset)
        entries.append(data[offset + 2 : end])
        offset = end
    if offset != len(data) or len(entries) != count:
        raise Malformed("entry bundle", f"does not hold exactly {count} entries", offset=offset)
    return tuple(entries)


def read_bundles(size: int, read: ReadFile, start: int = 0) -> Iterator[tuple[bytes, ...]]:
    """The entries of a tree of `size` leaves from `start` on, in order, those of one bundle at a time.

    Raises:
        Malformed: A bundle does not hold its entries; and what `read` raises.
    """
    bundles = range(start // TILE_WIDTH, -(-size // TILE_WIDTH)) if start < size else ()
    for n in bundles:
        width = min(TILE_WIDTH, size - n * TILE_WIDTH)
        entries = parse_entries(read(entries_path(n, width)), width)
        yield entries[max(0, start - n * TILE_WIDTH) :]


def read_entries(size: int, read: ReadFile, start: int = 0) -> Iterator[bytes]:
    """The same, one entry at a time. Raises as `read_bundles`."""
    for bundle in read_bundles(size, read, start):
        yield from bundle


class TileNodes:
    """A NodeReader over the tile files of a tree; each is read once.

    What it reads is trusted only as far as a root or proof made of it is then compared with a signed checkpoint.
    """

    def __init__(self, size: int, read: ReadFile) -> None:
        self._size = size
        self._read = read
        self._tiles: dict[TileName, bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Hash of a complete subtree. Raises Malformed for a tile of another length, and what `read` raises."""
        tile_level, height = divmod(level, TILE_HEIGHT)
        first = index << height
        n, position = divmod(first, TILE_WIDTH)
        width = min(TILE_WIDTH, (self._size >> TILE_HEIGHT * tile_level) - n * TILE_WIDTH)
        content = self._content(TileName(tile_level, n, width))
        places = range(position, position + (1 << height))
        return complete_root([content[place * HASH_BYTES : (place + 1) * HASH_BYTES] for place in places])

    def _content(self, tile: TileName) -> bytes:
        content = self._tiles.get(tile)
        if content is None:
            content = self._read(tile.path)
            if len(content) != tile.width * HASH_BYTES:
                raise Malformed("tile", f"{len(content)} bytes, not {tile.width * HASH_BYTES}")
            self._tiles[tile] = content
        return content
