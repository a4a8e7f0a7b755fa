"""Lists in: up to a million persons, in the sources' own forms, through `landlink-hq import`: time, memory, disk."""

import collections
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.parsers import expat

from tests.benchmarks.bars import at_most

PERSONS: Final = 1_000_000
FEWER: Final = 100_000
"""Where a million would take longer than it tells."""
MEMORY_LIMIT_MIB: Final = 200
"""Whatever the length of the list."""
BIN: Final = Path(sys.executable).parent
SYLLABLES: Final = ("ba", "dan", "do", "far", "gul", "hai", "jo", "ka", "lem", "mir", "os", "qua", "rim", "tor", "ul")


def main() -> None:
    """Print a line a source."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hq(folder, "init", "--domain", "landlink.example")
        for source, title, write, persons in (
            ("opensanctions-csv", "targets.simple.csv", simple_csv, PERSONS),
            ("opensanctions-ftm", "entities.ftm.json", ftm, FEWER),
            ("un", "consolidated.xml", un_xml, FEWER),
        ):
            path = folder / title
            with path.open("w", encoding="utf-8") as file:
                file.writelines(write(persons))
            _measure(folder, source, path, persons)
            path.unlink()


def hq(folder: Path, *arguments: str | Path) -> tuple[float, float, float]:
    """(seconds, of these on the processor, peak MiB) of one command; its bar shows when somebody looks."""
    begun = time.perf_counter()
    with subprocess.Popen([BIN / "landlink-hq", "--home", folder / "hq", *arguments], stdout=subprocess.DEVNULL) as run:
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        raise SystemExit(f"landlink-hq {arguments[0]} ended with {run.returncode}")
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def _measure(folder: Path, source: str, path: Path, persons: int) -> None:
    bare_s = _bare(path)
    size_mb = path.stat().st_size / 1e6
    first_s, busy_s, first_mib = hq(folder, "import", "--anew", source, path)
    again_s, _, again_mib = hq(folder, "import", source, path)
    staged_mb = (folder / "hq" / "lists" / "staged.db").stat().st_size / 1e6
    print(
        f"{source}: {persons} persons, {size_mb:.0f} MB: {first_s:.0f} s (processor {busy_s:.0f} s), "
        f"again {again_s:.0f} s, a bare parse {bare_s:.0f} s; "
        f"staged {staged_mb:.0f} MB",
        flush=True,
    )
    at_most(f"peak memory of the import of {persons:,} persons", MEMORY_LIMIT_MIB, max(first_mib, again_mib), " MiB")


def _bare(path: Path) -> float:
    """Seconds that the standard library's parser of this form takes, with nothing done: the floor."""
    begun = time.perf_counter()
    with path.open("rb") as file:
        if path.suffix == ".xml":
            expat.ParserCreate().ParseFile(file)
        elif path.suffix == ".csv":
            collections.deque(csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline="")), maxlen=0)
        else:
            collections.deque(map(json.loads, file), maxlen=0)
    return time.perf_counter() - begun


def _people(persons: int) -> Iterator[tuple[int, str, str, str]]:
    """(number, first, last, birth date), the same in every run; no name of a person."""
    chance = random.Random(47113)

    def word() -> str:
        return "".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))).capitalize()

    for number in range(persons):
        year, month, day = chance.randint(1940, 2005), chance.randint(1, 12), chance.randint(1, 28)
        yield number, word(), word(), f"{year}-{month:02d}-{day:02d}"


def simple_csv(persons: int) -> Iterator[str]:
    """OpenSanctions' simple form."""
    yield "id,schema,name,aliases,birth_date,countries,addresses,identifiers,sanctions,phones,emails\n"
    for number, first, last, birth in _people(persons):
        names = f'"{first} {last}","{last} {first};{first[0]}. {last}"'
        yield f'"NK-{number:09d}","Person",{names},"{birth}","la","","","","",""\n'


def ftm(persons: int) -> Iterator[str]:
    """OpenSanctions' entities."""
    for number, first, last, birth in _people(persons):
        properties = {
            "name": [f"{first} {last}"],
            "alias": [f"{last} {first}"],
            "weakAlias": [first],
            "birthDate": [birth],
            "nationality": ["la"],
            "gender": ["female" if number % 2 else "male"],
            "topics": ["sanction"],
        }
        entity = {"id": f"NK-{number:09d}", "schema": "Person", "properties": properties, "target": True}
        yield json.dumps(entity) + "\n"


def un_xml(persons: int) -> Iterator[str]:
    """The consolidated list, a hundred times as long as it is."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<CONSOLIDATED_LIST dateGenerated="2026-10-12"><INDIVIDUALS>\n'
    for number, first, last, birth in _people(persons):
        yield (
            f"<INDIVIDUAL><DATAID>{number + 1}</DATAID><FIRST_NAME>{first}</FIRST_NAME>"
            f"<SECOND_NAME>{last}</SECOND_NAME><REFERENCE_NUMBER>QDx.{number}</REFERENCE_NUMBER><GENDER>Male</GENDER>"
            "<NATIONALITY><VALUE>Viet Nam</VALUE></NATIONALITY><INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY>"
            f"<ALIAS_NAME>{last} {first}</ALIAS_NAME></INDIVIDUAL_ALIAS><INDIVIDUAL_DATE_OF_BIRTH>"
            f"<TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>{birth}</DATE></INDIVIDUAL_DATE_OF_BIRTH></INDIVIDUAL>\n"
        )
    yield "</INDIVIDUALS></CONSOLIDATED_LIST>\n"


if __name__ == "__main__":
    main()
