"""Targets that break their promise on purpose, for the test that a break of each kind is found."""

from typing import Final

from appliance.parse.characters import compute_check_digit
from tests.fuzz.reading import Target

MUCH_BYTES: Final = 1 << 30


def _raise(data: bytes) -> None:
    """KeyError for whatever no machine readable zone has."""
    compute_check_digit(data.decode("latin-1"))


def _hang(data: bytes) -> None:
    while data[:1] == b"L":
        pass


def _hoard(data: bytes) -> None:
    if data[:1] == b"L":
        bytearray(MUCH_BYTES)


PLANTED: Final = {
    "planted-raise": Target(_raise, lambda: [b"L898902C3"]),
    "planted-hang": Target(_hang, lambda: [b"L898902C3"], timeout_s=1),
    "planted-hoard": Target(_hoard, lambda: [b"L898902C3"]),
}
