"""Try rules on what was recorded: the box's own decision code, with the document, findings and hits of each record.

Nothing of a person leaves here: a changed record is named by its identifier, with what changed and by which kind of
reason. A record is judged by what the box knew then (hits, and what people had decided before), never searched again.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from appliance.decide import decide
from appliance.formats.rules import Rules
from appliance.judged import Answer, Clear, Decision, Finding, Refer, Screening
from provisioning.audit.opened.records import RecordLine

Weight = Literal["alert", "refer", "note", "clear"]
WEIGHTS: Final[tuple[Weight, ...]] = ("alert", "refer", "note", "clear")
"""What a record does, the heaviest first: `note` is recorded and shown in secondary screening, and refers nobody."""
_TELEPHONE: Final = "the duty desk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One record of which the rules would say something else.

    Attributes:
        was, now: As recorded, and with the new rules.
        why: Which reasons go, which come, by their codes.
    """

    record_id: str
    was: Weight
    now: Weight
    why: str

    @property
    def passes(self) -> bool:
        """It referred, and would not any more."""
        return self.was in ("alert", "refer") and self.now in ("note", "clear")


@dataclass(slots=True, kw_only=True)
class Trial:
    """What rules would have done."""

    was: Counter[str] = field(default_factory=Counter[str])
    now: Counter[str] = field(default_factory=Counter[str])
    changes: list[Change] = field(default_factory=list[Change])

    @property
    def records(self) -> int:
        """How many were judged."""
        return self.was.total()

    @property
    def passes(self) -> list[Change]:
        """Records that referred and would not any more."""
        return [change for change in self.changes if change.passes]


def try_rules(rules: Rules, lines: Iterable[RecordLine]) -> Trial:
    """Judge each record again by these rules."""
    trial = Trial()
    for line in lines:
        again = decide(
            line.document,
            line.findings,
            Screening(lists=line.lists, hits=line.hits),
            duty_telephone=_TELEPHONE,
            rules=rules,
            spared=frozenset(line.spared),
        )
        was, now = weight(line.decision, line), weight(again, line)
        trial.was[was] += 1
        trial.now[now] += 1
        if was != now or _codes(line.decision) != _codes(again):
            why = _why(_codes(line.decision), _codes(again))
            trial.changes.append(Change(record_id=line.record_id, was=was, now=now, why=why))
    return trial


def weight(decision: Decision, line: RecordLine) -> Weight:
    """What a decision on this record comes to."""
    if isinstance(decision, Refer):
        return "alert" if decision.alert else "refer"
    assert isinstance(decision, Clear)
    return "note" if line.hits or any(map(_failed, line.findings)) else "clear"


def _failed(finding: Finding) -> bool:
    return finding.answer is Answer.FAILED


def _codes(decision: Decision) -> Counter[str]:
    if isinstance(decision, Clear):
        return Counter()
    return Counter(reason.code for reason in (decision.first, *decision.others))


def _why(was: Counter[str], now: Counter[str]) -> str:
    gone, come = sorted((was - now).elements()), sorted((now - was).elements())
    parts = [f"no longer {', '.join(gone)}"] if gone else []
    parts += [f"also {', '.join(come)}"] if come else []
    return "; ".join(parts).replace("_", " ") or "for the same reasons"
