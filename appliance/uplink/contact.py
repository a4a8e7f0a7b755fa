"""Whether headquarters was reached, shared by the threads that try, and told to the page as `uplink.status`."""

import enum
import threading
import time
from pathlib import Path
from typing import Final

from appliance.errors import Malformed
from appliance.files import replace_file
from appliance.formats.status import UplinkStatus, encode_status, parse_status

WORDS_MAX: Final = 256


class Party(enum.Enum):
    """Who tries."""

    DELIVERY = enum.auto()
    MIRROR = enum.auto()


class Contact:
    """The last attempt of each party, and the status file that says so.

    Args:
        path: `uplink.status`; what it says of an earlier run is kept until there is news.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Condition()
        self._why: dict[Party, str] = {}
        self._made = 0
        self._last_ms, self._headquarters_ms = _earlier(path)
        self._written: UplinkStatus | None = None
        self._refused, self._refused_why = 0, ""
        self._stick = ""

    @property
    def made_count(self) -> int:
        """How often headquarters answered; a change tells a waiting thread that the link is back."""
        with self._lock:
            return self._made

    def made(self, party: Party) -> None:
        """Headquarters answered."""
        with self._lock:
            self._why[party] = ""
            self._made += 1
            self._last_ms = time.time_ns() // 1_000_000
            self._lock.notify_all()

    def wait_made(self, seconds: float) -> None:
        """Wait so long, or until somebody reaches headquarters."""
        with self._lock:
            self._lock.wait(seconds)

    def idle(self, party: Party) -> None:
        """Nothing is left to try: what failed before is over."""
        with self._lock:
            if party in self._why:
                self._why[party] = ""

    def lost(self, party: Party, why: str) -> None:
        """An attempt failed."""
        with self._lock:
            self._why[party] = why[:WORDS_MAX]

    def signed(self, headquarters_ms: int) -> None:
        """Headquarters signed at this time, milliseconds since 1970, as it says."""
        with self._lock:
            self._headquarters_ms = max(self._headquarters_ms or 0, headquarters_ms)

    def refused(self, count: int, why: str) -> None:
        """The recorder refused messages to this box, so many in all; the last one for this reason."""
        with self._lock:
            self._refused, self._refused_why = count, why[:WORDS_MAX]

    def stick(self, words: str) -> None:
        """What became of the stick, in plain words."""
        with self._lock:
            self._stick = words[:WORDS_MAX]

    def tell(self, *, not_sent: int, parked: int, alarm: str) -> None:
        """Write the status file when it would say something new.

        Args:
            not_sent: Bodies that headquarters has not acknowledged, set aside ones included.
            parked: Bodies set aside.
            alarm: Why headquarters does not take the log; "" when it does.
        """
        with self._lock:
            why = next((words for words in self._why.values() if words), "")
            status = UplinkStatus(
                connected=bool(self._why) and not why,
                not_sent=not_sent,
                parked=parked,
                last_contact_ms=self._last_ms,
                headquarters_ms=self._headquarters_ms,
                why=why or ("" if self._why else "not tried yet"),
                alarm=alarm[:WORDS_MAX],
                refused=self._refused,
                refused_why=self._refused_why,
                stick=self._stick,
            )
        if status != self._written:
            replace_file(self._path, encode_status(status))
            self._written = status


def _earlier(path: Path) -> tuple[int | None, int | None]:
    try:
        earlier = parse_status(path.read_bytes(), UplinkStatus)
    except (OSError, Malformed):
        return None, None
    return earlier.last_contact_ms, earlier.headquarters_ms
