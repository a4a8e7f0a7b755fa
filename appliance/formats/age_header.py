"""The textual header of an age v1 file (C2SP age, "Header"): version line, recipient stanzas, MAC.

Parsing is total and strict: canonical base64 without padding, lines of 64 columns, a shorter last line.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.errors import Malformed, Untrusted

VERSION_LINE: Final = b"age-encryption.org/v1\n"
COLUMNS: Final = 64
STANZAS_MAX: Final = 32
HEADER_BYTES_MAX: Final = 131_072
"""Room for STANZAS_MAX hybrid stanzas of 1.6 KB, twice."""
_ARGUMENT_LINE: Final = re.compile(rb"->((?: [!-~]+)+)\n")
_BODY_LINE: Final = re.compile(rb"([A-Za-z0-9+/]*)\n")
_MAC_LINE: Final = re.compile(rb"---( ([A-Za-z0-9+/]{43})\n)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stanza:
    """One recipient's wrapping of the file key: the type and its arguments, and the body."""

    arguments: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A parsed header, its MAC not yet checked.

    Attributes:
        authenticated: What the MAC covers: from the first byte up to and including `---`.
        payload_offset: Where the payload begins.
    """

    stanzas: tuple[Stanza, ...]
    authenticated: bytes
    mac: bytes
    payload_offset: int


def encode_base64(data: bytes) -> str:
    """Standard alphabet, no padding."""
    return base64.b64encode(data).decode("ascii").rstrip("=")


def decode_base64(text: str, *, what: str) -> bytes:
    """The inverse of `encode_base64`. Raises Malformed for padding and for what is not canonical."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(what, "not base64") from None
    if encode_base64(data) != text:
        raise Malformed(what, "not canonical base64")
    return data


def _encode_stanza(stanza: Stanza) -> bytes:
    body = encode_base64(stanza.body)
    lines = [body[start : start + COLUMNS] for start in range(0, len(body) + 1, COLUMNS)]
    return f"-> {' '.join(stanza.arguments)}\n{''.join(line + chr(10) for line in lines)}".encode("ascii")


def encode_header(stanzas: tuple[Stanza, ...], file_key: bytes | bytearray) -> bytes:
    """The whole header for these stanzas, with its MAC."""
    authenticated = VERSION_LINE + b"".join(_encode_stanza(stanza) for stanza in stanzas) + b"---"
    mac = _mac(authenticated, file_key).finalize()
    return authenticated + f" {encode_base64(mac)}\n".encode("ascii")


def parse_header(blob: bytes) -> Header:
    """Parse the header at the start of an age file. Raises Malformed."""
    text = blob[:HEADER_BYTES_MAX]
    if not text.startswith(VERSION_LINE):
        raise Malformed("age header", "no version line of age v1", offset=0)
    offset = len(VERSION_LINE)
    stanzas: list[Stanza] = []
    while not (end := _MAC_LINE.match(text, offset)):
        if len(stanzas) == STANZAS_MAX:
            raise Malformed("age header", f"more than {STANZAS_MAX} stanzas", offset=offset)
        stanza, offset = _parse_stanza(text, offset)
        stanzas.append(stanza)
    if not stanzas:
        raise Malformed("age header", "no recipient stanza", offset=offset)
    mac = decode_base64(end[2].decode("ascii"), what="age header MAC")
    return Header(stanzas=tuple(stanzas), authenticated=text[: end.start(1)], mac=mac, payload_offset=end.end())


def _parse_stanza(text: bytes, offset: int) -> tuple[Stanza, int]:
    first = _ARGUMENT_LINE.match(text, offset)
    if not first:
        raise Malformed("age header", "neither a recipient stanza nor the MAC", offset=offset)
    arguments = tuple(first[1].decode("ascii").split(" ")[1:])
    offset = first.end()
    lines: list[str] = []
    while True:
        line = _BODY_LINE.match(text, offset)
        if not line or len(line[1]) > COLUMNS:
            raise Malformed("age header", f"a stanza's body line is not base64 of at most {COLUMNS}", offset=offset)
        lines.append(line[1].decode("ascii"))
        offset = line.end()
        if len(line[1]) < COLUMNS:
            return Stanza(arguments=arguments, body=decode_base64("".join(lines), what="age stanza body")), offset


def check_mac(header: Header, file_key: bytes) -> None:
    """Check that nobody without the file key changed the header. Raises Untrusted."""
    try:
        _mac(header.authenticated, file_key).verify(header.mac)
    except InvalidSignature:
        raise Untrusted("age header: wrong MAC") from None


def _mac(authenticated: bytes, file_key: bytes | bytearray) -> HMAC:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"header").derive(file_key)
    mac = HMAC(key, SHA256())
    mac.update(authenticated)
    return mac
