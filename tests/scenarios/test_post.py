"""The whole path on one machine: what was laid at the desk is what headquarters opened, one to one (post)."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.rehearsed import Run, outside, rehearse

pytestmark = pytest.mark.post


def opened_by_record(run: Run) -> dict[str, dict[str, Any]]:
    return {line["record_id"]: line for line in run.lines("opened.jsonl")}


def laid_and_opened(run: Run, label: str) -> tuple[dict[str, Any], dict[str, Any]]:
    laid = next(line for line in run.lines("laid.jsonl") if line["label"] == label)
    return laid, opened_by_record(run)[laid["of"]]


def test_twenty_travellers_end_well(post: Run) -> None:
    assert post.code == 0, post.printed
    assert post.report["travellers"] == 20
    assert post.report["missing"] == []


def test_every_sealed_entry_has_a_verified_receipt(post: Run) -> None:
    assert post.report["records"] == post.report["delivered"] > 20


def test_every_opened_zone_is_one_that_was_laid_and_the_other_way_round(post: Run) -> None:
    laid = Counter(line["mrz"] for line in post.lines("laid.jsonl") if line["mrz"])
    opened = Counter(line["raw_mrz"] for line in post.lines("opened.jsonl") if line["raw_mrz"])
    assert opened == laid


def test_every_lamp_edge_has_its_record_and_says_the_same(post: Run) -> None:
    lit = [edge for edge in post.lines("lamps.jsonl") if edge["on"] and edge["lamp"] in {"green", "amber", "red"}]
    decided = [line["decision"]["type"] for line in post.lines("opened.jsonl")]
    assert [edge["lamp"] for edge in lit] == ["green" if kind == "clear" else "amber" for kind in decided]


def test_every_outcome_sits_with_its_person(post: Run) -> None:
    opened = opened_by_record(post)
    for laid in post.lines("laid.jsonl"):
        outcome = opened[laid["of"]]["outcome"]
        assert outcome is not None, laid["label"]
        assert outcome["outcome"] == (laid["outcome"] or "passed"), laid["label"]
        assert outcome["implied"] is (laid["outcome"] == ""), laid["label"]


def test_the_listed_document_is_a_hit_on_that_document(post: Run) -> None:
    _, opened = laid_and_opened(post, "Listed document")
    assert [hit["band"] for hit in opened["hits"]] == ["exact document"]
    assert opened["decision"]["type"] == "refer"


def test_the_listed_person_is_a_possible_match_with_reasons(post: Run) -> None:
    _, opened = laid_and_opened(post, "Listed person")
    assert [hit["list_name"] for hit in opened["hits"]] == ["persons"]
    assert {field["field"] for field in opened["hits"][0]["fields"]} >= {"name", "date_of_birth"}


@pytest.mark.parametrize(
    ("label", "check"),
    [("Expired passport", "expiry"), ("Wrong check digit", "check_digits"), ("Specimen of issuer UTO", "specimen")],
)
def test_the_finding_that_refers_is_named(post: Run, label: str, check: str) -> None:
    laid, opened = laid_and_opened(post, label)
    assert check in {finding["check"] for finding in opened["findings"] if finding["answer"] == "failed"}
    assert laid["lamp"] == "amber"


def test_the_long_number_is_whole(post: Run) -> None:
    laid, opened = laid_and_opened(post, "Card with a long number")
    first, _, _ = laid["mrz"].split("\n")
    rest = first[15:].split("<")[0]
    assert opened["document"]["document_number"] == first[5:14] + rest[:-1]
    assert opened["decision"]["type"] == "clear"


def test_mother_and_child_are_two_persons_of_one_crossing(post: Run) -> None:
    _, mother = laid_and_opened(post, "Mother")
    _, child = laid_and_opened(post, "Child")
    assert mother["crossing"]["id"] == child["crossing"]["id"]
    assert (mother["person"]["number"], child["person"]["number"]) == (1, 2)
    assert mother["person"]["id"] != child["person"]["id"]


def test_everybody_else_is_a_crossing_of_their_own(post: Run) -> None:
    crossings = Counter(line["crossing"]["id"] for line in post.lines("opened.jsonl"))
    assert sorted(crossings.values()) == [1] * 18 + [2]


def test_the_typed_border_pass_is_marked_typed(post: Run) -> None:
    laid, opened = laid_and_opened(post, "Border pass, typed in")
    assert opened["source"] == "typed"
    assert opened["document"]["document_number"] == laid["typed_number"]


def test_every_laid_page_has_its_picture(post: Run) -> None:
    laid = [line for line in post.lines("opened.jsonl") if line["source"] != "typed"]
    assert all(len(line["pictures"]) == 1 for line in laid)
    assert max(picture["bytes"] for line in laid for picture in line["pictures"]) <= 307_200


@pytest.mark.interop
def test_go_verifies_checkpoint_consistency_and_every_leaf(post: Run) -> None:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed (tests/install-tools)")
    vkey = (post.out / "box" / "log.vkey").read_text(encoding="ascii").strip()
    verified = outside(
        "env",
        "GO111MODULE=off",
        "GOPATH=/usr/share/gocode",
        "go",
        "run",
        "verify_log.go",
        str(post.out / "box" / "log"),
        vkey,
    )
    assert verified.returncode == 0, verified.stderr
    assert str(post.report["leaves"]) in verified.stdout


@pytest.mark.interop
def test_the_outside_age_opens_every_body_and_finds_one_to_one_what_was_laid(post: Run) -> None:
    bodies = sorted((post.out / "collector" / "bodies").rglob("*.age"))
    assert len(bodies) == post.report["records"]
    done = outside(node(), "open_body.mjs", str(post.out / "hq" / "record.identity"), *map(str, bodies))
    assert done.returncode == 0, done.stderr
    records = [json.loads(line)["record"] for line in done.stdout.splitlines()]
    screened = {record["record_id"]: record["body"] for record in records if record["body"]["type"] == "screened"}
    outcomes = {record["body"]["of"]: record["body"] for record in records if record["body"]["type"] == "outcome"}
    laid = post.lines("laid.jsonl")
    assert screened.keys() == outcomes.keys() == {one["of"] for one in laid}
    for one in laid:
        body = screened[one["of"]]
        assert "\n".join(body["reading"].get("lines", [])) == one["mrz"]
        assert body["decision"]["type"] == {"green": "clear", "amber": "refer"}[one["lamp"]]
        assert bool(body["screening"]["hits"]) is one["label"].startswith("Listed")
        assert outcomes[one["of"]]["outcome"] == (one["outcome"] or "passed")


@pytest.mark.interop
def test_the_outside_age_refuses_a_flipped_byte(post: Run, tmp_path: Path) -> None:
    body = bytearray(next((post.out / "collector" / "bodies").rglob("*.age")).read_bytes())
    body[-100] ^= 1
    (tmp_path / "flipped.age").write_bytes(body)
    refused = outside(node(), "open_body.mjs", str(post.out / "hq" / "record.identity"), str(tmp_path / "flipped.age"))
    assert refused.returncode != 0


@pytest.mark.interop
def test_the_outside_cose_verifies_every_statement(post: Run) -> None:
    identity = post.out / "box" / "identity" / "identity.pub"
    done = outside(node(), "verify_statement.mjs", str(identity), str(post.out / "box" / "log"))
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout)
    assert counted["statements"] == post.report["leaves"]
    assert counted["sealed"] == post.report["records"]


def node() -> str:
    path = Path(__file__).parents[2] / ".venv" / "bin" / "node"
    if not (path.parents[2] / "tests" / "interop" / "node_modules").is_dir():
        pytest.skip("npm packages are not installed (tests/install-tools)")
    return str(path)


def test_specimens_file_is_laid_in_its_order_and_its_lists_are_searched(tmp_path: Path) -> None:
    specimens = tmp_path / "specimens.txt"
    specimens.write_text(
        "P<LAOPHOMMA<<NOY<<<<<<<<<<<<<<<<<<<<<<<<<<<<\nPA00000011LAO8001019F3101017<<<<<<<<<<<<<<06\n\n"
        "not a zone at all\n\n"
        "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<\n",
        encoding="utf-8",
    )
    documents = tmp_path / "documents.csv"
    documents.write_text(
        "din,din_to,issuing_country,doc_type,fraud_type,reporting_country,date_issue,date_expiry,stolen_on,review_date,national_ref,op\n"
        "PA0000001,,LAO,P,stolen,LAO,,,2024-01-01,,X-1,A\nthis line is broken\n",
        encoding="utf-8",
    )
    run = rehearse(tmp_path / "out", "--specimens", str(specimens), "--documents", str(documents))
    assert run.code == 0, run.printed
    opened = run.lines("opened.jsonl")
    assert len(opened) == 3
    assert [line["decision"]["type"] for line in opened] == ["refer", "refer", "refer"]
    assert [hit["band"] for hit in opened[0]["hits"]] == ["exact document"]
    assert opened[1]["document"] is None
    assert "3" in run.printed  # the broken line is named by its number


def test_report_is_one_json_object_with_the_promised_names(post: Run) -> None:
    report = json.loads((post.out / "report.json").read_bytes())
    assert {"travellers", "records", "delivered", "hits", "referrals", "latency"} <= set(report)
    assert {"p50_ms", "p99_ms", "share_that_is_sync"} == set(report["latency"])
