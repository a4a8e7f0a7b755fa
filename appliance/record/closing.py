"""Stage 6 of 8: record - closing what a peer has given: beside the loop, for it may take as long as the peer likes.

Whoever closes a socket last waits until its data is sent, for the hours that its owner has set (SO_LINGER); a serial
line waits likewise. A peer can send such a descriptor beside a message, or leave it unread in its connection, and let
go of it first. No kind of descriptor is told apart here: one that was sealed as a record's is the only one that the
loop closes itself.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Final

UNREAD_MAX: Final = 4


class Closing:
    """Closes descriptors and connections one after the other, in a thread of its own.

    Args:
        name: Of the thread.
        most: It is full when so many descriptors wait; a connection is one.
    """

    def __init__(self, name: str, *, most: int) -> None:
        self._most = most
        self._given = 0  # counted by the loop alone, as the next one is by the thread
        self._closed = 0
        self._waiting = SimpleQueue[Sequence[int] | socket.socket | None]()
        threading.Thread(target=self._run, name=name, daemon=True).start()  # nobody waits for it at the end, either

    @property
    def full(self) -> bool:
        """Whether no more should be given."""
        return self._given - self._closed >= self._most

    def give(self, what: Sequence[int] | socket.socket) -> None:
        """Have these descriptors, or this connection with all that was not read of it, closed."""
        self._given += _weight(what)
        self._waiting.put(what)

    def end(self) -> None:
        """Nothing more will be given."""
        self._waiting.put(None)

    def _run(self) -> None:
        while (what := self._waiting.get()) is not None:
            if isinstance(what, socket.socket):
                _hang_up(what)
            else:
                for descriptor in what:
                    with contextlib.suppress(OSError):  # what it could not deliver is not ours
                        os.close(descriptor)
            self._closed += _weight(what)


def _weight(what: Sequence[int] | socket.socket) -> int:
    return 1 if isinstance(what, socket.socket) else len(what)


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        for _ in range(UNREAD_MAX):  # what is left unread would turn the refusal into a reset
            connection.recv(1, socket.MSG_DONTWAIT)
    with contextlib.suppress(OSError):
        connection.close()
