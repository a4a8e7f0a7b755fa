"""Who was told apart from which entry: keyed hashes, bounded, and whole after whatever a power cut left."""

import hashlib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.formats.cbor import encode
from appliance.formats.wire import Spared
from appliance.record.journal import Judged
from appliance.record.not_same import LINES_MAX, REMEMBERED_MAX, NotSame
from tests.unit.test_open_case import CASE

KEY = bytes(range(32))
SUBJECT = b"SUBJ"


def memory(folder: Path, *journal: Judged) -> NotSame:
    if not (folder / "not-same.key").exists():
        (folder / "not-same.key").write_bytes(KEY)
    made = NotSame(folder / "not-same", folder / "not-same.key")
    made.load(journal)
    return made


def judged(number: int, *, spared: bool = True) -> Judged:
    """A decision about one traveller and the entry of this number, its hash worked out here."""
    content = encode([SUBJECT, f"QDi.{number}", ""])
    digest = hashlib.blake2b(content, key=KEY, digest_size=32).digest()
    return Judged(digest=digest, entry=f"QDi.{number}", spared=spared)


def keep(made: NotSame, *decisions: Judged) -> None:
    made.decided(decisions)
    made.write(decisions)


def held(made: NotSame, *, of: int = 4) -> list[int]:
    """Which of the entries below this number the traveller is spared."""
    numbers = [range(start, min(of, start + 16)) for start in range(0, of, 16)]
    asked = [Spared(subject=SUBJECT, entries=tuple((f"QDi.{number}", "") for number in some)) for some in numbers]
    return [int(entry.removeprefix("QDi.")) for one in asked for entry in made.spared(one)]


def test_the_hash_is_keyed_blake2b_over_subject_entry_and_revision(tmp_path: Path) -> None:
    made = memory(tmp_path)
    # CBOR of [h'5355424a', "QDi.1", "00ff"], by hand: array of 3, bytes of 4, text of 5, text of 4.
    content = b"\x83\x44SUBJ\x65QDi.1\x6400ff"
    digest = hashlib.blake2b(content, key=KEY, digest_size=32).digest()
    keep(made, Judged(digest=digest, entry="QDi.1", spared=True))
    asked = Spared(subject=b"SUBJ", entries=(("QDi.1", "00ff"), ("QDi.1", "00fe"), ("QDi.2", "00ff")))
    assert made.spared(asked) == ("QDi.1",)
    assert made.spared(Spared(subject=b"SUBJQ", entries=(("Di.1", "00ff"),))) == ()


def test_decisions_are_there_again_after_a_start_and_can_be_taken_back(tmp_path: Path) -> None:
    made = memory(tmp_path)
    keep(made, judged(1), judged(2))
    keep(made, judged(1, spared=False))
    assert held(memory(tmp_path)) == held(made) == [2]
    assert (tmp_path / "not-same").stat().st_mode & 0o777 == 0o600


def test_a_box_with_another_key_knows_nobody(tmp_path: Path) -> None:
    keep(memory(tmp_path), judged(1))
    for key in (bytes(32), b"cut short", bytes(33)):
        (tmp_path / "not-same.key").write_bytes(key)
        assert held(memory(tmp_path)) == []
        assert len((tmp_path / "not-same.key").read_bytes()) == 32


def test_publishing_the_same_frames_again_adds_nothing(tmp_path: Path) -> None:
    made = memory(tmp_path)
    frames = [(judged(1),), (judged(2), judged(3))]
    for frame in frames:
        keep(made, *frame)
    size = (tmp_path / "not-same").stat().st_size
    again = memory(tmp_path, *frames[0], *frames[1])
    for frame in frames:
        again.write(frame)
    assert (tmp_path / "not-same").stat().st_size == size


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 300), rest=st.binary(max_size=40))
def test_a_torn_end_costs_nothing_that_the_journal_still_has(tmp_path: Path, cut: int, rest: bytes) -> None:
    path = tmp_path / "not-same"
    path.unlink(missing_ok=True)
    made = memory(tmp_path)
    for number in (1, 2, 3):
        keep(made, judged(number))
    whole = path.read_bytes()
    path.write_bytes(whole[: min(cut, len(whole))] + rest)
    frames = [judged(number) for number in (1, 2, 3)]
    again = memory(tmp_path, *frames)
    for frame in frames:
        again.write((frame,))
    assert held(again) == held(memory(tmp_path)) == [1, 2, 3]


def test_the_oldest_goes_when_there_are_too_many_and_the_file_stays_bounded(tmp_path: Path) -> None:
    made = memory(tmp_path)
    decisions = [judged(number) for number in range(2 * REMEMBERED_MAX + 10)]
    for start in range(0, len(decisions), 4):
        keep(made, *decisions[start : start + 4])
    expected = list(range(len(decisions) - REMEMBERED_MAX, len(decisions)))
    assert held(made, of=len(decisions)) == held(memory(tmp_path), of=len(decisions)) == expected
    assert (tmp_path / "not-same").read_bytes().count(b"\n+") <= LINES_MAX


def test_a_paper_that_tells_nobody_apart_is_not_remembered(tmp_path: Path) -> None:
    assert memory(tmp_path).judge(CASE, spared=True) == ()


def test_any_bytes_in_the_file_are_no_decision(tmp_path: Path) -> None:
    (tmp_path / "not-same").write_bytes(b"+ 00 00 00000000\n\xff\xfe\n- x y 1\n" + b"+" * 500)
    assert held(memory(tmp_path)) == []
