"""Stages 2 to 7 of one lane, one event after the other: judged, recorded, and only then shown. For one thread.

The state machine of crossing.py decides; the clerk gives it identifiers and time, keeps what it asks to be kept, lights
the lamp that follows from its state, and puts everything on the board for the page.
"""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from msgspec import structs

from appliance.booth import words
from appliance.booth.board import Board, Device, Snapshot
from appliance.booth.crossing import step
from appliance.booth.events import (
    Arrived,
    AsylumSaid,
    CodeHeard,
    Effect,
    Event,
    Following,
    HandedOver,
    KeepScreening,
    Moved,
    NextBelongs,
    NotRead,
    OutcomeChosen,
    OutcomeKept,
    OutcomeNotKept,
    OutcomeRefused,
    Restored,
    ScreeningKept,
    ScreeningNotKept,
    SignInFailed,
    StepKept,
    StepNotKept,
    StepRefused,
    Word,
)
from appliance.booth.happenings import Happenings
from appliance.booth.inquirer import Inquirer
from appliance.booth.lists_on_hand import OnHand
from appliance.booth.outbox import Outbox, Parcel
from appliance.booth.parcels import parcel_of_nobody, screening_parcel, spoken_parcel
from appliance.booth.second_reader import Look
from appliance.booth.stages import Verdict, judge, judged
from appliance.booth.state import Kept, Phase, State
from appliance.booth.status_line import READER
from appliance.clock import Clock
from appliance.errors import LandlinkError, Refused
from appliance.model import DocumentReading, Id, MrzReading
from appliance.recorded import Crossing, HandOver, Outcome, Person, Screened, Transition
from drivers.api import DeviceState, Image, Lamp, Panel, Sound

SOUNDS: Final = {Lamp.GREEN: Sound.DONE, Lamp.AMBER: Sound.WAIT, Lamp.RED: Sound.FAULT}


def lamp_of(state: State) -> Lamp | None:
    """The lamp that a state lights: results only, dark otherwise; every referral alike (I11)."""
    shown = state.shown_case
    if state.phase is not Phase.RESULT or shown is None:
        return None
    if shown.kept is Kept.NOT_RECORDED:
        return Lamp.RED
    return Lamp.AMBER if shown.case.refers else Lamp.GREEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Fittings:
    """What a clerk works with.

    Attributes:
        on_hand: Gives the lists in memory.
        look: What the camera has of the document that is being taken: None where none is fitted; bounded in time.
        look_at_typed: The same of a page that is typed in: what lies under the camera then.
        lit: Called after the light of a result whose record is kept: time for the picture, if there is none yet.
        referred: Called after that, where it is a referral: time for pictures under other lamps.
    """

    panel: Panel
    outbox: Outbox
    board: Board
    clock: Clock
    on_hand: Callable[[], OnHand]
    duty_telephone: str
    lit: Callable[[Id, Crossing, Person, Image | None], None]
    referred: Callable[[Id, Crossing, Person], None] = lambda _record, _crossing, _person: None
    look: Callable[[], Look | None] = lambda: None
    look_at_typed: Callable[[], Look | None] = lambda: None


class Clerk:
    """Works one lane.

    Args:
        state: The lane before its first document.

    Attributes:
        shown_s: When the newest result was lit, seconds of the monotonic clock.
    """

    def __init__(self, state: State, fittings: Fittings) -> None:
        self._state = state
        self._fit = fittings
        self._outbox = fittings.outbox
        self._inquirer = Inquirer(fittings.outbox, fittings.clock)
        self._judged: Verdict | None = None
        self._image: tuple[Id, Image] | None = None
        self._seen: dict[Id, Screened] = {}
        self._devices: dict[str, Device] = {}
        self._happened = Happenings(fittings.outbox)
        self._met = False
        self._notice = ""
        self._looked_up = ""
        self.shown_s = float("-inf")

    @property
    def lamp(self) -> Lamp | None:
        """What is lit now."""
        return lamp_of(self._state)

    def document(self, reading: DocumentReading, following: Following = Following.TRAVELLER) -> None:
        """Take one document: judge, record, show. Raises Refused when `following` is not possible now."""
        self.meet()
        if following is not Following.TRAVELLER:
            self._take(NextBelongs(following=following))
        self._notice = ""
        self._take(Arrived())
        look = self._fit.look() if isinstance(reading, MrzReading) else self._fit.look_at_typed()
        now = self._fit.clock.now()
        on_hand = self._fit.on_hand()
        telephone = self._fit.duty_telephone
        spared = self._inquirer.spared
        self._judged = judge(
            reading,
            on_hand.lists,
            now,
            duty_telephone=telephone,
            rules=on_hand.rules,
            spared=spared,
            camera=None if look is None else look.reading,
        )
        record, crossing, person = (os.urandom(16).hex() for _ in range(3))
        self._image = None if look is None or look.image is None else (record, look.image)
        self._take(judged(self._judged, ids=(record, crossing, person), opened_ms=now.wall_ms))
        self._outbox.flush(self._reported)
        self._publish()

    def look_up(self, reading: DocumentReading) -> str:
        """Judge and record a document that nobody has brought, in words for the officer alone: no lamp, no case.

        Raises:
            Refused: It could not be recorded, so nothing is said of it (I1).
        """
        on_hand, now = self._fit.on_hand(), self._fit.clock.now()
        telephone, spared = self._fit.duty_telephone, self._inquirer.spared
        found = judge(reading, on_hand.lists, now, duty_telephone=telephone, rules=on_hand.rules, spared=spared)
        parcel = parcel_of_nobody(found.screened, self._fit.clock.now())
        if not self._outbox.full:
            self._happened.looked_up()
            self._outbox.put(parcel)
            self._outbox.flush(self._reported)
        if self._looked_up != parcel.record_id:
            raise Refused("The box cannot record now, and tells nothing without a record. Try again in a moment.")
        return words.looked_up(found.screened.decision, telephone)

    def say(self, word: Word) -> None:
        """Take an officer's word. Raises Refused when it is not possible now; nothing was changed."""
        if isinstance(word, OutcomeChosen | Moved | CodeHeard | AsylumSaid | HandedOver) and self._outbox.full:
            raise Refused("The box cannot record. Write it on paper and choose it here when the box is back.")
        match word:
            case Moved() | AsylumSaid() | CodeHeard():
                self._take(self._inquirer.event(word, self._state))
            case SignInFailed():
                self._happened.sign_in_failed()
            case _:
                self._take(word)
        self._outbox.flush(self._reported)
        self._publish()

    def meet(self) -> None:
        """Take over what waited for an outcome before the booth went away, once the recorder answers."""
        if self._met or not self._outbox.reachable():
            return
        with contextlib.suppress(LandlinkError):  # asked again at the next document or idle moment
            cases = self._outbox.cases()
            self._met = True
            self._take(Restored(cases=cases))

    def idle(self) -> None:
        """A quiet moment: try again what is not kept, log what has happened to devices."""
        self.meet()
        if self._outbox.waiting:
            self._outbox.flush(self._reported)
            self._publish()
        self.tend()
        if self._outbox.waiting or not self._met:
            return
        self._happened.log()

    def tend(self) -> None:
        """Take what headquarters and the clock have to say of open cases; looks about once a second.

        It sounds as a referral does: there is news, and nobody who hears it knows of what (I11).
        """
        if not self._met or self._outbox.full:
            return
        steps = self._inquirer.due_steps(self._state, self._fit.on_hand().rules)
        for stepped in steps:
            self._take(stepped)
        if steps:
            self._fit.panel.sound(Sound.WAIT)
            self._outbox.flush(self._reported)
            self._publish()

    def device(self, name: str, state: DeviceState, why: str) -> None:
        """A device came, went or failed.

        Green goes dark with the reader: who lays a document now would stand under the light of the one before.
        """
        self._devices[name] = Device(state=state, why=why)
        lost = self._happened.device(name, state)
        if lost and name == READER and self.lamp is Lamp.GREEN:
            self._take(NotRead())
        self._publish()

    def lid(self, *, is_open: bool) -> None:
        """The box's case was opened or closed."""
        self._happened.lid(is_open=is_open)
        self.remark("The case of the box is open. Tell headquarters." if is_open else "The case is closed again.")

    def not_read(self) -> None:
        """What lies there was not read: go dark, for the result before is not of it."""
        self._take(NotRead())
        reader = self._devices.get(READER)
        works = reader is None or reader.state is DeviceState.READY
        self.remark(words.NOT_READ if works else "")  # the page says of a reader that does not work why it does not

    def remark(self, text: str) -> None:
        """Show a quiet remark until the next document."""
        self._notice = text
        self._publish()

    def _take(self, event: Event) -> None:
        """One step of the machine; first the lamp, then the page, then the records it asks for."""
        before = self._state
        self._state, effects = step(before, event)
        if self._state.badge != before.badge:
            self._happened.signed(in_=bool(self._state.badge))
        self._light(before)
        self._publish()
        for effect in effects:
            self._keep(effect)

    def _light(self, before: State) -> None:
        lamp, was = lamp_of(self._state), lamp_of(before)
        if lamp is was and self._state.shown == before.shown:
            return
        self._fit.panel.show(lamp)
        if lamp is not None:
            self.shown_s = time.monotonic()
            self._fit.panel.sound(SOUNDS[lamp])

    def _keep(self, effect: Effect) -> None:
        """Hand what the machine asks for to the outbox."""
        if isinstance(effect, KeepScreening):
            self._keep_screening(effect)
        else:
            self._outbox.put(spoken_parcel(effect, self._fit.clock.now()))

    def _keep_screening(self, effect: KeepScreening) -> None:
        assert self._judged is not None
        screened = structs.replace(self._judged.screened, laid=effect.laid)
        self._seen[effect.of] = screened
        parcel = screening_parcel(effect, screened, self._fit.clock.now())
        if self._outbox.full:
            self._reported(parcel, kept=False)
        else:
            self._outbox.put(parcel)

    def _reported(self, parcel: Parcel, *, kept: bool) -> None:
        record = parcel.record_id
        match parcel.body:
            case Screened():
                self._screening_reported(parcel, kept=kept)
            case Outcome(of=of) if parcel.refused:
                self._take(OutcomeRefused(of=of))
                self._not_taken()
            case Outcome(of=of):
                self._take(OutcomeKept(of=of) if kept else OutcomeNotKept(of=of))
            case Transition(of=of) if parcel.refused:
                self._take(StepRefused(of=of, record=record))
                self._not_taken()
            case Transition(of=of):
                self._take(StepKept(of=of, record=record) if kept else StepNotKept(of=of, record=record))
            case HandOver() if parcel.refused:
                self._not_taken()
            case HandOver():
                self.remark("The cases are handed over." if kept else "The hand-over is not recorded yet.")
            case _:
                raise AssertionError("the clerk makes no other record")

    def _screening_reported(self, parcel: Parcel, *, kept: bool) -> None:
        record = parcel.record_id
        if parcel.person is None:
            self._looked_up = record if kept else ""
            return
        if not kept:
            self._happened.not_recorded()
            self._take(ScreeningNotKept(of=record))
            return
        self._take(ScreeningKept(of=record))
        case = self._state.case_of_record(record)
        if case is not None and self._state.shown == case.case.of:
            of, image = self._image or ("", None)
            self._fit.lit(record, case.case.crossing, case.case.person, image if of == record else None)
            if case.case.refers:
                self._fit.referred(record, case.case.crossing, case.case.person)

    def _not_taken(self) -> None:
        """The recorder's own words are a technician's, and in `recorder_why`."""
        self.remark("The box did not take the last step of a case. Look at the case and say it again.")

    def _publish(self) -> None:
        self._seen = {of: seen for of, seen in self._seen.items() if self._state.case_of_record(of) is not None}
        self._fit.board.publish(
            Snapshot(
                state=self._state,
                seen=self._seen,
                devices=dict(self._devices),
                waiting=self._outbox.waiting,
                recorder_why=self._outbox.why,
                met=self._met,
                notice=self._notice,
            )
        )
