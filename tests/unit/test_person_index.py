"""The persons index, byte by byte: what README says of it, what is refused, what it has no room for."""

import hashlib
import re
import struct
from datetime import date
from pathlib import Path

import msgspec
import pytest

from appliance.errors import Malformed
from appliance.formats.cbor import decode, pack
from appliance.formats.lists import ListedBirth, ListedName, ListedPerson
from appliance.formats.person_index import MAGIC, SECTIONS, IndexedPerson, PersonIndex, unpack_birth
from appliance.screen.alike_words import block_keys
from appliance.screen.names import shipped_reader
from provisioning.authority.person_index import person_index
from tests.screen_world import DATED, birth, person, persons

TWO = (
    person("KO MYO", "MYO KO", births=(birth(1978, 4, 12),), entry="1", nationalities=("MMR",), sex="M"),
    person("KO MYO", births=(birth(1950, to=1955),), entry="2", quality="low"),
)


def index(*people: ListedPerson) -> bytes:
    return person_index(people, dated=DATED)


def sections(data: bytes) -> dict[str, bytes]:
    """By the README alone."""
    assert data[:8] == b"LLPERS1\n"
    length = struct.unpack_from("<I", data, 8)[0]
    header = decode(data[12 : 12 + length], what="header", bytes_max=1 << 20)
    assert isinstance(header, dict)
    place, found = 12 + length, {}
    for name, size in zip(SECTIONS, header["section_bytes"], strict=True):
        place += -place % 8
        found[name] = data[place : place + size]
        place += size
    assert place + -place % 8 == len(data)
    return found


def numbers(section: bytes, width: str = "I") -> tuple[int, ...]:
    return struct.unpack(f"<{len(section) // struct.calcsize(width)}{width}", section)


def test_words_names_bearers_and_births_lie_as_the_page_says() -> None:
    found = sections(index(*TWO))
    assert found["tokens"] == b"KANARIENVOGEL\nKO\nMYO\nUTOPIA\nZZYZXQ"
    # Names in the order they came: KO MYO, MYO KO, the canary's ZZYZXQ KANARIENVOGEL UTOPIA.
    assert numbers(found["token_starts"]) == (0, 2, 4, 7)
    assert numbers(found["name_tokens"]) == (1, 2, 2, 1, 4, 0, 3)
    assert numbers(found["name_starts"]) == (0, 1, 3, 5, 6, 7)
    assert numbers(found["names"]) == (2, 0, 1, 0, 1, 2, 2)
    # Person 0 (primary), person 1 (low) bear the first name; person 0 the second; the canary, person 2, the third.
    assert numbers(found["bearer_starts"]) == (0, 2, 3, 4)
    assert numbers(found["bearers"]) == (0, 4 + 2, 0, 8)
    assert numbers(found["birth_starts"]) == (0, 1, 2, 3)
    first, second, _ = numbers(found["births"], "Q")
    assert first == 1978 << 32 | 1978 << 16 | 4 << 8 | 12
    assert second == 1950 << 32 | 1955 << 16
    starts = numbers(found["person_starts"])
    shown = decode(found["persons"][: starts[1]], what="person", bytes_max=512)
    assert shown == {"entry": "1", "source": 0, "nationalities": ["MMR"], "sex": "M", "revision": revision_of(TWO[0])}


def revision_of(listed: ListedPerson) -> bytes:
    """By the README alone."""
    return hashlib.sha256(pack(listed)).digest()[:8]


@pytest.mark.parametrize(
    "change",
    [
        {"notice": "red"},
        {"sex": "F"},
        {"reference": "QDi.001"},
        {"births": ()},
        {"names": (ListedName(text="KO MYO", quality="low"),)},
        {"nationalities": ("MMR", "THA")},
    ],
)
def test_whatever_changes_of_an_entry_is_another_revision(change: dict[str, object]) -> None:
    changed = msgspec.structs.replace(TWO[0], **change)
    before, after = (PersonIndex(index(one)).person(0).revision for one in (TWO[0], changed))
    assert before != after


def test_an_entry_keeps_its_revision_wherever_it_stands_in_the_list() -> None:
    assert PersonIndex(index(*TWO)).person(1).revision == PersonIndex(index(TWO[1])).person(0).revision


def test_a_person_of_more_birth_dates_than_an_entry_has_is_refused() -> None:
    years = tuple(birth(1900 + year) for year in range(33))
    with pytest.raises(Malformed, match="33 birth dates, at most 32"):
        PersonIndex(index(person("KO MYO", births=years))).births(0)


def test_a_block_key_is_its_text_as_a_number() -> None:
    texts = {key.to_bytes(8, "big").rstrip(b"\0") for key in block_keys("SOMSAK")}
    assert texts == {b"pSOM", b"sSAK", b"cSMSK"}
    assert {key.to_bytes(8, "big").rstrip(b"\0") for key in block_keys("NOI")} == {
        b"pNOI",
        b"sNOI",
        b"cN",
        b"qNO",
        b"tOI",
    }


def test_equal_lists_are_equal_bytes() -> None:
    assert hashlib.sha256(index(*TWO)).digest() == hashlib.sha256(index(*TWO)).digest()


def test_the_forms_travel_inside() -> None:
    assert PersonIndex(index()).header.forms == shipped_reader().forms


def test_there_is_no_field_for_charges_remarks_or_addresses() -> None:
    fields = {field.encode_name for kind in (ListedPerson, IndexedPerson) for field in msgspec.structs.fields(kind)}
    assert fields == {"entry", "source", "reference", "names", "births", "nationalities", "sex", "notice", "revision"}


def test_every_cut_of_an_index_is_refused() -> None:
    data = index(*TWO)
    for length in range(0, len(data), 7):
        with pytest.raises(Malformed):
            PersonIndex(data[:length])


def test_an_index_with_bytes_behind_it_is_refused() -> None:
    with pytest.raises(Malformed, match="end at"):
        PersonIndex(index(*TWO) + bytes(8))


@pytest.mark.parametrize("section", ["key_tokens", "names", "name_tokens", "bearers"])
def test_a_number_out_of_range_is_refused_when_opened(section: str) -> None:
    data = index(*TWO)
    place = data.index(sections(data)[section], data.index(sections(data)["keys"]))
    with pytest.raises(Malformed, match="out of range"):
        PersonIndex(data[:place] + b"\xff\xff\xff\x7f" + data[place + 4 :])


@pytest.mark.parametrize("section", ["key_starts", "name_starts", "token_starts", "bearer_starts", "person_starts"])
def test_starts_that_do_not_rise_are_refused_when_opened(section: str) -> None:
    data = index(*TWO)
    whole = sections(data)[section]
    place = data.index(whole, data.index(sections(data)["keys"]))
    with pytest.raises(Malformed, match="in order"):
        PersonIndex(data[:place] + b"\x01" + data[place + 1 :])


def test_another_version_is_refused_by_name() -> None:
    with pytest.raises(Malformed, match="another version"):
        PersonIndex(index().replace(MAGIC, b"LLPERS2\n", 1))


@pytest.mark.parametrize(
    ("listed", "years", "month"),
    [
        (ListedBirth(year_from=2521, year_to=2521, month=4, day=12), (1978, 1978), 4),
        (ListedBirth(year_from=2480, year_to=2480), (1937, 1938), None),  # April 1937 to March 1938
        (ListedBirth(year_from=2480, year_to=2480, month=2), (1937, 1938), 2),
        (ListedBirth(year_from=2480, year_to=2480, month=5), (1937, 1937), 5),
        (ListedBirth(year_from=1978, year_to=1980), (1978, 1980), None),
    ],
)
def test_a_buddhist_year_on_a_list_becomes_ours(listed: ListedBirth, years: tuple[int, int], month: int | None) -> None:
    (packed,) = PersonIndex(index(person("KO MYO", births=(listed,)))).births(0)
    taken = unpack_birth(packed)
    assert ((taken.year_from, taken.year_to), taken.month) == (years, month)


def test_the_page_names_every_section() -> None:
    page = (Path(__file__).parents[2] / "appliance" / "formats" / "README.md").read_text(encoding="utf-8")
    part = page[page.index("### Persons index") :]
    named = re.findall(r"`([a-z_]+)`", part[: part.index("Row n of a table")])
    assert [name for name in SECTIONS if name not in named] == []


def test_the_date_is_the_lists() -> None:
    assert persons(*TWO).dated == DATED == date(2026, 11, 3)
