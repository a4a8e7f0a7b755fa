"""Taken-over releases, or audit: neither says what is not so, and neither reaches beyond its own folder."""

import os
from collections.abc import Generator

import pytest

from appliance.formats.wire import Done, Exported, Hello, LastCosigned, ListKeys, Request, Switched, encode, parse_reply
from appliance.line import RecorderRefused
from appliance.record.recorder import STICKS_LOGGED_MAX
from appliance.shelf import Shelf
from tests.attacks.every_verb import AUDIT_VERBS, RELEASES_VERBS, of_others
from tests.attacks.taken_over import AUDIT, BOOTH, RELEASES, Scene, everything, scene, succeeded, user
from tests.scenarios.recorder_bed import append, record, recorded

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become the box's users"),
]


@pytest.fixture
def post() -> Generator[Scene]:
    with scene() as made:
        yield made
        made.leave()
        with user(BOOTH):
            recorded(made.door("booth"), append(record()), made.box.verifier)
        made.still_serves()


def refused(post: Scene, role: str, request: Request) -> str:
    with pytest.raises(RecorderRefused) as refusal:
        post.door(role).ask(request)
    return refusal.value.code


@pytest.mark.parametrize(
    ("role", "uid", "own"), [("releases", RELEASES, RELEASES_VERBS), ("audit", AUDIT, AUDIT_VERBS)]
)
def test_releases_and_audit_speak_no_verb_of_another_role(
    post: Scene, role: str, uid: int, own: frozenset[type]
) -> None:
    with user(uid):
        for verb in of_others(own):
            assert refused(post, role, verb) == "malformed"
    assert (role, "verb") in post.refusals()


def test_releases_puts_no_version_into_service_by_saying_so(post: Scene) -> None:
    in_service = Shelf(post.box.state / "releases").version()
    with user(RELEASES):
        for version in (in_service + 1, 99, 2**53):
            assert refused(post, "releases", Switched(version=version)) == "untrusted"
        assert post.door("releases").ask(Switched(version=in_service)) == Done()


@pytest.mark.parametrize("damage", ["emptied", "another's", "a pipe", "gone"])
def test_releases_that_spoils_the_shelf_leaves_the_recorder_sealing_to_whom_it_knows(post: Scene, damage: str) -> None:
    """The recipients in force stay in its memory; a release that does not hold is never taken for another."""
    shelf = post.box.state / "releases"
    with user(RELEASES):
        for path in [path for path in everything(shelf) if path.suffix == ".json" and path.is_file()]:
            path.chmod(0o644)
            match damage:
                case "emptied":
                    path.write_bytes(b"")
                case "another's":
                    path.write_bytes(b'{"signed":{},"signatures":[]}')
                case "a pipe":
                    path.unlink()
                    os.mkfifo(path)
                case _:
                    path.unlink()
        current = (shelf / "current").readlink()
        (shelf / "current").unlink()
        (shelf / current).rename(shelf / "7")
        (shelf / "current").symlink_to("7")
        assert refused(post, "releases", Switched(version=7)) == "untrusted"
    with user(BOOTH):
        made = append(record())
        index = recorded(post.door("booth"), made, post.box.verifier).index
        post.box.settle()
    with user(0):
        assert post.box.opened(index).record_id


def test_an_audit_that_tells_of_exports_without_end_fills_no_log_and_stops_no_other(post: Scene) -> None:
    with user(AUDIT):
        for _ in range(STICKS_LOGGED_MAX):
            assert post.door("audit").ask(Exported(entries=1, bodies=1)) == Done()
        assert refused(post, "audit", Exported(entries=1, bodies=1)) == "busy"
    with user(RELEASES):
        assert parse_reply(encode(post.door("releases").ask(LastCosigned())))
        assert post.door("releases").ask(ListKeys())
        assert post.door("releases").ask(Hello())


def test_a_taken_over_audit_changes_no_file_outside_of_its_own_folder(post: Scene) -> None:
    state = post.box.state
    tried = post.box.folder / "tried"
    tried.mkdir()
    (tried / "planted").write_bytes(b"planted")
    for path in (tried, tried / "planted"):
        os.chown(path, AUDIT, AUDIT)
    paths = [path for path in everything(state) if path.relative_to(state).parts[0] != "audit"]
    with user(AUDIT):
        assert {str(path): done for path in paths if (done := succeeded(tried, path))} == {}
