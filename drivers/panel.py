"""Lamps, buzzer and buttons on GPIO pins, through gpiozero and whichever pins are handed in.

Debouncing is our own, so that it is the same on every kind of pin and can be tested: gpiozero's mock pins have none.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import gpiozero
from gpiozero.pins import Factory

from drivers.api import Button, Lamp, Sound
from drivers.lid import Lid

SETTLE_S: Final = 0.02
"""A contact bounces for up to 10 ms; a finger presses for 50 ms or more; a spark from a relay lasts microseconds."""

SOUNDS: Final[dict[Sound, tuple[float, float, int]]] = {
    Sound.DONE: (0.06, 0.06, 1),
    Sound.WAIT: (0.12, 0.12, 2),
    Sound.FAULT: (0.6, 0.2, 1),
}
"""Seconds on, seconds off, how often."""


class Debouncer:
    """Tells presses from bounces: a level counts once it has held for SETTLE_S. Pure; the times are the caller's."""

    def __init__(self) -> None:
        self._settled = False
        self._level = False
        self._due_s: float | None = None

    @property
    def due_s(self) -> float | None:
        """When to call `settle`, in the time that `edge` was given; None when nothing is moving."""
        return self._due_s

    def edge(self, *, pressed: bool, at_s: float) -> bool:
        """The contact closed (pressed) or opened. Returns True when the level before had held long enough: a press."""
        press = self.settle(at_s)
        self._level = pressed
        self._due_s = None if pressed == self._settled else at_s + SETTLE_S
        return press

    def settle(self, at_s: float) -> bool:
        """Time has passed. Returns True, once, when that makes a press of it."""
        if self._due_s is None or at_s < self._due_s:
            return False
        self._due_s = None
        self._settled = self._level
        return self._settled


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelPins:
    """Which BCM pin, 0 to 27, each part is on. Buttons close to ground; lamps and buzzer are lit by a high level.

    Attributes:
        lid: None where no switch is fitted under the lid.
    """

    green: int
    amber: int
    red: int
    buzzer: int
    start: int
    supervisor: int
    lid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edge:
    button: Button
    pressed: bool
    at_s: float


class GpioPanel:
    """The panel of a box (drivers.api.Panel).

    Args:
        pins: What is where.
        pin_factory: gpiozero's way to the pins: real ones (`LGPIOFactory`), mock ones, or the desk simulator's.
    """

    def __init__(self, pins: PanelPins, pin_factory: Factory) -> None:
        self._factory = pin_factory
        self._lamps = {
            Lamp.GREEN: gpiozero.LED(pins.green, pin_factory=pin_factory),
            Lamp.AMBER: gpiozero.LED(pins.amber, pin_factory=pin_factory),
            Lamp.RED: gpiozero.LED(pins.red, pin_factory=pin_factory),
        }
        self._buzzer = gpiozero.DigitalOutputDevice(pins.buzzer, pin_factory=pin_factory)
        self._edges: queue.SimpleQueue[_Edge | None] = queue.SimpleQueue()
        self._buttons = [
            self._button(Button.START, pins.start),
            self._button(Button.SUPERVISOR, pins.supervisor),
        ]
        self._lid = None if pins.lid is None else Lid(pins.lid, pin_factory)
        self._pressed: Callable[[Button], None] = _ignore
        self._thread = threading.Thread(target=self._watch, name="panel", daemon=True)
        self._thread.start()

    def show(self, lamp: Lamp | None) -> None:
        """Light this lamp and no other; never two at once. None: all dark."""
        for each, led in self._lamps.items():
            if each is not lamp:
                led.off()
        if lamp is not None:
            self._lamps[lamp].on()

    def sound(self, sound: Sound) -> None:
        """Give one short signal, in place of one that is still sounding; returns at once."""
        on_s, off_s, times = SOUNDS[sound]
        self._buzzer.blink(
            on_time=on_s,  # pyright: ignore[reportArgumentType]  # its default is 1, and there are no types
            off_time=off_s,  # pyright: ignore[reportArgumentType]  # as above
            n=times,
        )

    def on_press(self, pressed: Callable[[Button], None]) -> None:
        """Call `pressed` at each debounced press, from the panel's own thread."""
        self._pressed = pressed

    def on_lid(self, told: Callable[[bool], None]) -> None:
        """As `drivers.api.Panel`; nothing is told where no switch is fitted."""
        if self._lid is not None:
            self._lid.start(told)

    def close(self) -> None:
        """All dark; release the pins."""
        if self._lid is not None:
            self._lid.close()
        self._edges.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join()
        self.show(None)
        for device in (*self._lamps.values(), self._buzzer, *self._buttons):
            device.close()
        self._factory.close()

    def _button(self, button: Button, pin: int) -> gpiozero.DigitalInputDevice:
        device = gpiozero.DigitalInputDevice(pin, pull_up=True, pin_factory=self._factory)
        device.when_activated = lambda: self._edges.put(_Edge(button=button, pressed=True, at_s=time.monotonic()))
        device.when_deactivated = lambda: self._edges.put(_Edge(button=button, pressed=False, at_s=time.monotonic()))
        return device

    def _watch(self) -> None:
        """Turn edges into presses until the panel is closed."""
        debouncers = {button: Debouncer() for button in Button}
        while True:
            due = [debouncer.due_s for debouncer in debouncers.values() if debouncer.due_s is not None]
            try:
                edge = self._edges.get(timeout=max(0.0, min(due) - time.monotonic()) if due else None)
            except queue.Empty:
                now = time.monotonic()
                presses = [button for button, debouncer in debouncers.items() if debouncer.settle(now)]
            else:
                if edge is None:
                    return
                pressed = debouncers[edge.button].edge(pressed=edge.pressed, at_s=edge.at_s)
                presses = [edge.button] if pressed else []
            for button in presses:
                self._pressed(button)


def _ignore(button: Button) -> None:
    """Nobody listens to the buttons yet."""
    del button
