"""Three possible matches on a Friday night: three dark days, two shift changes, one power cut.

One is answered by a stick, one by codes over a telephone, one never: each ends as the rules say, and at every moment
the page says what to do. All processes are real; days pass for them in seconds (days/sitecustomize.py).
"""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import DeviceFault
from appliance.formats.status import ReleasesStatus, parse_status
from provisioning.bench.mrz_writer import MrzFields, write_td3
from provisioning.bench.post import SERIAL
from tests.scenarios.post_at_work import PostAtWork, post_at_work, until

pytestmark = pytest.mark.post

DAYS = Path(__file__).parent / "days"
DAY_S = 86_400
WAIT_DAYS = 3
BOX = ("booth", "recorder", "releases", "uplink")
LISTED = {
    "by stick": ("PHOMMASACK", "KHAMPHENG", "780412", "M", "LAO"),
    "by voice": ("WIELGOSZ", "SENGDEUAN", "601103", "F", "RUS"),
    "never": ("XHAFERRI", "ARDALION TIMUR", "720710", "M", "UZB"),
}
"""Synthetic persons of the sample list, each on a passport that no list has."""
REASON = "Face and birth date compared with the page: it could be the same."


@dataclass
class Night:
    """The post, and how many days its processes believe to have passed."""

    post: PostAtWork
    calendar: Path
    of: dict[str, str]

    def day(self, passed: float) -> None:
        self.calendar.write_text(str(int(passed * DAY_S)), encoding="ascii")

    def dark(self) -> None:
        """The link goes: nobody listens at headquarters any more."""
        self.post.post.retire("collector")

    def power_cut(self) -> None:
        """Every process of the box ends between two instructions, and is started again."""
        starts = self._starts()
        for process in self.post.post.processes:
            if process.name in BOX and process.lives is not None:
                process.lives.kill()
        until(self._starts, lambda now: all(now[name] > starts[name] for name in BOX))
        self.post.state(lambda state: state["phase"] == "ready")

    def case(self, who: str) -> dict[str, Any]:
        """What the page says of this traveller's case, opened; it always says what to do now."""
        opened = until(lambda: self._opened(who), bool)
        assert opened["match"]["to_do"], opened
        assert opened["match"]["telephone"]
        return opened

    def _opened(self, who: str) -> dict[str, Any]:
        with suppress(DeviceFault):  # the booth is being started
            self.post.officer.submit("details", show=1, of=self.of[who])
            opened = self.post.officer.state()["opened"] or {}
            return dict(opened) if opened.get("of") == self.of[who] else {}
        return {}

    def stage(self, who: str, wanted: str) -> dict[str, Any]:
        """The case, once it has come to this stage."""
        return until(lambda: self.case(who), lambda case: case["match"]["stage"] == wanted)

    def move(self, who: str, now: str, reason: str = "") -> None:
        self.post.officer.submit("move", of=self.of[who], now=now, reason=reason)
        self.stage(who, now)

    def ask(self, who: str) -> None:
        """First line, second check, request: as far as people come without headquarters."""
        self.move(who, "first line verified")
        self.move(who, "secondary")
        self.move(who, "confirmation requested")

    def outcome(self, who: str, outcome: str) -> None:
        """What was done, by a human, with reason and legal basis; the case is closed."""
        self.post.officer.submit(
            "outcome", of=self.of[who], outcome=outcome, note=REASON, legal_basis="Immigration law, second check"
        )
        self.post.state(lambda state: self.of[who] not in {case["of"] for case in state["cases"]})

    def shift(self, gave: str, took: str) -> None:
        """Who takes over says so, looks at every open case, and both sign for it."""
        self.post.officer.submit("badge", badge=took)
        waiting = {case["of"] for case in self.post.state()["waiting"]}
        cases = [of for who, of in self.of.items() if of in waiting and self.case(who)]
        self.post.officer.submit("hand_over", gave=gave, took=took, cases=" ".join(cases), note="")

    def _starts(self) -> dict[str, int]:
        return {process.name: process.starts for process in self.post.post.processes}


def lay(night: Night, who: str, number: str) -> None:
    """A listed person's name and birth date on a passport of its own: the box refers."""
    surname, given, born, sex, nation = LISTED[who]
    lines = write_td3(
        MrzFields(
            document_code="P",
            issuing_state=nation,
            document_number=number,
            nationality=nation,
            date_of_birth=born,
            sex=sex,
            date_of_expiry="310630",
            primary_identifier=surname,
            secondary_identifier=given,
        )
    )
    night.post.state(lambda state: state["phase"] != "starting" and all(one["dated"] for one in state["lists"]))
    night.post.desk.ask(do="lay", mrz=list(lines))
    shown = night.post.state(lambda state: state["phase"] == "result" and state["shown"]["of"] not in night.of.values())
    assert shown["shown"]["decision"] == "refer"
    night.of[who] = shown["shown"]["of"]
    night.post.desk.ask(do="remove")


@pytest.fixture
def calendar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file by which every process that is started from now on reads its clocks."""
    file = tmp_path / "days"
    file.write_text("0", encoding="ascii")
    monkeypatch.setenv("LANDLINK_DAYS", str(file))
    monkeypatch.setenv("PYTHONPATH", str(DAYS))
    return file


def rules_that_wait(post: PostAtWork, folder: Path) -> None:
    """Headquarters' rules for this post: three days' wait, then the officer in charge."""
    shown = folder / "rules.json"
    shown.write_text(post.post.audit("policy", "show"), encoding="utf-8")
    rules = json.loads(shown.read_text(encoding="utf-8"))
    for confirmation in rules["confirmations"]:
        confirmation["wait_minutes"] = WAIT_DAYS * 24 * 60
    shown.write_text(json.dumps(rules), encoding="utf-8")
    before = in_service(post)
    post.post.audit("policy", "set", str(shown))
    until(lambda: in_service(post), lambda version: version > before)


def in_service(post: PostAtWork) -> int:
    """Version of the release that the box works by."""
    return parse_status((post.post.folders.runtime / "releases.status").read_bytes(), ReleasesStatus).version


def test_each_hit_of_a_friday_night_ends_as_the_rules_say(tmp_path: Path, calendar: Path) -> None:
    with post_at_work(tmp_path / "post") as post:
        rules_that_wait(post, tmp_path)
        night = Night(post=post, calendar=calendar, of={})
        for number, who in enumerate(LISTED):
            lay(night, who, f"PX770010{number}")

        # Friday, 22:00. One request goes out before the link dies; the others wait on the box.
        post.officer.submit("badge", badge="K-17")
        night.ask("by stick")
        requested = until(lambda: requests(post), bool)
        assert [one["of"] for one in requested] == [night.of["by stick"]]
        night.dark()
        night.ask("by voice")
        night.ask("never")

        # Saturday: the power goes; every case is there again, with its names, stage and wait.
        before = {who: night.case(who) for who in LISTED}
        night.power_cut()
        for who, was in before.items():
            assert night.stage(who, "confirmation requested")["match"] == was["match"]
        night.day(0.6)
        night.shift("K-17", "B-04")

        # Sunday: headquarters says by telephone what it would have written.
        night.day(1.5)
        code = case_code(night.case("by voice"))
        spoken = post.post.audit("voice", "--box", SERIAL, "--case", code, "--confirmed")
        post.officer.submit("voice", of=night.of["by voice"], code=answer_code(spoken))
        night.stage("by voice", "confirmed")
        night.outcome("by voice", "handed over")
        night.shift("B-04", "S-22")

        # Monday: the written answer to the first one comes on a stick.
        night.day(2.2)
        post.post.audit("answer", night.of["by stick"], "--not-confirmed", "--words", "Another person.", "--by", "NCB")
        post.post.audit("stick", str(post.post.folders.out / "stick"))
        night.stage("by stick", "not confirmed")
        night.outcome("by stick", "passed")

        # The third day ends without an answer: the rules name who decides now, and nobody else does.
        assert night.case("never")["match"]["stage"] == "confirmation requested"
        night.day(WAIT_DAYS + 0.1)
        unanswered = night.stage("never", "no answer")
        assert unanswered["match"]["decides"]
        night.outcome("never", "passed")

        # The link is back: headquarters reads three whole lives.
        bring_back(post, "collector")
        check_lives(post.at_headquarters(), night.of)


def bring_back(post: PostAtWork, name: str) -> None:
    """Start a process of the post again that was retired."""
    supervised = next(process for process in post.post.processes if process.name == name)
    supervised.stopping.clear()
    supervised.keeper = threading.Thread(target=supervised.keep, args=(post.post,), daemon=True)
    supervised.keeper.start()


def requests(post: PostAtWork) -> list[dict[str, Any]]:
    """What the duty desk sees, of all that was delivered."""
    for verb in (("pull",), ("verify",), ("open", "--out", str(post.post.folders.out / "opened.jsonl"))):
        post.post.audit(*verb)
    return list(json.loads(post.post.audit("requests", "--json")))


def case_code(case: dict[str, Any]) -> str:
    """As the officer reads it out."""
    return "-".join(case["match"]["code"])


def answer_code(spoken: str) -> str:
    """As the officer hears it: the one line of what the duty desk sees that is a code."""
    return next(word for word in spoken.split() if len(word) == 11 and word[4] == "-" == word[9])


def check_lives(lines: list[dict[str, Any]], of: dict[str, str]) -> None:
    """Each life is one chain from its screening to its end (pull, verify and open would name a gap)."""
    ends = {"by stick": "not confirmed", "by voice": "confirmed", "never": "no answer"}
    lives = {line["record_id"]: line for line in lines}
    for who, screening in of.items():
        life, hand_overs = lives[screening]["life"], lives[screening]["hand_overs"]
        stages = [step["stage"] for step in life]
        assert stages[:3] == ["first line verified", "secondary", "confirmation requested"], who
        assert [step["before"] for step in life] == [screening, *(step["record_id"] for step in life[:-1])], who
        assert stages[-2:] == [ends[who], "outcome"], who
        assert [one["took"] for one in hand_overs] == (["B-04"] if who == "by voice" else ["B-04", "S-22"]), who
        answered = next(step for step in life if step["stage"] == ends[who])
        assert (answered["by_voice"], answered["answer"] != "") == (who == "by voice", who == "by stick"), who
