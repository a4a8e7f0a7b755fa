"""Stage 6 of 8: record - the recorder's doors: one SOCK_SEQPACKET socket a role, one uid a door, bounded messages.

A packet from a wrong uid, one that is too long, truncated, or comes with descriptors that are no sealed memfd, is
answered with a refusal and ends its connection. Nothing that a peer sends or leaves out makes the recorder wait: even
what it gave is closed beside the loop (closing.py), and a door whose peer has that take too long rests, and no other.
"""

import contextlib
import enum
import fcntl
import os
import selectors
import socket
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import Malformed
from appliance.formats.record import RECORD_BYTES_MAX
from appliance.formats.wire import MESSAGE_BYTES_MAX, RefusedReply, encode
from appliance.line import RECORD_SEALS
from appliance.record.closing import Closing

CONNECTIONS_MAX: Final = 8
"""A role's connections at once: each peer needs one, and a second while the first is given up."""

GROUP_MAX: Final = 16
"""Messages of the booth that are taken in one turn: their entries share one sync, and each of them waits for all."""
GROUP_BYTES_MAX: Final = RECORD_BYTES_MAX
"""Of messages and records: when a turn has taken so much, the rest waits for the next one."""

DESCRIPTORS_TAKEN_MAX: Final = 253
"""Beside one message, by Linux (SCM_MAX_FD). One is allowed; all are taken, since the kernel would close the others in
this thread."""
CLOSINGS_MAX: Final = 16
"""Descriptors of a role's peer that wait to be closed before its door rests."""
STRANGERS_MAX: Final = 64
"""The same of connections by a wrong uid, before no door takes new connections."""
UCRED: Final = struct.Struct("3i")
FLAGS_MALFORMED: Final = socket.MSG_TRUNC | socket.MSG_CTRUNC


class Role(enum.Enum):
    """Who speaks through a door, the most urgent first."""

    BOOTH = "booth"
    UPLINK = "uplink"
    RELEASES = "releases"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One message, read whole.

    Attributes:
        record: Content of the sealed memfd beside it; None when there was none.
    """

    role: Role
    connection: socket.socket
    message: bytes
    record: bytes | None

    @property
    def size(self) -> int:
        """Bytes of both."""
        return len(self.message) + len(self.record or b"")


class Doors:
    """The sockets of all roles.

    Args:
        folder: Where the sockets lie: `<role>.sock`.
        uids: The one uid allowed at each role's door; a role that is not among them has no door.
        refused: Told of each refusal at a door: the role, and "uid" or "malformed".
    """

    def __init__(self, folder: Path, uids: Mapping[Role, int], refused: Callable[[Role, str], None]) -> None:
        self._uids = uids
        self._refused = refused
        self._selector = selectors.DefaultSelector()
        self._open: dict[Role, set[socket.socket]] = {role: set() for role in Role}
        self._turns: list[Role] = [role for role in Role if role is not Role.BOOTH]
        self._closings = {role: Closing(f"close-{role.value}", most=CLOSINGS_MAX) for role in uids}
        self._strangers = Closing("close-strangers", most=STRANGERS_MAX)
        self._listening = {role: self._listen(folder / f"{role.value}.sock") for role in Role if role in uids}

    def wait(self, seconds: float) -> list[Packet]:
        """Packets that have arrived, the booth's first; [] after `seconds` of silence.

        Of the booth as many as make a group, round by round one a connection; of the other roles one in all, in turn: a
        light waits for one message of theirs, however many they send.
        """
        self._rest()
        booths: list[socket.socket] = []
        others: list[tuple[socket.socket, Role]] = []
        for key, _ in self._selector.select(seconds):
            source, role = key.fileobj, key.data
            assert isinstance(source, socket.socket)
            if source is self._listening[role]:
                self._welcome(source, role)
            elif role is Role.BOOTH:
                booths.append(source)
            else:
                others.append((source, role))
        packets = list(self._group(booths))
        if others:
            source, served = min(others, key=lambda pair: self._turns.index(pair[1]))
            self._turns.remove(served)
            self._turns.append(served)
            packets.extend(self._receive(source, served))
        return packets

    def _group(self, booths: Sequence[socket.socket]) -> Iterator[Packet]:
        """What waits in these connections, in each connection's order."""
        count = size = 0
        rest = list(booths)
        while rest:
            source = rest.pop(0)
            for packet in self._receive(source, Role.BOOTH):
                yield packet
                rest.append(source)
                count, size = count + 1, size + packet.size
                if count >= GROUP_MAX or size >= GROUP_BYTES_MAX:
                    return

    def reply(self, packet: Packet, answer: bytes, *, last: bool = False) -> None:
        """Answer a packet; `last` ends the connection. A peer that does not take its answer is hung up on."""
        if packet.connection not in self._open[packet.role]:
            return
        self._send(packet.connection, packet.role, answer, last=last)

    def close(self) -> None:
        """Close all doors."""
        for role, closing in self._closings.items():
            for connection in self._open[role]:
                closing.give(connection)
            closing.end()
        self._strangers.end()
        for listening in self._listening.values():
            listening.close()
        self._selector.close()

    def _rest(self) -> None:
        """Look at no door whose closings are full, nor for new connections when those of strangers are."""
        for role, listening in self._listening.items():
            full = self._closings[role].full
            self._watch(listening, role, watched=not (full or self._strangers.full))
            for connection in self._open[role]:
                self._watch(connection, role, watched=not full)

    def _watch(self, source: socket.socket, role: Role, *, watched: bool) -> None:
        if watched is not (source in self._selector.get_map()):
            if watched:
                self._selector.register(source, selectors.EVENT_READ, role)
            else:
                self._selector.unregister(source)

    def _listen(self, path: Path) -> socket.socket:
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listening.bind(str(path))
        path.chmod(0o666)  # who may speak is decided by the peer's uid, which the kernel vouches for
        listening.listen(CONNECTIONS_MAX)
        listening.settimeout(0)
        return listening

    def _welcome(self, listening: socket.socket, role: Role) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection, _ = listening.accept()
            connection.settimeout(0)
            _, uid, _ = UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size))
            if uid != self._uids[role]:
                self._refused(role, "uid")
                words = f"This is the {role.value}'s door; it is open to one user of the system, and this is another."
                with contextlib.suppress(OSError):
                    connection.send(encode(RefusedReply(code="wrong_uid", words=words)))
                self._strangers.give(connection)
                return
            self._open[role].add(connection)
            self._watch(connection, role, watched=True)
            if len(self._open[role]) > CONNECTIONS_MAX:
                words = f"At most {CONNECTIONS_MAX} connections at a time."
                self._refuse(connection, role, RefusedReply(code="busy", words=words))

    def _receive(self, connection: socket.socket, role: Role) -> Iterator[Packet]:
        if self._closings[role].full:
            return
        try:
            message, record = _read_packet(connection, self._closings[role])
        except BlockingIOError:
            return
        except ConnectionError:
            self._hang_up(connection, role)
            return
        except Malformed as error:
            self._refused(role, "malformed")
            self._refuse(connection, role, RefusedReply(code="malformed", words=str(error)))
            return
        if message:
            yield Packet(role=role, connection=connection, message=message, record=record)
        else:
            self._hang_up(connection, role)

    def _refuse(self, connection: socket.socket, role: Role, refusal: RefusedReply) -> None:
        self._send(connection, role, encode(refusal), last=True)

    def _send(self, connection: socket.socket, role: Role, answer: bytes, *, last: bool) -> None:
        try:
            connection.send(answer)
        except OSError:
            last = True
        if last:
            self._hang_up(connection, role)

    def _hang_up(self, connection: socket.socket, role: Role) -> None:
        self._open[role].discard(connection)
        self._watch(connection, role, watched=False)
        self._closings[role].give(connection)


def _read_packet(connection: socket.socket, closing: Closing) -> tuple[bytes, bytes | None]:
    """One message and the record beside it; `closing` takes whatever else came with it.

    Raises:
        Malformed: Longer than the bound, or its descriptors are not one sealed memfd within the bound.
        BlockingIOError, ConnectionError: There is none.
    """
    room = socket.CMSG_SPACE(DESCRIPTORS_TAKEN_MAX * struct.calcsize("i"))
    message, ancillary, flags, _ = connection.recvmsg(MESSAGE_BYTES_MAX, room, socket.MSG_CMSG_CLOEXEC)
    descriptors: list[int] = []
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.extend(struct.unpack(f"{len(content) // 4}i", content[: len(content) // 4 * 4]))
    try:
        record = _read_beside(descriptors, whole=not flags & FLAGS_MALFORMED)
    except Malformed:
        closing.give(descriptors)
        raise
    for descriptor in descriptors:  # a sealed memfd: nothing of it waits to go anywhere
        os.close(descriptor)
    return message, record


def _read_beside(descriptors: Sequence[int], *, whole: bool) -> bytes | None:
    """The record beside a message, None for none. Raises Malformed."""
    if not whole or len(descriptors) > 1:
        raise Malformed("message", f"at most {MESSAGE_BYTES_MAX} bytes and one descriptor")
    return _read_sealed(descriptors[0]) if descriptors else None


def _read_sealed(descriptor: int) -> bytes:
    """The content of a memfd that nobody can change any more."""
    try:
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
    except OSError:
        raise Malformed("record", "its descriptor is no memfd") from None
    if seals & RECORD_SEALS != RECORD_SEALS:
        raise Malformed("record", "its memfd is not sealed against writing, growing and shrinking")
    size = os.fstat(descriptor).st_size
    if not 0 < size <= RECORD_BYTES_MAX:
        raise Malformed("record", f"{size} bytes, from 1 to {RECORD_BYTES_MAX}")
    content = os.pread(descriptor, size, 0)
    if len(content) != size:
        raise Malformed("record", "its memfd gives less than its size")
    return content
