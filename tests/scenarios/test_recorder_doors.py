"""The recorder's doors: the wrong uid, the wrong verb and anything malformed are refused, and nothing else suffers."""

import array
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from appliance.formats.record import encode_record
from appliance.formats.statement import EventEntry
from appliance.formats.wire import (
    Acknowledge,
    Append,
    Done,
    Event,
    Exported,
    Hello,
    ListCases,
    RefusedReply,
    Request,
    StickSeen,
    Switched,
    encode,
    parse_reply,
)
from appliance.line import RecorderRefused
from appliance.model import Priority
from appliance.record.recorder import STICKS_LOGGED_MAX
from tests.scenarios.made_headquarters import box_toml
from tests.scenarios.recorder_bed import REPOSITORY, Bed, append, bed, record, recorded, welcome

NOBODY = 65_534


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def test_a_box_whose_configuration_names_no_user_for_the_audit_has_no_door_for_it(box: Bed) -> None:
    config = box.folder / "box.toml"
    config.write_text(config.read_text().replace("audit_uid = 0\n", ""))
    box.stop(box.start())
    box.start()
    assert not (box.folder / "run" / "audit.sock").exists()


def knock(box: Bed, role: str, packet: bytes, descriptors: list[int] | None = None) -> tuple[str, bool]:
    """Send one packet; the refusal's code, and whether the connection was ended behind it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.settimeout(30)
        door.connect(str(box.folder / "run" / f"{role}.sock"))
        door.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors or []))])
        reply = parse_reply(door.recv(70_000))
        assert isinstance(reply, RefusedReply)
        return reply.code, door.recv(1) == b""


@pytest.mark.parametrize(
    ("role", "request_of"),
    [
        ("uplink", append(record())),
        ("uplink", ListCases()),
        ("uplink", Switched(version=1)),
        ("releases", append(record())),
        ("releases", Acknowledge(receipts=())),
        ("booth", Acknowledge(receipts=())),
        ("booth", Switched(version=1)),
        ("audit", append(record())),
        ("audit", Acknowledge(receipts=())),
        ("audit", StickSeen(messages=1, lists="none")),
        ("uplink", Exported(entries=1, bodies=1)),
    ],
)
def test_a_verb_of_another_role_is_refused_and_ends_the_connection(box: Bed, role: str, request_of: Request) -> None:
    process = box.start()
    assert knock(box, role, encode(request_of)) == ("malformed", True)
    recorded(box.line(), append(record()), box.verifier)
    box.stop(process)


@pytest.mark.parametrize("packet", [b"\x00", b"hello", os.urandom(4_000), b"\xa1" * 65_536, encode(Hello()) + b"\x00"])
def test_a_malformed_message_is_refused_and_ends_the_connection(box: Bed, packet: bytes) -> None:
    process = box.start()
    assert knock(box, "booth", packet) == ("malformed", True)
    assert welcome(box.line()).ready
    box.stop(process)


def test_a_message_longer_than_64_kib_is_refused_and_ends_the_connection(box: Bed) -> None:
    process = box.start()
    assert knock(box, "booth", bytes(65_537)) == ("malformed", True)
    box.stop(process)


def test_only_one_sealed_memfd_is_taken_beside_a_message(box: Bed) -> None:
    process = box.start()
    message = encode(Append(record=b"", priority=Priority.RECORD))
    unsealed = os.memfd_create("record", os.MFD_ALLOW_SEALING)
    os.write(unsealed, encode_record(record()))
    empty = os.memfd_create("record", os.MFD_ALLOW_SEALING)
    reading, writing = os.pipe()
    plain = os.open(box.folder / "box.toml", os.O_RDONLY)
    for descriptors in ([unsealed], [empty], [reading], [plain], [unsealed, empty]):
        assert knock(box, "booth", message, descriptors) == ("malformed", True)
    for descriptor in (unsealed, empty, reading, writing, plain):
        os.close(descriptor)
    recorded(box.line(), append(record()), box.verifier)
    assert len(list(Path(f"/proc/{process.pid}/fd").iterdir())) < 20
    box.stop(process)


def test_a_peer_that_connects_and_says_nothing_keeps_nobody_waiting(box: Bed) -> None:
    process = box.start()
    silent = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(6)]
    for one in silent:
        one.connect(str(box.folder / "run" / "booth.sock"))
    recorded(box.line(), append(record()), box.verifier)
    for one in silent:
        one.close()
    box.stop(process)


def test_the_ninth_connection_of_a_role_is_refused_and_the_other_roles_are_served(box: Bed) -> None:
    process = box.start()
    lines = [box.line("uplink") for _ in range(8)]
    for line in lines:
        welcome(line)
    with pytest.raises(RecorderRefused) as refusal:
        welcome(box.line("uplink", timeout_s=30))
    assert refusal.value.code == "busy"
    assert welcome(box.line()).ready
    for line in lines:
        line.close()
    box.stop(process)


ASK_AS = """
import os, sys
from pathlib import Path
from appliance.formats.wire import Hello
from appliance.line import RecorderLine, RecorderRefused
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
try:
    print(RecorderLine(Path(sys.argv[1]), timeout_s=30).ask(Hello()).ready)
except RecorderRefused as refusal:
    print(refusal.code)
"""


def ask_as(box: Bed, role: str, uid: int) -> str:
    """Hello at a door by a process of this uid."""
    command = [sys.executable, "-c", ASK_AS, str(box.folder / "run" / f"{role}.sock"), str(uid)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become two users")
def test_each_door_is_open_to_one_uid_and_closed_to_the_other(box: Bed) -> None:
    text = box_toml(box.folder).replace(b"uplink_uid = 0", b"uplink_uid = %d" % NOBODY)
    (box.folder / "box.toml").write_bytes(text)
    for folder in (box.folder, box.folder / "run"):
        folder.chmod(0o755)
    process = box.start()
    assert ask_as(box, "uplink", NOBODY) == "True"
    assert ask_as(box, "booth", NOBODY) == "wrong_uid"
    assert ask_as(box, "releases", NOBODY) == "wrong_uid"
    assert ask_as(box, "booth", 0) == "True"
    assert ask_as(box, "uplink", 0) == "wrong_uid"
    box.stop(process)
    refusals = [
        one.kind.fields
        for one in box.statements()
        if isinstance(one.kind, EventEntry) and one.kind.event == "peer_refused"
    ]
    assert [(one["role"], one["why"]) for one in refusals] == [
        ("booth", "uid"),
        ("releases", "uid"),
        ("uplink", "uid"),
    ]


def test_sticks_are_logged_and_nobody_fills_the_log_by_telling_of_them(box: Bed) -> None:
    process = box.start()
    uplink, booth = box.line("uplink"), box.line()
    seen = StickSeen(messages=2, lists="taken")
    for _ in range(STICKS_LOGGED_MAX):
        assert uplink.ask(seen) == Done()
    with pytest.raises(RecorderRefused) as refusal:
        uplink.ask(seen)
    assert refusal.value.code == "busy"
    assert booth.ask(Event(event="page_started", fields={})) == Done()
    assert box.line("audit").ask(Exported(entries=1, bodies=1)) == Done()  # the audit's door has a count of its own
    box.stop(process)
    sticks = [
        dict(one.kind.fields)
        for one in box.statements()
        if isinstance(one.kind, EventEntry) and one.kind.event == "stick_seen"
    ]
    assert sticks == [{"messages": "2", "lists": "taken"}] * STICKS_LOGGED_MAX
