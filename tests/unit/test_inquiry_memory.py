"""Whom "not the same" is remembered of: the same traveller read twice, and never another."""

import pytest
from msgspec import structs

from appliance.inquiry.memory import subject_of
from appliance.model import PartialDate, Repair, RepairReason, TravelDocument
from tests.inquiry_world import document


def test_two_readings_of_one_document_are_one_subject() -> None:
    laid = document()
    repair = Repair(line=0, column=5, read="0", taken_as="O", reason=RepairReason.POSITION)
    again = structs.replace(
        laid, repairs=(repair,), raw=("X", "Y"), check_digits=(), primary_identifier=" Phommasack ", optional_data="1"
    )
    assert subject_of(again) == subject_of(laid)
    subject = subject_of(laid)
    assert subject is not None
    assert len(subject) == 32


def born(text: str, year: int | None, month: int | None, day: int | None) -> PartialDate:
    return PartialDate(raw=text, year=year, month=month, day=day, rule="as typed")


@pytest.mark.parametrize(
    "other",
    [
        {"document_number": "PA1234568"},
        {"issuing_state": "THA"},
        {"document_code": "I"},
        {"primary_identifier": "PHOMMASACKK"},
        {"secondary_identifier": "KHAMPHENG V"},
        {"primary_identifier": "PHOMMASACKK", "secondary_identifier": "HAMPHENG"},
        {"nationality": "THA"},
        {"sex": "M"},
        {"date_of_birth": None},
        {"date_of_birth": born("1987", 1987, None, None)},
        {"date_of_birth": born("1987-03-05", 1987, 3, 5)},
    ],
)
def test_whoever_differs_in_what_tells_travellers_apart_is_another(other: dict[str, object]) -> None:
    assert subject_of(structs.replace(document(), **other)) != subject_of(document())


def test_a_letter_without_number_and_whole_birth_date_names_nobody() -> None:
    letter: TravelDocument = structs.replace(document(), document_number="", document_code="VL")
    assert subject_of(letter) is not None
    for unknown in (None, born("", None, None, None), born("1987", 1987, None, None), born("1987-03", 1987, 3, None)):
        assert subject_of(structs.replace(letter, date_of_birth=unknown)) is None


def test_old_and_new_codes_of_one_issuer_are_one() -> None:
    assert subject_of(document(issuing_state="ROM")) == subject_of(document(issuing_state="ROU"))
