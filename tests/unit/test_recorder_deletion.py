"""Which bodies may go (I4), and how a deletion entry names them."""

import pytest

from appliance.errors import Malformed
from appliance.record.deletion import Acknowledged, deletable, parse_ranges, ranges_text

HOUR_MS = 3_600_000


def said(received_h: dict[int, int], *, opened_through: int, now_h: int) -> Acknowledged:
    return Acknowledged(
        received_ms={index: hours * HOUR_MS for index, hours in received_h.items()},
        opened_through=opened_through,
        headquarters_ms=now_h * HOUR_MS,
    )


def test_a_body_without_a_receipt_stays() -> None:
    assert deletable(said({}, opened_through=9, now_h=999), [3, 4], hold_ms=0) == []


def test_a_body_above_what_headquarters_has_opened_stays() -> None:
    assert deletable(said({3: 0, 4: 0}, opened_through=3, now_h=999), [4, 3], hold_ms=0) == [3]


def test_a_body_stays_for_the_hold_between_headquarters_own_times() -> None:
    held = said({3: 100, 4: 101}, opened_through=9, now_h=268)
    assert deletable(held, [3, 4], hold_ms=168 * HOUR_MS) == [3]


def test_nothing_goes_twice() -> None:
    assert deletable(said({3: 0, 4: 0}, opened_through=9, now_h=9), [4], hold_ms=0) == [4]


def test_a_receipt_never_takes_back_what_was_opened_nor_turns_time_back() -> None:
    known = said({}, opened_through=7, now_h=50)
    known.take(2, 40 * HOUR_MS, 5)
    assert (known.opened_through, known.headquarters_ms) == (7, 50 * HOUR_MS)


def test_ranges_are_written_with_both_ends_and_apart() -> None:
    assert ranges_text([0, 1, 2, 5, 7, 8]) == ("0-2,5,7-8", [0, 1, 2, 5, 7, 8])


def test_what_does_not_fit_one_entry_goes_with_the_next() -> None:
    text, named = ranges_text(range(100, 700, 2))
    assert len(text) == 255
    assert named == list(range(100, 228, 2))


@pytest.mark.parametrize("text", ["", "-", "1-", "-1", "2,1", "1,1", "3-2", "0-5,5", "1, 2", "+1", "٣", "0-9", "9"])
def test_ranges_that_are_not_ascending_or_not_below_their_entry_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_ranges(text, below=9)


def test_ranges_below_their_entry_are_read() -> None:
    assert parse_ranges("0-2,4,6-8", below=9) == [range(3), range(4, 5), range(6, 9)]
