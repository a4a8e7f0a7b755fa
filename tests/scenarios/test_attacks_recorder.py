"""Who has taken over a neighbour of the recorder tries it: booth, uplink and releases, each through what it may reach.

They may lie and delay (SECURITY.md); these are the things that they must not get beyond that.
"""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import structs

from appliance.clock import Grade, Instant
from appliance.formats.release import TARGET_BYTES_MAX
from appliance.formats.wire import Acknowledge, Append, Case, Cases, ListCases
from appliance.line import RecorderLine, RecorderRefused
from appliance.record.cases import CaseStore
from appliance.record.headquarters import Headquarters, ProvenTime
from appliance.record.journal import parse_journal
from appliance.record.open_case import OpenCase
from appliance.recorded import Outcome, OutcomeKind, Person, Record, Screened
from appliance.shelf import Shelf
from tests.scenarios.made_headquarters import BOOT, NOW_MS
from tests.scenarios.recorder_bed import Bed, append, bed, case_of, record, recorded, welcome
from tests.scenarios.test_recorder_delivery import bodies, receipt_of

SECRET = b"VONGSAVATH PA0000000"


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def outcome_of(made: Record) -> Append:
    said = Outcome(of=made.record_id, outcome=OutcomeKind.PASSED, implied=False)
    return append(structs.replace(record(), body=said), closes=made.record_id)


def refused(line: RecorderLine, request: Append) -> str:
    with pytest.raises(RecorderRefused) as refusal:
        line.ask(request)
    return str(refusal.value)


def readable_cases(box: Bed) -> list[bytes]:
    """What a thief reads: every case in a journal or a file whose key still lies on the disk."""
    keys = [path.read_bytes() for path in (box.state / "recorder" / "case-keys").glob("*.key")]
    sealed = [frame.opens for path in box.journals for frame in parse_journal(path.read_bytes()).frames if frame.opens]
    found: list[bytes] = []
    for case in sealed:
        for key in keys:
            try:
                found.append(ChaCha20Poly1305(key).decrypt(case.nonce, case.ciphertext, case.of.encode()))
            except InvalidTag:
                continue
    return found


# --- a booth ----------------------------------------------------------------------------------------------------------


def test_no_booth_makes_a_case_outlive_its_outcome_by_opening_it_twice(box: Bed) -> None:
    process = box.start()
    line = box.line()
    first = record()
    recorded(line, append(first, opens=case_of(first, SECRET.decode())), box.verifier)
    again = structs.replace(first, salt=os.urandom(32))
    assert "open already" in refused(line, append(again, opens=case_of(again, "ANOTHER")))
    assert any(SECRET in one for one in readable_cases(box))
    recorded(line, outcome_of(first), box.verifier)
    box.stop(process)
    assert readable_cases(box) == []


def test_no_booth_closes_a_case_with_another_persons_record(box: Bed) -> None:
    process = box.start()
    line = box.line()
    victim = record()
    recorded(line, append(victim, opens=case_of(victim, "VICTIM")), box.verifier)
    assert victim.person is not None
    stranger = Person(id=f"{99:032x}", number=2, document_basis=victim.person.document_basis)
    other = structs.replace(record(), person=stranger)
    assert isinstance(other.body, Screened)
    other = structs.replace(other, body=structs.replace(other.body, laid=2))
    assert "another person's" in refused(line, append(other, opens=case_of(other), closes=victim.record_id))
    said = Outcome(of=victim.record_id, outcome=OutcomeKind.PASSED, implied=False)
    assert "another person's" in refused(line, append(structs.replace(other, body=said), closes=victim.record_id))
    misfiled = structs.replace(record(), person=stranger)
    assert "the screening that it is about" in refused(
        line, append(misfiled, opens=structs.replace(case_of(misfiled), person=victim.person))
    )
    cases = line.ask(ListCases())
    assert isinstance(cases, Cases)
    assert [case.title for case in cases.cases] == ["VICTIM"]
    box.stop(process)


def test_what_a_booth_says_of_the_time_pushes_no_other_case_out(tmp_path: Path) -> None:
    for folder in ("cases", "keys"):
        (tmp_path / folder).mkdir()
    store = CaseStore(tmp_path / "cases", tmp_path / "keys")
    store.load()

    def opened(title: str, *, claimed_ms: int, at_ms: int) -> Case:
        case = structs.replace(case_of(record(), title), opened_ms=claimed_ms)
        at = Instant(
            wall_ms=NOW_MS + at_ms, grade=Grade.NETWORK, lower_bound_ms=NOW_MS, boot_id=BOOT, boot_ms=1_000 + at_ms
        )
        content = OpenCase(case=case)
        store.became(content, store.seal(content, at))
        return case

    for number in range(64):
        opened(f"LIE {number}", claimed_ms=253_402_300_799_999, at_ms=number)
    honest = opened("HONEST", claimed_ms=NOW_MS + 100, at_ms=100)
    now = Instant(wall_ms=NOW_MS + 200, grade=Grade.NETWORK, lower_bound_ms=NOW_MS, boot_id=BOOT, boot_ms=1_200)
    assert store.page(0)[0] == honest
    assert store.overdue(now) != honest.of


# --- an uplink, or headquarters' own receipts gone wrong --------------------------------------------------------------


def test_a_receipt_that_has_opened_what_was_never_recorded_licenses_nothing(box: Bed) -> None:
    process = box.start()
    line, uplink = box.line(), box.line("uplink")
    index = recorded(line, append(record()), box.verifier).index
    box.settle()
    size = box.checkpoint().size
    for claimed in (size, 2**31, 2**53):
        with pytest.raises(RecorderRefused, match="nobody can have opened"):
            uplink.ask(Acknowledge(receipts=(receipt_of(box, index, opened_through=claimed),)))
    box.stop(process)
    assert index in bodies(box)


# --- a releases process: it has no secrets, and must not silence the recorder -----------------------------------------


def switch_to(box: Bed, version: str) -> Path:
    """Put another folder in the place of the release in service, as whoever writes the shelf can."""
    shelf = box.state / "releases"
    folder = shelf / version
    (folder / "metadata").mkdir(parents=True)
    (shelf / "next").symlink_to(version)
    (shelf / "next").rename(shelf / "current")
    return folder


def test_a_release_with_older_recipients_than_the_log_has_seen_seals_nothing(box: Bed) -> None:
    """Whoever stole a former record key would read what is sealed to it."""
    known = Headquarters(Shelf(box.state / "releases"), ProvenTime())
    assert not known.look(recipients_at_least=2)
    assert known.seal is None
    assert known.why == "The release on this box does not hold: it is older than what this box has used"
    fresh = Headquarters(Shelf(box.state / "releases"), ProvenTime())
    assert fresh.look(recipients_at_least=1)


@pytest.mark.parametrize("name", ["timestamp.json", "2.root.json"])
def test_a_pipe_on_the_shelf_does_not_keep_the_recorder_waiting(box: Bed, name: str) -> None:
    os.mkfifo(switch_to(box, "77") / "metadata" / name)
    process = box.start()  # the shelf is read before the first answer
    assert not welcome(box.line(timeout_s=30)).ready
    box.stop(process)


def test_the_recorder_reads_no_lists_however_large_a_release_makes_them(box: Bed) -> None:
    shelf = Shelf(box.state / "releases")
    honest = box.state / "releases" / str(shelf.version())
    for target in TARGET_BYTES_MAX:
        if target.startswith("lists/"):
            with (honest / "targets" / target).open("wb") as file:
                file.truncate(TARGET_BYTES_MAX[target] + 1)
    process = box.start()
    recorded(box.line(), append(record()), box.verifier)
    (peak,) = (
        int(line.split()[1])
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )
    assert peak < 200 * 1024, f"{peak} KiB at its highest"
    box.stop(process)
