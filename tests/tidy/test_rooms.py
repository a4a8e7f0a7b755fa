"""What a room's README lists is all that the room has: its files, and what the recorder keeps on the disk."""

import re
from pathlib import Path

from appliance.record.places import Places
from tests.tidy.test_tidy import ROOT, tracked

MAP = re.compile(r"(?m)^\| file \| noun \|\n\|---\|---\|\n((?:\|.*\n)+)")


def mapped() -> dict[Path, str]:
    """Each folder whose README has a map of its files, with the rows of the map."""
    pages = {path: MAP.search(path.read_text(encoding="utf-8")) for path in tracked() if path.name == "README.md"}
    return {path.parent: found[1] for path, found in pages.items() if found}


def test_a_map_of_files_names_every_file_of_its_folder_and_no_other() -> None:
    rooms = mapped()
    assert {room.relative_to(ROOT).as_posix() for room in rooms} >= {
        "appliance/audit",
        "appliance/booth",
        "appliance/record",
        "appliance/uplink",
    }
    for room, rows in rooms.items():
        named = re.findall(r"`([\w/]+\.py)`", rows)
        there = {path.name for path in tracked() if path.parent == room and path.suffix == ".py"} - {"__init__.py"}
        assert sorted(there ^ set(named)) == [], room
        assert len(named) == len(set(named)), room


def test_whatever_the_recorder_keeps_is_in_its_table_of_the_disk() -> None:
    page = (ROOT / "appliance" / "record" / "README.md").read_text(encoding="utf-8")
    table = page.partition("## On the disk")[2].partition("```\n")[2].partition("```")[0]
    places = Places(Path("state"), Path("run"))
    kept = [getattr(places, name) for name, kind in vars(Places).items() if isinstance(kind, property)]
    names = {path.name for path in kept if path.is_relative_to("state")} - {places.releases.name}  # only read
    assert "told" in names
    assert [name for name in sorted(names) if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", table)] == []


def test_screening_says_its_thresholds() -> None:
    from appliance.screen.verdicts import NAME_POSSIBLE, NAME_STRONG

    page = (ROOT / "appliance" / "screen" / "README.md").read_text(encoding="utf-8")
    assert f"Below {NAME_POSSIBLE} it is nobody" in page
    assert f"alike to {NAME_STRONG} or more" in page
