"""Errors by whose fault they are and who can act; each with the exit code (sysexits.h) of a command that ends by it.

A forged passport is an ordinary day: findings and hits are values, never exceptions. A bug is an assertion and crashes.
"""

from collections.abc import Mapping
from typing import Final

EXIT_CODES: Final[Mapping[int, str]] = {
    0: "done",
    1: "done, but something that was looked at is not as it should be; it is named",
    64: "asked for in a way that this command does not take; nothing was done",
    65: "a file, a list or a message is damaged, or in another format",
    66: "a file or folder that was named is not there, or you may not read it",
    69: "a device, a token or another process of this machine does not answer",
    70: "a mistake in Landlink itself: please report the last lines",
    73: "there is no room; nothing was written",
    74: "the disk, or who may write to it, is in the way",
    75: "the link, or the far end of it; try again later",
    76: "not to be trusted: a signature, a hash, a proof or a version does not hold",
    77: "refused, and why: another state, mode or person is needed",
    78: "box.toml, or a file of headquarters' home, cannot be used as it is",
    130: "ended with Ctrl-C",
    141: "whoever read the output closed it",
}
"""What each exit code of each command means; 64 to 78 are those of sysexits.h."""


class LandlinkError(Exception):
    """The root of everything that this project raises on purpose. Its text never holds personal data or keys."""

    exit_code: int = 70


class Misuse(LandlinkError):
    """A command was asked for what it does not take. Its words say what it takes; nothing was done."""

    exit_code: int = 64


class NoInput(LandlinkError):
    """A file or folder that somebody named is not there, or may not be read. Nothing was done."""

    exit_code: int = 66


class Malformed(LandlinkError):
    """These bytes are not in the format: the sender's fault. A parser of outside bytes raises this and nothing else.

    Args:
        what: The format and the part of it, as its specification names them ("MRZ line 2", "age header").
        why: The rule that is broken, with the bound where there is one.
        offset: Where, in bytes or characters from the start of what was parsed; None where no place can be named.
    """

    exit_code: int = 65

    def __init__(self, what: str, why: str, *, offset: int | None = None) -> None:
        self.what = what
        self.why = why
        self.offset = offset
        place = "" if offset is None else f" at {offset}"
        super().__init__(f"{what}{place}: {why}")


class Untrusted(LandlinkError):
    """Well formed, but a signature, hash, proof, role, origin or version does not hold. Somebody looks into it."""

    exit_code: int = 76


class DeviceFault(LandlinkError):
    """A scanner, camera, lamp or token does not do its part. The driver's supervisor retries; the page says so."""

    exit_code: int = 69


class StorageFault(LandlinkError):
    """A write or sync did not succeed. The process stops; the supervisor restarts it; recovery decides what holds."""

    exit_code: int = 74


class StorageFull(LandlinkError):
    """There is no room within the bound for this kind of entry. Nothing was written; retried when space returns."""

    exit_code: int = 73


class UplinkFault(LandlinkError):
    """The link or the far end did not do its part. Expected, and retried for weeks."""

    exit_code: int = 75


class Refused(LandlinkError):
    """The other process understood and said no: wrong uid, verb, mode or state. Its words say what to do."""

    exit_code: int = 77


class ConfigError(LandlinkError):
    """The configuration cannot be used: the key, the value and the allowed range are in the text."""

    exit_code: int = 78
