"""The life of a hit at the officer's page, in a real browser: by keyboard alone, by touch alone, over a restart."""

import csv
import json
import os
import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from provisioning.bench.desk_line import DeskLine
from provisioning.bench.headless import await_delivery
from provisioning.bench.post import SAMPLES, SERIAL, Post
from tests.browser.test_bus import passport

pytestmark = [pytest.mark.browser, pytest.mark.post]

SMALLEST: ViewportSize = {"width": 800, "height": 480}
ANSWER_MS = 15_000
TARGET_PT = 48


def listed() -> Iterator[str]:
    """Lao passports of the bench's sample list, each for one test: the same one again would be the same person."""
    with (SAMPLES / "documents.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if (row["issuing_country"], row["doc_type"]) == ("LAO", "P"):
                yield row["din"]


LISTED = listed()


def booth(browser: Browser, post: Post, *, touch: bool = False) -> Page:
    page = browser.new_page(viewport=SMALLEST, has_touch=touch)
    page.set_default_timeout(ANSWER_MS)
    page.goto(f"http://127.0.0.1:{post.page_port}/")
    expect(page.locator("#stage h1")).not_to_have_text("Starting", timeout=ANSWER_MS)
    expect(page.locator("[data-name=list].well")).to_have_count(1, timeout=ANSWER_MS)
    return page


@pytest.fixture
def page(browser: Browser, post: Post) -> Iterator[Page]:
    shown = booth(browser, post)
    yield shown
    shown.close()


def lay(page: Page, desk: DeskLine, number: str, lamp: str = "amber") -> str:
    """Lay a passport; the identifier of its result."""
    before = page.locator(".stage").get_attribute("data-of") or ""
    desk.ask(do="lay", mrz=list(passport(number)))
    stage = page.wait_for_selector(f".stage.{lamp}[data-of]:not([data-of='{before}'])", timeout=ANSWER_MS)
    desk.ask(do="remove")
    assert stage is not None
    return stage.get_attribute("data-of") or ""


def key_of(page: Page, words: str) -> str:
    """The key of the button with these words."""
    return page.locator(".outcomes button", has_text=words).first.get_attribute("data-key") or "no key"


def stands(page: Page, words: str) -> None:
    """Wait until the case stands where these words say, and that is recorded: nothing is drawn anew after it."""
    expect(page.locator(".now")).to_contain_text(words, timeout=ANSWER_MS)
    expect(page.locator(".moves", has_text="Not recorded yet")).to_have_count(0, timeout=ANSWER_MS)


def test_the_whole_life_by_keyboard_alone(page: Page, desk: DeskLine) -> None:
    of = lay(page, desk, next(LISTED))
    press = page.keyboard.press
    press("Space")
    stands(page, "Possible match. Not confirmed.")
    press(key_of(page, "Compared"))
    stands(page, "You compared")
    press(key_of(page, "second check"))
    stands(page, "Second check.")
    press(key_of(page, "Seeks asylum"))
    expect(page.locator("button[name=on][aria-pressed=true]")).to_have_count(1)
    press(key_of(page, "Ask headquarters"))
    stands(page, "Headquarters is asked.")

    code = page.locator(".hears input[name=code]")
    for _ in range(40):
        if code.evaluate("node => node === document.activeElement"):
            break
        press("Tab")
    page.keyboard.type("K7Q")
    press("Enter")
    expect(page.locator(".hears .problem")).to_contain_text("letters and digits")
    code.evaluate("node => node.blur()")

    press(key_of(page, "Say what was done"))
    press("ArrowRight")  # from the first to the second: turned back
    press("Tab")
    page.keyboard.type("The number is on the list")
    press("Enter")
    expect(page.locator(".panel:not([hidden]) .problem")).to_contain_text("law or rule")
    expect(page.locator("[name=legal_basis]:focus")).to_have_count(1)
    page.keyboard.type("Immigration law, article 12")
    press("Enter")
    expect(page.locator(f".stage[data-of='{of}']")).to_have_count(0, timeout=ANSWER_MS)
    expect(page.locator(f"#cases [data-of='{of}']")).to_have_count(0, timeout=ANSWER_MS)


def test_headquarters_confirms_by_a_code_and_by_a_written_answer(post: Post, page: Page, desk: DeskLine) -> None:
    """Its code is said over a telephone; another case's answer comes over the link and is news until it is opened."""
    cases = [asked(page, desk), asked(page, desk)]
    page.keyboard.press("Escape")
    (by_voice, spoken), (written, code) = cases
    said = post.audit("voice", "--box", SERIAL, "--case", spoken, "--confirmed", "--by", "Duty desk")
    read_back = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z*~$=]", said)
    assert read_back is not None
    page.click(f"[data-of='{by_voice}'][data-do=details]")
    stands(page, "Headquarters is asked.")
    code_box = page.locator(".hears input[name=code]")
    code_box.fill("0000-0000-0")
    code_box.press("Enter")
    expect(page.locator(".hears .problem")).to_be_visible()
    code_box.fill(read_back[0])
    code_box.press("Enter")
    stands(page, "Headquarters has confirmed the match.")
    page.keyboard.press("Escape")
    expect(page.locator("#cases li")).not_to_have_count(0)

    await_delivery(post.folders)
    post.audit("pull")
    post.audit("answer", code, "--not-confirmed", "--words", "Another birth date", "--by", "Duty desk")
    expect(page.locator("#news")).to_contain_text("There is news", timeout=4 * ANSWER_MS)
    assert "confirmed" not in page.locator("main").inner_text()
    page.click(f"[data-of='{written}'][data-do=details]")
    stands(page, "Headquarters says: not the same.")
    expect(page.locator("#news")).not_to_contain_text("There is news")
    page.keyboard.press("Escape")


def asked(page: Page, desk: DeskLine) -> tuple[str, str]:
    """A listed document of which headquarters is asked: its case, and the code that is read out."""
    of = lay(page, desk, next(LISTED))
    page.keyboard.press("Space")
    stands(page, "Possible match. Not confirmed.")
    for button, words in (
        ("Compared", "You compared"),
        ("second check", "Second check."),
        ("Ask headquarters", "is asked"),
    ):
        page.keyboard.press(key_of(page, button))
        stands(page, words)
    return of, (page.locator(".contact .spoken strong").get_attribute("aria-label") or "").replace(" ", "-")


def test_the_same_by_touch_alone_on_the_smallest_screen(browser: Browser, post: Post, desk: DeskLine) -> None:
    page = booth(browser, post, touch=True)
    of = lay(page, desk, next(LISTED))

    def tap(words: str) -> None:
        button = page.locator(".stage button:visible, .stage .choice label:visible", has_text=words).first
        in_reach(button)
        button.tap()

    tap("Open")
    stands(page, "Possible match. Not confirmed.")
    tap("Not the same")
    tap("The number was misread")
    tap("Not the same")
    stands(page, "Not the same.")
    tap("Say what was done")
    tap("Passed")
    tap("Record it")
    expect(page.locator(f".stage[data-of='{of}']")).to_have_count(0, timeout=ANSWER_MS)
    page.close()


def in_reach(button: Locator) -> None:
    """A target that a finger hits, whole on the screen (WCAG 2.2, 2.5.8 asks for half of it)."""
    expect(button).to_be_in_viewport(ratio=1, timeout=ANSWER_MS)
    height = button.evaluate("node => node.getBoundingClientRect().height")
    assert height >= TARGET_PT, (button.inner_text(), height)


def test_esc_hides_everything_in_the_same_frame_whatever_is_being_written(page: Page, desk: DeskLine) -> None:
    number = next(LISTED)
    of = lay(page, desk, number)
    page.keyboard.press("Space")
    stands(page, "Possible match. Not confirmed.")
    page.keyboard.press(key_of(page, "Not the same"))
    page.keyboard.type("Another birth date")
    left = page.evaluate(
        """() => {
            const key = new KeyboardEvent("keydown", { key: "Escape", bubbles: true });
            document.activeElement.dispatchEvent(key);
            return document.body.innerText;
        }"""
    )
    for word in ("match", "PASSENGER", number, "Telephone", "Another birth"):
        assert word not in left, word
    page.wait_for_selector(f".stage:not([data-of='{of}']), .stage.amber:not(.open)")
    page.click(f"[data-of='{of}'][data-do=details]")
    stands(page, "Possible match. Not confirmed.")
    page.keyboard.press(key_of(page, "Not the same"))
    expect(page.locator(".panel:not([hidden]) [name=reason]")).to_have_value("Another birth date")
    page.keyboard.press("Enter")
    stands(page, "Not the same.")
    page.keyboard.press(key_of(page, "Say what was done"))
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator(f".stage[data-of='{of}']")).to_have_count(0, timeout=ANSWER_MS)


def test_what_is_being_written_survives_a_page_that_is_drawn_anew(page: Page, desk: DeskLine) -> None:
    lay(page, desk, next(LISTED))
    page.keyboard.press("Space")
    stands(page, "Possible match. Not confirmed.")
    page.keyboard.press(key_of(page, "Write a note"))
    page.keyboard.type("Spoke with he")
    page.keyboard.press("Home")
    desk.ask(do="unplug")
    expect(page.locator("[data-name=scanner]")).to_contain_text("not connected", timeout=ANSWER_MS)
    page.evaluate("stage => show({ stage })", page.locator("#stage").inner_html())
    reason = page.locator(".panel:not([hidden]) [name=reason]:focus")
    expect(reason).to_have_value("Spoke with he")
    assert reason.evaluate("node => node.selectionStart") == 0
    desk.ask(do="plug")
    expect(page.locator("[data-name=devices]")).to_contain_text("canner", timeout=ANSWER_MS)
    page.keyboard.press("Escape")


def test_the_next_shift_looks_at_every_case_and_takes_them_over(page: Page, desk: DeskLine) -> None:
    page.keyboard.press("s")
    page.keyboard.type("B-1")
    page.keyboard.press("Enter")
    expect(page.locator("#badge")).to_contain_text("B-1")
    page.keyboard.press("Escape")
    of = lay(page, desk, next(LISTED))
    page.keyboard.press("s")
    page.keyboard.type("B-2")
    page.keyboard.press("Enter")
    expect(page.locator("#badge")).to_contain_text("B-2")
    expect(page.locator("#shift [name=gave]")).to_have_value("B-1")
    take = page.locator("#shift button.go")
    while page.locator("#shift [data-do=look]").count():
        expect(take).to_be_disabled()
        looking = page.locator("#shift [data-do=look]").first
        looked = looking.get_attribute("data-of")
        looking.click()
        page.wait_for_selector(f".stage.open[data-of='{looked}']")
        page.keyboard.press("Escape")
        page.wait_for_selector(".stage:not(.open)")
        page.keyboard.press("s")
    expect(take).to_be_enabled()
    take.click()
    expect(page.locator("#shift-sheet[open]")).to_have_count(0, timeout=ANSWER_MS)
    page.click(f"[data-of='{of}'][data-do=details]")
    stands(page, "Possible match. Not confirmed.")
    page.keyboard.press("Escape")


def test_a_restart_of_the_booth_keeps_both_sides_and_the_stage(post: Post, page: Page, desk: DeskLine) -> None:
    of = lay(page, desk, next(LISTED))
    page.keyboard.press("Space")
    stands(page, "Possible match. Not confirmed.")
    page.keyboard.press(key_of(page, "Compared"))
    stands(page, "You compared")
    before = page.locator(".compare").inner_text()
    processes = json.loads((post.folders.out / "processes.json").read_text("utf-8"))
    os.kill(int(processes["booth"]["pid"]), signal.SIGKILL)
    expect(page.locator("#away")).to_be_visible(timeout=ANSWER_MS)
    expect(page.locator("#away")).to_be_hidden(timeout=2 * ANSWER_MS)
    page.wait_for_selector(f"#cases [data-of='{of}']", timeout=2 * ANSWER_MS)
    page.click(f"#cases [data-of='{of}']")
    stands(page, "You compared")
    assert page.locator(".compare").inner_text() == before
