"""The authority of TLS certificates is followed by the next one; OpenSSL says at each step who can verify whom."""

import argparse
import shutil
import subprocess
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.enrol.accept import accept_answer
from appliance.errors import ConfigError, Refused
from provisioning.authority.ceremony import act_here
from provisioning.authority.certificates import PEERS, Authority, trusted
from provisioning.authority.enrolment import issue, propose_enrolment
from provisioning.authority.home import Home
from provisioning.authority.next_authority import boxes_left
from provisioning.authority.repository import Repository
from provisioning.authority.roster import read_roster, revoke
from provisioning.authority.rotate_verb import add_rotate
from provisioning.authority.signing import sign_here
from tests.cut_at_rename import came_through
from tests.scenarios.made_headquarters import NOW_MS, ask, config, headquarters

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command"),
]


def verifies(authorities: Path, certificate: Path, purpose: str) -> bool:
    """What OpenSSL says of a certificate, by whoever trusts these authorities."""
    command = ["openssl", "verify", "-x509_strict", "-CAfile", authorities, "-purpose", purpose, certificate]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Post:
    """A box, and what it trusts."""

    def __init__(self, home: Home, folder: Path, serial: str) -> None:
        self.home, self.folder, self.serial, self.answers = home, folder, serial, 0
        self.config: Config = config(folder, serial=serial)
        self.join()

    def join(self) -> None:
        """Ask, be answered, accept; the first time or again."""
        self.answers += 1
        answer = self.folder / f"answer {self.answers}"
        issue(self.home, ask(self.config), answer, serial=self.serial, now_ms=NOW_MS + self.answers)
        accept_answer(self.config, answer)

    def works(self) -> bool:
        """Both ends know each other: box and collector, auditor and box."""
        ca, uplink, audit = self.home.ca, self.config.state / "uplink", self.config.state / "audit"
        return (
            verifies(uplink / "ca.crt", ca / "collector.crt", "sslserver")
            and verifies(ca / "ca.crt", uplink / "tls.crt", "sslclient")
            and verifies(audit / "ca.crt", ca / "auditor.crt", "sslclient")
            and verifies(ca / "ca.crt", audit / "tls.crt", "sslserver")
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return headquarters(tmp_path / "hq")


def rotate(home: Home, name: str) -> int:
    parser = argparse.ArgumentParser()
    add_rotate(parser.add_subparsers())
    arguments = parser.parse_args(["rotate", name], argparse.Namespace(home=home.folder))
    return int(arguments.run(arguments))


def test_nobody_is_locked_out_from_the_first_step_to_the_last(home: Home, tmp_path: Path) -> None:
    first = Post(home, tmp_path / "a", "LA-0001")
    Post(home, tmp_path / "r", "LA-0009")
    revoke(home, "LA-0009", at_ms=NOW_MS + 1)  # is not waited for
    assert rotate(home, "ca") == 0
    second = Post(home, tmp_path / "b", "LA-0002")
    assert (first.works(), second.works(), boxes_left(home)) == (True, True, ("LA-0001",))
    for name in PEERS:
        with pytest.raises(Refused, match=f"{name}: of these boxes .*: LA-0001. Each has to join again"):
            rotate(home, name)
    first.join()
    assert (first.works(), second.works(), boxes_left(home)) == (True, True, ())
    for name in PEERS:
        assert rotate(home, name) == 0
        assert (first.works(), second.works()) == (True, True)


def test_the_authority_before_the_last_is_trusted_by_nobody_who_has_joined_since(home: Home, tmp_path: Path) -> None:
    post = Post(home, tmp_path / "a", "LA-0001")
    (stolen,) = trusted(home.ca)
    for _ in range(2):
        rotate(home, "ca")
        with pytest.raises(Refused, match=r"LA-0001\. Each has to join again"):
            rotate(home, "ca")
        post.join()
        with pytest.raises(Refused, match=r"collector.crt .* is not of the present authority"):
            rotate(home, "ca")
        for name in PEERS:
            rotate(home, name)
        assert post.works()
    assert stolen not in trusted(home.ca)
    for process in ("uplink", "audit"):
        assert stolen not in trusted(post.config.state / process)


def test_a_collectors_certificate_that_is_elsewhere_ends_no_change(home: Home, tmp_path: Path) -> None:
    rotate(home, "ca")
    for name in PEERS:
        rotate(home, name)
    (home.ca / "collector.crt").rename(tmp_path / "collector.crt")
    with pytest.raises(Refused, match=r"collector.crt .*, or not here; bring it"):
        rotate(home, "ca")


def test_a_box_that_persons_signed_before_is_answered_after_with_what_it_can_verify(home: Home, tmp_path: Path) -> None:
    box = config(tmp_path / "box")
    request = ask(box)
    proposal = propose_enrolment(home, request, serial=None, at_ms=NOW_MS + 1)
    sign_here(proposal, home.keys)
    (home.folder / "roster.json").write_bytes(proposal.contents["roster/roster.json"])
    Repository(home.folder).enact(proposal, at_ms=NOW_MS + 1)
    rotate(home, "ca")
    issue(home, request, tmp_path / "answer", serial=None, now_ms=NOW_MS + 2)
    accept_answer(box, tmp_path / "answer")
    assert verifies(box.state / "uplink" / "ca.crt", home.ca / "collector.crt", "sslserver")
    assert boxes_left(home) == ("LA-0001",)


def test_a_power_cut_at_any_file_leaves_an_authority_that_answers_boxes_and_going_on_ends_it(
    home: Home, tmp_path: Path
) -> None:
    (first,) = trusted(home.ca)
    for renames in count():
        here = Home.open(Path(shutil.copytree(home.folder, tmp_path / f"hq {renames}")))
        done = came_through(partial(rotate, here, "ca"), renames)
        post = Post(here, tmp_path / f"box {renames}", "LA-0001")
        assert post.works()
        if done:
            assert renames > 1
            return
        rotate(here, "ca")
        assert trusted(here.ca)[1:] == (first,)
        assert Authority.open(here.ca).certificate == trusted(here.ca)[0]
        post.join()
        assert post.works()


def test_a_key_that_is_none_of_the_authorities_is_named(home: Home, tmp_path: Path) -> None:
    other = headquarters(tmp_path / "other")
    shutil.copyfile(other.ca / "ca.key", home.ca / "ca.key")
    with pytest.raises(ConfigError, match=r"ca.key is none of the authorities in .*ca.crt"):
        rotate(home, "ca")
    act_here(home, "renew", "", at_ms=NOW_MS + 1)  # what it signs is of another kind, and goes on
    assert read_roster(home).boxes == ()
