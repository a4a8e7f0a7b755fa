"""Which entries of a pulled log have a sealed body: noted beside the copy, so that a pull parses new entries alone.

    pulled/<domain>/<log>/sealed    SHA-256 of what follows || root of the tree || one byte an entry: 1 sealed, 0 not

A hint and no more. It saves a pull the second look at every entry; where it is not there, damaged, or of another tree,
the entries are parsed again. `verify` looks at every entry itself and names a note that says something else.
"""

import hashlib
from typing import Final

from appliance.errors import Malformed, Untrusted
from appliance.files import read_regular, write_durably
from appliance.formats.merkle import EMPTY_ROOT, HASH_BYTES, root_hash
from appliance.formats.statement import Sealed, parse_statement
from appliance.formats.tiles import TileNodes
from provisioning.audit.store import PulledLog

NOTE: Final = "sealed"
NOTE_BYTES_MAX: Final = 1 << 28
"""Far more entries than one box makes in its life."""


def sealed_of(leaf: bytes) -> Sealed | None:
    """The body that a leaf names, not verified; None for an entry without one, and for what is no statement."""
    try:
        kind = parse_statement(leaf).unverified.kind
    except Malformed:  # named by the walk
        return None
    return kind if isinstance(kind, Sealed) else None


def read_sealed(kept: PulledLog, size: int) -> bytes:
    """A byte for each of the first `size` entries kept, 1 where it has a body; from the note, as far as that goes.

    Raises:
        Untrusted, Malformed, StorageFault: The log's entries cannot be read.
    """
    noted = bytearray(noted_sealed(kept)[:size])
    for bundle in kept.bundles(size, len(noted)):
        noted += bytes(sealed_of(leaf) is not None for leaf in bundle)
    return bytes(noted)


def noted_sealed(kept: PulledLog) -> bytes:
    """What the note says, a byte an entry; empty when there is none that is whole and of this very tree.

    Raises:
        Untrusted, Malformed, StorageFault: The log's checkpoint or tiles cannot be read.
    """
    try:
        root, flags = read_note(kept)
    except Untrusted:
        return b""
    if not flags:
        return b""
    tree = kept.checkpoint().size
    if len(flags) > tree or root_hash(len(flags), TileNodes(tree, kept.tile)) != root:
        return b""
    return flags


def read_note(kept: PulledLog) -> tuple[bytes, bytes]:
    """The root that the note is bound to, and its byte an entry; of the empty tree when there is no note.

    Raises:
        Untrusted: It is damaged.
    """
    try:
        content = read_regular(kept.folder / NOTE, NOTE_BYTES_MAX)
    except FileNotFoundError:
        return EMPTY_ROOT, b""
    except OSError:  # whatever it is: the entries say the same
        content = b""
    digest, noted = content[:HASH_BYTES], content[HASH_BYTES:]
    if hashlib.sha256(noted).digest() != digest:
        raise Untrusted(f"{kept.folder / NOTE} was altered")
    return noted[:HASH_BYTES], noted[HASH_BYTES:]


def keep_sealed(kept: PulledLog, flags: bytes) -> None:
    """Note a byte for each entry of the checkpoint that is kept. Raises StorageFull, StorageFault, Untrusted."""
    checkpoint = kept.checkpoint()
    assert len(flags) == checkpoint.size, "one an entry"
    noted = checkpoint.root + flags
    write_durably(kept.folder / NOTE, hashlib.sha256(noted).digest() + noted, mode=0o644)
