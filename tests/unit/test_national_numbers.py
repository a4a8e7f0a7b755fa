"""National numbers: each check digit against published synthetic examples, and where a document carries them."""

import re
from collections.abc import Callable

import pytest

from appliance.clock import Grade, Instant
from appliance.examine import national_digits as digits
from appliance.examine.examine import examine
from appliance.examine.national import NUMBERS
from appliance.judged import Answer, Finding
from appliance.model import MrzReading, TypedReading
from appliance.parse.reading import parse_reading
from provisioning.bench.mrz_writer import MrzFields, write_td1, write_td3

NOW = Instant(
    wall_ms=1_795_262_400_000, grade=Grade.NETWORK, lower_bound_ms=1_793_000_000_000, boot_id="0" * 32, boot_ms=1
)
"""21 November 2026."""

# From the documentation of python-stdnum, GB 11643's example, Josep Portella's article and public specimen cards.
EXAMPLES: tuple[tuple[Callable[[str], bool], tuple[str, ...]], ...] = (
    (digits.belgian, ("85073003328", "17073003384")),
    (digits.dutch, ("111222333", "999999990")),
    (digits.polish, ("44051401359", "02122401358")),
    (digits.spanish, ("54362315K", "12345678Z", "99999999R", "X2482300W")),
    (digits.thai, ("3100600445635", "1234545678781")),
    (digits.chinese, ("360426199101010071", "11010519491231002X")),
    (digits.finnish, ("131052308T",)),
    (digits.swedish, ("8803200016", "8112289841", "8703142391")),
    (digits.turkish, ("17291716060",)),
    (digits.korean, ("9710139019902",)),
    (digits.bulgarian, ("8032056031", "7523169263")),
    (digits.baltic, ("36805280109", "33309240064")),
    (digits.croatian, ("33392005961",)),
)


@pytest.mark.parametrize(("holds", "number"), [(holds, number) for holds, some in EXAMPLES for number in some])
def test_a_published_number_keeps_its_rule_and_every_other_last_character_breaks_it(
    holds: Callable[[str], bool], number: str
) -> None:
    assert holds(number)
    others = "0123456789" if number[-1].isdecimal() else "ABCDEFGHJKLMNPQRSTUVWXYZ"
    broken = [number[:-1] + last for last in others if last != number[-1]]
    held = [other for other in broken if holds(other)]
    assert held == []


@pytest.mark.parametrize(("holds", "number"), [(holds, some[0]) for holds, some in EXAMPLES])
def test_two_neighbours_that_changed_places_are_noticed(holds: Callable[[str], bool], number: str) -> None:
    swapped = {
        number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        for place in range(len(number) - 1)
        if number[place] != number[place + 1] and number[place : place + 2].isdecimal()
    }
    noticed = sum(not holds(other) for other in swapped)
    assert noticed >= len(swapped) - 2  # the Turkish rule adds odd and even places


def test_every_row_has_a_function_with_examples_a_form_and_two_sources() -> None:
    shown = {holds for holds, _ in EXAMPLES} | {digits.no_check_digit}
    assert {row.holds for row in NUMBERS} == shown
    for row in NUMBERS:
        assert re.compile(row.form).groups >= 1
        assert len(row.rule) > 8
        assert len(row.carried) > 8
        assert not row.certain or "notice only" not in row.carried


def ask(lines: tuple[str, ...]) -> Finding:
    reading = MrzReading(device="elyctis", lines=lines, raw_sha256=bytes(32))
    found = examine(parse_reading(reading, NOW), reading, NOW)
    return next(finding for finding in found if finding.check == "national_number")


def passport(issuer: str, optional: str, birth: str = "710319") -> Finding:
    return ask(write_td3(_fields(issuer, birth, optional_data=optional, document_code="P")))


def card(issuer: str, *, first: str = "", second: str = "", birth: str = "710319") -> Finding:
    return ask(write_td1(_fields(issuer, birth, optional_data=first, optional_data_2=second, document_code="I")))


def _fields(issuer: str, birth: str, **more: str) -> MrzFields:
    return MrzFields(
        issuing_state=issuer, nationality=issuer, document_number="AB1234567", date_of_birth=birth, sex="F",
        date_of_expiry="301111", primary_identifier="MUSTER", secondary_identifier="ANNA", **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "answer"),
    [
        (card("ESP", first="12345678Z"), Answer.PASSED),
        (card("ESP", first="12345678A"), Answer.FAILED),
        (card("ESP", first="X2482300W"), Answer.PASSED),
        (card("ESP", first="X2482300A"), Answer.FAILED),
        (passport("NLD", "111222333"), Answer.PASSED),
        (passport("NLD", "111252333"), Answer.FAILED),
        (passport("NLD", ""), Answer.NOT_APPLICABLE),
        (card("SWE", first="198803200016", birth="880320"), Answer.PASSED),
        (card("SWE", first="198803200018", birth="880320"), Answer.FAILED),
        (card("SWE", first="198803200016", birth="880321"), Answer.INCONCLUSIVE),
        (card("BEL", second="85073003328", birth="850730"), Answer.PASSED),
        (card("BEL", second="85073003329", birth="850730"), Answer.INCONCLUSIVE),
        (card("BEL", second="85073003328", birth="850731"), Answer.INCONCLUSIVE),
        (passport("THA", "3100600445635"), Answer.PASSED),
        (passport("THA", "3100600445636"), Answer.INCONCLUSIVE),
        (passport("POL", "02122401358", birth="021224"), Answer.PASSED),
        (passport("MYS", "770305021234", birth="770305"), Answer.PASSED),
        (passport("MYS", "770305021234", birth="770306"), Answer.INCONCLUSIVE),
        (passport("FIN", "131052<308T"), Answer.PASSED),
        (passport("KOR", "9019902", birth="971013"), Answer.PASSED),
        (passport("KOR", "9019903", birth="971013"), Answer.INCONCLUSIVE),
        (passport("LAO", "3100600445635"), Answer.NOT_APPLICABLE),
    ],
)
def test_what_a_document_carries(finding: Finding, answer: Answer) -> None:
    assert finding.answer is answer
    if answer is not Answer.NOT_APPLICABLE:
        assert any(line.startswith("issuer data ") for line in finding.evidence)


@pytest.mark.parametrize(
    ("issuer", "kind", "number", "answer"),
    [
        ("CHN", "I", "11010519491231002X", Answer.PASSED),
        ("CHN", "I", "110105194912310021", Answer.FAILED),
        ("CHN", "P", "11010519491231002X", Answer.NOT_APPLICABLE),
        ("THA", "I", "3100600445635", Answer.PASSED),
        ("THA", "I", "3100600445630", Answer.FAILED),
        ("LAO", "BP", "3100600445630", Answer.NOT_APPLICABLE),
    ],
)
def test_the_number_of_a_card_that_is_typed_in(issuer: str, kind: str, number: str, answer: Answer) -> None:
    reading = TypedReading(
        document_kind=kind, issuing_state=issuer, document_number=number, primary_identifier="MUSTER",
        secondary_identifier="ANNA", date_of_birth="1949-12-31", date_of_expiry="", raw_sha256=bytes(32),
    )  # fmt: skip
    found = examine(parse_reading(reading, NOW), reading, NOW)
    assert {finding.check: finding.answer for finding in found}["national_number"] is answer
