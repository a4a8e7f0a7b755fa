"""Stage 7 of 8: show - what the lane has to show, for the page's thread; the last snapshot is the whole truth."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from appliance.booth.state import State
from appliance.model import Id
from appliance.recorded import Screened
from drivers.api import DeviceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where a device stands, in words without personal data."""

    state: DeviceState
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that the page draws, at one moment.

    Attributes:
        seen: What was screened, of open cases and the result on the screen; cases from before a restart have none.
        devices: By name.
        waiting: Records that the box could not keep yet.
        recorder_why: What keeps the box from recording; "" when nothing does.
        met: The recorder has answered since the booth started.
        notice: The newest quiet remark for the officer (a refused picture, bytes that made no document), or "".
    """

    state: State
    seen: Mapping[Id, Screened] = field(default_factory=dict[Id, Screened])
    devices: Mapping[str, Device] = field(default_factory=dict[str, Device])
    waiting: int = 0
    recorder_why: str = ""
    met: bool = False
    notice: str = ""


class Board:
    """Holds the newest snapshot; tells whoever asked that there is a newer one."""

    def __init__(self, first: Snapshot) -> None:
        self._lock = threading.Lock()
        self._latest = first
        self._told: set[Callable[[], None]] = set()

    @property
    def latest(self) -> Snapshot:
        """The newest snapshot."""
        return self._latest

    def publish(self, snapshot: Snapshot) -> None:
        """Put a newer one up. Returns at once; called from the lane's thread."""
        with self._lock:
            self._latest = snapshot
            told = tuple(self._told)
        for tell in told:
            tell()

    def subscribe(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Call `tell` (which must not block) at each publication, from the lane's thread; returns what ends that."""
        with self._lock:
            self._told.add(tell)

        def end() -> None:
            with self._lock:
                self._told.discard(tell)

        return end
