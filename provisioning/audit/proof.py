"""A proof that a log contradicts itself: a folder with both signed checkpoints, for any tool to check.

    proof/<fault>-<entries>-<root>/README.txt   what it proves and how to check it
                                   seen.note    the checkpoint that headquarters had verified before
                                   shown.note   the one that contradicts it
                                   log.vkey     the key that signed both
                                   consistency  where the sizes differ: the smaller size, the root that the larger tree
                                                has there, and the consistency proof between the two (RFC 6962 §2.1.2)

Two roots of one size under one key are a proof by themselves. Of different sizes, `consistency` shows which root the
larger tree has at the smaller size; another one there is a fork, the same one says only that the log was shown shorter.
"""

import base64
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.files import read_regular, storage, write_durably
from appliance.formats.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from appliance.formats.merkle import EMPTY_ROOT, NodeReader, consistency_proof, root_hash, verify_consistency
from appliance.formats.note import NOTE_BYTES_MAX, Verifier

CONSISTENCY_BYTES_MAX: Final = 8_192


class Fault(enum.StrEnum):
    """What a log did, by the name that its tests have."""

    ROLLBACK = "rollback"  # shown shorter than it was
    FORK = "fork"  # two trees by one key; how it came about cannot be told
    CLONE = "clone"  # two runs of the recorder went on from the same entry: a copied card, or one that was set back
    RESIGNED = "re-signed"  # one running recorder signed another entry at a place that it had signed
    RESET = "reset"  # the log was begun again from nothing
    FOREIGN = "foreign"  # another key signs under the log's name: set back and provisioned anew, or somebody else


WORDS: Final = {
    Fault.ROLLBACK: "was shown shorter than it had been: the box was set back to an old copy, or the source is behind.",
    Fault.FORK: "has two different trees, both signed by its key.",
    Fault.CLONE: (
        "was gone on with twice from the same entry, each time by a recorder's start of its own: two boxes ran from "
        "copies of one card, or its card was set back to an old copy and then used."
    ),
    Fault.RESIGNED: (
        "has two entries at one place, signed by the key of the same run of the recorder: whoever held it signed the "
        "past again."
    ),
    Fault.RESET: "was begun again from nothing under the same name and key.",
    Fault.FOREIGN: (
        "appeared under its name with another key: the box was set back and provisioned anew, or somebody pretends to "
        "be it."
    ),
}
"""Each after "The log"."""

README: Final = """\
The log {origin}
{words}

seen.note    what headquarters had verified before: {seen} entries
shown.note   what it was shown afterwards: {shown} entries
log.vkey     the log's key

Both notes are signed (C2SP signed-note); whoever has log.vkey can check them without this software, as with
golang.org/x/mod/sumdb/note (NewVerifier, Open) or PyPI aics-tlog (verify-checkpoint). {check}
`landlink-hq verify` checks this folder again each time.
"""
SAME_SIZE: Final = """Lines 2 and 3 of each are
size and root of the tree: the size is the same, the roots are not. One honest log cannot sign both."""
OTHER_SIZE: Final = """Lines 2 and 3 of each are
size and root of the tree. `consistency` holds the smaller size, the root that the larger tree has there, and the
consistency proof from there to the larger tree's root (RFC 6962, section 2.1.2; sumdb/tlog CheckTree, aics-tlog
verify-consistency). {verdict}"""
FORKED: Final = "That root is not the one that the smaller note signs: one honest log cannot sign both."
SHORTER: Final = """It is the one that the smaller note
signs: nothing was altered, but the log was shown shorter after it had been seen longer."""
STRANGER: Final = """shown.note is not
signed by this key: it proves nothing about the box; who signed it has to be found out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two notes of one log, and what is wrong with them.

    Attributes:
        seen, shown: As signed.
        consistency: Root of the larger tree at the smaller size, then the proof; () where sizes are equal or nobody
            can show it.
    """

    fault: Fault
    seen: bytes
    shown: bytes
    consistency: tuple[bytes, ...] = ()


def consistency_of(smaller: int, larger: int, nodes: NodeReader) -> tuple[bytes, ...]:
    """What `Contradiction.consistency` holds, from the larger tree. Raises what `nodes` raises."""
    if smaller in (0, larger):
        return ()
    return (root_hash(smaller, nodes), *consistency_proof(smaller, larger, nodes))


def write_proof(folder: Path, log: Verifier, found: Contradiction) -> Path:
    """Write the folder of a proof below `folder`, README.txt last; the same again is left as it is.

    Returns:
        The proof's folder.

    Raises:
        Malformed: A note is none.
        StorageFull, StorageFault: It could not be written.
    """
    seen, shown = (_text_of(note) for note in (found.seen, found.shown))
    proof = folder / f"{found.fault}-{shown.size}-{shown.root.hex()[:16]}"
    if (proof / "README.txt").exists():
        return proof
    with storage("making the folder of a proof"):
        proof.mkdir(parents=True, exist_ok=True)
    files = {"seen.note": found.seen, "shown.note": found.shown, "log.vkey": f"{log.vkey()}\n".encode()}
    if found.consistency:
        files["consistency"] = _spelled(min(seen.size, shown.size), found.consistency)
    readme = README.format(
        origin=log.name,
        words=WORDS[found.fault],
        seen=seen.size,
        shown=shown.size,
        check=_how_to_check(found, seen, shown),
    )
    files["README.txt"] = readme.encode()
    for name, content in files.items():
        write_durably(proof / name, content, mode=0o644)
    return proof


def _how_to_check(found: Contradiction, seen: Checkpoint, shown: Checkpoint) -> str:
    if found.fault is Fault.FOREIGN:
        return STRANGER
    if seen.size == shown.size:
        return SAME_SIZE
    smaller = min(seen, shown, key=lambda each: each.size)
    same = found.consistency[:1] == (smaller.root,)
    return OTHER_SIZE.format(verdict=SHORTER if same else FORKED)


def proofs_in(folder: Path) -> tuple[Path, ...]:
    """The proofs that were written whole, by name."""
    return tuple(sorted(readme.parent for readme in folder.glob("*/README.txt")))


def verify_proof(proof: Path, log: Verifier) -> str:
    """Verify a kept proof again, from its files alone.

    Returns:
        What it proves, in plain words; "" when it proves nothing by itself (a log that was shown shorter, another key).

    Raises:
        Malformed, Untrusted: It does not hold.
        StorageFault: It cannot be read.
    """
    fault = _fault_of(proof)
    seen, _ = open_checkpoint(_read(proof, "seen.note", NOTE_BYTES_MAX), log)
    if fault is Fault.FOREIGN:
        return ""
    shown, _ = open_checkpoint(_read(proof, "shown.note", NOTE_BYTES_MAX), log)
    smaller, larger = sorted((seen, shown), key=lambda each: each.size)
    if smaller.size == larger.size:
        if smaller.root == larger.root:
            raise Untrusted("its two checkpoints are the same")
        return _proven(fault, proof, f"two trees of {smaller.size} entries")
    if smaller.size == 0 and smaller.root != EMPTY_ROOT:
        return _proven(fault, proof, "a tree of no entries with another root than the empty one")
    if fault is Fault.ROLLBACK and not (proof / "consistency").exists():
        return ""  # of the empty tree, or of a source that did not show the entries, there is none
    root, *hashes = _consistency(proof, smaller.size)
    verify_consistency(old_size=smaller.size, old_root=root, size=larger.size, root=larger.root, proof=tuple(hashes))
    if root == smaller.root:
        if fault is not Fault.ROLLBACK:
            raise Untrusted("its two checkpoints do not contradict each other")
        return ""
    return _proven(fault, proof, f"another tree of {smaller.size} entries than the one of {larger.size} begins with")


def _proven(fault: Fault, proof: Path, what: str) -> str:
    return f"{fault} proven: the log's key signed {what}; the log {WORDS[fault]} Proof: {proof}"


def _fault_of(proof: Path) -> Fault:
    for fault in Fault:
        if proof.name.startswith(f"{fault}-") and proof.name.removeprefix(f"{fault}-")[:1].isdecimal():
            return fault
    raise Malformed("proof", "its folder is not named after a fault")


def _text_of(note: bytes) -> Checkpoint:
    """What a note says, whoever signed it. Raises Malformed."""
    text, separator, _ = note.partition(b"\n\n")
    if not separator:
        raise Malformed("note", "no signature lines after a blank line")
    try:
        return parse_checkpoint(f"{text.decode('utf-8')}\n")
    except UnicodeDecodeError as error:
        raise Malformed("note", "not UTF-8", offset=error.start) from None


def _consistency(proof: Path, size: int) -> tuple[bytes, ...]:
    """The root and the hashes; only the one spelling that `write_proof` has. Raises Malformed, Untrusted."""
    content = _read(proof, "consistency", CONSISTENCY_BYTES_MAX)
    first, *lines = content.split(b"\n")[:-1] or [b""]
    if first != b"%d" % size or not lines:
        raise Untrusted("its consistency proof does not begin at the smaller size")
    try:
        hashes = tuple(base64.b64decode(line, validate=True) for line in lines)
    except ValueError:
        raise Malformed("consistency proof", "not base64") from None
    if _spelled(size, hashes) != content:
        raise Malformed("consistency proof", "not in its one spelling")
    return hashes


def _spelled(size: int, hashes: Iterable[bytes]) -> bytes:
    return b"".join([b"%d\n" % size, *(base64.b64encode(each) + b"\n" for each in hashes)])


def _read(proof: Path, name: str, bytes_max: int) -> bytes:
    try:
        return read_regular(proof / name, bytes_max)
    except FileNotFoundError:
        raise Untrusted(f"its file {name} is missing") from None
    except OSError as error:
        raise StorageFault(f"reading {proof / name}: {error.strerror}") from None
