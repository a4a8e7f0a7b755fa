"""tlog-tiles: the paths and sizes of the specification, Tessera's log, and publishing while the log grows."""

from pathlib import Path

import pytest

from appliance.errors import Malformed
from appliance.formats.checkpoint import open_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.merkle import EMPTY_ROOT, consistency_proof, inclusion_proof, leaf_hash, root_hash
from appliance.formats.note import parse_vkey
from appliance.formats.tiles import (
    TileName,
    TileNodes,
    encode_entries,
    parse_entries,
    parse_path,
    read_entries,
    tiles_of,
)
from tests.merkle_nodes import Nodes

TESSERA_VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


def an_entry(number: int) -> bytes:
    return f"entry {number}".encode()


def published(size: int, steps: int = 100_000) -> dict[str, bytes]:
    edge, files = Edge(), dict[str, bytes]()
    for number in range(size):
        edge.append(an_entry(number))
        if number % steps == steps - 1:
            files.update(edge.publish())
    files.update(edge.publish())
    return files


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (TileName(0, 1_234_067), "tile/0/x001/x234/067"),  # the specification's example
        (TileName(0, 0), "tile/0/000"),
        (TileName(0, 999), "tile/0/999"),
        (TileName(1, 1_000), "tile/1/x001/000"),
        (TileName(0, 273, 112), "tile/0/273.p/112"),
        (TileName(None, 0, 1), "tile/entries/000.p/1"),
        (TileName(None, 1_234_067), "tile/entries/x001/x234/067"),
    ],
)
def test_paths_are_those_of_the_specification(tile: TileName, path: str) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/x000/000",
        "tile/0/x001/0",
        "tile/0/1000",
        "tile/0/001/000",
        "tile/8/000",
        "tile/00/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/05",
        "tile/0/../0/000",
        "tile/entries/x999/x999/x999/x999/x999/x999/999",
        "/tile/0/000",
        "tile/0/\u0660\u0660\u0660",
        "checkpoint",
        "",
    ],
)
def test_a_path_with_another_spelling_is_refused(path: str) -> None:
    with pytest.raises(Malformed):
        parse_path(path)


def test_a_tree_of_70_000_has_the_tiles_that_the_specification_counts() -> None:
    hashes = [tile for tile in tiles_of(70_000) if tile.level is not None]
    full = [sum(tile.level == level and tile.width == 256 for tile in hashes) for level in range(4)]
    partial = {tile.level: tile.width for tile in hashes if tile.width < 256}
    assert full == [273, 1, 0, 0]
    assert partial == {0: 112, 1: 17, 2: 1}
    assert sum(tile.level is None for tile in tiles_of(70_000)) == 274


def test_a_tree_of_256_has_one_full_tile_and_one_hash_above() -> None:
    assert set(tiles_of(256)) == {TileName(None, 0), TileName(0, 0), TileName(1, 0, 1)}


def test_tesseras_log_verifies_and_its_earlier_checkpoints_are_its_beginnings(shared_data: Path) -> None:
    log = shared_data / "tlog/testdata/log"
    verifier = parse_vkey(TESSERA_VKEY)
    head, _ = open_checkpoint((log / "checkpoint").read_bytes(), verifier)

    def read(path: str) -> bytes:
        return (log / path).read_bytes()

    nodes = Nodes()
    for entry in read_entries(head.size, read):
        nodes.append(leaf_hash(entry))
    assert (nodes.size, root_hash(15, nodes)) == (15, head.root)
    assert root_hash(15, TileNodes(15, read)) == head.root
    assert Edge.resume(15, read).root() == head.root
    for size in range(1, 15):
        if (log / f"checkpoint.{size}").exists():
            old, _ = open_checkpoint((log / f"checkpoint.{size}").read_bytes(), verifier)
            assert old.root == root_hash(size, nodes)


def test_an_entry_bundle_is_lengths_and_entries() -> None:
    assert encode_entries([b"ab", b"", b"c"]) == b"\x00\x02ab\x00\x00\x00\x01c"
    assert parse_entries(b"\x00\x02ab\x00\x00\x00\x01c", 3) == (b"ab", b"", b"c")


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x00\x02a", b"\x00\x01a\x00", b"\x00\x01a", b"\x00\x01a\x00\x01b\x00\x01c"]
)
def test_a_bundle_of_another_number_of_entries_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_entries(data, 2)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 700])
def test_published_files_are_exactly_the_tiles_of_the_tree(size: int) -> None:
    assert set(published(size)) == {tile.path for tile in tiles_of(size)}


def test_a_log_published_in_steps_serves_every_tree_that_it_had() -> None:
    files = published(600, steps=7)
    nodes = Nodes()
    for number in range(600):
        nodes.append(leaf_hash(an_entry(number)))
    for size in (7, 252, 259, 511, 518, 600):
        tiles = TileNodes(size, files.__getitem__)
        assert root_hash(size, tiles) == root_hash(size, nodes)
        assert inclusion_proof(size // 2, size, tiles) == inclusion_proof(size // 2, size, nodes)
        assert consistency_proof(size // 3, size, tiles) == consistency_proof(size // 3, size, nodes)
        assert list(read_entries(size, files.__getitem__, size - 5)) == [an_entry(n) for n in range(size - 5, size)]


def test_a_second_publication_without_news_gives_nothing() -> None:
    edge = Edge()
    edge.append(b"entry")
    assert [path for path, _ in edge.publish()] == ["tile/entries/000.p/1", "tile/0/000.p/1"]
    assert edge.publish() == []


@pytest.mark.parametrize("size", [0, 1, 255, 256, 300, 513])
def test_a_resumed_edge_goes_on_as_if_it_had_never_stopped(size: int) -> None:
    files = published(size)
    stopped = Edge.resume(size, files.__getitem__)
    running = Edge()
    for number in range(size):
        running.append(an_entry(number))
    running.publish()
    assert (stopped.size, stopped.root()) == (size, running.root())
    for number in range(size, size + 300):
        assert stopped.append(an_entry(number)) == running.append(an_entry(number))
    assert stopped.publish() == running.publish()


def test_an_edge_resumes_across_a_full_tile_of_level_one() -> None:
    size = 65_536 + 3
    files = published(size, steps=65_536)
    assert files["tile/2/000.p/1"] == root_hash(65_536, TileNodes(size, files.__getitem__))
    resumed = Edge.resume(size, files.__getitem__)
    assert resumed.root() == root_hash(size, TileNodes(size, files.__getitem__))


@pytest.mark.parametrize("before", [0, 5, 256, 65_536 - 256])
def test_entries_that_come_together_give_what_they_give_one_by_one(before: int) -> None:
    together, single = Edge(), Edge()
    entries = [an_entry(number) for number in range(before + 700)]
    for entry in entries[:before]:
        together.append(entry)
        single.append(entry)
    for first in range(before, len(entries), 256):
        together.extend(entries[first : first + 256])
        assert together.size == min(first + 256, len(entries))
    for entry in entries[before:]:
        single.append(entry)
    assert together.root() == single.root()
    assert together.append(b"next") == single.append(b"next")
    assert dict(together.publish()) == dict(single.publish())


def test_tiles_that_are_taken_as_they_fill_are_those_that_are_published() -> None:
    taken, edge = dict[str, bytes](), Edge()
    for first in range(0, 1_024, 256):
        edge.extend([an_entry(number) for number in range(first, first + 256)])
        full = edge.take_full()
        assert [path for path, _ in full] == [f"tile/entries/{first // 256:03d}", f"tile/0/{first // 256:03d}"]
        taken |= dict(full)
    edge.extend([an_entry(number) for number in range(1_024, 1_030)])
    assert edge.take_full() == []
    assert taken | dict(edge.publish()) == published(1_030)


def test_an_empty_log_resumes() -> None:
    assert Edge.resume(0, {}.__getitem__).root() == EMPTY_ROOT


def test_a_tile_of_another_length_is_refused() -> None:
    files = published(5)
    files["tile/0/000.p/5"] = files["tile/0/000.p/5"][:-1]
    with pytest.raises(Malformed, match="159 bytes, not 160"):
        Edge.resume(5, files.__getitem__)
