"""A mirror over a link that breaks at any byte: what came is not fetched again, whatever is published meanwhile."""

import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from appliance.errors import UplinkFault
from appliance.files import OpenFile
from appliance.formats.list_key import DocumentsKey
from appliance.formats.lists import DocumentKey, ListedDocument
from appliance.formats.page_writer import merge_deltas
from appliance.formats.pages import PageFile
from appliance.formats.release import DOCUMENTS_TARGET
from appliance.uplink.link import Answer
from appliance.uplink.mirror import Mirror, RepositoryFault
from appliance.uplink.part import SYNC_BYTES, Part
from provisioning.authority.list_files import documents_list
from tests.page_files import listed as detail
from tests.page_files import page_bytes
from tests.release_world import NOW_MS, World, make_world

ROOT = Path(__file__).parents[2]
PIECE_BYTES = 1_000
DELTA = "lists/documents.delta-0001"
DAY = date(2026, 11, 18)


def base(count: int, key: bytes = bytes(32)) -> bytes:
    """A documents list of so many records."""
    listed = ListedDocument(entry="", source="stolen and lost documents", fraud="stolen")
    keys = (DocumentKey(issuer="LAO", document_type="P", number=f"PA{number:07}") for number in range(count))
    return documents_list(dict.fromkeys(keys, listed), dated=DAY, list_key=key)


@dataclass
class BreakingLink:
    """Headquarters' folder over a link that breaks after `breaks_after` bytes of bodies, then mends.

    Attributes:
        given: Bytes of each path that went over the link.
        spoil: Changes what is served of a path.
    """

    tuf: Path
    breaks_after: int = 2**63
    given: Counter[str] = field(default_factory=Counter[str])
    spoil: Callable[[str, bytes], bytes] = lambda _, content: content

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        take: Callable[[bytes], None] | None = None,
        answer_bytes_max: int = 0,
    ) -> Answer:
        assert (method, body) == ("GET", b"")
        name = target.removeprefix("/tuf/")
        path = self.tuf / name
        if not path.exists():
            return Answer(status=404, headers={}, body=b"")
        start = int((headers or {}).get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        content = self.spoil(name, path.read_bytes())[start:]
        assert len(content) <= answer_bytes_max
        for place in range(0, len(content), PIECE_BYTES):
            piece = content[place : place + PIECE_BYTES][: self.breaks_after]
            self.given[name] += len(piece)
            self.breaks_after -= len(piece)
            if take is not None:
                take(piece)
            if self.breaks_after <= 0:
                self.breaks_after = 2**63
                raise UplinkFault("the link broke within the answer")
        return Answer(status=206 if start else 200, headers={}, body=b"" if take else content)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Headquarters has published a base of 61 pages, 250 KB."""
    made = make_world(tmp_path)
    made.repository.publish({DOCUMENTS_TARGET: base(13_000)}, at_ms=NOW_MS)
    return made


def a_link(world: World) -> BreakingLink:
    return BreakingLink(world.home / "tuf")


def listed(world: World) -> Path:
    """Where headquarters has the documents list."""
    place = world.repository.place(DOCUMENTS_TARGET)
    assert place is not None
    return place


def publish_merged(world: World) -> None:
    """First a delta, then the base that it was merged into: another file of the same length."""
    delta = page_bytes({bytes(16): detail("LAO-9")}, key=DocumentsKey(bytes(32)), dated=DAY)
    world.repository.publish({DELTA: delta}, at_ms=NOW_MS + 1)
    places = [world.repository.place(name) for name in (DOCUMENTS_TARGET, DELTA)]
    old, change = (PageFile(OpenFile(place)) for place in places if place)
    pieces: list[bytes] = []
    merge_deltas(old, [change], pieces.append)
    world.repository.publish(
        {DOCUMENTS_TARGET: b"".join(pieces), DELTA: None}, at_ms=NOW_MS + 2, made_of=(DOCUMENTS_TARGET, DELTA)
    )


def path_of(place: Path) -> str:
    return f"targets/lists/{place.name}"


def copied(world: World) -> bool:
    """The mirror has what headquarters has, and nothing that is under way."""
    assert not list(world.mirror.rglob(".*"))
    timestamp = "metadata/timestamp.json"
    return (world.mirror / timestamp).read_bytes() == (world.home / "tuf" / timestamp).read_bytes() and (
        world.mirror / path_of(listed(world))
    ).read_bytes() == listed(world).read_bytes()


@pytest.mark.parametrize("seed", range(12))
def test_a_link_that_breaks_at_any_byte_costs_nothing_twice(world: World, seed: int) -> None:
    chance = random.Random(seed)
    link, size = a_link(world), listed(world).stat().st_size
    broken = 0
    while True:
        link.breaks_after = chance.randint(1, size // 3)
        try:
            assert Mirror(link, world.mirror).refresh()  # each time a new process
        except UplinkFault:
            broken += 1
            continue
        break
    assert broken > 2
    assert copied(world)
    assert link.given[path_of(listed(world))] == size


def test_another_release_meanwhile_leaves_the_base_where_it_was(world: World) -> None:
    link, size = a_link(world), listed(world).stat().st_size
    for number in range(4):
        link.breaks_after = size // 4
        with pytest.raises(UplinkFault):
            Mirror(link, world.mirror).refresh()
        world.repository.publish({}, at_ms=NOW_MS + number + 1)
    assert Mirror(link, world.mirror).refresh()
    assert copied(world)
    assert link.given[path_of(listed(world))] == size


def test_a_base_of_which_much_came_is_completed_and_merged_when_the_next_is_published(world: World) -> None:
    """Otherwise a slow link would never be done: each new base would find the one before half way."""
    link, first = a_link(world), listed(world)
    link.breaks_after = first.stat().st_size // 2
    with pytest.raises(UplinkFault):
        Mirror(link, world.mirror).refresh()
    publish_merged(world)
    assert listed(world) != first
    assert Mirror(link, world.mirror).refresh()
    assert copied(world)
    assert link.given[path_of(first)] == first.stat().st_size
    assert link.given[path_of(listed(world))] == 0


def test_a_base_that_headquarters_no_longer_has_is_not_waited_for(world: World) -> None:
    link, first = a_link(world), listed(world)
    link.breaks_after = first.stat().st_size // 2
    with pytest.raises(UplinkFault):
        Mirror(link, world.mirror).refresh()
    publish_merged(world)
    first.unlink()
    assert Mirror(link, world.mirror).refresh()
    assert link.given[path_of(listed(world))] == listed(world).stat().st_size


def test_a_part_that_is_wrong_is_thrown_away_once(world: World) -> None:
    link, size = a_link(world), listed(world).stat().st_size
    link.breaks_after = size
    with pytest.raises(UplinkFault):
        Mirror(link, world.mirror).refresh()
    part = Part(world.mirror / path_of(listed(world)))
    came = part.length()
    assert came > size // 2
    with part.path.open("r+b") as file:
        file.write(b"rotten")
    link.given.clear()
    assert Mirror(link, world.mirror).refresh()
    assert copied(world)
    assert link.given[path_of(listed(world))] == size - came + size


def test_a_file_that_headquarters_serves_wrongly_is_not_fetched_again_and_again(world: World) -> None:
    link = a_link(world)
    link.spoil = lambda name, content: content[:-1] + b"x" if name == path_of(listed(world)) else content
    mirror = Mirror(link, world.mirror)
    for _ in range(5):
        with pytest.raises(RepositoryFault, match="did not arrive as it is named"):
            mirror.refresh()
    assert link.given[path_of(listed(world))] == listed(world).stat().st_size
    assert not (world.mirror / "metadata" / "timestamp.json").exists()


@pytest.mark.parametrize("come", [b"", b"-1", b"999999999", b"x" * 30, b"0"])
def test_a_count_of_what_came_that_is_none_costs_a_fetch_and_no_more(world: World, come: bytes) -> None:
    place = world.mirror / path_of(listed(world))
    place.parent.mkdir(parents=True)
    place.with_name(f".{place.name}.part").write_bytes(b"whatever")
    place.with_name(f".{place.name}.come").write_bytes(come)
    assert Mirror(a_link(world), world.mirror).refresh()
    assert copied(world)


def breaks(part: Part) -> None:
    part.take(b"a" * 1_000)
    raise UplinkFault("the link broke")


def test_what_a_power_cut_left_behind_the_synced_bytes_is_cut_off(tmp_path: Path) -> None:
    """The disk may say that the file is longer than what was written to it: zeros, where nothing had arrived yet."""
    part = Part(tmp_path / "list")
    with pytest.raises(UplinkFault), part.growing(0):
        breaks(part)
    with part.path.open("ab") as file:
        file.write(bytes(5_000))
    assert part.length() == 1_000
    with part.growing(part.length()):
        part.take(b"b" * 500)
    part.finish()
    assert (tmp_path / "list").read_bytes() == b"a" * 1_000 + b"b" * 500
    assert [path.name for path in tmp_path.iterdir()] == ["list"]


GROW = """\
import sys
from pathlib import Path
from appliance.uplink.part import Part
part = Part(Path(sys.argv[1]))
with part.growing(0):
    for number in range(100_000):
        part.take(bytes([number % 256]) * 65_536)
        if number == 300:
            print("go", flush=True)
"""


def test_a_download_that_is_killed_has_at_most_one_stretch_to_fetch_again(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", GROW, tmp_path / "list"], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"go\n"
        process.send_signal(signal.SIGKILL)
    part = Part(tmp_path / "list")
    came = part.length()
    assert came >= 301 * 65_536 - SYNC_BYTES
    content = part.path.read_bytes()[:came]
    assert content == b"".join(bytes([number % 256]) * 65_536 for number in range(len(content) // 65_536))
