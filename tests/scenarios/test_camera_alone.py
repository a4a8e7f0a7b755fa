"""A post without a scanner, whole: the camera reads, and a page that it cannot read leaves no former result lit."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenarios.post_at_work import PostAtWork, post_at_work, quiet_day

WORN = 15
"""Characters of each line that are gone: a third."""


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostAtWork]:
    with post_at_work(tmp_path_factory.mktemp("alone") / "out", dialect="none") as work:
        work.lane.await_lists()
        yield work


def lay(post: PostAtWork, *lines: str, before: str = "", **how: str) -> dict[str, Any]:
    """Lay a page onto whatever lies there; the result that comes of it."""
    post.desk.ask(do="lay", mrz=list(lines), **how)
    return dict(post.state(lambda state: state["shown"] and state["shown"]["of"] != before)["shown"])


def test_after_a_page_without_lines_no_former_result_stays(post: PostAtWork) -> None:
    first, second, third = (one.lines for one in quiet_day(41)[:3])
    clear = lay(post, *first)
    assert clear["decision"] == "clear"
    unread = lay(post, before=clear["of"])
    assert unread["unread"]
    assert unread["lamp"] == "amber"
    assert "could NOT read this page" in unread["headline"]
    assert unread["filled"] == {}
    worn = lay(post, *(line[:-WORN] + " " * WORN for line in second), before=unread["of"])
    assert worn["lamp"] == "amber"
    assert worn["filled"]["primary_identifier"], "typing begins with what was read"
    turned = lay(post, *third, before=worn["of"], view="upside down")
    assert turned["decision"] == "clear"
    post.desk.ask(do="remove")
    record = next(one for one in post.at_headquarters() if one["record_id"] == unread["of"])
    assert record["device"] == "camera"
    assert record["decision"]["first"]["code"] == "unreadable"
    assert [picture["sha256"] for picture in record["pictures"]] == [record["raw_sha256"]]
