"""Times that statements claim, against each other and against what headquarters signed; expected by hand."""

import pytest

from appliance.clock import Grade, Instant
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.receipt import DeliveryReceipt
from appliance.formats.statement import EventEntry, Statement
from appliance.model import Mode
from provisioning.audit import testimony as said_by_headquarters
from provisioning.audit.chronology import SLACK_MS, Chronology
from provisioning.audit.when import CosignedHead

Word = said_by_headquarters.Testimony
ORIGIN = "landlink.example/la-0001.1"
NOON = 1_795_003_200_000
"""2026-11-18 12:00:00 UTC."""
HOUR = 3_600_000
BOOT, OTHER_BOOT = "0" * 32, "1" * 32


def head(size: int, at_ms: int) -> CosignedHead:
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=bytes([size]) * 32)
    return CosignedHead(checkpoint=checkpoint, note=b"", first_ms=at_ms, last_ms=at_ms)


def receipt(index: int, at_ms: int) -> DeliveryReceipt:
    return DeliveryReceipt(
        origin=ORIGIN,
        index=index,
        sha256=bytes(32),
        size=1,
        received_ms=at_ms,
        ledger_position=1,
        previous=None,
        opened_through=-1,
    )


def said(
    *,
    wall: int = NOON,
    bound: int = NOON - 24 * HOUR,
    boot_ms: int = 0,
    grade: Grade = Grade.NETWORK,
    boot: str = BOOT,
    cosigned: CosignedHead | None = None,
    epoch: int = 0,
) -> Statement:
    return Statement(
        origin=ORIGIN,
        epoch=epoch,
        mode=Mode.LIVE,
        at=Instant(wall_ms=wall, grade=grade, lower_bound_ms=bound, boot_id=boot, boot_ms=boot_ms),
        recipients_version=1,
        cosigned=cosigned.checkpoint.digest() if cosigned else None,
        kind=EventEntry(event="page_started", fields={}),
    )


def judged(testimony: Word, *statements: Statement) -> list[list[str]]:
    chronology = Chronology(testimony)
    return [chronology.take(index, statement) for index, statement in enumerate(statements)]


def test_an_honest_morning_contradicts_nothing() -> None:
    first = head(1, NOON)
    testimony = Word([first, head(3, NOON + HOUR)], {1: receipt(1, NOON + 2 * HOUR)}, reaches=3, asked=True)
    statements = [
        said(wall=NOON - HOUR),
        said(wall=NOON + 1, boot_ms=1, cosigned=first, bound=NOON),
        said(wall=NOON + HOUR, boot_ms=2, cosigned=first, bound=NOON),
        said(wall=NOON + 3 * HOUR, boot_ms=0, cosigned=first, boot=OTHER_BOOT, epoch=1),
    ]
    assert judged(testimony, *statements) == [[], [], [], []]


def test_naming_what_was_signed_after_headquarters_already_had_the_entry_contradicts() -> None:
    late = head(1, NOON + HOUR)
    testimony = Word([late, head(2, NOON)], reaches=2)
    (_, words) = judged(testimony, said(grade=Grade.NONE), said(grade=Grade.NONE, cosigned=late))
    (only,) = words
    assert "it names what headquarters signed on 2026-11-18 13:00:00 UTC" in only
    assert "had signed for it already on 2026-11-18 12:00:00 UTC" in only


def test_naming_a_tree_that_already_has_the_entry_contradicts() -> None:
    """A card that was set back still holds the last cosigned checkpoint, of a tree that it no longer has."""
    large = head(9, NOON)
    assert "among which it stands itself" in judged(Word([large], reaches=9), said(cosigned=large))[0][0]


def test_a_name_of_which_the_collector_may_not_have_been_asked_yet_is_counted_and_not_named() -> None:
    chronology = Chronology(Word([head(1, NOON)], reaches=1))
    assert chronology.take(1, said(cosigned=head(7, NOON)))
    assert chronology.take(2, said(cosigned=head(7, NOON))) == []
    assert chronology.unproven == 1


def test_a_bound_that_is_called_proven_and_lies_after_headquarters_had_the_entry_contradicts() -> None:
    testimony = Word([], {0: receipt(0, NOON)}, asked=True)
    assert judged(testimony, said(bound=NOON + 999)) == [[]]  # cosignatures name whole seconds
    assert "claims to be proven later" in judged(testimony, said(bound=NOON + 1_000, wall=NOON))[0][0]


@pytest.mark.parametrize(
    ("grade", "named"), [(Grade.NETWORK, True), (Grade.RTC, False), (Grade.NONE, False), (Grade.HEADQUARTERS, False)]
)
def test_only_a_clock_that_a_network_set_is_held_to_its_wall_time(grade: Grade, *, named: bool) -> None:
    first = head(1, NOON)
    testimony = Word([first, head(2, NOON + HOUR)], reaches=2)
    for wall in (NOON - SLACK_MS - 1, NOON + HOUR + SLACK_MS + 1):
        (_, words) = judged(testimony, said(grade=Grade.NONE), said(grade=grade, wall=wall, cosigned=first))
        assert bool(words) is named
    for wall in (NOON - SLACK_MS, NOON + HOUR + SLACK_MS):
        assert judged(testimony, said(grade=Grade.NONE), said(grade=grade, wall=wall, cosigned=first))[1] == []


def test_clocks_that_run_backwards_within_a_boot_and_bounds_within_an_epoch_contradict() -> None:
    nothing = Word()
    assert "boot-time clock is behind" in judged(nothing, said(boot_ms=5), said(boot_ms=4))[1][0]
    assert judged(nothing, said(boot_ms=5), said(boot_ms=4, boot=OTHER_BOOT)) == [[], []]
    assert "lower bound is below" in judged(nothing, said(bound=NOON), said(bound=NOON - 1))[1][0]
    assert judged(nothing, said(bound=NOON), said(bound=NOON - 1, epoch=1)) == [[], []]


def test_a_boot_that_comes_back_after_another_shows_two_machines() -> None:
    words = judged(Word(), said(), said(boot=OTHER_BOOT, epoch=1), said(epoch=2))
    assert words[:2] == [[], []]
    assert "two machines, or two cards" in words[2][0]


def test_what_covers_an_entry_first_counts_and_a_receipt_covers_what_is_before_it() -> None:
    testimony = Word([head(3, NOON + HOUR), head(9, NOON + 2 * HOUR)], {5: receipt(5, NOON)}, reaches=9)
    assert [testimony.before_ms(index) for index in (0, 2, 3, 5, 6, 8, 9)] == [
        NOON,
        NOON,
        NOON,
        NOON,
        NOON + 2 * HOUR,
        NOON + 2 * HOUR,
        None,
    ]
    assert [testimony.shown_by(at) for at in (NOON - 1, NOON, NOON + 2 * HOUR)] == [0, 6, 9]


def test_of_a_checkpoint_that_was_cosigned_twice_the_first_counts() -> None:
    first, again = head(1, NOON), head(1, NOON + HOUR)
    assert Word([first, again], reaches=1).named(first.checkpoint.digest()) == first
