"""Releases out: headquarters' TUF repository in `hq/tuf/`, which the collector serves and every box mirrors.

Each publication is a release: the snapshot's version, stated again in `policy/policy.json` with the time of signing.
Consistent snapshots, so that a mirror under way never mixes two releases; timestamp.json is written last.

What keys of three persons sign comes as a proposal (proposal.py), signed here or on several machines. What follows
from it is signed online. A new root comes after the first release of what it names, which holds under both, and before
a second one, by which boxes learn of it: at every moment there is a whole release that boxes take.

Expiry is measured by boxes against the last time that headquarters signed and they saw, never against their clock:
the timestamp's life is the longest that a link may hold releases back from a box that still gets receipts.
"""

import contextlib
import hashlib
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

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

from appliance.errors import Malformed, Refused
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
from appliance.formats.tuf_chain import DELEGATED
from provisioning.authority.list_files import documents_list
from provisioning.authority.person_index import person_index
from provisioning.authority.proposal import Proposal, propose
from provisioning.authority.published import Published, hashed, payload
from provisioning.authority.roles import LIFE, SIGNERS, threshold
from provisioning.authority.signing import sign_here, sign_online, signer_of
from provisioning.lock import alone

TOP_LEVEL: Final = (Root.type, Targets.type, Snapshot.type, Timestamp.type)
OFFLINE_TARGETS: Final = (RECIPIENTS_TARGET, ROSTER_TARGET)
"""What persons sign."""
ONLINE: Final = ("lists", "policy")
"""Delegated roles that are signed at each publication."""


class Repository(Published):
    """The repository of one headquarters.

    Args:
        home: Headquarters' folder, with `keys/` and `tuf/`.
    """

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self._keys = home / "keys"

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
        first = repository._first(_at(at_ms))
        sign_here(first, repository._keys)
        with storage("making hq/tuf"):
            (repository._tuf / "metadata").mkdir(parents=True)
        for role, draft in first.drafts.items():
            repository._write(f"1.{role}.json", draft.to_bytes())
        repository.publish(
            {
                RECIPIENTS_TARGET: encode_recipients(recipients),
                ROSTER_TARGET: encode_roster(roster),
                DOCUMENTS_TARGET: documents_list({}, dated=_at(at_ms).date(), list_key=list_key),
                PERSONS_TARGET: seal_persons(person_index((), dated=_at(at_ms).date()), list_key),
            },
            at_ms=at_ms,
        )
        return repository

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
            check_length(path, content)
        signed = {path: content for path in OFFLINE_TARGETS if isinstance(content := targets.get(path), bytes)}
        with self.alone():
            proposal = None
            if signed:
                proposal = propose(self, contents=signed, at=_at(at_ms))
                sign_here(proposal, self._keys)
            online = {path: content for path, content in targets.items() if path not in OFFLINE_TARGETS}
            return self._publish(online, at_ms, made_of, sources, proposal)

    def enact(self, proposal: Proposal, *, at_ms: int) -> None:
        """Publish what keys of three persons have signed; done again after an interruption, it goes on.

        Raises:
            Untrusted: A draft is not signed by enough of them.
            Refused: Something else has been signed in its place meanwhile; or the time, as `publish`.
            ConfigError, StorageFull, StorageFault: As `publish`.
        """
        proposal.check()
        with self.alone():
            done = {role for role, draft in proposal.drafts.items() if self._is_in_force(role, draft)}
            if below := set(proposal.drafts) - done - {Root.type}:
                self._publish({}, at_ms, (), None, proposal)
            if (root := proposal.drafts.get(Root.type)) is not None:
                if Root.type not in done:
                    if not below and self._signs_before_and_after(root.signed):
                        self._publish({}, at_ms, (), None, None)
                    self._write(f"{root.signed.version}.root.json", root.to_bytes())
                self._publish({}, at_ms, (), None, None)

    def _signs_before_and_after(self, root: Root) -> bool:
        """Whether this root changes an online key, of which both are here: then a release holds under both roots."""
        present = self.last_root()
        changed = [role for role in ("snapshot", "timestamp") if present.roles[role].keyids != root.roles[role].keyids]
        return bool(changed) and all((self._keys / f"{role}.pem").exists() for role in changed)

    def _is_in_force(self, role: str, draft: Metadata[Any]) -> bool:
        version = self.last_root().version if role == Root.type else self.versions().get(role, 0)
        if draft.signed.version == version + 1:
            return False
        if draft.signed.version == version and payload(self.read(f"{version}.{role}.json")) == draft.signed_bytes:
            return True
        raise Refused(
            f"{role} {draft.signed.version} is not what follows {role} {version}, which is in force: something else "
            "was signed since this was begun; begin it anew"
        )

    def _publish(
        self,
        targets: Mapping[str, bytes | Path | None],
        at_ms: int,
        made_of: Sequence[str],
        sources: Sequence[ListedSource] | None,
        proposal: Proposal | None,
    ) -> Policy:
        version, versions = self.version() + 1, self.versions()
        last = self.target(POLICY_TARGET)
        if last is not None and at_ms < parse_policy(last).signed_ms:
            raise Refused("this machine's clock is behind the time of the last release; set it, then publish again")
        if sources is None:
            sources = () if last is None else parse_policy(last).sources
        policy = Policy(version=version, signed_ms=at_ms, dated=_at(at_ms).date(), sources=tuple(sources))
        places = [place for name in made_of if (place := self.place(name))]
        parts = [place.relative_to(self._tuf / "targets").as_posix() for place in places]
        contents = {**targets, POLICY_TARGET: encode_target(policy)}
        if proposal is not None:
            versions |= self._write_signed(proposal)
        for role in ONLINE:
            mine = {path: content for path, content in contents.items() if path.startswith(f"{role}/")}
            versions[role] = self._write_targets(role, versions, mine, _at(at_ms), parts)
        self._write_snapshot(version, versions, _at(at_ms))
        return policy

    @contextlib.contextmanager
    def alone(self) -> Generator[None]:
        """Nobody else changes the repository inside."""
        with alone(self._tuf.with_name(".tuf.lock")):
            yield

    # --- writing, in the order that a reader may rely on -------------------------------------------------------------

    def _first(self, at: datetime) -> Proposal:
        """The first root and top-level targets, unsigned: they name the keys that lie here."""
        root = Root(version=1, expires=at + LIFE["root"], consistent_snapshot=True)
        for role in TOP_LEVEL:
            for key in self._public_keys(role):
                root.add_key(key, role)
            root.roles[role].threshold = threshold(role)
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
        top = Targets(version=1, expires=at + LIFE["targets"], delegations=Delegations(keys, roles))
        drafts: dict[str, Metadata[Any]] = {Root.type: Metadata(root), Targets.type: Metadata(top)}
        return Proposal(root=root, top=top, drafts=drafts, contents={})

    def _write_signed(self, proposal: Proposal) -> dict[str, int]:
        """Put what persons have signed into place, but for the root; versions by role."""
        for path, content in proposal.contents.items():
            self._write_target(TargetFile.from_data(path, content, ["sha256"]), content)
        below = {role: draft for role, draft in proposal.drafts.items() if role != Root.type}
        for role, draft in below.items():
            self._write(f"{draft.signed.version}.{role}.json", draft.to_bytes())
        return {role: draft.signed.version for role, draft in below.items()}

    def _write_targets(
        self,
        role: str,
        versions: Mapping[str, int],
        contents: Mapping[str, bytes | Path | None],
        at: datetime,
        parts: Sequence[str],
    ) -> int:
        """Put the contents and an online role's next metadata into place; returns its version."""
        last = versions.get(role, 0)
        targets = self.load(role, last, Targets) if last else Targets()
        targets.version = last + 1
        targets.expires = at + LIFE[role]
        for path, content in contents.items():
            if content is None:
                targets.targets.pop(path, None)
                continue
            targets.targets[path] = _target_file(path, content, parts)
            self._write_target(targets.targets[path], content)
        known = self.load(Targets.type, versions[Targets.type], Targets).get_delegated_role(role).keyids
        self._write(f"{targets.version}.{role}.json", sign_online(Metadata(targets), role, known, self._keys))
        return targets.version

    def _write_target(self, file: TargetFile, content: bytes | Path) -> None:
        place = self._tuf / "targets" / hashed(file)
        with storage("making hq/tuf/targets"):
            place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            write_durably(place, content, mode=0o644)
        elif not place.exists():
            copy_durably(content, place, mode=0o644)

    def _write_snapshot(self, version: int, versions: Mapping[str, int], at: datetime) -> None:
        named = {f"{role}.json": _meta(number, self.read(f"{number}.{role}.json")) for role, number in versions.items()}
        roles = self.last_root().roles
        snapshot = Snapshot(version=version, expires=at + LIFE["snapshot"], meta=named)
        data = sign_online(Metadata(snapshot), Snapshot.type, roles[Snapshot.type].keyids, self._keys)
        self._write(f"{version}.snapshot.json", data)
        timestamp = Timestamp(version=version, expires=at + LIFE["timestamp"], snapshot_meta=_meta(version, data))
        data = sign_online(Metadata(timestamp), Timestamp.type, roles[Timestamp.type].keyids, self._keys)
        self._write("timestamp.json", data)

    def _write(self, name: str, data: bytes) -> None:
        write_durably(self._tuf / "metadata" / name, data, mode=0o644)

    # --- keys --------------------------------------------------------------------------------------------------------

    def _public_keys(self, role: str) -> list[Key]:
        return [signer_of(self._keys / f"{name}.pem").public_key for name in SIGNERS[role]]


def check_length(path: str, content: bytes | Path | None) -> None:
    """Raises Malformed for a target that is longer than boxes take, or of a path that they do not take."""
    length = content.stat().st_size if isinstance(content, Path) else len(content or b"")
    if length > target_bytes_max(path):
        raise Malformed(path, f"{length} bytes, boxes take at most {target_bytes_max(path)}")


def _at(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def _meta(version: int, data: bytes) -> MetaFile:
    return MetaFile.from_data(version, data, ["sha256"])


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
