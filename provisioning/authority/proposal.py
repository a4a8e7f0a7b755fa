"""What keys of three persons sign: the next root, targets, recipients and roster, as drafts that gather signatures.

Each draft must hold under what is in force and under what the same proposal brings in its place, as TUF has it for
roots (specification 1.0 §5.3.4). So whatever of it reaches boxes first is signed by enough keys that they know.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Key, Metadata, Role, Root, TargetFile, Targets

from appliance.errors import Refused, Untrusted
from provisioning.authority.published import Published
from provisioning.authority.roles import LIFE, OF_PERSONS, OFFLINE_KEYS, SIGNERS

TARGETS: Final = Targets.type
Delegator = Root | Targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Drafts, and what they follow.

    Attributes:
        root, top: Root and top-level targets that are in force.
        drafts: By role, the next version of each that changes.
        contents: By path, what drafts of recipients and roster name anew.
    """

    root: Root
    top: Targets
    drafts: dict[str, Metadata[Any]]
    contents: dict[str, bytes]

    def delegators(self, role: str) -> list[Delegator]:
        """Who says whose keys count for a role: what is in force, and what takes its place."""
        above, by = (self.root, Root.type) if role in (Root.type, TARGETS) else (self.top, TARGETS)
        return [above, self.drafts[by].signed] if by in self.drafts else [above]

    def signers(self, role: str) -> list[set[str]]:
        """Identifiers of the keys that count for a role, by delegator."""
        return [set(each.get_delegated_role(role).keyids) for each in self.delegators(role)]

    def roles_of(self, keyid: str) -> tuple[str, ...]:
        """Drafts that a key counts for: before and after, so neither one that is replaced nor the one that follows it.

        With both of these one person would make two of three, by a key that may be stolen.
        """
        return tuple(role for role in self.drafts if all(keyid in keyids for keyids in self.signers(role)))

    def sign(self, signer: CryptoSigner) -> tuple[str, ...]:
        """Sign every draft that this key counts for; their roles. The same key again counts once."""
        roles = self.roles_of(signer.public_key.keyid)
        for role in roles:
            self.drafts[role].sign(signer, append=True)
        return roles

    def lacking(self) -> dict[str, int]:
        """How many signatures each draft lacks; empty when nothing does."""
        found: dict[str, int] = {}
        for role, draft in self.drafts.items():
            results = [
                each.get_verification_result(role, draft.signed_bytes, draft.signatures)
                for each in self.delegators(role)
            ]
            if lacks := max(result.threshold - len(result.signed) for result in results):
                found[role] = max(lacks, 0)
        return {role: count for role, count in found.items() if count}

    def check(self) -> None:
        """Raises Untrusted when a draft is not signed by enough keys of its role, in force and to come."""
        for role, draft in self.drafts.items():
            for delegator in self.delegators(role):
                try:
                    delegator.verify_delegate(role, draft.signed_bytes, draft.signatures)
                except (RepositoryError, ValueError) as error:
                    raise Untrusted(f"{role} is not signed by enough keys of its role ({error})") from None


def propose(
    published: Published,
    *,
    contents: Mapping[str, bytes] | None = None,
    replaced: Mapping[str, Key] | None = None,
    renewed: Collection[str] = (),
    at: datetime,
) -> Proposal:
    """Draft the next versions of all that changes with this.

    Args:
        published: What is in force.
        contents: By path, new recipients or a new roster.
        replaced: By name, the key that takes the place of the present one of that name.
        renewed: Roles that are signed again though nothing in them changes.
        at: When; each draft lives from then on.

    Raises:
        Refused: A new key is in service already.
        ConfigError: There is no repository.
    """
    contents, replaced = dict(contents or {}), dict(replaced or {})
    root, top = published.last_root(), published.top()
    names = key_names(published)
    following: dict[str, Root | Targets] = {Root.type: published.last_root(), TARGETS: published.top()}
    for name, key in replaced.items():
        if key.keyid in (root.keys | keys_of(top)):
            raise Refused(f"the new key for {name} is in service already, as {names[key.keyid]}: make another")
    touched = {Root.type for each in (following[Root.type],) if _replace(each, replaced, names)}
    touched |= {TARGETS for each in (following[TARGETS],) if _replace(each, replaced, names)}
    touched |= set(OF_PERSONS[1:]) if set(replaced) & set(OFFLINE_KEYS) else set()
    touched |= {path.partition("/")[0] for path in contents} | set(renewed)
    drafts: dict[str, Metadata[Any]] = {}
    for role in OF_PERSONS:
        if role not in touched:
            continue
        signed = following.get(role) or _targets(published, role, contents)
        signed.version += 1
        signed.expires = at + LIFE[role]
        drafts[role] = Metadata[Any](signed)
    return Proposal(root=root, top=top, drafts=drafts, contents=contents)


def _targets(published: Published, role: str, contents: Mapping[str, bytes]) -> Targets:
    """The role's present metadata with new contents; version 0 where there is none yet."""
    version = published.versions().get(role, 0)
    targets = published.load(role, version, Targets) if version else Targets(version=1)
    targets.version = version
    for path, content in contents.items():
        if path.startswith(f"{role}/"):
            targets.targets[path] = TargetFile.from_data(path, content, ["sha256"])
    return targets


# --- keys -------------------------------------------------------------------------------------------------------------


def key_names(published: Published) -> dict[str, str]:
    """Names of keys by their identifiers, of former ones too."""
    return names_of_keys(published.roots(), published.tops())


def names_of_keys(roots: Sequence[Root], tops: Sequence[Targets]) -> dict[str, str]:
    """The same from these versions, the oldest first: a replaced key's name passes to the key that follows it."""
    names: dict[str, str] = {}
    delegators: list[Delegator] = [*roots, *tops]
    for delegator in delegators:
        for role, rule in rules_of(delegator):
            present = {names[keyid] for keyid in rule.keyids if keyid in names}
            left = [name for name in SIGNERS.get(role, ()) if name not in present]
            names |= dict(zip((keyid for keyid in rule.keyids if keyid not in names), left, strict=False))
    return names


def rules_of(delegator: Delegator) -> Iterable[tuple[str, Role]]:
    """By role, whose keys count for it and how many."""
    if isinstance(delegator, Root):
        return delegator.roles.items()
    assert delegator.delegations is not None, "the top-level targets name every delegated role"
    assert delegator.delegations.roles is not None, "by name"
    return delegator.delegations.roles.items()


def keys_of(delegator: Delegator) -> dict[str, Key]:
    """Public keys by their identifiers."""
    if isinstance(delegator, Root):
        return delegator.keys
    assert delegator.delegations is not None, "the top-level targets name every delegated role"
    return delegator.delegations.keys


def _replace(delegator: Delegator, replaced: Mapping[str, Key], names: Mapping[str, str]) -> bool:
    """Put new keys in the places of those of their names; whether there was such a place."""
    keys, changed = keys_of(delegator), False
    for role, rule in rules_of(delegator):
        for place, keyid in enumerate(rule.keyids):
            key = replaced.get(names.get(keyid, ""))
            if key is not None and names[keyid] in SIGNERS[role]:
                rule.keyids[place] = key.keyid
                keys[key.keyid] = key
                changed = True
    used = {keyid for _, rule in rules_of(delegator) for keyid in rule.keyids}
    for keyid in set(keys) - used:
        del keys[keyid]
    return changed
