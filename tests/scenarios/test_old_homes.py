"""A home of headquarters from before some of its keys existed."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from appliance.errors import ConfigError, Refused
from appliance.formats.downlink import ANSWERS, DIRECTIVES
from appliance.formats.enrolment import fingerprint
from appliance.formats.release import ROSTER_TARGET, encode_roster, parse_roster
from provisioning.authority.box_keys import send_keys
from provisioning.authority.ceremony import begin, finish
from provisioning.authority.home import Home
from provisioning.authority.keys import CUSTODY, load_ed25519
from provisioning.authority.list_keys import rekey
from provisioning.authority.published import Published
from provisioning.authority.recipients import next_recipient, publish_recipient, published_recipients
from provisioning.authority.repository import Repository
from provisioning.authority.roles import OFFLINE_KEYS
from provisioning.authority.roster import read_roster
from provisioning.authority.session import read_session, write_signatures
from provisioning.authority.signing import signer_of
from provisioning.authority.upgrade import LATER_ROLES, upgrade
from provisioning.custody.log import CustodyLog
from tests.scenarios.made_headquarters import NOW_MS, Box, headquarters


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """With one box, as a home was before there were answers, directives and a log of its own."""
    made = headquarters(tmp_path / "hq")
    Box(made, tmp_path / "box")
    roster = read_roster(made)
    keys = tuple(key for key in roster.keys if key.role not in LATER_ROLES)
    old = encode_roster(msgspec.structs.replace(roster, version=roster.version + 1, keys=keys))
    made.roster_file.write_bytes(old)
    Repository(made.folder).publish({ROSTER_TARGET: old}, at_ms=NOW_MS)
    for role in LATER_ROLES:
        made.key(role).unlink()
    made.voice_master_file.unlink()
    for path in (made.down / "LA-0001").iterdir():
        path.unlink()
    return made


def roles(home: Home) -> set[str]:
    published = Repository(home.folder).target(ROSTER_TARGET)
    assert published is not None
    assert parse_roster(published) == read_roster(home)
    return {key.role for key in read_roster(home).keys}


def test_it_gets_what_it_lacks_and_its_boxes_are_sent_their_keys(home: Home) -> None:
    assert upgrade(home, at_ms=NOW_MS + 1) == (ANSWERS, DIRECTIVES, CUSTODY)
    assert set(LATER_ROLES) < roles(home)
    assert len(list((home.down / "LA-0001").glob("directives-*.age"))) == 2  # list key and voice key
    assert rekey(home, at_ms=NOW_MS + 2) == ("LA-0001",)
    assert upgrade(home, at_ms=NOW_MS + 3) == ()


def test_the_key_that_its_own_log_began_with_is_the_one_that_boxes_learn_of(home: Home) -> None:
    first = CustodyLog(home).verifier.vkey()
    upgrade(home, at_ms=NOW_MS + 1)
    public = load_ed25519(home.key(CUSTODY)).public_key().public_bytes_raw()
    assert read_roster(home).key(CUSTODY).public == public
    assert CustodyLog(home).verifier.vkey() == first


def test_without_two_offline_keys_nothing_is_published_and_it_goes_on_with_the_same_keys(
    home: Home, tmp_path: Path
) -> None:
    before = roles(home)
    for name in ("offline-1", "offline-2"):
        home.key(name).rename(tmp_path / name)
    with pytest.raises(ConfigError, match=r"roster is signed by 2 of .*; offline-1\.pem is not here"):
        upgrade(home, at_ms=NOW_MS + 1)
    assert roles(home) == before
    made = home.key(DIRECTIVES).read_bytes()
    for name in ("offline-1", "offline-2"):
        (tmp_path / name).rename(home.key(name))
    upgrade(home, at_ms=NOW_MS + 1)
    assert home.key(DIRECTIVES).read_bytes() == made


def test_persons_sign_it_on_machines_of_their_own_and_finish_sends_boxes_their_keys(home: Home, tmp_path: Path) -> None:
    for name in OFFLINE_KEYS:
        home.key(name).rename(tmp_path / name)
    session = begin(home, tmp_path / "stick", "upgrade", "", None, at_ms=NOW_MS + 1)
    assert sum(line.startswith(f"key {role}: none -> ") for line in session.words for role in LATER_ROLES) == 3
    root = fingerprint(Published(home.folder).root())
    for name in ("offline-1", "offline-2"):
        write_signatures(tmp_path / "stick", read_session(tmp_path / "stick", root=root), signer_of(tmp_path / name))
    for _ in range(2):  # the second time as after an interruption: it was published, and boxes were not told
        for path in (home.down / "LA-0001").glob("directives-*.age"):
            path.unlink()
        finish(home, tmp_path / "stick", at_ms=NOW_MS + 2)
        assert set(LATER_ROLES) < roles(home)
        assert len(list((home.down / "LA-0001").glob("directives-*.age"))) == 2
    with pytest.raises(Refused, match="this home lacks no key"):
        begin(home, tmp_path / "next", "upgrade", "", None, at_ms=NOW_MS + 3)


def test_a_key_that_its_holder_has_taken_away_is_not_made_anew(home: Home) -> None:
    upgrade(home, at_ms=NOW_MS + 1)
    for role in LATER_ROLES:
        home.key(role).unlink()
    home.voice_master_file.unlink()
    assert upgrade(home, at_ms=NOW_MS + 2) == ()
    assert not home.voice_master_file.exists()


def _send(home: Home) -> object:
    return send_keys(home, read_roster(home).boxes[0], at_ms=NOW_MS + 1)


def _rekey(home: Home) -> object:
    return rekey(home, at_ms=NOW_MS + 1)


@pytest.mark.parametrize("verb", [_rekey, _send])
def test_what_needs_a_key_that_it_lacks_names_it_or_the_remedy(home: Home, verb: Callable[[Home], object]) -> None:
    with pytest.raises(ConfigError, match=r"is not here: it .*; it belongs with"):
        verb(home)


def test_its_recipients_have_version_1_and_are_rotated_as_any(home: Home) -> None:
    assert published_recipients(home).version == 1
    assert not list(home.folder.glob("*.identity.*"))
    publish_recipient(home, "record", next_recipient(home, "record"), at_ms=NOW_MS + 1)
    assert published_recipients(home).version == 2
