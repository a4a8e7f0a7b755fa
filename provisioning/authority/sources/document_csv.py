"""Lists in: the SLTD-like CSV of documents (formats/README.md, "Documents CSV").

One record a line, UTF-8, a header line with these columns in any order: `issuing_country`, `doc_type` and either `din`
or `din_from` with `din_to`; optional `kind` (document or vehicle; document when empty), `fraud_type`,
`reporting_country`, `date_issue`, `date_expiry`, `stolen_on`, `review_date`, `national_ref`, `op` (A add, U update, D
delete; A when empty). A line that cannot be read is rejected with its number and reason, and the import goes on; a file
without a usable header, in another encoding, one that ends within a line, or whose ranges name more documents than
anybody stole, is refused whole.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import IO, Final

from appliance.errors import Malformed
from appliance.formats.lists import DocumentKey, ListedDocument
from provisioning.authority.countries import issuer_code
from provisioning.authority.sources.reading import (
    Place,
    Rejected,
    Remark,
    Unreadable,
    bounded_lines,
    decoded,
    document_number,
    half,
)

SOURCE: Final = "stolen and lost documents"
WHAT: Final = "documents CSV"
LINE_BYTES_MAX: Final = 4_096
REMARK_MAX: Final = 200
RANGE_MAX: Final = 10_000
"""Documents of one range: blanks are stolen by the box."""
RANGED_MAX: Final = 5_000_000
"""Documents of all ranges of a file: a line of 30 bytes names 10,000, so that a small file could fill a disk."""

REQUIRED: Final = ("issuing_country", "doc_type")
DATES: Final = ("date_issue", "date_expiry", "stolen_on", "review_date")
COLUMNS: Final = (
    *REQUIRED,
    *DATES,
    "din",
    "din_from",
    "din_to",
    "kind",
    "fraud_type",
    "reporting_country",
    "national_ref",
    "op",
)
TYPES: Final = {
    "document": {"P": "P", "PASSPORT": "P", "I": "I", "ID": "I", "A": "I", "C": "I", "V": "V", "BP": "BP", "VL": "VL"},
    "vehicle": {"PLATE": "PLATE", "VIN": "VIN"},
}
"""By kind, what `doc_type` may say and what it means."""
FRAUDS: Final = ("stolen blank", "stolen", "lost", "revoked")
_NUMBERED: Final = re.compile(r"((?:[0-9A-Z]*[A-Z])?)([0-9]{1,18})")
"""What comes before the last letter, that letter, and the digits that count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """One readable line.

    Attributes:
        op: "A", "U" or "D".
        keys: The documents or vehicles it names: one, or those of a range.
    """

    place: Place
    op: str
    keys: tuple[DocumentKey, ...]
    listed: ListedDocument


def read_documents(file: IO[bytes]) -> Iterator[DocumentRow | Rejected | Remark]:
    """Read the CSV line by line.

    Raises:
        Malformed: There is no header, or it lacks a column; it is not UTF-8; its last line is cut off; or its ranges
            are too many. Rows that came before must not be taken.
    """
    lines = bounded_lines(file, LINE_BYTES_MAX)
    header = _header(next(lines, (1, b""))[1])
    if unread := ", ".join(name for name in header if name not in COLUMNS):
        yield Remark(text=f"columns that are not read: {unread}"[:REMARK_MAX])
    ranged = 0
    for number, line in lines:
        if not line.strip():
            continue
        if not line.endswith(b"\n") and len(line) <= LINE_BYTES_MAX:
            raise half(WHAT, number)
        try:
            row = _row(header, number, line)
        except Unreadable as error:
            yield Rejected(place=Place("line", number), why=str(error))
            continue
        ranged += len(row.keys) if len(row.keys) > 1 else 0
        if ranged > RANGED_MAX:
            raise Malformed(WHAT, f"its ranges name more than {RANGED_MAX} documents")
        yield row


def _header(line: bytes) -> list[str]:
    try:
        names = [name.strip().lower() for name in _cells(line.removeprefix(b"\xef\xbb\xbf"), 1)]
    except Unreadable as error:
        raise Malformed(f"{WHAT} header", str(error)) from None
    missing = [name for name in REQUIRED if name not in names]
    if "din" not in names and not {"din_from", "din_to"} <= set(names):
        missing.append("din")
    if missing:
        raise Malformed(f"{WHAT} header", f"no column {', '.join(missing)}")
    if len(set(names)) != len(names):
        raise Malformed(f"{WHAT} header", "a column appears twice")
    if not line.endswith(b"\n"):
        raise half(WHAT, 1)
    return names


def _cells(line: bytes, number: int) -> list[str]:
    if len(line) > LINE_BYTES_MAX:
        raise Unreadable(f"{len(line)} bytes, at most {LINE_BYTES_MAX}")
    try:
        rows = list(csv.reader([decoded(line, WHAT, number).rstrip("\r\n")], strict=True))
    except csv.Error as error:
        raise Unreadable(f"not CSV ({error})") from None
    return rows[0] if rows else []


def _row(header: list[str], number: int, line: bytes) -> DocumentRow:
    cells = _cells(line, number)
    if len(cells) != len(header):
        raise Unreadable(f"{len(cells)} cells, the header has {len(header)}")
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    kind = row.get("kind", "").lower() or "document"
    if kind not in TYPES:
        raise Unreadable(f"kind is none of {', '.join(TYPES)}")
    issuer = issuer_code(row["issuing_country"])
    if issuer is None:
        raise Unreadable("issuing_country is not a known code")
    document_type = TYPES[kind].get(row["doc_type"].upper())
    if document_type is None:
        raise Unreadable(f"doc_type is none of {', '.join(TYPES[kind])}")
    op = row.get("op", "").upper() or "A"
    if op not in ("A", "U", "D"):
        raise Unreadable("op is none of A, U, D")
    _check_dates(row)
    keys = tuple(
        DocumentKey(kind=kind, issuer=issuer, document_type=document_type, number=document_number)
        for document_number in _numbers(row)
    )
    return DocumentRow(place=Place("line", number), op=op, keys=keys, listed=_listed(row))


def _check_dates(row: Mapping[str, str]) -> None:
    for name in DATES:
        if row.get(name):
            try:
                date.fromisoformat(row[name])
            except ValueError:
                raise Unreadable(f"{name} is no date (YYYY-MM-DD)") from None


def _listed(row: Mapping[str, str]) -> ListedDocument:
    fraud = row.get("fraud_type", "").lower().replace("_", " ") or "stolen"
    if fraud not in FRAUDS:
        raise Unreadable(f"fraud_type is none of {', '.join(FRAUDS)}")
    reported_by = row.get("reporting_country", "")
    code = issuer_code(reported_by) if reported_by else ""
    if code is None:
        raise Unreadable("reporting_country is not a known code")
    reference = row.get("national_ref", "")  # without one the document itself is the entry
    if len(reference) > 64:
        raise Unreadable("national_ref has more than 64 characters")
    return ListedDocument(entry=reference, source=SOURCE, fraud=fraud, reported_by=code)


def _numbers(row: Mapping[str, str]) -> list[str]:
    single, first, last = (row.get(name, "") for name in ("din", "din_from", "din_to"))
    if single and (first or last):
        raise Unreadable("both din and a range")
    if single:
        return [document_number(single)]
    return _range(document_number(first), document_number(last))


def _range(first: str, last: str) -> list[str]:
    start, end = _NUMBERED.fullmatch(first), _NUMBERED.fullmatch(last)
    if start is None or end is None or len(first) != len(last):
        raise Unreadable("din_from and din_to are no range: equal length, digits at the end")
    prefix, low = start.groups()
    if end[1] != prefix:
        raise Unreadable("din_from and din_to begin differently")
    count = int(end[2]) - int(low) + 1
    if not 0 < count <= RANGE_MAX:
        raise Unreadable(f"a range of {count} documents, at least 1 and at most {RANGE_MAX}")
    return [f"{prefix}{value:0{len(low)}d}" for value in range(int(low), int(end[2]) + 1)]
