"""Attacks on headquarters' rules, on the way to a box and on its card: refused by name, the old rules stay in force."""

import hashlib
import shutil
import time
from pathlib import Path
from typing import Final

import pytest
from msgspec import structs
from tuf.api.metadata import MetaFile, Snapshot, TargetFile, Targets, Timestamp

from appliance.booth.lists_on_hand import ListsOnHand
from appliance.enrol.accept import accept_answer
from appliance.errors import LandlinkError, Malformed, Untrusted
from appliance.formats.mirror import wanted_files
from appliance.formats.release import POLICY_TARGET, ROSTER_TARGET, RULES_TARGET, encode_roster
from appliance.formats.rules import DEFAULT_RULES, RULES_BYTES_MAX, HitRule, Rules, encode_rules
from appliance.releases.take import take_release
from appliance.shelf import Shelf
from provisioning.authority.enrolment import issue
from provisioning.authority.repository import Repository
from tests.release_world import LIST_KEY, NOW_MS, World, make_world, roster, stranger
from tests.scenarios.made_headquarters import ask, config, headquarters


def rules(version: int, *hits: HitRule) -> Rules:
    return structs.replace(DEFAULT_RULES, version=version, hits=hits, title=f"Rules {version}")


STRICT: Final = rules(3, HitRule(action="alert"))


def publish(world: World, data: bytes | None) -> None:
    at_ms = NOW_MS + 1_000 * world.repository.version()
    world.repository.publish({RULES_TARGET: data}, at_ms=at_ms)
    world.carry()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Release 2, with rules 3, is in service."""
    made = make_world(tmp_path)
    assert made.carry_and_take().rules == DEFAULT_RULES
    publish(made, encode_rules(STRICT))
    release = made.take()
    assert release is not None
    assert release.rules == STRICT
    return made


def refused(world: World, words: str) -> None:
    with pytest.raises((Untrusted, Malformed), match=words):
        world.take()
    assert (world.shelf.version(), world.shelf.load().rules) == (2, STRICT)


def test_newer_rules_are_taken_and_stay_with_releases_that_change_something_else(world: World) -> None:
    newer = rules(4, HitRule(action="refer"))
    publish(world, encode_rules(newer))
    assert world.take()
    world.repository.publish({ROSTER_TARGET: encode_roster(roster(2))}, at_ms=NOW_MS + 9_000)
    release = world.carry_and_take()
    assert (release.version, release.rules) == (4, newer)


def test_older_rules_in_a_newer_release_are_refused(world: World) -> None:
    publish(world, encode_rules(rules(2, HitRule(action="note", list_name="persons"))))
    refused(world, "its rules 2 are older than 3, which are in force")


def test_other_rules_of_the_same_number_are_refused(world: World) -> None:
    publish(world, encode_rules(rules(3, HitRule(action="refer"))))
    refused(world, "its rules differ from those in force, and both have the number 3")


def test_a_release_that_lets_the_rules_go_is_refused(world: World) -> None:
    """The ones that are delivered with a box have the number 1: they never come back by leaving the others out."""
    publish(world, None)
    refused(world, "its rules 1 are older than 3")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{}", "rules: "),
        (b"\x00" * 100, "rules: "),
        (encode_rules(rules(4, HitRule(action="note"))), r"hits\[0\]: a document whose number is listed always refers"),
        (encode_rules(STRICT).replace(b'"schema":1', b'"schema":2'), "rules: "),
        (encode_rules(STRICT).replace(b'"version":3', b'"version":4,"also":1'), "Unknown field"),
    ],
)
def test_rules_that_are_no_rules_are_refused_whoever_signed_them(world: World, data: bytes, words: str) -> None:
    publish(world, data)
    refused(world, words)


def test_rules_longer_than_a_box_takes_are_not_published_nor_taken(world: World) -> None:
    with pytest.raises(Malformed, match="boxes take at most"):
        publish(world, b" " * (RULES_BYTES_MAX + 1))

    def longer(policy: Targets) -> None:
        policy.targets[RULES_TARGET].length = RULES_BYTES_MAX + 1

    publish(world, encode_rules(rules(4)))
    resign(world, "3.policy.json", longer)
    refused(world, "65537 bytes, at most 65536")


def resign(world: World, name: str, change: object) -> None:
    """Change the newest policy metadata with the real keys of all online roles, as their thief would."""
    assert callable(change)
    data = world.forge(name, change, *world.keys_of("policy"))
    path = world.mirror / "metadata" / "3.snapshot.json"

    def name_policy(snapshot: Snapshot) -> None:
        snapshot.meta["policy.json"] = MetaFile.from_data(int(name[0]), data, ["sha256"])

    def name_snapshot(timestamp: Timestamp) -> None:
        timestamp.snapshot_meta = MetaFile.from_data(3, path.read_bytes(), ["sha256"])

    world.forge("3.snapshot.json", name_policy, *world.keys_of("snapshot"))
    world.forge("timestamp.json", name_snapshot, *world.keys_of("timestamp"))


def test_rules_signed_by_another_role_are_not_followed(world: World) -> None:
    """The role `lists` cannot speak for the folder `policy/`."""
    publish(world, None)
    data = encode_rules(rules(9, HitRule(action="note", list_name="persons")))

    def with_rules(lists: Targets) -> None:
        lists.targets[RULES_TARGET] = TargetFile.from_data(RULES_TARGET, data, ["sha256"])

    path = next((world.mirror / "metadata").glob("3.lists.json"))
    forged = world.forge(path.name, with_rules, *world.keys_of("lists"))

    def name_lists(snapshot: Snapshot) -> None:
        snapshot.meta["lists.json"] = MetaFile.from_data(3, forged, ["sha256"])

    snapshot = world.forge("3.snapshot.json", name_lists, *world.keys_of("snapshot"))

    def name_snapshot(timestamp: Timestamp) -> None:
        timestamp.snapshot_meta = MetaFile.from_data(3, snapshot, ["sha256"])

    world.forge("timestamp.json", name_snapshot, *world.keys_of("timestamp"))
    refused(world, "lists names a file that is not its own")


def test_rules_signed_by_a_stranger_are_refused(world: World) -> None:
    publish(world, encode_rules(rules(4)))
    world.forge("3.policy.json", lambda _: None, stranger())
    refused(world, "not the file that was signed|not signed by enough keys")


@pytest.mark.parametrize("what", ["truncated", "exchanged", "gone"])
def test_rules_that_a_mirror_tampers_with_are_refused(world: World, what: str) -> None:
    publish(world, encode_rules(rules(4)))
    folder = world.mirror / "targets" / "policy"
    path = next(each for each in folder.glob("*.rules.json") if b'"version":4' in each.read_bytes())
    match what:
        case "truncated":
            path.write_bytes(path.read_bytes()[:-1])
        case "exchanged":
            path.write_bytes(encode_rules(STRICT))
        case _:
            path.unlink()
    refused(world, "not the file that was signed|longer than was signed|incomplete")


@pytest.mark.parametrize("what", ["damaged", "gone", "exchanged"])
def test_rules_that_are_changed_on_the_card_take_the_release_out_of_service(world: World, what: str) -> None:
    """Never by others in silence: every list then reads "could not be checked", and refers (I5)."""
    path = world.shelf.folder / "2" / "targets" / RULES_TARGET
    if what == "gone":
        path.unlink()
    else:
        path.write_bytes(encode_rules(rules(3)) if what == "exchanged" else b"")
    with pytest.raises(Untrusted, match=f"{RULES_TARGET} is (missing|not the file)"):
        world.shelf.load()
    on_hand = ListsOnHand(world.shelf, lambda: (LIST_KEY,)).current
    assert (on_hand.release, on_hand.rules) == (None, DEFAULT_RULES)
    assert on_hand.lists.documents.dated is None


def test_a_card_put_back_to_older_rules_is_noticed_by_the_booth_that_runs(world: World) -> None:
    publish(world, encode_rules(rules(4)))
    world.take()
    lists = ListsOnHand(world.shelf, lambda: (LIST_KEY,))
    (world.shelf.folder / ".back").symlink_to("2")
    (world.shelf.folder / ".back").replace(world.shelf.folder / "current")
    lists.look()
    assert (lists.current.older_refused, lists.current.rules.version) == (True, 4)


def test_no_rules_reach_a_box_by_the_folder_of_policy_beside_them(world: World, tmp_path: Path) -> None:
    """policy.json in the place of rules.json, and the other way round."""
    publish(world, encode_rules(rules(4)))
    whole = tmp_path / "whole"
    shutil.copytree(world.mirror, whole)
    for mine, other in ((RULES_TARGET, POLICY_TARGET), (POLICY_TARGET, RULES_TARGET)):
        shutil.rmtree(world.mirror)
        shutil.copytree(whole, world.mirror)

        def exchange(policy: Targets, mine: str = mine, other: str = other) -> None:
            policy.targets[mine] = TargetFile(policy.targets[other].length, policy.targets[other].hashes, mine)

        resign(world, "3.policy.json", exchange)
        with pytest.raises(LandlinkError):
            world.take()
        assert world.shelf.load().rules == STRICT


def test_a_mirror_fetches_the_rules_by_the_hash_that_is_signed(world: World) -> None:
    publish(world, encode_rules(rules(4)))
    metadata, rules_file = {}, hashlib.sha256(encode_rules(rules(4))).hexdigest()
    for path in (world.mirror / "metadata").iterdir():
        metadata[f"metadata/{path.name}"] = path.read_bytes()
    wanted = {each.path: each.bytes_max for each in wanted_files(metadata.get, lambda _: False)}
    assert wanted[f"targets/policy/{rules_file}.rules.json"] == len(encode_rules(rules(4)))


def test_a_box_that_is_enrolled_later_starts_with_the_rules_in_force(tmp_path: Path) -> None:
    home = headquarters(tmp_path / "hq")
    Repository(home.folder).publish({RULES_TARGET: encode_rules(STRICT)}, at_ms=time.time_ns() // 1_000_000)
    box = config(tmp_path / "box")
    answer = tmp_path / "answer"
    issue(home, ask(box), answer, serial=None, now_ms=time.time_ns() // 1_000_000)
    accept_answer(box, answer)
    shelf = Shelf(box.state / "releases")
    keys = (home.list_key_file.read_bytes(),)
    assert take_release(shelf, box.state / "mirror", lower_bound_ms=NOW_MS, keys=keys)
    assert shelf.load(lists=False).rules == STRICT
