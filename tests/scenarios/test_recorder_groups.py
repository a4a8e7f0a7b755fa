"""Records that wait for the recorder together share one sync, and none of them is answered before it."""

import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from appliance.formats.receipt import LogReceipt, parse_log_receipt, verify_log_receipt
from appliance.formats.record import commitment, encode_record
from appliance.formats.statement import Sealed
from appliance.formats.status import RecorderStatus, parse_status
from appliance.formats.wire import Appended, Cases, ListCases, RefusedReply, Reply, encode, parse_reply
from appliance.line import RecorderRefused, sealed_memfd
from appliance.model import Mode
from appliance.record.sockets import GROUP_MAX
from appliance.recorded import Picture, Record
from tests.scenarios.made_headquarters import outcome, screened
from tests.scenarios.recorder_bed import Bed, append, bed, case_of, question, record
from tests.tracing import strace

CALLS = re.compile(
    r"^(?P<thread>\d+) +(?:<\.\.\. \w+ (?P<ended>resumed)>"
    r'|(?P<call>pwrite64|fdatasync|fsync|sendto)\(\d+<(?P<path>[^>]*)>(?:, "(?P<content>.{4}))?).*$',
    re.MULTILINE,
)


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def call(box: Bed) -> socket.socket:
    """A booth's connection that sends without waiting for answers."""
    booth = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    booth.settimeout(20)
    booth.connect(str(box.folder / "run" / "booth.sock"))
    return booth


def send(booth: socket.socket, *made: Record | bytes) -> None:
    for each in made:
        if isinstance(each, bytes):
            booth.send(each)
            continue
        request, memfd = question(each)
        if memfd is None:
            booth.send(encode(request))
        else:
            with sealed_memfd(memfd) as fd:
                socket.send_fds(booth, [encode(request)], [fd])


def replies(booth: socket.socket, count: int) -> list[Reply]:
    return [parse_reply(booth.recv(70_000)) for _ in range(count)]


def receipt_of(box: Bed, reply: Reply | RecorderRefused, made: Record) -> LogReceipt:
    assert isinstance(reply, Appended), reply
    receipt = parse_log_receipt(reply.receipt)
    verify_log_receipt(receipt, box.verifier, commitment(encode_record(made)))
    return receipt


def syncs(box: Bed) -> int:
    box.settle()
    return parse_status((box.folder / "run" / "recorder.status").read_bytes(), RecorderStatus).syncs


def halted(process: "subprocess.Popen[bytes]") -> None:
    """Stop it where it is: what is sent now, it finds all at once."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def picture(size: int = 90_000) -> Record:
    return record(Picture(of="ab" * 16, media_type="image/jpeg", content=os.urandom(size)))


def test_records_that_wait_together_cost_one_sync_and_each_has_its_own_verified_receipt(box: Bed) -> None:
    process, booth, made = box.start(), call(box), [record() for _ in range(6)]
    before = syncs(box)
    halted(process)
    send(booth, *made)
    process.send_signal(signal.SIGCONT)
    receipts = [receipt_of(box, reply, each) for reply, each in zip(replies(booth, 6), made, strict=True)]
    assert syncs(box) == before + 1
    assert [receipt.index for receipt in receipts] == [*range(receipts[0].index, receipts[0].index + 6)]
    box.stop(process)
    leaves = box.leaves()
    assert [leaves[receipt.index] for receipt in receipts] == [receipt.leaf for receipt in receipts]
    assert [box.opened(receipt.index) for receipt in receipts] == made
    booth.close()


def test_records_of_several_connections_share_a_sync_too(box: Bed) -> None:
    process, booths, made = box.start(), [call(box) for _ in range(4)], [record() for _ in range(4)]
    for booth in booths:
        send(booth, record())
        replies(booth, 1)
    before = syncs(box)
    halted(process)
    for booth, each in zip(booths, made, strict=True):
        send(booth, each)
    process.send_signal(signal.SIGCONT)
    indices = {receipt_of(box, replies(booth, 1)[0], each).index for booth, each in zip(booths, made, strict=True)}
    assert len(indices) == 4
    assert syncs(box) == before + 1
    for booth in booths:
        booth.close()


def test_more_than_a_group_holds_is_answered_in_the_next_one(box: Bed) -> None:
    process, booth, made = box.start(), call(box), [record() for _ in range(GROUP_MAX + 1)]
    before = syncs(box)
    halted(process)
    send(booth, *made)
    process.send_signal(signal.SIGCONT)
    for reply, each in zip(replies(booth, len(made)), made, strict=True):
        receipt_of(box, reply, each)
    assert syncs(box) == before + 2
    booth.close()


def test_no_answer_of_a_group_leaves_before_its_sync_and_no_sync_before_all_its_bodies(box: Bed) -> None:
    trace = box.folder / "trace"
    process = box.start(
        "strace", "-D", "-f", "-q", "-y", "-e", "trace=pwrite64,fdatasync,fsync,sendto", "-o", str(trace)
    )
    booth, made = call(box), [record(), picture(), picture(), record()]
    syncs(box)
    before = len(calls_in(trace))
    halted(process)
    send(booth, *made)
    process.send_signal(signal.SIGCONT)
    for reply, each in zip(replies(booth, 4), made, strict=True):
        receipt_of(box, reply, each)
    calls = calls_in(trace)[before:]
    group = calls[calls.index("frame") : calls.index("answer") + 4]
    held = ["zeros"] * 3  # the room of what comes with the first body, and behind it
    assert [call for call in group if call != "body synced"] == [
        *("frame", *held, "bodies synced"),
        *("frame", "frame", "frame", "journal synced"),
        *["answer"] * 4,
    ]
    assert group[: group.index("frame", 1)].count("body synced") == 2
    booth.close()
    box.stop(process)


def calls_in(trace: Path) -> list[str]:
    """What a recorder has done: a write where it begins, a sync where it ends, whichever thread makes it."""
    calls: list[str] = []
    syncing: dict[str, str] = {}
    for line in CALLS.finditer(trace.read_text(errors="replace")):
        word = (
            syncing.pop(line["thread"], "") if line["ended"] else word_for(line["call"], line["path"], line["content"])
        )
        if line[0].endswith("<unfinished ...>") and line["call"] in ("fsync", "fdatasync"):
            syncing[line["thread"]] = word
        elif word:
            calls.append(word)
    return calls


def word_for(call: str, path: str, content: str) -> str:
    match call:
        case "pwrite64":
            return "frame" if content == "LLJ1" else "zeros"
        case "fdatasync":
            return "journal synced"
        case "fsync" if path.endswith("/bodies"):
            return "bodies synced"
        case "fsync" if "/bodies/" in path:
            return "body synced"
        case "sendto":
            return "answer"
        case _:
            return "other"


def test_a_case_opens_and_ends_within_one_group(box: Bed) -> None:
    process, booth = box.start(), call(box)
    first, second = record(screened(refers=True)), record(screened(refers=True))
    end = record(outcome(first.record_id))
    halted(process)
    for request in (append(first, opens=case_of(first)), append(second, opens=case_of(second))):
        booth.send(encode(request))
    booth.send(encode(append(end, closes=first.record_id)))
    booth.send(encode(ListCases()))
    process.send_signal(signal.SIGCONT)
    *answers, cases = replies(booth, 4)
    for reply, made in zip(answers, (first, second, end), strict=True):
        receipt_of(box, reply, made)
    assert isinstance(cases, Cases)
    assert [case.of for case in cases.cases] == [second.record_id]
    booth.close()


def test_the_same_record_twice_in_a_group_is_one_entry(box: Bed) -> None:
    process, booth, made = box.start(), call(box), record()
    halted(process)
    send(booth, made, made)
    process.send_signal(signal.SIGCONT)
    first, again = (receipt_of(box, reply, made) for reply in replies(booth, 2))
    assert (first.index, first.leaf) == (again.index, again.leaf)
    box.stop(process)
    sealed = [one.kind.commitment for one in box.statements() if isinstance(one.kind, Sealed)]
    assert sealed.count(commitment(encode_record(made))) == 1
    booth.close()


def test_what_is_no_message_ends_its_connection_and_nothing_behind_it_is_recorded(box: Bed) -> None:
    process, booth, before, behind = box.start(), call(box), record(), record()
    halted(process)
    send(booth, before, b"\xff", behind)
    process.send_signal(signal.SIGCONT)
    recorded, refused = replies(booth, 2)
    receipt = receipt_of(box, recorded, before)
    assert isinstance(refused, RefusedReply)
    assert booth.recv(70_000) == b""
    box.stop(process)
    sealed = {one.kind.commitment for one in box.statements()[receipt.index :] if isinstance(one.kind, Sealed)}
    assert sealed == {commitment(encode_record(before))}
    booth.close()


def test_a_refusal_within_a_group_stands_in_its_place_and_the_others_are_recorded(box: Bed) -> None:
    box.start()
    made = [record(), record(mode=Mode.TRAINING), record()]
    first, refused, last = box.line().ask_all([question(each) for each in made])
    assert isinstance(refused, RecorderRefused)
    assert refused.code == "wrong_origin"
    assert receipt_of(box, first, made[0]).index + 1 == receipt_of(box, last, made[2]).index


def test_a_recorder_that_dies_within_a_group_is_asked_again_and_records_each_once(box: Bed) -> None:
    process = box.start()
    made: list[Record] = []
    answers: list[tuple[Record, LogReceipt]] = []
    with strace(process.pid, "-e", "inject=fdatasync:signal=KILL:when=3", "-o", os.devnull):
        again = threading.Thread(target=lambda: (process.wait(), box.start()))
        again.start()
        line = box.line(timeout_s=60)
        for _ in range(4):
            group = [picture(5_000), picture(90_000), record(), record()]
            answers += asked(box, line.ask_all([question(each) for each in group]), group)
            made += group
        again.join()
    assert process.returncode == -signal.SIGKILL
    assert len({receipt.index for _, receipt in answers}) == len(made)
    box.settle()
    leaves = box.leaves()
    assert all(leaves[receipt.index] == receipt.leaf for _, receipt in answers)
    kinds = [one.kind for one in box.statements()]
    sealed = [kind.commitment for kind in kinds if isinstance(kind, Sealed)]
    assert all(sealed.count(commitment(encode_record(each))) == 1 for each in made)
    assert all(box.opened(receipt.index) == each for each, receipt in answers)


def asked(
    box: Bed, replies: "Sequence[Reply | RecorderRefused]", group: Sequence[Record]
) -> list[tuple[Record, LogReceipt]]:
    return [(made, receipt_of(box, reply, made)) for reply, made in zip(replies, group, strict=True)]
