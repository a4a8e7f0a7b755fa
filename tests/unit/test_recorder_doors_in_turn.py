"""However many messages uplink, releases and audit send, the recorder takes the booth's and one of theirs at a time."""

import os
import socket
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from appliance.formats.wire import Done, Hello, encode
from appliance.record.sockets import Doors, Role

CALLERS = (Role.UPLINK, Role.UPLINK, Role.UPLINK, Role.RELEASES, Role.AUDIT, Role.BOOTH)


@pytest.fixture
def folder() -> Generator[Path]:
    with TemporaryDirectory(prefix="d-") as made:
        yield Path(made)


def call(folder: Path, role: Role) -> socket.socket:
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    caller.connect(str(folder / f"{role.value}.sock"))
    for _ in range(4):
        caller.send(encode(Hello()))
    return caller


def test_a_flood_through_one_door_costs_a_turn_one_message_and_shuts_out_no_other_door(folder: Path) -> None:
    refusals: list[Role] = []
    doors = Doors(folder, dict.fromkeys(Role, os.getuid()), lambda role, _why: refusals.append(role))
    callers = [call(folder, role) for role in CALLERS]
    for _ in CALLERS:  # one is welcomed a turn and a door
        for packet in doors.wait(1):
            doors.reply(packet, encode(Done()))
    for caller in callers:
        caller.send(encode(Hello()))
    turns = [doors.wait(1) for _ in range(3)]
    for turn in turns:
        others = [packet.role for packet in turn if packet.role is not Role.BOOTH]
        assert len(others) == 1
    assert {packet.role for turn in turns for packet in turn} == set(Role)
    assert turns[0][0].role is Role.BOOTH
    assert refusals == []
    for caller in callers:
        caller.close()
    doors.close()
