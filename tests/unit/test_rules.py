"""Rules: what ships, what no rule can lower, what is refused and where, and how old a list may be."""

import itertools
import json
import re
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec import structs

from appliance.errors import Malformed
from appliance.examine.findings import CHECKS
from appliance.formats.lists import NOTICES
from appliance.formats.rules import (
    DEFAULT_RULES,
    LINK_CLASSES,
    RULES_BYTES_MAX,
    Action,
    Confirmation,
    HitRule,
    LinkClass,
    ListAge,
    NoticeColour,
    Rules,
    action_for,
    check_rules,
    confirmation_for,
    encode_rules,
    list_age,
    parse_rules,
)
from appliance.judged import Band
from appliance.model import ListName
from provisioning.policy.rules_file import parse_rules_file

SHIPPED = Path(__file__).parents[2] / "appliance" / "formats" / "default_rules.json"
DAY_MS = 86_400_000
DATED = date(2026, 11, 3)
DATED_MS = 1_793_664_000_000
"""2026-11-03T00:00Z, by `date -u -d 2026-11-03 +%s`."""


def changed(**fields: object) -> bytes:
    """The rules that ship, with other fields."""
    return json.dumps(json.loads(SHIPPED.read_bytes()) | fields).encode()


@pytest.mark.parametrize(
    ("list_name", "band", "action"),
    [
        ("documents", Band.EXACT_DOCUMENT, "alert"),
        ("documents", Band.WEAK, "refer"),
        ("persons", Band.STRONG, "alert"),
        ("persons", Band.POSSIBLE, "refer"),
        ("persons", Band.WEAK, "note"),
    ],
)
@pytest.mark.parametrize("notice", ["", *NOTICES])
def test_what_ships_follows_the_bands(list_name: ListName, band: Band, action: str, notice: str) -> None:
    assert action_for(DEFAULT_RULES, list_name=list_name, band=band, notice=notice) == action


def test_what_ships_names_every_check_every_class_and_lets_none_of_them_pass() -> None:
    assert DEFAULT_RULES.version == 1
    assert DEFAULT_RULES.findings == dict.fromkeys(CHECKS, "refer")
    assert tuple(age.link for age in DEFAULT_RULES.list_ages) == LINK_CLASSES == get_args(LinkClass)
    remarks, alarms = zip(*((age.remark_h, age.alarm_h) for age in DEFAULT_RULES.list_ages), strict=True)
    assert list(remarks) == sorted(remarks)
    assert list(alarms) == sorted(alarms)


def test_every_colour_of_a_notice_has_a_confirmation_that_holds_nobody_by_itself() -> None:
    assert set(get_args(NoticeColour)) == {"", *NOTICES}
    waits = {notice: confirmation_for(DEFAULT_RULES, notice).wait_minutes for notice in ("", *NOTICES)}
    assert waits["orange"] < waits["red"] < waits["yellow"] < waits["blue"] == waits[""]
    for notice in NOTICES:
        confirmation = confirmation_for(DEFAULT_RULES, notice)
        assert "officer in charge" in confirmation.decides  # people decide, never the box
        assert not [word for word in ("reject", "detain them", "arrest") if word in confirmation.release_path.lower()]
    assert "protect" in confirmation_for(DEFAULT_RULES, "yellow").release_path


def test_rules_come_back_as_they_were_written() -> None:
    assert parse_rules(SHIPPED.read_bytes()) == DEFAULT_RULES
    assert parse_rules(encode_rules(DEFAULT_RULES)) == DEFAULT_RULES


def test_what_no_rule_is_about_refers() -> None:
    silent = parse_rules(changed(hits=[]))
    for list_name, band in itertools.product(get_args(ListName), Band):
        assert action_for(silent, list_name=list_name, band=band, notice="") == "refer"


def test_the_first_rule_that_fits_decides() -> None:
    rules = parse_rules(
        changed(hits=[{"action": "note", "list_name": "persons", "notice": "blue"}, {"action": "alert"}])
    )
    assert action_for(rules, list_name="persons", band=Band.STRONG, notice="blue") == "note"
    assert action_for(rules, list_name="persons", band=Band.STRONG, notice="red") == "alert"
    assert action_for(rules, list_name="documents", band=Band.WEAK, notice="") == "alert"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"hits": [{"action": "note"}]}, r"hits\[0\]: a document whose number is listed"),
        ({"hits": [{"action": "note", "list_name": "documents"}]}, r"hits\[0\]: a document whose number"),
        ({"hits": [{"action": "note", "band": "exact document"}]}, r"hits\[0\]: a document whose number"),
        (
            {"hits": [{"action": "note", "list_name": "documents", "band": "exact document", "notice": "silver"}]},
            "listed",
        ),
        ({"hits": [{"action": "alert"}, {"action": "refer", "band": "weak"}]}, r"hits\[1\]: never applies"),
        ({"hits": [{"action": "alert", "notice": "red"}] * 2}, r"hits\[1\]: never applies"),
        ({"hits": [{"action": "detain"}]}, r"hits\[0\]"),
        ({"hits": [{"action": "alert", "nationality": "XXA"}]}, "Unknown field"),
        ({"hits": [{"action": "alert"}] * 65}, "hits"),
        ({"findings": {"expiry": "pass"}}, "findings"),
        ({"confirmations": []}, "confirmations"),
        (
            {"confirmations": [{"notice": "red", "wait_minutes": 1, "decides": "x", "release_path": "y"}]},
            "every notice",
        ),
        ({"confirmations": [{"wait_minutes": 1, "decides": "x", "release_path": "y"}] * 2}, r"\[1\]: never applies"),
        ({"confirmations": [{"wait_minutes": 0, "decides": "x", "release_path": "y"}]}, "wait_minutes"),
        ({"list_ages": [{"link": "mobile", "remark_h": 9, "alarm_h": 8}]}, r"list_ages\[0\]: an alarm comes after"),
        ({"list_ages": [{"link": "mobile", "remark_h": 1, "alarm_h": 8}] * 2}, r"list_ages\[1\]: this class"),
        ({"list_ages": [{"link": "pigeon", "remark_h": 1, "alarm_h": 8}]}, "link"),
        ({"version": 0}, "version"),
        ({"schema": 2}, "schema"),
        ({"title": "x" * 300}, "title"),
    ],
)
def test_rules_that_no_box_may_work_by_are_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse_rules(changed(**fields))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"hits":' + b"[" * 5_000,
        b" " * (RULES_BYTES_MAX + 1),
        SHIPPED.read_bytes() + b"x",
    ],
)
def test_what_are_no_rules_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_rules(data)


def test_a_refusal_holds_nothing_of_what_it_refuses() -> None:
    with pytest.raises(Malformed) as refused:
        parse_rules(changed(hits=[{"action": "PHOMMASACK"}], PHOMMASACK=1))
    assert "PHOMMASACK" not in str(refused.value)


@pytest.mark.parametrize(
    ("link", "hours", "said"),
    [
        ("broadband", 47, ""),
        ("broadband", 48, "remark"),
        ("broadband", 168, "alarm"),
        ("mobile", 71, ""),
        ("mobile", 239, "remark"),
        ("mobile", 240, "alarm"),
        ("courier", 503, ""),
        ("courier", 1_080, "alarm"),
        ("mobile", -5_000, ""),
    ],
)
def test_how_old_a_list_may_be_follows_the_class_of_the_post(link: LinkClass, hours: int, said: str) -> None:
    now_ms = DATED_MS + hours * 3_600_000
    assert list_age(DEFAULT_RULES.list_ages, link, dated=DATED, now_ms=now_ms) == said


def test_rules_that_say_nothing_of_a_class_remark_on_no_list() -> None:
    assert list_age((), "mobile", dated=DATED, now_ms=DATED_MS + 9_000 * DAY_MS) == ""


def test_rules_made_in_code_are_checked_like_those_of_a_file() -> None:
    hushed = structs.replace(DEFAULT_RULES, hits=(HitRule(action="note"),))
    assert isinstance(hushed, Rules)
    with pytest.raises(Malformed):
        check_rules(hushed)


def test_the_example_of_the_page_is_rules_that_do_what_the_page_says() -> None:
    page = SHIPPED.with_name("README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    rules = parse_rules_file(example.encode(), name="README.md")
    assert action_for(rules, list_name="persons", band=Band.POSSIBLE, notice="red") == "alert"
    assert action_for(rules, list_name="persons", band=Band.STRONG, notice="silver") == "note"
    assert action_for(rules, list_name="documents", band=Band.WEAK, notice="") == "refer"
    assert confirmation_for(rules, "red").telephone == "+856 00 000 001"
    assert [confirmation_for(rules, notice).wait_minutes for notice in ("red", "yellow", "")] == [90, 2_880, 2_880]


def test_the_page_names_every_key_and_word_of_rules() -> None:
    page = SHIPPED.with_name("README.md").read_text(encoding="utf-8").partition("### Rules")[2].partition("\n### ")[0]
    words = {*get_args(Action), *get_args(LinkClass), *get_args(ListName), *NOTICES, *(band.value for band in Band)}
    for kind in (Rules, HitRule, Confirmation, ListAge):
        words |= set(kind.__struct_fields__)
    assert {word for word in words if f"`{word}`" not in page and f" {word}" not in page} == set()
