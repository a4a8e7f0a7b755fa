"""A taken-over booth (I10): what its socket and its files let it try, against a recorder that runs.

It can lie in new records and look up lists. It cannot read, alter or delete what was recorded, say who records are
sealed to, switch lists, speak for another role, or keep the others from being served. What it may do to the life of a
case is tried in tests/scenarios/test_recorder_life_attacks.py and test_recorder_voice.py.
"""

import array
import contextlib
import fcntl
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from appliance.formats import cbor
from appliance.formats.event import EVENTS
from appliance.formats.record import RECORD_BYTES_MAX, encode_record
from appliance.formats.wire import (
    MESSAGE_BYTES_MAX,
    Append,
    Appended,
    Event,
    Hello,
    RefusedReply,
    Reply,
    Welcome,
    encode,
    parse_reply,
)
from appliance.line import RECORD_SEALS, RecorderRefused
from appliance.model import Mode, Priority
from appliance.record.recorder import BOOTH_EVENTS
from appliance.record.service import REFUSALS_LOGGED_MAX
from appliance.recorded import Canary
from tests.attacks.every_verb import BOOTH_VERBS, of_others
from tests.attacks.taken_over import BOOTH, UPLINK, Scene, contents, everything, scene, succeeded, user
from tests.scenarios.made_headquarters import screened
from tests.scenarios.recorder_bed import append, record, recorded

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become the box's users"),
]
NUMBER: Final = "PX7654321"
NAME: Final = "TRAVELLER OF BEFORE"
ANSWER_S: Final = 20.0


@pytest.fixture(scope="module")
def post() -> Generator[Scene]:
    """A box at work; one for all attacks of this file, so that each finds what the others left."""
    with scene() as made:
        yield made


@pytest.fixture
def booth(post: Scene) -> Generator[Scene]:
    """The attacker is the booth's user; afterwards the very same recorder records as before."""
    with user(BOOTH):
        yield post
        post.leave()
        recorded(post.door("booth"), append(record()), post.box.verifier)
    post.leave()
    post.still_serves()


def knock(post: Scene, packet: bytes, descriptors: tuple[int, ...] = (), role: str = "booth") -> Reply | None:
    """Send one packet; None when the recorder hung up without a word."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.settimeout(ANSWER_S)
        door.connect(str(post.box.folder / "run" / f"{role}.sock"))
        door.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])
        answer = door.recv(70_000)
        return parse_reply(answer) if answer else None


def code(reply: Reply | None) -> str:
    return reply.code if isinstance(reply, RefusedReply) else type(reply).__name__


# --- verbs ------------------------------------------------------------------------------------------------------------


def test_a_booth_speaks_no_verb_of_another_role_and_opens_no_other_door(booth: Scene) -> None:
    assert {code(knock(booth, encode(verb))) for verb in of_others(BOOTH_VERBS)} == {"malformed"}
    for role in ("uplink", "releases", "audit"):
        assert code(knock(booth, encode(Hello()), role=role)) == "wrong_uid"
    assert {("booth", "verb"), ("uplink", "uid"), ("releases", "uid"), ("audit", "uid")} <= booth.refusals()


def test_a_booth_logs_nothing_that_only_the_recorder_may_say(booth: Scene) -> None:
    before = booth.refusals()
    recorders = {"bodies_deleted", "bodies_acknowledged", "release_switched", "recovered", "peer_refused", "exported"}
    assert recorders <= EVENTS.keys() - BOOTH_EVENTS
    for name in EVENTS.keys() - BOOTH_EVENTS:
        with pytest.raises(RecorderRefused) as refusal:
            booth.door("booth").ask(Event(event=name, fields=dict.fromkeys(EVENTS[name].fields, "1")))
        assert refusal.value.code == "malformed", name
    assert booth.refusals() == before


@pytest.mark.parametrize("value", [NUMBER, NAME, "1\n2", "\x1b[2J", "", "9" * 256])
def test_a_booth_writes_no_word_of_its_own_into_the_readable_log(booth: Scene, value: str) -> None:
    for name in ("sign_in_failed", "not_recorded", "device_changed", "lid_changed"):
        fields = dict.fromkeys(EVENTS[name].fields, value)
        for said in (fields, {**fields, NAME: "1"}, {}):
            with pytest.raises(RecorderRefused):
                booth.door("booth").ask(Event(event=name, fields=said))


def test_a_booth_does_not_choose_to_whom_a_record_is_sealed(booth: Scene) -> None:
    """No field of a message says it: an unknown one is refused, and headquarters opens what was recorded."""
    made = append(record(screened(number=NUMBER, name=NAME)))
    plain = cbor.decode(encode(made), what="message", bytes_max=MESSAGE_BYTES_MAX)
    assert isinstance(plain, dict)
    for name in ("recipients", "recipient", "to", "recipients_version", "index", "origin"):
        assert code(knock(booth, cbor.encode({**plain, name: ["age1pq1attacker"]}))) == "malformed"
    index = recorded(booth.door("booth"), made, booth.box.verifier).index
    booth.box.settle()
    with user(0):
        assert encode_record(booth.box.opened(index)) == made.record


def test_a_booth_makes_no_canary_and_mixes_no_training_into_the_live_log(booth: Scene) -> None:
    canary = msgspec.structs.replace(record(Canary(epoch=1, recipients_version=9)), crossing=None, person=None)
    for wrong, why in (
        (canary, "malformed"),
        (record(mode=Mode.TRAINING), "wrong_origin"),
        (record(origin="landlink.example/la-0002.1"), "wrong_origin"),
        (record(origin="landlink.example/la-0001.2"), "wrong_origin"),
    ):
        with pytest.raises(RecorderRefused) as refusal:
            booth.door("booth").ask(append(wrong))
        assert refusal.value.code == why


def test_a_record_that_is_said_again_makes_no_second_entry(booth: Scene) -> None:
    line, again = booth.door("booth"), append(record())
    first = recorded(line, again, booth.box.verifier)
    assert {recorded(booth.door("booth"), again, booth.box.verifier).index for _ in range(5)} == {first.index}


# --- messages ---------------------------------------------------------------------------------------------------------


def test_no_message_however_broken_stops_the_recorder(booth: Scene) -> None:
    """Cut, mutated, nested, endless, and half of one; the seed is fixed, so that a failure comes back."""
    good = encode(append(record()))
    chance = random.Random(4)
    broken = [good[:cut] for cut in range(1, len(good), 97)]
    for _ in range(60):
        mutated = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            mutated[chance.randrange(len(mutated))] = chance.randrange(256)
        broken.append(bytes(mutated))
    broken += [b"\x81" * 60_000, b"\xbf" * 60_000, b"\x9b" + b"\xff" * 8, b"\x5b" + b"\x7f" * 8, b"\xc0" * 9_000]
    broken += [b"\xa2\x61a\x01\x61a\x01", b"\xf9\x7e\x00", bytes(MESSAGE_BYTES_MAX), os.urandom(MESSAGE_BYTES_MAX)]
    before = booth.memory_kib()
    for packet in broken:
        assert code(knock(booth, packet)) in {"malformed", "wrong_origin", "Appended"}
    assert booth.memory_kib() - before < 64 * 1024


def test_an_empty_message_and_one_that_is_never_followed_keep_nobody_waiting(booth: Scene) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.connect(str(booth.box.folder / "run" / "booth.sock"))
        door.send(b"")
        assert isinstance(booth.door("booth").ask(Hello()), Welcome)


# --- descriptors ------------------------------------------------------------------------------------------------------


def memfd(content: bytes, seals: int) -> int:
    made = os.memfd_create("record", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    os.write(made, content)
    fcntl.fcntl(made, fcntl.F_ADD_SEALS, seals)
    return made


def still_open_for_writing(content: bytes) -> int:
    return memfd(content, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)


def growing(content: bytes) -> int:
    return memfd(content, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL)


def shrinking(content: bytes) -> int:
    return memfd(content, fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL)


def sealed_against_new_writers_alone(content: bytes) -> int:
    return memfd(content, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | 0x10 | fcntl.F_SEAL_SEAL)


def sparse(_content: bytes) -> int:
    made = os.memfd_create("record", os.MFD_ALLOW_SEALING)
    os.ftruncate(made, 4 << 30)
    fcntl.fcntl(made, fcntl.F_ADD_SEALS, RECORD_SEALS)
    return made


def longer_by_one(_content: bytes) -> int:
    return memfd(bytes(RECORD_BYTES_MAX + 1), RECORD_SEALS)


def empty(_content: bytes) -> int:
    return memfd(b"", RECORD_SEALS)


def no_record(_content: bytes) -> int:
    return memfd(bytes(RECORD_BYTES_MAX), RECORD_SEALS)


def pipe(content: bytes) -> int:
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


def zeros(_content: bytes) -> int:
    return os.open("/dev/zero", os.O_RDONLY)


def folder(_content: bytes) -> int:
    return os.open("/", os.O_RDONLY | os.O_DIRECTORY)


def door_itself(_content: bytes) -> int:
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).detach()


def path_only(_content: bytes) -> int:
    return os.open("/etc/hostname", os.O_PATH)


@pytest.mark.parametrize(
    "made",
    [
        still_open_for_writing,
        growing,
        shrinking,
        sealed_against_new_writers_alone,
        sparse,
        longer_by_one,
        empty,
        no_record,
        pipe,
        zeros,
        folder,
        door_itself,
        path_only,
    ],
)
def test_no_descriptor_is_read_but_a_sealed_memfd_within_its_bound(booth: Scene, made: Callable[[bytes], int]) -> None:
    descriptor = made(encode_record(record()))
    try:
        request = encode(Append(record=b"", priority=Priority.RECORD))
        assert code(knock(booth, request, (descriptor,))) == "malformed"
        assert code(knock(booth, encode(Hello()), (descriptor,))) == "malformed"
    finally:
        os.close(descriptor)


def test_a_flood_of_descriptors_leaves_none_open_in_the_recorder(booth: Scene) -> None:
    booth.still_serves()
    before = booth.descriptors()
    good = memfd(encode_record(record()), RECORD_SEALS)
    request = encode(Append(record=b"", priority=Priority.RECORD))
    for _ in range(20):
        assert code(knock(booth, request, (good,) * 253)) == "malformed"
    assert code(knock(booth, request, (good,))) == Appended.__name__
    os.close(good)
    booth.still_serves()
    deadline = time.monotonic() + ANSWER_S
    while booth.descriptors() > before + 2:  # they are closed beside the loop
        assert time.monotonic() < deadline, "they stay open"
        threading.Event().wait(0.05)


# --- floods -----------------------------------------------------------------------------------------------------------


def test_a_booth_that_floods_and_takes_no_answer_costs_bounded_memory_and_delays_no_other_role(booth: Scene) -> None:
    before, doors = booth.memory_kib(), list[socket.socket]()
    hello = encode(Hello())
    for _ in range(200):
        door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        doors.append(door)
        door.settimeout(0)
        try:
            door.connect(str(booth.box.folder / "run" / "booth.sock"))
            for _ in range(1_000):
                door.send(hello)
        except OSError:
            continue
    with user(UPLINK):
        assert isinstance(booth.door("uplink").ask(Hello()), Welcome)
    assert booth.memory_kib() - before < 32 * 1024
    for door in doors:
        door.close()
    booth.recovers("booth")


def test_who_knocks_for_ever_fills_no_log(booth: Scene) -> None:
    booth.settle()
    with user(0):
        size = booth.box.checkpoint().size
    for _ in range(100):
        assert code(knock(booth, b"\x00")) == "malformed"
    booth.settle()
    with user(0):
        assert booth.box.checkpoint().size - size <= REFUSALS_LOGGED_MAX + 4


def test_who_knocks_for_ever_hides_no_knock_of_another(booth: Scene) -> None:
    """What one is refused for is counted by itself: the log still names the next attacker."""
    for _ in range(2 * REFUSALS_LOGGED_MAX):
        assert code(knock(booth, b"\x00")) == "malformed"
    with user(UPLINK):
        assert code(knock(booth, b"\x00", role="uplink")) == "malformed"
    assert {("booth", "verb"), ("uplink", "verb")} <= booth.refusals()


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_booth_changes_no_file_of_the_box_and_lays_none_beside_it(booth: Scene) -> None:
    recorded(booth.door("booth"), append(record(screened(number=NUMBER, name=NAME))), booth.box.verifier)
    booth.box.settle()
    with user(0):
        own = booth.box.folder / "tried"
        own.mkdir()
        os.chown(own, BOOTH, BOOTH)
        paths = [*everything(booth.box.state), *everything(booth.box.folder / "run")]
        before = contents(booth.box.state, without=("recorder",))
    own.joinpath("planted").write_bytes(b"planted")
    assert {str(path): done for path in paths if (done := succeeded(own, path))} == {}
    with user(0):
        after = contents(booth.box.state, without=("recorder",))
    assert {path: after.get(path) for path in before if path.startswith(("bodies", "receipts"))} == {
        path: content for path, content in before.items() if path.startswith(("bodies", "receipts"))
    }


def test_what_a_booth_may_read_has_no_traveller_of_before_and_no_key(booth: Scene) -> None:
    """The lists' keys it may ask for; they and the box's own keys lie in no file that it reads."""
    recorded(booth.door("booth"), append(record(screened(number=NUMBER, name=NAME))), booth.box.verifier)
    booth.box.settle()
    with user(0):
        paths = list(everything(booth.box.state))
        keys = [path.read_bytes() for path in paths if path.suffix in {".key", ".identity"} and path.is_file()]
    read: dict[Path, bytes] = {}
    for path in paths:
        with contextlib.suppress(PermissionError, IsADirectoryError):
            read[path] = path.read_bytes()
    assert any(path.suffix == ".age" and "bodies" in path.parts for path in read)
    closed = {"recorder", "uplink", "audit"}
    assert not [path for path in read if closed & set(path.relative_to(booth.box.state).parts)]
    secrets = [NUMBER.encode(), NAME.encode(), *keys]
    assert [str(path) for path, content in read.items() if any(secret in content for secret in secrets)] == []


@pytest.mark.parametrize("what", ["mem", "environ", "fd", "map_files", "root"])
def test_a_booth_does_not_look_into_the_recorders_memory(booth: Scene, what: str) -> None:
    place = Path(f"/proc/{booth.pid}/{what}")
    look: Callable[[Path], object] = Path.read_bytes if what in {"mem", "environ"} else os.listdir
    with pytest.raises(PermissionError):
        look(place)
