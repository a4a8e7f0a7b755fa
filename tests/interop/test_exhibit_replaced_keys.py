"""Keys of headquarters were replaced since a record was made: what is past still holds, by the roots of its time."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Untrusted
from appliance.formats.enrolment import fingerprint
from appliance.formats.release import POLICY_TARGET, parse_policy
from provisioning.authority.ceremony import act_here
from provisioning.authority.home import Home
from provisioning.authority.published import Published
from provisioning.authority.replace_key import replace_key
from provisioning.exhibit.checking import read_said
from provisioning.exhibit.folder import SUMS
from provisioning.exhibit.pieces import Broken, read_pieces
from provisioning.exhibit.trust import ROSTER, read_release
from provisioning.exhibit.verifier_page import verifier_script
from tests.exhibit_post import SCREENED, Post, a_day, hq
from tests.scenarios.made_headquarters import headquarters

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Post:
    folder = tmp_path_factory.mktemp("replaced")
    return a_day(headquarters(folder / "hq"), folder / "box")


@pytest.fixture(scope="module")
def before(post: Post, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made before any key was replaced."""
    out = tmp_path_factory.mktemp("made") / "before"
    assert hq(post.home, "exhibit", SCREENED, "--out", out) == 0
    return out


@pytest.fixture(scope="module")
def after(post: Post, before: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the same record, when two offline keys, a root key and three online keys are others."""
    assert before.is_dir()
    for name in ("offline-1", "offline-2", "root-3"):
        replace_key(post.home, name, at_ms=later(post.home))
    for name in ("snapshot", "lists", "receipts"):
        act_here(post.home, "rotate", name, at_ms=later(post.home))
    out = tmp_path_factory.mktemp("made") / "after"
    assert hq(post.home, "exhibit", SCREENED, "--out", out) == 0
    return out


def later(home: Home) -> int:
    data = Published(home.folder).target(POLICY_TARGET)
    assert data is not None
    return parse_policy(data).signed_ms + 1_000


def test_a_record_made_before_is_proven_with_the_release_of_its_time(post: Post, after: Path) -> None:
    assert hq(post.home, "exhibit", "--check", after) == 0
    said = read_said(read_pieces(after))
    assert said.in_force is not None
    assert (said.in_force.release, said.in_force.missing) == (2, "")
    assert len(said.in_force.files) > 3
    roots = sorted(path.name for path in (after / ROSTER).glob("*.root.json"))
    assert roots == [f"{number}.root.json" for number in (1, 2, 3, 4, 5)]
    assert fingerprint((after / ROSTER / "1.root.json").read_bytes()) == fingerprint(Published(post.home.folder).root())


def test_an_exhibit_that_was_made_before_still_holds(post: Post, before: Path, after: Path) -> None:
    assert after.is_dir()
    assert hq(post.home, "exhibit", "--check", before) == 0


def test_the_register_holds_under_the_last_root_alone(before: Path, after: Path) -> None:
    """Whoever puts a register of former keys beside the newer roots is found out, though a past release would pass."""
    pieces = read_pieces(after)
    old = {path: data for path, data in read_pieces(before).items() if path.startswith(ROSTER)}
    with pytest.raises(Broken, match="is not signed by enough keys of its role"):
        read_release({**pieces, **old}, ROSTER, pieces[f"{ROSTER}/1.root.json"])
    with pytest.raises(Untrusted):
        read_release({**pieces, f"{ROSTER}/3.root.json": b"{}"}, ROSTER, pieces[f"{ROSTER}/1.root.json"])


@pytest.fixture
def page(node: Run, tmp_path: Path) -> Callable[[Path, str], Any]:
    """What the exhibit's page says of the files of a folder, in JavaScript's own words."""

    def asked(folder: Path, expression: str) -> Any:  # noqa: ANN401 - JSON
        files = {path: data.hex() for path, data in read_pieces(folder).items() if path != SUMS}
        (tmp_path / "files.json").write_text(json.dumps(files))
        script = tmp_path / "asked.mjs"
        script.write_text(
            verifier_script()
            + 'import { readFileSync } from "node:fs";\n'
            + f"const given = JSON.parse(readFileSync({json.dumps(str(tmp_path / 'files.json'))}));\n"
            + "const files = new Map(Object.entries(given).map(([path, content]) => [path, fromHex(content)]));\n"
            + "const evidence = new Evidence(files);\n"
            + "const ended = (error) => `refused: ${error.word}`;\n"
            + f"console.log(JSON.stringify(await ({expression}).catch(ended)));\n",
            encoding="utf-8",
        )
        done = node(script)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return asked


RELEASE = 'verifyRoots(evidence).then((roots) => verifyRelease(evidence, "evidence/release", roots))'


@pytest.mark.interop
def test_the_page_follows_the_roots_in_the_same_way(
    page: Callable[[Path, str], Any], before: Path, after: Path, tmp_path: Path
) -> None:
    for folder, count in ((before, 1), (after, 5)):
        assert page(folder, "verifyRoots(evidence).then((roots) => roots.length)") == count
        assert page(folder, f"{RELEASE}.then((release) => release.version)") == 2
        assert page(folder, "verifyRoster(evidence).then((roster) => roster.boxes.length)") == 1
    mixed = Path(shutil.copytree(after, tmp_path / "mixed"))
    shutil.copytree(before / ROSTER, mixed / ROSTER, dirs_exist_ok=True)
    assert page(mixed, "verifyRoster(evidence)") == "refused: not_enough_signers"
    snapshot = mixed / "evidence" / "release" / "snapshot.json"
    snapshot.write_bytes(snapshot.read_bytes().replace(b'"version":2', b'"version":3'))
    assert page(mixed, RELEASE) == "refused: not_enough_signers"
