"""Keys of three persons on media of their own: two together sign, one alone does not, and none is left behind."""

import shutil
import stat
from pathlib import Path

import pytest

from appliance.errors import ConfigError, LandlinkError, Refused
from appliance.files import write_durably
from provisioning.authority.distribute import distribute, same_disk
from provisioning.authority.home import Home
from provisioning.authority.recipients import next_recipient, publish_recipient, published_recipients
from provisioning.authority.roles import OFFLINE_KEYS, ROOT_KEYS
from provisioning.authority.roster import read_roster, revoke
from tests.scenarios.made_headquarters import NOW_MS, Box, headquarters


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = headquarters(tmp_path / "hq")
    Box(made, tmp_path / "box")
    return made


@pytest.fixture
def media(tmp_path: Path) -> list[Path]:
    folders = [tmp_path / f"person-{number}" for number in (1, 2, 3)]
    for folder in folders:
        folder.mkdir()
    return folders


def secrets(home: Home) -> dict[str, bytes]:
    return {name: home.key(name).read_bytes() for name in (*ROOT_KEYS, *OFFLINE_KEYS)}


def take_out(medium: Path) -> Path:
    return medium.rename(medium.with_name(f"{medium.name}-away"))


def put_in(away: Path) -> None:
    away.rename(away.with_name(away.name.removesuffix("-away")))


def test_each_person_has_a_root_key_and_an_offline_key_and_the_home_has_none(home: Home, media: list[Path]) -> None:
    before = secrets(home)
    distribute(home, media)
    for number, medium in enumerate(media, start=1):
        names = (f"root-{number}", f"offline-{number}")
        assert {path.name: path.read_bytes() for path in medium.iterdir()} == {f"{n}.pem": before[n] for n in names}
        assert {stat.S_IMODE(path.stat().st_mode) for path in medium.iterdir()} == {0o600}
    left = [path for path in home.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not {path for path in left if path.read_bytes() in before.values()}
    assert same_disk(home, media) == media  # the verb says so: here they are no media


def test_two_persons_sign_and_one_alone_does_not(home: Home, media: list[Path]) -> None:
    distribute(home, media)
    away = [take_out(medium) for medium in media]
    put_in(away[1])
    with pytest.raises(ConfigError, match=r"roster is signed by 2 of .*, here are 1; offline-1\.pem is not here"):
        revoke(home, "LA-0001", at_ms=NOW_MS + 1)
    recipient = next_recipient(home, "record")
    with pytest.raises(ConfigError, match=r"recipients is signed by 2 of .*, here are 1"):
        publish_recipient(home, "record", recipient, at_ms=NOW_MS + 1)
    assert published_recipients(home).version == 1
    put_in(away[2])
    publish_recipient(home, "record", recipient, at_ms=NOW_MS + 1)
    assert published_recipients(home).version == 2
    assert not [name for name in OFFLINE_KEYS if not home.key(name).is_symlink()]


@pytest.mark.parametrize("moved", range(6))
def test_an_interruption_leaves_every_key_somewhere_and_is_gone_on_with(
    home: Home, media: list[Path], moved: int
) -> None:
    """As if the power had gone after that many keys were copied, the last of them not yet removed."""
    before = secrets(home)
    pairs = [(name, media[at]) for at in range(3) for name in (ROOT_KEYS[at], OFFLINE_KEYS[at])]
    for name, medium in pairs[:moved]:
        write_durably(medium / f"{name}.pem", before[name])
        home.key(name).unlink()
        home.key(name).symlink_to(medium / f"{name}.pem")
    name, medium = pairs[moved]
    write_durably(medium / f"{name}.pem", before[name])
    distribute(home, media)
    assert secrets(home) == before
    assert all(home.key(name).is_symlink() for name in before)


def test_what_would_lose_a_key_or_keep_it_here_is_refused_and_moves_nothing_of_that_key(
    home: Home, media: list[Path], tmp_path: Path
) -> None:
    before = secrets(home)
    inside = home.folder / "media"
    inside.mkdir()
    wrong: list[list[Path]] = [
        [media[0], media[1], media[1]],
        [media[0], media[1], tmp_path / "not mounted"],
        [media[0], media[1], inside],
        media[:2],
    ]
    for folders in wrong:
        with pytest.raises(LandlinkError):
            distribute(home, folders)
    assert not any(home.key(name).is_symlink() for name in before)
    shutil.copyfile(home.key("lists"), media[0] / "root-1.pem")
    with pytest.raises(Refused, match="is another key"):
        distribute(home, media)
    assert secrets(home) == before
    assert not list(media[1].iterdir())


def test_moved_keys_stay_where_their_holders_know_them(home: Home, media: list[Path]) -> None:
    distribute(home, media)
    with pytest.raises(Refused, match=r"root-1\.pem was moved to .*person-1 before"):
        distribute(home, media[::-1])
    assert read_roster(home).version == 2
