"""One lane in one thread: documents, typed pages, buttons, officers' words and devices wait in one queue, in order.

They are taken one at a time, so no two can mix their persons, and a result never waits for anything but its own record.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar, assert_never

from appliance.booth.events import Following, NextTraveller, Word
from appliance.errors import LandlinkError
from appliance.model import DocumentReading
from appliance.notify import ALIVE, notify
from appliance.scan.reading import reading_of
from drivers.api import Button, DeviceState, Frame, Lamp, Noise, Panel, Scanner, ScannerEvent, StateChanged

T = TypeVar("T")
QUEUE_MAX: Final = 256
"""What may wait for the lane; a scanner that is faster waits too."""
TICK_S: Final = 0.5
"""How often an idle lane looks whether the recorder is back."""
SHOWN_AT_LEAST_S: Final = 1.0
"""A referral stays this long before a document that was laid early may replace it: the lamp belongs to one person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    reading: DocumentReading
    following: Following
    done: Future[None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _LookedUp:
    reading: DocumentReading
    done: Future[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    word: Word
    done: Future[None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noticed:
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lid:
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    frame: Frame
    number: int


_Item = _Laid | _Typed | _LookedUp | _Said | _Noticed | _Lid | Noise | StateChanged | Button


class AtTheLane(Protocol):
    """Who works the lane: a border post's clerk, or the desk of a carrier. Each method is called in the lane's thread.

    Attributes:
        shown_s: When the newest result was lit, seconds of the monotonic clock.
    """

    shown_s: float

    @property
    def lamp(self) -> Lamp | None:
        """What is lit now."""
        ...

    def document(self, reading: DocumentReading, following: Following = ...) -> None:
        """Take one document: judge, record, show. Raises Refused when `following` is not possible now."""
        ...

    def look_up(self, reading: DocumentReading) -> str:
        """Judge and record a document that nobody has brought. Raises Refused when it is not recorded."""
        ...

    def say(self, word: Word) -> None:
        """Take an officer's word. Raises Refused when it is not possible now; nothing was changed."""
        ...

    def idle(self) -> None:
        """A quiet moment."""
        ...

    def tend(self) -> None:
        """Between two things."""
        ...

    def device(self, name: str, state: DeviceState, why: str) -> None:
        """A device came, went or failed."""
        ...

    def lid(self, *, is_open: bool) -> None:
        """The box's case was opened or closed."""
        ...

    def not_read(self) -> None:
        """The scanner sent something that is no document."""
        ...

    def remark(self, text: str) -> None:
        """Show a quiet remark."""
        ...


class Lane:
    """Takes what happens in a lane to its clerk, one thing at a time.

    Attributes:
        laid: How many documents the scanner has given; who takes a picture compares it (another page may lie there).
        at_work: Which of them the clerk has before it.

    Args:
        arrived: Told the number of each document the moment it comes, from the scanner's thread; returns at once.
    """

    def __init__(self, scanner: Scanner, panel: Panel, arrived: Callable[[int], None] = lambda _number: None) -> None:
        self._scanner = scanner
        self._panel = panel
        self._queue: queue.Queue[_Item | None] = queue.Queue(maxsize=QUEUE_MAX)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._arrived = arrived
        self.laid = 0
        self.at_work = 0

    def start(self, clerk: AtTheLane) -> None:
        """Begin: first what waited for an outcome before the booth went away, then the scanner."""
        self._panel.show(None)
        self._panel.on_press(self._queue.put)
        self._panel.on_lid(lambda is_open: self._queue.put(_Lid(is_open=is_open)))
        self._thread = threading.Thread(target=self._run, args=(clerk,), name="lane")
        self._thread.start()
        self._scanner.start(self._deliver)

    def stop(self) -> None:
        """Finish what is under way, go dark."""
        self._stopping.set()
        self._scanner.stop()
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join()
        self._panel.close()

    def say(self, word: Word, *, within_s: float) -> None:
        """Take an officer's word; returns when it is taken.

        Raises:
            Refused: It is not possible now; nothing was changed.
            TimeoutError: The lane is busy for longer; it is taken later.
        """
        done: Future[None] = Future()
        self._queue.put(_Said(word=word, done=done))
        done.result(timeout=within_s)

    def typed(self, reading: DocumentReading, following: Following, *, within_s: float) -> None:
        """Take a typed page; returns when its result is shown. Raises as `say`."""
        done: Future[None] = Future()
        self._queue.put(_Typed(reading=reading, following=following, done=done))
        done.result(timeout=within_s)

    def look_up(self, reading: DocumentReading, *, within_s: float) -> str:
        """Look a document up that nobody has brought; what was found, in words for the officer. Raises as `say`."""
        done: Future[str] = Future()
        self._queue.put(_LookedUp(reading=reading, done=done))
        return done.result(timeout=within_s)

    def notice(self, words: str) -> None:
        """Show a quiet remark, in words for the officer, without personal data."""
        self._queue.put(_Noticed(words=words))

    def tell(self, word: Word) -> None:
        """Say something that nobody waits for; a lane that is busy for long does not hear it."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(_Said(word=word, done=Future()))

    def _deliver(self, event: ScannerEvent) -> None:
        if not isinstance(event, Frame):
            self._queue.put(event)
            return
        self.laid += 1
        self._arrived(self.laid)
        self._queue.put(_Laid(frame=event, number=self.laid))

    def _run(self, clerk: AtTheLane) -> None:
        clerk.idle()
        while True:
            notify(ALIVE)
            try:
                item = self._queue.get(timeout=TICK_S)
            except queue.Empty:
                clerk.idle()
                continue
            if item is None:
                return
            self._handle(clerk, item)
            clerk.tend()

    def _handle(self, clerk: AtTheLane, item: _Item) -> None:  # noqa: C901 - one arm an item, nothing else
        match item:
            case _Laid():
                self._wait_for_eyes(clerk)
                self.at_work = item.number
                clerk.document(reading_of(item.frame))
            case _Typed():
                _answer(item.done, lambda: clerk.document(item.reading, item.following))
            case _LookedUp():
                _answer(item.done, lambda: clerk.look_up(item.reading))
            case _Said():
                _answer(item.done, lambda: clerk.say(item.word))
            case Button.START:
                clerk.say(NextTraveller())
            case Button.SUPERVISOR:
                clerk.remark("The supervisor was called with the button.")
            case StateChanged():
                clerk.device(item.device, item.state, item.why)
            case _Lid():
                clerk.lid(is_open=item.is_open)
            case Noise():
                clerk.not_read()
            case _Noticed():
                clerk.remark(item.words)
            case _:
                assert_never(item)

    def _wait_for_eyes(self, clerk: AtTheLane) -> None:
        """A document that is laid before a referral could be seen waits a moment; nothing found makes nobody wait."""
        if clerk.lamp not in (None, Lamp.GREEN):
            self._stopping.wait(max(0.0, clerk.shown_s + SHOWN_AT_LEAST_S - time.monotonic()))


def _answer(done: Future[T], work: Callable[[], T]) -> None:
    try:
        answer = work()
    except LandlinkError as error:
        done.set_exception(error)
    else:
        done.set_result(answer)
