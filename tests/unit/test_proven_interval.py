"""What headquarters' signatures prove of the time of an entry, from checkpoints and receipts made by hand."""

import msgspec
import pytest

from appliance.clock import Grade, Instant
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.receipt import DeliveryReceipt
from appliance.formats.statement import EventEntry, Statement
from appliance.model import Mode, Sha256
from provisioning.audit.moments import best_ms, proofs, proven
from provisioning.audit.when import CosignedHead, Interval, proven_interval

ORIGIN = "landlink.example/la-0001.1"
AT = Instant(wall_ms=0, grade=Grade.NONE, lower_bound_ms=0, boot_id="ab" * 16, boot_ms=5_000)


def head(size: int, first_ms: int, last_ms: int | None = None) -> CosignedHead:
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=bytes([size]) * 32)
    return CosignedHead(checkpoint=checkpoint, note=b"", first_ms=first_ms, last_ms=last_ms or first_ms)


def statement(cosigned: CosignedHead | None) -> Statement:
    return Statement(
        origin=ORIGIN,
        epoch=0,
        mode=Mode.LIVE,
        at=AT,
        recipients_version=1,
        cosigned=None if cosigned is None else cosigned.checkpoint.digest(),
        kind=EventEntry(event="page_started", fields={}),
    )


def receipt(index: int, received_ms: int, origin: str = ORIGIN) -> DeliveryReceipt:
    return DeliveryReceipt(
        origin=origin,
        index=index,
        sha256=Sha256(bytes(32)),
        size=1,
        received_ms=received_ms,
        ledger_position=1,
        previous=None,
        opened_through=-1,
    )


def ends(interval: Interval) -> tuple[int | None, int | None]:
    return interval.after_ms, interval.before_ms


HEADS = (head(30, 3_000), head(10, 1_000), head(20, 2_000))


@pytest.mark.parametrize(
    ("index", "cosigned", "expected"),
    [
        (9, None, (None, 1_999)),
        (10, None, (None, 2_999)),
        (10, HEADS[1], (1_000, 2_999)),
        (19, HEADS[1], (1_000, 2_999)),
        (29, HEADS[2], (2_000, 3_999)),
        (30, HEADS[0], (3_000, None)),
        (30, head(25, 1), (None, None)),
    ],
    ids=["first", "covered by the second", "between", "last covered", "later", "not yet", "names what is not here"],
)
def test_an_entry_lies_between_the_checkpoint_it_names_and_the_first_that_covers_it(
    index: int, cosigned: CosignedHead | None, expected: tuple[int | None, int | None]
) -> None:
    assert ends(proven_interval(index, statement(cosigned), HEADS)) == expected


def test_an_entry_that_names_a_checkpoint_of_which_it_is_part_itself_proves_no_after() -> None:
    assert ends(proven_interval(5, statement(HEADS[1]), HEADS)) == (None, 1_999)


def test_a_receipt_for_the_body_counts_where_it_is_earlier_and_no_other_receipt_does() -> None:
    said = statement(None)
    assert ends(proven_interval(5, said, HEADS, [receipt(5, 900)])) == (None, 900)
    assert ends(proven_interval(5, said, HEADS, [receipt(5, 2_100)])) == (None, 1_999)
    assert ends(proven_interval(5, said, HEADS, [receipt(4, 900), receipt(5, 800, "landlink.example/la-0002.1")])) == (
        None,
        1_999,
    )


def test_of_a_checkpoint_cosigned_twice_the_first_cosignature_counts() -> None:
    again = head(10, 5_000)
    assert ends(proven_interval(12, statement(again), (again, HEADS[1]))) == (1_000, None)


def test_a_contradiction_is_named_and_never_smoothed_over() -> None:
    late = head(10, 9_000)
    interval = proven_interval(12, statement(late), (late, head(20, 2_000)))
    assert interval.contradictory
    assert proven(interval).startswith("CONTRADICTORY")
    assert not proven_interval(12, statement(None), HEADS).contradictory


def test_words_say_what_is_not_proven() -> None:
    nothing = proven_interval(40, statement(None), HEADS)
    assert proven(nothing) == "not proven yet"
    assert [line.split()[0] for line in proofs(nothing)] == ["after", "before"]
    assert all("not proven" in line for line in proofs(nothing))


@pytest.mark.parametrize(("wall_ms", "best"), [(0, 1_000), (1_500, 1_500), (99_000, 2_999)])
def test_a_clock_of_1970_or_of_2099_is_moved_into_what_is_proven(wall_ms: int, best: int) -> None:
    interval = proven_interval(12, statement(HEADS[1]), HEADS)
    assert best_ms(msgspec.structs.replace(AT, wall_ms=wall_ms), interval) == best
