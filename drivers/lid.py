"""The switch under the lid of the box's case, on a GPIO pin: closed, it pulls the pin to ground.

So a cut wire reads as an open case. A lid that is open when the box starts is told as well; opened and closed while the
box is off, nobody sees it: that is a seal's work.
"""

import threading
from collections.abc import Callable
from typing import Final

import gpiozero
from gpiozero.pins import Factory

SETTLE_S: Final = 0.05
"""A lid's contact bounces and rattles; what lasts shorter is nobody's hand."""


class Lid:
    """Watches one switch.

    Args:
        pin: BCM number, 0 to 27.
        pin_factory: gpiozero's way to the pin.
    """

    def __init__(self, pin: int, pin_factory: Factory) -> None:
        self._moved = threading.Event()
        self._closing = threading.Event()
        self._switch = gpiozero.DigitalInputDevice(pin, pull_up=True, pin_factory=pin_factory)
        self._switch.when_activated = self._moved.set
        self._switch.when_deactivated = self._moved.set
        self._thread: threading.Thread | None = None

    def start(self, told: Callable[[bool], None]) -> None:
        """Call `told` with whether it is open, when it is found open and at each change, from a thread of its own."""
        self._thread = threading.Thread(target=self._watch, args=(told,), name="lid", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Release the pin."""
        self._closing.set()
        self._moved.set()
        if self._thread is not None:
            self._thread.join()
        self._switch.close()

    def _watch(self, told: Callable[[bool], None]) -> None:
        was_open = False
        while not self._closing.wait(SETTLE_S):
            self._moved.clear()
            is_open = not self._switch.is_active
            if is_open is not was_open:
                was_open = is_open
                told(is_open)
            self._moved.wait()
