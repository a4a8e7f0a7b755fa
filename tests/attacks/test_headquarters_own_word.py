"""What headquarters signed binds it: a ledger that went back, trees and names that it did not sign.

A real collector with its ledger, and the real commands of the auditor.
"""

import shutil
from hashlib import sha256
from pathlib import Path

from appliance.formats.checkpoint import parse_checkpoint
from appliance.formats.statement import EventEntry
from appliance.uplink.link import Link, tls_context
from tests.attacks.audited_post import Post
from tests.collector_bed import HOST
from tests.delivery_post import Headquarters, LogWriter


def test_a_statement_that_names_what_headquarters_never_cosigned_is_named(post: Post) -> None:
    """The claim "not before" rests on that name; a made-up one would move the proven time."""
    honest = parse_checkpoint(post.deliver().partition(b"\n\n")[0].decode() + "\n")
    post.box.log.cosigned = honest.digest()
    post.box.log.append(EventEntry(event="page_started", fields={}))
    post.deliver()
    assert post.audit("pull")[0] == 0
    post.box.log.cosigned = sha256(b"never cosigned").digest()
    false = post.box.log.append(EventEntry(event="page_started", fields={}))
    post.box.log.cosigned = honest.digest()
    post.box.log.append(EventEntry(event="page_started", fields={}))
    post.deliver()
    assert post.audit("verify")[0] == 0  # that part has not been pulled yet
    post.audit("pull")
    code, said = post.audit("verify")
    assert code == 1
    assert f"entry {false}: the checkpoint that it names as cosigned was signed neither by headquarters" in said
    assert said.count("names as cosigned") == 1


def test_a_stick_that_shows_another_tree_than_the_one_that_was_cosigned_is_refused_though_nothing_was_pulled(
    post: Post, tmp_path: Path
) -> None:
    """A box forks, and shows one tree to the collector, the other on a stick; the auditor sees the stick first."""
    start = list(post.box.log.leaves)
    for _ in range(3):
        post.box.seal(b"to the collector")
    post.deliver()
    other = LogWriter.like(post.box, start)
    other._folder = tmp_path / "stick" / "log"
    for _ in range(5):
        other.append(EventEntry(event="page_started", fields={}))
    other.publish()
    code, said = post.audit("pull", tmp_path / "stick")
    assert code == 76
    assert "fork: " in said
    assert "of 4 entries headquarters has cosigned another tree" in said
    (proof,) = (post.pulled / "proof").iterdir()
    assert {path.name for path in proof.iterdir()} == {
        "README.txt",
        "seen.note",
        "shown.note",
        "log.vkey",
        "consistency",
    }


def test_a_ledger_that_was_set_back_is_named_and_what_it_signed_is_kept(tmp_path: Path) -> None:
    headquarters = Headquarters(tmp_path / "hq")
    headquarters.start()
    try:
        post = Post(tmp_path, headquarters)
        first = post.box.seal(b"first")
        post.deliver(first)
        headquarters.stop()
        shutil.copytree(headquarters.data, tmp_path / "before")
        headquarters.start()
        second = post.box.seal(b"second")
        post.deliver(second)
        assert post.audit("pull")[0] == 0
        kept = (post.pulled / "receipts" / "0").read_bytes()
        headquarters.stop()
        shutil.rmtree(headquarters.data)
        (tmp_path / "before").rename(headquarters.data)
        headquarters.start()
        code, said = post.audit("pull")
    finally:
        headquarters.stop()
    assert code == 76
    assert "rollback" in said
    assert (post.pulled / "receipts" / "0").read_bytes() == kept


def test_only_the_auditor_is_shown_what_headquarters_signed(post: Post) -> None:
    post.deliver()
    link = Link(HOST, post.headquarters.port, tls_context(post.box.state / "uplink"), rate_bytes_per_s=1e6)
    for kind in ("cosigned", "receipts"):
        assert link.request("GET", f"/log/{post.box.origin}/{kind}/0").status == 403
    link.close()
