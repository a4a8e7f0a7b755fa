"""The time that is proven (I9), as `releases` finds out for itself: what headquarters signed, verified here.

The release in service says when it was signed. What headquarters cosigned later comes from the recorder, who has it
from the link; neither is believed, since both cosignatures are verified here and carry their own times. So somebody who
holds the mirror back, and lets the log go up, is noticed: the time that comes back with the log passes the life of the
mirror's timestamp (freeze, TUF specification §1.5.2). No clock is asked.
"""

from datetime import date
from typing import Final

from tuf.api.metadata import Timestamp

from appliance.clock import BUILT_AT_MS
from appliance.errors import LandlinkError, Malformed, StorageFault
from appliance.files import read_regular
from appliance.formats.note import Verifier, open_note, parse_vkey
from appliance.formats.release import COSIGN_ED25519, COSIGN_MLDSA44, Release
from appliance.formats.tuf_chain import TIMESTAMP_BYTES_MAX, read_metadata
from appliance.shelf import Shelf

COSIGNERS: Final = (COSIGN_ED25519, COSIGN_MLDSA44)
TIMESTAMP: Final = "metadata/timestamp.json"


class ProvenTime:
    """The latest time that headquarters has signed and this process has verified; it never goes back.

    Args:
        shelf: Where the release in service lies.

    Attributes:
        at_ms: It is later than this, milliseconds since 1970.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._stamp: tuple[int, int] | None = None
        self._dated: date | None = None
        self._fresh_until_ms = 0
        self._cosigners: tuple[Verifier, ...] = ()
        self.at_ms = BUILT_AT_MS

    @property
    def still_since(self) -> date | None:
        """The day of the release in service once headquarters has signed anything later than that release may live."""
        return self._dated if self._dated is not None and self.at_ms > self._fresh_until_ms else None

    def look(self) -> None:
        """Learn from the release in service when another one is; one that does not hold teaches nothing."""
        stamp = self._shelf.stamp()
        if stamp is None or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            release = self._shelf.load(lists=False)
            self._fresh_until_ms = self._life()
            self._cosigners = _cosigners(release)
        except LandlinkError:
            self._dated = None
            return
        self._dated = release.dated
        self.at_ms = max(self.at_ms, release.signed_ms)

    def hear(self, note: bytes) -> None:
        """Learn from a checkpoint that all of headquarters' cosigners have signed, whichever log's it is.

        Raises:
            Malformed, Untrusted: It is none, or not signed by all of them; nothing was learned.
        """
        if not note or not self._cosigners:
            return
        opened = open_note(note, self._cosigners)
        times = [opened.require(cosigner).at_s for cosigner in self._cosigners]
        self.at_ms = max(self.at_ms, min(at_s or 0 for at_s in times) * 1_000)

    def _life(self) -> int:
        """Until when the timestamp of the release in service holds, milliseconds since 1970; verified by the load."""
        place = self._shelf.place()
        if place is None:
            raise Malformed("timestamp.json", "there is none")
        try:
            data = read_regular(place / TIMESTAMP, TIMESTAMP_BYTES_MAX)
        except OSError as error:
            raise StorageFault(f"reading timestamp.json: {error.strerror}") from error
        signed = read_metadata(data, Timestamp, what="timestamp.json", bytes_max=TIMESTAMP_BYTES_MAX).signed
        return int(signed.expires.timestamp() * 1_000)


def _cosigners(release: Release) -> tuple[Verifier, ...]:
    """Those of the roster; () when it has not both. Raises Malformed."""
    there = {key.role for key in release.roster.keys}
    if not there.issuperset(COSIGNERS):
        return ()
    return tuple(parse_vkey(release.roster.key(role).vkey) for role in COSIGNERS)
