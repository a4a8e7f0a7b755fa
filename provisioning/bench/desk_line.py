"""Speaks to the desk simulator: lays documents on the scanner, presses buttons, hears of every lamp edge."""

import contextlib
import json
import queue
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import DeviceFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The last byte of a document left the scanner; CLOCK_MONOTONIC, nanoseconds."""

    t_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A lamp (or the buzzer) changed, as the observer of the pins saw it; CLOCK_MONOTONIC, nanoseconds."""

    t_ns: int
    lamp: str
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Photographed:
    """The box has its camera's image of what lies there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The box has let go of the scanner: it is being stopped, or was."""


class DeskLine:
    """One control connection to the desk.

    Attributes:
        events: What the desk observed, in order.
    """

    def __init__(self, address: Path) -> None:
        self.events: queue.SimpleQueue[Sent | Edge | Photographed | Gone] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._asking = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(address))
        self._listener = threading.Thread(target=self._listen, name="desk", daemon=True)
        self._listener.start()
        self.ask(do="state")  # answered: from now on the desk tells this connection every event

    def ask(self, **request: object) -> dict[str, Any]:
        """Ask for one thing ("do": lay, remove, press ...) and wait for the answer.

        Raises:
            DeviceFault: The desk refused, or does not answer within 10 s.
        """
        with self._asking:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            try:
                answer = self._answers.get(timeout=10)
            except queue.Empty:
                raise DeviceFault("the desk simulator does not answer") from None
        if not answer.get("ok"):
            raise DeviceFault(f"the desk simulator refused: {answer.get('why', 'no reason given')}")
        return answer

    def close(self) -> None:
        """End the connection and the thread that listens to it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._listener.join()
        self._socket.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._socket.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                match message.get("event"):
                    case None:
                        self._answers.put(message)
                    case "sent":
                        self.events.put(Sent(t_ns=message["t_ns"]))
                    case "lamp":
                        self.events.put(Edge(t_ns=message["t_ns"], lamp=message["lamp"], on=message["on"]))
                    case "photographed":
                        self.events.put(Photographed())
                    case "gone":
                        self.events.put(Gone())
                    case _:
                        continue
