"""Synthetic names of six nations as their machine readable zones spell them, and synthetic lists of any length.

No name here is of a real person: each is drawn from inventories of name parts, surnames and given names by their
published frequencies where a nation has few of them (Vietnamese, Chinese), built of syllables where every family has
its own (Thai, Lao). Equal seeds give equal names on every machine.
"""

# ruff: noqa: SIM905 - inventories of words read better as lines than as lists
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

Random = random.Random

_LAO_FIRST: Final = (
    "BOUN SOM KHAM VIENG SENG PHET KEO SOUK CHAN THONG VONG SI VILAY MANI SAENG NOY LAT BOUA DAO "
    "OUDOM PHOU THIP VAN XAY SANTI VISA"
).split()
_LAO_LAST: Final = (
    "MY NHANG PHENG THAVY SAY PHONE LA DY KHAM CHANH VANH LAY XAY DETH SACK SONE NOY MA THONG KEO NGEUN PHET LY"
).split()
_LAO_HOUSE: Final = (
    "PHOMMA SISAVANG VONGSA SOUVANNA INTHA KEO CHANTHA PHANTHA SAYA RATTANA LUANG BOUPHA SENG "
    "THAMMA VILAY SOUKSA KHAM MANI DOUANG PHIM"
).split()
_LAO_HOUSE_END: Final = (
    "SACK VONG LATH CHANH PHONE THONG SY NGEUN KHOUN SOUK SANE DY VATH PASEUTH CHIT LAVONG XAY SENA KEO MANY"
).split()
_THAI_FIRST: Final = (
    "SOM PRA WI SU CHAI THA NAT KIT PORN NO RAT SIRI ARA ANU WAN PIM CHA THI PA MON KA APHI EK JIRA KAN NAPA PHAN"
).split()
_THAI_LAST: Final = (
    "CHAI SAK PORN WAN THIP CHAT DA NEE LAK SIT YA RAT NA PHON NON WUT DET KORN PONG SIRI TIDA WAT MAS THEP KAN"
).split()
_THAI_HOUSE: Final = (
    "SRI WONG CHAROEN BUN RATTANA PHROM SUK THONG KAEO INTHA SAE CHAN RUANG UDOM PRASERT SOM "
    "KHAM JIT PHAN MANEE WATTANA SANG NGAM THEP YO"
).split()
_THAI_HOUSE_MID: Final = "SA RA NA THI PHA WA KA CHAI MA SUK PHON THA RAT KUN WI DI".split()
_THAI_HOUSE_END: Final = (
    "WONG SAKUN CHAI KIT SRI KUL PHAN SUK PORN RAT MANEE THONG WAT SAENG CHAROEN SOMBAT PHITHAK NUKUL YOTHIN KASEM"
).split()
_VIET_HOUSE: Final = (
    "NGUYEN 38 TRAN 11 LE 9 PHAM 7 HOANG 5 HUYNH 5 PHAN 4 VU 2 VO 2 DANG 2 BUI 2 DO 1 HO 1 NGO 1 DUONG 1 LY 1 DINH 1 "
    "TRUONG 1 DOAN 1 LAM 1 MAI 1 CAO 1 TA 1 TRINH 1"
)
_VIET_MIDDLE: Final = (
    "VAN THI THI VAN DUC HUU MINH NGOC QUOC THANH XUAN HONG ANH KIM MY BAO GIA HOANG PHUONG "
    "QUANG TUAN TRUNG DINH CONG THU"
).split()
_VIET_GIVEN: Final = (
    "ANH HUNG DUNG TUAN MINH NAM LONG SON HAI THANH BINH CUONG DUC HIEU HOA HUONG LAN LINH MAI NGA NGOC PHUONG THAO "
    "THUY TRANG TUNG VINH YEN KHANH KIEN LOC NHUNG OANH PHUC QUAN QUYEN TAM THU TIEN TOAN TRI VY HANH DAT HAU LIEN"
).split()
_KHMER_HOUSE: Final = (
    "SOK CHEA HENG KEO LY CHAN SAM SENG PRAK CHHIM NHEM MEAS OUK PEN SAR TEP YIM KONG KIM UNG MAO HOUT LIM TAN HUN NOP "
    "PHAN ROS SUON VANN YOS KHIEV TOUCH NUON CHHAY"
).split()
_KHMER_GIVEN: Final = (
    "SOPHEAP SOKHA DARA BOPHA SREYMOM VUTHY RITHY SOVANN CHANTHA KOSAL PISETH RATHA SAMNANG SOKHOM THIDA VANNAK VIBOL "
    "SOPHAL CHANNARY MONY NARIN PHALLA RAKSMEY SAMBATH SARAN SEREY SOPHON SOTHEA TOLA VEASNA VICHEKA VISAL SINA "
    "MALIS KALYAN LEAKHENA PHEAKDEY RATANAK SREYNEANG SOPHORN BUNTHOEUN SIPHA MAKARA CHENDA"
).split()
_BURMESE: Final = (
    "AUNG KYAW MIN WIN MYINT TUN THAN HTUN KHIN MYO ZAW NAING SOE THEIN LWIN OO HLAING SAN TIN MAUNG MOE AYE MYA YI SU "
    "NYEIN CHAN THU HTET PHYO WAI YAN ZIN NWE HNIN EI THANDAR SANDAR THET LIN KO HTOO ZEYA SWE NU KHAING YADANA PYAE "
    "SHWE THIRI MAR LATT CHO CHIT"
).split()
_CHINESE_HOUSE: Final = (
    "WANG 72 LI 71 ZHANG 68 LIU 54 CHEN 45 YANG 31 HUANG 22 ZHAO 21 WU 20 ZHOU 19 XU 17 SUN 15 MA 13 ZHU 13 HU 12 "
    "GUO 11 HE 11 LIN 11 GAO 10 LUO 9 ZHENG 8 LIANG 8 XIE 7 SONG 7 TANG 7 DENG 6 HAN 6 FENG 6 CAO 6 PENG 6 ZENG 5 "
    "XIAO 5 TIAN 5 DONG 5 PAN 5 YUAN 5 CAI 5 JIANG 5 YU 4 DU 4 YE 4 CHENG 4 WEI 4 SU 4 LU 4 DING 4 REN 4 YAO 4 SHEN 4"
)
_CHINESE_GIVEN: Final = (
    "WEI FANG NA MIN JING LI QIANG LEI JUN YANG YONG YAN JIE JUAN TAO MING CHAO XIU XIA PING GANG GUI YING HUA BO BIN "
    "HUI HONG JIAN XIN YU CHEN HAO XUAN ZI YI RUI LIN KAI FENG DONG HAI GUO ZHI WEN XIAO LONG JIA MEI NING QING RONG "
    "SHU TING XUE YUN ZHEN ZE"
).split()
_LIST_FAMILY: Final = (
    "AL BA DA EL FA GA HA IB JA KA LA MA NA OR PE QA RA SA TA UL VA WA YA ZA BO CO DU FRE GO HU KRA LO MI NO PO RU "
    "STE TO VI ZU SHA KHA CHE MO BER DAR FEL GRI HAL KOR MAR NEL PAR ROS SIL TOR VER WIL"
).split()
_LIST_END: Final = (
    "NOV MAN RI SEN DI LIK ZADE VIC REZ SKI BERG SON QI ROV NIK HAN TAR LEV MIR DIN BAR KOV SHI TI DO NE GA LA RA TO"
).split()


@dataclass(frozen=True, slots=True)
class Holder:
    """A synthetic person: identifiers of a machine readable zone with spaces for fillers, and a birth date."""

    primary: str
    secondary: str
    birth: str

    @property
    def name(self) -> str:
        """Both identifiers."""
        return f"{self.primary} {self.secondary}".strip()


def _weighted(text: str) -> tuple[list[str], list[int]]:
    words = text.split()
    return words[::2], [int(weight) for weight in words[1::2]]


_VIET_HOUSES, _CHINESE_HOUSES = _weighted(_VIET_HOUSE), _weighted(_CHINESE_HOUSE)


def _lao(random: Random) -> tuple[str, str]:
    house = random.choice(_LAO_HOUSE) + random.choice(_LAO_HOUSE_END)
    return house, random.choice(_LAO_FIRST) + random.choice(_LAO_LAST)


def _thai(random: Random) -> tuple[str, str]:
    middle = random.choice(_THAI_HOUSE_MID) if random.random() < 0.5 else ""
    house = random.choice(_THAI_HOUSE) + middle + random.choice(_THAI_HOUSE_END)
    return house, random.choice(_THAI_FIRST) + random.choice(_THAI_LAST)


def _vietnamese(random: Random) -> tuple[str, str]:
    (house,) = random.choices(*_VIET_HOUSES)
    return house, f"{random.choice(_VIET_MIDDLE)} {random.choice(_VIET_GIVEN)}"


def _khmer(random: Random) -> tuple[str, str]:
    return random.choice(_KHMER_HOUSE), random.choice(_KHMER_GIVEN)


def _burmese(random: Random) -> tuple[str, str]:
    """No family names: two to four words, all in the primary identifier."""
    return " ".join(random.choice(_BURMESE) for _ in range(random.choice((2, 3, 3, 4)))), ""


def _chinese(random: Random) -> tuple[str, str]:
    (house,) = random.choices(*_CHINESE_HOUSES)
    return house, "".join(random.choice(_CHINESE_GIVEN) for _ in range(random.choice((1, 2, 2, 2))))


def _elsewhere(random: Random) -> tuple[str, str]:
    """Names of no nation, of many rare words: what most entries of a long list look like."""

    def word() -> str:
        return "".join(random.choice(_LIST_FAMILY) for _ in range(random.choice((1, 2, 2)))) + random.choice(_LIST_END)

    return word(), " ".join(word() for _ in range(random.choice((1, 1, 2, 3))))


NATIONS: Final[dict[str, Callable[[Random], tuple[str, str]]]] = {
    "Lao": _lao,
    "Thai": _thai,
    "Vietnamese": _vietnamese,
    "Khmer": _khmer,
    "Burmese": _burmese,
    "Chinese": _chinese,
}


def holders(nation: str, count: int, seed: int) -> Iterator[Holder]:
    """Travellers of a nation, born 1945 to 2015."""
    rng = Random(f"{nation} {seed}")
    for _ in range(count):
        primary, secondary = NATIONS[nation](rng)
        yield Holder(primary, secondary, _birth(rng))


def listed(count: int, seed: int) -> Iterator[Holder]:
    """Persons of a long list: half of the six nations, half of elsewhere."""
    rng = Random(f"list {seed}")
    makers = [*NATIONS.values(), *(_elsewhere,) * len(NATIONS)]
    for _ in range(count):
        primary, secondary = rng.choice(makers)(rng)
        yield Holder(primary, secondary, _birth(rng))


def _birth(rng: Random) -> str:
    return f"{rng.randint(1945, 2015)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
