"""What headquarters answered to the box about a record, as files and back (`evidence/answers/`).

A written answer was signed before it was sealed to the box, and headquarters keeps what it signed; the record of the
step that it moved names it by its hash. So it is proven twice: by headquarters' signature, and by the box's log. A code
read out over a telephone leaves headquarters' memory alone, and is told as that.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from appliance.errors import ConfigError, Malformed
from appliance.formats.downlink import ANSWERS, CaseAnswer, box_name, downlink_digest, verify_downlink
from appliance.formats.voice import case_code
from provisioning.authority.downlink import Down, Said
from provisioning.authority.home import Home
from provisioning.exhibit.contents import AnswerFacts, EntryFacts
from provisioning.exhibit.pieces import EVIDENCE, Broken, Pieces, demand, naming, take
from provisioning.exhibit.times import pretty
from provisioning.exhibit.trust import Trusted

FOLDER: Final = f"{EVIDENCE}/answers"
SAID: Final = f"{FOLDER}/said.json"


def answers_about(home: Home, trusted: Trusted, record_id: str) -> tuple[tuple[Said, ...], str]:
    """What was said to the box about this record, oldest first; and why that cannot be told, "" when it can."""
    try:
        said = Down(home, trusted.box).said()
    except (ConfigError, Malformed) as error:
        return (), f"headquarters' memory of its answers cannot be read: {error}"
    case = case_code(record_id)
    kinds = ("case_answer", "voice_code")
    return tuple(each for each in said if each.kind in kinds and (each.of == record_id or each.case == case)), ""


def answer_pieces(said: Sequence[Said], moved: Mapping[str, int], *, words: bool) -> dict[str, bytes]:
    """The files that show these answers.

    Args:
        said: From `answers_about`.
        moved: Which entry names an answer by its hash, hexadecimal.
        words: Whether to give words and names; a redacted copy goes without, and without the signed answers.
    """
    if not said:
        return {}
    pieces: dict[str, bytes] = {}
    facts: list[AnswerFacts] = []
    for each in said:
        file = f"{FOLDER}/{each.counter}.cose" if each.signed and words else ""
        if file:
            pieces[file] = each.signed
        facts.append(
            AnswerFacts(
                at_ms=each.at_ms,
                verdict=str(each.verdict),
                words=each.words if words else None,
                by=each.by if words else None,
                sha256=each.digest,
                file=file,
                named_by=moved.get(each.digest),
            )
        )
    return {**pieces, SAID: pretty(facts)}


def _moved_by(related: Iterable[EntryFacts]) -> dict[str, int]:
    """By an answer's hash the first entry whose record names it."""
    bodies = [(each.index, each.record["body"]) for each in related if each.record is not None]
    return {body["answer"]: index for index, body in reversed(bodies) if body.get("answer")}


def read_answers(
    pieces: Pieces, domain: str, record_id: str, related: Sequence[EntryFacts], trusted: Trusted
) -> tuple[AnswerFacts, ...]:
    """What headquarters answered: the written ones verified, the others as it says. Raises Broken."""
    strays = sorted(path for path in pieces if path.startswith(f"{FOLDER}/") and path != SAID)
    if SAID not in pieces:
        demand(not strays, SAID, "missing")
        return ()
    try:
        facts = msgspec.json.decode(take(pieces, SAID), type=tuple[AnswerFacts, ...])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Broken(SAID, "not answers as JSON") from None
    demand(sorted(each.file for each in facts if each.file) == strays, SAID, "names other files than are here")
    moved = _moved_by(related)
    for each in facts:
        demand(each.named_by == moved.get(each.sha256), SAID, "another entry names this answer, or none does")
        if each.file:
            _check(take(pieces, each.file), each, box_name(domain, trusted.box.serial), record_id, trusted)
    return facts


def _check(signed: bytes, said: AnswerFacts, box: str, record_id: str, trusted: Trusted) -> None:
    """A written answer is headquarters', to this box, about this record, and says what is told of it."""
    with naming(said.file):
        demand(downlink_digest(signed).hex() == said.sha256, said.file, f"not the answer that {SAID} names")
        downlink = verify_downlink(
            signed, keys_of=lambda role: [key.public for key in trusted.roster.keys_of(role)], box=box
        )
    message = downlink.message
    if not isinstance(message, CaseAnswer) or message.of != record_id:
        raise Broken(said.file, f"no {ANSWERS} about this record")
    told = (said.at_ms, said.verdict, said.words, said.by)
    demand(told == (downlink.at_ms, message.verdict, message.words, message.by), SAID, "not what was signed")
