"""An open case as the recorder keeps it: answers that wait, codes that were wrong, and how long no code is heard."""

from msgspec import structs

from appliance.clock import Grade, Instant
from appliance.formats.cbor import pack
from appliance.formats.voice import Verdict
from appliance.formats.wire import ANSWERS_KEPT_MAX, CASE_BYTES_MAX, Answered, Case
from appliance.record.open_case import ANSWER_BYTES_MAX, OPEN_CASE_BYTES_MAX, OpenCase
from appliance.recorded import Crossing, Direction, DocumentBasis, Person

MINUTE_MS = 60_000


def instant(boot_ms: int, boot: str = "0") -> Instant:
    return Instant(wall_ms=0, grade=Grade.NONE, lower_bound_ms=0, boot_id=boot * 32, boot_ms=boot_ms)


CASE = Case(
    of="a" * 32,
    crossing=Crossing(id=f"{1:032x}", direction=Direction.ENTRY, lane="1"),
    person=Person(id=f"{2:032x}", number=1, document_basis=DocumentBasis.PASSPORT),
    refers=True,
    title="SYNTHETIC HOLDER",
    reasons=(),
    next_step="",
    opened_ms=0,
)
OPEN = OpenCase(case=CASE)


def answer(at_ms: int, words: str = "") -> Answered:
    digest = at_ms.to_bytes(32, "big")
    return Answered(of=CASE.of, verdict=Verdict.CONFIRMED, words=words, by="desk", at_ms=at_ms, digest=digest)


def locked(at: Instant) -> OpenCase:
    case = OPEN
    for _ in range(5):
        assert case.locked_ms(at) == 0
        case = case.heard(None, at)
    return case


def test_the_fifth_wrong_code_locks_for_ten_minutes_of_the_boot_clock() -> None:
    case = locked(instant(1_000))
    assert case.locked_ms(instant(1_000)) == 10 * MINUTE_MS
    assert case.locked_ms(instant(1_000 + 10 * MINUTE_MS - 1)) == 1
    assert case.locked_ms(instant(1_000 + 10 * MINUTE_MS)) == 0


def test_after_a_restart_of_the_box_the_ten_minutes_begin_again() -> None:
    case = locked(instant(99 * MINUTE_MS))
    assert case.locked_ms(instant(0, "1")) == 10 * MINUTE_MS
    assert case.locked_ms(instant(10 * MINUTE_MS, "1")) == 0


def test_after_a_lock_there_are_five_again_and_a_right_one_counts_anew() -> None:
    later = instant(20 * MINUTE_MS)
    case = locked(instant(0))
    for _ in range(4):
        case = case.heard(None, later)
        assert case.locked_ms(later) == 0
    assert case.heard(None, later).locked_ms(later) == 10 * MINUTE_MS
    right = case.heard(Verdict.CONFIRMED, later)
    assert (right.voiced, right.wrong) == (Verdict.CONFIRMED, 0)


def test_what_moved_a_case_waits_no_more_and_the_rest_does() -> None:
    case = OPEN.answered(answer(1)).answered(answer(2)).heard(Verdict.CONFIRMED, instant(0))
    later = structs.replace(CASE, title="LATER")
    assert case.became(later, answer=answer(1).digest).answers == (answer(2),)
    assert case.became(later, answer=answer(1).digest).voiced is Verdict.CONFIRMED
    assert case.became(later, by_voice=True).voiced is None
    assert case.became(later, by_voice=True).answers == (answer(1), answer(2))


def test_one_answer_twice_is_one_and_of_too_many_the_oldest_goes() -> None:
    case = OPEN
    for at_ms in (5, 3, 9, 1, 7, 9):
        case = case.answered(answer(at_ms))
    assert [one.at_ms for one in case.answers] == [3, 5, 7, 9]


def test_the_longest_answer_fits_its_bound_and_so_do_four_beside_the_longest_case() -> None:
    longest = structs.replace(answer(1, "\u0e81" * 2_000), by="\U0001f6c2" * 64)
    assert len(pack(longest)) <= ANSWER_BYTES_MAX
    assert CASE_BYTES_MAX + ANSWERS_KEPT_MAX * len(pack(longest)) + len(pack(OPEN)) <= OPEN_CASE_BYTES_MAX
