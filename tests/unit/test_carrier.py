"""The carrier profile: which answer, which lamp, which record, and that nothing of a holder is looked at or stays."""

import gc
from collections.abc import Iterable
from dataclasses import replace
from types import FunctionType, MethodType, ModuleType

import pytest
from msgspec import structs

from appliance.booth.carrier import SHOWN_AT_MOST_S, CarrierDesk, CarrierFittings, check_document
from appliance.booth.carrier_page import CarrierView, carrier_view
from appliance.booth.events import DetailsShown, Following, NextTraveller
from appliance.booth.lists_on_hand import OnHand
from appliance.booth.outbox import Outbox
from appliance.booth.status_line import Surroundings
from appliance.errors import Refused
from appliance.formats.rules import DEFAULT_RULES, HitRule
from appliance.model import Mode, MrzReading, Priority
from appliance.recorded import CarrierCheck
from appliance.screen.documents import NoDocuments
from appliance.screen.persons import NoPersons
from drivers.api import DeviceState, Lamp, Sound
from tests.small_post import (
    LISTED,
    NO_LISTS,
    NOW,
    TELEPHONE,
    MemoryRecorder,
    PaperClock,
    PaperPanel,
    mrz,
    on_hand,
    passport,
)

FREE = "PA0099001"
FAMILY, GIVEN = "SISOUK", "MALAVANH"


def misread(number: str = FREE) -> tuple[str, ...]:
    """A passport whose number has another check digit than it should."""
    first, second = passport(number)
    return first, second[:9] + str((int(second[9]) + 1) % 10) + second[10:]


class Desk:
    """A desk at work, with a recorder in memory."""

    def __init__(self, lists: OnHand | None = None) -> None:
        self.recorder, self.panel = MemoryRecorder(), PaperPanel()
        self.on_hand = lists or on_hand()
        self.worker = CarrierDesk(
            CarrierFittings(
                panel=self.panel,
                outbox=Outbox(self.recorder, self.recorder, mode=Mode.LIVE),
                clock=PaperClock(),
                on_hand=lambda: self.on_hand,
                duty_telephone=TELEPHONE,
            )
        )

    def lay(self, *lines: str) -> str:
        self.worker.document(mrz(*lines))
        return self.worker.showing.answer

    @property
    def checks(self) -> list[CarrierCheck]:
        return [record.body for record in self.recorder.records if isinstance(record.body, CarrierCheck)]


def test_a_document_that_is_not_listed_goes_on_and_its_record_has_no_person() -> None:
    desk = Desk()
    assert desk.lay(*passport(FREE)) == "Continue"
    assert (desk.worker.lamp, desk.panel.sounds) == (Lamp.GREEN, [Sound.DONE])
    (record,) = desk.recorder.records
    assert (record.crossing, record.person, record.pictures) == (None, None, ())
    (check,) = desk.checks
    assert (check.document_number, check.document_type, check.issuing_state) == (FREE, "P", "LAO")
    assert (check.call, check.why, [answer.list_name for answer in check.lists]) == (False, "", ["documents"])
    assert desk.recorder.priorities == [Priority.RECORD]


def test_a_listed_document_says_whom_to_call_and_headquarters_hears_of_it_first() -> None:
    desk = Desk()
    assert desk.lay(*passport(LISTED)) == f"Call {TELEPHONE}"
    assert (desk.worker.lamp, desk.panel.sounds) == (Lamp.AMBER, [Sound.WAIT])
    assert [(check.call, check.why) for check in desk.checks] == [(True, "listed")]
    assert desk.recorder.priorities == [Priority.ALERT]


def test_the_telephone_of_carriers_is_the_rules_where_they_name_one() -> None:
    desk = Desk()
    release = desk.on_hand.release
    assert release is not None
    desk.on_hand = replace(
        desk.on_hand, release=replace(release, rules=structs.replace(DEFAULT_RULES, carrier_telephone="+856 20 2"))
    )
    assert desk.lay(*passport(LISTED)) == "Call +856 20 2"


@pytest.mark.parametrize(
    "lines",
    [
        misread(),
        misread(LISTED),
        ("P<LAO<<<<", "XXXX"),
        (),
        (passport(FREE)[0], passport(FREE)[1][:-1]),
    ],
)
def test_a_page_whose_number_cannot_be_relied_on_says_to_call(lines: tuple[str, ...]) -> None:
    desk = Desk()
    assert desk.lay(*lines) == f"Call {TELEPHONE}"
    assert [(check.document_number, check.why) for check in desk.checks] == [("", "unreadable")]
    assert desk.worker.showing.document == ""
    assert desk.worker.lamp is Lamp.AMBER


@pytest.mark.parametrize(
    "lists", [NO_LISTS, replace(on_hand(), lists=replace(on_hand().lists, documents=NoDocuments("it is damaged")))]
)
def test_a_list_that_cannot_be_searched_says_to_call(lists: OnHand) -> None:
    desk = Desk(lists)
    assert desk.lay(*passport(FREE)) == f"Call {TELEPHONE}"
    assert [(check.call, check.why) for check in desk.checks] == [(True, "not checked")]


def test_the_persons_list_is_not_asked_nor_missed() -> None:
    desk = Desk(replace(on_hand(), lists=replace(on_hand().lists, persons=NoPersons("it is damaged"))))
    assert desk.lay(*passport(FREE, "PHOMMASACK", "KHAMPHENG")) == "Continue"


def test_no_rules_let_a_listed_document_continue() -> None:
    hushed = structs.replace(DEFAULT_RULES, hits=(HitRule(action="note"),))
    judgement = check_document(mrz(*passport(LISTED)), on_hand().lists, NOW, rules=hushed)
    assert (judgement.check.call, judgement.check.why, judgement.alert) == (True, "listed", False)


def test_an_expired_document_is_not_the_carriers_question() -> None:
    assert Desk().lay(*passport(FREE, expiry="200101")) == "Continue"


@pytest.mark.parametrize("trouble", ["away", "full", "dies", "lies"])
def test_nothing_is_continue_before_its_record_is_kept(trouble: str) -> None:
    desk = Desk()
    desk.recorder.trouble = trouble
    assert desk.lay(*passport(FREE)) == f"Call {TELEPHONE}"
    assert desk.worker.lamp is Lamp.RED
    assert desk.panel.sounds == [Sound.FAULT]
    assert not view(desk).recorded


def test_what_was_not_recorded_is_kept_later_and_logged_without_changing_the_answer() -> None:
    desk = Desk()
    desk.recorder.trouble = "away"
    desk.lay(*passport(FREE))
    desk.recorder.trouble = ""
    desk.worker.idle()
    assert (desk.worker.showing.answer, desk.worker.lamp) == (f"Call {TELEPHONE}", Lamp.RED)
    assert [check.document_number for check in desk.checks] == [FREE]
    assert ("not_recorded", {"count": "1"}) in desk.recorder.events


def test_the_light_comes_after_the_record() -> None:
    desk = Desk()
    lamps: list[Lamp | None] = []
    desk.recorder.on_append = lambda _: lamps.extend(desk.panel.lamps)
    desk.lay(*passport(FREE))
    assert lamps == [None]


def test_each_document_begins_dark_and_the_start_button_clears_the_answer() -> None:
    desk = Desk()
    desk.lay(*passport(LISTED))
    desk.lay(*passport(FREE))
    assert desk.panel.lamps == [None, Lamp.AMBER, None, Lamp.GREEN]
    desk.worker.say(NextTraveller())
    assert (desk.worker.lamp, desk.worker.showing.answer, desk.worker.showing.document) == (None, "", "")


def test_an_answer_that_nobody_clears_goes_by_itself() -> None:
    desk = Desk()
    desk.lay(*passport(LISTED))
    desk.worker.idle()
    assert desk.worker.showing.answer
    desk.worker.shown_s -= SHOWN_AT_MOST_S
    desk.worker.idle()
    assert (desk.worker.lamp, desk.worker.showing.answer, desk.worker.showing.document) == (None, "", "")
    assert desk.panel.lamps[-1] is None


def test_what_is_no_document_takes_the_answer_away() -> None:
    desk = Desk()
    desk.lay(*passport(FREE))
    desk.worker.not_read()
    assert (desk.worker.lamp, desk.worker.showing.answer) == (None, "")
    assert "Lay it again" in desk.worker.showing.notice


def test_there_is_nothing_else_to_say_at_a_desk() -> None:
    desk = Desk()
    with pytest.raises(Refused):
        desk.worker.say(DetailsShown(of="0" * 32))
    with pytest.raises(Refused):
        desk.worker.document(mrz(*passport(FREE)), Following.PERSON)
    assert desk.recorder.records == []


def test_continue_goes_dark_with_the_scanner_and_call_stays() -> None:
    for number, lamp, answer in ((FREE, None, ""), (LISTED, Lamp.AMBER, f"Call {TELEPHONE}")):
        desk = Desk()
        desk.worker.device("scanner", DeviceState.READY, "")
        desk.lay(*passport(number))
        desk.worker.device("scanner", DeviceState.ABSENT, "unplugged")
        assert (desk.worker.lamp, desk.worker.showing.answer) == (lamp, answer)
        assert desk.worker.showing.devices == {"scanner": DeviceState.ABSENT}


def test_devices_and_the_start_of_the_page_are_logged() -> None:
    desk = Desk()
    desk.worker.device("scanner", DeviceState.READY, "")
    desk.worker.device("scanner", DeviceState.READY, "")
    desk.worker.idle()
    assert desk.recorder.events == [("page_started", {}), ("device_changed", {"device": "scanner", "state": "ready"})]


def strings(roots: Iterable[object]) -> set[str]:
    """Every text and byte string that these objects hold; what a function can see is no object's."""
    seen: set[int] = set()
    found: set[str] = set()
    todo = list(roots)
    while todo:
        each = todo.pop()
        if id(each) in seen or isinstance(each, type | FunctionType | MethodType | ModuleType):
            continue
        seen.add(id(each))
        if isinstance(each, str):
            found.add(each)
        elif isinstance(each, bytes):
            found.add(each.decode("latin-1"))
        else:
            todo.extend(gc.get_referents(each))
    return found


def test_nothing_of_a_holder_stays_in_memory_nor_gets_into_the_record() -> None:
    desk = Desk()
    for lines in (passport(FREE), passport(LISTED), misread()):
        desk.lay(*lines)
    held = strings([vars(desk.worker), *desk.recorder.records])
    assert any(LISTED in text for text in held)  # the search works
    assert [text for text in held if FAMILY in text or GIVEN in text or "870304" in text] == []


def view(desk: Desk) -> CarrierView:
    around = Surroundings(
        now=NOW, on_hand=desk.on_hand, uplink=None, duty_telephone=TELEPHONE, local_time=lambda _: "11:06"
    )
    return carrier_view(desk.worker.showing, around)


def test_the_page_shows_the_answer_what_it_is_about_and_how_old_the_list_is() -> None:
    desk = Desk()
    desk.lay(*passport(LISTED))
    shown = view(desk)
    assert (shown.answer, shown.lamp, shown.recorded) == (f"Call {TELEPHONE}", "amber", True)
    assert shown.document == f"P LAO {LISTED}"
    assert shown.quiet[0].words.startswith("List of 3 November 2026, 15 days old")


def test_why_to_call_is_never_shown() -> None:
    """Unreadable, not checked and listed look the same at the desk: nobody there learns that a document is listed."""
    shown = []
    for lists, lines in ((None, passport(LISTED)), (NO_LISTS, passport(FREE)), (None, misread())):
        desk = Desk(lists)
        desk.lay(*lines)
        shown.append((view(desk).answer, view(desk).lamp))
        assert "listed" not in repr(view(desk)).lower()
    assert len(set(shown)) == 1


def test_a_reading_without_lines_is_unreadable() -> None:
    desk = Desk()
    desk.worker.document(MrzReading(device="elyctis", lines=(), raw_sha256=bytes(32)))
    assert [check.why for check in desk.checks] == ["unreadable"]
