"""The acts of headquarters in an exhibit: what was done with the record one by one, the searches for others counted."""

import hashlib
import shutil
from pathlib import Path

import msgspec
import pytest

from appliance.formats.merkle import leaf_hash
from provisioning.authority.home import Home
from provisioning.custody.act import Did, Reach, parse_act
from provisioning.custody.log import CustodyLog
from provisioning.exhibit.checking import check_exhibit, read_said
from provisioning.exhibit.contents import Custody, Reached, ReachedBy
from provisioning.exhibit.custody_part import FOLDER, REACHED
from provisioning.exhibit.pieces import read_pieces
from tests.exhibit_post import SCREENED, Post, a_day, hq, sum_again
from tests.scenarios.made_headquarters import headquarters

SEARCHES = 40


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Post:
    """A post whose record was opened in many searches for others, by two operators, and found in one of them."""
    folder = tmp_path_factory.mktemp("sum")
    box = a_day(headquarters(folder / "hq"), folder / "box")
    custody, whole = CustodyLog(box.home), [Reach(origin=box.origin, first=0, end=11)]
    for number in range(SEARCHES):
        custody.write(Did.SEARCHED, f"desk {number % 2}", reaches=whole)
    custody.write(Did.SEARCHED, "desk 0", records=[SCREENED])
    custody.write(Did.SEARCHED, "desk 0", reaches=[Reach(origin="landlink.example/other.1", first=0, end=11)])
    custody.write(Did.ERASED, "desk 1", reaches=[Reach(origin=box.origin, first=4, end=5)])
    return box


@pytest.fixture
def home(post: Post, tmp_path: Path) -> Home:
    return Home.open(Path(shutil.copytree(post.home.folder, tmp_path / "hq")))


@pytest.fixture
def out(home: Home, tmp_path: Path) -> Path:
    assert hq(home, "exhibit", SCREENED, "--out", tmp_path / "out", "--as", "desk 2") == 0
    return tmp_path / "out"


def said(folder: Path) -> Custody:
    return read_said(read_pieces(folder)).custody


def test_searches_for_others_are_counted_by_act_and_operator_and_the_rest_is_shown_whole(out: Path, home: Home) -> None:
    shown = said(out)
    assert [(each.act, each.by) for each in shown.entries] == [
        ("searched", "desk 0"),
        ("erased", "desk 1"),
        ("exported", "desk 2"),
    ]
    reached = shown.reached
    assert reached is not None
    assert [(row.act, row.by, row.count) for row in reached.by] == [
        ("searched", "desk 0", 20),
        ("searched", "desk 1", 20),
        ("searched", "desk 2", 1),
    ]
    assert (reached.count, reached.first, reached.last) == (41, 0, 43)
    leaves = CustodyLog(home).leaves()[1]
    counted = [*leaves[:SEARCHES], leaves[43]]
    assert reached.leaves_sha256 == hashlib.sha256(b"".join(map(leaf_hash, counted))).hexdigest()


def test_the_folder_has_as_many_files_after_a_hundred_searches_as_after_one(home: Home, tmp_path: Path) -> None:
    files = list[int]()
    for number, searches in enumerate((1, 100)):
        for _ in range(searches):
            CustodyLog(home).write(Did.REPORTED, "desk 1", reaches=[Reach(origin=home_origin(home), first=0, end=9)])
        assert hq(home, "exhibit", SCREENED, "--out", tmp_path / str(number)) == 0
        exported = len(said(tmp_path / str(number)).entries)
        files.append(len(list((tmp_path / str(number) / FOLDER).iterdir())) - 2 * exported)
    assert files[0] == files[1]


def home_origin(home: Home) -> str:
    return parse_act(CustodyLog(home).leaves()[1][0]).reaches[0].origin


def replaced(out: Path, reached: Reached) -> list[str]:
    """What is said of an exhibit in which somebody put another sum, in both places, and made the sums fit."""
    told = out / "evidence/exhibit.json"
    exhibit = msgspec.json.decode(told.read_bytes())
    exhibit["custody"]["reached"] = msgspec.to_builtins(reached)
    told.write_bytes(msgspec.json.encode(exhibit))
    (out / REACHED).write_bytes(msgspec.json.encode(reached))
    sum_again(out)
    return check_exhibit(out)[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"first": 1}, "its first and last act are not the ones here"),
        ({"last": 39}, "its first and last act are not the ones here"),
        ({"count": 40}, "its rows do not add up"),
        ({"by": ()}, "its rows do not add up"),
        ({"by": (), "count": 0}, "counts other acts than there can be"),
        (
            {"by": (ReachedBy(act="searched", by="desk 0", count=41, since_ms=0, until_ms=2**50),)},
            "no row has its first or its last act",
        ),
    ],
)
def test_a_sum_that_contradicts_the_acts_beside_it_is_named(out: Path, change: dict[str, object], words: str) -> None:
    reached = said(out).reached
    assert reached is not None
    assert replaced(out, msgspec.structs.replace(reached, **change)) == [f"{REACHED}: {words}"]


def test_a_count_that_only_the_log_can_contradict_is_found_by_whoever_has_the_log(
    out: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hq(home, "custody", "verify", "--against", out) == 0
    reached = said(out).reached
    assert reached is not None
    first, *others = reached.by
    fewer = msgspec.structs.replace(
        reached, count=40, by=(msgspec.structs.replace(first, count=first.count - 1), *others)
    )
    assert replaced(out, fewer) == []
    capsys.readouterr()
    assert hq(home, "custody", "verify", "--against", out) == 1
    assert "counts other acts than this log has" in capsys.readouterr().out


def test_an_act_about_the_record_that_was_left_out_is_found_by_whoever_has_the_log(
    out: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = said(out).entries[0]
    for suffix in ("cbor", "tlog-proof"):
        (out / FOLDER / f"{shown.index}.{suffix}").unlink()
    told = out / "evidence/exhibit.json"
    exhibit = msgspec.json.decode(told.read_bytes())
    del exhibit["custody"]["entries"][0]
    told.write_bytes(msgspec.json.encode(exhibit))
    sum_again(out)
    assert check_exhibit(out)[1] == []
    assert hq(home, "custody", "verify", "--against", out) == 1
    assert "does not show every act about its record" in capsys.readouterr().out
