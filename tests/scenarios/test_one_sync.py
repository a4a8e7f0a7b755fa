"""One sync a record on the way to the light, counted by strace at the recorder of a whole post at work (I1)."""

import re
import shutil
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.formats.status import RecorderStatus
from provisioning.bench.evidence import read_log
from tests.scenarios.post_at_work import PostAtWork, post_at_work, quiet_day, traveller
from tests.tracing import strace

pytestmark = [
    pytest.mark.post,
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace"),
]

SYNC = re.compile(r"\b(?P<call>fdatasync|fsync|sync_file_range|sync|syncfs|msync)\((?:\d+<(?P<path>[^>]*)>)?")
MESSAGE = re.compile(r'\b(?P<call>recvmsg|sendto)\((?P<connection>\d+)<[^"]*"[^"]*/(?P<role>\w+)\.sock"\]>(?P<rest>.*)')
VERB = re.compile(r'iov_base="(?:.*?dtype.(?P<verb>append|hello|event|list_cases))?')
JOURNAL, BODY, BODIES = "recorder/journal", "bodies/*", "bodies"
ROOM = "room in recorder/journal"
SHORT = [JOURNAL]
LONG = [BODY, BODIES, JOURNAL]
"""A body over 64 KiB is a durable file before the entry that names it: file and folder at once, then the journal."""


@dataclass
class Trace:
    """What the recorder synced, in order.

    Attributes:
        appends: For each record of the booth, what was synced between its message and the answer.
        shared: How many of them were answered right behind another answer, after the syncs that are told there.
        others: For each other message of the booth, the same.
        beside: How many other messages were answered so: what the booth's events and others' messages log.
        aside: What was synced outside of that, when nobody waits for a light.
    """

    appends: list[list[str]] = field(default_factory=list)
    others: list[list[str]] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    shared: int = 0
    beside: int = 0


def parse(text: str, state: Path) -> Trace:
    """Messages that came together are answered one after the other; what is synced before an answer is for that one."""
    trace, asked, since, answering = Trace(), defaultdict[str, list[str]](list), list[str](), False
    for line in text.splitlines():
        message, sync = MESSAGE.search(line), SYNC.search(line)
        if sync:
            (since if any(asked.values()) else trace.aside).append(place(sync["call"], sync["path"], state))
            answering = False
        elif message and message["call"] == "recvmsg" and (verb := VERB.search(message["rest"])):
            asked[message["connection"]].append(verb["verb"] if message["role"] == "booth" else message["role"])
            answering = False
        elif message and message["call"] == "sendto":
            match asked[message["connection"]].pop(0):
                case "append":
                    trace.appends.append(since)
                    trace.shared += answering and not since
                case "hello" | "event" | "list_cases":
                    trace.others.append(since)
                    trace.beside += answering and not since
                case _:
                    trace.beside += answering and not since
                    trace.aside.extend(since)
            since, answering = [], True
    return trace


def place(call: str, path: str | None, state: Path) -> str:
    """A synced path below the box's state, its changing parts left out."""
    assert path is not None, "a sync of everything"
    below = Path(path).relative_to(state).as_posix()
    below = re.sub(r"^recorder/journal\.\d+$", JOURNAL if call == "fdatasync" else ROOM, below)
    return re.sub(r"^(bodies|log|receipts|recorder/case-keys|recorder/cases)/.*", r"\1/*", below)


@contextmanager
def traced(work: PostAtWork, file: Path) -> Generator[None]:
    """Trace the recorder while the block runs."""
    (recorder,) = [process for process in work.post.processes if process.name == "recorder"]
    assert recorder.lives is not None
    calls = "trace=recvmsg,sendto,fdatasync,fsync,sync_file_range,sync,syncfs,msync"
    with strace(recorder.lives.pid, "-yy", "-s", "64", "-e", calls, "-o", str(file)):
        yield


def settled(work: PostAtWork) -> RecorderStatus:
    """The recorder when everything that the travellers left is recorded, published, delivered and acknowledged."""
    work.at_headquarters()
    return work.recorder()


def body_sizes(box: Path) -> list[int]:
    """Bytes of each sealed body on the box, which keeps them for a week, in the log's order."""
    sizes = {int(path.name.split(".")[0]): path.stat().st_size for path in (box / "bodies").iterdir()}
    assert sizes.keys() == read_log(box).sealed.keys()
    return [sizes[index] for index in sorted(sizes)]


def test_one_sync_a_record_and_none_for_publication(tmp_path: Path) -> None:
    people = [*quiet_day(3)[:10], traveller("Listed document"), traveller("Border pass, typed in")]
    with post_at_work(tmp_path / "out") as work:
        work.bring(*quiet_day(4)[:1])
        before, had = settled(work), body_sizes(work.box)
        with traced(work, tmp_path / "trace.txt"):
            work.bring(*people)
            after = settled(work)
        new = body_sizes(work.box)[len(had) :]

    trace = parse((tmp_path / "trace.txt").read_text(encoding="utf-8", errors="replace"), work.box)
    long = [size for size in new if size > 65_536]
    assert len(trace.appends) == len(new) >= 2 * len(people)
    assert sum(syncs.count(BODY) for syncs in trace.appends) == len(long) > 0
    assert trace.appends.count([]) == trace.shared, "an answer without a sync came right behind one that had it"
    synced = [syncs for syncs in trace.appends if syncs]
    alone = [syncs for syncs in synced if syncs.count(BODY) <= 1]
    assert all(sorted(syncs[:-1]) == sorted(LONG[:-1]) for syncs in alone if syncs != SHORT)
    assert all(syncs[-1] == JOURNAL for syncs in synced)
    assert all(syncs.count(JOURNAL) == 1 for syncs in synced)
    assert all(syncs in ([], [JOURNAL]) for syncs in trace.others)

    # One sync of the journal an entry, whoever it is for, or for those that were answered together. What is published
    # is synced when a journal is followed by the next one, and this day is too short for that. Beside it stand the keys
    # of open cases, made and destroyed, and room in the journal for entries to come, made while nobody waits.
    journal = [JOURNAL for syncs in (*trace.appends, *trace.others, trace.aside) for one in syncs if one == JOURNAL]
    assert len(journal) == after.syncs - before.syncs
    assert 0 <= after.entries - before.entries - len(journal) <= trace.shared + trace.beside
    assert set(trace.aside) <= {JOURNAL, ROOM, "recorder/case-keys", "recorder/case-keys/*"}
