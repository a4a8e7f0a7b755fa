"""The bench's travellers: real issuer codes, synthetic holders, the same for the same day and seed."""

from datetime import date
from pathlib import Path

import pytest

from appliance.errors import Malformed
from provisioning.bench.specimens import Listed, cast, read_specimens

TODAY = date(2026, 11, 3)


def test_the_script_has_each_case_of_the_data_path() -> None:
    labels = [traveller.label for traveller in cast(TODAY, 1, 20)]
    wanted = {
        "Listed document", "Listed person", "Expired passport", "Wrong check digit", "Card with a long number",
        "Mother", "Child", "Border pass, typed in", "Specimen of issuer UTO",
    }  # fmt: skip
    assert wanted <= set(labels)


def test_all_six_nations_come_first() -> None:
    issuers = {traveller.lines[0][2:5] for traveller in cast(TODAY, 1, 20) if traveller.lines}
    assert {"LAO", "THA", "VNM", "KHM", "MMR", "CHN"} <= issuers


def test_the_child_joins_the_mothers_crossing() -> None:
    travellers = cast(TODAY, 1, 20)
    joining = [number for number, traveller in enumerate(travellers) if traveller.joins]
    assert [travellers[number].label for number in joining] == ["Child"]
    assert travellers[joining[0] - 1].label == "Mother"


def test_same_day_and_seed_give_the_same_travellers() -> None:
    assert cast(TODAY, 7, 60) == cast(TODAY, 7, 60)
    assert cast(TODAY, 7, 60) != cast(TODAY, 8, 60)


def test_no_document_number_comes_twice_in_500() -> None:
    lower = [
        traveller.lines[1][:10] for traveller in cast(TODAY, 3, 500) if traveller.lines and len(traveller.lines) == 2
    ]
    assert len(lower) == len(set(lower))


def test_listed_document_is_in_the_sample_list() -> None:
    samples = Path(__file__).parents[2] / "provisioning" / "bench" / "samples"
    assert Listed().document_number in (samples / "documents.csv").read_text(encoding="utf-8")
    assert Listed().secondary_identifier in (samples / "persons.xml").read_text(encoding="utf-8").upper()


def test_specimens_file_with_blank_lines_between_documents(tmp_path: Path) -> None:
    file = tmp_path / "specimens.txt"
    file.write_text("\n\nAAA\nBBB\n\n\nCCC  \n", encoding="utf-8")
    assert [traveller.lines for traveller in read_specimens(file)] == [("AAA", "BBB"), ("CCC",)]


@pytest.mark.parametrize("content", [b"", b"\n\n \n", b"\xff\xfe\x00"])
def test_specimens_file_without_a_document_is_malformed(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "specimens.txt"
    file.write_bytes(content)
    with pytest.raises(Malformed):
        read_specimens(file)


def test_a_specimens_file_that_is_not_text_is_named_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_bytes(b"AAA\n\nB\xffB\n")
    with pytest.raises(Malformed, match=r"mine\.txt, line 3: not UTF-8 text"):
        read_specimens(file)


def test_the_mark_that_some_editors_put_first_is_no_part_of_a_zone(tmp_path: Path) -> None:
    file = tmp_path / "specimens.txt"
    file.write_bytes(b"\xef\xbb\xbfAAA\r\nBBB\r\n")
    assert read_specimens(file)[0].lines == ("AAA", "BBB")


@pytest.mark.parametrize(("content", "line"), [("A\n\n" + "B" * 101, 3), ("A\n" * 5, 5)])
def test_a_specimen_that_no_scanner_would_send_is_named_with_its_line(tmp_path: Path, content: str, line: int) -> None:
    file = tmp_path / "mine.txt"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(Malformed, match=rf"mine\.txt, line {line}: at most 4 lines of 100 characters"):
        read_specimens(file)


def test_a_zone_in_a_script_that_no_scanner_sends_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("AAA\n\n\u0eaa\u0eb5\u0eaa\u0eb8\u0e81<<\u0e99\u0ec9\u0ead\u0e8d\n", encoding="utf-8")
    with pytest.raises(Malformed, match=r"mine\.txt, line 3: a scanner sends letters"):
        read_specimens(file)
