"""Closing a socket can last as long as its owner likes (SO_LINGER): who sends one keeps no light waiting (I10)."""

import array
import os
import signal
import socket
import struct
from collections.abc import Generator

import pytest

from appliance.formats.wire import Hello, RefusedReply, encode, parse_reply
from appliance.line import RecorderAway
from appliance.record.sockets import CLOSINGS_MAX
from tests.scenarios.recorder_bed import Bed, append, bed, record, recorded, welcome

ANSWER_S = 60.0
LINGER_S = 3_600
UNSENT = bytes(65_536)
NOBODY = 65_534


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


@pytest.fixture
def deaf() -> Generator[socket.socket]:
    """A far end that reads nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield listening


def unsent(deaf: socket.socket) -> int:
    """A descriptor whose last close waits an hour for the far end to read."""
    out = socket.create_connection(deaf.getsockname())
    out.settimeout(0)
    try:
        while True:
            out.send(UNSENT)
    except BlockingIOError:
        out.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LINGER_S))
        return out.detach()


def knock(box: Bed) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.settimeout(ANSWER_S)
    door.connect(str(box.folder / "run" / "uplink.sock"))
    return door


def give(door: socket.socket, *descriptors: int) -> None:
    """Send them beside a message and let go of them."""
    door.sendmsg([encode(Hello())], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])
    for descriptor in descriptors:
        os.close(descriptor)


def refusal(door: socket.socket) -> str:
    reply = parse_reply(door.recv(70_000))
    assert isinstance(reply, RefusedReply)
    return reply.code


def records(box: Bed) -> None:
    recorded(box.line(timeout_s=ANSWER_S), append(record()), box.verifier)


@pytest.mark.parametrize("before", [0, 2, 252])
def test_a_socket_beside_a_message_however_many_others_come_with_it(box: Bed, deaf: socket.socket, before: int) -> None:
    box.start()
    with knock(box) as door:
        give(door, *(os.open(os.devnull, os.O_RDONLY) for _ in range(before)), unsent(deaf))
        assert refusal(door) == "malformed"
        records(box)


def test_a_socket_left_unread_in_a_connection_that_is_hung_up_on(box: Bed, deaf: socket.socket) -> None:
    process = box.start()
    with knock(box) as door:
        process.send_signal(signal.SIGSTOP)
        door.send(b"\x00")
        give(door, unsent(deaf))
        process.send_signal(signal.SIGCONT)
        assert refusal(door) == "malformed"
        records(box)


def test_a_socket_by_a_user_whose_door_it_is_not(box: Bed, deaf: socket.socket) -> None:
    config = box.folder / "box.toml"
    config.write_text(config.read_text().replace(f"uplink_uid = {os.geteuid()}", f"uplink_uid = {NOBODY}"))
    process = box.start()
    process.send_signal(signal.SIGSTOP)
    with knock(box) as door:
        give(door, unsent(deaf))
        process.send_signal(signal.SIGCONT)
        assert refusal(door) == "wrong_uid"
        records(box)


def test_whoever_does_it_again_and_again_has_his_own_door_rest_and_no_other(box: Bed, deaf: socket.socket) -> None:
    process = box.start()
    doors = list[socket.socket]()
    for _ in range(CLOSINGS_MAX // 2):  # each is a descriptor and a connection
        doors.append(knock(box))
        give(doors[-1], unsent(deaf))
        assert refusal(doors[-1]) == "malformed"
    records(box)
    with pytest.raises(RecorderAway):
        welcome(box.line("uplink", timeout_s=3))
    for role in ("booth", "releases", "audit"):
        assert welcome(box.line(role, timeout_s=ANSWER_S)).ready
    assert box.stop(process) == 0
    for door in doors:
        door.close()
