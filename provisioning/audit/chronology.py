"""The times that a log's statements claim, held against each other and against what headquarters signed. Pure.

No clock of a box proves anything (I9). But its claims must not contradict what is proven, nor each other:

1. `cosigned` names a checkpoint that headquarters signed, of a tree that does not yet have the entry: it says "after".
2. What headquarters signed that covers the entry says "before", and that is not before "after".
3. The lower bound that the box calls proven is not above "before".
4. Within one boot the boot-time clock, within one epoch the lower bound as well, does not run backwards.
5. A boot that another one has followed does not come back: two machines would be writing one log.
6. Wall time that a network vouched for lies between the two, within five minutes; other clocks claim little.
"""

from datetime import UTC, datetime
from typing import Final

from appliance.clock import Grade, Instant
from appliance.formats.statement import Statement
from provisioning.audit.testimony import Testimony
from provisioning.audit.when import COSIGNED_WITHIN_MS

SLACK_MS: Final = 5 * 60_000
"""What a clock set over a network, and headquarters' own, may be off."""


class Chronology:
    """Takes a log's verified statements in order; says what contradicts.

    Args:
        testimony: What headquarters signed about the log.
    """

    def __init__(self, testimony: Testimony) -> None:
        self._testimony = testimony
        self._last: Statement | None = None
        self._past_boots: set[str] = set()
        self.unproven = 0

    def follow(self, statement: Statement) -> None:
        """Take a statement that was judged before."""
        if self._last is not None and self._last.at.boot_id != statement.at.boot_id:
            self._past_boots.add(self._last.at.boot_id)
        self._last = statement

    def take(self, index: int, statement: Statement) -> list[str]:
        """Judge the next statement: what contradicts, in plain words; `unproven` counts what cannot be judged here."""
        words = self._against_the_last(statement)
        self.follow(statement)
        after_ms = self._after(index, statement, words)
        before_ms = self._testimony.before_ms(index)
        if after_ms is not None:
            words += _late(statement.at, after_ms, before_ms)
        if before_ms is not None:
            words += _early(statement.at, before_ms)
        return words

    def _after(self, index: int, statement: Statement, words: list[str]) -> int | None:
        """When headquarters had cosigned the checkpoint that the statement names; None when that is not known."""
        if statement.cosigned is None:
            return None
        head = self._testimony.named(statement.cosigned)
        if head is None:
            if index <= self._testimony.reaches:
                words.append(
                    "the checkpoint that it names as cosigned was signed neither by headquarters' collector nor, as "
                    "far as this home has kept, at this desk"
                )
            else:
                self.unproven += 1
            return None
        if head.checkpoint.size > index:
            words.append(f"it names a checkpoint of {head.checkpoint.size} entries, among which it stands itself")
            return None
        return head.first_ms

    def _against_the_last(self, statement: Statement) -> list[str]:
        last = self._last
        if last is None:
            return []
        if statement.at.boot_id != last.at.boot_id:
            if statement.at.boot_id in self._past_boots:
                return ["it was made in a boot that another had followed: two machines, or two cards, write this log"]
            return []
        words: list[str] = []
        if statement.at.boot_ms < last.at.boot_ms:
            words.append("its boot-time clock is behind that of the entry before it, in the same boot")
        if statement.epoch == last.epoch and statement.at.lower_bound_ms < last.at.lower_bound_ms:
            words.append("its proven lower bound is below that of the entry before it, in the same epoch")
        return words


def _late(at: Instant, after_ms: int, before_ms: int | None) -> list[str]:
    """What contradicts "not before"."""
    words: list[str] = []
    if before_ms is not None and before_ms < after_ms:
        words.append(
            f"its times contradict: it names what headquarters signed on {moment(after_ms)}, "
            f"and headquarters had signed for it already on {moment(before_ms)}"
        )
    if at.grade is Grade.NETWORK and at.wall_ms < after_ms - SLACK_MS:
        words.append(
            f"it claims {moment(at.wall_ms)} by a clock that a network set, and names what headquarters signed on "
            f"{moment(after_ms)}"
        )
    return words


def _early(at: Instant, before_ms: int) -> list[str]:
    """What contradicts "not after"."""
    words: list[str] = []
    if at.lower_bound_ms > before_ms + COSIGNED_WITHIN_MS:
        words.append(
            f"it claims to be proven later than {moment(at.lower_bound_ms)}, and headquarters had signed for it "
            f"already on {moment(before_ms)}"
        )
    if at.grade is Grade.NETWORK and at.wall_ms > before_ms + SLACK_MS:
        words.append(
            f"it claims {moment(at.wall_ms)} by a clock that a network set, and headquarters had signed for it "
            f"already on {moment(before_ms)}"
        )
    return words


def moment(ms: int) -> str:
    """A time for a person; `ms` since 1970."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
