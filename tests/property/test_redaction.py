"""A redacted record over generated travellers: what nobody asked to keep is not there, in every kind of record."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from appliance.errors import Misuse
from appliance.formats.record import encode_record
from appliance.judged import Band, Hit, Reason, Refer, Screening
from appliance.model import Mode, TypedReading
from appliance.recorded import (
    Body,
    CarrierCheck,
    ConfirmationRequest,
    Crossing,
    Direction,
    HandOver,
    Outcome,
    OutcomeKind,
    Record,
    RequestedEntry,
    Stage,
    Transition,
)
from provisioning.exhibit.entry import kind_of, record_json
from provisioning.exhibit.redacting import KEEPABLE, redacting
from tests.scenarios.made_headquarters import instant, screened

ID = "ab" * 16
SECRET = st.text("QXZJ7", min_size=9, max_size=20)
"""Nothing that a format says by itself has these letters in a row."""


def hit_of(secret: str) -> Hit:
    return Hit(
        list_name="persons",
        list_version=3,
        list_date=instant(0).today,
        entry=secret,
        source=secret,
        band=Band.STRONG,
        fields=(),
        matcher="1",
        instruction=secret,
    )


def bodies(secret: str) -> list[Body]:
    seen = screened(refers=True, number=secret, name=secret)
    typed = TypedReading(
        document_kind="P",
        issuing_state="LAO",
        document_number=secret,
        primary_identifier=secret,
        secondary_identifier=secret,
        date_of_birth="1980",
        date_of_expiry="",
        raw_sha256=bytes(32),
    )
    entry = RequestedEntry(list_name="persons", list_version=3, entry=secret, source=secret, band=Band.STRONG)
    reason = Reason(code="possible_person", words=secret, next_step=secret)
    return [
        replace(
            seen,
            reading=typed,
            screening=Screening(lists=(), hits=(hit_of(secret),)),
            decision=Refer(first=reason, others=(reason,)),
            spared=(secret,),
        ),
        Outcome(of=ID, outcome=OutcomeKind.PASSED, implied=False, note=secret, legal_basis=secret, by=secret),
        Transition(
            of=ID,
            before=ID,
            was=Stage.CANDIDATE,
            now=Stage.CONFIRMATION_REQUESTED,
            by=secret,
            reason=secret,
            request=ConfirmationRequest(case_code=secret, entries=(entry,), not_to=""),
        ),
        HandOver(gave=secret, took=secret, cases=(ID,), note=secret),
        CarrierCheck(document_number=secret, document_type="P", issuing_state="LAO", lists=(), call=True, why="listed"),
    ]


def a_record(body: Body, secret: str) -> Record:
    return Record(
        schema=1,
        origin="landlink.example/la-0001.1",
        record_id=ID,
        mode=Mode.LIVE,
        salt=bytes(range(32)),
        at=instant(0),
        crossing=Crossing(id=ID, direction=Direction.ENTRY, lane=secret, conveyance=secret),
        person=None,
        body=body,
    )


@given(SECRET)
def test_nothing_of_what_people_said_or_documents_say_is_left(secret: str) -> None:
    shape = redacting([])
    for body in bodies(secret):
        record = a_record(body, secret)
        shown, removed = shape(kind_of(record), record_json(encode_record(record)))
        assert secret not in json.dumps(shown), kind_of(record)
        assert "salt" in removed
        assert shown["salt"] is None
        assert shown["body"]["type"] == kind_of(record)


@given(SECRET, st.sets(st.sampled_from(sorted(KEEPABLE))))
def test_what_is_kept_is_as_it_was_and_salt_and_guessable_hashes_never_are(secret: str, keep: set[str]) -> None:
    shape = redacting(sorted(keep))
    for body in bodies(secret):
        full = record_json(encode_record(a_record(body, secret)))
        shown, removed = shape(kind_of(a_record(body, secret)), full)
        for path in (path for group in keep for path in KEEPABLE[group]):
            wanted, got = full, shown
            for step in path.split("."):
                wanted, got = (wanted or {}).get(step, {}), (got or {}).get(step, {})
            if path != "body.reading":
                assert got == wanted, path
        assert bytes(range(32)).hex() not in json.dumps(shown)
        assert "00" * 32 not in json.dumps(shown)
        assert all(path.startswith(("salt", "body", "crossing", "person", "pictures")) for path in removed)


def test_a_field_that_nobody_knows_yet_goes() -> None:
    shown, removed = redacting([])("screened", {"salt": "00", "body": {"type": "screened", "later": {"name": "X"}}})
    assert shown == {"salt": None, "body": {"type": "screened", "later": None}}
    assert removed == ("body.later", "salt")


def test_a_group_that_is_not_there_is_refused() -> None:
    with pytest.raises(Misuse, match="--keep salt"):
        redacting(["document", "salt"])
