"""Work a record's hits out again from the record alone, with the code that the box screens with.

A hit carries what it was worked out from (`MatchBasis`), and the record the document. So whoever holds an opened record
can see that band and verdicts follow from them, without the list and without believing the box. What was recorded by
another version of the matching is worked out again all the same, and said so: then a difference proves nothing.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from appliance.errors import Malformed
from appliance.judged import FieldVerdict, Hit, MatchBasis, WeighedWord
from appliance.model import Id, TravelDocument
from appliance.screen.documents import NUMBERS, document_key, judge_numbers, look_alikes
from appliance.screen.names import shipped_reader
from appliance.screen.verdicts import judge, matcher, weighed

NOBODY: Final = "nobody"
"""In place of a band: what was recorded gives no match."""


class RecordedHits(msgspec.Struct, frozen=True, kw_only=True):
    """What of a line of `open` is needed; the line has more, and one of a carrier's check has no hits."""

    origin: str
    index: int
    record_id: Id
    document: TravelDocument | None = None
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that was recorded beside what it comes to now."""

    what: str
    recorded: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One hit.

    Attributes:
        rows: The band, every verdict, and whether the words are those of the document.
        version: The matching that recorded it, when this software has another one; else "".
    """

    hit: Hit
    rows: tuple[Row, ...]
    version: str

    @property
    def differs(self) -> bool:
        """Whether anything of it is not what was recorded."""
        return any(row.recorded != row.now for row in self.rows)


def parse_line(line: bytes | str) -> RecordedHits:
    """A line of `open`. Raises Malformed."""
    try:
        recorded: RecordedHits = msgspec.json.decode(line, type=RecordedHits)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("opened record", "not a line as landlink-hq open writes it") from None
    return recorded


def replay(recorded: RecordedHits) -> tuple[Replayed, ...]:
    """Every hit of a record, worked out again."""
    return tuple(_replayed(hit, recorded.document) for hit in recorded.hits)


def _replayed(hit: Hit, document: TravelDocument | None) -> Replayed:
    made_with = hit.matcher.partition(";")[0]
    here = NUMBERS if hit.basis is None else matcher(shipped_reader().forms.version)
    judged = None if document is None else _judged(hit, document)
    band, fields = judged or (NOBODY, ())
    rows = [Row(what="band", recorded=hit.band, now=band), *_side_by_side(hit.fields, fields)]
    if hit.basis is not None and document is not None and made_with == here:  # other forms may read other words
        rows.append(_as_read(hit.basis, document))
    return Replayed(hit=hit, rows=tuple(rows), version="" if made_with == here else made_with)


def _judged(hit: Hit, document: TravelDocument) -> tuple[str, tuple[FieldVerdict, ...]] | None:
    """Band and verdicts; None when what was recorded gives no match."""
    if hit.basis is None:
        return _document_judged(hit, document)
    try:
        judged = judge(document, hit.basis)
    except Malformed:  # a birth date of no calendar
        return None
    return None if judged is None else (judged.band, judged.fields)


def _document_judged(hit: Hit, document: TravelDocument) -> tuple[str, tuple[FieldVerdict, ...]] | None:
    mine = document_key(document)
    if mine is None:
        return None
    for theirs in itertools.chain((mine,), look_alikes(mine)):
        band, field = judge_numbers(mine, theirs)
        if [field.listed] == [recorded.listed for recorded in hit.fields]:
            return band, (field,)
    return None


def _side_by_side(recorded: tuple[FieldVerdict, ...], now: tuple[FieldVerdict, ...]) -> Iterator[Row]:
    """Each field by name, those that only one side has with nothing beside them."""
    before, after = ({field.field: field for field in fields} for fields in (recorded, now))
    for name in dict.fromkeys([*before, *after]):
        yield Row(what=name, recorded=_text(before.get(name)), now=_text(after.get(name)))


def _text(field: FieldVerdict | None) -> str:
    if field is None:
        return ""
    words = [f"{pair.traveller or '-'} = {pair.listed or '-'} ({pair.verdict})" for pair in field.words]
    return "; ".join([f"{field.traveller} | {field.listed}: {field.verdict}", *words])


def _as_read(basis: MatchBasis, document: TravelDocument) -> Row:
    """Whether the traveller's words are those of the document."""
    full = f"{document.primary_identifier} {document.secondary_identifier}"
    name = shipped_reader().read(full, cut=document.name_truncated)
    return Row(
        what="words of the document",
        recorded=_words(basis.traveller, cut=basis.cut),
        now=_words(weighed(name), cut=name.cut),
    )


def _words(words: tuple[WeighedWord, ...], *, cut: bool) -> str:
    return " ".join(f"{word.text}/{word.folded}/{word.weight}" for word in words) + (" cut off" if cut else "")
