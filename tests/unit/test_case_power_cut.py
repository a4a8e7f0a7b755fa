"""A power cut while an open case is updated: the old state or the new one, whatever was left of the case's own file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from appliance.formats.cbor import pack
from appliance.record.cases import CaseStore
from appliance.record.journal import Frame, Header, SealedCase, encode_frame, parse_journal
from appliance.record.open_case import OpenCase
from tests.unit.test_recorder_cases import instant, match

HEADER = Header(origin="landlink.example/la-0001.1", size=0, root=bytes(32))
OLD = match(1)
NEW = OpenCase(case=structs.replace(OLD.case, title="LATER"))
OF = OLD.case.of

Left = Callable[[Path, bytes, bytes], object]
LEFT: dict[str, Left] = {
    "nothing": lambda _path, _old, _new: None,
    "the old state": lambda path, old, _new: path.write_bytes(old),
    "the new state": lambda path, _old, new: path.write_bytes(new),
    "an empty file": lambda path, _old, _new: path.write_bytes(b""),
    "half of the new state": lambda path, _old, new: path.write_bytes(new[: len(new) // 2]),
    "zeros": lambda path, _old, new: path.write_bytes(bytes(len(new))),
}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("cases", "case-keys"):
        (tmp_path / name).mkdir()
    return tmp_path / "cases", tmp_path / "case-keys"


def states(folders: tuple[Path, Path]) -> tuple[SealedCase, SealedCase]:
    cases = CaseStore(*folders)
    cases.load()
    old = cases.seal(OLD, instant())
    cases.became(OLD, old)
    return old, cases.reseal(NEW)


def recovered(folders: tuple[Path, Path], frames: tuple[Frame, ...]) -> CaseStore:
    """As a start does: what is on the disk, then the journal; then everything is published again."""
    cases = CaseStore(*folders)
    cases.load(frames)
    for frame in frames:
        for sealed in (frame.opens, frame.updates):
            if sealed is not None:
                cases.write(sealed)
        if frame.closes is not None:
            cases.destroy(frame.closes)
    return cases


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT.keys())
def test_a_journal_cut_at_any_byte_of_the_update_gives_the_old_state_or_the_new(
    folders: tuple[Path, Path], left: Left
) -> None:
    old, new = states(folders)
    opened = encode_frame(HEADER) + encode_frame(Frame(index=0, leaf=b"a", checkpoint=b"a", opens=old))
    whole = opened + encode_frame(Frame(index=1, leaf=b"b", checkpoint=b"b", updates=new))
    path = folders[0] / f"{OF}.case"
    for cut in range(len(opened), len(whole) + 1, 7 if left is not LEFT["nothing"] else 1):
        path.unlink(missing_ok=True)
        if cut == len(whole) or left is not LEFT["the new state"]:  # nothing is published of what is not durable
            left(path, pack(old), pack(new))
        cases = recovered(folders, parse_journal(whole[:cut]).frames)
        expected = NEW if cut == len(whole) else OLD
        assert cases.find(OF) == expected
        again = CaseStore(*folders)
        again.load()
        assert again.find(OF) == expected, "and so it was published"


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT.keys())
def test_a_case_that_ended_stays_ended_and_its_key_is_gone(folders: tuple[Path, Path], left: Left) -> None:
    old, new = states(folders)
    left(folders[0] / f"{OF}.case", pack(old), pack(new))
    frames = (
        Frame(index=0, leaf=b"", checkpoint=b"", opens=old),
        Frame(index=1, leaf=b"", checkpoint=b"", updates=new),
        Frame(index=2, leaf=b"", checkpoint=b"", closes=OF),
    )
    for _ in range(2):
        cases = recovered(folders, frames)
        assert cases.find(OF) is None
        assert not (folders[1] / f"{new.key}.key").exists()
        assert list(folders[0].iterdir()) == []
