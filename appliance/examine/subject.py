"""Stage 3 of 8: examine - what the checks look at, in one value."""

from typing import Final

from msgspec import Struct

from appliance.clock import Instant
from appliance.examine.findings import Check
from appliance.judged import Answer, Finding
from appliance.model import CameraReading, Mode, TravelDocument

EVIDENCE_MAX: Final = 16


class Subject(Struct, frozen=True, kw_only=True):
    """One document under examination.

    Attributes:
        typed: An officer typed it: no printed lines were read.
        camera: What the camera read of the same page; None where none is fitted.
        alone: The document itself is what the camera read: there is no scanner.
    """

    document: TravelDocument
    typed: bool
    now: Instant
    mode: Mode
    camera: CameraReading | None = None
    alone: bool = False


def found(check: Check, answer: Answer, reason: str, *evidence: str) -> Finding:
    """A finding of a declared check; evidence beyond the model's bound is counted, not listed."""
    if len(evidence) > EVIDENCE_MAX:
        kept = evidence[: EVIDENCE_MAX - 1]
        evidence = (*kept, f"and {len(evidence) - len(kept)} more")
    return Finding(check=check.id, answer=answer, reason=reason, evidence=evidence)


def not_typed(check: Check) -> Finding:
    """The answer for a typed document where the check needs the printed lines."""
    return found(check, Answer.NOT_APPLICABLE, "Typed in: the printed lines were not read.")
