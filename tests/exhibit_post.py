"""A post whose log headquarters has cosigned and receipted, for tests of what a court is given of it."""

import argparse
import hashlib
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.clock import Instant
from appliance.formats.checkpoint import parse_checkpoint
from appliance.formats.note import Ed25519Cosigner, MlDsa44Cosigner, add_signatures
from appliance.formats.receipt import DeliveryReceipt, sign_receipt
from appliance.formats.statement import EventEntry, Kind, Statement
from appliance.recorded import Body, HandOver, Record, Stage, Transition
from provisioning.audit.testimony_pages import RECEIPTS, encode_page
from provisioning.authority.keys import cosigner_name, load_ed25519, load_mldsa44
from provisioning.exhibit import verbs
from provisioning.exhibit.folder import SUMS, encode_sums
from provisioning.exhibit.pieces import read_pieces
from tests.scenarios.auditor import kept, pull_from, words
from tests.scenarios.made_headquarters import DOMAIN, NOW_MS, Box, Home, instant, outcome, picture, screened

NUMBER, NAME, OFFICER, NOTE = "PB1234567", "KHAMPHENG", "BADGE-4711", "a scar above the left eye"
SCREENED = "bb" * 16
MORNING_S = NOW_MS // 1000 + 100
NOON_S = NOW_MS // 1000 + 3_600
EVENING_S = NOW_MS // 1000 + 7_200
SCREENED_INDEX = 4


class Post(Box):
    """A box that hears of headquarters' cosignatures, as a recorder does: each later statement names the last one."""

    heard: bytes | None = None
    proven_ms: int = NOW_MS

    def statement(self, kind: Kind, **changes: object) -> Statement:
        at = self.clock()
        return super().statement(kind, **{"cosigned": self.heard, "at": at, **changes})

    def record(self, body: Body, record_id: str | None = None, **changes: object) -> Record:
        return super().record(body, record_id, **{"at": self.clock(), **changes})

    def clock(self) -> Instant:
        """A millisecond an entry, and two seconds after headquarters' last signed time."""
        at = instant(self.proven_ms - NOW_MS + 2_000 + len(self.leaves))
        return msgspec.structs.replace(at, lower_bound_ms=self.proven_ms)


def cosign(box: Post, at_s: int, *, heard: bool = True) -> None:
    """Headquarters sees the log as it is now and cosigns it; the box hears of it, unless it does not."""
    box.publish()
    path = box.state / "log" / "checkpoint"
    name, home = cosigner_name(DOMAIN), box.home
    cosigners = (
        Ed25519Cosigner(name, load_ed25519(home.key("cosign-ed25519")), at_s=at_s),
        MlDsa44Cosigner(name, load_mldsa44(home.key("cosign-mldsa44")), at_s=at_s),
    )
    note = add_signatures(path.read_bytes(), cosigners)
    path.write_bytes(note)
    assert words(pull_from(box).problems) == ""
    kept(box).keep_cosigned(note, at_ms=at_s * 1000)
    if heard:
        box.proven_ms = at_s * 1000
        box.heard = parse_checkpoint(note.decode().partition("\n\n")[0] + "\n").digest()


def receipt(box: Box, index: int, received_ms: int) -> bytes:
    """Headquarters' receipt for a body."""
    key: Ed25519PrivateKey = load_ed25519(box.home.key("receipts"))
    blob = box.body(index).read_bytes()
    said = DeliveryReceipt(
        origin=box.origin,
        index=index,
        sha256=hashlib.sha256(blob).digest(),
        size=len(blob),
        received_ms=received_ms,
        ledger_position=1,
        previous=None,
        opened_through=-1,
    )
    return sign_receipt(said, public=key.public_key().public_bytes_raw(), sign=key.sign)


def a_day(home: Home, folder: Path) -> Post:
    """A hit's picture, screening, life, hand-over and outcome; cosigned in the morning, at noon, at night."""
    box = Post(home, folder)
    box.canary()
    fields = {"version": "2", "dated": "2026-11-18", "recipients": "1", "rules": "1"}
    box.append(box.statement(EventEntry(event="release_switched", fields=fields)))
    cosign(box, MORNING_S)
    shown = b"\xff\xd8\xff synthetic page"
    box.seal(box.record(picture(SCREENED, shown)))
    seen = screened(refers=True, number=NUMBER, name=NAME)
    index = box.seal(box.record(seen, SCREENED, pictures=(hashlib.sha256(shown).digest(),)))
    assert index == SCREENED_INDEX
    box.start_epoch()
    moved = Transition(of=SCREENED, before=SCREENED, was=Stage.CANDIDATE, now=Stage.SECONDARY, by=OFFICER, reason=NOTE)
    box.seal(box.record(moved, crossing=None, person=None))
    box.seal(box.record(HandOver(gave=OFFICER, took="B-2", cases=(SCREENED,)), crossing=None, person=None))
    box.seal(box.record(screened(number="PC7654321", name="SOMEBODYELSE"), "cc" * 16))
    box.seal(box.record(outcome(SCREENED)))
    cosign(box, NOON_S)
    box.event()
    cosign(box, EVENING_S)
    kept(box).keep_page(RECEIPTS, 0, encode_page([receipt(box, SCREENED_INDEX, MORNING_S * 1000 + 9_000)]))
    return box


def hq(home: Home, *arguments: object) -> int:
    """What `landlink-hq` does with these verbs of evidence; report and page have tests of their own."""
    return run_hq(home, *arguments, *(("--evidence-only",) if arguments[0] == "exhibit" else ()))


def run_hq(home: Home, *arguments: object) -> int:
    """What `landlink-hq` does with these verbs of evidence."""
    parser = argparse.ArgumentParser()
    verbs.add_verbs(parser.add_subparsers(dest="verb"))
    parsed = parser.parse_args(list(map(str, arguments)), argparse.Namespace(home=home.folder))
    return int(parsed.run(parsed))


def sum_again(folder: Path) -> None:
    """Write SHA256SUMS anew, as whoever alters an exhibit would."""
    pieces = read_pieces(folder)
    (folder / SUMS).write_bytes(encode_sums(item for item in sorted(pieces.items()) if item[0] != SUMS))
