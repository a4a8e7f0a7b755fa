"""Messages are brought once, whatever lies in the memory of them; a lying collector gets little of the link."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from appliance.errors import UplinkFault
from appliance.files import names_beneath, open_beneath
from appliance.formats.cbor import pack
from appliance.formats.downlink import SEALED_BYTES_MAX, WAITING_MAX, Waiting, WaitingList
from appliance.uplink.contact import Contact
from appliance.uplink.fetching import FETCH_MAX, REFUSED_MAX, Fetching
from appliance.uplink.handover import Fate, Handover
from appliance.uplink.link import ANSWER_BYTES_MAX, Answer
from appliance.uplink.messages import Messages
from appliance.uplink.stick import sealed_messages


class Collector:
    """A collector as far as messages go, which may lie as it likes."""

    def __init__(self) -> None:
        self.listed: list[Waiting] = []
        self.files: dict[str, bytes] = {}
        self.status = 200
        self.fetched: list[str] = []
        self.raw: bytes | None = None

    def offer(self, *contents: bytes) -> None:
        for content in contents:
            name = f"answers-{len(self.listed) + 1:010}.age"
            self.listed.append(Waiting(name=name, sha256=hashlib.sha256(content).digest()))
            self.files[name] = content

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        take: Callable[[bytes], None] | None = None,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> Answer:
        assert (method, take) == ("GET", None)
        if target == "/v1/down":
            listed = pack(WaitingList(messages=tuple(self.listed))) if self.raw is None else self.raw
            tag = f'"{hashlib.sha256(listed).hexdigest()}"'
            if (headers or {}).get("If-None-Match") == tag:
                return Answer(status=304, headers={}, body=b"")
            return Answer(status=self.status, headers={"etag": tag}, body=listed if self.status == 200 else b"")
        assert answer_bytes_max == SEALED_BYTES_MAX
        name = target.removeprefix("/v1/down/")
        self.fetched.append(name)
        body = self.files.get(name)
        return Answer(status=200 if body is not None else 404, headers={}, body=body or b"")


class Door(Handover):
    """The way to a recorder that is asked for its judgement and nothing else; no socket is opened."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "nowhere")
        self.brought: list[bytes] = []
        self.fate = Fate.TAKEN

    def deliver(self, sealed: bytes) -> tuple[Fate, str]:
        self.brought.append(sealed)
        return self.fate, "as the test says"


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def messages(tmp_path: Path, door: Door) -> Messages:
    return Messages(tmp_path / "messages", door, Contact(tmp_path / "uplink.status"))


@pytest.mark.parametrize(
    "memory",
    [
        b"",
        b"\xff\xfe" * 100,
        b"taken\n\n \n a b c d\n",
        b"0" * 64 + b" taken x\n",
        b"0" * 64 + b" given 12\n",
        b"9" * 500_000,
    ],
)
def test_a_memory_that_says_nothing_is_no_memory(tmp_path: Path, door: Door, memory: bytes) -> None:
    (tmp_path / "messages").write_bytes(memory)
    assert messages(tmp_path, door).bring(b"sealed", "answers-0000000001.age") is Fate.TAKEN
    assert door.brought == [b"sealed"]


def test_a_message_is_brought_once_also_by_another_life_of_the_process(tmp_path: Path, door: Door) -> None:
    for _ in range(2):
        assert messages(tmp_path, door).bring(b"sealed", "answers-0000000001.age") is Fate.TAKEN
    assert door.brought == [b"sealed"]


def test_a_refused_message_is_tried_again_a_day_later_and_not_before(tmp_path: Path, door: Door) -> None:
    door.fate = Fate.REFUSED
    assert messages(tmp_path, door).bring(b"sealed", "answers-0000000001.age") is Fate.REFUSED
    assert messages(tmp_path, door).bring(b"sealed", "answers-0000000001.age") is Fate.REFUSED
    assert len(door.brought) == 1
    sha256, word, at_s = (tmp_path / "messages").read_text().split()
    (tmp_path / "messages").write_text(f"{sha256} {word} {int(at_s) - 86_401}\n")
    door.fate = Fate.TAKEN
    assert messages(tmp_path, door).bring(b"sealed", "answers-0000000001.age") is Fate.TAKEN


def test_what_was_refused_by_a_clock_that_ran_ahead_is_brought_again(tmp_path: Path, door: Door) -> None:
    sha256 = hashlib.sha256(b"sealed").hexdigest()
    (tmp_path / "messages").write_text(f"{sha256} refused 4000000000\n")
    assert messages(tmp_path, door).bring(b"sealed", "answers-0000000001.age") is Fate.TAKEN


def test_what_may_be_taken_later_is_not_settled(tmp_path: Path, door: Door) -> None:
    door.fate = Fate.LATER
    made = messages(tmp_path, door)
    assert made.bring(b"sealed", "answers-0000000001.age") is Fate.LATER
    assert not made.settled(hashlib.sha256(b"sealed").digest())


def test_what_was_fetched_and_cannot_be_taken_yet_is_not_fetched_again(tmp_path: Path, door: Door) -> None:
    door.fate = Fate.LATER
    collector = Collector()
    collector.offer(b"one", b"two")
    fetching = Fetching(collector, messages(tmp_path, door))
    for _ in range(3):
        assert fetching.turn()
    assert collector.fetched == ["answers-0000000001.age", "answers-0000000002.age"]
    door.fate = Fate.TAKEN
    fetching.turn()
    collector.offer(b"three")
    fetching.turn()
    assert set(door.brought) == {b"one", b"two", b"three"}
    assert len(collector.fetched) == 3


def test_one_turn_fetches_no_more_than_its_share(tmp_path: Path, door: Door) -> None:
    collector = Collector()
    collector.offer(*(f"{number}".encode() for number in range(WAITING_MAX)))
    fetching = Fetching(collector, messages(tmp_path, door))
    fetching.turn()
    assert len(collector.fetched) == FETCH_MAX
    for _ in range(WAITING_MAX // FETCH_MAX):
        fetching.turn()
    assert len(door.brought) == WAITING_MAX


def test_a_collector_that_invents_messages_is_left_alone_for_a_while(tmp_path: Path, door: Door) -> None:
    door.fate = Fate.REFUSED
    collector = Collector()
    collector.offer(*(os.urandom(64) for _ in range(WAITING_MAX)))
    fetching = Fetching(collector, messages(tmp_path, door))
    while fetching.turn():
        assert len(collector.fetched) <= REFUSED_MAX + FETCH_MAX
    assert len(collector.fetched) == 2 * FETCH_MAX


def test_a_true_answer_among_a_few_that_do_not_hold_comes_at_once(tmp_path: Path, door: Door) -> None:
    collector = Collector()
    collector.offer(b"one", b"two", b"three")
    door.fate = Fate.REFUSED
    fetching = Fetching(collector, messages(tmp_path, door))
    assert fetching.turn()
    door.fate = Fate.TAKEN
    collector.offer(b"the true one")
    assert fetching.turn()
    assert door.brought[-1] == b"the true one"


@pytest.mark.parametrize("lie", ["other bytes", "nothing", "no list", "too many"])
def test_a_collector_that_does_not_give_what_it_lists_brings_nothing(tmp_path: Path, door: Door, lie: str) -> None:
    collector = Collector()
    collector.offer(b"one")
    match lie:
        case "other bytes":
            collector.files["answers-0000000001.age"] = b"another"
        case "nothing":
            collector.files.clear()
        case "no list":
            collector.raw = os.urandom(100)
        case _:
            collector.listed = collector.listed * (WAITING_MAX + 1)
    fetching = Fetching(collector, messages(tmp_path, door))
    turns = 0
    while fetching.turn():
        turns += 1
    assert 0 < turns <= REFUSED_MAX
    assert door.brought == []


def test_a_collector_of_before_has_no_messages_and_one_that_is_ill_is_a_lost_link(tmp_path: Path, door: Door) -> None:
    collector = Collector()
    collector.status = 404
    assert Fetching(collector, messages(tmp_path, door)).turn()
    collector.status = 503
    with pytest.raises(UplinkFault):
        Fetching(collector, messages(tmp_path, door)).turn()
    assert door.brought == []


# --- files of strangers -----------------------------------------------------------------------------------------------


def test_no_link_leads_out_of_a_strangers_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    stick = tmp_path / "stick"
    (stick / "in").mkdir(parents=True)
    (stick / "in" / "file").write_bytes(b"file")
    (stick / "link").symlink_to(tmp_path)
    (stick / "in" / "link").symlink_to(tmp_path / "secret")
    with open_beneath(stick, "in/file") as file:
        assert file.read() == b"file"
    for way in (
        "link/secret",
        "in/link",
        "../secret",
        "in/../../secret",
        "/etc/passwd",
        "in",
        "",
        "in//file",
        "./in/file",
    ):
        with pytest.raises(OSError, match=r".*"):
            open_beneath(stick, way)
    with pytest.raises(OSError, match=r".*"):
        names_beneath(stick, "link", count_max=10)
    assert names_beneath(stick, "in", count_max=1) in (["file"], ["link"])


def test_messages_of_a_strangers_folder_are_read_within_bounds(tmp_path: Path) -> None:
    down = tmp_path / "down"
    down.mkdir()
    (down / "answers-0000000001.age").write_bytes(b"one")
    (down / "answers-0000000002.age").write_bytes(b"x" * (SEALED_BYTES_MAX + 1))
    os.mkfifo(down / "answers-0000000003.age")
    (down / "answers-0000000004.age").write_bytes(b"")
    (down / "answers-0000000005.age.tmp").write_bytes(b"x")
    assert list(sealed_messages(tmp_path, "down")) == [("answers-0000000001.age", b"one")]
    assert list(sealed_messages(tmp_path, "nowhere")) == []
    assert list(sealed_messages(tmp_path / "unplugged", "down")) == []
