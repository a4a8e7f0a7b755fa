"""No light without a record (I1), both halves; what cannot be recorded waits, in order, and is never lost."""

import pytest

from appliance.booth import words
from appliance.booth.events import Following, NextBelongs, OutcomeChosen
from appliance.booth.state import Kept, Phase
from appliance.judged import Clear, Refer
from appliance.model import Mode, Priority
from appliance.recorded import OutcomeKind, Record, Screened
from drivers.api import DeviceState, Lamp, Sound
from tests.small_post import GROUNDS, LISTED, NO_LISTS, MemoryRecorder, SmallPost, passport


def test_the_lamp_is_lit_after_the_record_and_not_before() -> None:
    post = SmallPost()
    lamps_then: list[list[Lamp | None]] = []
    post.recorder.on_append = lambda _: lamps_then.append(list(post.panel.lamps))
    post.lay(*passport("PA1234567"))
    assert [lamp for lamps in lamps_then for lamp in lamps if lamp] == []
    assert post.panel.lamps[-1] is Lamp.GREEN
    assert post.panel.sounds == [Sound.DONE]


def test_the_record_says_what_was_laid_and_decided() -> None:
    post = SmallPost()
    lines = passport("PA1234567")
    post.lay(*lines)
    record = post.recorder.records[0]
    assert isinstance(record.body, Screened)
    assert record.body.document is not None
    assert record.body.document.mrz == lines
    assert isinstance(record.body.decision, Clear)
    assert record.person is not None
    assert record.person.document_basis.value == "passport"
    assert record.record_id == post.state.shown


def test_a_referral_an_unread_page_and_a_missing_list_look_and_sound_the_same() -> None:
    for lists, lines in ((None, passport(LISTED)), (None, ()), (NO_LISTS, passport("PA1234567"))):
        post = SmallPost(lists=lists)
        post.lay(*lines)
        assert [lamp for lamp in post.panel.lamps if lamp] == [Lamp.AMBER]
        assert post.panel.sounds == [Sound.WAIT]


def test_a_hit_travels_first_and_nothing_else_does() -> None:
    post = SmallPost()
    post.lay(*passport(LISTED))
    post.lay(*passport("PA1234567"))
    assert post.recorder.priorities == [Priority.ALERT, Priority.RECORD]


def test_nothing_found_is_never_shown_without_a_record() -> None:
    for trouble in ("away", "full", "lies"):
        post = SmallPost(MemoryRecorder(trouble=trouble))
        post.lay(*passport("PA1234567"))
        assert Lamp.GREEN not in post.panel.lamps, trouble
        assert post.panel.lamps[-1] is Lamp.RED
        assert post.panel.sounds == [Sound.FAULT]


def test_a_possible_match_is_shown_even_without_a_record_as_not_recorded() -> None:
    post = SmallPost(MemoryRecorder(trouble="full"))
    post.lay(*passport(LISTED))
    shown = post.state.shown_case
    assert post.state.phase is Phase.RESULT
    assert shown is not None
    assert shown.case.refers
    assert shown.kept is Kept.NOT_RECORDED
    assert post.panel.lamps[-1] is Lamp.RED


def test_a_receipt_for_another_record_is_no_receipt() -> None:
    post = SmallPost(MemoryRecorder(trouble="lies"))
    post.lay(*passport(LISTED))
    assert post.panel.lamps[-1] is Lamp.RED
    assert "commitment" in post.board.latest.recorder_why


def test_a_recorder_of_the_other_mode_gets_nothing() -> None:
    post = SmallPost(MemoryRecorder(mode=Mode.TRAINING))
    post.lay(*passport("PA1234567"))
    assert post.recorder.records == []
    assert post.panel.lamps[-1] is Lamp.RED


def test_a_recorder_killed_after_it_recorded_answers_with_the_same_entry() -> None:
    recorder = MemoryRecorder(trouble="dies")
    post = SmallPost(recorder)
    post.lay(*passport("PA1234567"))
    assert post.panel.lamps[-1] is Lamp.RED
    recorder.trouble = ""
    post.clerk.idle()
    assert post.panel.lamps[-1] is Lamp.GREEN
    assert len(recorder.records) == 1, "asked twice, recorded once"


def test_what_could_not_be_recorded_is_recorded_in_order_when_room_returns() -> None:
    recorder = MemoryRecorder(trouble="full")
    post = SmallPost(recorder)
    post.lay(*passport("PA0000001", "ONE"))
    post.lay(*passport(LISTED, "TWO"))
    post.clerk.say(OutcomeChosen(of=str(post.state.shown), outcome=OutcomeKind.HANDED_OVER, **GROUNDS))
    assert (recorder.records, post.board.latest.waiting) == ([], 3)
    recorder.trouble = ""
    post.clerk.idle()
    kinds = [type(record.body).__name__ for record in recorder.records]
    assert kinds == ["Screened", "Screened", "Outcome"]
    assert post.board.latest.waiting == 0
    assert ("not_recorded", {"count": "2"}) in recorder.events


def test_a_recorder_that_began_another_log_gets_the_record_made_for_it() -> None:
    recorder = MemoryRecorder()
    post = SmallPost(recorder)
    post.lay(*passport("PA0000001", "ONE"))
    recorder.origin = "landlink.example/la-0001.2"
    post.lay(*passport("PA0000002", "TWO"))
    assert post.panel.lamps[-1] is Lamp.GREEN
    assert {record.origin for record in recorder.records[-2:]} == {"landlink.example/la-0001.2"}


def test_the_booth_started_anew_takes_over_what_waits() -> None:
    recorder = MemoryRecorder()
    before = SmallPost(recorder)
    before.lay(*passport(LISTED, "ONE"))
    before.lay(*passport("PA0000002", "TWO"))
    referred, clear = (record.record_id for record in recorder.screenings)
    after = SmallPost(recorder)
    after.clerk.idle()
    assert {open_case.case.of for open_case in after.state.cases} == {referred, clear}
    after.lay(*passport("PA0000003", "THREE"))
    assert recorder.outcomes[clear].implied
    assert referred not in recorder.outcomes
    after.clerk.say(OutcomeChosen(of=referred, outcome=OutcomeKind.TURNED_BACK, **GROUNDS))
    assert person_of(recorder, referred) == [
        record.person.id for record in recorder.records if record.person and record.body == recorder.outcomes[referred]
    ]


def test_a_visa_of_the_same_person_is_the_same_person_in_the_record() -> None:
    post = SmallPost()
    post.lay(*passport("PA0000001", "ONE"))
    post.clerk.say(NextBelongs(following=Following.DOCUMENT))
    post.lay(*passport("PA0000002", "ONE"))
    persons = {record.person.id for record in post.recorder.screenings if record.person}
    assert len(persons) == 1
    assert [record.body.laid for record in post.recorder.records if isinstance(record.body, Screened)] == [1, 2]
    assert len(post.recorder.cases) == 1


def test_a_picture_is_asked_for_after_the_light_and_only_for_what_is_recorded() -> None:
    post = SmallPost()
    post.lay(*passport("PA0000001"))
    assert post.lit == [post.state.shown]
    post.recorder.trouble = "full"
    post.lay(*passport(LISTED))
    assert len(post.lit) == 1


def test_devices_that_come_and_go_are_logged_once_each() -> None:
    post = SmallPost()
    for state in (DeviceState.PROBING, DeviceState.READY, DeviceState.READY, DeviceState.ABSENT):
        post.clerk.device("scanner", state, "plug")
    post.clerk.idle()
    states = [fields["state"] for event, fields in post.recorder.events if event == "device_changed"]
    assert states == ["probing", "ready", "absent"]
    assert post.recorder.events[0] == ("page_started", {})


def test_what_is_not_read_goes_dark_and_only_a_reader_that_works_asks_to_lay_it_flat() -> None:
    post = SmallPost()
    for state, notice in ((DeviceState.READY, words.NOT_READ), (DeviceState.FAULTED, "")):
        post.lay(*passport("P0001234"))
        post.clerk.device("scanner", state, "the camera gave no image")
        post.clerk.not_read()
        assert (post.panel.lamps[-1], post.state.phase, post.board.latest.notice) == (None, Phase.READY, notice)


@pytest.mark.parametrize("state", [DeviceState.ABSENT, DeviceState.FAULTED, DeviceState.PROBING])
def test_green_goes_dark_with_the_reader_for_the_next_document_would_lie_under_it(state: DeviceState) -> None:
    post = SmallPost()
    post.clerk.device("scanner", DeviceState.READY, "ready")
    post.lay(*passport("PA0000001"))
    post.clerk.device("camera", DeviceState.FAULTED, "a second reader")
    assert post.panel.lamps[-1] is Lamp.GREEN
    post.clerk.device("scanner", state, "unplugged")
    assert (post.panel.lamps[-1], post.state.phase) == (None, Phase.READY)
    post.clerk.device("scanner", DeviceState.READY, "ready")
    post.lay(*passport("PA0000001"))
    assert post.panel.lamps[-1] is Lamp.GREEN, "the same document laid again is the same person"
    assert [record.person for record in post.recorder.screenings[1:]] == [post.recorder.screenings[0].person]


def test_a_referral_stays_in_view_when_the_reader_goes_and_so_does_what_is_typed_without_one() -> None:
    post = SmallPost()
    post.clerk.device("scanner", DeviceState.READY, "ready")
    post.lay(*passport(LISTED))
    post.clerk.device("scanner", DeviceState.ABSENT, "unplugged")
    assert post.panel.lamps[-1] is Lamp.AMBER
    post.lay(*passport("PA0000001"))
    for state in (DeviceState.PROBING, DeviceState.FAULTED):
        post.clerk.device("scanner", state, "it does not answer")
    assert post.panel.lamps[-1] is Lamp.GREEN


def test_an_expired_document_refers_with_the_reason_in_the_case() -> None:
    post = SmallPost()
    post.lay(*passport("PA0000001", expiry="200101"))
    body = post.recorder.screenings[0].body
    assert isinstance(body, Screened)
    assert isinstance(body.decision, Refer)
    assert body.decision.first.code == "expired"
    assert post.state.cases[0].case.reasons[0] == body.decision.first.words


def person_of(recorder: MemoryRecorder, of: str) -> list[str]:
    found: list[Record] = [record for record in recorder.screenings if record.record_id == of]
    return [record.person.id for record in found if record.person]


def test_pictures_under_other_lamps_are_for_referrals_alone() -> None:
    for number, referred in ((LISTED, 1), ("PA1234567", 0)):
        post = SmallPost()
        post.lay(*passport(number))
        assert (len(post.lit), len(post.referred)) == (1, referred)
