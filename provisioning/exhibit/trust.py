"""What an exhibit's proofs rest on: headquarters' signed roster, from the root of its repository down.

The folder `evidence/roster/` has the metadata of one release as TUF signs it, by role, and `roster.target.json`. From
there come the box's identity key, the log's key, headquarters' cosigners and its key for receipts. What is left to
compare over another way is one hash, that of the first root.
"""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import Snapshot, TargetFile, Timestamp

from appliance.errors import ConfigError, Malformed, Untrusted
from appliance.files import read_regular
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.enrolment import fingerprint
from appliance.formats.note import COSIGNATURE_ED25519, Opened, Verifier, parse_vkey
from appliance.formats.release import RECEIPTS, ROSTER_TARGET, Roster, RosterBox, parse_roster
from appliance.formats.tuf_chain import (
    ROOTS_MAX,
    SNAPSHOT_BYTES_MAX,
    TIMESTAMP_BYTES_MAX,
    Chain,
    read_metadata,
    verify_past_chain,
    verify_without_timestamp,
)
from appliance.model import Mode
from provisioning.audit.log import Log, headquarters_verifiers, number_of
from provisioning.authority.keys import CUSTODY
from provisioning.exhibit.contents import Cosignature, TreeHead, Trust
from provisioning.exhibit.pieces import EVIDENCE, FILE_BYTES_MAX, Broken, Pieces, demand, naming, take

ROSTER: Final = f"{EVIDENCE}/roster"
ROSTER_FILE: Final = f"{ROSTER}/roster.target.json"
IDENTITY: Final = f"{EVIDENCE}/identity.der"
LOG_KEY: Final = f"{EVIDENCE}/log.vkey"
COSIGNERS: Final = f"{EVIDENCE}/cosigners.vkey"
RECEIPTS_KEY: Final = f"{EVIDENCE}/receipts.key"
CHECKPOINT: Final = f"{EVIDENCE}/checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """Keys as the signed roster has them, and the tree that everything is proven to stand in.

    Attributes:
        log: Whose log it is, its name, its mode.
        note: The signed checkpoint as it lies in the folder.
        path: Where it lies.
    """

    roster: Roster
    root: bytes
    log: Log
    cosigners: tuple[Verifier, ...]
    receipts: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: bytes
    opened: Opened
    path: str = CHECKPOINT

    @property
    def box(self) -> RosterBox:
        """The box."""
        return self.log.box

    @property
    def custody_keys(self) -> tuple[bytes, ...]:
        """Keys that the roster names for headquarters' own log, newest first; () in a roster from before it."""
        return tuple(key.public for key in self.roster.keys_of(CUSTODY))

    def facts(self, custody_vkey: str, receipts_key: str) -> Trust:
        """What to compare, and with what."""
        return Trust(
            root_sha256=hashlib.sha256(self.root).hexdigest(),
            identity_fingerprint=fingerprint(self.box.identity_der),
            log_vkey=self.log.verifier.vkey(),
            cosigner_vkeys=tuple(verifier.vkey() for verifier in self.cosigners),
            receipts_key=receipts_key,
            custody_vkey=custody_vkey,
            roster_version=self.roster.version,
            revoked=self.box.revoked,
        )

    def tree(self) -> TreeHead:
        """The checkpoint as a report shows it."""
        return TreeHead(
            origin=self.checkpoint.origin,
            size=self.checkpoint.size,
            root=self.checkpoint.root.hex(),
            digest=self.checkpoint.digest().hex(),
            cosignatures=cosignatures(self.opened),
        )


def cosignatures(opened: Opened) -> tuple[Cosignature, ...]:
    """Headquarters' cosignatures of a note."""
    return tuple(
        Cosignature(
            name=each.verifier.name,
            algorithm="Ed25519" if each.verifier.type == COSIGNATURE_ED25519 else "ML-DSA-44",
            at_ms=each.at_s * 1000,
        )
        for each in opened.signatures
        if each.at_s is not None
    )


# --- making ----------------------------------------------------------------------------------------------------------


def trust_pieces(tuf: Path, log: Log, note: bytes) -> dict[str, bytes]:
    """The files that say whose keys these are, from headquarters' repository.

    Raises:
        ConfigError: The repository lacks one.
    """
    version = newest_release(tuf)
    pieces = {f"{ROSTER}/{name}": data for name, data in release_metadata(tuf, version).items()}
    chain = read_release(pieces, ROSTER, take(pieces, f"{ROSTER}/1.root.json"))
    pieces[ROSTER_FILE] = target_file(tuf, chain.targets["roster"][ROSTER_TARGET])
    roster = parse_roster(pieces[ROSTER_FILE])
    cosigners = headquarters_verifiers(roster)
    pieces[IDENTITY] = log.box.identity_der
    pieces[LOG_KEY] = f"{log.verifier.vkey()}\n".encode("ascii")
    pieces[COSIGNERS] = "".join(f"{verifier.vkey()}\n" for verifier in cosigners).encode("ascii")
    pieces[CHECKPOINT] = note
    return pieces


def newest_release(tuf: Path) -> int:
    """Version of the newest release. Raises ConfigError."""
    data = _read(tuf / "metadata" / "timestamp.json")
    timestamp = read_metadata(data, Timestamp, what="timestamp.json", bytes_max=TIMESTAMP_BYTES_MAX)
    return timestamp.signed.snapshot_meta.version


def release_metadata(tuf: Path, version: int) -> dict[str, bytes]:
    """The signed metadata of a release by its name in a box's folder, and every root. Raises ConfigError."""
    metadata = tuf / "metadata"
    snapshot = _read(metadata / f"{version}.snapshot.json")
    named = read_metadata(snapshot, Snapshot, what="snapshot.json", bytes_max=SNAPSHOT_BYTES_MAX).signed.meta
    files = {name: _read(metadata / f"{meta.version}.{name}") for name, meta in named.items()}
    for number in range(1, ROOTS_MAX + 1):
        if number > 1 and not (metadata / f"{number}.root.json").exists():
            break
        files[f"{number}.root.json"] = _read(metadata / f"{number}.root.json")
    return {**files, "snapshot.json": snapshot}


def target_file(tuf: Path, file: TargetFile) -> bytes:
    """The content of a target. Raises ConfigError when it is not there."""
    folder, _, name = file.path.rpartition("/")
    return _read(tuf / "targets" / folder / f"{file.hashes['sha256']}.{name}")


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, FILE_BYTES_MAX)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


# --- reading ---------------------------------------------------------------------------------------------------------


def read_trust(pieces: Pieces, serial: str, origin: str, mode: Mode) -> Trusted:
    """Verify roster, keys and checkpoint.

    Raises:
        Broken: One of them does not hold; it names the file.
    """
    root = take(pieces, f"{ROSTER}/1.root.json")
    chain = read_release(pieces, ROSTER, root)
    data = take(pieces, ROSTER_FILE)
    check_target(chain, "roster", ROSTER_TARGET, ROSTER_FILE, data)
    with naming(ROSTER_FILE):
        roster = parse_roster(data)
        box = roster.box(serial)
        if box is None or not number_of(box, origin):  # a log that the box began by itself is its log too
            raise Broken(ROSTER_FILE, f"has no box {serial} with the log {origin}")
        cosigners = headquarters_verifiers(roster)
    log = Log(box=box, origin=origin, mode=mode)
    demand(take(pieces, IDENTITY) == box.identity_der, IDENTITY, "not the key that the roster has for this box")
    with naming(LOG_KEY):
        demand(_vkeys(take(pieces, LOG_KEY)) == (log.verifier,), LOG_KEY, "not the key that the roster has")
    with naming(COSIGNERS):
        demand(_vkeys(take(pieces, COSIGNERS)) == cosigners, COSIGNERS, "not the keys that the roster has")
    note = take(pieces, CHECKPOINT)
    with naming(CHECKPOINT):
        checkpoint, opened = open_checkpoint(note, log.verifier, *cosigners)
    return Trusted(
        roster=roster,
        root=root,
        log=log,
        cosigners=cosigners,
        receipts=tuple(key.public for key in roster.keys_of(RECEIPTS)),
        checkpoint=checkpoint,
        note=note,
        opened=opened,
    )


def of_other_log(trusted: Trusted, origin: str, note: bytes, path: str) -> Trusted:
    """The same keys, and the tree of another log of the box, whose checkpoint lies at `path`.

    Raises:
        Malformed, Untrusted: It is no log of the box, or its key did not sign this.
    """
    if not number_of(trusted.box, origin):
        raise Untrusted(f"{origin}: no log of this box")
    log = Log(box=trusted.box, origin=origin, mode=trusted.log.mode)
    checkpoint, opened = open_checkpoint(note, log.verifier, *trusted.cosigners)
    return dataclasses.replace(trusted, log=log, note=note, checkpoint=checkpoint, opened=opened, path=path)


def _vkeys(data: bytes) -> tuple[Verifier, ...]:
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed("vkey", "not ASCII", offset=error.start) from None
    if not text.endswith("\n"):
        raise Malformed("vkey", "its last line does not end")
    return tuple(map(parse_vkey, text.splitlines()))


def read_release(pieces: Pieces, folder: str, root: bytes) -> Chain:
    """The metadata of the release in `folder`, verified from this first root. Raises Broken.

    The roster's is the newest and holds under the last root; another one may be past, and holds under that of its time.
    """
    files = {f"metadata/{path.removeprefix(f'{folder}/')}": data for path, data in pieces.items()}
    with naming(f"{folder}/*.json"):
        return verify_without_timestamp(files, root) if folder == ROSTER else verify_past_chain(files, root)


def check_target(chain: Chain, role: str, path: str, file: str, content: bytes) -> None:
    """Raise Broken when `content` is not the target that the metadata names at `path`."""
    named = chain.targets[role].get(path)
    if named is None:
        raise Broken(file, f"the signed metadata names no {path}")
    try:
        named.verify_length_and_hashes(content)
    except LengthOrHashMismatchError:
        raise Broken(file, "not the file that the signed metadata names: length or hash differs") from None
