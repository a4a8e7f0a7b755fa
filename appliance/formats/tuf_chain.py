"""TUF metadata of one release, verified from the root that was pinned at enrolment, without expiry.

Expiry belongs to the moment a release is taken (appliance/releases, python-tuf's own client against the proven lower
bound of time). Afterwards the release is a signed manifest: verified at every load by what follows, so neither a wrong
clock nor a missing mirror takes a list out of service.

1. The pinned root verifies itself (TUF specification 1.0 §5.2); each next root is signed by the one before and by
   itself and counts up by one (§5.3).
2. The timestamp is signed by the role of the last root (§5.4); it names the snapshot by version, length and hash.
3. The snapshot matches that and is signed (§5.5); it names targets and every delegated role in the same way.
4. The top-level targets, offline 2 of 3, match and are signed (§5.6); they say who speaks for which folder.
5. Each delegated role matches and is signed by its threshold, and names targets of its own folder only (§5.6.7).
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Signature, Signed, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError, SerializationError

from appliance.errors import Malformed, Untrusted

DELEGATED: Final = ("recipients", "roster", "lists", "policy")
"""Roles below the top-level targets; each speaks for the folder of its name."""
ROOTS_MAX: Final = 256
ROOT_BYTES_MAX: Final = 512_000
TIMESTAMP_BYTES_MAX: Final = 16_384
SNAPSHOT_BYTES_MAX: Final = 65_536
TARGETS_BYTES_MAX: Final = 262_144

S = TypeVar("S", bound=Signed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What verified metadata says.

    Attributes:
        version: The snapshot's version, which is the release's.
        targets: For each delegated role its targets by path, each with length and hashes.
    """

    version: int
    targets: dict[str, dict[str, TargetFile]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(Generic[S]):
    """One metadata file as parsed, verified by nobody yet; `payload` is what its signatures are over."""

    signed: S
    payload: bytes
    signatures: dict[str, Signature]


def read_metadata(data: bytes, kind: type[S], *, what: str, bytes_max: int) -> Envelope[S]:
    """Parse one metadata file, verifying nothing.

    Raises:
        Malformed: Longer than its bound, not TUF metadata, or of another type.
    """
    if len(data) > bytes_max:
        raise Malformed(what, f"{len(data)} bytes, at most {bytes_max}")
    try:
        metadata: Any = Metadata.from_bytes(data)  # its type parameter is only known after looking
        payload = metadata.signed_bytes
    except (DeserializationError, SerializationError):
        raise Malformed(what, "not TUF metadata") from None
    if not isinstance(metadata.signed, kind):
        raise Malformed(what, f"type {metadata.signed.type}, expected {kind.type}")
    return Envelope(signed=metadata.signed, payload=payload, signatures=metadata.signatures)


def _check_signed(delegator: Root | Targets, role: str, metadata: Envelope[S]) -> None:
    try:
        delegator.verify_delegate(role, metadata.payload, metadata.signatures)
    except (RepositoryError, ValueError) as error:
        raise Untrusted(f"{role} is not signed by enough keys of its role ({error})") from None


def _check_named(meta: MetaFile | None, role: str, data: bytes, signed: Signed) -> None:
    if meta is None:
        raise Untrusted(f"{role} is not named by what precedes it")
    try:
        meta.verify_length_and_hashes(data)
    except RepositoryError:
        raise Untrusted(f"{role} is not the file that was named: length or hash differs") from None
    if signed.version != meta.version:
        raise Untrusted(f"{role} has version {signed.version}, version {meta.version} was named")


def _take(files: Mapping[str, bytes], name: str) -> bytes:
    data = files.get(f"metadata/{name}")
    if data is None:
        raise Untrusted(f"metadata/{name} is missing")
    return data


def verify_roots(files: Mapping[str, bytes], pinned_root: bytes) -> tuple[Root, ...]:
    """Follow the root chain from the pinned one to the last that `files` hold, which is the one in force; rule 1.

    Raises:
        Malformed, Untrusted: As `verify_chain`.
    """
    metadata = read_metadata(pinned_root, Root, what="pinned root", bytes_max=ROOT_BYTES_MAX)
    root = metadata.signed
    _check_signed(root, Root.type, metadata)
    roots = [root]
    for _ in range(ROOTS_MAX):
        name = f"{root.version + 1}.root.json"
        data = files.get(f"metadata/{name}")
        if data is None:
            return tuple(roots)
        metadata = read_metadata(data, Root, what=name, bytes_max=ROOT_BYTES_MAX)
        if metadata.signed.version != root.version + 1:
            raise Untrusted(f"{name} has version {metadata.signed.version}")
        _check_signed(root, Root.type, metadata)
        _check_signed(metadata.signed, Root.type, metadata)
        root = metadata.signed
        roots.append(root)
    raise Untrusted(f"more than {ROOTS_MAX} roots after the pinned one")


def verify_chain(files: Mapping[str, bytes], pinned_root: bytes) -> Chain:
    """Verify a release's metadata; rules 1 to 5 of the module.

    Args:
        files: By path: "metadata/2.root.json", "metadata/timestamp.json", "metadata/snapshot.json",
            "metadata/targets.json", "metadata/lists.json" and so on. Others are not looked at.
        pinned_root: The root that enrolment pinned.

    Raises:
        Malformed: A file is not TUF metadata or is longer than its bound.
        Untrusted: A file is missing, not signed by enough keys of its role, or not the one that was named.
    """
    root = verify_roots(files, pinned_root)[-1]
    timestamp = read_metadata(
        _take(files, "timestamp.json"), Timestamp, what="timestamp.json", bytes_max=TIMESTAMP_BYTES_MAX
    )
    _check_signed(root, Timestamp.type, timestamp)
    data = _take(files, "snapshot.json")
    snapshot = read_metadata(data, Snapshot, what="snapshot.json", bytes_max=SNAPSHOT_BYTES_MAX)
    _check_named(timestamp.signed.snapshot_meta, Snapshot.type, data, snapshot.signed)
    return _below_snapshot(files, root, snapshot)


def verify_without_timestamp(files: Mapping[str, bytes], pinned_root: bytes) -> Chain:
    """Verify the metadata of a release without asking whether it was ever the newest: all rules but 2.

    Raises:
        Malformed, Untrusted: As `verify_chain`.
    """
    return _from_snapshot(files, verify_roots(files, pinned_root)[-1])


def verify_past_chain(files: Mapping[str, bytes], pinned_root: bytes) -> Chain:
    """Verify the metadata of a release that is past, under the root of its time: the last one that it holds under.

    Keys that were replaced since count for it, so it says that headquarters signed this release, or somebody who has
    what headquarters signed with then. It is no release to work by.

    Raises:
        Malformed, Untrusted: As `verify_chain`; it holds under no root.
    """
    *former, last = verify_roots(files, pinned_root)
    try:
        return _from_snapshot(files, last)
    except Untrusted:
        for root in reversed(former):
            with contextlib.suppress(Untrusted):
                return _from_snapshot(files, root)
        raise


def _from_snapshot(files: Mapping[str, bytes], root: Root) -> Chain:
    data = _take(files, "snapshot.json")
    return _below_snapshot(
        files, root, read_metadata(data, Snapshot, what="snapshot.json", bytes_max=SNAPSHOT_BYTES_MAX)
    )


def _below_snapshot(files: Mapping[str, bytes], root: Root, snapshot: Envelope[Snapshot]) -> Chain:
    """Rules 3, as far as it is about signatures, 4 and 5."""
    _check_signed(root, Snapshot.type, snapshot)
    top = _targets(files, Targets.type, root, snapshot.signed)
    targets = {role: _targets(files, role, top, snapshot.signed).targets for role in DELEGATED}
    for role, named in targets.items():
        _check_folder(top, role, named)
    return Chain(version=snapshot.signed.version, targets=targets)


def _targets(files: Mapping[str, bytes], role: str, delegator: Root | Targets, snapshot: Snapshot) -> Targets:
    data = _take(files, f"{role}.json")
    metadata = read_metadata(data, Targets, what=f"{role}.json", bytes_max=TARGETS_BYTES_MAX)
    _check_named(snapshot.meta.get(f"{role}.json"), role, data, metadata.signed)
    _check_signed(delegator, role, metadata)
    return metadata.signed


def _check_folder(top: Targets, role: str, named: Mapping[str, TargetFile]) -> None:
    delegated = top.delegations.roles.get(role) if top.delegations and top.delegations.roles else None
    for path in named:
        if delegated is None or not delegated.is_delegated_path(path):
            raise Untrusted(f"{role} names a file that is not its own")
