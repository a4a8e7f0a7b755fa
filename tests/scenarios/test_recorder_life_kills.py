"""Kill -9 between the system calls of a recorder that leads a hit's life: each step is old or new, once, and whole."""

import subprocess
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import pytest

from appliance.formats.downlink import VoiceKey
from appliance.formats.receipt import parse_log_receipt
from appliance.formats.statement import EventEntry, Sealed
from appliance.formats.voice import Verdict, answer_code, case_code
from appliance.formats.wire import (
    Append,
    Appended,
    Case,
    Cases,
    Deliver,
    Done,
    Inbox,
    Inboxed,
    ListCases,
    Request,
    Voice,
)
from appliance.inquiry.moves import Who
from appliance.line import Answer, RecorderAway, RecorderRefused
from appliance.recorded import Stage
from tests.scenarios.case_life import Life
from tests.scenarios.recorder_bed import BOX, Bed, bed, deliver

BEFORE_CALL = (
    *(("fdatasync", number) for number in (4, 5, 6, 8, 10)),
    *(("pwrite64", number) for number in (4, 5, 7, 9)),
    *(("fsync", number) for number in (2, 7, 14)),
    *(("rename", number) for number in (3, 6, 11, 17, 24)),
    *(("unlink", number) for number in (2, 3)),
    *(("sendto", number) for number in (2, 4, 5, 7, 9)),
)
KEY = bytes(range(32))


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


@dataclass
class Struck:
    """A life that is led while the recorder is struck dead, and taken up where it stands.

    Attributes:
        process: The recorder now.
        states: Every state that the case has had, and the one that is being asked for.
        receipts: Indices that were acknowledged.
    """

    box: Bed
    process: "subprocess.Popen[bytes]"
    life: Life
    states: list[Case] = field(default_factory=list[Case])
    receipts: list[int] = field(default_factory=list[int])
    deaths: int = 0

    def ask(self, role: str, request: Request, check: Callable[[], None]) -> Answer | str:
        """Ask until there is an answer, over deaths of the recorder; a refusal's code is one."""
        while True:
            line = self.box.line(role, timeout_s=0.4)
            try:
                return line.ask(request)
            except RecorderRefused as refusal:
                return refusal.code
            except RecorderAway:
                if self.process.poll() is not None:
                    self.deaths += 1
                    self.process = self.box.start()
                    check()
            finally:
                line.close()

    def append(self, request: Append, after: Case | None) -> None:
        before = self.states[-1] if self.states else None

        def check() -> None:
            assert self.life.kept() in (before, after)

        answer = self.ask("booth", request, check)
        assert isinstance(answer, Appended), answer
        self.receipts.append(parse_log_receipt(answer.receipt).index)
        assert self.kept() == after
        if after is not None:
            self.states.append(after)
            self.life.case = after

    def step(self, now: Stage, who: Who = Who.OFFICER, **said: object) -> None:
        case, request = self.life.step(now, who, **said)
        self.append(request, case)

    def kept(self) -> Case | None:
        cases = self.ask("booth", ListCases(), lambda: None)
        assert isinstance(cases, Cases)
        return next((case for case in cases.cases if case.of == self.life.of), None)

    def bring(self, request: Deliver) -> None:
        """Headquarters' message comes again when nobody knows whether it was taken."""
        answer = self.ask("uplink", request, lambda: None)
        assert answer != "malformed"
        taken = self.kept()
        again = self.ask("uplink", request, lambda: None)
        assert again in (Done(), "untrusted"), "the same bytes, before a restart and after it"
        assert self.kept() == taken, "it is taken now, and taken once"


def lead(struck: Struck, first_counter: int) -> None:
    """From the match through a wrong code and headquarters' answer to the outcome."""
    life = struck.life
    struck.append(life.request(life.first, opens=life.case), life.case)
    struck.step(Stage.FIRST_LINE_VERIFIED)
    struck.step(Stage.SECONDARY)
    struck.step(Stage.CONFIRMATION_REQUESTED)
    struck.bring(deliver(struck.box, VoiceKey(key=KEY), first_counter))
    wrong = answer_code(bytes(32), box=BOX, case=case_code(life.of), verdict=Verdict.CONFIRMED)
    assert struck.ask("booth", Voice(of=life.of, code=wrong), lambda: None) == "wrong_code"
    digest, brought = life.answer(Verdict.NOT_CONFIRMED, first_counter)
    struck.bring(brought)
    told = struck.ask("booth", Inbox(), lambda: None)
    assert isinstance(told, Inboxed)
    assert [answer.digest for answer in told.answers] == [digest]
    struck.step(Stage.NOT_CONFIRMED, Who.HEADQUARTERS, answer=digest)
    struck.step(Stage.NOT_SAME)
    struck.append(life.outcome(), None)


@pytest.mark.interop
def test_killed_before_any_system_call_a_life_stands_at_the_old_step_or_the_new_one(box: Bed) -> None:
    deaths = 0
    receipts: list[int] = []
    for place, (call, number) in enumerate(BEFORE_CALL, 1):
        inject = f"inject={call}:signal=SIGKILL:when={number}"
        process = box.spawn("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
        struck = Struck(box, process, Life(box, box.line()))
        lead(struck, place)
        box.stop(struck.process)
        deaths += struck.deaths
        receipts.extend(struck.receipts)
    assert deaths >= len(BEFORE_CALL) * 3 // 4, f"only {deaths} of {len(BEFORE_CALL)} blows fell"
    statements = box.statements()
    assert len(set(receipts)) == len(receipts) == 7 * len(BEFORE_CALL)
    assert all(isinstance(statements[index].kind, Sealed) for index in receipts)
    commitments = [one.kind.commitment for one in statements if isinstance(one.kind, Sealed)]
    assert len(set(commitments)) == len(commitments)
    events = [one.kind for one in statements if isinstance(one.kind, EventEntry)]
    said = [(one.fields["role"], one.fields["counter"]) for one in events if one.event == "downlink_taken"]
    assert len(set(said)) == len(said) == 2 * len(BEFORE_CALL)
    assert list((box.state / "recorder" / "cases").iterdir()) == []
