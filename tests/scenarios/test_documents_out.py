"""The documents list on its way: what a publication sends, what a box makes of it, and that both agree."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest

from appliance.errors import Untrusted
from appliance.formats.list_key import DocumentsKey
from appliance.formats.lists import CANARY_DOCUMENT, DocumentKey
from appliance.formats.pages import PageFile
from appliance.formats.release import DELTA_NAME, DOCUMENTS_TARGET, Damaged
from appliance.screen.lists import Lists
from appliance.uplink.link import Answer
from appliance.uplink.mirror import Mirror
from provisioning.authority.documents_out import documents_out
from provisioning.authority.sources.document_csv import read_documents
from provisioning.authority.staging import Staging
from tests.release_world import LIST_KEY, NOW_MS, World, make_world

TODAY = date(2026, 11, 18)
DELTA = "lists/documents.delta-0001"
HEADER = b"din,issuing_country,doc_type,op\n"


def number(value: int) -> DocumentKey:
    return DocumentKey(issuer="LAO", document_type="P", number=f"PA{value:07}")


class Headquarters:
    """Imports and publishes, a day at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.staging = Staging(world.home / "lists")
        self.day = 0

    def take(self, *ops: tuple[str, int]) -> None:
        lines = [HEADER, *(f"PA{value:07},LAO,P,{op}\n".encode() for op, value in ops)]
        self.staging.take_documents(read_documents(io.BytesIO(b"".join(lines))), today=TODAY + timedelta(days=self.day))

    def publish(self) -> list[str]:
        """The targets that went out."""
        self.day += 1
        with documents_out(self.staging, self.world.repository, LIST_KEY) as documents:
            return sorted(documents.publish({}, at_ms=NOW_MS + self.day).new)


@pytest.fixture
def headquarters(tmp_path: Path) -> Iterator[Headquarters]:
    """3,000 documents are published and in service."""
    made = Headquarters(make_world(tmp_path))
    made.take(*(("A", value) for value in range(3_000)))
    assert made.publish() == [DOCUMENTS_TARGET]
    made.world.carry_and_take()
    yield made
    assert not list(made.staging.folder.glob(".publish-*"))


def listed(world: World, *values: int) -> list[int]:
    documents = Lists.from_release(world.shelf.load(), (LIST_KEY,)).documents
    assert documents.lookup(CANARY_DOCUMENT) is not None
    return [value for value in values if documents.lookup(number(value)) is not None]


def test_nothing_imported_sends_nothing(tmp_path: Path) -> None:
    made = Headquarters(make_world(tmp_path))
    assert made.publish() == []


def test_a_few_changes_travel_as_a_delta_to_the_same_base(headquarters: Headquarters) -> None:
    world = headquarters.world
    base = world.repository.place(DOCUMENTS_TARGET)
    headquarters.take(("A", 5_000), ("D", 7))
    assert headquarters.publish() == [DELTA]
    assert world.repository.place(DOCUMENTS_TARGET) == base
    place = world.repository.place(DELTA)
    assert place is not None
    assert place.stat().st_size < 5_000
    world.carry_and_take()
    assert listed(world, 6, 7, 8, 5_000, 5_001) == [6, 8, 5_000]
    assert Lists.from_release(world.shelf.load(), (LIST_KEY,)).documents.dated == TODAY + timedelta(days=1)


def test_deltas_follow_each_other_until_a_new_base_takes_them_in(headquarters: Headquarters) -> None:
    world = headquarters.world
    key_id = _base(world).key_id
    sent: list[str] = []
    for round_ in range(1, 4):
        headquarters.take(("A", 5_000 + round_), ("D", round_))
        sent += headquarters.publish()
        world.carry_and_take()
        assert listed(world, *range(5), 5_001, 5_002, 5_003) == [
            0, *range(round_ + 1, 5), *range(5_001, 5_001 + round_)
        ]  # fmt: skip
    assert sent == [DELTA, DELTA, DOCUMENTS_TARGET, DELTA, DOCUMENTS_TARGET]
    assert world.repository.names(DELTA_NAME) == [DELTA]
    assert _base(world).key_id == key_id


def test_a_change_of_the_date_alone_travels_too(headquarters: Headquarters) -> None:
    headquarters.take()
    assert headquarters.publish() == [DELTA]
    headquarters.world.carry_and_take()
    assert Lists.from_release(headquarters.world.shelf.load(), (LIST_KEY,)).documents.dated == TODAY + timedelta(days=1)


def test_without_one_of_its_deltas_a_list_is_damaged_and_not_half(headquarters: Headquarters) -> None:
    world = headquarters.world
    headquarters.take(("A", 5_000))
    headquarters.publish()
    world.carry_and_take()
    delta = world.shelf.folder / "3" / "targets" / "lists" / "documents.delta-0001"
    whole = delta.read_bytes()
    delta.write_bytes(whole[:-1] + b"\0")
    assert isinstance(world.shelf.load().documents, Damaged)
    delta.unlink()
    assert isinstance(world.shelf.load().documents, Damaged)
    (world.mirror / "metadata" / "timestamp.json").touch()
    world.take()
    assert listed(world, 5_000) == [5_000]


def test_a_release_whose_delta_is_missing_from_the_mirror_is_refused(headquarters: Headquarters) -> None:
    world = headquarters.world
    headquarters.take(("A", 5_000))
    headquarters.publish()
    world.carry()
    next((world.mirror / "targets" / "lists").glob("*.documents.delta-0001")).unlink()
    with pytest.raises(Untrusted, match="incomplete"):
        world.take()
    assert listed(world, 5_000) == []


def test_documents_without_a_reference_go_by_their_digest_and_cost_no_more(headquarters: Headquarters) -> None:
    base = _base(headquarters.world)
    assert len(base.details) == 2  # the canary, and stolen without a reference
    entry = Lists.from_release(headquarters.world.shelf.load(), (LIST_KEY,)).documents.lookup(number(7))
    assert entry is not None
    assert entry.entry == DocumentsKey(LIST_KEY).digest(number(7)).hex()


def _base(world: World) -> PageFile:
    release = world.shelf.load()
    assert not isinstance(release.documents, Damaged)
    return PageFile(release.documents[0])


@dataclass
class FolderLink:
    """Headquarters' folder, as a link serves it."""

    tuf: Path
    asked: list[str] = field(default_factory=list)

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
        assert (method, body, "Range" in (headers or {})) == ("GET", b"", False)
        self.asked.append(target)
        path = self.tuf / target.removeprefix("/tuf/")
        if not path.exists():
            return Answer(status=404, headers={}, body=b"")
        content = path.read_bytes()
        assert len(content) <= answer_bytes_max
        if take is None:
            return Answer(status=200, headers={}, body=content)
        take(content)
        return Answer(status=200, headers={}, body=b"")


@pytest.mark.parametrize("damaged", [False, True])
def test_a_mirror_makes_the_merged_base_itself_and_fetches_it_only_when_it_cannot(
    headquarters: Headquarters, tmp_path: Path, *, damaged: bool
) -> None:
    world = headquarters.world
    link = FolderLink(world.home / "tuf")
    mirror = Mirror(link, tmp_path / "mirror")
    assert mirror.refresh()
    for value in (5_001, 5_002):
        headquarters.take(("A", value))
        headquarters.publish()
        assert mirror.refresh()
    first, delta = (world.repository.place(name) for name in (DOCUMENTS_TARGET, DELTA))
    assert first is not None
    assert delta is not None
    if damaged:
        copy = tmp_path / "mirror" / "targets" / "lists" / delta.name
        copy.write_bytes(copy.read_bytes()[:-1])
    headquarters.take(("A", 5_003))
    headquarters.publish()
    link.asked.clear()
    assert mirror.refresh()
    merged = world.repository.place(DOCUMENTS_TARGET)
    assert merged is not None
    assert merged != first
    assert (f"/tuf/targets/lists/{merged.name}" in link.asked) is damaged
    assert (tmp_path / "mirror" / "targets" / "lists" / merged.name).read_bytes() == merged.read_bytes()
