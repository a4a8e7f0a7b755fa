"""Stage 3 of 8: examine - national numbers in optional data, and in the numbers of cards that are typed in.

A number that breaks its own rule fails where a source shows that this field of this document carries it; elsewhere, and
where a date of birth in the number is another one than the printed one, it is a notice: registers have errors, too.
"""

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from appliance.examine import national_digits as digits
from appliance.examine.findings import NATIONAL_NUMBER
from appliance.examine.issuers import FACTS
from appliance.examine.subject import Subject, found
from appliance.judged import Answer, Finding
from appliance.model import DocumentFormat, TravelDocument
from appliance.parse.characters import FILLER

STDNUM: Final = "https://arthurdejong.org/python-stdnum/doc/"


class NationalNumber(Struct, frozen=True, kw_only=True):
    """A national number that a document carries.

    Attributes:
        formats: Of the documents; TYPED means a card whose number was typed in.
        form: The whole of an optional data element; its groups joined are the number.
        holds: Whether the number keeps its rule.
        born: Where its date of birth stands: form whose groups are year, month, day; "" where it has none.
        after_birth: The field has the number's end only: its beginning is the printed date of birth, YYMMDD.
        certain: A source shows that the field carries it, so a number that breaks its rule fails.
        rule, carried: Public sources of the rule, and of where it stands.
    """

    issuer: str
    name: str
    formats: frozenset[DocumentFormat]
    form: str
    holds: Callable[[str], bool]
    born: str = ""
    after_birth: bool = False
    certain: bool = False
    rule: str
    carried: str


CARDS: Final = frozenset({DocumentFormat.TD1})
PASSPORTS: Final = frozenset({DocumentFormat.TD3})
BOTH: Final = CARDS | PASSPORTS
TYPED: Final = frozenset({DocumentFormat.TYPED})
YEAR_FIRST: Final = r"(\d{2})(\d{2})(\d{2}).*"
AFTER_CENTURY: Final = r".(\d{2})(\d{2})(\d{2}).*"
MONTH_SAYS_CENTURY: Final = frozenset({"BEL", "BGR", "POL"})
"""Where 20, 40, 60 or 80 is added to the month."""
UNSHOWN: Final = "no source shows the field: a notice only"

NUMBERS: Final = (
    NationalNumber(
        issuer="BEL", name="national register number", formats=CARDS, form=r"(\d{11})", holds=digits.belgian,
        born=YEAR_FIRST, rule=f"{STDNUM}stdnum.be.nn", carried=UNSHOWN,
    ),
    NationalNumber(
        issuer="NLD", name="citizen service number", formats=BOTH, form=r"(\d{9})", holds=digits.dutch, certain=True,
        rule=f"{STDNUM}stdnum.nl.bsn",
        carried="https://www.scanid.nl/nieuws/technologie/ook-bsn-verwijderd-uit-mrz-en-chip-van-nieuwste-paspoort/",
    ),
    NationalNumber(
        issuer="POL", name="PESEL", formats=BOTH, form=r"(\d{11})", holds=digits.polish, born=YEAR_FIRST,
        rule=f"{STDNUM}stdnum.pl.pesel", carried="https://pl.wikipedia.org/wiki/MRZ: no passport does; a notice only",
    ),
    NationalNumber(
        issuer="ESP", name="DNI or NIE", formats=CARDS, form=r"(\d{8}[A-Z]|[XYZ]\d{7}[A-Z])", holds=digits.spanish,
        certain=True, rule=f"{STDNUM}stdnum.es.dni, stdnum.es.nie",
        carried="https://josep-portella.com/en/writings/demystifying-the-dni-numbers",
    ),
    NationalNumber(
        issuer="THA", name="citizen's number", formats=PASSPORTS, form=r"([1-8]\d{12})", holds=digits.thai,
        rule="https://en.wikipedia.org/wiki/Thai_identity_card", carried=UNSHOWN,
    ),
    NationalNumber(
        issuer="THA", name="citizen's number", formats=TYPED, form=r"([1-8]\d{12})", holds=digits.thai, certain=True,
        rule="https://en.wikipedia.org/wiki/Thai_identity_card", carried="https://en.wikipedia.org/wiki/Thai_identity_card",
    ),
    NationalNumber(
        issuer="CHN", name="resident's number", formats=TYPED, form=r"(\d{17}[0-9X])", holds=digits.chinese,
        born=r".{8}(\d{2})(\d{2})(\d{2}).*", certain=True, rule="ISO 7064, MOD 11-2; GB 11643",
        carried="GB 11643: the number of the resident's card; passports do not carry it",
    ),
    NationalNumber(
        issuer="MYS", name="identity card number", formats=PASSPORTS | TYPED, form=r"(\d{12})",
        holds=digits.no_check_digit, born=YEAR_FIRST, rule=f"{STDNUM}stdnum.my.nric",
        carried="https://www.papertotravel.com/Malaysia/node/10: the page shows it; a notice only",
    ),
    NationalNumber(
        issuer="SWE", name="personal identity number", formats=CARDS, form=r"(?:19|20)?(\d{10})", holds=digits.swedish,
        born=YEAR_FIRST, certain=True, rule=f"{STDNUM}stdnum.se.personnummer",
        carried="https://github.com/Arg0s1080/mrz, examples/mrz_checker_samples/id_card_swe.py",
    ),
    NationalNumber(
        issuer="FIN", name="personal identity code", formats=BOTH, form=r"(\d{6})<?(\d{3}[0-9A-Y])",
        holds=digits.finnish, rule=f"{STDNUM}stdnum.fi.hetu", carried=UNSHOWN,
    ),
    NationalNumber(
        issuer="TUR", name="identification number", formats=BOTH, form=r"([1-9]\d{10})", holds=digits.turkish,
        rule=f"{STDNUM}stdnum.tr.tckimlik", carried=UNSHOWN,
    ),
    NationalNumber(
        issuer="KOR", name="resident registration number", formats=PASSPORTS, form=r"(\d{7})",
        holds=digits.korean, after_birth=True, rule=f"{STDNUM}stdnum.kr.rrn",
        carried="numbers given since October 2020 have no check digit: a notice only",
    ),
    NationalNumber(
        issuer="BGR", name="EGN", formats=BOTH, form=r"(\d{10})", holds=digits.bulgarian, born=YEAR_FIRST,
        rule=f"{STDNUM}stdnum.bg.egn", carried=UNSHOWN,
    ),
    NationalNumber(
        issuer="EST", name="personal code", formats=BOTH, form=r"([1-8]\d{10})", holds=digits.baltic,
        born=AFTER_CENTURY, rule=f"{STDNUM}stdnum.ee.ik", carried=UNSHOWN,
    ),
    NationalNumber(
        issuer="LTU", name="personal code", formats=BOTH, form=r"([1-8]\d{10})", holds=digits.baltic,
        born=AFTER_CENTURY, rule=f"{STDNUM}stdnum.lt.asmens", carried=UNSHOWN,
    ),
    NationalNumber(
        issuer="HRV", name="OIB", formats=BOTH, form=r"(\d{11})", holds=digits.croatian,
        rule=f"{STDNUM}stdnum.hr.oib", carried=UNSHOWN,
    ),
)  # fmt: skip
"""Each number with where it stands; a document has one row at most."""


def examine_national_number(subject: Subject) -> Finding:
    """Its check digits, and its date of birth against the printed one."""
    document = subject.document
    carried = _carried(document)
    if carried is None:
        words = "The document shows no national number that the box knows how to check."
        return found(NATIONAL_NUMBER, Answer.NOT_APPLICABLE, words)
    row, number = carried
    evidence = (f"{row.name}: {row.rule}", f"where it stands: {row.carried}", FACTS.evidence)
    if not row.holds(number):
        answer = Answer.FAILED if row.certain else Answer.INCONCLUSIVE
        words = f"The holder's {row.name} does not keep its own check digit."
        return found(NATIONAL_NUMBER, answer, words, *evidence)
    if _is_born_otherwise(row, number, document):
        words = f"The holder's {row.name} has another date of birth than the document. Compare both with the page."
        return found(NATIONAL_NUMBER, Answer.INCONCLUSIVE, words, *evidence)
    return found(NATIONAL_NUMBER, Answer.PASSED, f"The holder's {row.name} agrees with itself.", *evidence)


def _carried(document: TravelDocument) -> tuple[NationalNumber, str] | None:
    """The row that is about this document and the number in it."""
    typed = document.format is DocumentFormat.TYPED
    if typed and document.document_code != "I":
        return None
    whole = document.document_number if typed else document.optional_data
    for row in NUMBERS:
        if row.issuer == document.issuing_state and document.format in row.formats:
            for element in (whole, *whole.split(FILLER)):
                match = re.fullmatch(row.form, element, re.ASCII)
                if match:
                    birth = document.date_of_birth.raw if row.after_birth and document.date_of_birth else ""
                    number = birth + "".join(match.groups())
                    return (row, number) if not row.after_birth or number.isdecimal() else None
    return None


def _is_born_otherwise(row: NationalNumber, number: str, document: TravelDocument) -> bool:
    """Whether both are known, whole, and differ; a month out of range is a number of another kind."""
    born = document.date_of_birth.full if document.date_of_birth else None
    match = re.fullmatch(row.born, number, re.ASCII) if row.born else None
    if born is None or match is None:
        return False
    year, month, day = (int(part) for part in match.groups())
    if row.issuer in MONTH_SAYS_CENTURY:
        month %= 20
    return 1 <= month <= 12 and 1 <= day <= 31 and (year, month, day) != (born.year % 100, born.month, born.day)
