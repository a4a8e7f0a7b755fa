"""landlink-hq policy: a file's faults by line, the number that counts up, and trials that name nobody."""

import json
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from appliance.clock import Grade
from appliance.decide import decide
from appliance.errors import Malformed, NoInput, Refused
from appliance.examine.findings import EXPIRY
from appliance.formats.rules import DEFAULT_RULES, HitRule, Rules
from appliance.judged import Answer, Band, Clear, Finding, Hit, Screening
from appliance.model import Mode
from provisioning.audit.opened.carrier_checks import CARRIER_CHECK
from provisioning.audit.opened.lines import LINE_BYTES_MAX
from provisioning.audit.opened.records import RecordLine
from provisioning.policy.change import next_rules, without_defaults
from provisioning.policy.recorded_cases import opened_cases
from provisioning.policy.rules_file import line_of, parse_rules_file, read_rules_file
from provisioning.policy.trial import try_rules
from tests.rules_world import SEARCHED, hit, rules
from tests.screen_world import instant, laid

TEXT = without_defaults(DEFAULT_RULES)
EXPIRED = Finding(check=EXPIRY.id, answer=Answer.FAILED, reason="It expired.")
HUSH_PERSONS = rules(HitRule(action="note", list_name="persons"), HitRule(action="refer"))


def line(
    *hits: Hit, record_id: str = "0" * 32, findings: tuple[Finding, ...] = (), spared: tuple[str, ...] = ()
) -> RecordLine:
    """A record as a box with the rules that ship made it."""
    document = laid()
    decision = decide(
        document, findings, Screening(lists=SEARCHED, hits=hits), duty_telephone="1191", spared=frozenset(spared)
    )
    return RecordLine(
        origin="landlink.example/la-0001.1",
        index=7,
        record_id=record_id,
        mode=Mode.LIVE,
        at="2026-11-15T00:00:00.000Z",
        clock=instant(grade=Grade.NETWORK),
        crossing=None,
        person=None,
        laid=1,
        source="scanner",
        device="elyctis",
        mrz="",
        raw_mrz="",
        raw_sha256="00" * 32,
        document=document,
        findings=findings,
        lists=SEARCHED,
        hits=hits,
        decision=decision,
        spared=spared,
    )


LINES = [
    line(record_id="0" * 31 + "1"),
    line(hit(), record_id="0" * 31 + "2"),
    line(hit(band=Band.POSSIBLE), record_id="0" * 31 + "3"),
    line(hit(band=Band.WEAK), record_id="0" * 31 + "4"),
    line(hit("documents", Band.EXACT_DOCUMENT), record_id="0" * 31 + "5"),
    line(findings=(EXPIRED,), record_id="0" * 31 + "6"),
]


def test_the_rules_that_made_the_records_change_nothing() -> None:
    trial = try_rules(DEFAULT_RULES, LINES)
    assert dict(trial.was) == dict(trial.now) == {"clear": 1, "alert": 2, "refer": 2, "note": 1}
    assert (trial.changes, trial.passes, trial.records) == ([], [], 6)


def test_what_would_change_is_named_by_identifier_and_reason_and_nothing_else() -> None:
    trial = try_rules(HUSH_PERSONS, LINES)
    assert [(change.record_id[-1], change.was, change.now, change.why) for change in trial.changes] == [
        ("2", "alert", "note", "no longer possible person"),
        ("3", "refer", "note", "no longer possible person"),
        ("5", "alert", "refer", "for the same reasons"),
    ]
    assert [change.record_id[-1] for change in trial.passes] == ["2", "3"]
    said = msgspec.json.encode(trial).decode().upper()
    document = laid()
    for personal in (document.primary_identifier, document.secondary_identifier, document.document_number, "1978"):
        assert personal not in said


def test_rules_that_refer_more_are_no_passes() -> None:
    trial = try_rules(rules(HitRule(action="alert")), LINES)
    assert [(change.record_id[-1], change.was, change.now) for change in trial.changes] == [
        ("3", "refer", "alert"),
        ("4", "note", "alert"),
    ]
    assert trial.passes == []


def test_who_was_spared_at_the_box_is_spared_in_the_trial() -> None:
    spared = line(hit(), spared=("E-1",))
    assert isinstance(spared.decision, Clear)
    trial = try_rules(rules(HitRule(action="alert")), [spared])
    assert (dict(trial.now), trial.changes) == ({"note": 1}, [])


def test_a_finding_that_would_only_be_noted_would_pass() -> None:
    trial = try_rules(rules(*DEFAULT_RULES.hits, findings={EXPIRY.id: "note"}), LINES)
    assert [(change.record_id[-1], change.now, change.why) for change in trial.passes] == [
        ("6", "note", "no longer expired")
    ]


# --- cases --------------------------------------------------------------------------------------------------------


def write(folder: Path, *lines: RecordLine, name: str = "opened.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in lines))
    return path


def test_cases_come_from_a_file_or_a_folder_as_open_wrote_them(tmp_path: Path) -> None:
    path = write(tmp_path, *LINES)
    assert list(opened_cases(path)) == LINES
    assert list(opened_cases(tmp_path)) == LINES
    path.rename(tmp_path / "b.jsonl")
    write(tmp_path, LINES[0], name="a.jsonl")
    assert list(opened_cases(tmp_path)) == [LINES[0], *LINES]


def test_what_a_carrier_asked_is_no_case_and_empty_lines_are_none(tmp_path: Path) -> None:
    path = write(tmp_path, LINES[0])
    path.write_bytes(b"\n" + json.dumps({"kind": CARRIER_CHECK, "call": True}).encode() + b"\n" + path.read_bytes())
    assert list(opened_cases(path)) == [LINES[0]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{}\n", "line 2: no record of `landlink-hq open`"),
        (b'{"kind": 1}\n', "line 2: no record"),
        (b"PHOMMASACK\n", "line 2: no record"),
        (b"\xff\n", "line 2: no record"),
        (b" " * LINE_BYTES_MAX + b"x\n", f"line 2: more than {LINE_BYTES_MAX} bytes"),
        (b"[" * 100_000, "line 2: no record"),
    ],
)
def test_a_line_that_is_no_record_is_named_and_not_quoted(tmp_path: Path, data: bytes, words: str) -> None:
    path = write(tmp_path, LINES[0])
    path.write_bytes(path.read_bytes() + data)
    with pytest.raises(Malformed, match=words) as refused:
        list(opened_cases(path))
    assert "PHOMMASACK" not in str(refused.value)


def test_a_folder_without_cases_says_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(NoInput, match="landlink-hq open --out"):
        list(opened_cases(tmp_path))
    with pytest.raises(NoInput, match="No such file"):
        list(opened_cases(tmp_path / "nowhere.jsonl"))


# --- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"action": "note"', '"action": "hush"', r"line 21, hits\[3\].action: Invalid enum value .hush."),
        ('"band": "strong"', '"bound": "strong"', r"line 10, hits\[1\]: Object contains unknown field `bound`"),
        ('"expiry": "refer"', '"expirey": "refer"', r"findings: no check is called 'expirey'; there are check_digits,"),
        ('"wait_minutes": 60', '"wait_minutes": "60"', r"confirmations\[1\].wait_minutes: Expected `int`"),
        ('"version": 1,', '"version": 1', "line 4: no JSON: Expecting ',' delimiter"),
        ('"remark_h": 48', '"remark_h": 480', r"list_ages\[0\]: an alarm comes after its remark"),
        ('"title"', '"titel"', "line 1: Object missing required field `title`|unknown field `titel`"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_line(old: str, new: str, words: str) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    with pytest.raises(Malformed, match=words) as refused:
        parse_rules_file(text.encode(), name="mine.json")
    named = int(str(refused.value).partition(" line ")[2].partition(":")[0].partition(",")[0])
    changed = text[: text.index(new)].count("\n") + 1
    assert str(refused.value).startswith("mine.json line ")
    assert named <= changed + 1


@pytest.mark.parametrize(
    ("place", "line_number"),
    [("", 1), ("a", 2), ("b", 3), ("b[0]", 4), ("b[1].c", 6), ("b[9]", 3), ("z", 1), ("b[1].z", 5)],
)
def test_the_line_of_a_place(place: str, line_number: int) -> None:
    text = '{\n"a": 1,\n"b": [\n"]}",\n{\n"c": 2}\n]\n}'
    assert line_of(text, place) == line_number


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoInput, match="No such file"):
        read_rules_file(tmp_path / "rules.json")
    (tmp_path / "rules.json").write_text(TEXT, encoding="utf-8")
    assert read_rules_file(tmp_path / "rules.json") == DEFAULT_RULES


def test_what_show_prints_is_read_back_whole() -> None:
    """A rule for hits without a notice keeps its empty colour: left out, it would be a rule for all of them."""
    of_none = rules(HitRule(action="refer", list_name="persons", notice=""), HitRule(action="alert"))
    for each in (DEFAULT_RULES, of_none, structs.replace(of_none, title="", carrier_telephone="1")):
        assert parse_rules_file(without_defaults(each).encode(), name="f") == each


def test_the_next_rules_count_up_from_those_in_force_and_from_no_others() -> None:
    edited = structs.replace(HUSH_PERSONS, version=4)
    in_force = structs.replace(DEFAULT_RULES, version=4)
    after: Rules = next_rules(edited, in_force)
    assert (after.version, after.hits) == (5, HUSH_PERSONS.hits)
    with pytest.raises(Refused, match="somebody changed them meanwhile"):
        next_rules(edited, structs.replace(DEFAULT_RULES, version=5))
    with pytest.raises(Refused, match="nothing to publish"):
        next_rules(in_force, in_force)
