"""Handing what headquarters says to the recorder, which verifies it: receipts, cosignatures, messages to this box."""

import enum
import logging
import time
from pathlib import Path
from typing import Final

from appliance.errors import Malformed
from appliance.formats.wire import Acknowledge, Cosigned, Deliver, RefusalCode, StickSeen
from appliance.line import RecorderAway, RecorderLine, RecorderRefused
from appliance.uplink.index import Index

RECEIPTS_MAX: Final = 24
"""In one message (wire.Acknowledge)."""
ANSWER_TIMEOUT_S: Final = 3.0
AWAY_REST_S: Final = 3.0
"""A recorder that did not answer is left alone for so long, while bodies go on."""
FINAL: Final[frozenset[RefusalCode]] = frozenset({"malformed", "untrusted", "wrong_origin"})
"""Refusals that asking again does not change."""

_journal = logging.getLogger("landlink.uplink")


class Fate(enum.Enum):
    """What became of a message."""

    TAKEN = enum.auto()
    REFUSED = enum.auto()
    LATER = enum.auto()


class Handover:
    """The uplink's side of the recorder's socket, for one thread."""

    def __init__(self, socket: Path) -> None:
        self._line = RecorderLine(socket, timeout_s=ANSWER_TIMEOUT_S)
        self._note = b""
        self._rest_until_s = 0.0

    def keep(self, note: bytes) -> None:
        """A newer cosigned checkpoint to hand over; it replaces one that the recorder has not taken yet."""
        self._note = note

    def pass_on(self, index: Index) -> None:
        """Hand over everything that waits; what the recorder cannot take now waits for the next call."""
        if time.monotonic() < self._rest_until_s:
            return
        try:
            while waiting := index.unhanded(RECEIPTS_MAX):
                self._receipts(index, waiting)
            if self._note:
                self._line.ask(Cosigned(note=self._note))
                self._note = b""
        except RecorderRefused as refusal:
            if refusal.code in FINAL and not index.unhanded(1):
                _journal.warning("uplink: the recorder refuses headquarters' cosignature: %s", refusal)
                self._note = b""
        except (RecorderAway, Malformed):
            self._rest_until_s = time.monotonic() + AWAY_REST_S  # its supervisor restarts it; all is kept here

    def deliver(self, sealed: bytes) -> tuple[Fate, str]:
        """Hand over one sealed message; what became of it, and the recorder's words when it did not take it."""
        return self._hand(Deliver(sealed=sealed))

    def cosigned(self, note: bytes) -> tuple[Fate, str]:
        """Hand over a cosigned checkpoint that somebody carried here; as `deliver`."""
        return self._hand(Cosigned(note=note))

    def _hand(self, said: Deliver | Cosigned) -> tuple[Fate, str]:
        if time.monotonic() < self._rest_until_s:
            return Fate.LATER, "the recorder does not answer"
        try:
            self._line.ask(said)
        except RecorderRefused as refusal:
            return (Fate.REFUSED if refusal.code in FINAL else Fate.LATER), str(refusal)
        except (RecorderAway, Malformed) as error:
            self._rest_until_s = time.monotonic() + AWAY_REST_S
            return Fate.LATER, str(error)
        return Fate.TAKEN, ""

    def stick(self, seen: StickSeen) -> bool:
        """Have it logged that a stick was put in; False when the recorder cannot now."""
        try:
            self._line.ask(seen)
        except RecorderRefused as refusal:
            _journal.warning("uplink: the recorder does not log a stick: %s", refusal)
        except (RecorderAway, Malformed):
            return False
        return True

    def _receipts(self, index: Index, waiting: tuple[tuple[int, bytes], ...]) -> None:
        try:
            self._line.ask(Acknowledge(receipts=tuple(receipt for _, receipt in waiting)))
        except RecorderRefused as refusal:
            if refusal.code not in FINAL:
                raise
            if len(waiting) == 1:
                leaf = waiting[0][0]
                index.park(leaf, f"the recorder refuses headquarters' receipt: {refusal}")
                _journal.warning("uplink: entry %d set aside: the recorder refuses its receipt: %s", leaf, refusal)
                return
            for one in waiting:  # the others of this message are good
                self._receipts(index, (one,))
            return
        index.handed(leaf for leaf, _ in waiting)
