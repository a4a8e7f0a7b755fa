"""What tests of an exhibit's page wait for, and read off it."""

from playwright.sync_api import Page, expect


def settled(page: Page, *, before: str = "") -> None:
    """Wait for the end of the next run of the checks."""
    expect(page.locator(f"body[data-done]:not([data-done='']):not([data-done='{before}'])")).to_have_count(
        1, timeout=60_000
    )


def runs(page: Page) -> str:
    """Which run of the checks has ended."""
    return page.locator("body").get_attribute("data-done") or ""


def failed(page: Page) -> set[str]:
    """Steps with a cross."""
    return {step.get_attribute("data-step") or "" for step in page.locator(".step.fails").all()}
