"""A post whose log is lost after headquarters had it, and what its next one carries over, for tests of exhibits."""

import hashlib
import shutil
from typing import Final

from appliance.formats.identity import PreviousOrigin
from appliance.formats.statement import Carried, Sealed, parse_statement
from tests.exhibit_post import Post
from tests.scenarios.auditor import kept

OLD: Final = "landlink.example/la-0001.1"
NEW: Final = "landlink.example/la-0001.2"


def carried(box: Post, index: int) -> tuple[Carried, bytes]:
    """An entry of the log that is about to be lost, as the next log carries it; and its body."""
    leaf = box.leaves[index]
    sealed = parse_statement(leaf).unverified.kind
    assert isinstance(sealed, Sealed)
    again = Carried(
        commitment=sealed.commitment,
        blob_sha256=sealed.blob_sha256,
        blob_bytes=sealed.blob_bytes,
        origin=OLD,
        index=index,
        statement=hashlib.sha256(leaf).digest(),
    )
    return again, box.body(index).read_bytes()


def lose(box: Post) -> None:
    """The log is gone with its bodies; the next one says so."""
    former = kept(box).checkpoint()
    box.origin, box.leaves, box.heard = NEW, [], None
    for path in box.state.glob("bodies/*"):
        path.unlink()
    shutil.rmtree(box.state / "log")
    previous = PreviousOrigin(
        origin=OLD, size=former.size, root=former.root, cosigned_size=former.size, cosigned_root=former.root
    )
    box.start_epoch(previous=previous)
    box.home.pulled_log(NEW).mkdir(parents=True)
