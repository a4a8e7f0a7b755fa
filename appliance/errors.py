"""Errors by whose fault they are and who can act; each with the exit code (sysexits.h) of a command that ends by it.

A forged passport is an ordinary day: findings and hits are values, never exceptions. A bug is an assertion and crashes.
"""


class LandlinkError(Exception):
    """The root of everything that this project raises on purpose. Its text never holds personal data or keys."""

    exit_code: int = 70


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
