"""The queue: what goes next, how long to wait, and an index that may be damaged at any time."""

import sqlite3
from pathlib import Path

import pytest

from appliance.errors import StorageFault
from appliance.model import Origin, Priority
from appliance.uplink.backoff import Backoff
from appliance.uplink.index import Counts, Index, Item, State
from appliance.uplink.plan import Batch, Part, next_turn, part_bytes

ORIGIN = Origin("landlink.example/la-0001.1")


def item(leaf: int, size: int = 9_000, priority: Priority = Priority.RECORD, state: State = State.QUEUED) -> Item:
    return Item(leaf=leaf, priority=priority, size=size, sha256=bytes([leaf % 256]) * 32, state=state)


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_the_first_five_waits_lie_between_a_tenth_and_eight_tenths_of_a_second() -> None:
    shortest, longest = Backoff(lambda: 0.0), Backoff(lambda: 1.0)
    assert [shortest.failed() for _ in range(5)] == pytest.approx([0.1] * 5)
    assert [longest.failed() for _ in range(5)] == pytest.approx([0.8] * 5)


def test_then_waits_double_up_to_a_quarter_of_an_hour() -> None:
    patient = Backoff(lambda: 1.0)
    waits = [patient.failed() for _ in range(30)][5:]
    assert waits[:4] == pytest.approx([1.6, 3.2, 6.4, 12.8])
    assert max(waits) == 900.0


def test_jitter_is_full_at_the_cap_so_that_boxes_do_not_return_as_a_herd() -> None:
    eager = Backoff(lambda: 0.25)
    waits = [eager.failed() for _ in range(30)]
    assert waits[-1] == pytest.approx(225.0)  # a quarter of the capped 900 s, not 900 s minus a little


def test_the_servers_spread_comes_on_top_and_is_bounded() -> None:
    spread = Backoff(lambda: 1.0)
    spread.spread(1e9)
    assert [spread.failed() for _ in range(40)][-1] == 900.0 + 300.0


def test_contact_starts_the_count_again() -> None:
    backoff = Backoff(lambda: 1.0)
    for _ in range(20):
        backoff.failed()
    backoff.succeeded()
    assert backoff.failed() == pytest.approx(0.8)


# --- choosing ---------------------------------------------------------------------------------------------------------


def test_small_bodies_go_together_up_to_256_kib() -> None:
    turn = next_turn([item(leaf, 60_000) for leaf in range(20)], rate_bytes_per_s=1e9)
    assert isinstance(turn, Batch)
    assert [chosen.leaf for chosen in turn.items] == [0, 1, 2, 3]  # 4 x 60,000 fit, 5 do not


def test_a_slow_link_gets_small_batches_but_never_an_empty_one() -> None:
    turn = next_turn([item(0, 60_000), item(1, 100)], rate_bytes_per_s=500)
    assert isinstance(turn, Batch)
    assert [chosen.leaf for chosen in turn.items] == [0]


def test_a_large_body_goes_in_parts_of_eight_seconds_within_bounds() -> None:
    turn = next_turn([item(7, 65_537, Priority.BULK), item(8)], rate_bytes_per_s=10_000)
    assert turn == Part(item=item(7, 65_537, Priority.BULK), bytes_max=80_000)
    assert (part_bytes(500), part_bytes(1e9)) == (32_768, 1_048_576)


def test_what_only_asks_for_its_receipt_costs_no_body() -> None:
    turn = next_turn([item(leaf, 60_000, state=State.SENDING) for leaf in range(256)], rate_bytes_per_s=1e9)
    assert isinstance(turn, Batch)
    assert len(turn.items) == 256


# --- the index --------------------------------------------------------------------------------------------------------


def test_an_alert_goes_before_records_and_records_before_bulk(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.db", ORIGIN)
    index.add([item(1, priority=Priority.BULK), item(2), item(3, priority=Priority.ALERT), item(4)])
    chosen = index.waiting(below=100, count_max=10, oldest_first=False)
    assert [each.leaf for each in chosen] == [3, 2, 4, 1]
    index.close()


def test_every_so_often_the_oldest_goes_first_whatever_its_class(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.db", ORIGIN)
    index.add([item(1, priority=Priority.BULK), item(2), item(3, priority=Priority.ALERT)])
    assert [each.leaf for each in index.waiting(below=100, count_max=10, oldest_first=True)] == [1, 2, 3]
    index.close()


def test_a_body_whose_statement_headquarters_lacks_waits(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.db", ORIGIN)
    index.add([item(1), item(2)])
    assert [each.leaf for each in index.waiting(below=2, count_max=10, oldest_first=False)] == [1]
    index.close()


def test_receipts_and_states_outlive_the_process(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.db", ORIGIN)
    index.add([item(1), item(2), item(3), item(4)])
    index.acknowledge([(1, b"receipt")])
    index.park(2, "conflict")
    index.sending([3])
    index.close()
    again = Index(tmp_path / "index.db", ORIGIN)
    assert again.known() == {1: State.ACKNOWLEDGED, 2: State.PARKED, 3: State.SENDING, 4: State.QUEUED}
    assert again.unhanded(10) == ((1, b"receipt"),)
    assert again.counts() == Counts(waiting=2, acknowledged=1, parked=1)
    again.close()


def test_a_receipt_that_the_recorder_has_not_taken_is_not_forgotten_with_its_body(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.db", ORIGIN)
    index.add([item(1)])
    index.acknowledge([(1, b"receipt")])
    index.forget([1])
    assert index.unhanded(10) == ((1, b"receipt"),)
    index.handed([1])
    index.forget([1])
    assert index.known() == {}
    index.close()


@pytest.mark.parametrize("at", [0, 20, 100, 4_096, 8_192, 12_288])
def test_a_damaged_index_is_set_aside_and_rebuilt_empty(tmp_path: Path, at: int) -> None:
    path = tmp_path / "index.db"
    index = Index(path, ORIGIN)
    index.add([item(leaf) for leaf in range(1, 200)])
    index.whole()
    index.close()
    content = bytearray(path.read_bytes())
    assert len(content) > 12_800
    content[at : at + 512] = b"\xa5" * 512
    path.write_bytes(content)
    again = Index(path, ORIGIN)
    assert again.rebuilt
    assert again.known() == {}
    assert (tmp_path / "index.db.aside").read_bytes() == bytes(content)
    again.close()


def test_an_index_of_another_log_is_set_aside(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.db", ORIGIN)
    index.add([item(1)])
    index.close()
    other = Index(tmp_path / "index.db", Origin("landlink.example/la-0001.2"))
    assert other.known() == {}
    other.close()


def test_a_second_process_is_refused_and_the_index_is_left_alone(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.db", ORIGIN)
    index.add([item(1)])
    with pytest.raises(StorageFault, match="locked"):
        Index(tmp_path / "index.db", ORIGIN)
    assert index.known() == {1: State.QUEUED}
    index.close()
    assert not (tmp_path / "index.db.aside").exists()


def test_the_index_is_durable_as_the_design_wants_it(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.db", ORIGIN)
    index.close()
    outside = sqlite3.connect(tmp_path / "index.db")
    assert outside.execute("pragma journal_mode").fetchone() == ("wal",)
    outside.close()
