"""The lists in memory follow the shelf; what does not verify is no list, and says why (I5)."""

from pathlib import Path

from appliance.booth.lists_on_hand import ListsOnHand
from appliance.formats.release import PERSONS_TARGET, Damaged
from appliance.shelf import Shelf
from tests.release_world import DAY_MS, LIST_KEY, NEXT_KEY, NOW_MS, World, make_world, under_next_key
from tests.small_post import SmallPost, passport


def test_a_box_without_a_release_has_no_lists_and_says_so(tmp_path: Path) -> None:
    on_hand = ListsOnHand(make_world(tmp_path).shelf, lambda: (LIST_KEY,)).current
    assert on_hand.release is None
    assert "no release" in on_hand.why
    assert on_hand.signed_ms == 0


def test_a_new_release_is_taken_up_and_its_time_is_a_lower_bound(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    lists = ListsOnHand(world.shelf, lambda: (LIST_KEY,))
    world.carry_and_take()
    lists.look()
    first = lists.current
    assert first.release is not None
    assert first.signed_ms == NOW_MS
    lists.look()
    assert lists.current is first, "nothing new, nothing read"
    world.repository.publish({}, at_ms=NOW_MS + DAY_MS)
    world.carry_and_take()
    lists.look()
    assert lists.current.release is not None
    assert lists.current.release.version > first.release.version


def test_a_damaged_release_refers_every_traveller_until_it_verifies_again(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    version = world.carry_and_take().version
    snapshot = world.shelf.folder / str(version) / "metadata" / "snapshot.json"
    whole = snapshot.read_bytes()
    snapshot.write_bytes(whole.replace(b'"version"', b'"versiom"', 1))
    lists = ListsOnHand(world.shelf, lambda: (LIST_KEY,))
    post = SmallPost(lists=lists.current)
    post.lay(*passport("PA1234567"))
    assert post.state.cases[0].case.refers
    assert "could NOT check" in post.state.cases[0].case.reasons[0]
    snapshot.write_bytes(whole)
    lists.look()
    assert lists.current.release is not None


def two_releases(folder: Path) -> tuple[World, int, int]:
    world = make_world(folder)
    older = world.carry_and_take().version
    world.repository.publish({}, at_ms=NOW_MS + DAY_MS)
    return world, older, world.carry_and_take().version


def point(shelf: Shelf, version: int) -> None:
    """What whoever took over the releases process can do."""
    (shelf.folder / "current").unlink()
    (shelf.folder / "current").symlink_to(str(version))


def test_an_older_release_in_the_place_of_a_newer_is_not_taken_and_is_said(tmp_path: Path) -> None:
    world, older, newer = two_releases(tmp_path)
    lists = ListsOnHand(world.shelf, lambda: (LIST_KEY,))
    in_service = lists.current.lists
    point(world.shelf, older)
    for _ in range(2):
        lists.look()
        assert lists.current.release is not None
        assert (lists.current.release.version, lists.current.older_refused) == (newer, True)
        assert lists.current.lists is in_service
    point(world.shelf, newer)
    lists.look()
    assert not lists.current.older_refused


def test_a_release_that_does_not_hold_is_no_way_back_to_an_older_one(tmp_path: Path) -> None:
    world, older, newer = two_releases(tmp_path)
    lists = ListsOnHand(world.shelf, lambda: (LIST_KEY,))
    (world.shelf.folder / str(newer + 1)).mkdir()
    point(world.shelf, newer + 1)
    lists.look()
    assert lists.current.release is None
    point(world.shelf, older)
    lists.look()
    assert lists.current.release is None
    assert "older" in lists.current.why
    post = SmallPost(lists=lists.current)
    post.lay(*passport("PA1234567"))
    assert "could NOT check" in post.state.cases[0].case.reasons[0]
    point(world.shelf, newer)
    lists.look()
    assert lists.current.release is not None
    assert lists.current.release.version == newer


def test_a_list_that_rots_is_taken_up_again_when_the_same_release_is_put_in_its_place(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    version = world.carry_and_take().version
    rotten = world.shelf.folder / str(version) / "targets" / PERSONS_TARGET
    rotten.write_bytes(rotten.read_bytes()[:-1])
    lists = ListsOnHand(world.shelf, lambda: (LIST_KEY,))
    assert lists.current.release is not None
    assert isinstance(lists.current.release.persons, Damaged)
    world.carry_and_take()
    lists.look()
    assert lists.current.release.version == version
    assert not isinstance(lists.current.release.persons, Damaged)


class TurnedMeanwhile(Shelf):
    """A shelf whose link is turned back between the look at it and the reading."""

    turn_to = 0

    def version(self) -> int:
        version = super().version()
        if self.turn_to:
            point(self, self.turn_to)
        return version


def test_a_link_that_is_turned_back_while_it_is_read_changes_nothing(tmp_path: Path) -> None:
    world, older, newer = two_releases(tmp_path)
    shelf = TurnedMeanwhile(world.shelf.folder)
    lists = ListsOnHand(shelf, lambda: (LIST_KEY,))
    point(shelf, newer)  # put there anew, so that it is looked at
    shelf.turn_to = older
    lists.look()
    assert lists.current.release is not None
    assert (lists.current.release.version, lists.current.older_refused) == (newer, True)


def test_lists_whose_key_is_not_here_are_not_searched_and_say_so_until_it_comes(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.carry_and_take()
    keys: list[bytes] = []
    lists = ListsOnHand(world.shelf, lambda: tuple(keys))
    assert lists.current.release is not None
    assert lists.current.why == "its key has not reached this box yet"
    post = SmallPost(lists=lists.current)
    post.lay(*passport("PA1234567"))
    assert "its key has not reached this box yet" in post.state.cases[0].case.reasons[0]
    lists.look()
    assert lists.current.why
    keys.append(LIST_KEY)
    lists.look()
    assert (lists.current.why, lists.current.lists.lacking) == ("", frozenset())
    post = SmallPost(lists=lists.current)
    post.lay(*passport("PA1234567"))
    assert not post.state.cases[0].case.refers


def test_keys_are_asked_for_only_while_a_list_lacks_one(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.carry_and_take()
    asked: list[int] = []

    def ask() -> tuple[bytes, ...]:
        asked.append(1)
        return (LIST_KEY,)

    lists = ListsOnHand(world.shelf, ask)
    for _ in range(5):
        lists.look()
    assert len(asked) == 1


def test_a_recorder_that_is_away_at_a_switch_leaves_loaded_lists_in_service(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    first = world.carry_and_take().version
    keys: list[bytes] = [LIST_KEY]
    lists = ListsOnHand(world.shelf, lambda: tuple(keys))
    keys.clear()
    under_next_key(world, at_ms=NOW_MS + 1)
    second = world.carry_and_take(keys=(NEXT_KEY,)).version
    for _ in range(3):
        lists.look()
        assert lists.current.release is not None
        assert (lists.current.release.version, lists.current.why) == (first, "")
    keys.append(NEXT_KEY)
    lists.look()
    assert lists.current.release.version == second


def test_a_key_that_the_recorder_no_longer_names_serves_as_long_as_the_booth_lives(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.carry_and_take()
    keys: list[bytes] = [LIST_KEY]
    lists = ListsOnHand(world.shelf, lambda: tuple(keys))
    keys.clear()
    world.repository.publish({}, at_ms=NOW_MS + 1)
    version = world.carry_and_take().version
    lists.look()
    assert lists.current.release is not None
    assert (lists.current.release.version, lists.current.why) == (version, "")
