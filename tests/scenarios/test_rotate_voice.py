"""Voice codes follow from a new secret: a box hears by the newest key that has reached it, and the desk says which."""

import argparse
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from appliance.enrol.accept import accept_answer
from appliance.errors import ConfigError, Refused
from appliance.formats.downlink import VoiceKey, box_name
from appliance.formats.voice import Verdict, case_code, heard_verdict
from appliance.record.held_keys import HeldKeys
from provisioning.authority.box_keys import rotate_voice
from provisioning.authority.enrolment import issue
from provisioning.authority.home import Home
from provisioning.authority.keys import load_secret
from provisioning.duty import verbs
from tests.cut_at_rename import came_through
from tests.downlink_bed import RECORD, opened
from tests.scenarios.made_headquarters import NOW_MS, ask, config, headquarters

SERIAL = "LA-0001"


class Desk:
    """Headquarters, and the recorder's keys of one box."""

    def __init__(self, folder: Path) -> None:
        self.home = headquarters(folder / "hq")
        box = config(folder / "box")
        issue(self.home, ask(box), folder / "answer", serial=SERIAL, now_ms=NOW_MS)
        accept_answer(box, folder / "answer")
        self.state = box.state
        self.held = HeldKeys(folder / "held")
        self.deliver()

    def deliver(self) -> None:
        """What is said to the box reaches it."""
        for path in self.home.down.rglob("*.age"):
            said = opened(self.home, self.state, SERIAL, path.read_bytes())
            if isinstance(said.message, VoiceKey):
                self.held.take(said.message, said.counter)

    def hears(self, code: str) -> Verdict | None:
        assert self.held.voice is not None
        return heard_verdict(self.held.voice, box=box_name("landlink.example", SERIAL), of=RECORD, code=code)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def code_of(home: Home, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The code that the duty desk is told to read out."""
    parser = argparse.ArgumentParser()
    verbs.add_verbs(parser.add_subparsers())
    asked = ["voice", "--box", SERIAL, "--case", case_code(RECORD), "--confirmed", *words]
    arguments = parser.parse_args(asked, argparse.Namespace(home=home.folder))
    assert arguments.run(arguments) == 0
    return capsys.readouterr().out.partition("Read out: ")[2].split()[0]


def test_a_box_hears_by_the_key_that_has_reached_it(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    before = code_of(desk.home, capsys)
    assert desk.hears(before) is Verdict.CONFIRMED
    assert rotate_voice(desk.home, at_ms=NOW_MS + 1) == (SERIAL,)
    after, former = code_of(desk.home, capsys), code_of(desk.home, capsys, "--former", "1")
    assert former == before
    assert (desk.hears(after), desk.hears(former)) == (None, Verdict.CONFIRMED)  # its key is still on the way
    desk.deliver()
    assert (desk.hears(after), desk.hears(former)) == (Verdict.CONFIRMED, None)


def test_there_are_only_so_many_keys_before(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        rotate_voice(desk.home, at_ms=NOW_MS + number)
    assert len({code_of(desk.home, capsys, "--former", str(number)) for number in (0, 1, 2)}) == 3
    with pytest.raises(Refused, match="there were 2 former masters of voice codes, and not 3"):
        code_of(desk.home, capsys, "--former", "3")


def test_without_the_secret_it_is_named_and_none_is_begun(desk: Desk) -> None:
    desk.home.voice_master_file.unlink()
    with pytest.raises(ConfigError, match="voice-master is not here: it makes voice codes"):
        rotate_voice(desk.home, at_ms=NOW_MS + 1)
    assert not list(desk.home.keys.glob("voice-master*"))


def test_a_power_cut_at_any_file_begins_one_secret_and_going_on_ends_with_it(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    home, before = desk.home, load_secret(desk.home.voice_master_file)
    cuts = count()
    while load_secret(home.voice_master_file) == before:
        renames = next(cuts)
        came_through(partial(rotate_voice, home, at_ms=NOW_MS + renames + 1), renames)
    following = load_secret(home.voice_master_file)
    assert following != before
    assert sorted(path.name for path in home.keys.glob("voice-master*")) == ["voice-master", "voice-master.1"]
    assert load_secret(home.keys / "voice-master.1") == before
    desk.deliver()
    assert desk.hears(code_of(home, capsys)) is Verdict.CONFIRMED
