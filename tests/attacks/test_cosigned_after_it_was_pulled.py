"""A fork that shows only later: headquarters pulled one tree by stick, and its collector cosigns the other."""

from pathlib import Path

from appliance.formats.statement import EventEntry
from provisioning.audit.proof import verify_proof
from tests.attacks.audited_post import Post
from tests.delivery_post import LogWriter
from tests.scenarios.auditor import kept_of


def test_the_collectors_cosignature_on_another_tree_is_named_with_a_proof_that_convicts(
    post: Post, tmp_path: Path
) -> None:
    start = list(post.box.log.leaves)
    stick = LogWriter.like(post.box, start)
    stick._folder = tmp_path / "stick" / "log"
    for _ in range(5):
        stick.append(EventEntry(event="page_started", fields={}))
    stick.publish()
    assert post.audit("pull", tmp_path / "stick")[0] == 0
    for _ in range(2):
        post.box.seal(b"to the collector")
    post.deliver()
    code, said = post.audit("pull")
    assert code == 76
    assert "fork" in said or "re-signed" in said
    home = post.headquarters.home
    kept = kept_of(home, post.box.origin)
    proven = [verify_proof(proof, kept.log.verifier) for proof in kept.proofs()]
    assert any("proven: the log's key signed another tree of 3 entries" in words for words in proven)
    assert post.audit("verify")[0] == 1
