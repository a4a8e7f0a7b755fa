"""The auditor's desk gets new keys: of headquarters' own log, and of TLS; what the former ones signed still holds."""

import argparse
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.errors import ConfigError, Refused, Untrusted
from provisioning.authority.ceremony import act_here
from provisioning.authority.certificates import PEERS
from provisioning.authority.home import Home
from provisioning.authority.keys import CUSTODY, load_ed25519
from provisioning.authority.roster import read_roster
from provisioning.authority.rotate_verb import add_rotate
from provisioning.collector.peers import Auditor, Peers
from provisioning.custody.act import Did
from provisioning.custody.log import CustodyLog
from provisioning.exhibit.checking import check_exhibit
from tests.exhibit_post import SCREENED, Post, a_day, hq
from tests.scenarios.made_headquarters import NOW_MS, headquarters


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Post:
    folder = tmp_path_factory.mktemp("desk")
    return a_day(headquarters(folder / "hq"), folder / "box")


@pytest.fixture
def home(made: Post, tmp_path: Path) -> Home:
    return Home.open(Path(shutil.copytree(made.home.folder, tmp_path / "hq")))


def rotate(home: Home, *words: str) -> int:
    parser = argparse.ArgumentParser()
    add_rotate(parser.add_subparsers())
    arguments = parser.parse_args(["rotate", *words], argparse.Namespace(home=home.folder))
    return int(arguments.run(arguments))


# --- headquarters' own log ------------------------------------------------------------------------------------------


def test_headquarters_own_log_goes_on_under_its_next_key_and_former_exhibits_hold(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    former = CustodyLog(home).verifier
    assert hq(home, "exhibit", SCREENED, "--out", tmp_path / "before") == 0
    size = len(CustodyLog(home).acts())
    assert rotate(home, "custody") == 0
    capsys.readouterr()
    assert hq(home, "custody", "verify", "--against", tmp_path / "before") == 0
    assert f"by the key {former.vkey()}\n  That is a former key" in capsys.readouterr().out
    assert hq(home, "exhibit", SCREENED, "--out", tmp_path / "after") == 0
    present = CustodyLog(home).verifier
    assert present != former
    assert len(CustodyLog(home).acts()) == size + 2
    for name, by in (("before", former), ("after", present)):
        exhibit, problems = check_exhibit(tmp_path / name)
        assert exhibit is not None
        assert (problems, exhibit.custody.vouched, exhibit.trust.custody_vkey) == ([], True, by.vkey())
        assert hq(home, "custody", "verify", "--against", tmp_path / name) == 0
        assert f"by the key {present.vkey()}" in capsys.readouterr().out
        assert hq(home, "custody", "handover", tmp_path / name, "--to", "Registry") == 0


def test_who_stole_the_former_key_writes_no_entry_into_the_log(home: Home) -> None:
    CustodyLog(home).write(Did.REPORTED, "somebody")
    stolen = home.key(CUSTODY).read_bytes()
    rotate(home, "custody")
    CustodyLog(home).write(Did.REPORTED, "somebody else")
    home.key(CUSTODY).write_bytes(stolen)
    with pytest.raises(ConfigError, match=r"custody.pem is not the key that boxes know as custody"):
        CustodyLog(home)


def test_a_log_that_a_key_signed_that_the_roster_never_named_is_refused(home: Home, tmp_path: Path) -> None:
    stranger = CustodyLog(headquarters(tmp_path / "stranger"))
    stranger.write(Did.REPORTED, "somebody")
    rotate(home, "custody")
    shutil.rmtree(home.folder / "custody", ignore_errors=True)
    shutil.copytree(stranger.folder, home.folder / "custody")
    assert "not signed by a known key" in "".join(CustodyLog(home).problems())
    with pytest.raises(Untrusted, match="not signed by a known key"):
        CustodyLog(home).write(Did.REPORTED, "somebody")


def test_a_rotation_that_was_cut_off_before_the_key_came_to_its_place_is_gone_on_with(home: Home) -> None:
    former = home.key(CUSTODY).read_bytes()
    act_here(home, "rotate", CUSTODY, at_ms=NOW_MS + 1)
    home.key(CUSTODY).rename(home.keys / "custody.next.pem")
    home.key(CUSTODY).write_bytes(former)
    with pytest.raises(ConfigError, match="next: landlink-hq rotate custody, once more"):
        CustodyLog(home)
    assert rotate(home, "custody") == 0
    public = load_ed25519(home.key(CUSTODY)).public_key().public_bytes_raw()
    assert public == read_roster(home).key(CUSTODY).public
    assert len(read_roster(home).keys_of(CUSTODY)) == 2


# --- TLS ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PEERS)
def test_a_new_end_of_tls_has_a_new_key_and_the_same_authority(home: Home, name: str) -> None:
    before = [(home.ca / f"{name}.{kind}").read_bytes() for kind in ("key", "crt")]
    assert rotate(home, name) == 0
    after = [(home.ca / f"{name}.{kind}").read_bytes() for kind in ("key", "crt")]
    assert not set(before) & set(after)
    verified = ["openssl", "verify", "-CAfile", home.ca / "ca.crt", home.ca / f"{name}.crt"]
    subprocess.run(verified, check=True, capture_output=True)
    public = [
        subprocess.run([*command, home.ca / file], check=True, capture_output=True).stdout
        for command, file in (
            (("openssl", "x509", "-pubkey", "-noout", "-in"), f"{name}.crt"),
            (("openssl", "pkey", "-pubout", "-in"), f"{name}.key"),
        )
    ]
    assert public[0] == public[1]


def test_the_collector_lets_the_former_auditor_in_no_more(home: Home) -> None:
    def der() -> bytes:
        pem = ["openssl", "x509", "-in", home.ca / "auditor.crt", "-outform", "DER"]
        return subprocess.run(pem, check=True, capture_output=True).stdout

    former = der()
    assert isinstance(Peers(home).identify(former), Auditor)
    rotate(home, "auditor")
    assert isinstance(Peers(home).identify(der()), Auditor)
    with pytest.raises(Refused, match="belongs to no enrolled box"):
        Peers(home).identify(former)


def test_without_the_authoritys_key_it_is_named_and_nothing_is_made(home: Home) -> None:
    (home.ca / "ca.key").unlink()
    before = (home.ca / "auditor.key").read_bytes()
    with pytest.raises(ConfigError, match=r"ca\.key is not here: it signs TLS certificates"):
        rotate(home, "auditor")
    assert (home.ca / "auditor.key").read_bytes() == before
