"""Writes correct documents of sixty issuers, and plants one fault of a named kind: for tests and benchmarks of examine.

Shares no code and no data file with the checker or with the bench's writer: forms of numbers, validity and national
numbers are written down here once more, from what issuers publish, and check digits are worked out another way round.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

TODAY: Final = date(2026, 11, 21)
VALUE: Final = {c: i for i, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}

# Code, form of a passport's number (@ a letter, # a digit, % one of Germany's), years of validity.
PASSPORTS: Final = """
LAO P@####### 10|THA @@####### 10|VNM C####### 10|KHM N####### 10|MMR M@###### 5|CHN E@####### 10|MYS A######## 5
PHL P#######@ 10|IDN @####### 10|SGP K#######@ 10|USA ######### 10|IND @####### 10|RUS ######### 10|JPN T@####### 10
D C%%%%%%%% 10|GBR ######### 10|FRA ##@@##### 10|ITA Y@####### 10|BRA F@###### 10|CAN @@###### 10|KOR M######## 10
AUS P@####### 10|ESP PA@###### 10|POL E@####### 10|UKR F@###### 10|TUR U######## 10|PAK @@####### 10|BGD @######## 10
MEX G######## 10|NLD N@@@@@@@# 10|SWE ######## 5|FIN F@####### 5|NOR ######## 10|DNK ######### 10|ISL A####### 10
BEL G@###### 7|LUX J@@@@@## 5|AUT U@####### 10|CHE X####### 10|CZE ######## 10|SVK P@###### 10|HUN B@####### 10
ROU ######### 10|BGR ######### 10|HRV ######### 10|SVN P@####### 10|GRC A@####### 5|PRT C@###### 5|IRL P@####### 10
EST K@####### 10|LVA L@####### 10|LTU ######## 10|ISR ######## 10|EGY A######## 7|ZAF A######## 10|NGA B######## 10
KEN A@###### 10|ARG AA@###### 10|CHL F######## 10|NZL L@###### 10
"""
ISSUERS: Final = tuple(
    (code, form, int(years))
    for row in PASSPORTS.strip().splitlines()
    for code, form, years in (cell.split() for cell in row.split("|"))
)
CHILD_YEARS: Final = 5
"""What a child gets almost everywhere."""
SURNAMES: Final = (
    "PHOMMASAN",
    "SUKSAWAT",
    "NGUYEN",
    "SOK",
    "AUNG",
    "WANG",
    "MUSTER",
    "VAN<DER<BERG",
    "OKAFOR",
    "SMITH",
)
GIVEN: Final = ("BOUNMY", "ANAN", "THI<LAN", "DARA", "THIDA", "XIAO<MING", "ERIKA", "JAN", "CHIDI<PAUL", "MARY<ANN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One document before it is written; `card` is a TD1."""

    issuer: str
    number: str
    born: date
    expires: date
    name: str
    optional: str
    code: str
    nationality: str
    sex: str
    card: bool
    years: int
    birth_text: str = ""
    expiry_text: str = ""
    born_in_number: bool = False


def check_digit(text: str) -> str:
    """7, 3, 1 again and again, modulo 10, each weight's characters summed by themselves."""
    return str(sum(w * sum(VALUE[c] for c in text[at::3]) for at, w in enumerate((7, 3, 1))) % 10)


def write(paper: Paper) -> list[str]:
    """The lines of a correct zone of these fields."""
    birth = paper.birth_text or f"{paper.born:%y%m%d}"
    expiry = paper.expiry_text or f"{paper.expires:%y%m%d}"
    code, state = paper.code.ljust(2, "<"), paper.issuer.ljust(3, "<")
    nationality = paper.nationality.ljust(3, "<")
    if not paper.card:
        number, optional = paper.number.ljust(9, "<"), paper.optional.ljust(14, "<")
        left = number + check_digit(number)
        dates = birth + check_digit(birth), expiry + check_digit(expiry)
        personal = optional + (check_digit(optional) if optional.strip("<") else "<")
        whole = check_digit(left + dates[0] + dates[1] + personal)
        line = left + nationality + dates[0] + paper.sex + dates[1] + personal + whole
        return [(code + state + paper.name).ljust(44, "<")[:44], line]
    first = code + state + paper.number.ljust(9, "<") + check_digit(paper.number) + paper.optional.ljust(15, "<")
    second = birth + check_digit(birth) + paper.sex + expiry + check_digit(expiry) + nationality + "<" * 11
    whole = check_digit(first[5:] + second[:7] + second[8:15] + second[18:])
    return [first, second + whole, paper.name.ljust(30, "<")[:30]]


# --- correct documents ------------------------------------------------------------------------------------------------


def correct(chance: random.Random) -> Paper:
    """As its issuer makes it: for adults and children, cards, national numbers, unknown days, sex X, single names."""
    issuer, form, years = chance.choice(ISSUERS)
    born = TODAY - timedelta(days=chance.randrange(30, 90 * 365))
    age = (TODAY - born).days // 365
    issued = TODAY - timedelta(
        days=chance.randrange(min((years if age > 31 else CHILD_YEARS) * 365 - 20, age * 365 + 20))
    )
    child = (issued - born).days < 21 * 365
    length = min(years, CHILD_YEARS) if child else years
    name = chance.choice((f"{chance.choice(SURNAMES)}<<{chance.choice(GIVEN)}", chance.choice(SURNAMES)))
    paper = Paper(
        issuer=issuer,
        number=fill(form, chance),
        born=born,
        expires=later(issued, length),
        name=name,
        optional="",
        code="P",
        nationality=issuer,
        sex=chance.choice("MF" * 20 + "<X"),
        card=False,
        years=length,
    )
    paper = _with_national_number(paper, issued, chance)
    if not paper.optional and chance.random() < 0.02:
        return replace(paper, birth_text=f"{born:%y}<<<<")
    return paper


def later(day: date, years: int) -> date:
    """The day before the anniversary."""
    year = day.year + years
    same = (
        date(year, day.month, min(day.day, 28)) if (day.month, day.day) == (2, 29) else date(year, day.month, day.day)
    )
    return same - timedelta(days=1)


def fill(form: str, chance: random.Random) -> str:
    """A number of this form."""
    sets = {"@": "ABCDEFGHJKLMNPRSTUVWXYZ", "#": "0123456789", "%": "CFGHJKLMNPRTVWXYZ0123456789"}
    return "".join(chance.choice(sets[place]) if place in sets else place for place in form)


def _with_national_number(paper: Paper, issued: date, chance: random.Random) -> Paper:
    """As issuers print them: on cards (ESP, SWE, BEL), in passports (NLD until 2021, THA, MYS)."""
    match paper.issuer:
        case "NLD" if issued < date(2021, 8, 1):
            return replace(paper, optional=dutch(chance))
        case "ESP" | "SWE" | "BEL":
            text, birth = paper.born, paper.issuer != "ESP"
            optional = {"ESP": spanish, "SWE": swedish, "BEL": belgian}[paper.issuer](text, chance)
            number = fill({"ESP": "BAA######", "SWE": "########", "BEL": "#########"}[paper.issuer], chance)
            number = number.ljust(9, "<")
            return replace(paper, card=True, code="I", optional=optional, number=number, born_in_number=birth)
        case "THA":
            return replace(paper, optional=thai(chance))
        case "MYS":
            return replace(paper, optional=f"{paper.born:%y%m%d}14{fill('####', chance)}", born_in_number=True)
        case _:
            return paper


def dutch(chance: random.Random) -> str:
    """Tried until nine digits pass the eleven-test."""
    while True:
        number = fill("1########", chance)
        if (sum(int(number[i]) * (9 - i) for i in range(8)) - int(number[8])) % 11 == 0:
            return number


def spanish(_: date, chance: random.Random) -> str:
    """Eight digits and the letter of their rest."""
    number = chance.randrange(10**7, 10**8)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number - number // 23 * 23]}"


def swedish(born: date, chance: random.Random) -> str:
    """Year in full, month, day, three digits, and what brings Luhn's sum to a ten."""
    body = f"{born:%y%m%d}{fill('###', chance)}"
    total = sum(sum(map(int, str(int(digit) * (1 if place % 2 else 2)))) for place, digit in enumerate(body))
    return f"{born:%Y}"[:2] + body + str(-total % 10)


def belgian(born: date, chance: random.Random) -> str:
    """Birth, a number in sequence, and what is missing to a multiple of 97."""
    body = f"{born:%y%m%d}{chance.randrange(1, 998):03d}"
    return body + f"{97 - int(('2' if born.year >= 2000 else '') + body) % 97:02d}"


def thai(chance: random.Random) -> str:
    """Twelve digits and eleven's complement."""
    body = fill("1###########", chance)
    rest = sum(int(body[i]) * (13 - i) for i in range(12)) % 11
    return body + str((11 - rest) % 10)


# --- faults -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind: what it does to a correct document, and which check has to name it, with which word."""

    kind: str
    check: str
    word: str
    plant: Callable[[Paper, random.Random], list[str] | None]


def _other_digit(digit: str) -> str:
    return str((int(digit) + 5) % 10)


def _wrong_check(place: int) -> Callable[[Paper, random.Random], list[str] | None]:
    def plant(paper: Paper, _: random.Random) -> list[str] | None:
        lines = write(paper)
        if paper.card or not lines[1][place].isdecimal():
            return None
        lines[1] = lines[1][:place] + _other_digit(lines[1][place]) + lines[1][place + 1 :]
        return lines

    return plant


def _put(line: int, column: int, text: str) -> Callable[[Paper, random.Random], list[str] | None]:
    """Over the lines, where no check digit watches; of a passport, since columns are its own."""

    def plant(paper: Paper, _: random.Random) -> list[str] | None:
        lines = write(paper)
        if paper.card:
            return None
        lines[line] = lines[line][:column] + text + lines[line][column + len(text) :]
        return lines

    return plant


def _change(**fields: object) -> Callable[[Paper, random.Random], list[str] | None]:
    """Other fields, with check digits that are right for them."""
    return lambda paper, _: write(replace(paper, **fields))


def _expired(paper: Paper, chance: random.Random) -> list[str] | None:
    # A month at least, before what any clock has proven.
    return write(replace(paper, expires=TODAY - timedelta(days=chance.randrange(40, 3000)), birth_text=""))


def _too_long(paper: Paper, chance: random.Random) -> list[str] | None:
    if paper.card:  # some cards never expire
        return None
    return write(replace(paper, expires=later(TODAY, 12) + timedelta(days=chance.randrange(60, 2000))))


def _child_too_long(paper: Paper, _: random.Random) -> list[str] | None:
    if paper.issuer not in {"THA", "VNM", "CHN", "PHL", "IDN", "SGP", "USA"}:
        return None
    return write(replace(paper, born=date(2016, 3, 4), birth_text="", expires=date(2034, 5, 6), optional=""))


def _number_form(paper: Paper, _: random.Random) -> list[str] | None:
    if paper.issuer not in {code for code, _, _ in ISSUERS[1:26]} - {"KHM", "MMR"} or paper.card:
        return None
    return write(replace(paper, number="Q7Q7Q7"))


def _national_digit(paper: Paper, _: random.Random) -> list[str] | None:
    if not paper.optional or paper.issuer == "MYS":
        return None
    place = len(paper.optional) - 2 if paper.issuer == "ESP" else len(paper.optional) - 1
    changed = str((int(paper.optional[place]) + 1) % 10)
    return write(replace(paper, optional=paper.optional[:place] + changed + paper.optional[place + 1 :]))


def _national_birth(paper: Paper, _: random.Random) -> list[str] | None:
    if not paper.born_in_number:
        return None
    return write(replace(paper, born=paper.born - timedelta(days=400)))


def _born_after_expiry(paper: Paper, _: random.Random) -> list[str] | None:
    return write(replace(paper, born=date(2026, 6, 1), birth_text="", expires=date(2025, 5, 31)))


FAULTS: Final = (
    Fault("check digit of the number", "check_digits", "document_number", _wrong_check(9)),
    Fault("check digit of the birth", "check_digits", "date_of_birth", _wrong_check(19)),
    Fault("check digit of the expiry", "check_digits", "date_of_expiry", _wrong_check(27)),
    Fault("check digit of the personal number", "check_digits", "optional_data", _wrong_check(42)),
    Fault("check digit of the whole", "check_digits", "composite", _wrong_check(43)),
    Fault("expired", "expiry", "Expired", _expired),
    Fault("expiry no day", "expiry", "no day", _change(expiry_text="310230")),
    Fault("passport valid for too long", "validity", "longer", _too_long),
    Fault("passport valid for too long for a child", "validity", "below the age", _child_too_long),
    Fault("birth no day", "date_of_birth", "no day", _change(birth_text="801332", optional="")),
    Fault("born after the expiry", "date_of_birth", "after", _born_after_expiry),
    Fault("unknown issuer", "issuing_state", "No issuer", _change(issuer="QQQ", nationality="LAO")),
    Fault("issuer that is no more", "issuing_state", "no longer exists", _change(issuer="SUN", nationality="RUS")),
    Fault("fantasy issuer", "issuing_state", "Not issued by a state", _change(issuer="WSA", nationality="USA")),
    Fault("issuer that stands for persons", "issuing_state", "stands for persons", _change(issuer="XXA")),
    Fault("unknown nationality", "nationality", "No nationality", _change(nationality="QQQ")),
    Fault("old nationality", "nationality", "old code", _change(nationality="YUG")),
    Fault("specimen", "specimen", "specimen", _change(issuer="UTO", nationality="UTO")),
    Fault("filler in the issuer's code", "printed_lines", "issuing state", _put(0, 2, "L<O")),
    Fault("name begins with a filler", "printed_lines", "begins with a filler", _put(0, 5, "<")),
    Fault("three fillers in a name", "printed_lines", "two fillers", _put(0, 5, "MUSTER<<<ANNA<")),
    Fault("a name parted twice", "printed_lines", "twice", _put(0, 5, "MUSTER<<ANNA<<EVA<")),
    Fault("sex that is none", "printed_lines", "sex", _put(1, 20, "Q")),
    Fault("filler within the number", "printed_lines", "between", _change(number="AB<123456", card=False, code="P")),
    Fault("digit for a letter in a name", "repaired_characters", "letter", _put(0, 6, "0")),
    Fault("another form of number", "number_form", "another form", _number_form),
    Fault("national number's check digit", "national_number", "check digit", _national_digit),
    Fault("national number of another birth", "national_number", "date of birth", _national_birth),
)


def planted(fault: Fault, chance: random.Random) -> list[str]:
    """Lines of a document with this fault and no other; documents that cannot have it are passed over."""
    while True:
        lines = fault.plant(correct(chance), chance)
        if lines is not None:
            return lines
