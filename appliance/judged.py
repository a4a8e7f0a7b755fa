"""Stages 3 to 5 of 8: examine, screen, decide - the nouns of a judgement: findings, hits, and what follows of them.

What they judge is in model.py. A forged passport is an ordinary day: each of these is a value, never an exception.
"""

import enum
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from appliance.model import Line, ListName, Noun, StateCode, Text, Word

# --- 3 examine --------------------------------------------------------------------------------------------------------


class Answer(enum.StrEnum):
    """What a check of the document can say (BSI TR-03135 style). There is no single "genuine"."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not applicable"
    UNAVAILABLE = "unavailable"


class Finding(Noun, frozen=True, kw_only=True):
    """One check of the document, its answer, and why.

    Attributes:
        check: Identifier as examine/findings.py declares it ("check_digits", "expiry", "specimen", ...).
        reason: Plain words for the officer.
        evidence: What it rests on, item by item ("composite: printed 4, computed 7").
    """

    check: Word
    answer: Answer
    reason: Line
    evidence: Annotated[tuple[Line, ...], Meta(max_length=16)] = ()


# --- 4 screen ---------------------------------------------------------------------------------------------------------


class Band(enum.StrEnum):
    """How a list entry concerns this document or person (screen/persons.py). Never one score (I6)."""

    EXACT_DOCUMENT = "exact document"
    STRONG = "strong"
    POSSIBLE = "possible"
    WEAK = "weak"


class WordPair(Noun, frozen=True, kw_only=True):
    """Words of two names that were held against each other, for the officer to compare one by one.

    Attributes:
        traveller, listed: One word; several where they stand as one on the other side; "" where no partner was found.
        verdict: "missing" when one side is "".
    """

    traveller: Line
    listed: Line
    verdict: Literal["equal", "alike", "cut off", "initial", "written as one", "missing"]


class FieldVerdict(Noun, frozen=True, kw_only=True):
    """One field of a name comparison, side by side.

    Attributes:
        field: "name", "date_of_birth", "nationality", "document_number".
        verdict: "equal", "alike", "compatible", "contradicts", "absent".
        words: Of a name, word by word, the most telling first; () for other fields.
    """

    field: Word
    traveller: Line
    listed: Line
    verdict: Word
    words: Annotated[tuple[WordPair, ...], Meta(max_length=24)] = ()


class WeighedWord(Noun, frozen=True, kw_only=True, omit_defaults=True):
    """One word of a name as matching read it.

    Attributes:
        folded: The same with romanisations made one.
        weight: How much it tells, 0 to 1.
        variant: The same for all words that are one given name; empty for a word of no such name.
    """

    text: Word
    folded: Word
    weight: Annotated[float, Meta(ge=0.0, le=1.0)]
    variant: Word = ""


class MatchBasis(Noun, frozen=True, kw_only=True):
    """What a person's band was worked out from, so that headquarters can work it out again from the record alone.

    Attributes:
        cut: The traveller's last word may have been cut off by a full name field.
        quality: Of the listed name: "primary", "good" or "low".
        births: Of the listed person, packed as the persons index has them (formats/person_index.py).
        nationalities, sex: Of the listed person.
    """

    traveller: Annotated[tuple[WeighedWord, ...], Meta(max_length=16)]
    cut: bool
    listed: Annotated[tuple[WeighedWord, ...], Meta(max_length=16)]
    quality: Word
    births: Annotated[tuple[Annotated[int, Meta(ge=0, le=2**63 - 1)], ...], Meta(max_length=32)]
    nationalities: Annotated[tuple[StateCode, ...], Meta(max_length=16)]
    sex: Annotated[str, Meta(pattern=r"\A[MF]?\Z")]


class Hit(Noun, frozen=True, kw_only=True):
    """A list entry that may concern this document or person. A match is a human's judgement, not this.

    Attributes:
        list_version: Version of the verified release it was found in.
        list_date: The day that release was made.
        entry: The entry's identifier in its source.
        source: Who listed it, as the list says ("UN Security Council", "SLTD-like").
        matcher: Version of the matching code and its thresholds, so that headquarters can replay it.
        instruction: What the source asks of an officer, in words.
        notice: Colour of the INTERPOL notice (formats/lists.py, NOTICES), "" where the source has none.
        revision: Of the entry's content, as the list has it: another one is another entry to "not the same person".
        basis: Of a person's match.
    """

    list_name: ListName
    list_version: Annotated[int, Meta(ge=1)]
    list_date: date
    entry: Word
    source: Word
    band: Band
    matcher: Line
    fields: Annotated[tuple[FieldVerdict, ...], Meta(max_length=8)]
    instruction: Text
    notice: Word = ""
    revision: Annotated[str, Meta(pattern=r"\A([0-9a-f]{16})?\Z")] = ""
    basis: MatchBasis | None = None


class ListAnswer(Noun, frozen=True, kw_only=True):
    """What one list answered: searched, with its date, or not searched, and why (I5)."""

    list_name: ListName
    searched: bool
    version: Annotated[int, Meta(ge=0)]
    dated: date | None
    why: Line = ""


class Screening(Noun, frozen=True, kw_only=True):
    """What the lists said. A list that could not be checked is a value here, never silence."""

    lists: Annotated[tuple[ListAnswer, ...], Meta(max_length=8)]
    hits: Annotated[tuple[Hit, ...], Meta(max_length=16)]


# --- 5 decide ---------------------------------------------------------------------------------------------------------


class Reason(Noun, frozen=True, kw_only=True):
    """Why the box refers, and what to do next: plain words for the officer.

    Attributes:
        code: Stable identifier of the kind of reason, for scripts and reports ("listed_document", "expired", ...).
        words: One sentence.
        next_step: One sentence in the imperative.
    """

    code: Word
    words: Line
    next_step: Line


class Clear(Noun, frozen=True, kw_only=True, tag="clear"):
    """Nothing found in lists that were verified and searched. The officer's check decides.

    Attributes:
        oldest_list: The day of the oldest list that was searched.
        notices: What the officer may want to look at, though it refers nobody (a repaired character, an
            untrusted clock).
    """

    oldest_list: date
    notices: Annotated[tuple[Line, ...], Meta(max_length=16)] = ()


class Refer(Noun, frozen=True, kw_only=True, tag="refer"):
    """A person should look. Never "reject".

    Attributes:
        first: The most important reason: it names the next step.
        others: The rest, in order.
        alert: The rules in force want headquarters to know at once: the record goes before all others.
    """

    first: Reason
    others: Annotated[tuple[Reason, ...], Meta(max_length=32)] = ()
    alert: bool = False


Decision = Clear | Refer
