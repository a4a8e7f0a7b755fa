"""Every step that three persons' keys signed is listed, with its fingerprint and whose keys they were."""

from pathlib import Path

from appliance.formats.enrolment import fingerprint
from provisioning.authority.recipients import next_recipient, publish_recipient
from provisioning.authority.root_keys import replace_root_key
from provisioning.authority.roster import revoke
from provisioning.authority.signings import last_signing, signings
from tests.scenarios.made_headquarters import NOW_MS, Box, headquarters


def test_each_step_names_what_was_signed_and_by_whom(tmp_path: Path) -> None:
    home = headquarters(tmp_path / "hq")
    first = signings(home)
    assert {(step.role, step.version) for step in first} == {("root", 1), ("recipients", 1), ("roster", 1)}
    Box(home, tmp_path / "box")
    away = home.key("offline-1").rename(tmp_path / "away")
    revoke(home, "LA-0001", at_ms=NOW_MS + 1)
    publish_recipient(home, "record", next_recipient(home, "record"), at_ms=NOW_MS + 2)
    away.rename(home.key("offline-1"))
    for name in ("root-2", "root-1"):
        replace_root_key(home, name, at_ms=NOW_MS + 3)
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
    assert last.fingerprint == fingerprint((home.tuf / "metadata" / "3.root.json").read_bytes())
