"""The carrier profile: an airline's desk or a hotel asks about a document, and learns "continue" or "call this number".

As I-Checkit has it, only number, type and country of the document are looked at, in the documents list alone. Name,
birth date and the rest of the zone are dropped before anything else happens: no record, page, journal line or picture
has them, and nothing here remembers them. What was not checked is never "continue" (I5).
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from msgspec import structs

from appliance.booth.clerk import SOUNDS
from appliance.booth.events import Following, NextTraveller, Word
from appliance.booth.happenings import Happenings
from appliance.booth.lists_on_hand import OnHand
from appliance.booth.outbox import Outbox, Parcel
from appliance.booth.status_line import READER
from appliance.clock import Clock, Instant
from appliance.decide import decide
from appliance.errors import Malformed, Refused
from appliance.formats.rules import Rules
from appliance.judged import Refer, Screening
from appliance.model import DocumentReading, Priority, RepairReason, TravelDocument
from appliance.parse.reading import parse_reading
from appliance.recorded import CarrierCheck
from appliance.screen.lists import Lists
from appliance.screen.screen import DOCUMENTS, not_screened, screen
from drivers.api import DeviceState, Lamp, Panel

LISTED: Final = "listed"
NOT_CHECKED: Final = "not checked"
UNREADABLE: Final = "unreadable"
"""Why the answer was to call; for headquarters, never for the desk."""
SHOWN_AT_MOST_S: Final = 60.0
"""An answer that nobody cleared goes: a number does not stand on a counter's screen until the next guest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is recorded of one document, and whether headquarters hears of it before anything else."""

    check: CarrierCheck
    alert: bool


def check_document(reading: DocumentReading, lists: Lists, now: Instant, *, rules: Rules) -> Judgement:
    """Judge one document by its number, type and country."""
    document = _numbered(reading, now)
    if document is None:
        return _judgement(None, not_screened(lists, asked=(DOCUMENTS,)), UNREADABLE)
    screening = screen(document, lists, now, asked=(DOCUMENTS,))
    decision = decide(document, (), screening, duty_telephone="", rules=rules)
    if not isinstance(decision, Refer):
        return _judgement(document, screening, "")
    codes = {reason.code for reason in (decision.first, *decision.others)}
    why = NOT_CHECKED if codes == {"list_not_checked"} else LISTED
    return _judgement(document, screening, why, alert=decision.alert)


def _numbered(reading: DocumentReading, now: Instant) -> TravelDocument | None:
    """The document without anything of its holder; None where its number cannot be relied on."""
    try:
        document = parse_reading(reading, now)
    except Malformed:
        return None
    digits = tuple(digit for digit in document.check_digits if digit.field == "document_number")
    exchanged = any(repair.reason is RepairReason.CHECK_DIGITS for repair in document.repairs)
    if not document.document_number or exchanged or not all(digit.holds for digit in digits):
        return None
    return structs.replace(
        document,
        mrz=(),
        raw=(),
        repairs=(),
        nationality="",
        primary_identifier="",
        secondary_identifier="",
        name_truncated=False,
        date_of_birth=None,
        sex="",
        date_of_expiry=None,
        optional_data="",
        check_digits=digits,
    )


def _judgement(document: TravelDocument | None, screening: Screening, why: str, *, alert: bool = False) -> Judgement:
    check = CarrierCheck(
        document_number="" if document is None else document.document_number,
        document_type="" if document is None else document.document_code,
        issuing_state="" if document is None else document.issuing_state,
        lists=screening.lists,
        call=bool(why),
        why=why,
    )
    return Judgement(check=check, alert=alert)


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What the page shows.

    Attributes:
        busy: A document is being checked.
        answer: "Continue" or "Call ...", "" before the first document and after the start button.
        document: Type, country and number that the answer is about.
        lamp: As lit with it.
        waiting: Checks that the box could not record yet.
        devices: Their state by name.
        notice: A quiet remark, or "".
    """

    busy: bool = False
    answer: str = ""
    document: str = ""
    lamp: Lamp | None = None
    waiting: int = 0
    devices: Mapping[str, DeviceState] = field(default_factory=dict[str, DeviceState])
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierFittings:
    """What the desk works with."""

    panel: Panel
    outbox: Outbox
    clock: Clock
    on_hand: Callable[[], OnHand]
    duty_telephone: str


class CarrierDesk:
    """Works one desk, for the lane's thread; the page reads `showing`.

    Attributes:
        showing: The newest; replaced, never changed.
        shown_s: When the newest answer was lit, seconds of the monotonic clock.
    """

    def __init__(self, fittings: CarrierFittings) -> None:
        self._fit = fittings
        self._outbox = fittings.outbox
        self._asked = ""
        self._happened = Happenings(fittings.outbox)
        self.showing = Showing()
        self.shown_s = float("-inf")

    @property
    def lamp(self) -> Lamp | None:
        """What is lit now."""
        return self.showing.lamp

    def document(self, reading: DocumentReading, following: Following = Following.TRAVELLER) -> None:
        """Check one document: judge, record, show. Raises Refused for one that belongs to another: none does here."""
        if following is not Following.TRAVELLER:
            raise Refused("Each document is checked by itself.")
        self._dark(busy=True, notice="")
        now, on_hand = self._fit.clock.now(), self._fit.on_hand()
        judgement = check_document(reading, on_hand.lists, now, rules=on_hand.rules)
        self._asked = os.urandom(16).hex()
        parcel = Parcel(
            record_id=self._asked,
            at=now,
            crossing=None,
            person=None,
            body=judgement.check,
            priority=Priority.ALERT if judgement.alert else Priority.RECORD,
        )
        if self._outbox.full:
            self._reported(parcel, kept=False)
            return
        self._outbox.put(parcel)
        self._outbox.flush(self._reported)
        self._waiting()

    def look_up(self, reading: DocumentReading) -> str:  # noqa: ARG002 - AtTheLane's
        """Raises Refused: each document is checked for a passenger who is there."""
        raise Refused("A look-up without a passenger is the border's.")

    def say(self, word: Word) -> None:
        """The start button clears the answer. Raises Refused for an officer's word: a desk has none to say."""
        if not isinstance(word, NextTraveller):
            raise Refused("This desk checks documents; there is nothing else to say here.")
        self._dark(busy=False, notice="")

    def idle(self) -> None:
        """A quiet moment: clear an old answer, try again what is not kept, log what has happened to devices."""
        if self.showing.answer and time.monotonic() > self.shown_s + SHOWN_AT_MOST_S:
            self._dark(busy=False, notice="")
        self._outbox.flush(self._reported)
        self._waiting()
        if self._outbox.waiting:
            return
        self._happened.log()

    def tend(self) -> None:
        """Between two things: nothing waits here for anybody's answer."""

    def device(self, name: str, state: DeviceState, why: str) -> None:  # noqa: ARG002 - the log has a place for states only
        """A device came, went or failed. "Continue" goes with the scanner: it is not about what is laid now."""
        lost = self._happened.device(name, state)
        if lost and name == READER and self.lamp is Lamp.GREEN:
            self._dark(busy=False, notice="")
        self.showing = replace(self.showing, devices=dict(self._happened.devices))

    def lid(self, *, is_open: bool) -> None:
        """The box's case was opened or closed."""
        self._happened.lid(is_open=is_open)
        self.remark("The case of the box is open. Tell headquarters." if is_open else "The case is closed again.")

    def not_read(self) -> None:
        """The scanner sent something that is no document: the answer before is not about what lies there."""
        self._dark(busy=False, notice="The scanner sent something that is no document. Lay it again.")

    def remark(self, text: str) -> None:
        """Show a quiet remark until the next document."""
        self.showing = replace(self.showing, notice=text)

    def _dark(self, *, busy: bool, notice: str) -> None:
        self._asked = ""
        self._fit.panel.show(None)
        self.showing = replace(self.showing, busy=busy, answer="", document="", lamp=None, notice=notice)

    def _waiting(self) -> None:
        self.showing = replace(self.showing, waiting=self._outbox.waiting)

    def _reported(self, parcel: Parcel, *, kept: bool) -> None:
        """Light and show, once the record is kept or is known not to be (I1)."""
        check = parcel.body
        assert isinstance(check, CarrierCheck), "a desk of this profile makes no other record"
        if not kept:
            self._happened.not_recorded()
        if parcel.record_id != self._asked or self.showing.answer:
            return  # another document has come, or its answer stands there already
        lamp = Lamp.RED if not kept else Lamp.AMBER if check.call else Lamp.GREEN
        self._fit.panel.show(lamp)
        self._fit.panel.sound(SOUNDS[lamp])
        self.shown_s = time.monotonic()
        document = f"{check.document_type} {check.issuing_state} {check.document_number}".strip()
        call = check.call or not kept
        self.showing = replace(
            self.showing, busy=False, answer=self._call() if call else "Continue", document=document, lamp=lamp
        )

    def _call(self) -> str:
        return f"Call {self._fit.on_hand().rules.carrier_telephone or self._fit.duty_telephone}"
