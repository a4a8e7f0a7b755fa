"""Two readings of one page: what the finding says, what the officer is shown, and how long a light may wait."""

import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from appliance.booth.frames import Sight
from appliance.booth.second_reader import LATE, OVERTAKEN, SecondReader
from appliance.booth.status_line import Surroundings
from appliance.booth.view import view
from appliance.booth.words import clock_time
from appliance.errors import Malformed
from appliance.examine.examine import examine
from appliance.examine.second import SURE_PERCENT, differences
from appliance.judged import Answer, Finding
from appliance.model import CameraReading, MrzReading
from appliance.ocr.voting import vote
from appliance.parse.mrz import parse_mrz
from appliance.recorded import Screened
from drivers.api import DeviceError, Image
from provisioning.bench.mrz_writer import MrzFields, write_td3
from tests.small_post import TELEPHONE, PaperClock, SmallPost

LINES = write_td3(
    MrzFields(
        document_code="P",
        issuing_state="LAO",
        document_number="PA0483725",
        nationality="LAO",
        date_of_birth="870605",
        sex="F",
        date_of_expiry="310131",
        primary_identifier="PHOMMASAN",
        secondary_identifier="BOUNMY",
    )
)
NOW = PaperClock().now()
JPEG = Image(jpeg=b"\xff\xd8", captured={})


def seen(*lines: str, percent: int = 99, doubt: bool = False, raw: tuple[str, ...] = ()) -> CameraReading:
    return CameraReading(
        lines=lines,
        raw=raw or lines,
        percent=bytes([percent]) * len("".join(lines)),
        doubt=doubt,
        why="" if lines else LATE,
    )


def put(column: int, character: str) -> tuple[str, str]:
    """The lines with one character of the first one changed: in a name, where no check digit speaks."""
    return LINES[0][:column] + character + LINES[0][column + 1 :], LINES[1]


def ask(camera: CameraReading | None, device: str = "elyctis") -> Finding:
    reading = MrzReading(device=device, lines=LINES, raw_sha256=bytes(32))
    found = examine(parse_mrz(LINES, NOW), reading, NOW, camera=camera)
    return next(finding for finding in found if finding.check == "second_reading")


@pytest.mark.parametrize(
    ("camera", "answer"),
    [
        (None, Answer.NOT_APPLICABLE),
        (seen(*LINES), Answer.PASSED),
        (CameraReading(why=LATE), Answer.UNAVAILABLE),
        (seen(*put(5, "F")), Answer.FAILED),
        (seen(*put(5, "F"), percent=SURE_PERCENT - 1), Answer.INCONCLUSIVE),
        (seen(*put(5, "F"), doubt=True), Answer.INCONCLUSIVE),
        (seen("I<LAO" + "<" * 25, "<" * 30, "<" * 30), Answer.FAILED),
        (seen("I<LAO" + "<" * 25, "<" * 30, "<" * 30, doubt=True), Answer.INCONCLUSIVE),
    ],
)
def test_only_two_sure_readers_that_differ_refer(camera: CameraReading | None, answer: Answer) -> None:
    assert ask(camera).answer is answer


def test_what_a_camera_in_doubt_says_is_told_with_it() -> None:
    why = "2 characters are hard to read."
    doubtful = structs.replace(seen(*put(5, "F"), doubt=True), why=why)
    assert ask(doubtful).reason == f"The camera may read one character differently, but is not sure. {why}"
    card = structs.replace(doubtful, lines=("I<LAO" + "<" * 25, "<" * 30, "<" * 30))
    assert ask(card).reason == f"The camera could not read the page surely. {why}"


@pytest.mark.parametrize("other", [LINES, put(5, "F"), ("I<LAO" + "<" * 25, "<" * 30, "<" * 30)])
def test_two_documents_in_view_are_said_and_no_character_of_either_is_asked_for(other: tuple[str, ...]) -> None:
    camera = structs.replace(seen(*other, doubt=True), another=True)
    found = ask(camera)
    assert (found.answer, found.evidence) == (Answer.INCONCLUSIVE, ())
    assert found.reason.startswith("Two documents lie there. Only the one that the scanner read was checked")
    assert differences(parse_mrz(LINES, NOW), camera) == ()


def test_what_a_camera_alone_did_not_read_is_not_examined_and_what_it_read_is() -> None:
    issuer = (LINES[0][:2] + "<Q<" + LINES[0][5:], LINES[1])
    unread = alone(structs.replace(seen(*issuer, doubt=True), percent=bytes([99] * 2 + [0, 60, 0] + [99] * 83)))
    assert unread["issuing_state"].answer is Answer.UNAVAILABLE
    assert (
        unread["issuing_state"].reason == "The camera did not read surely what this is about, so it was not examined."
    )
    assert unread["printed_lines"].answer is Answer.UNAVAILABLE
    assert unread["expiry"].answer is Answer.PASSED
    assert unread["sure_reading"].evidence == (
        "line 1, character 3: cannot be seen", "line 1, character 5: cannot be seen", "line 1, character 4: 60 % sure",
    )  # fmt: skip
    assert alone(seen(*issuer))["issuing_state"].answer is Answer.FAILED


def test_a_check_digit_that_fails_surely_is_named_though_others_are_hard_to_read() -> None:
    wrong = (LINES[0], LINES[1][:9] + str((int(LINES[1][9]) + 5) % 10) + LINES[1][10:])
    smudged = structs.replace(seen(*wrong, doubt=True), percent=bytes([99] * 72 + [40] * 4 + [99] * 12))
    found = alone(smudged)["check_digits"]
    assert (found.answer, found.reason) == (Answer.FAILED, "Check digits do not agree: document number.")


def test_characters_that_the_camera_does_not_see_are_no_difference_from_the_scanner() -> None:
    hidden = (LINES[0], "<<<<" + LINES[1][4:])
    percent = bytes([99] * 44 + [0] * 4 + [99] * 40)
    found = ask(structs.replace(seen(*hidden, doubt=True), percent=percent, why="4 characters cannot be seen."))
    assert found.answer is Answer.INCONCLUSIVE
    assert found.reason.endswith("4 characters cannot be seen.")
    assert found.evidence == ()


def test_two_documents_under_a_camera_alone_refer() -> None:
    found = alone(structs.replace(seen(*LINES, doubt=True), another=True))["sure_reading"]
    assert (found.answer, found.evidence) == (Answer.FAILED, ())
    assert found.reason.startswith("Two documents lie there, and the camera cannot know which one is meant")


def test_the_evidence_names_each_character_as_an_officer_counts() -> None:
    assert ask(seen(*put(5, "F"))).evidence == ("line 1, character 6: scanner P, camera F (99 % sure)",)


def test_what_both_saw_alike_and_only_one_took_for_another_is_no_difference() -> None:
    camera = seen(*put(5, "F"), raw=LINES)
    assert differences(parse_mrz(LINES, NOW), camera) == ()


@given(
    lines=st.lists(st.text("ABC012<", max_size=44), max_size=3),
    raw=st.lists(st.text("ABC012<", max_size=44), max_size=3),
    percent=st.binary(max_size=132),
    doubt=st.booleans(),
)
def test_any_reading_of_the_camera_has_an_answer(lines: list[str], raw: list[str], percent: bytes, doubt: bool) -> None:
    ask(CameraReading(lines=tuple(lines), raw=tuple(raw), percent=percent, doubt=doubt, why="why"))


def test_the_page_shows_both_lines_with_exactly_those_characters_marked() -> None:
    post = SmallPost()
    post.camera = seen(*put(5, "F"))
    post.lay(*LINES)
    around = Surroundings(
        now=NOW, on_hand=post.lists, uplink=None, duty_telephone=TELEPHONE, local_time=clock_time, link="mobile"
    )
    shown = view(post.board.latest, around).shown
    assert shown is not None
    assert shown.document is not None
    assert shown.refers
    (line,) = shown.document.second
    assert line.which == "Line 1 of 2, character 6"
    assert [char for char, marked in line.other if marked] == ["P"]
    assert [char for char, marked in line.camera if marked] == ["F"]


def test_what_a_camera_alone_does_not_see_is_marked_on_the_page_and_counted_in_runs() -> None:
    post = SmallPost()
    percent = bytes([99] * 36 + [0] * 8 + [99] * 42 + [0, 0])
    hidden = (LINES[0][:36] + "<" * 8, LINES[1][:42] + "<<")
    post.camera = structs.replace(seen(*hidden, doubt=True), percent=percent, why="10 characters cannot be seen.")
    post.clerk.document(MrzReading(device="camera", lines=hidden, raw_sha256=bytes(32)))
    around = Surroundings(
        now=NOW, on_hand=post.lists, uplink=None, duty_telephone=TELEPHONE, local_time=clock_time, link="mobile"
    )
    shown = view(post.board.latest, around).shown
    assert shown is not None
    assert shown.document is not None
    assert [line.which for line in shown.document.second] == [
        "Line 1 of 2, characters 37 to 44", "Line 2 of 2, characters 43, 44",
    ]  # fmt: skip
    assert [char for char, marked in shown.document.second[0].camera if marked] == ["?"] * 8
    (record,) = post.recorder.records
    assert isinstance(record.body, Screened)
    (found,) = [each for each in record.body.findings if each.check == "sure_reading"]
    assert found.evidence == tuple(
        f"line {line}, character {run}: cannot be seen" for line, run in ((1, "37 to 44"), (2, "43"), (2, "44"))
    )


def test_what_the_camera_read_is_in_the_record() -> None:
    post = SmallPost()
    post.camera = seen(*LINES)
    post.lay(*LINES)
    (record,) = post.recorder.records
    assert structs.asdict(record.body)["camera"] == post.camera


def alone(camera: CameraReading) -> dict[str, Finding]:
    """The findings where the camera is the only reader."""
    reading = MrzReading(device="camera", lines=camera.lines, raw_sha256=bytes(32))
    return {found.check: found for found in examine(parse_mrz(camera.lines, NOW), reading, NOW, camera=camera)}


def test_a_camera_alone_and_sure_passes_and_is_no_second_reading() -> None:
    found = alone(seen(*LINES))
    assert found["sure_reading"].answer is Answer.PASSED
    assert found["second_reading"].answer is Answer.NOT_APPLICABLE


def test_a_doubt_that_is_of_check_digits_alone_is_no_unsure_reading() -> None:
    wrong = (LINES[0], LINES[1][:9] + str((int(LINES[1][9]) + 5) % 10) + LINES[1][10:])
    found = alone(seen(*wrong, doubt=True))
    assert (found["sure_reading"].answer, found["check_digits"].answer) == (Answer.PASSED, Answer.FAILED)


def test_a_doubt_about_the_picture_itself_refers_with_its_reason() -> None:
    camera = structs.replace(seen(*LINES, doubt=True), why="The lines are of no known format.")
    found = alone(camera)["sure_reading"]
    assert found.answer is Answer.FAILED
    assert found.reason == f"The camera could not read the page surely. {camera.why}"


def test_a_scanners_failing_check_digit_is_explained_by_a_camera_in_no_doubt() -> None:
    misread = (LINES[0], LINES[1][:2] + "9" + LINES[1][3:])
    reading = MrzReading(device="elyctis", lines=misread, raw_sha256=bytes(32))
    found = {each.check: each for each in examine(parse_mrz(misread, NOW), reading, NOW, camera=seen(*LINES))}
    assert found["check_digits"].answer is Answer.FAILED
    assert found["check_digits"].evidence[0] == "line 2, place 3: scanner 9, camera 0 (99 % sure)"
    alone_of_it = {each.check: each for each in examine(parse_mrz(misread, NOW), reading, NOW)}
    assert "camera" not in alone_of_it["check_digits"].reason


def test_a_camera_alone_and_in_doubt_refers_and_names_each_character() -> None:
    camera = structs.replace(seen(*LINES, doubt=True), percent=bytes([99] * 50 + [40] + [99] * 37))
    found = alone(camera)["sure_reading"]
    assert (found.answer, found.evidence) == (Answer.FAILED, ("line 2, character 7: 40 % sure",))


@pytest.mark.parametrize(("percent", "answer"), [(40, Answer.INCONCLUSIVE), (99, Answer.FAILED)])
def test_a_check_digit_weighs_as_much_as_the_reading_of_what_it_covers(percent: int, answer: Answer) -> None:
    digit = str((int(LINES[1][9]) + 5) % 10)
    lines = (LINES[0], LINES[1][:9] + digit + LINES[1][10:])
    camera = structs.replace(seen(*lines, doubt=True), percent=bytes([99] * 53 + [percent] + [99] * 34))
    assert alone(camera)["check_digits"].answer is answer


# --- in time or not at all --------------------------------------------------------------------------------------------


@dataclass
class Bench:
    """A camera and a recogniser that finish when the test says so."""

    shutter: threading.Event = field(default_factory=threading.Event)
    read: threading.Event = field(default_factory=threading.Event)
    began: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    trouble: Exception | None = None

    def capture(self, *, bytes_max: int) -> Image:
        assert bytes_max > 0
        self.began.release()
        assert self.shutter.wait(10)
        if isinstance(self.trouble, DeviceError):
            raise self.trouble
        return JPEG

    def close(self) -> None:
        self.shutter.set()

    def reading(self, jpeg: bytes) -> CameraReading:
        if not jpeg or isinstance(self.trouble, Malformed):
            raise Malformed("picture", "neither JPEG nor PNG")
        assert self.read.wait(10)
        return seen(*LINES)

    def reader(self, wait_s: float) -> SecondReader:
        reader = SecondReader(self, Sight(read=self.reading, vote=vote, glance=bytes), wait_s=wait_s, notice=[].append)
        reader.start()
        return reader

    def end(self, reader: SecondReader) -> None:
        self.shutter.set()
        self.read.set()
        reader.stop()


def test_a_reading_that_is_there_in_time_comes_with_its_image() -> None:
    bench = Bench()
    reader = bench.reader(10)
    bench.shutter.set()
    bench.read.set()
    reader.laid(1)
    look = reader.look(1)
    bench.end(reader)
    assert (look.reading, look.image) == (seen(*LINES), JPEG)


def test_a_light_waits_no_longer_than_its_bound() -> None:
    bench = Bench()
    reader = bench.reader(0.05)
    bench.shutter.set()
    reader.laid(1)
    assert bench.began.acquire(timeout=10)
    look = reader.look(1)  # comes back, though the recogniser here never ends
    bench.end(reader)
    assert look.reading == CameraReading(why=LATE)


def test_an_image_that_may_show_the_next_page_is_not_read() -> None:
    bench = Bench()
    bench.read.set()
    reader = bench.reader(10)
    reader.laid(1)
    assert bench.began.acquire(timeout=10)
    reader.laid(2)
    bench.shutter.set()
    overtaken, newest = reader.look(1), reader.look(2)
    bench.end(reader)
    assert overtaken.reading == CameraReading(why=OVERTAKEN)
    assert overtaken.image is None
    assert newest.reading == seen(*LINES)


@pytest.mark.parametrize("trouble", [DeviceError("the camera gave no image"), Malformed("picture", "cut")])
def test_a_camera_that_fails_is_a_reading_that_says_so(trouble: Exception) -> None:
    bench = Bench(trouble=trouble)
    bench.shutter.set()
    reader = bench.reader(10)
    reader.laid(1)
    look = reader.look(1)
    bench.end(reader)
    assert look.reading.lines == ()
    assert look.reading.why.endswith(".")
