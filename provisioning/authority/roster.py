"""The roster: headquarters' own verification keys, and every enrolled box with what it may sign as.

`hq/roster.json` is the master copy; each change is counted up, written, and published to all boxes through TUF.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from appliance.errors import ConfigError, Refused
from appliance.files import write_durably
from appliance.formats.release import ROSTER_TARGET, Roster, RosterBox, encode_roster, parse_roster
from provisioning.authority.home import Home
from provisioning.authority.proposal import propose
from provisioning.authority.published import Published
from provisioning.authority.repository import Repository
from provisioning.authority.signing import sign_here

ROSTER_BYTES_MAX: Final = 64 * 1024 * 1024


def read_roster(home: Home) -> Roster:
    """Read headquarters' master copy.

    Raises:
        ConfigError: It cannot be read.
        Malformed: It is no roster.
    """
    try:
        with home.roster_file.open("rb") as file:
            return parse_roster(file.read(ROSTER_BYTES_MAX))
    except OSError as error:
        raise ConfigError(f"{home.roster_file}: {error.strerror}") from None


def enrolled(roster: Roster, serial: str) -> RosterBox:
    """The box with this serial number. Raises Refused when there is none."""
    box = roster.box(serial)
    if box is None:
        raise Refused(f"no box {serial} is enrolled; `landlink-hq boxes` names those that are")
    return box


def changed(old: Roster, change: Callable[[Roster], tuple[RosterBox, ...]]) -> Roster:
    """The roster that follows: its boxes replaced by what `change` makes of them, counted up."""
    return msgspec.structs.replace(old, version=old.version + 1, boxes=change(old))


def publish_roster(home: Home, roster: Roster, *, at_ms: int) -> None:
    """Write the master copy and publish it; needs 2 of the 3 offline keys.

    The master copy first: when publishing fails, the next change publishes this one too. But it is signed before, once
    for nothing: where the keys of persons are not here, no desk of headquarters may believe in the change either.

    Raises:
        ConfigError: Two offline keys are not here; nothing was changed.
        StorageFull, StorageFault: Do it again.
    """
    encoded = encode_roster(roster)
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    sign_here(propose(Published(home.folder), contents={ROSTER_TARGET: encoded}, at=at), home.keys)
    write_durably(home.roster_file, encoded, mode=0o644)
    Repository(home.folder).publish({ROSTER_TARGET: encoded}, at_ms=at_ms)


def without(roster: Roster, serial: str, *, at_ms: int) -> Roster:
    """The roster that follows, in which this box is revoked. Raises Refused: no such box, or it is revoked already."""

    def change(roster: Roster) -> tuple[RosterBox, ...]:
        if enrolled(roster, serial).revoked:
            raise Refused(f"box {serial} is revoked already")
        return tuple(
            msgspec.structs.replace(each, revoked=True, revoked_ms=at_ms) if each.serial == serial else each
            for each in roster.boxes
        )

    return changed(roster, change)


def revoke(home: Home, serial: str, *, at_ms: int) -> Roster:
    """Mark the box as revoked: the collector and the other boxes stop believing its TLS certificate.

    Entries of its log that nothing signed by headquarters covers at this time are named by `verify` from now on.

    Raises:
        Refused: No such box, or it is revoked already.
    """
    following = without(read_roster(home), serial, at_ms=at_ms)
    publish_roster(home, following, at_ms=at_ms)
    return following
