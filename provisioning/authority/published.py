"""What headquarters has published (`hq/tuf/`), read: every root, the last release, and what came before it."""

import re
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from appliance.errors import ConfigError, StorageFault
from appliance.formats.tuf_chain import DELEGATED, TARGETS_BYTES_MAX, read_metadata
from provisioning.authority.roles import LIFE

S = TypeVar("S", Root, Timestamp, Snapshot, Targets)


class Published:
    """The repository of one headquarters, as it lies there.

    Args:
        home: Headquarters' folder, with `tuf/`.
    """

    def __init__(self, home: Path) -> None:
        self._tuf = home / "tuf"

    def root(self) -> bytes:
        """The first root, which enrolment pins on a box. Raises ConfigError when there is no repository."""
        return self.read("1.root.json")

    def roots(self) -> tuple[Root, ...]:
        """Every root from the first on. Raises ConfigError when there is no repository."""
        found = [self.load("root", 1, Root)]
        while (self._tuf / "metadata" / f"{len(found) + 1}.root.json").exists():
            found.append(self.load("root", len(found) + 1, Root))
        return tuple(found)

    def last_root(self) -> Root:
        """The root in force. Raises ConfigError when there is no repository."""
        return self.roots()[-1]

    def tops(self) -> tuple[Targets, ...]:
        """Every version of the top-level targets up to that of the last release. Raises ConfigError."""
        last = self.versions()[Targets.type]
        return tuple(self.load(Targets.type, version, Targets) for version in range(1, last + 1))

    def top(self) -> Targets:
        """The top-level targets of the last release. Raises ConfigError."""
        return self.load(Targets.type, self.versions()[Targets.type], Targets)

    def version(self) -> int:
        """Version of the last release, 0 before the first."""
        try:
            data = (self._tuf / "metadata" / "timestamp.json").read_bytes()
        except FileNotFoundError:
            return 0
        return parse(data, Timestamp).snapshot_meta.version

    def target(self, path: str) -> bytes | None:
        """What the last release has at `path`, None when it has nothing there. Raises ConfigError, StorageFault."""
        place = self.place(path)
        return None if place is None else place.read_bytes()

    def place(self, path: str) -> Path | None:
        """Where the last release's target at `path` lies, None when it has nothing there. Raises ConfigError."""
        role = path.partition("/")[0]
        version = self.versions().get(role)
        file = None if version is None else self.load(role, version, Targets).targets.get(path)
        return None if file is None else self._tuf / "targets" / hashed(file)

    def names(self, pattern: re.Pattern[str]) -> list[str]:
        """Paths of the last release's lists that match, sorted. Raises ConfigError."""
        version = self.versions().get("lists")
        targets = {} if version is None else self.load("lists", version, Targets).targets
        return sorted(path for path in targets if pattern.fullmatch(path))

    def past(self, path: str) -> Generator[tuple[int, bytes]]:
        """What each signed version of the role has had at `path`, the newest first, with when it was signed.

        Yields:
            Milliseconds since 1970, content; down to the first version that lacks it or was cleared away.
        """
        role = path.partition("/")[0]
        for version in range(self.versions().get(role, 0), 0, -1):
            if not (self._tuf / "metadata" / f"{version}.{role}.json").exists():
                return
            signed = self.load(role, version, Targets)
            file = signed.targets.get(path)
            if file is None or not (place := self._tuf / "targets" / hashed(file)).exists():
                return
            yield int((signed.expires - LIFE[role]).timestamp() * 1000), place.read_bytes()

    def sizes(self) -> dict[str, int]:
        """Length of each target of the last release. Raises ConfigError."""
        versions = self.versions()
        roles = (self.load(role, versions[role], Targets) for role in DELEGATED if role in versions)
        return {path: file.length for targets in roles for path, file in targets.targets.items()}

    def versions(self) -> dict[str, int]:
        """Version of each role's metadata in the last release; only the top-level targets before the first."""
        version = self.version()
        if version == 0:
            return {Targets.type: 1}
        meta = self.load("snapshot", version, Snapshot).meta
        return {name.removesuffix(".json"): file.version for name, file in meta.items()}

    def load(self, role: str, version: int, kind: type[S]) -> S:
        """One signed version of a role. Raises ConfigError when it is not there."""
        return parse(self.read(f"{version}.{role}.json"), kind)

    def read(self, name: str) -> bytes:
        """One metadata file. Raises ConfigError when it is not there, StorageFault."""
        try:
            return (self._tuf / "metadata" / name).read_bytes()
        except FileNotFoundError:
            raise ConfigError(f"{self._tuf} has no {name}; make headquarters with: landlink-hq init") from None
        except OSError as error:
            raise StorageFault(f"reading {name}: {error.strerror}") from error


def parse(data: bytes, kind: type[S]) -> S:
    """Our own published metadata; something else there means that somebody else wrote it. Raises Malformed."""
    return read_metadata(data, kind, what="hq/tuf", bytes_max=TARGETS_BYTES_MAX).signed


def payload(data: bytes) -> bytes:
    """What the signatures of a published metadata file are over."""
    return Metadata[Root].from_bytes(data).signed_bytes


def hashed(file: TargetFile) -> str:
    """Where a target lies with consistent snapshots: its SHA-256 before its name."""
    return file.get_prefixed_paths()[0]
