"""A whole exhibit of a synthetic traveller with real signatures, laid out as provisioning/exhibit/README.md has it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from msgspec.structs import replace

from appliance.clock import Instant
from appliance.formats.age import encrypt
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.merkle import complete_root, inclusion_proof, leaf_hash
from appliance.formats.note import Ed25519Cosigner, LogSigner, MlDsa44Cosigner, add_signatures
from appliance.formats.receipt import DeliveryReceipt, sign_receipt
from appliance.formats.record import commitment, encode_record, pad
from appliance.formats.release import Roster, RosterBox, RosterKey
from appliance.formats.statement import EventEntry, Kind, Sealed, sign_statement
from appliance.model import Line, Mode
from appliance.recorded import (
    Picture,
    Record,
)
from provisioning.authority.keys import write_private_key
from provisioning.authority.repository import Repository
from provisioning.authority.roles import KEY_NAMES
from provisioning.custody.act import COMMITMENT_DOMAIN, Act, Detail, Did, Reach, encode_act, encode_detail
from provisioning.exhibit.contents import (
    Cosignature,
    Custody,
    CustodyFacts,
    EntryFacts,
    Exhibit,
    InForce,
    ProvenTime,
    Reached,
    ReachedBy,
    TimeSide,
    TreeHead,
    Trust,
)
from provisioning.exhibit.tlog_proof import encode_proof
from tests.exhibit_records import RECORD_ID, Chosen, later, readable, records
from tests.formats_samples import (
    EPOCH_KEY,
    EPOCH_PUBLIC,
    ESCROW,
    GENERAL,
    IDENTITY_DER,
    LOG_SIGNER,
    NOW,
    ORIGIN,
    RECEIPTS_KEY,
    RECEIPTS_PUBLIC,
    SERIAL,
    a_statement,
    epoch_start,
)
from tests.release_world import recipients

COSIGNER: Final = "landlink.example/headquarters"
COSIGN_KEY: Final = Ed25519PrivateKey.from_private_bytes(b"\x88" * 32)
COSIGN_MLDSA_KEY: Final = MLDSA44PrivateKey.from_seed_bytes(b"\x99" * 32)
CUSTODY: Final = LogSigner("landlink.example/custody", Ed25519PrivateKey.from_private_bytes(b"\xaa" * 32))
CLERK: Final = "Clerk of the court"
AFTER_S: Final = NOW.wall_ms // 1000 - 3_600
BEFORE_S: Final = NOW.wall_ms // 1000 + 7_200


@dataclass
class Made:
    """An exhibit: its struct, and every file by its path in the folder."""

    exhibit: Exhibit
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def write(self, folder: Path) -> Path:
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return folder


class _Log:
    """Leaves, and their places in the tree that they end in."""

    def __init__(self) -> None:
        self.edge = Edge()
        self.leaves: list[bytes] = []

    def append(self, kind: Kind, at: Instant = NOW, cosigned: bytes | None = None) -> int:
        statement = replace(a_statement(kind), at=at, cosigned=cosigned)
        leaf = sign_statement(statement, epoch_public=EPOCH_PUBLIC, sign=EPOCH_KEY.sign)
        self.edge.append(leaf)
        self.leaves.append(leaf)
        return len(self.leaves) - 1

    def node(self, level: int, index: int) -> bytes:
        first = index << level
        return complete_root([leaf_hash(leaf) for leaf in self.leaves[first : first + (1 << level)]])

    def checkpoint(self, *, at_s: int) -> tuple[Checkpoint, bytes]:
        checkpoint = Checkpoint(origin=ORIGIN, size=len(self.leaves), root=self.edge.root())
        cosigners = (
            Ed25519Cosigner(COSIGNER, COSIGN_KEY, at_s=at_s),
            MlDsa44Cosigner(COSIGNER, COSIGN_MLDSA_KEY, at_s=at_s),
        )
        return checkpoint, add_signatures(sign_checkpoint(checkpoint, [LOG_SIGNER]), cosigners)

    def proof(self, index: int, note: bytes) -> bytes:
        return encode_proof(index, inclusion_proof(index, len(self.leaves), self.node), note)


def roster_files(folder: Path) -> dict[str, bytes]:
    """Headquarters' signed roster as TUF metadata, of this box and these keys."""
    home = folder / "hq"
    (home / "keys").mkdir(parents=True)
    for name in KEY_NAMES:
        write_private_key(home / "keys" / f"{name}.pem", Ed25519PrivateKey.generate())
    (home / "keys" / "list-key").write_bytes(bytes(32))
    cosigners = cosigner_vkeys()
    keys = (
        RosterKey(role="receipts", public=RECEIPTS_PUBLIC),
        RosterKey(role="cosign-ed25519", public=COSIGN_KEY.public_key().public_bytes_raw(), vkey=cosigners[0]),
        RosterKey(role="cosign-mldsa44", public=COSIGN_MLDSA_KEY.public_key().public_bytes_raw(), vkey=cosigners[1]),
    )
    box = RosterBox(
        serial=SERIAL,
        identity_der=IDENTITY_DER,
        log_vkey=LOG_SIGNER.verifier.vkey(),
        origins=(ORIGIN,),
        age_recipient=recipients().general,
        tls_sha256=bytes(32),
    )
    Repository.create(
        home,
        recipients=recipients(),
        roster=Roster(version=1, keys=keys, boxes=(box,)),
        list_key=bytes(32),
        at_ms=NOW.wall_ms,
    )
    metadata = home / "tuf" / "metadata"
    (target,) = (home / "tuf" / "targets" / "roster").glob("*.roster.json")
    names = {"1.root.json": "1.root.json"} | {
        f"{role}.json": f"1.{role}.json" for role in ("snapshot", "targets", "recipients", "roster", "lists", "policy")
    }
    return {
        **{f"evidence/roster/{name}": (metadata / stored).read_bytes() for name, stored in names.items()},
        "evidence/roster/roster.target.json": target.read_bytes(),
    }


def cosigner_vkeys() -> tuple[str, str]:
    return (
        Ed25519Cosigner(COSIGNER, COSIGN_KEY, at_s=0).verifier.vkey(),
        MlDsa44Cosigner(COSIGNER, COSIGN_MLDSA_KEY, at_s=0).verifier.vkey(),
    )


ACTS: Final = (("opened", 100), ("exported", 130), ("handed over", 200))
"""At headquarters, after so many minutes: all of the box's log opened, then the record given out twice."""


def custody_files() -> tuple[dict[str, bytes], Custody]:
    """ACTS in a log of their own, as an exhibit has them, and what is read of them."""
    detail = encode_detail(Detail(salt=bytes(32), to=CLERK))
    leaves = _acts(hashlib.sha256(COMMITMENT_DOMAIN + detail).digest())
    edge = Edge()
    for leaf in leaves:
        edge.append(leaf)
    checkpoint = Checkpoint(origin=CUSTODY.verifier.name, size=len(leaves), root=edge.root())
    note = sign_checkpoint(checkpoint, [CUSTODY])
    custody = _read_acts(checkpoint, leaves[0])
    files = {
        "evidence/custody/log.vkey": f"{CUSTODY.verifier.vkey()}\n".encode(),
        "evidence/custody/checkpoint": note,
        "evidence/custody/2.detail.cbor": detail,
        "evidence/custody/reached.json": msgspec.json.encode(custody.reached),
    }

    def node(level: int, index: int) -> bytes:
        return complete_root([leaf_hash(leaf) for leaf in leaves[index << level : (index + 1) << level]])

    for index, leaf in enumerate(leaves):
        files[f"evidence/custody/{index}.cbor"] = leaf
        proof = inclusion_proof(index, len(leaves), node)
        files[f"evidence/custody/{index}.tlog-proof"] = encode_proof(index, proof, note)
    return files, custody


def _acts(detail: bytes) -> list[bytes]:
    return [
        encode_act(
            Act(
                origin=CUSTODY.verifier.name,
                at_ms=later(minutes).wall_ms,
                did=Did(did),
                by="auditor 2",
                records=() if did == "opened" else (RECORD_ID,),
                reaches=(Reach(origin=ORIGIN, first=0, end=13),) if did == "opened" else (),
                detail=detail if did == "handed over" else None,
            )
        )
        for did, minutes in ACTS
    ]


def _read_acts(checkpoint: Checkpoint, opened: bytes) -> Custody:
    facts = tuple(
        CustodyFacts(index=index, at_ms=later(minutes).wall_ms, act=did, by="auditor 2", to=to)
        for index, ((did, minutes), to) in enumerate(zip(ACTS, ("", "", CLERK), strict=True))
    )
    opened_ms = facts[0].at_ms
    reached = Reached(
        count=1,
        first=0,
        last=0,
        leaves_sha256=hashlib.sha256(leaf_hash(opened)).hexdigest(),
        by=(ReachedBy(act="opened", by="auditor 2", count=1, since_ms=opened_ms, until_ms=opened_ms),),
    )
    return Custody(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        since_ms=opened_ms,
        entries=facts[1:],
        reached=reached,
    )


def make_exhibit(folder: Path, chosen: Chosen | None = None) -> Made:
    """The exhibit; `folder` is where headquarters' repository is made for it."""
    chosen = chosen or Chosen()
    log = _Log()
    log.append(epoch_start())
    fields = {"version": "3", "dated": "2026-11-03", "recipients": "1", "rules": "1"}
    log.append(EventEntry(event="release_switched", fields=fields))
    early, early_note = log.checkpoint(at_s=AFTER_S)
    sealed = [_seal(log, record, early.digest()) for record in records(chosen)]
    for number in range(6):
        log.append(EventEntry(event="case_expired", fields={"count": str(number)}), later(80 + number))
    checkpoint, note = log.checkpoint(at_s=BEFORE_S)
    files = roster_files(folder) | {
        "evidence/checkpoint": note,
        "evidence/log.vkey": f"{LOG_SIGNER.verifier.vkey()}\n".encode(),
        "evidence/cosigners.vkey": "".join(f"{vkey}\n" for vkey in cosigner_vkeys()).encode(),
        "evidence/receipts.key": RECEIPTS_PUBLIC,
        "evidence/identity.der": IDENTITY_DER,
    }
    custody, shown_custody = custody_files()
    files |= custody
    entries = [_entry(each, log) for each in sealed]
    for entry, each in zip(entries, sealed, strict=True):
        files |= _files_of(entry, each, log, note) | {f"{entry.folder}/after.checkpoint": early_note}
    exhibit = _exhibit(chosen, checkpoint, entries, files, shown_custody)
    files["evidence/exhibit.json"] = msgspec.json.format(msgspec.json.encode(exhibit), indent=1)
    return Made(exhibit, files)


@dataclass
class _Sealed:
    """A record where it stands in the log, and its body."""

    index: int
    record: Record
    blob: bytes


def _seal(log: _Log, record: Record, cosigned: bytes) -> _Sealed:
    encoded = encode_record(record)
    blob = encrypt(pad(encoded), [GENERAL.recipient, ESCROW.recipient])
    kind = Sealed(commitment=commitment(encoded), blob_sha256=hashlib.sha256(blob).digest(), blob_bytes=len(blob))
    return _Sealed(log.append(kind, record.at, cosigned), record, blob)


def _files_of(entry: EntryFacts, sealed: _Sealed, log: _Log, note: bytes) -> dict[str, bytes]:
    files = {
        "body.age": sealed.blob,
        "record.cbor": encode_record(sealed.record),
        "record.json": json.dumps(entry.record, indent=1).encode(),
        "statement.cose": log.leaves[entry.index],
        "proof.tlog-proof": log.proof(entry.index, note),
        "epoch.cose": log.leaves[0],
        "epoch.tlog-proof": log.proof(0, note),
        "receipt.cose": _receipt(entry.index, sealed.blob),
        "time.json": msgspec.json.encode(entry.time),
    }
    if isinstance(sealed.record.body, Picture):
        files["picture.jpg"] = sealed.record.body.content
    return {f"{entry.folder}/{name}": content for name, content in files.items()}


def _exhibit(
    chosen: Chosen, checkpoint: Checkpoint, entries: list[EntryFacts], files: Mapping[str, bytes], custody: Custody
) -> Exhibit:
    return Exhibit(
        schema=1,
        kind="record",
        made_ms=later(130).wall_ms,
        made_by="auditor 2",
        case=chosen.case,
        domain="landlink.example",
        mode=Mode.LIVE,
        serial=SERIAL,
        origin=ORIGIN,
        trust=Trust(
            root_sha256=hashlib.sha256(files["evidence/roster/1.root.json"]).hexdigest(),
            identity_fingerprint=_fingerprint(IDENTITY_DER),
            log_vkey=LOG_SIGNER.verifier.vkey(),
            cosigner_vkeys=cosigner_vkeys(),
            receipts_key=RECEIPTS_PUBLIC.hex(),
            custody_vkey=CUSTODY.verifier.vkey(),
            roster_version=1,
        ),
        checkpoint=TreeHead(
            origin=ORIGIN,
            size=checkpoint.size,
            root=checkpoint.root.hex(),
            digest=checkpoint.digest().hex(),
            cosignatures=(
                Cosignature(name=COSIGNER, algorithm="Ed25519", at_ms=BEFORE_S * 1000),
                Cosignature(name=COSIGNER, algorithm="ML-DSA-44", at_ms=BEFORE_S * 1000),
            ),
        ),
        entry=next(entry for entry in entries if entry.folder == "evidence"),
        related=tuple(entry for entry in entries if entry.folder != "evidence"),
        nothing=None,
        in_force=InForce(software="0.1.0", release=0, release_index=None, dated="", recipients=0, rules=0),
        custody=custody,
    )


def _entry(sealed: _Sealed, log: _Log) -> EntryFacts:
    index, record, blob = sealed.index, sealed.record, sealed.blob
    folder = "evidence" if record.record_id == RECORD_ID else f"evidence/entries/{index}"
    encoded = encode_record(record)
    sides = (
        TimeSide(
            at_ms=AFTER_S * 1000,
            by="the cosigned checkpoint that the statement names",
            file=f"{folder}/after.checkpoint",
        ),
        TimeSide(at_ms=RECEIVED_MS, by="headquarters' receipt for its body", file=f"{folder}/receipt.cose"),
    )
    return EntryFacts(
        folder=folder,
        index=index,
        kind=str(type(record.body).__struct_config__.tag),
        record_id=record.record_id,
        leaf_hash=leaf_hash(log.leaves[index]).hex(),
        commitment=commitment(encoded).hex(),
        blob_sha256=hashlib.sha256(blob).hexdigest(),
        blob_bytes=len(blob),
        epoch=0,
        epoch_index=0,
        recipients_version=1,
        time=ProvenTime(after=sides[0], before=sides[1], claimed=record.at, spacing=("2 min after entry 1",)),
        record=readable(record),
        picture=f"{folder}/picture.jpg" if isinstance(record.body, Picture) else "",
    )


RECEIVED_MS: Final = NOW.wall_ms + 5_400_000


def _receipt(index: int, blob: bytes) -> bytes:
    receipt = DeliveryReceipt(
        origin=ORIGIN,
        index=index,
        sha256=hashlib.sha256(blob).digest(),
        size=len(blob),
        received_ms=RECEIVED_MS,
        ledger_position=index + 1,
        previous=None,
        opened_through=-1,
    )
    return sign_receipt(receipt, public=RECEIPTS_PUBLIC, sign=RECEIPTS_KEY.sign)


def _fingerprint(data: bytes) -> Line:
    digits = hashlib.sha256(data).hexdigest()[:20]
    return " ".join(digits[at : at + 4] for at in range(0, 20, 4))


def altered(files: Mapping[str, bytes], path: str, change: bytes) -> dict[str, bytes]:
    """The same exhibit with other bytes in one file."""
    return {**files, path: change}
