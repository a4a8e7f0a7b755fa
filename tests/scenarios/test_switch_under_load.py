"""Lists are switched again and again while travellers cross: each is screened against a whole release, none waits."""

import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from appliance.formats.wire import Cosigned, LastCosigned
from appliance.line import RecorderLine
from appliance.releases.proven import ProvenTime
from appliance.shelf import Shelf
from provisioning.bench.headless import Laid
from provisioning.bench.specimens import Traveller
from tests.scenarios.post_at_work import WAIT_S, PostAtWork, post_at_work, quiet_day, traveller, until
from tests.scenarios.switching import LISTED, Switcher, make_releases

pytestmark = pytest.mark.post

RELEASES = 8
SLOW_S = 5.0
"""No lamp waits for a release to be verified or loaded; how fast it answers is measured in benchmarks."""


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostAtWork]:
    with post_at_work(tmp_path_factory.mktemp("switched") / "out") as working:
        yield working


def test_what_headquarters_cosigns_reaches_releases_and_proves_the_time(post: PostAtWork) -> None:
    """By the recorder's real door: releases verifies it by the roster in service."""
    post.bring(*(one for one, _ in zip(people(), range(2), strict=False)))
    proven = ProvenTime(Shelf(post.box / "releases"))
    proven.look()
    signed_ms = proven.at_ms
    line = RecorderLine(post.post.folders.runtime / "releases.sock", timeout_s=WAIT_S)

    def heard() -> int:
        answer = line.ask(LastCosigned())
        proven.hear(answer.note if isinstance(answer, Cosigned) else b"")
        return proven.at_ms

    assert until(heard, lambda at_ms: at_ms > signed_ms) <= time.time() * 1_000
    assert proven.still_since is None
    line.close()


def people() -> Iterator[Traveller]:
    """Every third one lays the document that is listed in every second release."""
    quiet = iter(quiet_day(7))
    listed = traveller("Listed document")
    for third in cycle((False, False, True)):
        yield listed if third else next(quiet)


def test_a_switch_under_load_loses_and_delays_no_screening(post: PostAtWork, tmp_path: Path) -> None:
    before = post.bring(*(one for one, _ in zip(people(), range(6), strict=False)))
    switcher = Switcher(box=post.box, releases=make_releases(post.post.folders.hq, tmp_path, RELEASES))
    switcher.start()
    during = post.bring_until(people(), lambda _: switcher.done)
    switcher.stop()
    assert switcher.switched == sorted(set(switcher.switched))
    assert len(switcher.switched) == RELEASES
    lines = {line["record_id"]: line for line in post.at_headquarters()}
    laid = [*before, *during]
    recorded = [line_of(one, lines) for one in laid]
    assert len({line["record_id"] for line in recorded}) == len(laid)
    check_whole_lists(recorded, {switcher.switched[0] - 1, *switcher.switched})
    for one, line in zip(laid, recorded, strict=True):
        assert one.tries == 1
        assert (one.edge_ns - one.sent_ns) / 1e9 < SLOW_S
        assert one.lamp == {"clear": "green", "refer": "amber"}[line["decision"]["type"]]


def line_of(one: Laid, lines: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The record of this traveller at headquarters, which is taken out of `lines`."""
    found = one.of or next(
        record_id
        for record_id, line in lines.items()
        if line["raw_mrz"] == one.mrz and line["decision"]["type"] == "clear"
    )
    return lines.pop(found)


def check_whole_lists(recorded: list[dict[str, Any]], published: set[int]) -> None:
    """Both lists were searched, of one release and in its turn; LISTED is found exactly where that release lists it."""
    first, versions = min(published), []
    for line in recorded:
        assert all(answer["searched"] for answer in line["lists"]), line["lists"]
        (version,) = {answer["version"] for answer in line["lists"]}
        versions.append(version)
        if line["document"]["document_number"] == LISTED:
            found = {hit["list_version"] for hit in line["hits"] if hit["list_name"] == "documents"}
            assert found == ({version} if (version - first) % 2 == 0 else set())
    assert versions == sorted(versions)
    assert set(versions) <= published
    assert len(set(versions)) > RELEASES // 2
