"""The recorder as a process: what is acknowledged is durable, once, sealed, and provable to anybody."""

from collections.abc import Generator

import pytest

from appliance.formats.checkpoint import open_checkpoint
from appliance.formats.fingerprint import log_fingerprint
from appliance.formats.merkle import consistency_proof, verify_consistency
from appliance.formats.record import commitment, encode_record
from appliance.formats.statement import EventEntry, Sealed
from appliance.formats.status import RecorderStatus, parse_status
from appliance.formats.wire import Append, Cases, Done, Event, ListCases, Switched
from appliance.line import RecorderLine, RecorderRefused
from appliance.model import Mode, Priority
from appliance.record.cases import SPARE_KEYS
from appliance.recorded import Canary, Picture
from tests.scenarios.made_headquarters import outcome, picture, screened
from tests.scenarios.recorder_bed import (
    ORIGIN,
    Bed,
    append,
    append_long,
    bed,
    case_of,
    nodes_of,
    record,
    recorded,
    welcome,
)
from tests.tracing import SYNC_CALLS, syncs

AT_EACH_START = {"recorder_started", "config_changed", "release_switched", "policy_switched"}
"""Of a first start; later ones have no more to say of what has not changed."""


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def open_cases(line: RecorderLine) -> list[str]:
    answer = line.ask(ListCases())
    assert isinstance(answer, Cases)
    return [case.of for case in answer.cases]


def test_a_record_is_in_the_published_tree_and_headquarters_opens_it(box: Bed) -> None:
    process = box.start()
    made = record()
    receipt = recorded(box.line(), append(made), box.verifier)
    assert box.stop(process) == 0
    assert box.leaves()[receipt.index] == receipt.leaf
    assert box.opened(receipt.index) == made


def test_an_epoch_begins_with_its_certificate_and_a_canary_that_headquarters_opens(box: Bed) -> None:
    box.stop(box.start())
    box.stop(box.start())
    statements = box.statements()
    starts = [index for index, one in enumerate(statements) if one.kind.__class__.__name__ == "EpochStart"]
    assert [statements[index].epoch for index in starts] == [0, 1]
    canaries = [box.opened(index).body for index, one in enumerate(statements) if isinstance(one.kind, Sealed)]
    assert canaries == [Canary(epoch=0, recipients_version=1), Canary(epoch=1, recipients_version=1)]


def test_a_picture_too_long_for_a_message_crosses_in_a_memfd_and_is_opened(box: Bed) -> None:
    process = box.start()
    made = record(Picture(of="ab" * 16, media_type="image/jpeg", content=bytes(range(256)) * 1_100))
    receipt = append_long(box.line(), made)
    box.stop(process)
    assert (box.state / "bodies" / f"{receipt.index}.3.age").stat().st_size > 281_600
    assert box.opened(receipt.index) == made


def test_the_same_record_asked_again_is_the_same_entry_also_after_restarts(box: Bed) -> None:
    process = box.start()
    line, made, another = box.line(), append(record()), append(record())
    first = recorded(line, made, box.verifier)
    recorded(line, another, box.verifier)
    again = recorded(line, made, box.verifier)
    process.kill()
    process.wait()
    process = box.start()
    after_kill = recorded(line, made, box.verifier)
    box.stop(process)
    process = box.start()
    after_stop = recorded(line, made, box.verifier)
    box.stop(process)
    assert {again.index, after_kill.index, after_stop.index} == {first.index}
    assert {again.leaf, after_kill.leaf, after_stop.leaf} == {first.leaf}
    sealed = [one.kind.commitment for one in box.statements() if isinstance(one.kind, Sealed)]
    assert sealed.count(commitment(made.record)) == 1


@pytest.mark.interop
def test_each_record_costs_exactly_one_sync(box: Bed) -> None:
    """Keys of cases and room in the journal are made in the pauses between them: test_one_sync.py."""
    trace = box.folder / "trace"
    process = box.start("strace", "-D", "-f", "-q", "-y", "-e", f"trace={SYNC_CALLS}", "-o", str(trace))
    line, keys = box.line(), str(box.state / "recorder" / "case-keys")
    while syncs(trace).count(("fsync", keys)) < SPARE_KEYS:
        welcome(line)
    before = len(syncs(trace))
    for _ in range(SPARE_KEYS - 1):
        made = record(screened(refers=True))
        recorded(line, append(made, opens=case_of(made)), box.verifier)
        recorded(line, append(record()), box.verifier)
    room = ("fsync", str(box.journals[0]))
    during = [sync for sync in syncs(trace)[before:] if sync != room and not sync[1].startswith(keys)]
    assert during == [("fdatasync", str(box.journals[0]))] * (2 * (SPARE_KEYS - 1))
    box.stop(process)


def test_an_open_case_survives_kill_and_restart_and_is_gone_after_its_outcome(box: Bed) -> None:
    process = box.start()
    line, made, other = box.line(), record(screened(refers=True)), record(screened(refers=True))
    recorded(line, append(made, opens=case_of(made)), box.verifier)
    recorded(line, append(other, opens=case_of(other)), box.verifier)
    process.kill()
    process.wait()
    process = box.start()
    assert sorted(open_cases(line)) == sorted([made.record_id, other.record_id])
    recorded(line, append(record(outcome(made.record_id)), closes=made.record_id), box.verifier)
    assert open_cases(line) == [other.record_id]
    box.stop(process)
    box.stop(box.start())
    process = box.start()
    assert open_cases(line) == [other.record_id]
    box.stop(process)
    assert [path.stem for path in (box.state / "recorder" / "cases").iterdir()] == [other.record_id]


def test_nothing_on_the_box_but_an_open_case_key_could_show_what_a_record_says(box: Bed) -> None:
    process = box.start()
    line, made = box.line(), record(screened(refers=True, name="MALAVANHXSYNTHETIC"))
    recorded(line, append(made, opens=case_of(made, "MALAVANHXSYNTHETIC PA0000000")), box.verifier)
    recorded(line, append(record(outcome(made.record_id)), closes=made.record_id), box.verifier)
    process.kill()
    process.wait()
    box.stop(box.start())
    files = [path for path in box.folder.rglob("*") if path.is_file()]
    assert box.output in files
    assert len(box.journals) == 1
    for path in files:
        content = path.read_bytes()
        assert b"MALAVANHX" not in content, path
        assert bytes.fromhex(made.record_id) not in content, path
        assert b"PRIVATE KEY" not in content or path.parent.name in {"recorder", "uplink", "audit"}, path
        assert "PA0000000" not in path.name, path


def test_a_status_file_says_what_is_there(box: Bed) -> None:
    process = box.start()
    receipt = recorded(box.line(), append(record()), box.verifier)
    box.stop(process)
    status = parse_status((box.folder / "run" / "recorder.status").read_bytes(), RecorderStatus)
    assert (status.origin, status.entries, status.bodies) == (ORIGIN, receipt.index + 2, 2)  # and the stop
    assert status.fingerprint == log_fingerprint(box.checkpoint())
    assert status.syncs == status.entries


def test_the_booth_logs_its_own_events_and_no_others(box: Bed) -> None:
    process = box.start()
    line = box.line()
    assert line.ask(Event(event="page_started", fields={})) == Done()
    for event, fields in (("bodies_deleted", {"ranges": "0", "count": "1"}), ("page_started", {"name": "X"})):
        with pytest.raises(RecorderRefused) as refusal:
            line.ask(Event(event=event, fields=fields))
        assert refusal.value.code == "malformed"
    box.stop(process)
    events = [one.kind.event for one in box.statements() if isinstance(one.kind, EventEntry)]
    assert [event for event in events if event not in AT_EACH_START] == ["page_started", "recorder_stopped"]


@pytest.mark.parametrize(
    ("request_of", "code"),
    [
        (lambda: append(record(origin="landlink.example/la-0002.1")), "wrong_origin"),
        (lambda: append(record(mode=Mode.TRAINING)), "wrong_origin"),
        (lambda: append(record(Canary(epoch=0, recipients_version=1))), "malformed"),
        (lambda: Append(record=b"", priority=Priority.RECORD), "malformed"),
        (lambda: Append(record=b"\xa1\x61a\x01", priority=Priority.RECORD), "malformed"),
        (lambda: Append(record=encode_record(record(picture("0" * 32))), priority=Priority.RECORD), "malformed"),
        (lambda: Append(record=encode_record(record()), priority=Priority.BULK), "malformed"),
        (lambda: append(record(), opens=case_of(record())), "malformed"),
        (lambda: append(record(), closes="0" * 32), "malformed"),
        (lambda: append(record(outcome("1" * 32)), closes="0" * 32), "malformed"),
    ],
    ids=["origin", "mode", "canary", "empty", "garbage", "picture", "bulk", "opens", "closes", "closes-other"],
)
def test_a_request_that_lies_is_refused_and_nothing_is_recorded(box: Bed, request_of: object, code: str) -> None:
    assert callable(request_of)
    process = box.start()
    box.settle()
    nothing_yet = box.checkpoint().size
    line = box.line()
    with pytest.raises(RecorderRefused) as refusal:
        line.ask(request_of())
    assert refusal.value.code == code
    assert recorded(line, append(record()), box.verifier).index == nothing_yet
    box.stop(process)


def test_before_enrolment_the_recorder_says_so_and_refuses(box: Bed) -> None:
    for path in (box.state / "log.vkey", box.state / "recorder" / "log.key"):
        path.rename(path.with_name(f"away-{path.name}"))
    process = box.start()
    line = box.line()
    greeting = welcome(line)
    assert (greeting.ready, greeting.origin) == (False, "")
    assert "not enrolled" in greeting.why
    with pytest.raises(RecorderRefused) as refusal:
        line.ask(append(record()))
    assert refusal.value.code == "not_ready"
    box.stop(process)


def test_without_a_release_nothing_is_sealed_and_with_one_the_recorder_is_ready_by_itself(box: Bed) -> None:
    current = box.state / "releases" / "current"
    target = current.readlink()
    current.unlink()
    process = box.start()
    line = box.line()
    assert not welcome(line).ready
    with pytest.raises(RecorderRefused, match="release") as refusal:
        line.ask(append(record()))
    assert refusal.value.code == "not_ready"
    current.symlink_to(target)
    releases = box.line("releases")
    assert releases.ask(Switched(version=int(target.name))) == Done()
    assert welcome(line).ready
    recorded(line, append(record()), box.verifier)
    box.stop(process)


def test_every_checkpoint_of_a_receipt_is_consistent_with_the_final_tree(box: Bed) -> None:
    process = box.start()
    line = box.line()
    receipts = [recorded(line, append(record()), box.verifier) for _ in range(40)]
    box.stop(process)
    final, nodes = box.checkpoint(), nodes_of(box.leaves())
    for receipt in receipts:
        old, _ = open_checkpoint(receipt.checkpoint, box.verifier)
        proof = consistency_proof(old.size, final.size, nodes)
        verify_consistency(old_size=old.size, old_root=old.root, size=final.size, root=final.root, proof=proof)
