"""Bodies of a log that was lost: what headquarters never received becomes entries of the log after it."""

import hashlib
from collections.abc import Generator

import pytest

from appliance.errors import Untrusted
from appliance.formats.receipt import LogReceipt
from appliance.formats.statement import Carried, Sealed, parse_statement
from provisioning.audit.opened.opening import open_entry
from tests.crash.post import until
from tests.scenarios.lost_log import kept, lose
from tests.scenarios.made_headquarters import Box, headquarters, screened
from tests.scenarios.recorder_bed import ORIGIN, Bed, append, bed, record, record_identity, recorded


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def carried(box: Bed) -> dict[int, Carried]:
    found = enumerate(one.kind for one in box.statements())
    return {number: kind for number, kind in found if isinstance(kind, Carried)}


def wait_for_all(box: Bed, receipts: list[LogReceipt]) -> None:
    box.settle()
    until(lambda: len(carried(box)) == len(receipts), "what is carried over")


def test_records_before_pictures_are_carried_over_with_what_only_the_journal_had(box: Bed) -> None:
    receipts = kept(box)
    lose(box)
    process = box.start()
    wait_for_all(box, receipts)
    box.stop(process)
    first, long, last = receipts
    assert [(one.origin, one.index, one.statement) for one in carried(box).values()] == [
        (ORIGIN, receipt.index, hashlib.sha256(receipt.leaf).digest()) for receipt in (first, last, long)
    ]
    for number, one in carried(box).items():
        assert hashlib.sha256(box.body(number)).digest() == one.blob_sha256


def test_what_is_lost_a_second_time_still_names_its_first_statement_and_opens(box: Bed) -> None:
    receipts = kept(box)
    lose(box)
    process = box.start()
    wait_for_all(box, receipts)
    box.stop(process)
    second = box.verifier.name
    once = sorted(carried(box).values(), key=lambda one: one.index)
    lose(box, second)
    process = box.start()
    wait_for_all(box, receipts)
    box.stop(process)
    assert box.verifier.name != second
    assert sorted(carried(box).values(), key=lambda one: one.index) == once
    for number, one in carried(box).items():
        opened = open_entry(0, box.body(number), box.statements()[number], one, record_identity(box.home))
        assert opened.record.origin == ORIGIN


def test_a_former_body_that_no_statement_names_is_left_where_it_lies(box: Bed) -> None:
    receipts = kept(box)
    lose(box)
    process = box.start()
    wait_for_all(box, receipts)
    former = box.state / "former" / "la-0001.1" / "bodies"
    (former / f"{receipts[0].index}.2.age").write_bytes(b"planted")
    (former / "700.2.age").write_bytes(b"planted")
    box.stop(process)
    process = box.start()
    receipt = recorded(box.line(), append(record(origin=box.verifier.name)), box.verifier)
    box.settle()
    box.stop(process)
    assert len(carried(box)) == len(receipts)
    assert receipt.index == len(box.leaves()) - 2  # then it was stopped
    assert {path.name for path in former.glob("*.age")} >= {f"{receipts[0].index}.2.age", "700.2.age"}


@pytest.mark.parametrize(
    "origin",
    [
        "landlink.example/la-0002.1",
        "landlink.example/la-0001.1",
        "landlink.example/la-0001.7",
        "other.example/la-0001.0",
    ],
)
def test_headquarters_opens_nothing_as_carried_over_but_from_an_earlier_log_of_the_same_box(
    tmp_path_factory: pytest.TempPathFactory, origin: str
) -> None:
    folder = tmp_path_factory.mktemp("c")
    made = Box(headquarters(folder / "hq"), folder)
    index = made.seal(made.record(screened(), origin=origin))
    statement = parse_statement(made.leaves[index]).unverified
    sealed = statement.kind
    assert isinstance(sealed, Sealed)
    old = Carried(
        commitment=sealed.commitment,
        blob_sha256=sealed.blob_sha256,
        blob_bytes=sealed.blob_bytes,
        origin=origin,
        index=3,
        statement=bytes(32),
    )
    with pytest.raises(Untrusted, match="none of this box's earlier ones"):
        open_entry(0, made.body(index).read_bytes(), statement, old, record_identity(made.home))
