"""Stage 6 of 8: record, the booth's side - what the lane's state machine wants kept, as parcels for the outbox."""

import os
from typing import assert_never

from appliance.booth.events import KeepHandOver, KeepOutcome, KeepScreening, KeepStep
from appliance.booth.outbox import Parcel
from appliance.clock import Instant
from appliance.inquiry.life import newest_record
from appliance.judged import Refer
from appliance.model import Priority
from appliance.recorded import HandOver, Outcome, Screened, Stage


def screening_parcel(effect: KeepScreening, screened: Screened, at: Instant) -> Parcel:
    """The record of a document that somebody brought; before all others where the rules want an alert."""
    alert = isinstance(screened.decision, Refer) and screened.decision.alert
    return Parcel(
        record_id=effect.of,
        at=at,
        crossing=effect.crossing,
        person=effect.person,
        body=screened,
        priority=Priority.ALERT if alert else Priority.RECORD,
        opens=effect.opens,
        updates=effect.updates,
        closes=effect.closes,
    )


def spoken_parcel(effect: KeepOutcome | KeepStep | KeepHandOver, at: Instant) -> Parcel:
    """The record of what people, headquarters or the clock said."""
    match effect:
        case KeepOutcome():
            return _outcome_parcel(effect, at)
        case KeepStep():
            return _step_parcel(effect, at)
        case KeepHandOver():
            hand_over = HandOver(gave=effect.gave, took=effect.took, cases=effect.cases, note=effect.note)
            return parcel_of_nobody(hand_over, at)
        case _:
            assert_never(effect)


def parcel_of_nobody(body: Screened | HandOver, at: Instant) -> Parcel:
    """A record without a crossing: a hand-over, or a document that was only looked up."""
    return Parcel(
        record_id=os.urandom(16).hex(), at=at, crossing=None, person=None, body=body, priority=Priority.RECORD
    )


def _outcome_parcel(effect: KeepOutcome, at: Instant) -> Parcel:
    case = effect.case
    outcome = Outcome(
        of=case.of,
        outcome=effect.outcome,
        implied=effect.implied,
        note=effect.note,
        legal_basis=effect.legal_basis,
        by=effect.by,
        before=newest_record(case) if case.hits else None,
    )
    return Parcel(
        record_id=os.urandom(16).hex(),
        at=at,
        crossing=case.crossing,
        person=case.person,
        body=outcome,
        priority=Priority.RECORD,
        closes=case.of,
    )


def _step_parcel(effect: KeepStep, at: Instant) -> Parcel:
    """A request to headquarters and a departure go before all other records."""
    case, said = effect.case, effect.transition
    urgent = said.request is not None or said.now is Stage.TRAVELLER_LEFT
    return Parcel(
        record_id=newest_record(case),
        at=at,
        crossing=case.crossing,
        person=case.person,
        body=said,
        priority=Priority.ALERT if urgent else Priority.RECORD,
        updates=case,
    )
