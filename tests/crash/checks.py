"""What is asked of whatever a power cut leaves: the recorder and the queue are started on it, and held to everything.

- No acknowledged entry is lost or changed, nor its body, nor the case that it opened, led on or closed.
- No fork: every tree that anybody was ever shown is a part of this one. A new origin is a loss, too.
- No refusal to start: of the recorder, of the queue's index, of the release in service.
- No deletion comes back: a body that was seen gone stays gone, here and in the queue, and so does one whose deletion is
  in the log; and no body goes without an entry that says so.
- What the log says was received has headquarters' receipt here; what the queue says was received has one, too.
- The queue knows every body that is here, and asks for no receipt twice.
- Nobody who was told apart is suspected again, no key of headquarters is lost, no message of it could be taken twice.
"""

import contextlib
import hashlib
import sqlite3
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from appliance.clock import Grade, SystemClock
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.edge import Edge
from appliance.formats.receipt import LogReceipt, verify_receipt
from appliance.formats.statement import EventEntry, Kind, Sealed, parse_statement
from appliance.formats.tiles import read_entries
from appliance.model import Mode, Origin
from appliance.record.deletion import named_by
from appliance.record.held_keys import HeldKeys
from appliance.record.keys import read_log_key
from appliance.record.log import Attached
from appliance.record.places import Places
from appliance.record.recovery import recover
from appliance.record.signing import Signing
from appliance.record.stores import Stores
from appliance.shelf import Shelf
from appliance.uplink.bodies import Bodies
from appliance.uplink.body_delivery import BodyDelivery
from appliance.uplink.collector import Collector
from appliance.uplink.index import Index
from appliance.uplink.link import Link
from drivers.key_store import FileKeyStore
from tests.crash.witness import Witness, checkpoint_of
from tests.crash.workload import Promises, Told

NOWHERE: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class Left:
    """A disk after a cut, with its recorder started once.

    Attributes:
        leaves: The published log.
        stores: Of that recorder.
    """

    places: Places
    leaves: list[bytes]
    stores: Stores

    @cached_property
    def kinds(self) -> list[Kind]:
        return [parse_statement(leaf).unverified.kind for leaf in self.leaves]

    def named(self, event: str) -> set[int]:
        """The bodies that all entries of this event name."""
        return {
            index
            for at, kind in enumerate(self.kinds)
            if isinstance(kind, EventEntry) and kind.event == event
            for some in named_by(kind.fields, at)
            for index in some
        }

    @cached_property
    def deleted(self) -> set[int]:
        return self.named("bodies_deleted")

    @cached_property
    def here(self) -> dict[int, Path]:
        """Bodies on the disk."""
        found = [(int(path.name.partition(".")[0]), path) for path in self.places.bodies.glob("*.age")]
        assert len(dict(found)) == len(found), "an entry has two bodies"
        return dict(found)


def check(place: Path, done: Promises, witness: Witness, at: int) -> None:
    """Start recorder and queue on what a cut before operation `at` left; twice, and let the log go on.

    Raises:
        AssertionError, IndexError, LandlinkError: Something that was promised does not hold.
    """
    places = Places(place / "state", place / "run")
    places.runtime.mkdir()
    left = started(places, done.origin)
    promised = [told for told in done.told if told.at <= at]
    check_entries(left, promised)
    check_bodies(left, [index for index, number in witness.gone.items() if number < at])
    assert not any(number < at for number in witness.back.values()), "a body that was seen gone came back for a while"
    check_cases(left, done.told, promised)
    check_memory(left, promised)
    check_receipts(left, done.receipts_public)
    check_queue(left, done)
    assert Shelf(places.releases).load().version >= max((told.release for told in promised), default=0), (
        "an older release is in service again"
    )
    again = started(places, done.origin).leaves
    assert again[: len(left.leaves)] == left.leaves, "another start has another log"
    check_trees(again, promised, [shown for number, shown in witness.checkpoints if number < at])


def signing_of(places: Places) -> Signing:
    """The keys that lie there, and a clock that nobody vouches for."""
    return Signing(
        serial="LA-0001",
        identity=FileKeyStore(places.identity_key),
        log_key=read_log_key(places.log_key),
        mode=Mode.LIVE,
        software="0.1.0",
        clock=SystemClock(grade=lambda: Grade.NONE, lower_bound_ms=lambda: 0),
    )


def started(places: Places, origin: Origin) -> Left:
    """Recover, begin an epoch, write an entry, publish, and read the published log."""
    found = recover(places, signing_of(places), picture_share=0.01)
    log = found.log
    with contextlib.closing(log.journal):
        assert log.scribe.origin == origin, "a log was given up"
        log.begin_epoch()
        log.event("page_started", {}, Attached())
        log.publisher.publish()
    leaves = list(read_entries(log.size, lambda path: (places.log / path).read_bytes()))
    return Left(places=places, leaves=leaves, stores=found.stores)


def check_entries(left: Left, promised: Sequence[Told]) -> None:
    for receipt in receipts_of(promised):
        assert left.leaves[receipt.index] == receipt.leaf, f"entry {receipt.index} is gone or another"


def check_bodies(left: Left, gone: Sequence[int]) -> None:
    sealed = {index: kind for index, kind in enumerate(left.kinds) if isinstance(kind, Sealed)}
    assert left.deleted <= sealed.keys()
    assert left.here.keys() == sealed.keys() - left.deleted, "a body is missing, or was deleted and is here again"
    for index, path in left.here.items():
        body = path.read_bytes()
        assert hashlib.sha256(body).digest() == sealed[index].blob_sha256, f"body {index} is another"
    assert not left.here.keys() & set(gone), "a body that was seen gone is here again"
    kept = {int(path.name) for path in left.places.receipts.iterdir()}
    assert not kept & left.deleted, "a deleted body's receipt is here again"


def check_receipts(left: Left, public: bytes) -> None:
    for index in left.named("bodies_acknowledged") - left.deleted:
        said = verify_receipt(left.places.receipt(index).read_bytes(), public)
        kind = left.kinds[index]
        assert isinstance(kind, Sealed)
        assert (said.index, said.sha256) == (index, kind.blob_sha256), f"receipt {index} is another"


def check_cases(left: Left, told: Sequence[Told], promised: Sequence[Told]) -> None:
    """A case stands where its last promised entry left it, or one entry further, which nobody was told of yet."""
    in_log = [one for one in told if one.receipt and left.leaves[one.receipt.index :][:1] == [one.receipt.leaf]]
    assert {one.receipt.index for one in promised if one.receipt} <= {
        one.receipt.index for one in in_log if one.receipt
    }
    stands = {one.case.of: one.case for one in in_log if one.case}
    closed = {one.closes for one in in_log if one.closes}
    for of, case in stands.items():
        found = left.stores.cases.find(of)
        if of in closed:
            assert found is None, "a case that has its outcome is open again"
        else:
            assert found is not None, "an open case is lost"
            assert found.case == case, "an open case stands elsewhere"


def check_memory(left: Left, promised: Sequence[Told]) -> None:
    """Who was told apart stays so; a key that headquarters sent, and that the log says was taken, is here."""
    for told in promised:
        if told.apart is not None:
            assert left.stores.not_same.spared(told.apart), "who was told apart is not spared any more"
    events = [kind.fields for kind in left.kinds if isinstance(kind, EventEntry) and kind.event == "downlink_taken"]
    held, taken = HeldKeys(left.places.held_keys), left.stores.counters.taken
    keys = sum(fields["role"] == "directives" and fields["kept"] == "yes" for fields in events)
    assert len(held.lists) + (held.voice is not None) >= min(keys, 2), "a key of headquarters is lost"
    for role, counters in (("answers", taken.answers), ("directives", taken.directives)):
        assert counters.highest >= max((int(one["counter"]) for one in events if one["role"] == role), default=0), (
            "a message of headquarters could be taken twice"
        )


def check_queue(left: Left, done: Promises) -> None:
    """The queue as it starts: every body waits or has a receipt, and nothing else waits."""
    folder = left.places.state / "uplink"
    index = Index(folder / "index.db", done.origin)
    try:
        collector = Collector(Link("localhost", 1, NOWHERE, rate_bytes_per_s=1.0), done.origin)
        BodyDelivery(done.origin, Bodies(left.places.bodies), index, collector).notice(below=len(left.leaves))
        waiting = {
            item.leaf for item in index.waiting(below=len(left.leaves), count_max=len(left.leaves), oldest_first=True)
        }
    finally:
        index.close()
    with contextlib.closing(sqlite3.connect(folder / "index.db")) as database:
        rows = database.execute("select leaf, receipt, handed from item where state = 'acknowledged'").fetchall()
    received = {leaf for leaf, _, _ in rows}
    assert left.here.keys() <= waiting | received, "the queue has forgotten a body"
    assert waiting <= left.here.keys(), "the queue waits for a body that is not here"
    for leaf, receipt, _ in rows:
        said, kind = verify_receipt(receipt, done.receipts_public), left.kinds[leaf]
        assert isinstance(kind, Sealed)
        assert (said.index, said.sha256) == (leaf, kind.blob_sha256), f"the queue's receipt {leaf} is another"
    handed = {leaf for leaf, _, handed in rows if handed}
    acknowledged = left.named("bodies_acknowledged")
    assert handed <= acknowledged, "the queue handed over what the recorder does not have"
    assert acknowledged - left.deleted <= received, "the queue would ask again for a receipt that it had"


def check_trees(leaves: Sequence[bytes], promised: Sequence[Told], shown: Sequence[Checkpoint]) -> None:
    edge, roots = Edge(), dict[int, bytes]()
    for leaf in leaves:
        edge.append(leaf)
        roots[edge.size] = edge.root()
    for checkpoint in (*shown, *(checkpoint_of(receipt.checkpoint) for receipt in receipts_of(promised))):
        assert roots.get(checkpoint.size) == checkpoint.root, f"the tree of {checkpoint.size} entries is another"


def receipts_of(promised: Sequence[Told]) -> list[LogReceipt]:
    return [told.receipt for told in promised if told.receipt is not None]
