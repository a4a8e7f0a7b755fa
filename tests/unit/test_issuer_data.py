"""The data of issuers: every row with its source, a strict reader, and what validity and number forms answer."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.clock import Grade, Instant
from appliance.errors import Malformed
from appliance.examine.examine import examine
from appliance.examine.findings import CHECKS
from appliance.examine.issuers import FACTS, ISSUERS_BYTES_MAX, parse_issuers
from appliance.judged import Answer, Finding
from appliance.model import MrzReading
from appliance.parse.codes import state_codes
from appliance.parse.reading import parse_reading
from provisioning.bench.mrz_writer import MrzFields, write_td3

ROOM = Path(__file__).parents[2] / "appliance" / "examine"
NEIGHBOURS = {"LAO", "THA", "VNM", "KHM", "MMR", "CHN", "MYS", "PHL", "IDN", "SGP"}
HEAD = "version = 1\nreviewed = 2026-11-22\n"
ROW = '[[validity]]\nissuer = "LAO"\ndocuments = ["P"]\nyears = 10\nsource = "https://example.org/"\n'
NUMBER = (
    '[[number]]\nissuer = "LAO"\ndocuments = ["P"]\npatterns = ["[A-Z]{2}[0-9]{7}"]\nsource = "https://example.org/"\n'
)


def at(day: str, grade: Grade = Grade.NETWORK, proven: str = "2026-10-26") -> Instant:
    """Noon of a day."""
    wall, bound = (
        int(datetime.fromisoformat(f"{text}T12:00:00").replace(tzinfo=UTC).timestamp()) for text in (day, proven)
    )
    return Instant(wall_ms=wall * 1000, grade=grade, lower_bound_ms=bound * 1000, boot_id="0" * 32, boot_ms=1)


def ask(check: str, now: Instant | None = None, **fields: str) -> Finding:
    """One answer for a passport with these fields."""
    given = {
        "document_code": "P", "issuing_state": "THA", "nationality": "THA", "document_number": "AA1234567",
        "date_of_birth": "870605", "sex": "F", "date_of_expiry": "310131", "primary_identifier": "MUSTER",
        "secondary_identifier": "ANNA",
    }  # fmt: skip
    now = now or at("2026-11-21")
    reading = MrzReading(device="elyctis", lines=write_td3(MrzFields(**{**given, **fields})), raw_sha256=bytes(32))
    found = examine(parse_reading(reading, now), reading, now)
    return next(finding for finding in found if finding.check == check)


def test_every_row_names_an_issuer_that_exists_and_a_public_source() -> None:
    for row in (*FACTS.validity, *FACTS.number):
        assert row.issuer in state_codes()
        assert "://" in row.source or "Wikipedia" in row.source


def test_validity_of_all_neighbours_has_a_source() -> None:
    assert {row.issuer for row in FACTS.validity} >= NEIGHBOURS


def test_number_forms_without_a_public_source_are_left_out_and_said() -> None:
    missing = NEIGHBOURS - {row.issuer for row in FACTS.number}
    assert missing == {"LAO", "KHM", "MMR"}
    readme = (ROOM / "README.md").read_text(encoding="utf-8")
    assert f"No form of {', '.join(sorted(missing))}" in readme


def test_the_readme_has_every_check_as_it_is_declared() -> None:
    readme = (ROOM / "README.md").read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{check.id}` | {check.asks} | {check.next_step} | {check.source} |" for check in CHECKS.values()
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "version"),
        (HEAD, "validity"),
        (HEAD + ROW + ROW + "number = []", r"validity\[1\]"),
        ("number = []\n" + HEAD + ROW + ROW, r"validity\[1\]: this issuer's document stands there already"),
        ("number = []\n" + HEAD + ROW.replace("10", "21"), "years"),
        ("number = []\n" + HEAD + ROW.replace("https://example.org/", ""), "source"),
        ("number = []\n" + HEAD + ROW + "young_under = 16\n", r"validity\[0\]: young_under and young_years"),
        ("number = []\n" + HEAD + ROW + "colour = 1\n", r"Unknown field - at `\$\.validity\[0\]`"),
        ("validity = []\n" + HEAD + NUMBER.replace("[A-Z]{2}", "(A+)+"), "patterns"),
        ("validity = []\n" + HEAD + NUMBER.replace("[A-Z]{2}", "[Z-A]"), r"number\[0\]: a pattern means nothing"),
        ("validity = []\n" + HEAD + NUMBER.replace('"LAO"', '"lao"'), "issuer"),
    ],
)
def test_a_file_that_breaks_a_bound_is_refused_with_the_place(text: str, where: str) -> None:
    with pytest.raises(Malformed, match=where):
        parse_issuers(text.encode())


@pytest.mark.parametrize("data", [b"\xff", b"x = " + b"[" * 5000, bytes(ISSUERS_BYTES_MAX + 1)])
def test_no_bytes_bring_anything_but_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_issuers(data)


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"date_of_expiry": "361121"}, Answer.PASSED),  # ten years from today
        ({"date_of_expiry": "361222"}, Answer.PASSED),  # dated ahead by days
        ({"date_of_expiry": "361223"}, Answer.FAILED),
        ({"date_of_birth": "071122", "date_of_expiry": "311222"}, Answer.PASSED),  # 18 years old: five years
        ({"date_of_birth": "071122", "date_of_expiry": "320101"}, Answer.FAILED),
        ({"date_of_birth": "061121", "date_of_expiry": "320101"}, Answer.PASSED),  # twenty today
        ({"date_of_birth": "07<<<<", "date_of_expiry": "320101"}, Answer.PASSED),  # nobody knows
        ({"issuing_state": "MMR", "date_of_expiry": "320101"}, Answer.FAILED),
        ({"issuing_state": "BTN", "date_of_expiry": "361223"}, Answer.PASSED),  # no row: ten years and a year's carry
        ({"issuing_state": "BTN", "date_of_expiry": "380101"}, Answer.INCONCLUSIVE),
        ({"document_code": "AC", "date_of_expiry": "380101"}, Answer.NOT_APPLICABLE),
        ({"date_of_expiry": "<<<<<<"}, Answer.NOT_APPLICABLE),
    ],
)
def test_validity(fields: dict[str, str], answer: Answer) -> None:
    assert ask("validity", **fields).answer is answer


@pytest.mark.parametrize(("expiry", "answer"), [("361120", Answer.PASSED), ("380101", Answer.INCONCLUSIVE)])
def test_a_clock_that_nobody_vouches_for_fails_no_validity(expiry: str, answer: Answer) -> None:
    for wrong in ("1990-01-01", "2099-01-01"):
        assert ask("validity", at(wrong, Grade.NONE), date_of_expiry=expiry).answer is answer


def test_a_passport_issued_on_29_february_may_be_valid_for_ten_years() -> None:
    assert ask("validity", at("2028-02-29", proven="2028-02-01"), date_of_expiry="380228").answer is Answer.PASSED


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, Answer.PASSED),
        ({"document_number": "A1B234567"}, Answer.INCONCLUSIVE),
        ({"issuing_state": "MYS", "document_number": "A12345678"}, Answer.PASSED),
        ({"issuing_state": "MYS", "document_number": "B12345678"}, Answer.INCONCLUSIVE),
        ({"issuing_state": "D", "document_number": "C11T002JM"}, Answer.PASSED),
        ({"issuing_state": "CHN", "document_code": "PO", "document_number": "EJ1234567"}, Answer.PASSED),
        ({"issuing_state": "CHN", "document_number": "K12345678"}, Answer.PASSED),  # of Hong Kong
        ({"issuing_state": "CHN", "document_number": "Q12345678"}, Answer.INCONCLUSIVE),
        ({"issuing_state": "LAO"}, Answer.NOT_APPLICABLE),
        ({"document_code": "PD"}, Answer.NOT_APPLICABLE),  # what is known of ordinary passports
    ],
)
def test_the_form_of_a_number_is_a_notice_and_never_fails(fields: dict[str, str], answer: Answer) -> None:
    finding = ask("number_form", **fields)
    assert finding.answer is answer
    assert answer is Answer.NOT_APPLICABLE or FACTS.evidence in finding.evidence


@pytest.mark.parametrize(
    ("line", "column", "text", "said"),
    [
        (0, 5, "MUSTER<<<ANNA", "name: more than two fillers between letters"),
        (0, 5, "MUSTER<<ANNA<<EVA", "name: two fillers, which part surname from given names, stand there twice"),
        (1, 0, "<A1234567", "document number: begins with a filler"),
        (1, 0, "AA1<34567", "document number: a filler between its characters"),
    ],
)
def test_fillers_where_the_standard_has_none_are_a_notice(line: int, column: int, text: str, said: str) -> None:
    now = at("2026-11-21")
    lines = list(write_td3(MrzFields(
        document_code="P", issuing_state="THA", nationality="THA", document_number="AA1234567", date_of_birth="870605",
        sex="F", date_of_expiry="310131", primary_identifier="MUSTER", secondary_identifier="ANNA",
    )))  # fmt: skip
    lines[line] = lines[line][:column] + text + lines[line][column + len(text) :]
    reading = MrzReading(device="elyctis", lines=tuple(lines), raw_sha256=bytes(32))
    found = {finding.check: finding for finding in examine(parse_reading(reading, now), reading, now)}
    assert found["printed_lines"].answer is Answer.INCONCLUSIVE
    assert said in found["printed_lines"].evidence
