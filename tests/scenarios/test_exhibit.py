"""What a court is given of one record: all that belongs to it, proven offline; and nothing altered goes unnoticed."""

import base64
import json
import re
import shlex
import shutil
from pathlib import Path

import msgspec
import pytest

from appliance.errors import LandlinkError, Misuse, NoInput, Refused
from appliance.model import Mode
from provisioning.authority.home import Home
from provisioning.custody.log import CustodyLog
from provisioning.exhibit.checking import check_exhibit, read_said
from provisioning.exhibit.contents import Exhibit
from provisioning.exhibit.pieces import read_pieces
from tests.exhibit_post import (
    MORNING_S,
    NAME,
    NOTE,
    NUMBER,
    OFFICER,
    SCREENED,
    SCREENED_INDEX,
    Post,
    a_day,
    cosign,
    hq,
    run_hq,
    sum_again,
)
from tests.scenarios.auditor import flip, pull_from
from tests.scenarios.auditor import run as audit
from tests.scenarios.made_headquarters import headquarters, screened


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Post:
    folder = tmp_path_factory.mktemp("exhibit")
    return a_day(headquarters(folder / "hq"), folder / "box")


@pytest.fixture(scope="module")
def made(post: Post, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "case-17"
    assert hq(post.home, "exhibit", SCREENED[:6], "--out", out, "--case", "Case 17", "--as", "K. Sisouk") == 0
    return out


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def said(folder: Path) -> Exhibit:
    return read_said(read_pieces(folder))


# --- what is in it ---------------------------------------------------------------------------------------------------


def test_it_has_the_record_and_all_that_belongs_to_it_and_nobody_elses(made: Path) -> None:
    exhibit, problems = check_exhibit(made)
    assert problems == []
    assert exhibit is not None
    assert exhibit.entry is not None
    assert (exhibit.entry.index, exhibit.entry.record_id) == (SCREENED_INDEX, SCREENED)
    assert [entry.kind for entry in exhibit.related] == ["picture", "transition", "hand_over", "outcome"]
    assert [entry.epoch for entry in exhibit.related] == [0, 1, 1, 1]
    everything = b"".join(read_pieces(made).values())
    assert NAME.encode() in everything
    assert b"SOMEBODYELSE" not in everything


def test_time_is_proven_on_both_sides_by_headquarters_signatures(made: Path) -> None:
    entry = said(made).entry
    assert entry is not None
    after, before = entry.time.after, entry.time.before
    assert after is not None
    assert (after.at_ms, after.file) == (MORNING_S * 1000, "evidence/after.checkpoint")
    assert before is not None
    assert (before.at_ms, before.file) == (MORNING_S * 1000 + 9_000, "evidence/receipt.cose")
    assert entry.time.spacing == ("1 ms after entry 3", "1 ms before entry 5")


def test_what_was_in_force_is_named_with_its_signed_files(made: Path) -> None:
    exhibit = said(made)
    assert exhibit.in_force is not None
    force = exhibit.in_force
    assert (force.software, force.release, force.release_index, force.missing) == ("0.1.0", 2, 2, "")
    assert {"policy/policy.json", "lists/persons.index"} <= {file.path for file in force.files}


def test_the_record_in_it_is_the_one_that_the_body_holds_to_the_byte(made: Path, post: Post) -> None:
    assert (made / "evidence/body.age").read_bytes() == post.body(SCREENED_INDEX).read_bytes()
    shown = json.loads((made / "evidence/record.json").read_text())
    assert shown["body"]["document"]["document_number"] == NUMBER


def test_report_and_page_are_in_it_and_in_its_sums(post: Post, tmp_path: Path) -> None:
    assert run_hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    names = set(read_pieces(tmp_path / "out"))
    assert {"README.txt", "SHA256SUMS", "report.html", "report.lo.html", "verify.html"} <= names
    assert check_exhibit(tmp_path / "out")[1] == []
    flip(tmp_path / "out/report.lo.html")
    assert check_exhibit(tmp_path / "out")[1] == ["report.lo.html: altered: not the file that SHA256SUMS names"]


def test_only_its_owner_can_read_it(made: Path) -> None:
    modes = {place.stat().st_mode & 0o777 for place in made.rglob("*") if place.is_dir()}
    assert modes | {made.stat().st_mode & 0o777} == {0o700}
    assert {place.stat().st_mode & 0o777 for place in made.rglob("*") if place.is_file()} == {0o600}


# --- alterations -----------------------------------------------------------------------------------------------------

FREE = {"evidence/exhibit.json"}
"""Who asked, when and for what case are headquarters' words; only sums and the hand-over bind them."""


def evidence_of(folder: Path) -> list[str]:
    return sorted(path for path in read_pieces(folder) if path.startswith("evidence/"))


def test_each_file_altered_by_one_byte_is_named(copy: Path) -> None:
    for path in read_pieces(copy):
        at = len((copy / path).read_bytes()) // 2
        flip(copy / path, at)
        _, problems = check_exhibit(copy)
        assert any(problem.startswith(f"{path}:") for problem in problems) or path == "SHA256SUMS", (path, problems)
        assert problems, path
        flip(copy / path, at)


def test_each_piece_of_evidence_altered_is_noticed_though_the_sums_are_made_to_fit(copy: Path) -> None:
    for path in evidence_of(copy):
        if path in FREE:
            continue
        for at in (0, len((copy / path).read_bytes()) // 2):
            flip(copy / path, at)
            sum_again(copy)
            assert check_exhibit(copy)[1], (path, at)
            flip(copy / path, at)


def test_each_piece_of_evidence_taken_away_is_noticed_though_the_sums_are_made_to_fit(copy: Path) -> None:
    for path in evidence_of(copy):
        if path == "evidence/before.tlog-proof":  # the receipt bounds the time closer than it does
            continue
        content = (copy / path).read_bytes()
        (copy / path).unlink()
        sum_again(copy)
        assert check_exhibit(copy)[1], path
        (copy / path).write_bytes(content)


def test_what_the_report_is_made_of_cannot_say_something_else(copy: Path) -> None:
    path = copy / "evidence/exhibit.json"
    told = json.loads(path.read_text())
    for field, value in (("made_ms", 5), ("case", "another")):  # free: only headquarters says them
        assert told[field] != value
    told["entry"]["record"]["body"]["document"]["primary_identifier"] = "SOMEBODY"
    path.write_text(json.dumps(told))
    sum_again(copy)
    assert check_exhibit(copy)[1] == ["evidence/exhibit.json: what it says of entry is not what the evidence says"]


def test_a_file_too_many_a_link_and_a_pipe_are_noticed(copy: Path) -> None:
    (copy / "evidence/more.txt").write_text("")
    assert check_exhibit(copy)[1] == ["evidence/more.txt: not named by SHA256SUMS"]
    (copy / "evidence/more.txt").unlink()
    (copy / "evidence/more.txt").symlink_to("/etc/hostname")
    assert check_exhibit(copy)[1] == ["evidence/more.txt: a link, not a file"]


def test_evidence_of_another_record_of_the_same_log_is_refused(post: Post, copy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert hq(post.home, "exhibit", "cccc", "--out", other) == 0
    for name in ("body.age", "record.cbor", "record.json"):
        shutil.copy(other / "evidence" / name, copy / "evidence" / name)
    sum_again(copy)
    assert check_exhibit(copy)[1] == ["evidence/body.age: its body was altered: not the bytes that the statement names"]


def test_an_exhibit_of_another_headquarters_differs_by_its_root(made: Path, tmp_path: Path) -> None:
    box = a_day(headquarters(tmp_path / "hq"), tmp_path / "box")
    assert hq(box.home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    assert said(tmp_path / "out").trust.root_sha256 != said(made).trust.root_sha256


def test_what_is_no_exhibit_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoInput, match="no folder"):
        check_exhibit(tmp_path / "none")
    assert check_exhibit(tmp_path) == (None, ["SHA256SUMS: missing", "evidence/exhibit.json: missing"])


# --- whole or not at all ---------------------------------------------------------------------------------------------


def test_a_folder_that_exists_is_not_touched(post: Post, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(Refused, match="exists"):
        hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []


def test_an_exhibit_that_could_not_be_written_leaves_nothing(post: Post, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    before = len(CustodyLog(post.home).acts())
    for folder in ("file", "gone"):
        with pytest.raises(NoInput, match=f"{folder} is no folder"):
            hq(post.home, "exhibit", SCREENED, "--out", tmp_path / folder / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert len(CustodyLog(post.home).acts()) == before, "headquarters' own log names no export that never was"


@pytest.mark.parametrize("part", [("--from", "2026-11-18"), ("--to", "2026-11-18"), ("--number", "P1"), ("--log", "x")])
def test_what_only_a_negative_exhibit_takes_is_misuse_beside_a_record(
    post: Post, tmp_path: Path, part: tuple[str, str]
) -> None:
    with pytest.raises(Misuse, match="go with --none"):
        hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "out", *part)


def test_the_next_command_can_be_given_as_it_is_printed(
    post: Post, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "ຄະດີ 17; $(x)"
    assert hq(post.home, "exhibit", SCREENED, "--out", out) == 0
    words = shlex.split(capsys.readouterr().out.rpartition("; landlink-hq ")[2])
    assert words == ["custody", "handover", str(out), "--to", "NAME"]


@pytest.mark.parametrize(
    ("record", "error", "words"),
    [
        ("", Misuse, "the first 4 do"),
        ("bb", Misuse, "the first 4 do"),
        ("xyzz", Misuse, "hexadecimal"),
        ("dddd", Refused, "no record"),
    ],
)
def test_a_record_that_is_not_there_is_refused_with_the_way_on(
    post: Post, tmp_path: Path, record: str, error: type[LandlinkError], words: str
) -> None:
    with pytest.raises(error, match=words):
        hq(post.home, "exhibit", record, "--out", tmp_path / "out")


def test_a_record_of_which_a_body_is_awaited_says_so(tmp_path: Path) -> None:
    box = Post(headquarters(tmp_path / "hq"), tmp_path / "box")
    box.seal(box.record(screened(), SCREENED))
    box.body(box.seal(box.record(screened(), "dd" * 16))).unlink()
    cosign(box, MORNING_S)
    with pytest.raises(Refused, match="1 bodies have not arrived"):
        hq(box.home, "exhibit", "dddd", "--out", tmp_path / "out")
    assert hq(box.home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    assert said(tmp_path / "out").problems == ("1 bodies of this log have not arrived; some may belong to this record",)


# --- the protection unit ---------------------------------------------------------------------------------------------


@pytest.fixture
def protected(tmp_path: Path) -> Post:
    box = Post(headquarters(tmp_path / "hq"), tmp_path / "box")
    box.seal(box.record(screened(name="VICTIM"), SCREENED), recipients=("protection", "escrow"))
    cosign(box, MORNING_S)
    return box


def test_a_record_of_the_protection_unit_needs_its_key(protected: Post, tmp_path: Path) -> None:
    (protected.home.folder / "protection.identity").rename(tmp_path / "locked away")
    with pytest.raises(Refused, match=r"needs protection\.identity, which is not in this home"):
        hq(protected.home, "exhibit", SCREENED, "--out", tmp_path / "out")
    (tmp_path / "locked away").rename(protected.home.folder / "protection.identity")
    (protected.home.folder / "record.identity").unlink()
    assert hq(protected.home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    assert check_exhibit(tmp_path / "out")[1] == []


# --- a copy for the defence ------------------------------------------------------------------------------------------


def spellings(word: str) -> list[bytes]:
    """The bytes that would show a word: plain, in hexadecimal, UTF-16, and base64 at each of its three offsets."""
    raw = word.encode()
    found = [raw, raw.hex().encode(), raw.hex().upper().encode(), word.encode("utf-16-le"), word.encode("utf-16-be")]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        found.append(encoded[4 if shift else 0 :][: len(raw) // 3 * 4 - 4])
    return found


def test_a_redacted_copy_has_no_byte_of_names_numbers_officers_or_their_words(post: Post, tmp_path: Path) -> None:
    out = tmp_path / "redacted"
    assert hq(post.home, "exhibit", SCREENED, "--out", out, "--redact") == 0
    everything = b"\n".join(read_pieces(out).values())
    salt = json.loads((tmp_path / "redacted/evidence/record.json").read_text())["salt"]
    assert salt is None
    for word in (NUMBER, NAME, OFFICER, NOTE, "SYNTHETIC", "HOLDER", "LAO8001014F"):
        for spelling in spellings(word):
            assert spelling not in everything, (word, spelling)


def test_what_remains_of_a_redacted_copy_is_verified_and_says_what_went(post: Post, made: Path, tmp_path: Path) -> None:
    out = tmp_path / "redacted"
    assert hq(post.home, "exhibit", SCREENED, "--out", out, "--redact", "--keep", "findings", "decision") == 0
    exhibit, problems = check_exhibit(out)
    assert problems == []
    assert exhibit is not None
    assert exhibit.redacted
    assert exhibit.entry is not None
    assert exhibit.entry.record is not None
    assert exhibit.entry.record["body"]["decision"]["first"]["words"] == "The document has expired."
    assert {"salt", "body.document.document_number"} <= set(exhibit.entry.redacted)
    full = said(made).entry
    assert full is not None
    assert (exhibit.entry.commitment, exhibit.entry.leaf_hash) == (full.commitment, full.leaf_hash)
    assert not list(out.rglob("body.age")) + list(out.rglob("record.cbor")) + list(out.rglob("picture.jpg"))


def test_a_redacted_copy_into_which_somebody_puts_the_record_is_noticed(post: Post, made: Path, tmp_path: Path) -> None:
    out = tmp_path / "redacted"
    assert hq(post.home, "exhibit", SCREENED, "--out", out, "--redact") == 0
    shutil.copy(made / "evidence/record.cbor", out / "evidence/record.cbor")
    sum_again(out)
    assert check_exhibit(out)[1] == ["evidence/record.cbor: in a redacted copy"]


def test_what_cannot_be_kept_is_refused_before_anything_is_opened(post: Post, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="--keep name: there is document"):
        hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "out", "--redact", "--keep", "name")
    with pytest.raises(Misuse, match="goes with --redact"):
        hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "out", "--keep", "document")


# --- find ------------------------------------------------------------------------------------------------------------


def test_find_prints_the_record_that_exhibit_takes(post: Post, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(post.home, "find", "--number", NUMBER) == 0
    assert f"RECORD {SCREENED}" in capsys.readouterr().out


def test_a_miss_says_what_to_ask_instead(post: Post, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(post.home, "find", "--number", "PB123456", "--name", NAME) == 0
    out = capsys.readouterr().out
    assert "No record answers this among 2 of 1 box." in out
    assert "Without the number: 1 record." in out
    assert "by the boxes' clocks" in out


def test_training_and_live_do_not_mix(post: Post, tmp_path: Path) -> None:
    training = headquarters(tmp_path / "hq", mode=Mode.TRAINING)
    with pytest.raises(Refused, match="no box is enrolled"):
        hq(Home.open(training.folder), "exhibit", SCREENED, "--out", tmp_path / "out")
    assert pull_from(post).problems == []


def test_exhibit_json_is_what_the_struct_says(made: Path) -> None:
    text = (made / "evidence/exhibit.json").read_bytes()
    assert msgspec.json.decode(text, type=Exhibit) == said(made)


RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
"""Names that no file has on Windows, whatever its ending."""


def test_every_path_can_lie_on_a_windows_disk_below_a_long_folder(made: Path) -> None:
    paths = list(read_pieces(made))
    assert len({path.lower() for path in paths}) == len(paths)
    for path in paths:
        assert len(path) <= 60, "260 characters with the folder above; a court's folders are long"
        for name in path.split("/"):
            assert re.fullmatch(r"[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*", name), path
            assert name.partition(".")[0].lower() not in RESERVED
