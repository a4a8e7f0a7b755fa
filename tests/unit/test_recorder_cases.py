"""Open cases under keys of their own (I2): what is there, what is gone, and when."""

import contextlib
from datetime import date
from pathlib import Path

import pytest
from msgspec import structs

from appliance.clock import Grade, Instant
from appliance.errors import Malformed
from appliance.formats.cbor import pack
from appliance.formats.wire import CASE_BYTES_MAX, CASES_MAX, MESSAGE_BYTES_MAX, Case, Cases
from appliance.judged import Band, FieldVerdict, Hit, WordPair
from appliance.record.cases import CASE_MS_MAX, OUTSTANDING_MAX, OUTSTANDING_MS_MAX, SPARE_KEYS, CaseStore, age_ms
from appliance.record.journal import Frame, SealedCase
from appliance.record.open_case import OpenCase
from appliance.recorded import Crossing, Direction, DocumentBasis, Person, Stage


def instant(wall_ms: int = 0, *, boot_id: str = "0" * 32, boot_ms: int = 0, lower_bound_ms: int = 0) -> Instant:
    return Instant(wall_ms=wall_ms, grade=Grade.NONE, lower_bound_ms=lower_bound_ms, boot_id=boot_id, boot_ms=boot_ms)


def case(number: int) -> Case:
    return Case(
        of=f"{number:032x}",
        crossing=Crossing(id=f"{1:032x}", direction=Direction.ENTRY, lane="1"),
        person=Person(id=f"{2:032x}", number=1, document_basis=DocumentBasis.PASSPORT),
        refers=True,
        title=f"SYNTHETIC HOLDER {number}",
        reasons=("The document is listed.",),
        next_step="Telephone the duty officer.",
        opened_ms=number,
    )


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("cases", "case-keys"):
        (tmp_path / name).mkdir()
    return tmp_path / "cases", tmp_path / "case-keys"


def store(folders: tuple[Path, Path]) -> CaseStore:
    made = CaseStore(*folders)
    made.load()
    while made.refill():
        pass
    return made


def hit() -> Hit:
    return Hit(
        list_name="persons",
        list_version=1,
        list_date=date(2026, 11, 3),
        entry="QDi.000",
        source="UN Security Council",
        band=Band.STRONG,
        matcher="1",
        fields=(),
        instruction="",
    )


def match(number: int) -> OpenCase:
    return OpenCase(case=structs.replace(case(number), hits=(hit(),)))


def opened(cases: CaseStore, number: int, content: OpenCase | None = None) -> SealedCase:
    content = content or OpenCase(case=case(number))
    sealed = cases.seal(content, instant(number))
    cases.became(content, sealed)
    cases.write(sealed)
    return sealed


def test_a_written_case_is_there_again_after_a_start(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    opened(cases, 1)
    opened(cases, 2)
    assert store(folders).page(0) == (case(2), case(1))


def test_each_case_has_a_key_of_its_own_and_spare_ones_are_made_ahead(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    sealed = [opened(cases, 1), cases.seal(OpenCase(case=case(2)), instant())]
    assert sealed[0].key != sealed[1].key
    assert len(list(folders[1].iterdir())) == SPARE_KEYS


def test_a_closed_case_leaves_neither_key_nor_ciphertext(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    sealed = opened(cases, 1)
    path = cases.write(sealed)
    cases.closed(case(1).of)
    assert cases.page(0) == ()
    cases.destroy(case(1).of)
    assert path is not None
    assert not path.exists()
    assert not (folders[1] / f"{sealed.key}.key").exists()


def test_a_frame_that_is_published_again_after_its_case_ended_brings_nothing_back(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    sealed = opened(cases, 1)
    cases.destroy(case(1).of)
    again = store(folders)
    assert again.write(sealed) is None
    assert again.page(0) == ()
    again.destroy(case(1).of)


def test_a_case_file_torn_by_a_power_cut_is_written_again_from_the_journal(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    sealed = opened(cases, 1)
    path = folders[0] / f"{case(1).of}.case"
    path.write_bytes(path.read_bytes()[:20])
    assert store(folders).page(0) == ()
    frame = Frame(index=0, leaf=b"", checkpoint=b"", opens=sealed)
    again = CaseStore(*folders)
    again.load([frame])
    assert again.page(0) == (case(1),)
    again.write(sealed)
    assert store(folders).page(0) == (case(1),)


def test_a_case_that_is_too_old_or_one_too_many_is_overdue(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    opened(cases, 1)
    assert cases.overdue(instant(boot_ms=CASE_MS_MAX)) is None
    assert cases.overdue(instant(boot_ms=CASE_MS_MAX + 1)) == case(1).of
    for number in range(2, CASES_MAX + 2):
        opened(cases, number)
    assert cases.overdue(instant()) == case(1).of


def test_a_possible_match_outlives_other_cases_and_no_update_makes_its_life_longer(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    opened(cases, 1, match(1))
    assert cases.overdue(instant(boot_ms=OUTSTANDING_MS_MAX)) is None
    asked = structs.replace(match(1).case, stage=Stage.CONFIRMATION_REQUESTED, last=f"{9:032x}")
    later = OpenCase(case=asked)
    cases.became(later, cases.reseal(later))
    assert cases.overdue(instant(boot_ms=OUTSTANDING_MS_MAX)) is None
    assert cases.overdue(instant(boot_ms=OUTSTANDING_MS_MAX + 1)) == case(1).of
    ruled_out = OpenCase(case=structs.replace(asked, stage=Stage.NOT_SAME))
    cases.became(ruled_out, cases.reseal(ruled_out))
    assert cases.overdue(instant(boot_ms=CASE_MS_MAX + 1)) == case(1).of


def test_of_too_many_cases_possible_matches_go_last_but_leave_room_for_the_lane(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    for number in range(1, CASES_MAX + 1):
        opened(cases, number, match(number) if number <= OUTSTANDING_MAX else None)
    opened(cases, 99)
    assert cases.overdue(instant()) == case(OUTSTANDING_MAX + 1).of
    cases.closed(case(OUTSTANDING_MAX + 1).of)
    assert cases.overdue(instant()) is None
    opened(cases, 100, match(100))
    assert cases.overdue(instant()) == case(1).of


def test_all_open_cases_come_in_pages_however_long_they_are(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    long = structs.replace(hit(), instruction="x" * 2_000)
    for number in range(CASES_MAX):
        opened(cases, number, OpenCase(case=structs.replace(case(number), hits=(long,) * 4)))
    seen: list[Case] = []
    while page := cases.page(len(seen)):
        assert len(pack(Cases(cases=page))) <= MESSAGE_BYTES_MAX
        seen.extend(page)
    assert [one.of for one in seen] == [case(number).of for number in reversed(range(CASES_MAX))]


def test_a_case_that_would_not_fit_a_message_is_refused(folders: tuple[Path, Path]) -> None:
    words = tuple(WordPair(traveller="x" * 256, listed="x" * 256, verdict="equal") for _ in range(24))
    name = FieldVerdict(field="name", traveller="", listed="", verdict="equal", words=words)
    cases = store(folders)
    for fields, fits in ((2, True), (3, False)):
        content = OpenCase(case=structs.replace(case(1), hits=(structs.replace(hit(), fields=(name,) * fields),)))
        assert (len(pack(content.case)) <= CASE_BYTES_MAX) is fits
        with contextlib.nullcontext() if fits else pytest.raises(Malformed, match="at most 32768"):
            cases.seal(content, instant())


def test_each_state_of_a_case_has_the_same_key_and_another_nonce(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    first = opened(cases, 1, match(1))
    states = [cases.reseal(match(1)) for _ in range(20)]
    assert {one.key for one in states} == {first.key}
    assert {one.opened for one in states} == {first.opened}
    assert len({one.nonce for one in (first, *states)}) == 21
    assert len(list(folders[1].iterdir())) == SPARE_KEYS


def test_publishing_an_older_state_does_not_bring_it_back_in_memory(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    first = cases.seal(match(1), instant())
    cases.became(match(1), first)
    later = OpenCase(case=structs.replace(match(1).case, title="LATER"))
    second = cases.reseal(later)
    cases.became(later, second)
    cases.write(first)
    assert cases.find(case(1).of) == later
    cases.closed(case(1).of)
    cases.write(second)
    assert cases.find(case(1).of) is None


def test_age_is_by_the_boot_clock_within_a_boot_and_by_the_best_claim_across_boots() -> None:
    begun = instant(9_000, boot_ms=100)
    assert age_ms(begun, instant(1_000, boot_ms=350), outstanding=True) == 250
    assert age_ms(begun, instant(9_500, boot_id="1" * 32, boot_ms=5), outstanding=False) == 500
    assert age_ms(begun, instant(0, boot_id="1" * 32, lower_bound_ms=12_000), outstanding=False) == 3_000


@pytest.mark.parametrize(
    ("wall_ms", "grade", "lower_bound_ms", "closes"),
    [
        (2 * OUTSTANDING_MS_MAX, Grade.NONE, 0, False),
        (2 * OUTSTANDING_MS_MAX, Grade.NETWORK, 0, True),
        (2 * OUTSTANDING_MS_MAX, Grade.NETWORK, 3 * OUTSTANDING_MS_MAX, True),
        (0, Grade.NONE, 2 * OUTSTANDING_MS_MAX, True),
        (0, Grade.NONE, OUTSTANDING_MS_MAX, False),
    ],
    ids=["a leap that nobody vouches for", "vouched for", "vouched for and proven", "proven", "not long enough"],
)
def test_a_match_that_nobody_answered_is_closed_by_no_clock_that_leaps(
    folders: tuple[Path, Path], wall_ms: int, grade: Grade, lower_bound_ms: int, *, closes: bool
) -> None:
    cases, content = store(folders), match(1)
    cases.became(content, cases.seal(content, structs.replace(instant(1), grade=Grade.RTC)))
    now = structs.replace(instant(wall_ms, boot_id="1" * 32, boot_ms=5, lower_bound_ms=lower_bound_ms), grade=grade)
    assert (cases.overdue(now) == case(1).of) is closes


def test_a_match_opened_under_a_clock_of_1970_is_as_old_as_its_boots_show(folders: tuple[Path, Path]) -> None:
    """A box without a clock, then headquarters is reached: 56 years have not passed for the match."""
    cases, content = store(folders), match(1)
    cases.became(content, cases.seal(content, instant(0)))
    reached = instant(2 * OUTSTANDING_MS_MAX, boot_id="1" * 32, boot_ms=5, lower_bound_ms=2 * OUTSTANDING_MS_MAX)
    assert cases.overdue(structs.replace(reached, grade=Grade.NETWORK)) is None
    lasted = instant(boot_id="1" * 32, boot_ms=OUTSTANDING_MS_MAX + 1)
    assert cases.overdue(lasted) == case(1).of


@pytest.mark.parametrize("left", [bytes(32), b"", b"\x5a" * 31, b"\x5a" * 33])
def test_what_a_power_cut_left_of_a_destroyed_key_seals_no_other_case(folders: tuple[Path, Path], left: bytes) -> None:
    """It is overwritten first, and its name goes after that; nobody may be able to guess the next case's key."""
    cases = CaseStore(*folders)
    ended = opened(cases, 1)
    (folders[1] / f"{ended.key}.key").write_bytes(left)
    (folders[0] / f"{ended.of}.case").unlink()
    again = CaseStore(*folders)
    again.load()
    assert again.spare_wanted
    assert again.seal(OpenCase(case=case(2)), instant(2)).key != ended.key


def test_a_destroyed_key_is_overwritten_where_it_lay(folders: tuple[Path, Path], tmp_path: Path) -> None:
    cases = store(folders)
    opened(cases, 1)
    names = {path.name: tmp_path / f"held-{path.name}" for path in folders[1].iterdir()}
    for name, held in names.items():
        held.hardlink_to(folders[1] / name)  # the same blocks under another name
    cases.destroy(case(1).of)
    (gone,) = names.keys() - {path.name for path in folders[1].iterdir()}
    assert names[gone].read_bytes() == bytes(32)
