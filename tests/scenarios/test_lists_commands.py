"""`landlink-hq import`, `publish` and `landlink-box releases` as commands: what they print, exit with and leave."""

import random
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.formats.lists import CANARY_DOCUMENT
from appliance.formats.status import ReleasesStatus, parse_status
from appliance.screen.lists import Lists
from appliance.screen.screen import screen
from provisioning.authority.repository import Repository
from tests.release_world import LIST_KEY, NOW_MS, World, make_world
from tests.screen_world import instant, laid

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "provisioning" / "bench" / "samples"
VECTORS = ROOT / "tests" / "vectors" / "lists"
BIN = Path(sys.executable).parent


def hq(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [BIN / "landlink-hq", "--home", home, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hq") / "hq"
    assert hq(folder, "init", "--domain", "landlink.example").returncode == 0
    return folder


def test_publish_works_before_any_list_was_imported(tmp_path: Path) -> None:
    home = tmp_path / "hq"
    assert hq(home, "init", "--domain", "landlink.example").returncode == 0
    done = hq(home, "publish")
    assert done.returncode == 0, done.stderr
    assert "is published" in done.stdout
    assert "documents: 0 entries" in done.stdout


def test_samples_are_taken_whole_published_and_found_by_a_box(home: Path, tmp_path: Path) -> None:
    taken = hq(home, "import", "--documents", SAMPLES / "documents.csv", "--persons", SAMPLES / "persons.xml")
    assert taken.returncode == 0, taken.stderr
    assert "documents: 215 taken, 0 left out" in taken.stdout
    assert "persons: 60 taken, 0 left out" in taken.stdout
    published = hq(home, "publish")
    assert published.returncode == 0, published.stderr
    assert "documents: 239 entries" in published.stdout
    assert " narrowband; courier: by stick" in published.stdout
    world = make_world(tmp_path)
    (world.shelf.folder / "root" / "1.root.json").write_bytes(Repository(home).root())
    box = World(home=home, mirror=world.mirror, shelf=world.shelf, repository=Repository(home))
    key = (home / "keys" / "list-key").read_bytes()
    lists = Lists.from_release(box.carry_and_take(keys=(key,)), (key,))
    for document, names in (
        (laid("SISOUK<<MALAVANH", number="PA0047113"), ["documents"]),
        (laid("PHOMMASACK<<KHAMPHENG", number="PA7654321"), ["persons"]),
        (laid("PHOMMASACK<<KHAMPHENG", number="PA0098214"), ["documents", "persons"]),
        (laid("SISOUK<<MALAVANH", number="LB7720007"), ["documents"]),
        (laid("SISOUK<<MALAVANH", number="PA7654321"), []),
    ):
        hits = screen(document, lists, instant()).hits
        assert [hit.list_name for hit in hits] == names
        assert all(hit.band.value in ("exact document", "strong") for hit in hits)


def test_broken_lines_are_reported_by_number_and_the_rest_is_taken(tmp_path: Path) -> None:
    home = tmp_path / "hq"
    hq(home, "init", "--domain", "landlink.example")
    taken = hq(home, "import", "--documents", VECTORS / "documents_traps.csv", "--persons", VECTORS / "un_traps.xml")
    assert taken.returncode == 0, taken.stderr
    assert "documents: 5 taken, 14 left out" in taken.stdout
    assert "  left out: line 6: issuing_country is not a known code" in taken.stdout
    assert "persons: 2 taken, 3 left out, 4 parts left out." in taken.stdout
    assert "documents.report.txt" not in taken.stdout.split("persons:")[0]
    assert "un.report.txt" in taken.stdout
    assert "last import of documents: 5 taken, 14 left out" in hq(home, "publish").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("import",), 64, "name a list"),
        (("import", "--documents", "no-such.csv"), 66, "No such file or directory; name one that is there"),
        (("import", "--documents", SAMPLES / "persons.xml"), 65, "documents CSV header"),
        (("import", "--persons", SAMPLES / "documents.csv"), 65, "UN list: not XML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_reason(
    home: Path, arguments: tuple[str | Path, ...], code: int, words: str
) -> None:
    before = Repository(home).version(), sorted((home / "lists").glob("*.json"))
    refused = hq(home, *arguments)
    assert (refused.returncode, words in refused.stderr) == (code, True), refused.stderr
    assert "Traceback" not in refused.stderr
    assert (Repository(home).version(), sorted((home / "lists").glob("*.json"))) == before


def test_without_headquarters_the_commands_say_so(tmp_path: Path) -> None:
    for verb in ("publish", "import"):
        refused = hq(tmp_path / "nowhere", verb, *(("--documents", "x.csv") if verb == "import" else ()))
        assert refused.returncode == 78
        assert "init" in refused.stderr


# --- the box's process ------------------------------------------------------------------------------------------------

BOX_TOML = """\
[box]
serial = "LA-0001"
domain = "landlink.example"
state = "{folder}/s"
runtime = "{folder}/r"
[post]
name = "Test"
duty_telephone = "0199"
[scanner]
dialect = "elyctis"
port = "/dev/null"
[recorder]
booth_uid = 0
uplink_uid = 0
releases_uid = 0
[uplink]
host = "localhost"
"""


def test_the_command_takes_a_release_says_so_and_ends_when_told(tmp_path: Path) -> None:
    world = make_world(tmp_path / "w")
    world.carry()
    (tmp_path / "s").mkdir()
    (tmp_path / "r").mkdir()
    (tmp_path / "box.toml").write_text(BOX_TOML.format(folder=tmp_path), encoding="utf-8")
    (tmp_path / "s" / "releases" / "root").mkdir(parents=True)
    (tmp_path / "s" / "releases" / "root" / "1.root.json").write_bytes(world.repository.root())
    (tmp_path / "s" / "mirror").symlink_to(world.mirror)
    command = [BIN / "landlink-box", "--config", tmp_path / "box.toml", "releases"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert "release 1 of 2026-11-18 with rules 1 is in service" in said
    assert (tmp_path / "s" / "releases" / "current").readlink() == Path("1")
    assert parse_status((tmp_path / "r" / "releases.status").read_bytes(), ReleasesStatus).version == 1


TAKE = """\
import sys
from pathlib import Path
from appliance.releases.take import take_release
from appliance.shelf import Shelf
print("go", flush=True)
take_release(Shelf(Path(sys.argv[1])), Path(sys.argv[2]), lower_bound_ms=int(sys.argv[3]), keys=(bytes(range(32)),))
"""


def test_a_kill_at_any_moment_leaves_a_release_that_verifies(tmp_path: Path) -> None:
    """Seeded: 12 kills within the time that a take needs; the old release or the new one serves, never a part."""
    chance = random.Random(47113)
    world = make_world(tmp_path)
    world.carry_and_take()
    for round_ in range(2, 14):
        world.repository.publish({}, at_ms=NOW_MS + round_)
        world.carry()
        command = [sys.executable, "-c", TAKE, world.shelf.folder, world.mirror, str(NOW_MS)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"go\n"
            select.select([process.stdout], [], [], chance.uniform(0, 0.06))
            process.kill()
        served = world.shelf.load()
        assert served.version in (round_ - 1, round_)
        assert Lists.from_release(served, (LIST_KEY,)).documents.lookup(CANARY_DOCUMENT) is not None
        world.take()
        assert world.shelf.load().version == round_
