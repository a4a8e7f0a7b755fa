"""Attacks on the way from headquarters to the shelf: each is refused by name, and the old release stays in service."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from tuf.api.metadata import MetaFile, Root, Signed, Snapshot, TargetFile, Targets, Timestamp

from appliance.errors import LandlinkError, Malformed, Untrusted
from appliance.formats.lists import CANARY_DOCUMENT
from appliance.formats.release import DOCUMENTS_TARGET, PERSONS_TARGET, ROSTER_TARGET, encode_roster
from appliance.screen.documents import ListDamaged
from appliance.screen.lists import Lists
from appliance.shelf import load_release
from provisioning.authority.list_files import documents_list
from tests.page_files import listed, page_bytes
from tests.release_world import DAY_MS, LIST_KEY, NOW_MS, World, make_world, roster, stranger, world_in_service
from tests.screen_world import STOLEN


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Release 1 is in service; headquarters has published release 2 and the mirror has it."""
    made = world_in_service(tmp_path)
    documents = documents_list({STOLEN: listed("S-1")}, dated=date(2026, 11, 18), list_key=LIST_KEY)
    made.repository.publish(
        {ROSTER_TARGET: encode_roster(roster(2)), DOCUMENTS_TARGET: documents}, at_ms=NOW_MS + 1_000
    )
    made.carry()
    return made


def refused(world: World, words: str, *, lower_bound_ms: int = NOW_MS) -> None:
    """The newest release is refused with these words, and release 1 goes on serving, verified."""
    with pytest.raises((Untrusted, Malformed), match=words):
        world.take(lower_bound_ms=lower_bound_ms)
    assert world.shelf.version() == 1
    assert world.shelf.load().roster.version == 1


def test_an_honest_release_is_taken(world: World) -> None:
    release = world.take()
    assert (release.version, world.shelf.version(), world.shelf.load().roster.version) == (2, 2, 2)


def test_the_same_release_again_changes_nothing(world: World) -> None:
    world.take()
    assert world.take() is None
    assert world.shelf.version() == 2


def test_the_previous_release_is_kept_and_older_ones_go(world: World) -> None:
    world.take()
    world.repository.publish({}, at_ms=NOW_MS + 2_000)
    world.carry_and_take()
    assert sorted(path.name for path in world.shelf.folder.iterdir()) == ["2", "3", "current", "root"]


def test_rollback_to_an_older_release_is_refused(world: World, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(world.mirror, old)
    world.repository.publish({}, at_ms=NOW_MS + 2_000)
    assert world.carry_and_take().version == 3
    shutil.rmtree(world.mirror)
    shutil.copytree(old, world.mirror)
    with pytest.raises(Untrusted, match="older than what is in service"):
        world.take()
    assert world.shelf.load().version == 3


def test_rollback_is_refused_even_when_the_client_has_lost_what_it_knew(world: World, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(world.mirror, old)
    world.repository.publish({}, at_ms=NOW_MS + 2_000)
    world.carry_and_take()
    for path in (world.shelf.folder / "3" / "metadata").iterdir():
        path.unlink()
    shutil.rmtree(world.mirror)
    shutil.copytree(old, world.mirror)
    with pytest.raises(Untrusted, match="release 2 is older than 3"):
        world.take()
    assert world.shelf.version() == 3


def test_rollback_of_one_role_under_a_new_snapshot_is_refused(world: World) -> None:
    world.take()

    def older_roster(snapshot: Snapshot) -> None:
        snapshot.version = 3
        snapshot.meta["roster.json"] = MetaFile(1)

    shutil.copyfile(world.mirror / "metadata" / "2.snapshot.json", world.mirror / "metadata" / "3.snapshot.json")
    data = world.forge("3.snapshot.json", older_roster, *world.keys_of("snapshot"))
    name_snapshot(world, 3, data)
    with pytest.raises(Untrusted, match="older than what is in service"):
        world.take()
    assert world.shelf.load().roster.version == 2


def name_snapshot(world: World, version: int, data: bytes) -> None:
    """Sign a timestamp, with the real key, that names this snapshot."""

    def newer(timestamp: Timestamp) -> None:
        timestamp.version = version
        timestamp.snapshot_meta = MetaFile.from_data(version, data, ["sha256"])

    world.forge("timestamp.json", newer, *world.keys_of("timestamp"))


def test_frozen_mirror_is_refused_once_headquarters_time_is_proven_past_its_life(world: World) -> None:
    refused(world, "expired: timestamp.json is expired", lower_bound_ms=NOW_MS + 31 * DAY_MS)


def test_frozen_mirror_within_its_life_is_taken(world: World) -> None:
    assert world.take(lower_bound_ms=NOW_MS + 29 * DAY_MS).version == 2


def test_the_clock_of_the_machine_has_no_say(tmp_path: Path) -> None:
    """Signed in 2020 and expired for every clock of today; where nothing proves that 2020 is over, it is taken."""
    in_2020_ms = 1_600_000_000_000
    old = make_world(tmp_path, at_ms=in_2020_ms)
    old.carry()
    release = old.take(lower_bound_ms=in_2020_ms)
    assert release is not None
    assert release.signed_ms == in_2020_ms


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("timestamp.json", "timestamp"),
        ("2.snapshot.json", "snapshot"),
        ("2.lists.json", "lists"),
        ("2.roster.json", "roster"),
        ("1.recipients.json", "recipients"),
        ("1.targets.json", "targets"),
        ("2.policy.json", "policy"),
    ],
)
def test_metadata_signed_by_a_stranger_is_refused(world: World, name: str, role: str) -> None:
    world.forge(name, longer_life, stranger(), stranger())
    if name != "timestamp.json":
        rename_in_chain(world, role)
    refused(world, "not signed by enough keys of its role")


def longer_life(signed: Signed) -> None:
    signed.expires = signed.expires.replace(year=signed.expires.year + 1)


def rename_in_chain(world: World, role: str) -> None:
    """With the real online keys, make the chain name the forged file, so that only its own signatures are wrong.

    Its version counts up: a box that has this version already would not look at the mirror's.
    """
    path = world.mirror / "metadata"
    if role == "snapshot":
        name_snapshot(world, 2, (path / "2.snapshot.json").read_bytes())
        return
    old = max(int(file.name.split(".")[0]) for file in path.glob(f"*.{role}.json"))
    data = (path / f"{old}.{role}.json").read_bytes()
    (path / f"{old + 7}.{role}.json").write_bytes(data)

    def name(snapshot: Snapshot) -> None:
        snapshot.meta[f"{role}.json"] = MetaFile.from_data(old + 7, data, ["sha256"])

    forged = world.forge("2.snapshot.json", name, *world.keys_of("snapshot"))
    name_snapshot(world, 2, forged)


@pytest.mark.parametrize(
    ("role", "by"), [("lists", "policy"), ("policy", "lists"), ("roster", "lists"), ("recipients", "snapshot")]
)
def test_a_role_signed_by_another_roles_key_is_refused(world: World, role: str, by: str) -> None:
    name = max(path.name for path in (world.mirror / "metadata").glob(f"*.{role}.json"))
    world.forge(name, longer_life, *world.keys_of(by))
    rename_in_chain(world, role)
    refused(world, "not signed by enough keys of its role")


@pytest.mark.parametrize("role", ["recipients", "roster", "targets"])
def test_one_offline_key_alone_is_not_enough(world: World, role: str) -> None:
    name = max(path.name for path in (world.mirror / "metadata").glob(f"*.{role}.json"))
    world.forge(name, longer_life, world.signer("offline-1"))
    rename_in_chain(world, role)
    refused(world, "not signed by enough keys of its role")


def test_one_root_key_alone_makes_no_new_root(world: World) -> None:
    put_root(world, "root-1")
    refused(world, "not signed by enough keys of its role")


def test_two_root_keys_make_a_new_root_that_is_followed(world: World) -> None:
    put_root(world, "root-1", "root-3")
    assert world.take().version == 2
    assert (world.shelf.folder / "2" / "metadata" / "2.root.json").exists()
    assert world.shelf.load().version == 2


def put_root(world: World, *names: str) -> None:
    path = world.mirror / "metadata"
    shutil.copyfile(path / "1.root.json", path / "2.root.json")

    def next_root(root: Root) -> None:
        root.version = 2

    world.forge("2.root.json", next_root, *(world.signer(name) for name in names))


def test_mixing_the_lists_of_one_release_with_the_snapshot_of_another_is_refused(world: World) -> None:
    (world.mirror / "metadata" / "2.lists.json").write_bytes((world.mirror / "metadata" / "1.lists.json").read_bytes())
    refused(world, "not the file that was signed")


def test_a_target_of_another_release_is_refused(world: World) -> None:
    roster_files = sorted((world.mirror / "targets" / "roster").iterdir())
    assert len(roster_files) == 2
    contents = [path.read_bytes() for path in roster_files]
    for path, content in zip(roster_files, reversed(contents), strict=True):
        path.write_bytes(content)
    refused(world, "not the file that was signed")


def a_list(world: World) -> Path:
    published = world.repository.place(DOCUMENTS_TARGET)
    assert published is not None
    return world.mirror / "targets" / "lists" / published.name


def test_a_truncated_list_is_refused(world: World) -> None:
    path = a_list(world)
    path.write_bytes(path.read_bytes()[:-1])
    refused(world, "not the file that was signed")


def test_a_list_longer_than_signed_is_refused(world: World) -> None:
    path = a_list(world)
    path.write_bytes(path.read_bytes() + b" ")
    refused(world, "longer than was signed")


def test_a_missing_list_is_refused(world: World) -> None:
    a_list(world).unlink()
    refused(world, "incomplete")


def test_a_pipe_in_place_of_a_list_is_refused_and_not_waited_for(world: World) -> None:
    import os

    path = a_list(world)
    path.unlink()
    os.mkfifo(path)
    refused(world, "unreadable")


def test_a_link_in_place_of_a_list_is_refused(world: World, tmp_path: Path) -> None:
    path = a_list(world)
    (tmp_path / "elsewhere").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    refused(world, "unreadable")


def test_expired_root_is_refused(world: World) -> None:
    refused(world, "expired: Final root.json is expired", lower_bound_ms=NOW_MS + 6 * 365 * DAY_MS)


@pytest.mark.parametrize(
    ("name", "bytes_max"), [("timestamp.json", 16_384), ("2.snapshot.json", 65_536), ("2.root.json", 512_000)]
)
def test_oversized_metadata_is_refused(world: World, name: str, bytes_max: int) -> None:
    (world.mirror / "metadata" / name).write_bytes(b"[" * (bytes_max + 1))
    refused(world, "longer than was signed")


def test_a_target_that_says_it_is_longer_than_the_bound_is_refused_before_it_is_read(world: World) -> None:
    def huge(targets: Targets) -> None:
        targets.targets[DOCUMENTS_TARGET] = TargetFile(10**12, {"sha256": "0" * 64}, DOCUMENTS_TARGET)

    world.forge("2.lists.json", huge, *world.keys_of("lists"))
    rename_in_chain_same_version(world, "lists", 2)
    refused(world, "1000000000000 bytes")


def rename_in_chain_same_version(world: World, role: str, version: int) -> None:
    data = (world.mirror / "metadata" / f"{version}.{role}.json").read_bytes()

    def name(snapshot: Snapshot) -> None:
        snapshot.meta[f"{role}.json"] = MetaFile.from_data(version, data, ["sha256"])

    name_snapshot(world, 2, world.forge("2.snapshot.json", name, *world.keys_of("snapshot")))


@pytest.mark.parametrize("role", ["timestamp.json", "2.snapshot.json", "2.lists.json"])
def test_metadata_that_is_no_metadata_is_refused(world: World, role: str) -> None:
    (world.mirror / "metadata" / role).write_bytes(b"{}")
    refused(world, "not in its format|not the file that was signed")


def test_a_roster_from_the_lists_key_is_refused_though_the_client_finds_it(world: World) -> None:
    """A taken-over online key names a roster of its own: the folder `roster/` is not that role's to speak for."""

    def take_over(targets: Targets) -> None:
        targets.targets[ROSTER_TARGET] = TargetFile.from_data(ROSTER_TARGET, b"{}", ["sha256"])

    world.forge("2.lists.json", take_over, *world.keys_of("lists"))
    rename_in_chain_same_version(world, "lists", 2)
    refused(world, "lists names a file that is not its own")


def test_lists_that_do_not_answer_the_self_test_are_refused(world: World) -> None:
    world.repository.publish({DOCUMENTS_TARGET: page_bytes({})}, at_ms=NOW_MS + 3_000)
    world.carry()
    refused(world, "self-test: the documents list gives a wrong answer")


def test_a_signed_list_that_is_no_list_is_refused(world: World) -> None:
    with pytest.raises(Malformed, match="does not end as a page file does"):
        world.repository.publish({DOCUMENTS_TARGET: b"not a list"}, at_ms=NOW_MS + 3_000)
    world.repository.publish({PERSONS_TARGET: b"not a list"}, at_ms=NOW_MS + 3_000)
    world.carry()
    refused(world, "it is damaged or incomplete")


def test_a_box_that_is_not_enrolled_takes_nothing(world: World) -> None:
    (world.shelf.folder / "root" / "1.root.json").unlink()
    with pytest.raises(Untrusted, match="not enrolled"):
        world.take()


def test_another_headquarters_release_is_refused(world: World, tmp_path: Path) -> None:
    other = make_world(tmp_path / "other")
    other.repository.publish({}, at_ms=NOW_MS)
    shutil.rmtree(world.mirror)
    shutil.copytree(other.home / "tuf", world.mirror)
    refused(world, "not signed by enough keys of its role")


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def test_a_release_that_rots_on_the_card_is_taken_again_from_the_mirror(world: World) -> None:
    world.take()
    rotten = world.shelf.folder / "2" / "targets" / DOCUMENTS_TARGET
    damage(rotten)
    with pytest.raises(ListDamaged):
        Lists.from_release(world.shelf.load(), (LIST_KEY,)).documents.lookup(CANARY_DOCUMENT)
    assert world.take().version == 2
    assert Lists.from_release(world.shelf.load(), (LIST_KEY,)).documents.lookup(CANARY_DOCUMENT) is not None


@pytest.mark.parametrize("name", ["timestamp", "snapshot", "targets", "lists", "policy", "roster", "recipients"])
def test_any_damage_to_metadata_on_the_card_is_noticed_at_the_next_load(world: World, name: str) -> None:
    damage(world.shelf.folder / "1" / "metadata" / f"{name}.json")
    with pytest.raises((Untrusted, Malformed)):
        world.shelf.load()


@pytest.mark.parametrize("target", ["roster/roster.json", "recipients/recipients.json", "policy/policy.json"])
def test_damage_to_what_decides_who_reads_takes_the_release_out_of_service(world: World, target: str) -> None:
    damage(world.shelf.folder / "1" / "targets" / target)
    with pytest.raises(Untrusted, match="not the file that headquarters signed"):
        world.shelf.load()


def test_a_folder_that_claims_a_higher_version_is_noticed(world: World) -> None:
    (world.shelf.folder / "1").rename(world.shelf.folder / "9")
    (world.shelf.folder / "current").unlink()
    (world.shelf.folder / "current").symlink_to("9")
    with pytest.raises(Untrusted, match="release 1 lies in the place of 9"):
        world.shelf.load()


def test_a_list_that_rots_on_the_card_is_not_taken_over_into_the_next_release(world: World) -> None:
    world.take()
    damage(world.shelf.folder / "2" / "targets" / DOCUMENTS_TARGET)
    world.repository.publish({}, at_ms=NOW_MS + 2_000)
    assert world.carry_and_take().version == 3
    assert Lists.from_release(world.shelf.load(), (LIST_KEY,)).documents.lookup(CANARY_DOCUMENT) is not None


def test_a_list_that_stays_the_same_is_on_the_card_once(world: World) -> None:
    world.take()
    world.repository.publish({}, at_ms=NOW_MS + 2_000)
    world.carry_and_take()
    old, new = (world.shelf.folder / version / "targets" / DOCUMENTS_TARGET for version in ("2", "3"))
    assert old.stat().st_ino == new.stat().st_ino


def test_a_released_list_needs_no_clock_years_later(world: World) -> None:
    """Nothing at load knows what day it is: the same bytes verify whenever they are read."""
    assert load_release(world.shelf.folder / "1", world.repository.root()).version == 1


def test_a_crash_before_the_switch_leaves_the_old_release(world: World) -> None:
    (world.shelf.folder / ".new" / "metadata").mkdir(parents=True)
    (world.shelf.folder / ".new" / "metadata" / "timestamp.json").write_bytes(b"half")
    (world.shelf.folder / "2").mkdir()
    assert world.shelf.load().version == 1
    assert world.take().version == 2


ATTACKS: list[Callable[[World], None]] = [
    lambda world: (world.mirror / "metadata" / "timestamp.json").unlink(),
    lambda world: (world.mirror / "metadata" / "2.snapshot.json").unlink(),
    lambda world: shutil.rmtree(world.mirror),
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_incomplete_mirror_is_refused(world: World, attack: Callable[[World], None]) -> None:
    attack(world)
    refused(world, "incomplete")


def test_an_error_never_escapes_under_another_name(world: World) -> None:
    """Whatever single byte of the mirror's metadata flips, the answer is a refusal or the same release."""
    for path in sorted((world.mirror / "metadata").glob("*.json")):
        whole = path.read_bytes()
        for place in range(0, len(whole), max(1, len(whole) // 12)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
            try:
                world.take()
            except LandlinkError:
                assert world.shelf.version() == 1
            else:
                shutil.rmtree(world.shelf.folder / "2")
                (world.shelf.folder / "current").unlink()
                (world.shelf.folder / "current").symlink_to("1")
        path.write_bytes(whole)
