"""Who has taken over booth or uplink wants a confirmation that headquarters never gave, or a life without a chain."""

import os
from collections.abc import Callable, Generator

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import structs

from appliance.formats.age import generate_identity
from appliance.formats.downlink import ANSWERS, DIRECTIVES, CaseAnswer, seal_downlink
from appliance.formats.record import encode_record
from appliance.formats.voice import Verdict
from appliance.formats.wire import Append, Deliver, Done
from appliance.inquiry.moves import Who
from appliance.line import RecorderLine, RecorderRefused
from appliance.model import Priority
from appliance.record.journal import parse_journal
from appliance.recorded import HandOver, Outcome, OutcomeKind, Person, Record, Stage, Transition
from tests.scenarios.case_life import NAME, NUMBER, Life, hit, inbox, matched
from tests.scenarios.recorder_bed import BOX, Bed, bed, deliver, message, recipient_of, record, recorded


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def refused(line: RecorderLine, request: Append | Deliver) -> str:
    with pytest.raises(RecorderRefused) as refusal:
        line.ask(request)
    return refusal.value.code


def asked(box: Bed) -> Life:
    """A case about which headquarters was asked."""
    life = Life(box, box.line())
    life.open()
    life.ask_headquarters()
    return life


# --- confirming by oneself --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", [Stage.CONFIRMED, Stage.NOT_CONFIRMED])
def test_no_booth_confirms_or_clears_by_itself(box: Bed, verdict: Stage) -> None:
    process = box.start()
    life = asked(box)
    before = life.kept()
    inventions: list[dict[str, object]] = [{"answer": os.urandom(32)}, {"by_voice": True}]
    for said in inventions:
        assert refused(life.line, life.step(verdict, Who.HEADQUARTERS, **said)[1]) == "untrusted"
    case, request = life.step(verdict, Who.HEADQUARTERS, by_voice=True)
    as_officer = Transition(
        of=life.of, before=life.case.last or life.of, was=life.case.stage, now=verdict, by="7", reason="I know him"
    )
    made = life.said(as_officer, case.last)
    assert refused(life.line, structs.replace(request, record=encode_record(made))) == "malformed"
    assert life.kept() == before
    box.stop(process)


def test_an_answer_moves_its_own_case_with_its_own_verdict_and_once(box: Bed) -> None:
    process = box.start()
    uplink = box.line("uplink")
    mine, other = asked(box), asked(box)
    digest, brought = mine.answer(Verdict.NOT_CONFIRMED, 1)
    uplink.ask(brought)
    assert refused(other.line, other.step(Stage.NOT_CONFIRMED, Who.HEADQUARTERS, answer=digest)[1]) == "untrusted"
    assert refused(mine.line, mine.step(Stage.CONFIRMED, Who.HEADQUARTERS, answer=digest)[1]) == "untrusted"
    mine.take(Stage.NOT_CONFIRMED, Who.HEADQUARTERS, answer=digest)
    assert refused(mine.line, mine.step(Stage.NOT_CONFIRMED, Who.HEADQUARTERS, answer=digest)[1]) == "untrusted"
    box.stop(process)


def test_an_answer_counts_for_nothing_where_nobody_was_asked(box: Bed) -> None:
    process = box.start()
    life = Life(box, box.line())
    life.open()
    digest, brought = life.answer(Verdict.CONFIRMED, 1)
    box.line("uplink").ask(brought)
    said = Transition(of=life.of, before=life.of, was=Stage.CANDIDATE, now=Stage.CONFIRMED, answer=digest)
    made = life.said(said)
    case = structs.replace(life.case, stage=Stage.CONFIRMED, last=made.record_id)
    assert refused(life.line, life.request(made, updates=case)) == "malformed"
    box.stop(process)


def test_nobody_but_the_key_of_answers_answers(box: Bed) -> None:
    process = box.start()
    life, uplink = asked(box), box.line("uplink")
    said = CaseAnswer(of=life.of, verdict=Verdict.CONFIRMED, words="", by="")
    _, good = life.answer(Verdict.CONFIRMED, 1)
    for wrong in (
        deliver(box, said, 1, key=DIRECTIVES),
        deliver(box, said, 1, key="receipts"),
        deliver(box, said, 1, name="landlink.example/la-0002"),
        Deliver(sealed=seal_downlink(message(box, said, 1), generate_identity().recipient)),
        Deliver(sealed=seal_downlink(message(box, said, 1)[:-1] + b"\0", recipient_of(box))),
    ):
        assert refused(uplink, wrong) in {"untrusted", "malformed"}
    assert inbox(life.line) == ()
    uplink.ask(good)
    assert uplink.ask(good) == Done(), "the very bytes that were taken last: nothing is done again"
    assert refused(uplink, deliver(box, said, 1)) == "untrusted"
    assert len(inbox(life.line)) == 1
    box.stop(process)


# --- a life that is none ----------------------------------------------------------------------------------------------


def test_no_step_is_made_twice_skipped_or_taken_from_another_place(box: Bed) -> None:
    process = box.start()
    life = Life(box, box.line())
    life.open()
    first_case, first = life.step(Stage.FIRST_LINE_VERIFIED)
    _, rival = life.step(Stage.NOT_SAME)
    recorded(life.line, first, box.verifier)
    assert refused(life.line, rival) == "malformed"
    life.case = first_case

    def transition(**changes: object) -> Append:
        plain = Transition(of=life.of, before=life.case.last or "", was=life.case.stage, now=Stage.SECONDARY, by="7")
        body = structs.replace(plain, **changes)
        made = life.said(body)
        return life.request(made, updates=structs.replace(life.case, stage=body.now, last=made.record_id))

    for changes in (
        {"now": Stage.CONFIRMATION_REQUESTED},
        {"now": Stage.NO_ANSWER, "by": ""},
        {"now": Stage.CANDIDATE},
        {"now": Stage.NOT_SAME},
        {"before": life.of},
        {"was": Stage.SECONDARY, "now": Stage.CONFIRMATION_REQUESTED},
        {"of": "0" * 32},
    ):
        assert refused(life.line, transition(**changes)) == "malformed", changes
    recorded(life.line, transition(), box.verifier)
    box.stop(process)


Change = Callable[[Append, Life], Append]


def with_case(**changes: object) -> Change:
    def change(request: Append, _life: Life) -> Append:
        assert request.updates is not None
        return structs.replace(request, updates=structs.replace(request.updates, **changes))

    return change


STRANGER = Person(id=f"{99:032x}", number=2, document_basis=record().person.document_basis)


@pytest.mark.parametrize(
    "change",
    [
        with_case(stage=Stage.CONFIRMED),
        with_case(last="0" * 32),
        with_case(person=STRANGER),
        with_case(of="0" * 32),
        with_case(document=None),
        with_case(hits=()),
        with_case(hits=(hit("QDi.1"),)),
        with_case(hits=(hit(), hit("QDi.1"))),
        with_case(refers=False),
        with_case(asked=record().at),
        lambda request, _: structs.replace(request, updates=None),
        lambda request, life: structs.replace(request, closes=life.of),
        lambda request, life: structs.replace(request, updates=None, closes=life.of),
        lambda request, life: structs.replace(request, opens=life.case),
    ],
)
def test_a_step_brings_its_own_case_and_changes_nothing_that_it_is_about(box: Bed, change: Change) -> None:
    process = box.start()
    life = Life(box, box.line())
    life.open()
    case, request = life.step(Stage.FIRST_LINE_VERIFIED)
    assert refused(life.line, change(request, life)) == "malformed"
    recorded(life.line, request, box.verifier)
    assert life.kept() == case
    box.stop(process)


def test_a_case_begins_at_the_beginning_and_moves_by_steps_alone(box: Bed) -> None:
    process = box.start()
    life = Life(box, box.line())
    for changes in ({"stage": Stage.CONFIRMED}, {"last": "0" * 32}, {"asked": record().at}):
        assert refused(life.line, life.request(life.first, opens=structs.replace(life.case, **changes))) == "malformed"
    life.open()
    confirmed = structs.replace(life.case, stage=Stage.CONFIRMED)
    for request in (
        structs.replace(life.hand_over(), updates=confirmed),
        life.request(record(matched((), laid=2)), updates=confirmed),
        life.request(record(matched((), laid=2)), updates=structs.replace(life.case, hits=())),
        life.request(record(matched((), laid=1)), updates=life.case),
        structs.replace(life.hand_over(cases=()), updates=life.case),
        life.hand_over(cases=(life.of, life.of)),
        life.hand_over(took=""),
        structs.replace(life.hand_over(), closes=life.of),
    ):
        assert refused(life.line, request) == "malformed"
    assert life.kept() == life.case
    box.stop(process)


@pytest.mark.parametrize(
    "changes", [{"document": None}, {"refers": False}, {"hits": (hit(), hit("QDi.1"))}, {"hits": ()}]
)
def test_neither_a_shift_nor_another_document_changes_what_a_case_is_about(
    box: Bed, changes: dict[str, object]
) -> None:
    """Else "not the same" could be remembered of whoever was never compared, and a match die after 14 days."""
    process = box.start()
    life = Life(box, box.line())
    life.open()
    other = structs.replace(life.case, **changes)
    assert refused(life.line, structs.replace(life.hand_over(), updates=other)) == "malformed"
    assert refused(life.line, life.request(record(matched((), laid=2)), updates=other)) == "malformed"
    recorded(life.line, structs.replace(life.hand_over(), updates=life.case), box.verifier)
    assert life.kept() == life.case
    box.stop(process)


def test_an_outcome_follows_the_newest_step_and_a_life_moves_to_no_other_record(box: Bed) -> None:
    process = box.start()
    life = Life(box, box.line())
    life.open()
    life.take(Stage.FIRST_LINE_VERIFIED)
    for before in (None, life.of, "0" * 32):
        body = Outcome(of=life.of, outcome=OutcomeKind.PASSED, implied=False, before=before)
        assert refused(life.line, life.request(life.said(body), closes=life.of)) == "malformed"
    second = Life(box, life.line, record(matched(laid=2)))
    assert refused(life.line, life.request(second.first, opens=second.case, closes=life.of)) == "malformed"
    stranger = structs.replace(life.said(Transition(of=life.of, before=life.case.last or "", was=life.case.stage,
                                                   now=Stage.SECONDARY)), person=STRANGER)  # fmt: skip
    moved = structs.replace(life.case, stage=Stage.SECONDARY, last=stranger.record_id)
    assert refused(life.line, life.request(stranger, updates=moved)) == "malformed"
    recorded(life.line, life.outcome(), box.verifier)
    box.stop(process)


def test_a_hand_over_may_name_cases_that_the_recorder_no_longer_has(box: Bed) -> None:
    process = box.start()
    life = Life(box, box.line())
    life.open()
    body = HandOver(gave="7", took="8", cases=(life.of, "0" * 32))
    about_nobody: Record = structs.replace(life.said(body), crossing=None, person=None)
    request = Append(record=encode_record(about_nobody), priority=Priority.RECORD)
    recorded(life.line, request, box.verifier)
    box.stop(process)


# --- a thief of the card ----------------------------------------------------------------------------------------------


def test_what_was_told_apart_can_be_read_as_no_person(box: Bed) -> None:
    process = box.start()
    life = Life(box, box.line())
    life.open()
    life.take(Stage.NOT_SAME)
    recorded(life.line, life.outcome(OutcomeKind.PASSED), box.verifier)
    box.stop(process)
    folder = box.state / "recorder"
    lines = (folder / "not-same").read_text().split("\n")
    (line,) = (one for one in lines if one)
    sign, digest, entry, _ = line.split(" ")
    assert (sign, len(digest), bytes.fromhex(entry).decode()) == ("+", 64, hit().entry)
    assert (folder / "not-same").stat().st_mode & 0o777 == 0o600
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for trace in (NAME, NUMBER, "800101", life.of):
                assert trace.encode() not in content or path.name.startswith("journal"), (path, trace)
            assert NAME.encode() not in content
            assert NUMBER.encode() not in content


def test_no_state_of_a_case_and_no_answer_to_it_can_be_read_once_it_is_over(box: Bed) -> None:
    process = box.start()
    life = asked(box)
    digest, brought = life.answer(Verdict.CONFIRMED, 1)
    box.line("uplink").ask(brought)
    life.take(Stage.CONFIRMED, Who.HEADQUARTERS, answer=digest)
    assert any(b"duty desk" in state for state in readable(box))
    assert sum(NAME.encode() in state for state in readable(box)) == 6
    recorded(life.line, life.outcome(), box.verifier)
    box.stop(process)
    assert readable(box) == []
    assert list((box.state / "recorder" / "cases").iterdir()) == []


def readable(box: Bed) -> list[bytes]:
    """Every state of a case, in a journal or a file, whose key still lies on the disk."""
    keys = [path.read_bytes() for path in (box.state / "recorder" / "case-keys").glob("*.key")]
    frames = [frame for path in box.journals for frame in parse_journal(path.read_bytes()).frames]
    found: list[bytes] = []
    for sealed in (one for frame in frames for one in (frame.opens, frame.updates) if one):
        for key in keys:
            try:
                found.append(ChaCha20Poly1305(key).decrypt(sealed.nonce, sealed.ciphertext, sealed.of.encode()))
            except InvalidTag:
                continue
    return found


def test_the_name_of_another_role_or_box_is_no_way_around(box: Bed) -> None:
    """What the tests above rest on: the very same bytes under the right name and key are taken."""
    process = box.start()
    life = asked(box)
    said = CaseAnswer(of=life.of, verdict=Verdict.CONFIRMED, words="", by="")
    box.line("uplink").ask(deliver(box, said, 1, name=BOX, key=ANSWERS))
    assert len(inbox(life.line)) == 1
    box.stop(process)
