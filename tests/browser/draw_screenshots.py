"""Draws README's pictures from a running post: `make screenshots`."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from provisioning.bench import tray
from provisioning.bench.post import SAMPLES, Post, prepare
from provisioning.bench.specimens import cast
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.scenarios.rehearsed import free_port

PICTURES = Path(__file__).parent / "pictures"
SCREEN = {"width": 1280, "height": 800}


def lay(tray_page: Page, label: str) -> None:
    """Lay the specimen of that label on the scanner, on the tray's page."""
    tray_page.locator("button.specimen", has_text=label).first.click()


def main() -> None:
    """Start a post, lay three documents, draw what the officer, the lane and the tray show."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        post = Post(prepare(Path(folder) / "out"), page_port=free_port())
        tray_port = free_port()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            post.enrol(SAMPLES / "documents.csv", SAMPLES / "persons.xml")
            post.start()
            with tray.serve(post, cast(datetime.now(UTC).date(), 1, 20), port=tray_port):
                draw(browser.new_page(viewport=SCREEN), browser.new_page(viewport=SCREEN), post.page_port, tray_port)
        finally:
            browser.close()
            post.stop()


def draw(booth: Page, tray_page: Page, page_port: int, tray_port: int) -> None:
    """The four pictures."""
    booth.goto(f"http://127.0.0.1:{page_port}/")
    tray_page.goto(f"http://127.0.0.1:{tray_port}/")
    say_badge(booth, "B-4471")
    lay(tray_page, "Passport LAO")
    booth.wait_for_selector(".stage.green[data-of]")
    booth.screenshot(path=PICTURES / "nothing-found.png")
    lay(tray_page, "Listed document")
    booth.wait_for_selector(".stage.amber[data-of]")
    booth.screenshot(path=PICTURES / "please-wait.png")
    lay(tray_page, "Listed person")
    booth.wait_for_selector("#cases li")
    booth.wait_for_selector(".stage.amber[data-of]")
    booth.keyboard.press("Space")
    booth.wait_for_selector(".stage[data-open]")
    for words in ("Compared", "second check", "Ask headquarters"):
        booth.click(f".moves button:has-text('{words}')")
        booth.wait_for_selector(f".moves:not(:has-text('{words}'))")
    booth.wait_for_selector(".hears")
    booth.screenshot(path=PICTURES / "possible-match.png")
    tray_page.wait_for_selector("#amber.on")
    tray_page.screenshot(path=PICTURES / "tray.png")


def say_badge(booth: Page, badge: str) -> None:
    """Say who is at the booth."""
    booth.keyboard.press("s")
    booth.keyboard.type(badge)
    booth.keyboard.press("Enter")
    booth.wait_for_selector(f"#badge:has-text('{badge}')")
    booth.keyboard.press("Escape")


if __name__ == "__main__":
    main()
