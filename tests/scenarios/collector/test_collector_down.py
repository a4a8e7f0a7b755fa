"""What headquarters says to one box: that box gets it, nobody else does, and no name leads anywhere else."""

import hashlib
import os
from pathlib import Path

import pytest

from appliance.formats.downlink import SEALED_BYTES_MAX, WAITING_MAX, ListKey, parse_waiting
from appliance.uplink.link import Link
from tests.collector_bed import SERIALS, Links
from tests.delivery_post import Box, Headquarters, run
from tests.downlink_bed import case_answer, opened, say


@pytest.fixture
def link(box: Box, links: Links) -> Link:
    return links(box)


def names(link: Link) -> list[str]:
    return [waiting.name for waiting in parse_waiting(link.request("GET", "/v1/down").body).messages]


def test_a_box_reads_what_is_said_to_it(headquarters: Headquarters, box: Box, link: Link) -> None:
    say(headquarters.home, box.serial, case_answer())
    answer = link.request("GET", "/v1/down")
    listed = {waiting.name: waiting.sha256 for waiting in parse_waiting(answer.body).messages}
    assert list(listed) == ["answers-0000000001.age", "directives-0000000001.age", "directives-0000000002.age"]
    sealed = link.request("GET", "/v1/down/answers-0000000001.age").body
    assert hashlib.sha256(sealed).digest() == listed["answers-0000000001.age"]
    assert opened(headquarters.home, box.state, box.serial, sealed).message == case_answer()


def test_no_news_costs_a_line(headquarters: Headquarters, box: Box, link: Link) -> None:
    tag = link.request("GET", "/v1/down").headers["etag"]
    same = link.request("GET", "/v1/down", headers={"If-None-Match": tag})
    assert (same.status, same.body) == (304, b"")
    say(headquarters.home, box.serial, case_answer())
    assert link.request("GET", "/v1/down", headers={"If-None-Match": tag}).status == 200


def test_another_boxs_message_is_nowhere(tmp_path: Path, headquarters: Headquarters, link: Link, links: Links) -> None:
    other = Box(tmp_path / "o", headquarters, next(SERIALS))
    say(headquarters.home, other.serial, case_answer())
    assert "answers-0000000001.age" in names(links(other))
    assert names(link) == ["directives-0000000001.age", "directives-0000000002.age"]
    assert link.request("GET", "/v1/down/answers-0000000001.age").status == 404
    for way in (
        f"../{other.serial}/answers-0000000001.age",
        f"..%2f{other.serial}%2fanswers-0000000001.age",
        f"%2e%2e/{other.serial}/answers-0000000001.age",
        f"{other.serial}/answers-0000000001.age",
        "said.jsonl",
        "..%2f..%2fkeys%2flist-key",
        "answers-0000000001.age%00",
        "answers-0000000001.age%0a",
    ):
        assert link.request("GET", f"/v1/down/{way}").status == 404, way


def test_a_revoked_box_is_told_nothing_more(headquarters: Headquarters, box: Box, link: Link) -> None:
    assert len(names(link)) == 2
    run("landlink-hq", "--home", headquarters.home_folder, "revoke", box.serial)
    for path in ("/v1/down", "/v1/down/directives-0000000001.age"):
        assert link.request("GET", path).status == 403


def test_the_list_is_bounded_to_the_newest_of_each_role(headquarters: Headquarters, box: Box, link: Link) -> None:
    folder = headquarters.home.down / box.serial
    for counter in range(1, WAITING_MAX + 1):
        (folder / f"answers-{counter:010}.age").write_bytes(b"sealed")
    say(headquarters.home, box.serial, ListKey(key=bytes(32)))
    found = names(link)
    assert len(found) <= WAITING_MAX
    assert found[0] == f"answers-{WAITING_MAX // 2 + 1:010}.age"
    assert found[-1] == "directives-0000000003.age"


def test_what_is_no_message_is_not_listed(headquarters: Headquarters, box: Box, link: Link) -> None:
    folder = headquarters.home.down / box.serial
    for name in ("said.jsonl", "answers-1.age", "receipts-0000000001.age", ".answers-0000000009.age.77.tmp"):
        (folder / name).write_bytes(b"x")
    assert names(link) == ["directives-0000000001.age", "directives-0000000002.age"]


def test_a_pipe_among_the_messages_holds_nobody_up(headquarters: Headquarters, box: Box, link: Link) -> None:
    os.mkfifo(headquarters.home.down / box.serial / "answers-0000000001.age")
    (headquarters.home.down / box.serial / "answers-0000000002.age").symlink_to("nowhere")
    (headquarters.home.down / box.serial / "answers-0000000003.age").write_bytes(bytes(SEALED_BYTES_MAX + 1))
    assert names(link) == ["directives-0000000001.age", "directives-0000000002.age"]
    for counter in (1, 2, 3):
        assert link.request("GET", f"/v1/down/answers-000000000{counter}.age").status == 404
