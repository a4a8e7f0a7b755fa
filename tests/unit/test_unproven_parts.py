"""provisioning/exhibit/interval.py: the parts of a negative exhibit that prove less, in order and each told once."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.clock import Grade, Instant
from appliance.formats.statement import EventEntry
from provisioning.exhibit.contents import Unproven
from provisioning.exhibit.interval import EVENT, SEALED, Cover, Passed, unproven

FROM, TO = 1_000_000, 2_000_000


def entry(index: int, at_ms: int, event: str = "", *, epoch: int = 0, **fields: str) -> Passed:
    return Passed(
        index=index,
        leaf=EVENT if event else SEALED,
        record="" if event else "canary",
        epoch=epoch,
        at=Instant(wall_ms=at_ms, grade=Grade.RTC, lower_bound_ms=0, boot_id="5a" * 16, boot_ms=index),
        cosigned=None,
        event=EventEntry(event=event, fields=fields) if event else None,
    )


def told(*entries: Passed) -> tuple[Unproven, ...]:
    """Of a log between two cosigned trees, so that its edges are proven."""
    entries = (entry(0, FROM - 5), *entries)
    whole = Cover(first=0, end=len(entries), start=None, after=None)
    parts = unproven(entries, whole, FROM, TO, number=False)
    return tuple(part for part in parts if "may still be on the box" not in part.why)


def started(index: int, at_ms: int, epoch: int) -> Passed:
    return entry(index, at_ms, "recorder_started", epoch=epoch, boot="new", before="cut")


def test_parts_come_by_time_whatever_kind_they_are() -> None:
    parts = told(
        entry(1, FROM + 10),
        entry(2, FROM + 100, "device_changed", device="scanner", state="absent"),
        entry(3, FROM + 200, "not_recorded", count="2"),
        entry(4, FROM + 300, "device_changed", device="scanner", state="ready"),
        started(5, FROM + 400, epoch=1),
    )
    assert [(part.from_ms, part.to_ms) for part in parts] == [
        (FROM + 100, FROM + 300),
        (FROM + 200, FROM + 200),
        (FROM + 300, FROM + 400),
    ]


def test_a_scanner_that_goes_twice_before_it_comes_back_is_one_part() -> None:
    absent = {"device": "scanner", "state": "absent"}
    (part,) = told(
        entry(1, FROM + 100, "device_changed", **absent),
        entry(2, FROM + 150, "device_changed", **absent),
        entry(3, FROM + 300, "device_changed", device="scanner", state="ready"),
    )
    assert (part.from_ms, part.to_ms, part.first, part.last) == (FROM + 100, FROM + 300, 1, 3)


def test_a_recorder_that_starts_twice_without_an_entry_between_is_one_part() -> None:
    (part,) = told(entry(1, FROM + 50), started(2, FROM + 100, epoch=1), started(3, FROM + 200, epoch=2))
    assert (part.from_ms, part.to_ms, part.first, part.last) == (FROM + 50, FROM + 200, 1, 3)


def test_two_reasons_for_one_time_stay_two_parts() -> None:
    parts = told(entry(1, FROM + 50), started(2, FROM + 100, epoch=1), entry(3, FROM + 110, "page_started"))
    assert [part.why.split()[1] for part in parts] == ["recorder", "page's"]


def test_two_counts_of_results_not_recorded_are_never_told_as_one() -> None:
    parts = told(entry(1, FROM + 9, "not_recorded", count="1"), entry(2, FROM + 9, "not_recorded", count="1"))
    assert [(part.first, part.last) for part in parts] == [(1, 1), (2, 2)]


def test_a_clock_that_was_set_back_across_the_interval_hides_no_gap() -> None:
    """From 2099 back to the interval's day: the recorder may have been off at any time of it."""
    (part,) = told(entry(1, 4_070_908_800_000), started(2, FROM + 100, epoch=1))
    assert (part.from_ms, part.to_ms) == (FROM + 100, 4_070_908_800_000)


@given(
    st.lists(
        st.tuples(
            st.integers(FROM - 1000, TO + 1000), st.sampled_from(["absent", "faulted", "ready", "start", "page"])
        ),
        max_size=12,
    )
)
def test_whatever_happened_parts_are_in_order_and_no_two_of_one_reason_overlap(moments: list[tuple[int, str]]) -> None:
    entries: list[Passed] = []
    for index, (at_ms, what) in enumerate(sorted(moments), 1):
        match what:
            case "start":
                entries.append(started(index, at_ms, epoch=index))
            case "page":
                entries.append(entry(index, at_ms, "page_started"))
            case state:
                entries.append(entry(index, at_ms, "device_changed", device="scanner", state=state))
    parts = told(*entries)
    begins = [part.from_ms or 0 for part in parts]
    assert begins == sorted(begins)
    for at, part in enumerate(parts):
        for later in parts[at + 1 :]:
            assert later.why != part.why or (later.from_ms or 0) >= (part.to_ms or 0)
