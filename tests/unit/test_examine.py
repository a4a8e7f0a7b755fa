"""Each finding: what makes it fail, what only makes it a notice, and what a clock can and cannot say."""

from datetime import UTC, datetime

import pytest

from appliance.clock import Grade, Instant
from appliance.examine.examine import EXAMINERS, examine
from appliance.examine.findings import CHECKS
from appliance.judged import Answer, Finding
from appliance.model import CameraReading, Mode, MrzReading, ZoneGeometry
from appliance.parse.mrz import parse_mrz
from provisioning.bench.mrz_writer import MrzFields, write_td1, write_td3

READING = MrzReading(device="elyctis", lines=(), raw_sha256=bytes(32))
FORBIDDEN = ("MRZ", "epoch", "checkpoint", "parked", "inconclusive", "weak", "strong", "score", "reject")


def at(day: str, *, grade: Grade = Grade.NETWORK, proven: str = "2026-10-26") -> Instant:
    """Noon of a day, by a clock of this grade."""

    def milliseconds(text: str) -> int:
        return int(datetime.fromisoformat(f"{text}T12:00:00").replace(tzinfo=UTC).timestamp() * 1000)

    return Instant(
        wall_ms=milliseconds(day), grade=grade, lower_bound_ms=milliseconds(proven), boot_id="0" * 32, boot_ms=1
    )


def holder(**fields: str) -> MrzFields:
    """A synthetic holder of a Lao passport, with these fields instead."""
    given = {
        "document_code": "P",
        "issuing_state": "LAO",
        "document_number": "PA0483725",
        "nationality": "LAO",
        "date_of_birth": "870605",
        "sex": "F",
        "date_of_expiry": "310131",
        "primary_identifier": "PHOMMASAN",
        "secondary_identifier": "BOUNMY",
    }
    return MrzFields(**{**given, **fields})


def answers(lines: tuple[str, ...], now: Instant, *, mode: Mode = Mode.LIVE) -> dict[str, Finding]:
    camera = CameraReading(
        lines=lines,
        raw=lines,
        percent=bytes([99]) * len("".join(lines)),
        doubt=False,
        geometry=ZoneGeometry(pixels=230, height=1_083, spacing=(2_500,) * (len(lines) - 1), aside=10),
    )
    found = examine(parse_mrz(lines, now), READING, now, mode=mode, camera=camera)
    return {finding.check: finding for finding in found}


def ask(check: str, now: Instant | None = None, *, mode: Mode = Mode.LIVE, **fields: str) -> Finding:
    """The answer of one check for such a passport."""
    return answers(write_td3(holder(**fields)), now or at("2026-11-21"), mode=mode)[check]


def put(lines: tuple[str, ...], line: int, column: int, text: str) -> tuple[str, ...]:
    changed = list(lines)
    changed[line] = changed[line][:column] + text + changed[line][column + len(text) :]
    return tuple(changed)


def test_an_ordinary_passport_passes_every_check() -> None:
    found = answers(write_td3(holder()), at("2026-11-21"))
    assert list(found) == list(CHECKS) == list(EXAMINERS)
    assert {finding.answer for finding in found.values()} == {Answer.PASSED, Answer.NOT_APPLICABLE}
    without_a_source = {check for check, finding in found.items() if finding.answer is Answer.NOT_APPLICABLE}
    assert without_a_source == {"number_form", "national_number", "sure_reading", "infrared"}


# --- check digits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "words"),
    [(9, "document number"), (19, "date of birth"), (27, "date of expiry"), (42, "personal number")],
)
def test_each_wrong_check_digit_fails_by_name_and_takes_the_composite_with_it(column: int, words: str) -> None:
    lines = write_td3(holder(optional_data="ZE184226B"))
    wrong = str((int(lines[1][column]) + 1) % 10)
    found = answers(put(lines, 1, column, wrong), at("2026-11-21"))["check_digits"]
    assert found.answer is Answer.FAILED
    assert "read otherwise" in found.reason or (words in found.reason and "whole line" in found.reason)


def test_td3_with_swapped_digits_fails_composite_check_digit() -> None:
    lines = write_td3(holder())
    composite = str((int(lines[1][43]) + 1) % 10)
    found = answers(put(lines, 1, 43, composite), at("2026-11-21"))["check_digits"]
    assert found.answer is Answer.FAILED
    assert found.reason == "Check digits do not agree: whole line."
    assert f"composite: printed {composite}, computed {lines[1][43]}" in found.evidence


def test_a_digit_changed_so_that_its_look_alike_agrees_fails_and_is_shown() -> None:
    """A forger's 6 for an 8 in the date of birth is not repaired away: it is what the officer must look at."""
    lines = write_td3(holder(date_of_birth="740812"))
    found = answers(put(lines, 1, 16, "6"), at("2026-11-21"))["check_digits"]
    assert found.answer is Answer.FAILED
    assert "misread, or changed" in found.reason
    assert found.evidence[0] == "line 2, place 17: read 6, taken as 8"


def test_a_letter_read_for_a_digit_is_a_notice_and_fails_nothing() -> None:
    lines = write_td3(holder(date_of_birth="880605"))
    found = answers(put(lines, 1, 13, "BB"), at("2026-11-21"))
    assert found["check_digits"].answer is Answer.PASSED
    assert found["repaired_characters"].answer is Answer.INCONCLUSIVE
    assert found["repaired_characters"].evidence == (
        "line 2, place 14: read B, taken as 8",
        "line 2, place 15: read B, taken as 8",
    )


# --- expiry -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expiry", "grade", "answer"),
    [
        ("261121", Grade.NETWORK, Answer.PASSED),  # valid through its last day
        ("261120", Grade.NETWORK, Answer.FAILED),
        ("261120", Grade.RTC, Answer.FAILED),
        ("261120", Grade.NONE, Answer.INCONCLUSIVE),  # after what is proven, and nobody vouches for the rest
        ("261026", Grade.NONE, Answer.INCONCLUSIVE),
        ("261025", Grade.NONE, Answer.FAILED),  # before the proven lower bound, whatever the clock says
        ("310131", Grade.NONE, Answer.INCONCLUSIVE),
        ("310230", Grade.NETWORK, Answer.FAILED),  # 30 February
        ("<<<<<<", Grade.NETWORK, Answer.INCONCLUSIVE),
    ],
)
def test_expiry_by_what_is_proven_and_by_who_vouches_for_the_clock(expiry: str, grade: Grade, answer: Answer) -> None:
    found = ask("expiry", at("2026-11-21", grade=grade), date_of_expiry=expiry)
    assert found.answer is answer


def test_a_clock_behind_what_is_proven_is_not_believed() -> None:
    slow = at("2020-01-01", grade=Grade.RTC)
    assert ask("expiry", slow, date_of_expiry="250101").answer is Answer.FAILED
    assert ask("expiry", slow, date_of_expiry="310131").answer is Answer.INCONCLUSIVE


def test_a_clock_far_ahead_that_nobody_vouches_for_expires_nothing() -> None:
    assert ask("expiry", at("2060-01-01", grade=Grade.NONE)).answer is Answer.INCONCLUSIVE


def test_the_old_french_card_prints_no_expiry() -> None:
    card = ("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6")
    found = answers(card, at("2026-11-21"))
    assert found["expiry"].answer is Answer.NOT_APPLICABLE
    assert not any(finding.answer is Answer.FAILED for finding in found.values())


# --- date of birth ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("born", ["<<<<<<", "74<<<<", "7408<<"])
def test_unknown_and_partial_birth_dates_refer_nobody(born: str) -> None:
    assert ask("date_of_birth", date_of_birth=born).answer in (Answer.NOT_APPLICABLE, Answer.PASSED)


def test_a_birth_that_is_no_day_fails() -> None:
    assert ask("date_of_birth", date_of_birth="741301").answer is Answer.FAILED


def test_a_birth_after_the_expiry_fails() -> None:
    assert ask("date_of_birth", date_of_birth="260801", date_of_expiry="260731").answer is Answer.FAILED


# --- codes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "code", "answer"),
    [
        ("issuing_state", "QQQ", Answer.FAILED),
        ("issuing_state", "SUN", Answer.FAILED),
        ("issuing_state", "WSA", Answer.FAILED),
        ("issuing_state", "XXA", Answer.FAILED),
        ("issuing_state", "D", Answer.PASSED),
        ("issuing_state", "XPO", Answer.PASSED),
        ("issuing_state", "UTO", Answer.NOT_APPLICABLE),
        ("issuing_state", "", Answer.FAILED),
        ("nationality", "QQQ", Answer.FAILED),
        ("nationality", "WSA", Answer.FAILED),
        ("nationality", "SUN", Answer.INCONCLUSIVE),
        ("nationality", "XXA", Answer.PASSED),
        ("nationality", "GBN", Answer.PASSED),
        ("nationality", "", Answer.INCONCLUSIVE),
    ],
)
def test_codes(check: str, code: str, answer: Answer) -> None:
    found = ask(check, **{check: code})
    assert found.answer is answer


@pytest.mark.parametrize("place", ["issuing_state", "nationality"])
def test_a_specimen_fails_in_the_real_lane_and_passes_in_training(place: str) -> None:
    assert ask("specimen", **{place: "UTO"}).answer is Answer.FAILED
    assert ask("specimen", mode=Mode.TRAINING, **{place: "UTO"}).answer is Answer.PASSED


def test_no_existing_nationality_is_answered_otherwise_than_another() -> None:
    """I6: no profiling by nationality."""
    seen = {
        tuple(
            (finding.check, finding.answer) for finding in answers(write_td3(holder(nationality=code)), NOON).values()
        )
        for code in ("LAO", "MMR", "CHN", "AFG", "PRK", "USA", "D", "XXA", "XXB", "PSE")
    }
    assert len(seen) == 1


NOON = at("2026-11-21")

# --- printed lines ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "column", "text", "answer"),
    [
        (1, 20, "H", Answer.FAILED),
        (1, 20, "X", Answer.INCONCLUSIVE),
        (0, 2, "L<O", Answer.FAILED),
        (0, 5, "<", Answer.FAILED),
        (0, 0, "A", Answer.INCONCLUSIVE),
        (1, 10, "L7O", Answer.FAILED),
    ],
)
def test_rules_of_the_printed_lines(line: int, column: int, text: str, answer: Answer) -> None:
    found = answers(put(write_td3(holder()), line, column, text), NOON)["printed_lines"]
    assert found.answer is answer


def test_an_identity_card_with_a_long_number_passes_every_check() -> None:
    card = write_td1(holder(document_code="I", document_number="KHM0123456789"))
    given = {check: finding.answer for check, finding in answers(card, NOON).items()}
    without = ("validity", "number_form", "national_number", "sure_reading", "infrared")
    assert {given.pop(check) for check in without} == {Answer.NOT_APPLICABLE}
    assert set(given.values()) == {Answer.PASSED}


def test_the_words_are_the_officers() -> None:
    """No forbidden word in any declaration, nor in the findings of a document with everything wrong."""
    said = [check.asks for check in CHECKS.values()]
    broken = put(put(write_td3(holder(issuing_state="QQQ", nationality="SUN", sex="<")), 1, 20, "H"), 1, 27, "<")
    said += [finding.reason for finding in answers(broken, at("2026-11-21", grade=Grade.NONE)).values()]
    assert [word for word in FORBIDDEN for text in said if word.lower() in text.lower()] == []
    assert all(check.asks.endswith("?") and check.source for check in CHECKS.values())
