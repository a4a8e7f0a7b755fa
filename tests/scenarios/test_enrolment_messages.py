"""What an enrolment answer says to one box alone: list key and voice key, sealed, and nothing that could hurt."""

import hashlib
import os
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.enrol.accept import accept_answer
from appliance.errors import ConfigError, Malformed, StorageFault, Untrusted
from appliance.formats.age import generate_identity, parse_identity
from appliance.formats.downlink import ListKey, VoiceKey, open_downlink, verify_downlink
from provisioning.authority.enrolment import issue
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from tests.scenarios.made_headquarters import NOW_MS, ask, config, headquarters


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return headquarters(tmp_path / "hq")


@pytest.fixture
def box(tmp_path: Path) -> Config:
    return config(tmp_path / "box")


@pytest.fixture
def answer(home: Home, box: Config, tmp_path: Path) -> Path:
    issue(home, ask(box), tmp_path / "answer", serial=None, now_ms=NOW_MS)
    return tmp_path / "answer"


def test_the_answer_brings_list_key_and_voice_key_to_this_box_alone(home: Home, box: Config, answer: Path) -> None:
    accept_answer(box, answer)
    roster = read_roster(home)
    identity = parse_identity((box.state / "recorder" / "age.identity").read_text().strip())
    said = [
        verify_downlink(
            open_downlink(path.read_bytes(), identity),
            keys_of=lambda role: [key.public for key in roster.keys_of(role)],
            box="landlink.example/la-0001",
        )
        for path in sorted((box.state / "down").iterdir())
    ]
    voice = hashlib.blake2b(b"landlink.example/la-0001", key=home.voice_master_file.read_bytes(), digest_size=32)
    assert [one.message for one in said] == [
        ListKey(key=home.list_key_file.read_bytes()),
        VoiceKey(key=voice.digest()),
    ]
    assert [one.counter for one in said] == [1, 2]
    other = generate_identity()
    for path in (box.state / "down").iterdir():
        with pytest.raises(Untrusted):
            open_downlink(path.read_bytes(), other)


def test_a_box_that_asks_again_is_told_under_new_counters(
    home: Home, box: Config, answer: Path, tmp_path: Path
) -> None:
    issue(home, ask(box), tmp_path / "again", serial=None, now_ms=NOW_MS)
    first = {path.name for path in (answer / "down").iterdir()}
    again = {path.name for path in (tmp_path / "again" / "down").iterdir()}
    assert first == {"directives-0000000001.age", "directives-0000000002.age"}
    assert again == {"directives-0000000003.age", "directives-0000000004.age"}


def test_what_else_lies_among_the_messages_is_left_and_a_pipe_among_them_is_refused(box: Config, answer: Path) -> None:
    (answer / "down" / "autorun.inf").write_bytes(b"x")
    (answer / "down" / "answers-1.age").write_bytes(b"x")
    accept_answer(box, answer)
    assert {path.suffix for path in (box.state / "down").iterdir()} == {".age"}
    assert not (box.state / "down" / "answers-1.age").exists()
    os.mkfifo(answer / "down" / "answers-0000000001.age")
    with pytest.raises(ConfigError, match="no regular file"):
        accept_answer(box, answer)


SECRET = "identity.key"


def copies_of_the_secret(box: Config) -> list[Path]:
    """Wherever a byte of the box's own key lies outside of the recorder's folder."""
    secret = (box.state / "recorder" / SECRET).read_bytes()
    return [
        path
        for path in box.state.rglob("*")
        if path.is_file() and "recorder" not in path.parts and secret in path.read_bytes()
    ]


def test_a_link_among_the_messages_copies_no_key_of_the_box_to_where_others_read(box: Config, answer: Path) -> None:
    """The technician accepts as root, and what is accepted the uplink may read."""
    (answer / "down" / "answers-0000000001.age").symlink_to(box.state / "recorder" / SECRET)
    with pytest.raises(ConfigError):
        accept_answer(box, answer)
    assert copies_of_the_secret(box) == []


@pytest.mark.parametrize("what", ["metadata/2.root.json", "persons.index", "documents.pages", "the whole folder"])
def test_a_link_in_the_mirror_copies_no_key_of_the_box_to_where_others_read(
    box: Config, answer: Path, what: str
) -> None:
    secret = box.state / "recorder" / SECRET
    mirror = answer / "mirror"
    if what == "the whole folder":
        lists = mirror / "targets" / "lists"
        (moved,) = (path for path in lists.iterdir() if path.name.endswith("persons.index"))
        elsewhere = box.state / "recorder" / "elsewhere"
        lists.rename(elsewhere)
        (elsewhere / moved.name).unlink()
        (elsewhere / moved.name).write_bytes(secret.read_bytes())
        lists.symlink_to(elsewhere)
    else:
        place = next(mirror.rglob(f"*{what}"), mirror / what)
        place.unlink(missing_ok=True)
        place.symlink_to(secret)
    with pytest.raises((ConfigError, StorageFault, Untrusted, Malformed)):
        accept_answer(box, answer)
    assert copies_of_the_secret(box) == []
