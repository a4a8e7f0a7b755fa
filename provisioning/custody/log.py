"""Headquarters' own log: who opened, searched, exported and handed over records, when and why.

A C2SP tlog-tiles log in `custody/` of a home; its name is `<domain>/custody`, `keys/custody.pem` signs its checkpoints.
Every act is durable there before anything is given out.

```
custody/checkpoint, tile/...    the log; a leaf is deterministic CBOR (act.py)
        details/<index>.age     why, to whom, what was asked: sealed to headquarters
        .lock                   one writer at a time
```
"""

import os
import pwd
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import ConfigError, Malformed, Misuse, StorageFault, Untrusted
from appliance.files import read_regular, storage, write_durably
from appliance.formats.age import BLOB_BYTES_MAX, Identity, parse_recipient
from appliance.formats.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.note import ED25519, NOTE_BYTES_MAX, LogSigner, Verifier, open_note
from appliance.formats.release import RECIPIENTS_TARGET, parse_recipients
from appliance.formats.tiles import BUNDLE_BYTES_MAX, read_entries, tiles_of
from provisioning.authority.holders import of_another_role
from provisioning.authority.home import Home
from provisioning.authority.keys import CUSTODY, load_ed25519, write_private_key
from provisioning.authority.repository import Repository
from provisioning.authority.roster import read_roster
from provisioning.authority.signing import next_key
from provisioning.command import now_ms
from provisioning.custody.act import (
    RECORDS_MAX,
    Act,
    Detail,
    Did,
    Reach,
    encode_act,
    open_detail,
    parse_act,
    seal_detail,
)
from provisioning.lock import alone, unwritten

SALT_BYTES: Final = 32
OPERATOR_MAX: Final = 256
WORDS_MAX: Final = 2_000
"""Characters of what is said of an act: a detail with more could be sealed, and never read again (act.py, `Text`)."""


def origin_of(domain: str) -> str:
    """Name of headquarters' own log."""
    return f"{domain}/custody"


def operator(named: str | None) -> str:
    """Who acts: as they say (`--as`), or the user of this machine. Raises Misuse for what is no name by its length."""
    if named and len(named) > OPERATOR_MAX:
        raise Misuse(f"who acts: a name of {len(named)} characters; it has room for {OPERATOR_MAX}")
    if named:
        return named
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _former(path: Path) -> ConfigError:
    following = next_key(path)
    if following.exists():
        return ConfigError(f"{following.name} is to follow {path.name}; next: landlink-hq rotate {CUSTODY}, once more")
    return of_another_role(path, CUSTODY)


class Words(NamedTuple):
    """What is said of an act; it may name people, so it is sealed."""

    why: str = ""
    to: str = ""
    asked: str = ""


NO_WORDS: Final = Words()


class Use(NamedTuple):
    """For what bodies are opened, and by whom."""

    did: Did
    by: str
    words: Words = NO_WORDS


class CustodyLog:
    """The custody log of one home; made, with its key, when it is first needed.

    Attributes:
        verifier: The key that signs it.
        verifiers: That one, and former ones as the roster names them, which prove what they signed.

    Raises:
        ConfigError: The key here is a former one.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self.folder = home.folder / "custody"
        self.origin = origin_of(home.settings.domain)
        self._private = self._key()
        self.verifier = Verifier(self.origin, ED25519, self._private.public_key().public_bytes_raw())
        named = [Verifier(self.origin, ED25519, key.public) for key in read_roster(home).keys_of(CUSTODY)]
        if self.verifier in named[1:]:
            raise _former(home.key(CUSTODY))
        self.verifiers = (self.verifier, *(each for each in named if each != self.verifier))

    def _key(self) -> Ed25519PrivateKey:
        path = self._home.key(CUSTODY)
        if path.exists():
            return load_ed25519(path)
        if (self.folder / "checkpoint").exists():
            raise StorageFault(f"{path} is missing, and {self.folder} was signed by it; bring the key back")
        key = Ed25519PrivateKey.generate()
        write_private_key(path, key)
        verifier = Verifier(self.origin, ED25519, key.public_key().public_bytes_raw())
        print(
            f"A log of who opens records begins here ({self.folder}). Write down its key, and keep it apart:\n"
            f"  {verifier.vkey()}",
            file=sys.stderr,
        )
        return key

    # --- writing ---

    def write(
        self,
        did: Did,
        by: str,
        *,
        records: Sequence[str] = (),
        reaches: Sequence[Reach] = (),
        words: Words = NO_WORDS,
        exhibit: bytes | None = None,
    ) -> int:
        """Add an act, durably; returns its index, that of the last of several where records are many.

        Raises:
            Misuse: Words are too long to be read again; nothing was added.
            StorageFault, StorageFull: Nothing was added; do not give out anything.
            Untrusted, Malformed: The log that lies here does not hold.
        """
        if (longest := max(map(len, words))) > WORDS_MAX:
            raise Misuse(f"what is said of it has {longest} characters; there is room for {WORDS_MAX}: name the file")
        parts = [records[at : at + RECORDS_MAX] for at in range(0, len(records), RECORDS_MAX)] or [()]
        with alone(self.folder / ".lock"):
            size = self._size()
            for part in parts:
                detail = self._keep_detail(size, words)
                act = Act(
                    origin=self.origin,
                    at_ms=now_ms(),
                    did=did,
                    by=by[:OPERATOR_MAX],
                    records=tuple(part),
                    reaches=tuple(reaches),
                    exhibit=exhibit,
                    detail=detail,
                )
                size = self._append(encode_act(act))
        return size - 1

    def _keep_detail(self, index: int, words: Words) -> bytes | None:
        if not any(words):
            return None
        data = Repository(self._home.folder).target(RECIPIENTS_TARGET)
        assert data is not None, "every release names recipients"
        recipients = parse_recipients(data)
        keys = [parse_recipient(recipients.general), parse_recipient(recipients.escrow)]
        detail = Detail(salt=os.urandom(SALT_BYTES), why=words.why, to=words.to, asked=words.asked)
        blob, commitment = seal_detail(detail, keys)
        path = self._detail(index)
        with storage(f"making {path.parent}"):
            path.parent.mkdir(mode=0o700, exist_ok=True)
        write_durably(path, blob)
        return commitment

    def _append(self, leaf: bytes) -> int:
        """Tiles first, then the checkpoint; what it supersedes goes last."""
        checkpoint = self.checkpoint()
        edge = Edge() if checkpoint is None else Edge.resume(checkpoint.size, self.read)
        if checkpoint is not None and edge.root() != checkpoint.root:
            raise Untrusted(f"{self.folder} was altered: its tiles do not give the root that its checkpoint signs")
        edge.append(leaf)
        for path, content in edge.publish():
            with storage(f"making {self.folder / path}"):
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_durably(self.folder / path, content)
        new = Checkpoint(origin=self.origin, size=edge.size, root=edge.root())
        write_durably(self.folder / "checkpoint", sign_checkpoint(new, [LogSigner(self.origin, self._private)]))
        if checkpoint is not None:
            kept = {tile.path for tile in tiles_of(new.size)}
            for tile in tiles_of(checkpoint.size):
                if tile.path not in kept:
                    (self.folder / tile.path).unlink(missing_ok=True)
        return edge.size

    # --- reading ---

    def note(self) -> bytes | None:
        """The signed checkpoint; None before the first act. Raises StorageFault."""
        try:
            return read_regular(self.folder / "checkpoint", NOTE_BYTES_MAX)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageFault(f"reading {self.folder / 'checkpoint'}: {error.strerror}") from None

    def checkpoint(self) -> Checkpoint | None:
        """The tree; None before the first act. Raises Untrusted, Malformed, StorageFault."""
        note = self.note()
        return None if note is None else self.signed(note)[0]

    def signed(self, note: bytes) -> tuple[Checkpoint, Verifier]:
        """A checkpoint of this log and the key that signed it: the present one, or a former one that the roster names.

        Raises:
            Untrusted: None of them did.
            Malformed: It is no checkpoint.
        """
        by = {each.verifier for each in open_note(note, self.verifiers).signatures}
        verifier = next((each for each in self.verifiers if each in by), self.verifier)
        return open_checkpoint(note, verifier)[0], verifier

    def _size(self) -> int:
        checkpoint = self.checkpoint()
        return 0 if checkpoint is None else checkpoint.size

    def read(self, path: str) -> bytes:
        """A tile or entry bundle. Raises Untrusted when it is missing, StorageFault."""
        try:
            return read_regular(self.folder / path, BUNDLE_BYTES_MAX)
        except FileNotFoundError:
            raise Untrusted(f"{self.folder / path} is missing") from None
        except OSError as error:
            raise StorageFault(f"reading {self.folder / path}: {error.strerror}") from None

    def leaves(self) -> tuple[bytes, list[bytes]]:
        """The signed checkpoint and all leaves of its tree; b"" and [] before the first act.

        Raises:
            Untrusted, Malformed: The log does not hold: a tile is missing, or its leaves do not give the signed root.
            StorageFault: It cannot be read.
        """
        with unwritten(self.folder / ".lock"):
            note = self.note()
            if note is None:
                return b"", []
            checkpoint, _ = self.signed(note)
            leaves = list(read_entries(checkpoint.size, self.read))
        edge = Edge()
        for leaf in leaves:
            edge.append(leaf)
        if edge.root() != checkpoint.root:
            raise Untrusted(f"{self.folder} was altered: its entries do not give the root that its checkpoint signs")
        return note, leaves

    def acts(self) -> list[Act]:
        """Every act in order. Raises as `leaves`."""
        return [parse_act(leaf) for leaf in self.leaves()[1]]

    def detail(self, index: int, act: Act, identity: Identity) -> Detail | None:
        """What was said; None when nothing was, or it was destroyed. Raises Untrusted, Malformed, StorageFault."""
        if act.detail is None:
            return None
        try:
            blob = read_regular(self._detail(index), BLOB_BYTES_MAX)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageFault(f"reading {self._detail(index)}: {error.strerror}") from None
        return open_detail(blob, identity, act.detail)

    def told(self, index: int, act: Act, identities: Sequence[Identity]) -> Detail | None:
        """What was said, by the first key that opens it; None also when none does. Raises StorageFault."""
        for identity in identities:
            try:
                return self.detail(index, act, identity)
            except (Malformed, Untrusted):  # sealed to others, or not what the act commits to: nothing of it is told
                continue
        return None

    def _detail(self, index: int) -> Path:
        return self.folder / "details" / f"{index}.age"

    def problems(self) -> list[str]:
        """Verify all of it, from nothing; what is not as it should be, in words. Raises StorageFault."""
        found: list[str] = []
        try:
            _, leaves = self.leaves()
            edge, last_ms = Edge(), 0
            for index, leaf in enumerate(leaves):
                edge.append(leaf)
                words, last_ms = self._look(leaf, last_ms)
                found += [f"entry {index}: {words}"] if words else []
            for path, content in edge.publish():
                if self.read(path) != content:
                    found.append(f"{path} is not what the entries give")
        except (Untrusted, Malformed) as error:
            found.append(str(error))
        return found

    def _look(self, leaf: bytes, last_ms: int) -> tuple[str, int]:
        """What is wrong with an entry, "" for nothing; and the latest time so far."""
        try:
            act = parse_act(leaf)
        except Malformed as error:
            return str(error), last_ms
        if act.origin != self.origin:
            return f"made for another log ({act.origin})", last_ms
        if act.at_ms < last_ms:
            return "its time is before that of an earlier one: this machine's clock was set back", last_ms
        return "", act.at_ms
