"""The travellers of a rehearsal: real issuer codes, synthetic holders, and specimens of issuer UTO.

Nobody here exists: given and family names are drawn at random from common ones of each nation, numbers and dates too.
The first twenty are a script that meets each stage of the data path; the rest is a quiet day.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Final

from appliance.errors import Malformed
from provisioning.bench.mrz_writer import MrzFields, write_td1, write_td2, write_td3

SPECIMENS_BYTES_MAX: Final = 4 * 1024 * 1024
LINES_MAX: Final = 4
LINE_CHARACTERS_MAX: Final = 100
"""No document has more, and no scanner sends it (Doc 9303-3: at most 3 lines, at most 44 characters)."""

NAMES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "LAO": (
        ("PHOMMACHANH", "SISOUK", "KEOMANY", "VONGSAVATH", "INTHAVONG", "SOULIYA", "BOUPHA", "XAYASANE"),
        ("SOMCHAY", "KHAMLA", "BOUNMY", "CHANSOUK", "VILAYPHONE", "NOY", "THONGDAM", "LATSAMY"),
    ),
    "THA": (
        ("SRISUWAN", "THONGCHAI", "WONGSAKUL", "RATTANAPORN", "CHAIYASIT", "BUNMEE"),
        ("ANONG", "PRASERT", "MALEE", "SOMBAT", "NARIN", "KANYA"),
    ),
    "VNM": (
        ("NGUYEN", "TRAN", "LE", "PHAM", "HOANG", "VU"),
        ("VAN HUNG", "THI LAN", "MINH DUC", "THU HA", "QUOC BAO", "NGOC ANH"),
    ),
    "KHM": (
        ("SOK", "CHEA", "KEO", "PRAK", "MEAS", "SENG"),
        ("DARA", "SOPHEAP", "BOPHA", "RITHY", "CHANTHA", "VUTHY"),
    ),
    "MMR": (
        ("AUNG KYAW MIN", "THIDA WIN", "ZAW LIN HTET", "KHIN MAR AYE", "NAING OO", "SU MYAT NOE"),
        ("",),  # no family names: a mononym stands in the primary identifier
    ),
    "CHN": (
        ("WANG", "LI", "ZHANG", "CHEN", "YANG", "ZHAO"),
        ("WEI", "XIAOMING", "LIHUA", "JIANGUO", "MEI", "QIANG"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the officer types of a paper that no device reads; the fields of the page's form."""

    document_kind: str
    issuing_state: str
    document_number: str
    primary_identifier: str
    secondary_identifier: str
    date_of_birth: str
    date_of_expiry: str


NOT_THE_SAME: Final = {"candidate": "first line verified", "first line verified": "not the same"}
"""Compared twice, and found to be somebody else (the stages of appliance/recorded.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traveller:
    """One person who comes to the booth.

    Attributes:
        label: What the tray calls the document.
        lines: The machine readable zone that lies on the scanner; () when typed.
        typed: What is typed instead.
        joins: Belongs to the crossing of the traveller before.
        outcome: What the rehearsal's officer chooses if the box refers.
        steps: Of a possible match, before that: to which stage the officer moves it from which.
    """

    label: str
    lines: tuple[str, ...] = ()
    typed: Typed | None = None
    joins: bool = False
    outcome: str = "passed"
    steps: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Whom the sample lists name (provisioning/bench/samples)."""

    document_number: str = "PA0047113"
    issuing_state: str = "LAO"
    primary_identifier: str = "PHOMMASACK"
    secondary_identifier: str = "KHAMPHENG"
    date_of_birth: date = date(1978, 4, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    """What a cast is drawn from: the day, chance, and numbers that are used once."""

    today: date
    chance: random.Random
    numbers: Iterator[int]


def read_specimens(path: Path) -> list[Traveller]:
    """Read a text file of machine readable zones, a blank line between documents, one traveller each.

    Raises:
        Malformed: Too large, not text, no document in it, or one that no scanner would send; the line is named.
    """
    raw = path.read_bytes()
    if len(raw) > SPECIMENS_BYTES_MAX:
        raise Malformed(path.name, f"{len(raw)} bytes, at most {SPECIMENS_BYTES_MAX}")
    try:
        text = raw.decode("utf-8-sig")  # editors of one system begin a text with a mark
    except UnicodeDecodeError as error:
        broken_at = 1 + raw.count(b"\n", 0, error.start)
        raise Malformed(f"{path.name}, line {broken_at}", "not UTF-8 text") from None
    blocks: list[list[str]] = [[]]
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            blocks[-1].append(line.strip())
            if not (line.strip().isascii() and line.strip().isprintable()):
                raise Malformed(f"{path.name}, line {number}", "a scanner sends letters, digits and < only")
            if len(line.strip()) > LINE_CHARACTERS_MAX or len(blocks[-1]) > LINES_MAX:
                why = f"at most {LINES_MAX} lines of {LINE_CHARACTERS_MAX} characters, then a blank line"
                raise Malformed(f"{path.name}, line {number}", why)
        elif blocks[-1]:
            blocks.append([])
    travellers = [
        Traveller(label=f"Specimen {number}", lines=tuple(lines))
        for number, lines in enumerate((block for block in blocks if block), 1)
    ]
    if not travellers:
        raise Malformed(path.name, "no document in it: machine readable zones, a blank line between documents")
    return travellers


def travellers(today: date, seed: int) -> Iterator[Traveller]:
    """The script's twenty, then a quiet day without end; the same for the same day and seed."""
    chance = random.Random(seed)  # noqa: S311 - a rehearsal's cast, no secret
    draw = _Draw(today=today, chance=chance, numbers=count(1_000 + chance.randrange(1_000)))
    yield from _script(draw)
    for nation in _nations():
        yield _quiet(nation, draw)


def cast(today: date, seed: int, number: int) -> list[Traveller]:
    """The first `number` travellers of `travellers`."""
    return list(islice(travellers(today, seed), number))


def _script(draw: _Draw) -> Iterator[Traveller]:
    listed, today = Listed(), draw.today
    quiet = (_quiet(nation, draw) for nation in _nations())
    yield next(quiet)
    yield next(quiet)
    yield replace(_passport("Listed document", draw, number=listed.document_number), outcome="handed over")
    yield next(quiet)
    holder = (listed.primary_identifier, listed.secondary_identifier)
    person = _passport("Listed person", draw, holder=holder, born=listed.date_of_birth)
    yield replace(person, steps=NOT_THE_SAME)
    yield replace(_passport("Expired passport", draw, expires=today - timedelta(days=40)), outcome="turned back")
    yield next(quiet)
    wrong = _passport("Wrong check digit", draw)
    yield Traveller(label=wrong.label, lines=_spoiled(wrong.lines), outcome="sent to secondary")
    yield next(quiet)
    yield _long_card(draw)
    mother = _passport("Mother", draw, nation="VNM", born=today - timedelta(days=31 * 365))
    yield mother
    child = _passport("Child", draw, nation="VNM", born=today - timedelta(days=6 * 365))
    yield Traveller(label=child.label, lines=child.lines, joins=True)
    yield _border_pass(draw)
    yield Traveller(label="Specimen of issuer UTO", lines=_utopian(today), outcome="passed")
    yield from islice(quiet, 6)


def _nations() -> Iterator[str]:
    while True:
        yield from NAMES


def _quiet(nation: str, draw: _Draw) -> Traveller:
    if nation == "THA" and draw.chance.random() < 0.3:
        return _card(draw)
    return _passport(f"Passport {nation}", draw, nation=nation)


def _passport(
    label: str,
    draw: _Draw,
    *,
    nation: str = "LAO",
    number: str = "",
    holder: tuple[str, str] | None = None,
    born: date | None = None,
    expires: date | None = None,
) -> Traveller:
    today, chance = draw.today, draw.chance
    born = born or today - timedelta(days=chance.randrange(19 * 365, 70 * 365))
    expires = expires or today + timedelta(days=chance.randrange(200, 3_400))
    primary, secondary = holder or _name(nation, chance)
    fields = MrzFields(
        document_code="P",
        issuing_state=nation,
        document_number=number or f"P{next(draw.numbers):07d}",
        nationality=nation,
        date_of_birth=born.strftime("%y%m%d"),
        sex=chance.choice("MF"),
        date_of_expiry=expires.strftime("%y%m%d"),
        primary_identifier=primary,
        secondary_identifier=secondary,
    )
    return Traveller(label=label, lines=write_td3(fields))


def _card(draw: _Draw) -> Traveller:
    today, chance = draw.today, draw.chance
    primary, secondary = _name("THA", chance)
    fields = MrzFields(
        document_code="I",
        issuing_state="THA",
        document_number=f"C{next(draw.numbers):07d}",
        nationality="THA",
        date_of_birth=(today - timedelta(days=chance.randrange(19 * 365, 60 * 365))).strftime("%y%m%d"),
        sex=chance.choice("MF"),
        date_of_expiry=(today + timedelta(days=900)).strftime("%y%m%d"),
        primary_identifier=primary,
        secondary_identifier=secondary,
    )
    return Traveller(label="Identity card THA", lines=write_td2(fields))


def _long_card(draw: _Draw) -> Traveller:
    today, chance = draw.today, draw.chance
    primary, secondary = _name("KHM", chance)
    fields = MrzFields(
        document_code="I",
        issuing_state="KHM",
        document_number=f"D{chance.randrange(10**11):011d}",
        nationality="KHM",
        date_of_birth=(today - timedelta(days=40 * 365)).strftime("%y%m%d"),
        sex="M",
        date_of_expiry=(today + timedelta(days=700)).strftime("%y%m%d"),
        primary_identifier=primary,
        secondary_identifier=secondary,
    )
    return Traveller(label="Card with a long number", lines=write_td1(fields))


def _border_pass(draw: _Draw) -> Traveller:
    today, chance = draw.today, draw.chance
    primary, secondary = _name("LAO", chance)
    born = today - timedelta(days=35 * 365)
    typed = Typed(
        document_kind="BP",
        issuing_state="LAO",
        document_number=f"BP{chance.randrange(10**6):06d}",
        primary_identifier=primary,
        secondary_identifier=secondary,
        date_of_birth=born.isoformat(),
        date_of_expiry=(today + timedelta(days=200)).isoformat(),
    )
    return Traveller(label="Border pass, typed in", typed=typed)


def _utopian(today: date) -> tuple[str, ...]:
    return write_td3(
        MrzFields(
            document_code="P",
            issuing_state="UTO",
            document_number="L898902C3",
            nationality="UTO",
            date_of_birth="740812",
            sex="F",
            date_of_expiry=(today + timedelta(days=365)).strftime("%y%m%d"),
            primary_identifier="ERIKSSON",
            secondary_identifier="ANNA MARIA",
        )
    )


def _spoiled(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The same page with the check digit of the document number changed, as a clumsy forger would leave it."""
    lower = lines[1]
    other = str((int(lower[9]) + 5) % 10)
    return (lines[0], lower[:9] + other + lower[10:])


def _name(nation: str, chance: random.Random) -> tuple[str, str]:
    family, given = NAMES[nation]
    return chance.choice(family), chance.choice(given)
