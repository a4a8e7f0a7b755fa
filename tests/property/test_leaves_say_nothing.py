"""Nothing personal is in a leaf, and neither kind nor size tells a victim's file from a routine one.

Travellers are generated and taken through a real clerk; all that it records is sealed and signed as the recorder
does. A victim's file is here what the box has of one today: a step that says that the person seeks asylum, and a body
that is sealed to the protection unit's key in place of the general one.
"""

import string
from collections.abc import Iterator
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.booth.events import AsylumSaid, BadgeSaid, Moved, OutcomeChosen
from appliance.formats.age import Identity
from appliance.formats.record import LENGTH_BYTES, commitment, encode_record, padded_size
from appliance.formats.release import Recipients
from appliance.formats.statement import EventEntry, Kind, Statement, sign_statement
from appliance.model import Mode, Priority
from appliance.record.seal import Seal, SealedBody
from appliance.recorded import OutcomeKind, Record, Stage
from provisioning.bench.mrz_writer import MrzFields, write_td3
from tests.formats_samples import EPOCH_KEY, EPOCH_PUBLIC
from tests.small_post import NOW, WANTED_NAME, SmallPost, passport

GENERAL, ESCROW, PROTECTION = (Identity(bytes([n]) * 32).recipient.encode() for n in (1, 2, 3))
ROUTINE = Seal(Recipients(version=1, general=GENERAL, escrow=ESCROW, protection=PROTECTION))
VICTIMS = Seal(Recipients(version=1, general=PROTECTION, escrow=ESCROW, protection=PROTECTION))

names = st.text(string.ascii_uppercase, min_size=5, max_size=20)
numbers = st.builds("P{}{:07d}".format, st.sampled_from(string.ascii_uppercase), st.integers(0, 9_999_999))
births = st.dates(min_value=date(1930, 1, 1), max_value=date(2008, 1, 1))
notes = st.text(string.ascii_letters + " ", max_size=300)


def leaf(kind: Kind) -> bytes:
    """A statement about it, everything else alike."""
    statement = Statement(
        origin="landlink.example/la-0001.1",
        epoch=0,
        mode=Mode.LIVE,
        at=NOW,
        recipients_version=1,
        cosigned=None,
        kind=kind,
    )
    return sign_statement(statement, epoch_public=EPOCH_PUBLIC, sign=EPOCH_KEY.sign)


def spellings(secret: str) -> Iterator[bytes]:
    """How a text may stand in bytes."""
    for text in (secret, secret.lower(), secret.title()):
        yield text.encode()
        yield text.encode("utf-16-le")
        yield text.encode().hex().encode()


def stanzas(blob: bytes) -> list[int]:
    """Lengths of the header's lines of an age file: as many as its recipients make, and as long."""
    header, _, _ = blob.partition(b"\n--- ")
    return [len(line) for line in header.split(b"\n")]


def sealed(seal: Seal, record: bytes) -> SealedBody:
    return seal.seal(record, commitment(record))


def visible(record: Record, seal: Seal) -> tuple[int, list[int], int]:
    """What anybody sees of a record who opens nothing: size, recipients' stanzas, length of the leaf."""
    body = sealed(seal, encode_record(record))
    return len(body.blob), stanzas(body.blob), len(leaf(body.sealed))


@settings(max_examples=25, deadline=None)
@given(surname=names, given_names=names, number=numbers, born=births, badge=names, note=notes)
def test_no_byte_of_a_name_a_number_or_a_birth_is_in_any_leaf(
    surname: str, given_names: str, number: str, born: date, badge: str, note: str
) -> None:
    date_of_birth = f"{born:%y%m%d}"
    post = SmallPost()
    post.clerk.say(BadgeSaid(badge=badge))
    post.lay(
        *write_td3(
            MrzFields(
                document_code="P",
                issuing_state="LAO",
                document_number=number,
                nationality="LAO",
                date_of_birth=date_of_birth,
                sex="F",
                date_of_expiry="200101",
                primary_identifier=surname,
                secondary_identifier=given_names,
            )
        )
    )
    of = str(post.state.shown)
    post.clerk.say(OutcomeChosen(of=of, outcome=OutcomeKind.PASSED, note=note))
    post.clerk.say(BadgeSaid(badge=""))
    post.clerk.idle()
    leaves = [leaf(sealed(ROUTINE, encode_record(record)).sealed) for record in post.recorder.records]
    leaves += [leaf(EventEntry(event=event, fields=fields)) for event, fields in post.recorder.events]
    assert len(post.recorder.records) == 2
    assert {event for event, _ in post.recorder.events} >= {"page_started", "signed_in", "signed_out"}
    everything = b"".join(leaves)
    for secret in (surname, given_names, number, date_of_birth, f"{born:%Y-%m-%d}", badge):
        for spelled in spellings(secret):
            assert spelled not in everything


@settings(max_examples=15, deadline=None)
@given(reason=notes, seeks=st.booleans())
def test_a_step_that_says_that_somebody_seeks_asylum_looks_like_any_other_step(reason: str, *, seeks: bool) -> None:
    """On the box, on the link and in the log: size, stanzas, leaf, class in the queue."""
    post = SmallPost()
    post.lay(*passport("PA7654321", *WANTED_NAME))
    of = str(post.state.shown)
    post.clerk.say(Moved(of=of, now=Stage.FIRST_LINE_VERIFIED, reason=reason))
    post.clerk.say(Moved(of=of, now=Stage.SECONDARY))
    post.clerk.say(AsylumSaid(of=of, seeks=seeks))
    *_, routine, victims = post.recorder.records
    assert visible(victims, VICTIMS) == visible(routine, ROUTINE)
    assert post.recorder.priorities[-2:] == [Priority.RECORD, Priority.RECORD]


@settings(max_examples=25, deadline=None)
@given(one=st.integers(0, 12_000), other=st.integers(0, 12_000))
def test_what_is_seen_of_a_body_is_its_padded_size_and_nothing_else(one: int, other: int) -> None:
    first, second = (sealed(seal, bytes(size)) for seal, size in ((ROUTINE, one), (VICTIMS, other)))
    assert stanzas(first.blob) == stanzas(second.blob)
    assert len(leaf(first.sealed)) == len(leaf(second.sealed))
    alike = padded_size(one + LENGTH_BYTES) == padded_size(other + LENGTH_BYTES)
    assert (len(first.blob) == len(second.blob)) is alike
