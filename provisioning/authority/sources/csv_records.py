"""Records of a CSV file whose cells may hold line breaks: one at a time, within bounds, all as wide as the first."""

import csv
from collections.abc import Iterator
from typing import IO, Final

from appliance.errors import Malformed
from provisioning.authority.sources.reading import Place, Rejected, Unreadable, bounded_lines, decoded, half

LINE_BYTES_MAX: Final = 1024 * 1024
END_OF_FILE: Final = b"\x1a"
"""Files from DOS end with this character."""


class _Lines:
    """Decoded lines; remembers where it stands."""

    def __init__(self, file: IO[bytes], what: str) -> None:
        self._lines = bounded_lines(file, LINE_BYTES_MAX)
        self._what = what
        self.number = 0
        self.ended = False
        self._cut = False
        """The line before has no end, so the file may have been longer."""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        number, line = next(self._lines, (0, END_OF_FILE))
        if line.strip() == END_OF_FILE:
            self.ended = True
            if self._cut:
                raise half(self._what, self.number)
            raise StopIteration
        self.number = number
        if len(line) > LINE_BYTES_MAX:
            raise Unreadable(f"a line of more than {LINE_BYTES_MAX} bytes")
        self._cut = not line.endswith(b"\n")
        return decoded(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line, self._what, number)


def csv_records(file: IO[bytes], what: str) -> Iterator[tuple[Place, list[str]] | Rejected]:
    """Each record with the line on which it begins; the first one sets the number of cells.

    Raises:
        Malformed: Not UTF-8, nothing in it, or it ends within a record or a line.
    """
    lines = _Lines(file, what)
    reader = csv.reader(lines, strict=True)
    width = 0
    while True:
        place = Place("line", lines.number + 1)
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            if lines.ended:
                raise half(what, lines.number) from None
            yield Rejected(place=place, why=_unreadable(error, place.number, lines.number))
            continue
        except Unreadable as error:
            yield Rejected(place=place, why=str(error))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        width = width or len(cells)
        if len(cells) == width:
            yield place, cells
        else:
            yield Rejected(place=place, why=f"{len(cells)} cells, the first line has {width}")
    if not width:
        raise Malformed(what, "there is nothing in it")


def _unreadable(error: csv.Error, first: int, last: int) -> str:
    until = f", to line {last}" if last > first else ""
    return f"not CSV ({error}){until}"
