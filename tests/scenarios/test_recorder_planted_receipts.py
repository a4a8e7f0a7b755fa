"""Receipts put among the recorder's files while the box was off: nothing is deleted and no time believed by them."""

from collections.abc import Generator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import structs

from appliance.formats.statement import EventEntry
from appliance.formats.status import RecorderStatus, parse_status
from appliance.record.journal import Journal, parse_journal
from appliance.record.places import Places
from tests.scenarios.made_headquarters import NOW_MS, box_toml
from tests.scenarios.recorder_bed import Bed, append, bed, record, recorded, welcome
from tests.scenarios.test_recorder_delivery import HOUR_MS, acknowledge, bodies, receipt_of, wait_for_entry

YEAR_9999_MS = 253_370_764_800_000
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x66" * 32)


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        text = box_toml(made.folder).replace(b"releases_uid = 0", b"releases_uid = 0\nhold_after_ack_h = 2")
        (made.folder / "box.toml").write_bytes(text)
        yield made


def three_recorded(box: Bed) -> tuple[int, int, int]:
    """A box with three bodies, published, and off again."""
    process = box.start()
    line = box.line()
    first, second, third = (recorded(line, append(record()), box.verifier).index for _ in range(3))
    box.settle()
    box.stop(process)
    return first, second, third


def plant(box: Bed, index: int, receipt: bytes) -> None:
    Places(box.state, box.folder / "run").receipt(index).write_bytes(receipt)


def wait_acknowledged(box: Bed, count: int) -> None:
    """Wait until so many receipts count; the lowest index is looked at last."""
    line = box.line()
    while True:
        welcome(line)
        status = parse_status((box.folder / "run" / "recorder.status").read_bytes(), RecorderStatus)
        if status.acknowledged >= count:
            assert status.acknowledged == count
            return


def nothing_was_believed(box: Bed) -> None:
    receipt = recorded(box.line(), append(record()), box.verifier)
    box.settle()
    assert box.statements()[receipt.index].at.lower_bound_ms < YEAR_9999_MS
    assert not [
        one for one in box.statements() if isinstance(one.kind, EventEntry) and one.kind.event == "bodies_deleted"
    ]


def test_receipts_planted_as_files_delete_nothing_and_prove_no_time(box: Bed) -> None:
    first, second, third = three_recorded(box)
    plant(box, second, receipt_of(box, second, key=STRANGER))
    plant(box, third, receipt_of(box, third, key=STRANGER, received_ms=YEAR_9999_MS, opened_through=third))
    plant(box, first, receipt_of(box, first))
    process = box.start()
    wait_acknowledged(box, 1)  # headquarters' own, which is looked at last
    nothing_was_believed(box)
    box.stop(process)
    assert {first, second, third} <= set(bodies(box))


def test_receipts_planted_in_the_journal_delete_nothing_and_prove_no_time(box: Bed) -> None:
    first, second, third = three_recorded(box)
    (journal,) = box.journals
    contents = parse_journal(journal.read_bytes())
    planted = (
        receipt_of(box, second, key=STRANGER),
        receipt_of(box, third, key=STRANGER, received_ms=YEAR_9999_MS, opened_through=third),
        receipt_of(box, first),
    )
    last = structs.replace(contents.frames[-1], receipts=planted)
    journal.unlink()
    Journal.create(journal, contents.header, [*contents.frames[:-1], last]).close()
    process = box.start()
    wait_acknowledged(box, 1)
    nothing_was_believed(box)
    box.stop(process)
    assert {first, second, third} <= set(bodies(box))


def test_a_true_receipt_under_another_entrys_name_or_of_another_body_counts_for_nothing(box: Bed) -> None:
    first, second, third = three_recorded(box)
    plant(box, third, receipt_of(box, second))
    plant(box, second, receipt_of(box, second, size=1))
    (box.state / "receipts" / "not-a-number").write_bytes(b"x")
    plant(box, first, receipt_of(box, first))
    process = box.start()
    wait_acknowledged(box, 1)
    box.stop(process)


def test_what_headquarters_did_say_counts_again_after_a_start(box: Bed) -> None:
    process = box.start()
    line = box.line()
    first, second = (recorded(line, append(record()), box.verifier).index for _ in range(2))
    later_ms = NOW_MS + 3 * HOUR_MS
    acknowledge(box, first)
    box.stop(process)
    process = box.start()
    wait_acknowledged(box, 1)
    acknowledge(box, second, received_ms=later_ms, opened_through=first)
    assert wait_for_entry(box, "bodies_deleted").fields == {"ranges": str(first), "count": "1"}
    box.stop(process)
    assert first not in bodies(box)
    process = box.start()
    wait_acknowledged(box, 1)
    receipt = recorded(box.line(), append(record()), box.verifier)
    box.settle()
    assert box.statements()[receipt.index].at.lower_bound_ms >= later_ms
    box.stop(process)
