"""Folders dropped onto an exhibit's page from the desktop, as the browser itself gives them; and each kind of file."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from provisioning.exhibit.verifier_page import write_verifier
from tests.browser.exhibit_page import failed, runs, settled
from tests.exhibit_post import SCREENED, a_day, hq
from tests.scenarios.made_headquarters import headquarters

pytestmark = pytest.mark.browser

DEEP = "a folder with blanks, ຊື່ລາວ and a long name " + "x" * 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exhibit as headquarters writes it."""
    made = tmp_path_factory.mktemp("drop")
    home = headquarters(made / "hq")
    a_day(home, made / "box")
    assert hq(home, "exhibit", SCREENED, "--out", made / "case-17", "--case", "Court 1") == 0
    write_verifier(made / "case-17")
    return made / "case-17"


@pytest.fixture(scope="module")
def shown(browser: Browser, folder: Path) -> Iterator[Page]:
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((folder / "verify.html").as_uri())
    settled(page)
    yield page
    context.close()


def drop(page: Page, *paths: Path) -> None:
    """What a desktop does: the browser is handed paths, and makes the event itself."""
    before = runs(page)
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 200, "data": data})
    devtools.detach()
    settled(page, before=before)


def compared(page: Page) -> int:
    """How many files were the same as the copies inside the page."""
    words = page.locator("#compared .holds").inner_text()
    return int(re.findall(r"\d+", words)[-1])


def files_of(folder: Path) -> int:
    return sum(path.is_file() for path in (folder / "evidence").rglob("*"))


@pytest.mark.parametrize("name", ["evidence", "the exhibit", "an exhibit called evidence", "below other folders"])
def test_a_folder_that_is_dropped_is_checked_whatever_it_is_called(
    shown: Page, folder: Path, tmp_path: Path, name: str
) -> None:
    dropped = {
        "evidence": folder / "evidence",
        "the exhibit": folder,
        "an exhibit called evidence": tmp_path / "evidence",
        "below other folders": tmp_path / DEEP,
    }[name]
    if name == "an exhibit called evidence":
        shutil.copytree(folder, dropped)
    elif name == "below other folders":
        shutil.copytree(folder, dropped / "evidence" / DEEP / "case-17")
    drop(shown, dropped)
    assert compared(shown) == files_of(folder)
    assert shown.locator("#compared .fails").count() == 0
    expect(shown.locator("#summary")).to_have_class("holds")
    expect(shown.locator("#source")).to_contain_text("that you chose")


def test_an_altered_file_in_a_folder_that_is_dropped_is_named(shown: Page, folder: Path, tmp_path: Path) -> None:
    altered = Path(shutil.copytree(folder, tmp_path / "altered"))
    body = altered / "evidence/body.age"
    body.write_bytes(body.read_bytes()[:-1] + b"x")
    drop(shown, altered)
    expect(shown.locator("#compared .fails")).to_have_text(
        "Different from the copy inside this page: evidence/body.age"
    )
    assert failed(shown) == {"body"}
    expect(shown.locator("#summary")).to_have_class("fails")


@pytest.mark.parametrize("inside", ["evidence/entries/evidence", "a copy/evidence"])
def test_a_file_behind_which_a_second_one_hides_is_not_checked_in_its_place(
    shown: Page, folder: Path, tmp_path: Path, inside: str
) -> None:
    """Whoever opens the altered file is not told that it holds, because a good one of its name lies further inside."""
    altered = Path(shutil.copytree(folder, tmp_path / "altered"))
    (altered / inside).mkdir(parents=True)
    shutil.copyfile(folder / "evidence/record.json", altered / inside / "record.json")
    record = altered / "evidence/record.json"
    record.write_bytes(record.read_bytes().replace(b"1", b"2"))
    drop(shown, altered)
    expect(shown.locator("#compared .fails")).to_contain_text("evidence/record.json")
    expect(shown.locator("#summary")).not_to_have_class("holds")


def test_a_folder_of_something_else_is_no_exhibit(shown: Page, tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday/beach.jpg").write_bytes(b"\xff\xd8\xff")
    drop(shown, tmp_path / "holiday")
    expect(shown.locator("#source")).to_contain_text("The copies inside this page")


ALTER_EACH = """async (paths) => {
  const red = {};
  for (const path of paths) {
    const files = new Map(embedded);
    const bytes = Uint8Array.from(files.get(path));
    bytes[bytes.length >> 1] ^= 1;
    files.set(path, bytes);
    red[path] = [];
    for await (const step of allSteps(new Evidence(files)))
      if (step.state === "fails") red[path].push(step.id);
  }
  return red;
}"""


def kind_of(path: str) -> str:
    """Files of one kind are checked by the same step: entries alike, acts of headquarters alike."""
    return re.sub(r"(?<=/)\d+(?=[/.])", "N", path.replace("1.root", "first.root"))


def test_a_changed_byte_in_each_kind_of_file_of_the_evidence_turns_a_step_red(shown: Page, folder: Path) -> None:
    paths = sorted(path.relative_to(folder).as_posix() for path in (folder / "evidence").rglob("*") if path.is_file())
    kinds = {kind_of(path): path for path in paths}
    free = "evidence/exhibit.json"  # who asked and for what case: bound by the sums and the copies alone
    asked = [path for path in kinds.values() if path != free]
    assert len(asked) > 45
    red = shown.evaluate(ALTER_EACH, asked)
    assert {path for path in asked if not red[path]} == set()
