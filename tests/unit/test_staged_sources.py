"""What is staged: sources beside each other, merged within each, whole or not at all; and the verb that does it."""

import contextlib
import io
import os
import pty
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from appliance.errors import Malformed, Refused, StorageFault
from appliance.formats.list_key import DocumentsKey
from appliance.formats.lists import DocumentKey
from appliance.formats.person_index import PersonIndex
from provisioning.authority.import_report import LINES_MAX, ImportReport
from provisioning.authority.import_verb import READERS
from provisioning.authority.person_index import person_index
from provisioning.authority.sources.document_csv import DocumentRow, read_documents
from provisioning.authority.sources.reading import Place, Rejected, Remark
from provisioning.authority.staging import Staging
from tests.lists_world import OFAC, VECTORS, vector

BIN = Path(sys.executable).parent
TODAY = date(2026, 11, 3)
LATER = date(2026, 11, 10)


KILLED = """\
import sys
from datetime import date
from pathlib import Path
from provisioning.authority.import_verb import READERS
from provisioning.authority.staging import Staging
def items():
    for number, item in enumerate(READERS["opensanctions-ftm"].read([sys.stdin.buffer])):
        yield item
        if number == 15_000:
            print("in the middle", flush=True)
Staging(Path(sys.argv[1])).take_persons(READERS["opensanctions-ftm"].source, items(), today=date(2026, 11, 4))
"""


def take(
    folder: Path, source: str, *texts: bytes, today: date = TODAY, anew: bool = False
) -> tuple[Staging, ImportReport]:
    staging = Staging(folder / "lists")
    items = READERS[source].read([io.BytesIO(text) for text in texts])
    return staging, staging.take_persons(READERS[source].source, items, today=today, anew=anew)


def entries(staging: Staging) -> list[tuple[str, str]]:
    return [(person.source, person.entry) for person in staging.people()]


def ftm_line(entry: str, name: str = "Marlo Wisz") -> bytes:
    return b'{"id":"%s","schema":"Person","properties":{"name":["%s"]}}\n' % (entry.encode(), name.encode())


def test_different_sources_are_kept_apart_each_with_its_day(tmp_path: Path) -> None:
    take(tmp_path, "ofac", *(vector(name) for name in OFAC))
    staging, _ = take(tmp_path, "opensanctions-ftm", vector("opensanctions_entities.ftm.json"), today=LATER)
    assert entries(staging) == [
        ("OFAC SDN", "90001"),
        ("OFAC SDN", "90004"),
        ("OFAC SDN", "90005"),
        ("OFAC SDN", "90008"),
        ("OpenSanctions", "NK-utopia0001"),
        ("OpenSanctions", "NK-utopia0006"),
    ]
    assert [(source.name, source.taken_in, source.entries) for source in staging.sources()] == [
        ("ofac", TODAY, 4),
        ("opensanctions", LATER, 2),
    ]
    assert staging.persons_dated() == TODAY


def test_a_page_and_a_detail_of_one_notice_are_merged_in_either_order(tmp_path: Path) -> None:
    page, detail = vector("interpol_page.json"), vector("interpol_detail.json")
    found = []
    for number, texts in enumerate([(page, detail), (detail, page)]):
        staging, report = take(tmp_path / str(number), "interpol", *texts)
        assert (report.taken, report.merged) == (4, 1)
        found.append(next(person for person in staging.people() if person.notice == "red"))
    assert found[0].sex == found[1].sex == "M"
    assert set(found[0].names) == set(found[1].names)
    assert {name.text for name in found[0].names} == {"ZORBAN QUILLFEATHER", "ZORBAN QUILLFEATHER MENDIZABAL"}
    assert found[0].nationalities == found[1].nationalities == ("URY", "PRY")
    assert len(found[0].births) == 1


def test_an_extract_adds_and_updates_and_withdraws_nobody_until_told(tmp_path: Path) -> None:
    take(tmp_path, "interpol", vector("interpol_page.json"))
    staging, report = take(tmp_path, "interpol", vector("interpol_detail.json"))
    assert (report.taken, report.new, report.changed, report.withdrawn) == (1, 0, 1, 0)
    assert len(entries(staging)) == 4
    staging, report = take(tmp_path, "interpol", vector("interpol_detail.json"), anew=True)
    assert report.withdrawn == 3
    assert entries(staging) == [("INTERPOL notices", "red 2026/90001")]


def test_a_whole_list_withdraws_whom_it_no_longer_names(tmp_path: Path) -> None:
    take(tmp_path, "opensanctions-ftm", ftm_line("Q1") + ftm_line("Q2") + ftm_line("Q3"))
    staging, report = take(tmp_path, "opensanctions-ftm", ftm_line("Q1") + ftm_line("Q3", "Odo Wisz") + ftm_line("Q4"))
    assert (report.taken, report.new, report.changed, report.withdrawn) == (3, 1, 1, 1)
    assert [entry for _, entry in entries(staging)] == ["Q1", "Q3", "Q4"]


def test_both_forms_of_one_source_replace_each_other(tmp_path: Path) -> None:
    take(tmp_path, "opensanctions-csv", vector("opensanctions_targets.simple.csv"))
    staging, report = take(tmp_path, "opensanctions-ftm", vector("opensanctions_entities.ftm.json"))
    assert (report.new, report.changed, report.withdrawn) == (1, 1, 2)
    assert len(entries(staging)) == 2


def test_a_list_cut_off_between_two_lines_is_refused_until_it_is_meant(tmp_path: Path) -> None:
    lines = [ftm_line(f"Q{number}") for number in range(9)]
    take(tmp_path, "opensanctions-ftm", *[b"".join(lines)])
    with pytest.raises(Refused, match="less than half"):
        take(tmp_path, "opensanctions-ftm", b"".join(lines[:4]))
    staging, report = take(tmp_path, "opensanctions-ftm", b"".join(lines[:4]), anew=True)
    assert (len(entries(staging)), report.withdrawn) == (4, 5)


def test_a_file_that_breaks_at_its_end_changes_nothing(tmp_path: Path) -> None:
    staging, _ = take(tmp_path, "opensanctions-ftm", ftm_line("Q1"))
    before = entries(staging), (staging.folder / "opensanctions.report.txt").read_bytes()
    with pytest.raises(Malformed):
        take(tmp_path, "opensanctions-ftm", ftm_line("Q1", "Changed") + ftm_line("Q2") + b'{"id":', today=LATER)
    assert (entries(staging), (staging.folder / "opensanctions.report.txt").read_bytes()) == before
    assert [source.taken_in for source in staging.sources()] == [TODAY]


def test_one_entry_twice_in_a_whole_list_counts_once(tmp_path: Path) -> None:
    staging, report = take(tmp_path, "opensanctions-ftm", ftm_line("Q1") + ftm_line("Q1", "Odo Wisz"))
    assert [person.names[0].text for person in staging.people()] == ["Marlo Wisz"]
    assert report.shown() == ["left out: line 2: this identifier appears twice"]


def test_documents_of_listed_persons_are_listed_and_those_of_others_are_not(tmp_path: Path) -> None:
    staging, report = take(tmp_path, "opensanctions-ftm", vector("opensanctions_entities.ftm.json"))
    assert report.remarks == ["1 documents whose holders are not listed are not taken"]
    held = dict(staging.listed_documents())
    assert set(held) == {
        DocumentKey(issuer="LAO", document_type="P", number="PA0098765"),
        DocumentKey(issuer="URY", document_type="I", number="77001"),
    }
    assert {(listed.entry, listed.source, listed.fraud) for listed in held.values()} == {
        ("NK-utopia0001", "OpenSanctions", "listed person")
    }
    staging, _ = take(tmp_path, "opensanctions-ftm", ftm_line("NK-utopia0001"))
    assert list(staging.listed_documents()) == []


def test_a_document_with_an_entry_of_its_own_keeps_it_beside_its_holders(tmp_path: Path) -> None:
    staging, _ = take(tmp_path, "opensanctions-ftm", vector("opensanctions_entities.ftm.json"))
    text = b"din,issuing_country,doc_type,national_ref\nPA0098765,LAO,P,LAO-7\n"
    staging.take_documents(read_documents(io.BytesIO(text)), today=TODAY)
    key = DocumentKey(issuer="LAO", document_type="P", number="PA0098765")
    entries_of_it = [listed.entry for document, listed in staging.listed_documents() if document == key]
    assert entries_of_it == ["LAO-7", "NK-utopia0001"]  # the first counts


def test_what_a_person_is_accused_of_is_nowhere_on_the_disk(tmp_path: Path) -> None:
    take(tmp_path, "interpol", vector("interpol_page.json"), vector("interpol_detail.json"))
    take(tmp_path, "ofac", *(vector(name) for name in OFAC))
    take(tmp_path, "opensanctions-csv", vector("opensanctions_targets.simple.csv"))
    staging, _ = take(tmp_path, "opensanctions-ftm", vector("opensanctions_entities.ftm.json"))
    for path in staging.folder.iterdir():
        assert b"UNMENTIONABLE" not in path.read_bytes(), path.name
    assert b"Quillfeather" in (staging.folder / "staged.db").read_bytes()


def test_what_is_staged_is_readable_by_headquarters_alone(tmp_path: Path) -> None:
    staging, _ = take(tmp_path, "opensanctions-ftm", ftm_line("Q1"))
    assert {path.name: path.stat().st_mode & 0o777 for path in staging.folder.iterdir()} == {
        "staged.db": 0o600,
        "opensanctions.report.txt": 0o600,
    }


def test_a_second_import_at_the_same_time_is_refused_and_who_reads_is_not(tmp_path: Path) -> None:
    staging, _ = take(tmp_path, "opensanctions-ftm", ftm_line("Q1"))
    with contextlib.closing(sqlite3.connect(staging.folder / "staged.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        other.execute("delete from person")
        with pytest.raises(Refused, match="another import"):
            take(tmp_path, "opensanctions-ftm", ftm_line("Q2"))
        assert entries(staging) == [("OpenSanctions", "Q1")]


def test_an_import_that_is_killed_leaves_what_was_staged(tmp_path: Path) -> None:
    staging, _ = take(tmp_path, "opensanctions-ftm", ftm_line("Q1"))
    command = [sys.executable, "-c", KILLED, staging.folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=VECTORS.parents[2]) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        run.stdin.writelines(ftm_line(f"R{number}") for number in range(20_000))
        run.stdin.flush()
        assert run.stdout.readline() == b"in the middle\n"
        run.kill()
    assert entries(staging) == [("OpenSanctions", "Q1")]
    staging, report = take(tmp_path, "opensanctions-ftm", ftm_line("Q1") + ftm_line("Q2"))
    assert (report.new, report.changed) == (1, 0)


def test_documents_may_be_taken_anew(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "lists")
    header = b"din,issuing_country,doc_type\n"
    staging.take_documents(read_documents(io.BytesIO(header + b"A1,LAO,P\nA2,LAO,P\n")), today=TODAY)
    report = staging.take_documents(read_documents(io.BytesIO(header + b"A3,LAO,P\n")), today=TODAY, anew=True)
    assert (report.new, report.withdrawn) == (1, 2)
    assert [key.number for key, _ in staging.listed_documents()] == ["A3"]


def test_the_colour_of_a_notice_reaches_the_index_that_boxes_search(tmp_path: Path) -> None:
    staging, _ = take(tmp_path, "interpol", vector("interpol_detail.json"))
    index = PersonIndex(person_index(staging.people(), dated=TODAY))
    assert [index.person(number).notice for number in range(len(index))] == ["red", ""]


def test_a_damaged_database_is_a_storage_fault(tmp_path: Path) -> None:
    staging, _ = take(tmp_path, "opensanctions-ftm", ftm_line("Q1"))
    (staging.folder / "staged.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageFault):
        list(staging.people())
    with pytest.raises(StorageFault):
        take(tmp_path, "opensanctions-ftm", ftm_line("Q1"))


# --- vehicles ---------------------------------------------------------------------------------------------------------


def vehicles(text: bytes) -> list[DocumentRow | Rejected | Remark]:
    return list(read_documents(io.BytesIO(b"kind,din,issuing_country,doc_type,colour\n" + text)))


def test_a_vehicle_is_no_document_even_under_the_same_number() -> None:
    _, plate, vin, passport = vehicles(
        b"vehicle,KK 1234,LAO,plate,\n" + b"Vehicle,WDB-1234567890123,D,VIN,\n,KK1234,LAO,P,\n"
    )
    assert isinstance(plate, DocumentRow)
    assert isinstance(vin, DocumentRow)
    assert isinstance(passport, DocumentRow)
    assert plate.keys == (DocumentKey(kind="vehicle", issuer="LAO", document_type="PLATE", number="KK1234"),)
    assert vin.keys[0].number == "WDB1234567890123"
    assert passport.keys[0].kind == "document"
    digest = DocumentsKey(b"k" * 32).digest
    assert digest(plate.keys[0]) != digest(passport.keys[0])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"vehicle,1,LAO,P,\n", "doc_type is none of PLATE, VIN"),
        (b",1,LAO,VIN,\n", "doc_type is none of P, PASSPORT"),
        (b"boat,1,LAO,P,\n", "kind is none of document, vehicle"),
        ("vehicle,ກຂ 1234,LAO,PLATE,\n".encode(), "outside A-Z"),
        (",\N{CYRILLIC CAPITAL LETTER ER}A0047113,LAO,P,\n".encode(), "outside A-Z"),  # looks like P
    ],
)
def test_types_belong_to_their_kind(line: bytes, why: str) -> None:
    rejected = vehicles(line)[1]
    assert isinstance(rejected, Rejected)
    assert why in rejected.why


def test_columns_that_are_not_read_are_named() -> None:
    assert vehicles(b"") == [Remark(text="columns that are not read: colour")]


def test_a_documents_csv_that_ends_within_a_line_is_refused_whole(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "lists")
    with pytest.raises(Malformed, match="middle of line 3"):
        staging.take_documents(
            read_documents(io.BytesIO(b"issuing_country,doc_type,din\nLAO,P,A1\nLAO,P")), today=TODAY
        )
    assert list(staging.listed_documents()) == []


# --- the report -------------------------------------------------------------------------------------------------------


def test_neighbours_left_out_for_one_reason_are_one_line() -> None:
    report = ImportReport()
    for number in (2, 3, 4, 6):
        report.reject(Place("line", number), "not a person")
    report.reject(Place("line", 7), "no name")
    assert report.left_out == 5
    assert report.shown() == [
        "left out: line 2 to 4: not a person",
        "left out: line 6: not a person",
        "left out: line 7: no name",
    ]


def test_a_report_has_a_bound_and_counts_beyond_it() -> None:
    report = ImportReport()
    for number in range(LINES_MAX + 3):
        report.reject(Place("line", number * 2), "no name")
    assert report.text("un").endswith("and 3 more\n")
    assert report.left_out == LINES_MAX + 3


# --- the verb ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hq") / "hq"
    assert hq(folder, "init", "--domain", "landlink.example").returncode == 0
    return folder


def hq(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [BIN / "landlink-hq", "--home", home, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_every_source_has_its_command_and_publish_tells_each_ones_day(home: Path) -> None:
    for source, files, words in (
        ("un", ("un_traps.xml",), "un: 2 taken, 3 left out, 4 parts left out."),
        ("interpol", ("interpol_page.json", "interpol_detail.json"), "interpol: 4 taken, 4 left out"),
        ("opensanctions-csv", ("opensanctions_targets.simple.csv",), "non-commercial"),
        ("opensanctions-ftm", ("opensanctions_entities.ftm.json",), "1 documents whose holders are not listed"),
        ("ofac", OFAC, "ofac: 4 taken"),
        ("documents", ("documents_traps.csv",), "documents: 5 taken"),
    ):
        done = hq(home, "import", source, *(VECTORS / name for name in files))
        assert done.returncode == 0, done.stderr
        assert words in done.stdout, source
    published = hq(home, "publish")
    assert published.returncode == 0, published.stderr
    assert "persons: 12 entries" in published.stdout
    for title, listed, left_out in (
        ("UN Security Council", 2, 3),
        ("INTERPOL notices", 4, 4),
        ("OpenSanctions", 2, 7),
        ("OFAC SDN", 4, 6),
        ("stolen and lost documents", 5, 14),
    ):
        assert f"  {title}: {listed} listed, {left_out} left out, last import on 20" in published.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("import", "un"), 64, "0 files, at least 1"),
        (("import", "un", VECTORS / "un_traps.xml", VECTORS / "un_traps.xml"), 64, "2 files"),
        (("import", "un", VECTORS), 66, "no regular file"),
        (("import", "interpol", VECTORS / "un_traps.xml"), 65, "INTERPOL notices"),
        (("import", "nobody", VECTORS / "un_traps.xml"), 64, "invalid choice"),
    ],
)
def test_wrong_files_are_refused_in_one_sentence(
    home: Path, arguments: tuple[str | Path, ...], code: int, words: str
) -> None:
    refused = hq(home, *arguments)
    assert (refused.returncode, words in refused.stderr) == (code, True), refused.stderr
    assert "Traceback" not in refused.stderr


def test_who_watches_sees_a_bar_of_bytes(home: Path) -> None:
    master, slave = pty.openpty()
    command = [BIN / "landlink-hq", "--home", home, "import", "un", VECTORS / "un_traps.xml"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=slave, env={**os.environ, "TERM": "xterm"}) as run:
        os.close(slave)
        seen = b""
        try:
            while piece := os.read(master, 4096):
                seen += piece
        except OSError:  # how Linux says that the other side is closed
            pass
        assert run.wait(timeout=60) == 0
    os.close(master)
    assert b"un_traps.xml" in seen
    assert b"100%" in seen
    assert "━".encode() in seen
