"""Stage 6 of 8: record - "not the same": which travellers an officer has told apart from which list entries.

A decision spares the same traveller the same stop until that entry changes. What is kept of it is a keyed hash and the
entry's identifier, and nothing that can be read as a person: BLAKE2b-256, under a random key of this box, over the CBOR
of [subject, entry, revision]. Who was in question, and the revision, are in the hash alone.

A decision travels in its record's journal frame and is published as a line at the end of a file: `+` (decided so) or
`-` (no longer so), the hash and the identifier's UTF-8, both in hexadecimal, and a CRC-32 of what stands before it.
A line that a power cut tore is skipped, and the journal writes it again.
"""

import contextlib
import hashlib
import os
import secrets
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from appliance.at_rest import OPEN, AtRest
from appliance.errors import Malformed, Untrusted
from appliance.files import read_regular, storage, write_durably
from appliance.formats.cbor import encode
from appliance.formats.wire import Case, Spared
from appliance.inquiry.memory import subject_of
from appliance.record.journal import Judged

REMEMBERED_MAX: Final = 10_000
"""Decisions; the oldest goes. A post with one a day has them for 27 years."""
LINES_MAX: Final = 2 * REMEMBERED_MAX
"""Lines of the file before it is written anew without what no longer counts."""
FILE_BYTES_MAX: Final = 32 * 1024 * 1024
KEY_BYTES: Final = 32


class NotSame:
    """The decisions on this box.

    Args:
        path: The file.
        key: Where the key of its hashes lies.
        at_rest: How.
    """

    def __init__(self, path: Path, key: Path, at_rest: AtRest = OPEN) -> None:
        self._path = path
        self._at_rest = at_rest
        self._key_path = key
        self._key = b""
        self._spared: dict[bytes, Judged] = {}
        self._in_file: dict[bytes, bool] = {}
        self._lines = 0

    def load(self, journal: Iterable[Judged] = ()) -> None:
        """Read what was published, then what a journal says, oldest first; make the key when there is none.

        Raises:
            StorageFull, StorageFault: The key cannot be made.
        """
        with contextlib.suppress(OSError, Untrusted):
            self._key = self._at_rest.read(self._key_path, KEY_BYTES)
        if len(self._key) != KEY_BYTES:
            self._key = secrets.token_bytes(KEY_BYTES)
            self._at_rest.write(self._key_path, self._key)
        data = b""
        with contextlib.suppress(OSError):
            data = read_regular(self._path, FILE_BYTES_MAX)
        for line in data.splitlines():
            with contextlib.suppress(Malformed):
                judged = _parse(line)
                self._in_file[judged.digest] = judged.spared
                self._lines += 1
                self.decided((judged,))
        self.decided(journal)

    def judge(self, case: Case, *, spared: bool) -> tuple[Judged, ...]:
        """The decision about a case's traveller and each of its entries; () where the paper tells nobody apart."""
        subject = None if case.document is None else subject_of(case.document)
        if subject is None:
            return ()
        return tuple(
            Judged(digest=self._digest(subject, hit.entry, hit.revision), entry=hit.entry, spared=spared)
            for hit in case.hits
        )

    def decided(self, judged: Iterable[Judged]) -> None:
        """The entry of this decision is durable."""
        for one in judged:
            self._spared.pop(one.digest, None)  # the newest stands last
            if one.spared:
                self._spared[one.digest] = one
        while len(self._spared) > REMEMBERED_MAX:
            del self._spared[next(iter(self._spared))]

    def spared(self, asked: Spared) -> tuple[str, ...]:
        """Identifiers of the entries asked about that this traveller was told apart from."""
        return tuple(
            entry for entry, revision in asked.entries if self._digest(asked.subject, entry, revision) in self._spared
        )

    def write(self, judged: Iterable[Judged]) -> Path:
        """Publish a decision from its frame; what the file says already is not written again."""
        news = [one for one in judged if self._in_file.get(one.digest, False) is not one.spared]
        if self._lines + len(news) > LINES_MAX:
            write_durably(self._path, b"".join(map(_line, self._spared.values())))
            self._in_file = dict.fromkeys(self._spared, True)
            self._lines = len(self._spared)
            return self._path
        added = b"".join((b"\n", *map(_line, news))) if news else b""  # a torn line may stand at the end
        with storage("writing what was told apart"):
            fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "ab") as file:
                file.write(added)
        self._in_file |= {one.digest: one.spared for one in news}
        self._lines += len(news)
        return self._path

    def _digest(self, subject: bytes, entry: str, revision: str) -> bytes:
        content = encode([subject, entry, revision])
        return hashlib.blake2b(content, key=self._key, digest_size=32).digest()


def _line(judged: Judged) -> bytes:
    sign = "+" if judged.spared else "-"
    content = f"{sign} {judged.digest.hex()} {judged.entry.encode().hex()}".encode("ascii")
    return b"%s %08x\n" % (content, zlib.crc32(content))


def _parse(line: bytes) -> Judged:
    content, _, check = line.rpartition(b" ")
    parts = content.split(b" ")
    if check != b"%08x" % zlib.crc32(content) or len(parts) != 3 or parts[0] not in (b"+", b"-"):
        raise Malformed("line", "not one that was written whole")
    try:
        return msgspec.convert(
            {
                "digest": bytes.fromhex(parts[1].decode("ascii")),
                "entry": bytes.fromhex(parts[2].decode("ascii")).decode(),
                "spared": parts[0] == b"+",
            },
            Judged,
        )
    except ValueError:
        raise Malformed("line", "not a decision") from None
