"""Stage 7 of 8: show - a possible match on the page: both sides of it, where it stands, and what can be said now.

- Traveller and list stand side by side, word by word and field by field; no number says how alike they are (I6).
- It is "not confirmed" until headquarters has confirmed it (I10), and at every stage one sentence says what to do.
- Who only bears a name like a listed one is shown from the second check on, never in the first line.
"""

from typing import Final

from msgspec import Struct

from appliance.booth import match_words, words
from appliance.booth.match_words import Said
from appliance.clock import Instant
from appliance.formats.rules import Rules
from appliance.formats.wire import Case
from appliance.inquiry.advice import advice
from appliance.inquiry.life import STAGE_OF, confirmation_of
from appliance.inquiry.moves import ANSWERABLE, OPEN, RULED_OUT, Need, Who, find_move, officers_moves
from appliance.judged import Band, FieldVerdict, Hit, WordPair
from appliance.recorded import Screened, Stage
from appliance.screen.screen import DOCUMENTS

FROM_SECOND_CHECK: Final = frozenset(Stage) - {Stage.CANDIDATE, Stage.FIRST_LINE_VERIFIED}
"""Stages in which a name that is merely near is shown too."""
AWAITING: Final = frozenset({Stage.CANDIDATE, Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY, Stage.CONFIRMATION_REQUESTED})
"""Stages in which headquarters' answer may still come in time."""


class WordView(Struct, frozen=True, kw_only=True):
    """One word of two names; "" where that side has none."""

    traveller: str
    listed: str
    said: Said


class FieldView(Struct, frozen=True, kw_only=True):
    """One field, side by side; `words` of a name, in the order in which they were held against each other."""

    name: str
    traveller: str
    listed: str
    said: Said
    words: tuple[WordView, ...]


class EntryView(Struct, frozen=True, kw_only=True):
    """A list entry that may concern this document or person.

    Attributes:
        of_list: Which list it stands in, of which day and version.
        notice: Name of the notice, "" where the source has none; `colour` is for its sign.
        instruction: What its source asks of an officer; "" where nobody holds it for a match any more.
        near: Only a name or number like this one.
    """

    source: str
    entry: str
    of_list: str
    notice: str
    colour: str
    instruction: str
    near: bool
    fields: tuple[FieldView, ...]


class MoveView(Struct, frozen=True, kw_only=True):
    """Something that the officer can say of the case now.

    Attributes:
        now: The stage that it leads to.
        words: Of its button.
        fields: What can be written with it: "reason", "legal_basis"; () for a move of one touch.
        ready: Reasons that are said often, to be taken with one touch.
    """

    now: str
    words: str
    fields: tuple[str, ...]
    ready: tuple[str, ...] = ()


class MatchView(Struct, frozen=True, kw_only=True):
    """A case with a possible match, opened.

    Attributes:
        headline, where: What is known, "not confirmed" until headquarters has, and where the case stands.
        to_do: What to do now, one sentence; `then` are those after it.
        in_short: The same for a list of cases.
        telephone: Whom to call.
        code: The case as it is read out, in its groups; shown while `hears_code`.
        since, until: When it came to this stage, and when the wait for an answer ends; "" when nobody waits.
        over: No answer is waited for any more: it came, or the wait has ended.
        decides, release_path: Who decides when it has ended, and what that person may do.
        asylum: What follows from seeking asylum, "" where that was not said.
        hears_code: A code from headquarters can be typed in now.
    """

    stage: str
    headline: str
    where: str
    to_do: str
    then: tuple[str, ...]
    in_short: str
    telephone: str
    code: tuple[str, ...]
    since: str
    until: str
    over: bool
    decides: str
    release_path: str
    asylum: str
    hears_code: bool
    moves: tuple[MoveView, ...]
    entries: tuple[EntryView, ...]


def match_view(
    case: Case, seen: Screened | None, rules: Rules, now: Instant, *, duty_telephone: str
) -> MatchView | None:
    """The possible match of a case; None when there is none."""
    hits = shown_hits(case, seen)
    if not hits or not case.refers:
        return None
    says = advice(case, rules, now, duty_telephone=duty_telephone)
    asylum, steps = (says.steps[0], says.steps[1:]) if case.seeks_asylum else ("", says.steps)
    headline, where = match_words.headline_and_rest(says.headline)
    return MatchView(
        stage=case.stage.value,
        headline=headline,
        where=where,
        to_do=steps[0],
        then=steps[1:],
        in_short=match_words.IN_SHORT[case.stage],
        telephone=says.telephone,
        code=tuple(says.case_code.split("-")),
        since=match_words.moment(case.moved_ms or case.opened_ms, now.wall_ms),
        until="" if says.left_ms is None else match_words.moment(now.wall_ms + says.left_ms, now.wall_ms),
        over=case.stage not in AWAITING,
        decides=says.decides,
        release_path=confirmation_of(case, rules).release_path,
        asylum=asylum,
        hears_code=_hears_code(case),
        moves=_moves(case.stage) if case.hits else (),
        entries=tuple(_entry(hit, ruled_out=case.stage in RULED_OUT) for hit in hits),
    )


def shown_hits(case: Case, seen: Screened | None) -> tuple[Hit, ...]:
    """The hits that an officer sees at this stage, the strongest first.

    After a restart of the box those that the case carries; until then also those that only the screening has.
    """
    known = {(hit.list_name, hit.entry): hit for hit in (*case.hits, *(seen.screening.hits if seen else ()))}
    return tuple(hit for hit in known.values() if not _merely_near(hit) or case.stage in FROM_SECOND_CHECK)


def _hears_code(case: Case) -> bool:
    """Headquarters was asked and has not answered; "not the same" comes after its answer or without a question."""
    answered = case.stage in STAGE_OF.values() or case.stage in RULED_OUT
    return case.asked is not None and case.stage in ANSWERABLE and not answered


def _merely_near(hit: Hit) -> bool:
    """A person's name that is merely near refers nobody; a number that is asks for another reading."""
    return hit.band is Band.WEAK and hit.list_name != DOCUMENTS


def _moves(stage: Stage) -> tuple[MoveView, ...]:
    """The buttons of a stage, the outcome and the note last; inquiry/moves.py knows what is possible."""
    moves = [
        MoveView(
            now=move.now.value,
            words=move.button,
            fields=("reason",) if Need.REASON in move.needs else (),
            ready=match_words.READY_REASONS.get(move.now, ()),
        )
        for move in officers_moves(stage)
    ]
    if stage in OPEN:
        grounds = ("reason",) if stage in RULED_OUT else ("reason", "legal_basis")
        outcome = find_move(stage, Stage.OUTCOME, Who.OFFICER)
        moves.append(MoveView(now=Stage.OUTCOME.value, words=outcome.button, fields=grounds))
        moves.append(MoveView(now=stage.value, words="Write a note", fields=("reason",)))
    return tuple(moves)


def _entry(hit: Hit, *, ruled_out: bool) -> EntryView:
    what = "documents" if hit.list_name == DOCUMENTS else "persons"
    return EntryView(
        source=hit.source,
        entry=hit.entry,
        of_list=f"List of {what} of {words.day(hit.list_date)}, number {hit.list_version}",
        notice=match_words.NOTICE_NAMES.get(hit.notice, ""),
        colour=hit.notice if hit.notice in match_words.NOTICE_NAMES else "",
        instruction="" if ruled_out else hit.instruction,
        near=hit.band is Band.WEAK,
        fields=tuple(_field(field) for field in sorted(hit.fields, key=_place)),
    )


def _place(field: FieldVerdict) -> int:
    names = tuple(match_words.FIELD_NAMES)
    return names.index(field.field) if field.field in names else len(names)


def _field(field: FieldVerdict) -> FieldView:
    return FieldView(
        name=match_words.FIELD_NAMES.get(field.field, "Other"),
        traveller=_spelled(field.field, field.traveller),
        listed=_spelled(field.field, field.listed),
        said=match_words.compared(field.verdict, traveller=field.traveller, listed=field.listed),
        words=tuple(_word(pair) for pair in field.words),
    )


def _spelled(field: str, value: str) -> str:
    """A value in the officer's words; a code that a paper bears stands beside them."""
    match field:
        case "nationality":
            return words.states(value)
        case "sex":
            return words.SEX_WORDS.get(value, value)
        case _:
            return words.days(value)


def _word(pair: WordPair) -> WordView:
    said = match_words.word_compared(pair.verdict)
    return WordView(traveller=pair.traveller, listed=pair.listed, said=said)
