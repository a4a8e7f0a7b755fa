"""Make a negative exhibit of one log."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from appliance.errors import Refused
from provisioning.audit.opened.search import Openers
from provisioning.audit.store import PulledLog
from provisioning.audit.when import cosigned_head
from provisioning.authority.home import Home
from provisioning.custody.log import CustodyLog
from provisioning.exhibit.assembling import EXHIBIT, Order, assemble_nothing
from provisioning.exhibit.contents import Exhibit, Nothing
from provisioning.exhibit.custody_part import custody_pieces
from provisioning.exhibit.custody_sum import About
from provisioning.exhibit.entry import LogTree
from provisioning.exhibit.interval import Cover, Passed, claimed_within, cover, unproven
from provisioning.exhibit.making import base
from provisioning.exhibit.nothing import count, nothing_pieces
from provisioning.exhibit.times import Shown, pretty
from provisioning.exhibit.trust import Trusted


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a negative exhibit is about: an interval, milliseconds since 1970, and a document's number or ""."""

    from_ms: int
    to_ms: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingFound:
    """A question that no record of a log answers.

    Attributes:
        kept: The log.
        asked: The question.
        passed: Every entry of the log.
        covered: Which of them can be of the time.
        pieces: Keys and checkpoint as files.
        trusted: The same, verified.
        tree: The log behind them.
    """

    kept: PulledLog
    asked: Asked
    passed: Sequence[Passed]
    covered: Cover
    pieces: dict[str, bytes]
    trusted: Trusted
    tree: LogTree


def nothing_found(home: Home, kept: PulledLog, passed: Sequence[Passed], shown: Shown, asked: Asked) -> NothingFound:
    """Make sure that no record answers.

    Args:
        home: Headquarters.
        kept: The log.
        passed: Every entry of it, opened where a key here opens it.
        shown: Headquarters' signatures on it.
        asked: The question.

    Raises:
        Refused: A record answers the question, or nothing that was pulled says anything of that time.
        Broken: Something of it does not hold, so there is no exhibit.
        ConfigError, StorageFault: Something cannot be read.
    """
    pieces, trusted, tree = base(home, kept)
    own = cosigned_head(trusted.note, trusted.log.verifier, trusted.cosigners)
    heads = [*shown.heads, *(() if own is None else (own,))]
    covered = cover(passed, heads, asked.from_ms, asked.to_ms)
    if covered.first == len(passed):
        raise Refused(
            f"headquarters had cosigned all {len(passed)} entries of {kept.log.origin} before that time: nothing that "
            "was pulled says anything of it; next: landlink-hq pull"
        )
    inside = passed[covered.first : covered.end]
    found = [each for each in inside if each.answers and claimed_within(each, asked.from_ms, asked.to_ms)]
    if found:
        places_found = ", ".join(str(each.index) for each in found[:10])
        raise Refused(
            f"{len(found)} records of {kept.log.origin} answer this (entries {places_found}): there is no negative "
            "exhibit; `landlink-hq find` shows them"
        )
    return NothingFound(
        kept=kept, asked=asked, passed=passed, covered=covered, pieces=pieces, trusted=trusted, tree=tree
    )


def nothing_exhibit(home: Home, found: NothingFound, keys: Openers, order: Order) -> tuple[Exhibit, dict[str, bytes]]:
    """What a negative exhibit says, and every file of its `evidence/`.

    Raises:
        Broken: Something of it does not hold, so there is no exhibit.
        StorageFault: Something cannot be read.
    """
    covered, trusted = found.covered, found.trusted
    nothing = _said(found.passed, covered, order, found.asked, trusted)
    pieces = found.pieces | nothing_pieces(found.kept, covered, found.passed, found.tree, trusted)
    identities = (keys.first, *keys.others)
    about = About("", order.origin, covered.first, covered.end)
    pieces |= custody_pieces(CustodyLog(home), about, identities, words=not order.redacted)
    exhibit = assemble_nothing(pieces, order, nothing)
    return exhibit, {**pieces, EXHIBIT: pretty(exhibit)}


def _said(passed: Sequence[Passed], covered: Cover, order: Order, asked: Asked, trusted: Trusted) -> Nothing:
    leaves, opened, closed = count(passed, covered)
    others = (origin for origin in trusted.box.origins if origin != order.origin)
    return Nothing(
        from_ms=asked.from_ms,
        to_ms=asked.to_ms,
        number=None if order.redacted else asked.number,
        first=covered.first,
        end=covered.end,
        before=covered.first,
        entries=leaves,
        opened=opened,
        awaited=closed,
        found=0,
        unproven=unproven(passed, covered, asked.from_ms, asked.to_ms, number=bool(asked.number)),
        other_logs=tuple(f"{origin} is another log of this box: not covered" for origin in others),
    )
