"""Lists in: OpenSanctions' `targets.simple.csv`.

Several values of a cell are joined by `;`, each quoted as in a CSV of its own when it holds one. Only the schema Person
is read. Not read, and why: `countries` mixes nationality with residence and address, so it could contradict a traveller
wrongly; `identifiers` have neither kind nor country; `sanctions` and `program_ids` are what a person is accused of;
addresses, phones and emails help nobody at a booth. The other form, `entities.ftm.json`, has nationality, sex and
documents.
"""

import csv
from collections.abc import Iterator
from typing import Final

from appliance.errors import Malformed
from provisioning.authority.sources.csv_records import csv_records
from provisioning.authority.sources.reading import (
    Files,
    Item,
    Place,
    ReadPerson,
    Rejected,
    listed_names,
    listed_person,
    partial_dates,
    words,
)

SOURCE: Final = "OpenSanctions"
WHAT: Final = "targets.simple.csv"
COLUMNS: Final = ("id", "schema", "name", "aliases", "birth_date")


def read_simple_csv(files: Files) -> Iterator[Item]:
    """Read the file as a stream; one file.

    Raises:
        Malformed: Not UTF-8, half a file, or a header without the columns that are read.
    """
    (file,) = files
    columns: dict[str, int] | None = None
    for record in csv_records(file, WHAT):
        if columns is None:
            columns = _columns(record)
        elif isinstance(record, Rejected):
            yield record
        else:
            place, cells = record
            yield _read(place, {name: cells[column] for name, column in columns.items()})


def _columns(record: tuple[Place, list[str]] | Rejected) -> dict[str, int]:
    names = [] if isinstance(record, Rejected) else [cell.strip().lower() for cell in record[1]]
    missing = [name for name in COLUMNS if names.count(name) != 1]
    if missing:
        raise Malformed(WHAT, f"its header has no column {', '.join(missing)}, or has it twice")
    return {name: names.index(name) for name in COLUMNS}


def _read(place: Place, row: dict[str, str]) -> ReadPerson | Rejected:
    if row["schema"].strip() != "Person":
        return Rejected(place=place, why="not a person")
    notes: list[str] = []
    names = [(row["name"], "primary"), *((alias, "good") for alias in _values(row["aliases"], notes))]
    person = listed_person(
        place,
        {
            "entry": words(row["id"]),
            "source": SOURCE,
            "names": listed_names(names, notes),
            "births": partial_dates(_values(row["birth_date"], notes), notes),
        },
        notes,
    )
    return person if isinstance(person, Rejected) else ReadPerson(place=place, person=person, notes=tuple(notes))


def _values(cell: str, notes: list[str]) -> list[str]:
    """The values of one cell; a cell that breaks the rules of quoting is noted."""
    if '"' not in cell:
        values = cell.split(";")
    else:
        try:
            values = next(csv.reader([cell.replace("\n", " ").replace("\r", " ")], delimiter=";", strict=True), [])
        except csv.Error:
            notes.append("a cell whose values cannot be told apart")
            return []
    return [value for value in values if value.strip()]
