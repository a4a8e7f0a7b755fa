"""Missing bodies: what headquarters acknowledged is here, or it is named; who claims receipts that it lacks, too."""

import pytest

from appliance.formats.statement import EventEntry
from tests.attacks.audited_post import Post


def test_a_body_that_headquarters_acknowledged_and_lost_is_named(post: Post) -> None:
    kept, lost, awaited = (post.box.seal(body) for body in (b"kept", b"lost", b"not delivered"))
    post.deliver(kept, lost)
    assert post.audit("pull")[0] == 0
    post.headquarters.body(post.box, lost).unlink()
    (post.pulled / "bodies" / f"{lost}.age").unlink()
    for verb in ("pull", "verify"):
        code, said = post.audit(verb)
        assert code == 1
        assert f"entry {lost}: its body is missing: headquarters acknowledged it on " in said
        assert f"entry {kept}:" not in said
        assert f"entry {awaited}: its body is missing" not in said


def test_a_body_swapped_at_headquarters_for_another_is_named(post: Post) -> None:
    leaf = post.box.seal(b"the one that the statement names")
    post.deliver(leaf)
    post.headquarters.body(post.box, leaf).write_bytes(b"another one")
    code, said = post.audit("pull")
    assert code == 1
    assert f"entry {leaf}: its body was altered" in said


@pytest.mark.parametrize("event", ["bodies_acknowledged", "bodies_deleted"])
def test_a_box_that_claims_receipts_that_headquarters_did_not_give_is_named(post: Post, event: str) -> None:
    first, second = post.box.seal(b"delivered"), post.box.seal(b"not delivered")
    post.box.log.append(EventEntry(event=event, fields={"ranges": f"{first}", "count": "1"}))
    post.deliver(first)
    assert post.audit("pull")[0] == 0
    at = post.box.log.append(EventEntry(event=event, fields={"ranges": f"{first}-{second}", "count": "2"}))
    post.deliver()
    for verb in ("pull", "verify"):
        code, said = post.audit(verb)
        assert code == 1
        assert f"entry {at}: the box says that bodies are" in said
        assert f"lacks receipts among entries {first}-{second}" in said
