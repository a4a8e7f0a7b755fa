"""What stands inside the Remarks of OFAC's sdn.csv: phrases apart by `;`, of which a few kinds are read.

"DOB 15 May 1963; alt. DOB circa 1964; nationality Iran; Gender Male; Passport A1234567 (Iran) expires 22 Oct 2018;
a.k.a. 'ABU SYNTHETIC'; Linked To: ..." - the last kind and all others are not taken: they say what a person is accused
of, or what no document at a booth shows.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from appliance.formats.lists import DocumentKey, ListedBirth
from provisioning.authority.countries import country_code
from provisioning.authority.sources.reading import Unreadable, document_number, span, words

SEX: Final = {"male": "M", "female": "F"}
_DOCUMENT: Final = re.compile(
    r"(?P<kind>Passport|National ID No\.|Identification Number|Cedula No\.|Identity Card)\s+(?P<number>[^()]{1,64}?)"
    r"\s*\((?P<country>[^()]{1,64})\)"
)
_WEAK_ALIAS: Final = re.compile(r"a\.k\.a\.,? ['\"](?P<name>.{1,256})['\"]")
_YEAR: Final = re.compile(r"[0-9]{4}")


@dataclass(slots=True)
class Remarks:
    """What was read of the remarks on one person."""

    births: list[ListedBirth] = field(default_factory=list[ListedBirth])
    nationalities: list[str] = field(default_factory=list[str])
    documents: list[DocumentKey] = field(default_factory=list[DocumentKey])
    weak_aliases: list[str] = field(default_factory=list[str])
    sex: str = ""


def read_remarks(text: str, notes: list[str]) -> Remarks:
    """Read the phrases that identify a person; `notes` receives those that could not be read."""
    read = Remarks()
    for part in text.split(";"):
        phrase = words(part).removesuffix(".").removeprefix("alt. ")
        kind, _, rest = phrase.partition(" ")
        try:
            if kind == "DOB":
                read.births.append(_birth(rest))
            elif kind in ("nationality", "citizen"):
                read.nationalities.append(_country(rest, "a nationality that is no known country"))
            elif kind == "Gender":
                read.sex = SEX.get(rest.lower(), "")
            elif found := _WEAK_ALIAS.fullmatch(phrase):
                read.weak_aliases.append(found["name"])
            elif found := _DOCUMENT.match(phrase):
                read.documents.append(_document(found["kind"], found["number"], found["country"]))
            elif kind == "Passport":
                notes.append("a passport without a number or a country")
        except Unreadable as error:
            notes.append(str(error))
    return read


def _birth(text: str) -> ListedBirth:
    """Of `15 May 1963`, `May 1963`, `1963`, `circa 1963`, `1963 to 1965`, `01 Jan 1963 to 31 Dec 1965`."""
    approximate = text.startswith("circa ")
    first, _, last = text.removeprefix("circa ").partition(" to ")
    low = _day(first)
    if not last and not approximate:
        return low
    high = _day(last.removeprefix("circa ")) if last else low
    return span(low.year_from, high.year_to, approximate=approximate)


def _day(text: str) -> ListedBirth:
    if _YEAR.fullmatch(text):
        return span(int(text), int(text))
    for form in ("%d %b %Y", "%b %Y", "%d %B %Y", "%B %Y"):
        try:
            day = datetime.strptime(text, form)  # noqa: DTZ007 - a birth date has no zone
        except ValueError:
            continue
        span(day.year, day.year)
        return ListedBirth(
            year_from=day.year, year_to=day.year, month=day.month, day=day.day if form.startswith("%d") else None
        )
    raise Unreadable("a birth date that is none")


def _country(text: str, why: str) -> str:
    code = country_code(text)
    if code is None:
        raise Unreadable(why)
    return code


def _document(kind: str, number: str, country: str) -> DocumentKey:
    issuer = _country(country, "a document whose country is not known")
    return DocumentKey(issuer=issuer, document_type="P" if kind == "Passport" else "I", number=document_number(number))
