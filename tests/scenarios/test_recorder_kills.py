"""Kill -9 between the recorder's system calls: nothing acknowledged is lost, nothing forks, nothing is there twice."""

import contextlib
import subprocess
from collections.abc import Generator
from dataclasses import dataclass, field

import pytest

from appliance.formats.checkpoint import open_checkpoint
from appliance.formats.merkle import leaf_hash, root_hash
from appliance.formats.receipt import LogReceipt, parse_log_receipt, verify_log_receipt
from appliance.formats.record import commitment, encode_record
from appliance.formats.statement import Sealed
from appliance.formats.wire import Append, Appended, Cases, ListCases
from appliance.line import RecorderAway
from appliance.model import Priority
from appliance.recorded import Outcome, Picture, Record
from tests.scenarios.made_headquarters import outcome, screened
from tests.scenarios.recorder_bed import Bed, append, bed, case_of, nodes_of, record

BEFORE_CALL = (
    *(("fdatasync", number) for number in (1, 2, 3, 4, 6, 8)),
    *(("pwrite64", number) for number in (2, 3, 4, 5, 7)),
    *(("fsync", number) for number in (1, 2, 4, 8, 11)),
    *(("rename", number) for number in (1, 2, 3, 5, 9, 14, 20)),
    *(("unlink", number) for number in (4, 5, 6)),
    *(("sendto", number) for number in (2, 3, 4, 6)),
)


@dataclass
class Witness:
    """What a booth asked for and what it was given, over many lives of the recorder."""

    box: Bed
    receipts: dict[bytes, LogReceipt] = field(default_factory=dict[bytes, LogReceipt])
    asked: dict[bytes, Record] = field(default_factory=dict[bytes, Record])
    parked: list[Record] = field(default_factory=list[Record])
    closed: list[str] = field(default_factory=list[str])

    def ask_until_dead(self, process: "subprocess.Popen[bytes]", requests: list[Record]) -> None:
        """Ask for these in turn, as long as the recorder lives; what it did not answer stays asked."""
        line = self.box.line(timeout_s=0.3)
        for made in requests:
            self.asked[commitment(encode_record(made))] = made
            while process.poll() is None:
                try:
                    self.ask(line.ask, made)
                    break
                except RecorderAway:
                    continue
        line.close()
        last = max((receipt.index for receipt in self.receipts.values()), default=0)
        while process.poll() is None and self.box.checkpoint().size <= last:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)

    def ask(self, ask: "type[object] | object", made: Record) -> None:
        assert callable(ask)
        encoded = encode_record(made)
        match made.body:
            case Picture():
                answer = ask(Append(record=b"", priority=Priority.BULK), memfd=encoded)
            case Outcome():
                answer = ask(append(made, closes=made.body.of))
            case _:
                answer = ask(append(made, opens=case_of(made)))
        assert isinstance(answer, Appended)
        receipt = parse_log_receipt(answer.receipt)
        verify_log_receipt(receipt, self.box.verifier, commitment(encoded))
        self.receipts[commitment(encoded)] = receipt


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def travellers() -> list[Record]:
    """A referral, a picture, a second referral, and the first one's outcome."""
    first, second = record(screened(refers=True)), record(screened(refers=True))
    page = record(Picture(of=first.record_id, media_type="image/jpeg", content=bytes(range(256)) * 300))
    return [first, page, second, record(outcome(first.record_id))]


@pytest.mark.interop
def test_killed_before_any_system_call_it_loses_nothing_acknowledged_and_never_forks(box: Bed) -> None:
    witness = Witness(box)
    survived: list[tuple[str, int]] = []
    for call, number in BEFORE_CALL:
        inject = f"inject={call}:signal=SIGKILL:when={number}"
        process = box.spawn("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
        witness.ask_until_dead(process, travellers())
        if process.poll() is None:
            survived.append((call, number))
            box.stop(process)
    assert len(survived) <= len(BEFORE_CALL) // 4, f"these calls never came: {survived}"
    process = box.start()
    line = box.line()
    for made in witness.asked.values():
        witness.ask(line.ask, made)
    cases = line.ask(ListCases())
    box.stop(process)
    check_tree(witness)
    outcomes = {made.body.of for made in witness.asked.values() if isinstance(made.body, Outcome)}
    assert isinstance(cases, Cases)
    assert not outcomes & {case.of for case in cases.cases}


def check_tree(witness: Witness) -> None:
    """Every receipt ever given is of the final tree, every record is there once, and headquarters opens it."""
    box = witness.box
    leaves = box.leaves()
    nodes = nodes_of(leaves)
    places: dict[bytes, int] = {}
    for index, statement in enumerate(box.statements()):
        if isinstance(statement.kind, Sealed):
            assert statement.kind.commitment not in places
            places[statement.kind.commitment] = index
    for committed, receipt in witness.receipts.items():
        assert places[committed] == receipt.index
        assert leaf_hash(leaves[receipt.index]) == receipt.leaf_hash
        signed, _ = open_checkpoint(receipt.checkpoint, box.verifier)
        assert root_hash(signed.size, nodes) == signed.root
    for committed, made in list(witness.asked.items())[-12:]:
        assert box.opened(places[committed]) == made
