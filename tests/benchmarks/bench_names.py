"""Names: pairs beside the peers, listed persons found again, alerts in 1,000 travellers by nation, time and memory.

Thresholds and name_forms.toml were tuned on every second pair; the other half is reported beside. The peer logic-v2
runs where LANDLINK_PEERS names a Python that has nomenklatura.
"""

import csv
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from anyascii import anyascii
from rapidfuzz import fuzz, utils

from appliance.formats.lists import ListedBirth, ListedName, ListedPerson
from appliance.formats.person_index import PersonIndex
from appliance.judged import Band
from appliance.model import TravelDocument
from appliance.screen.comparison import compare
from appliance.screen.name_search import NameSearch
from appliance.screen.names import shipped_reader
from appliance.screen.persons import IndexedPersons
from appliance.screen.verdicts import NAME_POSSIBLE
from provisioning.authority.person_index import person_index
from tests.benchmarks.bars import at_least, at_most, better
from tests.benchmarks.synthetic_names import NATIONS, Holder, holders, listed
from tests.conftest import SHARED_DATA
from tests.screen_world import laid

NAMED_MAX: Final = 39
"""Characters of the name field of a passport (Doc 9303-4)."""
TRAVELLERS: Final = 10_000
LISTED: Final = 100_000
LIMIT_MS: Final = 10.0
ALERTS_LIMIT: Final = 1.0
F1_LIMIT: Final = 0.76
REFERENCES_A_KEY: Final = 16
"""Bytes: each word under a key is held again twice, as it is and folded."""
LIST_DATED: Final = date(2026, 11, 3)
THRESHOLDS: Final = tuple(step / 100 for step in range(50, 100))

Row = dict[str, str]
Pairs = Sequence[tuple[str, str]]


def main() -> None:
    """Print every figure; without the public data say so."""
    folder = SHARED_DATA / "names"
    if not folder.is_dir():
        print(f"no public names at {folder} (set LANDLINK_TEST_DATA)")
        return
    rows = rows_of(folder / "un-persons.csv")
    un = index_of(listed_person(number, row["full_name"], row["date_of_birth"]) for number, row in enumerate(rows))
    each_us = _alerts(un, rows_of(folder / "travellers-10k.csv"), len(rows))
    _pairs(rows_of(folder / "person-pairs.csv"), each_us)
    _found_again(un, rows)
    speed(LISTED, LIMIT_MS)


def rows_of(path: Path) -> list[Row]:
    """A public CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- lists and documents ----------------------------------------------------------------------------------------------


def index_of(persons: Iterable[ListedPerson]) -> IndexedPersons:
    """A list, as a box has it."""
    return IndexedPersons(PersonIndex(person_index(persons, dated=LIST_DATED)))


def listed_person(number: int, name: str, birth: str) -> ListedPerson:
    """An entry of one name."""
    births: tuple[ListedBirth, ...] = ()
    if birth:
        year, month, day = (*(int(part) for part in birth.split("-")), None, None)[:3]
        assert year is not None
        births = (ListedBirth(year_from=year, year_to=year, month=month, day=day),)
    names = (ListedName(text=name, quality="primary"),)
    return ListedPerson(entry=str(number), source="public", names=names, births=births)


def document(primary: str, secondary: str, birth: str) -> TravelDocument:
    """A passport of this holder: the name as a machine readable zone has it, 39 characters and no more."""
    field = f"{_capitals(primary)}<<{_capitals(secondary)}" if secondary else _capitals(primary)
    cut = len(field) >= NAMED_MAX
    return laid(field[:NAMED_MAX].rstrip("<"), birth=birth, name_truncated=cut)


def _capitals(text: str) -> str:
    """Letters of a machine readable zone: transliterated, apostrophes gone, all else a filler (Doc 9303-3 §4.6)."""
    plain = re.sub("['`\u02bb\u02bc\u2018\u2019]", "", anyascii(re.sub("['\u2018\u2019]", "", text))).upper()
    return re.sub("[^A-Z]+", "<", plain).strip("<")


# --- pairs ------------------------------------------------------------------------------------------------------------


def _pairs(rows: Sequence[Row], screened_us: float) -> None:
    pairs = [(row["name1"], row["name2"]) for row in rows]
    truth = [row["is_match"] == "true" for row in rows]
    print(f"\n{len(pairs)} public pairs: F1 on the half tuned on, on the other half, on all; best of all thresholds")
    reached = _print_f1(f"landlink at {NAME_POSSIBLE}", *_timed(ours, pairs), truth, NAME_POSSIBLE)
    _print_f1(f"landlink in an index, {NAME_POSSIBLE}", _through_index(pairs), 0.0, truth, NAME_POSSIBLE)
    at_least("F1 of public pairs", F1_LIMIT, reached)
    for title, ratio in (("token_sort", fuzz.token_sort_ratio), ("token_set", fuzz.token_set_ratio)):
        scores, each_us = _timed(peer(ratio), pairs)
        best = [
            _print_f1(f"rapidfuzz {title} at {threshold}", scores, each_us, truth, threshold)
            for threshold in (NAME_POSSIBLE, _best(scores, truth))
        ]
        better("F1 of public pairs", f"rapidfuzz {title} at its best", max(best), reached)
    interpreter = os.environ.get("LANDLINK_PEERS")
    if interpreter is None:
        print("  nomenklatura logic-v2: not measured (LANDLINK_PEERS names no Python that has it)")
        return
    script = Path(__file__).with_name("peer_logic_v2.py")
    run = subprocess.run([interpreter, script], input=json.dumps(pairs), capture_output=True, text=True, check=True)
    answer = json.loads(run.stdout)
    scores, each_us = answer["scores"], answer["each_us"]
    best = [
        _print_f1(f"nomenklatura logic-v2 at {threshold}", scores, each_us, truth, threshold)
        for threshold in (NAME_POSSIBLE, 0.7, _best(scores, truth))
    ]
    better("F1 of public pairs, one threshold for both", "logic-v2", best[0], reached)
    better("F1 of public pairs", "logic-v2 at its best", max(best), reached)
    at_least("pairs that screening decides while logic-v2 decides one", 100, each_us / screened_us)


def _print_f1(title: str, scores: Sequence[float], each_us: float, truth: Sequence[bool], threshold: float) -> float:
    """Print one line; give F1 on all."""
    halves = (scores[::2], truth[::2]), (scores[1::2], truth[1::2]), (scores, truth)
    figures = "  ".join(f"{f1(part, right, threshold):.3f}" for part, right in halves)
    speed_text = f"{each_us:6.0f} us a pair" if each_us else ""
    print(f"  {title:32} {figures}   {speed_text}")
    return f1(scores, truth, threshold)


def _best(scores: Sequence[float], truth: Sequence[bool]) -> float:
    """The threshold at which the half tuned on has its best F1."""
    return max(THRESHOLDS, key=lambda threshold: f1(scores[::2], truth[::2], threshold))


def f1(scores: Sequence[float], truth: Sequence[bool], threshold: float) -> float:
    """Harmonic mean of precision and recall at a threshold."""
    found = [score >= threshold for score in scores]
    right = sum(one and match for one, match in zip(found, truth, strict=True))
    return 2 * right / (sum(found) + sum(truth))


def _timed(score: Callable[[str, str], float], pairs: Pairs) -> tuple[list[float], float]:
    """Scores and microseconds a pair, by a second pass, as the peer is timed."""
    scores = [score(one, other) for one, other in pairs]
    begun = time.perf_counter()
    for one, other in pairs:
        score(one, other)
    return scores, (time.perf_counter() - begun) / len(pairs) * 1e6


def ours(one: str, other: str) -> float:
    """Likeness of two names as the box compares them."""
    read = shipped_reader().read
    return compare(read(one), read(other))


def _through_index(pairs: Pairs) -> list[float]:
    """1.0 where the second name is found by the first in an index of all second names, blocking included."""
    second = sorted({other for _, other in pairs})
    data = person_index((listed_person(n, name, "") for n, name in enumerate(second)), dated=LIST_DATED)
    index = PersonIndex(data)
    search, scores = NameSearch(index), list[float]()
    for one, other in pairs:
        found = search.find(search.reader.read(one), NAME_POSSIBLE)
        persons = {bearer >> 2 for name in found for bearer in index.bearers[name.number]}
        scores.append(float(second.index(other) in persons))
    return scores


def peer(ratio: Callable[..., float]) -> Callable[[str, str], float]:
    """A ratio of rapidfuzz, on names transliterated as ours are."""

    def score(one: str, other: str) -> float:
        return ratio(utils.default_process(anyascii(one)), utils.default_process(anyascii(other))) / 100

    return score


# --- alerts -----------------------------------------------------------------------------------------------------------


def _alerts(un: IndexedPersons, travellers: Sequence[Row], count: int) -> float:
    """Print alerts in 1,000 travellers who are not listed; give microseconds a listed person and traveller."""
    print(f"alerts in 1,000 travellers against {count} persons of the UN list (limit {ALERTS_LIMIT} strong + possible)")
    documents = [document(*identifiers(row), row["date_of_birth"]) for row in travellers]
    stopped, each_s = _print_alerts("travellers-10k.csv", un, documents)
    at_most("alerts in 1,000 public travellers, strong and possible", ALERTS_LIMIT, stopped)
    everybody = [
        (nation, holder) for nation in NATIONS for holder in holders(nation, TRAVELLERS // len(NATIONS) + 1, 1)
    ]
    for nation in NATIONS:
        _print_alerts(nation, un, [passport(holder) for name, holder in everybody if name == nation])
    stopped, _ = _print_alerts("these six together", un, [passport(holder) for _, holder in everybody[:TRAVELLERS]])
    at_most("alerts in 1,000 travellers of six nations, strong and possible", ALERTS_LIMIT, stopped)
    print("the same travellers against 1,000 synthetic persons of their own nation (no limit: for the choice of lists)")
    for nation in NATIONS:
        own = index_of(
            listed_person(n, holder.name, holder.birth) for n, holder in enumerate(holders(nation, 1000, 99))
        )
        _print_alerts(nation, own, [passport(holder) for name, holder in everybody if name == nation])
    return each_s * 1e6 / count


def _print_alerts(title: str, persons: IndexedPersons, documents: Sequence[TravelDocument]) -> tuple[float, float]:
    """Print the bands of the strongest matches; give how many of 1,000 are stopped, and seconds a traveller."""
    begun = time.perf_counter()
    strongest = Counter(matches[0].band for traveller in documents if (matches := persons.match(traveller)))
    each_s = (time.perf_counter() - begun) / len(documents)
    bands = (Band.STRONG, Band.POSSIBLE, Band.WEAK)
    figures = ", ".join(f"{band} {strongest[band] * 1000 / len(documents):.1f}" for band in bands)
    print(f"  {title:20} {figures}")
    return (strongest[Band.STRONG] + strongest[Band.POSSIBLE]) * 1000 / len(documents), each_s


def identifiers(row: Row) -> tuple[str, str]:
    """Last name, and what else the full name has."""
    last, full = row["last_name"], row["full_name"]
    return (last, full.replace(last, "").strip()) if last else (full, "")


def passport(holder: Holder) -> TravelDocument:
    """The passport of a synthetic holder."""
    return document(holder.primary, holder.secondary, holder.birth)


# --- listed persons found again ---------------------------------------------------------------------------------------


def _found_again(un: IndexedPersons, rows: Sequence[Row]) -> None:
    print(f"\n{len(rows)} listed persons who travel: the band in which their entry is found")
    all_missed = 0
    for title, first_only in (("full name, 39 characters at most", False), ("first and last name alone", True)):
        for births in (True, False):
            bands = Counter(band_of(un, number, row, births, first_only) for number, row in enumerate(rows))
            missed = bands.pop(None, 0)
            figures = ", ".join(f"{band} {count}" for band, count in sorted(bands.items(), key=str))
            print(f"  {title}, {'with' if births else 'without'} birth date: {figures}; missed {missed}")
            all_missed += missed
    at_most("listed persons who are not found", 0, all_missed)


def band_of(un: IndexedPersons, number: int, row: Row, births: bool, first_only: bool) -> Band | None:
    """The band in which a listed person finds the own entry, None when not at all."""
    words = row["full_name"].split()
    given = words[:1] if first_only and len(words) > 1 else words[:-1]
    traveller = document(words[-1], " ".join(given), row["date_of_birth"] if births else "")
    return next((match.band for match in un.match(traveller) if match.entry == str(number)), None)


# --- speed ------------------------------------------------------------------------------------------------------------


def speed(count: int, limit_ms: float) -> None:
    """Print what `count` synthetic listed persons take: to build, to open, in memory, and for one traveller."""
    print(f"\n{count} synthetic listed persons, half of the six nations; travellers of all six and of the list's kind")
    begun = time.perf_counter()
    people = (listed_person(number, holder.name, holder.birth) for number, holder in enumerate(listed(count, 7)))
    data = person_index(people, dated=LIST_DATED)
    print(f"  built in {time.perf_counter() - begun:.1f} s, {len(data) / count:.0f} bytes a person")
    begun = time.perf_counter()
    index = PersonIndex(data)
    persons = IndexedPersons(index)
    opened_s = time.perf_counter() - begun
    words_mb = sum(sys.getsizeof(held) for words in (index.tokens, index.folds) for held in (words, *words))
    words_mb = (words_mb + REFERENCES_A_KEY * len(index.key_tokens.values)) / 1e6
    travellers = [passport(holder) for nation in NATIONS for holder in holders(nation, 300, 2)]
    travellers += [passport(holder) for holder in listed(300, 8)]
    wall_ms, cpu_ms = list[float](), list[float]()
    for traveller in travellers:
        wall, cpu = time.perf_counter(), time.thread_time()
        persons.match(traveller)
        cpu_ms.append((time.thread_time() - cpu) * 1000)
        wall_ms.append((time.perf_counter() - wall) * 1000)
    print(f"  opened in {opened_s:.2f} s; {len(data) / 1e6:.0f} MB of index and {words_mb:.0f} MB of words in memory")
    for title, times in (("by the clock", wall_ms), ("on the processor", cpu_ms)):
        times.sort()
        middle, tail = times[len(times) // 2], times[len(times) * 99 // 100]
        print(f"  a traveller {title:17} p50 {middle:.2f} ms, p99 {tail:.2f} ms, worst {times[-1]:.1f} ms")
        at_most(f"p99 of a traveller, {count:,} listed, {title}", limit_ms, tail, " ms")


if __name__ == "__main__":
    main()
