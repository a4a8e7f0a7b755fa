"""What a start of the recorder says in the log: how it ended before, and what is no longer as the log has it."""

from collections.abc import Generator

import pytest

from appliance.formats.statement import EventEntry
from tests.scenarios.recorder_bed import Bed, bed

STARTS = frozenset({"recorder_started", "recorder_stopped", "software_updated", "config_changed", "policy_switched"})


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def said(box: Bed) -> list[tuple[str, dict[str, str]]]:
    """What starts and stops said, in log order."""
    kinds = [one.kind for one in box.statements()]
    return [(kind.event, dict(kind.fields)) for kind in kinds if isinstance(kind, EventEntry) and kind.event in STARTS]


def started(before: str) -> tuple[str, dict[str, str]]:
    return ("recorder_started", {"boot": "new" if before == "first" else "same", "before": before})


STOPPED: tuple[str, dict[str, str]] = ("recorder_stopped", {})


def test_an_orderly_stop_and_a_cut_are_told_apart_by_the_log_itself(box: Bed) -> None:
    box.stop(box.start())
    process = box.start()
    process.kill()
    process.wait()
    box.stop(box.start())
    starts = [each for each in said(box) if each[0] in {"recorder_started", "recorder_stopped"}]
    assert starts == [started("first"), STOPPED, started("stopped"), started("cut"), STOPPED]


def test_configuration_software_and_rules_are_said_when_they_change_and_not_at_each_start(box: Bed) -> None:
    box.stop(box.start())
    first = said(box)
    assert [event for event, _ in first] == [
        "recorder_started",
        "config_changed",
        "policy_switched",
        "recorder_stopped",
    ]
    box.stop(box.start())
    assert said(box)[len(first) :] == [started("stopped"), STOPPED]

    config = box.folder / "box.toml"
    config.write_bytes(config.read_bytes() + b"\n# another lane soon\n")
    told = box.state / "recorder" / "told"
    told.write_text(told.read_text().replace('"software":"', '"software":"0.0.'))
    before = len(said(box))
    box.stop(box.start())
    events = said(box)[before:]
    assert [event for event, _ in events] == [
        "recorder_started",
        "software_updated",
        "config_changed",
        "recorder_stopped",
    ]
    assert events[1][1]["before"].startswith("0.0.")
    assert events[2][1]["sha256"] != first[1][1]["sha256"]


@pytest.mark.parametrize("planted", [b"", b"{", b'{"software":"SOUKSAVANH KHAMPHOUY"}', b"\xff" * 2_000])
def test_whatever_lies_where_it_was_noted_the_recorder_starts_and_says_it_anew(box: Bed, planted: bytes) -> None:
    (box.state / "recorder" / "told").write_bytes(planted)
    box.stop(box.start())
    events = said(box)
    assert [event for event, _ in events] == [
        "recorder_started",
        "config_changed",
        "policy_switched",
        "recorder_stopped",
    ]
    assert b"SOUKSAVANH" not in b"".join(box.leaves())
