"""A bus: sixty documents through one lane, with a real browser as the officer and headquarters as the witness.

The whole post runs as its real processes; the desk lays documents as fast as the lane takes them. Among the sixty: one
is left in the slot, one is laid early, one is laid twice, three cannot be read, a family of three crosses together, and
two listed documents are set aside while the lane goes on. In the end each outcome must sit with its person.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from provisioning.bench.desk_line import DeskLine, Edge
from provisioning.bench.headless import await_delivery
from provisioning.bench.mrz_writer import MrzFields, write_td3
from provisioning.bench.post import Post

pytestmark = [pytest.mark.browser, pytest.mark.post]

LISTED = "PA0047113"
LISTED_TOO = "P88234683"
"""Two Lao passports that the bench's sample list holds as stolen or lost."""
ANSWER_MS = 15_000


@dataclass
class Bus:
    """What came, and what the officer said: the truth that headquarters' records are held against.

    Attributes:
        said: Document number to (outcome, implied), for persons whose outcome the test knows.
        laid: How many documents were laid, typed pages included.
    """

    page: Page
    desk: DeskLine
    said: dict[str, tuple[str, bool]] = field(default_factory=dict)
    laid: int = 0
    _last: str = ""

    def lay(self, number: str, *, read: bool = True, leave: bool = False) -> None:
        """Lay a passport and wait until its result is on the screen."""
        self.put(number, read=read)
        self.result()
        if not leave:
            self.desk.ask(do="remove")

    def put(self, number: str, *, read: bool = True) -> None:
        """Lay a passport; the desk sends it as soon as the scanner is armed."""
        self.laid += 1
        mrz = list(passport(number))
        self.desk.ask(do="lay", mrz=mrz, **({} if read else {"read": []}))
        self.said.setdefault(number, ("passed", True))

    def result(self, lamp: str = "") -> str:
        """Wait for the next result; its record's identifier."""
        stage = f".stage{'.' + lamp if lamp else ''}[data-of]:not([data-of='{self._last}'])"
        shown = self.page.wait_for_selector(stage, timeout=ANSWER_MS)
        assert shown is not None
        self._last = shown.get_attribute("data-of") or ""
        return self._last

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def say(self, number: str, key: str, outcome: str) -> None:
        """Say with one key what was done with the person in view."""
        self.press(key)
        self.said[number] = (outcome, False)
        expect(self.page.locator(f".outcomes[data-of='{self._last}']")).to_have_count(0, timeout=ANSWER_MS)

    def say_of_match(self, number: str, outcome: str) -> None:
        """Say what was done with a possible match: with the reason and the law or rule."""
        self.page.click("[data-panel=outcome]")
        self.page.check(f"[name=outcome][value='{outcome}']", force=True)
        self.page.fill(".panel:not([hidden]) [name=note]", "As headquarters said by telephone")
        self.page.fill(".panel:not([hidden]) [name=legal_basis]", "Immigration law, article 12")
        self.press("Enter")
        self.said[number] = (outcome, False)
        expect(self.page.locator(f".outcomes[data-of='{self._last}']")).to_have_count(0, timeout=ANSWER_MS)

    def shot(self, name: str, folder: Path) -> None:
        self.page.screenshot(path=str(folder / f"{name}.png"))


def passport(number: str) -> tuple[str, ...]:
    """A Lao passport of a synthetic holder, named after its number."""
    letters = "".join(chr(65 + int(digit)) for digit in number[-2:] if digit.isdigit())
    return write_td3(
        MrzFields(
            document_code="P",
            issuing_state="LAO",
            document_number=number if number[-1].isdigit() else "PX0000000",
            nationality="LAO",
            date_of_birth="870304",
            sex="M",
            date_of_expiry="310630",
            primary_identifier=f"BUS{letters}",
            secondary_identifier="PASSENGER",
        )
    )


@pytest.fixture
def bus(browser: Browser, post: Post, desk: DeskLine) -> Bus:
    page = browser.new_page(viewport={"width": 800, "height": 480})
    page.goto(f"http://127.0.0.1:{post.page_port}/")
    page.wait_for_selector(".stage.ready h1:text('Ready')", timeout=ANSWER_MS)
    page.wait_for_selector("[data-name=list].well", timeout=ANSWER_MS)
    return Bus(page=page, desk=desk)


def test_a_bus_of_sixty_documents_each_outcome_sits_with_its_person(post: Post, bus: Bus) -> None:
    shots = post.folders.out / "shots"
    shots.mkdir()
    work_the_bus(bus, shots)
    await_delivery(post.folders)
    for verb in (("pull",), ("verify",), ("open", "--out", str(post.folders.out / "opened.jsonl"))):
        post.audit(*verb)
    opened = [json.loads(line) for line in (post.folders.out / "opened.jsonl").read_text("utf-8").splitlines()]
    screened = [row for row in opened if "decision" in row]
    assert bus.laid == 60
    assert len(screened) == 60, "each document laid or typed has one record"
    check_each_person(screened, bus)


def work_the_bus(bus: Bus, shots: Path) -> None:
    numbers = iter(f"PB{number:07}" for number in range(1, 100))
    first_half(bus, numbers, shots)
    second_half(bus, numbers, shots)
    while bus.laid < 60:
        bus.lay(next(numbers))
    expect(bus.page.locator(".count")).to_have_text("0")
    bus.press("c")  # the bus is through: the last one has passed
    bus.press("Enter")
    bus.page.wait_for_selector(".stage.ready", timeout=ANSWER_MS)


def first_half(bus: Bus, numbers: Iterator[str], shots: Path) -> None:
    def quiet(count: int) -> None:
        for _ in range(count):
            bus.lay(next(numbers))

    bus.shot("ready", shots)
    quiet(7)
    bus.shot("nothing-found", shots)
    bus.lay(next(numbers), leave=True)  # left in the slot: the next one is laid on top of it
    quiet(4)

    told = next(numbers)
    bus.lay(told)
    bus.say(told, "3", "turned back")  # nothing found, but the officer's own check decides

    twice = next(numbers)
    bus.lay(twice)
    bus.lay(twice)

    mother, child, aunt = next(numbers), next(numbers), next(numbers)
    bus.lay(mother)
    for relative in (child, aunt):
        bus.press("p")
        bus.page.wait_for_selector("[data-do=person][aria-pressed=true]", timeout=ANSWER_MS)
        bus.lay(relative)
    quiet(5)

    # One cannot be read and is laid again as the same person.
    again = next(numbers)
    bus.lay(again, read=False)
    bus.press("d")
    bus.page.wait_for_selector("[data-do=document][aria-pressed=true]", timeout=ANSWER_MS)
    bus.put(again)
    bus.result("green")
    bus.desk.ask(do="remove")
    quiet(4)

    # One cannot be read and is typed in as the same person.
    typed = next(numbers)
    bus.lay(typed, read=False)
    type_in(bus, typed, shots)
    quiet(3)


def second_half(bus: Bus, numbers: Iterator[str], shots: Path) -> None:
    def quiet(count: int) -> None:
        for _ in range(count):
            bus.lay(next(numbers))

    # A listed document, and the next one is laid early: the referral is seen all the same, and the lane goes on.
    bus.put(LISTED)
    early = next(numbers)
    bus.put(early)
    bus.result("green")
    bus.desk.ask(do="remove")
    assert amber_ns(bus.desk)[-1] >= 900_000_000, "a referral stays long enough to be seen"
    waiting = bus.page.get_attribute("#cases li button", "data-of") or ""
    bus.shot("set-aside", shots)
    quiet(4)

    # A second one, and a page that cannot be read: alike towards the public.
    bus.lay(LISTED_TOO)
    assert "Please wait" in bus.page.inner_text(".stage")
    assert "match" not in bus.page.content(), "nothing of it is in the page before the officer opens it (I11)"
    alike = bus.page.inner_text(".result")
    waiting_too = bus._last
    quiet(3)
    unread = "unread"
    bus.lay(unread, read=False)
    assert bus.page.inner_text(".result") == alike
    unread_record = bus._last
    quiet(5)

    answer_case(bus, waiting, LISTED, "handed over", shots)
    quiet(2)
    answer_case(bus, waiting_too, LISTED_TOO, "turned back", shots)
    answer_case(bus, unread_record, unread, "traveller left", shots)


def type_in(bus: Bus, number: str, shots: Path) -> None:
    """Type a page in by keyboard; a mistake is named, and nothing typed is lost by it."""
    bus.laid += 1
    page = bus.page
    bus.press("t")
    page.wait_for_selector("#typed[open]", timeout=ANSWER_MS)
    page.keyboard.type("lao")
    page.keyboard.press("Tab")
    page.keyboard.type(number)
    page.fill("#typed [name=primary_identifier]", "BUSTYPED")
    page.fill("#typed [name=date_of_birth]", "4.33.1987")
    page.check("#typed [name=belongs][value=document]", force=True)
    page.keyboard.press("Enter")
    page.wait_for_selector("#typed .problem:not([hidden])", timeout=ANSWER_MS)
    bus.shot("typed-wrong", shots)
    assert "Born" in page.inner_text("#typed .problem")
    assert page.input_value("#typed [name=document_number]") == number
    page.fill("#typed [name=date_of_birth]", "4.3.1987")
    page.keyboard.press("Enter")
    bus.result("green")
    bus.desk.ask(do="remove")


def answer_case(bus: Bus, of: str, number: str, outcome: str, shots: Path) -> None:
    """Open one who waits, say what was done; the details hide with one key before, and by themselves after."""
    bus.page.click(f"#cases [data-of='{of}']")
    bus.page.wait_for_selector(f".stage.open[data-of='{of}']", timeout=ANSWER_MS)
    bus.shot(f"open-{outcome}", shots)
    bus.press("Escape")
    bus.page.wait_for_selector(f".stage:not([data-of='{of}'])", timeout=ANSWER_MS)
    bus.page.click(f"#cases [data-of='{of}']")
    bus.page.wait_for_selector(f".stage.open[data-of='{of}']", timeout=ANSWER_MS)
    last, bus._last = bus._last, of
    if number == "unread":
        bus.say(number, "5", outcome)
    else:
        bus.say_of_match(number, outcome)
    bus._last = last


def amber_ns(desk: DeskLine) -> list[int]:
    """How long each amber light was lit, as the observer of the pins saw it, nanoseconds."""
    lit: list[int] = []
    since = 0
    while not desk.events.empty():
        event = desk.events.get()
        if isinstance(event, Edge) and event.lamp == "amber":
            if not event.on:
                lit.append(event.t_ns - since)
            since = event.t_ns
    return lit


def check_each_person(screened: list[dict[str, Any]], bus: Bus) -> None:
    by_person: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in screened:
        by_person[row["person"]["id"]].append(row)
    seen: set[str] = set()
    for rows in by_person.values():
        numbers = {row["document"]["document_number"] for row in rows if row["document"]} or {"unread"}
        assert len(numbers) == 1, "one person's documents are one person's"
        number = numbers.pop()
        assert number not in seen, "nobody is two persons"
        seen.add(number)
        outcomes = [(row["outcome"]["outcome"], row["outcome"]["implied"]) for row in rows if row["outcome"]]
        assert outcomes == [bus.said[number]], f"the outcome of {number}"
        assert len({row["crossing"]["id"] for row in rows}) == 1
    assert seen == set(bus.said)
    families = defaultdict(list)
    for row in screened:
        families[row["crossing"]["id"]].append(row["person"]["number"])
    assert sorted(sorted(numbers) for numbers in families.values() if len(set(numbers)) > 1) == [[1, 2, 3]]
    assert sorted(len(rows) for rows in by_person.values() if len(rows) > 1) == [2, 2, 2]
