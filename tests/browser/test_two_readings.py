"""Scanner and camera read a page differently: the officer is shown exactly which characters, on the smallest screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from provisioning.bench.desk_line import DeskLine
from provisioning.bench.post import CAMERA_WAIT_MS, SAMPLES, Post, prepare
from tests.browser.test_bus import passport
from tests.browser.test_hit_life import ANSWER_MS, booth
from tests.scenarios.rehearsed import free_port

pytestmark = [pytest.mark.browser, pytest.mark.post]

OCR_B = Path("/usr/share/fonts/opentype/ocr-b/OCRB.otf")


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """A post whose light waits for the camera as long as it may, for a test machine is busy."""
    running = Post(prepare(tmp_path_factory.mktemp("post") / "out"), page_port=free_port())
    try:
        running.enrol(SAMPLES / "documents.csv", SAMPLES / "persons.xml")
        config = running.folders.config
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace(f"wait_ms = {CAMERA_WAIT_MS}", "wait_ms = 2000"), encoding="utf-8")
        running.start()
        yield running
    finally:
        running.stop()


def lay(page: Page, desk: DeskLine, printed: tuple[str, ...], read: tuple[str, ...]) -> None:
    """Lay a page that the scanner reads otherwise, and take it away when its own result is lit."""
    before = page.locator(".stage").get_attribute("data-of") or ""
    desk.ask(do="lay", mrz=list(printed), read=list(read))
    lit = ", ".join(f".stage.{lamp}[data-of]:not([data-of='{before}'])" for lamp in ("amber", "green"))
    page.wait_for_selector(lit, timeout=ANSWER_MS)
    desk.ask(do="remove")


def test_the_officer_is_asked_to_look_at_exactly_those_characters(
    browser: Browser, post: Post, desk: DeskLine, tmp_path: Path
) -> None:
    if not OCR_B.exists():
        pytest.skip("no OCR-B on this machine: the simulated page cannot be read")
    page = booth(browser, post)
    for number in ("PX7000001", "PX7000002"):  # the first one loads what the reader needs
        printed = passport(number)
        read = (printed[0][:6] + "X" + printed[0][7:], printed[1])
        lay(page, desk, printed, read)
    page.keyboard.press("Space")
    expect(page.locator(".said-why")).to_have_text("Scanner and camera read one character differently.")
    expect(page.locator(".second .which")).to_have_text("Line 1 of 2, character 7")
    expect(page.locator(".second mark")).to_have_text(["X", printed[0][6]])
    page.screenshot(path=tmp_path / "two_readings.png")
    page.close()


def test_a_page_that_may_have_been_read_wrongly_is_typed_in_beginning_with_what_was_read(
    browser: Browser, post: Post, desk: DeskLine, tmp_path: Path
) -> None:
    page = booth(browser, post)
    printed = passport("PX7000003")
    lay(page, desk, printed, (printed[0], "PX74" + printed[1][4:]))
    expect(page.locator("[data-filled]")).to_have_count(0)  # nothing personal before somebody opens it
    page.keyboard.press("Space")
    page.get_by_role("button", name="Type it in, begun with what was read").click()
    page.screenshot(path=tmp_path / "typed.png")
    expect(page.locator("#typed [name=document_number]")).to_have_value("PX7400003")
    expect(page.locator("#typed [name=date_of_birth]")).to_have_value("4.3.1987")
    expect(page.locator("#typed [name=belongs][value=document]")).to_be_checked()
    page.locator("#typed [name=document_number]").fill("PX7000003")
    page.locator("#typed .go").click()
    expect(page.locator("#typed")).not_to_be_visible(timeout=ANSWER_MS)
    page.close()
