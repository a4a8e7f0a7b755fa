"""Names: F1 on public adversarial pairs beside rapidfuzz, alerts and misses on public persons, time a traveller."""

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from anyascii import anyascii
from rapidfuzz import fuzz, utils

from appliance.formats.lists import ListedBirth, ListedName, ListedPerson
from appliance.formats.person_index import PersonIndex
from appliance.model import Band, TravelDocument
from appliance.screen.names import compare, shipped_reader
from appliance.screen.persons import NAME_POSSIBLE, IndexedPersons
from provisioning.authority.person_index import person_index
from tests.conftest import SHARED_DATA
from tests.screen_world import laid

ENTRIES: Final = 1_000
TRAVELLERS: Final = 5_000
LIMIT_MS: Final = 5.0
THRESHOLDS: Final = tuple(step / 100 for step in range(50, 100))

Pair = dict[str, str]
Score = Callable[[str, str], float]


def main() -> None:
    """Print every figure; without the public data say so."""
    folder = SHARED_DATA / "names"
    if not folder.is_dir():
        print(f"no public names at {folder} (set LANDLINK_TEST_DATA)")
        return
    _pairs(_rows(folder / "person-pairs.csv"))
    _list(_rows(folder / "un-persons.csv"), _rows(folder / "travellers-10k.csv"))


def _rows(path: Path) -> list[Pair]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _pairs(pairs: Sequence[Pair]) -> None:
    def ours(one: str, other: str) -> float:
        return compare(shipped_reader().read(one), shipped_reader().read(other))

    def peer(ratio: Callable[..., float]) -> Score:
        return lambda one, other: (
            ratio(utils.default_process(anyascii(one)), utils.default_process(anyascii(other))) / 100
        )

    print(f"{len(pairs)} public pairs; F1 at {NAME_POSSIBLE}, and at each one's own best threshold")
    scores: dict[str, Score] = {
        "landlink": ours,
        "rapidfuzz token_sort": peer(fuzz.token_sort_ratio),
        "rapidfuzz token_set": peer(fuzz.token_set_ratio),
    }
    truth = [pair["is_match"] == "true" for pair in pairs]
    for title, score in scores.items():
        begun = time.perf_counter()
        values = [score(pair["name1"], pair["name2"]) for pair in pairs]
        each_us = (time.perf_counter() - begun) / len(pairs) * 1e6
        best = max(THRESHOLDS, key=lambda threshold: _f1(values, truth, threshold))
        print(
            f"  {title:22} F1 {_f1(values, truth, NAME_POSSIBLE):.3f}"
            f"   best {_f1(values, truth, best):.3f} at {best:.2f}   {each_us:.0f} us a pair"
        )


def _f1(values: Sequence[float], truth: Sequence[bool], threshold: float) -> float:
    found = [value >= threshold for value in values]
    right = sum(one and match for one, match in zip(found, truth, strict=True))
    return 2 * right / (sum(found) + sum(truth))


def _list(listed: Sequence[Pair], travellers: Sequence[Pair]) -> None:
    entries = [person for number in range(ENTRIES) for person in _person(listed[number % len(listed)], number)]
    index = IndexedPersons(PersonIndex(person_index(entries, dated=date(2026, 11, 3))))
    times_ms: list[float] = []
    bands: dict[Band, int] = dict.fromkeys(Band, 0)
    for row in travellers[:TRAVELLERS]:
        document = _document(row["full_name"], row["date_of_birth"])
        begun = time.perf_counter()
        found = index.match(document)
        times_ms.append((time.perf_counter() - begun) * 1000)
        if found:
            bands[found[0].band] += 1
    times_ms.sort()
    p50, p99 = times_ms[len(times_ms) // 2], times_ms[len(times_ms) * 99 // 100]
    print(f"{len(entries)} listed persons with 4 names each, {len(times_ms)} synthetic travellers who are not listed")
    print(f"  p50 {p50:.2f} ms, p99 {p99:.2f} ms a traveller (limit {LIMIT_MS} ms)")
    print(
        f"  alerts in 1,000: {', '.join(f'{band} {count * 1000 / len(times_ms):.1f}' for band, count in bands.items())}"
    )
    _recall(index, listed)


def _recall(index: IndexedPersons, listed: Sequence[Pair]) -> None:
    """Listed persons who travel on their first and last name alone, with the birth date that the list has."""
    short = [row for row in listed if len(row["full_name"].split()) > 2]
    found = 0
    for row in short:
        words = row["full_name"].split()
        matches = index.match(_document(f"{words[0]} {words[-1]}", row["date_of_birth"]))
        found += any(match.band is not Band.WEAK for match in matches)
    print(f"  {found} of {len(short)} listed persons of three or more names refer on first and last name alone")


def _person(row: Pair, number: int) -> Iterator[ListedPerson]:
    words = row["full_name"].split()
    turns = [" ".join(words[turn:] + words[:turn]) for turn in range(4)]
    yield ListedPerson(
        entry=str(number),
        source="public",
        names=tuple(ListedName(text=text, quality="primary") for text in turns),
        births=_births(row["date_of_birth"]),
    )


def _births(text: str) -> tuple[ListedBirth, ...]:
    if not text:
        return ()
    year, month, day = (*(int(part) for part in text.split("-")), None, None)[:3]
    assert year is not None
    return (ListedBirth(year_from=year, year_to=year, month=month, day=day),)


def _document(name: str, birth: str) -> TravelDocument:
    words = anyascii(name).upper().replace("-", " ").split()
    return laid(f"{words[-1][:30]}<<{'<'.join(words[:-1])}"[:80], birth=birth)


if __name__ == "__main__":
    main()
