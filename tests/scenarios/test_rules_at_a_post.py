"""Headquarters changes the rules while a post works: it decides by the new ones, and nobody is lost or held up."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.booth.lists_on_hand import LOOK_EVERY_S
from appliance.formats.statement import EventEntry, parse_statement
from appliance.formats.status import ReleasesStatus, parse_status
from provisioning.bench.headless import Laid
from provisioning.bench.specimens import travellers
from tests.scenarios.post_at_work import WAIT_S, PostAtWork, post_at_work, traveller

QUIET = (one for one in travellers(datetime.now(UTC).date(), 7) if one.label.startswith("Passport"))
LOAD_S = 0.5
"""More than the booth needs to load a small release once it has seen that there is one."""


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostAtWork]:
    with post_at_work(tmp_path_factory.mktemp("rules") / "out") as post:
        yield post


def set_rules(post: PostAtWork, change: Callable[[dict[str, Any]], None], file: Path) -> str:
    """Take the rules in force, change them, publish them."""
    rules = json.loads(post.post.audit("policy", "show"))
    change(rules)
    file.write_text(json.dumps(rules), encoding="utf-8")
    return post.post.audit("policy", "set", str(file))


def work_until_in_force(post: PostAtWork, version: int) -> list[Laid]:
    """Travellers go on crossing until the booth has had time to take up rules of this version."""
    status = post.post.folders.runtime / "releases.status"
    began, in_force = time.monotonic(), float("inf")

    def done(_: Laid) -> bool:
        nonlocal in_force
        now = time.monotonic()
        assert now < began + WAIT_S, "the rules never reached the box"
        if parse_status(status.read_bytes(), ReleasesStatus).rules == version:
            in_force = min(in_force, now)
        return now > in_force + LOOK_EVERY_S + LOAD_S

    return post.bring_until(QUIET, done)


def test_a_change_of_rules_reaches_a_post_at_work(post: PostAtWork, tmp_path: Path) -> None:
    file = tmp_path / "rules.json"

    def only_note_persons(rules: dict[str, Any]) -> None:
        rules["hits"] = [{"action": "note", "list_name": "persons"}, {"action": "refer"}]

    def alert_everything(rules: dict[str, Any]) -> None:
        rules["hits"] = [{"action": "alert"}]

    assert "Rules 2 " in set_rules(post, only_note_persons, file)
    meanwhile = work_until_in_force(post, 2)
    person, document = traveller("Listed person"), traveller("Listed document")
    assert [laid.lamp for laid in post.bring(person, document)] == ["green", "amber"]
    assert "Rules 3 " in set_rules(post, alert_everything, file)
    meanwhile += work_until_in_force(post, 3)
    assert [laid.lamp for laid in post.bring(person)] == ["amber"]
    assert {laid.lamp for laid in meanwhile} == {"green"}

    lines = post.at_headquarters()
    assert len(lines) == len(meanwhile) + 3  # nobody was lost
    listed = [line for line in lines if line["hits"]]
    assert [(line["decision"]["type"], line["decision"].get("alert")) for line in listed] == [
        ("clear", None),
        ("refer", False),
        ("refer", True),
    ]
    switched = [entry.fields["rules"] for entry in events(post) if entry.event == "release_switched"]
    assert switched == sorted(switched)
    assert set(switched) == {"1", "2", "3"}
    try_before_publishing(post, file)


def try_before_publishing(post: PostAtWork, file: Path) -> None:
    """The day's records, judged by rules that were never published."""
    rules = json.loads(post.post.audit("policy", "show"))
    rules["hits"] = [{"action": "alert", "list_name": "documents"}, {"action": "note", "list_name": "persons"}]
    file.write_text(json.dumps(rules), encoding="utf-8")
    found = json.loads(post.post.audit("policy", "test", str(file), "--json"))
    assert (found["was"]["alert"], found["now"]["alert"], found["now"]["note"]) == (1, 1, 2)
    assert sorted((change["was"], change["now"]) for change in found["changes"]) == [
        ("alert", "note"),
        ("refer", "alert"),
    ]
    again = json.loads(post.post.audit("policy", "test", str(file), "--json", "--over", str(post.post.folders.out)))
    assert again == found


def events(post: PostAtWork) -> list[EventEntry]:
    """What the box's log says in the clear, in order."""
    kinds = [parse_statement(leaf).unverified.kind for leaf in leaves(post.box / "log")]
    return [kind for kind in kinds if isinstance(kind, EventEntry)]


def leaves(log: Path) -> Iterator[bytes]:
    """Entries of a log of at most 256,000: of each bundle the longest that lies there, uint16 length and entry."""
    entries = log / "tile" / "entries"
    bundles: dict[str, bytes] = {}
    for path in (path for path in entries.rglob("*") if path.is_file()):
        number, data = path.relative_to(entries).parts[0][:3], path.read_bytes()
        bundles[number] = max(bundles.get(number, b""), data, key=len)
    for _, data in sorted(bundles.items()):
        at = 0
        while at < len(data):
            length = int.from_bytes(data[at : at + 2], "big")
            yield data[at + 2 : at + 2 + length]
            at += 2 + length
