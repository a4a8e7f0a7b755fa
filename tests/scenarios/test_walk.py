"""The walk along a log: leaves that are taken together are judged as if each had been taken alone."""

from pathlib import Path

import pytest

from appliance.errors import Malformed, Untrusted
from appliance.formats.statement import Sealed, Statement
from provisioning.audit.log import logs_of
from provisioning.audit.walk import Walk
from provisioning.authority.roster import read_roster
from tests.scenarios.made_headquarters import Box, headquarters

SEALED = Sealed(commitment=bytes(32), blob_sha256=bytes(32), blob_bytes=1)


def one_by_one(walk: Walk, leaves: list[bytes]) -> list[object]:
    found: list[object] = []
    for leaf in leaves:
        try:
            found.append(walk.take(leaf))
        except (Malformed, Untrusted) as error:
            found.append((type(error), str(error)))
    return found


@pytest.mark.parametrize("together", [1, 7, 256])
def test_leaves_that_are_taken_together_are_judged_as_one_by_one(tmp_path: Path, together: int) -> None:
    home = headquarters(tmp_path / "hq")
    box = Box(home, tmp_path / "box")
    for _ in range(4):
        box.append(box.statement(SEALED))
    former = box.leaves[-1]
    box.start_epoch()
    box.append(box.statement(SEALED))
    good = list(box.leaves)
    broken = good[2][:-1] + bytes([good[2][-1] ^ 1])
    leaves = [*good[:2], b"", broken, *good[2:], former, good[5][:40], good[0], good[-1]]
    (log,) = logs_of(home, read_roster(home), None)
    walk, found = Walk(log), list[object]()
    for first in range(0, len(leaves), together):
        for each in walk.take_all(leaves[first : first + together]):
            found.append((type(each), str(each)) if isinstance(each, Exception) else each)
    assert found == one_by_one(Walk(log), leaves)
    refused = [place for place, each in enumerate(found) if not isinstance(each, Statement)]
    # Nothing, a broken signature, an epoch that starts two entries late, and all that is signed by its key; the rest of
    # the first epoch, whose key is valid on, and not the first entry again.
    assert refused == [2, 3, 7, 8, 10, 11, 12]
