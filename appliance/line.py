"""The line to the recorder: what booth, uplink and releases speak into its sockets (formats/wire.py).

A question is asked until it is answered or its time is over: a recorder that restarts under a question is asked again.
That is safe, because the same record asked again gets the same entry's receipt.
"""

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Final

from appliance.errors import LandlinkError, Refused
from appliance.formats.wire import (
    MESSAGE_BYTES_MAX,
    Appended,
    Cases,
    Cosigned,
    Done,
    Inboxed,
    Keys,
    ListKeys,
    RefusedReply,
    Request,
    SparedEntries,
    Voiced,
    Welcome,
    encode,
    parse_reply,
)

RECORD_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
"""What a memfd must carry so that nobody changes a record while the recorder reads it."""

RETRY_S: Final = 0.02
"""Between two attempts to reach a recorder that is not there: a restart takes a second."""

AT_ONCE_MAX: Final = 8
"""Questions whose answers are waited for together: both sockets' buffers hold them."""

Question = tuple[Request, bytes | None]
"""A question, and a record that crosses in a sealed memfd beside it."""

Answer = Welcome | Appended | Cases | Keys | Inboxed | Voiced | SparedEntries | Cosigned | Done


class RecorderAway(LandlinkError):
    """Nobody answered in time: the recorder is not running, or its storage hangs. Nothing is known to be recorded."""

    exit_code = 69


class RecorderRefused(Refused):
    """The recorder understood and said no.

    Attributes:
        code: As `RefusedReply.code`, for the program.
    """

    def __init__(self, refusal: RefusedReply) -> None:
        self.code = refusal.code
        super().__init__(refusal.words)


class RecorderLine:
    """One role's connection, made when it is first needed and again when it breaks. For one thread at a time.

    Args:
        path: The role's socket, for example `/run/landlink/booth.sock`.
        timeout_s: How long one question may take in all, seconds.
    """

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None

    def ask(self, request: Request, memfd: bytes | None = None) -> Answer:
        """Ask and wait for the answer.

        Args:
            request: The question.
            memfd: A record too long for a message, at most 4 MiB; it crosses in a sealed memfd beside `request`.

        Raises:
            RecorderRefused: Understood, and no.
            RecorderAway: No answer within the time limit.
            Malformed: The answer is none; the connection is given up.
        """
        (reply,) = self.ask_all([(request, memfd)])
        if isinstance(reply, RecorderRefused):
            raise reply
        return reply

    def ask_all(self, questions: Sequence[Question]) -> list[Answer | RecorderRefused]:
        """Ask several without waiting for each answer: what they record shares a sync wherever that can be.

        Args:
            questions: As `ask` takes them; each is answered for itself, whatever became of those before it.

        Returns:
            The answers, in order; a refusal stands in its place.

        Raises:
            RecorderAway: Not all were answered within the time limit. Asked again, each gets the same answer.
            Malformed: An answer is none; the connection is given up.
        """
        deadline = time.monotonic() + self._timeout_s
        packets = [(encode(request), memfd) for request, memfd in questions]
        replies: list[Answer | RecorderRefused] = []
        while len(replies) < len(packets):
            try:
                for answer in self._exchange(packets[len(replies) :][:AT_ONCE_MAX], deadline):
                    replies.append(_parsed(answer))  # noqa: PERF401 - those before a break count
            except (OSError, EOFError) as error:
                self.close()
                if time.monotonic() + RETRY_S >= deadline:
                    raise RecorderAway("the recorder does not answer") from error
                time.sleep(RETRY_S)
            except LandlinkError:
                self.close()
                raise
        return replies

    def close(self) -> None:
        """Hang up; the next question calls again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, packets: Sequence[tuple[bytes, bytes | None]], deadline: float) -> Iterator[bytes]:
        """Send all, then give the answer to each. Raises OSError, EOFError."""
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._socket.settimeout(_left(deadline))
            self._socket.connect(str(self._path))
        with contextlib.suppress(BrokenPipeError):  # hung up on: why may stand in what is still to be read
            for packet, memfd in packets:
                self._socket.settimeout(_left(deadline))
                _send(self._socket, packet, memfd)
        for _ in packets:
            self._socket.settimeout(_left(deadline))
            answer = self._socket.recv(MESSAGE_BYTES_MAX + 1)
            if not answer:
                raise EOFError
            yield answer


def _send(recorder: socket.socket, packet: bytes, memfd: bytes | None) -> None:
    if memfd is None:
        recorder.send(packet)
    else:
        with sealed_memfd(memfd) as fd:
            socket.send_fds(recorder, [packet], [fd])


def _parsed(answer: bytes) -> Answer | RecorderRefused:
    reply = parse_reply(answer)
    return RecorderRefused(reply) if isinstance(reply, RefusedReply) else reply


def list_keys(line: RecorderLine) -> tuple[bytes, ...]:
    """Keys of lists as the recorder has them, the newest first; () as long as it does not answer, or refuses.

    They are secrets: whoever asks holds them in memory and writes them nowhere.
    """
    try:
        answer = line.ask(ListKeys())
    except LandlinkError:
        return ()
    return answer.keys if isinstance(answer, Keys) else ()


@contextlib.contextmanager
def sealed_memfd(content: bytes) -> Generator[int]:
    """A memfd that holds `content` and can no longer change."""
    fd = os.memfd_create("record", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(fd, view) :]
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, RECORD_SEALS)
        yield fd
    finally:
        os.close(fd)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
