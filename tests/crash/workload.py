"""What a box does all day, in one seeded order, and what it promised meanwhile.

Every workload begins with one of each kind of work, so that every cut of the exhaustive part meets all of them; then
comes what the seed chooses. Which operations this makes of the disk also depends on the processes' pace, so a workload
whose cut did not hold is kept whole: its trace and its promises are all that a repetition needs.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from msgspec import structs

from appliance.formats.receipt import LogReceipt, parse_log_receipt, verify_log_receipt
from appliance.formats.record import commitment, encode_record
from appliance.formats.voice import Verdict
from appliance.formats.wire import Append, Appended, Case, Done, Event, Spared
from appliance.inquiry.memory import subject_of
from appliance.inquiry.moves import Who
from appliance.model import Origin
from appliance.recorded import Outcome, OutcomeKind, Picture, Stage
from tests.crash.post import Post, at_work
from tests.scenarios.case_life import Life, matched
from tests.scenarios.made_headquarters import screened
from tests.scenarios.recorder_bed import append, append_long, case_of, question, record, recorded

SMALL_PICTURE: Final = 45_000
"""Fits into a frame of the journal; two dozen of them turn a journal that is cramped."""
LARGE_PICTURE: Final = 90_000
TURNS: Final = 24
KINDS: Final = {
    "record": 4,
    "case": 3,
    "outcome": 3,
    "match": 1,
    "apart": 0.5,
    "step": 3,
    "answer": 1,
    "picture": 1,
    "page": 1,
    "group": 2,
    "event": 1,
    "rest": 2,
    "delivery": 1,
    "deletion": 1,
    "restart": 0.5,
    "uplink": 0.5,
    "release": 0.3,
}
NEXT: Final = {
    Stage.CANDIDATE: Stage.FIRST_LINE_VERIFIED,
    Stage.FIRST_LINE_VERIFIED: Stage.SECONDARY,
    Stage.SECONDARY: Stage.CONFIRMATION_REQUESTED,
}
PROLOGUE: Final = (
    "picture", "record", "case", "case", "group", "outcome", "match", "step", "step", "step", "answer", "apart",
    "event", "delivery", "deletion", "restart", "release", "record", "close", "turn", "uplink", "delivery", "deletion",
)  # fmt: skip


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A promise.

    Attributes:
        at: Operations of the file system before it was given to whoever asked.
        receipt: Of an entry.
        opens, closes: The case that this entry opened or closed, "" for none.
        case: The state of a case that this entry left.
        release: The version that was put into service, 0 for none.
        apart: A traveller whom the officer told apart from these list entries.
    """

    at: int
    receipt: LogReceipt | None = None
    opens: str = ""
    closes: str = ""
    case: Case | None = None
    release: int = 0
    apart: Spared | None = None


class Promises(msgspec.Struct, kw_only=True):
    """Everything that was promised while a trace was made; kept as `promises` beside it.

    Attributes:
        seed: Of the workload.
        begins: Operations before the processes were started: all of that is durable.
        receipts_public: Headquarters' key for receipts.
    """

    seed: int
    begins: int
    origin: Origin
    receipts_public: bytes
    told: list[Told] = []


@dataclass
class Day:
    """Works.

    Attributes:
        waiting: Records whose cases are open.
        lives: Possible matches that are open.
    """

    post: Post
    chance: random.Random
    waiting: list[str] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    last: LogReceipt | None = None
    counter: int = 0

    def work(self, kinds: list[str]) -> Iterator[Told]:
        """One after the other; what each promised."""
        for kind in kinds:
            act: Callable[[], Iterator[Told]] = getattr(self, f"_{kind}")
            yield from act()

    def _told(self, receipt: LogReceipt, **what: object) -> Told:
        self.last = receipt
        return structs.replace(Told(at=self.post.operations(), receipt=receipt), **what)

    def _ask(self, request: Append) -> LogReceipt:
        return recorded(self.post.line, request, self.post.bed.verifier)

    def _record(self) -> Iterator[Told]:
        yield self._told(self._ask(append(record())))

    def _case(self) -> Iterator[Told]:
        made = record(screened(refers=True))
        case = case_of(made)
        receipt = self._ask(append(made, opens=case))
        self.waiting.append(made.record_id)
        yield self._told(receipt, opens=made.record_id, case=case)

    def _outcome(self) -> Iterator[Told]:
        if self.waiting:
            of = self.waiting.pop(self.chance.randrange(len(self.waiting)))
            body = Outcome(of=of, outcome=OutcomeKind.PASSED, implied=False)
            yield self._told(self._ask(append(record(body), closes=of)), closes=of)

    def _match(self) -> Iterator[Told]:
        life = Life(self.post.bed, self.post.line)
        receipt = life.open()
        self.lives.append(life)
        yield self._told(receipt, opens=life.of, case=life.case)

    def _apart(self) -> Iterator[Told]:
        """A match whom the officer sees not to be the one: the next one of this name is spared that entry."""
        made = matched()
        assert made.document is not None
        name = "".join(self.chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=8))
        document = structs.replace(made.document, secondary_identifier=name)
        life = Life(self.post.bed, self.post.line, record(structs.replace(made, document=document)))
        life.open()
        case, request = life.step(Stage.NOT_SAME)
        subject = subject_of(document)
        assert subject is not None
        entries = tuple((one.entry, one.revision) for one in made.screening.hits)
        yield self._told(self._ask(request), opens=life.of, case=case, apart=Spared(subject=subject, entries=entries))

    def _step(self) -> Iterator[Told]:
        for life in self.lives:
            if life.case.stage in NEXT:
                case, request = life.step(NEXT[life.case.stage], Who.OFFICER)
                receipt = self._ask(request)
                life.case = case
                yield self._told(receipt, case=case)
                return

    def _answer(self) -> Iterator[Told]:
        for life in self.lives:
            if life.case.stage not in NEXT:
                self.counter += 1
                _, deliver = life.answer(Verdict.CONFIRMED, self.counter)
                assert self.post.door.ask(deliver) == Done()
                return
        yield from ()

    def _close(self) -> Iterator[Told]:
        for life in self.lives[:1]:
            receipt = self._ask(life.outcome())
            self.lives.remove(life)
            yield self._told(receipt, closes=life.of)

    def _picture(self) -> Iterator[Told]:
        body = Picture(of=f"{3:032x}", media_type="image/jpeg", content=self.chance.randbytes(LARGE_PICTURE))
        yield self._told(append_long(self.post.line, record(body)))

    def _page(self) -> Iterator[Told]:
        body = Picture(of=f"{4:032x}", media_type="image/jpeg", content=self.chance.randbytes(SMALL_PICTURE))
        yield self._told(self._ask(append(record(body))))

    def _group(self) -> Iterator[Told]:
        """Records of every length that wait for the recorder together: as many as it finds share a sync."""
        sizes = (SMALL_PICTURE, SMALL_PICTURE, LARGE_PICTURE, LARGE_PICTURE)
        contents = [self.chance.randbytes(size) for size in sizes]
        pictures = [record(Picture(of=f"{5:032x}", media_type="image/jpeg", content=each)) for each in contents]
        made = self.chance.sample([record(), record(), *pictures], k=6)
        answers = self.post.line.ask_all([question(each) for each in made])
        at = self.post.operations()
        for each, answer in zip(made, answers, strict=True):
            assert isinstance(answer, Appended)
            self.last = parse_log_receipt(answer.receipt)
            verify_log_receipt(self.last, self.post.bed.verifier, commitment(encode_record(each)))
            yield Told(at=at, receipt=self.last)

    def _turn(self) -> Iterator[Told]:
        for _ in range(TURNS):
            yield from self._page()
        self.post.bed.settle()

    def _event(self) -> Iterator[Told]:
        self.post.line.ask(Event(event="page_started", fields={}))
        yield from ()

    def _rest(self) -> Iterator[Told]:
        self.post.bed.settle()
        yield from ()

    def _delivery(self) -> Iterator[Told]:
        self.post.delivered()
        yield from ()

    def _deletion(self) -> Iterator[Told]:
        """Headquarters has opened what came, and says so with the receipt of the next record: bodies go."""
        if self.last is not None:
            self.post.delivered()
            self.post.opened(self.last)
            before = self.post.bodies()
            yield from self._record()
            self.post.deleted(before)

    def _restart(self) -> Iterator[Told]:
        self.post.restart_recorder()
        for life in self.lives:
            life.line = self.post.line
        yield from ()

    def _uplink(self) -> Iterator[Told]:
        self.post.restart_uplink()
        yield from ()

    def _release(self) -> Iterator[Told]:
        version = self.post.switched()
        yield Told(at=self.post.operations(), release=version)


def work(folder: Path, *, seed: int, steps: int) -> Promises:
    """Let a box work, each kind of work once and then `steps` more; the trace and the promises are in `folder`."""
    chance = random.Random(seed)
    folder.mkdir(parents=True)
    with at_work(folder / "trace") as (post, begins):
        promises = Promises(
            seed=seed, begins=begins, origin=Origin(post.bed.verifier.name), receipts_public=post.receipts_public
        )
        kinds = [*PROLOGUE, *chance.choices([*KINDS], [*KINDS.values()], k=steps)]
        promises.told.extend(Day(post, chance).work(kinds))
    (folder / "promises").write_bytes(msgspec.msgpack.encode(promises))
    return promises
