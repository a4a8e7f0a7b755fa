"""A whole post in the hands of a test: its processes, its desk and its officer; what headquarters has, asked anew."""

import json
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from appliance.errors import DeviceFault
from appliance.formats.status import RecorderStatus, UplinkStatus, parse_status
from provisioning.bench.desk_line import DeskLine
from provisioning.bench.headless import Laid, Lane, await_delivery
from provisioning.bench.officer import Officer
from provisioning.bench.post import PICTURE_SHARE, SAMPLES, Post, prepare
from provisioning.bench.specimens import Traveller, travellers
from tests.scenarios.rehearsed import free_port

WAIT_S = 30.0
"""How long anything may take on the busiest machine; no test waits for it when things go well."""
Seen = TypeVar("Seen")


@dataclass
class PostAtWork:
    """One post that is up."""

    post: Post
    lane: Lane
    officer: Officer
    desk: DeskLine

    @property
    def box(self) -> Path:
        return self.post.folders.box

    def bring(self, *people: Traveller) -> list[Laid]:
        """See travellers through, one after the other."""
        return list(self.lane.work(people, StringIO()))

    def bring_until(self, people: Iterable[Traveller], done: Callable[[Laid], bool]) -> list[Laid]:
        """See travellers through until one fits; that one is the last of the list."""
        seen: list[Laid] = []
        for laid in self.lane.work(people, StringIO()):
            seen.append(laid)
            if done(laid):
                break
        return seen

    def state(self, fits: Callable[[dict[str, Any]], object] = bool) -> dict[str, Any]:
        """What the page says, once it says anything, and it fits."""
        return until(self._look, lambda state: state and fits(state))

    def _look(self) -> dict[str, Any]:
        with suppress(DeviceFault):  # the booth is being started
            return self.officer.state()
        return {}

    def recorder(self) -> RecorderStatus:
        """What the recorder last said of itself."""
        return parse_status((self.post.folders.runtime / "recorder.status").read_bytes(), RecorderStatus)

    def uplink(self) -> UplinkStatus:
        """What the uplink last said of itself."""
        return parse_status((self.post.folders.runtime / "uplink.status").read_bytes(), UplinkStatus)

    def at_headquarters(self) -> list[dict[str, Any]]:
        """Everything delivered, pulled, verified and opened: the lines of opened.jsonl."""
        await_delivery(self.post.folders)
        opened = self.post.folders.out / "opened.jsonl"
        for verb in (("pull",), ("verify",), ("open", "--out", str(opened))):
            self.post.audit(*verb)
        return [json.loads(line) for line in opened.read_text(encoding="utf-8").splitlines()]


@contextmanager
def post_at_work(
    out: Path,
    *,
    prepared: Callable[[Path], None] = lambda _: None,
    dialect: str = "elyctis",
    picture_share: float = PICTURE_SHARE,
) -> Generator[PostAtWork]:
    """Enrol a post with the sample lists and start it.

    Args:
        out: Its folder.
        prepared: Called with the folder of the box's durable files before anything is in it.
        dialect: What the scanner speaks; "none" for a post where the camera reads alone.
        picture_share: Below this free share of the disk the box keeps no pictures.
    """
    folders = prepare(out)
    prepared(folders.box)
    post = Post(folders, page_port=free_port(), dialect=dialect, picture_share=picture_share)
    try:
        post.enrol(SAMPLES / "documents.csv", SAMPLES / "persons.xml")
        post.start()
        desk = DeskLine(folders.desk / "desk.sock")
        lane = Lane(post)
        try:
            yield PostAtWork(post=post, lane=lane, officer=Officer(post.page_port), desk=desk)
        finally:
            lane.close()
            desk.close()
    finally:
        post.stop()


def until(look: Callable[[], Seen], fits: Callable[[Seen], object]) -> Seen:
    """What `look` sees, once it fits; for what gives no event."""
    deadline = time.monotonic() + WAIT_S
    while not fits(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r}"
    return seen


def quiet_day(seed: int) -> list[Traveller]:
    """Travellers with passports and nothing against them, each once."""
    quiet = (one for one in travellers(datetime.now(UTC).date(), seed) if one.label.startswith("Passport"))
    return list(islice(quiet, 5_000))


def traveller(label: str, seed: int = 5) -> Traveller:
    """The traveller of the rehearsal's script with this label."""
    return next(one for one in travellers(datetime.now(UTC).date(), seed) if one.label == label)
