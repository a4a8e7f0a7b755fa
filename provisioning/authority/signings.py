"""What the keys of three persons signed, step by step: read from the signed metadata itself, which is never removed.

So no step can be left out or written differently: whoever signs makes the entry. Two persons compare its fingerprint.
"""

from pathlib import Path
from typing import Final, NamedTuple

from tuf.api.metadata import Metadata, Root, Targets

from appliance.errors import ConfigError
from appliance.files import read_regular
from appliance.formats.enrolment import fingerprint
from appliance.formats.tuf_chain import DELEGATED
from provisioning.authority.home import Home
from provisioning.authority.repository import OFFLINE_KEYS, ROOT_KEYS, SIGNERS

METADATA_BYTES_MAX: Final = 16 * 1_048_576
SIGNED_OFFLINE: Final = tuple(role for role in DELEGATED if SIGNERS[role] == OFFLINE_KEYS)


class Signing(NamedTuple):
    """One step: which role's which version, the fingerprint of what was signed, and whose keys signed it."""

    role: str
    version: int
    fingerprint: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.role} {self.version}: {self.fingerprint}, signed by {', '.join(self.keys)}"


def signings(home: Home) -> list[Signing]:
    """Every step, by role and version. Raises ConfigError when the release cannot be read."""
    return [*_of_root(home), *(step for role in SIGNED_OFFLINE for step in _of_role(home, role))]


def last_signing(home: Home, role: str) -> Signing:
    """The latest step of that role. Raises ConfigError, as `signings`."""
    return [step for step in signings(home) if step.role == role][-1]


def _of_root(home: Home) -> list[Signing]:
    """A replaced key's place passes to the key that follows it."""
    steps: list[Signing] = []
    names: dict[str, str] = {}
    for version, data in _versions(home, "root"):
        metadata = Metadata[Root].from_bytes(data)
        present = metadata.signed.roles["root"].keyids
        left = [name for keyid, name in names.items() if keyid not in present] or list(ROOT_KEYS)
        names |= dict(zip((keyid for keyid in present if keyid not in names), left, strict=False))
        steps.append(_step("root", version, data, metadata.signatures, names))
    return steps


def _of_role(home: Home, role: str) -> list[Signing]:
    ((_, top),) = _versions(home, "targets")
    delegations = Metadata[Targets].from_bytes(top).signed.delegations
    assert delegations is not None, "the top-level targets name every delegated role"
    assert delegations.roles is not None, "by name"
    names = dict(zip(delegations.roles[role].keyids, SIGNERS[role], strict=True))
    return [
        _step(role, version, data, Metadata[Targets].from_bytes(data).signatures, names)
        for version, data in _versions(home, role)
    ]


def _step(role: str, version: int, data: bytes, signatures: object, names: dict[str, str]) -> Signing:
    assert isinstance(signatures, dict), "by key"
    return Signing(role, version, fingerprint(data), tuple(names.get(keyid, "another key") for keyid in signatures))


def _versions(home: Home, role: str) -> list[tuple[int, bytes]]:
    found: list[tuple[int, Path]] = [
        (int(path.name.partition(".")[0]), path) for path in (home.tuf / "metadata").glob(f"*.{role}.json")
    ]
    try:
        return [(version, read_regular(path, METADATA_BYTES_MAX)) for version, path in sorted(found)]
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from None
