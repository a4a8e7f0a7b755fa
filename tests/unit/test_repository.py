"""Releases out: what headquarters signs with which keys, and what a mirror still lacks of it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata

from appliance.errors import ConfigError, Malformed, Refused
from appliance.formats.mirror import WantedFile, wanted_files
from appliance.formats.release import (
    DOCUMENTS_TARGET,
    PERSONS_TARGET,
    RECIPIENTS_TARGET,
    ROSTER_TARGET,
    TARGET_BYTES_MAX,
    encode_roster,
    parse_roster,
)
from appliance.screen.lists import Lists
from provisioning.authority.repository import Repository
from tests.release_world import LIST_KEY, NOW_MS, World, make_world, recipients, roster


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def signatures(world: World, name: str) -> int:
    return len(Metadata.from_bytes((world.home / "tuf" / "metadata" / name).read_bytes()).signatures)


def test_offline_roles_carry_two_signatures_and_online_roles_one(world: World) -> None:
    two = ("1.root.json", "1.targets.json", "1.recipients.json", "1.roster.json")
    one = ("1.lists.json", "1.policy.json", "1.snapshot.json", "timestamp.json")
    assert [signatures(world, name) for name in two + one] == [2, 2, 2, 2, 1, 1, 1, 1]


def test_the_first_release_has_empty_lists_that_answer_the_self_test(world: World) -> None:
    release = world.carry_and_take()
    assert (release.version, release.signed_ms, str(release.dated)) == (1, NOW_MS, "2026-11-18")
    Lists.from_release(release, (LIST_KEY,)).self_test()


def test_publishing_lists_needs_no_offline_key(world: World) -> None:
    for path in (world.home / "keys").glob("o*-?.pem"):
        path.unlink()
    for path in (world.home / "keys").glob("root-?.pem"):
        path.unlink()
    policy = world.repository.publish({}, at_ms=NOW_MS + 1)
    assert (policy.version, world.repository.version()) == (2, 2)
    assert world.carry_and_take().version == 2


def test_publishing_a_roster_needs_two_offline_keys_and_says_so(world: World) -> None:
    (world.home / "keys" / "offline-1.pem").unlink()
    world.repository.publish({ROSTER_TARGET: encode_roster(roster(2))}, at_ms=NOW_MS)
    (world.home / "keys" / "offline-3.pem").unlink()
    with pytest.raises(
        ConfigError,
        match=r"roster is signed by 2 of offline-1, offline-2, offline-3, here are 1; offline-1\.pem is not here",
    ):
        world.repository.publish({ROSTER_TARGET: encode_roster(roster(3))}, at_ms=NOW_MS)
    assert world.carry_and_take().roster.version == 2


def test_what_is_not_replaced_stays(world: World) -> None:
    before = {path: world.repository.target(path) for path in (DOCUMENTS_TARGET, PERSONS_TARGET, RECIPIENTS_TARGET)}
    world.repository.publish({ROSTER_TARGET: encode_roster(roster(2))}, at_ms=NOW_MS + 1)
    assert {path: world.repository.target(path) for path in before} == before
    assert parse_roster(world.repository.target(ROSTER_TARGET) or b"").version == 2


def test_a_second_root_of_trust_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="cut off every enrolled box"):
        Repository.create(world.home, recipients=recipients(), roster=roster(), list_key=LIST_KEY, at_ms=NOW_MS)


def test_what_boxes_do_not_take_is_not_published(world: World) -> None:
    bytes_max = TARGET_BYTES_MAX[RECIPIENTS_TARGET]
    with pytest.raises(Malformed, match=f"boxes take at most {bytes_max}"):
        world.repository.publish({RECIPIENTS_TARGET: b" " * (bytes_max + 1)}, at_ms=NOW_MS)
    with pytest.raises(Malformed, match="boxes take at most 0"):
        world.repository.publish({"lists/other.json": b"{}"}, at_ms=NOW_MS)
    assert world.repository.version() == 1


def test_a_clock_behind_the_last_release_publishes_nothing(world: World) -> None:
    with pytest.raises(Refused, match="clock is behind"):
        world.repository.publish({}, at_ms=NOW_MS - 1)
    assert world.repository.version() == 1


def test_two_commands_at_once_make_two_releases(world: World) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: world.repository.publish({}, at_ms=NOW_MS).version, range(8)))
    assert sorted(made) == list(range(2, 10))
    assert world.carry_and_take().version == 9


def test_without_a_repository_the_error_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="landlink-hq init"):
        Repository(tmp_path).root()


# --- the mirror -------------------------------------------------------------------------------------------------------


def mirror(world: World, has: dict[str, bytes]) -> list[list[str]]:
    """Carry as an uplink does; gives what was asked for, round by round."""
    tuf = world.home / "tuf"
    fetched = {"metadata/timestamp.json": (tuf / "metadata" / "timestamp.json").read_bytes()}
    asked: list[list[str]] = []

    def read(path: str) -> bytes | None:
        return fetched.get(path) or has.get(path)

    while True:
        wanted = [file for file in wanted_files(read, lambda path: read(path) is not None) if serves(tuf, file)]
        if not wanted:
            has.update(fetched)
            return asked
        asked.append([file.path for file in wanted])
        for file in wanted:
            data = (tuf / file.path).read_bytes()
            assert len(data) <= file.bytes_max
            has[file.path] = data


def serves(tuf: Path, file: WantedFile) -> bool:
    there = (tuf / file.path).exists()
    assert there or file.optional
    return there


def write(world: World, has: dict[str, bytes]) -> None:
    for path, data in has.items():
        (world.mirror / path).parent.mkdir(parents=True, exist_ok=True)
        (world.mirror / path).write_bytes(data)


def test_a_mirror_carried_file_by_file_is_a_release(world: World) -> None:
    has: dict[str, bytes] = {}
    mirror(world, has)
    write(world, has)
    release = world.take()
    assert release is not None
    assert release.version == 1


def test_a_mirror_fetches_only_what_changed(world: World) -> None:
    has: dict[str, bytes] = {}
    mirror(world, has)
    world.repository.publish({ROSTER_TARGET: encode_roster(roster(2))}, at_ms=NOW_MS + 1)
    asked = [path for round_ in mirror(world, has) for path in round_]
    assert sorted(path.rpartition(".")[0].partition("/")[0] for path in asked) == ["metadata"] * 4 + ["targets"] * 2
    assert not [path for path in asked if "recipients" in path or "documents" in path]


def test_nothing_new_asks_only_for_the_next_root(world: World) -> None:
    has: dict[str, bytes] = {}
    mirror(world, has)
    wanted = wanted_files(has.get, has.__contains__)
    assert [(file.path, file.optional) for file in wanted] == [("metadata/2.root.json", True)]


def test_an_empty_mirror_wants_the_timestamp_first() -> None:
    assert [file.path for file in wanted_files(lambda _: None, lambda _: False)] == [
        "metadata/2.root.json",
        "metadata/timestamp.json",
    ]


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.lists.json"])
def test_metadata_that_is_none_is_of_no_use_to_a_mirror(world: World, name: str) -> None:
    has: dict[str, bytes] = {}
    mirror(world, has)
    has[f"metadata/{name}"] = b"{}"
    with pytest.raises(Malformed):
        wanted_files(has.get, has.__contains__)
