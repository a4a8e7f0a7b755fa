"""Typed entry is a reading of its own: its fields, its bounds, and what it cannot be asked."""

import pytest

from appliance.clock import Grade, Instant
from appliance.errors import Malformed
from appliance.examine.examine import examine
from appliance.judged import Answer
from appliance.model import DocumentFormat, TypedReading
from appliance.parse.reading import parse_reading

NOW = Instant(
    wall_ms=1_795_219_200_000, grade=Grade.NETWORK, lower_bound_ms=1_795_000_000_000, boot_id="0" * 32, boot_ms=1
)


def typed(**fields: str) -> TypedReading:
    """A Lao border pass of a synthetic holder, with these fields instead."""
    given = {
        "document_kind": "BP",
        "issuing_state": "LAO",
        "document_number": "BP0012345",
        "primary_identifier": "phommasan",
        "secondary_identifier": "Bounmy  Keo",
        "date_of_birth": "2530-06-05",
        "date_of_expiry": "2027-01-31",
    }
    return TypedReading(**{**given, **fields}, raw_sha256=bytes(32))


def test_typed_fields_become_a_document_marked_typed() -> None:
    document = parse_reading(typed(), NOW)
    assert document.format is DocumentFormat.TYPED
    assert (document.mrz, document.raw, document.repairs, document.check_digits) == ((), (), (), ())
    assert (document.document_code, document.issuing_state) == ("BP", "LAO")
    assert (document.primary_identifier, document.secondary_identifier) == ("PHOMMASAN", "BOUNMY KEO")
    assert document.date_of_birth is not None
    assert (document.date_of_birth.raw, document.date_of_birth.year) == ("2530-06-05", 1987)


def test_names_in_their_own_script_stay_and_lose_invisible_marks() -> None:
    document = parse_reading(typed(primary_identifier="សុខ\u200bសាន្ត", secondary_identifier="\u202eNOY\u200d"), NOW)
    assert document.primary_identifier == "សុខ សាន្ត"
    assert document.secondary_identifier == "NOY"


@pytest.mark.parametrize(
    "wrong",
    [
        {"document_number": "BP-001"},
        {"document_number": "bp001"},
        {"document_number": "๑๒๓"},
        {"document_number": "A" * 25},
        {"issuing_state": "LAOS"},
        {"primary_identifier": "A" * 81},
        {"primary_identifier": "ß" * 41},
        {"primary_identifier": "A\x00B"},
        {"date_of_birth": "5 June 1987"},
    ],
)
def test_a_field_out_of_its_bounds_is_malformed(wrong: dict[str, str]) -> None:
    with pytest.raises(Malformed, match="typed"):
        parse_reading(typed(**wrong), NOW)


def test_what_needs_the_printed_lines_is_not_applicable_and_the_rest_is_answered() -> None:
    reading = typed()
    answers = {found.check: found.answer for found in examine(parse_reading(reading, NOW), reading, NOW)}
    not_applicable = {check for check, answer in answers.items() if answer is Answer.NOT_APPLICABLE}
    of_printed_lines = {
        "check_digits",
        "nationality",
        "printed_lines",
        "repaired_characters",
        "second_reading",
        "sure_reading",
        "printed_geometry",
        "infrared",
    }
    of_passports_and_cards = {"number_form", "national_number", "validity"}
    assert not_applicable == of_printed_lines | of_passports_and_cards
    assert {answers[check] for check in ("expiry", "date_of_birth", "issuing_state", "specimen")} == {Answer.PASSED}


@pytest.mark.parametrize(
    ("fields", "check", "answer"),
    [
        ({"date_of_expiry": "2026-10"}, "expiry", Answer.FAILED),
        ({"date_of_expiry": "2026-11"}, "expiry", Answer.PASSED),
        ({"date_of_expiry": "2026"}, "expiry", Answer.PASSED),
        ({"date_of_expiry": ""}, "expiry", Answer.INCONCLUSIVE),
        ({"date_of_birth": ""}, "date_of_birth", Answer.NOT_APPLICABLE),
        ({"date_of_birth": "2027"}, "date_of_birth", Answer.FAILED),
        ({"date_of_birth": "1900"}, "date_of_birth", Answer.FAILED),
        ({"date_of_birth": "2027-02", "date_of_expiry": "2027-01"}, "date_of_birth", Answer.FAILED),
        ({"issuing_state": ""}, "issuing_state", Answer.INCONCLUSIVE),
        ({"issuing_state": "QQQ"}, "issuing_state", Answer.FAILED),
        ({"issuing_state": "UTO"}, "specimen", Answer.FAILED),
    ],
)
def test_typed_dates_and_codes_are_examined(fields: dict[str, str], check: str, answer: Answer) -> None:
    reading = typed(**fields)
    found = next(found for found in examine(parse_reading(reading, NOW), reading, NOW) if found.check == check)
    assert found.answer is answer
