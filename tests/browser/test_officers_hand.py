"""What an officer's hand does by mistake at the page, in a real browser: nothing is said that was not meant."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from provisioning.bench.desk_line import DeskLine
from provisioning.bench.post import Post
from tests.browser.test_bus import LISTED, passport

pytestmark = [pytest.mark.browser, pytest.mark.post]

SMALLEST: ViewportSize = {"width": 800, "height": 480}


@pytest.fixture
def page(browser: Browser, post: Post) -> Iterator[Page]:
    shown = browser.new_page(viewport=SMALLEST)
    shown.goto(f"http://127.0.0.1:{post.page_port}/")
    expect(shown.locator("#stage h1")).not_to_have_text("Starting", timeout=15_000)
    expect(shown.locator("[data-name=list].well")).to_have_count(1, timeout=15_000)
    yield shown
    shown.close()


def lay(page: Page, desk: DeskLine, number: str, lamp: str, *, read: bool = True) -> str:
    """Lay a passport; the identifier of its result."""
    before = page.locator(".stage").get_attribute("data-of") or ""
    desk.ask(do="lay", mrz=list(passport(number)), **({} if read else {"read": []}))
    stage = page.wait_for_selector(f".stage.{lamp}[data-of]:not([data-of='{before}'])", timeout=15_000)
    desk.ask(do="remove")
    assert stage is not None
    return stage.get_attribute("data-of") or ""


def test_enter_in_the_note_says_nothing_of_what_was_done(page: Page, desk: DeskLine) -> None:
    of = lay(page, desk, "PA1234500", "amber", read=False)  # a page that cannot be read, so no possible match
    page.keyboard.press("Space")
    note = page.locator(f"[data-keep='{of}']")
    note.fill("Telephoned the duty officer")
    note.press("Enter")
    expect(page.locator("#said")).to_have_text("Choose what was done.")
    expect(page.locator(f".outcomes[data-of='{of}']")).to_have_count(1)
    page.keyboard.press("4")
    expect(page.locator(f".outcomes[data-of='{of}']")).to_have_count(0)


def test_what_was_typed_for_one_traveller_is_gone_when_another_s_result_has_come(page: Page, desk: DeskLine) -> None:
    issuer = page.locator("#typed [name=issuing_state]")
    lay(page, desk, "PA1234501", "green")
    page.keyboard.press("t")
    page.keyboard.type("lao")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    expect(issuer).to_have_value("lao")
    page.keyboard.press("Escape")
    lay(page, desk, "PA1234502", "green")
    page.keyboard.press("t")
    expect(issuer).to_have_value("")


def test_same_person_pressed_by_mistake_is_taken_back_by_the_same_key(page: Page, desk: DeskLine) -> None:
    lay(page, desk, "PA1234503", "green")
    said = page.locator("#belongs strong")
    for key, whose in (("d", "Same person"), ("p", "Another person")):
        page.keyboard.press(key)
        expect(said).to_have_text(whose)
        page.keyboard.press(key)
        expect(said).to_have_text("Next traveller")


def test_whoever_reads_long_details_is_told_and_scrolls_by_key(page: Page, desk: DeskLine) -> None:
    lay(page, desk, LISTED, "amber")
    page.keyboard.press("Space")
    result = page.locator(".result[data-more]")
    expect(result).to_have_count(1)
    page.keyboard.press("PageDown")
    expect(result.locator(".contact")).not_to_be_in_viewport()
    expect(page.locator(".now h1")).to_be_in_viewport()  # what to do stays in view
    page.keyboard.press("Escape")
