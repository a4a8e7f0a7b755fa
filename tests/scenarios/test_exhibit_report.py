"""The report of an exhibit: what it says in two languages, what it never says, and that its commands hold."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from appliance.clock import Grade
from appliance.examine.findings import CHECKS
from appliance.judged import Answer
from appliance.recorded import DocumentBasis, OutcomeKind, Stage
from provisioning.exhibit.contents import EntryFacts, Exhibit, Nothing, Unproven
from provisioning.exhibit.report import report_page, write_report
from provisioning.exhibit.report_story import Story
from provisioning.exhibit.words_of import LANGUAGES, read_words
from tests.exhibit_records import NAME, NUMBER, Chosen
from tests.exhibit_samples import Made, make_exhibit
from tests.formats_samples import NOW, SERIAL

MARKUP = "</td><script>alert(1)</script><img src=x onerror=alert(1)><!--"
PATIENCE_S = 60.0
"""Of the processor for eight notes in two languages: six times what they take; where each costs its square, 130."""
FORBIDDEN = re.compile(r"\b(genuine|authentic|guilty|score|suspect|criminal|strong|weak|rejected)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_exhibit(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def folder(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = made.write(tmp_path_factory.mktemp("exhibit"))
    write_report(made.exhibit, written)
    return written


class _Seen(HTMLParser):
    """Elements, their attributes and all text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def words(page: str) -> str:
    """What somebody reads, blanks made one."""
    return " ".join(_Seen(page).text.split())


def page_of(exhibit: Exhibit, language: str = "en") -> str:
    pictures = {entry.picture: b"\xff\xd8\xff" for entry in exhibit.related if entry.picture}
    return report_page(exhibit, language, pictures)


def keys(table: dict[str, Any], above: str = "") -> dict[str, set[str]]:
    """Every key of a catalogue with the names that its sentence fills in."""
    found: dict[str, set[str]] = {}
    for key, value in table.items():
        path = f"{above}.{key}"
        found |= keys(value, path) if isinstance(value, dict) else {path: set(re.findall(r"\{(\w+)\}", value))}
    return found


@pytest.mark.parametrize("name", ["report", "verifier"])
def test_both_languages_have_the_same_sentences_with_the_same_names_to_fill_in(name: str) -> None:
    english, lao = (keys(read_words(f"{name}.{language}")) for language in LANGUAGES)
    assert english == lao


@pytest.mark.parametrize("name", ["report", "verifier"])
def test_every_lao_sentence_is_in_lao(name: str) -> None:
    flat = keys(read_words(f"{name}.lo"))
    table = read_words(f"{name}.lo")

    def at(path: str) -> str:
        found: Any = table
        for part in path.removeprefix(".").split("."):
            found = found[part]
        return str(found)

    bare = {path for path in flat if not re.search("[\u0e80-\u0eff]", at(path))}
    assert bare <= {".cosigned_words"}  # a name, an algorithm and a time


@pytest.mark.parametrize(
    ("table", "terms"),
    [
        ("check", CHECKS),
        ("answer", Answer),
        ("outcome", OutcomeKind),
        ("stage", Stage),
        ("basis", DocumentBasis),
        ("grade", Grade),
    ],
)
def test_every_term_that_a_record_may_hold_has_words(table: str, terms: Iterable[str]) -> None:
    assert set(read_words("report.en")[table]) >= set(terms)


def test_it_tells_in_order_what_was_read_found_decided_and_done(folder: Path) -> None:
    text = words((folder / "report.html").read_text())
    told = (
        f"Document {NUMBER}, issued by LAO: {NAME}, ",
        "The box asked for a person to look. What was done with the person: handed over.",
        "entry 3 of the log landlink.example/la-0001.1",
        "Made before 2026-10-27 12:50:00 UTC: a signature of headquarters proves it.",
        "Made after 2026-10-27 10:20:00 UTC",
        "A document was laid into the scanner. The box asked for a person to look.",
        "The possible match went from “possible match” to “headquarters asked”.",
        "handed over from officer 4471 to officer 4502",
        "What was done with the person: handed over.",
        NUMBER,
        "The document has expired.",
        "Possible match. Not confirmed.",
        "0.1.0",
        "Clerk of the court",
        "That what was recorded is right: a document can be false",
        "sha256sum --check SHA256SUMS",
    )
    at = 0
    for part in told:
        assert part in text[at:], part
        at = text.index(part, at)


def test_the_lao_report_says_the_same(folder: Path) -> None:
    text = words((folder / "report.lo.html").read_text())
    for part in ("ບົດລາຍງານກ່ຽວກັບບັນທຶກໜຶ່ງ", "ອາດກົງກັນ. ຍັງບໍ່ໄດ້ຢືນຢັນ.", "ສິ່ງທີ່ມັນບໍ່ໄດ້ພິສູດ", "ມອບໃຫ້ເຈົ້າໜ້າທີ່ອື່ນ", NUMBER):
        assert part in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_judges_nobody(made: Made, language: str) -> None:
    assert FORBIDDEN.findall(words(page_of(made.exhibit, language))) == []


def with_step(exhibit: Exhibit, now: str) -> Exhibit:
    """The same, but the recorded step of the hit's life leads there."""

    def changed(entry: EntryFacts) -> EntryFacts:
        if entry.kind != "transition" or entry.record is None:
            return entry
        return replace(entry, record={**entry.record, "body": {**entry.record["body"], "now": now}})

    return replace(exhibit, related=tuple(map(changed, exhibit.related)))


def test_a_hit_is_a_possible_match_until_the_record_says_that_it_was_confirmed(made: Made) -> None:
    assert "Match, confirmed by headquarters" not in words(page_of(made.exhibit))
    assert "Match, confirmed by headquarters" in words(page_of(with_step(made.exhibit, "confirmed")))
    assert "Headquarters did not confirm it." in words(page_of(with_step(made.exhibit, "not confirmed")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_markup_in_a_name_a_note_or_a_case_stays_text(tmp_path: Path, language: str) -> None:
    made = make_exhibit(tmp_path, Chosen(note=MARKUP, case=MARKUP))
    assert made.exhibit.entry is not None
    assert made.exhibit.entry.record is not None
    body = made.exhibit.entry.record["body"]
    document = {**body["document"], "primary_identifier": MARKUP, "mrz": [MARKUP]}
    record = {**made.exhibit.entry.record, "body": {**body, "document": document}}
    hostile = replace(made.exhibit, entry=replace(made.exhibit.entry, record=record), made_by=MARKUP)
    seen = _Seen(page_of(hostile, language))
    assert [tag for tag, _ in seen.tags if tag in {"script", "iframe", "object", "link", "a", "form"}] == []
    assert [attributes["src"] for tag, attributes in seen.tags if tag == "img"] == ["data:image/jpeg;base64,/9j/"]
    assert not any(name.startswith("on") or name == "style" for _, attributes in seen.tags for name in attributes)
    assert seen.text.count(MARKUP) >= 5


def test_the_page_may_load_nothing(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    policy = next(dict(a)["content"] for _, a in _Seen(page).tags if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith(
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'sha256-"
    )
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_what_a_redacted_copy_lacks_is_said_to_be_removed(made: Made) -> None:
    entry = made.exhibit.entry
    assert entry is not None
    assert entry.record is not None
    body = entry.record["body"]
    document = {**body["document"], "primary_identifier": None, "document_number": None, "mrz": None}
    removed = (
        "body.document.primary_identifier",
        "body.document.document_number",
        "body.document.mrz",
        "body.findings.reason",  # of each finding: items are named by their list
        "body.findings.evidence",
        "body.screening.hits",
    )
    findings = [{**finding, "reason": None, "evidence": None} for finding in body["findings"]]
    shown = {**body, "document": document, "findings": findings, "screening": {**body["screening"], "hits": None}}
    record = {**entry.record, "body": shown}
    exhibit = replace(made.exhibit, redacted=True, related=(), entry=replace(entry, record=record, redacted=removed))
    page = page_of(exhibit)
    text = words(page)
    assert "REDACTED COPY" in text
    assert "Document number removed" in text
    assert "Primary identifier (family name) removed" in text
    assert "Day of expiry does not hold removed" in text
    assert NUMBER not in page
    assert NAME not in page
    assert "No entry of the lists that were searched concerns" not in text  # hits were removed, which says nothing
    assert "record.cbor" not in page


def negative(made: Made, **changes: Any) -> Exhibit:  # noqa: ANN401 - fields of Nothing
    asked = Nothing(
        from_ms=NOW.wall_ms,
        to_ms=NOW.wall_ms + 86_400_000,
        number=NUMBER,
        first=7,
        end=12,
        before=2,
        entries={"sealed": 2, "event": 3},
        opened={"screened": 1, "canary": 1},
        awaited=(),
        found=0,
        unproven=(Unproven(from_ms=NOW.wall_ms, to_ms=None, first=7, last=8, why="no trusted clock in this boot"),),
    )
    return replace(made.exhibit, kind="none", entry=None, related=(), in_force=None, nothing=replace(asked, **changes))


def test_a_negative_exhibit_says_what_was_not_recorded_and_what_is_not_proven(made: Made) -> None:
    text = words(page_of(negative(made)))
    assert f"no crossing with the document {NUMBER} is recorded in the log of the box {SERIAL}" in text
    assert "entries 7 to 11 of the log, 5 in all" in text
    assert "no trusted clock in this boot" in text
    assert "A person can have crossed without being recorded" in text
    assert "no crossing is recorded" in words(page_of(negative(made, number="")))
    assert "ບໍ່ມີການຜ່ານແດນດ້ວຍເອກະສານ" in words(page_of(negative(made), "lo"))


def test_a_negative_exhibit_that_found_something_says_so(made: Made) -> None:
    text = words(page_of(negative(made, found=2)))
    assert "2 records answer the question" in text
    assert "no crossing with the document" not in text


def test_an_entry_that_was_not_opened_is_told_with_its_reason(made: Made) -> None:
    entry = made.exhibit.entry
    assert entry is not None
    closed = replace(entry, record=None, kind="", record_id="", why_closed="its body was erased on 3 November")
    text = words(page_of(replace(made.exhibit, entry=closed, related=())))
    assert "The content is not here: its body was erased on 3 November" in text


def test_a_picture_that_is_no_picture_is_not_shown_and_keeps_nobody_from_the_report(made: Made, tmp_path: Path) -> None:
    written = Made(made.exhibit, {**made.files, "evidence/entries/2/picture.jpg": b"<svg/>"}).write(tmp_path)
    write_report(made.exhibit, written)
    page = (written / "report.html").read_text()
    assert "entry 2 of the log has as its picture is no image" in words(page)
    assert "It lies in evidence/entries/2/picture.jpg as it was recorded" in words(page)
    assert "<img" not in page


def test_the_longest_words_that_a_booth_can_record_do_not_hold_up_the_report(made: Made, tmp_path: Path) -> None:
    outcome = next(each for each in made.exhibit.related if each.kind == "outcome")
    assert outcome.record is not None
    said = outcome.record["body"] | {"note": "W" * 2_000}
    wordy = replace(outcome, record=outcome.record | {"body": said})
    written, before = made.write(tmp_path), time.process_time()
    write_report(replace(made.exhibit, related=(*made.exhibit.related, *[wordy] * 8)), written)
    if not (written / "report.pdf").exists():
        pytest.skip("needs Debian's libpangoft2-1.0-0")
    assert time.process_time() - before < PATIENCE_S


def test_what_each_exhibit_was_asked_for_costs_the_later_ones_no_square_of_its_length(
    made: Made, tmp_path: Path
) -> None:
    custody = made.exhibit.custody
    wordy = replace(custody.entries[-1], why="W" * 2_000, by="W" * 256)
    took: list[float] = []
    for number, acts in enumerate((custody.entries, (*custody.entries, *[wordy] * 4))):
        written, before = made.write(tmp_path / str(number)), time.process_time()
        write_report(replace(made.exhibit, custody=replace(custody, entries=acts)), written)
        took.append(time.process_time() - before)
        if not (written / "report.pdf").exists():
            pytest.skip("needs Debian's libpangoft2-1.0-0")
    assert took[1] < 10 * took[0], "twice as much as without these words; where each costs its square, 40 times"


@pytest.mark.interop
def test_the_pdf_has_the_key_sentences_of_its_language_and_its_fonts_inside(folder: Path) -> None:
    if shutil.which("pdftotext") is None or not (folder / "report.pdf").exists():
        pytest.skip("needs Debian's poppler-utils and libpangoft2-1.0-0")
    said = {"report": ("Report on one record", NUMBER), "report.lo": ("ບົດລາຍງານກ່ຽວກັບບັນທຶກໜຶ່ງ", "ລາຍການທີ 3", NUMBER)}
    for name, parts in said.items():
        path = folder / f"{name}.pdf"
        text = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
        assert [part for part in parts if part not in text] == []
        fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
        assert fonts
        assert all(" yes " in line for line in fonts), "each font is embedded"
        assert name == "report" or any("Lao" in line for line in fonts)


def test_before_is_never_shown_earlier_than_it_is_proven(made: Made) -> None:
    story = Story(made.exhibit, read_words("report.en"))
    shown = [story.latest(ms) for ms in (1_000, 1_001, 1_999, 2_000)]
    assert shown == [f"1970-01-01 00:00:0{second} UTC" for second in (1, 2, 2, 2)]
