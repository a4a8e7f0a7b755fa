"""Whatever bit of a pulled copy is flipped, and whatever bytes stand where a log should be: it is noticed, by name."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import ConfigError, LandlinkError
from provisioning.audit.log import Log, logs_of, trust_of
from provisioning.audit.opened.logs import read_log
from provisioning.audit.opened.opening import record_identity
from provisioning.audit.pull import pull
from provisioning.audit.sealed_note import NOTE
from provisioning.audit.source import folder_sources
from provisioning.audit.store import PulledLog
from provisioning.audit.verify import verify
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from tests.scenarios.made_headquarters import Box, day_at_the_post, headquarters


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody watches the bar."""


class Copy:
    """One pulled day and the box that it came from."""

    def __init__(self, folder: Path) -> None:
        self.home: Home = headquarters(folder / "hq")
        self.box = Box(self.home, folder / "box")
        day_at_the_post(self.box)
        roster = read_roster(self.home)
        self.log: Log = logs_of(self.home, roster, None)[0]
        self.trust = trust_of(roster)
        self.kept = PulledLog(self.log, self.home.pulled_log(self.log.origin))
        pull(self.kept, folder_sources(self.box.state)[self.log.origin], self.trust, silent)
        self.files = sorted(path for path in self.kept.folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    folder = tmp_path_factory.mktemp("copy")
    yield Copy(folder)
    shutil.rmtree(folder)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_flipped_bit_of_a_kept_copy_is_noticed(copy: Copy, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(copy.files))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    bit = data.draw(st.integers(0, 7))
    path.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
    try:
        assert verify(copy.kept, copy.trust, silent).problems, f"{path.name}, byte {at}, bit {bit}"
    finally:
        path.write_bytes(content)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.binary(max_size=400))
def test_verify_and_open_name_any_bytes_in_any_file_and_never_crash(
    copy: Copy, data: st.DataObject, junk: bytes
) -> None:
    path = data.draw(st.sampled_from(copy.files))
    content = path.read_bytes()
    path.write_bytes(junk)
    try:
        assert verify(copy.kept, copy.trust, silent).problems
        opened = read_log(copy.kept, record_identity(copy.home), silent)
        assert opened.problems or path.parent.name in ("0", "000.p") or path.name == NOTE  # opening needs neither
    finally:
        path.write_bytes(content)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.binary(max_size=400))
def test_pull_refuses_or_names_any_bytes_at_the_source(copy: Copy, data: st.DataObject, junk: bytes) -> None:
    sources = sorted(path for path in copy.box.state.rglob("*") if path.parts[-2] == "bodies" or "log" in path.parts)
    path = data.draw(st.sampled_from([path for path in sources if path.is_file()]))
    content = path.read_bytes()
    path.write_bytes(junk)
    fresh = PulledLog(copy.log, copy.home.folder / "fresh")
    try:
        source = folder_sources(copy.box.state).get(copy.log.origin)
        if source is not None:
            assert pull(fresh, source, copy.trust, silent).problems
    except (LandlinkError, ConfigError):
        assert fresh.note() is None
    finally:
        path.write_bytes(content)
        shutil.rmtree(fresh.folder, ignore_errors=True)
