"""A new list key: told to every box, in use only then; a box that was away for weeks comes back in any order."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from appliance.booth.lists_on_hand import ListsOnHand
from appliance.files import write_durably
from appliance.formats.list_key import key_id
from appliance.formats.lists import CANARY_DOCUMENT
from appliance.formats.release import encode_roster
from appliance.formats.status import ReleasesStatus, parse_status
from appliance.formats.wire import Deliver, Done
from appliance.line import list_keys
from appliance.releases.proven import ProvenTime
from appliance.releases.service import Places, Releases
from appliance.shelf import Shelf
from provisioning.authority.box_keys import send_keys
from provisioning.authority.home import Home
from provisioning.authority.list_keys import keys_in_use, list_key, list_key_days, rekey
from provisioning.authority.list_keys import list_keys as headquarters_keys
from provisioning.authority.roster import read_roster
from tests.scenarios.made_headquarters import NOW_MS
from tests.scenarios.recorder_bed import Bed, bed

DAY_S = 86_400
HQ = Path(sys.executable).parent / "landlink-hq"


def hq(home: Home, verb: str) -> subprocess.CompletedProcess[str]:
    command = [HQ, "--home", home.folder, verb]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@dataclass
class Away:
    """An enrolled box with a real recorder, and its headquarters, which nothing connects but what a test carries."""

    box: Bed
    home: Home
    folder: Path
    delivered: set[str] = field(default_factory=set)

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.box.state / "releases")

    def publish(self) -> str:
        done = hq(self.home, "publish")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def bring_messages(self) -> None:
        line = self.box.line("uplink")
        for path in sorted((self.home.down / "LA-0001").glob("*.age")):
            if path.name not in self.delivered:
                assert isinstance(line.ask(Deliver(sealed=path.read_bytes())), Done)
                self.delivered.add(path.name)

    def bring_release(self) -> None:
        shutil.rmtree(self.box.state / "mirror")
        shutil.copytree(self.home.tuf, self.box.state / "mirror")

    def releases(self) -> Releases:
        places = Places(mirror=self.box.state / "mirror", shelf=self.shelf, status=self.folder / "releases.status")
        return Releases(places, self.box.line("releases"), ProvenTime(self.shelf), lambda _: None)

    def booth(self) -> ListsOnHand:
        line = self.box.line("booth")
        return ListsOnHand(self.shelf, lambda: list_keys(line))

    def why(self) -> str:
        return parse_status((self.folder / "releases.status").read_bytes(), ReleasesStatus).why


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Away]:
    with bed() as box:
        made = Away(box=box, home=Home.open(Path(shutil.copytree(box.home.folder, tmp_path / "hq"))), folder=tmp_path)
        box.start()
        made.bring_messages()
        yield made


def searched(lists: ListsOnHand) -> int:
    """The release that is searched."""
    assert lists.current.lists.documents.lookup(CANARY_DOCUMENT) is not None
    assert lists.current.release is not None
    return lists.current.release.version


@pytest.mark.parametrize("key_first", [True, False])
def test_a_box_that_comes_back_after_weeks_gets_key_and_release_in_either_order(away: Away, *, key_first: bool) -> None:
    releases, booth = away.releases(), away.booth()
    releases.start()
    before = searched(booth)
    for _ in range(2):  # two new keys, several releases: it was away for long
        assert hq(away.home, "rekey").returncode == 0
        away.publish()
        away.publish()
    steps = [away.bring_messages, away.bring_release]
    for step in steps if key_first else reversed(steps):
        step()
        releases.look()
        booth.look()
        if step == steps[1] and not key_first:
            assert "is waiting for its key, which has not reached this box yet" in away.why()
        if step != (steps[1] if key_first else steps[0]):
            assert searched(booth) == before
    assert away.why() == ""
    assert searched(booth) > before
    assert searched(away.booth()) == searched(booth)
    assert list_keys(away.box.line("booth"))[0] == list_key(away.home)


def test_a_restarted_recorder_still_has_the_keys(away: Away) -> None:
    rekey(away.home, at_ms=NOW_MS + 1)
    away.bring_messages()
    away.box.stop(away.box.running[-1])
    away.box.start()
    assert list_keys(away.box.line("releases")) == headquarters_keys(away.home)


def test_an_interrupted_rekey_goes_on_with_the_same_key_and_changes_nothing_before(
    away: Away,
) -> None:
    """Headquarters' key of directives is not at hand: nobody was told, so nothing is published under the new key."""
    former, directives = list_key(away.home), away.home.key("directives")
    pem = directives.read_bytes()
    directives.unlink()
    assert hq(away.home, "rekey").returncode == 78
    assert list_key(away.home) == former
    following = (away.home.keys / "list-key.next").read_bytes()
    write_durably(directives, pem)
    assert rekey(away.home, at_ms=NOW_MS + 2) == ("LA-0001",)
    assert headquarters_keys(away.home) == (following, former)
    assert not (away.home.keys / "list-key.next").exists()


def test_former_keys_are_kept_newest_first(away: Away) -> None:
    keys = [list_key(away.home)]
    for number in range(11):
        rekey(away.home, at_ms=NOW_MS + number)
        keys.insert(0, list_key(away.home))
    assert headquarters_keys(away.home) == tuple(keys)
    assert len({key_id(key) for key in keys}) == 12


def test_a_revoked_box_is_sent_no_key(away: Away) -> None:
    roster = read_roster(away.home)
    revoked = tuple(msgspec.structs.replace(box, revoked=True) for box in roster.boxes)
    write_durably(away.home.roster_file, encode_roster(msgspec.structs.replace(roster, boxes=revoked)))
    there = sorted((away.home.down / "LA-0001").glob("*.age"))
    assert rekey(away.home, at_ms=NOW_MS + 1) == ()
    assert sorted((away.home.down / "LA-0001").glob("*.age")) == there


def test_a_box_that_joins_between_rekey_and_publication_gets_both_keys(away: Away) -> None:
    former = list_key(away.home)
    rekey(away.home, at_ms=NOW_MS + 1)
    assert keys_in_use(away.home) == (former, list_key(away.home))
    assert len(send_keys(away.home, read_roster(away.home).boxes[0], at_ms=NOW_MS + 2)) == 3
    away.publish()
    assert keys_in_use(away.home) == (list_key(away.home),)


def test_publish_begins_a_new_key_after_a_year_and_says_so(away: Away) -> None:
    former, now_s = list_key(away.home), away.home.list_key_file.stat().st_mtime
    os.utime(away.home.list_key_file, (now_s, now_s - 364 * DAY_S))
    away.publish()
    assert list_key(away.home) == former
    os.utime(away.home.list_key_file, (now_s, now_s - 366 * DAY_S))
    said = away.publish()
    assert "The list key is 366 days old, at most 365 are allowed; both lists are made anew." in said
    assert "A new list key is in use. Sent to: LA-0001." in said
    assert headquarters_keys(away.home)[1:] == (former,)
    assert list_key_days(away.home, at_ms=int(now_s * 1000)) < 1


def test_publish_says_how_long_news_and_all_of_it_travel_by_class_of_link(
    away: Away,
) -> None:
    said = away.publish().splitlines()
    (news,) = (line for line in said if line.startswith("  to a box that has the last release: "))
    (whole,) = (line for line in said if line.startswith("  to a new box, or by stick to any: "))
    assert news.endswith("0 bytes: 1 s broadband, 1 s mobile, 1 s narrowband; courier: by stick")
    size = int(whole.split(": ")[1].split()[0])
    assert f"{max(1, round(size / 2_500))} s narrowband; courier: by stick" in whole


def test_without_a_list_key_nothing_is_published(away: Away) -> None:
    away.home.list_key_file.unlink()
    assert hq(away.home, "publish").returncode == 78
