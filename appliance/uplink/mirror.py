"""The mirror: headquarters' repository copied into a folder, byte by byte, as a dumb carrier does it.

It verifies nothing, since `releases` verifies everything; a hash in a target's name only tells whether the copying
went well. Files appear whole; `timestamp.json` last, so that a reader never sees a release of which a part is missing.
What a broken link or a power cut interrupted goes on where it stopped (part.py); what came and is not the file that its
name promises is thrown away and fetched once more, then left alone for a while. A documents list that headquarters
merged is merged here, too: also out of a base that was still under way when the new one was published.
"""

import contextlib
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from appliance.errors import Malformed, StorageFault, Untrusted, UplinkFault
from appliance.files import OpenFile, replace_file, storage
from appliance.formats.mirror import WantedFile, wanted_files
from appliance.formats.page_writer import merge_deltas
from appliance.formats.pages import FILE_BYTES_MAX, PageFile
from appliance.formats.release import DELTA_BYTES_MAX
from appliance.formats.tuf_chain import TIMESTAMP_BYTES_MAX
from appliance.uplink.link import ANSWER_BYTES_MAX, Answer
from appliance.uplink.part import Part

TUF_ROOT: Final = "/tuf/"
TIMESTAMP: Final = "metadata/timestamp.json"
ROUNDS_MAX: Final = 16
"""Chain of metadata to follow: root, snapshot, roles, targets; a few roots more."""
PRUNE_AFTER_S: Final = 86_400.0
"""An unused file stays for a day: `releases` may be reading the release before."""
TARGET_NAME: Final = re.compile(r"([0-9a-f]{64})\.[^/]+")
WRONG_AGAIN_S: Final = 3_600.0
"""A file that headquarters serves wrongly is not fetched again and again: it may have gigabytes."""
BEGUN_SHARE: Final = 4
"""An earlier base of which this fraction came already is fetched to its end, to be merged."""
SAFE_PATH: Final = re.compile(r"(metadata|targets)(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}){1,3}")


class RepositoryFault(UplinkFault):
    """Headquarters was reached, and what it serves is no whole repository."""


class Source(Protocol):
    """The collector over a link (link.py), or a stick that answers as it does (stick.py)."""

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        take: Callable[[bytes], None] | None = None,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> Answer:
        """As Link.request."""
        ...


class _Here(Exception):
    """The file that is fetched came whole by the other way meanwhile."""


class Mirror:
    """Copies into `folder`.

    Args:
        link: What the repository is asked for by GET; used by this object alone.
        folder: `state/mirror`.
        way: Names what is under way, where two mirrors fill one folder.

    Raises:
        StorageFault: The folder cannot be read.
    """

    def __init__(self, link: Source, folder: Path, way: str = "") -> None:
        self._link = link
        self._folder = folder
        self._way = way
        self._entity_tag = ""
        self._wrong: dict[str, float] = {}
        self._mend()

    def refresh(self) -> bool:
        """Fetch what is new; whether anything was.

        Raises:
            RepositoryFault: What the server serves cannot be copied; the mirror stays as it was.
            UplinkFault: The link.
            StorageFault, StorageFull: The card; the mirror stays as it was.
        """
        timestamp = self._timestamp()
        if timestamp is None:
            return False
        used: set[str] = set()

        def read(path: str) -> bytes | None:
            content = timestamp if path == TIMESTAMP else self._read(path)
            if content is not None:
                used.add(path)
            return content

        def has(path: str) -> bool:
            used.add(path)
            return SAFE_PATH.fullmatch(path) is not None and (self._folder / path).is_file()

        absent: set[str] = set()
        for _ in range(ROUNDS_MAX):
            try:
                wanted = [file for file in wanted_files(read, has) if file.path not in absent]
            except Malformed as error:
                raise RepositoryFault(f"headquarters' repository cannot be read: {error}") from None
            if not wanted:
                replace_file(self._folder / TIMESTAMP, timestamp)
                self._prune(used)
                return True
            absent |= {file.path for file in wanted if not self._fetch(file)}
        raise RepositoryFault("headquarters' repository never ends")

    def _timestamp(self) -> bytes | None:
        """The server's timestamp.json; None when it is what the mirror has."""
        tag = {"If-None-Match": self._entity_tag} if self._entity_tag else {}
        answer = self._link.request("GET", TUF_ROOT + TIMESTAMP, headers=tag, answer_bytes_max=TIMESTAMP_BYTES_MAX)
        if answer.status == 304:
            return None
        if answer.status in (401, 403, 429) or answer.status >= 500:
            raise UplinkFault(f"headquarters answers {answer.status}: {answer.words}")
        if answer.status != 200:
            raise RepositoryFault(f"headquarters publishes nothing yet ({answer.status})")
        if answer.body == self._read(TIMESTAMP):
            self._entity_tag = answer.entity_tag
            return None
        return answer.body

    def _fetch(self, file: WantedFile) -> bool:
        """Copy one file; False when it is optional and the server has none."""
        if SAFE_PATH.fullmatch(file.path) is None:
            raise RepositoryFault("headquarters' repository names a path outside of it")
        path = self._folder / file.path
        part = Part(path, self._way)
        with storage(f"mirror {path.name}"):
            try:
                if not self._merged(file, part):
                    status = self._arrive(file, part)
                    if status not in (200, 206):
                        part.drop()
                        if status == 404 and file.optional:
                            return False
                        raise RepositoryFault(f"headquarters does not give {file.path} ({status})")
            except _Here:
                part.drop()
                return True
            part.finish()
        return True

    def _arrive(self, file: WantedFile, part: Part) -> int:
        """Fetch a file until it has the hash that its name promises; the last status."""
        name = (self._folder / file.path).name
        have = part.length()
        if have == file.bytes_max and _arrived(part.path, name):
            return 200  # the power went just before it got its name
        if time.monotonic() < self._wrong.get(file.path, 0.0):
            raise RepositoryFault(f"{file.path} did not arrive as it is named; it is fetched again later")
        for begun in dict.fromkeys((have if have < file.bytes_max else 0, 0)):
            status = self._download(file, part, begun)
            if status not in (200, 206, 416):
                return status
            if status != 416 and _arrived(part.path, name):
                return status
            part.drop()  # once: what was left of an earlier attempt may have been wrong
        self._wrong[file.path] = time.monotonic() + WRONG_AGAIN_S
        raise RepositoryFault(f"{file.path} did not arrive as it is named")

    def _merged(self, file: WantedFile, part: Part) -> bool:
        """Make a documents list of the one before and its deltas, instead of fetching gigabytes; whether it was.

        Whatever fails, a damaged page or a full disk, it is fetched after all.
        """
        if not file.made_of or part.length() or not self._completed(file):
            return False
        try:
            base, *deltas = (PageFile(OpenFile(self._folder / path)) for path in file.made_of)
            with part.growing(0):
                merge_deltas(base, deltas, part.take)
        except (OSError, Malformed, Untrusted, StorageFault):
            part.drop()
            return False
        if _arrived(part.path, (self._folder / file.path).name):
            return True
        part.drop()
        return False

    def _completed(self, file: WantedFile) -> bool:
        """Whether all that it is made of is here; what is missing is fetched if the base is here, or much of it."""
        base = self._folder / file.made_of[0]
        begun = base.is_file() or Part(base, self._way).length() * BEGUN_SHARE >= file.bytes_max
        try:
            return all(
                (self._folder / path).is_file()
                or (
                    begun
                    and self._fetch(WantedFile(path=path, bytes_max=DELTA_BYTES_MAX if number else FILE_BYTES_MAX))
                )
                for number, path in enumerate(file.made_of)
            )
        except RepositoryFault:
            return False  # headquarters no longer has it

    def _download(self, file: WantedFile, part: Part, have: int) -> int:
        """Append to the `have` bytes that an earlier attempt left; the status, 416 when they were given again."""
        with part.growing(have):

            def take(piece: bytes) -> None:
                if (self._folder / file.path).exists():
                    raise _Here
                with storage(f"mirror {part.path.name}"):
                    part.take(piece)

            answer = self._link.request(
                "GET",
                TUF_ROOT + file.path,
                headers={"Range": f"bytes={have}-"} if have else {},
                take=take,
                answer_bytes_max=file.bytes_max - have,
            )
        return 416 if have and answer.status == 200 else answer.status

    def _read(self, path: str) -> bytes | None:
        if SAFE_PATH.fullmatch(path) is None:
            return None
        try:
            return (self._folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _mend(self) -> None:
        """Drop targets that no longer have the hash they are named by, so that they are fetched again."""
        with storage("mirror"):
            for path in (self._folder / "targets").rglob("*"):
                if path.is_file() and not _arrived(path, path.name):
                    path.unlink()
                    (self._folder / TIMESTAMP).unlink(missing_ok=True)

    def _prune(self, used: set[str]) -> None:
        """Remove what no metadata names any more; roots stay, they are a chain."""
        with storage("mirror"):
            for path in self._folder.rglob("*"):
                name = str(path.relative_to(self._folder))
                if name in used or not path.is_file() or name.endswith(".root.json"):
                    continue
                if time.time() - path.stat().st_mtime > PRUNE_AFTER_S:
                    with contextlib.suppress(FileNotFoundError):
                        path.unlink()


def _arrived(path: Path, name: str) -> bool:
    """Whether a file has the hash that its name promises; a name without one promises nothing."""
    target = TARGET_NAME.fullmatch(name)
    if target is None:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == target[1]
