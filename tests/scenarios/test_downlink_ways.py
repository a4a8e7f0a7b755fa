"""What headquarters says reaches the box by link, answer folder and stick; what is not headquarters' stops nothing.

Headquarters' commands, the collector and the uplink are the real processes, over TLS; the recorder is its door.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.errors import Malformed, Untrusted
from appliance.formats.age import parse_recipient
from appliance.formats.downlink import CaseAnswer, ListKey, VoiceKey, seal_downlink, sign_downlink
from appliance.formats.downlink import Downlink as Signed
from appliance.formats.status import UplinkStatus, parse_status
from provisioning.authority.keys import load_ed25519
from provisioning.authority.roster import read_roster
from tests.delivery_post import DOMAIN, Box, Headquarters, RecorderDoor, run, wait_until
from tests.downlink_bed import case_answer, opened, say


@pytest.fixture
def headquarters(tmp_path: Path) -> Iterator[Headquarters]:
    made = Headquarters(tmp_path / "hq")
    yield made
    made.stop()


@pytest.fixture
def box(tmp_path: Path, headquarters: Headquarters) -> Box:
    made = Box(tmp_path / "b", headquarters)
    made.publish()
    return made


@pytest.fixture
def door(box: Box) -> Iterator[RecorderDoor]:
    made = RecorderDoor(box.runtime / "uplink.sock")
    yield made
    made.close()


@pytest.fixture
def start(box: Box) -> Iterator[Callable[[], None]]:
    started = []

    def start() -> None:
        for earlier in started:
            earlier.kill()
        started[:] = [box.start()]

    yield start
    for process in started:
        process.stop()


def status(box: Box) -> UplinkStatus:
    """What the uplink says; it says nothing before it has looked."""
    try:
        return parse_status((box.runtime / "uplink.status").read_bytes(), UplinkStatus)
    except FileNotFoundError:
        return UplinkStatus(connected=False, not_sent=0)


def messages(headquarters: Headquarters, box: Box, brought: list[bytes]) -> list[object]:
    return [opened(headquarters.home, box.state, box.serial, sealed).message for sealed in brought]


def enrolment_is_brought(brought: list[bytes]) -> bool:
    return len(set(brought)) >= 2


def version(timestamp: bytes) -> int:
    import json

    return int(json.loads(timestamp)["signed"]["version"])


def mirrored(box: Box) -> bytes:
    return (box.state / "mirror" / "metadata" / "timestamp.json").read_bytes()


def publish(headquarters: Headquarters) -> bytes:
    """A newer release; its timestamp."""
    run("landlink-hq", "--home", headquarters.home_folder, "publish")
    return (headquarters.home.tuf / "metadata" / "timestamp.json").read_bytes()


def write_stick(headquarters: Headquarters, box: Box) -> None:
    """Write a stick elsewhere, then put it in at once."""
    run("landlink-hq", "--home", headquarters.home_folder, "stick", box.folder / "made")
    (box.folder / "made").rename(box.stick)


# --- the ways ---------------------------------------------------------------------------------------------------------


def test_the_answer_folders_keys_are_brought_without_any_link(
    headquarters: Headquarters, box: Box, door: RecorderDoor, start: Callable[[], None]
) -> None:
    start()
    brought = door.wait_brought(enrolment_is_brought, "list key and voice key")
    kinds = {type(message) for message in messages(headquarters, box, brought)}
    assert kinds == {ListKey, VoiceKey}


def test_an_answer_comes_over_the_link_once_whatever_is_killed(
    headquarters: Headquarters, box: Box, door: RecorderDoor, start: Callable[[], None]
) -> None:
    headquarters.start()
    start()
    door.wait_brought(enrolment_is_brought, "the keys")
    sealed = say(headquarters.home, box.serial, case_answer()).read_bytes()
    start()
    door.wait_brought(lambda brought: sealed in brought, "the answer")
    wait_until(lambda: sealed_is_remembered(box, 3), "the memory of it")
    start()
    second = say(headquarters.home, box.serial, case_answer("Once more.")).read_bytes()
    brought = door.wait_brought(lambda brought: second in brought, "the second answer")
    assert brought.count(sealed) == 1
    assert messages(headquarters, box, [sealed, second]) == [case_answer(), case_answer("Once more.")]


def sealed_is_remembered(box: Box, count: int) -> bool:
    memory = box.state / "uplink" / "messages"
    return memory.exists() and len(memory.read_text().splitlines()) >= count


def test_what_the_recorder_cannot_take_yet_is_brought_until_it_can(
    headquarters: Headquarters, box: Box, door: RecorderDoor, start: Callable[[], None]
) -> None:
    door.judge = lambda _: "not_ready"
    headquarters.start()
    sealed = say(headquarters.home, box.serial, case_answer()).read_bytes()
    start()
    door.wait_brought(lambda brought: brought.count(sealed) >= 2, "the answer, twice")
    assert not sealed_is_remembered(box, 1)
    door.judge = lambda _: ""
    wait_until(lambda: sealed_is_remembered(box, 3), "all of it taken")
    assert status(box).refused == 0


def test_a_stick_brings_messages_and_lists_to_a_dark_post(
    headquarters: Headquarters, box: Box, door: RecorderDoor, start: Callable[[], None]
) -> None:
    start()
    door.wait_brought(enrolment_is_brought, "the keys")
    newest = publish(headquarters)
    sealed = say(headquarters.home, box.serial, case_answer()).read_bytes()
    write_stick(headquarters, box)
    door.wait_brought(lambda brought: sealed in brought, "the answer")
    wait_until(lambda: mirrored(box) == newest, "the lists")
    wait_until(lambda: "may be pulled out" in status(box).stick, "the word that it may be pulled out")
    said = run("landlink-box", "--config", box.config, "status")
    assert "is copied; the stick may be pulled out" in said
    wait_until(lambda: [stick.lists for stick in door.told.sticks] == ["taken"], "the stick in the log, once")
    assert door.told.sticks[0].messages >= 1


def test_a_stick_for_one_box_carries_nobody_elses_messages(
    tmp_path: Path, headquarters: Headquarters, box: Box
) -> None:
    Box(tmp_path / "o", headquarters, "LA-0002")
    run("landlink-hq", "--home", headquarters.home_folder, "stick", tmp_path / "made", "--box", box.serial)
    assert [path.name for path in (tmp_path / "made" / "down").iterdir()] == [box.serial]


def test_a_stick_that_was_pulled_out_half_way_leaves_the_mirror_whole_and_goes_on_when_it_is_back(
    headquarters: Headquarters, box: Box, door: RecorderDoor, start: Callable[[], None]
) -> None:
    start()
    door.wait_brought(enrolment_is_brought, "the keys")
    before = mirrored(box)
    newest = publish(headquarters)
    run("landlink-hq", "--home", headquarters.home_folder, "stick", box.folder / "made")
    shutil.copytree(box.folder / "made", box.folder / "torn")
    shutil.rmtree(box.folder / "torn" / "tuf" / "targets")
    (box.folder / "torn").rename(box.stick)
    wait_until(lambda: "not whole" in status(box).stick, "the word that it is not whole")
    assert mirrored(box) == before
    assert release_is_whole(box)
    box.stick.rename(box.folder / "out")
    wait_until(lambda: not box.stick.exists(), "the stick to be out")
    (box.folder / "made" / "tuf" / "unknown").write_bytes(b"x")
    (box.folder / "made").rename(box.stick)
    start()
    wait_until(lambda: mirrored(box) == newest, "the lists")


def release_is_whole(box: Box) -> bool:
    """Every target that the mirror's own metadata names is there."""
    from appliance.formats.mirror import wanted_files

    mirror = box.state / "mirror"

    def read(path: str) -> bytes | None:
        return (mirror / path).read_bytes() if (mirror / path).exists() else None

    return all(file.optional for file in wanted_files(read, lambda path: (mirror / path).is_file()))


# --- attacks ----------------------------------------------------------------------------------------------------------


def judge_as_the_recorder(headquarters: Headquarters, box: Box) -> Callable[[bytes], str]:
    """Takes what verifies by formats/downlink.py, each counter of a role once."""
    taken: set[tuple[type, int]] = set()

    def judge(sealed: bytes) -> str:
        try:
            said = opened(headquarters.home, box.state, box.serial, sealed)
        except Malformed:
            return "malformed"
        except Untrusted:
            return "untrusted"
        place = (CaseAnswer if isinstance(said.message, CaseAnswer) else ListKey, said.counter)
        if place in taken:
            return "untrusted"
        taken.add(place)
        return ""

    return judge


def forged(headquarters: Headquarters, box: Box, *, role: str = "answers", to: str | None = None) -> bytes:
    """An answer to this box, signed by the key of a role, sealed as it should be."""
    key = load_ed25519(headquarters.home.key(role))
    downlink = Signed(box=to or f"{DOMAIN}/{box.serial.lower()}", counter=7, at_ms=1, message=case_answer())
    signed = sign_downlink(downlink, public=key.public_key().public_bytes_raw(), sign=key.sign)
    enrolled = read_roster(headquarters.home).box(box.serial)
    assert enrolled is not None
    return seal_downlink(signed, parse_recipient(enrolled.age_recipient))


@pytest.mark.parametrize("way", ["link", "stick"])
def test_what_is_not_headquarters_word_to_this_box_is_refused_reported_and_holds_nothing_up(
    tmp_path: Path, headquarters: Headquarters, box: Box, door: RecorderDoor, start: Callable[[], None], way: str
) -> None:
    """The collector, or whoever holds the stick, is the attacker: it puts whatever it likes beside the true answer."""
    door.judge = judge_as_the_recorder(headquarters, box)
    other = Box(tmp_path / "o", headquarters, "LA-0002")
    folder = headquarters.home.down / box.serial
    attacks = {
        "invented": b"age-encryption.org/v1\n" + os.urandom(2_000),
        "nothing at all": os.urandom(100),
        "to another box": say(headquarters.home, other.serial, case_answer()).read_bytes(),
        "sealed here, said to another": forged(headquarters, box, to=f"{DOMAIN}/la-0002"),
        "by a key of another role": forged(headquarters, box, role="directives"),
        "by a key of the roster for something else": forged(headquarters, box, role="receipts"),
    }
    for number, sealed in enumerate(attacks.values(), 11):
        (folder / f"answers-{number:010}.age").write_bytes(sealed)
    (folder / "answers-0000000001.age").write_bytes(forged(headquarters, box, role="snapshot"))
    true = say(headquarters.home, box.serial, case_answer("The true one.")).read_bytes()
    again = folder / "answers-0000000030.age"
    again.write_bytes(seal_again(headquarters, box, true))
    if way == "link":
        headquarters.start()
    else:
        write_stick(headquarters, box)
    start()
    door.wait_brought(lambda brought: {true, *attacks.values()} <= set(brought), "everything")
    wait_until(lambda: status(box).refused == len(attacks) + 2, "the refusals in the status")
    journal = (box.folder / "uplink-1.out").read_text()
    assert "The true one" not in journal
    assert "refuses message answers-0000000011.age" in journal
    refused_once = door.told.brought.count(attacks["invented"])
    assert refused_once == 1
    assert "were refused, the last one because: the test says" in run("landlink-box", "--config", box.config, "status")


def seal_again(headquarters: Headquarters, box: Box, sealed: bytes) -> bytes:
    """A replay that no hash shows: the same signed message in another envelope."""
    from appliance.formats.age import parse_identity
    from appliance.formats.downlink import open_downlink

    identity = parse_identity((box.state / "recorder" / "age.identity").read_text().strip())
    enrolled = read_roster(headquarters.home).box(box.serial)
    assert enrolled is not None
    return seal_downlink(open_downlink(sealed, identity), parse_recipient(enrolled.age_recipient))


def test_a_hostile_stick_changes_nothing_and_stops_nothing(
    headquarters: Headquarters, box: Box, door: RecorderDoor, start: Callable[[], None]
) -> None:
    run("landlink-hq", "--home", headquarters.home_folder, "stick", box.folder / "made")
    made, down = box.folder / "made", box.folder / "made" / "down" / box.serial
    os.mkfifo(down / "answers-0000000001.age")
    (down / "answers-0000000002.age").symlink_to(box.state / "uplink" / "tls.key")
    with (down / "answers-0000000003.age").open("wb") as huge:
        huge.truncate(1 << 40)
    (down / "answers-4.age").write_bytes(b"out of the set")
    (down / "answers-0000000005.age").mkdir()
    (made / "tuf" / "metadata" / "2.root.json").symlink_to(box.state / "uplink" / "tls.key")
    os.mkfifo(made / "tuf" / "metadata" / "3.root.json")
    before = mirrored(box)
    start()
    door.wait_brought(enrolment_is_brought, "the keys")
    made.rename(box.stick)
    wait_until(lambda: "no newer" in status(box).stick, "the stick to be looked at")
    assert mirrored(box) == before
    assert len(set(door.told.brought)) == 2
    assert not (box.state / "mirror" / "metadata" / "2.root.json").exists()
    newest = publish(headquarters)
    headquarters.start()
    wait_until(lambda: mirrored(box) == newest, "headquarters' own lists over the link")


@pytest.mark.parametrize("lie", ["root", "snapshot", "timestamp", "target", "folder"])
def test_a_false_release_on_a_stick_leaves_no_file_that_would_stand_in_the_true_ones_way(
    headquarters: Headquarters, box: Box, door: RecorderDoor, start: Callable[[], None], lie: str
) -> None:
    before = {path: path.read_bytes() for path in (box.state / "mirror").rglob("*") if path.is_file()}
    publish(headquarters)
    run("landlink-hq", "--home", headquarters.home_folder, "stick", box.folder / "made")
    metadata = box.folder / "made" / "tuf" / "metadata"
    match lie:
        case "root":
            (metadata / "2.root.json").write_bytes((metadata / "timestamp.json").read_bytes())
        case "snapshot":
            newest = max(metadata.glob("*.snapshot.json"), key=lambda path: int(path.name.split(".")[0]))
            newest.write_bytes(newest.read_bytes().replace(b"-", b"+"))
        case "timestamp":
            text = (metadata / "timestamp.json").read_text()
            (metadata / "timestamp.json").write_text(text.replace("2", "3"))
        case "target":
            for target in (metadata.parent / "targets").glob("*/*"):
                target.write_bytes(target.read_bytes()[::-1])
        case _:
            metadata.rename(metadata.with_name("elsewhere"))
            metadata.symlink_to(metadata.with_name("elsewhere"))
    (box.folder / "made").rename(box.stick)
    start()
    door.wait_brought(enrolment_is_brought, "the keys")
    if lie != "folder":  # then there are no lists on it at all
        wait_until(lambda: "refused" in status(box).stick or "not whole" in status(box).stick, "the word of it")
    assert {path: path.read_bytes() for path in before} == before
    if lie not in ("target", "folder"):
        assert {path for path in (box.state / "mirror").rglob("*") if path.is_file()} == set(before)
    newest_timestamp = publish(headquarters)
    headquarters.start()
    wait_until(lambda: mirrored(box) == newest_timestamp, "headquarters' own lists over the link")
    assert release_is_whole(box)


def test_an_older_stick_takes_nothing_back(
    headquarters: Headquarters, box: Box, door: RecorderDoor, start: Callable[[], None]
) -> None:
    run("landlink-hq", "--home", headquarters.home_folder, "stick", box.folder / "made")
    newest = publish(headquarters)
    headquarters.start()
    start()
    wait_until(lambda: mirrored(box) == newest, "the newest lists")
    (box.folder / "made").rename(box.stick)
    wait_until(lambda: "no newer than what this box has" in status(box).stick, "the word of it")
    assert mirrored(box) == newest
    door.wait_brought(enrolment_is_brought, "the keys")


def test_links_on_a_stick_are_refused_at_headquarters_before_a_byte_is_written_or_removed(
    tmp_path: Path, headquarters: Headquarters
) -> None:
    from appliance.errors import Refused
    from provisioning.authority.stick import plan_stick, write_stick

    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "tuf").symlink_to(headquarters.home.keys)
    keys = {path: path.read_bytes() for path in headquarters.home.keys.iterdir()}
    with pytest.raises(Refused, match="is a link"):
        write_stick(plan_stick(headquarters.home, None), stick, lambda _: None)
    assert {path: path.read_bytes() for path in headquarters.home.keys.iterdir()} == keys


def test_a_pipe_on_a_stick_keeps_headquarters_waiting_for_nothing(tmp_path: Path, headquarters: Headquarters) -> None:
    """Where a file is begun, or is to be: whoever opens a pipe for writing waits until somebody reads."""
    stick = tmp_path / "stick"
    (stick / "tuf" / "metadata").mkdir(parents=True)
    for name in (".timestamp.json.tmp", "timestamp.json", ".1.root.json.tmp"):
        os.mkfifo(stick / "tuf" / "metadata" / name)
    run("landlink-hq", "--home", headquarters.home_folder, "stick", stick)
    written = stick / "tuf" / "metadata" / "timestamp.json"
    assert written.read_bytes() == (headquarters.home.tuf / "metadata" / "timestamp.json").read_bytes()


def test_an_earlier_stick_is_replaced_whole_and_other_files_on_it_are_left(
    tmp_path: Path, headquarters: Headquarters, box: Box
) -> None:
    stick = tmp_path / "stick"
    say(headquarters.home, box.serial, case_answer())
    run("landlink-hq", "--home", headquarters.home_folder, "stick", stick)
    (stick / "holiday.jpg").write_bytes(b"x")
    (headquarters.home.down / box.serial / "answers-0000000001.age").unlink()
    newest = publish(headquarters)
    run("landlink-hq", "--home", headquarters.home_folder, "stick", stick)
    assert (stick / "tuf" / "metadata" / "timestamp.json").read_bytes() == newest
    assert (stick / "holiday.jpg").exists()
    assert not (stick / "down" / box.serial / "answers-0000000001.age").exists()
    assert not list(stick.rglob("*.tmp"))
    assert len(list((stick / "tuf" / "metadata").glob("*.snapshot.json"))) == 1
