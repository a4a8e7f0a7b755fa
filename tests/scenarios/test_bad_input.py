"""Whatever comes in wrong to a whole post, somebody is told in plain words, and no record is lost (I5, I8).

The doors of the recorder under two uids: test_recorder_doors.py. Each fault at each byte of a frame:
test_scanner_on_a_pty.py. Here one post meets all of it and goes on.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.shelf import Shelf
from provisioning.bench.desk_line import Edge
from provisioning.bench.headless import RESULT_LAMPS
from provisioning.bench.mrz_writer import MrzFields, write_td3
from provisioning.bench.specimens import Traveller, travellers
from tests.scenarios.post_at_work import WAIT_S, PostAtWork, post_at_work, until
from tests.scenarios.rehearsed import ROOT

pytestmark = pytest.mark.post

FRAME_HEADER = b"I\x00\x5a"
"""An Elyctis report of 90 characters."""
RAW = {
    "garbage": bytes(range(0x80, 0x100)) * 3,
    "a truncated frame": FRAME_HEADER + b"P<LAOPHOMMACHANH<<SOMCHAY<<<<",
    "a frame longer than any": b"I\xff\xff" + b"<" * 6_000,
    "a header alone": FRAME_HEADER,
}


@dataclass
class Lane:
    """A post at work, and how many results its lane has shown.

    Attributes:
        quiet: Travellers with nothing against them, each once.
    """

    work: PostAtWork
    quiet: Iterator[Traveller]
    results: int = 0

    def goes_on(self, lamp: str = "green") -> dict[str, Any]:
        """The next traveller is seen through at once, and headquarters has a record of everybody; the newest."""
        return self.see(next(self.quiet), lamp)

    def bring(self) -> str:
        """The next traveller's lamp."""
        (laid,) = self.work.bring(next(self.quiet))
        self.results += 1
        return laid.lamp

    def see(self, person: Traveller, lamp: str) -> dict[str, Any]:
        (laid,) = self.work.bring(person)
        assert (laid.lamp, laid.tries) == (lamp, 1)
        self.results += 1
        return self.record(laid.of)

    def lay(self, *, lamp: str, then: Callable[[], object] = bool, **how: object) -> dict[str, Any]:
        """Lay the next page in a special way; what the page shows after its lamp."""
        while not self.work.desk.events.empty():
            self.work.desk.events.get()
        self.work.desk.ask(do="lay", mrz=next(self.quiet).lines, **how)
        then()
        assert self._next_lamp() == lamp
        self.work.desk.ask(do="remove")
        self.results += 1
        return dict(self.work.state(lambda state: state["shown"])["shown"])

    def record(self, of: str) -> dict[str, Any]:
        """What headquarters has of it, which has one record for each result and no other."""
        opened = {line["record_id"]: line for line in self.work.at_headquarters()}
        assert len(opened) == self.results
        return opened[of]

    def _next_lamp(self) -> str:
        while True:
            match self.work.desk.events.get(timeout=WAIT_S):
                case Edge(lamp=lamp, on=True) if lamp in RESULT_LAMPS:
                    return lamp
                case _:
                    continue


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Generator[Lane]:
    """One post for all of this."""
    people = (one for one in travellers(datetime.now(UTC).date(), 77) if one.label.startswith("Passport"))
    with post_at_work(tmp_path_factory.mktemp("bad") / "out") as work:
        work.lane.await_lists()
        yield Lane(work=work, quiet=people)


# --- the scanner ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW.keys())
def test_bytes_that_make_no_document_are_said_so_and_the_next_traveller_is_read(lane: Lane, raw: bytes) -> None:
    lane.work.desk.ask(do="raw", hex=raw.hex())
    lane.work.state(lambda state: state["notice"].startswith("What lies there could not be read."))
    lane.goes_on()


def test_a_cable_pulled_in_the_middle_of_a_page_is_said_and_the_page_is_read_when_it_is_back(lane: Lane) -> None:
    def absent_then_back() -> None:
        lane.work.state(lambda state: state["devices"]["scanner"] == "absent")
        lane.work.state(lambda state: state["devices"]["scanner"] == "ready")

    shown = lane.lay(lamp="green", then=absent_then_back, fault="unplug", at=40, for_s=1.0)
    assert lane.record(shown["of"])["decision"]["type"] == "clear"
    lane.goes_on()


def test_a_page_that_cannot_be_read_refers_in_plain_words_and_is_recorded(lane: Lane) -> None:
    shown = lane.lay(lamp="amber", read=[])
    assert shown["words"][0].startswith("The box could NOT read this page")
    lane.work.officer.submit("outcome", of=shown["of"], outcome="sent to secondary", note="")
    record = lane.record(shown["of"])
    assert record["document"] is None
    assert record["outcome"]["outcome"] == "sent to secondary"
    lane.goes_on()


def test_of_two_documents_on_the_desk_the_one_that_the_scanner_read_is_checked_and_the_other_is_said(
    lane: Lane,
) -> None:
    def said(state: dict[str, Any]) -> bool:
        notices = (state["notice"], *(state["shown"] or {"notices": ()})["notices"])
        return any(words.startswith("Two documents lie there.") for words in notices)

    shown = lane.lay(lamp="green", then=lambda: lane.work.state(said), over=next(lane.quiet).lines)
    assert shown["document"]["second"] == [], "no character of either is asked for"
    record = lane.record(shown["of"])
    (found,) = [each for each in record["findings"] if each["check"] == "second_reading"]
    in_time = (found["answer"], found["reason"][:24]) == ("inconclusive", "Two documents lie there.")
    assert in_time or found["answer"] == "unavailable", "a busy machine reads late: then it was said after the light"
    lane.goes_on()


# --- what people bring ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["recorder", "releases", "booth", "uplink", "status"])
def test_an_unknown_key_in_the_configuration_is_named_and_nothing_starts(lane: Lane, tmp_path: Path, verb: str) -> None:
    config = tmp_path / "box.toml"
    text = lane.work.post.folders.config.read_text(encoding="utf-8")
    config.write_text(text.replace("[camera]", "[camera]\nresolutoin = 3"), encoding="utf-8")
    done = command("landlink-box", "--config", str(config), verb)
    assert done.returncode == os.EX_CONFIG
    assert "box.toml" in done.stderr
    assert "`resolutoin`" in done.stderr
    assert "$.camera" in done.stderr
    assert "Traceback" not in done.stderr


def test_broken_lines_of_a_list_are_reported_by_number_and_the_others_are_searched(lane: Lane, tmp_path: Path) -> None:
    stolen = MrzFields(
        document_code="P", issuing_state="THA", document_number="ZZ9999999", nationality="THA", date_of_birth="800101",
        sex="F", date_of_expiry="310101", primary_identifier="SRISUWAN", secondary_identifier="MALEE",
    )  # fmt: skip
    documents = tmp_path / "documents.csv"
    documents.write_text(
        "din,din_to,issuing_country,doc_type,fraud_type,reporting_country,"
        "date_issue,date_expiry,stolen_on,review_date,national_ref,op\n"
        "not one field of twelve\n"
        "ZZ9999999,,THA,P,stolen,THA,,,2026-01-01,,X-1,A\n"
        "PA1,,XQZ,P,stolen,LAO,,,2026-01-01,,X-2,A\n",
        encoding="utf-8",
    )
    imported = command("landlink-hq", "--home", str(lane.work.post.folders.hq), "import", "--documents", str(documents))
    assert "1 taken, 2 left out" in imported.stdout
    assert "left out: line 2:" in imported.stdout
    assert "left out: line 4: issuing_country is not a known code" in imported.stdout
    publish(lane.work)
    record = lane.see(Traveller(label="stolen", lines=write_td3(stolen), outcome="handed over"), "amber")
    assert [hit["band"] for hit in record["hits"]] == ["exact document"]
    lane.goes_on()


# --- what rots --------------------------------------------------------------------------------------------------------


def test_a_body_with_a_flipped_bit_is_refused_by_name_and_taken_when_it_is_whole(lane: Lane) -> None:
    record, folders = lane.goes_on(), lane.work.post.folders
    name = f"entry {record['index']}"
    (sent,) = (folders.collector / "bodies").glob(f"*/*/{record['index']}.age")
    (kept,) = (folders.hq / "pulled").glob(f"*/*/bodies/{record['index']}.age")

    flip(kept)
    verified = command("landlink-hq", "--home", str(folders.hq), "verify")
    assert verified.returncode == 1
    assert name in verified.stdout + verified.stderr

    kept.unlink()
    flip(sent)
    pulled = command("landlink-hq", "--home", str(folders.hq), "pull")
    assert pulled.returncode == 1
    assert name in pulled.stdout + pulled.stderr
    assert not kept.exists()

    flip(sent)  # whole again: from a backup, or from the box, which keeps it for a week
    assert lane.record(record["record_id"]) == record
    lane.goes_on()


@pytest.mark.parametrize("name", ["documents", "persons"])
def test_a_damaged_list_on_the_box_refers_everybody_until_it_is_whole_again(lane: Lane, name: str) -> None:
    work = lane.work
    (target,) = (work.box / "releases" / "current" / "targets").rglob(f"*{name}*.*")
    flip(target)
    restart(work, "booth")
    work.state(lambda state: state["phase"] == "ready")
    record = lane.goes_on("amber")
    assert record["decision"]["first"]["words"].startswith(f"The box could NOT check the list of {name}")

    restart(work, "releases")  # it finds the damage, and the same release in the mirror
    until(lane.bring, lambda lamp: lamp == "green")
    lane.goes_on()


# --- hands ------------------------------------------------------------------------------------------------------------


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One of the project's commands, as somebody runs it at a terminal."""
    name, *rest = arguments
    return subprocess.run(
        [str(ROOT / ".venv" / "bin" / name), *rest], capture_output=True, text=True, check=False, timeout=60
    )


def publish(work: PostAtWork) -> None:
    """Publish the lists; return when the booth searches them."""
    shelf = Shelf(work.box / "releases")
    version = shelf.version()
    work.post.audit("publish")
    until(shelf.version, lambda now: now > version)
    restart(work, "booth")
    work.state(lambda state: state["phase"] == "ready" and state["lists"][0]["dated"])


def restart(work: PostAtWork, name: str) -> None:
    """A power cut for one process; return when its successor runs."""
    (process,) = [process for process in work.post.processes if process.name == name]
    starts = process.starts
    assert process.lives is not None
    os.kill(process.lives.pid, signal.SIGKILL)
    until(lambda: process.starts, lambda now: now > starts)


def flip(path: Path) -> None:
    """Flip one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
