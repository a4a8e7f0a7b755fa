"""Long document numbers, and what a national habit does to them."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.clock import Grade, Instant
from appliance.parse.mrz import parse_mrz
from provisioning.bench.mrz_writer import ALPHABET, MrzFields, check_digit, write_td1, write_td2

NOW = Instant(
    wall_ms=1_795_219_200_000, grade=Grade.NETWORK, lower_bound_ms=1_795_000_000_000, boot_id="0" * 32, boot_ms=1
)
numbers = st.text(ALPHABET, min_size=10, max_size=22)


def card(number: str, *, issuer: str = "BEL", optional: str = "") -> MrzFields:
    return MrzFields(
        document_code="ID",
        issuing_state=issuer,
        document_number=number,
        nationality=issuer,
        date_of_birth="850101",
        sex="F",
        date_of_expiry="300101",
        primary_identifier="PEETERS",
        secondary_identifier="ANNE",
        optional_data=optional,
    )


@given(numbers)
def test_every_length_that_a_td1_can_print_is_read_whole(number: str) -> None:
    document = parse_mrz(write_td1(card(number)), NOW)
    assert document.document_number == number
    assert document.optional_data == ""
    assert all(check.holds for check in document.check_digits)


@given(st.text(ALPHABET, min_size=10, max_size=14))
def test_every_length_that_a_td2_can_print_is_read_whole(number: str) -> None:
    document = parse_mrz(write_td2(card(number)), NOW)
    assert document.document_number == number
    assert all(check.holds for check in document.check_digits)


@given(st.text(ALPHABET, min_size=10, max_size=14), st.text(ALPHABET, min_size=1, max_size=6))
def test_optional_data_behind_a_long_number_is_not_part_of_it(number: str, optional: str) -> None:
    document = parse_mrz(write_td1(card(number, optional=optional)), NOW)
    assert (document.document_number, document.optional_data) == (number, optional)


@given(numbers)
def test_the_portuguese_way_of_weighing_holds_for_portugal_and_for_nobody_else(number: str) -> None:
    """There the filler in the tenth place counts as a place; where both ways give one digit, nothing can be told."""
    standard, theirs = check_digit(number), check_digit(f"{number[:9]}<{number[9:]}")
    if standard == theirs:
        return
    for issuer, holds in (("PRT", True), ("BEL", False)):
        upper, middle, names = write_td1(card(number, issuer=issuer))
        at = 15 + len(number) - 9
        upper = upper[:at] + theirs + upper[at + 1 :]
        middle = middle[:29] + check_digit(upper[5:30] + middle[0:7] + middle[8:15] + middle[18:29])
        document = parse_mrz((upper, middle, names), NOW)
        found = next(check for check in document.check_digits if check.field == "document_number")
        assert found.holds is holds or document.repairs
        assert document.raw[0] == upper
