"""The rules: which list, band or finding refers, alerts or only notes, and how a hit is confirmed (README, "Rules").

A TUF target of the role `policy`. A post works by the rules of the release in service; rules that say nothing of a
case refer. Some things no rule can lower (`check_rules`, and decide.py once more): a list that could not be searched, a
page that could not be read, and a document whose number is listed always refer (I5).

What every box is delivered with is default_rules.json; headquarters' own begin with 2. It keeps the number 1 when it
changes: it is a part of the software, whose version each epoch of the log names, and no box compares it with that of
another software. A higher number would be refused beside headquarters' own of that number. What is added to it must
change nothing by itself: a check that is not named there refers, and so do those that are.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from importlib import resources
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from appliance.errors import Malformed
from appliance.formats.refusal import refusal
from appliance.judged import Band
from appliance.model import Line, ListName, Noun, Text, Word

RULES_BYTES_MAX: Final = 65_536

Action = Literal["alert", "refer", "note"]
"""`alert`: refer, and headquarters hears of it before anything else. `note`: recorded, and shown in secondary screening
only."""
LinkClass = Literal["broadband", "mobile", "narrowband", "courier"]
"""How a post reaches headquarters: 4 Mbit/s and more, 256 kbit/s, 20 kbit/s, a stick."""
Age = Literal["", "remark", "alarm"]
LINK_CLASSES: Final[tuple[LinkClass, ...]] = ("broadband", "mobile", "narrowband", "courier")
LINK_BYTES_PER_S: Final = {"broadband": 500_000, "mobile": 32_000, "narrowband": 2_500}
NoticeColour = Literal["", "red", "yellow", "blue", "green", "orange", "purple", "black", "special", "silver"]


class HitRule(Noun, frozen=True, kw_only=True):
    """One rule about hits; the first that fits decides.

    Attributes:
        list_name, band, notice: What it is about; None fits all.
    """

    action: Action
    list_name: ListName | None = None
    band: Band | None = None
    notice: NoticeColour | None = None


class Confirmation(Noun, frozen=True, kw_only=True):
    """How a hit is confirmed; the first whose notice fits counts.

    Attributes:
        notice: The colour it is for; None for all.
        telephone: The duty desk; "" is the post's own (box.toml).
        wait_minutes: The longest wait for an answer, from the request on.
        decides: Who decides when the wait has ended, in words ("the officer in charge of the post").
        release_path: What that person may do then, in words.
    """

    notice: NoticeColour | None = None
    telephone: Word = ""
    wait_minutes: Annotated[int, Meta(ge=1, le=43_200)]
    decides: Line
    release_path: Text


class ListAge(Noun, frozen=True, kw_only=True):
    """How old lists may be at a post of this class before the page says so, and before it alarms; hours."""

    link: LinkClass
    remark_h: Annotated[int, Meta(ge=1, le=87_600)]
    alarm_h: Annotated[int, Meta(ge=1, le=87_600)]


class Rules(Noun, frozen=True, kw_only=True):
    """The whole file.

    Attributes:
        version: Counted up by one with every change; never goes back.
        title: What people call it.
        findings: By check (examine/findings.py): what a failed one does; a check that is not here refers.
        carrier_telephone: What a desk of the carrier profile is told to call; "" is the post's own.
    """

    schema: Annotated[int, Meta(ge=1, le=1)]
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    title: Line
    hits: Annotated[tuple[HitRule, ...], Meta(max_length=64)]
    findings: Annotated[dict[Word, Literal["refer", "note"]], Meta(max_length=64)]
    confirmations: Annotated[tuple[Confirmation, ...], Meta(min_length=1, max_length=16)]
    list_ages: Annotated[tuple[ListAge, ...], Meta(max_length=8)]
    carrier_telephone: Word = ""


def encode_rules(rules: Rules) -> bytes:
    """`policy/rules.json`; equal rules have equal bytes."""
    return msgspec.json.encode(rules, order="deterministic")


def parse_rules(data: bytes) -> Rules:
    """Parse and check rules. Raises Malformed."""
    if len(data) > RULES_BYTES_MAX:
        raise Malformed("rules", f"{len(data)} bytes, at most {RULES_BYTES_MAX}")
    try:
        rules = msgspec.json.decode(data, type=Rules, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("rules", refusal(error)) from None
    check_rules(rules)
    return rules


def check_rules(rules: Rules) -> None:
    """What no rule may do; the refusal begins with the place, as `hits[2]`.

    Raises:
        Malformed: A listed document's number would not refer; a rule or confirmation can never apply; no confirmation
            fits every notice; an alarm comes before its remark, or a class of posts stands twice.
    """
    _check_hits(rules.hits)
    _check_confirmations(rules.confirmations)
    _check_ages(rules.list_ages)


def _check_hits(rules: tuple[HitRule, ...]) -> None:
    for place, rule in enumerate(rules):
        if rule.action == "note" and rule.list_name != "persons" and rule.band in (None, Band.EXACT_DOCUMENT):
            raise Malformed("rules", f"hits[{place}]: a document whose number is listed always refers")
        for before, other in enumerate(rules[:place]):
            if _fits_all_of(other, rule):
                raise Malformed("rules", f"hits[{place}]: never applies, for hits[{before}] decides before it")


def _check_confirmations(confirmations: tuple[Confirmation, ...]) -> None:
    for place, confirmation in enumerate(confirmations):
        if any(other.notice in (None, confirmation.notice) for other in confirmations[:place]):
            raise Malformed("rules", f"confirmations[{place}]: never applies, for one before it fits the same notice")
    if confirmations[-1].notice is not None:
        raise Malformed("rules", f"confirmations[{len(confirmations) - 1}]: the last one has to fit every notice")


def _check_ages(ages: tuple[ListAge, ...]) -> None:
    for place, age in enumerate(ages):
        if age.alarm_h < age.remark_h:
            raise Malformed("rules", f"list_ages[{place}]: an alarm comes after its remark")
        if any(age.link == other.link for other in ages[:place]):
            raise Malformed("rules", f"list_ages[{place}]: this class of posts stands there already")


def _fits_all_of(rule: HitRule, other: HitRule) -> bool:
    """Whether every hit that `other` is about is one of `rule`, too."""
    return (
        rule.list_name in (None, other.list_name)
        and rule.band in (None, other.band)
        and rule.notice in (None, other.notice)
    )


def _default() -> Rules:
    return parse_rules(resources.files("appliance.formats").joinpath("default_rules.json").read_bytes())


DEFAULT_RULES: Final = _default()
"""In force where a release brings none."""


def action_for(rules: Rules, *, list_name: ListName, band: Band, notice: str) -> Action:
    """What a hit does; what no rule is about refers."""
    for rule in rules.hits:
        if (
            rule.list_name in (None, list_name)
            and rule.band in (None, band)
            and (rule.notice is None or rule.notice == notice)
        ):
            return rule.action
    return "refer"


def confirmation_for(rules: Rules, *notices: str) -> Confirmation:
    """How hits of these notice colours ("" for none) are confirmed: the rules' first that fits one of them."""
    return next(each for each in rules.confirmations if each.notice is None or each.notice in notices)


def list_age(ages: Iterable[ListAge], link: LinkClass, *, dated: date, now_ms: int) -> Age:
    """Whether a list is older than the rules want it to be at a post of this class; "" where they say nothing of it.

    Args:
        ages: Of the rules in force.
        link: How the post reaches headquarters.
        dated: The list's day; its age is counted from its first moment in UTC.
        now_ms: Milliseconds since 1970; an untrusted clock's claim counts too, since nobody is referred by this.
    """
    limit = next((age for age in ages if age.link == link), None)
    hours = (now_ms - datetime.combine(dated, time.min, UTC).timestamp() * 1000) / 3_600_000
    if limit is None or hours < limit.remark_h:
        return ""
    return "alarm" if hours >= limit.alarm_h else "remark"
