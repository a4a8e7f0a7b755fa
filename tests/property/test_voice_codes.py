"""Codes for a telephone: whatever one character is misheard as is noticed before it counts, and no code fits twice."""

import itertools
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Malformed
from appliance.formats.voice import (
    ANSWER_SYMBOLS,
    CASE_SYMBOLS,
    Verdict,
    answer_code,
    case_code,
    heard_verdict,
    read_code,
)

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BOX: Final = "landlink.example/la-0001"
KEYS = st.binary(min_size=32, max_size=32)
RECORDS = st.binary(min_size=16, max_size=16).map(bytes.hex)
VERDICTS = st.sampled_from(Verdict)


@given(KEYS, RECORDS, VERDICTS)
def test_the_code_that_is_read_out_says_what_was_meant(key: bytes, of: str, verdict: Verdict) -> None:
    code = answer_code(key, box=BOX, case=case_code(of), verdict=verdict)
    assert heard_verdict(key, box=BOX, of=of, code=code) is verdict


@given(KEYS, RECORDS, VERDICTS)
def test_every_other_character_at_every_place_is_noticed(key: bytes, of: str, verdict: Verdict) -> None:
    for code, symbols in (
        (case_code(of), CASE_SYMBOLS),
        (answer_code(key, box=BOX, case=case_code(of), verdict=verdict), ANSWER_SYMBOLS),
    ):
        plain = code.replace("-", "")
        for place, other in itertools.product(range(len(plain)), ALPHABET):
            if other != plain[place]:
                with pytest.raises(Malformed):
                    read_code(plain[:place] + other + plain[place + 1 :], symbols)


@given(KEYS, RECORDS, VERDICTS)
def test_two_characters_in_each_others_place_are_noticed(key: bytes, of: str, verdict: Verdict) -> None:
    plain = answer_code(key, box=BOX, case=case_code(of), verdict=verdict).replace("-", "")
    for one, two in itertools.combinations(range(len(plain)), 2):
        if plain[one] != plain[two]:
            swapped = list(plain)
            swapped[one], swapped[two] = swapped[two], swapped[one]
            with pytest.raises(Malformed):
                read_code("".join(swapped), ANSWER_SYMBOLS)


@given(KEYS, RECORDS)
def test_a_character_left_out_or_said_twice_is_noticed(key: bytes, of: str) -> None:
    plain = answer_code(key, box=BOX, case=case_code(of), verdict=Verdict.CONFIRMED).replace("-", "")
    for place in range(len(plain)):
        for heard in (plain[:place] + plain[place + 1 :], plain[:place] + plain[place] + plain[place:]):
            with pytest.raises(Malformed):
                read_code(heard, ANSWER_SYMBOLS)


@given(RECORDS)
def test_what_looks_alike_is_read_alike(of: str) -> None:
    code = case_code(of)
    written = code.replace("0", "O").replace("1", "l").lower()
    assert read_code(written, CASE_SYMBOLS) == read_code(f" {code.replace('-', '. ')} ", CASE_SYMBOLS)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_a_code_or_malformed(text: str) -> None:
    for symbols in (CASE_SYMBOLS, ANSWER_SYMBOLS):
        try:
            body = read_code(text, symbols)
        except Malformed:
            continue
        assert len(body) == symbols
        assert set(body) <= set(ALPHABET)


@given(KEYS, KEYS, RECORDS, RECORDS, VERDICTS)
def test_a_code_fits_no_other_case_key_or_box(key: bytes, other_key: bytes, of: str, other: str, said: Verdict) -> None:
    code = answer_code(key, box=BOX, case=case_code(of), verdict=said)
    if case_code(other) != case_code(of):
        assert heard_verdict(key, box=BOX, of=other, code=code) is None
    if other_key != key:
        assert heard_verdict(other_key, box=BOX, of=of, code=code) is None
    assert heard_verdict(key, box="landlink.example/la-0002", of=of, code=code) is None


@given(KEYS, RECORDS)
def test_the_two_verdicts_have_two_codes(key: bytes, of: str) -> None:
    codes = {answer_code(key, box=BOX, case=case_code(of), verdict=verdict) for verdict in Verdict}
    assert len(codes) == len(Verdict)


def test_every_character_can_be_said_on_a_telephone() -> None:
    codes = "".join(case_code(f"{number:032x}") for number in range(2_000))
    assert set(codes) == {*ALPHABET, "-"}


def test_nothing_behind_a_code_is_passed_over() -> None:
    code = case_code("0" * 32)
    assert read_code(f" {code} ", CASE_SYMBOLS)
    for longer in (code + " " * 60 + "and more", code + " " * 64):
        with pytest.raises(Malformed):
            read_code(longer, CASE_SYMBOLS)
