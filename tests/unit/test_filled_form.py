"""The form in which a page is typed begins with what was read of it, by whichever reader, where that is in doubt."""

import pytest
from msgspec import structs

from appliance.booth.filled import filled
from appliance.booth.forms import FieldMalformed, typed
from appliance.model import CameraReading, MrzReading
from appliance.recorded import Screened
from tests.small_post import PaperClock, SmallPost

NOW = PaperClock().now()
# Doc 9303-4 appendix B, with dates that are not expired
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F3204153ZE184226B<<<<<16")
READ = {
    "document_kind": "P",
    "issuing_state": "UTO",
    "document_number": "L898902C3",
    "primary_identifier": "ERIKSSON",
    "secondary_identifier": "ANNA MARIA",
    "date_of_birth": "12.8.1974",
    "date_of_expiry": "15.4.2032",
}


def screened(*lines: str, camera: tuple[str, ...] | None = None) -> Screened:
    post = SmallPost()
    if camera is not None:
        percent = bytes([90]) * len("".join(camera))
        post.camera = CameraReading(lines=camera, raw=camera, percent=percent, doubt=False)
    post.lay(*lines)
    (record,) = post.recorder.records
    assert isinstance(record.body, Screened)
    return record.body


def test_what_the_camera_read_begins_the_form_where_the_scanner_could_not() -> None:
    assert filled(screened("P<UTOERIKSSON<<ANNA", camera=TD3), NOW) == READ


def test_of_two_documents_in_view_neither_begins_the_form() -> None:
    read = screened("P<UTOERIKSSON<<ANNA", camera=TD3)
    assert read.camera is not None
    assert filled(structs.replace(read, camera=structs.replace(read.camera, another=True)), NOW) == {}


def test_where_nobody_could_read_anything_the_form_is_empty() -> None:
    assert filled(screened("P<UTOERIKSSON<<ANNA"), NOW) == {}


def test_a_page_whose_check_digits_fail_begins_the_form_with_what_was_read() -> None:
    wrong = TD3[1].replace("L898902C36", "L898402C36")
    assert filled(screened(TD3[0], wrong), NOW) == READ | {"document_number": "L898402C3"}


def test_a_page_without_doubt_begins_no_form() -> None:
    assert filled(screened(*TD3), NOW) is None


@pytest.mark.parametrize(
    ("printed", "shown"), [("740812", "12.8.1974"), ("7408<<", "8.1974"), ("74<<<<", "1974"), ("<<<<<<", "")]
)
def test_as_much_of_a_date_as_is_known(printed: str, shown: str) -> None:
    read = screened("P<UTOERIKSSON<<ANNA", camera=(TD3[0], TD3[1][:13] + printed + TD3[1][19:]))
    found = filled(read, NOW)
    assert found is not None
    assert found["date_of_birth"] == shown


def test_what_the_form_begins_with_can_be_sent_as_it_is() -> None:
    begun = filled(screened("P<UTOERIKSSON<<ANNA", camera=TD3), NOW)
    assert begun is not None
    page = typed(dict(begun) | {"belongs": "document"}, NOW)
    assert page.reading.document_number == "L898902C3"
    assert filled(structs.replace(screened(*TD3), reading=page.reading), NOW) is None


def seen_in_part(hidden: range, *more: range) -> Screened:
    """The camera alone reads the page, and does not see these of its 88 characters."""
    post, places = SmallPost(), {place for each in (hidden, *more) for place in each}
    percent = bytes(0 if place in places else 99 for place in range(88))
    post.camera = CameraReading(lines=TD3, raw=TD3, percent=percent, doubt=True, why="characters cannot be seen.")
    post.clerk.document(MrzReading(device="camera", lines=TD3, raw_sha256=bytes(32)))
    (record,) = post.recorder.records
    assert isinstance(record.body, Screened)
    return record.body


@pytest.mark.parametrize(
    ("hidden", "boxes"),
    [
        ((range(2, 5),), ["issuing_state"]),
        ((range(44, 53),), ["document_number"]),
        ((range(10, 44),), ["primary_identifier", "secondary_identifier"]),
        ((range(19, 44),), ["secondary_identifier"]),
        ((range(57, 58),), ["date_of_birth"]),
        ((range(30, 44), range(66, 88)), ["date_of_expiry"]),
    ],
)
def test_what_was_not_seen_is_never_sent_as_if_nothing_stood_there(hidden: tuple[range, ...], boxes: list[str]) -> None:
    begun = filled(seen_in_part(*hidden), NOW)
    assert begun is not None
    assert [name for name, text in begun.items() if "?" in text] == boxes
    with pytest.raises(FieldMalformed, match=r"put in what the page shows where \? stands"):
        typed(dict(begun), NOW)
    righted = typed({**begun, **{name: READ[name] for name in boxes}}, NOW).reading
    assert {name: getattr(righted, name) for name in boxes if "date" not in name} == {
        name: READ[name] for name in boxes if "date" not in name
    }


def test_an_empty_box_is_what_whoever_looks_at_the_page_makes_of_it() -> None:
    begun = filled(seen_in_part(range(66, 88)), NOW)
    assert begun is not None
    assert typed({**begun, "date_of_expiry": ""}, NOW).reading.date_of_expiry == ""
