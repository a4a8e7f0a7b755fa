"""A desk of the carrier profile, its real processes: what it answers, and that nothing of a holder is anywhere."""

import json
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.formats.status import UplinkStatus, parse_status
from provisioning.bench.desk_line import DeskLine, Edge
from provisioning.bench.mrz_writer import MrzFields, write_td3
from provisioning.bench.post import SAMPLES, Post, prepare
from tests.scenarios.post_at_work import until
from tests.scenarios.rehearsed import free_port

LISTED = "PA0047113"
FAMILY, GIVEN, BORN = "XAYSOMBATH", "DUANGCHANH", "870304"
"""A synthetic holder; none of it may be found in anything that the box wrote or sent."""


def passport(number: str = "PA0099001") -> list[str]:
    fields = MrzFields(
        document_code="P",
        issuing_state="LAO",
        primary_identifier=FAMILY,
        secondary_identifier=GIVEN,
        document_number=number,
        nationality="LAO",
        date_of_birth=BORN,
        sex="F",
        date_of_expiry="310630",
    )
    return list(write_td3(fields))


@dataclass
class Desk:
    """The desk while it works."""

    post: Post
    line: DeskLine

    def lay(self, lines: list[str]) -> str:
        """Lay a document; the lamp that answers it."""
        self.line.ask(do="lay", mrz=lines)
        while True:
            seen = self.line.events.get(timeout=20)
            if isinstance(seen, Edge) and seen.on and seen.lamp != "buzzer":
                self.line.ask(do="remove")
                return seen.lamp

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.post.page_port}{path}", timeout=30) as answer:
            return bytes(answer.read())

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("/state"))
        return found

    def answered(self, lines: list[str]) -> tuple[str, str]:
        lamp = self.lay(lines)
        return lamp, str(until(self.state, lambda state: state["answer"])["answer"])


@contextmanager
def at_work(out: Path) -> Generator[Desk]:
    post = Post(prepare(out), page_port=free_port())
    try:
        post.enrol(SAMPLES / "documents.csv", SAMPLES / "persons.xml")
        config = post.folders.config
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("[post]\n", '[post]\nprofile = "carrier"\n'), encoding="utf-8")
        post.start()
        line = DeskLine(post.folders.desk / "desk.sock")
        try:
            desk = Desk(post=post, line=line)
            until(desk.state, lambda state: not any(thing["alarm"] for thing in state["quiet"]))  # the list key is here
            yield desk
        finally:
            line.close()
    finally:
        post.stop()


def written(post: Post) -> Iterator[tuple[Path, bytes]]:
    """Every byte that the box wrote, what it sent, and what headquarters opened of it."""
    for folder in (post.folders.box, post.folders.runtime, post.folders.journals, post.folders.collector):
        for path in folder.rglob("*"):
            if path.is_file():
                yield path, path.read_bytes()
    opened = post.folders.out / "opened.jsonl"
    yield opened, opened.read_bytes()


@dataclass(frozen=True)
class Day:
    """What four documents at a desk left."""

    post: Post
    answers: list[tuple[str, str]]
    pages: list[bytes]
    lines: list[dict[str, Any]]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A free document, a listed one, one whose number was misread, and a page that is none."""
    misread = passport()
    misread[1] = misread[1][:9] + str((int(misread[1][9]) + 1) % 10) + misread[1][10:]
    with at_work(tmp_path_factory.mktemp("carrier") / "out") as desk:
        answers, pages = [], []
        for laid in (passport(), passport(LISTED), misread, ["NOT<A<PASSPORT<<<<", "X" * 20]):
            answers.append(desk.answered(laid))
            pages += [desk.get("/"), desk.get("/state")]
        folders = desk.post.folders
        sent = folders.runtime / "uplink.status"
        until(lambda: parse_status(sent.read_bytes(), UplinkStatus), lambda status: not status.not_sent)
        opened = folders.out / "opened.jsonl"
        for verb in (("pull",), ("verify",), ("open", "--out", str(opened))):
            desk.post.audit(*verb)
        lines = [json.loads(line) for line in opened.read_text(encoding="utf-8").splitlines()]
        yield Day(post=desk.post, answers=answers, pages=pages, lines=lines)


def test_a_desk_says_continue_or_whom_to_call(day: Day) -> None:
    call = ("amber", "Call duty officer, 1191")
    assert day.answers == [("green", "Continue"), call, call, call]


def test_a_record_has_number_and_answer_and_asked_about_documents_alone(day: Day) -> None:
    assert [(line["document_number"], line["call"], line["why"]) for line in day.lines] == [
        ("PA0099001", False, ""),
        (LISTED, True, "listed"),
        ("", True, "unreadable"),
        ("", True, "unreadable"),
    ]
    assert [[answer["list_name"] for answer in line["lists"]] for line in day.lines] == [["documents"]] * 4


def test_no_byte_that_the_box_wrote_sent_printed_or_showed_is_of_a_holder(day: Day) -> None:
    secrets = [word.encode() for word in (FAMILY, GIVEN, BORN, FAMILY.title(), "1987-03-04", "4 March 1987")]
    files = dict(written(day.post))
    assert any(LISTED.encode() in content for content in files.values())  # the search works
    assert any(path.suffix == ".age" for path in files)
    assert any(path.name == "booth.txt" for path in files)
    assert [(str(path), secret) for path, content in files.items() for secret in secrets if secret in content] == []
    assert [secret for page in day.pages for secret in secrets if secret in page] == []


def test_headquarters_finds_and_counts_what_a_desk_asked(day: Day) -> None:
    assert LISTED in day.post.audit("find", "--number", LISTED)
    assert "told to call (listed)" in day.post.audit("find", "--number", LISTED, "--referred")
    assert day.post.audit("find", "--name", FAMILY).startswith("No record answers this among 4 of 1 box.")
    today = datetime.now(UTC).date().isoformat()
    assert f"  {today}: 4 documents of carriers, 3 to call" in day.post.audit("report")
