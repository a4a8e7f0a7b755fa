"""What a report tells, in the order in which it happened: from an exhibit to sentences and rows of one language.

Nothing is judged here. A hit stays a "possible match" until the record itself says that headquarters confirmed it, and
no likeness is given as a number or a grade. What a redacted copy lacks is said to be removed, never left out.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup, escape

from appliance.recorded import Stage
from provisioning.exhibit.contents import AnswerFacts, EntryFacts, Exhibit

DECIDED: Final = {
    Stage.CONFIRMED: "match_confirmed",
    Stage.NOT_CONFIRMED: "match_not_confirmed",
    Stage.NOT_SAME: "match_not_same",
    Stage.NO_ANSWER: "match_no_answer",
}
"""Stages of a hit's life after which something else than "possible match" is said of it, and what."""


class Story:
    """An exhibit in the words of one language.

    Args:
        exhibit: What is told.
        words: The language's catalogue.
    """

    def __init__(self, exhibit: Exhibit, words: Mapping[str, Any]) -> None:
        self.exhibit = exhibit
        self._words = words
        present = () if exhibit.entry is None else (exhibit.entry,)
        self.entries = sorted((*present, *exhibit.related), key=self._order)
        """In the order of the log, and of the box's logs."""

    def _order(self, entry: EntryFacts) -> tuple[int, int]:
        return int((entry.origin or self.exhibit.origin).rpartition(".")[2]), entry.index

    def place(self, entry: EntryFacts) -> str:
        """An entry's number, with its log where that is another one of the box."""
        return f"{entry.index} ({entry.origin})" if entry.origin else str(entry.index)

    def named_by(self, answer: AnswerFacts) -> str:
        """The place of the entry whose record names an answer."""
        hashes = ((entry, entry.record["body"].get("answer")) for entry in self.entries if entry.record is not None)
        return next((self.place(entry) for entry, digest in hashes if digest == answer.sha256), str(answer.named_by))

    def say(self, key: str, **params: object) -> Markup:
        """A sentence of the catalogue; what is filled in is escaped. A missing key is a mistake of ours."""
        found: Any = self._words
        for part in key.split("."):
            found = found[part]
        return Markup(found).format(**params)  # noqa: S704 - our own catalogue; format escapes what is filled in

    def term(self, table: str, value: object) -> Markup:
        """A recorded word (an outcome, an answer) in this language; one that the catalogue lacks as it was recorded."""
        if value is None or isinstance(value, Markup):
            return self.text(value)
        return escape(self._words[table].get(str(value), value))

    def time(self, ms: int | None) -> str:
        """A time in UTC to the second; "?" for a number that is no time."""
        if ms is None:
            return "-"
        try:
            return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        except (ValueError, OverflowError, OSError):
            return "?"

    def latest(self, ms: int) -> str:
        """A time before which something was, to the second: rounded up, so that no more is said than is proven."""
        return self.time(-(-ms // 1000) * 1000)

    def of(self, entry: EntryFacts, path: str) -> Any:  # noqa: ANN401 - whatever a record holds there
        """What the opened record has at `path`: the word for "removed" where this copy lacks it, None for nothing."""
        named = ".".join(part for part in path.split(".") if not part.isdecimal())  # items are named by their list
        if any(named == removed or named.startswith(f"{removed}.") for removed in entry.redacted):
            return self.removed
        found: Any = entry.record
        for part in path.split("."):
            match found:
                case dict():
                    found = found.get(part)
                case list() if part.isdecimal() and int(part) < len(found):
                    found = found[int(part)]
                case _:
                    return None
        return self.removed if found is None and self._lacks_below(entry, path) else found

    def rows(self, entry: EntryFacts, path: str) -> list[Any]:
        """The items of a list in a record; none where it was removed."""
        found = self.of(entry, path)
        return found if isinstance(found, list) else []

    def lacks(self, entry: EntryFacts, path: str) -> bool:
        """Whether this copy lacks what the record has at `path`: then its emptiness says nothing."""
        return isinstance(self.of(entry, path), Markup)

    def text(self, value: object) -> Markup:
        """A value as a report shows it: "not stated" for nothing."""
        if isinstance(value, Markup):
            return value
        if value is None or value == "":
            return Markup('<span class="none">{}</span>').format(self.say("not_stated"))
        return escape(value)

    def date(self, entry: EntryFacts, path: str) -> Markup:
        """A date of a document, as much as is known of it."""
        found = self.of(entry, path)
        if not isinstance(found, dict):
            return self.text(found)
        if found.get("year") is None:
            return self.text(found.get("raw"))
        known = [f"{found['year']:04d}", *(f"{found[part]:02d}" for part in ("month", "day") if found.get(part))]
        return self.text("-".join(known))

    @property
    def removed(self) -> Markup:
        """The word for what a redacted copy lacks."""
        return Markup('<span class="removed">{}</span>').format(self.say("removed"))

    @property
    def screened(self) -> EntryFacts | None:
        """The entry in which a document was laid or typed; None when this exhibit has none that is opened."""
        return next((entry for entry in self.entries if entry.kind == "screened" and entry.record is not None), None)

    @property
    def checked(self) -> EntryFacts | None:
        """The entry in which a carrier's desk asked about a document."""
        return next(
            (entry for entry in self.entries if entry.kind == "carrier_check" and entry.record is not None), None
        )

    @property
    def pictures(self) -> list[EntryFacts]:
        """Entries with a picture that was opened."""
        return [entry for entry in self.entries if entry.picture]

    def match_word(self) -> Markup:
        """How a hit is called: possible, until a recorded step says what people found."""
        stages = [str(self.of(entry, "body.now")) for entry in self.entries if entry.kind == "transition"]
        decided = [DECIDED[Stage(stage)] for stage in stages if stage in DECIDED]
        return self.say(decided[-1] if decided else "match_possible")

    def short(self) -> Iterator[Markup]:
        """What the record says in a few sentences: whose document, what the box did, what was done in the end."""
        entry = self.exhibit.entry
        if entry is None:
            return
        if entry.kind == "screened" and self.of(entry, "body.document") is not None:
            parts = ("document_number", "issuing_state", "primary_identifier", "secondary_identifier")
            number, issuer, family, given = (self.text(self.of(entry, f"body.document.{part}")) for part in parts)
            yield self.say("short_document", number=number, issuer=issuer, family=family, given=given)
        if entry.kind == "carrier_check":
            yield self.say("short_number", number=self.text(self.of(entry, "body.document_number")))
        yield self._sentence(entry)
        ends = [each for each in self.entries if each.kind == "outcome" and each.record is not None]
        if ends:
            yield self._sentence(ends[-1])

    def happened(self) -> Iterator[tuple[EntryFacts, Markup]]:
        """Each entry with one sentence."""
        for entry in self.entries:
            yield entry, self._sentence(entry)

    def _sentence(self, entry: EntryFacts) -> Markup:
        if entry.record is None:
            return self.say("event.closed", why=entry.why_closed)
        match entry.kind:
            case "screened":
                said = self._laid(entry)
            case "transition":
                was, now = (self.term("stage", self.of(entry, f"body.{part}")) for part in ("was", "now"))
                said = self.say("event.transition", was=was, now=now)
            case "hand_over":
                gave, took = (self.text(self.of(entry, f"body.{part}")) for part in ("gave", "took"))
                said = self.say("event.hand_over", gave=gave, took=took)
            case "outcome":
                said = self.say("event.outcome", outcome=self.term("outcome", self.of(entry, "body.outcome")))
                if self.of(entry, "body.implied") is True:
                    said += Markup(" ") + self.say("event.implied")
            case "picture":
                said = self.say("event.picture")
            case "carrier_check":
                said = self.say("event.called" if self.of(entry, "body.call") is True else "event.continued")
            case _:
                said = self.say("event.other", kind=entry.kind)
        return said

    def _laid(self, entry: EntryFacts) -> Markup:
        how = "event.typed" if self.of(entry, "body.reading.type") == "typed" else "event.laid"
        if self.lacks(entry, "body.decision"):
            return self.say(how)
        referred = self.of(entry, "body.decision.type") == "refer"
        return self.say(how) + Markup(" ") + self.say("event.referred" if referred else "event.nothing_found")

    def words_of(self, entry: EntryFacts) -> Iterator[tuple[Markup, Markup]]:
        """What an officer wrote or named in an entry: what it is, and the words."""
        for path in ("reason", "note", "legal_basis", "by"):
            said = self.of(entry, f"body.{path}")
            if said:
                yield self.say(f"said.{path}"), self.text(said)

    def reasons(self, entry: EntryFacts) -> list[tuple[Markup, Markup]]:
        """Why the box referred: the reason and the next step that the officer was shown, in order."""
        others = range(len(self.rows(entry, "body.decision.others")))
        paths = ["body.decision.first", *(f"body.decision.others.{number}" for number in others)]
        return [
            (self.text(self.of(entry, f"{path}.words")), self.text(self.of(entry, f"{path}.next_step")))
            for path in paths
        ]

    def _lacks_below(self, entry: EntryFacts, path: str) -> bool:
        named = ".".join(part for part in path.split(".") if not part.isdecimal())
        return any(removed.startswith(f"{named}.") for removed in entry.redacted)
