"""Stands before the TPM emulator as the kernel's resource manager does before a chip (/dev/tpmrm0).

The emulator serves one connection, and forgets nothing. Here several processes reach it at once, and what one of them
leaves behind is flushed when it goes. The TSS's own way to an emulator connects anew for each command, so nobody could
tell one process's things from another's: processes go through a pipe (`cmd:... reach DOOR`) instead.

    tpm_manager.py serve DOOR TPM     until its standard input ends; at DOOR.anew for one process that connects anew
    tpm_manager.py reach DOOR         commands from standard input, answers to standard output
"""

import contextlib
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

NO_SESSIONS = 0x8001
GET_CAPABILITY, FLUSH_CONTEXT, CONTEXT_SAVE, CONTEXT_LOAD, START_SESSION = 0x17A, 0x165, 0x162, 0x161, 0x176
COMMANDS = 2
TRANSIENT, SESSIONS = 0x80, (0x02, 0x03)
"""The first byte of a handle."""
DONE = struct.pack(">HII", NO_SESSIONS, 10, 0)
SESSIONS_MAX = 2
PIECE_BYTES = 4_096
PATIENCE_S = 30.0


class Chip:
    """The TPM, one command at a time."""

    def __init__(self, path: str) -> None:
        self._way = _reach(path)
        self.turn = threading.Lock()
        listed = self.say(GET_CAPABILITY, struct.pack(">III", COMMANDS, 0, 512))
        (count,) = struct.unpack_from(">I", listed, 15)
        self.attributes = {each & 0xFFFF: each for each in struct.unpack_from(f">{count}I", listed, 19)}
        """TPMA_CC of each command: how many handles it takes (bits 25 to 27), whether it gives one (28)."""

    def ask(self, command: bytes) -> bytes:
        """One command's answer."""
        self._way.sendall(command)
        return self._way.recv(PIECE_BYTES)

    def say(self, code: int, body: bytes) -> bytes:
        """A command without sessions."""
        return self.ask(struct.pack(">HII", NO_SESSIONS, 10 + len(body), code) + body)


class Client:
    """What one process has in the TPM: objects under handles of its own, out of the TPM between its commands."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._objects: dict[int, bytes] = {}
        self._sessions: list[int] = []
        self._next = 0x80FF0000

    def answer(self, command: bytes) -> bytes:
        """Put in what the command names, ask, take out again what is there now."""
        (code,) = struct.unpack_from(">I", command, 6)
        attributes = self._chip.attributes.get(code & 0xFFFF, 0)
        if code == FLUSH_CONTEXT and command[10] == TRANSIENT:
            self._objects.pop(struct.unpack_from(">I", command, 10)[0], None)
            return DONE
        named = struct.unpack_from(f">{attributes >> 25 & 7}I", command, 10)
        loaded: dict[int, int] = {}
        for handle in named:
            if handle in self._objects and handle not in loaded:
                loaded[handle] = struct.unpack_from(">I", self._chip.say(CONTEXT_LOAD, self._objects[handle]), 10)[0]
        real = struct.pack(f">{len(named)}I", *(loaded.get(handle, handle) for handle in named))
        answer = self._chip.ask(command[:10] + real + command[10 + len(real) :])
        for handle, at in loaded.items():
            self._take_out(handle, at)
        if struct.unpack_from(">I", answer, 6) != (0,):
            return answer
        if code in {FLUSH_CONTEXT, CONTEXT_SAVE}:
            (handle,) = struct.unpack_from(">I", command, 10)
            self._sessions = [each for each in self._sessions if each != handle]
        if attributes >> 28 & 1:
            return self._given(answer)
        return answer

    def gone(self) -> None:
        """Flush what is left."""
        for handle in self._sessions:
            self._chip.say(FLUSH_CONTEXT, struct.pack(">I", handle))

    def _given(self, answer: bytes) -> bytes:
        (handle,) = struct.unpack_from(">I", answer, 10)
        if answer[10] in SESSIONS:
            self._sessions.append(handle)
            for old in self._sessions[:-SESSIONS_MAX]:  # of a process that is gone: nobody holds more at once
                self._chip.say(FLUSH_CONTEXT, struct.pack(">I", old))
                self._sessions.remove(old)
        if answer[10] != TRANSIENT:
            return answer
        self._next += 1
        self._take_out(self._next, handle)
        return answer[:10] + struct.pack(">I", self._next) + answer[14:]

    def _take_out(self, handle: int, at: int) -> None:
        self._objects[handle] = self._chip.say(CONTEXT_SAVE, struct.pack(">I", at))[10:]
        self._chip.say(FLUSH_CONTEXT, struct.pack(">I", at))


def serve(door: str, tpm: str) -> None:
    """Let processes in at `door`."""
    chip = Chip(tpm)
    one = Client(chip)
    _open(f"{door}.anew", lambda way: _attend(way, chip, one))
    _open(door, lambda way: _attend(way, chip, None))
    while os.read(0, PIECE_BYTES):
        pass


def _open(door: str, attend: Callable[[socket.socket], None]) -> None:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{door}.new")
    listening.listen(16)
    Path(f"{door}.new").rename(door)

    def enter() -> None:
        while True:
            way, _ = listening.accept()
            threading.Thread(target=attend, args=(way,), daemon=True).start()

    threading.Thread(target=enter, daemon=True).start()


def _attend(way: socket.socket, chip: Chip, one: Client | None) -> None:
    client = one or Client(chip)
    with way, contextlib.suppress(OSError):
        while command := way.recv(PIECE_BYTES):
            with chip.turn:
                answer = client.answer(command)
            way.sendall(answer)
    if one is None:
        with chip.turn:
            client.gone()


def reach(door: str) -> None:
    """One process's way in; a command and its answer are one piece each."""
    manager = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(OSError):  # the TPM was taken away
        manager.connect(door)
        while command := os.read(0, PIECE_BYTES):
            manager.sendall(command)
            answer = manager.recv(PIECE_BYTES)
            if not answer:
                return
            os.write(1, answer)


def _reach(path: str) -> socket.socket:
    """Connect to an emulator that is only just being started. Raises OSError when there is none."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        tpm = socket.socket(socket.AF_UNIX)
        try:
            tpm.connect(path)
        except OSError:
            tpm.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return tpm


if __name__ == "__main__":
    {"serve": serve, "reach": reach}[sys.argv[1]](*sys.argv[2:])
