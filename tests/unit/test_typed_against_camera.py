"""What was typed against what the camera reads of the page: each field that differs is named, and marked there."""

import pytest
from msgspec import structs

from appliance.booth.status_line import Surroundings
from appliance.booth.view import view
from appliance.booth.words import clock_time
from appliance.examine.examine import examine
from appliance.judged import Answer, Finding
from appliance.model import CameraReading
from appliance.parse.reading import parse_reading
from tests.small_post import TELEPHONE, SmallPost
from tests.unit.test_second_reading import LINES, NOW, seen
from tests.unit.test_typed_entry import typed

AS_PRINTED = {
    "document_kind": "P",
    "issuing_state": "LAO",
    "document_number": "PA0483725",
    "primary_identifier": "PHOMMASAN",
    "secondary_identifier": "BOUNMY",
    "date_of_birth": "1987-06-05",
    "date_of_expiry": "2031-01-31",
}


def ask(camera: CameraReading | None, **fields: str) -> Finding:
    reading = typed(**{**AS_PRINTED, **fields})
    found = examine(parse_reading(reading, NOW), reading, NOW, camera=camera)
    return next(finding for finding in found if finding.check == "second_reading")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"date_of_birth": "2530-06-05"},  # the Buddhist year
        {"date_of_birth": "1987"},
        {"secondary_identifier": ""},
        {"primary_identifier": "Phom-Masan"},
        {"primary_identifier": "ພົມມະສານ"},
        {"date_of_expiry": ""},
    ],
)
def test_what_the_camera_reads_alike_passes(fields: dict[str, str]) -> None:
    assert ask(seen(*LINES), **fields).answer is Answer.PASSED


@pytest.mark.parametrize(
    ("fields", "evidence"),
    [
        ({"document_number": "PA0483726"}, "document number: typed PA0483726, camera PA0483725, character 9"),
        ({"issuing_state": "THA"}, "issuing state: typed THA, camera LAO, character 1, 2, 3"),
        ({"date_of_birth": "1987-05-06"}, "date of birth: typed 19870506, camera 19870605, character 6, 8"),
        ({"date_of_expiry": "2032-01-31"}, "date of expiry: typed 20320131, camera 20310131, character 4"),
        ({"primary_identifier": "PHOMMASON"}, "surname: typed PHOMMASON, camera PHOMMASAN, character 8"),
        ({"secondary_identifier": "BOUNM"}, "given names: typed BOUNM, camera BOUNMY, character 6"),
    ],
)
def test_each_field_that_differs_fails_and_names_its_characters(fields: dict[str, str], evidence: str) -> None:
    found = ask(seen(*LINES), **fields)
    assert (found.answer, found.evidence) == (Answer.FAILED, (evidence,))


@pytest.mark.parametrize(
    ("camera", "fields", "answer"),
    [
        (None, {}, Answer.NOT_APPLICABLE),
        (CameraReading(why="it was not there in time."), {}, Answer.UNAVAILABLE),
        (seen("P<LAO", "<"), {}, Answer.UNAVAILABLE),
        (seen(*LINES, doubt=True), {"document_number": "PA0483726"}, Answer.INCONCLUSIVE),
        (structs.replace(seen(*LINES, doubt=True), another=True), {"document_number": "X1"}, Answer.UNAVAILABLE),
        (seen(*LINES), {"document_kind": "BP", "document_number": "BP1"}, Answer.NOT_APPLICABLE),
    ],
)
def test_what_cannot_be_held_against_each_other_refers_nobody(
    camera: CameraReading | None, fields: dict[str, str], answer: Answer
) -> None:
    assert ask(camera, **fields).answer is answer


def test_the_page_shows_the_field_with_exactly_those_characters_marked() -> None:
    post = SmallPost()
    post.camera = seen(*LINES)
    post.clerk.document(typed(**{**AS_PRINTED, "document_number": "PA0483726"}))
    around = Surroundings(
        now=NOW, on_hand=post.lists, uplink=None, duty_telephone=TELEPHONE, local_time=clock_time, link="mobile"
    )
    shown = view(post.board.latest, around).shown
    assert shown is not None
    assert shown.refers
    assert shown.document is not None
    (line,) = shown.document.second
    assert (line.which, line.by) == ("Document number, character 9", "typed")
    assert [char for char, marked in line.other if marked] == ["6"]
    assert [char for char, marked in line.camera if marked] == ["5"]


def test_what_the_camera_read_beside_typing_is_in_the_record() -> None:
    post = SmallPost()
    post.camera = seen(*LINES)
    post.clerk.document(typed(**AS_PRINTED))
    (record,) = post.recorder.records
    assert getattr(record.body, "camera", None) == post.camera
