"""A frame or a form becomes a reading; nothing is guessed on the way."""

import hashlib

import pytest

from appliance.errors import Malformed
from appliance.scan.reading import reading_of, typed_reading
from drivers.api import Frame

TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")


def lines_of(*lines: str) -> tuple[str, ...]:
    return reading_of(Frame(dialect="elyctis", lines=lines, raw=b"raw")).lines


@pytest.mark.parametrize("document", [TD1, TD2, TD3])
def test_lines_stay_as_they_are(document: tuple[str, ...]) -> None:
    assert lines_of(*document) == document


@pytest.mark.parametrize("document", [TD1, TD2, TD3])
def test_lines_run_together_are_cut_where_the_standard_ends_them(document: tuple[str, ...]) -> None:
    assert lines_of("".join(document)) == document


def test_white_space_around_a_line_is_dropped() -> None:
    assert lines_of(f" {TD3[0]}\t", f"{TD3[1]} ", "  ") == TD3


@pytest.mark.parametrize("character", ["o", "?", " ", "_", "É", "\x00", "«", "٣"])
def test_a_character_that_no_zone_has_makes_the_page_unreadable(character: str) -> None:
    assert lines_of(TD3[0], f"{TD3[1][:20]}{character}{TD3[1][21:]}") == ()


@pytest.mark.parametrize("lines", [(), ("",), (TD3[0],), ("A" * 45, "A" * 44), (*TD1, TD1[0]), ("A" * 89,)])
def test_what_cannot_be_a_zone_is_unreadable(lines: tuple[str, ...]) -> None:
    assert lines_of(*lines) == ()


def test_lines_of_odd_length_are_left_to_the_parser() -> None:
    assert lines_of(TD3[0][:43], TD3[1]) == (TD3[0][:43], TD3[1])


def test_the_hash_is_of_the_bytes_on_the_wire() -> None:
    # printf 'I\0\0' | sha256sum
    reading = reading_of(Frame(dialect="elyctis", lines=(), raw=b"I\x00\x00"))
    assert reading.raw_sha256 == hashlib.sha256(bytes.fromhex("490000")).digest()
    assert reading.device == "elyctis"


FORM = {
    "document_kind": "P",
    "issuing_state": "LAO",
    "document_number": "PA0123456",
    "primary_identifier": "VONGSA",
    "secondary_identifier": "KHAM",
    "date_of_birth": "1987-02-03",
    "date_of_expiry": "2031",
}


def test_a_typed_form_is_a_reading_of_its_own() -> None:
    reading = typed_reading(**FORM)
    assert (reading.document_number, reading.primary_identifier, reading.date_of_birth) == (
        "PA0123456",
        "VONGSA",
        "1987-02-03",
    )


def test_state_and_number_are_written_as_a_zone_holds_them() -> None:
    reading = typed_reading(**{**FORM, "issuing_state": " lao ", "document_number": "pa 0123-456"})
    assert (reading.issuing_state, reading.document_number) == ("LAO", "PA0123456")


def test_names_keep_their_letters_and_single_spaces() -> None:
    reading = typed_reading(**{**FORM, "primary_identifier": "  van der  Élan ", "secondary_identifier": "ຄຳ"})
    assert (reading.primary_identifier, reading.secondary_identifier) == ("van der Élan", "ຄຳ")


def test_the_typed_hash_is_of_the_canonical_cbor_of_the_boxes() -> None:
    # RFC 8949 §4.2.1: keys by the bytes of their encodings, so shorter keys first. Written out by hand.
    encoded = (
        b"\xa7"
        b"\x6ddate_of_birth\x6a1987-02-03"
        b"\x6ddocument_kind\x61P"
        b"\x6dissuing_state\x63LAO"
        b"\x6edate_of_expiry\x642031"
        b"\x6fdocument_number\x69PA0123456"
        b"\x72primary_identifier\x66VONGSA"
        b"\x74secondary_identifier\x64KHAM"
    )
    assert typed_reading(**FORM).raw_sha256 == hashlib.sha256(encoded).digest()


@pytest.mark.parametrize(
    ("box", "content"),
    [
        ("issuing_state", "LAOS"),
        ("issuing_state", "L1"),
        ("document_number", "PA/123"),
        ("document_number", "stra\u00dfe1"),
        ("document_number", "A" * 25),
        ("primary_identifier", "A" * 81),
        ("primary_identifier", "A\x00B"),
        ("secondary_identifier", "A\u202eB"),
        ("date_of_birth", "03/02/1987"),
        ("date_of_birth", "1987-2-3"),
        ("date_of_expiry", "tomorrow"),
        ("document_kind", "\ud800"),
    ],
)
def test_a_box_with_what_no_document_has_is_named_and_not_quoted(box: str, content: str) -> None:
    with pytest.raises(Malformed) as refusal:
        typed_reading(**{**FORM, box: content})
    assert content not in str(refusal.value)
    assert box in str(refusal.value) or box == "document_kind"
