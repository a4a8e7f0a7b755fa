"""Every step that three persons' keys signed is listed, with its fingerprint and whose keys they were."""

import re
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Root

from appliance.errors import Untrusted
from appliance.formats.enrolment import fingerprint
from provisioning.authority.recipients import next_recipient, publish_recipient
from provisioning.authority.replace_key import replace_key
from provisioning.authority.roster import revoke
from provisioning.authority.signings import last_signing, signings
from tests.scenarios.made_headquarters import NOW_MS, Box, headquarters


def test_each_step_names_what_was_signed_and_by_whom(tmp_path: Path) -> None:
    home = headquarters(tmp_path / "hq")
    first = signings(home)
    assert [(step.role, step.version) for step in first] == [
        ("root", 1),
        ("targets", 1),
        ("recipients", 1),
        ("roster", 1),
    ]
    Box(home, tmp_path / "box")
    away = home.key("offline-1").rename(tmp_path / "away")
    revoke(home, "LA-0001", at_ms=NOW_MS + 1)
    publish_recipient(home, "record", next_recipient(home, "record"), at_ms=NOW_MS + 2)
    away.rename(home.key("offline-1"))
    for name in ("root-2", "root-1"):
        replace_key(home, name, at_ms=NOW_MS + 3)
    steps = {(step.role, step.version): step for step in signings(home)}
    assert set(first) <= set(steps.values())
    assert [steps["roster", version].keys for version in (2, 3)] == [
        ("offline-1", "offline-2"),
        ("offline-2", "offline-3"),
    ]
    assert steps["recipients", 2].keys == ("offline-2", "offline-3")
    assert [steps["root", version].keys for version in (2, 3)] == [("root-1", "root-3"), ("root-2", "root-3")]
    last = last_signing(home, "root")
    assert last == steps["root", 3]
    signed = Metadata[Root].from_bytes((home.tuf / "metadata" / "3.root.json").read_bytes()).signed_bytes
    assert last.fingerprint == fingerprint(signed)  # of what was signed, whoever signed it


@pytest.mark.parametrize("name", ["1.root.json", "1.targets.json", "1.recipients.json", "1.roster.json"])
def test_a_step_that_does_not_hold_is_named_and_nothing_is_listed(tmp_path: Path, name: str) -> None:
    home = headquarters(tmp_path / "hq")
    Box(home, tmp_path / "box")
    replace_key(home, "offline-1", at_ms=NOW_MS + 1)
    path = home.tuf / "metadata" / name
    good = path.read_bytes()
    path.write_bytes(re.sub(rb'"expires":"20', b'"expires":"21', good))
    with pytest.raises(Untrusted, match=f"{re.escape(name)} is not signed by enough keys"):
        signings(home)
    path.write_bytes((path.with_name(f"2.{name[2:]}")).read_bytes())
    with pytest.raises(Untrusted, match=f"{re.escape(name)} has version 2"):
        signings(home)
    path.write_bytes(good)
    assert signings(home)
