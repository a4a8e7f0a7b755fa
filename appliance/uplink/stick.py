"""A stick from headquarters (`landlink-hq stick`): releases, messages to boxes, cosigned checkpoints.

`tuf/` has a release, `down/<serial>/` messages to a box, `cosigned/<domain>/<log>` the last checkpoint of that log that
headquarters pulled and cosigned: the recorder's to verify, like messages.

It passed through many hands, so nothing on it is believed. Messages are the recorder's to verify. Of a release, the
metadata is verified from the pinned root before a byte of it enters the mirror: a file of metadata is named by a number
alone, and a false one would stand in the way of headquarters' own for ever. Targets are named by their hashes. After
that the stick answers like a collector, and the mirror copies from it by the same code as over the link.

Every file is opened beneath the stick's folder without following a link, and read no further than its bound.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tuf.api.metadata import Timestamp

from appliance.errors import Malformed, Untrusted, UplinkFault
from appliance.files import names_beneath, open_beneath
from appliance.formats.downlink import COSIGNED, FILE_NAME, SEALED_BYTES_MAX, WAITING_MAX
from appliance.formats.mirror import release_names, wanted_files
from appliance.formats.tuf_chain import TARGETS_BYTES_MAX, TIMESTAMP_BYTES_MAX, read_metadata, verify_chain
from appliance.formats.wire import NOTE_BYTES_MAX
from appliance.uplink.link import ANSWER_BYTES_MAX, Answer
from appliance.uplink.mirror import TIMESTAMP, TUF_ROOT

TUF: Final = "tuf"
ROUNDS_MAX: Final = 4
NAMES_MAX: Final = 4_096
"""Looked at in one folder."""
PIECE_BYTES: Final = 1_048_576
_RANGE: Final = re.compile(r"bytes=([0-9]{1,15})-")
_MESSAGE: Final = re.compile(FILE_NAME)
_journal = logging.getLogger("landlink.uplink")


def sealed_messages(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """The sealed messages in a folder that a stranger made, by name; the newest WAITING_MAX, oldest first.

    What cannot be read is passed over: the stick may be pulled out at any moment.

    Args:
        folder: Where the stick is mounted.
        name: The folder on it.
    """
    try:
        names = sorted(filter(_MESSAGE.fullmatch, names_beneath(folder, name, count_max=NAMES_MAX)))[-WAITING_MAX:]
    except OSError:
        return
    for each in names:
        sealed = _read(folder, f"{name}/{each}", SEALED_BYTES_MAX)
        if sealed:
            yield each, sealed


class Stick:
    """The release on a stick, verified; answers a Mirror as the collector does.

    Args:
        folder: Where it is mounted.
        pinned_root: Headquarters' first root.

    Raises:
        Malformed, Untrusted: There is no whole release of headquarters on it.
    """

    def __init__(self, folder: Path, pinned_root: bytes) -> None:
        self._folder = folder
        self._metadata: dict[str, bytes] = {}

        def read(path: str) -> bytes | None:
            content = _read(folder, f"{TUF}/{path}", TARGETS_BYTES_MAX)
            if content is not None:
                self._metadata[path] = content
            return content

        lacking = [
            file.path for file in wanted_files(read, lambda _: True) if not file.optional
        ]  # targets are looked at when they are copied
        if lacking:
            raise Untrusted(f"it lacks {lacking[0]}")
        self.version = verify_chain(release_names(self._metadata), pinned_root).version

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        take: Callable[[bytes], None] | None = None,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> Answer:
        """As Link.request; verified metadata from memory, targets from the stick.

        Raises:
            UplinkFault: The stick gives no more.
        """
        assert method == "GET", "a mirror asks for nothing else"
        path = target.removeprefix(TUF_ROOT)
        if (content := self._metadata.get(path)) is not None:
            return _whole(content, take)
        if not path.startswith("targets/") or take is None:
            return Answer(status=404, headers={}, body=b"")
        begin = _begin(headers or {})
        try:
            with open_beneath(self._folder, f"{TUF}/{path}") as file:
                file.seek(begin)
                left = answer_bytes_max
                while piece := file.read(min(PIECE_BYTES, left + 1)):
                    left -= len(piece)
                    if left < 0:
                        raise UplinkFault("the stick has a longer file than headquarters signed")
                    take(piece)
        except FileNotFoundError:
            return Answer(status=404, headers={}, body=b"")
        except OSError as error:
            raise UplinkFault(f"the stick cannot be read: {error.strerror}") from None
        return Answer(status=206 if begin else 200, headers={}, body=b"")


def cosigned_on(folder: Path, origin: str) -> bytes | None:
    """The checkpoint of this log that headquarters is said to have cosigned; the recorder verifies it."""
    return _read(folder, f"{COSIGNED}/{origin}", NOTE_BYTES_MAX)


def timestamp_on(folder: Path) -> bytes | None:
    """The stick's timestamp.json, verified by nobody; None when there is no stick with one."""
    return _read(folder, f"{TUF}/{TIMESTAMP}", TIMESTAMP_BYTES_MAX)


def is_newer(timestamp: bytes, than: bytes | None) -> bool:
    """Whether a timestamp.json is of a later version than the mirror's own, which may be missing or damaged.

    Raises:
        Malformed: It is none.
    """
    return _version(timestamp) > _known_version(than)


def _known_version(timestamp: bytes | None) -> int:
    try:
        return 0 if timestamp is None else _version(timestamp)
    except Malformed:
        return 0


def _version(timestamp: bytes) -> int:
    metadata = read_metadata(timestamp, Timestamp, what="timestamp.json", bytes_max=TIMESTAMP_BYTES_MAX)
    return int(metadata.signed.version)


def _whole(content: bytes, take: Callable[[bytes], None] | None) -> Answer:
    if take is None:
        return Answer(status=200, headers={}, body=content)
    take(content)
    return Answer(status=200, headers={}, body=b"")


def _begin(headers: Mapping[str, str]) -> int:
    asked = _RANGE.fullmatch(headers.get("Range", ""))
    return int(asked[1]) if asked is not None else 0


def _read(folder: Path, name: str, bytes_max: int) -> bytes | None:
    """A file of the stick; None for what is not there, no regular file, behind a link, too long, or unreadable."""
    try:
        with open_beneath(folder, name) as file:
            content = file.read(bytes_max + 1)
    except OSError:
        return None
    return content if len(content) <= bytes_max else None
