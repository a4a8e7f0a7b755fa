"""Which witnesses must have seen a checkpoint: a trust policy as C2SP tlog-policy writes it. Pure.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>...
    quorum <name>|none

One line each, names before they are used, one quorum. A policy without `log` lines holds for the logs of the roster.
A witness of another authority sees the same tree as headquarters, so headquarters alone cannot show two.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import ConfigError, Malformed, Untrusted
from appliance.files import read_regular
from appliance.formats.note import COSIGNATURE_ED25519, COSIGNATURE_MLDSA44, ED25519, Verifier, parse_vkey

POLICY_BYTES_MAX: Final = 1_048_576
LINES_MAX: Final = 1_024
"""Of each kind; the specification asks for at least 32."""
NONE: Final = b"none"
_FORBIDDEN: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_THRESHOLD: Final = re.compile(rb"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness; `url` is its submission prefix (C2SP tlog-witness), "" when the policy names none."""

    verifier: Verifier
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some of whose members must have witnessed; `threshold` is how many."""

    threshold: int
    members: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A parsed policy.

    Attributes:
        logs: Keys of the logs that it is for; () for those of the roster.
        witnesses, groups: By name, which is opaque bytes.
        quorum: Name of who must have witnessed; None asks for nobody.
    """

    logs: tuple[Verifier, ...]
    witnesses: Mapping[bytes, Witness]
    groups: Mapping[bytes, Group]
    quorum: bytes | None

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The keys of all witnesses."""
        return tuple(witness.verifier for witness in self.witnesses.values())

    def require(self, log: Verifier, signed: Iterable[Verifier]) -> None:
        """Check a checkpoint whose signatures by these keys hold.

        Raises:
            Untrusted: The log is not one of the policy's, or the quorum is not reached: who is missing is named.
        """
        if self.logs and log not in self.logs:
            raise Untrusted("the policy of witnesses does not name this log, or names it with another key")
        if self.quorum is None:
            return
        there = frozenset(signed)
        if not self._witnessed(self.quorum, there):
            missing = [name for name, witness in self.witnesses.items() if witness.verifier not in there]
            raise Untrusted(
                f"without the quorum of witnesses ({_shown(self.quorum)}): not witnessed by "
                f"{', '.join(map(_shown, missing))}"
            )

    def _witnessed(self, name: bytes, signed: frozenset[Verifier]) -> bool:
        witness = self.witnesses.get(name)
        if witness is not None:
            return witness.verifier in signed
        group = self.groups[name]
        return sum(self._witnessed(member, signed) for member in group.members) >= group.threshold


def read_policy(path: Path) -> Policy:
    """Read a policy file. Raises ConfigError when it cannot be read, Malformed when it is none."""
    try:
        return parse_policy(read_regular(path, POLICY_BYTES_MAX))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def parse_policy(data: bytes) -> Policy:
    """Parse a policy. Raises Malformed, naming the line."""
    if len(data) > POLICY_BYTES_MAX:
        raise Malformed("witness policy", f"{len(data)} bytes, at most {POLICY_BYTES_MAX}")
    if data and not data.endswith(b"\n"):
        raise Malformed("witness policy", "its last line does not end in a newline")
    parsing = _Parsing()
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            parsing.take(line)
        except Malformed as error:
            raise Malformed(f"witness policy, line {number}", error.why) from None
    return parsing.policy()


class _Parsing:
    """Takes lines in order; names are defined before they are used, so no definition goes round in a circle."""

    def __init__(self) -> None:
        self._logs: list[Verifier] = []
        self._witnesses: dict[bytes, Witness] = {}
        self._groups: dict[bytes, Group] = {}
        self._members: set[bytes] = set()
        self._quorum: list[bytes] = []

    def take(self, line: bytes) -> None:
        """Take one line. Raises Malformed."""
        if _FORBIDDEN.search(line):
            raise Malformed("line", "a control character other than tab")
        match [part for part in re.split(rb"[ \t]+", line) if part]:
            case []:
                return
            case [first, *_] if first.startswith(b"#"):
                return
            case [b"log", vkey] | [b"log", vkey, _]:
                self._log(vkey)
            case [b"witness", name, vkey]:
                self._witness(name, vkey, b"")
            case [b"witness", name, vkey, url]:
                self._witness(name, vkey, url)
            case [b"group", name, threshold, _, *_] as parts:
                self._group(name, threshold, tuple(parts[3:]))
            case [b"quorum", name]:
                if self._quorum:
                    raise Malformed("line", "a second quorum")
                self._quorum.append(name if name == NONE else self._known(name))
            case _:
                raise Malformed("line", "none of log, witness, group, quorum with their parts")

    def policy(self) -> Policy:
        """What all lines say. Raises Malformed when they name no quorum."""
        if not self._quorum:
            raise Malformed("witness policy", "no quorum line")
        quorum = None if self._quorum[0] == NONE else self._quorum[0]
        return Policy(logs=tuple(self._logs), witnesses=self._witnesses, groups=self._groups, quorum=quorum)

    def _log(self, vkey: bytes) -> None:
        verifier = _verifier(vkey, (ED25519,))
        if len(self._logs) >= LINES_MAX or verifier.public in (log.public for log in self._logs):
            raise Malformed("line", "a log's key for the second time, or too many logs")
        self._logs.append(verifier)

    def _witness(self, name: bytes, vkey: bytes, url: bytes) -> None:
        verifier = _verifier(vkey, (COSIGNATURE_ED25519, COSIGNATURE_MLDSA44))
        self._new(name)
        if verifier.public in (witness.verifier.public for witness in self._witnesses.values()):
            raise Malformed("line", "a witness's key for the second time")
        self._witnesses[name] = Witness(verifier=verifier, url=url.decode("utf-8", "replace"))

    def _group(self, name: bytes, threshold: bytes, members: tuple[bytes, ...]) -> None:
        self._new(name)
        for member in members:
            if self._known(member) in self._members:
                raise Malformed("line", f"{_shown(member)} is a member for the second time")
            self._members.add(member)
        count = {b"all": len(members), b"any": 1}.get(threshold)
        if count is None:
            count = int(threshold) if _THRESHOLD.fullmatch(threshold) else 0
        if not 1 <= count <= len(members):
            raise Malformed("line", f"its threshold is not all, any, or a number from 1 to {len(members)}")
        self._groups[name] = Group(threshold=count, members=members)

    def _new(self, name: bytes) -> None:
        if name == NONE or name in self._witnesses or name in self._groups:
            raise Malformed("line", f"the name {_shown(name)} is taken")
        if len(self._witnesses) + len(self._groups) >= LINES_MAX:
            raise Malformed("line", f"more than {LINES_MAX} witnesses and groups")

    def _known(self, name: bytes) -> bytes:
        if name not in self._witnesses and name not in self._groups:
            raise Malformed("line", f"{_shown(name)} is not defined on a line before")
        return name


def _verifier(vkey: bytes, types: tuple[int, ...]) -> Verifier:
    try:
        verifier = parse_vkey(vkey.decode("utf-8"))
    except UnicodeDecodeError:
        raise Malformed("line", "its key is not UTF-8") from None
    if verifier.type not in types:
        raise Malformed("line", f"a key of type {verifier.type:02x} does not sign so")
    return verifier


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "replace")
