"""What a draft changes, in words, for the persons who sign it; a change that has no words here is refused.

So nothing is signed that nobody could read: a draft is its predecessor, counted up by one, but for what is said.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from tuf.api.metadata import Root, Targets

from appliance.errors import Untrusted
from appliance.formats.enrolment import fingerprint
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
_ALGORITHM: Final = "ed25519"
_PUBLIC: Final = re.compile(r"[0-9a-f]{64}")


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
    lines: list[str] = []
    keys: dict[str, str] = {}
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
            keys |= _replaced(role, before, signed, names)
    lines.extend(f"key {name}: {change}" for name, change in keys.items())
    for path, told in ((RECIPIENTS_TARGET, _recipients), (ROSTER_TARGET, _roster)):
        if path in proposal.contents:
            lines.extend(told(contents[path], proposal.contents[path]))
    return lines


def check_like(role: str, before: Root | Targets, after: Root | Targets) -> None:
    """Raises Untrusted when a draft is not its predecessor, counted up by one, but for what words tell."""
    if after.version != before.version + 1 or _rest(role, before) != _rest(role, after):
        raise Untrusted(f"the next {role} changes what no words tell: do not sign it")


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


def _replaced(role: str, before: Delegator, after: Delegator, names: Mapping[str, str]) -> dict[str, str]:
    """Each key that another takes the place of, by its name. Raises Untrusted for keys that are not what they seem."""
    keys = keys_of(after)
    used = {keyid for _, rule in rules_of(after) for keyid in rule.keyids}
    publics = {key.keyval["public"] for key in keys.values()}
    if set(keys) != used or len(publics) != len(keys) or not all(map(_PUBLIC.fullmatch, publics)):
        raise Untrusted(f"the next {role} has a key that is none, counts twice, or for nothing: do not sign it")
    changes: dict[str, str] = {}
    for (name_of_role, old), (_, new) in zip(rules_of(before), rules_of(after), strict=True):
        for place, (former, following) in enumerate(zip(old.keyids, new.keyids, strict=True)):
            if keys[following].scheme != _ALGORITHM:
                raise Untrusted(f"the next {role} has a key that is not Ed25519: do not sign it")
            if former != following:
                name = names.get(former, SIGNERS[name_of_role][place])
                changes[name] = f"{_fingerprint(before, former)} -> {_fingerprint(after, following)}"
    return changes


def _fingerprint(delegator: Delegator, keyid: str) -> str:
    return fingerprint(bytes.fromhex(keys_of(delegator)[keyid].keyval["public"]))


def _recipients(before: bytes, after: bytes) -> Iterator[str]:
    old, new = parse_recipients(before), parse_recipients(after)
    for field, words in _RECIPIENTS.items():
        was, will = getattr(old, field), getattr(new, field)
        if was != will:
            yield f"{words} that boxes seal to: {fingerprint(was.encode())} -> {fingerprint(will.encode())}"


def _roster(before: bytes, after: bytes) -> Iterator[str]:
    old, new = parse_roster(before), parse_roster(after)
    yield from _roster_keys(old, new)
    was, will = ({box.serial: box for box in roster.boxes} for roster in (old, new))
    for serial in sorted(was.keys() | will.keys()):
        if serial not in was:
            yield f"box {serial} is enrolled; its identity key: {fingerprint(will[serial].identity_der)}"
        elif serial not in will:
            yield f"box {serial} IS TAKEN OUT, with all that proves its records"
        elif was[serial] != will[serial]:
            yield f"box {serial}: {', '.join(_changes(was[serial], will[serial]))}"


def _roster_keys(old: Roster, new: Roster) -> Iterator[str]:
    for key in new.keys:
        if key not in old.keys:
            yield f"key {key.role}: {_newest(old, key)} -> {fingerprint(key.public)}"
    for key in old.keys:
        if key not in new.keys:
            yield f"key {key.role} {fingerprint(key.public)} IS TAKEN OUT, with all that it proves"
    kept = [key for key in old.keys if key in new.keys]
    if [key for key in new.keys if key in old.keys] != kept or new.keys[: len(kept)] != tuple(kept):
        raise Untrusted("the next roster puts its keys into another order: do not sign it")


def _newest(old: Roster, key: RosterKey) -> str:
    present = old.keys_of(key.role)
    return fingerprint(present[0].public) if present else "none"


def _changes(was: RosterBox, will: RosterBox) -> Iterator[str]:
    if will.revoked and not was.revoked:
        yield "is revoked"
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
