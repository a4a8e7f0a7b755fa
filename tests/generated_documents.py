"""What the checker says of generated documents: counted for the test and for the benchmark."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from appliance.clock import Grade, Instant
from appliance.examine.examine import examine
from appliance.judged import Answer, Finding
from appliance.model import MrzReading
from appliance.parse.reading import parse_reading
from tests.document_generator import FAULTS, TODAY, Fault, correct, planted, write

NOON = Instant(
    wall_ms=1_795_262_400_000, grade=Grade.NETWORK, lower_bound_ms=1_793_000_000_000, boot_id="0" * 32, boot_ms=1
)
"""Of the generator's day."""
NAMED = (Answer.FAILED, Answer.INCONCLUSIVE)


@dataclass
class Correct:
    """Answers over correct documents; `failed` and `noticed` with a document's lines."""

    documents: int = 0
    issuers: set[str] = field(default_factory=set)
    answers: Counter[Answer] = field(default_factory=Counter)
    failed: list[tuple[Finding, list[str]]] = field(default_factory=list)
    noticed: Counter[str] = field(default_factory=Counter)

    @property
    def passed(self) -> float:
        """Of the findings that apply."""
        applicable = sum(self.answers[answer] for answer in (Answer.PASSED, *NAMED))
        return self.answers[Answer.PASSED] / applicable


def findings_of(lines: Iterable[str]) -> dict[str, Finding]:
    """By check, as the box would examine these lines."""
    assert NOON.today == TODAY
    reading = MrzReading(device="generator", lines=tuple(lines), raw_sha256=bytes(32))
    return {finding.check: finding for finding in examine(parse_reading(reading, NOON), reading, NOON)}


def examine_correct(count: int, seed: int) -> Correct:
    """Of so many correct documents."""
    chance, result = random.Random(seed), Correct()
    for _ in range(count):
        paper = correct(chance)
        lines = write(paper)
        result.documents += 1
        result.issuers.add(paper.issuer)
        for finding in findings_of(lines).values():
            result.answers[finding.answer] += 1
            if finding.answer is Answer.FAILED:
                result.failed.append((finding, lines))
            elif finding.answer is Answer.INCONCLUSIVE:
                result.noticed[finding.check] += 1
    return result


def is_named(fault: Fault, lines: list[str]) -> bool:
    """Whether the check that has to see it does, and says it."""
    finding = findings_of(lines)[fault.check]
    return finding.answer in NAMED and fault.word in " ".join((finding.reason, *finding.evidence))


def examine_faults(of_each_kind: int, seed: int) -> Iterator[tuple[str, int, int]]:
    """Kind, found, missed."""
    chance = random.Random(seed)
    for fault in FAULTS:
        found = sum(is_named(fault, planted(fault, chance)) for _ in range(of_each_kind))
        yield fault.kind, found, of_each_kind - found
