"""A rehearsal without people: travellers come, are laid, typed and decided; then headquarters is asked what it has.

`laid.jsonl` says what happened at the desk, from the outside: what was laid, when its last byte left, which lamp
answered when, which outcome the officer chose. `report.py` holds it against what headquarters opened.
"""

import contextlib
import json
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, TextIO

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from appliance.errors import DeviceFault
from provisioning.bench.desk_line import DeskLine, Edge, Gone, Photographed, Sent
from provisioning.bench.evidence import read_log, read_recorder_status, undelivered
from provisioning.bench.officer import Officer
from provisioning.bench.post import Folders, Post
from provisioning.bench.specimens import Traveller

RESULT_LAMPS: Final = frozenset({"green", "amber", "red"})
ANSWER_TIMEOUT_S: Final = 12.0
TRIES: Final = 6
"""How often a document is laid again when no lamp answers (a process was killed meanwhile), as an officer would."""
PHOTOGRAPH_TIMEOUT_S: Final = 12.0
"""The first image of a busy machine comes late; one that never comes is missed by whoever counts the pictures."""
REST_S: Final = 0.3
"""After so long without a lamp the box has come to rest."""
PAGE_TIMEOUT_S: Final = 60.0
UNSEARCHED: Final = frozenset({"documents", "persons"})
"""What the page always shows by these names is a list that it cannot search (appliance/booth/status_line.py)."""
DELIVERY_TIMEOUT_S: Final = 60.0
"""How long headquarters may have nothing new of what it still lacks."""
GROUNDS: Final = {"note": "As the script of the rehearsal has it.", "legal_basis": "Rehearsal, no law."}
"""What the rehearsal's officer writes where a possible match takes a reason and a legal basis."""
RECORDER_TURN_S: Final = 1.0
"""The recorder looks around and says in its status what it has at least this often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """One traveller as seen from outside the box.

    Attributes:
        mrz: The lines joined by a newline, "" when typed.
        typed_number: The document number that was typed, "" when laid.
        sent_ns: When the last byte left the scanner; for typed entry, when the form was sent; without a scanner, when
            the document was laid. CLOCK_MONOTONIC.
        edge_ns: When the lamp answered.
        lamp: Which.
        of: The screening record, as the page names it.
        outcome: What the officer chose, "" when nothing was to choose.
        tries: How often it was laid until a lamp answered.
    """

    label: str
    mrz: str
    typed_number: str
    joins: bool
    sent_ns: int
    edge_ns: int
    lamp: str
    of: str
    outcome: str
    tries: int


class Lane:
    """Drives one lane from outside: the desk's scanner and pins, the page's forms."""

    def __init__(self, post: Post) -> None:
        self._desk = DeskLine(post.folders.desk / "desk.sock")
        self._officer = Officer(post.page_port)
        self._post = post
        self._photographed = False

    def work(self, travellers: Iterable[Traveller], laid_file: TextIO) -> Iterator[Laid]:
        """Bring the travellers one by one; yield each as it was seen. Raises DeviceFault when a lamp never answers."""
        self._ready()
        for traveller in travellers:
            laid = self._bring(traveller)
            laid_file.write(json.dumps(asdict(laid)) + "\n")
            laid_file.flush()
            yield laid
        self._insist("crossing")

    def close(self) -> None:
        """Leave the desk."""
        self._desk.close()

    def _bring(self, traveller: Traveller) -> Laid:
        if traveller.joins:
            self._insist("person")
        tries, edge, sent_ns = 0, None, 0
        while edge is None:
            if tries == TRIES:
                raise DeviceFault(f"no lamp answered for {traveller.label!r} after {TRIES} tries")
            tries += 1
            sent_ns, edge = self._present(traveller)
        if tries > 1:
            self._rest()
        shown = self._shown()
        outcome = ""
        if shown.get("refers") and shown.get("of"):
            outcome = traveller.outcome
            if edge.lamp == "red":  # NOT RECORDED: said once, and written on paper
                self._insist("outcome", of=shown["of"], outcome=outcome, **GROUNDS)
            else:
                self._see_through(shown["of"], traveller)
        return Laid(
            label=traveller.label,
            mrz="\n".join(traveller.lines),
            typed_number=traveller.typed.document_number if traveller.typed else "",
            joins=traveller.joins,
            sent_ns=sent_ns,
            edge_ns=edge.t_ns,
            lamp=edge.lamp,
            of=shown.get("of", ""),
            outcome=outcome,
            tries=tries,
        )

    def _present(self, traveller: Traveller) -> tuple[int, Edge | None]:
        """Lay or type once; return when the last byte was sent, and the lamp that answered, if one did."""
        self._forget_events()
        if traveller.typed is not None:
            sent_ns = time.monotonic_ns()
            try:
                self._officer.submit("typed", **asdict(traveller.typed))
            except DeviceFault:  # the page is away: has it still taken what was typed?
                edge = self._next_lamp(sent_ns, within_s=REST_S)[1]
                if edge is None:
                    self._ready()
                return sent_ns, edge
            return sent_ns, self._next_lamp(sent_ns)[1]
        laid_ns = time.monotonic_ns() if self._post.dialect == "none" else 0
        self._desk.ask(do="lay", mrz=list(traveller.lines))
        try:
            sent_ns, edge = self._next_lamp(laid_ns)
            if edge is not None:
                self._await_photograph()
            return sent_ns, edge
        finally:
            self._desk.ask(do="remove")

    def _await_photograph(self) -> None:
        """Nobody takes a passport back in the same instant: the camera has its image before the page goes."""
        with contextlib.suppress(queue.Empty):
            while not self._photographed:
                event = self._desk.events.get(timeout=PHOTOGRAPH_TIMEOUT_S)
                self._photographed = isinstance(event, Photographed | Gone)

    def _next_lamp(self, sent_ns: int, *, within_s: float = ANSWER_TIMEOUT_S) -> tuple[int, Edge | None]:
        """The next result lamp after a document was sent; none when the box goes away with it, or time is over."""
        deadline = time.monotonic() + within_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = self._desk.events.get(timeout=left)
            except queue.Empty:
                break
            match event:
                case Sent(t_ns=t_ns):
                    sent_ns = t_ns
                case Edge(lamp=lamp, on=True) if lamp in RESULT_LAMPS and sent_ns:
                    return sent_ns, event
                case Gone() if sent_ns:
                    break
                case Photographed():
                    self._photographed = True
                case Edge() | Gone():
                    continue
        return sent_ns, None

    def _rest(self) -> None:
        """Whoever had to lay a document again waits until the box has no more to say of it."""
        while self._next_lamp(1, within_s=REST_S)[1] is not None:
            continue

    def _forget_events(self) -> None:
        self._photographed = False
        with contextlib.suppress(queue.Empty):
            while True:
                self._desk.events.get_nowait()

    def _shown(self) -> dict[str, Any]:
        """What the page shows after a lamp: the lamp comes first, the page follows at once.

        A booth that has started anew meanwhile shows nothing, but has the newest result among those without outcome.
        """
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(DeviceFault):
                state = self._officer.state()
                if state["phase"] == "result" and state["shown"]:
                    return dict(state["shown"])
                if state["phase"] == "ready":
                    return dict(state["cases"][0]) if state["cases"] else {}
            time.sleep(0.02)
        return {}

    def _see_through(self, of: str, traveller: Traveller) -> None:
        """Say what was done with the person of a referral until the page no longer asks: its record is durable.

        A possible match goes through the steps that the script has for it first.
        """
        deadline = time.monotonic() + PAGE_TIMEOUT_S
        while True:
            try:
                state = self._officer.state()
                waits = [case for case in state["cases"] if case["of"] == of]
                if not waits and state["phase"] != "starting":
                    return
                if waits and not waits[0]["answer"]:
                    stage = (waits[0].get("match") or {}).get("stage", "")
                    if stage in traveller.steps:
                        self._officer.submit("move", of=of, now=traveller.steps[stage], reason=GROUNDS["note"])
                    else:
                        self._officer.submit("outcome", of=of, outcome=traveller.outcome, **GROUNDS)
                    continue
            except DeviceFault:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise DeviceFault(f"the page still asks for the outcome after {PAGE_TIMEOUT_S:.0f} s")
            time.sleep(0.1)

    def _insist(self, form: str, **fields: str | int) -> None:
        """Send a form until the page takes it; the booth may be starting again."""
        deadline = time.monotonic() + PAGE_TIMEOUT_S
        while True:
            try:
                self._officer.submit(form, **fields)
            except DeviceFault:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def await_lists(self) -> None:
        """Wait until every list can be searched: after enrolment their keys come a little later than they do.

        Raises:
            DeviceFault: One still cannot.
        """
        self._await(lambda state: not any(said["name"] in UNSEARCHED for said in state["quiet"]))

    def _ready(self) -> None:
        """Wait until scanner, recorder and lists are ready."""
        self._await(lambda state: all(listed["dated"] for listed in state["lists"]))

    def _await(self, fits: Callable[[dict[str, Any]], bool]) -> None:
        deadline = time.monotonic() + PAGE_TIMEOUT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(DeviceFault):
                state = self._officer.state()
                if state["phase"] in ("ready", "result") and fits(state):
                    return
            time.sleep(0.1)
        raise DeviceFault(f"the booth is not ready; see {self._post.folders.journals}")


def run(post: Post, travellers: list[Traveller], seen: list[Laid]) -> None:
    """Bring all travellers with a progress bar, then wait until headquarters has everything.

    Args:
        post: Started.
        travellers: Who comes.
        seen: Whoever was brought is added, so that a run that ends early can be held against the records, too.
    """
    lane = Lane(post)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns) as progress, (post.folders.out / "laid.jsonl").open("w", encoding="utf-8") as laid_file:
            task = progress.add_task("travellers", total=len(travellers))
            lane.await_lists()
            for laid in lane.work(travellers, laid_file):
                seen.append(laid)
                progress.advance(task)
    finally:
        lane.close()
    post.retire("booth")
    await_delivery(post.folders)
    post.retire("recorder")  # its last entry says that it was stopped, so only now the log has all its leaves


def await_delivery(folders: Folders) -> None:
    """Wait until the log is published whole and each of its sealed entries has headquarters' verified receipt.

    Raises:
        DeviceFault: For a minute nothing more has come.
    """
    deadline = time.monotonic() + DELIVERY_TIMEOUT_S
    lacking: set[int] = set()
    time.sleep(RECORDER_TURN_S)
    while not _published_whole(folders) or undelivered(folders.out):
        before, lacking = lacking, undelivered(folders.out)
        if lacking != before:
            deadline = time.monotonic() + DELIVERY_TIMEOUT_S
        if time.monotonic() > deadline:
            raise DeviceFault(f"headquarters lacks {len(lacking)} records, and for {DELIVERY_TIMEOUT_S:.0f} s got none")
        time.sleep(0.2)


def _published_whole(folders: Folders) -> bool:
    """Whether the recorder, whose booth has ended, has published all that it has."""
    said = read_recorder_status(folders.runtime)
    return said is not None and read_log(folders.box).checkpoint.size == said.entries
