"""A possible match by the page's forms over real HTTP: every step, and every word that cannot be taken."""

from collections.abc import Iterator

import pytest

from appliance.formats.voice import Verdict
from appliance.recorded import HandOver
from tests.delivery_post import wait_until
from tests.scenarios.booth_bed import Booth, open_booth
from tests.small_post import WANTED_NAME, passport, spoken


@pytest.fixture
def booth() -> Iterator[Booth]:
    with open_booth() as opened:
        yield opened


def matched(booth: Booth) -> str:
    """The record of a possible match that lies before the officer."""
    return str(booth.lay(*passport("PA7654321", *WANTED_NAME))["shown"]["of"])


def test_a_possible_match_is_led_by_forms_from_the_first_look_to_the_outcome(booth: Booth) -> None:
    assert booth.say("/badge", badge=" 7701 ")[0] == 200
    of = matched(booth)
    for stage in ("first line verified", "secondary"):
        assert booth.say("/move", of=of, now=stage) == (200, {"ok": True})
    assert booth.say("/asylum", of=of, on="1")[0] == 200
    assert booth.say("/move", of=of, now="confirmation requested")[0] == 200
    assert booth.say("/voice", of=of, code=spoken(of, Verdict.NOT_CONFIRMED))[0] == 200
    assert booth.say("/move", of=of, now="not the same", reason="Headquarters says so.")[0] == 200
    assert booth.say("/outcome", of=of, outcome="passed")[0] == 200
    steps = booth.post.recorder.steps
    assert [step.now.value for step in steps] == [
        "first line verified",
        "secondary",
        "secondary",
        "confirmation requested",
        "not confirmed",
        "not the same",
    ]
    assert {step.by for step in steps} == {"7701"}
    assert steps[3].request is not None
    assert steps[3].request.not_to == "LAO"
    assert booth.post.recorder.outcomes[of].before == booth.post.recorder.records[-2].record_id


@pytest.mark.parametrize(
    ("path", "fields", "status", "field_named"),
    [
        ("/move", {"now": "not the same"}, 422, "reason"),
        ("/move", {"now": "not the same", "reason": "x" * 2_001}, 422, "reason"),
        ("/move", {"now": "confirmed", "reason": "I know it."}, 409, None),
        ("/move", {"now": "released"}, 400, None),
        ("/move", {"now": "secondary", "of": "nobody"}, 400, None),
        ("/move", {"now": "secondary", "of": "1" * 32}, 409, None),
        ("/outcome", {"outcome": "handed over"}, 422, "note"),
        ("/outcome", {"outcome": "handed over", "note": "Seen."}, 422, "legal_basis"),
        ("/outcome", {"outcome": "sent to secondary", "note": "Seen.", "legal_basis": "Act"}, 409, None),
        ("/voice", {"code": "AAAA-AAAA-A"}, 422, "code"),
        ("/voice", {"code": ""}, 422, "code"),
        ("/asylum", {"of": "1" * 32, "on": "1"}, 409, None),
        ("/badge", {"badge": "x" * 65}, 422, "badge"),
        ("/badge", {"badge": "77\x0001"}, 422, "badge"),
        ("/hand_over", {"gave": "7701", "took": ""}, 422, "took"),
        ("/hand_over", {"gave": "7701", "took": "7702"}, 409, None),
        ("/hand_over", {"took": "7702", "cases": "1 2"}, 400, None),
        ("/hand_over", {"took": "7702", "cases": " ".join(f"{n:032x}" for n in range(65))}, 400, None),
    ],
)
def test_a_word_on_a_possible_match_that_cannot_be_taken_changes_nothing_and_names_its_box(
    booth: Booth, path: str, fields: dict[str, str], status: int, field_named: str | None
) -> None:
    of = matched(booth)
    before = booth.post.state
    got, answer = booth.say(path, **({"of": of} | fields))
    assert (got, answer.get("field")) == (status, field_named), answer
    assert answer["why"]
    assert booth.post.state == before


def test_a_wrong_code_is_refused_in_words_and_a_misheard_one_is_not_even_tried(booth: Booth) -> None:
    of = matched(booth)
    for stage in ("first line verified", "secondary", "confirmation requested"):
        assert booth.say("/move", of=of, now=stage)[0] == 200
    right = spoken(of, Verdict.CONFIRMED)
    misheard = right[:-1] + ("0" if right[-1] != "0" else "1")
    assert booth.say("/voice", of=of, code=misheard)[1]["field"] == "code"
    assert booth.say("/voice", of=of, code=spoken("f" * 32, Verdict.CONFIRMED))[0] == 409
    assert booth.say("/voice", of=of, code=right.replace("-", " ").lower())[0] == 200
    assert booth.post.recorder.steps[-1].by_voice


def test_a_shift_takes_over_by_badge_looks_and_one_form(booth: Booth) -> None:
    of = matched(booth)
    assert booth.say("/badge", badge="7702")[0] == 200
    assert booth.say("/hand_over", gave="7701", took="7702", cases=of)[0] == 409
    assert booth.say("/details", show="1", of=of)[0] == 200
    assert booth.say("/hand_over", gave="7701", took="7702", cases=of, note="Waits for an answer.")[0] == 200
    body = booth.post.recorder.records[-1].body
    assert isinstance(body, HandOver)
    assert (body.gave, body.took, body.cases, body.note) == ("7701", "7702", (of,), "Waits for an answer.")
    assert booth.state()["opened"] is None


def test_a_badge_that_can_be_none_is_logged_as_a_failed_sign_in(booth: Booth) -> None:
    assert booth.say("/badge", badge="x" * 65)[0] == 422
    assert booth.say("/badge", badge="7701")[0] == 200
    failed = ("sign_in_failed", {"count": "1"})
    logged = booth.post.recorder.events
    wait_until(lambda: failed in logged and ("signed_in", {}) in logged, "both sign-ins in the log")
    assert "7701" not in str(booth.post.recorder.events)
