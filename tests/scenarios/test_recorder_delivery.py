"""What headquarters says: receipts license deletion (I4), cosigned checkpoints prove that nothing was taken back."""

import hashlib
from collections.abc import Callable, Generator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import structs

from appliance.formats.checkpoint import Checkpoint
from appliance.formats.note import Ed25519Cosigner, LogSigner, MlDsa44Cosigner, add_signatures, sign_note
from appliance.formats.receipt import DeliveryReceipt, sign_receipt
from appliance.formats.statement import EventEntry, parse_statement, verify_epoch_start
from appliance.formats.wire import Acknowledge, Cosigned, Done
from appliance.line import RecorderAway, RecorderRefused
from appliance.model import Sha256
from drivers.key_store import FileKeyStore
from provisioning.authority.keys import cosigner_name, load_ed25519, load_mldsa44
from tests.scenarios.made_headquarters import NOW_MS, box_toml
from tests.scenarios.recorder_bed import ORIGIN, Bed, append, bed, record, recorded, welcome

HOUR_MS = 3_600_000


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        text = box_toml(made.folder).replace(b"releases_uid = 0", b"releases_uid = 0\nhold_after_ack_h = 2")
        (made.folder / "box.toml").write_bytes(text)
        yield made


def receipt_of(box: Bed, of: int, *, key: Ed25519PrivateKey | None = None, **claims: object) -> bytes:
    """Headquarters' receipt for the body of entry `of`, received at NOW_MS; `claims` replace what it says."""
    body = box.body(of)
    said = DeliveryReceipt(
        origin=ORIGIN,
        index=of,
        sha256=Sha256(hashlib.sha256(body).digest()),
        size=len(body),
        received_ms=NOW_MS,
        ledger_position=of + 1,
        previous=None,
        opened_through=-1,
    )
    signer = key or load_ed25519(box.home.key("receipts"))
    return sign_receipt(
        structs.replace(said, **claims), public=signer.public_key().public_bytes_raw(), sign=signer.sign
    )


def bodies(box: Bed) -> list[int]:
    return sorted(int(path.name.partition(".")[0]) for path in (box.state / "bodies").glob("*.age"))


def wait_for_entry(box: Bed, event: str) -> EventEntry:
    """Wait until the recorder has logged this event by itself."""
    line = box.line()
    while True:
        welcome(line)
        found = [one.kind for one in box.statements() if isinstance(one.kind, EventEntry) and one.kind.event == event]
        if found:
            return found[-1]


def test_a_body_goes_only_after_receipt_opened_canary_and_the_hold_and_its_deletion_is_an_entry(box: Bed) -> None:
    process = box.start()
    line, uplink = box.line(), box.line("uplink")
    first, second, third = (recorded(line, append(record()), box.verifier).index for _ in range(3))
    acknowledge(box, first, received_ms=NOW_MS)
    acknowledge(box, second, received_ms=NOW_MS + 3 * HOUR_MS)  # held long enough, but nothing opened
    assert {first, second, third} <= set(bodies(box))
    said = receipt_of(box, third, opened_through=first, received_ms=NOW_MS + 3 * HOUR_MS)
    assert uplink.ask(Acknowledge(receipts=(said,))) == Done()
    deleted = wait_for_entry(box, "bodies_deleted")
    assert deleted.fields == {"ranges": str(first), "count": "1"}
    box.stop(process)
    assert first not in bodies(box)
    assert {second, third} <= set(bodies(box))
    assert not (box.state / "receipts" / str(first)).exists()
    assert (box.state / "receipts" / str(third)).read_bytes() == said
    box.stop(box.start())
    assert first not in bodies(box)


def acknowledge(box: Bed, index: int, **claims: object) -> None:
    uplink = box.line("uplink")
    box.settle()
    assert uplink.ask(Acknowledge(receipts=(receipt_of(box, index, **claims),))) == Done()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": Ed25519PrivateKey.from_private_bytes(bytes(32))}, "untrusted"),
        ({"sha256": bytes(32)}, "untrusted"),
        ({"size": 1}, "untrusted"),
        ({"origin": "landlink.example/la-0002.1"}, "wrong_origin"),
        ({"index": 900}, "untrusted"),
        ({"index": 0}, "untrusted"),
        ({"opened_through": 900}, "untrusted"),
    ],
    ids=["key", "hash", "size", "origin", "beyond", "event", "opened beyond"],
)
def test_a_receipt_that_does_not_hold_is_refused_and_nothing_is_deleted(
    box: Bed, changes: dict[str, object], code: str
) -> None:
    process = box.start()
    line, uplink = box.line(), box.line("uplink")
    index = recorded(line, append(record()), box.verifier).index
    box.settle()
    good = receipt_of(box, index)
    bad = receipt_of(box, index, **changes)
    with pytest.raises(RecorderRefused) as refusal:
        uplink.ask(Acknowledge(receipts=(good, bad)))
    assert refusal.value.code == code
    box.stop(process)
    assert list((box.state / "receipts").iterdir()) == []
    assert index in bodies(box)


def cosigned(box: Bed, checkpoint: Checkpoint, *, without: str = "") -> bytes:
    """What the collector gives back: the log's own note with headquarters' cosignatures below."""
    log_key = load_ed25519(box.state / "recorder" / "log.key")
    note = sign_note(checkpoint.text(), [LogSigner(checkpoint.origin, log_key)])
    name = cosigner_name("landlink.example")
    signers = {
        "ed25519": Ed25519Cosigner(name, load_ed25519(box.home.key("cosign-ed25519")), at_s=NOW_MS // 1_000),
        "mldsa44": MlDsa44Cosigner(name, load_mldsa44(box.home.key("cosign-mldsa44")), at_s=NOW_MS // 1_000),
    }
    return add_signatures(note, [signer for kind, signer in signers.items() if kind != without])


def test_a_cosigned_checkpoint_is_kept_and_named_in_every_later_statement(box: Bed) -> None:
    process = box.start()
    line, uplink = box.line(), box.line("uplink")
    box.settle()
    checkpoint = box.checkpoint()
    note = cosigned(box, checkpoint)
    before = recorded(line, append(record()), box.verifier)
    assert uplink.ask(Cosigned(note=note)) == Done()
    after = recorded(line, append(record()), box.verifier)
    box.stop(process)
    assert (box.state / "cosigned").read_bytes() == note
    assert parse_statement(before.leaf).unverified.cosigned is None
    assert parse_statement(after.leaf).unverified.cosigned == checkpoint.digest()
    process = box.start()
    again = recorded(line, append(record()), box.verifier)
    box.stop(process)
    assert parse_statement(again.leaf).unverified.cosigned == checkpoint.digest()


@pytest.mark.parametrize("without", ["ed25519", "mldsa44"])
def test_a_checkpoint_that_one_cosigner_did_not_sign_is_refused(box: Bed, without: str) -> None:
    process = box.start()
    uplink = box.line("uplink")
    box.settle()
    with pytest.raises(RecorderRefused) as refusal:
        uplink.ask(Cosigned(note=cosigned(box, box.checkpoint(), without=without)))
    assert refusal.value.code == "untrusted"
    box.stop(process)
    assert not (box.state / "cosigned").exists()


Forge = Callable[[Checkpoint], Checkpoint]


@pytest.mark.parametrize(
    "other",
    [
        lambda own: Checkpoint(origin=own.origin, size=own.size + 7, root=bytes(32)),
        lambda own: Checkpoint(origin=own.origin, size=own.size, root=bytes(32)),
    ],
    ids=["more than the box has", "another tree"],
)
def test_when_headquarters_knows_another_log_the_box_keeps_the_evidence_and_opens_a_new_origin(
    box: Bed, other: Forge
) -> None:
    process = box.start()
    uplink = box.line("uplink", timeout_s=1)
    box.settle()
    own = box.checkpoint()
    note = cosigned(box, other(own))
    with pytest.raises(RecorderAway):
        uplink.ask(Cosigned(note=note))
    assert process.wait(30) == 74
    process = box.start()
    line = box.line()
    assert welcome(line).origin == "landlink.example/la-0001.2"
    recorded(line, append(record(origin="landlink.example/la-0001.2")), box.verifier)
    box.stop(process)
    identity = FileKeyStore(box.state / "recorder" / "identity.key").public_key_der()
    previous = verify_epoch_start(parse_statement(box.leaves()[0]), identity).previous
    assert previous is not None
    assert (previous.origin, previous.size, previous.root) == (own.origin, own.size, own.root)
    assert (previous.cosigned_size, previous.cosigned_root) == (other(own).size, other(own).root)
    assert (box.state / "former" / "la-0001.1" / "cosigned").read_bytes() == note
