"""What headquarters says to one box: counted, signed, sealed, and kept where collector and sticks find it.

```
down/<serial>/<role>-<counter>.age   sealed to the box; nobody here can open it again
down/<serial>/said.jsonl             what was said, a line a message or a code read out: headquarters' own memory
```
The message is durable before its line, and a counter is one more than any that a file or a line has. So a crash in
between costs a line and never says two things under one number.
"""

import contextlib
import os
import re
from collections.abc import Generator
from pathlib import Path
from typing import Final, Literal, assert_never

import msgspec

from appliance.errors import ConfigError, Malformed, Refused
from appliance.files import storage, sync_folder, write_durably
from appliance.formats.age import parse_recipient
from appliance.formats.downlink import (
    DOWNLINK_BYTES_MAX,
    CaseAnswer,
    Downlink,
    ListKey,
    Message,
    VoiceKey,
    box_name,
    downlink_digest,
    file_name,
    role_of,
    seal_downlink,
    sign_downlink,
)
from appliance.formats.refusal import refusal
from appliance.formats.release import RosterBox
from appliance.formats.voice import Verdict
from provisioning.authority.home import Home
from provisioning.authority.role_keys import role_key
from provisioning.lock import alone

SAID: Final = "said.jsonl"
_NUMBERED: Final = re.compile(r"([a-z]+)-([0-9]{10})\.age")


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of `said.jsonl`.

    Attributes:
        kind: "list_key", "voice_key", "case_answer", or "voice_code": read out over a telephone, no message.
        role, counter: Of the message; "" and 0 for a code read out.
        digest: SHA-256 of the signed message, hexadecimal, by which the box's record names it.
        case: Code of the case, as spoken.
        of: The screening record; "" when a code was read out before the record was here.
        signed: The signed message, of an answer: an exhibit proves by it what headquarters said.
    """

    kind: Literal["list_key", "voice_key", "case_answer", "voice_code"]
    at_ms: int = 0
    role: str = ""
    counter: int = 0
    digest: str = ""
    of: str = ""
    case: str = ""
    verdict: Verdict | None = None
    words: str = ""
    by: str = ""
    signed: bytes = b""


class Down:
    """What was said to one box.

    Args:
        home: Headquarters.
        box: As the roster has it.
    """

    def __init__(self, home: Home, box: RosterBox) -> None:
        self._home = home
        self._box = box
        self.folder = home.down / box.serial

    @property
    def name(self) -> str:
        """The box's name, which its voice key and every message carry."""
        return box_name(self._home.settings.domain, self._box.serial)

    def messages(self) -> tuple[Path, ...]:
        """The sealed messages, by role and counter."""
        return tuple(sorted(path for path in self.folder.glob("*.age") if _NUMBERED.fullmatch(path.name)))

    def said(self) -> tuple[Said, ...]:
        """What was said, oldest first; a last line that a power cut tore was never said.

        Raises:
            ConfigError: The file cannot be read.
            Malformed: It is damaged.
        """
        path = self.folder / SAID
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from None
        try:
            return tuple(msgspec.json.decode(line, type=Said) for line in lines[:-1])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed(SAID, refusal(error)) from None

    @contextlib.contextmanager
    def alone(self) -> Generator[None]:
        """Nobody else says anything to this box meanwhile: for looking and then saying. Raises StorageFault."""
        if self._box.revoked:
            raise Refused(f"box {self._box.serial} is revoked; nothing is sent to it")
        with alone(self.folder / ".lock"):
            yield

    def say(self, message: Message, *, at_ms: int, case: str = "") -> Path:
        """Count, sign, seal and keep one message; the caller holds `alone`.

        Args:
            message: What is said.
            at_ms: When, milliseconds since 1970.
            case: Code of the case that it answers.

        Returns:
            The sealed file, durable.

        Raises:
            Refused: It is too long to be sent.
            ConfigError: Headquarters' key of the role is not here, or another is in its place.
            StorageFull, StorageFault: Nothing was said.
        """
        role = role_of(message)
        key = role_key(self._home, role)
        counter = self._next(role)
        downlink = Downlink(box=self.name, counter=counter, at_ms=at_ms, message=message)
        signed = sign_downlink(downlink, public=key.public_key().public_bytes_raw(), sign=key.sign)
        if len(signed) > DOWNLINK_BYTES_MAX:
            raise Refused(f"the message has {len(signed)} bytes, at most {DOWNLINK_BYTES_MAX}: use fewer words")
        path = self.folder / file_name(role, counter)
        write_durably(path, seal_downlink(signed, parse_recipient(self._box.age_recipient)), mode=0o600)
        told, digest = _told(message, case, signed), downlink_digest(signed).hex()
        self.note(msgspec.structs.replace(told, at_ms=at_ms, role=role, counter=counter, digest=digest))
        return path

    def note(self, said: Said) -> None:
        """Write one line, durably; the caller holds `alone`. Raises StorageFull, StorageFault."""
        path = self.folder / SAID
        with storage(f"writing {path}"):
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "r+b") as file:
                file.truncate(_whole_lines(file.read()))
                file.seek(0, os.SEEK_END)
                file.write(msgspec.json.encode(said) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self.folder)

    def _next(self, role: str) -> int:
        numbered = (_NUMBERED.fullmatch(path.name) for path in self.messages())
        files = [int(match[2]) for match in numbered if match is not None and match[1] == role]
        lines = [said.counter for said in self.said() if said.role == role]
        return max([0, *files, *lines]) + 1


def _whole_lines(content: bytes) -> int:
    """How many bytes of it are whole lines; a line that a power cut tore is written over."""
    return content.rfind(b"\n") + 1


def _told(message: Message, case: str, signed: bytes) -> Said:
    """What of a message headquarters remembers; of keys, only that they were sent."""
    match message:
        case ListKey():
            return Said(kind="list_key")
        case VoiceKey():
            return Said(kind="voice_key")
        case CaseAnswer(of=of, verdict=verdict, words=words, by=by):
            return Said(kind="case_answer", of=of, case=case, verdict=verdict, words=words, by=by, signed=signed)
        case _:
            assert_never(message)
