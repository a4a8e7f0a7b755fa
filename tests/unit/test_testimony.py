"""What the collector shows of headquarters' signatures: page after page, kept as it came, and believed in nothing."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.merkle import EMPTY_ROOT
from appliance.formats.note import Ed25519Cosigner, LogSigner, Verifier, claimed_times
from appliance.formats.receipt import DeliveryReceipt, sign_receipt
from appliance.formats.release import RosterBox
from appliance.model import Mode
from provisioning.audit import testimony as word
from provisioning.audit.log import Log, Problem, Trust
from provisioning.audit.store import PulledLog
from provisioning.audit.testimony_pages import COSIGNED, ITEMS_A_PAGE, RECEIPTS, encode_page
from provisioning.collector.ledger import Entry, Head, Ledger

ORIGIN = "landlink.example/la-0001.1"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
COSIGN_KEY = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
RECEIPT_KEY = Ed25519PrivateKey.from_private_bytes(b"\x03" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x04" * 32)
HEADQUARTERS = "landlink.example/headquarters"
START_S = 1_795_000_000


def cosigner(at_s: int, key: Ed25519PrivateKey = COSIGN_KEY) -> Ed25519Cosigner:
    return Ed25519Cosigner(HEADQUARTERS, key, at_s=at_s)


TRUST = Trust(cosigners=(cosigner(0).verifier,), receipts=(RECEIPT_KEY.public_key().public_bytes_raw(),))


def note(size: int, key: Ed25519PrivateKey = COSIGN_KEY) -> bytes:
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=hashlib.sha256(b"%d" % size).digest())
    return sign_checkpoint(checkpoint, [LogSigner(ORIGIN, LOG_KEY), cosigner(START_S + size, key)])


def receipt(index: int, origin: str = ORIGIN, key: Ed25519PrivateKey = RECEIPT_KEY) -> bytes:
    said = DeliveryReceipt(
        origin=origin,
        index=index,
        sha256=bytes(32),
        size=1,
        received_ms=START_S * 1_000 + index,
        ledger_position=index + 1,
        previous=None,
        opened_through=-1,
    )
    return sign_receipt(said, public=key.public_key().public_bytes_raw(), sign=key.sign)


class Pages:
    """A collector that shows pages of these items."""

    def __init__(self) -> None:
        self.items: dict[str, list[bytes]] = {COSIGNED: [], RECEIPTS: []}
        self.asked: list[str] = []

    @property
    def name(self) -> str:
        return "the collector"

    def read(self, path: str, *, bytes_max: int) -> bytes | None:
        self.asked.append(path)
        kind, _, n = path.partition("/")
        first = int(n) * ITEMS_A_PAGE[kind]
        page = encode_page(self.items[kind][first : first + ITEMS_A_PAGE[kind]])
        assert len(page) <= bytes_max
        return page or None

    def body(self, index: int, *, bytes_max: int) -> bytes | None:
        raise AssertionError((index, bytes_max))

    def bodies(self) -> None:
        raise AssertionError


@pytest.fixture
def collector() -> Pages:
    return Pages()


@pytest.fixture
def kept(tmp_path: Path) -> PulledLog:
    vkey = Verifier(ORIGIN, 1, LOG_KEY.public_key().public_bytes_raw()).vkey()
    box = RosterBox(
        serial="LA-0001",
        identity_der=b"-",
        log_vkey=vkey,
        origins=(ORIGIN,),
        age_recipient="age1pq1q",
        tls_sha256=bytes(32),
    )
    made = PulledLog(Log(box=box, origin=ORIGIN, mode=Mode.LIVE), tmp_path / "pulled")
    empty = sign_checkpoint(Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT), [LogSigner(ORIGIN, LOG_KEY)])
    with made.staging() as staged:
        made.keep_tree(staged, empty)
    return made


def take(kept: PulledLog, collector: Pages) -> list[Problem]:
    return [problem for kind in (COSIGNED, RECEIPTS) for problem in word.take_testimony(kept, kind, collector, TRUST)]


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 127, 128, 129])
def test_pages_are_fetched_to_the_last_and_read_back(kept: PulledLog, collector: Pages, count: int) -> None:
    collector.items = {COSIGNED: [note(n + 1) for n in range(count)], RECEIPTS: [receipt(n) for n in range(4 * count)]}
    assert take(kept, collector) == []
    for again in (True, False):
        read, problems = word.load_testimony(kept, TRUST, again=again)
        assert problems == []
        assert [head.checkpoint.size for head in read.heads] == list(range(1, count + 1))
        assert [head.first_ms for head in read.heads] == [(START_S + n + 1) * 1_000 for n in range(count)]
        assert sorted(read.receipts) == list(range(4 * count))
        assert (read.reaches, read.asked) == (count, True)
    assert [word.count_kept(kept, kind) for kind in (COSIGNED, RECEIPTS)] == [count, 4 * count]


def test_only_the_last_page_is_asked_for_again(kept: PulledLog, collector: Pages) -> None:
    collector.items[COSIGNED] = [note(n + 1) for n in range(130)]
    take(kept, collector)
    collector.asked.clear()
    collector.items[COSIGNED].append(note(131))
    assert word.take_testimony(kept, COSIGNED, collector, TRUST) == []
    assert collector.asked == ["cosigned/2"]
    assert word.count_kept(kept, COSIGNED) == 131


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items.pop(),
        lambda items: items.clear(),
        lambda items: items.reverse(),
        lambda items: items.insert(0, note(77)),
    ],
    ids=["shorter", "empty", "other order", "something before"],
)
def test_a_ledger_that_went_back_or_was_written_again_is_named_and_the_old_pages_are_kept(
    kept: PulledLog, collector: Pages, change: Callable[[list[bytes]], object]
) -> None:
    collector.items[COSIGNED] = [note(n + 1) for n in range(5)]
    take(kept, collector)
    before = kept.page(COSIGNED, 0)
    change(collector.items[COSIGNED])
    (problem,) = word.take_testimony(kept, COSIGNED, collector, TRUST)
    assert "its ledger went back or was written again" in problem.words
    assert kept.page(COSIGNED, 0) == before


@pytest.mark.parametrize(
    ("kind", "item", "named"),
    [
        (COSIGNED, note(3, STRANGER), "did not cosign"),
        (COSIGNED, b"no note", "malformed"),
        (RECEIPTS, receipt(3, key=STRANGER), "none of headquarters' keys"),
        (RECEIPTS, receipt(3, origin="landlink.example/la-0002.1"), "a receipt of another log"),
        (RECEIPTS, b"no receipt", "malformed"),
    ],
)
def test_what_headquarters_did_not_sign_about_this_log_is_named_and_not_kept(
    kept: PulledLog, collector: Pages, kind: str, item: bytes, named: str
) -> None:
    good = note(1) if kind == COSIGNED else receipt(1)
    collector.items[kind] = [good]
    take(kept, collector)
    collector.items[kind].append(item)
    (problem,) = word.take_testimony(kept, kind, collector, TRUST)
    assert named in problem.words
    assert word.count_kept(kept, kind) == 1


def test_what_this_desk_cosigned_itself_counts_and_does_not_say_how_far_the_collector_reached(kept: PulledLog) -> None:
    with kept.staging() as staged:
        kept.keep_tree(staged, note(7))
    kept.keep_cosigned(note(7), at_ms=1)
    read, problems = word.load_testimony(kept, TRUST, again=True)
    assert problems == []
    assert {head.checkpoint.size for head in read.heads} == {7}
    assert (read.reaches, read.asked) == (0, False)


def test_the_ledger_pages_are_in_its_own_order(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    for size in range(1, 71):
        ledger.reach(ORIGIN, Head(size=size, root=bytes(32), note=b"%d" % size if size % 2 else b""), at_ms=size)
        ledger.reach("landlink.example/la-0002.1", Head(size=size, root=bytes(32), note=b"other"), at_ms=size)
    whole = [b"%d" % size for size in range(1, 71, 2)]
    assert list(ledger.cosigned(ORIGIN, first=0, count=64)) == whole
    assert list(ledger.cosigned(ORIGIN, first=30, count=64)) == whole[30:]
    entries = [
        Entry(origin=ORIGIN, leaf=leaf, prio=2, size=1, sha256=bytes(32), body_ref="-", via="batch", received_ms=1)
        for leaf in (5, 3, 9)
    ]
    for entry in entries:
        ledger.enter([entry])
    ledger.sign_pending(lambda _position, entry, _previous: b"%d" % entry.leaf)
    assert ledger.receipts(ORIGIN, first=0, count=256) == (b"5", b"3", b"9")
    assert ledger.receipts(ORIGIN, first=1, count=1) == (b"3",)
    assert ledger.receipts(ORIGIN, first=3, count=256) == ()
    ledger.close()


def test_claimed_times_are_those_of_the_named_cosigners_alone() -> None:
    signed = sign_checkpoint(
        Checkpoint(origin=ORIGIN, size=1, root=bytes(32)),
        [LogSigner(ORIGIN, LOG_KEY), cosigner(5), cosigner(6, STRANGER)],
    )
    text, times = claimed_times(signed, TRUST.cosigners)
    assert (text.splitlines()[0], times) == (ORIGIN, (5,))
    assert claimed_times(signed, ())[1] == ()
