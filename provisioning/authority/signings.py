"""What the keys of three persons signed, step by step: read from the signed metadata itself, which is never removed.

So no step can be left out or written differently: whoever signs makes the entry. Every step is verified as boxes do it,
by the root and the top-level targets of its time: a version that does not hold is named and nothing is listed. Two
persons compare the fingerprint, which is of what was signed, whoever signed it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Root, Targets

from appliance.errors import Untrusted
from appliance.formats.enrolment import fingerprint
from appliance.formats.tuf_chain import TARGETS_BYTES_MAX, Envelope, read_metadata
from provisioning.authority.home import Home
from provisioning.authority.proposal import Delegator, names_of_keys
from provisioning.authority.published import Published
from provisioning.authority.roles import OF_PERSONS


class Signing(NamedTuple):
    """One step: which role's which version, the fingerprint of what was signed, and whose keys signed it."""

    role: str
    version: int
    fingerprint: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.role} {self.version}: {self.fingerprint}, signed by {', '.join(self.keys)}"


def signings(home: Home) -> list[Signing]:
    """Every step, by role and version, each verified.

    Raises:
        Untrusted: A version is not signed by enough keys of its role.
        ConfigError, Malformed: One is missing or cannot be read.
    """
    published = Published(home.folder)
    roots, tops = published.roots(), published.tops()
    names = names_of_keys(roots, tops)
    steps: list[Signing] = []
    for role in OF_PERSONS:
        above: Sequence[Delegator] = roots if role in (Root.type, Targets.type) else tops
        last = len(roots) if role == Root.type else published.versions()[role]
        steps.extend(_step(published, role, version, above, names) for version in range(1, last + 1))
    return steps


def last_signing(home: Home, role: str) -> Signing:
    """The latest step of that role. Raises as `signings`."""
    return [step for step in signings(home) if step.role == role][-1]


def _step(published: Published, role: str, version: int, above: Sequence[Delegator], names: dict[str, str]) -> Signing:
    kind: type[Any] = Root if role == Root.type else Targets
    file = f"{version}.{role}.json"
    metadata = read_metadata(published.read(file), kind, what=file, bytes_max=TARGETS_BYTES_MAX)
    if metadata.signed.version != version:
        raise Untrusted(f"{file} has version {metadata.signed.version}")
    if role == Root.type:
        signed = [_signed(each, role, metadata) for each in above[max(version - 2, 0) : version]]
        held = set[str]().union(*signed) if all(signed) else set[str]()
    else:
        held = next((keyids for each in reversed(above) if (keyids := _signed(each, role, metadata))), set[str]())
    if not held:
        raise Untrusted(f"{file} is not signed by enough keys of its role")
    return Signing(role, version, fingerprint(metadata.payload), tuple(sorted(names[keyid] for keyid in held)))


def _signed(above: Delegator, role: str, metadata: Envelope[Any]) -> set[str]:
    """Identifiers of the keys that signed, verified; none where they are too few."""
    try:
        result = above.get_verification_result(role, metadata.payload, metadata.signatures)
    except (RepositoryError, ValueError):
        return set()
    return set(result.signed) if result else set()
