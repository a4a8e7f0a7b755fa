"""A journal that is longer than any recorder writes is a fault of the card, and nothing of it is cut off."""

from pathlib import Path

import pytest

from appliance.errors import StorageFault
from appliance.record.journals import JOURNAL_FILE_BYTES_MAX, journal_paths, read_journals


def test_a_journal_beyond_its_bound_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.0000000001"
    with path.open("wb") as file:
        file.truncate(JOURNAL_FILE_BYTES_MAX + 1)
    assert journal_paths(tmp_path) == [path], "the name is a journal's"
    with pytest.raises(StorageFault, match=path.name):
        read_journals(tmp_path)
    assert path.stat().st_size == JOURNAL_FILE_BYTES_MAX + 1
