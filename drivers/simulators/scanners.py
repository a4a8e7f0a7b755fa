"""The device's side of each dialect, without I/O: what a scanner answers, and how it reports what lies in its slot."""

from typing import Final, Protocol

REQUEST_BYTES_MAX: Final = 64
"""The longest request of any dialect has 4 bytes."""


class Device(Protocol):
    """A scanner as it behaves on the line."""

    @property
    def armed(self) -> bool:
        """Whether it reports the next document by itself."""
        ...

    def receive(self, chunk: bytes) -> bytes:
        """Take bytes from the box; return what the device answers."""
        ...

    def report(self, lines: list[str]) -> bytes:
        """The bytes about a document whose zone reads `lines`; [] when the device can read nothing."""
        ...

    def reset(self) -> None:
        """Power or the host is gone: forget every mode."""
        ...


class ElyctisDevice:
    """Elyctis ID BOX One (Scanner Command Set v1.7): continuous mode ends with each good reading."""

    VERSION: Final = b"ID BOX ONE SIMULATOR V1.7"

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._armed = False
        self._shown: list[str] = []

    @property
    def armed(self) -> bool:
        """Whether continuous mode is on."""
        return self._armed

    def receive(self, chunk: bytes) -> bytes:
        """Answer the requests that these bytes complete; bytes that start none are ignored, as the device does."""
        self._buffer += chunk
        answers = b""
        while len(self._buffer) >= 3:
            command, size = self._buffer[0], 3 + int.from_bytes(self._buffer[1:3], "big")
            if size > REQUEST_BYTES_MAX or command not in b"CILRTVW":
                del self._buffer[0]
                continue
            if len(self._buffer) < size:
                break
            body = bytes(self._buffer[3:size])
            del self._buffer[:size]
            answers += self._answer(command, body)
        return answers

    def report(self, lines: list[str]) -> bytes:
        """An unsolicited document frame; a good one turns continuous mode off."""
        self._shown = lines
        self._armed = self._armed and not lines
        return _frame(ord("I"), "\r".join(lines).encode("ascii"))

    def reset(self) -> None:
        """Out of continuous mode, half a request forgotten."""
        self._buffer.clear()
        self._armed = False
        self._shown = []

    def _answer(self, command: int, body: bytes) -> bytes:
        match chr(command), body:
            case "C", b"\x00" | b"\x01":
                self._armed = body == b"\x01"
                return _frame(command, body)
            case "I", b"":
                return _frame(command, "\r".join(self._shown).encode("ascii"))
            case "L", b"":
                return _frame(command, "".join(self._shown[:1]).encode("ascii"))
            case (("R" | "T" | "V" | "W"), b""):
                return _frame(command, self.VERSION)
            case _:
                return b""


def _frame(command: int, body: bytes) -> bytes:
    return bytes((command,)) + len(body).to_bytes(2, "big") + body


class GenericDevice:
    """A reader that just sends the lines, each closed by CR; it says nothing when it can read nothing."""

    @property
    def armed(self) -> bool:
        """Always."""
        return True

    def receive(self, chunk: bytes) -> bytes:
        """It has no requests."""
        del chunk
        return b""

    def report(self, lines: list[str]) -> bytes:
        """The lines as they are."""
        return "".join(line + "\r" for line in lines).encode("ascii")

    def reset(self) -> None:
        """It has no modes."""
