"""A box is enrolled by persons who sign on machines of their own: the desk that answers has no key of theirs."""

import shutil
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.enrol.accept import accept_answer
from appliance.errors import ConfigError, Refused, Untrusted
from appliance.formats.enrolment import fingerprint
from appliance.releases.take import take_release
from appliance.shelf import Shelf
from provisioning.authority.ceremony import begin, finish
from provisioning.authority.enrolment import issue
from provisioning.authority.home import Home
from provisioning.authority.published import Published
from provisioning.authority.roles import OFFLINE_KEYS, ROOT_KEYS
from provisioning.authority.roster import read_roster
from provisioning.authority.session import Session, read_session, write_signatures
from provisioning.authority.signing import signer_of
from tests.cut_at_rename import came_through
from tests.scenarios.made_headquarters import NOW_MS, ask, config, headquarters


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Headquarters without a key of any of the three persons; these lie in `holders`."""
    made = headquarters(tmp_path / "hq")
    (tmp_path / "holders").mkdir()
    for name in (*ROOT_KEYS, *OFFLINE_KEYS):
        made.key(name).rename(tmp_path / "holders" / f"{name}.pem")
    return made


@pytest.fixture
def box(tmp_path: Path) -> Config:
    return config(tmp_path / "box")


@pytest.fixture
def request_file(box: Config, tmp_path: Path) -> Path:
    (tmp_path / "la-0001.request").write_bytes(ask(box))
    return tmp_path / "la-0001.request"


def signed(home: Home, stick: Path, request: Path, serial: str = "LA-0001") -> Session:
    """Begun at headquarters, then signed at two holders'."""
    begin(home, stick, "enrol", serial, request, at_ms=NOW_MS + 1)
    root = fingerprint(Published(home.folder).root())
    for name in ("offline-1", "offline-3"):
        key = home.folder.parent / "holders" / f"{name}.pem"
        write_signatures(stick, read_session(stick, root=root), signer_of(key))
    return read_session(stick, root=root)


def answer(home: Home, request: Path, out: Path, at_ms: int = NOW_MS + 10) -> Path:
    issue(home, request.read_bytes(), out, serial="LA-0001", now_ms=at_ms)
    return out


def test_a_box_joins_without_any_key_of_persons_at_the_desk_that_answers(
    home: Home, box: Config, request_file: Path, tmp_path: Path
) -> None:
    session = signed(home, tmp_path / "stick", request_file)
    assert any(line.startswith("box LA-0001 is enrolled; its identity key: ") for line in session.words)
    with pytest.raises(ConfigError, match=r"here are 0; offline-1\.pem is not here"):
        answer(home, request_file, tmp_path / "early")
    assert read_roster(home).boxes == ()  # what nobody signed lets no box into the collector
    finish(home, tmp_path / "stick", at_ms=NOW_MS + 5)
    accept_answer(box, answer(home, request_file, tmp_path / "answer"))
    shelf = Shelf(box.state / "releases")
    take_release(shelf, box.state / "mirror", lower_bound_ms=NOW_MS, keys=())
    assert [each.serial for each in shelf.load(lists=False).roster.boxes] == ["LA-0001"]


def test_an_answer_that_was_lost_is_made_again_with_the_same_certificate(
    home: Home, box: Config, request_file: Path, tmp_path: Path
) -> None:
    signed(home, tmp_path / "stick", request_file)
    finish(home, tmp_path / "stick", at_ms=NOW_MS + 5)
    version = read_roster(home).version
    answer(home, request_file, tmp_path / "lost")
    accept_answer(box, answer(home, request_file, tmp_path / "answer", NOW_MS + 20))
    assert read_roster(home).version == version


def test_another_request_than_the_one_that_was_signed_is_not_answered_with_it(
    home: Home, request_file: Path, tmp_path: Path
) -> None:
    signed(home, tmp_path / "stick", request_file)
    finish(home, tmp_path / "stick", at_ms=NOW_MS + 5)
    (tmp_path / "other.request").write_bytes(ask(config(tmp_path / "other")))
    with pytest.raises(Refused, match="belongs to a box with another identity key"):
        answer(home, tmp_path / "other.request", tmp_path / "answer")
    assert not (tmp_path / "answer").exists()


def test_a_box_that_was_revoked_since_is_answered_no_more(home: Home, request_file: Path, tmp_path: Path) -> None:
    signed(home, tmp_path / "stick", request_file)
    finish(home, tmp_path / "stick", at_ms=NOW_MS + 5)
    begin(home, tmp_path / "next", "revoke", "LA-0001", None, at_ms=NOW_MS + 6)
    root = fingerprint(Published(home.folder).root())
    for name in ("offline-1", "offline-2"):
        key = signer_of(tmp_path / "holders" / f"{name}.pem")
        write_signatures(tmp_path / "next", read_session(tmp_path / "next", root=root), key)
    finish(home, tmp_path / "next", at_ms=NOW_MS + 7)
    with pytest.raises(Refused, match="is revoked; a serial is never used again"):
        answer(home, request_file, tmp_path / "answer")


@pytest.mark.parametrize(
    ("serial", "error", "words"),
    [("LA-0002", Refused, "the request is of box LA-0001, ordered is LA-0002"), ("", Untrusted, "signature")],
)
def test_what_is_not_as_ordered_or_does_not_hold_begins_no_session(
    home: Home, request_file: Path, tmp_path: Path, serial: str, error: type[Exception], words: str
) -> None:
    if not serial:
        content = bytearray(request_file.read_bytes())
        content[-1] ^= 1
        request_file.write_bytes(content)
    with pytest.raises(error, match=words):
        begin(home, tmp_path / "stick", "enrol", serial, request_file, at_ms=NOW_MS + 1)
    assert not (tmp_path / "stick").exists()
    assert not (home.folder / "enrolling").exists()


def test_a_power_cut_at_any_file_of_finish_leaves_no_answer_that_a_box_would_refuse(
    home: Home, box: Config, request_file: Path, tmp_path: Path
) -> None:
    signed(home, tmp_path / "stick", request_file)
    for renames in count():
        here = Home.open(Path(shutil.copytree(home.folder, tmp_path / f"hq {renames}")))
        finished = came_through(partial(finish, here, tmp_path / "stick", at_ms=NOW_MS + 5), renames)
        try:
            out = answer(here, request_file, tmp_path / f"answer {renames}")
        except ConfigError:  # it is not published: nothing is answered
            assert not finished
            finish(here, tmp_path / "stick", at_ms=NOW_MS + 5)
            out = answer(here, request_file, tmp_path / f"answer {renames}")
        accept_answer(box, out)
        if finished:
            assert renames > 2
            return
