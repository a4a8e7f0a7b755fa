"""What headquarters says to one box, at the recorder: opened, verified, taken once, and nothing else gets in."""

import os
from collections.abc import Generator

import pytest

from appliance.formats.age import generate_identity
from appliance.formats.downlink import ANSWERS, CaseAnswer, ListKey, VoiceKey, seal_downlink
from appliance.formats.statement import EventEntry
from appliance.formats.voice import Verdict
from appliance.formats.wire import Deliver, Done
from appliance.line import RecorderLine, RecorderRefused
from tests.scenarios.recorder_bed import Bed, append, bed, deliver, list_keys, message, record, recorded

FIRST, SECOND, THIRD = (ListKey(key=bytes([number]) * 32) for number in (1, 2, 3))


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def refusal(line: RecorderLine, request: Deliver) -> str:
    with pytest.raises(RecorderRefused) as refused:
        line.ask(request)
    return refused.value.code


def taken(box: Bed) -> list[dict[str, str]]:
    events = [one.kind for one in box.statements() if isinstance(one.kind, EventEntry)]
    return [dict(event.fields) for event in events if event.event == "downlink_taken"]


def test_a_list_key_is_kept_for_booth_and_releases_and_outlives_a_kill(box: Bed) -> None:
    process = box.start()
    assert list_keys(box.line()) == ()
    assert box.line("uplink").ask(deliver(box, FIRST, 1)) == Done()
    process.kill()
    process.wait()
    process = box.start()
    assert list_keys(box.line()) == list_keys(box.line("releases")) == (FIRST.key,)
    box.stop(process)
    assert taken(box) == [{"role": "directives", "counter": "1", "kept": "yes"}]
    held = box.state / "recorder" / "held-keys"
    assert held.stat().st_mode & 0o777 == 0o600


def test_keys_are_newest_first_whenever_they_come_and_at_most_eight(box: Bed) -> None:
    process = box.start()
    line, uplink = box.line(), box.line("uplink")
    for counter in (3, 1, 9, 5, 4, 6, 7, 8, 10, 2):
        uplink.ask(deliver(box, ListKey(key=bytes([counter]) * 32), counter))
    assert list_keys(line) == tuple(bytes([counter]) * 32 for counter in range(10, 2, -1))
    box.stop(process)
    assert [one["counter"] for one in taken(box) if one["kept"] == "no"] == ["2"]


def test_a_message_is_taken_once_also_after_restarts_and_kills(box: Bed) -> None:
    process = box.start()
    uplink = box.line("uplink")
    said = deliver(box, FIRST, 7)
    uplink.ask(said)
    assert uplink.ask(said) == Done(), "the very bytes that were taken last: nothing is done again"
    assert refusal(uplink, deliver(box, FIRST, 7)) == "untrusted"
    process.kill()
    process.wait()
    process = box.start()
    assert refusal(uplink, said) == "untrusted"
    box.stop(process)
    process = box.start()
    assert refusal(uplink, said) == "untrusted"
    sealed_anew = deliver(box, FIRST, 7)
    assert refusal(uplink, sealed_anew) == "untrusted"
    assert uplink.ask(deliver(box, SECOND, 6)) == Done()
    box.stop(process)
    assert [one["counter"] for one in taken(box)] == ["7", "6"]


def test_what_is_not_headquarters_word_to_this_box_is_refused_and_nothing_is_kept(box: Bed) -> None:
    process = box.start()
    line, uplink = box.line(), box.line("uplink")
    stranger = generate_identity().recipient
    good = deliver(box, FIRST, 1).sealed
    flipped = bytearray(good)
    flipped[-1] ^= 1
    wrong = {
        "another box's name": deliver(box, FIRST, 1, name="landlink.example/la-0002"),
        "another role's key": deliver(box, FIRST, 1, key=ANSWERS),
        "another key": deliver(box, FIRST, 1, key="receipts"),
        "counter 0 is none": Deliver(sealed=b"x"),
        "sealed to another box": Deliver(sealed=seal_downlink(message(box, FIRST, 1), stranger)),
        "a flipped bit": Deliver(sealed=bytes(flipped)),
        "cut off": Deliver(sealed=good[:-40]),
        "noise": Deliver(sealed=os.urandom(32_768)),
        "not sealed": Deliver(sealed=message(box, FIRST, 1)),
        "a counter that no file has": deliver(box, FIRST, 10**10),
    }
    codes = {what: refusal(uplink, request) for what, request in wrong.items()}
    assert set(codes.values()) == {"untrusted", "malformed"}, codes
    assert list_keys(line) == ()
    recorded(line, append(record()), box.verifier)
    assert uplink.ask(Deliver(sealed=good)) == Done()
    box.stop(process)
    assert len(taken(box)) == 1


def test_without_a_release_a_message_waits_and_is_taken_when_there_is_one(box: Bed) -> None:
    current = box.state / "releases" / "current"
    target = current.readlink()
    current.unlink()
    process = box.start()
    uplink = box.line("uplink")
    said = deliver(box, FIRST, 1)
    assert refusal(uplink, said) == "not_ready"
    box.stop(process)
    current.symlink_to(target)
    process = box.start()
    assert uplink.ask(said) == Done()
    box.stop(process)


def test_a_box_without_its_own_key_refuses_messages_and_records_all_the_same(box: Bed) -> None:
    said = deliver(box, FIRST, 1)
    (box.state / "recorder" / "age.identity").unlink()
    process = box.start()
    assert refusal(box.line("uplink"), said) == "not_ready"
    recorded(box.line(), append(record()), box.verifier)
    box.stop(process)


def test_a_flood_of_what_does_not_hold_is_turned_away_unopened_and_ends_by_itself(box: Bed) -> None:
    process = box.start()
    line, uplink = box.line(), box.line("uplink")
    forged = deliver(box, FIRST, 1, key=ANSWERS)
    codes = [refusal(uplink, forged) for _ in range(64)]
    assert codes[:32] == ["untrusted"] * 32
    assert codes.count("busy") >= 24, "at two a second, a second or so earns no more"
    recorded(line, append(record()), box.verifier)
    said = deliver(box, SECOND, 1)
    while True:
        try:
            assert uplink.ask(said) == Done()
            break
        except RecorderRefused as refused:
            assert refused.code == "busy"  # noqa: PT017 - until patience has grown again
    box.stop(process)


@pytest.mark.parametrize(
    "said", [VoiceKey(key=bytes(32)), CaseAnswer(of="a" * 32, verdict=Verdict.CONFIRMED, words="", by="")]
)
def test_no_list_key_reaches_a_peer_but_as_one(box: Bed, said: VoiceKey | CaseAnswer) -> None:
    process = box.start()
    box.line("uplink").ask(deliver(box, said, 1))
    assert list_keys(box.line()) == ()
    box.stop(process)
