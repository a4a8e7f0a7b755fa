"""Every row of tests/vectors/mrz.toml: what a specimen says, element by element."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import Grade, Instant
from appliance.parse.characters import compute_check_digit
from appliance.parse.mrz import parse_mrz

VECTORS = tomllib.loads((Path(__file__).parents[1] / "vectors" / "mrz.toml").read_text("utf-8"))["vector"]
NOVEMBER_2026 = Instant(
    wall_ms=1_795_219_200_000, grade=Grade.NETWORK, lower_bound_ms=1_795_000_000_000, boot_id="0" * 32, boot_ms=1
)
DATES = ("date_of_birth", "date_of_expiry")


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_specimen_says_what_its_page_says(vector: dict[str, Any]) -> None:
    document = parse_mrz(vector["lines"], NOVEMBER_2026)
    expected = {name: value for name, value in vector.items() if name not in {"name", "lines", "fails", *DATES}}
    assert {name: getattr(document, name) for name in expected} == expected
    for name in DATES:
        if name in vector:
            assert getattr(document, name).full.isoformat() == vector[name]
    assert document.mrz == document.raw == tuple(vector["lines"])
    assert document.repairs == ()


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_check_digits_of_a_specimen_hold_but_those_its_issuer_printed_otherwise(vector: dict[str, Any]) -> None:
    document = parse_mrz(vector["lines"], NOVEMBER_2026)
    assert [check.field for check in document.check_digits if not check.holds] == vector.get("fails", [])


@pytest.mark.parametrize(
    ("text", "digit"), [("520727", "3"), ("AB2134<<<", "5"), ("D23145890734", "9"), ("<<<<<<", "0"), ("", "0")]
)
def test_check_digit_of_the_standards_examples(text: str, digit: str) -> None:
    assert compute_check_digit(text) == digit


def test_the_visa_and_the_card_without_expiry_have_no_more_check_digits_than_their_format() -> None:
    fields = {
        document.format.value: [check.field for check in document.check_digits]
        for document in (parse_mrz(vector["lines"], NOVEMBER_2026) for vector in VECTORS)
    }
    three = ["document_number", "date_of_birth", "date_of_expiry"]
    assert fields == {
        "TD1": [*three, "composite"],
        "TD2": [*three, "composite"],
        "TD3": [*three, "optional_data", "composite"],
        "MRVA": three,
        "MRVB": three,
        "FRA_ID": ["document_number", "date_of_birth", "composite"],
    }
