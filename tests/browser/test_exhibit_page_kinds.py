"""What `landlink-hq exhibit` writes, in a real browser: a record, a redacted copy, and a negative exhibit."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from provisioning.exhibit.verifier_page import write_verifier
from tests.browser.exhibit_page import runs, settled
from tests.exhibit_post import MORNING_S, NOON_S, SCREENED, a_day, hq
from tests.scenarios.made_headquarters import headquarters

pytestmark = pytest.mark.browser

KINDS = {
    "record": (SCREENED, "--case", "Court 1"),
    "redacted": (SCREENED, "--redact"),
    "none": ("--none", "--box", "LA-0001", "--from", MORNING_S + 1, "--to", NOON_S - 1, "--number", "ZZ9999999"),
    "since ever": ("--none", "--box", "LA-0001", "--from", 0, "--to", NOON_S - 1, "--number", "ZZ9999999"),
}


def asked(argument: object) -> str:
    """Times as they are typed."""
    if isinstance(argument, int):
        return datetime.fromtimestamp(argument, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return str(argument)


@pytest.fixture(scope="module")
def exhibits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    home = headquarters(folder / "hq")
    a_day(home, folder / "box")
    for kind, arguments in KINDS.items():
        assert hq(home, "exhibit", *map(asked, arguments), "--out", folder / kind) == 0
        write_verifier(folder / kind)
    return {kind: folder / kind for kind in KINDS}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(offline=True)
    yield context.new_page()
    context.close()


def run(page: Page, folder: Path) -> None:
    page.goto((folder / "verify.html").as_uri())
    settled(page)


def states(page: Page) -> dict[str, set[str]]:
    """Steps by what came of them."""
    found: dict[str, set[str]] = {"holds": set(), "fails": set(), "open": set()}
    for step in page.locator(".step").all():
        found[step.get_attribute("data-state") or ""].add(step.get_attribute("data-step") or "")
    return found


def choose(page: Page, folder: Path, path: str, content: bytes) -> None:
    """The exhibit again, one of its files altered."""
    (folder / path).write_bytes(content)
    before = runs(page)
    page.locator("#folder").set_input_files(folder / "evidence")
    settled(page, before=before)


@pytest.mark.parametrize("kind", KINDS)
def test_no_check_fails_in_what_headquarters_writes(page: Page, exhibits: dict[str, Path], kind: str) -> None:
    run(page, exhibits[kind])
    assert states(page)["fails"] == set()
    expect(page.locator("#summary")).to_have_class("holds")


def test_no_file_of_a_record_is_left_unread(page: Page, exhibits: dict[str, Path]) -> None:
    run(page, exhibits["record"])
    assert "unread" not in states(page)["open"]


@pytest.mark.parametrize("name", ["policy.target.json", "lists.json", "snapshot.json", "statement.cose"])
def test_an_altered_file_of_the_release_in_force_is_named(page: Page, exhibits: dict[str, Path], name: str) -> None:
    folder = exhibits["record"]
    path = f"evidence/release/{name}"
    run(page, folder)
    content = (folder / path).read_bytes()
    try:
        choose(page, folder, path, content.replace(b"1", b"2", 1) if name.endswith("json") else content[:-1] + b"x")
        assert states(page)["fails"] == {"release" if name.endswith("cose") else "release_files"}
    finally:
        (folder / path).write_bytes(content)


def test_other_words_about_an_act_of_headquarters_are_named(page: Page, exhibits: dict[str, Path]) -> None:
    folder = exhibits["record"]
    (detail,) = (folder / "evidence" / "custody").glob("*.detail.cbor")
    path = detail.relative_to(folder).as_posix()
    run(page, folder)
    content = (folder / path).read_bytes()
    try:
        choose(page, folder, path, content.replace(b"Court 1", b"Court 2"))
        assert states(page)["fails"] == {"custody"}
    finally:
        (folder / path).write_bytes(content)


def test_a_redacted_copy_says_that_its_readable_part_is_not_checked(page: Page, exhibits: dict[str, Path]) -> None:
    run(page, exhibits["redacted"])
    assert {"body", "commitment", "readable"} <= states(page)["open"]
    assert {"statement", "place", "receipt", "after", "release", "release_files"} <= states(page)["holds"]
    expect(page.locator("#summary .limit")).to_contain_text("This folder does not hold the whole record.")


def test_a_negative_exhibit_says_that_no_entry_is_missing_and_no_more(page: Page, exhibits: dict[str, Path]) -> None:
    run(page, exhibits["none"])
    assert {"hashes", "start", "leaves", "leaf_signatures", "end"} <= states(page)["holds"]
    expect(page.locator("#summary")).to_contain_text("are all here, in order and unaltered")
    expect(page.locator("#summary")).to_contain_text("rests on headquarters' word")


def test_one_from_the_logs_beginning_names_no_earlier_state_that_nobody_signed(
    page: Page, exhibits: dict[str, Path]
) -> None:
    run(page, exhibits["since ever"])
    assert states(page)["fails"] == set()
    assert "start" in states(page)["open"]
    expect(page.locator("#summary .copies")).to_contain_text("copies of the files inside this page")
    expect(page.locator("[data-step='start'] .why")).to_contain_text("reaches back to the beginning of this log")


@pytest.mark.parametrize(
    ("path", "old", "new", "red"),
    [
        ("evidence/tile/0/000.p/11", b"", b"", {"hashes", "leaves", "leaf_signatures", "end"}),
        ("evidence/tile/entries/000.p/11", b"", b"", {"leaves", "leaf_signatures", "end"}),
        ("evidence/start.checkpoint", b"\n3\n", b"\n2\n", {"start"}),
        ("evidence/after.checkpoint", b"\n10\n", b"\n11\n", {"end"}),
        ("evidence/exhibit.json", b'"first": 3', b'"first": 4', {"start", "leaf_signatures"}),
        ("evidence/exhibit.json", b'"end": 10', b'"end": 9', {"leaf_signatures", "end"}),
    ],
)
def test_an_altered_file_of_a_negative_exhibit_is_named(
    page: Page, exhibits: dict[str, Path], path: str, old: bytes, new: bytes, red: set[str]
) -> None:
    folder = exhibits["none"]
    run(page, folder)
    content = (folder / path).read_bytes()
    altered = content.replace(old, new, 1) if old else bytes([content[-1] ^ 1]).join([content[:-1], b""])
    assert altered != content
    try:
        choose(page, folder, path, altered)
        assert states(page)["fails"] == red
        expect(page.locator("#summary")).to_have_class("fails")
    finally:
        (folder / path).write_bytes(content)
