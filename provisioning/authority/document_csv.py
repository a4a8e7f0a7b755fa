"""Lists in: the SLTD-like CSV of documents (formats/README.md, "documents CSV"; screening.md §2).

One record a line, UTF-8, a header line with these columns in any order: `issuing_country`, `doc_type` and either `din`
or `din_from` with `din_to`; optional `fraud_type`, `reporting_country`, `date_issue`, `date_expiry`, `stolen_on`,
`review_date`, `national_ref`, `op` (A add, U update, D delete; A when empty). A line that cannot be read is rejected
with its number and reason, and the import goes on; a file without a usable header is refused.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from appliance.errors import Malformed
from appliance.formats.lists import DocumentKey, ListedDocument, canonical_number
from provisioning.authority.countries import issuer_code

SOURCE: Final = "stolen and lost documents"
FILE_BYTES_MAX: Final = 512 * 1024 * 1024
LINE_BYTES_MAX: Final = 4_096
RANGE_MAX: Final = 10_000
"""Documents of one range: blanks are stolen by the box."""

REQUIRED: Final = ("issuing_country", "doc_type")
DATES: Final = ("date_issue", "date_expiry", "stolen_on", "review_date")
COLUMNS: Final = (
    *REQUIRED,
    *DATES,
    "din",
    "din_from",
    "din_to",
    "fraud_type",
    "reporting_country",
    "national_ref",
    "op",
)
TYPES: Final = {"P": "P", "PASSPORT": "P", "I": "I", "ID": "I", "A": "I", "C": "I", "V": "V", "BP": "BP", "VL": "VL"}
FRAUDS: Final = ("stolen blank", "stolen", "lost", "revoked")
_NUMBERED: Final = re.compile(r"((?:[0-9A-Z]*[A-Z])?)([0-9]{1,18})")
"""What comes before the last letter, that letter, and the digits that count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """One readable line.

    Attributes:
        line: Its number; the header is 1.
        op: "A", "U" or "D".
        keys: The documents it names: one, or those of a range.
    """

    line: int
    op: str
    keys: tuple[DocumentKey, ...]
    listed: ListedDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedLine:
    """One line that could not be read, and why."""

    line: int
    why: str


class _Unreadable(ValueError):
    """This line breaks a rule; its text is the reason."""


def read_documents(lines: Iterable[bytes]) -> Iterator[DocumentRow | RejectedLine]:
    """Read the CSV line by line.

    Args:
        lines: With their ends, as a file opened for reading bytes gives them.

    Raises:
        Malformed: There is no header, or it lacks a column; nothing of the file can be read.
    """
    rest = iter(lines)
    header = _header(next(rest, b""))
    for number, line in enumerate(rest, start=2):
        if not line.strip():
            continue
        try:
            yield _row(header, number, line)
        except _Unreadable as error:
            yield RejectedLine(line=number, why=str(error))


def unknown_columns(line: bytes) -> tuple[str, ...]:
    """Columns of a header line that are not read. Raises Malformed as `read_documents`."""
    return tuple(name for name in _header(line) if name not in COLUMNS)


def _header(line: bytes) -> list[str]:
    try:
        names = [name.strip().lower() for name in _cells(line.removeprefix(b"\xef\xbb\xbf"))]
    except _Unreadable as error:
        raise Malformed("documents CSV header", str(error)) from None
    missing = [name for name in REQUIRED if name not in names]
    if "din" not in names and not {"din_from", "din_to"} <= set(names):
        missing.append("din")
    if missing:
        raise Malformed("documents CSV header", f"no column {', '.join(missing)}")
    if len(set(names)) != len(names):
        raise Malformed("documents CSV header", "a column appears twice")
    return names


def _cells(line: bytes) -> list[str]:
    if len(line) > LINE_BYTES_MAX:
        raise _Unreadable(f"{len(line)} bytes, at most {LINE_BYTES_MAX}")
    try:
        rows = list(csv.reader([line.decode("utf-8").rstrip("\r\n")], strict=True))
    except UnicodeDecodeError:
        raise _Unreadable("not UTF-8") from None
    except csv.Error as error:
        raise _Unreadable(f"not CSV ({error})") from None
    return rows[0] if rows else []


def _row(header: list[str], number: int, line: bytes) -> DocumentRow:
    cells = _cells(line)
    if len(cells) != len(header):
        raise _Unreadable(f"{len(cells)} cells, the header has {len(header)}")
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    issuer = issuer_code(row["issuing_country"])
    if issuer is None:
        raise _Unreadable("issuing_country is not a known code")
    document_type = TYPES.get(row["doc_type"].upper())
    if document_type is None:
        raise _Unreadable(f"doc_type is none of {', '.join(TYPES)}")
    op = row.get("op", "").upper() or "A"
    if op not in ("A", "U", "D"):
        raise _Unreadable("op is none of A, U, D")
    _check_dates(row)
    keys = tuple(
        DocumentKey(issuer=issuer, document_type=document_type, number=document_number)
        for document_number in _numbers(row)
    )
    return DocumentRow(line=number, op=op, keys=keys, listed=_listed(row, number))


def _check_dates(row: Mapping[str, str]) -> None:
    for name in DATES:
        if row.get(name):
            try:
                date.fromisoformat(row[name])
            except ValueError:
                raise _Unreadable(f"{name} is no date (YYYY-MM-DD)") from None


def _listed(row: Mapping[str, str], number: int) -> ListedDocument:
    fraud = row.get("fraud_type", "").lower().replace("_", " ") or "stolen"
    if fraud not in FRAUDS:
        raise _Unreadable(f"fraud_type is none of {', '.join(FRAUDS)}")
    reported_by = row.get("reporting_country", "")
    code = issuer_code(reported_by) if reported_by else ""
    if code is None:
        raise _Unreadable("reporting_country is not a known code")
    reference = row.get("national_ref", "") or f"line {number}"
    if len(reference) > 64:
        raise _Unreadable("national_ref has more than 64 characters")
    return ListedDocument(entry=reference, source=SOURCE, fraud=fraud, reported_by=code)


def _numbers(row: Mapping[str, str]) -> list[str]:
    single = canonical_number(row.get("din", ""))
    first, last = canonical_number(row.get("din_from", "")), canonical_number(row.get("din_to", ""))
    if single and (first or last):
        raise _Unreadable("both din and a range")
    if single:
        if len(single) > 32:
            raise _Unreadable("din has more than 32 characters")
        return [single]
    if not first or not last:
        raise _Unreadable("no document number")
    return _range(first, last)


def _range(first: str, last: str) -> list[str]:
    start, end = _NUMBERED.fullmatch(first), _NUMBERED.fullmatch(last)
    if start is None or end is None or len(first) != len(last) or len(first) > 32:
        raise _Unreadable("din_from and din_to are no range: equal length, digits at the end")
    prefix, low = start.groups()
    if end[1] != prefix:
        raise _Unreadable("din_from and din_to begin differently")
    count = int(end[2]) - int(low) + 1
    if not 0 < count <= RANGE_MAX:
        raise _Unreadable(f"a range of {count} documents, at least 1 and at most {RANGE_MAX}")
    return [f"{prefix}{value:0{len(low)}d}" for value in range(int(low), int(end[2]) + 1)]
