"""Stage 6 of 8: record - a new origin after a loss: a box that has lost what it published never signs over it (I3).

The new log's leaf 0 carries a certificate by the identity key that names the old origin, the last tree that this box
still knows of it, and the last one that headquarters cosigned. What is left of the old one is set aside, not deleted.

Crash order: the intention is durable first, and every step can be repeated; the new journal is the last step but one.
"""

import re
from pathlib import Path
from typing import Final

from appliance.errors import StorageFault
from appliance.files import storage, sync_folder, write_durably
from appliance.formats.cbor import pack, parse
from appliance.formats.identity import PreviousOrigin, Role, certify
from appliance.formats.merkle import EMPTY_ROOT
from appliance.formats.note import LogSigner
from appliance.model import Noun, Word
from appliance.record.deletion import deleted_by
from appliance.record.journal import Contents, Header, Journal, parse_journal
from appliance.record.journals import journal_paths, next_path
from appliance.record.places import Places
from appliance.record.signing import Signing

SUCCESSION_BYTES_MAX: Final = 4_096
ORIGIN: Final = re.compile(r"(.+/.+\.)([0-9]{1,9})", re.ASCII)


class Succession(Noun, frozen=True, kw_only=True):
    """The intention: `origin` follows `previous.origin`."""

    origin: Word
    previous: PreviousOrigin


def next_origin(origin: str) -> str:
    """`landlink.example/la-0001.1` is followed by `landlink.example/la-0001.2`."""
    match = ORIGIN.fullmatch(origin)
    if match is None:
        raise StorageFault("the log's name does not end in its number")
    return f"{match[1]}{int(match[2]) + 1}"


def succeed(places: Places, signing: Signing, previous: PreviousOrigin) -> None:
    """Give up `previous` and open the origin that follows it. Raises StorageFull, StorageFault."""
    succession = Succession(origin=next_origin(previous.origin), previous=previous)
    write_durably(places.succession, pack(succession))
    finish_succession(places, signing)


def finish_succession(places: Places, signing: Signing) -> None:
    """Carry out the intention that a crash may have interrupted; nothing when there is none."""
    if not places.succession.exists():
        return
    with storage("reading the succession"):
        content = places.succession.read_bytes()
    succession: Succession = parse(content, Succession, what="succession", bytes_max=SUCCESSION_BYTES_MAX)
    _set_aside(places, succession.previous.origin)
    _name(places, signing, succession.origin)
    if not journal_paths(places.private):
        header = Header(origin=succession.origin, size=0, root=EMPTY_ROOT, previous=succession.previous)
        Journal.create(next_path(places.private), header).close()
    with storage("ending the succession"):
        places.succession.unlink()
        sync_folder(places.private)


def _set_aside(places: Places, origin: str) -> None:
    log_name = origin.partition("/")[2]
    public, private = places.former / log_name, places.private / "former" / log_name
    with storage("setting the former log aside"):
        public.mkdir(parents=True, exist_ok=True)
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
        for parent in (public.parent, private.parent, places.state, places.private):
            sync_folder(parent)  # what is moved into a folder is lost with its name
        for source in (places.log, places.bodies, places.receipts, places.cosigned):
            _move(source, public)
        for journal in journal_paths(places.private):
            contents = parse_journal(journal.read_bytes())
            if contents.header.origin == origin:
                _publish_bodies(contents, public / places.bodies.name)
                _move(journal, private)
        for folder in (public, private, places.state, places.private):
            sync_folder(folder)


def _publish_bodies(contents: Contents, bodies: Path) -> None:
    """Bodies that only the journal has: they are carried over from where bodies lie (carrying.py)."""
    bodies.mkdir(exist_ok=True)
    deleted = {
        index for frame in contents.frames if frame.priority is None for index in deleted_by(frame.leaf, frame.index)
    }
    for frame in contents.frames:
        if frame.blob is not None and frame.priority is not None and frame.index not in deleted:
            path = bodies / f"{frame.index}.{frame.priority.value}.age"
            if not path.exists() or path.read_bytes() != frame.blob:
                write_durably(path, frame.blob, mode=0o644)
    for index in deleted:
        for path in bodies.glob(f"{index}.[0-3].age"):
            path.unlink()


def _move(source: Path, into: Path) -> None:
    target = into / source.name
    if source.exists() and not target.exists():
        source.rename(target)


def _name(places: Places, signing: Signing, origin: str) -> None:
    """The same log key under the new name, certified and published."""
    verifier = LogSigner(origin, signing.log_key).verifier
    identity = signing.identity
    certificate = certify(
        Role.LOG,
        serial=signing.serial,
        name=origin,
        public=verifier.public,
        identity_der=identity.public_key_der(),
        sign=identity.sign,
    )
    with storage("naming the new log"):
        places.log_certificate.parent.mkdir(parents=True, exist_ok=True)
    write_durably(places.log_certificate, certificate, mode=0o644)
    write_durably(places.log_vkey, f"{verifier.vkey()}\n".encode(), mode=0o644)
