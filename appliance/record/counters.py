"""Stage 6 of 8: record - what counts once: each counter of headquarters, and each case that it was asked about.

Messages may come late and out of order, by the link and by a stick; so beside the highest counter of a role the box
knows which of the 1,024 below it were taken. What lies lower is refused: it cannot be told from a replay.

Headquarters' word names a case by its screening record's identifier, which the booth makes. A taken-over booth could
give another traveller's case an identifier that was answered, or one with the same code, and so use that word again. So
a case may be asked about only if no other was under its code.

The whole of it travels in the journal frame of the entry that says so, and is published from there as a file. So taking
a counter costs the entry's one sync, and no crash takes one twice or loses it.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, structs

from appliance.errors import Malformed, Untrusted
from appliance.files import read_regular, replace_file
from appliance.formats.cbor import pack, parse
from appliance.formats.downlink import COUNTER_MAX
from appliance.formats.fields import Count
from appliance.formats.voice import CASE_SYMBOLS, case_code, read_code
from appliance.model import Id, Noun

WINDOW: Final = 1_024
WINDOW_BYTES: Final = WINDOW // 8
ASKED_MAX: Final = 2_048
"""Cases; the oldest goes. Whoever wants one forgotten has to ask headquarters about as many: it hears of that."""
ASKED_BYTES_MAX: Final = ASKED_MAX * CASE_SYMBOLS
TAKEN_BYTES_MAX: Final = 1_024 + ASKED_BYTES_MAX


class RoleTaken(Noun, frozen=True, kw_only=True):
    """Counters of one role.

    Attributes:
        highest: The highest that was taken, 0 before the first.
        below: Big-endian; its bit n, the lowest being 0, says whether `highest - 1 - n` was taken.
    """

    highest: Count = 0
    below: Annotated[bytes, Meta(min_length=WINDOW_BYTES, max_length=WINDOW_BYTES)] = bytes(WINDOW_BYTES)

    def take(self, counter: int) -> "RoleTaken":
        """These counters and one more.

        Raises:
            Malformed: No message has such a counter.
            Untrusted: It was taken before, or lies too far back to tell.
        """
        if not 1 <= counter <= COUNTER_MAX:
            raise Malformed("downlink", f"its counter is not from 1 to {COUNTER_MAX}")
        taken = int.from_bytes(self.below, "big")
        if counter > self.highest:
            forward = min(counter - self.highest, WINDOW + 1)
            moved = (taken << 1 | 1) << (forward - 1) & (1 << WINDOW) - 1
            return RoleTaken(highest=counter, below=moved.to_bytes(WINDOW_BYTES, "big"))
        back = self.highest - counter
        if back > WINDOW:
            raise Untrusted("downlink: so much older than the newest that it cannot be told from one taken before")
        if back == 0 or taken >> (back - 1) & 1:
            raise Untrusted("downlink: it was taken before")
        return structs.replace(self, below=(taken | 1 << (back - 1)).to_bytes(WINDOW_BYTES, "big"))


class Taken(Noun, frozen=True, kw_only=True):
    """What was taken, and asked.

    Attributes:
        answers, directives: Counters of the roles of these names.
        asked: Codes of the cases that headquarters was asked about, oldest first, each as its symbols in ASCII.
    """

    answers: RoleTaken = RoleTaken()
    directives: RoleTaken = RoleTaken()
    asked: Annotated[bytes, Meta(max_length=ASKED_BYTES_MAX)] = b""

    def take(self, role: str, counter: int) -> "Taken":
        """These counters and one more of a role. Raises Malformed, Untrusted as `RoleTaken.take`."""
        before: RoleTaken = getattr(self, role)
        return structs.replace(self, **{role: before.take(counter)})

    def ask(self, of: Id) -> "Taken":
        """The same when headquarters is asked about the case of this record.

        Raises:
            Malformed: It was asked about a case with this code before.
        """
        code = read_code(case_code(of), CASE_SYMBOLS).encode("ascii")
        if any(self.asked[place : place + CASE_SYMBOLS] == code for place in range(0, len(self.asked), CASE_SYMBOLS)):
            raise Malformed("append", "headquarters was asked about a case with this code: lay the document again")
        return structs.replace(self, asked=(self.asked + code)[-ASKED_BYTES_MAX:])


class Counters:
    """The counters on this box.

    Args:
        path: The file they are published as.

    Attributes:
        taken: As durable as the newest entry.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.taken = Taken()

    def load(self, journal: Iterable[Taken | None]) -> None:
        """Read what was published, and then what a journal says, oldest first.

        A file that a power cut tore is no loss: its journal goes only after it is synced.
        """
        with contextlib.suppress(OSError, Malformed):
            data = read_regular(self._path, TAKEN_BYTES_MAX)
            self.taken = parse(data, Taken, what="counters", bytes_max=TAKEN_BYTES_MAX)
        for taken in journal:
            self.taken = taken or self.taken

    def write(self, taken: Taken) -> Path:
        """Publish them from their frame."""
        replace_file(self._path, pack(taken), mode=0o600)
        return self._path
