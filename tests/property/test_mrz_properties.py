"""What holds for any zone: the bench writes what the parser reads, nothing breaks the parser, repair is bounded."""

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.clock import Grade, Instant
from appliance.errors import Malformed
from appliance.examine.examine import examine
from appliance.examine.findings import CHECK_DIGITS, CHECKS
from appliance.judged import Answer
from appliance.model import MrzReading, RepairReason, TravelDocument, TypedReading
from appliance.parse.mrz import parse_mrz
from appliance.parse.reading import parse_reading
from appliance.parse.repair import CHECKED_REPAIRS_MAX, CLASS_REPAIRS_MAX
from provisioning.bench.mrz_writer import ALPHABET, MrzFields, write_td1, write_td2, write_td3

NOW = Instant(
    wall_ms=1_795_219_200_000, grade=Grade.NETWORK, lower_bound_ms=1_795_000_000_000, boot_id="0" * 32, boot_ms=1
)
WRITERS = {"TD1": write_td1, "TD2": write_td2, "TD3": write_td3}
LONGEST_NUMBER = {"TD1": 22, "TD2": 14, "TD3": 9}
MRZ = ALPHABET + "<"

words = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=9)
names = st.lists(words, min_size=1, max_size=4).map(" ".join)
dates = (
    st.dates()
    .map(lambda day: day.strftime("%m%d"))
    .flatmap(lambda month_day: st.integers(0, 99).map(lambda year: f"{year:02}{month_day}"))
)


@st.composite
def fields(draw: st.DrawFn, *, size: str) -> MrzFields:
    """Any holder that the size can print."""
    return MrzFields(
        document_code=draw(st.sampled_from(["P", "PD"] if size == "TD3" else ["I", "ID", "AC", "C1"])),
        issuing_state=draw(st.sampled_from(["LAO", "THA", "VNM", "KHM", "MMR", "CHN", "D", "UTO"])),
        document_number=draw(st.text(ALPHABET, min_size=1, max_size=LONGEST_NUMBER[size])),
        nationality=draw(st.sampled_from(["LAO", "D", "XXA", "GBN", "UTO"])),
        date_of_birth=draw(dates | st.sampled_from(["<<<<<<", "74<<<<", "7408<<"])),
        sex=draw(st.sampled_from("MF<")),
        date_of_expiry=draw(dates),
        primary_identifier=draw(names),
        secondary_identifier=draw(st.just("") | names),
    )


holders = st.sampled_from(sorted(WRITERS)).flatmap(lambda size: st.tuples(st.just(size), fields(size=size)))


def widen(document: TravelDocument) -> None:
    """Every value is within the bounds of the model: it survives the way into a record and back."""
    assert msgspec.convert(msgspec.to_builtins(document), TravelDocument) == document


@given(holders)
def test_what_the_writer_prints_the_parser_reads(holder: tuple[str, MrzFields]) -> None:
    size, printed = holder
    document = parse_mrz(WRITERS[size](printed), NOW)
    assert document.format == size
    assert document.repairs == ()
    assert all(check.holds for check in document.check_digits)
    assert document.document_code == printed.document_code
    assert document.document_number == printed.document_number
    assert (document.issuing_state, document.nationality) == (printed.issuing_state, printed.nationality)
    assert document.date_of_birth is not None
    assert document.date_of_birth.raw == printed.date_of_birth
    assert document.sex == printed.sex.strip("<")
    if document.name_truncated:
        assert document.primary_identifier
        assert bool(document.secondary_identifier) == bool(printed.secondary_identifier)
    else:
        assert document.primary_identifier == printed.primary_identifier
        assert document.secondary_identifier == printed.secondary_identifier
    widen(document)


@given(holders, st.data())
def test_any_one_digit_changed_under_a_check_digit_never_passes(
    holder: tuple[str, MrzFields], data: st.DataObject
) -> None:
    size, printed = holder
    lines = WRITERS[size](printed)
    document = parse_mrz(lines, NOW)
    place = data.draw(st.integers(0, 5))
    line, start = {"TD1": (1, 0), "TD2": (1, 13), "TD3": (1, 13)}[size]
    column = start + place
    read = lines[line][column]
    if not read.isdigit():
        return
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != read]))
    changed = tuple(
        text[:column] + other + text[column + 1 :] if number == line else text for number, text in enumerate(lines)
    )
    altered = parse_mrz(changed, NOW)
    answer = next(found for found in examine(altered, READING, NOW) if found.check == CHECK_DIGITS.id)
    assert answer.answer is Answer.FAILED
    assert altered.raw == changed != document.raw


READING = MrzReading(device="simulator", lines=(), raw_sha256=bytes(32))
shaped = st.sampled_from([(3, 30), (2, 36), (2, 44)]).flatmap(
    lambda shape: st.tuples(*[st.text(MRZ, min_size=shape[1], max_size=shape[1])] * shape[0])
)


@given(st.lists(st.text(max_size=50), max_size=5).map(tuple) | shaped)
@example(())
@example(("", ""))
@example(("\ud800" * 44, "<" * 44))
@example(("<" * 44, "<" * 44))
@example(("P" + "<" * 43, "<" * 44))
@example(("V" + "<" * 35, "<" * 36))
@example(("I" + "<" * 29, "<" * 30, "<" * 30))
@example(("IDFRA" + "<" * 31, "<" * 36))
@example(("I<UTO" + "A" * 9 + "<" + "A" * 15, "<" * 30, "<" * 30))
@example(("I<UTO" + "A" * 9 + "<A" + "<" * 14, "<" * 30, "<" * 30))
def test_any_lines_give_a_document_within_its_bounds_or_malformed(lines: tuple[str, ...]) -> None:
    try:
        document = parse_mrz(lines, NOW)
    except Malformed:
        return
    widen(document)
    findings = examine(document, READING, NOW)
    assert [found.check for found in findings] == list(CHECKS)
    assert msgspec.convert(msgspec.to_builtins(findings), tuple[type(findings[0]), ...]) == findings


typed_readings = st.builds(
    TypedReading,
    document_kind=st.text(max_size=70) | st.sampled_from(["P", "BP", "VL"]),
    issuing_state=st.text(max_size=5) | st.sampled_from(["LAO", ""]),
    document_number=st.text(max_size=30) | st.text(ALPHABET, max_size=24),
    primary_identifier=st.text(max_size=90),
    secondary_identifier=st.text(max_size=90),
    date_of_birth=st.text(max_size=12) | st.dates().map(str) | st.sampled_from(["2530-02-29", "9999", "0000-01-01"]),
    date_of_expiry=st.text(max_size=12) | st.dates().map(str) | st.sampled_from(["2572-12", "2999-12-31"]),
    raw_sha256=st.just(bytes(32)),
)


@given(typed_readings)
def test_any_typed_fields_give_a_document_within_its_bounds_or_malformed(reading: TypedReading) -> None:
    try:
        document = parse_reading(reading, NOW)
    except Malformed:
        return
    widen(document)
    assert [found.check for found in examine(document, reading, NOW)] == list(CHECKS)


@given(shaped)
def test_every_changed_character_is_a_repair_and_repairs_are_few(lines: tuple[str, ...]) -> None:
    try:
        document = parse_mrz(lines, NOW)
    except Malformed:
        return
    changed = {
        (line, column): (read, taken_as)
        for line, (raw, text) in enumerate(zip(document.raw, document.mrz, strict=True))
        for column, (read, taken_as) in enumerate(zip(raw, text, strict=True))
        if read != taken_as
    }
    assert changed == {(repair.line, repair.column): (repair.read, repair.taken_as) for repair in document.repairs}
    assert document.raw == lines
    by_check = [repair for repair in document.repairs if repair.reason is RepairReason.CHECK_DIGITS]
    assert len(by_check) <= CHECKED_REPAIRS_MAX
    assert len(document.repairs) - len(by_check) <= CLASS_REPAIRS_MAX
    assert all(before != after for before, after in pairwise([(r.line, r.column) for r in document.repairs]))


@pytest.mark.parametrize("shape", [(3, 30), (2, 36), (2, 44)])
def test_no_garbage_of_the_right_shape_is_made_valid(shape: tuple[int, int]) -> None:
    """Five thousand seeded zones of random characters: unbounded repair would make some agree with all check digits."""
    chance = random.Random(9303)
    count, width = shape
    for _ in range(5_000):
        lines = tuple("".join(chance.choices(MRZ, k=width)) for _ in range(count))
        try:
            document = parse_mrz(("I" + lines[0][1:], *lines[1:]), NOW)
        except Malformed:
            continue
        assert not all(check.holds for check in document.check_digits)
