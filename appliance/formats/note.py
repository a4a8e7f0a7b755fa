"""Signed notes (C2SP signed-note) and cosignatures (C2SP tlog-cosignature): text with signature lines below it.

Three signature types: 01 Ed25519 by the log, 04 Ed25519 and 06 ML-DSA-44 by headquarters' cosigners, with their time. A
signature by an unknown key is ignored; one by a known key that fails rejects the whole note.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from appliance.errors import Malformed, Untrusted
from appliance.formats.tree_head import parse_tree_head

ED25519: Final = 0x01
COSIGNATURE_ED25519: Final = 0x04
COSIGNATURE_MLDSA44: Final = 0x06
PUBLIC_BYTES: Final = {ED25519: 32, COSIGNATURE_ED25519: 32, COSIGNATURE_MLDSA44: 1_312}
SIGNATURE_BYTES: Final = {ED25519: 64, COSIGNATURE_ED25519: 8 + 64, COSIGNATURE_MLDSA44: 8 + 2_420}

NOTE_BYTES_MAX: Final = 65_536
"""Room for 16 ML-DSA-44 signatures, which every verifier must accept."""
SIGNATURES_MAX: Final = 32
NAME_CHARACTERS_MAX: Final = 255
TIME_S_MAX: Final = 2**63 - 1
KEY_ID_BYTES: Final = 4
_SIGNATURE_LINE: Final = re.compile(r"— ([^ ]+) ([A-Za-z0-9+/]+={0,2})")
_VKEY: Final = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that notes are verified by.

    Attributes:
        name: For a log, its origin.
        type: ED25519, COSIGNATURE_ED25519 or COSIGNATURE_MLDSA44.
        public: Raw public key, 32 or 1312 bytes.

    Raises:
        Malformed: A name with a space or plus, an unknown type, a key of another length.
    """

    name: str
    type: int
    public: bytes

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= NAME_CHARACTERS_MAX or "+" in self.name or len(self.name.split()) != 1:
            raise Malformed("note key", "its name is empty, too long, or holds a space or plus")
        if not self.name.isprintable() or self.name.strip() != self.name:
            raise Malformed("note key", "its name holds a control character or space")
        if PUBLIC_BYTES.get(self.type) != len(self.public):
            raise Malformed("note key", f"no key of type {self.type:02x} has {len(self.public)} bytes")

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0A || type || public key)[:4]."""
        return _key_id(self.name, self.type, self.public)

    def vkey(self) -> str:
        """`name+key id in hexadecimal+base64(type || public key)`."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.type]) + self.public).decode('ascii')}"

    def verify(self, text: str, signature: bytes) -> "Verified":
        """Verify one signature over a note's text.

        Raises:
            Untrusted: It does not hold.
            Malformed: A cosignature over a text that is no checkpoint.
        """
        if len(signature) != SIGNATURE_BYTES[self.type]:
            raise Untrusted(f"note: the signature by {self.name} has the wrong length")
        at_s = None if self.type == ED25519 else int.from_bytes(signature[:8], "big")
        try:
            match self.type:
                case 0x01:
                    _ed25519(self.public).verify(signature, text.encode())
                case 0x04:
                    _ed25519(self.public).verify(signature[8:], _cosigned(text, at_s or 0))
                case _:
                    MLDSA44PublicKey.from_public_bytes(self.public).verify(
                        signature[8:], _cosigned_subtree(self.name, text, at_s or 0)
                    )
        except (InvalidSignature, ValueError):
            raise Untrusted(f"note: the signature by {self.name} does not hold") from None
        if at_s is not None and at_s > TIME_S_MAX:
            raise Untrusted(f"note: the cosignature by {self.name} has an impossible time")
        return Verified(verifier=self, at_s=at_s)


@lru_cache(maxsize=64)
def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:KEY_ID_BYTES]


@lru_cache(maxsize=64)
def _ed25519(public: bytes) -> Ed25519PublicKey:
    """Raises ValueError. One log's key verifies every receipt of its box."""
    return Ed25519PublicKey.from_public_bytes(public)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A signature that holds; `at_s` is a cosigner's time, seconds since 1970, None for a log's own signature."""

    verifier: Verifier
    at_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A note of which at least one signature by a known key holds, and none fails."""

    text: str
    signatures: tuple[Verified, ...]

    def require(self, verifier: Verifier) -> Verified:
        """The signature by this key. Raises Untrusted when there is none."""
        for verified in self.signatures:
            if verified.verifier == verifier:
                return verified
        raise Untrusted(f"note: not signed by {verifier.name} (type {verifier.type:02x})")


class Signer(Protocol):
    """Signs notes under a name."""

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        ...

    def sign(self, text: str) -> bytes:
        """The signature as its line carries it, without the key id."""
        ...


class LogSigner:
    """Type 01: a log's own Ed25519 key; its name is the origin."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.verifier = Verifier(name, ED25519, private.public_key().public_bytes_raw())

    def sign(self, text: str) -> bytes:
        """Ed25519 over the text."""
        return self._private.sign(text.encode())


class Ed25519Cosigner:
    """Type 04: says that at `at_s` this was the largest tree of its origin that it has seen, and consistent."""

    def __init__(self, name: str, private: Ed25519PrivateKey, *, at_s: int) -> None:
        self._private = private
        self._at_s = at_s
        self.verifier = Verifier(name, COSIGNATURE_ED25519, private.public_key().public_bytes_raw())

    def sign(self, text: str) -> bytes:
        """The time and Ed25519 over `cosignature/v1`, the time and the text."""
        return self._at_s.to_bytes(8, "big") + self._private.sign(_cosigned(text, self._at_s))


class MlDsa44Cosigner:
    """Type 06: the same, secure against quantum computers; it signs the cosigner's name as well."""

    def __init__(self, name: str, private: MLDSA44PrivateKey, *, at_s: int) -> None:
        self._private = private
        self._at_s = at_s
        self.verifier = Verifier(name, COSIGNATURE_MLDSA44, private.public_key().public_bytes_raw())

    def sign(self, text: str) -> bytes:
        """The time and ML-DSA-44 over the `cosigned_message` structure."""
        message = _cosigned_subtree(self.verifier.name, text, self._at_s)
        return self._at_s.to_bytes(8, "big") + self._private.sign(message)


def _cosigned(text: str, at_s: int) -> bytes:
    """What type 04 signs: two lines and the whole text."""
    parse_tree_head(text)
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def _cosigned_subtree(name: str, text: str, at_s: int) -> bytes:
    """What type 06 signs: `cosigned_message` for the subtree from 0 to the checkpoint's size."""
    log, size, root = parse_tree_head(text)
    cosigner, origin = name.encode(), log.encode()
    return b"".join(
        (
            b"subtree/v1\n\x00",
            bytes([len(cosigner)]) + cosigner,
            at_s.to_bytes(8, "big"),
            bytes([len(origin)]) + origin,
            (0).to_bytes(8, "big"),
            size.to_bytes(8, "big"),
            root,
        )
    )


def parse_vkey(text: str) -> Verifier:
    """Parse a verifier key, a final newline allowed. Raises Malformed, also when its key id is not the key's."""
    match = _VKEY.fullmatch(text.removesuffix("\n")) if len(text) <= 2_048 + NAME_CHARACTERS_MAX else None
    if not match:
        raise Malformed("vkey", "not name+key id+base64")
    key = _decode_base64(match[3], what="vkey")
    verifier = Verifier(match[1], key[0], key[1:])
    if verifier.key_id.hex() != match[2]:
        raise Malformed("vkey", "the key id is not that of name and key")
    return verifier


def sign_note(text: str, signers: Sequence[Signer]) -> bytes:
    """A note: the text, which ends in a newline, and one signature line a signer."""
    assert text.endswith("\n"), "a note's text ends in a newline"
    assert signers, "somebody signs it"
    return f"{text}\n".encode() + b"".join(_signature_line(signer, text) for signer in signers)


def add_signatures(data: bytes, signers: Sequence[Signer]) -> bytes:
    """The same note with more signature lines. Raises Malformed."""
    text, _ = _parse_note(data)
    return data + b"".join(_signature_line(signer, text) for signer in signers)


def _signature_line(signer: Signer, text: str) -> bytes:
    signature = base64.b64encode(signer.verifier.key_id + signer.sign(text)).decode("ascii")
    return f"— {signer.verifier.name} {signature}\n".encode()


def open_note(data: bytes, verifiers: Sequence[Verifier]) -> Opened:
    """The text of a note that at least one known key signed.

    Raises:
        Malformed: Not a note.
        Untrusted: No known key signed it, or a known key's signature does not hold.
    """
    text, lines = _parse_note(data)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    verified: dict[Verifier, Verified] = {}
    for name, key_id, signature in lines:
        verifier = known.get((name, key_id))
        if verifier is not None:
            verified[verifier] = verifier.verify(text, signature)
    if not verified:
        raise Untrusted("note: not signed by a known key")
    return Opened(text=text, signatures=tuple(verified.values()))


def with_signatures_of(data: bytes, verifiers: Sequence[Verifier]) -> bytes:
    """The same note with one signature line of each of these keys that it has, and no other: as short as can be kept.

    Raises:
        Malformed: Not a note.
    """
    _, lines = _parse_note(data)
    known = {(verifier.name, verifier.key_id) for verifier in verifiers}
    head, _, signatures = data.rpartition(b"\n\n")
    kept: dict[tuple[str, bytes], bytes] = {}
    for (name, key_id, _), line in zip(lines, signatures.splitlines(keepends=True), strict=True):
        if (name, key_id) in known:
            kept.setdefault((name, key_id), line)
    return head + b"\n\n" + b"".join(kept.values())


def claimed_times(data: bytes, cosigners: Sequence[Verifier]) -> tuple[str, tuple[int, ...]]:
    """The text of a note and the times that signatures under these cosigners' names and key ids carry, unverified.

    For a note that was verified when it was kept; ML-DSA-44 takes a third of a millisecond each time.

    Raises:
        Malformed: Not a note.
    """
    text, lines = _parse_note(data)
    known = {(cosigner.name, cosigner.key_id) for cosigner in cosigners if cosigner.type != ED25519}
    return text, tuple(int.from_bytes(signature[:8], "big") for name, key, signature in lines if (name, key) in known)


def _parse_note(data: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Text, and (name, key id, signature) of each signature line. Raises Malformed."""
    if len(data) > NOTE_BYTES_MAX:
        raise Malformed("note", f"{len(data)} bytes, at most {NOTE_BYTES_MAX}")
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("note", "not UTF-8", offset=error.start) from None
    if re.search(r"[\x00-\x09\x0b-\x1f]", note):
        raise Malformed("note", "a control character other than newline")
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise Malformed("note", "no signature lines after a blank line")
    lines = signatures[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise Malformed("note", f"{len(lines)} signatures, at most {SIGNATURES_MAX}")
    return f"{text}\n", [_parse_signature_line(line) for line in lines]


def _parse_signature_line(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    if not match or "+" in match[1] or len(match[1].split()) != 1:
        raise Malformed("note", "a line that is no signature line")
    signature = _decode_base64(match[2], what="note signature")
    if len(signature) <= KEY_ID_BYTES:
        raise Malformed("note", "a signature line without a signature")
    return match[1], signature[:KEY_ID_BYTES], signature[KEY_ID_BYTES:]


def _decode_base64(text: str, *, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Malformed(what, "not base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise Malformed(what, "not canonical base64")
    return data
