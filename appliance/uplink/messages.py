"""Headquarters' messages to this box, on their last way: brought to the recorder once, whichever way they came.

The uplink opens none of them, and cannot. What became of each is remembered by the hash of its sealed bytes, so the
link, the answer folder and a stick may bring the same one. The memory may be lost: the recorder takes each once.
"""

import contextlib
import hashlib
import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.files import read_regular, remove_partial, replace_file
from appliance.formats.wire import StickSeen
from appliance.uplink.contact import Contact
from appliance.uplink.handover import Fate, Handover

REMEMBERED_MAX: Final = 4_096
"""Far more than the collector lists and a stick carries; what is forgotten is brought again, and refused."""
LINE_BYTES_MAX: Final = 96
REFUSED_AGAIN_S: Final = 86_400
"""A message refused today may be by a key that the next release makes known. One that was refused in the future, by a
clock that was wrong, is brought again at once."""

_journal = logging.getLogger("landlink.uplink")


@dataclass(frozen=True, slots=True)
class _Past:
    """What became of one message: taken, or refused at this time (seconds since 1970)."""

    taken: bool
    at_s: int


class Messages:
    """Brings messages to the recorder; for all threads that come by some.

    Args:
        path: Where it is remembered what became of each: a line of hash, word and time. Nobody else writes files
            whole into its folder.
        handover: Used by this object alone.
        contact: Is told of refusals.
    """

    def __init__(self, path: Path, handover: Handover, contact: Contact) -> None:
        self._path = path
        self._handover = handover
        self._contact = contact
        self._lock = threading.Lock()
        remove_partial(path.parent)
        self._past = _read(path)
        self._sticks: list[StickSeen] = []

    def settled(self, sha256: bytes) -> bool:
        """Whether a message of this hash needs not be brought."""
        past = self._past.get(sha256.hex())
        return past is not None and (past.taken or 0 <= time.time() - past.at_s < REFUSED_AGAIN_S)

    def cosigned(self, note: bytes) -> tuple[Fate, str]:
        """Bring a cosigned checkpoint that a stick carries; what became of it, and why when it was not taken."""
        with self._lock:
            return self._handover.cosigned(note)

    def bring(self, sealed: bytes, name: str) -> Fate:
        """Bring one to the recorder, unless it is settled; what became of it.

        Args:
            sealed: As it came.
            name: Of its file, for the journal.

        Raises:
            StorageFull, StorageFault: It cannot be remembered.
        """
        sha256 = hashlib.sha256(sealed).digest()
        with self._lock:
            if self.settled(sha256):
                return Fate.TAKEN if self._past[sha256.hex()].taken else Fate.REFUSED
            fate, words = self._handover.deliver(sealed)
            if fate is Fate.LATER:
                return fate
            self._past.pop(sha256.hex(), None)
            self._past[sha256.hex()] = _Past(fate is Fate.TAKEN, int(time.time()))
            self._keep()
            if fate is Fate.REFUSED:
                _journal.warning("uplink: the recorder refuses message %s: %s", name, words)
                self._contact.refused(sum(not past.taken for past in self._past.values()), words)
            else:
                _journal.info("uplink: message %s handed over", name)
            return fate

    def stick(self, seen: StickSeen | None) -> None:
        """Have a stick logged; one that the recorder could not log is said again at the next call."""
        with self._lock:
            if seen is not None:
                self._sticks.append(seen)
            while self._sticks and self._handover.stick(self._sticks[0]):
                self._sticks.pop(0)

    def _keep(self) -> None:
        newest = list(self._past.items())[-REMEMBERED_MAX:]
        self._past = dict(newest)
        lines = (f"{sha256} {'taken' if past.taken else 'refused'} {past.at_s}\n" for sha256, past in newest)
        replace_file(self._path, "".join(lines).encode("ascii"), mode=0o600)


def _read(path: Path) -> dict[str, _Past]:
    """What is remembered; nothing of lines that say nothing."""
    past: dict[str, _Past] = {}
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in read_regular(path, REMEMBERED_MAX * LINE_BYTES_MAX).decode("ascii").splitlines():
            match line.split(" "):
                case [sha256, ("taken" | "refused") as word, at_s] if at_s.isdecimal() and len(at_s) < 12:
                    past[sha256] = _Past(word == "taken", int(at_s))
                case _:
                    pass
    return past
