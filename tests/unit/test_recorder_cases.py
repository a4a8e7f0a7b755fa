"""Open cases under keys of their own (I2): what is there, what is gone, and when."""

from pathlib import Path

import pytest

from appliance.clock import Grade, Instant
from appliance.formats.wire import CASES_MAX, Case
from appliance.record.cases import CASE_MS_MAX, SPARE_KEYS, CaseStore, age_ms
from appliance.recorded import Crossing, Direction, DocumentBasis, Person


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


def opened(cases: CaseStore, number: int) -> None:
    sealed = cases.seal(case(number), instant())
    cases.opened(case(number), sealed)
    cases.write(sealed)


def test_a_written_case_is_there_again_after_a_start(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    opened(cases, 1)
    opened(cases, 2)
    assert store(folders).newest() == (case(2), case(1))


def test_each_case_has_a_key_of_its_own_and_spare_ones_are_made_ahead(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    sealed = [cases.seal(case(number), instant()) for number in (1,)]
    cases.opened(case(1), sealed[0])
    sealed.append(cases.seal(case(2), instant()))
    assert sealed[0].key != sealed[1].key
    assert len(list(folders[1].iterdir())) == SPARE_KEYS


def test_a_closed_case_leaves_neither_key_nor_ciphertext(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    sealed = cases.seal(case(1), instant())
    cases.opened(case(1), sealed)
    path = cases.write(sealed)
    cases.closed(case(1).of)
    assert cases.newest() == ()
    cases.destroy(case(1).of)
    assert path is not None
    assert not path.exists()
    assert not (folders[1] / f"{sealed.key}.key").exists()


def test_a_frame_that_is_published_again_after_its_case_ended_brings_nothing_back(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    sealed = cases.seal(case(1), instant())
    cases.write(sealed)
    cases.destroy(case(1).of)
    again = store(folders)
    assert again.write(sealed) is None
    assert again.newest() == ()
    again.destroy(case(1).of)


def test_a_case_file_torn_by_a_power_cut_is_written_again_from_the_journal(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    sealed = cases.seal(case(1), instant())
    path = cases.write(sealed)
    assert path is not None
    path.write_bytes(path.read_bytes()[:20])
    again = store(folders)
    assert again.newest() == ()
    again.write(sealed)
    assert again.newest() == (case(1),)


def test_a_case_that_is_too_old_or_one_too_many_is_overdue(folders: tuple[Path, Path]) -> None:
    cases = store(folders)
    opened(cases, 1)
    assert cases.overdue(instant(boot_ms=CASE_MS_MAX)) is None
    assert cases.overdue(instant(boot_ms=CASE_MS_MAX + 1)) == case(1).of
    for number in range(2, CASES_MAX + 2):
        opened(cases, number)
    assert cases.overdue(instant()) == case(1).of


def test_age_is_by_the_boot_clock_within_a_boot_and_by_the_best_claim_across_boots() -> None:
    assert age_ms(instant(9_000, boot_ms=100), instant(1_000, boot_ms=350)) == 250
    later = instant(9_500, boot_id="1" * 32, boot_ms=5)
    assert age_ms(instant(9_000, boot_ms=100), later) == 500
    proven = instant(0, boot_id="1" * 32, lower_bound_ms=12_000)
    assert age_ms(instant(9_000, boot_ms=100), proven) == 3_000


def test_a_destroyed_key_is_overwritten_where_it_lay(folders: tuple[Path, Path], tmp_path: Path) -> None:
    cases = store(folders)
    opened(cases, 1)
    names = {path.name: tmp_path / f"held-{path.name}" for path in folders[1].iterdir()}
    for name, held in names.items():
        held.hardlink_to(folders[1] / name)  # the same blocks under another name
    cases.destroy(case(1).of)
    (gone,) = names.keys() - {path.name for path in folders[1].iterdir()}
    assert names[gone].read_bytes() == bytes(32)
