"""An exhibit's folder: written whole or not at all, with the sums of all that is in it."""

import contextlib
import errno
import fcntl
import glob
import hashlib
import os
import re
import shutil
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, NoInput, Refused
from appliance.files import storage, sync_folder, write_durably
from provisioning.audit.opened.records import iso
from provisioning.command import tidied_when_ended
from provisioning.exhibit.contents import Exhibit
from provisioning.exhibit.pieces import Pieces, take
from provisioning.exhibit.report import write_report
from provisioning.exhibit.verifier_page import write_verifier

SUMS: Final = "SHA256SUMS"
_LINE: Final = re.compile(r"([0-9a-f]{64})  ([0-9A-Za-z./_-]{1,200})", re.ASCII)

README: Final = """\
LANDLINK EXHIBIT
{what}

Made {made} by {by}{case}.

HOW TO BEGIN
  1. Open report.html (English) or report.lo.html (Lao), or the PDF files. They say what was recorded.
  2. Open verify.html by double click. It checks copies of the files of the folder "evidence" in your browser, offline;
     choose that folder at the end of the page, and it checks the files themselves.
  3. Compare the fingerprints that it shows first with those that headquarters has published another way.

ພາສາລາວ: ເປີດ report.lo.html ຫຼື report.lo.pdf ເພື່ອອ່ານ. ເປີດ verify.html ເພື່ອກວດ, ແລ້ວກົດ "ລາວ".

WHAT IS IN IT
  evidence/     every file that proves something, in open formats; the report names the tools that check each of them
  tools/        short programs that check parts of it by libraries that others wrote; the report says how
  SHA256SUMS    the hash of every file of this folder; to check: sha256sum --check SHA256SUMS

Everything here may be copied. Nothing in it changes when it is read. Whoever holds another copy can compare it by the
hash of the file SHA256SUMS, which headquarters writes down when it hands an exhibit over.
{redacted}"""
REDACTED: Final = """
THIS IS A REDACTED COPY: personal data has been removed from it. The files that it still has are unaltered, and prove
place and time in the log. Headquarters holds the full one; a court can check with that one that only data was removed,
by the hash called "commitment".
"""
RECORD: Final = "One record of a border post, and what proves that it is complete and unaltered."
NONE: Final = "What was recorded in a stretch of time at a border post, and what was not."


def write_folder(folder: Path, exhibit: Exhibit, pieces: Pieces, *, readable: bool = True) -> None:
    """Write an exhibit where there is none yet.

    Args:
        folder: Where.
        exhibit: What it says.
        pieces: The files of its `evidence/`.
        readable: With report and page; otherwise the evidence alone.

    Raises:
        Refused: Something is at `folder` already; nothing of it is touched.
        StorageFull, StorageFault: It could not be written; nothing is at `folder`.
    """
    refuse_existing(folder)
    with tidied_when_ended(), _draft(folder) as draft:
        for path, content in pieces.items():
            place = draft / path
            with storage(f"making {folder}"):
                place.parent.mkdir(parents=True, exist_ok=True)
            write_durably(place, content)
        write_durably(draft / "README.txt", _readme(exhibit).encode())
        if readable:
            write_report(exhibit, draft)
            write_verifier(draft)
        write_durably(draft / SUMS, encode_sums(_read(draft)))
        with storage(f"making {folder}"):
            for place in draft.glob("**/"):
                place.chmod(0o700)
                sync_folder(place)
            _place(draft, folder)
            sync_folder(folder.parent.absolute())


@contextlib.contextmanager
def _draft(folder: Path) -> Generator[Path]:
    """A folder beside `folder` to write it in, gone afterwards; what a killed one left goes, too: it is plain text."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.*.draft"):
        with contextlib.suppress(OSError), _held(left):  # somebody who is at work holds it
            shutil.rmtree(left, ignore_errors=True)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.draft")
    with storage(f"making {folder}"):
        draft.mkdir(mode=0o700)
    try:
        with _held(draft):
            yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextlib.contextmanager
def _held(draft: Path) -> Generator[None]:
    """Hold a draft for as long as this process lives. Raises BlockingIOError when another does."""
    fd = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def _place(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):  # another was quicker
            refuse_existing(folder)
        raise


def refuse_existing(folder: Path) -> None:
    """Raise Refused when there is something at `folder`, NoInput when it would stand in none; ask before any work."""
    if folder.is_symlink() or folder.exists():
        raise Refused(f"{folder} exists: an exhibit is written once; choose another folder with --out")
    if not folder.parent.is_dir():
        raise NoInput(
            f"{folder.parent} is no folder: nothing can be written in it; make it, or mount the medium, first"
        )


def _readme(exhibit: Exhibit) -> str:
    return README.format(
        what=RECORD if exhibit.kind == "record" else NONE,
        made=iso(exhibit.made_ms),
        by=exhibit.made_by,
        case=f", for: {exhibit.case}" if exhibit.case else "",
        redacted=REDACTED if exhibit.redacted else "",
    )


def _read(draft: Path) -> Iterator[tuple[str, bytes]]:
    for place in sorted(draft.rglob("*")):
        if place.is_file():
            yield place.relative_to(draft).as_posix(), place.read_bytes()


def encode_sums(files: Iterator[tuple[str, bytes]]) -> bytes:
    """`SHA256SUMS` as coreutils writes it."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in files).encode("ascii")


def parse_sums(data: bytes) -> dict[str, str]:
    """Path to hash. Raises Malformed."""
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Malformed(SUMS, "not ASCII", offset=error.start) from None
    matches = [_LINE.fullmatch(line) for line in lines[:-1]]
    sums = {match[2]: match[1] for match in matches if match}
    if lines[-1] or len(sums) != len(lines) - 1:
        raise Malformed(SUMS, "not a hash, two spaces and a path a line, each path once")
    return sums


def differing(pieces: Mapping[str, bytes]) -> dict[str, str]:
    """Files that are not what `SHA256SUMS` says, are missing or too many, each with why. Raises Malformed, Broken."""
    sums = parse_sums(take(pieces, SUMS))
    found = {path: "missing" for path in sums if path not in pieces}
    for path, content in pieces.items():
        if path == SUMS:
            continue
        if path not in sums:
            found[path] = f"not named by {SUMS}"
        elif hashlib.sha256(content).hexdigest() != sums[path]:
            found[path] = f"altered: not the file that {SUMS} names"
    return found
