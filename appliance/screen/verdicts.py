"""What a listed person's match comes to: the band, and the verdict of every field, from its basis alone.

The box judges with this and headquarters judges again with it (provisioning/audit/opened/replay.py): a document and a
`MatchBasis` give the same answer wherever they are.

1. Under NAME_POSSIBLE it is nobody, whatever else agrees.
2. The birth date sets the band: STRONG needs it in full; a contradiction leaves WEAK; absence leaves POSSIBLE.
3. A name of low quality counts only together with a birth date; a common name with no more than a year drops a band.
4. Nationality and sex never find anybody and never raise a band: a contradiction lowers it by one, once (I6).
"""

from dataclasses import dataclass
from typing import Final

from appliance.formats.lists import canonical_issuer
from appliance.judged import Band, FieldVerdict, MatchBasis, WeighedWord
from appliance.model import TravelDocument
from appliance.screen.alignment import aligned
from appliance.screen.births import BirthVerdict, compare_births, traveller_text
from appliance.screen.comparison import compare
from appliance.screen.names import Name, Token

NAME_STRONG: Final = 0.92
NAME_POSSIBLE: Final = 0.85
MATCHER: Final = "names 3"
"""The code of names, words and bands: counted up with every change that can change a verdict."""

ORDER: Final = (Band.WEAK, Band.POSSIBLE, Band.STRONG)
_TEXT_MAX: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A match.

    Attributes:
        likeness: Of the names, 0 to 1; for ordering, never shown.
        fields: Traveller and list side by side.
    """

    band: Band
    likeness: float
    fields: tuple[FieldVerdict, ...]


def matcher(forms_version: int) -> str:
    """What a match was worked out by, for the record: the code, the forms, the thresholds."""
    return f"{MATCHER}, forms {forms_version}, strong {NAME_STRONG}, possible {NAME_POSSIBLE}"


def weighed(name: Name) -> tuple[WeighedWord, ...]:
    """The words of a name for the record."""
    return tuple(
        WeighedWord(text=token.text, folded=token.folded, weight=token.weight, variant=token.variant)
        for token in name.tokens
    )


def judge(document: TravelDocument, basis: MatchBasis) -> Judged | None:
    """Band and verdicts; None where the names are not alike enough to be anybody.

    Raises:
        Malformed: A birth date of no calendar.
    """
    traveller = Name(_tokens(basis.traveller), basis.cut)
    listed = Name(_tokens(basis.listed))
    likeness = compare(traveller, listed)
    if likeness < NAME_POSSIBLE:
        return None
    birth, birth_text = compare_births(document.date_of_birth, basis.births)
    band = name_band(likeness, basis.quality, birth, common=traveller.common or listed.common)
    others = (_nationality(document, basis), _sex(document, basis))
    return Judged(
        band=_lower(band) if any(field.verdict == "contradicts" for field in others) else band,
        likeness=likeness,
        fields=(
            _names(traveller, listed),
            FieldVerdict(
                field="date_of_birth",
                traveller=traveller_text(document.date_of_birth),
                listed=birth_text[:_TEXT_MAX],
                verdict=birth.words,
            ),
            *others,
        ),
    )


def name_band(likeness: float, quality: str, birth: BirthVerdict, *, common: bool) -> Band:
    """As far as name and birth date say."""
    if birth is BirthVerdict.CONTRADICTS:
        return Band.WEAK
    if birth is BirthVerdict.EQUAL:
        return Band.STRONG if likeness >= NAME_STRONG else Band.POSSIBLE
    if birth is BirthVerdict.ABSENT and quality == "low":
        return Band.WEAK
    if common and birth is not BirthVerdict.SWAPPED:
        return Band.WEAK
    return Band.POSSIBLE


def _tokens(words: tuple[WeighedWord, ...]) -> tuple[Token, ...]:
    return tuple(Token(word.text, word.folded, word.weight, word.variant) for word in words)


def _lower(band: Band) -> Band:
    return ORDER[max(0, ORDER.index(band) - 1)]


def _names(traveller: Name, listed: Name) -> FieldVerdict:
    return FieldVerdict(
        field="name",
        traveller=traveller.text[:_TEXT_MAX],
        listed=listed.text[:_TEXT_MAX],
        verdict="equal" if sorted(traveller.text.split()) == sorted(listed.text.split()) else "alike",
        words=aligned(traveller, listed),
    )


def _nationality(document: TravelDocument, basis: MatchBasis) -> FieldVerdict:
    mine = canonical_issuer(document.nationality)
    listed = {canonical_issuer(code) for code in basis.nationalities}
    return _field("nationality", mine, ", ".join(sorted(listed)), agrees=mine in listed)


def _sex(document: TravelDocument, basis: MatchBasis) -> FieldVerdict:
    mine = document.sex if document.sex in ("M", "F") else ""
    return _field("sex", mine, basis.sex, agrees=mine == basis.sex)


def _field(field: str, traveller: str, listed: str, *, agrees: bool) -> FieldVerdict:
    verdict = "absent" if not traveller or not listed else "equal" if agrees else "contradicts"
    return FieldVerdict(field=field, traveller=traveller, listed=listed[:_TEXT_MAX], verdict=verdict)
