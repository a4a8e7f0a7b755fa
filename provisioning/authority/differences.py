"""What a draft changes, in words, for the persons who sign it; a change that has no words here is refused.

So nothing is signed that nobody could read: a draft is its predecessor, counted up by one, but for what is said.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.signer import SSlibKey
from tuf.api.metadata import Key, Root, Targets

from appliance.errors import Untrusted
from appliance.formats.enrolment import fingerprint
from appliance.formats.note import parse_vkey
from appliance.formats.release import (
    RECIPIENTS_TARGET,
    ROSTER_TARGET,
    Roster,
    RosterBox,
    RosterKey,
    parse_recipients,
    parse_roster,
)
from provisioning.authority.proposal import Delegator, Proposal, keys_of, rules_of
from provisioning.authority.roles import SIGNERS

_RECIPIENTS: Final = {"general": "record key", "escrow": "escrow key", "protection": "protection unit's key"}
_PUBLIC: Final = re.compile(r"[0-9a-f]{64}")
_NO: Final = "do not sign it"


def words_of(
    proposal: Proposal, base: Mapping[str, Targets], contents: Mapping[str, bytes], names: Mapping[str, str]
) -> list[str]:
    """Every change of a proposal, old -> new, and until when each draft lives.

    Args:
        proposal: The drafts.
        base: Metadata of recipients and roster that is in force.
        contents: What it names.
        names: Names of keys by identifier, those in force.

    Raises:
        Untrusted: A draft changes something that no words here tell.
        Malformed: Recipients or roster are not in their format.
    """
    _check_replaced(proposal)
    lines: list[str] = []
    keys: dict[tuple[str, str], None] = {}
    for role, draft in proposal.drafts.items():
        signed = draft.signed
        before: Any = {Root.type: proposal.root, Targets.type: proposal.top, **base}[role]
        check_like(role, before, signed)
        again = role in base and not any(path.startswith(f"{role}/") for path in proposal.contents)
        lines.append(
            f"{role} {before.version} -> {signed.version}, valid until {signed.expires:%Y-%m-%d}"
            f"{', signed again: nothing in it changes' if again else ''}"
        )
        if isinstance(signed, Root) or role == Targets.type:
            keys |= dict.fromkeys(_replaced(role, before, signed, names))
    lines.extend(f"key {name}: {change}" for name, change in keys)
    for path, told in ((RECIPIENTS_TARGET, _recipients), (ROSTER_TARGET, _roster)):
        if path in proposal.contents:
            lines.extend(told(contents[path], proposal.contents[path]))
    return lines


def check_like(role: str, before: Root | Targets, after: Root | Targets) -> None:
    """Raises Untrusted when a draft is not its predecessor, counted up by one, but for what words tell."""
    if after.version != before.version + 1 or _rest(role, before) != _rest(role, after):
        raise Untrusted(f"the next {role} changes what no words tell: {_NO}")


def _rest(role: str, signed: Root | Targets) -> object:
    """All of it but version, life, and what is told in words."""
    data: dict[str, Any] = signed.to_dict()
    del data["version"], data["expires"]
    if role in (Root.type, Targets.type):
        holder = data if role == Root.type else data.get("delegations", {})
        rules = holder.pop("roles", {})
        holder.pop("keys", None)
        for rule in rules.values() if isinstance(rules, dict) else rules:
            rule["keyids"] = len(rule["keyids"])
        data["rules"] = rules
    else:
        data["targets"].pop(RECIPIENTS_TARGET if role == "recipients" else ROSTER_TARGET, None)
    return data


def _replaced(role: str, before: Delegator, after: Delegator, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each key that another takes the place of, by its name. Raises Untrusted for keys that are not what they seem."""
    keys = keys_of(after)
    used = {keyid for _, rule in rules_of(after) for keyid in rule.keyids}
    if set(keys) != used or not all(map(_is_told_by_its_fingerprint, keys.values())):
        raise Untrusted(
            f"the next {role} has a key that is none, has another's identifier, or counts for nothing: {_NO}"
        )
    for name_of_role, place, former, following in _places(before, after):
        if former != following:
            name = names.get(former, SIGNERS[name_of_role][place])
            yield name, f"{_fingerprint(before, former)} -> {_fingerprint(after, following)}"


def _is_told_by_its_fingerprint(key: Key) -> bool:
    """It is Ed25519, and neither its identifier nor anything beside it says more than its public half does."""
    public = key.keyval.get("public", "")
    if not isinstance(public, str) or not _PUBLIC.fullmatch(public):
        return False
    return bool(key == SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))))


def _check_replaced(proposal: Proposal) -> None:
    """Raises Untrusted where a key that is replaced still counts somewhere, or is followed by two."""
    following: dict[str, str] = {}
    used: set[str] = set()
    for role, before in ((Root.type, proposal.root), (Targets.type, proposal.top)):
        after: Any = proposal.drafts[role].signed if role in proposal.drafts else before
        for _, _, was, will in _places(before, after):
            used.add(will)
            if was != will and following.setdefault(was, will) != will:
                raise Untrusted(f"the next {role} has another key in one place than in the other: {_NO}")
    if used & following.keys():
        raise Untrusted(f"a key that is replaced in one place counts in another: {_NO}")


def _places(before: Delegator, after: Delegator) -> Iterator[tuple[str, int, str, str]]:
    """Role, place in it, identifier of the key before and after."""
    rules = dict(rules_of(after))  # by name: the order in which a file has its roles says nothing
    for role, rule in rules_of(before):
        for place, (former, following) in enumerate(zip(rule.keyids, rules[role].keyids, strict=True)):
            yield role, place, former, following


def _fingerprint(delegator: Delegator, keyid: str) -> str:
    return fingerprint(bytes.fromhex(keys_of(delegator)[keyid].keyval["public"]))


def _recipients(before: bytes, after: bytes) -> Iterator[str]:
    old, new = parse_recipients(before), parse_recipients(after)
    if new.version != old.version + 1:
        raise Untrusted(f"the next recipients are not counted up by one, from {old.version} to {new.version}: {_NO}")
    for field, words in _RECIPIENTS.items():
        was, will = getattr(old, field), getattr(new, field)
        if was != will:
            yield f"{words} that boxes seal to: {fingerprint(was.encode())} -> {fingerprint(will.encode())}"


def _roster(before: bytes, after: bytes) -> Iterator[str]:
    old, new = parse_roster(before), parse_roster(after)
    if len({box.serial for box in new.boxes}) != len(new.boxes) or new.version <= old.version:
        raise Untrusted(f"the next roster has a box twice, or is not counted up: {_NO}")
    if new.version != old.version + 1:  # a change whose publication was broken off has counted it, too
        yield f"the roster counts itself from {old.version} to {new.version}"
    yield from _roster_keys(old, new)
    was, will = ({box.serial: box for box in roster.boxes} for roster in (old, new))
    for serial in sorted(was.keys() | will.keys()):
        if serial not in was:
            yield f"box {serial} is enrolled; {', '.join(_enrolled(will[serial]))}"
        elif serial not in will:
            yield f"box {serial} IS TAKEN OUT, with all that proves its records"
        elif was[serial] != will[serial]:
            yield f"box {serial}: {', '.join(_changes(was[serial], will[serial]))}"


def _roster_keys(old: Roster, new: Roster) -> Iterator[str]:
    for key in new.keys:
        if key not in old.keys:
            if key.vkey and parse_vkey(key.vkey).public != key.public:
                raise Untrusted(f"the next roster has two keys in one for {key.role}: {_NO}")
            yield f"key {key.role}: {_newest(old, key)} -> {fingerprint(key.public)}"
    for key in old.keys:
        if key not in new.keys:
            yield f"key {key.role} {fingerprint(key.public)} IS TAKEN OUT, with all that it proves"
    kept = [key for key in old.keys if key in new.keys]
    if [key for key in new.keys if key in old.keys] != kept or new.keys[: len(kept)] != tuple(kept):
        raise Untrusted(f"the next roster puts its keys into another order: {_NO}")


def _newest(old: Roster, key: RosterKey) -> str:
    present = old.keys_of(key.role)
    return fingerprint(present[0].public) if present else "none"


def _enrolled(box: RosterBox) -> Iterator[str]:
    yield f"its identity key: {fingerprint(box.identity_der)}"
    for field in ("log_vkey", "origins", "age_recipient", "tls_sha256"):
        yield f"{field} {_short(getattr(box, field))}"
    if box.revoked or box.revoked_ms:
        yield _revoked(box)


def _revoked(box: RosterBox) -> str:
    since = datetime.fromtimestamp(box.revoked_ms // 1000, UTC)
    return f"{'is revoked' if box.revoked else 'IS NOT REVOKED'}, since {since:%Y-%m-%d %H:%M:%S} UTC"


def _changes(was: RosterBox, will: RosterBox) -> Iterator[str]:
    if (will.revoked, will.revoked_ms) != (was.revoked, was.revoked_ms) and (will.revoked or will.revoked_ms):
        yield _revoked(will)
    if was.revoked and not will.revoked:
        yield "IS TRUSTED AGAIN"
    for field in msgspec.structs.fields(RosterBox):
        former, following = getattr(was, field.name), getattr(will, field.name)
        if former != following and field.name not in ("revoked", "revoked_ms"):
            yield f"{field.name} {_short(former)} -> {_short(following)}"


def _short(value: object) -> str:
    if isinstance(value, bytes):
        return fingerprint(value)
    return ", ".join(str(each) for each in value) if isinstance(value, tuple) else fingerprint(str(value).encode())
