"""provisioning/audit/opened/find.py and records.py: what answers a question, and how a record becomes a line."""

import hashlib
from datetime import UTC, datetime

import msgspec
import pytest

from appliance.clock import Grade, Instant
from appliance.errors import Misuse
from appliance.formats.record import encode_record
from appliance.formats.statement import Sealed, Statement
from appliance.judged import Clear, Reason, Refer, Screening
from appliance.model import DocumentFormat, Mode, MrzReading, TravelDocument, TypedReading
from appliance.recorded import Crossing, Direction, Outcome, OutcomeKind, Picture, Record, Screened
from provisioning.audit.opened.find import Question, find, parse_range, parse_time
from provisioning.audit.opened.logs import OpenedLog
from provisioning.audit.opened.opening import Opened
from provisioning.audit.opened.records import Folding, RecordLine, iso
from provisioning.audit.opened.report import report

ORIGIN = "landlink.example/la-0001.1"
NOON_MS = int(datetime(2026, 11, 3, 12, tzinfo=UTC).timestamp() * 1000)
TYPED = TypedReading(
    document_kind="VL",
    issuing_state="LAO",
    document_number="77",
    primary_identifier="SYNTHETIC",
    secondary_identifier="",
    date_of_birth="2521",
    date_of_expiry="",
    raw_sha256=bytes(32),
)
SCANNED = MrzReading(device="elyctis", lines=("P<LAOSYNTHETIC", "PA0000000"), raw_sha256=bytes([1]) * 32)
REFER = Refer(
    first=Reason(code="expired", words="It has expired.", next_step="Look."),
    others=(Reason(code="specimen", words="It is a specimen.", next_step="Look."),),
)


def document(number: str = "PA0000000", primary: str = "PHOMMASACK", secondary: str = "KHAMPHENG") -> TravelDocument:
    return TravelDocument(
        format=DocumentFormat.TD3,
        mrz=("P<LAOREPAIRED",),
        raw=SCANNED.lines,
        repairs=(),
        document_code="P",
        issuing_state="LAO",
        nationality="LAO",
        document_number=number,
        primary_identifier=primary,
        secondary_identifier=secondary,
        name_truncated=False,
        date_of_birth=None,
        sex="",
        date_of_expiry=None,
        optional_data="",
        check_digits=(),
    )


CROSSING = Crossing(id="c" * 32, direction=Direction.ENTRY, lane="1")


def opened(
    index: int,
    body: object,
    *,
    at_ms: int = NOON_MS,
    pictures: tuple[bytes, ...] = (),
    crossing: Crossing | None = CROSSING,
) -> Opened:
    at = Instant(wall_ms=at_ms, grade=Grade.NONE, lower_bound_ms=0, boot_id="0" * 32, boot_ms=0)
    record = Record(
        schema=1,
        origin=ORIGIN,
        record_id=f"{index:032x}",
        mode=Mode.LIVE,
        salt=bytes(32),
        at=at,
        crossing=crossing,
        person=None,
        body=body,
        pictures=pictures,
    )
    statement = Statement(
        origin=ORIGIN,
        epoch=0,
        mode=Mode.LIVE,
        at=at,
        recipients_version=1,
        cosigned=None,
        kind=Sealed(commitment=bytes(32), blob_sha256=bytes(32), blob_bytes=1),
    )
    return Opened(index=index, statement=statement, encoded=encode_record(record), record=record)


def screened(
    read: TravelDocument | None, reading: MrzReading | TypedReading = SCANNED, *, refer: bool = False
) -> Screened:
    return Screened(
        reading=reading,
        document=read,
        laid=1,
        findings=(),
        screening=Screening(lists=(), hits=()),
        decision=REFER if refer else Clear(oldest_list=datetime(2026, 11, 1, tzinfo=UTC).date()),
    )


def folded(*entries: Opened) -> list[RecordLine]:
    folding = Folding(ORIGIN)
    for entry in entries:
        folding.take(entry)
    assert folding.problems == []
    return folding.lines()


LINES = folded(
    opened(1, screened(document())),
    opened(2, screened(document("PB-7", "NGUYỄN", "VĂN ÁNH"), refer=True), at_ms=NOON_MS + 86_400_000),
    opened(3, screened(None, refer=True), at_ms=NOON_MS + 2 * 86_400_000),
)


@pytest.mark.parametrize(
    ("question", "indices"),
    [
        (Question(), [1, 2, 3]),
        (Question(number="pa 000-0000"), [1]),
        (Question(number="PA000000"), []),
        (Question(name="phom kham"), [1]),
        (Question(name="hommasack"), []),
        (Question(name="Nguyen Anh"), [2]),
        (Question(name="nguyễn"), [2]),
        (Question(referred=True), [2, 3]),
        (Question(since_ms=NOON_MS + 1), [2, 3]),
        (Question(until_ms=NOON_MS), []),
        (Question(until_ms=NOON_MS + 1), [1]),
        (Question(name="kham", referred=True), []),
    ],
)
def test_a_record_is_found_when_every_part_of_the_question_holds(question: Question, indices: list[int]) -> None:
    assert [line.index for line in find(question, LINES)] == indices


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("2026-11-03", False, datetime(2026, 11, 3, tzinfo=UTC)),
        ("2026-11-03", True, datetime(2026, 11, 4, tzinfo=UTC)),
        ("2026-11-03T14:05", True, datetime(2026, 11, 3, 14, 5, tzinfo=UTC)),
        ("2026-11-03T14:05+07:00", False, datetime(2026, 11, 3, 7, 5, tzinfo=UTC)),
    ],
)
def test_a_day_means_all_its_hours_and_a_time_is_utc_unless_it_says_otherwise(
    text: str,
    end: bool,
    expected: datetime,
) -> None:
    assert parse_time(text, end=end) == expected.timestamp() * 1000


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-11-03T25:00", "9999-12-31" * 9])
def test_a_time_that_is_none_is_malformed(text: str) -> None:
    with pytest.raises(Misuse, match="neither YYYY-MM-DD"):
        parse_time(text, end=False)


def test_a_typed_record_has_no_mrz_and_says_so() -> None:
    (line,) = folded(opened(1, screened(document(), TYPED)))
    assert (line.source, line.device, line.mrz, line.raw_mrz) == ("typed", "", "P<LAOREPAIRED", "")
    typed = msgspec.structs.replace(document(), mrz=(), raw=())
    (line,) = folded(opened(1, screened(typed, TYPED)))
    assert (line.mrz, line.raw_mrz) == ("", "")


def test_a_page_that_could_not_be_parsed_shows_what_was_read() -> None:
    (line,) = folded(opened(1, screened(None)))
    assert (line.source, line.mrz, line.raw_mrz) == ("scanner",) + ("P<LAOSYNTHETIC\nPA0000000",) * 2
    assert line.raw_sha256 == "01" * 32


def test_a_repaired_line_keeps_what_was_read_beside_it() -> None:
    (line,) = folded(opened(1, screened(document())))
    assert (line.mrz, line.raw_mrz) == ("P<LAOREPAIRED", "P<LAOSYNTHETIC\nPA0000000")


def test_pictures_before_and_after_the_record_are_folded_in_and_missing_ones_counted() -> None:
    of = f"{2:032x}"
    page, late = b"page", b"late"
    announced = (hashlib.sha256(page).digest(), hashlib.sha256(b"never arrived").digest())
    (line,) = folded(
        opened(1, Picture(of=of, media_type="image/jpeg", content=page)),
        opened(2, screened(document()), pictures=announced),
        opened(3, Picture(of=of, media_type="image/jpeg", content=late)),
    )
    assert [(picture.index, picture.sha256, picture.bytes) for picture in line.pictures] == [
        (1, hashlib.sha256(page).hexdigest(), 4),
        (3, hashlib.sha256(late).hexdigest(), 4),
    ]
    assert line.pictures_awaited == 1


@pytest.mark.parametrize(
    ("wall_ms", "text"),
    [
        (NOON_MS, "2026-11-03T12:00:00.000Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (2**53, "?"),
        (-(2**53), "?"),
    ],
)
def test_a_claimed_time_is_shown_as_it_is_or_as_unknown(wall_ms: int, text: str) -> None:
    assert iso(wall_ms) == text


def test_a_report_counts_by_claimed_day_and_lists_unanswered_referrals_of_people_who_were_there() -> None:
    lines = folded(
        opened(1, screened(document())),
        opened(2, screened(document(), TYPED, refer=True)),
        opened(3, Outcome(of=f"{1:032x}", outcome=OutcomeKind.PASSED, implied=True)),
        opened(4, screened(None, refer=True), at_ms=NOON_MS + 86_400_000),
        opened(5, screened(document(), TYPED, refer=True), crossing=None),
    )
    counted = report(OpenedLog(origin=ORIGIN, serial="LA-0001", entries=5, lines=lines, awaited=[9], opened=4))
    first, second = counted.days
    assert (first.day, first.documents, first.typed, first.referred, first.unread, first.open) == (
        "2026-11-03",
        2,
        1,
        1,
        0,
        1,
    )
    assert first.outcomes == {"passed": 1}
    assert (first.looked_up, second.looked_up) == (1, 0), "nobody was there of whom something could be said"
    assert (second.day, second.documents, second.unread, second.open) == ("2026-11-04", 1, 1, 1)
    assert (counted.unsent, counted.problems) == (1, 0)
    assert [(case.index, case.reasons) for case in counted.open_cases] == [
        (2, ["expired", "specimen"]),
        (4, ["expired", "specimen"]),
    ]


def test_a_range_that_nothing_can_answer_is_refused() -> None:
    assert parse_range(None, None) == (None, None)
    assert parse_range("2026-11-03", "2026-11-03") == (NOON_MS - 43_200_000, NOON_MS + 43_200_000)
    for since, until in (("2026-11-04", "2026-11-03"), ("2026-11-03T12:00", "2026-11-03T12:00")):
        with pytest.raises(Misuse, match="--from is not before --to"):
            parse_range(since, until)


def test_a_question_is_written_down_with_times_that_a_person_reads() -> None:
    assert Question(number="PA1", since_ms=NOON_MS).words() == "number PA1, from 2026-11-03T12:00:00.000Z"
