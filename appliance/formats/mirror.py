"""Which files a mirror of headquarters' repository still lacks: for whoever carries it, without trusting anything.

The carrier (uplink, stick) fetches `metadata/timestamp.json`, then what `wanted_files` names until it names nothing
new, and puts timestamp.json into its mirror last. It verifies nothing: that is for `releases`. With consistent
snapshots (TUF specification §6.2) a file name is never used twice, so what the mirror has need not be fetched again.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tuf.api.metadata import Snapshot, Targets, Timestamp

from appliance.errors import Malformed
from appliance.formats.release import DOCUMENTS_TARGET, MADE_OF, target_bytes_max
from appliance.formats.tuf_chain import (
    DELEGATED,
    ROOT_BYTES_MAX,
    ROOTS_MAX,
    SNAPSHOT_BYTES_MAX,
    TARGETS_BYTES_MAX,
    TIMESTAMP_BYTES_MAX,
    read_metadata,
)

Read = Callable[[str], bytes | None]
Has = Callable[[str], bool]
PAGES_SUFFIX: Final = "." + DOCUMENTS_TARGET.rpartition("/")[2]
"""How the name of a documents list ends in a mirror, after its hash."""
_PART: Final = re.compile(r"lists/[0-9a-f]{64}\.documents\.(pages|delta-[0-9]{4})")
_PARTS: Final = (0, *range(2, 1_002))
"""How many files a base is made of: none that a mirror could use, or the one before and its deltas."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_VERSIONED: Final = re.compile(r"metadata/\d+\.(?!root\.json)(.+)")
_HASHED: Final = re.compile(r"targets/(.+)/[0-9a-f]{64}\.(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFile:
    """A file that the mirror lacks.

    Attributes:
        path: In the mirror, and below the repository's address.
        bytes_max: Its bound; its exact length where that is signed.
        optional: It may not exist (the next root).
        made_of: A documents list, and deltas in their order, whose merge it is: a mirror that has them need not fetch
            it (page_writer.merge_deltas).
    """

    path: str
    bytes_max: int
    optional: bool = False
    made_of: tuple[str, ...] = ()


def wanted_files(read: Read, has: Has) -> tuple[WantedFile, ...]:
    """What to fetch next.

    Args:
        read: Gives the mirror's bytes of metadata, None when it has no such file; for "metadata/timestamp.json" the
            newly fetched one.
        has: Whether the mirror has this target. It may be longer than memory, so nobody reads it here.

    Raises:
        Malformed: The repository's metadata cannot be read; its new files are of no use.
    """
    return tuple(wanted for wanted in _all(read) if not _there(wanted.path, read, has))


def release_names(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files of a mirror by the names that a release's folder has: without the version or hash of consistent snapshots.

    For whoever verifies them (tuf_chain.verify_chain, release.verify_release).
    """
    return {_HASHED.sub(r"targets/\1/\2", _VERSIONED.sub(r"metadata/\1", path)): data for path, data in files.items()}


def _there(path: str, read: Read, has: Has) -> bool:
    return has(path) if path.startswith("targets/") else read(path) is not None


def _all(read: Read) -> Iterator[WantedFile]:
    yield _next_root(read)
    data = read("metadata/timestamp.json")
    if data is None:
        yield WantedFile(path="metadata/timestamp.json", bytes_max=TIMESTAMP_BYTES_MAX)
        return
    timestamp = read_metadata(data, Timestamp, what="timestamp.json", bytes_max=TIMESTAMP_BYTES_MAX).signed
    path = f"metadata/{timestamp.snapshot_meta.version}.snapshot.json"
    data = read(path)
    if data is None:
        yield WantedFile(path=path, bytes_max=SNAPSHOT_BYTES_MAX)
        return
    snapshot = read_metadata(data, Snapshot, what="snapshot.json", bytes_max=SNAPSHOT_BYTES_MAX).signed
    for role in (Targets.type, *DELEGATED):
        if (meta := snapshot.meta.get(f"{role}.json")) is None:
            raise Malformed("snapshot.json", f"names no {role}")
        path = f"metadata/{meta.version}.{role}.json"
        data = read(path)
        if data is None:
            yield WantedFile(path=path, bytes_max=TARGETS_BYTES_MAX)
        else:
            yield from _targets(data, role)


def _next_root(read: Read) -> WantedFile:
    number = next((number for number in range(2, ROOTS_MAX + 2) if read(f"metadata/{number}.root.json") is None), 0)
    if number == 0:
        raise Malformed("root.json", f"more than {ROOTS_MAX} roots")
    return WantedFile(path=f"metadata/{number}.root.json", bytes_max=ROOT_BYTES_MAX, optional=True)


def _targets(data: bytes, role: str) -> Iterator[WantedFile]:
    targets = read_metadata(data, Targets, what=f"{role}.json", bytes_max=TARGETS_BYTES_MAX).signed
    for path, file in targets.targets.items():
        bytes_max = target_bytes_max(path)
        if not bytes_max:
            continue
        sha256 = str(file.hashes.get("sha256", ""))
        if not _SHA256.fullmatch(sha256) or file.length > bytes_max:
            raise Malformed(f"{role}.json", f"{path}: no SHA-256, or longer than {bytes_max} bytes")
        folder, _, name = path.rpartition("/")
        made_of = _made_of(file.custom) if path == DOCUMENTS_TARGET else ()
        yield WantedFile(path=f"targets/{folder}/{sha256}.{name}", bytes_max=file.length, made_of=made_of)


def _made_of(custom: object) -> tuple[str, ...]:
    names: Any = custom.get(MADE_OF, []) if isinstance(custom, dict) else []
    if (
        not isinstance(names, list)
        or len(names) not in _PARTS
        or not all(isinstance(name, str) and _PART.fullmatch(name) for name in names)
    ):
        raise Malformed("lists.json", f"{MADE_OF} names no lists")
    return tuple(f"targets/{name}" for name in names)
