"""A possible match asked about at the post, answered at headquarters, confirmed on the page: every process is real.

A stranger who has the collector, or another of headquarters' keys, puts answers of its own there: nothing comes of it.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from appliance.formats.age import parse_recipient
from appliance.formats.downlink import CaseAnswer, seal_downlink, sign_downlink
from appliance.formats.downlink import Downlink as Said
from appliance.formats.voice import Verdict
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519
from provisioning.authority.roster import read_roster
from provisioning.bench.mrz_writer import MrzFields, write_td3
from provisioning.bench.post import DOMAIN, SERIAL
from tests.scenarios.post_at_work import PostAtWork, post_at_work, until

pytestmark = pytest.mark.post

LISTED = MrzFields(
    document_code="P",
    issuing_state="LAO",
    document_number="PX7700100",
    nationality="LAO",
    date_of_birth="780412",
    sex="M",
    date_of_expiry="310630",
    primary_identifier="PHOMMASACK",
    secondary_identifier="KHAMPHENG",
)
"""A synthetic person of the sample list, on a passport that no list has."""


def lay(post: PostAtWork) -> str:
    """Lay the passport; the screening record of its possible match."""
    post.state(lambda state: state["phase"] == "ready" and all(listed["dated"] for listed in state["lists"]))
    post.desk.ask(do="lay", mrz=list(write_td3(LISTED)))
    shown = post.state(lambda state: state["phase"] == "result")
    post.desk.ask(do="remove")
    assert shown["shown"]["decision"] == "refer"
    return str(shown["shown"]["of"])


def match(post: PostAtWork, of: str) -> dict[str, Any]:
    """What the page says of this case, opened."""
    post.officer.submit("details", show=1, of=of)
    return dict(post.state(lambda state: (state["opened"] or {}).get("of") == of)["opened"]["match"])


def come_to(post: PostAtWork, of: str, stage: str) -> dict[str, Any]:
    return until(lambda: match(post, of), lambda seen: seen["stage"] == stage)


def ask(post: PostAtWork, of: str) -> None:
    post.officer.submit("badge", badge="K-17")
    for stage in ("first line verified", "secondary", "confirmation requested"):
        post.officer.submit("move", of=of, now=stage, reason="")
        come_to(post, of, stage)


def requests(post: PostAtWork) -> list[dict[str, Any]]:
    post.post.audit("pull")
    return list(json.loads(post.post.audit("requests", "--json")))


def put_beside(home: Home, of: str, *, role: str, counter: int) -> None:
    """What a stranger with the collector, or even with another key of headquarters, puts where answers lie."""
    key = load_ed25519(home.key(role))
    answer = CaseAnswer(of=of, verdict=Verdict.CONFIRMED, words="Arrest.", by="nobody")
    said = Said(box=f"{DOMAIN}/{SERIAL.lower()}", counter=counter, at_ms=1, message=answer)
    signed = sign_downlink(said, public=key.public_key().public_bytes_raw(), sign=key.sign)
    box = read_roster(home).box(SERIAL)
    assert box is not None
    sealed = seal_downlink(signed, parse_recipient(box.age_recipient))
    (home.down / SERIAL / f"answers-{counter:010}.age").write_bytes(sealed)


def test_what_headquarters_answers_stands_on_the_page_and_nothing_else_does(tmp_path: Path) -> None:
    with post_at_work(tmp_path / "post") as post:
        home = Home.open(post.post.folders.hq)
        of = lay(post)
        ask(post, of)
        (request,) = until(lambda: requests(post), bool)
        assert (request["of"], request["serial"], request["stage"]) == (of, SERIAL, "confirmation requested")

        for counter, role in enumerate(("directives", "receipts", "lists"), 900):
            put_beside(home, of, role=role, counter=counter)
        until(post.uplink, lambda status: status.refused == 3)
        assert match(post, of)["stage"] == "confirmation requested"

        words = "Face, birth date and number compared: another person."
        post.post.audit("answer", request["case"], "--not-confirmed", "--words", words, "--by", "Duty desk 1")
        come_to(post, of, "not confirmed")
        assert json.loads(post.post.audit("requests", "--json")) == []

        post.officer.submit("outcome", of=of, outcome="passed", note="", legal_basis="")
        post.state(lambda state: of not in {case["of"] for case in state["cases"]})
        line = next(line for line in post.at_headquarters() if line["record_id"] == of)
        (moved,) = [step for step in line["life"] if step["stage"] == "not confirmed"]
        (said,) = json.loads(post.post.audit("requests", "--all", "--json"))[0]["written"]
        assert moved["answer"] == said["digest"]
