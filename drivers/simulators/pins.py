"""The box's pins off a Pi: gpiozero's mock pins, whose edges the desk simulator sees and whose buttons it presses.

Each output edge goes to the desk in the call that made it, one JSON packet `{"pin": name, "on": bool}` over a
SOCK_SEQPACKET unix socket. The box never waits for the desk: without one the pins just change, and the next desk that
listens is shown the state of every output. From the desk come `{"pin": name, "on": bool}`: on is pressed.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gpiozero.pins.mock import MockFactory, MockPin

PACKET_BYTES_MAX: Final = 256
RETRY_S: Final = 0.1


class _ShownPin(MockPin):  # type: ignore[misc]  # gpiozero publishes no types
    """A mock pin that tells its factory of each change."""

    def _change_state(self, value: bool) -> bool:  # noqa: FBT001 - the name and signature are gpiozero's
        changed = bool(super()._change_state(value))
        if changed:
            self.factory.changed(self)
        return changed


class DeskPinFactory(MockFactory):  # type: ignore[misc]  # gpiozero publishes no types
    """A pin factory for gpiozero's devices; give it to drivers.panel.

    Args:
        desk: The desk's `pins.sock`; need not be there yet.
        names: BCM pin number to the name that the desk knows it by ("green", "start").
    """

    def __init__(self, desk: Path, names: Mapping[int, str]) -> None:
        super().__init__(pin_class=_ShownPin)
        self._desk = desk
        self._names = {f"GPIO{number}": name for number, name in names.items()}
        self._lock = threading.RLock()
        self._line: socket.socket | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="desk-pins", daemon=True)
        self._thread.start()

    def changed(self, pin: MockPin) -> None:
        """Show an edge to the desk (called by the pin itself)."""
        with self._lock:
            if pin.function == "output":
                self._show(pin)

    def close(self) -> None:
        """Let go of the desk and the pins."""
        self._closing.set()
        with self._lock:
            self._hang_up()
        if self._thread is not threading.current_thread():
            self._thread.join()
        super().close()

    def _show(self, pin: MockPin) -> None:
        if self._line is None:
            return
        packet = json.dumps(
            {"pin": self._names[pin.info.name], "on": bool(pin.state), "t_ns": time.monotonic_ns()}
        ).encode()
        try:
            self._line.send(packet, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except OSError:  # the desk is gone or does not look; it is shown everything when it is back
            self._hang_up()

    def _hang_up(self) -> None:
        """End the line, so that the thread which reads it makes another."""
        line, self._line = self._line, None
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        """Keep a line to the desk and take its presses."""
        while not self._closing.is_set():
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line, contextlib.suppress(OSError):
                line.connect(str(self._desk))
                self._show_all(line)
                self._take_presses(line)
            self._closing.wait(RETRY_S)

    def _show_all(self, line: socket.socket) -> None:
        with self._lock:
            if self._closing.is_set():
                return
            self._line = line
            for pin in self.pins.values():
                if pin.function == "output":
                    self._show(pin)

    def _take_presses(self, line: socket.socket) -> None:
        """Until the desk hangs up."""
        while not self._closing.is_set() and (packet := line.recv(PACKET_BYTES_MAX)):
            message: dict[str, Any] = json.loads(packet)
            for pin in list(self.pins.values()):
                if self._names[pin.info.name] == message["pin"]:
                    self._drive(pin, pressed=bool(message["on"]))
        with self._lock:
            self._line = None

    def _drive(self, pin: MockPin, *, pressed: bool) -> None:
        """A button pulls its pin to ground; the pin's own resistor pulls it up."""
        if pressed:
            pin.drive_low()
        else:
            pin.drive_high()
