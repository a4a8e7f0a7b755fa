"""Hits of a real post worked out again from what headquarters opened, and nothing else."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Malformed
from appliance.screen.verdicts import MATCHER
from provisioning.audit.opened.lines import LINE_BYTES_MAX
from provisioning.audit.opened.replay import parse_line, replay
from provisioning.audit.opened.replay_verb import EXIT_DIFFERS
from provisioning.bench.mrz_writer import MrzFields, write_td3
from tests.scenarios.rehearsed import ROOT, Run, rehearse

pytestmark = pytest.mark.post

LISTED = (  # names, birth, sex, nationality: as the UN list has them
    ("KHAMPHENG", "PHOMMASACK", "<DATE>1978-04-12</DATE>", "Male", "Lao People's Democratic Republic"),
    ("SENGDEUAN", "VONGPHACHAN", "<YEAR>1969</YEAR>", "Female", "Lao People's Democratic Republic"),
    ("NAZAR TIMUR", "OSTROVERKH", "<FROM_YEAR>1970</FROM_YEAR><TO_YEAR>1973</TO_YEAR>", "Male", "Viet Nam"),
    ("SAENG PHET", "NOYSAVATH", "", "", ""),
    ("ABD AL RAHMAN", "AL ANIZI", "<DATE>1980-01-02</DATE>", "Male", "Thailand"),
)
TRAVELLERS = (  # primary, secondary, birth, nation: each like somebody above, more or less
    ("PHOMMASACK", "KHAMPHENG", "780412", "LAO"),
    ("PHOMASAK", "KAMPENG", "780412", "LAO"),
    ("KHAMPHENG", "PHOMMASACK", "781204", "LAO"),
    ("PHOMMASACK", "KHAMPHENG", "780930", "THA"),
    ("PHOMMASACK", "KHAMPHENG", "500101", "LAO"),
    ("POMMASACK", "KHAMPHENG", "780412", "VNM"),
    ("VONGPHACHAN", "SENGDEUAN", "690505", "LAO"),
    ("WONGPHACHAN", "SENGDEUAN", "690505", "LAO"),
    ("VONGPHACHAN", "SENGDUEAN", "700505", "KHM"),
    ("OSTROVERKH", "NAZAR", "710303", "VNM"),
    ("OSTROVERK", "NAZAR TIMUR", "720101", "VNM"),
    ("OSTROVERKH", "NAZAR", "900101", "VNM"),
    ("OSTROVERKH", "N TIMUR", "700101", "LAO"),
    ("NOYSAVATH", "SAENGPHET", "850101", "LAO"),
    ("NOYSAVATH", "SAENG PHET", "850101", "THA"),
    ("NOISAVATH", "SAENG PHET", "850101", "LAO"),
    ("ALANIZI", "ABDALRAHMAN", "800102", "THA"),
    ("ANIZI", "RAHMAN", "800102", "THA"),
    ("AL ANIZI", "ABD AL RAHMAN", "800102", "LAO"),
    ("ANIZI", "ABDULRAHMAN", "800102", "THA"),
    ("AL ANIZI", "ABD AL RAHMAN", "810201", "THA"),
    ("PHOMMASACK", "KHAMPHENG SOMSAK", "780412", "LAO"),
    ("PHOMMASACKKHAMPHENG", "", "780412", "LAO"),
    ("PHOMMASACK", "KHAMPHENK", "780412", "LAO"),
)


def un_list() -> str:
    people = "".join(
        f"<INDIVIDUAL><DATAID>{9_100_000 + number}</DATAID><FIRST_NAME>{given}</FIRST_NAME>"
        f"<SECOND_NAME>{family}</SECOND_NAME><UN_LIST_TYPE>Al-Qaida</UN_LIST_TYPE>"
        f"<REFERENCE_NUMBER>QDx.{number:03}</REFERENCE_NUMBER><GENDER>{sex}</GENDER>"
        f"<NATIONALITY><VALUE>{nation}</VALUE></NATIONALITY>"
        f"<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE>{birth}</INDIVIDUAL_DATE_OF_BIRTH></INDIVIDUAL>"
        for number, (given, family, birth, sex, nation) in enumerate(LISTED)
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<CONSOLIDATED_LIST dateGenerated="2026-10-12T14:05:31.187-04:00">'
    return f"{head}<INDIVIDUALS>{people}</INDIVIDUALS></CONSOLIDATED_LIST>"


def zone(number: int, primary: str, secondary: str, birth: str, nation: str) -> str:
    fields = MrzFields(
        document_code="P",
        issuing_state=nation,
        document_number="PO047113" if number == 0 else f"P{number:07}",  # the listed P0047113, misread
        nationality=nation,
        date_of_birth=birth,
        sex="M",
        date_of_expiry="330101",
        primary_identifier=primary,
        secondary_identifier=secondary,
    )
    return "\n".join(write_td3(fields))


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A day on which everybody is like somebody on a list."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "persons.xml").write_text(un_list(), encoding="utf-8")
    (folder / "documents.csv").write_text("din,issuing_country,doc_type\nP0047113,LAO,P\n", encoding="ascii")
    zones = [zone(number, *traveller) for number, traveller in enumerate(TRAVELLERS)]
    (folder / "zones.txt").write_text("\n\n".join(zones), encoding="ascii")
    lists = ("--persons", str(folder / "persons.xml"), "--documents", str(folder / "documents.csv"))
    return rehearse(folder / "out", "--specimens", str(folder / "zones.txt"), *lists)


def hq(run: Run, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = (str(ROOT / ".venv" / "bin" / "landlink-hq"), "--home", str(run.out / "hq"), "replay", *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_every_hit_of_a_post_comes_to_the_band_and_the_verdicts_that_were_recorded(post: Run) -> None:
    assert post.code == 0, post.printed
    hits = [hit for line in post.lines("opened.jsonl") for hit in line["hits"]]
    assert len(hits) >= 20
    assert {hit["band"] for hit in hits} == {"strong", "possible", "weak"}
    assert {hit["list_name"] for hit in hits} == {"documents", "persons"}
    assert {pair["verdict"] for hit in hits for field in hit["fields"] for pair in field["words"]} >= {
        "equal",
        "alike",
        "initial",
        "written as one",
        "missing",
    }
    replayed = hq(post, "--all", "--opened", str(post.out / "opened.jsonl"))
    assert (replayed.returncode, replayed.stdout.splitlines()[-1]) == (
        0,
        f"{len(hits)} hits of {len(TRAVELLERS)} records worked out again, 0 differ",
    )


def test_replay_opens_what_was_pulled_when_it_is_given_no_lines(post: Run) -> None:
    assert hq(post, "--all").stdout == hq(post, "--all", "--opened", str(post.out / "opened.jsonl")).stdout


def test_one_record_is_shown_side_by_side(post: Run) -> None:
    line = next(line for line in post.lines("opened.jsonl") if line["hits"] and line["hits"][0]["basis"])
    shown = hq(post, line["record_id"][:12])
    assert shown.returncode == 0
    assert re.search(r"same +band: ", shown.stdout)
    assert f"entry {line['index']}: persons list" in shown.stdout


def first_person(line: dict[str, Any]) -> dict[str, Any]:
    return next(hit for hit in line["hits"] if hit["basis"])


def another_band(line: dict[str, Any]) -> None:
    first_person(line)["band"] = "weak" if first_person(line)["band"] != "weak" else "strong"


def another_verdict(line: dict[str, Any]) -> None:
    first_person(line)["fields"][1]["verdict"] = "absent"


def another_word(line: dict[str, Any]) -> None:
    first_person(line)["fields"][0]["words"][0]["verdict"] = "missing"


def another_listed_birth(line: dict[str, Any]) -> None:
    first_person(line)["basis"]["births"] = [1901 << 32 | 1901 << 16 | 1 << 8 | 1]


def another_listed_name(line: dict[str, Any]) -> None:
    first_person(line)["basis"]["listed"][0]["text"] = "SOMEBODY"


def no_basis(line: dict[str, Any]) -> None:
    first_person(line)["basis"] = None


def another_name_on_the_document(line: dict[str, Any]) -> None:
    line["document"]["primary_identifier"] = "SOMEBODY"


def a_field_left_out(line: dict[str, Any]) -> None:
    first_person(line)["fields"].pop()


def no_document(line: dict[str, Any]) -> None:
    line["document"] = None


TAMPERED = (
    another_band,
    another_verdict,
    another_word,
    another_listed_birth,
    another_listed_name,
    no_basis,
    another_name_on_the_document,
    a_field_left_out,
    no_document,
)


@pytest.mark.parametrize("tamper", TAMPERED)
def test_a_record_that_was_tampered_with_differs(
    tamper: Callable[[dict[str, Any]], None], post: Run, tmp_path: Path
) -> None:
    lines = post.lines("opened.jsonl")
    tamper(next(line for line in lines if any(hit["basis"] and hit["basis"]["births"] for hit in line["hits"])))
    (tmp_path / "opened.jsonl").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    replayed = hq(post, "--all", "--opened", str(tmp_path / "opened.jsonl"))
    assert replayed.returncode == EXIT_DIFFERS
    assert "DIFFERS" in replayed.stdout


def test_another_version_of_the_matching_is_said(post: Run, tmp_path: Path) -> None:
    (line, *_) = (line for line in post.lines("opened.jsonl") if any(hit["basis"] for hit in line["hits"]))
    first_person(line)["matcher"] = first_person(line)["matcher"].replace(MATCHER, "names 1")
    (tmp_path / "opened.jsonl").write_text(json.dumps(line), encoding="utf-8")
    replayed = hq(post, line["record_id"], "--opened", str(tmp_path / "opened.jsonl"))
    assert "recorded by another version (names 1, forms" in replayed.stdout


@pytest.mark.parametrize("arguments", [(), ("--all", "abc"), ("feedfacefeedface", "--all")])
def test_one_record_or_all(post: Run, arguments: tuple[str, ...]) -> None:
    assert hq(post, *arguments).returncode == os.EX_USAGE


def test_a_record_that_is_not_there_is_refused(post: Run) -> None:
    refused = hq(post, "feedfacefeedface")
    assert refused.returncode == os.EX_NOPERM
    assert "no record begins with feedfacefeedface" in refused.stderr


@pytest.mark.parametrize("line", ["", "{", "[]", "{}", '{"origin": 1}', '{"origin":"a/b","index":1,"record_id":"no"}'])
def test_a_line_that_open_did_not_write_is_refused(line: str) -> None:
    with pytest.raises(Malformed, match="not a line as landlink-hq open writes it"):
        parse_line(line)


def test_a_line_without_an_end_is_not_read_to_its_end(post: Run, tmp_path: Path) -> None:
    (tmp_path / "opened.jsonl").write_bytes(b" " * (LINE_BYTES_MAX + 2))
    replayed = hq(post, "--all", "--opened", str(tmp_path / "opened.jsonl"))
    assert replayed.returncode not in (0, EXIT_DIFFERS)
    assert "line 1" in replayed.stderr


def test_a_file_that_is_not_there_is_said_as_everywhere(post: Run, tmp_path: Path) -> None:
    replayed = hq(post, "--all", "--opened", str(tmp_path / "nowhere.jsonl"))
    assert replayed.returncode == os.EX_NOINPUT
    assert "nowhere.jsonl: No such file" in replayed.stderr


def test_a_record_without_hits_is_nothing_to_work_out() -> None:
    assert replay(parse_line('{"origin":"a/b","index":1,"record_id":"' + "0" * 32 + '"}')) == ()
