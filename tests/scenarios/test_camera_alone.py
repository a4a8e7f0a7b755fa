"""A post without a scanner, whole: the camera reads, and a page that it cannot read leaves no former result lit."""

import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from provisioning.bench import tray
from tests.scenarios.post_at_work import PostAtWork, post_at_work, quiet_day
from tests.scenarios.rehearsed import free_port

WORN = 15
"""Characters of each line that are gone: a third."""


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostAtWork]:
    with post_at_work(tmp_path_factory.mktemp("alone") / "out", dialect="none") as work:
        work.lane.await_lists()
        yield work


def lay(post: PostAtWork, *lines: str, **how: object) -> dict[str, Any]:
    """Lay a page onto whatever lies there; the result that comes of it."""
    before = (post.state()["shown"] or {"of": ""})["of"]
    post.desk.ask(do="lay", mrz=list(lines), **how)
    return dict(post.state(lambda state: state["shown"] and state["shown"]["of"] != before)["shown"])


def test_after_a_page_without_lines_no_former_result_stays(post: PostAtWork) -> None:
    first, second, third = (one.lines for one in quiet_day(41)[:3])
    clear = lay(post, *first)
    assert clear["decision"] == "clear"
    unread = lay(post)
    assert unread["unread"]
    assert unread["lamp"] == "amber"
    assert "could NOT read this page" in unread["headline"]
    assert unread["filled"] == {}
    worn = lay(post, *(line[:-WORN] + " " * WORN for line in second))
    assert worn["lamp"] == "amber"
    assert worn["filled"]["primary_identifier"], "typing begins with what was read"
    turned = lay(post, *third, view="upside down")
    assert turned["decision"] == "clear"
    post.desk.ask(do="remove")
    record = next(one for one in post.at_headquarters() if one["record_id"] == unread["of"])
    assert record["device"] == "camera"
    assert record["decision"]["first"]["code"] == "unreadable"
    assert [picture["sha256"] for picture in record["pictures"]] == [record["raw_sha256"]]


def test_a_hand_held_still_darkens_and_is_recorded_as_nobodys_page(post: PostAtWork) -> None:
    first, second = (one.lines for one in quiet_day(42)[:2])
    clear = lay(post, *first)
    post.desk.ask(do="lay", mrz=[], hand=True)
    post.state(lambda state: not state["shown"] and "could not be read" in state["notice"])
    after = lay(post, *second)
    assert after["decision"] == "clear"
    post.desk.ask(do="remove")
    records = post.at_headquarters()
    numbers = [next(at for at, one in enumerate(records) if one["record_id"] == of["of"]) for of in (clear, after)]
    between = records[numbers[0] + 1 : numbers[1]]
    assert [one for one in between if "decision" in one] == []


@pytest.mark.parametrize(
    ("view", "why"), [("lamp off", "black: look at its lamp"), ("cut short", "image cannot be read")]
)
def test_a_camera_that_fails_leaves_no_result_lit_and_says_why(post: PostAtWork, view: str, why: str) -> None:
    (page,) = (one.lines for one in quiet_day(43 + len(view))[:1])
    clear = lay(post, *page)
    assert clear["lamp"] == "green"
    post.desk.ask(do="lay", mrz=list(page), view=view)
    state = post.state(lambda state: not state["shown"])
    assert state["devices"]["scanner"] == "faulted"
    assert why in state["reader_why"]
    assert state["notice"] == ""
    again = lay(post, *page)
    assert again["person"] == clear["person"]
    post.desk.ask(do="remove")


def test_two_documents_refer_for_the_camera_cannot_know_which_one_is_meant(post: PostAtWork) -> None:
    first, second = (one.lines for one in quiet_day(46)[:2])
    both = lay(post, *first, over=second)
    assert both["lamp"] == "amber"
    assert both["headline"].startswith("Two documents lie there")
    post.desk.ask(do="remove")
    record = next(one for one in post.at_headquarters() if one["record_id"] == both["of"])
    assert record["decision"]["first"]["code"] == "sure_reading"
    assert record["decision"]["first"]["words"] == both["headline"]


def test_a_page_laid_again_as_the_box_asked_answers_that_it_was_not_read_surely(post: PostAtWork) -> None:
    (page,) = (one.lines for one in quiet_day(49)[:1])
    unsure = lay(post, *page, view="half out")
    assert unsure["lamp"] == "amber"
    post.desk.ask(do="remove")
    clean = lay(post, *page)
    assert (clean["lamp"], clean["decision"]) == ("green", "clear")
    assert clean["person"] == unsure["person"]
    post.desk.ask(do="remove")
    assert unsure["of"] not in [case["of"] for case in post.state()["cases"]]
    record = next(one for one in post.at_headquarters() if one["record_id"] == unsure["of"])
    assert record["decision"]["first"]["code"] == "sure_reading"


def test_an_image_of_a_whole_sensor_is_read(post: PostAtWork) -> None:
    (page,) = (one.lines for one in quiet_day(47)[:1])
    assert lay(post, *page, view="full sensor")["decision"] == "clear"
    post.desk.ask(do="remove")


def test_the_tray_lays_under_the_camera_and_speaks_of_no_scanner(post: PostAtWork) -> None:
    port = free_port()
    with (
        tray.serve(post.post, quiet_day(48)[:2], port=port),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page,
    ):
        told = page.read().decode()
    assert "Lay a document under the camera" in told
    assert "Nothing lies under the camera." in told
    assert "scanner" not in told
