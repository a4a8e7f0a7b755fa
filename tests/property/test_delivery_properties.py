"""Properties of the way to headquarters that hold for any queue, any ledger, any bytes."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.formats.upload import BODY_BYTES_MAX, ITEMS_MAX
from appliance.model import Priority
from appliance.uplink.backoff import SPREAD_S_MAX, WAIT_S_MAX, Backoff
from appliance.uplink.bodies import Bodies, Changes
from appliance.uplink.index import Item, State
from appliance.uplink.plan import BATCH_BYTES_MAX, PART_BYTES_MAX, PART_BYTES_MIN, Batch, Part, next_turn
from provisioning.collector.deposit import GAPS_MAX, gaps

ITEMS = st.builds(
    Item,
    leaf=st.integers(0, 10**6),
    priority=st.sampled_from(Priority),
    size=st.integers(1, 4_300_000),
    sha256=st.just(bytes(32)),
    state=st.sampled_from([State.QUEUED, State.SENDING]),
)
RATES = st.floats(500, 1e9)


@given(st.lists(ITEMS, min_size=1, max_size=300), RATES)
def test_a_turn_carries_the_first_in_order_and_keeps_every_bound(waiting: list[Item], rate: float) -> None:
    match next_turn(waiting, rate):
        case Part(item=item, bytes_max=bytes_max):
            assert item is waiting[0]
            assert item.size > BODY_BYTES_MAX
            assert PART_BYTES_MIN <= bytes_max <= PART_BYTES_MAX
        case Batch(items=items):
            assert items[0] is waiting[0]
            assert len(items) <= ITEMS_MAX
            assert all(item.size <= BODY_BYTES_MAX for item in items)
            carried = sum(item.size for item in items if item.state is State.QUEUED)
            assert len(items) == 1 or carried <= min(BATCH_BYTES_MAX, 8 * rate)


@given(st.lists(st.booleans(), max_size=60), st.floats(0, 1, exclude_max=True), st.floats(-10, 1e12))
def test_no_wait_is_longer_than_cap_and_spread(fails: list[bool], chance: float, spread: float) -> None:
    backoff = Backoff(lambda: chance)
    backoff.spread(spread)
    for fail in fails:
        if fail:
            assert 0 <= backoff.failed() <= WAIT_S_MAX + SPREAD_S_MAX
        else:
            backoff.succeeded()


@given(st.sets(st.integers(0, 400)))
def test_gaps_and_what_is_here_make_up_everything_below_the_high_water_mark(received: set[int]) -> None:
    high_water, missing = gaps(iter(sorted(received)))
    assert high_water == max(received, default=-1)
    lacking = {leaf for first, last in missing for leaf in range(first, last + 1)}
    assert lacking == set(range(high_water + 1)) - received


def test_more_gaps_than_an_answer_holds_leave_out_the_oldest() -> None:
    high_water, missing = gaps(iter(range(1, 4 * GAPS_MAX, 2)))
    assert high_water == 4 * GAPS_MAX - 1
    assert len(missing) == GAPS_MAX
    assert missing[-1] == (high_water - 1, high_water - 1)


@given(st.lists(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40)))
def test_any_file_name_in_the_folder_of_bodies_is_a_body_or_ignored(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name in [*names, "17.2.age"]:
            if name not in (".", ".."):
                (folder / name).write_bytes(b"sealed")
        bodies = Bodies(folder)
        found = bodies.look().fresh
        assert [body.priority for body in found if body.leaf == 17] == [Priority.RECORD]
        assert all(body.path.name == f"{body.leaf}.{int(body.priority)}.age" for body in found)
        (folder / "17.2.age").rename(folder / "18.0.age")
        changes = bodies.look()
        assert [body.leaf for body in changes.fresh] == [18]
        assert [body.leaf for body in changes.gone] == [17]
        assert bodies.look() == Changes()
