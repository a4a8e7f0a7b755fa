"""Releases out: headquarters' TUF repository in `hq/tuf/`, which the collector serves and every box mirrors.

Roles (TUF specification 1.0): root 2 of 3 and top-level targets 2 of 3, offline; below targets `recipients` and
`roster`, offline 2 of 3, and `lists` and `policy`, online; snapshot and timestamp online. Each publication is a
release: the snapshot's version, stated again in `policy/policy.json` with the time of signing. Consistent snapshots,
so that a mirror under way never mixes two releases; timestamp.json is written last.

Expiry is measured by boxes against the last time that headquarters signed and they saw, never against their clock:
the timestamp's life is the longest that a link may hold releases back from a box that still gets receipts.
"""

import contextlib
import hashlib
import re
from collections.abc import Collection, Generator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from appliance.errors import ConfigError, Malformed, Refused, StorageFault
from appliance.files import OpenFile, copy_durably, storage, write_durably
from appliance.formats.list_key import seal_persons
from appliance.formats.lists import ListedSource
from appliance.formats.pages import HeldBytes, read_tail
from appliance.formats.release import (
    DOCUMENTS_TARGET,
    MADE_OF,
    PERSONS_TARGET,
    POLICY_TARGET,
    RECIPIENTS_TARGET,
    ROSTER_TARGET,
    TAIL_SHA256,
    Policy,
    Recipients,
    Roster,
    encode_recipients,
    encode_roster,
    encode_target,
    parse_policy,
    target_bytes_max,
)
from appliance.formats.tuf_chain import DELEGATED, TARGETS_BYTES_MAX, read_metadata
from provisioning.authority.holders import absent, of_another_role
from provisioning.authority.keys import load_ed25519
from provisioning.authority.list_files import documents_list
from provisioning.authority.person_index import person_index
from provisioning.lock import alone

ROOT_KEYS: Final = ("root-1", "root-2", "root-3")
OFFLINE_KEYS: Final = ("offline-1", "offline-2", "offline-3")
KEY_NAMES: Final = (*ROOT_KEYS, *OFFLINE_KEYS, "lists", "policy", "snapshot", "timestamp")
"""Private keys that lie in `hq/keys/<name>.pem`, Ed25519."""

SIGNERS: Final = {
    "root": ROOT_KEYS,
    "targets": OFFLINE_KEYS,
    "recipients": OFFLINE_KEYS,
    "roster": OFFLINE_KEYS,
    "lists": ("lists",),
    "policy": ("policy",),
    "snapshot": ("snapshot",),
    "timestamp": ("timestamp",),
}
LIFE: Final = {
    "root": timedelta(days=5 * 365),
    "targets": timedelta(days=3 * 365),
    "recipients": timedelta(days=3 * 365),
    "roster": timedelta(days=3 * 365),
    "lists": timedelta(days=180),
    "policy": timedelta(days=180),
    "snapshot": timedelta(days=90),
    "timestamp": timedelta(days=30),
}
S = TypeVar("S", Root, Timestamp, Snapshot, Targets)


def threshold(role: str) -> int:
    """How many of a role's keys must sign: 2 of the three offline ones, the one online."""
    return 2 if len(SIGNERS[role]) == 3 else 1


class Repository:
    """The repository of one headquarters.

    Args:
        home: Headquarters' folder, with `keys/` and `tuf/`.
    """

    def __init__(self, home: Path) -> None:
        self._keys = home / "keys"
        self._tuf = home / "tuf"

    @classmethod
    def create(cls, home: Path, *, recipients: Recipients, roster: Roster, list_key: bytes, at_ms: int) -> "Repository":
        """Make the repository, with root 1 and release 1: empty lists with their canaries, under this list key.

        Raises:
            Refused: There is one already; a second root of trust would orphan every box.
            ConfigError: A key is missing.
            StorageFull, StorageFault: Not all could be written.
        """
        repository = cls(home)
        if repository._tuf.exists():
            raise Refused(f"{repository._tuf} exists; a new root of trust would cut off every enrolled box")
        at = datetime.fromtimestamp(at_ms // 1000, UTC)
        with storage("making hq/tuf"):
            (repository._tuf / "metadata").mkdir(parents=True)
        repository._write_root(at)
        repository._write_top_targets(at)
        repository.publish(
            {
                RECIPIENTS_TARGET: encode_recipients(recipients),
                ROSTER_TARGET: encode_roster(roster),
                DOCUMENTS_TARGET: documents_list({}, dated=at.date(), list_key=list_key),
                PERSONS_TARGET: seal_persons(person_index((), dated=at.date()), list_key),
            },
            at_ms=at_ms,
        )
        return repository

    def root(self) -> bytes:
        """The first root, which enrolment pins on a box. Raises ConfigError when there is no repository."""
        return self._read("1.root.json")

    def last_root(self) -> Root:
        """The root in force. Raises ConfigError when there is no repository."""
        number = 1
        while (self._tuf / "metadata" / f"{number + 1}.root.json").exists():
            number += 1
        return self._load("root", number, Root)

    def add_root(self, root: Metadata[Root]) -> None:
        """Put the root that follows the last one into place; boxes follow it. Raises StorageFull, StorageFault."""
        assert root.signed.version == self.last_root().version + 1, "roots count up by one"
        self._write(f"{root.signed.version}.root.json", root.to_bytes())

    def version(self) -> int:
        """Version of the last release, 0 before the first."""
        try:
            data = (self._tuf / "metadata" / "timestamp.json").read_bytes()
        except FileNotFoundError:
            return 0
        return _parse(data, Timestamp).snapshot_meta.version

    def target(self, path: str) -> bytes | None:
        """What the last release has at `path`, None when it has nothing there. Raises ConfigError, StorageFault."""
        place = self.place(path)
        return None if place is None else place.read_bytes()

    def place(self, path: str) -> Path | None:
        """Where the last release's target at `path` lies, None when it has nothing there. Raises ConfigError."""
        role = path.partition("/")[0]
        version = self._versions().get(role)
        file = None if version is None else self._load(role, version, Targets).targets.get(path)
        return None if file is None else self._tuf / "targets" / _hashed(file)

    def names(self, pattern: re.Pattern[str]) -> list[str]:
        """Paths of the last release's lists that match, sorted. Raises ConfigError."""
        version = self._versions().get("lists")
        targets = {} if version is None else self._load("lists", version, Targets).targets
        return sorted(path for path in targets if pattern.fullmatch(path))

    def past(self, path: str) -> Generator[tuple[int, bytes]]:
        """What each signed version of the role has had at `path`, the newest first, with when it was signed.

        Yields:
            Milliseconds since 1970, content; down to the first version that lacks it or was cleared away.
        """
        role = path.partition("/")[0]
        for version in range(self._versions().get(role, 0), 0, -1):
            if not (self._tuf / "metadata" / f"{version}.{role}.json").exists():
                return
            signed = self._load(role, version, Targets)
            file = signed.targets.get(path)
            if file is None or not (place := self._tuf / "targets" / _hashed(file)).exists():
                return
            yield int((signed.expires - LIFE[role]).timestamp() * 1000), place.read_bytes()

    def sizes(self) -> dict[str, int]:
        """Length of each target of the last release. Raises ConfigError."""
        versions = self._versions()
        roles = (self._load(role, versions[role], Targets) for role in DELEGATED if role in versions)
        return {path: file.length for targets in roles for path, file in targets.targets.items()}

    def publish(
        self,
        targets: Mapping[str, bytes | Path | None],
        *,
        at_ms: int,
        made_of: Sequence[str] = (),
        sources: Sequence[ListedSource] | None = None,
    ) -> Policy:
        """Make the next release: these targets are replaced (by a file's content, too) or taken out, the others stay.

        With `made_of`, the documents list among them is the merge of these targets of the last release. `sources` are
        what the lists are made of, None for those of the last release.

        Roles whose targets change are signed again, with `lists` and `policy` in any case. One at a time: a second
        command waits for the first.

        Raises:
            Refused: The time is before that of the last release, which boxes already hold for proven.
            ConfigError: A key that must sign is not there, or there is no repository.
            Malformed: A target is longer than boxes take, or of a path that they do not take.
            StorageFull, StorageFault: Not all could be written; boxes still see the last release.
        """
        for path, content in targets.items():
            if (length := _length(content)) > target_bytes_max(path):
                raise Malformed(path, f"{length} bytes, boxes take at most {target_bytes_max(path)}")
        with self.alone():
            return self._publish(targets, at_ms, made_of, sources)

    def _publish(
        self,
        targets: Mapping[str, bytes | Path | None],
        at_ms: int,
        made_of: Sequence[str],
        sources: Sequence[ListedSource] | None,
    ) -> Policy:
        version = self.version() + 1
        at = datetime.fromtimestamp(at_ms // 1000, UTC)
        last = self.target(POLICY_TARGET)
        if last is not None and at_ms < parse_policy(last).signed_ms:
            raise Refused("this machine's clock is behind the time of the last release; set it, then publish again")
        if sources is None:
            sources = () if last is None else parse_policy(last).sources
        policy = Policy(version=version, signed_ms=at_ms, dated=at.date(), sources=tuple(sources))
        places = [place for name in made_of if (place := self.place(name))]
        parts = [place.relative_to(self._tuf / "targets").as_posix() for place in places]
        contents = {**targets, POLICY_TARGET: encode_target(policy)}
        versions = self._versions()
        for role in DELEGATED:
            mine = {path: content for path, content in contents.items() if path.startswith(f"{role}/")}
            if mine or role == "lists":
                versions[role] = self._write_targets(role, versions.get(role, 0), mine, at, parts)
        self._write_snapshot(version, versions, at)
        return policy

    @contextlib.contextmanager
    def alone(self) -> Generator[None]:
        """Nobody else changes the repository inside."""
        with alone(self._tuf.with_name(".tuf.lock")):
            yield

    # --- writing, in the order that a reader may rely on -------------------------------------------------------------

    def _write_root(self, at: datetime) -> None:
        root = Root(version=1, expires=at + LIFE["root"], consistent_snapshot=True)
        for role in ("root", "targets", "snapshot", "timestamp"):
            for key in self._public_keys(role):
                root.add_key(key, role)
            root.roles[role].threshold = threshold(role)
        self._write("1.root.json", self._sign(Metadata(root), "root", root.roles["root"].keyids))

    def _write_top_targets(self, at: datetime) -> None:
        keys = {key.keyid: key for role in DELEGATED for key in self._public_keys(role)}
        roles = {
            role: DelegatedRole(
                role,
                [key.keyid for key in self._public_keys(role)],
                threshold(role),
                terminating=True,
                paths=[f"{role}/*"],
            )
            for role in DELEGATED
        }
        targets = Targets(version=1, expires=at + LIFE["targets"], delegations=Delegations(keys, roles))
        self._write("1.targets.json", self._sign(Metadata(targets), "targets", self._known("targets")))

    def _write_targets(
        self,
        role: str,
        last: int,
        contents: Mapping[str, bytes | Path | None],
        at: datetime,
        parts: Sequence[str],
    ) -> int:
        """Put the contents and the role's next metadata into place; returns its version."""
        targets = self._load(role, last, Targets) if last else Targets()
        targets.version = last + 1
        targets.expires = at + LIFE[role]
        for path, content in contents.items():
            if content is None:
                targets.targets.pop(path, None)
                continue
            file = _target_file(path, content, parts)
            targets.targets[path] = file
            place = self._tuf / "targets" / _hashed(file)
            with storage("making hq/tuf/targets"):
                place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                write_durably(place, content, mode=0o644)
            elif not place.exists():
                copy_durably(content, place, mode=0o644)
        self._write(f"{targets.version}.{role}.json", self._sign(Metadata(targets), role, self._known(role)))
        return targets.version

    def _write_snapshot(self, version: int, versions: Mapping[str, int], at: datetime) -> None:
        named = {
            f"{role}.json": _meta(number, self._read(f"{number}.{role}.json")) for role, number in versions.items()
        }
        snapshot = Snapshot(version=version, expires=at + LIFE["snapshot"], meta=named)
        data = self._sign(Metadata(snapshot), "snapshot", self._known("snapshot"))
        self._write(f"{version}.snapshot.json", data)
        timestamp = Timestamp(version=version, expires=at + LIFE["timestamp"], snapshot_meta=_meta(version, data))
        self._write("timestamp.json", self._sign(Metadata(timestamp), "timestamp", self._known("timestamp")))

    def _write(self, name: str, data: bytes) -> None:
        write_durably(self._tuf / "metadata" / name, data, mode=0o644)

    # --- reading what is published -----------------------------------------------------------------------------------

    def _versions(self) -> dict[str, int]:
        """Version of each role's metadata in the last release; only the top-level targets before the first."""
        version = self.version()
        if version == 0:
            return {"targets": 1}
        meta = self._load("snapshot", version, Snapshot).meta
        return {name.removesuffix(".json"): file.version for name, file in meta.items()}

    def _load(self, role: str, version: int, kind: type[S]) -> S:
        return _parse(self._read(f"{version}.{role}.json"), kind)

    def _read(self, name: str) -> bytes:
        try:
            return (self._tuf / "metadata" / name).read_bytes()
        except FileNotFoundError:
            raise ConfigError(f"{self._tuf} has no {name}; make headquarters with: landlink-hq init") from None
        except OSError as error:
            raise StorageFault(f"reading {name}: {error.strerror}") from error

    # --- keys --------------------------------------------------------------------------------------------------------

    def _signer(self, name: str) -> CryptoSigner:
        return CryptoSigner(load_ed25519(self._keys / f"{name}.pem"))

    def _public_keys(self, role: str) -> list[Key]:
        return [self._signer(name).public_key for name in SIGNERS[role]]

    def _known(self, role: str) -> Collection[str]:
        """Identifiers of the keys that boxes believe in this role."""
        if role in DELEGATED:
            delegations = self._load("targets", self._versions()["targets"], Targets).delegations
            assert delegations is not None, "the top-level targets name every delegated role"
            assert delegations.roles is not None, "by name"
            return delegations.roles[role].keyids
        return self.last_root().roles[role].keyids

    def _sign(self, metadata: Metadata[S], role: str, known: Collection[str]) -> bytes:
        """Sign with as many of the role's keys as are needed and here.

        Raises:
            ConfigError: Fewer are here than its threshold, or one is not the key that boxes know in this role.
        """
        there = [path for name in SIGNERS[role] if (path := self._keys / f"{name}.pem").exists()]
        if len(there) < threshold(role):
            missing = next(path for name in SIGNERS[role] if (path := self._keys / f"{name}.pem") not in there)
            names = ", ".join(SIGNERS[role])
            raise ConfigError(
                f"{role} is signed by {threshold(role)} of {names}, here are {len(there)}; {absent(missing)}"
            )
        for path in there[: threshold(role)]:
            signer = CryptoSigner(load_ed25519(path))
            if signer.public_key.keyid not in known:
                raise of_another_role(path, role)
            metadata.sign(signer, append=True)
        return metadata.to_bytes()


def _meta(version: int, data: bytes) -> MetaFile:
    return MetaFile.from_data(version, data, ["sha256"])


def _length(content: bytes | Path | None) -> int:
    return len(content or b"") if not isinstance(content, Path) else content.stat().st_size


def _target_file(path: str, content: bytes | Path, parts: Sequence[str]) -> TargetFile:
    """A target's length and hash; beside them, for a documents list, the hash of its tail."""
    if isinstance(content, bytes):
        file = TargetFile.from_data(path, content, ["sha256"])
    else:
        file = TargetFile.from_file(path, str(content), ["sha256"])
    if path == DOCUMENTS_TARGET:
        source = HeldBytes(content) if isinstance(content, bytes) else OpenFile(content)
        custom: dict[str, object] = {TAIL_SHA256: hashlib.sha256(read_tail(source)).hexdigest()}
        file.unrecognized_fields["custom"] = custom | ({MADE_OF: list(parts)} if parts else {})
    return file


def _hashed(file: TargetFile) -> str:
    """Where a target lies with consistent snapshots: its SHA-256 before its name."""
    return file.get_prefixed_paths()[0]


def _parse(data: bytes, kind: type[S]) -> S:
    """Our own published metadata; something else there means that somebody else wrote it."""
    return read_metadata(data, kind, what="hq/tuf", bytes_max=TARGETS_BYTES_MAX).signed
