"""Headquarters changes the keys that records are sealed to, in the middle of a box's work."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.formats.age import Identity, decrypt, generate_identity
from appliance.formats.release import Recipients
from appliance.formats.status import ReleasesStatus, parse_status
from appliance.formats.wire import Deliver, Done, Hello
from appliance.line import RecorderLine
from appliance.releases.proven import ProvenTime
from appliance.releases.service import Places, Releases
from appliance.shelf import Shelf
from provisioning.audit.log import trust_of
from provisioning.audit.opened.logs import OpenedLog, read_log
from provisioning.audit.opened.opening import PLAINTEXT_BYTES_MAX, record_identity
from provisioning.audit.pull import pull
from provisioning.audit.source import folder_sources
from provisioning.authority.home import Home
from provisioning.authority.identities import load_identity
from provisioning.authority.recipients import published_recipients, record_key_days
from provisioning.authority.roster import read_roster
from provisioning.command import now_ms
from tests.scenarios.auditor import kept_of, silent
from tests.scenarios.recorder_bed import ORIGIN, Bed, append, bed, record, recorded

HQ = Path(sys.executable).parent / "landlink-hq"
DAY_MS = 86_400_000


def hq(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([HQ, "--home", folder, *arguments], capture_output=True, text=True, timeout=60, check=False)


@dataclass
class Post:
    """An enrolled box with a real recorder, and its headquarters; a test carries what goes between them."""

    box: Bed
    home: Home
    line: RecorderLine
    folder: Path

    def travellers(self, count: int) -> list[int]:
        """So many records; their indices, when they are published."""
        made = [recorded(self.line, append(record()), self.box.verifier).index for _ in range(count)]
        self.box.settle()
        return made

    def bring_release(self) -> None:
        """What headquarters published last comes to the box, and the recorder has taken it."""
        shutil.rmtree(self.box.state / "mirror")
        shutil.copytree(self.home.tuf, self.box.state / "mirror")
        shelf = Shelf(self.box.state / "releases")
        places = Places(mirror=self.box.state / "mirror", shelf=shelf, status=self.folder / "releases.status")
        releases = Releases(places, self.box.line("releases"), ProvenTime(shelf), lambda _: None)
        releases.start()
        releases.look()
        assert parse_status((self.folder / "releases.status").read_bytes(), ReleasesStatus).why == ""
        while self.versions()[-1] != published_recipients(self.home).version:
            self.line.ask(Hello())

    def rotate(self, *arguments: str | Path) -> str:
        done = hq(self.home.folder, "rotate", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def opened(self, identity: Identity | None = None) -> OpenedLog:
        """What headquarters reads of all that the box has, pulled anew."""
        kept = kept_of(self.home, ORIGIN)
        pulled = pull(kept, folder_sources(self.box.state)[ORIGIN], trust_of(read_roster(self.home)), silent)
        assert pulled.problems == []
        return read_log(kept, identity or record_identity(self.home), silent)

    def versions(self) -> list[int]:
        return [one.recipients_version for one in self.box.statements()]


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    with bed() as box:
        home = Home.open(Path(shutil.copytree(box.home.folder, tmp_path / "hq")))
        box.start()
        uplink = box.line("uplink")
        for path in sorted((home.down / "LA-0001").glob("*.age")):  # the list key, without which no release is taken
            assert isinstance(uplink.ask(Deliver(sealed=path.read_bytes())), Done)
        yield Post(box, home, box.line(), tmp_path)


def closed(log: OpenedLog) -> list[int]:
    """Entries that no key at hand opens."""
    return [each.index for each in log.problems if each.index is not None and "no recipient stanza" in each.words]


def test_with_a_new_record_key_in_the_middle_both_halves_open_and_the_new_key_alone_opens_the_second(
    post: Post,
) -> None:
    first = post.travellers(3)
    post.rotate("record")
    between = post.travellers(2)  # the box knows nothing of it yet
    post.bring_release()
    second = post.travellers(3)
    whole = post.opened()
    assert ([line.index for line in whole.lines], closed(whole)) == ([*first, *between, *second], [])
    assert whole.opened_through == len(post.versions()) - 1
    assert [post.versions()[index] for index in (*first, *between, *second)] == [1] * 5 + [2] * 3
    alone = post.opened(load_identity(post.home.record_identity))
    assert [line.index for line in alone.lines] == second
    assert set(closed(alone)) >= {*first, *between}
    former = post.opened(load_identity(post.home.folder / "record.identity.1"))
    assert [line.index for line in former.lines] == [*first, *between]


def test_deletion_waits_for_the_canary_of_the_new_key(post: Post) -> None:
    last_of_first = post.travellers(2)[-1]
    post.rotate("record")
    post.bring_release()
    second = post.travellers(2)
    canary = second[0] - 1
    assert (post.versions()[canary - 2 :], last_of_first) == ([1, 2, 2, 2, 2], canary - 2)  # switch, canary, two more
    (body,) = (post.box.state / "bodies").glob(f"{canary}.*.age")
    late = body.rename(post.folder / body.name)
    assert post.opened().opened_through == canary - 1
    late.rename(body)
    assert post.opened().opened_through == second[-1]


def test_both_desks_compare_one_fingerprint_and_the_publishing_one_needs_no_identity(
    post: Post, tmp_path: Path
) -> None:
    desk = Path(shutil.copytree(post.home.folder, tmp_path / "desk"))
    for path in (*desk.glob("keys/offline-*"), *desk.glob("keys/root-*"), *post.home.folder.glob("*.identity")):
        path.unlink()
    made = hq(desk, "rotate", "record", "--out", tmp_path / "public")
    assert made.returncode == 0, made.stderr
    published = post.rotate("record", "--recipient", tmp_path / "public")
    assert fingerprint_line(made.stdout) == fingerprint_line(published)
    assert "AGE-SECRET" not in made.stdout + published + (tmp_path / "public").read_text()
    identity = load_identity(desk / "record.identity")
    assert published_recipients(post.home).general == identity.recipient.encode()
    refused = hq(post.home.folder, "rotate", "record")
    assert refused.returncode == 78
    assert "it belongs on the auditor's desk" in refused.stderr
    twice = hq(post.home.folder, "rotate", "escrow", "--recipient", tmp_path / "public")
    assert twice.returncode == 77
    assert "in service already, as record" in twice.stderr


def fingerprint_line(output: str) -> str:
    (line,) = [line for line in output.splitlines() if line.startswith("Fingerprint")]
    return line


def test_an_interrupted_rotation_goes_on_with_the_key_that_it_made(post: Post, tmp_path: Path) -> None:
    """Offline keys are away after the identity was made: nothing is published, nothing is lost."""
    for name in ("offline-1", "offline-2"):
        post.home.key(name).rename(tmp_path / name)
    interrupted = hq(post.home.folder, "rotate", "record")
    assert interrupted.returncode == 78
    assert "recipients is signed by 2 of offline-1, offline-2, offline-3" in interrupted.stderr
    assert published_recipients(post.home).version == 1
    made = post.home.record_identity.read_bytes()
    for name in ("offline-1", "offline-2"):
        (tmp_path / name).rename(post.home.key(name))
    post.rotate("record")
    assert post.home.record_identity.read_bytes() == made
    assert published_recipients(post.home).version == 2
    assert len(list(post.home.folder.glob("record.identity.*"))) == 1


@pytest.mark.parametrize("name", ["escrow", "protection"])
def test_the_other_keys_change_alone_and_the_record_key_opens_on(post: Post, name: str) -> None:
    before = published_recipients(post.home)
    post.rotate(name)
    after = published_recipients(post.home)
    assert {each for each in ("general", "escrow", "protection") if changed(before, after, each)} == {name}
    post.bring_release()
    (index,) = post.travellers(1)
    assert closed(post.opened()) == []
    if name == "escrow":
        blob, following = post.box.body(index), load_identity(post.home.folder / "escrow.identity")
        assert decrypt(blob, following, plaintext_bytes_max=PLAINTEXT_BYTES_MAX)


def changed(before: Recipients, after: Recipients, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


def test_what_is_carried_must_be_one_hybrid_recipient(post: Post, tmp_path: Path) -> None:
    carried = tmp_path / "public"
    identity = generate_identity()
    for text in ("", "age1xyz", identity.encode(), identity.recipient.encode()[:-1]):
        carried.write_text(text)
        done = hq(post.home.folder, "rotate", "record", "--recipient", carried)
        assert done.returncode == 65, done.stderr
        assert "AGE-SECRET" not in done.stderr
    assert published_recipients(post.home).version == 1


def test_a_record_key_older_than_a_quarter_is_named_at_publication(post: Post) -> None:
    """Its age is that of the signed metadata, whatever else was rotated since: the identity lies elsewhere."""
    days = record_key_days(post.home, at_ms=now_ms())
    post.rotate("escrow")
    assert record_key_days(post.home, at_ms=now_ms() + 93 * DAY_MS) == days + 93
    assert "rotate record" not in hq(post.home.folder, "publish").stdout
    post.rotate("record")
    assert record_key_days(post.home, at_ms=now_ms()) == 0
