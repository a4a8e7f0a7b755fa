"""The process: look at the mirror once a second, take what is new, tell the recorder, say what is in service.

A refused release changes nothing but `why` in the status. One that waits for its list key is taken as soon as the
recorder has that. The recorder is told at each switch and at the start (it may not have heard of the last one before a
power cut); telling it twice is safe.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from appliance.errors import LandlinkError, Malformed, StorageFull, Untrusted
from appliance.files import replace_file
from appliance.formats.list_key import key_id
from appliance.formats.release import Policy, Release
from appliance.formats.rules import Rules
from appliance.formats.status import ReleasesStatus, encode_status
from appliance.formats.wire import Cosigned, LastCosigned, Switched
from appliance.line import RecorderAway, RecorderLine, list_keys
from appliance.model import Line
from appliance.notify import ALIVE, READY, notify
from appliance.releases.proven import ProvenTime
from appliance.releases.take import WaitingForKey, take_release
from appliance.screen.lists import Lists
from appliance.shelf import Shelf

LOOK_S: Final = 1.0
"""Between two looks at the mirror's timestamp.json."""
AGAIN_S: Final = 60.0
"""A refused release is looked at again after this long: the mirror may have been incomplete, the disk full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where this process reads and writes: `state/mirror`, `state/releases` and `runtime/releases.status`."""

    mirror: Path
    shelf: Shelf
    status: Path


class Releases:
    """One run of the process.

    Args:
        places: Its folders.
        line: To the recorder.
        proven: The time that is proven; no clock is asked (I9).
        report: One line for the journal at each switch and each refusal, without personal data.
    """

    def __init__(self, places: Places, line: RecorderLine, proven: ProvenTime, report: Callable[[str], None]) -> None:
        self._places = places
        self._line = line
        self._proven = proven
        self._report = report
        self._seen: tuple[int, int, int] | None = None
        self._ticks_left = 0
        self._ask_in = 0
        self._still_since: date | None = None
        self._why: Line = ""
        self._policy: Policy | None = None
        self._rules: Rules | None = None
        self._told = 0
        self._awaited: frozenset[bytes] = frozenset()
        self._untested: frozenset[bytes] = frozenset()

    def start(self) -> None:
        """Load what is in service and say so; a release that no longer verifies is reported and stays in its place."""
        try:
            if self._places.shelf.version():
                self._in_service(self._places.shelf.load())
        except LandlinkError as error:
            self._refuse(f"the release in service: {error}")
        self._write_status()

    def look(self) -> None:
        """One look: take what is new, and tell the recorder what it has not heard of.

        Raises:
            StorageFault: The disk fails; the process ends and is started again.
        """
        self._proven.look()
        stamp = self._stamp()
        self._ticks_left -= 1
        again = (self._why and self._ticks_left <= 0) or self._here(self._awaited)
        if stamp is not None and (stamp != self._seen or again):
            self._seen, self._ticks_left = stamp, int(AGAIN_S / LOOK_S)
            self._take()
            self._write_status()
        if self._here(self._untested):
            self._test()
            self._write_status()
        self._tell()
        self._ask_time()

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set. Raises StorageFault."""
        self.start()
        notify(READY)
        while True:
            self.look()
            notify(ALIVE)
            if stop.wait(LOOK_S):
                return

    def _take(self) -> None:
        shelf, keys, self._awaited = self._places.shelf, list_keys(self._line), frozenset()
        first = not shelf.version()
        try:
            release = take_release(shelf, self._places.mirror, lower_bound_ms=self._proven.at_ms, keys=keys)
        except (Untrusted, Malformed, StorageFull) as error:
            if isinstance(error, WaitingForKey):
                self._awaited = error.lacking
            self._refuse(str(error))
            return
        self._why = ""
        if release is not None:
            self._in_service(release)
            rules = f"rules {release.rules.version}"
            self._report(f"release {release.version} of {release.dated} with {rules} is in service")
            self._untested = Lists.from_release(release, keys).lacking if first else frozenset()

    def _in_service(self, release: Release) -> None:
        self._policy, self._rules = release.policy, release.rules

    def _here(self, wanted: frozenset[bytes]) -> bool:
        """Whether there are list keys that something waits for, and the recorder has them all."""
        return bool(wanted) and wanted <= {key_id(key) for key in list_keys(self._line)}

    def _test(self) -> None:
        """Test the first release, which was taken before its key was here."""
        self._untested = frozenset()
        try:
            Lists.from_release(self._places.shelf.load(), list_keys(self._line)).self_test()
        except LandlinkError as error:
            self._refuse(f"the release in service: {error}")
        else:
            self._report("the release in service has been tested: its list key is here")

    def _refuse(self, why: str) -> None:
        if why != self._why:
            self._report(f"refused: {why}")
        self._why = why[:256]

    def _tell(self) -> None:
        version = self._places.shelf.version()
        if version in (0, self._told):
            return
        try:
            self._line.ask(Switched(version=version))
        except RecorderAway:
            return  # asked again at the next look
        except LandlinkError as error:
            self._report(f"the recorder does not take release {version}: {error}")
        self._told = version

    def _ask_time(self) -> None:
        """Once a minute: what has headquarters signed last, and should a newer release have come before that?"""
        self._ask_in -= 1
        if self._ask_in < 0:
            self._ask_in = int(AGAIN_S / LOOK_S)
            try:
                answer = self._line.ask(LastCosigned())
                self._proven.hear(answer.note if isinstance(answer, Cosigned) else b"")
            except LandlinkError:
                pass  # away, not enrolled yet, or not headquarters' word: nothing is proven by it
        self._proven.look()
        if self._proven.still_since == self._still_since:
            return
        self._still_since = self._proven.still_since
        self._write_status()
        if self._still_since is not None:
            self._report(f"headquarters' mirror stands still since {self._still_since}")

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = (self._places.mirror / "metadata" / "timestamp.json").stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _write_status(self) -> None:
        status = ReleasesStatus(
            version=self._places.shelf.version(),
            dated=self._policy.dated if self._policy else None,
            why=self._why,
            still_since=self._still_since,
            sources=self._policy.sources if self._policy else (),
            rules=self._rules.version if self._rules else 0,
            list_ages=self._rules.list_ages if self._rules else (),
        )
        replace_file(self._places.status, encode_status(status))
